/* Executions, forks and ends of processes. */
#pragma once
#include "path.bpf.h"

enum { HF_KIND_EXEC = 0, HF_KIND_FORK = 1, HF_KIND_EXIT = 2, HF_KIND_CONTAINER_START = 3, HF_KIND_CONTAINER_STOP = 4 };
enum { HF_MAGIC_OVERLAY = 0x794c7630, HF_MAGIC_TMPFS = 0x01021994 };

hf_inline __u32 hf_descriptor(struct task_struct *task, unsigned int number)
{
	struct fdtable *table = task->files->fdt;
	struct file **slots = BPF_CORE_READ(table, fd), *file = NULL;

	if (number >= BPF_CORE_READ(table, max_fds))
		return HF_DESCRIPTOR_CLOSED;
	bpf_probe_read_kernel(&file, sizeof file, slots + number);
	if (!file)
		return HF_DESCRIPTOR_CLOSED;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 type = BPF_CORE_READ(inode, i_mode) & 0170000, device = BPF_CORE_READ(inode, i_rdev);
	__u32 major = device >> 20, minor = device & 0xfffff;

	if (type == 0140000)
		return HF_DESCRIPTOR_SOCKET;
	if (type == 0010000)
		return HF_DESCRIPTOR_PIPE;
	if (type == 0100000)
		return HF_DESCRIPTOR_FILE;
	if (type != 0020000)
		return HF_DESCRIPTOR_OTHER;
	if (major == 1 && minor == 3)
		return HF_DESCRIPTOR_NULL;
	return major == 4 || major == 5 || (major >= 136 && major <= 143) ? HF_DESCRIPTOR_TERMINAL : HF_DESCRIPTOR_OTHER;
}

hf_inline long long hf_modified_ns(struct inode *inode)
{
	struct inode___v6_1 *v6_1 = (struct inode___v6_1 *)inode;
	struct inode___v6_6 *v6_6 = (struct inode___v6_6 *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return BPF_CORE_READ(inode, i_mtime_sec) * 1000000000LL + BPF_CORE_READ(inode, i_mtime_nsec);
	if (bpf_core_field_exists(v6_6->__i_mtime))
		return BPF_CORE_READ(v6_6, __i_mtime.tv_sec) * 1000000000LL + BPF_CORE_READ(v6_6, __i_mtime.tv_nsec);
	if (bpf_core_field_exists(v6_1->i_mtime))
		return BPF_CORE_READ(v6_1, i_mtime.tv_sec) * 1000000000LL + BPF_CORE_READ(v6_1, i_mtime.tv_nsec);
	return 0;
}

hf_inline void hf_exec_file(struct hf_record_exec *e, struct linux_binprm *bprm, struct file *file)
{
	struct inode *inode = file->f_inode;
	unsigned long magic = inode->i_sb->s_magic;
	__u32 mode = inode->i_mode;
	bool secure = BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);

	e->inode = inode->i_ino;
	e->device = inode->i_sb->s_dev;
	e->size_bytes = inode->i_size;
	e->modified_ns = hf_modified_ns(inode);
	if (!inode->i_nlink)
		e->flags |= magic == HF_MAGIC_TMPFS ? HF_EXEC_DELETED | HF_EXEC_MEMORY : HF_EXEC_DELETED;
	if (magic == HF_MAGIC_OVERLAY) {
		e->flags |= HF_EXEC_OVERLAY;
		if (bpf_core_type_exists(struct ovl_inode)) {
			struct ovl_inode *o =
				(struct ovl_inode *)((char *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode));

			if (BPF_CORE_READ(o, __upperdentry))
				e->flags |= HF_EXEC_UPPER;
		}
	}
	if (secure && ((mode & 06000) || e->head.uid == inode->i_uid.val))
		e->flags |= HF_EXEC_SETUID;
}

/* Up to HF_RECORD_ARGUMENTS_MAX bytes of argv as the kernel laid it out: no instruction of the program has run yet. */
hf_inline __u32 hf_exec_arguments(struct hf_scratch *s, __u32 offset, struct task_struct *task, __u32 *flags)
{
	unsigned long begin = task->mm->arg_start, end = task->mm->arg_end;
	__u64 length = end - begin;

	if (length > HF_RECORD_ARGUMENTS_MAX) {
		length = HF_RECORD_ARGUMENTS_MAX;
		*flags |= HF_EXEC_ARGUMENTS_TRUNCATED;
	}
	if (bpf_probe_read_user(&s->record[offset & (HF_RECORD_MAX - 1)], length, (void *)begin)) {
		*flags |= HF_EXEC_ARGUMENTS_UNREADABLE;
		return 0;
	}
	return length;
}

hf_inline __u32 hf_exec_script(struct hf_scratch *s, __u32 offset, struct linux_binprm *bprm)
{
	const char *filename = bprm->filename, *interpreter = bprm->interp;
	long n;

	if (filename == interpreter) /* the kernel keeps one pointer for both until a script or binfmt_misc sets the second */
		return 0;
	n = bpf_probe_read_kernel_str(&s->record[offset & (HF_RECORD_MAX - 1)], HF_RECORD_PATH_MAX, filename);
	return n > 1 ? (__u32)(n - 1) & (HF_RECORD_PATH_MAX - 1) : 0;
}

/* A process that came into the container from outside stays the runtime's until it runs a program in another mount namespace than
 * the host's: that is the container's entry point, or what `docker exec` was asked to run. */
hf_inline void hf_exec_process(struct hf_process *p, struct hf_kernel_cgroup *c, __u32 mount_namespace)
{
	p->parent_execution = p->execution;
	p->execution = __sync_fetch_and_add(&executions, 1) + 1;
	if ((p->flags & HF_PROCESS_SETUP) && mount_namespace != config.host_mount_namespace) {
		p->flags &= ~HF_PROCESS_SETUP;
		if (c->flags & HF_CGROUP_STARTED)
			p->flags |= HF_PROCESS_ENTERED;
		c->flags |= HF_CGROUP_STARTED;
	}
	p->flags |= HF_PROCESS_EXECED;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(hf_on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	__u64 cgroup_id = hf_cgroup_of(task);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_scratch *s = hf_scratch_get();

	if (!c || !s)
		return 0;
	hf_count_seen(c, HF_KIND_EXEC);
	struct hf_record_exec *e = (struct hf_record_exec *)s->record;
	struct hf_process *p = bpf_task_storage_get(&processes, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	__builtin_memset(e, 0, sizeof *e);
	hf_record_head(&e->head, HF_KIND_EXEC, task, cgroup_id);
	bool first = !(c->flags & HF_CGROUP_STARTED);

	if (p) {
		e->old_execution = p->execution;
		hf_exec_process(p, c, e->head.mount_namespace);
		p->cgroup_id = cgroup_id;
		hf_record_process(&e->head, p);
	}
	struct file *file = bprm->file;
	__u32 offset = sizeof *e;
	bool truncated = false;

	hf_exec_file(e, bprm, file);
	e->path_length = hf_record_path(s, &offset, file->f_path.dentry, file->f_path.mnt, task,
					&truncated);
	e->flags |= truncated ? HF_EXEC_PATH_TRUNCATED : 0;
	e->script_length = hf_exec_script(s, offset, bprm);
	offset += e->script_length;
	e->cwd_length = hf_record_path(s, &offset, task->fs->pwd.dentry, task->fs->pwd.mnt, task,
				       &truncated);
	e->flags |= truncated ? HF_EXEC_CWD_TRUNCATED : 0;
	e->arguments_length = hf_exec_arguments(s, offset, task, &e->flags);
	offset += e->arguments_length;
	e->flags |= task->signal->tty ? HF_EXEC_TERMINAL : 0;
	e->stdin_is = hf_descriptor(task, 0);
	e->stdout_is = hf_descriptor(task, 1);
	offset &= HF_RECORD_MAX - 1;
	e->head.size = offset;
	/* What is looked at from outside while it lives is told of at once: a container that is new, and what its image does not hold. */
	bool now = (first && (c->flags & HF_CGROUP_STARTED)) || (e->flags & (HF_EXEC_UPPER | HF_EXEC_DELETED | HF_EXEC_MEMORY));

	if (hf_control_allowed(c, offset))
		hf_emit(&control, c, &e->head, offset, now ? BPF_RB_FORCE_WAKEUP : 0);
	else
		hf_count_dropped(c, HF_KIND_EXEC, HF_DROP_RATE);
	return 0;
}

/* Children carry on the execution of their parent until they run a program; a plain fork tells nothing new and is only counted. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(hf_on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->tgid != child->pid) /* a thread */
		return 0;
	__u64 cgroup_id = hf_cgroup_of(child);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		return 0;
	hf_count_seen(c, HF_KIND_FORK);
	struct hf_process *of_parent = hf_process_of(bpf_get_current_task_btf());
	struct hf_process *p = bpf_task_storage_get(&processes, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!p) {
		hf_count_dropped(c, HF_KIND_FORK, HF_DROP_MAP);
		return 0;
	}
	if (of_parent) {
		p->execution = of_parent->execution;
		p->parent_execution = of_parent->parent_execution;
		p->flags = of_parent->flags & ~HF_PROCESS_EXECED;
	}
	/* Born straight into the container's cgroup, by a runtime: who is in a container makes no set-up of it below itself. */
	__u64 from = hf_cgroup_of(parent);

	if (from != cgroup_id && !hf_is_container(from) && hf_in_host_mounts(child))
		p->flags |= HF_PROCESS_SETUP;
	p->cgroup_id = cgroup_id;
	hf_count_known(c, HF_KIND_FORK);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(hf_on_exit, struct task_struct *task)
{
	if (task->signal->live.counter > 0) /* other threads go on */
		return 0;
	__u64 cgroup_id = hf_cgroup_of(task);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_scratch *s = hf_scratch_get();

	if (!c || !s)
		return 0;
	hf_count_seen(c, HF_KIND_EXIT);
	struct hf_process *p = hf_process_of(bpf_get_current_task_btf());

	if (p && !(p->flags & HF_PROCESS_EXECED)) { /* a fork that ran no program: its execution goes on elsewhere */
		hf_count_known(c, HF_KIND_EXIT);
		return 0;
	}
	struct hf_record_exit *e = (struct hf_record_exit *)s->record;

	__builtin_memset(e, 0, sizeof *e);
	hf_record_head(&e->head, HF_KIND_EXIT, task, cgroup_id);
	hf_record_process(&e->head, p);
	e->status = task->signal->group_exit_code;
	if (!e->status)
		e->status = task->exit_code;
	e->head.size = sizeof *e;
	hf_emit(&control, c, &e->head, sizeof *e, 0);
	return 0;
}
