/* Counting and handing out. The identity seen = known + delivered + dropped(reason) holds because every program that counts a
 * `seen` ends in exactly one of hf_emit, hf_count_known and hf_count_dropped. */
#pragma once
#include "maps.bpf.h"

#define hf_inline static __attribute__((always_inline)) inline

/* Where a process is in the hierarchy of the controller of cgroup v1. */
hf_inline struct cgroup_subsys_state *hf_v1_state(struct task_struct *task)
{
	const char *set = (const char *)BPF_CORE_READ(task, cgroups);
	struct cgroup_subsys_state *state = NULL;

	bpf_probe_read_kernel(&state, sizeof state,
			      set + bpf_core_field_offset(struct css_set, subsys) +
				      (config.v1_subsystem & 31) * sizeof(struct cgroup_subsys_state *));
	return state;
}

/* The cgroup by which containers are told apart: of the unified hierarchy, or of one v1 controller where there is no other. @task as a
 * program gets it (also below): its fields are then plain loads, each of which saves the call of a helper. */
hf_inline __u64 hf_cgroup_of(struct task_struct *task)
{
	if (config.v1_subsystem < 0)
		return task->cgroups->dfl_cgrp->kn->id;
	return BPF_CORE_READ(hf_v1_state(task), cgroup, kn, id);
}

/* The counters of @cgroup_id, NULL where it is not watched. */
hf_inline struct hf_kernel_cgroup *hf_watched(__u64 cgroup_id)
{
	struct hf_kernel_cgroup *c = bpf_map_lookup_elem(&cgroups, &cgroup_id);
	__u32 zero = 0;

	if (c)
		return (c->flags & HF_CGROUP_IGNORED) && !config.watch_host ? NULL : c;
	return config.watch_host || cgroups_full ? bpf_map_lookup_elem(&elsewhere, &zero) : NULL;
}

/* A container's cgroup, as far as is known: not the machine's, even where that is watched too. */
hf_inline bool hf_is_container(__u64 cgroup_id)
{
	struct hf_kernel_cgroup *c = bpf_map_lookup_elem(&cgroups, &cgroup_id);

	return c && !(c->flags & HF_CGROUP_IGNORED);
}

hf_inline bool hf_in_host_mounts(struct task_struct *task)
{
	return task->nsproxy->mnt_ns->ns.inum == config.host_mount_namespace;
}

hf_inline void hf_count_seen(struct hf_kernel_cgroup *c, __u32 kind)
{
	__sync_fetch_and_add(&c->counts[kind & (HF_RECORD_KINDS - 1)].seen, 1);
}

hf_inline void hf_count_known(struct hf_kernel_cgroup *c, __u32 kind)
{
	__sync_fetch_and_add(&c->counts[kind & (HF_RECORD_KINDS - 1)].known, 1);
}

hf_inline void hf_count_dropped(struct hf_kernel_cgroup *c, __u32 kind, enum hf_drop why)
{
	__sync_fetch_and_add(&c->counts[kind & (HF_RECORD_KINDS - 1)].dropped[why], 1);
}

/* Hands a record of @size bytes out and counts what became of it. The reader looks by itself every few milliseconds: waking it for
 * each record would cost the workload more than the record does. */
hf_inline void hf_emit(void *ring, struct hf_kernel_cgroup *c, const struct hf_record *r, __u32 size, __u64 wake)
{
	__u64 flags = wake;

	if (!flags)
		flags = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= config.ring_wake_bytes ? BPF_RB_FORCE_WAKEUP :
											       BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(ring, (void *)r, size, flags))
		hf_count_dropped(c, r->kind, HF_DROP_RING);
	else
		__sync_fetch_and_add(&c->counts[r->kind & (HF_RECORD_KINDS - 1)].delivered, 1);
}

/* Once half of the control ring waits to be read, whose own records are an eighth of it makes room for its neighbours. */
hf_inline bool hf_control_allowed(struct hf_kernel_cgroup *c, __u32 size)
{
	__u64 room = bpf_ringbuf_query(&control, BPF_RB_RING_SIZE);

	if (bpf_ringbuf_query(&control, BPF_RB_CONS_POS) >= c->control_mark) {
		c->control_mark = bpf_ringbuf_query(&control, BPF_RB_PROD_POS);
		c->control_bytes = 0;
	}
	if (c->control_bytes + size > room / 8 && bpf_ringbuf_query(&control, BPF_RB_AVAIL_DATA) > room / 2)
		return false;
	c->control_bytes += size;
	return true;
}

hf_inline struct hf_scratch *hf_scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

/* Of the process that @task is a thread of: kept with its first thread. @task as a program gets it, not as it reads it. */
hf_inline struct hf_process *hf_process_of(struct task_struct *task)
{
	struct hf_process *p = bpf_task_storage_get(&processes, task, NULL, 0);

	return p ? p : bpf_task_storage_get(&processes, task->group_leader, NULL, 0);
}

/* Fills the front of a record for @task (any thread of the process). */
hf_inline void hf_record_head(struct hf_record *r, __u32 kind, struct task_struct *task, __u64 cgroup_id)
{
	struct task_struct *leader = task->group_leader;
	struct task_struct *parent = leader->real_parent;
	const struct cred *cred = task->cred;
	/* By a helper: to what is loaded plainly, Linux 6.1 lets nothing be added that is only known when it runs. */
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	struct upid in_container = { 0 };
	unsigned int level = BPF_CORE_READ(pid, level);

	r->kind = kind;
	r->flags = 0;
	r->ns = bpf_ktime_get_ns();
	r->cgroup_id = cgroup_id;
	r->start_ns = leader->start_time;
	r->execution = r->parent_execution = 0;
	r->pid = task->tgid;
	r->tid = task->pid;
	r->parent_pid = parent->tgid;
	bpf_probe_read_kernel(&in_container.nr, sizeof in_container.nr,
			      (char *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (level & 31) * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	r->pid_in_container = in_container.nr;
	r->uid = cred->euid.val;
	r->gid = cred->egid.val;
	r->mount_namespace = task->nsproxy->mnt_ns->ns.inum;
	r->process_flags = 0;
	bpf_core_read(&r->capabilities, sizeof r->capabilities, &cred->cap_effective);
	bpf_core_read_str(r->name, sizeof r->name, &task->comm);
	bpf_core_read_str(r->parent_name, sizeof r->parent_name, &parent->comm);
}

hf_inline void hf_record_process(struct hf_record *r, const struct hf_process *p)
{
	if (!p)
		return;
	r->execution = p->execution;
	r->parent_execution = p->parent_execution;
	r->process_flags = p->flags;
}
