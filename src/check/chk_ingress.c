/* Ingresses, Gateways and Routes: who is let in, how, and under whose name. */
#include "check/component.h"
#include "check/row.h"
#include "check/workload.h"

static const struct hf_value *annotation(const struct hf_kube_object *o, const char *key)
{
	return hf_value_get(hf_value_get(o->metadata, HF_SV("annotations")), hf_sv_of(key));
}

static hf_sv annotation_text(const struct hf_kube_object *o, const char *key)
{
	return hf_value_text(annotation(o, key));
}

static bool host_covers(hf_sv pattern, hf_sv host)
{
	hf_sv left, right;

	if (hf_sv_eq_ascii(pattern, host))
		return true;
	return hf_sv_starts(pattern, HF_SV("*.")) && hf_sv_cut(host, '.', &left, &right) &&
	       hf_sv_eq_ascii(hf_sv_skip(pattern, 2), right);
}

/* An entry without hosts is for all of them. */
static bool has_tls(const struct hf_value *spec, hf_sv host)
{
	hf_value_elements(hf_value_get(spec, HF_SV("tls")), tls)
	{
		const struct hf_value *hosts = hf_value_get(tls, HF_SV("hosts"));
		if (!hf_value_count(hosts, HF_VALUE_ARRAY))
			return true;
		hf_value_elements(hosts, e)
		{
			if (host_covers(hf_value_text(e), host))
				return true;
		}
	}
	return false;
}

static void plain(struct hf_check_run *r)
{
	const struct hf_value *rules = hf_value_get(r->object->spec, HF_SV("rules"));

	if (annotation_text(r->object, "alb.ingress.kubernetes.io/certificate-arn").len)
		return;
	if (!hf_value_count(rules, HF_VALUE_ARRAY) && !has_tls(r->object->spec, HF_SV("")))
		hf_check_fail(r, NULL, "has no certificate");
	hf_value_elements(rules, e)
	{
		hf_sv host = hf_value_get_text(e, HF_SV("host"));
		if (!has_tls(r->object->spec, host)) {
			hf_check_fail(r, e, "has no certificate for %.*s",
				      HF_SV_FMT(host.len ? host : HF_SV("all hosts")));
			return;
		}
	}
}

static void wildcard(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("rules")), e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("host"));
		if (hf_sv_starts(hf_value_text(v), HF_SV("*"))) {
			hf_check_fail(r, v, "takes all names of %.*s", HF_SV_FMT(hf_value_text(v)));
			return;
		}
	}
}

static void any_host(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("rules")), e)
	{
		if (!hf_value_get_text(e, HF_SV("host")).len) {
			hf_check_fail(r, e, "a rule without host takes the requests for all names");
			return;
		}
	}
}

static void default_backend(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("defaultBackend"));

	v = v ? v : hf_value_get(r->object->spec, HF_SV("backend"));
	if (v)
		hf_check_fail(r, v, "what no rule takes goes to its default backend");
}

static void snippets(struct hf_check_run *r)
{
	static const char *const keys[] = {
		"nginx.ingress.kubernetes.io/configuration-snippet",
		"nginx.ingress.kubernetes.io/server-snippet",
		"nginx.ingress.kubernetes.io/auth-snippet",
		"nginx.ingress.kubernetes.io/stream-snippet",
		"nginx.ingress.kubernetes.io/modsecurity-snippet",
		"nginx.org/server-snippets",
		"nginx.org/location-snippets",
		"haproxy.org/backend-config-snippet",
		"haproxy-ingress.github.io/config-backend",
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (annotation(r->object, keys[i])) {
			hf_check_fail(r, annotation(r->object, keys[i]),
				      "%s puts text into the controller's configuration", keys[i]);
			return;
		}
}

static void no_redirect(struct hf_check_run *r)
{
	static const char *const keys[] = { "nginx.ingress.kubernetes.io/ssl-redirect", "haproxy.org/ssl-redirect",
					    "haproxy-ingress.github.io/ssl-redirect",
					    "ingress.kubernetes.io/ssl-redirect" };

	if (!hf_value_count(hf_value_get(r->object->spec, HF_SV("tls")), HF_VALUE_ARRAY)) {
		hf_check_not_applicable(r);
		return;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (hf_sv_eq(annotation_text(r->object, keys[i]), HF_SV("false"))) {
			hf_sv path =
				hf_arena_fmt(r->arena, "/metadata/annotations/%.*s~1%s",
					     (int)(strchr(keys[i], '/') - keys[i]), keys[i], strchr(keys[i], '/') + 1);
			struct hf_check_result *f =
				hf_check_fail(r, annotation(r->object, keys[i]), "is served unencrypted too");
			if (path.len)
				hf_check_patch(r, f, path.ptr, "\"true\"", false);
			return;
		}
}

static bool asks_who(const struct hf_kube_object *o)
{
	static const char *const keys[] = {
		"nginx.ingress.kubernetes.io/auth-url",
		"nginx.ingress.kubernetes.io/auth-type",
		"nginx.ingress.kubernetes.io/auth-tls-secret",
		"traefik.ingress.kubernetes.io/router.middlewares",
		"haproxy.org/auth-type",
		"haproxy-ingress.github.io/auth-url",
		"haproxy-ingress.github.io/auth-secret",
		"alb.ingress.kubernetes.io/auth-type",
		"konghq.com/plugins",
		"nginx.org/basic-auth-secret",
		"nginx.org/jwt-key",
		"nginx.org/policies",
		"nginx.ingress.kubernetes.io/whitelist-source-range",
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (annotation_text(o, keys[i]).len)
			return true;
	return false;
}

static bool is_administrative(hf_sv path)
{
	static const char *const paths[] = { "/admin",   "/actuator",     "/debug",   "/metrics",    "/console",
					     "/manager", "/phpmyadmin",   "/jenkins", "/prometheus", "/dashboard",
					     "/kibana",  "/alertmanager", "/argocd",  "/.git",       "/server-status" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
		hf_sv p = hf_sv_of(paths[i]);
		if (hf_sv_starts(path, p) && (path.len == p.len || strchr("/(*?-", path.ptr[p.len])))
			return true;
	}
	return false;
}

static void open_administration(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("rules")), rule)
	{
		hf_value_elements(hf_value_at(rule, "http.paths"), e)
		{
			hf_sv path = hf_value_get_text(e, HF_SV("path"));
			if (is_administrative(path) && !asks_who(r->object)) {
				hf_check_fail(r, e, "no annotation asks who wants %.*s", HF_SV_FMT(path));
				return;
			}
		}
	}
}

static void cors(struct hf_check_run *r)
{
	const struct hf_kube_object *o = r->object;
	hf_sv origin = annotation_text(o, "nginx.ingress.kubernetes.io/cors-allow-origin");
	hf_sv credentials = annotation_text(o, "nginx.ingress.kubernetes.io/cors-allow-credentials");

	if (!hf_sv_eq(annotation_text(o, "nginx.ingress.kubernetes.io/enable-cors"), HF_SV("true")))
		hf_check_not_applicable(r);
	else if ((!origin.len || hf_check_list_has(origin, HF_SV("*"))) && !hf_sv_eq(credentials, HF_SV("false")))
		hf_check_fail(r, annotation(o, "nginx.ingress.kubernetes.io/enable-cors"),
			      "any page may use it with the credentials of who looks at the page");
}

static void unverified(struct hf_check_run *r)
{
	const struct hf_value *client = annotation(r->object, "nginx.ingress.kubernetes.io/auth-tls-verify-client");
	const struct hf_value *backend = annotation(r->object, "nginx.ingress.kubernetes.io/proxy-ssl-verify");

	if (!client && !backend)
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_text(client), HF_SV("off")) ||
		 hf_sv_eq(hf_value_text(client), HF_SV("optional_no_ca")))
		hf_check_fail(r, client, "client certificates are not verified");
	else if (hf_sv_eq(hf_value_text(backend), HF_SV("off")))
		hf_check_fail(r, backend, "certificates of what is behind it are not verified");
}

static void internet_facing(struct hf_check_run *r)
{
	const struct hf_value *scheme = annotation(r->object, "alb.ingress.kubernetes.io/scheme");
	hf_sv cidrs = annotation_text(r->object, "alb.ingress.kubernetes.io/inbound-cidrs");

	if (!hf_sv_eq(hf_value_text(scheme), HF_SV("internet-facing")))
		hf_check_not_applicable(r);
	else if (!cidrs.len || hf_sv_find(cidrs, HF_SV("0.0.0.0/0")) != SIZE_MAX)
		hf_check_fail(r, scheme, "its load balancer takes all addresses");
}

static void default_class(struct hf_check_run *r)
{
	const struct hf_value *v = annotation(r->object, "ingressclass.kubernetes.io/is-default-class");

	if (hf_sv_eq(hf_value_text(v), HF_SV("true")))
		hf_check_patch(r, hf_check_fail(r, v, "takes each Ingress that names no class"),
			       "/metadata/annotations/ingressclass.kubernetes.io~1is-default-class", "\"false\"",
			       false);
}

/* Which namespace has a host first. */
static void same_host(struct hf_check_run *r)
{
	struct hf_map hosts = HF_MAP(r->arena);

	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_INGRESS]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_INGRESS][i];
		hf_value_elements(hf_value_get(o->spec, HF_SV("rules")), e)
		{
			hf_sv host = hf_value_get_text(e, HF_SV("host"));
			struct hf_map_entry *m = host.len ? hf_map_put(&hosts, host) : NULL;
			const struct hf_kube_object *first = m ? m->value : NULL;
			if (m && !first) {
				m->value = (void *)(uintptr_t)o;
			} else if (first && !hf_sv_eq(first->namespace, o->namespace)) {
				hf_check_about(r, o);
				hf_check_fail(r, e, "%.*s is taken by %.*s of %.*s as well", HF_SV_FMT(host),
					      HF_SV_FMT(first->name), HF_SV_FMT(first->namespace));
			}
		}
	}
	hf_check_about(r, NULL);
	if (!hosts.n)
		hf_check_not_applicable(r);
}

static void gateway_plain(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("listeners")), e)
	{
		hf_sv protocol = hf_value_get_text(e, HF_SV("protocol"));
		if (hf_sv_eq(protocol, HF_SV("HTTP")) || hf_sv_eq(protocol, HF_SV("TCP"))) {
			hf_check_fail(r, e, "the listener %.*s is not encrypted",
				      HF_SV_FMT(hf_value_get_text(e, HF_SV("name"))));
			return;
		}
	}
}

static void gateway_host(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("listeners")), e)
	{
		hf_sv host = hf_value_get_text(e, HF_SV("hostname")),
		      protocol = hf_value_get_text(e, HF_SV("protocol"));
		if (hf_sv_eq(protocol, HF_SV("TCP")) || hf_sv_eq(protocol, HF_SV("UDP")))
			continue;
		if (!host.len || hf_sv_starts(host, HF_SV("*"))) {
			hf_check_fail(r, e, "the listener %.*s takes %s",
				      HF_SV_FMT(hf_value_get_text(e, HF_SV("name"))),
				      host.len ? "all names of a domain" : "all names");
			return;
		}
	}
}

static void gateway_routes(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("listeners")), e)
	{
		const struct hf_value *v = hf_value_at(e, "allowedRoutes.namespaces.from");
		if (hf_sv_eq(hf_value_text(v), HF_SV("All"))) {
			hf_check_fail(r, v, "routes of all namespaces may use it");
			return;
		}
	}
}

static void wide_grant(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("to")), e)
	{
		if (!hf_value_get_text(e, HF_SV("name")).len) {
			hf_check_fail(r, e, "lets all objects of kind %.*s be named, not one",
				      HF_SV_FMT(hf_value_get_text(e, HF_SV("kind"))));
			return;
		}
	}
}

static void istio_plain(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("servers")), e)
	{
		hf_sv protocol = hf_value_text(hf_value_at(e, "port.protocol"));
		if (protocol.len && !hf_sv_eq(protocol, HF_SV("HTTPS")) && !hf_sv_eq(protocol, HF_SV("TLS")))
			if (!hf_value_true(hf_value_at(e, "tls.httpsRedirect")) && !hf_value_at(e, "tls.mode")) {
				hf_check_fail(r, e, "a server of protocol %.*s is not encrypted", HF_SV_FMT(protocol));
				return;
			}
	}
}

static void istio_host(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("servers")), e)
	{
		hf_value_elements(hf_value_get(e, HF_SV("hosts")), h)
		{
			hf_sv host = hf_value_text(h);
			if (hf_sv_eq(host, HF_SV("*")) || hf_sv_eq(host, HF_SV("*/*"))) {
				hf_check_fail(r, h, "a server takes all names");
				return;
			}
		}
	}
}

static void route_plain(struct hf_check_run *r)
{
	if (!hf_value_get(r->object->spec, HF_SV("tls")))
		hf_check_patch(r, hf_check_fail(r, r->object->spec, "is served unencrypted"), "/spec/tls",
			       "{\"termination\": \"edge\", \"insecureEdgeTerminationPolicy\": \"Redirect\"}", false);
}

static void route_insecure(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "tls.insecureEdgeTerminationPolicy");

	if (!hf_value_get(r->object->spec, HF_SV("tls")))
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_text(v), HF_SV("Allow")))
		hf_check_patch(r, hf_check_fail(r, v, "is served unencrypted too"),
			       "/spec/tls/insecureEdgeTerminationPolicy", "\"Redirect\"", false);
}

static void route_wildcard(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("wildcardPolicy"));

	if (hf_sv_eq(hf_value_text(v), HF_SV("Subdomain")))
		hf_check_patch(r, hf_check_fail(r, v, "takes all names of its domain"), "/spec/wildcardPolicy",
			       "\"None\"", false);
}

static const struct hf_check checks[] = {
#include "check/ingress.def"
};

const struct hf_check_group hf_check_group_ingress = { "ingress", checks, HF_ARRAY_SIZE(checks) };
