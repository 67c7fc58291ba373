#include "enforce/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

extern const char hf_enforce_programs_begin[], hf_enforce_programs_end[];

enum { ATTACHED_MAX = 16, GUARDS_MAX = 4096, LINKS_OF_GUARD = 8 };

struct guarded {
	uint64_t cgroup_id;
	struct bpf_link *links[LINKS_OF_GUARD];
	size_t links_n;
	char *path; /* of the cgroup, below the hierarchy */
};

struct hf_programs {
	struct bpf_object *object;
	struct ring_buffer *ring;
	struct bpf_link *links[ATTACHED_MAX];
	size_t links_n;
	struct guarded *guarded;
	size_t guarded_n;
	uint32_t rungs;
	uint64_t hash_key;
	struct hf_hierarchy hierarchy;
	int guards, paths, peers, switch_map;
	hf_programs_take_fn *take;
	void *ctx;
	struct hf_err *err;
	int code;
};

/* Maps of the watching programs, which the shared headers name. */
static const char *const of_others[] = { "control", "bulk", "cgroups", "elsewhere", "processes", "known" };
static const char *const switch_name = "hf_deny_switch";

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static bool is_named(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static bool has_place(const char *section)
{
	char type[96];
	bool found;

	if (strncmp(section, "tp_btf/", 7) != 0)
		return true;
	struct btf *btf = btf__load_vmlinux_btf();
	snprintf(type, sizeof type, "btf_trace_%s", section + 7);
	found = btf && btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
	btf__free(btf);
	return found;
}

static struct bpf_object *open_object(uint64_t hash_key, const struct hf_hierarchy *hierarchy)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "holdfast_deny");
	struct hf_kernel_config *config = NULL;
	struct bpf_map *map;
	struct stat st;
	size_t size;

	libbpf_set_print(quiet);
	struct bpf_object *object = bpf_object__open_mem(
		hf_enforce_programs_begin, (size_t)(hf_enforce_programs_end - hf_enforce_programs_begin), &options);
	if (!object)
		return NULL;
	for (size_t i = 0; i < HF_ARRAY_SIZE(of_others); i++) {
		map = bpf_object__find_map_by_name(object, of_others[i]);
		if (map)
			bpf_map__set_autocreate(map, false);
	}
	bpf_object__for_each_map(map, object)
	{
		if (!strstr(bpf_map__name(map), ".rodata"))
			continue;
		config = (struct hf_kernel_config *)(uintptr_t)bpf_map__initial_value(map, &size);
		if (config && size >= sizeof *config)
			*config = (struct hf_kernel_config){
				.host_mount_namespace = stat("/proc/1/ns/mnt", &st) == 0 ? (uint32_t)st.st_ino : 0,
				.v1_subsystem = hierarchy->v1_subsystem,
				.v1_hierarchy = hierarchy->v1_id,
				.hash_key = hash_key,
			};
	}
	return object;
}

static bool of_cgroup(const struct bpf_program *program)
{
	return strncmp(bpf_program__section_name(program), "cgroup/", 7) == 0;
}

bool hf_programs_probe(const char *const *names, char *why, size_t size)
{
	struct hf_hierarchy hierarchy = { .fd = -1, .v1_subsystem = -1 };
	struct hf_err err = { 0 };

	why[0] = 0;
	if (hf_hierarchy_open(&hierarchy, &err) < 0) {
		snprintf(why, size, "%s", err.msg);
		return false;
	}
	struct bpf_object *object = open_object(1, &hierarchy);
	struct bpf_program *program;
	int code = object ? 0 : -errno;
	bool lacks_v2 = false;

	if (object)
		bpf_object__for_each_program(program, object)
		{
			bool wanted = is_named(names, bpf_program__name(program));
			bpf_program__set_autoload(program, wanted);
			if (wanted && !has_place(bpf_program__section_name(program)))
				code = -ENOENT;
			lacks_v2 |= wanted && of_cgroup(program) && hf_hierarchy_is_v1(&hierarchy);
		}
	if (!code && !lacks_v2)
		code = bpf_object__load(object);
	bpf_object__close(object);
	hf_hierarchy_close(&hierarchy);
	if (lacks_v2)
		snprintf(why, size,
			 "containers are in cgroup v1 alone here, which takes no programs; it needs the unified "
			 "hierarchy");
	else if (code)
		snprintf(why, size, "%s",
			 code == -ENOENT || code == -ESRCH ? "this kernel has no such place" : strerror(-code));
	return code == 0 && !lacks_v2;
}

/* The two programs of exec-kill do the same: the later one only where there is no earlier place. */
static bool is_wanted(const struct hf_programs *p, const char *name)
{
	static bool asked, prepare;

	if (!strcmp(name, "hf_tell_cgroup"))
		return true;
	if (!asked)
		prepare = has_place("tp_btf/sched_prepare_exec");
	asked = true;
	if (!strcmp(name, prepare ? "hf_kill_process_exec" : "hf_kill_prepare_exec"))
		return false;
	for (size_t i = 0; hf_rungs[i]; i++)
		if (p->rungs & 1u << hf_rungs[i]->by && is_named(hf_rungs[i]->programs, name))
			return true;
	return false;
}

static int take_record(void *ctx, void *data, size_t size)
{
	struct hf_programs *p = ctx;

	p->code = p->take(p->ctx, (hf_sv){ data, size }, p->err);
	return p->code < 0 ? p->code : 0;
}

static int load(struct hf_programs *p, struct hf_err *err)
{
	struct bpf_program *program;

	p->object = open_object(p->hash_key, &p->hierarchy);
	if (!p->object)
		return hf_fail_errno(err, "programs that deny");
	bpf_object__for_each_program(program, p->object)
		bpf_program__set_autoload(program, is_wanted(p, bpf_program__name(program)));
	int code = bpf_object__load(p->object);
	if (code)
		return hf_fail(err, code == -EPERM ? HF_E_DENIED : HF_E_UNSUPPORTED,
			       "loading programs that deny into the kernel: %s", strerror(-code));
	p->guards = bpf_object__find_map_fd_by_name(p->object, "guards");
	p->paths = bpf_object__find_map_fd_by_name(p->object, "deny_paths");
	p->peers = bpf_object__find_map_fd_by_name(p->object, "deny_peers");
	p->switch_map = bpf_object__find_map_fd_by_name(p->object, switch_name);
	p->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(p->object, "denials"), take_record, p, NULL);
	return p->ring ? 0 : hf_fail_errno(err, "ring of denials");
}

static int attach_all(struct hf_programs *p, struct hf_err *err)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->object)
	{
		if (!bpf_program__autoload(program) || of_cgroup(program))
			continue;
		struct bpf_link *link = p->links_n < ATTACHED_MAX ? bpf_program__attach(program) : NULL;
		if (!link)
			return hf_fail_errno(err, "attaching %s", bpf_program__section_name(program));
		p->links[p->links_n++] = link;
	}
	return 0;
}

int hf_programs_open(uint32_t rungs, hf_programs_take_fn *take, void *ctx, struct hf_programs **ret, struct hf_err *err)
{
	struct hf_programs *p = hf_calloc(1, sizeof *p);
	int code = 0;

	p->rungs = rungs;
	p->take = take;
	p->ctx = ctx;
	p->guarded = hf_calloc(GUARDS_MAX, sizeof *p->guarded);
	p->hierarchy.fd = -1;
	code = hf_hierarchy_open(&p->hierarchy, err);
	if (!code && getrandom(&p->hash_key, sizeof p->hash_key, 0) != sizeof p->hash_key)
		code = hf_fail_errno(err, "random bytes");
	if (!code)
		code = load(p, err);
	if (!code)
		code = hf_programs_switch(p, true, err);
	if (!code)
		code = attach_all(p, err);
	if (code < 0)
		hf_programs_close(p);
	else
		*ret = p;
	return code;
}

static void release(struct guarded *g)
{
	for (size_t i = 0; i < g->links_n; i++)
		bpf_link__destroy(g->links[i]);
	free(g->path);
}

void hf_programs_close(struct hf_programs *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->guarded_n; i++)
		release(&p->guarded[i]);
	for (size_t i = 0; i < p->links_n; i++)
		bpf_link__destroy(p->links[i]);
	ring_buffer__free(p->ring);
	bpf_object__close(p->object);
	hf_hierarchy_close(&p->hierarchy);
	free(p->guarded);
	free(p);
}

static uint64_t path_hash(const struct hf_programs *p, uint32_t rule, hf_sv path)
{
	uint64_t state = hf_path_hash_begin(p->hash_key, rule), word;

	for (size_t at = 0; at < path.len; at += 8) {
		word = 0;
		memcpy(&word, path.ptr + at, path.len - at < 8 ? path.len - at : 8);
		state = hf_keyed_word(state, word);
	}
	return hf_keyed_end(hf_keyed_length(state, path.len), p->hash_key);
}

int hf_programs_policy(struct hf_programs *p, uint32_t number, const struct hf_enforce_policy *policy,
		       struct hf_err *err)
{
	for (uint32_t rule = 0; rule < HF_DENIES; rule++) {
		const struct hf_enforce_policy_rule *r = &policy->rules[rule];
		for (size_t i = 0; r->on && i < r->paths_n; i++) {
			struct hf_path_key key = { number, rule, path_hash(p, rule, r->paths[i].path) };
			struct hf_path_value value = { r->paths[i].allow ? HF_LIST_ALLOW : HF_LIST_DENY,
						       (uint32_t)r->paths[i].path.len };
			if (bpf_map_update_elem(p->paths, &key, &value, BPF_ANY) < 0)
				return hf_fail_errno(err, "rule %s: path %zu of %zu", hf_deny_name(rule), i,
						     r->paths_n);
		}
		for (size_t i = 0; r->on && i < r->peers_n; i++) {
			const struct hf_enforce_policy_peer *peer = &r->peers[i];
			struct hf_peer_key key = {
				.prefix = HF_PEER_FIXED_BITS + peer->bits,
				.policy = number,
				.list = peer->allow ? HF_LIST_ALLOW : HF_LIST_DENY,
				.rule = (uint8_t)rule,
				.port = peer->port,
				.protocol = peer->protocol,
			};
			uint32_t value = 1;
			memcpy(key.address, peer->address, sizeof key.address);
			if (bpf_map_update_elem(p->peers, &key, &value, BPF_ANY) < 0)
				return hf_fail_errno(err, "rule %s: peer %zu of %zu", hf_deny_name(rule), i,
						     r->peers_n);
		}
	}
	return 0;
}

static struct guarded *find(const struct hf_programs *p, uint64_t cgroup_id)
{
	for (size_t i = 0; i < p->guarded_n; i++)
		if (p->guarded[i].cgroup_id == cgroup_id)
			return &p->guarded[i];
	return NULL;
}

static int attach_to(struct hf_programs *p, struct guarded *g, int cgroup, struct hf_err *err)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->object)
	{
		if (!bpf_program__autoload(program) || !of_cgroup(program))
			continue;
		struct bpf_link *link =
			g->links_n < LINKS_OF_GUARD ? bpf_program__attach_cgroup(program, cgroup) : NULL;
		if (!link)
			return hf_fail_errno(err, "attaching %s", bpf_program__section_name(program));
		g->links[g->links_n++] = link;
	}
	return 0;
}

int hf_programs_guard(struct hf_programs *p, const char *path, const struct hf_guard *guard, uint64_t *ret_cgroup_id,
		      struct hf_err *err)
{
	struct stat st;
	hf_cleanup(hf_fd_close) int cgroup =
		openat(p->hierarchy.fd, path + (path[0] == '/'), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0 || fstat(cgroup, &st) < 0)
		return hf_fail_errno(err, "cgroup %s", path);
	*ret_cgroup_id = st.st_ino;
	if (find(p, st.st_ino))
		return bpf_map_update_elem(p->guards, ret_cgroup_id, guard, BPF_ANY) < 0 ? hf_fail_errno(err, "guard")
											 : 0;
	if (p->guarded_n == GUARDS_MAX)
		return hf_fail(err, HF_E_LIMIT, "no more than %d cgroups are guarded", GUARDS_MAX);
	struct guarded g = { .cgroup_id = st.st_ino, .path = hf_calloc(1, strlen(path) + 1) };
	memcpy(g.path, path + (path[0] == '/'), strlen(path + (path[0] == '/')));
	int code = attach_to(p, &g, cgroup, err);
	if (!code && bpf_map_update_elem(p->guards, ret_cgroup_id, guard, BPF_ANY) < 0)
		code = hf_fail_errno(err, "guard");
	if (code < 0)
		release(&g);
	else
		p->guarded[p->guarded_n++] = g;
	return code;
}

void hf_programs_unguard(struct hf_programs *p, uint64_t cgroup_id)
{
	struct guarded *g = find(p, cgroup_id);

	if (!g)
		return;
	(void)bpf_map_delete_elem(p->guards, &cgroup_id);
	release(g);
	*g = p->guarded[--p->guarded_n];
}

/* The kernel empties a link's cgroup when it is detached by force. */
static bool is_detached(const struct bpf_link *link)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;

	return bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) < 0 ||
	       (info.type == BPF_LINK_TYPE_CGROUP && !info.cgroup.cgroup_id);
}

static bool is_removed(const struct hf_programs *p, const struct guarded *g)
{
	struct stat st;

	return fstatat(p->hierarchy.fd, g->path, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != g->cgroup_id;
}

size_t hf_programs_detached(const struct hf_programs *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->links_n; i++)
		n += is_detached(p->links[i]);
	for (size_t i = 0; i < p->guarded_n; i++) {
		size_t of_guard = 0;
		for (size_t k = 0; k < p->guarded[i].links_n; k++)
			of_guard += is_detached(p->guarded[i].links[k]);
		/* With a cgroup the kernel takes away its links too. */
		n += of_guard && !is_removed(p, &p->guarded[i]) ? of_guard : 0;
	}
	return n;
}

static int write_switch(int map, bool on, uint32_t pid)
{
	uint32_t zero = 0;
	struct hf_deny_switch value = { .on = on, .pid = pid };

	return bpf_map_update_elem(map, &zero, &value, BPF_ANY);
}

int hf_programs_switch(struct hf_programs *p, bool on, struct hf_err *err)
{
	return write_switch(p->switch_map, on, (uint32_t)getpid()) < 0 ? hf_fail_errno(err, "switch of enforcement")
								       : 0;
}

bool hf_programs_is_on(const struct hf_programs *p)
{
	uint32_t zero = 0;
	struct hf_deny_switch value = { 0 };

	return bpf_map_lookup_elem(p->switch_map, &zero, &value) == 0 && value.on;
}

int hf_programs_switch_all(bool on, uint32_t pid, struct hf_err *err)
{
	uint32_t id = 0, zero = 0;
	int switched = 0;

	while (bpf_map_get_next_id(id, &id) == 0) {
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof info;
		hf_cleanup(hf_fd_close) int fd = bpf_map_get_fd_by_id(id);
		if (fd < 0 && errno != ENOENT)
			return hf_fail_errno(err, "maps of the kernel");
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || strcmp(info.name, switch_name) != 0 ||
		    info.value_size != sizeof(struct hf_deny_switch))
			continue;
		struct hf_deny_switch was = { 0 };
		if (bpf_map_lookup_elem(fd, &zero, &was) < 0 || (pid && was.pid != pid))
			continue;
		if (write_switch(fd, on, was.pid) < 0)
			return hf_fail_errno(err, "switch of enforcement");
		switched++;
	}
	if (errno != ENOENT)
		return hf_fail_errno(err, "maps of the kernel");
	return switched;
}

int hf_programs_fd(const struct hf_programs *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

int hf_programs_drain(struct hf_programs *p, struct hf_err *err)
{
	p->err = err;
	p->code = 0;
	int n = ring_buffer__consume(p->ring);
	if (p->code < 0)
		return p->code;
	return n < 0 ? hf_fail(err, HF_E_IO, "ring of denials: %s", strerror(-n)) : 0;
}

const struct hf_hierarchy *hf_programs_hierarchy(const struct hf_programs *p)
{
	return &p->hierarchy;
}
