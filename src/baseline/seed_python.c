/* Imports of Python, for the shared objects behind them: statements `import a.b, c as d` and `from a.b import c`, wherever they stand.
 * Source: The Python Language Reference, "The import statement"; PEP 3149 (names of extension modules). */
#include "baseline/seed_parts.h"

enum { PLACES_MAX = SEED_PLACES_MAX, LINE_MAX_BYTES = 4096 };

/* The module's own folder, and sys.path as it is built in: the latter is made once an interpreter. */
static size_t places(struct seed *s, hf_sv folder, hf_sv out[PLACES_MAX])
{
	size_t n = 0;

	if (folder.len)
		out[n++] = folder;
	for (size_t i = 0; i < s->places_n; i++)
		out[n++] = s->places[i];
	return n;
}

static size_t make_places(struct seed *s, hf_sv out[PLACES_MAX - 1])
{
	static const char *const below[] = { "lib/python%.*s",
					     "lib/python%.*s/lib-dynload",
					     "local/lib/python%.*s/dist-packages",
					     "local/lib/python%.*s/site-packages",
					     "lib/python%.*s/site-packages",
					     "lib/python%.*s/dist-packages" };
	hf_sv one, path = seed_environment(s, "PYTHONPATH");
	size_t n = 0;

	while (n < PLACES_MAX - 10 && path.ptr && hf_sv_next(&path, ':', &one))
		if (one.len)
			out[n++] = one;
	for (size_t i = 0; s->python.len && i < HF_ARRAY_SIZE(below); i++) {
		hf_sv pattern = hf_sv_of(below[i]);
		size_t at = hf_sv_find(pattern, HF_SV("%"));
		out[n++] = seed_fmt(s, "%.*s/%.*s%.*s%.*s", HF_SV_FMT(s->python_prefix), (int)at, pattern.ptr,
				    HF_SV_FMT(s->python), HF_SV_FMT(hf_sv_skip(pattern, at + 4)));
	}
	out[n++] = seed_fmt(s, "%.*s/lib/python3/dist-packages", HF_SV_FMT(s->python_prefix));
	return n;
}

void seed_python_is(struct seed *s, hf_sv interpreter)
{
	char out[HF_PATH_MAX + 1];
	struct hf_root_entry e;
	hf_sv real;

	if (!seed_find(s, interpreter, out, &real, &e))
		return;
	real = hf_arena_dup(s->a, real);
	hf_sv name = hf_sv_basename(real);
	size_t digits = 0;
	while (digits < name.len && (name.ptr[digits] < '0' || name.ptr[digits] > '9'))
		digits++;
	s->python = hf_sv_skip(name, digits);
	s->python_prefix = hf_sv_dirname(hf_sv_dirname(real));
	s->places_n = make_places(s, s->places);
}

/* "3.11" -> "311" */
static hf_sv tag_of(struct seed *s)
{
	hf_sv major, minor;

	if (!hf_sv_cut(s->python, '.', &major, &minor))
		return s->python;
	return seed_fmt(s, "%.*s%.*s", HF_SV_FMT(major), HF_SV_FMT(minor));
}

static bool add_module(struct seed *s, uint32_t because, hf_sv place, hf_sv name, hf_sv tag)
{
	static const char *const suffixes[] = { "-x86_64-linux-gnu.so", "-x86_64-linux-musl.so",
						"-aarch64-linux-gnu.so" };
	char path[HF_PATH_MAX];
	const hf_sv how = HF_SV("imports it");
	bool found = false;

#define TRY(kind, role, ...) \
	(seed_add(s, seed_path(path, __VA_ARGS__), kind, role, because, false, how) != HF_SEED_NOBODY)
	if (TRY(HF_SEED_MODULE, ROLE_PYTHON, "%.*s/%.*s/__init__.py", HF_SV_FMT(place), HF_SV_FMT(name)))
		return true;
	for (size_t i = 0; !found && i < HF_ARRAY_SIZE(suffixes); i++)
		found = TRY(HF_SEED_LIBRARY, ROLE_OBJECT, "%.*s/%.*s.cpython-%.*s%s", HF_SV_FMT(place), HF_SV_FMT(name),
			    HF_SV_FMT(tag), suffixes[i]);
	return found || TRY(HF_SEED_LIBRARY, ROLE_OBJECT, "%.*s/%.*s.abi3.so", HF_SV_FMT(place), HF_SV_FMT(name)) ||
	       TRY(HF_SEED_LIBRARY, ROLE_OBJECT, "%.*s/%.*s.so", HF_SV_FMT(place), HF_SV_FMT(name)) ||
	       TRY(HF_SEED_MODULE, ROLE_PYTHON, "%.*s/%.*s.py", HF_SV_FMT(place), HF_SV_FMT(name));
#undef TRY
}

static hf_sv as_path(struct seed *s, hf_sv name)
{
	hf_sv copy = hf_arena_dup(s->a, name);

	for (size_t i = 0; i < copy.len; i++)
		if (copy.ptr[i] == '.')
			((char *)(uintptr_t)copy.ptr)[i] = '/'; /* the arena's own copy */
	return copy;
}

static bool is_name(hf_sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '.' || (unsigned char)c >= 0x80))
			return false;
	}
	return name.len != 0;
}

/* Each package on the way to a.b.c is run too. */
static void add_dotted(struct seed *s, uint32_t because, hf_sv folder, hf_sv name)
{
	hf_sv all[PLACES_MAX];

	char key[HF_PATH_MAX];
	hf_sv tried = seed_path(key, "%.*s:%.*s", HF_SV_FMT(folder), HF_SV_FMT(name));
	if (!is_name(name) || !tried.len || hf_map_find(&s->imports, tried))
		return;
	tried = hf_arena_dup(s->a, tried);
	if (!hf_map_put(&s->imports, tried))
		return;
	hf_sv tag = tag_of(s);
	size_t n = places(s, folder, all);
	for (size_t end = 0; end <= name.len; end++) {
		if (end < name.len && name.ptr[end] != '.')
			continue;
		hf_sv stem = as_path(s, hf_sv_first(name, end));
		bool found = false;
		for (size_t i = 0; !found && i < n; i++)
			found = add_module(s, because, all[i], stem, tag);
	}
}

void seed_python_module(struct seed *s, uint32_t because, hf_sv folder, hf_sv name)
{
	add_dotted(s, because, folder, name);
	add_dotted(s, because, folder, seed_fmt(s, "%.*s.__main__", HF_SV_FMT(name)));
}

/* "..x" of a module in @folder: one folder up for each dot after the first. */
static hf_sv relative_to(hf_sv folder, hf_sv *name)
{
	for (size_t dots = 0; name->len && name->ptr[0] == '.'; dots++) {
		*name = hf_sv_skip(*name, 1);
		if (dots)
			folder = hf_sv_dirname(folder);
	}
	return folder;
}

static void import_names(struct seed *s, uint32_t because, hf_sv folder, hf_sv prefix, hf_sv list)
{
	hf_sv one;

	while (list.ptr && hf_sv_next(&list, ',', &one)) {
		one = hf_sv_trim(one);
		if (one.len && one.ptr[0] == '(')
			one = hf_sv_trim(hf_sv_skip(one, 1));
		size_t end = 0;
		while (end < one.len && one.ptr[end] != ' ' && one.ptr[end] != ')' && one.ptr[end] != '\t')
			end++;
		one = hf_sv_first(one, end);
		if (one.len)
			add_dotted(s, because, folder,
				   prefix.len ? seed_fmt(s, "%.*s.%.*s", HF_SV_FMT(prefix), HF_SV_FMT(one)) : one);
	}
}

/* sys.path begins with the folder of the script, whatever imports. */
static hf_sv script_folder(const struct seed *s, uint32_t item)
{
	for (size_t steps = 0; item != HF_SEED_NOBODY && steps < HF_SEED_FILES_MAX; steps++) {
		if (s->items.at[item].file.kind == HF_SEED_SCRIPT)
			return hf_sv_dirname(s->items.at[item].file.path);
		item = s->items.at[item].file.because;
	}
	return s->working_dir;
}

void seed_read_python(struct seed *s, uint32_t item, hf_sv text)
{
	bool is_file = item != HF_SEED_NOBODY &&
		       (s->items.at[item].role == ROLE_PYTHON || s->items.at[item].file.kind == HF_SEED_SCRIPT);
	hf_sv own = is_file ? hf_sv_dirname(s->items.at[item].file.path) : s->working_dir;
	hf_sv folder = script_folder(s, item);
	struct hf_cur c = hf_cur_of(text);
	hf_sv line, name, list;

	while (hf_cur_line(&c, &line)) {
		line = hf_sv_trim(hf_sv_first(line, hf_sv_index(line, '#')));
		/* `try: import x` and `a; import b` stand behind something. */
		for (hf_sv part; line.ptr && line.len < LINE_MAX_BYTES && hf_sv_next(&line, ';', &part);) {
			part = hf_sv_trim(part);
			if (hf_sv_starts(part, HF_SV("try:")))
				part = hf_sv_trim(hf_sv_skip(part, 4));
			if (hf_sv_starts(part, HF_SV("import "))) {
				import_names(s, item, folder, (hf_sv){ 0 }, hf_sv_skip(part, 7));
			} else if (hf_sv_starts(part, HF_SV("from ")) &&
				   hf_sv_cut(hf_sv_skip(part, 5), ' ', &name, &list)) {
				hf_sv from = folder;
				if (name.len && name.ptr[0] == '.')
					from = relative_to(own, &name);
				if (name.len)
					add_dotted(s, item, from, name);
				list = hf_sv_trim(list);
				if (hf_sv_starts(list, HF_SV("import ")))
					import_names(s, item, from, name, hf_sv_skip(list, 7));
			}
		}
	}
}
