/* Linkerd: which ports of its pods take what is not encrypted, and what decides so.
 * Source: the references of policy.linkerd.io and of the proxy's annotations, Linkerd 2.18. */
#include "check/workload.h"
#include "kube/selector.h"

struct namespace
{
	const struct hf_kube_object *object;
	HF_VEC(const struct hf_kube_object *) servers, policies;
};

static struct namespace *namespace_of(struct hf_check_run *r, struct hf_map *map, hf_sv name)
{
	struct hf_map_entry *e = hf_map_put(map, name);

	if (e && !e->value)
		e->value = hf_arena_new(r->arena, struct namespace);
	return e ? e->value : NULL;
}

static const struct namespace *home_of(struct hf_check_run *r)
{
	struct hf_map *map = r->memo;
	const struct hf_kube_objects *set = r->set;

	if (!map) {
		static const enum hf_kube_kind kinds[] = { HF_KUBE_NAMESPACE, HF_KUBE_LINKERD_SERVER,
							   HF_KUBE_LINKERD_AUTHORIZATION_POLICY };
		r->memo = map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return NULL;
		*map = HF_MAP(r->arena);
		for (size_t k = 0; k < HF_ARRAY_SIZE(kinds); k++)
			for (size_t i = 0; i < set->of_kind_n[kinds[k]]; i++) {
				const struct hf_kube_object *o = set->of_kind[kinds[k]][i];
				struct namespace *n = namespace_of(r, map, k ? o->namespace : o->name);
				if (n && !k)
					n->object = o;
				const struct hf_kube_object **slot = !n || !k ? NULL
								     : k == 1 ? hf_vec_push(r->arena, &n->servers)
									      : hf_vec_push(r->arena, &n->policies);
				if (slot)
					*slot = o;
			}
	}
	return namespace_of(r, map, r->object->namespace);
}

static hf_sv annotation(const struct hf_check_run *r, const struct namespace *n, const char *key)
{
	hf_sv own = hf_check_pair(r->pod->annotations, r->pod->annotations_n, hf_sv_of(key));

	if (own.len || !n || !n->object)
		return own;
	return hf_value_get_text(hf_value_get(n->object->metadata, HF_SV("annotations")), hf_sv_of(key));
}

static bool is_member(const struct hf_check_run *r, const struct namespace *n)
{
	hf_sv inject = annotation(r, n, "linkerd.io/inject");

	for (size_t i = 0; i < r->pod->containers_n; i++)
		if (hf_sv_eq(r->pod->containers[i].name, HF_SV("linkerd-proxy")))
			return true;
	return !r->pod->host_network && (hf_sv_eq(inject, HF_SV("enabled")) || hf_sv_eq(inject, HF_SV("ingress")));
}

/* Does the Server stand for this port of the pod? Ports are named by number or by name. */
static bool serves(struct hf_check_run *r, const struct hf_kube_object *server, const struct hf_value *port)
{
	const struct hf_value *wanted = hf_value_get(server->spec, HF_SV("port"));
	const struct hf_label_selector *s =
		hf_kube_selector(hf_value_get(server->spec, HF_SV("podSelector")), HF_SELECTOR_FULL, r->arena, NULL);

	if (!port || !wanted || !s || !hf_label_selector_matches(s, r->pod->labels, r->pod->labels_n))
		return false;
	return hf_value_is(wanted, HF_VALUE_STRING)
		       ? hf_sv_eq(hf_value_text(wanted), hf_value_get_text(port, HF_SV("name")))
		       : hf_value_eq(wanted, hf_value_get(port, HF_SV("containerPort")));
}

static bool is_authenticated(const struct hf_kube_object *policy)
{
	hf_value_elements(hf_value_get(policy->spec, HF_SV("requiredAuthenticationRefs")), e)
	{
		hf_sv kind = hf_value_get_text(e, HF_SV("kind"));
		if (hf_sv_eq(kind, HF_SV("MeshTLSAuthentication")) || hf_sv_eq(kind, HF_SV("ServiceAccount")))
			return true;
	}
	return false;
}

static bool is_for(const struct hf_kube_object *policy, const struct hf_kube_object *server)
{
	const struct hf_value *target = hf_value_get(policy->spec, HF_SV("targetRef"));
	hf_sv kind = hf_value_get_text(target, HF_SV("kind"));

	return hf_sv_eq(kind, HF_SV("Namespace")) ||
	       (hf_sv_eq(kind, HF_SV("Server")) && hf_sv_eq(hf_value_get_text(target, HF_SV("name")), server->name));
}

static bool is_open(hf_sv policy)
{
	return hf_sv_ends(policy, HF_SV("-unauthenticated")) || hf_sv_eq(policy, HF_SV("audit"));
}

/* @port NULL: all that the pod does not tell. */
static void judge(struct hf_check_run *r, const struct namespace *n, const struct hf_value *port)
{
	const struct hf_value *number = hf_value_get(port, HF_SV("containerPort"));
	hf_sv policy = annotation(r, n, "config.linkerd.io/default-inbound-policy");
	int64_t value = 0;
	hf_sv which = hf_value_int(number, &value) ? hf_arena_fmt(r->arena, "%lld", (long long)value) : HF_SV("(any)");

	for (size_t i = 0; n && i < n->servers.n; i++) {
		const struct hf_kube_object *server = n->servers.at[i];
		if (!serves(r, server, port))
			continue;
		hf_sv access = hf_value_get_text(server->spec, HF_SV("accessPolicy"));
		if (is_open(access))
			hf_check_fail(r, number, "port %.*s: %.*s by Server %.*s", HF_SV_FMT(which), HF_SV_FMT(access),
				      HF_SV_FMT(server->name));
		for (size_t p = 0; p < n->policies.n; p++)
			if (is_for(n->policies.at[p], server) && !is_authenticated(n->policies.at[p]))
				hf_check_fail(r, number, "port %.*s: AuthorizationPolicy %.*s asks for no certificate",
					      HF_SV_FMT(which), HF_SV_FMT(n->policies.at[p]->name));
		return;
	}
	if (!policy.len)
		hf_check_fail(
			r, number,
			"port %.*s: neither a Server nor a policy closes it, and all-unauthenticated is the default",
			HF_SV_FMT(which));
	else if (is_open(policy))
		hf_check_fail(r, number, "port %.*s: the default policy is %.*s", HF_SV_FMT(which), HF_SV_FMT(policy));
}

static void plaintext(struct hf_check_run *r)
{
	const struct namespace *n = home_of(r);
	bool any = false;

	if (!is_member(r, n)) {
		hf_check_not_applicable(r);
		return;
	}
	for (size_t i = 0; i < r->pod->containers_n; i++) {
		if (hf_sv_eq(r->pod->containers[i].name, HF_SV("linkerd-proxy")))
			continue;
		hf_value_elements(hf_value_get(r->pod->containers[i].value, HF_SV("ports")), port)
		{
			any = true;
			judge(r, n, port);
		}
	}
	if (!any)
		judge(r, n, NULL);
}

static void skipped(struct hf_check_run *r)
{
	static const char *const keys[] = { "config.linkerd.io/skip-inbound-ports",
					    "config.linkerd.io/skip-outbound-ports", "config.linkerd.io/skip-subnets" };
	const struct namespace *n = home_of(r);

	if (!is_member(r, n)) {
		hf_check_not_applicable(r);
		return;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++) {
		hf_sv ports = annotation(r, n, keys[i]);
		if (ports.len) {
			hf_check_fail(r, NULL, "%s: %.*s goes past the proxy", keys[i], HF_SV_FMT(ports));
			return;
		}
	}
}

static void unasked(struct hf_check_run *r)
{
	if (!is_authenticated(r->object))
		hf_check_fail(r, r->object->spec, "asks for no certificate");
}

static void anybody(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("identities")), e)
	{
		if (hf_sv_eq(hf_value_text(e), HF_SV("*"))) {
			hf_check_fail(r, e, "every identity of the mesh will do");
			return;
		}
	}
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-911",
	  .name = "linkerd-plaintext",
	  .title = "A port in Linkerd's mesh takes what is not encrypted",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Who is in the network reads along, and speaks without proving who they are.",
	  .fix = "Set config.linkerd.io/default-inbound-policy: all-authenticated, or a Server with an "
		 "AuthorizationPolicy.",
	  .references = "NSA-tls MITRE-T1040 MITRE-T1557",
	  .evaluate = plaintext },
	{ .id = "HF-K8S-912",
	  .name = "linkerd-skipped-ports",
	  .title = "Traffic of a pod goes past Linkerd's proxy",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "No policy of the mesh holds for it, and nothing encrypts it.",
	  .fix = "Remove the annotation; mark ports opaque where the protocol is not known.",
	  .references = "NSA-tls MITRE-T1040",
	  .evaluate = skipped },
	{ .id = "HF-K8S-913",
	  .name = "linkerd-no-authentication",
	  .title = "An AuthorizationPolicy of Linkerd asks for no certificate",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_LINKERD_AUTHORIZATION_POLICY },
	  .why = "Clients outside of the mesh are let in, by their address or without anything.",
	  .fix = "Name a MeshTLSAuthentication or a ServiceAccount under requiredAuthenticationRefs.",
	  .references = "NSA-authentication MITRE-T1210",
	  .evaluate = unasked },
	{ .id = "HF-K8S-914",
	  .name = "linkerd-any-identity",
	  .title = "A MeshTLSAuthentication takes every identity",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_MESH_TLS_AUTHENTICATION },
	  .why = "Any pod of the mesh may ask, whatever it is for.",
	  .fix = "Name identities or service accounts.",
	  .references = "NSA-authentication MITRE-T1210",
	  .evaluate = anybody },
};

const struct hf_check_group hf_check_group_linkerd = { "linkerd", checks, HF_ARRAY_SIZE(checks) };
