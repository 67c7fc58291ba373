#include <stdlib.h>

#include "rbac/audit.h"

enum { ALIKE_MAX = 64 }; /* rules that are looked at for one with the same verbs */

/* One right that was used: a line of the table that becomes rules. */
struct cell {
	hf_sv group, resource, verb;
	const struct hf_rbac_rule *named;
	bool url;
};

struct rule {
	struct hf_rbac_narrow_rule out;
	const struct hf_rbac_rule *named;
	HF_VEC(hf_sv) resources;
};

/* Of one resource, whatever the verb. */
static int by_resource(const struct cell *left, const struct cell *right)
{
	uint32_t left_named = left->named ? left->named->number + 1 : 0,
		 right_named = right->named ? right->named->number + 1 : 0;
	int order = left->url != right->url ? (left->url ? 1 : -1) : hf_sv_cmp(left->group, right->group);

	if (!order && left_named != right_named)
		order = left_named < right_named ? -1 : 1;
	return order ? order : hf_sv_cmp(left->resource, right->resource);
}

static int by_verb(const void *a, const void *b)
{
	const struct cell *left = a, *right = b;
	int order = by_resource(left, right);

	return order ? order : hf_sv_cmp(left->verb, right->verb);
}

static size_t cells_of(const struct hf_rbac_subject_use *s, hf_sv namespace, struct cell *cells, struct hf_arena *a)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < s->needs_n; i++) {
		const struct hf_rbac_request *r = &s->needs[i].use->request;
		if (!hf_sv_eq(r->namespace, namespace))
			continue;
		hf_sv resource = r->url.len ? r->url : r->resource;
		if (r->subresource.len)
			resource = hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(resource), HF_SV_FMT(r->subresource));
		cells[n++] = (struct cell){ r->group, resource, r->verb, s->needs[i].named, r->url.len > 0 };
	}
	qsort(cells, n, sizeof *cells, by_verb);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_verb(&cells[kept - 1], &cells[i]))
			cells[kept++] = cells[i];
	return kept;
}

static bool takes(const struct rule *rule, const struct cell *c, const hf_sv *verbs, size_t n)
{
	if (rule->out.verbs_n != n || rule->out.urls != c->url || rule->named != c->named ||
	    !hf_sv_eq(rule->out.group, c->group))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!hf_sv_eq(rule->out.verbs[i], verbs[i]))
			return false;
	return true;
}

/* Resources of one group with the same verbs share a rule. */
static void add_resource(struct rule *rules, size_t *n, const struct cell *c, const hf_sv *verbs, size_t verbs_n,
			 struct hf_arena *a)
{
	size_t at = *n > ALIKE_MAX ? *n - ALIKE_MAX : 0;

	while (at < *n && !takes(&rules[at], c, verbs, verbs_n))
		at++;
	if (at == *n) {
		rules[at] =
			(struct rule){ .out = { .group = c->group, .verbs = verbs, .verbs_n = verbs_n, .urls = c->url },
				       .named = c->named };
		if (c->named)
			rules[at].out.names = c->named->names;
		++*n;
	}
	hf_sv *slot = hf_vec_push(a, &rules[at].resources);
	if (slot)
		*slot = c->resource;
}

const struct hf_rbac_narrow_rule *hf_rbac_narrow(const struct hf_rbac_subject_use *s, hf_sv namespace,
						 struct hf_arena *a, size_t *ret_n)
{
	struct cell *cells = hf_arena_array(a, struct cell, s->needs_n);
	size_t n = cells ? cells_of(s, namespace, cells, a) : 0, rules_n = 0;
	struct rule *rules = hf_arena_array(a, struct rule, n);
	hf_sv *verbs = hf_arena_array(a, hf_sv, n);

	*ret_n = 0;
	if (!rules || !verbs)
		return NULL;
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && !by_resource(&cells[end], &cells[i]); end++)
			verbs[end] = cells[end].verb;
		add_resource(rules, &rules_n, &cells[i], verbs + i, end - i, a);
	}
	struct hf_rbac_narrow_rule *out = hf_arena_array(a, struct hf_rbac_narrow_rule, rules_n);
	for (size_t i = 0; out && i < rules_n; i++) {
		out[i] = rules[i].out;
		out[i].resources = rules[i].resources.at;
		out[i].resources_n = rules[i].resources.n;
		*ret_n = rules_n;
	}
	return out;
}
