#include "reach/reach.h"

#include "flow/address.h"
#include "base/limits.h"
#include "reach/internal.h"
#include "reach/write.h"

struct hf_reach *hf_reach_build(const struct hf_kube_objects *set, struct hf_arena *a)
{
	struct hf_reach *r = hf_arena_new(a, struct hf_reach);

	if (!r)
		return NULL;
	r->arena = a;
	r->set = set;
	r->notes.arena = a;
	r->namespace_index = HF_MAP(a);
	r->workload_index = HF_MAP(a);
	hf_conn_pool_init(&r->pool, a);
	r->policies = hf_reach_policies(set, &r->pool, &r->notes, &r->policies_n);
	reach_gather(r);
	reach_cut_addresses(r);
	if (!a->over)
		reach_fill_rows(r);
	if (!a->over)
		reach_services(r);
	return a->over ? NULL : r;
}

hf_sv hf_reach_end_name(const struct hf_reach *r, struct hf_reach_end e, bool source, struct hf_arena *a)
{
	if (e.kind == HF_REACH_WORKLOAD)
		return r->workloads.at[e.index].name;
	if (e.kind == HF_REACH_SPAN)
		return hf_reach_span_text(r->spans[source ? HF_REACH_INGRESS : HF_REACH_EGRESS][e.index], a);
	return HF_SV("{ingress-controller}");
}

static hf_conns row_at(const struct hf_reach *r, uint32_t group, enum hf_reach_side side, size_t peer)
{
	return reach_row_value(r, &r->rows.at[r->groups.at[group].rows[side]], peer);
}

static hf_conns between_groups(struct hf_reach *r, uint32_t from, uint32_t to)
{
	hf_conns out = row_at(r, from, HF_REACH_EGRESS, to);

	return out == HF_CONNS_NONE ? out : hf_conns_intersection(&r->pool, out, row_at(r, to, HF_REACH_INGRESS, from));
}

hf_conns reach_within(struct hf_reach *r, uint32_t workload)
{
	const struct hf_reach_workload *w = &r->workloads.at[workload];
	hf_conns all = HF_CONNS_NONE;

	for (size_t i = 0; i < w->groups.n; i++)
		for (size_t k = 0; k < w->groups.n; k++)
			all = hf_conns_union(&r->pool, all, between_groups(r, w->groups.at[i], w->groups.at[k]));
	return all;
}

hf_conns hf_reach_between(struct hf_reach *r, struct hf_reach_end from, struct hf_reach_end to)
{
	const struct hf_reach_workload *w = from.kind == HF_REACH_WORKLOAD ? &r->workloads.at[from.index] : NULL;
	const struct hf_reach_workload *v = to.kind == HF_REACH_WORKLOAD ? &r->workloads.at[to.index] : NULL;
	hf_conns all = HF_CONNS_NONE;

	if (w == v || to.kind == HF_REACH_CONTROLLER)
		return HF_CONNS_NONE;
	for (size_t i = 0; v && i < v->groups.n; i++) {
		uint32_t g = v->groups.at[i];
		for (size_t k = 0; w && k < w->groups.n; k++)
			all = hf_conns_union(&r->pool, all, between_groups(r, w->groups.at[k], g));
		if (from.kind == HF_REACH_SPAN)
			all = hf_conns_union(&r->pool, all, row_at(r, g, HF_REACH_INGRESS, r->groups.n + from.index));
		if (from.kind == HF_REACH_CONTROLLER)
			all = hf_conns_union(&r->pool, all, between_groups(r, (uint32_t)r->groups.n - 1, g));
	}
	for (size_t k = 0; to.kind == HF_REACH_SPAN && w && k < w->groups.n; k++)
		all = hf_conns_union(&r->pool, all,
				     row_at(r, w->groups.at[k], HF_REACH_EGRESS, r->groups.n + to.index));
	return from.kind == HF_REACH_CONTROLLER && v ? hf_conns_intersection(&r->pool, all, v->backend) : all;
}

/* What a walk over all pairs keeps, so that a pair costs one look into a small table. */
struct walk {
	struct hf_reach *r;
	bool (*pair)(void *ctx, struct hf_reach_end, struct hf_reach_end, hf_conns);
	void *ctx;
	hf_conns *by_group; /* from the source at hand to each group */
	hf_conns *by_row;   /* what rows of ingress say of the source's group */
	uint32_t *row_of;   /* of each group, in ingress */
	uint32_t *stamp_of; /* of each row: by_row is of the source group with this stamp */
	uint32_t stamp;
	bool any;             /* by_group may hold something */
	uint32_t *only_group; /* of each workload; UINT32_MAX: it has several */
};

static bool prepare(struct walk *k)
{
	struct hf_reach *r = k->r;

	k->by_group = hf_arena_array(r->arena, hf_conns, r->groups.n);
	k->by_row = hf_arena_array(r->arena, hf_conns, r->rows.n);
	k->stamp_of = hf_arena_array(r->arena, uint32_t, r->rows.n);
	k->row_of = hf_arena_array(r->arena, uint32_t, r->groups.n);
	k->only_group = hf_arena_array(r->arena, uint32_t, r->workloads.n);
	if (!k->by_group || !k->by_row || !k->stamp_of || !k->row_of || !k->only_group)
		return false;
	for (size_t g = 0; g < r->groups.n; g++)
		k->row_of[g] = r->groups.at[g].rows[HF_REACH_INGRESS];
	for (size_t i = 0; i < r->workloads.n; i++)
		k->only_group[i] = r->workloads.at[i].groups.n == 1 ? r->workloads.at[i].groups.at[0] : UINT32_MAX;
	return true;
}

static void add_source_group(struct walk *k, uint32_t from)
{
	struct hf_reach *r = k->r;
	const struct hf_reach_row *out = &r->rows.at[r->groups.at[from].rows[HF_REACH_EGRESS]];

	k->stamp++;
	for (size_t g = 0; g < r->groups.n; g++) {
		hf_conns c = reach_row_value(r, out, g);
		uint32_t row = k->row_of[g];
		if (c == HF_CONNS_NONE)
			continue;
		if (k->stamp_of[row] != k->stamp) {
			k->stamp_of[row] = k->stamp;
			k->by_row[row] = reach_row_value(r, &r->rows.at[row], from);
		}
		if (k->by_row[row] == HF_CONNS_NONE)
			continue;
		k->any = true;
		k->by_group[g] =
			hf_conns_union(&r->pool, k->by_group[g], hf_conns_intersection(&r->pool, c, k->by_row[row]));
	}
}

static void choose_source(struct walk *k, struct hf_reach_end from)
{
	struct hf_reach *r = k->r;

	if (k->any)
		memset(k->by_group, 0, r->groups.n * sizeof *k->by_group);
	k->any = from.kind == HF_REACH_SPAN;
	if (from.kind == HF_REACH_SPAN)
		for (size_t g = 0; g < r->groups.n; g++)
			k->by_group[g] = row_at(r, (uint32_t)g, HF_REACH_INGRESS, r->groups.n + from.index);
	if (from.kind == HF_REACH_CONTROLLER)
		add_source_group(k, (uint32_t)r->groups.n - 1);
	for (size_t i = 0; from.kind == HF_REACH_WORKLOAD && i < r->workloads.at[from.index].groups.n; i++)
		add_source_group(k, r->workloads.at[from.index].groups.at[i]);
}

static hf_conns to_workload(struct walk *k, struct hf_reach_end from, uint32_t to)
{
	struct hf_reach *r = k->r;
	const struct hf_reach_workload *w;
	hf_conns all = HF_CONNS_NONE;

	if (from.kind == HF_REACH_WORKLOAD && from.index == to)
		return all;
	if (from.kind != HF_REACH_CONTROLLER && k->only_group[to] != UINT32_MAX)
		return k->by_group[k->only_group[to]];
	w = &r->workloads.at[to];
	for (size_t i = 0; i < w->groups.n; i++)
		all = hf_conns_union(&r->pool, all, k->by_group[w->groups.at[i]]);
	return from.kind == HF_REACH_CONTROLLER ? hf_conns_intersection(&r->pool, all, w->backend) : all;
}

/* All targets of one source; false where the walk is to end. */
static bool each_target(struct walk *k, struct hf_reach_end from)
{
	struct hf_reach *r = k->r;
	hf_conns c;

	choose_source(k, from);
	for (size_t i = 0; from.kind == HF_REACH_WORKLOAD && i < r->spans_n[HF_REACH_EGRESS]; i++) {
		struct hf_reach_end to = { HF_REACH_SPAN, (uint32_t)i };
		if ((c = hf_reach_between(r, from, to)) != HF_CONNS_NONE && !k->pair(k->ctx, from, to, c))
			return false;
	}
	for (size_t i = 0; k->any && i < r->workloads.n; i++)
		if ((c = to_workload(k, from, (uint32_t)i)) != HF_CONNS_NONE &&
		    !k->pair(k->ctx, from, (struct hf_reach_end){ HF_REACH_WORKLOAD, (uint32_t)i }, c))
			return false;
	return true;
}

void hf_reach_each(struct hf_reach *r, bool (*pair)(void *ctx, struct hf_reach_end, struct hf_reach_end, hf_conns),
		   void *ctx)
{
	struct walk k = { .r = r, .pair = pair, .ctx = ctx };
	bool more = prepare(&k);

	for (size_t i = 0; more && i < r->spans_n[HF_REACH_INGRESS]; i++)
		more = each_target(&k, (struct hf_reach_end){ HF_REACH_SPAN, (uint32_t)i });
	for (size_t i = 0; more && i < r->workloads.n; i++)
		more = each_target(&k, (struct hf_reach_end){ HF_REACH_WORKLOAD, (uint32_t)i });
	if (more)
		each_target(&k, (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER });
}

static bool find_span(const struct hf_reach *r, hf_sv name, bool source, struct hf_reach_end *ret)
{
	enum hf_reach_side side = source ? HF_REACH_INGRESS : HF_REACH_EGRESS;
	struct hf_address a;
	hf_sv first = name, last;

	hf_sv_cut(name, '-', &first, &last);
	if (!hf_address_of(first, &a) || a.family != 4)
		return false;
	uint32_t number =
		(uint32_t)a.bytes[0] << 24 | (uint32_t)a.bytes[1] << 16 | (uint32_t)a.bytes[2] << 8 | a.bytes[3];
	for (size_t i = 0; i < r->spans_n[side]; i++)
		if (r->spans[side][i].first <= number && number <= r->spans[side][i].last) {
			*ret = (struct hf_reach_end){ HF_REACH_SPAN, (uint32_t)i };
			return true;
		}
	return false;
}

bool hf_reach_find(const struct hf_reach *r, hf_sv name, bool source, struct hf_reach_end *ret)
{
	struct hf_map_entry *e = hf_map_find(&r->workload_index, name);
	size_t found = 0;

	if (e) {
		*ret = (struct hf_reach_end){ HF_REACH_WORKLOAD, (uint32_t)((uintptr_t)e->value - 1) };
		return true;
	}
	if (hf_sv_eq(name, HF_SV("{ingress-controller}")) || hf_sv_eq(name, HF_SV("ingress-controller"))) {
		*ret = (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER };
		return true;
	}
	if (find_span(r, name, source, ret))
		return true;
	for (size_t i = 0; i < r->workloads.n; i++) {
		const struct hf_reach_workload *w = &r->workloads.at[i];
		hf_sv plain = hf_sv_first(w->name, w->name.len - w->kind.len - 2);
		if (!hf_sv_eq(plain, name) && !hf_sv_eq(w->short_name, name))
			continue;
		*ret = (struct hf_reach_end){ HF_REACH_WORKLOAD, (uint32_t)i };
		found++;
	}
	return found == 1;
}

/* What ends a document has room behind the last pair. */
bool hf_reach_too_long(const struct hf_out *out)
{
	return out->written + out->buf.len > HF_REPORT_SIZE_MAX - HF_MIB(1);
}
