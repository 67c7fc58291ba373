/* Roles and bindings: what `kube rbac check` finds, as checks. */
#include "check/row.h"
#include "rbac/findings.h"

struct row {
	enum hf_rbac_finding_kind kind;
	enum hf_rbac_risk risks[2];
};

static const struct row rows[] = {
#define HF_RIGHT(id, name, title, severity, finding, risk, other, why, fix, references) \
	{ HF_RBAC_FINDING_##finding, { HF_RBAC_##risk, HF_RBAC_##other } },
#include "check/rights.def"
#undef HF_RIGHT
};

struct rights {
	const struct hf_rbac_model *model;
	const struct hf_rbac_finding *findings;
	size_t findings_n;
};

static const struct rights *rights_of(struct hf_check_run *r)
{
	struct rights *rights = r->shared[HF_CHECK_SHARED_RIGHTS];

	if (rights)
		return rights;
	r->shared[HF_CHECK_SHARED_RIGHTS] = rights = hf_arena_new(r->arena, struct rights);
	if (!rights)
		return NULL;
	rights->model = hf_rbac_build(r->set, r->cluster, HF_RBAC_DEFAULTS_AUTO, r->arena);
	const struct hf_rbac_powers *powers = rights->model ? hf_rbac_powers(rights->model, r->arena) : NULL;
	if (powers)
		rights->findings = hf_rbac_findings(powers, false, r->arena, &rights->findings_n);
	return rights;
}

static bool is_of(const struct row *row, const struct hf_rbac_finding *f)
{
	if (f->kind != row->kind)
		return false;
	return f->kind != HF_RBAC_FINDING_RIGHT || f->power->risk == row->risks[0] || f->power->risk == row->risks[1];
}

static void tell(struct hf_check_run *r, const struct hf_rbac_finding *f)
{
	hf_sv subject = f->subject ? hf_rbac_subject_text(f->subject, r->arena) : f->detail;
	hf_sv binding = f->binding ? hf_rbac_binding_text(f->binding, r->arena) : HF_SV("");
	struct hf_rbac_finding_row row = hf_rbac_row_of(f);
	hf_sv scope = f->power ? f->power->scope : HF_SV("");

	hf_check_about(r, f->object);
	hf_check_fail(r, NULL, "%.*s: %s%s%.*s%s%.*s", HF_SV_FMT(subject), row.title, scope.len ? " in " : "",
		      HF_SV_FMT(scope), binding.len ? ", by " : "", HF_SV_FMT(binding));
}

static void ask(struct hf_check_run *r)
{
	const struct row *row = &rows[r->check - hf_check_group_rights.checks];
	const struct rights *rights = rights_of(r);
	const struct hf_kube_objects *set = r->set;

	if (!r->live && !set->of_kind_n[HF_KUBE_ROLE_BINDING] && !set->of_kind_n[HF_KUBE_CLUSTER_ROLE_BINDING] &&
	    !set->of_kind_n[HF_KUBE_SERVICE_ACCOUNT]) {
		hf_check_not_assessable(r, "neither bindings nor accounts are in the input");
		return;
	}
	for (size_t i = 0; rights && i < rights->findings_n; i++)
		if (is_of(row, &rights->findings[i]))
			tell(r, &rights->findings[i]);
	hf_check_about(r, NULL);
}

static const struct hf_check checks[] = {
#define HF_RIGHT(id, name, title, severity, finding, risk, other, why, fix, references) \
	CHECK(id, name, title, severity, HF_CHECK_CLUSTER, why, fix, references, ask)
#include "check/rights.def"
#undef HF_RIGHT
};

const struct hf_check_group hf_check_group_rights = { "rights", checks, HF_ARRAY_SIZE(checks) };
