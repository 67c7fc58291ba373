/* The hierarchy of cgroups by which containers are told apart: the unified one, or that of one controller where cgroup v1 alone holds
 * them.
 *
 * The unified one wherever it is mounted and engines put containers into it. Cgroup v1 where it is not mounted; where the processes
 * of containers that run are in v1's cgroups alone; and, while none runs, where it is mounted at a place that no engine looks at
 * and v1 is there. Of v1's hierarchies the first of pids, memory, devices, freezer, cpu, cpuacct, cpuset and blkio that is mounted:
 * engines put a container into each. name=systemd has no controller, so that the kernel's programs cannot ask for it.
 *
 * Source: proc_pid_mountinfo(5), cgroups(7), libcontainer's cgroups (where it looks for the unified hierarchy of hybrid machines). */
#pragma once
#include "base/error.h"
#include "base/view.h"

enum { HF_CONTROLLER_MAX = 32, HF_POINT_MAX = 256 };

struct hf_hierarchy {
	int fd;                             /* its root folder, for reading */
	char controller[HF_CONTROLLER_MAX]; /* empty: the unified one */
	int32_t v1_subsystem;               /* -1: the unified one; else the controller's number in this kernel */
	uint32_t v1_id;                     /* as /proc/self/cgroup counts hierarchies */
	char point[HF_POINT_MAX];           /* where it is mounted */
};

/* What the processes that run say. */
enum hf_hierarchy_evidence { HF_HIERARCHY_NO_CONTAINERS, HF_HIERARCHY_IN_UNIFIED, HF_HIERARCHY_IN_V1 };

/* Of the texts of /proc/self/mountinfo and /proc/self/cgroup; neither fd nor v1_subsystem is set but to -1. Pure. HF_E_MISSING. */
int hf_hierarchy_choose(hf_sv mountinfo, hf_sv cgroups, enum hf_hierarchy_evidence, struct hf_hierarchy *ret,
			struct hf_err *err);
/* HF_E_MISSING where none is mounted that containers could be in; HF_E_UNSUPPORTED where the kernel does not tell the controller's
 * number (BTF). Reads the cgroups of all processes where v1 and the unified one are both mounted. */
int hf_hierarchy_open(struct hf_hierarchy *ret, struct hf_err *err);
/* The same once more, with a descriptor of its own. */
int hf_hierarchy_copy(const struct hf_hierarchy *from, struct hf_hierarchy *ret, struct hf_err *err);
void hf_hierarchy_close(struct hf_hierarchy *);
bool hf_hierarchy_is_v1(const struct hf_hierarchy *);
/* The root of the unified hierarchy though it is mounted nowhere, for programs that see every process: -1 where the kernel has none. */
int hf_hierarchy_unified_root(void);
/* A container's own cgroup, or one below it. */
bool hf_hierarchy_is_container(hf_sv path);
