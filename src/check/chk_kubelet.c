/* Configuration of what runs on each node: a row of kubelet.def each. */
#include "check/component.h"
#include "check/row.h"

enum test {
	TRUE_,
	FALSE_,
	NOT_ALLOW,
	PRESENT,
	ZERO,
	POSITIVE,
	NOT_ZERO_TIME,
	CERTIFICATE,
	STRONG,
	NO_ELEMENTS,
	TLS12,
	HTTPS,
	LOOPBACK
};

enum { KUBELET = HF_KUBE_KUBELET_CONFIGURATION, PROXY = HF_KUBE_PROXY_CONFIGURATION };

struct rule {
	int kind;
	enum test test;
	const char *path, *initial;
};

static const struct rule rules[] = {
#define HF_KUBELET(id, name, title, severity, kind, path, test, initial, why, fix, references) \
	{ kind, test, path, initial },
#include "check/kubelet.def"
#undef HF_KUBELET
};

/* A scalar as text; the default where there is none. */
static hf_sv scalar(const struct hf_value *v, const char *initial)
{
	if (hf_value_is(v, HF_VALUE_BOOL))
		return v->boolean ? HF_SV("true") : HF_SV("false");
	if (hf_value_is(v, HF_VALUE_STRING) || hf_value_is(v, HF_VALUE_NUMBER))
		return (hf_sv){ v->text, v->n };
	return hf_sv_of(initial);
}

static bool is_weak(struct hf_check_run *r, const struct hf_value *v)
{
	(void)r;
	hf_value_elements(v, e)
	{
		if (hf_check_weak_cipher(hf_value_text(e)).len)
			return true;
	}
	return !hf_value_count(v, HF_VALUE_ARRAY);
}

static bool holds(struct hf_check_run *r, const struct rule *rule, const struct hf_value *root,
		  const struct hf_value *v, hf_sv text)
{
	int64_t n = 0;
	uint64_t number;

	switch (rule->test) {
	case TRUE_:
		return hf_sv_eq(text, HF_SV("true"));
	case FALSE_:
		return hf_sv_eq(text, HF_SV("false"));
	case NOT_ALLOW:
		return !hf_sv_eq(text, HF_SV("AlwaysAllow"));
	case PRESENT:
		return text.len > 0;
	case ZERO:
		return hf_sv_eq(text, HF_SV("0"));
	case POSITIVE:
		return hf_sv_to_u64(text, &number) && number > 0;
	case NOT_ZERO_TIME:
		return !hf_check_duration(text, &n) || n > 0;
	case CERTIFICATE:
		return hf_value_true(hf_value_get(root, HF_SV("serverTLSBootstrap"))) ||
		       (text.len && hf_value_get_text(root, HF_SV("tlsPrivateKeyFile")).len);
	case STRONG:
		return !is_weak(r, v);
	case NO_ELEMENTS:
		return !hf_value_count(v, HF_VALUE_ARRAY);
	case TLS12:
		return !hf_sv_eq(text, HF_SV("VersionTLS10")) && !hf_sv_eq(text, HF_SV("VersionTLS11"));
	case HTTPS:
		return !hf_sv_starts(text, HF_SV("http://"));
	case LOOPBACK:
		return !text.len || hf_sv_starts(text, HF_SV("127.")) || hf_sv_starts(text, HF_SV("localhost")) ||
		       hf_sv_starts(text, HF_SV("[::1]"));
	}
	return false;
}

/* What kubeadm keeps for new nodes. */
static const struct hf_kube_object *kept_by_kubeadm(struct hf_check_run *r, const char *name, const char *key,
						    struct hf_value *ret)
{
	const struct hf_kube_object *o =
		hf_kube_find(r->set, r->cluster, HF_KUBE_CONFIG_MAP, HF_SV("kube-system"), hf_sv_of(name));
	hf_sv text = o ? hf_value_get_text(hf_value_get(o->root, HF_SV("data")), hf_sv_of(key)) : (hf_sv){ 0 };

	if (!text.len || hf_value_of_yaml(text, 0, 1, r->arena, (struct hf_value_notes){ 0 }, ret, NULL) < 0)
		return NULL;
	return o;
}

static void judge(struct hf_check_run *r, const struct rule *rule, const struct hf_value *root, bool written_here)
{
	const struct hf_value *v = hf_value_at(root, rule->path);
	hf_sv text = scalar(v, rule->initial);
	hf_sv way = HF_SV(""), rest = hf_sv_of(rule->path), part;

	if (holds(r, rule, root, v, text))
		return;
	struct hf_check_result *f =
		hf_check_fail(r, written_here ? v : NULL, "%s is %s%.*s", rule->path, v ? "" : "not set, which means ",
			      HF_SV_FMT(text.len ? text : HF_SV("nothing that is safe")));
	while (hf_sv_next(&rest, '.', &part))
		way = hf_arena_fmt(r->arena, "%.*s/%.*s", HF_SV_FMT(way), HF_SV_FMT(part));
	if (written_here && way.len && (rule->test == TRUE_ || rule->test == FALSE_))
		hf_check_patch(r, f, way.ptr, rule->test == TRUE_ ? "true" : "false", false);
	else if (written_here && way.len && rule->test == ZERO)
		hf_check_patch(r, f, way.ptr, "0", false);
}

static void ask(struct hf_check_run *r)
{
	const struct rule *rule = &rules[r->check - hf_check_group_kubelet.checks];
	bool proxy = rule->kind == PROXY;
	struct hf_value kept;
	size_t n = r->set->of_kind_n[rule->kind];

	for (size_t i = 0; i < n; i++) {
		hf_check_about(r, r->set->of_kind[rule->kind][i]);
		judge(r, rule, r->set->of_kind[rule->kind][i]->root, true);
	}
	const struct hf_kube_object *o = n ? NULL
					   : kept_by_kubeadm(r, proxy ? "kube-proxy" : "kubelet-config",
							     proxy ? "config.conf" : "kubelet", &kept);
	if (o) {
		hf_check_about(r, o);
		judge(r, rule, &kept, false);
	}
	hf_check_about(r, NULL);
	if (!n && !o)
		hf_check_not_assessable(r, "no configuration of %s is in the input",
					proxy ? "kube-proxy" : "the kubelet");
}

static const struct hf_check checks[] = {
#define HF_KUBELET(id, name, title, severity, kind, path, test, initial, why, fix, references) \
	CHECK(id, name, title, severity, HF_CHECK_CLUSTER, why, fix, references, ask)
#include "check/kubelet.def"
#undef HF_KUBELET
};

const struct hf_check_group hf_check_group_kubelet = { "kubelet", checks, HF_ARRAY_SIZE(checks) };
