
#include "format/json_writer.h"
#include "reach/internal.h"
#include "reach/report.h"

enum { OLD, NEW };
enum { NOWHERE = UINT32_MAX };

/* An end that is in one of the models or in both: the index in each, NOWHERE where it is not there. */
struct end {
	enum hf_reach_end_kind kind;
	uint32_t index[2];
	hf_sv name;
};

struct comparison {
	struct hf_reach *r[2];
	struct hf_arena *a;
	HF_VEC(struct end) sources, targets;
	hf_conns *translated; /* sets of the new model in the old one's numbers, + 1 */
	size_t translated_n;
	struct hf_json_writer *json;
	struct hf_out *out;
	struct hf_reach_change_count count;
};

/* Sets have numbers of their own in each model. */
static hf_conns translate(struct comparison *d, hf_conns c)
{
	struct hf_conn_pool *pool = &d->r[OLD]->pool;
	hf_conns all = HF_CONNS_NONE;

	if (c <= HF_CONNS_ALL)
		return c;
	if (c < d->translated_n && d->translated[c])
		return d->translated[c] - 1;
	const struct hf_conn_set *s = hf_conns_get(&d->r[NEW]->pool, c);
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++)
		for (uint32_t i = 0; i < s->n[p]; i++)
			all = hf_conns_union(pool, all,
					     hf_conns_ports(pool, (enum hf_conn_protocol)p, s->ranges[p][i].first,
							    s->ranges[p][i].last));
	if (c >= d->translated_n) {
		size_t n = 2 * (size_t)c + 64;
		hf_conns *grown = hf_arena_array(d->a, hf_conns, n);
		if (!grown)
			return HF_CONNS_NONE;
		if (d->translated_n)
			memcpy(grown, d->translated, d->translated_n * sizeof *grown);
		d->translated = grown;
		d->translated_n = n;
	}
	d->translated[c] = all + 1;
	return all;
}

/* Addresses are cut where either model cuts them. */
static void add_spans(struct comparison *d, enum hf_reach_side side)
{
	size_t i = 0, k = 0;
	uint64_t at = 0;

	while (i < d->r[OLD]->spans_n[side] && k < d->r[NEW]->spans_n[side]) {
		struct hf_reach_span a = d->r[OLD]->spans[side][i], b = d->r[NEW]->spans[side][k];
		uint32_t last = a.last < b.last ? a.last : b.last;
		struct end *e =
			side == HF_REACH_INGRESS ? hf_vec_push(d->a, &d->sources) : hf_vec_push(d->a, &d->targets);
		if (!e)
			return;
		*e = (struct end){ HF_REACH_SPAN,
				   { (uint32_t)i, (uint32_t)k },
				   hf_reach_span_text((struct hf_reach_span){ (uint32_t)at, last }, d->a) };
		at = (uint64_t)last + 1;
		i += a.last == last;
		k += b.last == last;
	}
}

static void add_end(struct comparison *d, struct end e)
{
	struct end *s = hf_vec_push(d->a, &d->sources),
		   *t = e.kind == HF_REACH_WORKLOAD ? hf_vec_push(d->a, &d->targets) : NULL;

	if (s)
		*s = e;
	if (t)
		*t = e;
}

static void add_workloads(struct comparison *d)
{
	size_t i = 0, k = 0, old_n = d->r[OLD]->workloads.n, new_n = d->r[NEW]->workloads.n;

	while (i < old_n || k < new_n) {
		int order = i == old_n   ? 1
			    : k == new_n ? -1
					 : hf_sv_cmp(d->r[OLD]->workloads.at[i].name, d->r[NEW]->workloads.at[k].name);
		struct end e = { HF_REACH_WORKLOAD,
				 { order <= 0 ? (uint32_t)i : NOWHERE, order >= 0 ? (uint32_t)k : NOWHERE },
				 order <= 0 ? d->r[OLD]->workloads.at[i].name : d->r[NEW]->workloads.at[k].name };
		add_end(d, e);
		i += order <= 0;
		k += order >= 0;
	}
	add_end(d, (struct end){ HF_REACH_CONTROLLER, { 0, 0 }, HF_SV("{ingress-controller}") });
}

static hf_conns between(struct comparison *d, unsigned model, const struct end *from, const struct end *to)
{
	if (from->index[model] == NOWHERE || to->index[model] == NOWHERE)
		return HF_CONNS_NONE;
	hf_conns c = hf_reach_between(d->r[model], (struct hf_reach_end){ from->kind, from->index[model] },
				      (struct hf_reach_end){ to->kind, to->index[model] });
	return model == NEW ? translate(d, c) : c;
}

static void tell(struct comparison *d, const struct end *from, const struct end *to, hf_conns old, hf_conns new)
{
	const char *what = old == HF_CONNS_NONE ? "added" : new == HF_CONNS_NONE ? "removed" : "changed";
	struct hf_conn_pool *pool = &d->r[OLD]->pool;
	hf_sv texts[2] = { hf_conns_text(pool, old, d->a), hf_conns_text(pool, new, d->a) };
	char source[1024], target[1024];

	d->count.added += old == HF_CONNS_NONE;
	d->count.removed += new == HF_CONNS_NONE;
	d->count.changed += old != HF_CONNS_NONE && new != HF_CONNS_NONE;
	d->count.wider |= hf_conns_difference(pool, new, old) != HF_CONNS_NONE;
	if (d->json) {
		hf_jw_object(d->json);
		hf_jw_kv(d->json, "change", hf_sv_of(what));
		hf_jw_kv(d->json, "src", from->name);
		hf_jw_kv(d->json, "dst", to->name);
		hf_jw_kv(d->json, "old", texts[OLD]);
		hf_jw_kv(d->json, "new", texts[NEW]);
		hf_jw_object_end(d->json);
		return;
	}
	hf_escape_controls(source, sizeof source, from->name);
	hf_escape_controls(target, sizeof target, to->name);
	hf_out_addf(d->out, "%-7s  %s -> %s  ", what, source, target);
	if (old != HF_CONNS_NONE)
		hf_out_add(d->out, texts[OLD]);
	hf_out_add(d->out, old != HF_CONNS_NONE && new != HF_CONNS_NONE ? HF_SV("  =>  ") : HF_SV(""));
	if (new != HF_CONNS_NONE)
		hf_out_add(d->out, texts[NEW]);
	hf_out_add(d->out, HF_SV("\n"));
}

static void compare(struct comparison *d)
{
	for (size_t i = 0; i < d->sources.n; i++)
		for (size_t k = 0; k < d->targets.n; k++) {
			const struct end *from = &d->sources.at[i], *to = &d->targets.at[k];
			if (from->kind != HF_REACH_WORKLOAD && to->kind != HF_REACH_WORKLOAD)
				continue;
			hf_conns old = between(d, OLD, from, to), new = between(d, NEW, from, to);
			if (old != new)
				tell(d, from, to, old, new);
		}
}

struct hf_reach_change_count hf_reach_diff(struct hf_reach *from, struct hf_reach *to, bool json, struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };
	struct comparison d = { .r = { from, to }, .a = from->arena, .json = json ? &w : NULL, .out = out };

	add_spans(&d, HF_REACH_INGRESS);
	add_spans(&d, HF_REACH_EGRESS);
	add_workloads(&d);
	if (json) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "schema", HF_SV("holdfast/reach-diff/1"));
		hf_jw_key(&w, "changes");
		hf_jw_array(&w);
	}
	compare(&d);
	if (json) {
		hf_jw_array_end(&w);
		hf_jw_object_end(&w);
		hf_out_add(out, HF_SV("\n"));
	} else if (!d.count.added && !d.count.removed && !d.count.changed) {
		hf_out_add(out, HF_SV("no connection changes\n"));
	}
	return d.count;
}
