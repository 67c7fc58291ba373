#include "lib/text_root.h"

#include <stdlib.h>

struct node {
	bool is_link;
	uint32_t mode;
	hf_sv bytes; /* or the target */
};

static bool is_folder(struct hf_map *m, hf_sv path)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].key.len > path.len && hf_sv_starts(m->entries[i].key, path) &&
		    m->entries[i].key.ptr[path.len] == '/')
			return true;
	return !path.len;
}

static int look(void *ctx, hf_sv path, struct hf_root_entry *ret, struct hf_err *err)
{
	struct hf_map *m = ctx;
	struct hf_map_entry *e = hf_map_find(m, path);
	struct node *n = e ? e->value : NULL;

	if (!n && !is_folder(m, path))
		return hf_fail(err, HF_E_MISSING, "not there");
	*ret = (struct hf_root_entry){ .type = !n ? HF_ROOT_DIR : n->is_link ? HF_ROOT_SYMLINK : HF_ROOT_FILE };
	if (n) {
		ret->mode = n->mode;
		ret->size = n->bytes.len;
		ret->link = n->bytes;
	}
	return HF_OK;
}

static int open_file(void *ctx, hf_sv path, struct hf_root_file *ret, struct hf_err *err)
{
	struct hf_map_entry *e = hf_map_find(ctx, path);

	if (!e || !e->value)
		return hf_fail(err, HF_E_MISSING, "not there");
	hf_sv bytes = ((struct node *)e->value)->bytes;
	char *copy = hf_malloc(bytes.len + !bytes.len); /* exact, for the sanitizer */
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	*ret = (struct hf_root_file){ .bytes = { copy, bytes.len }, .handle = copy };
	return HF_OK;
}

static void close_file(void *ctx, struct hf_root_file *file)
{
	(void)ctx;
	free(file->handle);
}

static int list(void *ctx, hf_sv path, int (*name)(void *arg, hf_sv name), void *arg, struct hf_err *err)
{
	struct hf_map *m = ctx;

	(void)err;
	for (size_t i = 0; i < m->n; i++)
		if (hf_sv_eq(hf_sv_dirname(m->entries[i].key), path) && name(arg, hf_sv_basename(m->entries[i].key)))
			return 1;
	return 0;
}

static void put(struct hf_map *m, hf_sv path, bool is_link, uint32_t mode, hf_sv bytes)
{
	struct hf_map_entry *e = m->n < 64 ? hf_map_put(m, path) : NULL;
	struct node *n = e ? hf_arena_new(m->arena, struct node) : NULL;

	if (!n)
		return;
	*n = (struct node){ is_link, mode, bytes };
	e->value = n;
}

struct hf_root test_text_root(struct hf_map *m, hf_sv text)
{
	while (hf_sv_starts(text, HF_SV("F ")) || hf_sv_starts(text, HF_SV("L "))) {
		hf_sv line, rest, first, second;
		if (!hf_sv_cut(text, '\n', &line, &rest) || !hf_sv_cut(hf_sv_skip(line, 2), ' ', &first, &second))
			break;
		if (text.ptr[0] == 'L') {
			put(m, first, true, 0777, second);
		} else {
			size_t end = hf_sv_find(rest, HF_SV("\n\001\n"));
			put(m, second, false, hf_sv_eq(first, HF_SV("x")) ? 0755 : 0644, hf_sv_first(rest, end));
			rest = end == SIZE_MAX ? (hf_sv){ 0 } : hf_sv_skip(rest, end + 3);
		}
		text = rest;
	}
	put(m, HF_SV("bin/init"), false, 0755, text);
	return (struct hf_root){ look, open_file, close_file, list, m };
}

bool test_text_root_holds(const struct hf_map *m, hf_sv path)
{
	struct hf_map_entry *e = hf_map_find(m, path);

	return e && !((struct node *)e->value)->is_link;
}
