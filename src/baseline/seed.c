#include "baseline/seed.h"

#include <stdarg.h>
#include <stdio.h>

#include "baseline/seed_parts.h"

enum { LOOKS_MAX = 400000 };

#define BYTES_MAX HF_GIB(4)

const char *hf_seed_kind_name(enum hf_seed_kind kind)
{
	switch (kind) {
	case HF_SEED_PROGRAM:
		return "program";
	case HF_SEED_LOADER:
		return "loader";
	case HF_SEED_LIBRARY:
		return "library";
	case HF_SEED_SCRIPT:
		return "script";
	case HF_SEED_MODULE:
		break;
	}
	return "module";
}

hf_sv seed_fmt(struct seed *s, const char *fmt, ...)
{
	char text[HF_PATH_MAX + 512];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n < 0)
		return (hf_sv){ 0 };
	return hf_arena_dup(s->a, (hf_sv){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 });
}

hf_sv seed_environment(const struct seed *s, const char *name)
{
	hf_sv key, value;

	for (size_t i = 0; i < s->config->env_n; i++)
		if (hf_sv_cut(s->config->env[i], '=', &key, &value) && hf_sv_eq(key, hf_sv_of(name)))
			return value;
	return (hf_sv){ 0 };
}

void seed_unparsed(struct seed *s, hf_sv path, const char *fmt, ...)
{
	char text[HF_PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (s->unparsed.n > HF_SEED_UNPARSED_MAX)
		return;
	hf_sv reason = s->unparsed.n == HF_SEED_UNPARSED_MAX ? HF_SV("more was not understood") : hf_sv_of(text);
	for (size_t i = 0; i < s->unparsed.n; i++)
		if (hf_sv_eq(s->unparsed.at[i].path, path) && hf_sv_eq(s->unparsed.at[i].reason, reason))
			return;
	struct hf_seed_unparsed *slot = hf_vec_push(s->a, &s->unparsed);
	if (slot)
		*slot = (struct hf_seed_unparsed){ .path = hf_arena_dup(s->a, path),
						   .reason = hf_arena_dup(s->a, reason) };
}

void seed_unparsed_of(struct seed *s, uint32_t item, hf_sv reason)
{
	seed_unparsed(s, item == HF_SEED_NOBODY ? (hf_sv){ 0 } : s->items.at[item].file.path, "%.*s",
		      HF_SV_FMT(reason));
}

hf_sv seed_path(char out[HF_PATH_MAX], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(out, HF_PATH_MAX, fmt, args);
	va_end(args);
	return n > 0 && n < HF_PATH_MAX ? (hf_sv){ out, (size_t)n } : (hf_sv){ 0 };
}

void seed_open_command(struct seed *s, uint32_t item, hf_sv reason)
{
	s->open_commands = true;
	seed_unparsed_of(s, item, reason);
}

bool seed_find(struct seed *s, hf_sv path, char out[HF_PATH_MAX + 1], hf_sv *ret_real, struct hf_root_entry *ret_entry)
{
	struct hf_err err = { 0 };
	hf_sv real;

	if (++s->looks > LOOKS_MAX) {
		if (s->looks == LOOKS_MAX + 1)
			seed_unparsed(s, path, "too many names were looked for");
		return false;
	}
	out[0] = '/';
	int r = hf_root_resolve(s->root, path, out + 1, &real, ret_entry, &err);
	if (r < 0 && r != HF_E_MISSING)
		seed_unparsed(s, path, "%s", err.msg);
	if (r < 0 || ret_entry->type != HF_ROOT_FILE)
		return false;
	*ret_real = (hf_sv){ out, real.len + 1 };
	return true;
}

/* What was a hint, or only loaded, may turn out to be more. */
static void raise(struct seed *s, struct seed_item *i, enum hf_seed_kind kind, bool is_hint, uint32_t because,
		  hf_sv how)
{
	if (i->file.is_hint && !is_hint) {
		i->file.is_hint = false;
		i->file.because = because;
		i->file.how = hf_arena_dup(s->a, how);
	}
	if (kind == HF_SEED_PROGRAM && i->file.kind != HF_SEED_SCRIPT)
		i->file.kind = kind;
}

uint32_t seed_add(struct seed *s, hf_sv path, enum hf_seed_kind kind, enum seed_role role, uint32_t because,
		  bool is_hint, hf_sv how)
{
	char out[HF_PATH_MAX + 1];
	struct hf_root_entry e;
	hf_sv real;

	if (!path.len || !seed_find(s, path, out, &real, &e))
		return HF_SEED_NOBODY;
	struct hf_map_entry *known = hf_map_find(&s->by_path, real);
	if (known) {
		uint32_t at = (uint32_t)((uintptr_t)known->value - 1);
		raise(s, &s->items.at[at], kind, is_hint, because, how);
		return at;
	}
	struct seed_item *slot = s->items.n < HF_SEED_FILES_MAX ? hf_vec_push(s->a, &s->items) : NULL;
	real = hf_arena_dup(s->a, real);
	known = slot ? hf_map_put(&s->by_path, real) : NULL;
	if (!known) {
		seed_unparsed(s, real, "more than %d files are needed", HF_SEED_FILES_MAX);
		return HF_SEED_NOBODY;
	}
	known->value = (void *)(uintptr_t)s->items.n; /* index + 1 */
	slot->role = role;
	slot->file = (struct hf_seed_file){ .kind = kind,
					    .is_hint = is_hint,
					    .path = real,
					    .name = hf_arena_dup(s->a, path),
					    .because = because,
					    .how = hf_arena_dup(s->a, how),
					    .size = e.size };
	return (uint32_t)(s->items.n - 1);
}

static void read_one(struct seed *s, uint32_t at)
{
	struct hf_root_file file;
	struct hf_err err = { 0 };
	hf_sv path = s->items.at[at].file.path;

	if (s->bytes > BYTES_MAX) {
		seed_unparsed(s, (hf_sv){ 0 }, "its files are more than 4 GiB: not all were read");
		return;
	}
	if (s->root->open(s->root->ctx, hf_sv_skip(path, 1), &file, &err) < 0) {
		seed_unparsed(s, path, "%s", err.msg);
		return;
	}
	struct hf_seed_file *f = &s->items.at[at].file;
	(void)hf_digest_sha256(file.bytes, f->digest);
	f->size = file.bytes.len;
	s->bytes += file.bytes.len;
	switch (s->items.at[at].role) {
	case ROLE_RUN:
	case ROLE_OBJECT:
		if (hf_sv_starts(file.bytes, HF_SV("\177ELF")))
			seed_read_elf(s, at, file.bytes);
		else if (s->items.at[at].role == ROLE_RUN)
			seed_read_script(s, at, file.bytes);
		else
			seed_unparsed(s, path, "is loaded and no ELF file");
		break;
	case ROLE_SHELL:
		seed_read_shell(s, at, file.bytes);
		break;
	case ROLE_PYTHON:
		seed_read_python(s, at, file.bytes);
		break;
	case ROLE_DATA:
		break;
	}
	s->root->close(s->root->ctx, &file);
}

static void begin(struct seed *s)
{
	const struct hf_image_config *c = s->config;
	HF_VEC(hf_sv) words = { 0 };
	hf_sv *slot;

	for (size_t i = 0; i < c->entrypoint_n; i++)
		if ((slot = hf_vec_push(s->a, &words)))
			*slot = c->entrypoint[i];
	for (size_t i = 0; i < c->cmd_n; i++)
		if ((slot = hf_vec_push(s->a, &words)))
			*slot = c->cmd[i];
	seed_command(s, HF_SEED_NOBODY, words.at, words.n, false,
		     c->entrypoint_n ? HF_SV("entrypoint") : HF_SV("command"));
	hf_sv preload = seed_environment(s, "LD_PRELOAD"), one;
	while (preload.ptr && hf_sv_next(&preload, ':', &one))
		if (one.len)
			seed_add(s, one, HF_SEED_LIBRARY, ROLE_OBJECT, HF_SEED_NOBODY, false, HF_SV("LD_PRELOAD"));
	if (c->healthcheck.len) {
		hf_sv kind, rest;
		if (hf_sv_cut(c->healthcheck, ' ', &kind, &rest) && !hf_sv_eq(kind, HF_SV("NONE"))) {
			const hf_sv shell[] = { HF_SV("/bin/sh"), HF_SV("-c"), rest };
			seed_command(s, HF_SEED_NOBODY, shell, 3, false, HF_SV("health check"));
		}
	}
}

int hf_seed_make(const struct hf_root *root, const struct hf_image_config *config, struct hf_arena *a,
		 struct hf_seed *ret, struct hf_err *err)
{
	struct seed s = { .root = root,
			  .config = config,
			  .a = a,
			  .by_path = HF_MAP(a),
			  .imports = HF_MAP(a),
			  .imported = HF_MAP(a),
			  .libc = HF_SEED_NOBODY };

	*ret = (struct hf_seed){ 0 };
	if (!config->entrypoint_n && !config->cmd_n)
		return hf_fail(err, HF_E_FORMAT, "the image's config names nothing to run");
	s.search = seed_environment(&s, "PATH");
	if (!s.search.len)
		s.search = HF_SV("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	s.library_path = seed_environment(&s, "LD_LIBRARY_PATH");
	s.working_dir = config->working_dir.len ? config->working_dir : HF_SV("/");
	begin(&s);
	for (uint32_t i = 0; i < s.items.n && !a->over; i++)
		read_one(&s, i);
	if (s.libc != HF_SEED_NOBODY)
		seed_read_libc(&s);
	struct hf_seed_file *files = hf_arena_array(a, struct hf_seed_file, s.items.n);
	if (a->over || !files)
		return hf_fail(err, HF_E_LIMIT, "what it needs takes too much memory");
	for (size_t i = 0; i < s.items.n; i++)
		files[i] = s.items.at[i].file;
	*ret = (struct hf_seed){ .files = files,
				 .files_n = s.items.n,
				 .unparsed = s.unparsed.at,
				 .unparsed_n = s.unparsed.n,
				 .passes_arguments = s.passes_arguments,
				 .open_commands = s.open_commands,
				 .open_libraries = s.open_libraries,
				 .syscalls = s.syscalls,
				 .user = config->user,
				 .exposed_ports = config->exposed_ports,
				 .exposed_ports_n = config->exposed_ports_n };
	return s.unparsed.n ? HF_PARTIAL : HF_OK;
}
