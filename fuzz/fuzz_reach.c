/* Any manifests give a model of reach, and all that is asked of it: lists, graphs, pictures, explanations, differences, proposals. What is
 * listed is what a single question says; a state and itself differ in nothing; connections of a proposal were proved by its own code. */
#include <stdlib.h>

#include "base/limits.h"
#include "reach/propose.h"
#include "reach/report.h"
#include "reach/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns c)
{
	if (hf_reach_between(ctx, from, to) != c || c == HF_CONNS_NONE)
		abort();
	return true;
}

static void ask(struct hf_reach *r, struct hf_reach *again)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_memory(HF_MIB(64));
	struct hf_reach_proposal proposal;
	struct hf_err err = { 0 };
	size_t n;

	hf_reach_each(r, same, r);
	hf_reach_write_json(r, &out);
	hf_reach_write_table(r, 0, &out);
	hf_reach_write_dot(r, &out);
	hf_reach_write_svg(r, &out);
	for (unsigned json = 0; json < 2; json++) {
		hf_reach_exposure(r, json, &out);
		const struct hf_reach_finding *list = hf_reach_findings(r, &n);
		hf_reach_write_findings(r, list, n, json, &out);
		for (uint32_t i = 0; i < r->workloads.n && i < 3; i++) {
			struct hf_reach_end w = { HF_REACH_WORKLOAD, i },
					    v = { HF_REACH_WORKLOAD, (uint32_t)r->workloads.n - 1 };
			hf_reach_lateral(r, w, 0, json, &out);
			hf_reach_explain(r, w, v, (struct hf_reach_port){ 0 }, json, &out);
			hf_reach_explain(r, (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER }, w,
					 (struct hf_reach_port){ true, HF_CONN_TCP, 80 }, json, &out);
			hf_reach_explain(r, (struct hf_reach_end){ HF_REACH_SPAN, 0 }, w, (struct hf_reach_port){ 0 },
					 json, &out);
		}
	}
	struct hf_reach_change_count count = hf_reach_diff(r, again, true, &out);
	if (!r->arena->over && (count.added || count.removed || count.changed || count.wider))
		abort();
	if (r->workloads.n < 40 && hf_reach_propose(r, NULL, &proposal, &err) >= 0)
		hf_reach_write_proposal(&proposal, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_arena a = HF_ARENA(HF_MIB(256));
	struct hf_kube_source source = { .name = HF_SV("input"), .text = { (const char *)data, size } };
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	struct hf_err err = { 0 };

	if (hf_kube_load(l, &source, &err) >= 0) {
		const struct hf_kube_objects *set = hf_kube_loaded(l);
		struct hf_reach *r = set ? hf_reach_build(set, &a) : NULL;
		struct hf_reach *again = r ? hf_reach_build(set, &a) : NULL;
		if (again)
			ask(r, again);
	}
	hf_kube_loader_free(l);
	hf_arena_done(&a);
	return 0;
}
