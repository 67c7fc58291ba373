#include "catalog/inventory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/threads.h"
#include "catalog/compose.h"
#include "model/purl.h"

static void ask_all(struct composition *c)
{
	for (size_t k = 0; k < c->n; k++) {
		const struct hf_layer_catalog *l = &c->layers[k];
		for (size_t i = 0; i < l->evidence.n; i++)
			hf_hidden_ask(&c->hidden, l->evidence.at[i].path);
		for (size_t i = 0; i < l->unparsed.n; i++)
			hf_hidden_ask(&c->hidden, hf_compose_outer_path(l->unparsed.at[i].path));
	}
	hf_hidden_find(&c->hidden, c->layers, c->n);
}

static void find_hidden(struct composition *c)
{
	ask_all(c);
	c->hidden_at = hf_calloc(c->n, sizeof *c->hidden_at);
	for (size_t k = 0; k < c->n; k++) {
		const struct hf_layer_catalog *l = &c->layers[k];
		c->hidden_at[k] = hf_calloc(l->evidence.n, sizeof **c->hidden_at);
		for (size_t i = 0; i < l->evidence.n; i++)
			c->hidden_at[k][i] = hf_hidden_at(&c->hidden, l->evidence.at[i].layer, l->evidence.at[i].path);
	}
}

bool hf_compose_is_visible(const struct composition *c, size_t layer, size_t evidence)
{
	return c->hidden_at[layer][evidence] < 0 && !c->layers[layer].evidence.at[evidence].replaced;
}

/* ---- the operating system ---- */

static size_t os_rank(hf_sv path)
{
	const char *const *wants = hf_cataloger_os_release.wants;
	size_t i = 0;

	while (wants[i] && !hf_glob_match(hf_sv_of(wants[i]), path))
		i++;
	return i;
}

static struct hf_os keep_os(struct hf_arena *a, const struct hf_os *os)
{
	return (struct hf_os){ hf_arena_dup(a, os->id),         hf_arena_dup(a, os->id_like),
			       hf_arena_dup(a, os->version_id), hf_arena_dup(a, os->codename),
			       hf_arena_dup(a, os->name),       hf_arena_dup(a, os->path) };
}

/* The file that comes first in the order of precedence; what it leaves open is taken from another that names the same system. */
static void choose_os(struct composition *c)
{
	const struct hf_os *best = NULL, *other = NULL;
	size_t best_rank = SIZE_MAX;

	for (int pass = 0; pass < 2; pass++)
		for (size_t k = c->n; k-- > 0;)
			for (size_t i = 0; i < c->layers[k].evidence.n; i++) {
				const struct hf_evidence *ev = &c->layers[k].evidence.at[i];
				if (!ev->os || !hf_compose_is_visible(c, k, i))
					continue;
				const struct hf_os *os = &c->layers[k].os.at[ev->os - 1];
				if (pass == 0 && os_rank(ev->path) < best_rank) {
					best = os;
					best_rank = os_rank(ev->path);
				} else if (pass == 1 && os != best && hf_sv_eq(os->id, best->id) && !other &&
					   (os->codename.len || os->version_id.len)) {
					other = os;
				}
			}
	if (!best)
		return;
	c->inv->os = keep_os(&c->inv->arena, best);
	if (other && !best->codename.len)
		c->inv->os.codename = hf_arena_dup(&c->inv->arena, other->codename);
	if (other && !best->version_id.len && !best->codename.len)
		c->inv->os.version_id = hf_arena_dup(&c->inv->arena, other->version_id);
}

/* ---- packages ---- */

hf_sv hf_compose_identity(struct hf_arena *a, const struct hf_package *p, bool with_version)
{
	return hf_arena_fmt(a, "%d %.*s %.*s %.*s", (int)p->type, HF_SV_FMT(p->name), HF_SV_FMT(p->arch),
			    with_version ? (int)p->version.len : 0, p->version.ptr ? p->version.ptr : "");
}

static void add_packages(struct composition *c, size_t layer, const struct hf_evidence *ev, struct hf_package *out,
			 size_t *n)
{
	for (size_t i = 0; i < ev->packages_n; i++)
		out[(*n)++] = c->layers[layer].packages.at[ev->first_package + i];
}

/* A database states the whole set of its layer, so a package came with the lowest layer of the run in which it stands unchanged. */
static void attribute_to_layers(struct composition *c, size_t layer, enum hf_package_type type,
				struct hf_package *packages, size_t n)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	bool *settled = hf_calloc(n, sizeof *settled);

	for (size_t k = layer; k-- > 0;) {
		struct hf_map there = HF_MAP(&scratch);
		bool found = false;
		for (size_t i = 0; i < c->layers[k].evidence.n; i++) {
			const struct hf_evidence *ev = &c->layers[k].evidence.at[i];
			if (!ev->database || ev->replaced || c->layers[k].packages.at[ev->first_package].type != type)
				continue;
			found = true;
			for (size_t p = 0; p < ev->packages_n; p++)
				hf_map_put(&there,
					   hf_compose_identity(&scratch,
							       &c->layers[k].packages.at[ev->first_package + p], true));
		}
		if (!found)
			continue;
		for (size_t i = 0; i < n; i++) {
			settled[i] |= !hf_map_find(&there, hf_compose_identity(&scratch, &packages[i], true));
			if (!settled[i])
				packages[i].layer = (int32_t)k;
		}
		hf_arena_reset(&scratch);
	}
	free(settled);
}

static bool has_visible_database(const struct composition *c, enum hf_package_type type)
{
	for (size_t k = 0; k < c->n; k++)
		for (size_t i = 0; i < c->layers[k].evidence.n; i++) {
			const struct hf_evidence *ev = &c->layers[k].evidence.at[i];
			if (ev->database && hf_compose_is_visible(c, k, i) &&
			    c->layers[k].packages.at[ev->first_package].type == type)
				return true;
		}
	return false;
}

/* A database that an upper layer deleted still says what was put in: it counts where none of its kind took its place. */
static void recover_databases(struct composition *c)
{
	for (size_t k = c->n; k-- > 0;)
		for (size_t i = 0; i < c->layers[k].evidence.n; i++) {
			const struct hf_evidence *ev = &c->layers[k].evidence.at[i];
			if (!ev->database || ev->replaced || c->hidden_at[k][i] < 0 ||
			    has_visible_database(c, c->layers[k].packages.at[ev->first_package].type))
				continue;
			c->inv->database_removed_in = c->hidden_at[k][i];
			c->inv->database_path = hf_arena_dup(&c->inv->arena, ev->path);
			c->hidden_at[k][i] = -1;
		}
}

static size_t collect_packages(struct composition *c, struct hf_package **ret)
{
	size_t total = 0, n = 0;

	for (size_t k = 0; k < c->n; k++)
		total += c->layers[k].packages.n;
	struct hf_package *all = hf_calloc(total, sizeof *all);
	for (size_t k = 0; k < c->n; k++)
		for (size_t i = 0; i < c->layers[k].evidence.n; i++) {
			const struct hf_evidence *ev = &c->layers[k].evidence.at[i];
			if (!hf_compose_is_visible(c, k, i))
				continue;
			size_t first = n;
			add_packages(c, k, ev, all, &n);
			c->inv->has_database |= n > first && hf_package_type_is_distribution(all[first].type);
			if (!ev->database)
				continue;
			attribute_to_layers(c, k, all[first].type, all + first, n - first);
		}
	*ret = all;
	return n;
}

hf_sv hf_compose_outer_path(hf_sv path)
{
	return hf_sv_first(path, hf_sv_find(path, HF_SV("!/")));
}

/* ---- merging ---- */

static int by_place(const void *a, const void *b)
{
	const struct hf_package *x = a, *y = b;
	int r = hf_sv_cmp(x->purl, y->purl);

	if (!r)
		r = (x->owned_by.len > 0) - (y->owned_by.len > 0);
	if (!r)
		r = (x->layer > y->layer) - (x->layer < y->layer);
	if (!r)
		r = hf_sv_cmp(x->path, y->path);
	if (!r)
		r = (x->line > y->line) - (x->line < y->line);
	return r;
}

static bool is_same(const struct hf_package *x, const struct hf_package *y)
{
	return hf_sv_eq(x->purl, y->purl) && hf_sv_eq(x->owned_by, y->owned_by) && x->layer == y->layer;
}

static void keep_package(struct hf_arena *a, struct hf_package *p)
{
	hf_sv *fields[] = { &p->name,           &p->version, &p->arch,   &p->source_name,
			    &p->source_version, &p->module,  &p->origin, &p->path };
	hf_sv *licences = hf_arena_array(a, hf_sv, p->licences_n);

	for (size_t i = 0; i < HF_ARRAY_SIZE(fields); i++)
		*fields[i] = fields[i]->len ? hf_arena_dup(a, *fields[i]) : (hf_sv){ 0 };
	for (size_t i = 0; licences && i < p->licences_n; i++)
		licences[i] = hf_arena_dup(a, p->licences[i]);
	p->licences = licences;
}

static void merge_packages(struct composition *c, struct hf_package *all, size_t n)
{
	struct hf_arena *a = &c->inv->arena;
	size_t kept = 0;

	qsort(all, n, sizeof *all, by_place);
	struct hf_package *out = hf_arena_array(a, struct hf_package, n);
	for (size_t i = 0, end; out && i < n; i = end) {
		for (end = i + 1; end < n && !c->options->each_path && is_same(&all[i], &all[end]);)
			end++;
		struct hf_package p = all[i];
		keep_package(a, &p);
		hf_sv *paths = hf_arena_array(a, hf_sv, end - i);
		size_t paths_n = 0;
		for (size_t k = i; paths && k < end; k++) {
			if (paths_n && hf_sv_eq(paths[paths_n - 1], all[k].path))
				continue;
			paths[paths_n++] = k == i ? p.path : hf_arena_dup(a, all[k].path);
			p.declared_only &= all[k].declared_only;
		}
		p.paths = paths;
		p.paths_n = paths_n;
		out[kept++] = p;
	}
	c->inv->packages = out;
	c->inv->packages_n = out ? kept : 0;
}

/* ---- what was not understood ---- */

static int by_layer_and_path(const void *a, const void *b)
{
	const struct hf_inventory_unparsed *x = a, *y = b;
	int r = (x->layer > y->layer) - (x->layer < y->layer);

	if (!r)
		r = hf_sv_cmp(x->path, y->path);
	return r ? r : hf_sv_cmp(x->reason, y->reason);
}

static void collect_unparsed(struct composition *c)
{
	struct hf_arena *a = &c->inv->arena;
	HF_VEC(struct hf_inventory_unparsed) list = { 0 };

	for (size_t k = 0; k < c->n; k++) {
		const struct hf_layer_catalog *l = &c->layers[k];
		bool *gone = hf_calloc(l->unparsed.n, sizeof *gone);
		for (size_t i = 0; i < l->evidence.n; i++)
			for (size_t u = 0; l->evidence.at[i].replaced && u < l->evidence.at[i].unparsed_n; u++)
				gone[l->evidence.at[i].first_unparsed + u] = true;
		for (size_t i = 0; i < l->unparsed.n; i++) {
			hf_sv path = l->unparsed.at[i].path;
			if (gone[i] || (path.len && hf_hidden_at(&c->hidden, l->unparsed.at[i].layer,
								 hf_compose_outer_path(path)) >= 0))
				continue;
			struct hf_inventory_unparsed *u = hf_vec_push(a, &list);
			if (u)
				*u = (struct hf_inventory_unparsed){ hf_arena_dup(a, path),
								     hf_arena_dup(a, l->unparsed.at[i].reason),
								     (int32_t)k };
		}
		free(gone);
	}
	if (list.n)
		qsort(list.at, list.n, sizeof *list.at, by_layer_and_path);
	c->inv->unparsed = list.at;
	c->inv->unparsed_n = list.n;
}

/* ---- the whole ---- */

struct job {
	struct hf_source *source;
	const struct hf_layer_catalog_options *options;
	struct hf_layer_catalog *layers;
	size_t n;
	atomic_size_t done;
};

static int read_one(void *ctx, size_t layer, struct hf_err *err)
{
	struct job *job = ctx;
	struct hf_layer_catalog_options o = *job->options;

	o.keep_paths = layer > 0;
	int r = hf_layer_catalog_read(job->source, (uint32_t)layer, &o, &job->layers[layer], err);
	size_t done = atomic_fetch_add(&job->done, 1) + 1;
	if (o.worker)
		hf_board_progress(o.worker->board, done, job->n, "reading layers:");
	return r;
}

static int compose(struct composition *c, struct hf_err *err)
{
	struct hf_inventory *inv = c->inv;
	struct hf_package *all = NULL;

	find_hidden(c);
	choose_os(c);
	hf_compose_changes(c);
	recover_databases(c);
	size_t n = collect_packages(c, &all);
	for (size_t i = 0; i < n; i++)
		all[i].purl = hf_purl_of_package(&all[i], &inv->os, &inv->arena);
	hf_compose_owners(c, all, n);
	merge_packages(c, all, n);
	collect_unparsed(c);
	free(all);
	for (size_t k = 0; k < c->n; k++) {
		inv->files_n += c->layers[k].files_n;
		inv->content_size += c->layers[k].content_size;
		inv->executables_n += c->layers[k].executables_n;
		free(c->hidden_at[k]);
	}
	free(c->hidden_at);
	if (inv->arena.over)
		return hf_fail(err, HF_E_LIMIT, "the inventory needs more than %zu bytes", inv->arena.cap);
	return inv->unparsed_n ? HF_PARTIAL : HF_OK;
}

int hf_inventory_read(struct hf_source *source, const struct hf_inventory_options *options, struct hf_inventory *inv,
		      struct hf_err *err)
{
	size_t n = hf_source_artifact(source)->layers_n;
	struct hf_wants *wants = hf_wants_new();
	struct hf_layer_catalog_options o = { .wants = wants,
					      .worker = options->worker,
					      .arena_max = HF_INVENTORY_ARENA_MAX };
	struct job job = { .source = source, .options = &o, .layers = hf_calloc(n, sizeof *job.layers), .n = n };
	struct composition c = { .inv = inv, .layers = job.layers, .n = n, .options = options };

	*inv = (struct hf_inventory){ .arena = HF_ARENA(HF_INVENTORY_ARENA_MAX), .database_removed_in = -1 };
	unsigned jobs = options->worker && options->worker->one_thread ? 1 : options->jobs;
	int r = hf_layers_run(source, jobs, read_one, &job, err);
	if (r >= 0)
		r = hf_compose_read_aliases(&c, source, &o, err);
	if (r >= 0)
		r = compose(&c, err);
	hf_hidden_done(&c.hidden);
	for (size_t k = 0; k < n; k++)
		hf_layer_catalog_done(&c.layers[k]);
	free(job.layers);
	hf_wants_free(wants);
	return r;
}

void hf_inventory_done(struct hf_inventory *inv)
{
	hf_arena_done(&inv->arena);
}
