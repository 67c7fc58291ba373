/* What can be denied, and by what: numbers that the kernel's programs and user space share. */
#pragma once

/* What can be denied. The bits 1 << rule stand in a guard. */
enum hf_deny {
	HF_DENY_FILELESS,    /* a program without a name: memfd, deleted */
	HF_DENY_DRIFT,       /* a program of the container's writable layer */
	HF_DENY_EXECUTABLES, /* a listed program, or one that is not listed */
	HF_DENY_IMDS,        /* the cloud's metadata addresses */
	HF_DENY_PEERS,       /* a listed peer, or one that is not listed */
	HF_DENY_DEVICES,     /* block devices, kernel memory, I/O ports */
	HF_DENY_FILES,       /* a listed file, whoever opens it */
	HF_DENY_DIGESTS, /* a program with listed bytes, or with others than the profile has at its path; never in the kernel */
	HF_DENIES
};

/* By what; the rows of src/enforce/rungs.def in their order, counted from 1. */
enum hf_deny_by {
	HF_BY_NOTHING,
	HF_BY_LSM,
	HF_BY_NETWORK,
	HF_BY_DEVICE,
	HF_BY_EXEC_KILL,
	HF_BY_FANOTIFY,
	HF_BY_RESPONSE
};
