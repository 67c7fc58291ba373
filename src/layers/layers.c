#include "layers/layers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/limits.h"
#include "format/tar.h"
#include "layers/spool.h"
#include "layers/walk.h"

struct tar_walk {
	struct walk *w;
	struct hf_in *in;
	struct hf_tar *tar;
	char path[HF_PATH_MAX], link[HF_PATH_MAX];
};

int walk_unparsed(struct walk *w, hf_sv path, const char *reason, struct hf_err *err)
{
	w->partial = true;
	return w->v->unparsed(w->v, path, hf_sv_of(reason), err);
}

int walk_count(struct walk *w, struct hf_err *err)
{
	if (++w->entries > HF_FILES_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %llu files", (unsigned long long)HF_FILES_MAX);
	return HF_OK;
}

static bool is_wanted_name(const struct walk *w, hf_sv path)
{
	return !w->is_fetch || hf_map_find(&w->only, path);
}

/* The pieces of a sparse file are read first, then put together. */
static int deliver_sparse(struct tar_walk *t, const struct hf_tar_member *m, const struct hf_entry *e,
			  struct hf_err *err)
{
	struct walk *w = t->w;
	struct hf_err why = { 0 };
	uint64_t held = m->size + (t->in->whole ? 0 : m->stored);
	hf_sv bytes;

	if (m->size > HF_FILE_SPOOL_MAX || m->stored > HF_FILE_SPOOL_MAX || !hf_budget_take(w->source->spool, held))
		return walk_unparsed(w, e->path, "a sparse file over the limit of what is held in memory", err);
	int r = hf_tar_content(t->tar, &bytes, &why);
	if (r)
		r = walk_unparsed(w, e->path, why.msg, err);
	else
		r = w->v->content(w->v, e, bytes, err);
	hf_budget_give(w->source->spool, held);
	return r;
}

static int deliver_content(struct tar_walk *t, const struct hf_tar_member *m, const struct hf_entry *e,
			   struct hf_err *err)
{
	struct walk *w = t->w;
	struct hf_err why = { 0 };
	hf_sv bytes;
	int r;

	if (m->sparse)
		return deliver_sparse(t, m, e, err);
	if (!t->in->whole && m->size > SPOOL_FREE)
		return spool_deliver(w, t->in, t->tar, m, e, err);
	r = hf_tar_content(t->tar, &bytes, &why);
	if (r)
		return walk_unparsed(w, e->path, why.msg, err);
	r = w->v->content(w->v, e, bytes, err);
	if (!r && hf_in_failed(t->in) && t->in->why.code == HF_E_TRUNCATED)
		r = walk_unparsed(w, e->path, t->in->why.msg, err);
	return r;
}

/* Turns "a/.wh.b" into a whiteout of "a/b". False: nothing to be delivered. */
static bool read_whiteout(struct hf_entry *e, const char **ret_complaint)
{
	hf_sv name = hf_sv_basename(e->path);

	if (hf_sv_eq(name, HF_SV(".wh..wh..opq"))) {
		e->type = HF_ENTRY_OPAQUE;
		e->path = hf_sv_dirname(e->path);
	} else if (hf_sv_starts(name, HF_SV(".wh..wh."))) {
		return false;
	} else {
		hf_sv hidden = hf_sv_skip(name, 4);
		if (!hidden.len || hf_sv_eq(hidden, HF_SV(".")) || hf_sv_eq(hidden, HF_SV(".."))) {
			*ret_complaint = "a whiteout of nothing";
			return false;
		}
		/* The name moves over its mark, in the walk's own copy of the path. */
		char *at = (char *)(uintptr_t)name.ptr;
		memmove(at, hidden.ptr, hidden.len);
		e->type = HF_ENTRY_WHITEOUT;
		e->path.len -= 4;
	}
	e->size = 0;
	e->link = e->head = (hf_sv){ 0 };
	return true;
}

static bool read_type(const struct hf_tar_member *m, struct hf_entry *e)
{
	switch (m->type) {
	case '0':
		e->type = HF_ENTRY_FILE;
		e->size = m->size;
		e->head = m->head;
		return true;
	case '1':
		e->type = HF_ENTRY_HARDLINK;
		return true;
	case '2':
		e->type = HF_ENTRY_SYMLINK;
		e->link = m->link;
		return true;
	case '3':
	case '4':
	case '6':
		e->type = HF_ENTRY_DEVICE;
		return true;
	case '5':
	case 'D': /* GNU's folder with its listing */
		e->type = HF_ENTRY_DIR;
		return true;
	}
	return false;
}

/* "-": a whiteout is a name. Files below aufs's own folders at the root are reached by hard links alone. */
static bool is_aufs(hf_sv path)
{
	return hf_sv_starts(path, HF_SV(".wh..wh.")) && memchr(path.ptr, '/', path.len);
}

static int deliver_entry(struct tar_walk *t, const struct hf_tar_member *m, struct hf_err *err)
{
	struct walk *w = t->w;
	struct hf_entry e = { .mode = m->mode, .mtime = m->mtime };
	const char *complaint = NULL;
	bool wants = false;
	enum hf_path_verdict verdict = hf_path_normalise(m->name, t->path, &e.path);

	if (verdict)
		return w->is_fetch ? HF_OK : walk_unparsed(w, e.path, hf_path_complaint(verdict), err);
	if (!is_wanted_name(w, e.path) || (!w->is_fetch && is_aufs(e.path)))
		return HF_OK;
	if (!read_type(m, &e)) {
		char reason[64];
		snprintf(reason, sizeof reason, "an entry of unknown type 0x%02x", (unsigned char)m->type);
		return walk_unparsed(w, e.path, reason, err);
	}
	if (e.type == HF_ENTRY_HARDLINK) {
		verdict = hf_path_normalise(m->link, t->link, &e.link);
		if (verdict)
			return walk_unparsed(w, e.path, "a hard link that leaves the root", err);
	}
	if (!w->is_fetch && hf_sv_starts(hf_sv_basename(e.path), HF_SV(".wh.")) && !read_whiteout(&e, &complaint))
		return complaint ? walk_unparsed(w, e.path, complaint, err) : HF_OK;
	int r = w->v->entry(w->v, &e, &wants, err);
	if (r || !wants || e.type != HF_ENTRY_FILE)
		return r;
	return deliver_content(t, m, &e, err);
}

static int walk_tar(struct walk *w, struct hf_in *in, struct hf_err *err)
{
	struct tar_walk t = { .w = w, .in = in, .tar = hf_tar_new(in) };
	struct hf_tar_member m;
	struct hf_err why = { 0 };
	int r, broken = HF_OK;

	for (r = HF_OK; !r;) {
		broken = hf_tar_next(t.tar, &m, &why);
		if (broken || !m.type)
			break;
		r = walk_count(w, err);
		if (!r)
			r = deliver_entry(&t, &m, err);
	}
	hf_tar_free(t.tar);
	/* What stands behind the archive in a compressed stream is its padding, and the checksum of all of it. */
	if (!r && !broken && !in->whole)
		hf_in_drain(in);
	if (!r && !broken && !in->whole && hf_in_failed(in)) {
		broken = in->why.code;
		why = in->why;
	}
	if (!r && broken)
		r = walk_unparsed(w, (hf_sv){ 0 }, why.msg, err);
	return r;
}

/* The blob's decoder, or NULL where it is plain. */
static struct hf_in *open_decoder(struct hf_source *s, struct hf_in *in)
{
	size_t n = hf_in_need(in, 16);
	const struct hf_codec *codec = hf_codec_of((hf_sv){ in->ptr, n < 16 ? n : 16 });

	return codec ? codec->open(in, s->windows[1]) : NULL;
}

/* A digest that is checked while the walk reads the bytes. */
struct check {
	hf_sv promised;
	const char *what;
	struct hf_digest *digest;
	struct hf_in *in;
};

static int start_check(struct check *c, struct hf_in *inner, struct hf_err *err)
{
	c->digest = hf_digest_new(c->promised);
	if (!c->digest)
		return hf_fail(err, HF_E_DIGEST, "%s: '%.*s' is not a digest", c->what, HF_SV_FMT(c->promised));
	c->in = hf_in_hashed(inner, c->digest);
	return HF_OK;
}

/* Reads to the end whatever the walk left. */
static int end_check(struct check *c, struct hf_err *err)
{
	char text[HF_DIGEST_TEXT_MAX];
	struct hf_err why;

	if (!c->in)
		return HF_OK;
	hf_in_drain(c->in);
	(void)hf_in_failed(c->in);
	why = c->in->why;
	hf_in_closep(&c->in);
	hf_sv is = hf_digest_text(c->digest, text);
	if (!why.code && hf_sv_eq(is, c->promised))
		return HF_OK;
	return hf_fail(err, HF_E_DIGEST, "%s: digest is %.*s, %.*s was promised%s%s", c->what, HF_SV_FMT(is),
		       HF_SV_FMT(c->promised), why.code ? ": " : "", why.code ? why.msg : "");
}

static void check_done(struct check *c)
{
	hf_in_closep(&c->in);
	hf_digest_free(c->digest);
}

/* One pass for the walk and both digests: what stands on what is blob, its digest, decoder, diff_id. */
static int walk_verified(struct walk *w, uint32_t i, struct hf_in *blob, struct hf_err *err)
{
	const struct hf_layer *l = &w->source->artifact.layers[i];
	hf_cleanup(check_done) struct check packed = { .promised = l->digest, .what = "blob" };
	hf_cleanup(hf_in_closep) struct hf_in *decoder = NULL;
	hf_cleanup(check_done) struct check plain = { .promised = l->diff_id, .what = "diff_id" };
	struct hf_in *top = blob;
	int r = l->digest.len ? start_check(&packed, blob, err) : HF_OK;

	if (r)
		return r;
	if (packed.in)
		top = packed.in;
	decoder = open_decoder(w->source, top);
	if (decoder)
		top = decoder;
	if (l->diff_id.len && (decoder || !hf_sv_eq(l->diff_id, l->digest))) {
		if ((r = start_check(&plain, top, err)))
			return r;
		top = plain.in;
	}
	r = walk_tar(w, top, err);
	if (!r)
		r = end_check(&plain, err);
	return r ? r : end_check(&packed, err);
}

static int walk_blob(struct walk *w, uint32_t i, struct hf_err *err)
{
	struct hf_source *s = w->source;
	hf_cleanup(hf_blob_close) struct hf_blob b = { .fd = -1 };
	struct hf_err why = { 0 };
	char reason[sizeof why.msg];

	if (!s->refs[i].name.len) {
		snprintf(reason, sizeof reason, "%.*s", HF_SV_FMT(s->refs[i].missing));
		return walk_unparsed(w, (hf_sv){ 0 }, reason, err);
	}
	if (hf_blob_open(s, s->refs[i].name, &b, &why))
		return walk_unparsed(w, (hf_sv){ 0 }, why.msg, err);
	if (s->options.verify && !w->is_fetch) {
		int r = walk_verified(w, i, b.in, err);
		return r ? hf_wrap(err, "layer %u", i) : HF_OK;
	}
	hf_cleanup(hf_in_closep) struct hf_in *plain = open_decoder(s, b.in);
	return walk_tar(w, plain ? plain : b.in, err);
}

static int finish(const struct walk *w, int r)
{
	return r ? r : w->partial ? HF_PARTIAL : HF_OK;
}

int hf_layer_walk(struct hf_source *s, uint32_t layer, struct hf_layer_visitor *v, struct hf_err *err)
{
	struct walk w = { .source = s, .v = v };

	if (layer >= s->artifact.layers_n)
		return hf_fail(err, HF_E_USAGE, "there is no layer %u", layer);
	return finish(&w, s->kind->is_tree ? walk_tree(&w, err) : walk_blob(&w, layer, err));
}

int hf_layer_fetch(struct hf_source *s, uint32_t layer, const hf_sv *paths, size_t n, struct hf_layer_visitor *v,
		   struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct walk w = { .source = s, .v = v, .only = HF_MAP(&a), .is_fetch = true };

	if (layer >= s->artifact.layers_n)
		return hf_fail(err, HF_E_USAGE, "there is no layer %u", layer);
	for (size_t i = 0; i < n; i++)
		if (!hf_map_put(&w.only, paths[i]))
			return hf_fail(err, HF_E_LIMIT, "%zu paths asked for at once", n);
	if (!n)
		return HF_OK;
	return finish(&w, s->kind->is_tree ? walk_tree_paths(&w, paths, n, err) : walk_blob(&w, layer, err));
}

struct run {
	struct hf_source *source;
	uint32_t *order;
	int (*task)(void *ctx, size_t layer, struct hf_err *err);
	void *ctx;
};

static int run_one(void *ctx, size_t i, struct hf_err *err)
{
	const struct run *run = ctx;

	return run->task(run->ctx, run->order[i], err);
}

static uint64_t offset_of(const struct hf_source *s, uint32_t layer)
{
	return hf_store_offset(s, s->refs[layer].name);
}

static int by_offset(const void *a, const void *b, void *source)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t x_at = offset_of(source, x), y_at = offset_of(source, y);

	return x_at != y_at ? (x_at > y_at) - (x_at < y_at) : (x < y) - (x > y);
}

int hf_layers_run(struct hf_source *s, unsigned jobs, int (*task)(void *ctx, size_t layer, struct hf_err *err),
		  void *ctx, struct hf_err *err)
{
	size_t n = s->artifact.layers_n;
	struct run run = { s, hf_calloc(n, sizeof *run.order), task, ctx };

	for (size_t i = 0; i < n; i++)
		run.order[i] = (uint32_t)(n - 1 - i);
	if (s->wrap && n) {
		qsort_r(run.order, n, sizeof *run.order, by_offset, s);
		jobs = 1;
		hf_store_keep_stream(s, true);
	}
	int r = hf_threads_run(jobs, n, run_one, &run, err);
	hf_store_keep_stream(s, false);
	free(run.order);
	return r;
}
