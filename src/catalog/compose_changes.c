/* What each layer added, changed and removed. Databases are compared as wholes; packages that are files of their own by which
 * files a layer brings and which it hides. */
#include "catalog/compose.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"
#include "model/purl.h"

struct lists {
	HF_VEC(struct hf_package_change) added;
	HF_VEC(struct hf_package_change) changed;
	HF_VEC(struct hf_package_change) removed;
};

static hf_sv keep(struct hf_arena *a, hf_sv s)
{
	return s.len ? hf_arena_dup(a, s) : (hf_sv){ 0 };
}

static void note(struct composition *c, struct lists *l, const struct hf_package *before,
		 const struct hf_package *after)
{
	struct hf_arena *a = &c->inv->arena;
	struct hf_package_change *change = !before  ? hf_vec_push(a, &l->added)
					   : !after ? hf_vec_push(a, &l->removed)
						    : hf_vec_push(a, &l->changed);

	if (!change)
		return;
	change->purl = hf_purl_of_package(after ? after : before, &c->inv->os, a);
	change->before = before ? keep(a, before->version) : (hf_sv){ 0 };
	change->after = after ? keep(a, after->version) : (hf_sv){ 0 };
}

/* A stock of packages by identity: several of the same name can be there (npm), so each identity holds a list. */
struct stock_item {
	const struct hf_package *package;
	struct stock_item *next;
};

/* What a map's entry leads to. */
struct stock {
	struct stock_item *items;
	size_t n;
};

static void put(struct hf_arena *a, struct hf_map *stocks, const struct hf_package *p)
{
	struct hf_map_entry *e = hf_map_put(stocks, hf_compose_identity(a, p, false));
	struct stock_item *item = hf_arena_new(a, struct stock_item);

	if (e && !e->value)
		e->value = hf_arena_new(a, struct stock);
	struct stock *stock = e ? e->value : NULL;
	if (!item || !stock)
		return;
	*item = (struct stock_item){ p, stock->items };
	stock->items = item;
	stock->n++;
}

static int by_version(const void *a, const void *b)
{
	const struct hf_package *const *x = a, *const *y = b;

	return hf_sv_cmp((*x)->version, (*y)->version);
}

/* The stock's packages by version; NULL where there are none. */
static const struct hf_package **sorted(struct hf_arena *a, const struct stock *stock)
{
	const struct hf_package **list = stock ? hf_arena_array(a, const struct hf_package *, stock->n) : NULL;
	size_t n = 0;

	for (const struct stock_item *item = list ? stock->items : NULL; item; item = item->next)
		list[n++] = item->package;
	if (n > 1)
		qsort(list, n, sizeof(struct hf_package *), by_version);
	return list;
}

/* Drops what both lists hold in the same version, as often as both do. */
static void cancel(const struct hf_package **x, size_t *x_n, const struct hf_package **y, size_t *y_n)
{
	size_t i = 0, k = 0, x_kept = 0, y_kept = 0;

	while (i < *x_n || k < *y_n) {
		int order = i == *x_n ? 1 : k == *y_n ? -1 : hf_sv_cmp(x[i]->version, y[k]->version);
		if (order < 0) {
			x[x_kept++] = x[i++];
		} else if (order > 0) {
			y[y_kept++] = y[k++];
		} else {
			i++;
			k++;
		}
	}
	*x_n = x_kept;
	*y_n = y_kept;
}

/* Pairs what is gone with what came: equal versions cancel out, others are changes, the rest was added or removed. */
static void compare(struct composition *c, struct hf_map *gone, struct hf_map *came, struct lists *out)
{
	for (size_t i = 0; i < came->n; i++) {
		struct hf_map_entry *e = hf_map_find(gone, came->entries[i].key);
		struct stock *new = came->entries[i].value, *old = e ? e->value : NULL;
		const struct hf_package **after = sorted(came->arena, new), **before = sorted(came->arena, old);
		size_t after_n = after ? new->n : 0, before_n = before ? old->n : 0;

		cancel(after, &after_n, before, &before_n);
		for (size_t k = 0; k < after_n || k < before_n; k++)
			note(c, out, k < before_n ? before[k] : NULL, k < after_n ? after[k] : NULL);
		if (old)
			old->items = NULL;
	}
	for (size_t i = 0; i < gone->n; i++) {
		const struct stock *old = gone->entries[i].value;
		for (const struct stock_item *item = old ? old->items : NULL; item; item = item->next)
			note(c, out, item->package, NULL);
	}
	c->inv->arena.over |= came->arena->over;
}

static int by_package(const void *a, const void *b)
{
	const struct hf_package_change *x = a, *y = b;
	int r = hf_sv_cmp(x->purl, y->purl);

	return r ? r : hf_sv_cmp(x->before, y->before);
}

/* Databases of one kind of package in layer @k: into @stock, true where there is one. */
static bool put_databases(struct composition *c, struct hf_arena *a, size_t k, enum hf_package_type type,
			  struct hf_map *stock)
{
	const struct hf_layer_catalog *l = &c->layers[k];
	bool found = false;

	for (size_t i = 0; i < l->evidence.n; i++) {
		const struct hf_evidence *ev = &l->evidence.at[i];
		if (!ev->database || ev->replaced || l->packages.at[ev->first_package].type != type)
			continue;
		found = true;
		for (size_t p = 0; p < ev->packages_n; p++)
			put(a, stock, &l->packages.at[ev->first_package + p]);
	}
	return found;
}

static void compare_databases(struct composition *c, size_t k, enum hf_package_type type, struct lists *out)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	struct hf_map came = HF_MAP(&scratch), gone = HF_MAP(&scratch);

	if (!put_databases(c, &scratch, k, type, &came))
		return;
	for (size_t below = k; below-- > 0;)
		if (put_databases(c, &scratch, below, type, &gone))
			break;
	compare(c, &gone, &came, out);
}

static void compare_files(struct composition *c, size_t k, struct lists *out)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	struct hf_map came = HF_MAP(&scratch), gone = HF_MAP(&scratch);

	for (size_t from = 0; from <= k; from++) {
		const struct hf_layer_catalog *l = &c->layers[from];
		for (size_t i = 0; i < l->evidence.n; i++) {
			const struct hf_evidence *ev = &l->evidence.at[i];
			if (ev->database || ev->replaced || (from < k && c->hidden_at[from][i] != (int32_t)k))
				continue;
			for (size_t p = 0; p < ev->packages_n; p++)
				put(&scratch, from == k ? &came : &gone, &l->packages.at[ev->first_package + p]);
		}
	}
	compare(c, &gone, &came, out);
}

void hf_compose_changes(struct composition *c)
{
	static const enum hf_package_type distributions[] = { HF_PKG_DEB, HF_PKG_APK, HF_PKG_RPM };
	struct hf_inventory *inv = c->inv;

	inv->layers = hf_arena_array(&inv->arena, struct hf_layer_changes, c->n);
	inv->layers_n = inv->layers ? c->n : 0;
	for (size_t k = 0; k < inv->layers_n; k++) {
		struct lists l = { 0 };
		for (size_t i = 0; i < HF_ARRAY_SIZE(distributions); i++)
			compare_databases(c, k, distributions[i], &l);
		compare_files(c, k, &l);
		if (l.added.n)
			qsort(l.added.at, l.added.n, sizeof *l.added.at, by_package);
		if (l.changed.n)
			qsort(l.changed.at, l.changed.n, sizeof *l.changed.at, by_package);
		if (l.removed.n)
			qsort(l.removed.at, l.removed.n, sizeof *l.removed.at, by_package);
		inv->layers[k] = (struct hf_layer_changes){
			l.added.at,
			l.added.n,
			l.changed.at,
			l.changed.n,
			l.removed.at,
			l.removed.n,
			c->layers[k].files_n,
			c->layers[k].content_size,
			c->layers[k].executables_n,
		};
	}
}
