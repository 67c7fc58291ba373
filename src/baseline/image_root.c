#include "baseline/image_root.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "layers/layers.h"

enum { KEPT_FILE_MAX = 64 << 20, KEPT_TEXT_MAX = 1 << 20 };

#define ENTRIES_ARENA_MAX HF_GIB(1)
#define KEPT_MAX          HF_MIB(256) /* of contents, all together */
#define FILE_MAX_BYTES    HF_MIB(256) /* of one that is read when it is asked for */

struct node {
	enum hf_root_type type;
	bool present;  /* the layer has it */
	bool implicit; /* no entry: a folder of what it has */
	bool whiteout; /* what lower layers have there is hidden */
	bool opaque;   /* what lower layers have below is hidden */
	uint32_t mode;
	uint64_t size;
	hf_sv link, stored;  /* the entry that has the content */
	char *content;       /* NULL: not kept */
	HF_VEC(hf_sv) names; /* of a folder, of this layer */
};

struct layer {
	struct hf_map nodes; /* by path */
};

struct hf_image_root {
	struct hf_source *source;
	struct hf_arena arena;
	struct layer *layers;
	size_t layers_n, unread;
	uint64_t kept;
	char link[HF_PATH_MAX];
};

struct walk {
	struct hf_layer_visitor visitor;
	struct hf_image_root *root;
	size_t layer;
	hf_sv only;  /* of a fetch */
	char *found; /* its content */
	uint64_t found_size;
};

static struct node *find(const struct hf_image_root *r, size_t layer, hf_sv path)
{
	struct hf_map_entry *e = hf_map_find(&r->layers[layer].nodes, path);

	return e ? e->value : NULL;
}

static struct node *make(struct hf_image_root *r, size_t layer, hf_sv path)
{
	struct node *n = find(r, layer, path);

	if (n)
		return n;
	hf_sv key = hf_arena_dup(&r->arena, path);
	struct hf_map_entry *e = hf_map_put(&r->layers[layer].nodes, key);
	n = hf_arena_new(&r->arena, struct node);
	if (e)
		e->value = n;
	return e ? n : NULL;
}

/* What an archive has no entry for is a folder all the same. */
static void name_in_parents(struct hf_image_root *r, size_t layer, hf_sv path)
{
	while (path.len) {
		hf_sv parent = hf_sv_dirname(path);
		struct node *n = make(r, layer, parent);
		hf_sv *slot = n ? hf_vec_push(&r->arena, &n->names) : NULL;
		if (!slot)
			return;
		*slot = hf_arena_dup(&r->arena, hf_sv_basename(path));
		if (n->present) /* its own parents name it already */
			return;
		n->present = n->implicit = true;
		n->type = HF_ROOT_DIR;
		n->mode = 0755;
		path = parent;
	}
}

static enum hf_root_type type_of(enum hf_entry_type type)
{
	return type == HF_ENTRY_FILE      ? HF_ROOT_FILE
	       : type == HF_ENTRY_DIR     ? HF_ROOT_DIR
	       : type == HF_ENTRY_SYMLINK ? HF_ROOT_SYMLINK
					  : HF_ROOT_OTHER;
}

static bool is_kept(const struct hf_image_root *r, const struct hf_entry *e)
{
	bool program =
		(e->mode & 0111) || hf_sv_starts(e->head, HF_SV("\177ELF")) || hf_sv_starts(e->head, HF_SV("#!"));
	bool text = hf_sv_starts(e->path, HF_SV("etc/")) || hf_sv_ends(e->path, HF_SV(".py")) ||
		    hf_sv_ends(e->path, HF_SV(".pth"));

	return e->size && e->size <= KEPT_MAX - r->kept &&
	       ((program && e->size <= KEPT_FILE_MAX) || (text && e->size <= KEPT_TEXT_MAX));
}

static int take_entry(struct hf_layer_visitor *v, const struct hf_entry *e, bool *ret_wants, struct hf_err *err)
{
	struct walk *w = (struct walk *)v;
	struct hf_image_root *r = w->root;

	if (w->only.ptr) {
		*ret_wants = e->type == HF_ENTRY_FILE && e->size <= FILE_MAX_BYTES;
		return HF_OK;
	}
	struct node *had = find(r, w->layer, e->path), *n = had ? had : make(r, w->layer, e->path);
	if (!n)
		return hf_fail(err, HF_E_LIMIT, "the image has too many files");
	bool is_new = !n->present;
	if (e->type == HF_ENTRY_WHITEOUT || e->type == HF_ENTRY_OPAQUE) {
		n->whiteout |= e->type == HF_ENTRY_WHITEOUT;
		n->opaque |= e->type == HF_ENTRY_OPAQUE;
		return HF_OK;
	}
	const struct node *target = e->type == HF_ENTRY_HARDLINK ? find(r, w->layer, e->link) : NULL;
	struct node now = { .type = type_of(e->type), .present = true, .mode = e->mode, .size = e->size };
	now.link = e->type == HF_ENTRY_SYMLINK ? hf_arena_dup(&r->arena, e->link) : (hf_sv){ 0 };
	now.stored = hf_arena_dup(&r->arena, e->path);
	if (target) {
		now = *target;
		now.content = NULL; /* read again by whoever asks: two nodes do not own one content */
	}
	now.whiteout = n->whiteout;
	now.opaque = n->opaque;
	now.names = n->names;
	free(n->content);
	*n = now;
	*ret_wants = e->type == HF_ENTRY_FILE && is_kept(r, e);
	if (is_new)
		name_in_parents(r, w->layer, e->path);
	return r->arena.over ? hf_fail(err, HF_E_LIMIT, "the image has too many files") : HF_OK;
}

static int take_content(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv bytes, struct hf_err *err)
{
	struct walk *w = (struct walk *)v;
	struct node *n = w->only.ptr ? NULL : find(w->root, w->layer, e->path);
	char *copy = hf_malloc(bytes.len + 1);

	(void)err;
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	if (w->only.ptr) {
		free(w->found);
		w->found = copy;
		w->found_size = bytes.len;
	} else if (n) {
		free(n->content);
		n->content = copy;
		n->size = bytes.len;
		w->root->kept += bytes.len;
	} else {
		free(copy);
	}
	return HF_OK;
}

static int not_read(struct hf_layer_visitor *v, hf_sv path, hf_sv reason, struct hf_err *err)
{
	(void)path;
	(void)reason;
	(void)err;
	((struct walk *)v)->root->unread++;
	return HF_OK;
}

static struct walk walk_of(struct hf_image_root *r, size_t layer)
{
	return (struct walk){ .visitor = { .entry = take_entry, .content = take_content, .unparsed = not_read },
			      .root = r,
			      .layer = layer };
}

int hf_image_root_open(struct hf_source *source, struct hf_image_root **ret, size_t *ret_unread, struct hf_err *err)
{
	const struct hf_artifact *a = hf_source_artifact(source);
	struct hf_image_root *r = hf_calloc(1, sizeof *r);
	int code = HF_OK;

	r->source = source;
	r->arena = HF_ARENA(ENTRIES_ARENA_MAX);
	r->layers = hf_calloc(a->layers_n + 1, sizeof *r->layers);
	r->layers_n = a->layers_n;
	for (size_t i = 0; i < r->layers_n; i++)
		r->layers[i].nodes = HF_MAP(&r->arena);
	for (size_t i = r->layers_n; i-- && code >= 0;) {
		struct walk w = walk_of(r, i);
		code = hf_layer_walk(source, (uint32_t)i, &w.visitor, err);
	}
	if (code < 0) {
		hf_image_root_close(r);
		return code;
	}
	*ret = r;
	*ret_unread = r->unread;
	return r->unread ? HF_PARTIAL : HF_OK;
}

void hf_image_root_close(struct hf_image_root *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->layers_n; i++)
		for (size_t k = 0; k < r->layers[i].nodes.n; k++) {
			struct node *n = r->layers[i].nodes.entries[k].value;
			if (n)
				free(n->content);
		}
	hf_arena_done(&r->arena);
	free(r->layers);
	free(r);
}

/* Whether layer @layer keeps what lower ones have at @path from being seen. */
static bool hides(const struct hf_image_root *r, size_t layer, hf_sv path)
{
	const struct node *n = find(r, layer, path);

	if (n && (n->whiteout || (n->present && !n->implicit && n->type != HF_ROOT_DIR)))
		return true;
	while (path.len) {
		path = hf_sv_dirname(path);
		n = find(r, layer, path);
		if (n && (n->whiteout || n->opaque || (n->present && n->type != HF_ROOT_DIR)))
			return true;
	}
	return false;
}

/* The topmost layer's that has it; a folder that nobody has an entry for is the last resort. */
static struct node *visible(const struct hf_image_root *r, hf_sv path, size_t *ret_layer)
{
	struct node *implicit = NULL;

	for (size_t i = r->layers_n; i--;) {
		struct node *n = find(r, i, path);
		if (n && n->present && !n->implicit) {
			*ret_layer = i;
			return n;
		}
		implicit = n && n->present && !implicit ? n : implicit;
		if (hides(r, i, path))
			break;
	}
	return implicit;
}

static int look(void *ctx, hf_sv path, struct hf_root_entry *ret, struct hf_err *err)
{
	struct hf_image_root *r = ctx;
	size_t layer;
	const struct node *n = visible(r, path, &layer);

	if (!n && path.len)
		return hf_fail(err, HF_E_MISSING, "%.*s: not in the image", HF_SV_FMT(path));
	*ret = n ? (struct hf_root_entry){ .type = n->type, .mode = n->mode, .size = n->size, .link = n->link }
		 : (struct hf_root_entry){ .type = HF_ROOT_DIR, .mode = 0755 };
	return HF_OK;
}

static int open_file(void *ctx, hf_sv path, struct hf_root_file *ret, struct hf_err *err)
{
	struct hf_image_root *r = ctx;
	size_t layer = 0;
	const struct node *n = visible(r, path, &layer);

	*ret = (struct hf_root_file){ .bytes = HF_SV("") };
	if (!n)
		return hf_fail(err, HF_E_MISSING, "%.*s: not in the image", HF_SV_FMT(path));
	if (n->type != HF_ROOT_FILE)
		return hf_fail(err, HF_E_UNSUPPORTED, "%.*s: no regular file", HF_SV_FMT(path));
	if (n->content || !n->size) {
		ret->bytes = n->content ? (hf_sv){ n->content, (size_t)n->size } : HF_SV("");
		return HF_OK;
	}
	if (n->size > FILE_MAX_BYTES)
		return hf_fail(err, HF_E_LIMIT, "%.*s: over %llu bytes", HF_SV_FMT(path),
			       (unsigned long long)FILE_MAX_BYTES);
	struct walk w = walk_of(r, layer);
	w.only = n->stored;
	int code = hf_layer_fetch(r->source, (uint32_t)layer, &n->stored, 1, &w.visitor, err);
	if (code >= 0 && !w.found)
		code = hf_fail(err, HF_E_UNSUPPORTED, "%.*s: its content could not be read", HF_SV_FMT(path));
	if (code < 0) {
		free(w.found);
		return code;
	}
	*ret = (struct hf_root_file){ .bytes = { w.found, (size_t)w.found_size }, .handle = w.found };
	return HF_OK;
}

static void close_file(void *ctx, struct hf_root_file *file)
{
	(void)ctx;
	free(file->handle); /* what is kept has none */
}

/* In a layer above, a name that is there was told of already, and one that was taken away is not to be. */
static bool is_told(const struct hf_image_root *r, size_t layer, hf_sv path)
{
	for (size_t i = layer + 1; i < r->layers_n; i++) {
		const struct node *n = find(r, i, path);
		if (n && (n->present || n->whiteout))
			return true;
	}
	return false;
}

static int list(void *ctx, hf_sv path, int (*name)(void *arg, hf_sv name), void *arg, struct hf_err *err)
{
	struct hf_image_root *r = ctx;
	char full[2 * HF_PATH_MAX];
	bool found = false;

	for (size_t i = r->layers_n; i--;) {
		const struct node *n = find(r, i, path);
		for (size_t k = 0; n && n->type == HF_ROOT_DIR && k < n->names.n; k++) {
			int length = path.len ? snprintf(full, sizeof full, "%.*s/%.*s", HF_SV_FMT(path),
							 HF_SV_FMT(n->names.at[k]))
					      : snprintf(full, sizeof full, "%.*s", HF_SV_FMT(n->names.at[k]));
			if (length < 0 || (size_t)length >= sizeof full ||
			    is_told(r, i, (hf_sv){ full, (size_t)length }))
				continue;
			int code = name(arg, n->names.at[k]);
			if (code)
				return code;
		}
		found |= n && n->present;
		if (hides(r, i, path) || (n && n->opaque))
			break;
	}
	return found ? HF_OK : hf_fail(err, HF_E_MISSING, "%.*s: not in the image", HF_SV_FMT(path));
}

struct hf_root hf_image_root_view(struct hf_image_root *r)
{
	return (struct hf_root){ .look = look, .open = open_file, .close = close_file, .list = list, .ctx = r };
}
