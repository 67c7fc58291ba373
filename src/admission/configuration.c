#include "admission/configuration.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/limits.h"
#include "format/json_writer.h"
#include "kube/object.h"
#include "policy/pattern.h"

static const enum hf_kube_kind makes_pods[] = {
	HF_KUBE_POD,          HF_KUBE_POD_TEMPLATE, HF_KUBE_REPLICATION_CONTROLLER,
	HF_KUBE_DAEMON_SET,   HF_KUBE_DEPLOYMENT,   HF_KUBE_REPLICA_SET,
	HF_KUBE_STATEFUL_SET, HF_KUBE_CRON_JOB,     HF_KUBE_JOB,
};

/* A policy that names no kind does not mean these: servers write them all day, and without them a cluster stands still. */
static const enum hf_kube_kind machinery[] = { HF_KUBE_ENDPOINTS, HF_KUBE_ENDPOINT_SLICE, HF_KUBE_NODE,
					       HF_KUBE_CERTIFICATE_SIGNING_REQUEST, HF_KUBE_API_SERVICE };

static bool is_among(enum hf_kube_kind k, const enum hf_kube_kind *list, size_t n)
{
	size_t i = 0;

	while (i < n && list[i] != k)
		i++;
	return i < n;
}

/* Admission never asks about the kinds that it is made of itself. */
static bool can_be_asked(enum hf_kube_kind k)
{
	return k != HF_KUBE_OTHER && !hf_sv_eq(hf_sv_of(hf_kube_kinds[k].group), HF_SV("admissionregistration.k8s.io"));
}

static bool asks_about(const struct hf_policy *p, enum hf_kube_kind k)
{
	if (!can_be_asked(k))
		return false;
	if (!p->kinds_n)
		return p->subject == HF_POLICY_OBJECT && !is_among(k, machinery, HF_ARRAY_SIZE(machinery));
	return hf_pattern_any(p->kinds, p->kinds_n, hf_sv_of(hf_kube_kinds[k].kind));
}

static int check_kinds(const struct hf_policies *policies, const struct hf_admission_webhook *hook, struct hf_err *err)
{
	for (size_t i = 0; i < policies->n; i++)
		for (size_t k = 0; k < policies->at[i].kinds_n; k++) {
			hf_sv pattern = policies->at[i].kinds[k];
			size_t row = 0;
			while (row < HF_KUBE_KINDS && !(can_be_asked((enum hf_kube_kind)row) &&
							hf_pattern_matches(pattern, hf_sv_of(hf_kube_kinds[row].kind))))
				row++;
			if (row == HF_KUBE_KINDS && !hook->resources_n)
				return hf_fail(err, HF_E_FORMAT,
					       "policy %.*s asks about %.*s, whose resource is not known: name it with "
					       "--resource PLURAL.GROUP",
					       HF_SV_FMT(policies->at[i].id), HF_SV_FMT(pattern));
		}
	return HF_OK;
}

static void write_rule(struct hf_json_writer *w, hf_sv group, const hf_sv *resources, size_t n)
{
	static const hf_sv operations[] = { HF_SV_INIT("CREATE"), HF_SV_INIT("UPDATE") }, any = HF_SV_INIT("*");

	hf_jw_object(w);
	hf_jw_strings(w, "apiGroups", &group, 1);
	hf_jw_strings(w, "apiVersions", &any, 1);
	hf_jw_strings(w, "operations", operations, 2);
	hf_jw_strings(w, "resources", resources, n);
	hf_jw_kv(w, "scope", any);
	hf_jw_object_end(w);
}

/* A rule a group, in the order of the table. */
static void write_rules(struct hf_json_writer *w, const struct hf_policies *policies,
			const struct hf_admission_webhook *hook)
{
	bool wanted[HF_KUBE_KINDS] = { 0 };

	for (size_t i = 0; i < HF_ARRAY_SIZE(makes_pods); i++)
		wanted[makes_pods[i]] = true;
	for (size_t i = 0; i < policies->n; i++)
		for (size_t k = 0; k < HF_KUBE_KINDS; k++)
			wanted[k] |= asks_about(&policies->at[i], (enum hf_kube_kind)k);
	hf_jw_key(w, "rules");
	hf_jw_array(w);
	for (size_t first = 0; first < HF_KUBE_KINDS; first++) {
		hf_sv resources[HF_KUBE_KINDS + 2];
		size_t n = 0;
		for (size_t k = first; wanted[first] && k < HF_KUBE_KINDS; k++) {
			if (!wanted[k] || strcmp(hf_kube_kinds[k].group, hf_kube_kinds[first].group) != 0)
				continue;
			resources[n++] = hf_sv_of(hf_kube_kinds[k].plural);
			if (k == HF_KUBE_POD) {
				resources[n++] = HF_SV("pods/ephemeralcontainers");
				resources[n++] = HF_SV("pods/resize");
			}
			wanted[k] = k == first;
		}
		if (n)
			write_rule(w, hf_sv_of(hf_kube_kinds[first].group), resources, n);
	}
	for (size_t i = 0; i < hook->resources_n; i++) {
		hf_sv resource = hook->resources[i], group = { 0 };
		hf_sv_cut(hook->resources[i], '.', &resource, &group);
		write_rule(w, group, &resource, 1);
	}
	hf_jw_array_end(w);
}

static void write_selector(struct hf_json_writer *w, const struct hf_admission_settings *s, hf_sv own)
{
	hf_jw_key(w, "namespaceSelector");
	hf_jw_object(w);
	hf_jw_key(w, "matchExpressions");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv(w, "key", HF_SV("kubernetes.io/metadata.name"));
	hf_jw_kv(w, "operator", HF_SV("NotIn"));
	hf_jw_key(w, "values");
	hf_jw_array(w);
	hf_jw_string(w, HF_SV("kube-system"));
	if (own.len && !hf_sv_eq(own, HF_SV("kube-system")))
		hf_jw_string(w, own);
	for (size_t i = 0; i < s->ignored_namespaces_n; i++) {
		hf_sv name = s->ignored_namespaces[i];
		if (hf_sv_index(name, '*') == SIZE_MAX && !hf_sv_eq(name, HF_SV("kube-system")) && !hf_sv_eq(name, own))
			hf_jw_string(w, name);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void write_client(struct hf_json_writer *w, const struct hf_admission_webhook *hook)
{
	struct hf_buf bundle = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX);

	hf_jw_key(w, "clientConfig");
	hf_jw_object(w);
	if (hook->url.len) {
		hf_jw_kv(w, "url", hook->url);
	} else {
		hf_jw_key(w, "service");
		hf_jw_object(w);
		hf_jw_kv(w, "namespace", hook->service_namespace);
		hf_jw_kv(w, "name", hook->service_name);
		hf_jw_kv(w, "path", HF_SV("/validate"));
		hf_jw_kv_uint(w, "port", hook->service_port ? hook->service_port : 443);
		hf_jw_object_end(w);
	}
	hf_base64_add(&bundle, hook->authority);
	hf_jw_kv(w, "caBundle", hf_buf_view(&bundle));
	hf_jw_object_end(w);
	hf_buf_done(&bundle);
}

int hf_admission_configuration(const struct hf_admission_settings *s, const struct hf_policies *policies,
			       const struct hf_admission_webhook *hook, struct hf_buf *out, struct hf_err *err)
{
	static const hf_sv versions[] = { HF_SV_INIT("v1"), HF_SV_INIT("v1beta1") };
	struct hf_json_writer w = { .out = out, .compact = true };
	char name[300];
	int r = check_kinds(policies, hook, err);

	if (r < 0)
		return r;
	snprintf(name, sizeof name, "%.*s.admission.holdfast", (int)(hook->name.len < 253 ? hook->name.len : 253),
		 hook->name.ptr);
	hf_jw_object(&w);
	hf_jw_kv(&w, "apiVersion", HF_SV("admissionregistration.k8s.io/v1"));
	hf_jw_kv(&w, "kind", HF_SV("ValidatingWebhookConfiguration"));
	hf_jw_key(&w, "metadata");
	hf_jw_object(&w);
	hf_jw_kv(&w, "name", hook->name);
	hf_jw_key(&w, "labels");
	hf_jw_object(&w);
	hf_jw_kv(&w, "app.kubernetes.io/managed-by", HF_SV("holdfast"));
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
	hf_jw_key(&w, "webhooks");
	hf_jw_array(&w);
	hf_jw_object(&w);
	hf_jw_kv(&w, "name", hf_sv_of(name));
	hf_jw_strings(&w, "admissionReviewVersions", versions, 2);
	hf_jw_kv(&w, "failurePolicy", s->fail_open ? HF_SV("Ignore") : HF_SV("Fail"));
	hf_jw_kv(&w, "matchPolicy", HF_SV("Equivalent"));
	hf_jw_kv(&w, "sideEffects", HF_SV("None"));
	hf_jw_kv_uint(&w, "timeoutSeconds", hook->timeout_s ? hook->timeout_s : 5);
	write_client(&w, hook);
	write_selector(&w, s, hook->service_namespace);
	write_rules(&w, policies, hook);
	hf_jw_object_end(&w);
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	return out->over ? hf_fail(err, HF_E_LIMIT, "the configuration is too large") : HF_OK;
}
