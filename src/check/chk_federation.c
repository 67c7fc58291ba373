/* Several clusters: what one of them holds of another, who may take it, and where they differ. */
#include "check/workload.h"
#include "rbac/findings.h"

/* Who a credential acts as in the other cluster, as far as the program that made it always names it so. */
struct holder {
	const char *program;
	const char *namespace, *account; /* account NULL: a member of system:masters */
};

struct credential {
	const struct hf_kube_object *secret;
	struct holder holder;
	hf_sv cluster; /* of the input; empty: which one is not known */
};

static hf_sv label(const struct hf_kube_object *o, const char *key)
{
	return hf_value_get_text(hf_value_get(o->metadata, HF_SV("labels")), hf_sv_of(key));
}

static bool has_key(const struct hf_kube_object *o, const char *key)
{
	return hf_value_get(hf_value_get(o->root, HF_SV("data")), hf_sv_of(key)) ||
	       hf_value_get(hf_value_get(o->root, HF_SV("stringData")), hf_sv_of(key));
}

static bool holder_of(const struct hf_kube_object *o, struct holder *ret)
{
	hf_sv type = hf_value_get_text(o->root, HF_SV("type"));

	if (hf_sv_eq(label(o, "argocd.argoproj.io/secret-type"), HF_SV("cluster")))
		*ret = (struct holder){ "Argo CD", "kube-system", "argocd-manager" };
	else if (hf_sv_eq(type, HF_SV("cluster.x-k8s.io/secret")) && hf_sv_ends(o->name, HF_SV("-kubeconfig")))
		*ret = (struct holder){ "Cluster API", NULL, NULL };
	else if (hf_sv_starts(o->name, HF_SV("submariner-broker")))
		*ret = (struct holder){ "Submariner", "", "" };
	else if (hf_sv_eq(o->name, HF_SV("hub-kubeconfig-secret")))
		*ret = (struct holder){ "Open Cluster Management", "", "" };
	else if (label(o, "liqo.io/remote-cluster-id").len || label(o, "discovery.liqo.io/cluster-id").len)
		*ret = (struct holder){ "Liqo", "", "" };
	else if (hf_sv_eq(label(o, "istio/multiCluster"), HF_SV("true")))
		*ret = (struct holder){ "Istio", "istio-system", "istio-reader-service-account" };
	else if (has_key(o, "kubeconfig") || has_key(o, "kubeconfig.yaml") || has_key(o, "admin.conf"))
		*ret = (struct holder){ "a kubeconfig", "", "" };
	else
		return false;
	return true;
}

/* The longest name of another cluster of the input that the secret's name or label bears. */
static hf_sv cluster_of(const struct hf_check_run *r, const struct hf_kube_object *o)
{
	hf_sv named = label(o, "cluster.x-k8s.io/cluster-name"), best = { 0 };

	named = named.len ? named : o->name;
	for (size_t i = 0; i < r->all->n; i++) {
		hf_sv cluster = r->all->objects[i]->cluster;
		if (cluster.len > best.len && !hf_sv_eq(cluster, r->cluster) && hf_sv_find(named, cluster) != SIZE_MAX)
			best = cluster;
	}
	return best;
}

/* "is cluster-admin there", or what else can be said of the account in the other cluster. */
static hf_sv worth_of(struct hf_check_run *r, const struct credential *c)
{
	if (!c->holder.account)
		return HF_SV("as a member of system:masters: everything");
	if (!c->cluster.len || !c->holder.account[0])
		return HF_SV("as whom is not in the input");
	const struct hf_kube_objects *there = hf_kube_of_cluster(r->all, c->cluster, r->arena);
	const struct hf_rbac_model *m =
		there ? hf_rbac_build(there, c->cluster, HF_RBAC_DEFAULTS_AUTO, r->arena) : NULL;
	const struct hf_rbac_powers *p = m ? hf_rbac_powers(m, r->arena) : NULL;
	hf_sv user = hf_arena_fmt(r->arena, "system:serviceaccount:%s:%s", c->holder.namespace, c->holder.account);
	const struct hf_rbac_subject *s = p ? hf_rbac_find_subject(m, false, user) : NULL;

	if (!s)
		return hf_arena_fmt(r->arena, "as sa %s/%s, which is not in the input of that cluster",
				    c->holder.namespace, c->holder.account);
	return hf_arena_fmt(r->arena, "as sa %s/%s: %s", c->holder.namespace, c->holder.account,
			    hf_rbac_has(p, s, HF_RBAC_EVERYTHING, HF_SV("")) ? "everything"
			    : p->ways[s->number].steps                       ? "can become cluster-admin"
			    : p->powers_n[s->number] ? hf_rbac_risks[p->powers[s->number][0].risk].title
						     : "nothing that is known to be of risk");
}

/* Programs of the cluster itself are meant to. */
static bool is_system(const struct hf_rbac_subject *s)
{
	if (s->kind == HF_RBAC_ACCOUNT)
		return hf_sv_eq(s->namespace, HF_SV("kube-system"));
	return hf_sv_starts(s->name, HF_SV("system:kube-")) || hf_sv_eq(s->name, HF_SV("system:masters")) ||
	       hf_sv_eq(s->name, HF_SV("system:nodes"));
}

static void tell_readers(struct hf_check_run *r, const struct hf_rbac_model *m, const struct credential *c)
{
	static const char *const verbs[] = { "get", "list", "watch" };
	struct hf_map told = HF_MAP(r->arena);
	hf_sv worth = worth_of(r, c);

	for (size_t v = 0; v < HF_ARRAY_SIZE(verbs); v++) {
		struct hf_rbac_request request = { .verb = hf_sv_of(verbs[v]),
						   .group = HF_SV(""),
						   .resource = HF_SV("secrets"),
						   .subresource = HF_SV(""),
						   .name = v ? HF_SV("") : c->secret->name,
						   .namespace = c->secret->namespace,
						   .url = HF_SV("") };
		size_t n;
		const struct hf_rbac_grant *grants = hf_rbac_who_can(m, &request, r->arena, &n);
		for (size_t i = 0; i < n; i++) {
			const struct hf_rbac_grant *g = &grants[i];
			hf_sv subject = hf_rbac_subject_text(g->subject, r->arena);
			struct hf_map_entry *e = hf_map_put(&told, subject);
			if (is_system(g->subject) || !g->binding || !e || e->value)
				continue;
			e->value = (void *)(uintptr_t)g;
			hf_sv binding = hf_rbac_binding_text(g->binding, r->arena);
			hf_check_fail(r, NULL, "%.*s reads it, by %.*s, and acts in %.*s by %s, %.*s",
				      HF_SV_FMT(subject), HF_SV_FMT(binding),
				      HF_SV_FMT(c->cluster.len ? c->cluster : HF_SV("another cluster")),
				      c->holder.program, HF_SV_FMT(worth));
		}
	}
}

static void credentials(struct hf_check_run *r)
{
	const struct hf_rbac_model *m = NULL;
	bool any = false, bindings = r->live || r->set->of_kind_n[HF_KUBE_ROLE_BINDING] ||
				     r->set->of_kind_n[HF_KUBE_CLUSTER_ROLE_BINDING];

	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_SECRET]; i++) {
		struct credential c = { .secret = r->set->of_kind[HF_KUBE_SECRET][i] };
		if (!holder_of(c.secret, &c.holder))
			continue;
		any = true;
		hf_check_about(r, c.secret);
		if (!bindings) {
			hf_check_not_assessable(r, "no bindings are in the input, which say who reads it");
			continue;
		}
		c.cluster = cluster_of(r, c.secret);
		m = m ? m : hf_rbac_build(r->set, r->cluster, HF_RBAC_DEFAULTS_AUTO, r->arena);
		if (m)
			tell_readers(r, m, &c);
	}
	hf_check_about(r, NULL);
	if (!any)
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
