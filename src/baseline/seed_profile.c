#include "baseline/seed_profile.h"

#include <seccomp.h>
#include <stdlib.h>

enum { PASSWD_MAX = 1 << 20 };

static hf_sv why_of(const struct hf_seed *seed, const struct hf_seed_file *f, struct hf_arena *a)
{
	if (f->because == HF_SEED_NOBODY)
		return f->how;
	return hf_arena_fmt(a, "%.*s: %.*s", HF_SV_FMT(seed->files[f->because].path), HF_SV_FMT(f->how));
}

static void add_file(const struct hf_seed *seed, const struct hf_seed_file *f, struct hf_profile *p)
{
	struct hf_sighting seen = { .origin = HF_ORIGIN_SEED, .why = why_of(seed, f, p->arena) };
	struct hf_profile_entry *e = NULL;
	hf_sv digest = hf_sv_of(f->digest);

	switch (f->kind) {
	case HF_SEED_PROGRAM:
		e = hf_profile_add_executable(p, f->path, digest, &seen);
		break;
	case HF_SEED_SCRIPT:
		e = hf_profile_add_script(p, f->path, digest, &seen);
		break;
	case HF_SEED_LOADER:
	case HF_SEED_LIBRARY:
		hf_profile_add_library(p, f->path, hf_sv_of(f->build_id), digest, &seen);
		break;
	case HF_SEED_MODULE: /* is read, not executed or mapped */
		break;
	}
	if (e)
		e->any_arguments = true;
	/* A program is mapped too, and where it is a loader or a library it is so by name. */
	if (f->kind == HF_SEED_PROGRAM)
		hf_profile_add_library(p, f->path, hf_sv_of(f->build_id), digest, &seen);
}

static bool user_in(hf_sv passwd, hf_sv name, uint64_t *ret)
{
	hf_sv line, here, rest, field = { 0 };

	for (struct hf_cur c = hf_cur_of(passwd); hf_cur_line(&c, &line);) {
		if (!hf_sv_cut(line, ':', &here, &rest) || !hf_sv_eq(here, name))
			continue;
		return hf_sv_next(&rest, ':', &field) && rest.ptr && hf_sv_next(&rest, ':', &field) &&
		       hf_sv_to_u64(field, ret);
	}
	return false;
}

static void add_user(const struct hf_seed *seed, const struct hf_root *root, struct hf_profile *p)
{
	const struct hf_sighting seen = { .origin = HF_ORIGIN_SEED, .why = HF_SV("user of the image's config") };
	hf_sv name = hf_sv_first(seed->user, hf_sv_index(seed->user, ':')), real;
	char out[HF_PATH_MAX];
	struct hf_root_entry e;
	struct hf_root_file file;
	uint64_t id = 0;

	if (name.len && !hf_sv_to_u64(name, &id)) {
		if (hf_root_resolve(root, HF_SV("etc/passwd"), out, &real, &e, NULL) < 0 || e.type != HF_ROOT_FILE ||
		    e.size > PASSWD_MAX || root->open(root->ctx, real, &file, NULL) < 0)
			return;
		bool found = user_in(file.bytes, name, &id);
		root->close(root->ctx, &file);
		if (!found)
			return;
	}
	hf_profile_add_user(p, id, &seen);
}

static void add_ports(const struct hf_seed *seed, struct hf_profile *p)
{
	const struct hf_sighting seen = { .origin = HF_ORIGIN_SEED, .why = HF_SV("exposed by the image's config") };
	hf_sv number, protocol;
	uint64_t port;

	for (size_t i = 0; i < seed->exposed_ports_n; i++) {
		protocol = HF_SV("tcp");
		number = seed->exposed_ports[i];
		(void)hf_sv_cut(seed->exposed_ports[i], '/', &number, &protocol);
		if (hf_sv_to_u64(number, &port) && port && port < 65536)
			hf_profile_add_listen(p, protocol, (uint32_t)port, &seen);
	}
}

static void add_system_calls(const struct hf_seed *seed, struct hf_profile *p)
{
	const struct hf_sighting seen = { .origin = HF_ORIGIN_SEED, .why = HF_SV("in the code of its files") };

	for (unsigned i = 0; i < HF_SYSCALLS_MAX; i++) {
		char *name = hf_syscalls_has(&seed->syscalls, i)
				     ? seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)i)
				     : NULL;
		if (name)
			hf_profile_add_system_call(p, hf_sv_of(name), &seen);
		free(name);
	}
	if (!seed->syscalls.open && !seed->syscalls.is_foreign)
		hf_profile_cover(p, HF_PROFILE_SYSTEM_CALLS);
}

int hf_seed_profile(const struct hf_seed *seed, const struct hf_root *root, struct hf_profile *p, struct hf_err *err)
{
	for (size_t i = 0; i < seed->files_n; i++)
		add_file(seed, &seed->files[i], p);
	add_user(seed, root, p);
	add_ports(seed, p);
	add_system_calls(seed, p);
	if (!seed->open_commands && !seed->passes_arguments) {
		hf_profile_cover(p, HF_PROFILE_EXECUTABLES);
		hf_profile_cover(p, HF_PROFILE_SCRIPTS);
		if (!seed->open_libraries)
			hf_profile_cover(p, HF_PROFILE_LIBRARIES);
	}
	for (size_t i = 0; i < HF_PROFILE_PARTS; i++)
		if (p->sections[i].overflow)
			return hf_fail(err, HF_E_LIMIT, "%s: more than a profile holds", hf_profile_parts[i].key);
	return p->arena->over ? hf_fail(err, HF_E_LIMIT, "the profile takes too much memory") : HF_OK;
}
