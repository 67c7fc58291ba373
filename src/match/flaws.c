#include "match/flaws.h"

#include <stdlib.h>

#include "base/map.h"
#include "match/cvss.h"

/* One flaw that one hit speaks of: an erratum with five CVEs gives five. */
struct instance {
	size_t hit;
	size_t parent; /* union-find */
	hf_sv id;      /* the flaw's own, where the record repeats it for a distribution; else the record's */
};

typedef HF_VEC(hf_sv) sv_vec;

struct work {
	const struct hf_flaw_context *c;
	const struct hf_hit *hits;
	struct hf_record *records;
	HF_VEC(struct instance) list;
	struct hf_map by_id; /* upper bound of one instance an id: its index + 1 */
	struct hf_arena *scratch;
};

static size_t root_of(struct work *w, size_t i)
{
	while (w->list.at[i].parent != i) {
		w->list.at[i].parent = w->list.at[w->list.at[i].parent].parent;
		i = w->list.at[i].parent;
	}
	return i;
}

static void join(struct work *w, size_t instance, hf_sv id)
{
	struct hf_map_entry *e = id.len ? hf_map_put(&w->by_id, id) : NULL;

	if (!e)
		return;
	if (!e->value) {
		e->value = (void *)(uintptr_t)(instance + 1);
		return;
	}
	size_t a = root_of(w, (size_t)(uintptr_t)e->value - 1), b = root_of(w, instance);
	if (a < b)
		w->list.at[b].parent = a;
	else
		w->list.at[a].parent = b;
}

static size_t add_instance(struct work *w, size_t hit, hf_sv id)
{
	struct instance *i = hf_vec_push(w->scratch, &w->list);

	if (!i)
		return SIZE_MAX;
	*i = (struct instance){ .hit = hit, .parent = w->list.n - 1, .id = id };
	join(w, w->list.n - 1, id);
	return w->list.n - 1;
}

static void add_hit(struct work *w, size_t hit)
{
	const struct hf_record *r = &w->records[hit];
	struct hf_cur upstream = r->upstream, aliases = r->aliases;
	size_t n = 0, last = SIZE_MAX;
	hf_sv id;

	while (hf_affected_entry_text(&upstream, &id)) {
		last = add_instance(w, hit, id);
		n++;
	}
	if (n > 1)
		return;
	if (!n)
		last = add_instance(w, hit, r->id);
	else if (last != SIZE_MAX)
		join(w, last, r->id);
	while (last != SIZE_MAX && hf_affected_entry_text(&aliases, &id))
		join(w, last, id);
}

static int by_text(const void *a, const void *b)
{
	return hf_sv_cmp(*(const hf_sv *)a, *(const hf_sv *)b);
}

static size_t sort_unique(hf_sv *list, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(list, n, sizeof *list, by_text);
	for (size_t i = 0; i < n; i++)
		if (!kept || !hf_sv_eq(list[kept - 1], list[i]))
			list[kept++] = list[i];
	return kept;
}

static void push(struct hf_arena *a, sv_vec *v, hf_sv s)
{
	hf_sv *slot = s.len ? hf_vec_push(a, v) : NULL;

	if (slot)
		*slot = s;
}

/* The ids that an instance gives its flaw. Of an erratum over several flaws only its own id and the flaw's. */
static void add_ids(struct work *w, const struct instance *i, sv_vec *ids)
{
	const struct hf_record *r = &w->records[i->hit];
	struct hf_cur upstream = r->upstream, aliases = r->aliases;
	size_t n = 0;
	hf_sv id;

	push(w->scratch, ids, i->id);
	push(w->scratch, ids, r->id);
	while (hf_affected_entry_text(&upstream, &id))
		n++;
	while (n < 2 && hf_affected_entry_text(&aliases, &id))
		push(w->scratch, ids, id);
}

static hf_sv word_of_source(const struct work *w, const struct hf_record *r)
{
	if (w->c->distro && w->c->distro->id.len)
		return w->c->distro->id;
	return hf_sv_starts(r->source, HF_SV("osv/")) ? hf_sv_skip(r->source, 4) : r->source;
}

/* Vectors of a list that are not there yet, with their scores. */
static void add_scores(struct hf_cur list, hf_sv fallback, struct hf_scored *out, size_t *n, size_t max)
{
	struct hf_cvss c;

	while (hf_record_cvss(&list, &c) && *n < max) {
		bool there = false;
		hf_sv source = c.source.len ? c.source : fallback;
		for (size_t i = 0; i < *n; i++)
			there |= hf_sv_eq(out[i].vector, c.vector) && hf_sv_eq(out[i].source, source);
		if (!there)
			out[(*n)++] = (struct hf_scored){ source, c.vector, hf_cvss_base_score(c.vector) };
	}
}

static enum hf_severity of_score(double score, unsigned version)
{
	if (score >= 9.0 && version > 20)
		return HF_SEV_CRITICAL;
	if (score >= 7.0)
		return HF_SEV_HIGH;
	if (score >= 4.0)
		return HF_SEV_MEDIUM;
	return score > 0 ? HF_SEV_LOW : HF_SEV_NEGLIGIBLE;
}

/* The newest version of CVSS wins; of one version, the first who scored. */
static void severity_of_scores(struct hf_vulnerability *v)
{
	unsigned best = 0;

	for (size_t i = 0; i < v->cvss_n; i++) {
		unsigned version = hf_cvss_version(v->cvss[i].vector);
		if (v->cvss[i].score < 0 || version <= best)
			continue;
		best = version;
		v->severity = of_score(v->cvss[i].score, version);
		v->severity_source = v->cvss[i].source;
	}
}

static void join_flaw_data(struct work *w, const sv_vec *ids, struct hf_vulnerability *v, struct hf_scored *scores,
			   size_t *n, size_t max)
{
	v->epss = v->epss_percentile = -1;
	for (size_t i = 0; i < ids->n; i++) {
		struct hf_flaw f;
		float score, percentile;
		if (!hf_sv_starts(ids->at[i], HF_SV("CVE-")))
			continue;
		if (hf_database_epss(w->c->database, ids->at[i], &score, &percentile) && score > v->epss) {
			v->epss = score;
			v->epss_percentile = percentile;
		}
		if (!hf_database_flaw(w->c->database, ids->at[i], &f))
			continue;
		if (f.kev) {
			v->kev = true;
			v->kev_ransomware |= f.kev_ransomware;
			if (!v->kev_added.len || hf_sv_cmp(f.kev_added, v->kev_added) < 0)
				v->kev_added = f.kev_added;
		}
		if (!v->title.len)
			v->title = f.title;
		add_scores(f.cvss, HF_SV("nvd"), scores, n, max);
	}
}

enum { SCORES_MAX = 16 };

static enum hf_status status_of(const struct hf_hit *h)
{
	if (h->state == HF_STATE_INVESTIGATING)
		return HF_STATUS_UNDER_INVESTIGATION;
	if (h->state == HF_STATE_WILL_NOT_FIX)
		return HF_STATUS_WILL_NOT_FIX;
	return h->fixed.len ? HF_STATUS_FIXED_AVAILABLE : HF_STATUS_AFFECTED;
}

/* Whose record speaks for the flaw: one with a fix before one without, the main archive before a channel, then the
 * first. */
static bool speaks_before(const struct hf_hit *a, const struct hf_hit *b)
{
	if ((a->fixed.len > 0) != (b->fixed.len > 0))
		return a->fixed.len > 0;
	if ((a->channel.len > 0) != (b->channel.len > 0))
		return a->channel.len == 0;
	return a->record < b->record;
}

static void emit(struct work *w, const size_t *members, size_t n, const struct hf_vulnerability *base,
		 hf_vulnerability_vec *out)
{
	struct hf_arena *a = w->c->arena;
	struct hf_vulnerability v = *base;
	struct hf_scored scores[SCORES_MAX];
	sv_vec ids = { 0 };
	size_t scores_n = 0;
	const struct instance *best = &w->list.at[members[0]];

	for (size_t i = 0; i < n; i++) {
		const struct instance *m = &w->list.at[members[i]];
		const struct hf_hit *h = &w->hits[m->hit];
		const struct hf_record *r = &w->records[m->hit];
		add_ids(w, m, &ids);
		if (speaks_before(h, &w->hits[best->hit]))
			best = m;
		v.kind = !i || r->kind == HF_ADVISORY_MALICIOUS || (v.kind != HF_ADVISORY_MALICIOUS && r->kind < v.kind)
				 ? r->kind
				 : v.kind;
		add_scores(r->cvss, word_of_source(w, r), scores, &scores_n, SCORES_MAX);
		v.unimportant |= h->unimportant;
		if (w->c->distro && (h->severity ? h->severity : r->severity) > v.severity) {
			v.severity = h->severity ? h->severity : r->severity;
			v.severity_source = word_of_source(w, r);
		}
	}
	const struct hf_hit *h = &w->hits[best->hit];
	const struct hf_record *r = &w->records[best->hit];
	v.title = r->summary;
	join_flaw_data(w, &ids, &v, scores, &scores_n, SCORES_MAX);
	ids.n = sort_unique(ids.at, ids.n);
	struct hf_scored *kept = hf_arena_array(a, struct hf_scored, scores_n);
	if (kept)
		memcpy(kept, scores, scores_n * sizeof *kept);
	v.cvss = kept;
	v.cvss_n = kept ? scores_n : 0;
	if (!v.severity)
		severity_of_scores(&v);
	if (!v.severity && (h->severity || r->severity)) {
		v.severity = h->severity ? h->severity : r->severity;
		v.severity_source = word_of_source(w, r);
	}
	v.status = status_of(h);
	v.fixed = h->fixed;
	v.rule = h->rule;
	v.channel = h->channel;
	v.advisory_id = r->id;
	v.advisory_source = r->source;
	v.advisory_url = r->url;
	v.advisory_modified = r->modified;
	v.id = r->id;
	for (size_t i = ids.n; i-- > 0;)
		if (hf_sv_starts(ids.at[i], HF_SV("CVE-")))
			v.id = ids.at[i];
	hf_sv *aliases = hf_arena_array(a, hf_sv, ids.n);
	for (size_t i = 0; aliases && i < ids.n; i++)
		if (!hf_sv_eq(ids.at[i], v.id))
			aliases[v.aliases_n++] = ids.at[i];
	v.aliases = aliases;
	struct hf_vulnerability *slot = hf_vec_push(a, out);
	if (slot)
		*slot = v;
}

void hf_flaws_unite(const struct hf_flaw_context *c, const struct hf_hit *hits, size_t hits_n, uint32_t package,
		    hf_sv installed, bool kernel, hf_vulnerability_vec *out)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(c->arena->cap);
	struct work w = { .c = c, .hits = hits, .by_id = HF_MAP(&scratch), .scratch = &scratch };
	struct hf_vulnerability base = { .package = package, .installed = installed, .kernel_headers = kernel };

	w.records = hf_arena_array(&scratch, struct hf_record, hits_n);
	for (size_t i = 0; w.records && i < hits_n; i++)
		if (hf_database_record(c->database, hits[i].record, &w.records[i]))
			add_hit(&w, i);
	/* Members of each root as a linked list, in order. */
	size_t n = w.list.n;
	size_t *head = hf_arena_array(&scratch, size_t, n), *next = hf_arena_array(&scratch, size_t, n);
	size_t *members = hf_arena_array(&scratch, size_t, n);
	for (size_t i = n; head && next && i-- > 0;) {
		size_t root = root_of(&w, i);
		next[i] = head[root];
		head[root] = i + 1;
	}
	for (size_t i = 0; head && next && members && i < n; i++) {
		size_t k = 0;
		for (size_t at = head[i]; at; at = next[at - 1])
			members[k++] = at - 1;
		if (k)
			emit(&w, members, k, &base, out);
	}
	if (scratch.over)
		c->arena->over = true;
}

void hf_record_ids(const struct hf_record *r, hf_sv id, struct hf_arena *a, const hf_sv **ret, size_t *ret_n)
{
	struct hf_cur aliases = r->aliases, upstream = r->upstream;
	sv_vec ids = { 0 };
	hf_sv text;

	if (!hf_sv_eq(r->id, id))
		push(a, &ids, r->id);
	while (hf_affected_entry_text(&aliases, &text))
		if (!hf_sv_eq(text, id))
			push(a, &ids, text);
	while (hf_affected_entry_text(&upstream, &text))
		if (!hf_sv_eq(text, id))
			push(a, &ids, text);
	*ret_n = sort_unique(ids.at, ids.n);
	*ret = ids.at;
}
