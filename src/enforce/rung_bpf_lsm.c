/* BPF programs at the hooks of Linux Security Modules (Linux 5.7, lsm=…,bpf on the kernel's command line). */
#include "enforce/programs.h"

static const char *const programs[] = { "hf_lsm_exec", "hf_lsm_connect", "hf_lsm_send", "hf_lsm_open", NULL };

static bool probe(char *why, size_t size)
{
	return hf_programs_probe(programs, why, size);
}

const struct hf_rung hf_rung_bpf_lsm = {
	.name = "bpf-lsm",
	.by = HF_BY_LSM,
	.stops = 1u << HF_DENY_FILELESS | 1u << HF_DENY_DRIFT | 1u << HF_DENY_EXECUTABLES | 1u << HF_DENY_IMDS |
		 1u << HF_DENY_PEERS | 1u << HF_DENY_FILES,
	.residual = "the call fails with EPERM; open: what already runs or is connected, packet sockets, a script that "
		    "is given to an interpreter as an argument; it ends with this process",
	.programs = programs,
	.probe = probe,
};
