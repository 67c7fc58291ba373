/* Several clusters: what one of them holds of another, who may take it, and where they differ. */
#include "check/workload.h"
#include "rbac/federation.h"

static void tell_readers(struct hf_check_run *r, const struct hf_rbac_powers *p, const struct hf_rbac_credential *c,
			 struct hf_map *powers)
{
	const struct hf_rbac_worth *worth = hf_rbac_worth_of(r->all, c, powers, r->arena);

	for (size_t i = 0; worth && i < p->model->subjects_n; i++) {
		const struct hf_rbac_power *pods;
		struct hf_rbac_grant g = hf_rbac_takes(p, p->model->subjects[i], c, &pods);
		if (!g.binding || hf_rbac_is_system(g.subject))
			continue;
		hf_sv subject = hf_rbac_subject_text(g.subject, r->arena),
		      binding = hf_rbac_binding_text(g.binding, r->arena);
		hf_check_fail(r, NULL, "%.*s %s, by %.*s, and acts in %.*s by %s, %.*s", HF_SV_FMT(subject),
			      pods ? "makes pods that mount it" : "reads it", HF_SV_FMT(binding),
			      HF_SV_FMT(c->cluster.len ? c->cluster : HF_SV("another cluster")), c->program,
			      HF_SV_FMT(worth->text));
	}
}

static void credentials(struct hf_check_run *r)
{
	const struct hf_rbac_powers *p = NULL;
	struct hf_map powers = HF_MAP(r->arena);
	size_t n;
	bool bindings =
		r->live || r->set->of_kind_n[HF_KUBE_ROLE_BINDING] || r->set->of_kind_n[HF_KUBE_CLUSTER_ROLE_BINDING];
	const struct hf_rbac_credential *all = hf_rbac_credentials(r->all, r->cluster, r->arena, &n);

	for (size_t i = 0; i < n; i++) {
		hf_check_about(r, all[i].secret ? all[i].secret : all[i].by);
		if (!bindings) {
			hf_check_not_assessable(r, "no bindings are in the input, which say who reads it");
			continue;
		}
		const struct hf_rbac_model *m =
			p ? NULL : hf_rbac_build(r->set, r->cluster, HF_RBAC_DEFAULTS_AUTO, r->arena);
		p = m ? hf_rbac_powers(m, r->arena) : p;
		if (p)
			tell_readers(r, p, &all[i], &powers);
	}
	hf_check_about(r, NULL);
	if (!n)
		hf_check_not_applicable(r);
}

static bool is_star(const struct hf_value *v)
{
	return hf_sv_eq(hf_value_text(v), HF_SV("*"));
}

static void wide_project(struct hf_check_run *r)
{
	bool any = false;

	for (size_t i = 0; i < r->set->n; i++) {
		const struct hf_kube_object *o = r->set->objects[i];
		if (o->kind != HF_KUBE_OTHER || !hf_sv_eq(o->kind_name, HF_SV("AppProject")) ||
		    !hf_sv_eq(hf_kube_group_of(o->api_version), HF_SV("argoproj.io")))
			continue;
		any = true;
		hf_value_elements(hf_value_get(o->spec, HF_SV("destinations")), e)
		{
			if ((is_star(hf_value_get(e, HF_SV("server"))) || is_star(hf_value_get(e, HF_SV("name")))) &&
			    is_star(hf_value_get(e, HF_SV("namespace")))) {
				hf_check_about(r, o);
				hf_check_fail(r, e, "its applications may write into all namespaces of all clusters");
				break;
			}
		}
	}
	hf_check_about(r, NULL);
	if (!any)
		hf_check_not_applicable(r);
}

/* What guards a namespace, or a whole cluster. */
static bool is_guard(const struct hf_kube_object *o)
{
	return o->kind == HF_KUBE_NETWORK_POLICY || o->kind == HF_KUBE_RESOURCE_QUOTA ||
	       o->kind == HF_KUBE_VALIDATING_POLICY || o->kind == HF_KUBE_VALIDATING_WEBHOOK ||
	       o->kind == HF_KUBE_PEER_AUTHENTICATION || o->kind == HF_KUBE_ADMIN_NETWORK_POLICY ||
	       o->kind == HF_KUBE_BASELINE_ADMIN_NETWORK_POLICY;
}

static struct hf_map namespaces_of(struct hf_check_run *r)
{
	struct hf_map map = HF_MAP(r->arena);

	for (size_t i = 0; i < r->set->n; i++)
		hf_map_put(&map, r->set->objects[i]->kind == HF_KUBE_NAMESPACE ? r->set->objects[i]->name
									       : r->set->objects[i]->namespace);
	return map;
}

static void differs(struct hf_check_run *r)
{
	struct hf_map namespaces = namespaces_of(r), told = HF_MAP(r->arena);
	bool several = false;

	for (size_t i = 0; i < r->all->n; i++) {
		const struct hf_kube_object *o = r->all->objects[i];
		if (hf_sv_eq(o->cluster, r->cluster))
			continue;
		several = true;
		if (o->replaced || !is_guard(o) || (o->namespace.len && !hf_map_find(&namespaces, o->namespace)) ||
		    hf_kube_find(r->all, r->cluster, o->kind, o->namespace, o->name))
			continue;
		struct hf_map_entry *e =
			hf_map_put(&told, hf_arena_fmt(r->arena, "%.*s %.*s/%.*s", HF_SV_FMT(o->kind_name),
						       HF_SV_FMT(o->namespace), HF_SV_FMT(o->name)));
		if (!e || e->value)
			continue;
		e->value = (void *)(uintptr_t)o;
		hf_check_fail(r, NULL, "%.*s%s%.*s, a %.*s, is in %.*s and not in %.*s", HF_SV_FMT(o->namespace),
			      o->namespace.len ? "/" : "", HF_SV_FMT(o->name), HF_SV_FMT(o->kind_name),
			      HF_SV_FMT(o->cluster), HF_SV_FMT(r->cluster));
	}
	if (!several)
		hf_check_not_applicable(r);
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-971",
	  .name = "credentials-of-another-cluster",
	  .title = "Somebody reads another cluster's credentials",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Whoever takes over one cluster, or an account of it, goes on into the other.",
	  .fix = "Let the program that uses the Secret alone read it, and give it an account with few rights there.",
	  .references = "CIS-5.1.2 NSA-rbac MITRE-T1552.007",
	  .evaluate = credentials },
	{ .id = "HF-K8S-972",
	  .name = "project-of-all-clusters",
	  .title = "A project of Argo CD deploys to all clusters",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Who may write one repository of the project writes into every namespace of each cluster.",
	  .fix = "Name the clusters and namespaces under destinations.",
	  .references = "NSA-namespaces MITRE-T1078",
	  .evaluate = wide_project },
	{ .id = "HF-K8S-973",
	  .name = "clusters-differ",
	  .title = "What guards one cluster is missing in another",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "The same workloads stand open where nobody looks.",
	  .fix = "Apply the object to both, or say why not.",
	  .references = "CIS-5.3.2 NSA-network-policy",
	  .evaluate = differs },
};

const struct hf_check_group hf_check_group_federation = { "federation", checks, HF_ARRAY_SIZE(checks) };
