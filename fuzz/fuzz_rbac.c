/* Any bytes as manifests: a model, its answers and findings within bounds; what is granted to one is told by who-can as well. Behind
 * the first NUL, if there is one, an audit log. */
#include <stdlib.h>

#include "base/limits.h"
#include "rbac/trim.h"
#include "rbac/findings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_among(const struct hf_rbac_grant *all, size_t n, const struct hf_rbac_subject *s)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].subject == s)
			return true;
	return false;
}

/* Both ways round: each subject by itself, and all at once. */
static void ask(const struct hf_rbac_model *m, const struct hf_rbac_request *r, struct hf_arena *a)
{
	size_t n;
	const struct hf_rbac_grant *all = hf_rbac_who_can(m, r, a, &n);

	for (size_t i = 0; i < m->subjects_n && i < 64; i++) {
		const struct hf_rbac_subject *s = m->subjects[i];
		const struct hf_rbac_user user = { s->kind == HF_RBAC_GROUP ? HF_SV("") : s->name, &s->name,
						   s->kind == HF_RBAC_GROUP };
		struct hf_rbac_grant g = { 0 };
		bool allowed = hf_rbac_can(m, &user, r, &g);
		if (allowed != is_among(all, n, s) && !a->over)
			abort();
		if (allowed && g.rule && !hf_rbac_rule_allows(g.rule, r))
			abort();
	}
}

static void find(const struct hf_rbac_model *m, struct hf_arena *a)
{
	const struct hf_rbac_powers *p = hf_rbac_powers(m, a);
	size_t n = 0, steps_n;
	const struct hf_rbac_finding *all = p ? hf_rbac_findings(p, true, a, &n) : NULL;

	for (size_t i = 0; i < n && !a->over; i++) {
		if (!hf_rbac_row_of(&all[i]).title[0] || (!all[i].subject && !all[i].binding))
			abort();
		if (all[i].power)
			hf_rbac_smallest_change(all[i].power, a);
		if (all[i].kind != HF_RBAC_FINDING_BECOMES_ADMIN)
			continue;
		hf_rbac_steps(p, all[i].subject, a, &steps_n);
		if (steps_n != p->ways[all[i].subject->number].steps && !a->over)
			abort();
	}
}

static void audit(const struct hf_rbac_model *m, hf_sv log, struct hf_arena *a)
{
	const struct hf_rbac_audit *audit = hf_rbac_audit(m, log, true, a);
	size_t n;

	for (size_t i = 0; audit && i < audit->subjects_n; i++)
		for (size_t u = 0; u < audit->subjects[i].needs.n && u < 16; u++)
			hf_rbac_narrow(audit->subjects[i].needs, &audit->subjects[i].needs.at[u].use->request.namespace,
				       a, &n);
	if (audit && hf_rbac_replay(audit->log, m, m))
		abort();
	if (audit)
		hf_rbac_trim(audit, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hf_rbac_request requests[] = {
		{ .verb = HF_SV_INIT("get"),
		  .group = HF_SV_INIT(""),
		  .resource = HF_SV_INIT("secrets"),
		  .namespace = HF_SV_INIT("web") },
		{ .verb = HF_SV_INIT("create"),
		  .group = HF_SV_INIT(""),
		  .resource = HF_SV_INIT("pods"),
		  .subresource = HF_SV_INIT("exec") },
		{ .verb = HF_SV_INIT("get"), .url = HF_SV_INIT("/healthz/ping") },
	};
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	hf_sv manifests = { (const char *)data, size }, log = HF_SV("");
	struct hf_kube_source source = { .name = HF_SV("fuzz") };
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	struct hf_err err = { 0 };

	hf_sv_cut(manifests, '\0', &manifests, &log);
	source.text = manifests;
	const struct hf_kube_objects *set = hf_kube_load(l, &source, &err) >= 0 ? hf_kube_loaded(l) : NULL;
	hf_kube_loader_free(l);
	const struct hf_rbac_model *m =
		set ? hf_rbac_build(set, HF_SV(""), size % 64 ? HF_RBAC_DEFAULTS_UNKNOWN : HF_RBAC_DEFAULTS_AUTO, &a)
		    : NULL;
	if (!m)
		return 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(requests); i++)
		ask(m, &requests[i], &a);
	find(m, &a);
	audit(m, log, &a);
	return 0;
}
