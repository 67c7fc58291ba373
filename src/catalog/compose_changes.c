/* What each layer added, changed and removed. Databases are compared as wholes; packages that are files of their own by which
 * files a layer brings and which it hides. */
#include "catalog/compose.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"
#include "model/purl.h"

struct lists {
	HF_VEC(struct hf_change) added;
	HF_VEC(struct hf_change) changed;
	HF_VEC(struct hf_change) removed;
};

static hf_sv keep(struct hf_arena *a, hf_sv s)
{
	return s.len ? hf_arena_dup(a, s) : (hf_sv){ 0 };
}

static struct hf_package keep_package(struct composition *c, const struct hf_package *p)
{
	struct hf_arena *a = &c->inv->arena;
	struct hf_package copy = { .type = p->type,
				   .name = keep(a, p->name),
				   .version = keep(a, p->version),
				   .arch = keep(a, p->arch),
				   .source_name = keep(a, p->source_name),
				   .source_version = keep(a, p->source_version),
				   .path = keep(a, p->path),
				   .layer = p->layer };

	copy.purl = hf_purl_of_package(p, &c->inv->os, a);
	return copy;
}

static void note(struct composition *c, struct lists *l, const struct hf_package *before, const struct hf_package *after)
{
	struct hf_arena *a = &c->inv->arena;
	struct hf_change *change = !before ? hf_vec_push(a, &l->added) :
				   !after  ? hf_vec_push(a, &l->removed) :
					     hf_vec_push(a, &l->changed);

	if (!change)
		return;
	change->package = keep_package(c, after ? after : before);
	change->before = before ? keep(a, before->version) : (hf_sv){ 0 };
	change->after = after ? keep(a, after->version) : (hf_sv){ 0 };
}

/* A stock of packages by identity: several of the same name can be there (npm), so each identity holds a list. */
struct stock_item {
	const struct hf_package *package;
	struct stock_item *next;
};

static void put(struct hf_arena *a, struct hf_map *stock, const struct hf_package *p)
{
	struct hf_map_entry *e = hf_map_put(stock, hf_compose_identity(a, p, false));
	struct stock_item *item = hf_arena_new(a, struct stock_item);

	if (!e || !item)
		return;
	*item = (struct stock_item){ p, e->value };
	e->value = item;
}

/* Pairs what is gone with what came: equal versions cancel out, others are changes, the rest was added or removed. */
static void compare(struct composition *c, struct hf_map *gone, struct hf_map *came, struct lists *out)
{
	for (size_t i = 0; i < came->n; i++) {
		struct hf_map_entry *g = hf_map_find(gone, came->entries[i].key);
		for (struct stock_item *item = came->entries[i].value; item; item = item->next) {
			struct stock_item **match = NULL;
			for (struct stock_item **p = g ? (struct stock_item **)&g->value : NULL; p && *p; p = &(*p)->next)
				if (hf_sv_eq((*p)->package->version, item->package->version))
					match = p;
			if (match) {
				*match = (*match)->next;
				item->package = NULL;
			}
		}
		for (struct stock_item *item = came->entries[i].value; item; item = item->next) {
			if (!item->package)
				continue;
			struct stock_item *old = g ? g->value : NULL;
			note(c, out, old ? old->package : NULL, item->package);
			if (old)
				g->value = old->next;
		}
	}
	for (size_t i = 0; i < gone->n; i++)
		for (struct stock_item *item = gone->entries[i].value; item; item = item->next)
			note(c, out, item->package, NULL);
}

static int by_package(const void *a, const void *b)
{
	const struct hf_change *x = a, *y = b;
	int r = hf_sv_cmp(x->package.purl, y->package.purl);

	return r ? r : hf_sv_cmp(x->before, y->before);
}

/* Databases of one kind of package in layer @k: into @stock, true where there is one. */
static bool put_databases(struct composition *c, struct hf_arena *a, size_t k, enum hf_package_type type, struct hf_map *stock)
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
			l.added.at, l.added.n, l.changed.at, l.changed.n, l.removed.at, l.removed.n,
			c->layers[k].files_n, c->layers[k].content_size, c->layers[k].executables_n,
		};
	}
}
