#include <stdlib.h>

#include "kube/selector.h"
#include "rbac/builder.h"

enum {
	COMPARED_MAX = 20 << 20
}; /* roles held against selectors: a set of nothing but aggregated roles takes a second */

struct labels {
	const hf_sv *pairs;
	size_t n;
};

struct gathering {
	struct rbac_builder *b;
	struct hf_rbac_role **sorted; /* cluster roles by name: the controller's order */
	size_t n;
	struct labels *labels;                       /* of sorted */
	const struct hf_label_selector ***selectors; /* of sorted: NULL where it does not aggregate; NULL-ended */
	size_t compared;
	uint32_t *visited, *queue, round; /* visited[i] == round: in this gathering */
	uint32_t *has_rule;               /* by number of a rule, as visited */
};

static int by_name(const void *a, const void *b)
{
	return hf_sv_cmp((*(struct hf_rbac_role *const *)a)->name, (*(struct hf_rbac_role *const *)b)->name);
}

static const struct hf_label_selector **selectors_of(struct rbac_builder *b, const struct hf_rbac_role *role)
{
	const struct hf_value *list = hf_value_at(role->object->root, "aggregationRule.clusterRoleSelectors");
	const struct hf_label_selector **all =
		hf_arena_array(b->arena, const struct hf_label_selector *, hf_value_count(list, HF_VALUE_ARRAY) + 1);
	size_t n = 0;

	hf_value_elements(all ? list : NULL, e)
	{
		const char *wrong = NULL;
		const struct hf_label_selector *s = hf_kube_selector(e, HF_SELECTOR_FULL, b->arena, &wrong);
		if (wrong)
			rbac_note(b, HF_KUBE_NOTE_WRONG_TYPE, role->object, e,
				  hf_arena_fmt(b->arena, "aggregationRule: %s", wrong));
		if (s)
			all[n++] = s;
	}
	return all;
}

static void visit(struct gathering *g, size_t aggregating, size_t *queued)
{
	for (const struct hf_label_selector **s = g->selectors[aggregating]; *s; s++)
		for (size_t i = 0; i < g->n && g->compared < COMPARED_MAX; i++) {
			g->compared++;
			if (g->visited[i] == g->round ||
			    !hf_label_selector_matches(*s, g->labels[i].pairs, g->labels[i].n))
				continue;
			g->visited[i] = g->round;
			g->queue[(*queued)++] = (uint32_t)i;
		}
}

/* The rules of all roles that are reached and do not aggregate themselves: what the controller comes to, also in circles. */
static void gather(struct gathering *g, size_t at)
{
	HF_VEC(const struct hf_rbac_rule *) rules = { 0 };
	struct hf_rbac_role *role = g->sorted[at];
	size_t queued = 0;
	bool circle = false;

	g->round++;
	g->visited[at] = g->round;
	visit(g, at, &queued);
	for (size_t q = 0; q < queued; q++) {
		size_t from = g->queue[q];
		if (g->selectors[from]) {
			visit(g, from, &queued);
			for (const struct hf_label_selector **s = g->selectors[from]; *s; s++)
				circle |= hf_label_selector_matches(*s, g->labels[at].pairs, g->labels[at].n);
			continue;
		}
		for (size_t r = 0; r < g->sorted[from]->rules_n; r++) {
			const struct hf_rbac_rule *rule = g->sorted[from]->rules[r];
			if (g->has_rule[rule->number] == g->round)
				continue;
			g->has_rule[rule->number] = g->round;
			const struct hf_rbac_rule **slot = hf_vec_push(g->b->arena, &rules);
			if (slot)
				*slot = rule;
		}
	}
	role->rules = rules.at;
	role->rules_n = rules.n;
	role->aggregated = true;
	if (circle)
		rbac_note(g->b, HF_KUBE_NOTE_WRONG_TYPE, role->object, NULL,
			  hf_arena_fmt(g->b->arena, "ClusterRole %.*s is gathered from a role that is gathered from it",
				       HF_SV_FMT(role->name)));
}

/* The controller of a cluster has filled in what came from one. */
static bool aggregates(const struct hf_rbac_role *role)
{
	const struct hf_value *meta = role->object->metadata;

	if (!hf_value_is(hf_value_at(role->object->root, "aggregationRule"), HF_VALUE_OBJECT))
		return false;
	return (!role->object->cluster.len || role->object->source->saved) && !hf_value_get(meta, HF_SV("uid")) &&
	       !hf_value_get(meta, HF_SV("resourceVersion"));
}

void rbac_aggregate(struct rbac_builder *b)
{
	struct gathering g = { .b = b, .sorted = hf_arena_array(b->arena, struct hf_rbac_role *, b->roles.n) };
	size_t aggregating = 0;

	for (size_t i = 0; g.sorted && i < b->roles.n; i++) {
		if (b->roles.at[i]->namespace.len)
			continue;
		g.sorted[g.n++] = b->roles.at[i];
		aggregating += aggregates(b->roles.at[i]);
	}
	if (!aggregating)
		return;
	qsort(g.sorted, g.n, sizeof *g.sorted, by_name);
	g.labels = hf_arena_array(b->arena, struct labels, g.n);
	g.selectors = hf_arena_array(b->arena, const struct hf_label_selector **, g.n);
	g.visited = hf_arena_array(b->arena, uint32_t, g.n);
	g.queue = hf_arena_array(b->arena, uint32_t, g.n);
	g.has_rule = hf_arena_array(b->arena, uint32_t, b->model->rules_n);
	if (!g.has_rule || !g.queue || !g.visited || !g.selectors || !g.labels)
		return;
	for (size_t i = 0; i < g.n; i++) {
		g.labels[i].pairs = hf_kube_string_map(hf_value_get(g.sorted[i]->object->metadata, HF_SV("labels")),
						       b->arena, &g.labels[i].n);
		if (aggregates(g.sorted[i]))
			g.selectors[i] = selectors_of(b, g.sorted[i]);
	}
	for (size_t i = 0; i < g.n && !b->arena->over; i++)
		if (g.selectors[i])
			gather(&g, i);
	if (g.compared >= COMPARED_MAX)
		rbac_note(b, HF_KUBE_NOTE_BROKEN, NULL, NULL,
			  HF_SV("too many aggregated roles: the last ones have not all of their rules"));
}
