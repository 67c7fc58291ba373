#include "layers/layers.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/limits.h"
#include "format/tar.h"
#include "layers/walk.h"

/* What the decoders' own buffers hold anyway is not counted as spooled. */
enum { SPOOL_FREE = 512 << 10 };

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

static int deliver_content(struct tar_walk *t, const struct hf_tar_member *m, const struct hf_entry *e,
			   struct hf_err *err)
{
	struct walk *w = t->w;
	bool held = m->sparse || !t->in->whole;
	struct hf_err why = { 0 };
	char reason[160];
	hf_sv bytes;

	if (held && (m->size > HF_FILE_SPOOL_MAX || m->stored > HF_FILE_SPOOL_MAX)) {
		snprintf(reason, sizeof reason,
			 "a file of %llu MiB, which would have to be held in memory: %llu MiB are the limit",
			 (unsigned long long)(m->size >> 20), (unsigned long long)(HF_FILE_SPOOL_MAX >> 20));
		return walk_unparsed(w, e->path, reason, err);
	}
	uint64_t spool = held && m->size > SPOOL_FREE ? m->size : 0;
	if (spool && !hf_budget_take(w->source->spool, spool))
		return walk_unparsed(w, e->path, "a file over the limit of what is held in memory", err);
	int r = hf_tar_content(t->tar, &bytes, &why);
	if (r)
		r = walk_unparsed(w, e->path, why.msg, err);
	else if (!(r = w->v->content(w->v, e, bytes, err)) && hf_in_failed(t->in) && t->in->why.code == HF_E_TRUNCATED)
		r = walk_unparsed(w, e->path, t->in->why.msg, err);
	if (spool)
		hf_budget_give(w->source->spool, spool);
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
	while (!r && !broken && !in->whole && hf_in_need(in, 1))
		hf_in_take(in, in->len);
	if (!r && !broken && !in->whole && hf_in_failed(in)) {
		broken = in->why.code;
		why = in->why;
	}
	if (!r && broken)
		r = walk_unparsed(w, (hf_sv){ 0 }, why.msg, err);
	return r;
}

static int check_stream(struct hf_in *in, hf_sv promised, const char *what, struct hf_err *err)
{
	char text[HF_DIGEST_TEXT_MAX];
	struct hf_digest *d = hf_digest_new(promised);

	if (!d)
		return hf_fail(err, HF_E_DIGEST, "%s: '%.*s' is not a digest", what, HF_SV_FMT(promised));
	while (hf_in_need(in, 1)) {
		hf_digest_add(d, (hf_sv){ in->ptr, in->len });
		hf_in_take(in, in->len);
	}
	hf_sv is = hf_digest_text(d, text);
	hf_digest_free(d);
	if (!hf_in_failed(in) && hf_sv_eq(is, promised))
		return HF_OK;
	return hf_fail(err, HF_E_DIGEST, "%s: digest is %.*s, %.*s was promised%s%s", what, HF_SV_FMT(is),
		       HF_SV_FMT(promised), in->why.code ? ": " : "", in->why.code ? in->why.msg : "");
}

/* The blob's decoder, or NULL where it is plain. */
static struct hf_in *open_decoder(struct hf_source *s, struct hf_in *in)
{
	size_t n = hf_in_need(in, 16);
	const struct hf_codec *codec = hf_codec_of((hf_sv){ in->ptr, n < 16 ? n : 16 });

	return codec ? codec->open(in, s->windows[1]) : NULL;
}

static int verify_layer(struct hf_source *s, uint32_t i, struct hf_err *err)
{
	const struct hf_layer *l = &s->artifact.layers[i];

	if (l->digest.len) {
		hf_cleanup(hf_blob_close) struct hf_blob b = { .fd = -1 };
		int r = hf_blob_open(s, s->refs[i].name, &b, err);
		if (!r)
			r = check_stream(b.in, l->digest, "blob", err);
		if (r)
			return r;
	}
	if (!l->diff_id.len)
		return HF_OK;
	hf_cleanup(hf_blob_close) struct hf_blob b = { .fd = -1 };
	int r = hf_blob_open(s, s->refs[i].name, &b, err);
	if (r)
		return r;
	hf_cleanup(hf_in_closep) struct hf_in *plain = open_decoder(s, b.in);
	return check_stream(plain ? plain : b.in, l->diff_id, "diff_id", err);
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
	int r = s->options.verify && !w->is_fetch ? verify_layer(s, i, err) : HF_OK;
	if (r)
		return hf_wrap(err, "layer %u", i);
	if (hf_blob_open(s, s->refs[i].name, &b, &why))
		return walk_unparsed(w, (hf_sv){ 0 }, why.msg, err);
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
