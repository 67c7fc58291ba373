#include "catalog/wants.h"

#include <stdlib.h>

#include "base/glob.h"

enum { TABLE_SIZE = 1024, ROWS_MAX = 64 };

struct pattern {
	struct pattern *next; /* in the same bucket */
	hf_sv glob;
	hf_sv key; /* literal last component, or its literal suffix behind '*' */
	unsigned row;
	bool negative;
};

struct hf_wants {
	struct pattern *by_name[TABLE_SIZE];      /* keyed by the whole last component */
	struct pattern *by_extension[TABLE_SIZE]; /* keyed by what follows the last '.' of it */
	struct pattern *others;                   /* the last component begins or ends with '*' and has no extension */
	struct pattern *patterns;
	size_t n;
	hf_wants_set elf;
};

static uint32_t bucket(hf_sv s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 16777619u;
	return (h ^ h >> 15) % TABLE_SIZE;
}

static hf_sv extension(hf_sv name)
{
	size_t dot = hf_sv_last_index(name, '.');

	return dot == SIZE_MAX ? (hf_sv){ 0 } : hf_sv_skip(name, dot + 1);
}

static void add(struct hf_wants *w, hf_sv glob, unsigned row)
{
	struct pattern *p = &w->patterns[w->n++];

	p->row = row;
	p->negative = hf_sv_starts(glob, HF_SV("!"));
	p->glob = hf_sv_skip(glob, p->negative);
	hf_sv name = hf_sv_basename(p->glob);
	struct pattern **list = &w->others;
	if (hf_sv_index(name, '*') == SIZE_MAX)
		list = &w->by_name[bucket(name)];
	else if (name.ptr[0] == '*' && hf_sv_index(hf_sv_skip(name, 1), '*') == SIZE_MAX && extension(name).len)
		list = &w->by_extension[bucket(extension(name))];
	p->key = name;
	p->next = *list;
	*list = p;
}

struct hf_wants *hf_wants_new(void)
{
	struct hf_wants *w = hf_calloc(1, sizeof *w);
	size_t n = 0;

	for (unsigned row = 0; hf_catalogers[row]; row++)
		for (const char *const *g = hf_catalogers[row]->wants; g && *g; g++)
			n++;
	w->patterns = hf_calloc(n, sizeof *w->patterns);
	for (unsigned row = 0; hf_catalogers[row] && row < ROWS_MAX; row++) {
		for (const char *const *g = hf_catalogers[row]->wants; g && *g; g++)
			add(w, hf_sv_of(*g), row);
		if (hf_catalogers[row]->wants_elf)
			w->elf |= UINT64_C(1) << row;
	}
	return w;
}

void hf_wants_free(struct hf_wants *w)
{
	if (w)
		free(w->patterns);
	free(w);
}

static void collect(const struct pattern *p, hf_sv name, hf_sv path, hf_wants_set *yes, hf_wants_set *no)
{
	for (; p; p = p->next)
		if (hf_glob_component_match(p->key, name) && hf_glob_match(p->glob, path))
			*(p->negative ? no : yes) |= UINT64_C(1) << p->row;
}

hf_wants_set hf_wants_path(const struct hf_wants *w, hf_sv path)
{
	hf_sv name = hf_sv_basename(path), ext = extension(name);
	hf_wants_set yes = 0, no = 0;

	collect(w->by_name[bucket(name)], name, path, &yes, &no);
	if (ext.len)
		collect(w->by_extension[bucket(ext)], name, path, &yes, &no);
	collect(w->others, name, path, &yes, &no);
	return yes & ~no;
}

bool hf_wants_names(const struct hf_wants *w, hf_sv path)
{
	for (size_t k = 0; k < w->n; k++)
		if (hf_sv_eq(w->patterns[k].glob, path))
			return true;
	return false;
}

hf_sv hf_wants_named_below(const struct hf_wants *w, hf_sv folder, size_t i)
{
	for (size_t k = 0; k < w->n; k++) {
		hf_sv path = w->patterns[k].glob;
		if (path.len > folder.len && path.ptr[folder.len] == '/' && hf_sv_starts(path, folder) &&
		    !w->patterns[k].negative && hf_sv_index(path, '*') == SIZE_MAX && i-- == 0)
			return path;
	}
	return (hf_sv){ 0 };
}

hf_wants_set hf_wants_elf(const struct hf_wants *w)
{
	return w->elf;
}
