/* ELF files of a seed: the search of ld.so(8) (glibc 2.36) and of musl 1.2 (ldso/dynlink.c, by its documents). */
#include "base/glob.h"
#include "baseline/seed_parts.h"

enum {
	IMPORTS_MAX = 1 << 16,
	CONFIG_LINES_MAX = 4096,
	HINTS_MAX = 512,
	NAME_MAX_BYTES = 255,
	CONFIG_MAX = 256 << 10,
	CONFIG_DEPTH = 4
};
enum { MACHINE_X86_64 = 62, MACHINE_AARCH64 = 183 };

static const char *const name_functions[] = { "getpwnam",     "getpwuid",     "getpwnam_r",    "getpwuid_r",
					      "getgrnam",     "getgrgid",     "getgrnam_r",    "getaddrinfo",
					      "getgrouplist", "initgroups",   "gethostbyname", "getservbyname",
					      "getpwent",     "gethostbyaddr" };

/* ---- folders ---- */

static void add_folder(struct seed *s, hf_sv path)
{
	hf_sv trimmed = hf_sv_trim(path);

	if (!trimmed.len || trimmed.ptr[0] != '/' || s->folders.n > CONFIG_LINES_MAX)
		return;
	hf_sv *slot = hf_vec_push(s->a, &s->folders);
	if (slot)
		*slot = hf_arena_dup(s->a, trimmed);
}

struct include {
	struct seed *s;
	hf_sv folder, pattern;
	HF_VEC(hf_sv) names;
};

static int included(void *arg, hf_sv name)
{
	struct include *i = arg;

	if (!hf_glob_component_match(i->pattern, name))
		return 0;
	hf_sv path = seed_fmt(i->s, "%.*s/%.*s", HF_SV_FMT(i->folder), HF_SV_FMT(name));
	for (size_t k = 0; k < i->names.n; k++)
		if (hf_sv_eq(i->names.at[k], path))
			return 0;
	hf_sv *slot = i->names.n < CONFIG_LINES_MAX ? hf_vec_push(i->s->a, &i->names) : NULL;
	if (slot)
		*slot = path;
	return 0;
}

/* The files that a path with '*' in its last part stands for. */
static struct include expand(struct seed *s, hf_sv glob)
{
	struct include i = { .s = s, .folder = hf_sv_dirname(glob), .pattern = hf_sv_basename(glob) };
	char out[HF_PATH_MAX];
	struct hf_root_entry e;
	struct hf_err err = { 0 };
	hf_sv real;

	if (hf_sv_index(i.pattern, '*') == SIZE_MAX) {
		hf_sv *slot = hf_vec_push(s->a, &i.names);
		if (slot)
			*slot = glob;
	} else if (s->root->list && hf_root_resolve(s->root, i.folder, out, &real, &e, &err) == HF_OK) {
		if (s->root->list(s->root->ctx, real, included, &i, &err) < 0)
			seed_unparsed(s, i.folder, "%s", err.msg);
	}
	return i;
}

static void read_folders_of(struct seed *s, hf_sv path, size_t depth)
{
	struct hf_root_file file;
	struct hf_root_entry e;
	struct hf_err err = { 0 };
	char out[HF_PATH_MAX + 1];
	hf_sv real, line;

	if (depth > CONFIG_DEPTH || !seed_find(s, path, out, &real, &e) || e.size > CONFIG_MAX ||
	    s->root->open(s->root->ctx, hf_sv_skip(real, 1), &file, &err) < 0)
		return;
	hf_sv text = hf_arena_dup(s->a, file.bytes);
	s->root->close(s->root->ctx, &file);
	for (struct hf_cur c = hf_cur_of(text); hf_cur_line(&c, &line);) {
		line = hf_sv_trim(hf_sv_first(line, hf_sv_index(line, '#')));
		if (!hf_sv_starts(line, HF_SV("include "))) {
			for (hf_sv one; line.ptr && hf_sv_next(&line, s->is_musl ? ':' : '\n', &one);)
				add_folder(s, one);
			continue;
		}
		hf_sv glob = hf_sv_trim(hf_sv_skip(line, 8));
		if (glob.len && glob.ptr[0] != '/')
			glob = seed_fmt(s, "/etc/%.*s", HF_SV_FMT(glob));
		struct include i = expand(s, glob);
		for (size_t k = 0; k < i.names.n; k++)
			read_folders_of(s, i.names.at[k], depth + 1);
	}
}

static const char *multiarch(const struct seed_item *i)
{
	if (i->machine == MACHINE_X86_64)
		return "x86_64-linux-gnu";
	return i->machine == MACHINE_AARCH64 ? "aarch64-linux-gnu" : "";
}

static void read_folders(struct seed *s, const struct seed_item *i)
{
	s->folders_read = true;
	if (s->is_musl) {
		read_folders_of(s,
				i->machine == MACHINE_AARCH64 ? HF_SV("/etc/ld-musl-aarch64.path")
							      : HF_SV("/etc/ld-musl-x86_64.path"),
				0);
		if (!s->folders.n) {
			add_folder(s, HF_SV("/lib"));
			add_folder(s, HF_SV("/usr/local/lib"));
			add_folder(s, HF_SV("/usr/lib"));
		}
		return;
	}
	read_folders_of(s, HF_SV("/etc/ld.so.conf"), 0);
	const char *triple = multiarch(i);
	if (*triple) {
		add_folder(s, seed_fmt(s, "/lib/%s", triple));
		add_folder(s, seed_fmt(s, "/usr/lib/%s", triple));
	}
	add_folder(s, i->is_64 ? HF_SV("/lib64") : HF_SV("/lib"));
	add_folder(s, i->is_64 ? HF_SV("/usr/lib64") : HF_SV("/usr/lib"));
	add_folder(s, HF_SV("/lib"));
	add_folder(s, HF_SV("/usr/lib"));
}

/* ---- one library ---- */

/* $ORIGIN, $LIB and $PLATFORM, with or without braces. */
static hf_sv with_origin(struct seed *s, hf_sv folder, const struct seed_item *i)
{
	const char *triple = multiarch(i);
	const struct {
		hf_sv name, value;
	} all[] = { { HF_SV("$ORIGIN"), hf_sv_dirname(i->file.path) },
		    { HF_SV("${ORIGIN}"), hf_sv_dirname(i->file.path) },
		    { HF_SV("$LIB"), *triple ? seed_fmt(s, "lib/%s", triple) : HF_SV("lib64") },
		    { HF_SV("${LIB}"), *triple ? seed_fmt(s, "lib/%s", triple) : HF_SV("lib64") },
		    { HF_SV("$PLATFORM"), HF_SV("x86_64") },
		    { HF_SV("${PLATFORM}"), HF_SV("x86_64") } };

	for (size_t k = 0; k < HF_ARRAY_SIZE(all); k++) {
		size_t at = hf_sv_find(folder, all[k].name);
		if (at != SIZE_MAX)
			folder = seed_fmt(s, "%.*s%.*s%.*s", (int)at, folder.ptr, HF_SV_FMT(all[k].value),
					  HF_SV_FMT(hf_sv_skip(folder, at + all[k].name.len)));
	}
	return folder;
}

/* Of another machine or class: ld.so goes on with the next folder. */
static bool fits(struct seed *s, hf_sv path, const struct seed_item *i)
{
	struct hf_root_file file;
	struct hf_root_entry e;
	struct hf_elf elf;
	struct hf_err err = { 0 };
	char out[HF_PATH_MAX + 1];
	hf_sv real;

	if (!path.len || !seed_find(s, path, out, &real, &e))
		return false;
	if (hf_map_find(&s->by_path, real))
		return true;
	if (s->root->open(s->root->ctx, hf_sv_skip(real, 1), &file, &err) < 0) {
		seed_unparsed(s, real, "%s", err.msg);
		return false;
	}
	bool same = hf_elf_open(&elf, file.bytes, &err) == HF_OK && elf.machine == i->machine && elf.is_64 == i->is_64;
	s->root->close(s->root->ctx, &file);
	return same;
}

static bool try_folder(struct seed *s, hf_sv folder, uint32_t item, hf_sv name, bool is_hint)
{
	static const char *const levels[] = { "x86-64-v4", "x86-64-v3", "x86-64-v2" };
	struct seed_item i = s->items.at[item];
	char how_text[HF_PATH_MAX], path_text[HF_PATH_MAX], level_text[HF_PATH_MAX];
	hf_sv how = seed_path(how_text, is_hint ? "names %.*s" : "needs %.*s", HF_SV_FMT(name));
	hf_sv path = seed_path(path_text, "%.*s/%.*s", HF_SV_FMT(folder), HF_SV_FMT(name));

	/* Which of these is taken depends on the processor: all are. */
	for (size_t k = 0; !s->is_musl && !is_hint && i.machine == MACHINE_X86_64 && k < HF_ARRAY_SIZE(levels); k++)
		seed_add(s,
			 seed_path(level_text, "%.*s/glibc-hwcaps/%s/%.*s", HF_SV_FMT(folder), levels[k],
				   HF_SV_FMT(name)),
			 HF_SEED_LIBRARY, ROLE_OBJECT, item, false, how);
	if (!fits(s, path, &i))
		return false;
	return seed_add(s, path, HF_SEED_LIBRARY, ROLE_OBJECT, item, is_hint, how) != HF_SEED_NOBODY;
}

static bool try_folders(struct seed *s, hf_sv list, uint32_t of, uint32_t item, hf_sv name, bool is_hint)
{
	hf_sv folder;

	while (list.ptr && hf_sv_next(&list, ':', &folder)) {
		struct seed_item i = s->items.at[of];
		if (folder.len && try_folder(s, with_origin(s, folder, &i), item, name, is_hint))
			return true;
	}
	return false;
}

static bool find_library(struct seed *s, uint32_t item, hf_sv name, bool is_hint, bool no_default)
{
	if (hf_sv_index(name, '/') != SIZE_MAX)
		return seed_add(s, with_origin(s, name, &s->items.at[item]), HF_SEED_LIBRARY, ROLE_OBJECT, item,
				is_hint, HF_SV("is named by its path")) != HF_SEED_NOBODY;
	/* RPATH: of the file and of those that loaded it, unless it has a RUNPATH. */
	uint32_t of = item;
	for (size_t k = 0; !s->items.at[item].runpath.len && of != HF_SEED_NOBODY && k < HF_SEED_DEPTH_MAX; k++) {
		if (!s->items.at[of].runpath.len && try_folders(s, s->items.at[of].rpath, of, item, name, is_hint))
			return true;
		if (s->items.at[of].file.kind == HF_SEED_PROGRAM)
			break;
		of = s->items.at[of].file.because;
	}
	if (try_folders(s, s->library_path, item, item, name, is_hint) ||
	    try_folders(s, s->items.at[item].runpath, item, item, name, is_hint))
		return true;
	if (!s->folders_read)
		read_folders(s, &s->items.at[item]);
	for (size_t k = 0; !no_default && k < s->folders.n; k++)
		if (try_folder(s, s->folders.at[k], item, name, is_hint))
			return true;
	return false;
}

/* ---- what is loaded later ---- */

static bool imports(const struct hf_elf *e, const struct hf_elf_dynamic *d, const char *const *names, size_t n)
{
	struct hf_elf_symbol sym;

	for (uint64_t i = 1; hf_elf_dynamic_symbol(e, d, i, &sym); i++)
		for (size_t k = 0; !sym.section && k < n; k++)
			if (hf_sv_eq(sym.name, hf_sv_of(names[k])))
				return true;
	return false;
}

/* Words of nsswitch.conf behind the colons: NAME is libnss_NAME.so.2. */
static void name_services(struct seed *s, uint32_t item)
{
	struct hf_root_file file;
	struct hf_root_entry e;
	struct hf_err err = { 0 };
	char out[HF_PATH_MAX + 1];
	hf_sv real, line, key, rest, word, text = HF_SV("all: files dns compat\n");

	if (s->name_services || s->is_musl)
		return;
	s->name_services = true;
	if (seed_find(s, HF_SV("/etc/nsswitch.conf"), out, &real, &e) && e.size <= CONFIG_MAX &&
	    s->root->open(s->root->ctx, hf_sv_skip(real, 1), &file, &err) == HF_OK) {
		text = hf_arena_dup(s->a, file.bytes);
		s->root->close(s->root->ctx, &file);
	}
	for (struct hf_cur c = hf_cur_of(text); hf_cur_line(&c, &line);) {
		if (!hf_sv_cut(hf_sv_first(line, hf_sv_index(line, '#')), ':', &key, &rest))
			continue;
		while (hf_sv_next(&rest, ' ', &word)) {
			word = hf_sv_trim(word);
			if (word.len && word.len < 64 && word.ptr[0] != '[')
				(void)find_library(s, item, seed_fmt(s, "libnss_%.*s.so.2", HF_SV_FMT(word)), true,
						   false);
		}
	}
}

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
	       c == '-' || c == '+' || c == '/';
}

/* Constants of the file that look like a library's name. */
static void named_libraries(struct seed *s, uint32_t item, hf_sv bytes)
{
	size_t hints = 0, at = 0;

	while (hints < HINTS_MAX) {
		size_t hit = hf_sv_find(hf_sv_skip(bytes, at), HF_SV(".so"));
		if (hit == SIZE_MAX)
			return;
		size_t begin = at + hit, end = begin + 3;
		while (begin > at && begin + NAME_MAX_BYTES > at + hit && is_name_byte(bytes.ptr[begin - 1]))
			begin--;
		while (end < bytes.len && end - begin < NAME_MAX_BYTES && is_name_byte(bytes.ptr[end]))
			end++;
		hf_sv name = hf_sv_slice(bytes, begin, end - begin);
		bool whole = (begin == 0 || bytes.ptr[begin - 1] == 0) && end < bytes.len && bytes.ptr[end] == 0;
		at = end;
		if (!whole || name.len < 5 || (!hf_sv_starts(name, HF_SV("lib")) && name.ptr[0] != '/'))
			continue;
		hints++;
		(void)find_library(s, item, hf_arena_dup(s->a, name), true, false);
	}
	seed_unparsed_of(s, item, HF_SV("names more libraries than were looked for"));
}

static void note_build_id(struct hf_seed_file *f, const struct hf_elf *e)
{
	static const char hex[] = "0123456789abcdef";
	hf_sv id = hf_elf_find_note(e, HF_SV("GNU"), HF_ELF_NOTE_BUILD_ID);

	for (size_t i = 0; i < id.len && 2 * i + 2 < sizeof f->build_id; i++) {
		f->build_id[2 * i] = hex[(unsigned char)id.ptr[i] >> 4];
		f->build_id[2 * i + 1] = hex[(unsigned char)id.ptr[i] & 15];
	}
}

/* libc holds nearly all system calls: of it only what the others can reach counts. */
static void note_system_calls(struct seed *s, uint32_t item, const struct hf_elf *e, const struct hf_elf_dynamic *d)
{
	struct hf_elf_symbol sym;
	bool is_libc = hf_sv_eq(d->soname, HF_SV("libc.so.6")) ||
		       (s->is_musl && hf_sv_starts(hf_sv_basename(s->items.at[item].file.path), HF_SV("ld-musl-")));

	if (is_libc && s->libc == HF_SEED_NOBODY) {
		s->libc = item;
		return;
	}
	hf_elf_syscalls(e, &s->syscalls);
	for (uint64_t i = 1; s->imported.n < IMPORTS_MAX && hf_elf_dynamic_symbol(e, d, i, &sym); i++)
		if (!sym.section && sym.name.len && !hf_map_find(&s->imported, sym.name))
			hf_map_put(&s->imported, hf_arena_dup(s->a, sym.name));
	/* Numbers, and functions by name, that are only known when it runs. */
	if (hf_map_find(&s->imported, HF_SV("syscall")) || hf_map_find(&s->imported, HF_SV("dlsym")))
		s->syscalls.open++;
}

void seed_read_libc(struct seed *s)
{
	struct hf_arena hf_cleanup(hf_arena_done) scratch = HF_ARENA(HF_MIB(64));
	hf_sv path = s->items.at[s->libc].file.path;
	struct hf_root_file file;
	struct hf_elf_dynamic d;
	struct hf_elf e;
	struct hf_err err = { 0 };

	if (s->root->open(s->root->ctx, hf_sv_skip(path, 1), &file, &err) < 0)
		return;
	if (hf_elf_open(&e, file.bytes, &err) == HF_OK && hf_elf_dynamic_read(&e, &scratch, &d, &err) == HF_OK &&
	    hf_elf_calls_reach(&e, &d, &s->imported, &scratch, &s->syscalls, &err) < 0)
		hf_elf_syscalls(&e, &s->syscalls); /* all of it, then */
	s->root->close(s->root->ctx, &file);
}

void seed_read_elf(struct seed *s, uint32_t item, hf_sv bytes)
{
	static const char *const loads[] = { "dlopen", "dlmopen", "__libc_dlopen_mode" };
	struct hf_elf_dynamic d;
	struct hf_elf e;
	struct hf_err err = { 0 };

	if (hf_elf_open(&e, bytes, &err) < 0 || hf_elf_dynamic_read(&e, s->a, &d, &err) < 0) {
		seed_unparsed(s, s->items.at[item].file.path, "%s", err.msg);
		return;
	}
	note_build_id(&s->items.at[item].file, &e);
	note_system_calls(s, item, &e, &d);
	s->items.at[item].machine = e.machine;
	s->items.at[item].is_64 = e.is_64;
	s->items.at[item].runpath = hf_arena_dup(s->a, d.runpath);
	s->items.at[item].rpath = hf_arena_dup(s->a, d.rpath);
	if (d.is_lost)
		seed_unparsed_of(s, item, HF_SV("its dynamic section points out of the file"));
	if (d.interpreter.len) {
		s->is_musl |= hf_sv_starts(hf_sv_basename(d.interpreter), HF_SV("ld-musl-"));
		if (seed_add(s, d.interpreter, HF_SEED_LOADER, ROLE_OBJECT, item, false, HF_SV("its loader")) ==
		    HF_SEED_NOBODY)
			seed_unparsed(s, s->items.at[item].file.path, "its loader %.*s is not there",
				      HF_SV_FMT(d.interpreter));
	}
	for (size_t i = 0; i < d.needed_n; i++) {
		hf_sv name = hf_arena_dup(s->a, d.needed[i]);
		/* musl's loader is its libc, under whatever name it is asked for. */
		if (s->is_musl && hf_sv_starts(name, HF_SV("libc.musl-")))
			continue;
		if (!find_library(s, item, name, false, d.no_default_folders))
			seed_unparsed(s, s->items.at[item].file.path, "%.*s, which it needs, is not found",
				      HF_SV_FMT(name));
	}
	if (imports(&e, &d, name_functions, HF_ARRAY_SIZE(name_functions)))
		name_services(s, item);
	if (!imports(&e, &d, loads, HF_ARRAY_SIZE(loads)))
		return;
	s->open_libraries = true;
	named_libraries(s, item, bytes);
}
