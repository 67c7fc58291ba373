/* BPF programs of the container's cgroup for connect and sendmsg (Linux 4.17). */
#include "enforce/programs.h"

static const char *const programs[] = { "hf_deny_connect4", "hf_deny_connect6", "hf_deny_send4", "hf_deny_send6",
					NULL };

static bool probe(char *why, size_t size)
{
	return hf_programs_probe(programs, why, size);
}

const struct hf_rung hf_rung_cgroup_network = {
	.name = "cgroup",
	.by = HF_BY_NETWORK,
	.stops = 1u << HF_DENY_IMDS | 1u << HF_DENY_PEERS,
	.residual = "the call fails with EPERM, through io_uring too; open: connections that are there already, "
		    "sockets that were "
		    "connected elsewhere and handed in, raw and packet sockets, what a proxy forwards; it ends with "
		    "this process",
	.programs = programs,
	.by_cgroup = true,
	.probe = probe,
};
