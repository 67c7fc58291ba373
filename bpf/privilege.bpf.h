/* Capabilities that are asked for, io_uring, signals to the agent, modules, and with --deep the system calls. */
#pragma once
#include "object.bpf.h"

enum { HF_CAP_SYS_ADMIN = 21, HF_TS_COMPAT = 2 };

/* Whether @task is in a system call of the 32-bit table (int $0x80, a 32-bit program), whose numbers mean others. */
hf_inline bool hf_is_compat(struct task_struct *task)
{
	return task->thread_info.status & HF_TS_COMPAT;
}

hf_inline bool hf_takes_memory_compat(long number)
{
	switch (number) {
	case 2:   /* fork */
	case 11:  /* execve */
	case 45:  /* brk */
	case 90:  /* mmap */
	case 117: /* ipc */
	case 120: /* clone */
	case 125: /* mprotect */
	case 163: /* mremap */
	case 190: /* vfork */
	case 192: /* mmap2 */
	case 324: /* fallocate */
	case 356: /* memfd_create */
	case 358: /* execveat */
	case 395: /* shmget */
	case 435: /* clone3 */
	case -1:  /* a fault */
		return true;
	}
	return false;
}

/* The kernel asks for CAP_SYS_ADMIN whenever memory is taken, to know whether the last 3 % may be had: that says nothing about
 * a process. The numbers are those of x86-64. */
hf_inline bool hf_capability_says_nothing(int capability, long number, bool compat)
{
	if (capability != HF_CAP_SYS_ADMIN)
		return false;
	if (compat)
		return hf_takes_memory_compat(number);
	switch (number) {
	case 9:   /* mmap */
	case 10:  /* mprotect */
	case 12:  /* brk */
	case 25:  /* mremap */
	case 29:  /* shmget */
	case 56:  /* clone */
	case 57:  /* fork */
	case 58:  /* vfork */
	case 59:  /* execve */
	case 285: /* fallocate */
	case 319: /* memfd_create */
	case 322: /* execveat */
	case 435: /* clone3 */
	case -1:  /* a fault */
		return true;
	}
	return false;
}

SEC("tp_btf/cap_capable")
int BPF_PROG(hf_on_capability, const struct cred *cred, void *target, const void *capable, int capability, int result)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	long number = (long)regs->orig_ax;
	bool compat = number != -1 && hf_is_compat(task);
	struct hf_record_number r = {};
	__u64 key;

	/* Credentials of another (overlay's mounter, access(2)'s real user): the kernel asks for itself, not for the process. */
	if (hf_capability_says_nothing(capability, number, compat) || cred != task->real_cred)
		return 0;
	__u64 cgroup_id = hf_cgroup_of(task);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		return 0;
	hf_count_seen(c, HF_OBJECT_CAPABILITY);
	/* The runtime uses nearly all of them in setting up: that must not make them known of the container. */
	struct hf_process *p = hf_process_of(task);
	__u64 setup = p && p->flags & HF_PROCESS_SETUP ? 1 : 0;
	__u64 state = hf_keyed_word(hf_object_begin_by(c, cgroup_id, HF_OBJECT_CAPABILITY, task),
				    setup << 63 | (__u64)(__u32)capability << 32 | (__u64)(result == 0) << 31 |
					    (__u64)compat << 16 | ((__u32)number & 0xffff));

	if (hf_object_known(c, HF_OBJECT_CAPABILITY, state, &key))
		return 0;
	hf_record_current(&r.head, HF_OBJECT_CAPABILITY, cgroup_id);
	r.head.size = sizeof r;
	r.head.flags = compat ? HF_RECORD_COMPAT : 0;
	r.number = capability;
	r.result = result;
	r.syscall = number;
	hf_object_emit(c, key, &r.head, sizeof r, 0);
	return 0;
}

hf_inline void hf_uring(__u32 operation)
{
	__u64 cgroup_id = hf_cgroup_of((struct task_struct *)bpf_get_current_task_btf());
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_record_number r = {};
	__u64 key;

	if (!c)
		return;
	hf_count_seen(c, HF_OBJECT_IO_URING);
	if (hf_object_known(c, HF_OBJECT_IO_URING,
			    hf_keyed_word(hf_object_begin_current(c, cgroup_id, HF_OBJECT_IO_URING), operation), &key))
		return;
	hf_record_current(&r.head, HF_OBJECT_IO_URING, cgroup_id);
	r.head.size = sizeof r;
	r.number = operation;
	hf_object_emit(c, key, &r.head, sizeof r, 0);
}

SEC("tp_btf/io_uring_create")
int BPF_PROG(hf_on_uring_create)
{
	hf_uring(HF_URING_SETUP);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(hf_on_uring_submit, struct io_kiocb *request)
{
	hf_uring(BPF_CORE_READ(request, opcode));
	return 0;
}

/* Whoever sends the agent a signal is told of, wherever it runs. */
SEC("tp_btf/signal_generate")
int BPF_PROG(hf_on_signal, int number, void *info, struct task_struct *target)
{
	struct hf_record_number r = {};
	__u32 agent = target->tgid, zero = 0;

	if (agent != config.agent_pid)
		return 0;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	/* its own, and what the kernel tells it of children, timers, pipes and descriptors */
	if (BPF_CORE_READ(task, tgid) == agent || number == 17 || number == 14 || number == 13 || number == 23 ||
	    number == 29)
		return 0;
	__u64 cgroup_id = hf_cgroup_of(task);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		c = bpf_map_lookup_elem(&elsewhere, &zero);
	if (!c)
		return 0;
	hf_count_seen(c, HF_OBJECT_SIGNAL);
	hf_record_current(&r.head, HF_OBJECT_SIGNAL, cgroup_id);
	r.head.size = sizeof r;
	r.number = number;
	r.target_pid = agent;
	hf_emit(&control, c, &r.head, sizeof r, BPF_RB_FORCE_WAKEUP);
	return 0;
}

SEC("tp_btf/module_load")
int BPF_PROG(hf_on_module, struct module *module)
{
	__u64 cgroup_id = hf_cgroup_of((struct task_struct *)bpf_get_current_task_btf());
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_record_module r = {};
	__u32 zero = 0;

	if (!c)
		c = bpf_map_lookup_elem(&elsewhere, &zero);
	if (!c)
		return 0;
	hf_count_seen(c, HF_OBJECT_MODULE);
	hf_record_current(&r.head, HF_OBJECT_MODULE, cgroup_id);
	r.head.size = sizeof r;
	bpf_core_read_str(r.module, sizeof r.module, &module->name);
	hf_emit(&bulk, c, &r.head, sizeof r, 0);
	return 0;
}

enum { HF_SYSCALL_WORDS = HF_SYSCALLS_MAX / 64 };

/* cgroup id -> the system calls made by its workload, then those made by what came in from outside (docker exec).
 * With the highest bit of the id set: those of the 32-bit table. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64[2 * HF_SYSCALL_WORDS]);
} made SEC(".maps");

hf_inline __u64 *hf_calls_made(__u64 cgroup_id)
{
	__u64 none[2 * HF_SYSCALL_WORDS] = {}, *bits = bpf_map_lookup_elem(&made, &cgroup_id);

	if (bits)
		return bits;
	bpf_map_update_elem(&made, &cgroup_id, none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&made, &cgroup_id);
}

/* The runtime at work on a container that it sets up, or in one that it enters. */
hf_inline bool hf_is_setup(struct task_struct *task, const struct hf_process *p)
{
	return p ? p->flags & HF_PROCESS_SETUP :
		   hf_in_host_mounts(task);
}

/* Loaded with --deep alone: with it every system call of every process on the machine passes through a tracepoint. Whoever a profile
 * leaves out, the runtime or docker exec, must not make a call known before the workload makes it. */
SEC("tp_btf/sys_enter")
int BPF_PROG(hf_on_syscall, struct pt_regs *regs, long number)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	__u64 cgroup_id = hf_cgroup_of(task), bit = 1ull << (number & 63);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_record_syscalls r = {};
	__u32 word = ((__u64)number >> 6) & (HF_SYSCALL_WORDS - 1), at = word;

	if (!c || number < 0 || number >= HF_SYSCALLS_MAX)
		return 0;
	bool compat = hf_is_compat(task);
	__u64 *bits = hf_calls_made(cgroup_id | (compat ? 1ull << 63 : 0));

	hf_count_seen(c, HF_OBJECT_SYSCALLS);
	if (!bits) {
		hf_count_dropped(c, HF_OBJECT_SYSCALLS, HF_DROP_MAP);
		return 0;
	}
	if (!(bits[word] & bit)) {
		struct hf_process *p = hf_process_of(task);
		if (hf_is_setup(task, p)) {
			hf_count_known(c, HF_OBJECT_SYSCALLS);
			return 0;
		}
		if (p && p->flags & HF_PROCESS_ENTERED)
			at += HF_SYSCALL_WORDS;
	}
	if (bits[at] & bit) {
		hf_count_known(c, HF_OBJECT_SYSCALLS);
		return 0;
	}
	bits[at] |= bit;
	hf_record_current(&r.head, HF_OBJECT_SYSCALLS, cgroup_id);
	r.head.size = sizeof r;
	r.head.flags = compat ? HF_RECORD_COMPAT : 0;
	r.bits[word] = bit;
	hf_emit(&bulk, c, &r.head, sizeof r, 0);
	return 0;
}
