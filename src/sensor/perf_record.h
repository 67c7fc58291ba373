/* Records of the kernel's perf ring that say what is mapped, which namespaces a task has, which cgroups and BPF programs come: as
 * bytes, to a struct. Pure.
 *
 * Source: linux/perf_event.h (enum perf_event_type), records of an event opened with sample_id_all and the sample type
 * PERF_SAMPLE_TID | PERF_SAMPLE_TIME, in the byte order of this machine, which has to be little-endian. Which fields are not
 * read: docs/formats/perf.md. */
#pragma once
#include "base/error.h"

enum hf_perf_type {
	HF_PERF_LOST = 2,
	HF_PERF_MMAP2 = 10,
	HF_PERF_NAMESPACES = 16,
	HF_PERF_KSYMBOL = 17,
	HF_PERF_BPF = 18,
	HF_PERF_CGROUP = 19,
};

/* In the order of the kernel's numbers. */
enum hf_namespace {
	HF_NAMESPACE_NETWORK,
	HF_NAMESPACE_UTS,
	HF_NAMESPACE_IPC,
	HF_NAMESPACE_PID,
	HF_NAMESPACE_USER,
	HF_NAMESPACE_MOUNT,
	HF_NAMESPACE_CGROUP,
	HF_NAMESPACES
};

enum { HF_BUILD_ID_MAX = 20, HF_BPF_TAG = 8 };

struct hf_perf_mmap {
	uint32_t pid, tid;
	uint64_t address, length;
	bool has_inode; /* the kernel gives the file's numbers or its build id, not both */
	uint32_t major, minor;
	uint64_t inode, generation;
	uint8_t build_id[HF_BUILD_ID_MAX];
	size_t build_id_n;
	uint32_t protection;
	hf_sv path; /* borrowed from the record */
};

struct hf_perf_record {
	uint32_t type;                     /* enum hf_perf_type */
	uint32_t current_pid, current_tid; /* who was running */
	uint64_t time_ns;
	union {
		struct hf_perf_mmap mmap;
		uint64_t lost;
		struct {
			uint32_t pid, tid;
			uint64_t inode[HF_NAMESPACES]; /* 0: not told */
		} namespaces;
		struct {
			bool is_bpf, unregister;
			hf_sv name; /* borrowed */
		} ksymbol;
		struct {
			bool unload;
			uint32_t id;
			uint8_t tag[HF_BPF_TAG];
		} bpf;
		struct {
			uint64_t id;
			hf_sv path; /* borrowed */
		} cgroup;
	};
};

/* @return 0; 1 a record of a kind that is not asked for; HF_E_FORMAT one that ends too early or has no NUL where one belongs.
 * @record is the whole record with its header, as long as the header says. */
int hf_perf_decode(hf_sv record, struct hf_perf_record *ret, struct hf_err *err);

/* What a mapping is, by the name that the kernel gives it. */
enum hf_perf_mapping_kind {
	HF_MAPPING_FILE,
	HF_MAPPING_NONE,    /* no file: anonymous memory, vdso, stack, heap */
	HF_MAPPING_NO_PATH, /* a file whose path did not fit or could not be told */
	HF_MAPPING_MEMORY,  /* memfd, System V or other shared memory without a name in a folder */
};
/* Takes " (deleted)" off @path. A file may truly be called so: what cannot be told apart counts as deleted. */
enum hf_perf_mapping_kind hf_perf_mapping_of(hf_sv *path, bool *ret_deleted);
/* The program's name in "bpf_prog_0123456789abcdef_name" where its tag is @tag; false where it is another's. */
bool hf_perf_bpf_name(hf_sv ksymbol, const uint8_t tag[HF_BPF_TAG], hf_sv *ret_name);
