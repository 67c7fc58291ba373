/* Istio: which ports of its pods take what is not encrypted, and which object decides so.
 * Source: the API references of security.istio.io/v1 and networking.istio.io/v1 of Istio 1.27. */
#include "check/row.h"
#include "check/workload.h"
#include "kube/selector.h"

struct namespace
{
	const struct hf_kube_object *object;
	const struct hf_kube_object *authentication; /* without a selector */
	HF_VEC(const struct hf_kube_object *) selecting;
	bool authorized; /* has an AuthorizationPolicy */
};

struct mesh {
	struct hf_map namespaces;
	bool used;
};

enum membership { OUT, IN, UNKNOWN };

static struct namespace *namespace_of(struct hf_check_run *r, struct mesh *mesh, hf_sv name)
{
	struct hf_map_entry *e = hf_map_put(&mesh->namespaces, name);

	if (e && !e->value)
		e->value = hf_arena_new(r->arena, struct namespace);
	return e ? e->value : NULL;
}

static hf_sv label(const struct hf_kube_object *o, const char *key)
{
	return o ? hf_value_get_text(hf_value_get(o->metadata, HF_SV("labels")), hf_sv_of(key)) : (hf_sv){ 0 };
}

static const struct hf_value *selector_of(const struct hf_kube_object *o)
{
	const struct hf_value *v = hf_value_at(o->spec, "selector.matchLabels");

	return hf_value_count(v, HF_VALUE_OBJECT) ? v : NULL;
}

static void add_authentication(struct hf_check_run *r, struct namespace *n, const struct hf_kube_object *o)
{
	if (!selector_of(o)) {
		n->authentication = n->authentication ? n->authentication : o;
		return;
	}
	const struct hf_kube_object **slot = hf_vec_push(r->arena, &n->selecting);
	if (slot)
		*slot = o;
}

static struct mesh *mesh_of(struct hf_check_run *r)
{
	struct mesh *mesh = r->shared[HF_CHECK_SHARED_MESH];
	const struct hf_kube_objects *set = r->set;

	if (mesh)
		return mesh;
	r->shared[HF_CHECK_SHARED_MESH] = mesh = hf_arena_new(r->arena, struct mesh);
	if (!mesh)
		return NULL;
	mesh->namespaces = HF_MAP(r->arena);
	mesh->used = set->of_kind_n[HF_KUBE_PEER_AUTHENTICATION] || set->of_kind_n[HF_KUBE_DESTINATION_RULE] ||
		     set->of_kind_n[HF_KUBE_AUTHORIZATION_POLICY];
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_NAMESPACE]; i++) {
		const struct hf_kube_object *o = set->of_kind[HF_KUBE_NAMESPACE][i];
		struct namespace *n = namespace_of(r, mesh, o->name);
		if (n)
			n->object = o;
		mesh->used |= label(o, "istio-injection").len || label(o, "istio.io/rev").len ||
			      label(o, "istio.io/dataplane-mode").len;
	}
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_PEER_AUTHENTICATION]; i++) {
		const struct hf_kube_object *o = set->of_kind[HF_KUBE_PEER_AUTHENTICATION][i];
		struct namespace *n = namespace_of(r, mesh, o->namespace);
		if (n)
			add_authentication(r, n, o);
	}
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_AUTHORIZATION_POLICY]; i++) {
		struct namespace *n = namespace_of(r, mesh, set->of_kind[HF_KUBE_AUTHORIZATION_POLICY][i]->namespace);
		if (n)
			n->authorized = true;
	}
	return mesh;
}

static hf_sv pod_label(const struct hf_kube_pod *p, const char *key)
{
	return hf_check_pair(p->labels, p->labels_n, hf_sv_of(key));
}

static hf_sv pod_annotation(const struct hf_kube_pod *p, const char *key)
{
	return hf_check_pair(p->annotations, p->annotations_n, hf_sv_of(key));
}

static enum membership membership_of(struct hf_check_run *r, const struct namespace *n)
{
	const struct hf_kube_pod *p = r->pod;
	hf_sv wish = pod_label(p, "sidecar.istio.io/inject");

	for (size_t i = 0; i < p->containers_n; i++)
		if (hf_sv_eq(p->containers[i].name, HF_SV("istio-proxy")))
			return IN;
	wish = wish.len ? wish : pod_annotation(p, "sidecar.istio.io/inject");
	if (p->host_network || hf_sv_eq(wish, HF_SV("false")) ||
	    hf_sv_eq(pod_label(p, "istio.io/dataplane-mode"), HF_SV("none")))
		return OUT;
	if (hf_sv_eq(wish, HF_SV("true")) || hf_sv_eq(pod_label(p, "istio.io/dataplane-mode"), HF_SV("ambient")))
		return IN;
	if (!n || !n->object)
		return r->live ? OUT : UNKNOWN;
	return hf_sv_eq(label(n->object, "istio-injection"), HF_SV("enabled")) ||
			       label(n->object, "istio.io/rev").len ||
			       hf_sv_eq(label(n->object, "istio.io/dataplane-mode"), HF_SV("ambient"))
		       ? IN
		       : OUT;
}

struct decision {
	hf_sv mode;                       /* PERMISSIVE where nothing is said */
	const struct hf_kube_object *by;  /* NULL: the default */
	const struct hf_kube_object *own; /* the workload's PeerAuthentication */
};

static void override(struct decision *d, const struct hf_kube_object *o, const struct hf_value *mtls)
{
	hf_sv mode = hf_value_get_text(mtls, HF_SV("mode"));

	if (mode.len && !hf_sv_eq(mode, HF_SV("UNSET"))) {
		d->mode = mode;
		d->by = o;
	}
}

static struct decision decide(struct hf_check_run *r, const struct mesh *mesh, const struct namespace *n)
{
	const struct hf_map_entry *root = hf_map_find(&mesh->namespaces, HF_SV("istio-system"));
	const struct namespace *system = root ? root->value : NULL;
	struct decision d = { .mode = HF_SV("PERMISSIVE") };

	if (system && system->authentication)
		override(&d, system->authentication, hf_value_get(system->authentication->spec, HF_SV("mtls")));
	if (n && n != system && n->authentication)
		override(&d, n->authentication, hf_value_get(n->authentication->spec, HF_SV("mtls")));
	for (size_t i = 0; n && i < n->selecting.n && !d.own; i++) {
		const struct hf_label_selector *s =
			hf_kube_selector(selector_of(n->selecting.at[i]), HF_SELECTOR_LABELS, r->arena, NULL);
		if (s && hf_label_selector_matches(s, r->pod->labels, r->pod->labels_n))
			d.own = n->selecting.at[i];
	}
	if (d.own)
		override(&d, d.own, hf_value_get(d.own->spec, HF_SV("mtls")));
	return d;
}

/* One port, 0 for all that no portLevelMtls names. */
static void judge(struct hf_check_run *r, struct decision d, hf_sv port, const char *wanted)
{
	const struct hf_value *level =
		hf_value_get(hf_value_get(d.own ? d.own->spec : NULL, HF_SV("portLevelMtls")), port);

	if (level)
		override(&d, d.own, level);
	if (!hf_sv_eq(d.mode, hf_sv_of(wanted)))
		return;
	if (d.by)
		hf_check_fail(r, NULL, "port %.*s: %s by PeerAuthentication %.*s/%.*s",
			      HF_SV_FMT(port.len ? port : HF_SV("(any)")), wanted, HF_SV_FMT(d.by->namespace),
			      HF_SV_FMT(d.by->name));
	else
		hf_check_fail(r, NULL, "port %.*s: %s, since no PeerAuthentication says another thing",
			      HF_SV_FMT(port.len ? port : HF_SV("(any)")), wanted);
}

static bool is_declared(const struct hf_kube_pod *p, hf_sv number)
{
	for (size_t i = 0; i < p->containers_n; i++) {
		hf_value_elements(hf_value_get(p->containers[i].value, HF_SV("ports")), port)
		{
			const struct hf_value *v = hf_value_get(port, HF_SV("containerPort"));
			if (hf_value_is(v, HF_VALUE_NUMBER) && hf_sv_eq((hf_sv){ v->text, v->n }, number))
				return true;
		}
	}
	return false;
}

static void ask_mode(struct hf_check_run *r, const char *wanted)
{
	struct mesh *mesh = mesh_of(r);
	const struct hf_map_entry *e = mesh ? hf_map_find(&mesh->namespaces, r->object->namespace) : NULL;
	const struct namespace *n = e ? e->value : NULL;
	enum membership in = mesh && mesh->used ? membership_of(r, n) : OUT;
	bool any = false;

	if (in == OUT) {
		hf_check_not_applicable(r);
		return;
	}
	if (in == UNKNOWN) {
		hf_check_not_assessable(
			r, "the Namespace %.*s, whose labels say if it is in the mesh, is not in the input",
			HF_SV_FMT(r->object->namespace));
		return;
	}
	struct decision d = decide(r, mesh, n);
	for (size_t i = 0; i < r->pod->containers_n; i++) {
		hf_value_elements(hf_value_get(r->pod->containers[i].value, HF_SV("ports")), port)
		{
			const struct hf_value *number = hf_value_get(port, HF_SV("containerPort"));
			if (!hf_value_is(number, HF_VALUE_NUMBER) ||
			    hf_sv_eq(r->pod->containers[i].name, HF_SV("istio-proxy")))
				continue;
			any = true;
			judge(r, d, (hf_sv){ number->text, number->n }, wanted);
		}
	}
	if (!any)
		judge(r, d, (hf_sv){ 0 }, wanted);
	/* Containers need not tell their ports. */
	hf_value_members(hf_value_get(d.own ? d.own->spec : NULL, HF_SV("portLevelMtls")), m)
	{
		if (!is_declared(r->pod, hf_member_key(m)))
			judge(r, d, hf_member_key(m), wanted);
	}
}

static void permissive(struct hf_check_run *r)
{
	ask_mode(r, "PERMISSIVE");
}

static void disabled(struct hf_check_run *r)
{
	ask_mode(r, "DISABLE");
}

static const struct hf_value *tls_of(const struct hf_value *policy)
{
	const struct hf_value *v = hf_value_get(policy, HF_SV("tls"));

	if (hf_sv_eq(hf_value_get_text(v, HF_SV("mode")), HF_SV("DISABLE")) ||
	    hf_value_true(hf_value_get(v, HF_SV("insecureSkipVerify"))))
		return v;
	hf_value_elements(hf_value_get(policy, HF_SV("portLevelSettings")), e)
	{
		v = hf_value_get(e, HF_SV("tls"));
		if (hf_sv_eq(hf_value_get_text(v, HF_SV("mode")), HF_SV("DISABLE")) ||
		    hf_value_true(hf_value_get(v, HF_SV("insecureSkipVerify"))))
			return v;
	}
	return NULL;
}

static void destination(struct hf_check_run *r)
{
	const struct hf_value *v = tls_of(hf_value_get(r->object->spec, HF_SV("trafficPolicy")));

	hf_value_elements(hf_value_get(r->object->spec, HF_SV("subsets")), e)
	{
		v = v ? v : tls_of(hf_value_get(e, HF_SV("trafficPolicy")));
	}
	if (v)
		hf_check_fail(r, v, "clients of %.*s %s", HF_SV_FMT(hf_value_get_text(r->object->spec, HF_SV("host"))),
			      hf_sv_eq(hf_value_get_text(v, HF_SV("mode")), HF_SV("DISABLE"))
				      ? "are told not to encrypt, whatever servers ask for"
				      : "do not verify it");
}

static void allows_all(struct hf_check_run *r)
{
	hf_sv action = hf_value_get_text(r->object->spec, HF_SV("action"));

	if (action.len && !hf_sv_eq(action, HF_SV("ALLOW"))) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("rules")), e)
	{
		if (!hf_value_count(e, HF_VALUE_OBJECT)) {
			hf_check_fail(r, e, "an empty rule allows every request of everybody");
			return;
		}
	}
}

static void not_authorized(struct hf_check_run *r)
{
	struct mesh *mesh = mesh_of(r);
	const struct hf_map_entry *e = mesh ? hf_map_find(&mesh->namespaces, r->object->name) : NULL;
	const struct namespace *n = e ? e->value : NULL;
	const struct hf_map_entry *root = mesh ? hf_map_find(&mesh->namespaces, HF_SV("istio-system")) : NULL;

	if (!hf_sv_eq(label(r->object, "istio-injection"), HF_SV("enabled")) && !label(r->object, "istio.io/rev").len &&
	    !hf_sv_eq(label(r->object, "istio.io/dataplane-mode"), HF_SV("ambient")))
		hf_check_not_applicable(r);
	else if (!r->live && !r->set->of_kind_n[HF_KUBE_AUTHORIZATION_POLICY])
		hf_check_not_assessable(r, "no AuthorizationPolicies are in the input");
	else if ((!n || !n->authorized) && !(root && ((const struct namespace *)root->value)->authorized))
		hf_check_fail(r, NULL, "no AuthorizationPolicy says who may ask its workloads for what");
}

static void excluded(struct hf_check_run *r)
{
	static const char *const keys[] = { "traffic.sidecar.istio.io/excludeInboundPorts",
					    "traffic.sidecar.istio.io/excludeOutboundPorts",
					    "traffic.sidecar.istio.io/excludeOutboundIPRanges" };
	struct mesh *mesh = mesh_of(r);
	bool any = false;

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++) {
		hf_sv ports = pod_annotation(r->pod, keys[i]);
		any |= ports.ptr != NULL;
		if (ports.len) {
			hf_check_fail(r, NULL, "%s: %.*s goes past the proxy", keys[i], HF_SV_FMT(ports));
			return;
		}
	}
	if (!any && !(mesh && mesh->used))
		hf_check_not_applicable(r);
}

static void opted_out(struct hf_check_run *r)
{
	hf_sv wish = pod_label(r->pod, "sidecar.istio.io/inject");

	wish = wish.len ? wish : pod_annotation(r->pod, "sidecar.istio.io/inject");
	if (hf_sv_eq(wish, HF_SV("false")) || hf_sv_eq(pod_label(r->pod, "istio.io/dataplane-mode"), HF_SV("none")))
		hf_check_fail(r, NULL, "stays out of the mesh by its own wish");
	else if (!mesh_of(r) || !mesh_of(r)->used)
		hf_check_not_applicable(r);
}

static const struct hf_check checks[] = {
#include "check/istio.def"
};

const struct hf_check_group hf_check_group_istio = { "istio", checks, HF_ARRAY_SIZE(checks) };
