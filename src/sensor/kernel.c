#include "sensor/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/file.h"
#include "base/limits.h"
#include "bpf/object.h"

extern const char hf_kernel_programs_begin[], hf_kernel_programs_end[];

enum {
	PROGRAMS_MAX = 32,
	NAMES_LINKS_MAX = 4096, /* containers whose name servers' answers are looked at */
	RING_WAKE_PART = 16,    /* the reader is woken when this part of the ring is full */
	CONTROL_BYTES = 4 << 20,
	BULK_BYTES = 4 << 20,
	DRAIN_RECORDS = 8192, /* of one ring at once */
};

struct names_link {
	uint64_t cgroup_id;
	struct bpf_link *link;
};

struct taker {
	hf_kernel_take_fn *take;
	void *ctx;
	struct hf_err *err;
	int code;
	size_t left; /* records of this drain: who makes them faster than they are read must not keep the loop */
};

struct hf_kernel {
	bool host;
	uint64_t hash_key;
	struct bpf_object *object;
	struct hf_kernel_program programs[PROGRAMS_MAX];
	size_t programs_n;
	struct bpf_link *links[PROGRAMS_MAX];
	size_t links_n;
	struct names_link *names;
	size_t names_n;
	struct ring_buffer *control, *bulk;
	struct hf_hierarchy hierarchy;
	int epoll, unified, cgroups, elsewhere, processes; /* unified: the root of the unified hierarchy; -1: none */
	volatile uint32_t *full;                           /* cgroups_full of bpf/maps.bpf.h */
	struct taker taker;
};

static const struct {
	const char *name, *sees;
	bool needed;
} known_programs[] = {
	{ "hf_on_exec", "executions", true },
	{ "hf_on_fork", "forks, for the process tree", true },
	{ "hf_on_exit", "ends of processes", true },
	{ "hf_on_cgroup_mkdir", "births of containers", true },
	{ "hf_on_cgroup_rmdir", "ends of containers", false },
	{ "hf_on_cgroup_attach", "processes that come in from outside", false },
	{ "hf_on_tcp_state", "TCP: listen, accept, connect", false },
	{ "hf_udp_connect4", "UDP peers, IPv4", false },
	{ "hf_udp_connect6", "UDP peers, IPv6", false },
	{ "hf_udp_send4", "UDP datagrams, IPv4", false },
	{ "hf_udp_send6", "UDP datagrams, IPv6", false },
	{ "hf_udp_bind4", "UDP servers, IPv4", false },
	{ "hf_udp_bind6", "UDP servers, IPv6", false },
	{ "hf_dns_answer", "answers of name servers", false },
	{ "hf_spaces_on_fork", "namespaces that are made", false },
	{ "hf_spaces_on_exec", "namespaces that are entered", false },
	{ "hf_spaces_on_exit", "namespaces that were entered, at the end", false },
	{ "hf_on_capability", "capabilities that are used", false },
	{ "hf_on_uring_create", "io_uring", false },
	{ "hf_on_uring_submit", "operations through io_uring", false },
	{ "hf_on_signal", "signals to the agent", false },
	{ "hf_on_module", "kernel modules", false },
	{ "hf_on_syscall", "system calls (--deep)", false },
	{ "hf_on_learned", "counting of what profiles know", false },
};

static const char *const only_deep = "hf_on_syscall";
static const char *const attached_by_container = "hf_dns_answer";
static const char *const run_by_us = "hf_on_learned";

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static struct bpf_object *open_object(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "holdfast");

	return bpf_object__open_mem(hf_kernel_programs_begin,
				    (size_t)(hf_kernel_programs_end - hf_kernel_programs_begin), &options);
}

static struct hf_kernel_config *config_of(struct bpf_object *object)
{
	struct bpf_map *map;
	void *config = NULL;
	size_t size = 0;

	bpf_object__for_each_map(map, object) if (strstr(bpf_map__name(map), ".rodata")) config =
		(void *)(uintptr_t)bpf_map__initial_value(map, &size);
	return size >= sizeof(struct hf_kernel_config) ? config : NULL;
}

static int configure(struct bpf_object *object, const struct hf_kernel_options *options,
		     const struct hf_hierarchy *hierarchy, struct hf_err *err)
{
	struct hf_kernel_config *config = config_of(object);
	struct stat st;
	uint32_t control = options->ring_control_bytes ? options->ring_control_bytes : CONTROL_BYTES;
	uint32_t bulk = options->ring_bulk_bytes ? options->ring_bulk_bytes : BULK_BYTES;

	if (!config)
		return hf_fail(err, HF_E_UNSUPPORTED, "the programs for the kernel have no configuration");
	*config = (struct hf_kernel_config){
		.agent_pid = (uint32_t)getpid(),
		.host_mount_namespace = stat("/proc/self/ns/mnt", &st) == 0 ? (uint32_t)st.st_ino : 0,
		.watch_host = options->host,
		.v1_subsystem = hierarchy->v1_subsystem,
		.v1_hierarchy = hierarchy->v1_id,
		.storage_in_sockets =
			libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_task_storage_get, NULL) == 1,
		.ring_wake_bytes = (control < bulk ? control : bulk) / RING_WAKE_PART,
	};
	if (getrandom(&config->hash_key, sizeof config->hash_key, 0) != sizeof config->hash_key)
		return hf_fail_errno(err, "random bytes");
	if (bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "control"), control) < 0 ||
	    bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "bulk"), bulk) < 0 ||
	    (options->cgroups_max &&
	     bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "cgroups"), options->cgroups_max) < 0))
		return hf_fail(err, HF_E_USAGE, "rings of %u and %u bytes", control, bulk);
	return 0;
}

/* libbpf 1.1 says "no such process" where the kernel has no such tracepoint. */
static void say_why(struct hf_kernel_program *p, int code)
{
	if (code == -ESRCH || code == -ENOENT)
		snprintf(p->why, sizeof p->why, "this kernel has no such place");
	else
		snprintf(p->why, sizeof p->why, "%s", strerror(-code));
}

/* Each one alone: one that the kernel refuses must not cost the others. */
static void probe_program(const struct hf_kernel_options *options, const struct hf_hierarchy *hierarchy,
			  struct hf_kernel_program *p)
{
	struct bpf_object *object = open_object();
	struct bpf_program *program;
	struct hf_err err;

	if (!object)
		return;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, strcmp(bpf_program__name(program), p->name) == 0);
	int code = configure(object, options, hierarchy, &err) < 0 ? -EINVAL : bpf_object__load(object);
	p->works = code == 0;
	if (code)
		say_why(p, code);
	bpf_object__close(object);
}

static bool is_wanted(const struct hf_kernel_program *p, const struct hf_kernel_options *options)
{
	return p->works && (options->deep || strcmp(p->name, only_deep) != 0);
}

static int denied(struct hf_err *err)
{
	return hf_fail(err, HF_E_DENIED,
		       "the kernel lets this process load no programs; run it as root, or with the capabilities "
		       "CAP_BPF, CAP_PERFMON, "
		       "CAP_NET_ADMIN, CAP_SYS_PTRACE and CAP_SYS_ADMIN");
}

/* Loads all that is wanted; where the kernel refuses, finds out whom. */
static int load(struct hf_kernel *k, const struct hf_kernel_options *options, struct hf_err *err)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		k->object = open_object();
		if (!k->object)
			return hf_fail_errno(err, "programs for the kernel");
		for (size_t i = 0; i < k->programs_n; i++)
			bpf_program__set_autoload(bpf_object__find_program_by_name(k->object, k->programs[i].name),
						  is_wanted(&k->programs[i], options));
		int code = configure(k->object, options, &k->hierarchy, err);
		if (code < 0)
			return code;
		k->hash_key = config_of(k->object)->hash_key;
		code = bpf_object__load(k->object);
		if (code == 0)
			return 0;
		bpf_object__close(k->object);
		k->object = NULL;
		errno = -code;
		if (code == -EPERM && geteuid() != 0)
			return denied(err);
		for (size_t i = 0; attempt == 0 && i < k->programs_n; i++)
			if (k->programs[i].works)
				probe_program(options, &k->hierarchy, &k->programs[i]);
	}
	if (errno == EPERM || errno == EACCES)
		return denied(err);
	return hf_fail(err, HF_E_UNSUPPORTED, "loading programs into the kernel: %s", strerror(errno));
}

static void attach(struct hf_kernel *k, struct hf_kernel_program *p)
{
	struct bpf_program *program = bpf_object__find_program_by_name(k->object, p->name);
	bool by_cgroup = strncmp(p->section, "cgroup", 6) == 0;

	if (strcmp(p->name, attached_by_container) == 0 || strcmp(p->name, run_by_us) == 0)
		return;
	struct bpf_link *link =
		by_cgroup ? bpf_program__attach_cgroup(program, k->unified) : bpf_program__attach(program);
	if (link) {
		k->links[k->links_n++] = link;
		return;
	}
	p->works = false;
	say_why(p, -errno);
}

static int check_needed(const struct hf_kernel *k, struct hf_err *err)
{
	for (size_t i = 0; i < k->programs_n; i++)
		if (known_programs[i].needed && !k->programs[i].works)
			return hf_fail(err, HF_E_UNSUPPORTED, "%s cannot be seen here (%s): %s", k->programs[i].sees,
				       k->programs[i].section, k->programs[i].why);
	return 0;
}

static int take_record(void *ctx, void *data, size_t size)
{
	struct taker *t = ctx;

	t->code = t->take(t->ctx, (hf_sv){ data, size }, t->err);
	if (t->code < 0)
		return t->code;
	return --t->left ? 0 : -EAGAIN; /* libbpf goes on behind the record at the next call */
}

static int open_rings(struct hf_kernel *k, struct hf_err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	k->control =
		ring_buffer__new(bpf_object__find_map_fd_by_name(k->object, "control"), take_record, &k->taker, NULL);
	k->bulk = ring_buffer__new(bpf_object__find_map_fd_by_name(k->object, "bulk"), take_record, &k->taker, NULL);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!k->control || !k->bulk || k->epoll < 0 ||
	    epoll_ctl(k->epoll, EPOLL_CTL_ADD, ring_buffer__epoll_fd(k->control), &event) < 0 ||
	    epoll_ctl(k->epoll, EPOLL_CTL_ADD, ring_buffer__epoll_fd(k->bulk), &event) < 0)
		return hf_fail_errno(err, "rings of the kernel's programs");
	struct bpf_map *full = bpf_object__find_map_by_name(k->object, ".bss.full");
	size_t size = 0;

	k->full = full ? (volatile uint32_t *)(uintptr_t)bpf_map__initial_value(full, &size) : NULL;
	k->cgroups = bpf_object__find_map_fd_by_name(k->object, "cgroups");
	k->elsewhere = bpf_object__find_map_fd_by_name(k->object, "elsewhere");
	k->processes = bpf_object__find_map_fd_by_name(k->object, "processes");
	return 0;
}

static void list_programs(struct hf_kernel *k)
{
	struct bpf_object *object = open_object();

	k->programs_n = HF_ARRAY_SIZE(known_programs);
	for (size_t i = 0; i < k->programs_n; i++) {
		struct bpf_program *p =
			object ? bpf_object__find_program_by_name(object, known_programs[i].name) : NULL;
		k->programs[i] =
			(struct hf_kernel_program){ .name = known_programs[i].name,
						    .sees = known_programs[i].sees,
						    .section = p ? strdup(bpf_program__section_name(p)) : strdup(""),
						    .works = p != NULL };
	}
	bpf_object__close(object);
}

/* Asked of the kernel's types, which costs less than a failed load of everything. */
static int leave_out_missing_tracepoints(struct hf_kernel *k, struct hf_err *err)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "this kernel does not describe its types (BTF, /sys/kernel/btf/vmlinux): %s; it takes "
			       "one that is built "
			       "with CONFIG_DEBUG_INFO_BTF=y, and /sys mounted",
			       strerror(errno));

	for (size_t i = 0; btf && i < k->programs_n; i++) {
		struct hf_kernel_program *p = &k->programs[i];
		char type[96];
		if (strncmp(p->section, "tp_btf/", 7) != 0)
			continue;
		snprintf(type, sizeof type, "btf_trace_%s", p->section + 7);
		if (btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0)
			continue;
		p->works = false;
		say_why(p, -ENOENT);
	}
	btf__free(btf);
	return 0;
}

static struct hf_kernel_program *program_of(struct hf_kernel *k, const char *name)
{
	size_t i = 0;

	while (strcmp(k->programs[i].name, name) != 0)
		i++;
	return &k->programs[i];
}

/* Cgroup v1 takes no programs, and a socket does not know of it. Programs that ask who runs them do with the unified hierarchy's root,
 * mounted or not: all processes are below it. */
static void say_what_v1_lacks(struct hf_kernel *k)
{
	struct hf_kernel_program *names = program_of(k, attached_by_container), *tcp = program_of(k, "hf_on_tcp_state");

	k->unified = hf_hierarchy_unified_root();
	names->works = false;
	snprintf(names->why, sizeof names->why, "cgroup v1 takes no programs");
	snprintf(tcp->why, sizeof tcp->why,
		 "connections that are accepted are not seen: cgroup v1 does not say whose they are");
	for (size_t i = 0; k->unified < 0 && i < k->programs_n; i++) {
		if (strncmp(k->programs[i].section, "cgroup", 6) != 0)
			continue;
		k->programs[i].works = false;
		snprintf(k->programs[i].why, sizeof k->programs[i].why, "cgroup v1 takes no programs");
	}
}

static int open_all(struct hf_kernel *k, const struct hf_kernel_options *options, struct hf_err *err)
{
	list_programs(k);
	int code = leave_out_missing_tracepoints(k, err);
	if (code < 0)
		return code;
	code = options->hierarchy ? hf_hierarchy_copy(options->hierarchy, &k->hierarchy, err)
				  : hf_hierarchy_open(&k->hierarchy, err);
	if (code < 0)
		return code;
	if (hf_hierarchy_is_v1(&k->hierarchy))
		say_what_v1_lacks(k);
	else
		k->unified = fcntl(k->hierarchy.fd, F_DUPFD_CLOEXEC, 0);
	code = load(k, options, err);
	if (code < 0)
		return code;
	code = open_rings(k, err);
	for (size_t i = 0; code >= 0 && i < k->programs_n; i++)
		if (is_wanted(&k->programs[i], options))
			attach(k, &k->programs[i]);
	return code < 0 ? code : check_needed(k, err);
}

int hf_kernel_open(const struct hf_kernel_options *options, struct hf_kernel **ret, struct hf_err *err)
{
	struct hf_kernel *k = hf_calloc(1, sizeof *k);

	libbpf_set_print(quiet);
	k->host = options->host;
	k->epoll = k->unified = k->hierarchy.fd = -1;
	k->names = hf_calloc(NAMES_LINKS_MAX, sizeof *k->names);
	int code = open_all(k, options, err);
	if (code < 0)
		hf_kernel_close(k);
	else
		*ret = k;
	return code;
}

void hf_kernel_detach(struct hf_kernel *k)
{
	while (k->names_n)
		bpf_link__destroy(k->names[--k->names_n].link);
	while (k->links_n)
		bpf_link__destroy(k->links[--k->links_n]);
}

void hf_kernel_close(struct hf_kernel *k)
{
	if (!k)
		return;
	hf_kernel_detach(k);
	ring_buffer__free(k->control);
	ring_buffer__free(k->bulk);
	bpf_object__close(k->object);
	for (size_t i = 0; i < k->programs_n; i++)
		free((char *)(uintptr_t)k->programs[i].section);
	hf_fd_close(&k->epoll);
	hf_fd_close(&k->unified);
	hf_hierarchy_close(&k->hierarchy);
	free(k->names);
	free(k);
}

const struct hf_hierarchy *hf_kernel_hierarchy(const struct hf_kernel *k)
{
	return &k->hierarchy;
}

const struct hf_kernel_program *hf_kernel_programs(const struct hf_kernel *k, size_t *ret_n)
{
	*ret_n = k->programs_n;
	return k->programs;
}

int hf_kernel_fd(const struct hf_kernel *k)
{
	return k->epoll;
}

int hf_kernel_drain(struct hf_kernel *k, hf_kernel_take_fn *take, void *ctx, struct hf_err *err)
{
	k->taker = (struct taker){ take, ctx, err, 0, DRAIN_RECORDS };
	ring_buffer__consume(k->control);
	bool more = !k->taker.left;
	k->taker.left = DRAIN_RECORDS;
	if (k->taker.code >= 0)
		ring_buffer__consume(k->bulk);
	return k->taker.code < 0 ? k->taker.code : more || !k->taker.left;
}

static void set_flags(struct hf_kernel *k, uint64_t cgroup_id, uint32_t flags)
{
	struct hf_kernel_cgroup value;

	/* Counts that the kernel adds between the two calls are lost: only for a cgroup that is given up. */
	if (bpf_map_lookup_elem(k->cgroups, &cgroup_id, &value) < 0)
		return;
	value.flags |= flags;
	bpf_map_update_elem(k->cgroups, &cgroup_id, &value, BPF_EXIST);
}

int hf_kernel_watch(struct hf_kernel *k, uint64_t cgroup_id, struct hf_err *err)
{
	struct hf_kernel_cgroup value = { .flags = HF_CGROUP_STARTED };

	if (bpf_map_update_elem(k->cgroups, &cgroup_id, &value, BPF_NOEXIST) < 0 && errno != EEXIST)
		return hf_fail(err, HF_E_LIMIT, "no room for one more cgroup in the kernel's map: %s", strerror(errno));
	return 0;
}

bool hf_kernel_is_full(const struct hf_kernel *k)
{
	return k->full && *k->full;
}

void hf_kernel_set_full(struct hf_kernel *k, bool full)
{
	if (k->full)
		*k->full = full;
}

void hf_kernel_ignore(struct hf_kernel *k, uint64_t cgroup_id)
{
	if (!k->host) /* where all is watched, nothing is given up */
		set_flags(k, cgroup_id, HF_CGROUP_IGNORED);
}

static void drop_names_link(struct hf_kernel *k, uint64_t cgroup_id)
{
	for (size_t i = 0; i < k->names_n; i++) {
		if (k->names[i].cgroup_id != cgroup_id)
			continue;
		bpf_link__destroy(k->names[i].link);
		k->names[i] = k->names[--k->names_n];
		return;
	}
}

void hf_kernel_forget(struct hf_kernel *k, uint64_t cgroup_id)
{
	drop_names_link(k, cgroup_id);
	bpf_map_delete_elem(k->cgroups, &cgroup_id);
}

int hf_kernel_watch_names(struct hf_kernel *k, uint64_t cgroup_id, hf_sv path, struct hf_err *err)
{
	char text[HF_PATH_MAX] hf_uninitialized;

	for (size_t i = 0; i < k->names_n; i++)
		if (k->names[i].cgroup_id == cgroup_id)
			return 0;
	if (k->names_n == NAMES_LINKS_MAX)
		return hf_fail(err, HF_E_LIMIT, "names of more than %d containers", NAMES_LINKS_MAX);
	if (hf_hierarchy_is_v1(&k->hierarchy)) /* told of at the start */
		return 0;
	while (hf_sv_starts(path, HF_SV("/")))
		path = hf_sv_skip(path, 1);
	struct bpf_program *program = bpf_object__find_program_by_name(k->object, attached_by_container);
	if (bpf_program__fd(program) < 0 || !path.len || path.len >= sizeof text)
		return hf_fail(err, HF_E_UNSUPPORTED, "answers of name servers cannot be seen here");
	snprintf(text, sizeof text, "%.*s", HF_SV_FMT(path));
	int fd = openat(k->hierarchy.fd, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, "cgroup %s", text);
	struct bpf_link *link = bpf_program__attach_cgroup(program, fd);
	int code = link ? 0 : hf_fail_errno(err, "answers of name servers in %s", text);
	hf_fd_close(&fd);
	if (link)
		k->names[k->names_n++] = (struct names_link){ cgroup_id, link };
	return code;
}

static void tell_counts(uint64_t cgroup_id, const struct hf_kernel_cgroup *value, hf_kernel_counts_fn *tell, void *ctx)
{
	if (value->flags &
	    HF_CGROUP_IGNORED) /* what came before that was said may have been overwritten in saying so */
		return;
	for (uint32_t kind = 0; kind < HF_RECORD_KINDS; kind++)
		if (value->counts[kind].seen)
			tell(ctx, kind, cgroup_id, &value->counts[kind]);
}

void hf_kernel_account(struct hf_kernel *k, hf_kernel_counts_fn *tell, void *ctx)
{
	struct hf_kernel_cgroup value;
	uint64_t id, next, *at = NULL;
	uint32_t zero = 0;

	while (bpf_map_get_next_key(k->cgroups, at, &next) == 0) {
		id = next;
		at = &id;
		if (bpf_map_lookup_elem(k->cgroups, &id, &value) == 0)
			tell_counts(id, &value, tell, ctx);
	}
	if (bpf_map_lookup_elem(k->elsewhere, &zero, &value) == 0)
		tell_counts(0, &value, tell, ctx);
}

uint64_t hf_kernel_hash_key(const struct hf_kernel *k)
{
	return k->hash_key;
}

int hf_kernel_learned(struct hf_kernel *k, uint64_t cgroup_id, uint32_t profile, const uint64_t *keys, size_t n,
		      struct hf_err *err)
{
	struct hf_learned learned = { .cgroup_id = cgroup_id, .profile = profile };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &learned, .ctx_size_in = sizeof learned);
	int program = bpf_program__fd(bpf_object__find_program_by_name(k->object, run_by_us));
	int known = bpf_object__find_map_fd_by_name(k->object, "known");
	uint64_t times = 0;

	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(known, &keys[i], &times, BPF_NOEXIST) < 0 && errno != EEXIST)
			return hf_fail_errno(err, "what profiles know");
	if (program < 0 || bpf_prog_test_run_opts(program, &run) < 0)
		return hf_fail(err, HF_E_UNSUPPORTED, "what profiles know cannot be counted in this kernel");
	return run.retval ? hf_fail(err, HF_E_MISSING, "the cgroup is not watched any more") : 0;
}

bool hf_kernel_process(struct hf_kernel *k, uint32_t pid, uint64_t *ret_execution, uint64_t *ret_cgroup_id)
{
	struct hf_process process;
	hf_cleanup(hf_fd_close) int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

	if (fd < 0 || bpf_map_lookup_elem(k->processes, &fd, &process))
		return false;
	*ret_execution = process.execution;
	*ret_cgroup_id = process.cgroup_id;
	return true;
}

void hf_kernel_found(struct hf_kernel *k, uint32_t pid, uint64_t cgroup_id)
{
	/* As one that ran a program: its end is told of. */
	const struct hf_process process = { .cgroup_id = cgroup_id, .flags = HF_PROCESS_EXECED };
	hf_cleanup(hf_fd_close) int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

	if (fd >= 0)
		(void)bpf_map_update_elem(k->processes, &fd, &process, BPF_NOEXIST);
}
