#include "sensor/names.h"

#include <seccomp.h>
#include <stdlib.h>

hf_sv hf_capability_name(uint32_t capability, struct hf_arena *a)
{
	static const char *const names[] = {
		"CHOWN",
		"DAC_OVERRIDE",
		"DAC_READ_SEARCH",
		"FOWNER",
		"FSETID",
		"KILL",
		"SETGID",
		"SETUID",
		"SETPCAP",
		"LINUX_IMMUTABLE",
		"NET_BIND_SERVICE",
		"NET_BROADCAST",
		"NET_ADMIN",
		"NET_RAW",
		"IPC_LOCK",
		"IPC_OWNER",
		"SYS_MODULE",
		"SYS_RAWIO",
		"SYS_CHROOT",
		"SYS_PTRACE",
		"SYS_PACCT",
		"SYS_ADMIN",
		"SYS_BOOT",
		"SYS_NICE",
		"SYS_RESOURCE",
		"SYS_TIME",
		"SYS_TTY_CONFIG",
		"MKNOD",
		"LEASE",
		"AUDIT_WRITE",
		"AUDIT_CONTROL",
		"SETFCAP",
		"MAC_OVERRIDE",
		"MAC_ADMIN",
		"SYSLOG",
		"WAKE_ALARM",
		"BLOCK_SUSPEND",
		"AUDIT_READ",
		"PERFMON",
		"BPF",
		"CHECKPOINT_RESTORE",
	};

	if (capability < HF_ARRAY_SIZE(names))
		return hf_arena_fmt(a, "CAP_%s", names[capability]);
	return hf_arena_fmt(a, "CAP_%u", capability);
}

hf_sv hf_io_uring_name(uint32_t operation, struct hf_arena *a)
{
	static const char *const names[] = {
		"nop",
		"readv",
		"writev",
		"fsync",
		"read_fixed",
		"write_fixed",
		"poll_add",
		"poll_remove",
		"sync_file_range",
		"sendmsg",
		"recvmsg",
		"timeout",
		"timeout_remove",
		"accept",
		"async_cancel",
		"link_timeout",
		"connect",
		"fallocate",
		"openat",
		"close",
		"files_update",
		"statx",
		"read",
		"write",
		"fadvise",
		"madvise",
		"send",
		"recv",
		"openat2",
		"epoll_ctl",
		"splice",
		"provide_buffers",
		"remove_buffers",
		"tee",
		"shutdown",
		"renameat",
		"unlinkat",
		"mkdirat",
		"symlinkat",
		"linkat",
		"msg_ring",
		"fsetxattr",
		"setxattr",
		"fgetxattr",
		"getxattr",
		"socket",
		"uring_cmd",
		"send_zc",
		"sendmsg_zc",
		"read_multishot",
		"waitid",
		"futex_wait",
		"futex_wake",
		"futex_waitv",
		"fixed_fd_install",
		"ftruncate",
		"bind",
		"listen",
		"recv_zc",
		"epoll_wait",
		"readv_fixed",
		"writev_fixed",
		"pipe",
	};

	if (operation < HF_ARRAY_SIZE(names))
		return hf_sv_of(names[operation]);
	return hf_arena_fmt(a, "OP_%u", operation);
}

static hf_sv name_of_call(uint32_t architecture, uint32_t number, struct hf_arena *a)
{
	char *name = seccomp_syscall_resolve_num_arch(architecture, (int)number);
	hf_sv copy = name ? hf_arena_dup(a, hf_sv_of(name)) : hf_arena_fmt(a, "syscall_%u", number);

	free(name);
	return copy;
}

hf_sv hf_syscall_name(uint32_t number, struct hf_arena *a)
{
	return name_of_call(SCMP_ARCH_NATIVE, number, a);
}

hf_sv hf_syscall_name_compat(uint32_t number, struct hf_arena *a)
{
	return name_of_call(SCMP_ARCH_X86, number, a);
}

hf_sv hf_protocol_name(uint32_t protocol, struct hf_arena *a)
{
	switch (protocol) {
	case 6:
	case 262: /* MPTCP, which speaks TCP */
		return HF_SV("tcp");
	case 17:
		return HF_SV("udp");
	default:
		return hf_arena_fmt(a, "%u", protocol);
	}
}
