#include "unit.h"

#include <stdio.h>

#include "pss/labels.h"

static struct hf_arena arena = { .cap = 1 << 24 };
static const struct hf_kube_objects *set;

/* The only pod of a manifest. */
static const struct hf_kube_pod *pod_of(const char *text)
{
	struct hf_err err = { 0 };
	size_t n;

	hf_arena_reset(&arena);
	struct hf_kube_loader *l = hf_kube_loader_new(&arena);
	struct hf_kube_source *s = hf_arena_new(&arena, struct hf_kube_source);
	*s = (struct hf_kube_source){ .name = HF_SV("x.yaml"), .text = hf_sv_of(text) };
	assert_true(hf_kube_load(l, s, &err) >= 0);
	set = hf_kube_loaded(l);
	hf_kube_loader_free(l);
	const struct hf_kube_pod *pods = hf_kube_pods(set, &arena, &n);
	assert_int_equal(n, 1);
	return pods;
}

static struct hf_pss_policy policy_of(const char *text)
{
	struct hf_pss_policy p;

	assert_true(hf_pss_policy_of(hf_sv_of(text), &p));
	return p;
}

static const char *failing(const struct hf_kube_pod *pod, const char *policy)
{
	static char out[512];
	struct hf_pss_policy p = policy_of(policy);
	uint32_t failed = hf_pss_failed(pod, &p);
	size_t n = 0;

	out[0] = 0;
	for (unsigned c = 0; c < HF_PSS_CONTROLS; c++)
		if (failed & (UINT32_C(1) << c))
			n += (size_t)snprintf(out + n, sizeof out - n, "%s ", hf_pss_controls[c]->id);
	return out;
}

/* "state path (container) line; " of each field of the only control that fails. */
static const char *fields(const char *text, const char *policy)
{
	static char out[1024];
	const struct hf_kube_pod *pod = pod_of(text);
	struct hf_pss_policy p = policy_of(policy);
	const struct hf_pss_finding *list;
	size_t n = 0;

	assert_int_equal(hf_pss_evaluate(pod, 1, &p, &arena, &list), 1);
	out[0] = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct hf_pss_field *f = &list->fields[i];
		n += (size_t)snprintf(out + n, sizeof out - n, "%u %.*s (%.*s) %u; ", f->why, HF_SV_FMT(f->path),
				      HF_SV_FMT(f->container), hf_kube_line(pod->object, f->near));
	}
	return out;
}

HF_TEST(policies)
{
	static const char *const none[] = { "",
					    "strict",
					    "Baseline",
					    "baseline:",
					    "baseline:v1",
					    "baseline:v1.",
					    "baseline:1",
					    "baseline:v1.01",
					    "baseline:v01.1",
					    "baseline:V1.1",
					    "baseline:v2.0",
					    "baseline:v1.2.3",
					    "baseline:v1.+2",
					    "baseline:v1.9223372036854775808",
					    "baseline:Latest",
					    "baseline:v1.2:v1.3",
					    "baseline v1.2",
					    "baseline:1.00000000000000000000000000000000000002" };
	static const struct {
		const char *text;
		enum hf_pss_level level;
		uint64_t minor;
	} good[] = {
		{ "privileged", HF_PSS_PRIVILEGED, HF_PSS_LATEST },
		{ "baseline:latest", HF_PSS_BASELINE, HF_PSS_LATEST },
		{ "restricted:v1.0", HF_PSS_RESTRICTED, 0 },
		{ "restricted:1.29", HF_PSS_RESTRICTED, 29 },
		{ "baseline:v1.9223372036854775807", HF_PSS_BASELINE, INT64_MAX },
	};
	struct hf_pss_policy p;
	char text[24];

	for (size_t i = 0; i < HF_ARRAY_SIZE(none); i++)
		assert_false(hf_pss_policy_of(hf_sv_of(none[i]), &p));
	for (size_t i = 0; i < HF_ARRAY_SIZE(good); i++) {
		assert_true(hf_pss_policy_of(hf_sv_of(good[i].text), &p));
		assert_int_equal(p.level, good[i].level);
		assert_true(p.minor == good[i].minor);
		assert_false(p.user_namespaces);
	}
	assert_true(hf_sv_eq(hf_pss_version_text(7, text), HF_SV("v1.7")));
	assert_true(hf_sv_eq(hf_pss_version_text(HF_PSS_LATEST, text), HF_SV("latest")));
	/* A label of a namespace takes no version without its v. */
	assert_false(hf_pss_version_of(HF_SV("1.29"), &p.minor));
}

#define ALL_WRONG                                                                                                     \
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {seccomp.security.alpha.kubernetes.io/pod: " \
	"none}\n"                                                                                                     \
	"spec:\n  hostPID: true\n  securityContext: {runAsUser: 0, appArmorProfile: {type: none}, sysctls: [{name: "  \
	"a}],\n"                                                                                                      \
	"    seLinuxOptions: {user: a}, seccompProfile: {}, windowsOptions: {hostProcess: true}}\n"                   \
	"  volumes: [{name: a, hostPath: {path: /}}]\n  containers:\n  - name: c\n    ports: [{hostPort: 1}]\n"       \
	"    livenessProbe: {httpGet: {host: a}}\n"                                                                   \
	"    securityContext: {privileged: true, procMount: Unmasked, capabilities: {add: [BPF]}}\n"

HF_TEST(order_and_overrides)
{
	const struct hf_kube_pod *pod = pod_of(ALL_WRONG);

	assert_string_equal(failing(pod, "privileged"), "");
	assert_string_equal(failing(pod, "baseline"),
			    "appArmorProfile capabilities_baseline hostNamespaces hostPathVolumes hostPorts "
			    "hostProbesAndHostLifecycle "
			    "privileged procMount seLinuxOptions seccompProfile_baseline sysctls windowsHostProcess ");
	assert_string_equal(failing(pod, "baseline:v1.99"), failing(pod, "baseline:v1.34"));
	assert_string_equal(failing(pod, "restricted"),
			    "appArmorProfile hostNamespaces hostPorts hostProbesAndHostLifecycle privileged procMount "
			    "seLinuxOptions "
			    "sysctls windowsHostProcess allowPrivilegeEscalation capabilities_restricted "
			    "restrictedVolumes runAsNonRoot "
			    "runAsUser seccompProfile_restricted ");
	assert_string_equal(
		failing(pod, "restricted:v1.0"),
		"appArmorProfile capabilities_baseline hostNamespaces hostPorts privileged procMount seLinuxOptions "
		"seccompProfile_baseline sysctls windowsHostProcess restrictedVolumes runAsNonRoot ");
}

HF_TEST(places)
{
#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
	assert_string_equal(fields(POD "  hostNetwork: true\n  hostIPC: true\n", "baseline"),
			    "0 spec.hostNetwork () 5; 0 spec.hostIPC () 6; ");
	assert_string_equal(fields(POD "  containers:\n  - name: front\n  - name: back\n    securityContext:\n"
				       "      procMount: Unmasked\n",
				   "baseline"),
			    "0 spec.containers[1].securityContext.procMount (back) 9; ");
	/* What is not there is told at the innermost that is. */
	assert_string_equal(fields(POD "  containers:\n  - name: front\n", "restricted:v1.7"),
			    "1 spec.containers[0].securityContext.runAsNonRoot (front) 6; ");
	/* Each control that reads what is of no type is told, and no other. */
	assert_string_equal(failing(pod_of(POD "  securityContext: []\n"), "restricted:v1.18"),
			    "appArmorProfile seLinuxOptions sysctls windowsHostProcess runAsNonRoot ");
#undef POD
}

HF_TEST(places_in_templates)
{
	assert_string_equal(
		fields("apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n"
		       "        spec:\n          initContainers: [{name: i, ports: [{hostPort: 9}]}]\n",
		       "baseline"),
		"0 spec.jobTemplate.spec.template.spec.initContainers[0].ports[0].hostPort (i) 8; ");
	assert_string_equal(fields("apiVersion: v1\nkind: PodTemplate\ntemplate:\n  metadata:\n    annotations:\n"
				   "      container.apparmor.security.beta.kubernetes.io/x: none\n",
				   "baseline"),
			    "0 template.metadata.annotations.container.apparmor.security.beta.kubernetes.io/x () 6; ");
}

HF_TEST(nothing_is_asked_for_where_all_passes)
{
	const struct hf_kube_pod *pod = pod_of(
		"apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsNonRoot: true, seccompProfile: {type: "
		"Localhost}}\n"
		"  containers: [{securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]\n");
	struct hf_pss_policy p = policy_of("restricted");
	struct hf_arena none = HF_ARENA(0);
	const struct hf_pss_finding *list;

	assert_int_equal(hf_pss_evaluate(pod, 1, &p, &none, &list), 0);
	assert_null(list);
	assert_false(none.over);
}

HF_TEST(many_fields_are_counted)
{
	static char text[1 << 16];
	size_t n = (size_t)snprintf(text, sizeof text, "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n");
	struct hf_pss_policy p = policy_of("baseline");
	const struct hf_pss_finding *list;

	for (unsigned i = 0; i < HF_PSS_FIELDS_MAX + 10; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "  - {hostPath: {path: /%u}}\n", i);
	assert_int_equal(hf_pss_evaluate(pod_of(text), 1, &p, &arena, &list), 1);
	assert_int_equal(list->n, HF_PSS_FIELDS_MAX);
	assert_int_equal(list->left_off, 10);
	for (unsigned i = 0; i < HF_PSS_FIELDS_MAX; i++) {
		char path[64];
		snprintf(path, sizeof path, "spec.volumes[%u].hostPath", i);
		assert_true(hf_sv_eq(list->fields[i].path, hf_sv_of(path)));
	}
}

HF_TEST(user_namespaces)
{
	struct hf_pss_policy p = policy_of("restricted");
	const struct hf_kube_pod *pod =
		pod_of("apiVersion: v1\nkind: Pod\nspec:\n  hostUsers: false\n  securityContext: {seccompProfile: "
		       "{type: RuntimeDefault}}\n"
		       "  containers:\n  - securityContext: {runAsUser: 0, procMount: Unmasked, "
		       "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n");

	assert_string_equal(failing(pod, "restricted"), "procMount runAsNonRoot runAsUser ");
	p.user_namespaces = true;
	assert_int_equal(hf_pss_failed(pod, &p), 0);
}

/* "enforce audit warn" by the labels of a namespace, the cluster's own being baseline:v1.30; "!" where one is no level or version. */
static const char *by_labels(const char *labels)
{
	static char out[128];
	char text[512], version[24];
	size_t n = 0;

	snprintf(text, sizeof text,
		 "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {%s}}\n---\n"
		 "apiVersion: v1\nkind: Pod\n",
		 labels);
	pod_of(text);
	const struct hf_value *map = hf_value_get(set->objects[0]->metadata, HF_SV("labels"));
	for (unsigned mode = 0; mode < HF_PSS_MODES; mode++) {
		const struct hf_value *wrong;
		struct hf_pss_policy p = hf_pss_policy_of_labels(map, mode, policy_of("baseline:v1.30"), &wrong);
		n += (size_t)snprintf(out + n, sizeof out - n, "%s:%.*s%s ", hf_pss_level_name(p.level),
				      HF_SV_FMT(hf_pss_version_text(p.minor, version)), wrong ? "!" : "");
	}
	return out;
}

HF_TEST(labels_of_namespaces)
{
#define L "pod-security.kubernetes.io/"
	assert_string_equal(by_labels(""), "baseline:v1.30 baseline:v1.30 baseline:v1.30 ");
	/* Who is refused at restricted is warned there too, unless a label says otherwise. */
	assert_string_equal(by_labels(L "enforce: restricted"), "restricted:v1.30 baseline:v1.30 restricted:v1.30 ");
	assert_string_equal(by_labels(L "enforce: restricted, " L "enforce-version: v1.25"),
			    "restricted:v1.25 baseline:v1.30 restricted:v1.25 ");
	assert_string_equal(by_labels(L "enforce: restricted, " L "enforce-version: v1.25, " L "warn-version: latest"),
			    "restricted:v1.25 baseline:v1.30 restricted:latest ");
	assert_string_equal(by_labels(L "enforce: restricted, " L "warn: privileged"),
			    "restricted:v1.30 baseline:v1.30 privileged:v1.30 ");
	assert_string_equal(by_labels(L "enforce: privileged, " L "audit: restricted, " L "audit-version: v1.1"),
			    "privileged:v1.30 restricted:v1.1 baseline:v1.30 ");
	/* What cannot be read is strict where it enforces, and says nothing where it only tells. */
	assert_string_equal(by_labels(L "enforce: tight, " L "audit: tight, " L "warn: tight"),
			    "restricted:v1.30! privileged:v1.30! privileged:v1.30! ");
	assert_string_equal(by_labels(L "enforce-version: '1.29', " L "audit-version: new"),
			    "baseline:latest! baseline:latest! baseline:v1.30 ");
	assert_string_equal(by_labels(L "enforce: tight"), "restricted:v1.30! baseline:v1.30 baseline:v1.30 ");
	assert_string_equal(by_labels(L "enforce: 1"), "restricted:v1.30! baseline:v1.30 baseline:v1.30 ");
#undef L
}

HF_TEST_MAIN(cmocka_unit_test(policies), cmocka_unit_test(order_and_overrides), cmocka_unit_test(places),
	     cmocka_unit_test(places_in_templates), cmocka_unit_test(nothing_is_asked_for_where_all_passes),
	     cmocka_unit_test(many_fields_are_counted), cmocka_unit_test(user_namespaces),
	     cmocka_unit_test(labels_of_namespaces))
