#include "base/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The header of Debian 12 knows ABI 2; later rights are numbers of the kernel's stable ABI (include/uapi/linux/landlock.h). */
#define ACCESS_FS_TRUNCATE             (UINT64_C(1) << 14)
#define ACCESS_FS_IOCTL_DEV            (UINT64_C(1) << 15)
#define ACCESS_NET_BIND_CONNECT_TCP    UINT64_C(3)
#define SCOPE_ABSTRACT_UNIX_AND_SIGNAL UINT64_C(3)

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

int hf_jail_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static int allow_reading(int ruleset, int fd, struct hf_err *err)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd, .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	struct stat st;

	if (fstat(fd, &st))
		return hf_fail_errno(err, "jail: an input");
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	/* Files without a place in a file system (memfd, pipes) need no rule: they cannot be opened again. */
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) && errno != EBADFD &&
	    errno != EBADF)
		return hf_fail_errno(err, "jail: landlock_add_rule");
	return HF_OK;
}

static int restrict_files(const struct hf_jail_options *o, int abi, struct hf_err *err)
{
	struct ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 16 : 8;

	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		attr.handled_access_net = ACCESS_NET_BIND_CONNECT_TCP;
	if (abi >= 5)
		attr.handled_access_fs |= ACCESS_FS_IOCTL_DEV;
	if (abi >= 6)
		attr.scoped = SCOPE_ABSTRACT_UNIX_AND_SIGNAL;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return hf_fail_errno(err, "jail: landlock_create_ruleset");
	int r = HF_OK;
	for (size_t i = 0; i < o->read_fds_n && r == HF_OK; i++)
		r = allow_reading(ruleset, o->read_fds[i], err);
	if (r == HF_OK && syscall(SYS_landlock_restrict_self, ruleset, 0))
		r = hf_fail_errno(err, "jail: landlock_restrict_self");
	close(ruleset);
	return r;
}

/* Calls that are carried out whatever their arguments are. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(preadv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64),
	SCMP_SYS(readlinkat),
	SCMP_SYS(fadvise64),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mincore),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(membarrier),
	SCMP_SYS(ftruncate),
};

/* Calls that a C library tries and can do without: answered with an error, so that it goes another way. */
static const struct {
	int call, error;
} refused[] = {
	{ SCMP_SYS(clone3), ENOSYS },   { SCMP_SYS(ioctl), ENOTTY },
	{ SCMP_SYS(prctl), EPERM },     { SCMP_SYS(open), EACCES },
	{ SCMP_SYS(access), EACCES },   { SCMP_SYS(faccessat2), EACCES },
	{ SCMP_SYS(readlink), EACCES }, { SCMP_SYS(sched_setaffinity), EPERM },
};

/* Descriptors asked about and copied; not F_SETOWN and F_SETSIG, which send any signal to any process of the user. */
static const int fcntl_commands[] = { F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC };

/* MADV_HWPOISON and what follows it act on the machine's memory, not the process's */
enum { MADVISE_OF_HARDWARE = 100 };

/* Where Landlock watches over paths openat2 may be used; its flags lie in memory, where a filter cannot see them. */
static int add_opening_rules(scmp_filter_ctx filter, bool has_landlock)
{
	int r = seccomp_rule_add(filter, has_landlock ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);

	if (!r)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND, O_RDONLY));
	return r;
}

static int add_rules(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(allowed) && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < HF_ARRAY_SIZE(refused) && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].call, 0);
	/* No executable memory, threads but no processes, limits read but not set, signals to itself alone. */
	for (size_t i = 0; i < HF_ARRAY_SIZE(fcntl_commands) && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1_64(SCMP_CMP_EQ, (uint64_t)fcntl_commands[i]));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(madvise), 1,
				     SCMP_A2_64(SCMP_CMP_LT, MADVISE_OF_HARDWARE));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2_64(SCMP_CMP_EQ, 0));
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)getpid()));
	return r;
}

static int restrict_calls(bool has_landlock, struct hf_err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int r = filter ? add_rules(filter) : -ENOMEM;

	if (!r)
		r = add_opening_rules(filter, has_landlock);
	if (!r) /* calls of another architecture's numbering */
		r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	errno = -r;
	return r ? hf_fail_errno(err, "jail: seccomp") : HF_OK;
}

static int limit(int resource, uint64_t most, struct hf_err *err)
{
	struct rlimit now, want;

	if (getrlimit((__rlimit_resource_t)resource, &now))
		return hf_fail_errno(err, "jail: getrlimit");
	want.rlim_max = now.rlim_max < most ? now.rlim_max : most;
	want.rlim_cur = want.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &want) ? hf_fail_errno(err, "jail: setrlimit") : HF_OK;
}

int hf_jail_enter(const struct hf_jail_options *o, struct hf_err *err)
{
	int abi = hf_jail_landlock_abi(), r;

	if (!abi && o->require)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "jail: this kernel has no Landlock (it needs CONFIG_SECURITY_LANDLOCK and "
			       "\"landlock\" among its LSMs); without --require-jail the scan goes on without it");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return hf_fail_errno(err, "jail: prctl");
	if ((r = limit(RLIMIT_CORE, 0, err)) < 0 || (o->data_max && (r = limit(RLIMIT_DATA, o->data_max, err)) < 0) ||
	    (o->output_max && (r = limit(RLIMIT_FSIZE, o->output_max, err)) < 0))
		return r;
	if (abi && (r = restrict_files(o, abi, err)) < 0)
		return r;
	if ((r = restrict_calls(abi > 0, err)) < 0)
		return r;
	return abi ? HF_OK : HF_PARTIAL;
}
