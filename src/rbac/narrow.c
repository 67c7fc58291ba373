#include <stdlib.h>

#include "rbac/audit.h"

enum {
	ALIKE_MAX = 64, /* rules that are looked at for one with the same verbs */
	NAMES_MAX = 8,  /* more names than that are taken for any */
};

/* One right that was used: a line of the table that becomes rules. */
struct cell {
	hf_sv group, resource, verb, name;
	bool url, named;
};

/* A verb of a resource, with the names that it was used for. */
struct verb {
	hf_sv verb;
	struct hf_rbac_list names;
};

struct rule {
	struct hf_rbac_narrow_rule out;
	HF_VEC(hf_sv) resources;
};

struct narrowing {
	struct hf_arena *arena;
	struct rule *rules;
	size_t rules_n;
	struct verb *verbs; /* of the resource at hand */
	size_t verbs_n;
};

static int by_resource(const struct cell *left, const struct cell *right)
{
	int order = left->url != right->url ? (left->url ? 1 : -1) : hf_sv_cmp(left->group, right->group);

	return order ? order : hf_sv_cmp(left->resource, right->resource);
}

static int by_verb(const struct cell *left, const struct cell *right)
{
	int order = by_resource(left, right);

	return order ? order : hf_sv_cmp(left->verb, right->verb);
}

static int by_name(const void *a, const void *b)
{
	const struct cell *left = a, *right = b;
	int order = by_verb(left, right);

	return order ? order : hf_sv_cmp(left->name, right->name);
}

static size_t cells_of(struct hf_rbac_needs needs, const hf_sv *namespace, struct cell *cells, struct hf_arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < needs.n; i++) {
		const struct hf_rbac_request *r = &needs.at[i].use->request;
		if (namespace && !hf_sv_eq(r->namespace, *namespace))
			continue;
		hf_sv resource = r->url.len ? r->url : r->resource;
		if (r->subresource.len)
			resource = hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(resource), HF_SV_FMT(r->subresource));
		cells[n++] = (struct cell){ r->group, resource, r->verb, r->name, r->url.len > 0, needs.at[i].named };
	}
	qsort(cells, n, sizeof *cells, by_name);
	return n;
}

/* "web-7c9f8d6b5-x2x4p" and the like: what stands behind the last dash was made by a machine. */
static bool looks_generated(hf_sv name)
{
	hf_sv rest, last;
	size_t digits = 0, letters = 0;

	if (!hf_sv_cut_last(name, '-', &rest, &last))
		last = name;
	for (size_t i = 0; i < last.len; i++) {
		digits += last.ptr[i] >= '0' && last.ptr[i] <= '9';
		letters += last.ptr[i] >= 'a' && last.ptr[i] <= 'z';
	}
	return (last.len == 5 && rest.len && digits && letters) || (last.len >= 8 && digits > 1 && letters > 1);
}

/* The names of the cells of one verb; none: it was used without one, for too many, or for names that come and go. */
static struct hf_rbac_list names_of(const struct cell *cells, size_t n, struct hf_arena *a)
{
	hf_sv *names = hf_arena_array(a, hf_sv, n);
	struct hf_rbac_list list = { names, 0 };
	bool only_named = true, any = false;

	for (size_t i = 0; names && i < n; i++) {
		only_named &= cells[i].named;
		any |= !cells[i].name.len || looks_generated(cells[i].name);
		if (!list.n || !hf_sv_eq(names[list.n - 1], cells[i].name))
			names[list.n++] = cells[i].name;
	}
	/* No more than was granted: rules with names stay such. */
	if (!only_named && (any || list.n > NAMES_MAX))
		list.n = 0;
	return list;
}

static bool same(struct hf_rbac_list left, struct hf_rbac_list right)
{
	if (left.n != right.n)
		return false;
	for (size_t i = 0; i < left.n; i++)
		if (!hf_sv_eq(left.at[i], right.at[i]))
			return false;
	return true;
}

/* Resources of one group with the same verbs and names share a rule. */
static void add_resource(struct narrowing *g, const struct cell *c, struct hf_rbac_list verbs,
			 struct hf_rbac_list names)
{
	size_t at = g->rules_n > ALIKE_MAX ? g->rules_n - ALIKE_MAX : 0;

	for (; at < g->rules_n; at++) {
		const struct hf_rbac_narrow_rule *r = &g->rules[at].out;
		/* Rules with names are for one resource: a name of one is not one of the other. */
		if (!names.n && !r->names.n && r->urls == c->url && hf_sv_eq(r->group, c->group) &&
		    same((struct hf_rbac_list){ r->verbs, r->verbs_n }, verbs))
			break;
	}
	if (at == g->rules_n) {
		g->rules[at] = (struct rule){ .out = { .group = c->group,
						       .verbs = verbs.at,
						       .verbs_n = verbs.n,
						       .names = names,
						       .urls = c->url } };
		g->rules_n++;
	}
	hf_sv *slot = hf_vec_push(g->arena, &g->rules[at].resources);
	if (slot)
		*slot = c->resource;
}

/* Verbs of one resource with the same names share a rule. */
static void add_verbs(struct narrowing *g, const struct cell *c)
{
	for (size_t i = 0; i < g->verbs_n; i++) {
		hf_sv *verbs = hf_arena_array(g->arena, hf_sv, g->verbs_n - i);
		struct hf_rbac_list list = { verbs, 0 };
		if (!g->verbs[i].verb.len || !verbs)
			continue;
		struct hf_rbac_list names = g->verbs[i].names;
		for (size_t k = i; k < g->verbs_n; k++)
			if (g->verbs[k].verb.len && same(g->verbs[k].names, names)) {
				verbs[list.n++] = g->verbs[k].verb;
				g->verbs[k].verb = HF_SV("");
			}
		add_resource(g, c, list, names);
	}
	g->verbs_n = 0;
}

const struct hf_rbac_narrow_rule *hf_rbac_narrow(struct hf_rbac_needs needs, const hf_sv *namespace, struct hf_arena *a,
						 size_t *ret_n)
{
	struct cell *cells = hf_arena_array(a, struct cell, needs.n);
	size_t n = cells ? cells_of(needs, namespace, cells, a) : 0;
	struct narrowing g = { .arena = a,
			       .rules = hf_arena_array(a, struct rule, n),
			       .verbs = hf_arena_array(a, struct verb, n) };

	*ret_n = 0;
	if (!g.rules || !g.verbs)
		return NULL;
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && !by_verb(&cells[end], &cells[i]); end++)
			;
		g.verbs[g.verbs_n++] = (struct verb){ cells[i].verb, names_of(&cells[i], end - i, a) };
		if (end == n || by_resource(&cells[end], &cells[i]))
			add_verbs(&g, &cells[i]);
	}
	struct hf_rbac_narrow_rule *out = hf_arena_array(a, struct hf_rbac_narrow_rule, g.rules_n);
	for (size_t i = 0; out && i < g.rules_n; i++) {
		out[i] = g.rules[i].out;
		out[i].resources = g.rules[i].resources.at;
		out[i].resources_n = g.rules[i].resources.n;
		*ret_n = g.rules_n;
	}
	return out;
}
