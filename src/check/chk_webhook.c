/* What extends the API: admission webhooks and policies, aggregated APIs, conversion of custom resources. */
#include "check/row.h"
#include "check/workload.h"

static bool is_mutating(const struct hf_check_run *r)
{
	return r->object->kind == HF_KUBE_MUTATING_WEBHOOK;
}

static bool holds(const struct hf_value *list, const char *word)
{
	hf_value_elements(list, e)
	{
		if (hf_sv_eq(hf_value_text(e), hf_sv_of(word)))
			return true;
	}
	return false;
}

static bool selects(const struct hf_value *v)
{
	return hf_value_count(hf_value_get(v, HF_SV("matchLabels")), HF_VALUE_OBJECT) ||
	       hf_value_count(hf_value_get(v, HF_SV("matchExpressions")), HF_VALUE_ARRAY);
}

#define FOR_EACH_WEBHOOK(r, w) hf_value_elements(hf_value_get((r)->object->root, HF_SV("webhooks")), w)

static hf_sv name_of(const struct hf_value *webhook)
{
	return hf_value_get_text(webhook, HF_SV("name"));
}

static void ignored(struct hf_check_run *r)
{
	size_t i = 0;

	FOR_EACH_WEBHOOK(r, w)
	{
		const struct hf_value *v = hf_value_get(w, HF_SV("failurePolicy"));
		if (hf_sv_eq(hf_value_text(v), HF_SV("Ignore"))) {
			hf_sv path = hf_arena_fmt(r->arena, "/webhooks/%zu/failurePolicy", i);
			struct hf_check_result *f =
				hf_check_fail(r, v, "what %.*s is to refuse is let in while it does not answer",
					      HF_SV_FMT(name_of(w)));
			if (path.len)
				hf_check_patch(r, f, path.ptr, "\"Fail\"", false);
		}
		i++;
	}
}

static bool is_wide(const struct hf_value *webhook)
{
	hf_value_elements(hf_value_get(webhook, HF_SV("rules")), rule)
	{
		if ((holds(hf_value_get(rule, HF_SV("resources")), "*") ||
		     holds(hf_value_get(rule, HF_SV("resources")), "*/*")) &&
		    holds(hf_value_get(rule, HF_SV("apiGroups")), "*"))
			return true;
	}
	return false;
}

static void wide(struct hf_check_run *r)
{
	FOR_EACH_WEBHOOK(r, w) if (is_wide(w))
	{
		hf_check_fail(r, w, "%.*s is asked about all kinds of objects", HF_SV_FMT(name_of(w)));
		return;
	}
}

static void everywhere(struct hf_check_run *r)
{
	FOR_EACH_WEBHOOK(r, w)
	{
		if (!selects(hf_value_get(w, HF_SV("namespaceSelector"))) &&
		    !selects(hf_value_get(w, HF_SV("objectSelector"))) &&
		    !hf_value_count(hf_value_get(w, HF_SV("matchConditions")), HF_VALUE_ARRAY)) {
			hf_check_fail(r, w, "%.*s is asked in all namespaces, kube-system too", HF_SV_FMT(name_of(w)));
			return;
		}
	}
}

static void changes_everything(struct hf_check_run *r)
{
	if (!is_mutating(r)) {
		hf_check_not_applicable(r);
		return;
	}
	FOR_EACH_WEBHOOK(r, w)
	{
		if (is_wide(w) && !selects(hf_value_get(w, HF_SV("namespaceSelector"))) &&
		    !selects(hf_value_get(w, HF_SV("objectSelector")))) {
			hf_check_fail(r, w, "%.*s may rewrite every object of the cluster", HF_SV_FMT(name_of(w)));
			return;
		}
	}
}

static bool is_injected(const struct hf_kube_object *o)
{
	static const char *const keys[] = { "cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret",
					    "cert-manager.io/inject-apiserver-ca",
					    "service.beta.openshift.io/inject-cabundle" };
	const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (hf_value_get(annotations, hf_sv_of(keys[i])))
			return true;
	return false;
}

static void no_authority(struct hf_check_run *r)
{
	if (is_injected(r->object)) {
		hf_check_not_applicable(r);
		return;
	}
	FOR_EACH_WEBHOOK(r, w)
	{
		const struct hf_value *client = hf_value_get(w, HF_SV("clientConfig"));
		if (!hf_value_get_text(client, HF_SV("caBundle")).len) {
			hf_check_fail(r, client, "%.*s has no caBundle: the node's authorities are trusted",
				      HF_SV_FMT(name_of(w)));
			return;
		}
	}
}

static void slow(struct hf_check_run *r)
{
	FOR_EACH_WEBHOOK(r, w)
	{
		const struct hf_value *v = hf_value_get(w, HF_SV("timeoutSeconds"));
		int64_t n;
		if (hf_value_int(v, &n) && n > 10) {
			hf_check_fail(r, v, "%.*s may hold each request for %lld seconds", HF_SV_FMT(name_of(w)),
				      (long long)n);
			return;
		}
	}
}

/* The host of a URL, without its port. */
static hf_sv host_of(hf_sv url)
{
	hf_sv before, host = url, rest;

	if (hf_sv_cut(url, '/', &before, &rest) && hf_sv_starts(rest, HF_SV("/")))
		hf_sv_cut(hf_sv_skip(rest, 1), '/', &host, &rest);
	hf_sv_cut(host, ':', &host, &rest);
	return host;
}

static bool is_inside(hf_sv host)
{
	return hf_sv_ends(host, HF_SV(".svc")) || hf_sv_ends(host, HF_SV(".svc.cluster.local")) ||
	       hf_sv_starts(host, HF_SV("127.")) || hf_sv_eq(host, HF_SV("localhost"));
}

static void outside(struct hf_check_run *r)
{
	FOR_EACH_WEBHOOK(r, w)
	{
		const struct hf_value *v = hf_value_at(w, "clientConfig.url");
		hf_sv url = hf_value_text(v);
		if (url.len && !is_inside(host_of(url))) {
			hf_check_fail(r, v, "%.*s sends objects to %.*s", HF_SV_FMT(name_of(w)), HF_SV_FMT(url));
			return;
		}
	}
}

static void sees_secrets(struct hf_check_run *r)
{
	FOR_EACH_WEBHOOK(r, w)
	{
		hf_value_elements(hf_value_get(w, HF_SV("rules")), rule)
		{
			const struct hf_value *resources = hf_value_get(rule, HF_SV("resources"));
			const struct hf_value *groups = hf_value_get(rule, HF_SV("apiGroups"));
			if ((holds(groups, "") || holds(groups, "*")) &&
			    (holds(resources, "secrets") || holds(resources, "*") || holds(resources, "*/*"))) {
				hf_check_fail(r, rule, "%.*s is handed each Secret that is written",
					      HF_SV_FMT(name_of(w)));
				return;
			}
		}
	}
}

/* Where Services of a namespace are in the input, all of them are held to be. */
static bool services_known(struct hf_check_run *r, hf_sv namespace)
{
	struct hf_map *map = r->memo;

	if (!map) {
		r->memo = map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return false;
		*map = HF_MAP(r->arena);
		for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_SERVICE]; i++)
			hf_map_put(map, r->set->of_kind[HF_KUBE_SERVICE][i]->namespace);
	}
	return r->live || hf_map_find(map, namespace);
}

static void no_backend(struct hf_check_run *r)
{
	bool unknown = false;

	FOR_EACH_WEBHOOK(r, w)
	{
		const struct hf_value *s = hf_value_at(w, "clientConfig.service");
		hf_sv namespace = hf_value_get_text(s, HF_SV("namespace")), name = hf_value_get_text(s, HF_SV("name"));
		if (!s || hf_kube_find(r->set, r->cluster, HF_KUBE_SERVICE, namespace, name))
			continue;
		unknown = true;
		if (services_known(r, namespace)) {
			hf_check_fail(r, s, "the Service %.*s/%.*s of %.*s is not there", HF_SV_FMT(namespace),
				      HF_SV_FMT(name), HF_SV_FMT(name_of(w)));
			return;
		}
	}
	if (unknown)
		hf_check_not_assessable(r, "a Service that it names is not in the input");
}

static void api_service(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("insecureSkipTLSVerify"));

	if (!hf_value_get(r->object->spec, HF_SV("service")))
		hf_check_not_applicable(r);
	else if (hf_value_true(v))
		hf_check_fail(r, v, "its server is not verified");
}

static void conversion(struct hf_check_run *r)
{
	const struct hf_value *c = hf_value_get(r->object->spec, HF_SV("conversion"));
	const struct hf_value *client = hf_value_at(c, "webhook.clientConfig");

	client = client ? client : hf_value_get(c, HF_SV("webhookClientConfig"));
	if (!hf_sv_eq(hf_value_get_text(c, HF_SV("strategy")), HF_SV("Webhook")) || is_injected(r->object))
		hf_check_not_applicable(r);
	else if (!hf_value_get_text(client, HF_SV("caBundle")).len)
		hf_check_fail(r, client ? client : c, "the webhook that converts it has no caBundle");
}

static void any_field(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("preserveUnknownFields"));

	if (hf_value_true(v))
		hf_check_fail(r, v, "fields that no schema knows are kept");
}

static struct hf_map *bound(struct hf_check_run *r)
{
	struct hf_map *map = r->memo;

	if (map)
		return map;
	r->memo = map = hf_arena_new(r->arena, struct hf_map);
	if (!map)
		return NULL;
	*map = HF_MAP(r->arena);
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_VALIDATING_POLICY_BINDING]; i++)
		hf_map_put(map, hf_value_get_text(r->set->of_kind[HF_KUBE_VALIDATING_POLICY_BINDING][i]->spec,
						  HF_SV("policyName")));
	return map;
}

static void unbound(struct hf_check_run *r)
{
	const struct hf_map *map = bound(r);

	if (map && !hf_map_find(map, r->object->name)) {
		if (r->live || map->n)
			hf_check_fail(r, NULL, "no binding names it: it is never asked");
		else
			hf_check_not_assessable(r, "no bindings are in the input");
	}
}

static void only_warns(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("validationActions"));

	if (!holds(v, "Deny"))
		hf_check_patch(r, hf_check_fail(r, v, "what its policy finds is let in"), "/spec/validationActions",
			       "[\"Deny\"]", false);
}

static void policy_ignored(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("failurePolicy"));

	if (hf_sv_eq(hf_value_text(v), HF_SV("Ignore")))
		hf_check_patch(r, hf_check_fail(r, v, "where its expression fails the object is let in"),
			       "/spec/failurePolicy", "\"Fail\"", false);
}

#define WEBHOOKS HF_CHECK_OBJECT, .kinds = { HF_KUBE_MUTATING_WEBHOOK, HF_KUBE_VALIDATING_WEBHOOK }

static const struct hf_check checks[] = {
#include "check/webhook.def"
};

const struct hf_check_group hf_check_group_webhook = { "webhook", checks, HF_ARRAY_SIZE(checks) };
