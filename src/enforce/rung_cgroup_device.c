/* A BPF program of the container's cgroup for devices (Linux 4.15). */
#include "enforce/programs.h"

#include <stdio.h>
#include <unistd.h>

static const char *const programs[] = { "hf_deny_device", NULL };

static bool probe(char *why, size_t size)
{
	bool works = hf_programs_probe(programs, why, size);

	if (works && access("/sys/fs/cgroup/devices/devices.list", F_OK) == 0)
		snprintf(why, size,
			 "the engine's own list of devices is held by cgroup v1 here; this denies in addition to it");
	return works;
}

const struct hf_rung hf_rung_cgroup_device = {
	.name = "cgroup-device",
	.by = HF_BY_DEVICE,
	.stops = 1u << HF_DENY_DEVICES,
	.residual = "open and mknod fail with EPERM; open: devices that are open already; it ends with this process",
	.programs = programs,
	.by_cgroup = true,
	.probe = probe,
};
