/* Birth and death of cgroups, and processes that move between them. */
#pragma once
#include "process.bpf.h"

hf_inline bool hf_hierarchy_counts(struct cgroup *group)
{
	__u32 id = BPF_CORE_READ(group, root, hierarchy_id);

	return config.v1_subsystem < 0 ? id == 0 : id == config.v1_hierarchy;
}

hf_inline void hf_emit_cgroup(__u32 kind, struct hf_kernel_cgroup *c, __u64 id, const char *path)
{
	struct hf_scratch *s = hf_scratch_get();

	if (!s) {
		hf_count_dropped(c, kind, HF_DROP_UNREADABLE);
		return;
	}
	struct hf_record_cgroup *r = (struct hf_record_cgroup *)s->record;
	long n;

	__builtin_memset(r, 0, sizeof *r);
	hf_record_head(&r->head, kind, (struct task_struct *)bpf_get_current_task_btf(), id);
	n = bpf_probe_read_kernel_str(s->record + sizeof *r, HF_RECORD_PATH_MAX, path);
	r->path_length = n > 1 ? (__u32)(n - 1) & (HF_RECORD_PATH_MAX - 1) : 0;
	r->head.size = sizeof *r + r->path_length;
	hf_emit(&control, c, &r->head, r->head.size & (HF_RECORD_MAX - 1), BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(hf_on_cgroup_mkdir, struct cgroup *group, const char *path)
{
	static const struct hf_kernel_cgroup empty;
	__u64 id = BPF_CORE_READ(group, kn, id);
	__u32 zero = 0;
	struct hf_kernel_cgroup *c;

	if (!hf_hierarchy_counts(group))
		return 0;
	bpf_map_update_elem(&cgroups, &id, &empty, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&cgroups, &id);
	if (!c) {
		cgroups_full = 1;
		c = bpf_map_lookup_elem(&elsewhere, &zero);
		if (!c)
			return 0;
	}
	hf_count_seen(c, HF_KIND_CONTAINER_START);
	hf_emit_cgroup(HF_KIND_CONTAINER_START, c, id, path);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(hf_on_cgroup_rmdir, struct cgroup *group, const char *path)
{
	__u64 id = BPF_CORE_READ(group, kn, id);
	struct hf_kernel_cgroup *c = hf_watched(id);

	if (!hf_hierarchy_counts(group) || !c)
		return 0;
	hf_count_seen(c, HF_KIND_CONTAINER_STOP);
	hf_emit_cgroup(HF_KIND_CONTAINER_STOP, c, id, path);
	return 0;
}

/* Run by user space, which could not write the number without overwriting counters that go on meanwhile. */
SEC("syscall")
int hf_on_learned(struct hf_learned *learned)
{
	__u64 id = learned->cgroup_id;
	struct hf_kernel_cgroup *c = bpf_map_lookup_elem(&cgroups, &id);

	if (!c)
		return 1;
	c->profile = learned->profile;
	return 0;
}

/* By now the task has left where it was. One that was never seen (it was made outside of containers, or runs since before the
 * agent and is not found yet) is a container's where it lives in other mounts than the machine's, below a container's process. */
hf_inline bool hf_came_from_container(struct task_struct *task, const struct hf_process *p)
{
	struct task_struct *parent = task->group_leader->real_parent;

	if (p->cgroup_id)
		return hf_is_container(p->cgroup_id);
	return !hf_in_host_mounts(task) && hf_is_container(hf_cgroup_of(parent));
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(hf_on_cgroup_attach, struct cgroup *to, const char *path, struct task_struct *task, bool whole_process)
{
	__u64 id = BPF_CORE_READ(to, kn, id);
	struct hf_process *p;

	if (!hf_hierarchy_counts(to) || !hf_watched(id))
		return 0;
	p = bpf_task_storage_get(&processes, task->group_leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!p)
		return 0;
	if (p->cgroup_id != id && !hf_came_from_container(task, p))
		p->flags |= HF_PROCESS_SETUP;
	p->cgroup_id = id;
	return 0;
}
