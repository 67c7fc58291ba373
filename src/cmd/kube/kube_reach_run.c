#include "cmd/kube/kube_reach_run.h"

#include "cmd/log.h"
#include "kube/place.h"
#include "reach/report.h"

enum { NOTES_SHOWN_MAX = 50 };

/* Policies that are broken, services that lead nowhere. */
static int show_notes(const struct hf_reach *r)
{
	char place[900];
	int bits = 0;

	for (size_t i = 0; i < r->notes.list.n; i++) {
		const struct hf_reach_note *n = &r->notes.list.at[i];
		bits |= n->loss ? KUBE_PARTIAL : 0;
		if (i < NOTES_SHOWN_MAX || log_shows(LOG_DEBUG))
			log_at(n->loss ? LOG_WARNING : LOG_NOTE,
			       hf_sv_of(hf_kube_place(n->object, 0, place, sizeof place)),
			       hf_kube_is_live(n->object) ? 0 : hf_kube_line(n->object, n->value), 0, "%.*s",
			       HF_SV_FMT(n->text));
	}
	log_more(r->notes.list.n, NOTES_SHOWN_MAX);
	return bits;
}

/* Pods of two clusters do not see each other by the rules that are read here, and their names may be the same. */
static int require_one_cluster(const struct hf_kube_objects *set, struct hf_err *err)
{
	hf_sv first = { 0 };

	for (size_t i = 0; i < set->n; i++) {
		hf_sv cluster = set->objects[i]->cluster;
		if (!first.len)
			first = cluster;
		else if (cluster.len && !hf_sv_eq(cluster, first))
			return hf_fail(err, HF_E_USAGE,
				       "%.*s and %.*s are two clusters: ask about the connections of one at a time",
				       HF_SV_FMT(first), HF_SV_FMT(cluster));
	}
	return HF_OK;
}

struct hf_reach *kube_reach_model(const struct hf_kube_objects *set, struct hf_arena *a, int *bits, struct hf_err *err)
{
	struct hf_reach *r = require_one_cluster(set, err) < 0 ? NULL : hf_reach_build(set, a);

	if (!r && err->code)
		return NULL;
	if (!r) {
		hf_fail(err, HF_E_LIMIT, "the model of the cluster needs more memory than is allowed");
		return NULL;
	}
	*bits |= show_notes(r);
	return r;
}

int kube_reach_diff(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	const bool *fail_on_new = ctx;
	int bits = 0;

	if (n != 2)
		return hf_fail(err, HF_E_USAGE, "two targets are compared: OLD and NEW");
	struct hf_reach *from = kube_reach_model(sets[0], a, &bits, err);
	struct hf_reach *to = from ? kube_reach_model(sets[1], a, &bits, err) : NULL;
	if (!to)
		return err->code;
	struct hf_reach_change_count count = hf_reach_diff(from, to, k->format && !strcmp(k->format, "json"), out);
	return bits | (*fail_on_new && count.wider ? KUBE_GATE_FAILED : 0);
}
