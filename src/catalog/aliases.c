/* Wanted names whose content stands under another name: hard links and symlinks, and links to links. Each layer that holds a
 * content is read once more for all that leads into it. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "catalog/compose.h"

enum { BATCH = 1 << 16 };

struct wish {
	struct hf_alias alias;
	size_t layer; /* in which the link stands that leads on */
	int32_t to;   /* layer of the target, -1: nowhere */
};

struct wishes {
	struct wish *at;
	size_t n;
};

/* Names of a layer's files that gave something. */
static struct hf_path_set names_read(const struct hf_layer_catalog *l)
{
	struct hf_path_set s = { 0 };

	for (size_t i = 0; i < l->evidence.n; i++)
		if (!l->evidence.at[i].replaced)
			hf_path_set_add(&s, l->evidence.at[i].hash, HF_PATH_FILE);
	return s;
}

static int collect(struct composition *c, struct wishes *w, struct hf_err *err)
{
	size_t total = 0;

	for (size_t k = 0; k < c->n; k++)
		for (size_t i = 0; i < c->layers[k].aliases.n; i++, total++) {
			hf_hidden_ask(&c->hidden, c->layers[k].aliases.at[i].path);
			hf_hidden_ask(&c->hidden, c->layers[k].aliases.at[i].target);
		}
	if (!total)
		return HF_OK;
	hf_hidden_find(&c->hidden, c->layers, c->n);
	w->at = hf_calloc(total < HF_ALIASES_MAX ? total : HF_ALIASES_MAX, sizeof *w->at);
	for (size_t k = 0; k < c->n; k++)
		for (size_t i = 0; i < c->layers[k].aliases.n; i++) {
			const struct hf_alias *alias = &c->layers[k].aliases.at[i];
			if (!alias->path.len || hf_hidden_at(&c->hidden, k, alias->path) >= 0)
				continue;
			if (w->n == HF_ALIASES_MAX)
				return hf_layer_catalog_complain(
					&c->layers[k], (hf_sv){ 0 },
					"links in it were not followed: there are too many of them", err);
			w->at[w->n++] = (struct wish){ *alias, k, -1 };
		}
	return HF_OK;
}

static void find_targets(struct composition *c, struct wishes *w)
{
	for (size_t i = 0; i < w->n; i++)
		w->at[i].to = w->at[i].alias.hard ? (int32_t)w->at[i].layer
						  : hf_hidden_holder(&c->hidden, w->at[i].alias.target);
}

/* A package database that is a link into nowhere is told, and a hard link, which always has a file; a symlink may well dangle. */
static int report_lost(struct composition *c, const struct hf_alias *alias, struct hf_err *err)
{
	if (alias->implied || (!alias->hard && !alias->named))
		return HF_OK;
	return hf_layer_catalog_complain(&c->layers[alias->layer], alias->path, "a link to where no file is", err);
}

/* Reads one layer's part of @w; those that turned out to lead on are put to the end of @next. */
static int read_layer(struct composition *c, struct hf_source *source, const struct hf_layer_catalog_options *o,
		      size_t to, const struct wishes *w, struct wishes *next, struct hf_err *err)
{
	struct hf_path_set known = names_read(&c->layers[to]);
	struct hf_alias *batch = hf_calloc(w->n < BATCH ? w->n : BATCH, sizeof *batch);
	int r = HF_OK;

	for (size_t i = 0, n = 0; i <= w->n && r >= 0; i++) {
		if (n == BATCH || (i == w->n && n)) {
			r = hf_layer_catalog_read_aliases(source, o, batch, n, &c->layers[to], err);
			for (size_t b = 0; b < n && r >= 0; b++)
				if (batch[b].moved)
					next->at[next->n++] = (struct wish){ batch[b], to, -1 };
				else if (!batch[b].found)
					r = report_lost(c, &batch[b], err);
			n = 0;
		}
		if (i == w->n || w->at[i].to != (int32_t)to)
			continue;
		/* A symlink to a file that was read under its own name says nothing new. */
		const struct hf_alias *alias = &w->at[i].alias;
		if (alias->hard || !hf_path_set_has(&known, hf_hash(alias->target), HF_PATH_FILE))
			batch[n++] = *alias;
	}
	free(batch);
	hf_path_set_done(&known);
	return r;
}

static int follow(struct composition *c, struct hf_source *source, const struct hf_layer_catalog_options *o,
		  struct wishes *w, struct hf_err *err)
{
	int r = HF_OK;

	for (int links = 0; w->n && r >= 0 && links < HF_LINKS_MAX; links++) {
		struct wishes next = { hf_calloc(w->n, sizeof *next.at), 0 };
		bool *has = hf_calloc(c->n, sizeof *has);
		find_targets(c, w);
		for (size_t i = 0; i < w->n; i++)
			if (w->at[i].to >= 0)
				has[w->at[i].to] = true;
			else if (r >= 0)
				r = report_lost(c, &w->at[i].alias, err);
		for (size_t to = c->n; to-- > 0 && r >= 0;)
			if (has[to])
				r = read_layer(c, source, o, to, w, &next, err);
		free(has);
		free(w->at);
		*w = next;
		for (size_t i = 0; i < w->n; i++)
			hf_hidden_ask(&c->hidden, w->at[i].alias.target);
		if (w->n)
			hf_hidden_find(&c->hidden, c->layers, c->n);
	}
	for (size_t i = 0; i < w->n && r >= 0; i++)
		r = hf_layer_catalog_complain(&c->layers[w->at[i].alias.layer], w->at[i].alias.path,
					      "links to links without an end", err);
	return r;
}

int hf_compose_read_aliases(struct composition *c, struct hf_source *source, const struct hf_layer_catalog_options *o,
			    struct hf_err *err)
{
	struct wishes w = { 0 };
	int r = collect(c, &w, err);

	if (r >= 0)
		r = follow(c, source, o, &w, err);
	free(w.at);
	return r;
}
