/* Processes that enter or make namespaces. There is no tracepoint for that, and perf's record of it costs every fork of the machine
 * ten microseconds; so it is looked up where a process forks, runs a program or ends, against what it had before: what its parent has,
 * or what was told of it. Pointers are compared; numbers are only read where these differ. */
#pragma once
#include "object.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net {
	struct ns_common ns;
};
struct uts_namespace {
	struct ns_common ns;
};
struct ipc_namespace {
	struct ns_common ns;
};
struct cgroup_namespace {
	struct ns_common ns;
};
struct pid_namespace {
	struct ns_common ns;
};
struct user_namespace {
	struct ns_common ns;
};
struct nsproxy___spaces {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};
struct cred___spaces {
	struct user_namespace *user_ns;
};
struct upid___spaces {
	struct pid_namespace *ns;
};

#pragma clang attribute pop

struct hf_spaces {
	__u64 proxy, user, pid; /* the kernel's pointers */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hf_record_namespaces); /* only .now is used: what was told of the task last */
} spaces SEC(".maps");

hf_inline struct pid_namespace *hf_pid_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid); /* not by a plain load, as in hf_record_head */
	struct pid_namespace *space = NULL;
	unsigned int level = BPF_CORE_READ(pid, level);

	bpf_probe_read_kernel(&space, sizeof space,
			      (char *)pid + bpf_core_field_offset(struct pid, numbers) +
				      (level & 31) * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid___spaces, ns));
	return space;
}

hf_inline void hf_spaces_of(struct task_struct *task, struct hf_spaces *s)
{
	struct cred___spaces *cred = (struct cred___spaces *)task->real_cred;

	s->proxy = (__u64)task->nsproxy;
	s->user = (__u64)cred->user_ns;
	s->pid = (__u64)hf_pid_namespace(task);
}

hf_inline void hf_spaces_numbers(const struct hf_spaces *s, __u32 out[HF_SPACES])
{
	struct nsproxy___spaces *proxy = (struct nsproxy___spaces *)s->proxy;
	struct pid_namespace *pid = (struct pid_namespace *)s->pid;
	struct user_namespace *user = (struct user_namespace *)s->user;

	out[0] = BPF_CORE_READ(proxy, net_ns, ns.inum);
	out[1] = BPF_CORE_READ(proxy, uts_ns, ns.inum);
	out[2] = BPF_CORE_READ(proxy, ipc_ns, ns.inum);
	out[3] = BPF_CORE_READ(pid, ns.inum);
	out[4] = BPF_CORE_READ(user, ns.inum);
	out[5] = BPF_CORE_READ(proxy, mnt_ns, ns.inum);
	out[6] = BPF_CORE_READ(proxy, cgroup_ns, ns.inum);
}

hf_inline bool hf_spaces_differ(const __u32 *a, const __u32 *b)
{
	bool differ = false;

	for (int i = 0; i < HF_SPACES; i++)
		differ |= a[i] != b[i];
	return differ;
}

/* @task against what was told of it, or else against @origin, from which it has its namespaces unless it left them. */
hf_inline int hf_spaces_check(struct task_struct *task, struct task_struct *origin)
{
	struct hf_spaces now = {}, before = {};
	struct hf_record_namespaces r = {};
	struct hf_record_namespaces *told;
	__u64 cgroup_id, state, key;

	hf_spaces_of(task, &now);
	told = bpf_task_storage_get(&spaces, task, NULL, 0);
	if (!told) {
		hf_spaces_of(origin, &before);
		if (now.proxy == before.proxy && now.user == before.user && now.pid == before.pid)
			return 0;
	}
	if (!now.proxy) /* it ends, and has none any more */
		return 0;
	cgroup_id = hf_cgroup_of(task);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		return 0;
	hf_spaces_numbers(&now, r.now);
	if (told)
		__builtin_memcpy(r.before, told->now, sizeof r.before);
	else if (before.proxy)
		hf_spaces_numbers(&before, r.before);
	if (!hf_spaces_differ(r.now, r.before))
		return 0;
	if (!told)
		told = bpf_task_storage_get(&spaces, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (told)
		__builtin_memcpy(told->now, r.now, sizeof r.now);
	hf_count_seen(c, HF_OBJECT_NAMESPACE);
	struct hf_process *p = hf_process_of(task);

	state = hf_object_begin_by(c, cgroup_id, HF_OBJECT_NAMESPACE, task);
	state = hf_keyed_word(state, p && p->flags & HF_PROCESS_SETUP);
	for (int i = 0; i < HF_SPACES; i++)
		state = hf_keyed_word(state, (__u64)r.before[i] << 32 | r.now[i]);
	if (hf_object_known(c, HF_OBJECT_NAMESPACE, state, &key))
		return 0;
	hf_record_head(&r.head, HF_OBJECT_NAMESPACE, task, cgroup_id);
	hf_record_process(&r.head, p);
	r.head.size = sizeof r;
	hf_object_emit(c, key, &r.head, sizeof r, 0);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(hf_spaces_on_fork, struct task_struct *parent, struct task_struct *child)
{
	return hf_spaces_check(child, parent);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(hf_spaces_on_exec, struct task_struct *task)
{
	return hf_spaces_check(task, task->real_parent);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(hf_spaces_on_exit, struct task_struct *task)
{
	return hf_spaces_check(task, task->real_parent);
}
