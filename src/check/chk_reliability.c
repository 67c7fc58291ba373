/* Availability, which security is a part of: what one fault, one node or one old manifest takes down. */
#include "check/workload.h"
#include "kube/selector.h"

static int64_t replicas_of(const struct hf_kube_object *o)
{
	int64_t n = 1;

	hf_value_int(hf_value_get(o->spec, HF_SV("replicas")), &n);
	return n;
}

static hf_sv scaled_key(struct hf_arena *a, hf_sv namespace, hf_sv kind, hf_sv name)
{
	return hf_arena_fmt(a, "%.*s/%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(kind), HF_SV_FMT(name));
}

static bool is_scaled(struct hf_check_run *r)
{
	struct hf_map *map = r->memo;

	if (!r->set->of_kind_n[HF_KUBE_HORIZONTAL_POD_AUTOSCALER])
		return false;
	if (!map) {
		r->memo = map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return false;
		*map = HF_MAP(r->arena);
		for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_HORIZONTAL_POD_AUTOSCALER]; i++) {
			const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_HORIZONTAL_POD_AUTOSCALER][i];
			const struct hf_value *target = hf_value_get(o->spec, HF_SV("scaleTargetRef"));
			hf_map_put(map, scaled_key(r->arena, o->namespace, hf_value_get_text(target, HF_SV("kind")),
						   hf_value_get_text(target, HF_SV("name"))));
		}
	}
	return hf_map_find(map, scaled_key(r->arena, r->object->namespace, r->object->kind_name, r->object->name));
}

static void single_replica(struct hf_check_run *r)
{
	int64_t n = replicas_of(r->object);

	if (!n || is_scaled(r))
		hf_check_not_applicable(r);
	else if (n == 1)
		hf_check_patch(r, hf_check_fail(r, hf_value_get(r->object->spec, HF_SV("replicas")), "runs once"),
			       "/spec/replicas", "2", false);
}

struct budget {
	const struct hf_label_selector *selector;
	const struct budget *next;
};

/* By one label that a pod must have, so that only the few that may match are tried; without one, by the namespace alone. */
static hf_sv budget_key(struct hf_arena *a, hf_sv namespace, const hf_sv *pair)
{
	return pair ? hf_arena_fmt(a, "%.*s/%.*s=%.*s", HF_SV_FMT(namespace), HF_SV_FMT(pair[0]), HF_SV_FMT(pair[1]))
		    : namespace;
}

static struct hf_map *budgets(struct hf_check_run *r)
{
	struct hf_map *map = r->memo;

	if (map || !(r->memo = map = hf_arena_new(r->arena, struct hf_map)))
		return map;
	*map = HF_MAP(r->arena);
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_POD_DISRUPTION_BUDGET]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_POD_DISRUPTION_BUDGET][i];
		struct budget *b = hf_arena_new(r->arena, struct budget);
		const struct hf_label_selector *selector =
			hf_kube_selector(hf_value_get(o->spec, HF_SV("selector")), HF_SELECTOR_FULL, r->arena, NULL);
		if (!selector || !b)
			continue;
		struct hf_map_entry *e = hf_map_put(
			map, budget_key(r->arena, o->namespace, selector->labels_n ? selector->labels : NULL));
		if (e) {
			*b = (struct budget){ selector, e->value };
			e->value = b;
		}
	}
	return map;
}

static bool matches(const struct hf_map *map, hf_sv key, const hf_sv *labels, size_t n)
{
	const struct hf_map_entry *e = map ? hf_map_find(map, key) : NULL;

	for (const struct budget *b = e ? e->value : NULL; b; b = b->next)
		if (hf_label_selector_matches(b->selector, labels, n))
			return true;
	return false;
}

static void no_budget(struct hf_check_run *r)
{
	hf_sv namespace = r->object->namespace;
	size_t n;

	if (replicas_of(r->object) < 2) {
		hf_check_not_applicable(r);
		return;
	}
	if (!r->live && !r->set->of_kind_n[HF_KUBE_POD_DISRUPTION_BUDGET]) {
		hf_check_not_assessable(r, "no PodDisruptionBudgets are in the input");
		return;
	}
	const hf_sv *labels =
		hf_kube_string_map(hf_value_at(r->object->spec, "template.metadata.labels"), r->arena, &n);
	const struct hf_map *map = budgets(r);
	if (matches(map, namespace, labels, n))
		return;
	for (size_t i = 0; i < n; i++)
		if (matches(map, budget_key(r->arena, namespace, &labels[2 * i]), labels, n))
			return;
	hf_check_fail(r, NULL, "no PodDisruptionBudget selects its pods");
}

static bool is_all(const struct hf_value *v, int64_t number, const char *percent)
{
	int64_t n;

	return hf_value_int(v, &n) ? n == number : hf_sv_eq(hf_value_text(v), hf_sv_of(percent));
}

static void budget_of_none(struct hf_check_run *r)
{
	const struct hf_value *most = hf_value_get(r->object->spec, HF_SV("maxUnavailable"));
	const struct hf_value *least = hf_value_get(r->object->spec, HF_SV("minAvailable"));

	if (most && is_all(most, 0, "0%")) {
		hf_check_patch(r, hf_check_fail(r, most, "lets no pod be evicted"), "/spec/maxUnavailable", "1", false);
	} else if (least && is_all(least, -1, "100%")) {
		struct hf_check_result *f = hf_check_fail(r, least, "lets no pod be evicted");
		hf_check_patch(r, f, "/spec/minAvailable", NULL, false);
		hf_check_patch(r, f, "/spec/maxUnavailable", "1", false);
	}
}

static void not_spread(struct hf_check_run *r)
{
	const struct hf_value *pod = hf_value_at(r->object->spec, "template.spec");

	if (replicas_of(r->object) < 2)
		hf_check_not_applicable(r);
	else if (!hf_value_count(hf_value_get(pod, HF_SV("topologySpreadConstraints")), HF_VALUE_ARRAY) &&
		 !hf_value_at(pod, "affinity.podAntiAffinity"))
		hf_check_fail(r, pod, "all of its pods may run on one node");
}

static void system_priority(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("priorityClassName"));

	if (hf_sv_starts(hf_value_text(v), HF_SV("system-")) && !hf_sv_eq(r->object->namespace, HF_SV("kube-system")))
		hf_check_patch(r, hf_check_fail(r, v, "is as important as the cluster's own parts"),
			       "/priorityClassName", NULL, false);
}

/* Kinds by the version in which the API server served them last, and what took their place. Source: the deprecation guide of kubernetes.io. */
static const struct {
	const char *version, *kind, *gone, *now; /* kind NULL: all of them */
} removed[] = {
	{ "extensions/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1" },
	{ "extensions/v1beta1", "NetworkPolicy", "1.16", "networking.k8s.io/v1" },
	{ "extensions/v1beta1", "PodSecurityPolicy", "1.16", "the Pod Security Standards" },
	{ "extensions/v1beta1", NULL, "1.16", "apps/v1" },
	{ "apps/v1beta1", NULL, "1.16", "apps/v1" },
	{ "apps/v1beta2", NULL, "1.16", "apps/v1" },
	{ "admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "1.22",
	  "admissionregistration.k8s.io/v1" },
	{ "admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", "1.22",
	  "admissionregistration.k8s.io/v1" },
	{ "apiextensions.k8s.io/v1beta1", NULL, "1.22", "apiextensions.k8s.io/v1" },
	{ "apiregistration.k8s.io/v1beta1", NULL, "1.22", "apiregistration.k8s.io/v1" },
	{ "authentication.k8s.io/v1beta1", "TokenReview", "1.22", "authentication.k8s.io/v1" },
	{ "authorization.k8s.io/v1beta1", NULL, "1.22", "authorization.k8s.io/v1" },
	{ "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "1.22", "certificates.k8s.io/v1" },
	{ "coordination.k8s.io/v1beta1", "Lease", "1.22", "coordination.k8s.io/v1" },
	{ "networking.k8s.io/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1" },
	{ "networking.k8s.io/v1beta1", "IngressClass", "1.22", "networking.k8s.io/v1" },
	{ "rbac.authorization.k8s.io/v1alpha1", NULL, "1.22", "rbac.authorization.k8s.io/v1" },
	{ "rbac.authorization.k8s.io/v1beta1", NULL, "1.22", "rbac.authorization.k8s.io/v1" },
	{ "scheduling.k8s.io/v1beta1", "PriorityClass", "1.22", "scheduling.k8s.io/v1" },
	{ "storage.k8s.io/v1beta1", "CSIDriver", "1.22", "storage.k8s.io/v1" },
	{ "storage.k8s.io/v1beta1", "CSINode", "1.22", "storage.k8s.io/v1" },
	{ "storage.k8s.io/v1beta1", "StorageClass", "1.22", "storage.k8s.io/v1" },
	{ "storage.k8s.io/v1beta1", "VolumeAttachment", "1.22", "storage.k8s.io/v1" },
	{ "batch/v1beta1", "CronJob", "1.25", "batch/v1" },
	{ "discovery.k8s.io/v1beta1", "EndpointSlice", "1.25", "discovery.k8s.io/v1" },
	{ "events.k8s.io/v1beta1", "Event", "1.25", "events.k8s.io/v1" },
	{ "autoscaling/v2beta1", NULL, "1.25", "autoscaling/v2" },
	{ "policy/v1beta1", "PodDisruptionBudget", "1.25", "policy/v1" },
	{ "policy/v1beta1", "PodSecurityPolicy", "1.25", "the Pod Security Standards" },
	{ "node.k8s.io/v1beta1", "RuntimeClass", "1.25", "node.k8s.io/v1" },
	{ "flowcontrol.apiserver.k8s.io/v1beta1", NULL, "1.26", "flowcontrol.apiserver.k8s.io/v1" },
	{ "autoscaling/v2beta2", NULL, "1.26", "autoscaling/v2" },
	{ "storage.k8s.io/v1beta1", "CSIStorageCapacity", "1.27", "storage.k8s.io/v1" },
	{ "flowcontrol.apiserver.k8s.io/v1beta2", NULL, "1.29", "flowcontrol.apiserver.k8s.io/v1" },
	{ "flowcontrol.apiserver.k8s.io/v1beta3", NULL, "1.32", "flowcontrol.apiserver.k8s.io/v1" },
};

static void removed_version(struct hf_check_run *r)
{
	if (!r->set->n)
		hf_check_not_applicable(r);
	for (size_t i = 0; i < r->set->n; i++) {
		const struct hf_kube_object *o = r->set->objects[i];
		if (hf_sv_find(o->api_version, HF_SV("beta")) == SIZE_MAX &&
		    hf_sv_find(o->api_version, HF_SV("alpha")) == SIZE_MAX)
			continue;
		for (size_t k = 0; k < HF_ARRAY_SIZE(removed); k++) {
			if (!hf_sv_eq(o->api_version, hf_sv_of(removed[k].version)) ||
			    (removed[k].kind && !hf_sv_eq(o->kind_name, hf_sv_of(removed[k].kind))))
				continue;
			hf_check_about(r, o);
			hf_check_fail(r, hf_value_get(o->root, HF_SV("apiVersion")),
				      "%s is gone since Kubernetes %s; %s is in its place", removed[k].version,
				      removed[k].gone, removed[k].now);
			break;
		}
	}
	hf_check_about(r, NULL);
}

/* The kubelet's own: mirrored, or as kubeadm writes those of the control plane. */
static bool is_static(const struct hf_kube_object *o)
{
	const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));
	const struct hf_value *labels = hf_value_get(o->metadata, HF_SV("labels"));

	return hf_value_get(annotations, HF_SV("kubernetes.io/config.mirror")) ||
	       (hf_check_is_system(o) && hf_sv_eq(hf_value_get_text(labels, HF_SV("tier")), HF_SV("control-plane")));
}

static void naked_pod(struct hf_check_run *r)
{
	if (is_static(r->object))
		hf_check_not_applicable(r);
	else if (!hf_value_count(hf_value_get(r->object->metadata, HF_SV("ownerReferences")), HF_VALUE_ARRAY))
		hf_check_fail(r, NULL, "nothing makes it anew when its node goes");
}

static void default_namespace(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->metadata, HF_SV("namespace"));

	if (!hf_sv_eq(r->object->namespace, HF_SV("default")))
		return;
	if (!v && !r->live)
		hf_check_not_assessable(r, "no namespace is written: who applies it chooses");
	else
		hf_check_fail(r, v, "runs in the namespace default");
}

static void no_labels(struct hf_check_run *r)
{
	static const char *const keys[] = { "app.kubernetes.io/name", "k8s-app", "app" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (hf_check_pair(r->pod->labels, r->pod->labels_n, hf_sv_of(keys[i])).len)
			return;
	hf_check_fail(r, r->pod->metadata, "no label tells which application it belongs to");
}

static void no_grace(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("terminationGracePeriodSeconds"));
	int64_t n;

	if (hf_value_int(v, &n) && n <= 1)
		hf_check_patch(r, hf_check_fail(r, v, "is killed without a warning"), "/terminationGracePeriodSeconds",
			       "30", true);
}

static const struct hf_value *job_of(const struct hf_kube_object *o, const char **ret_path)
{
	*ret_path = o->kind == HF_KUBE_CRON_JOB ? "/spec/jobTemplate/spec" : "/spec";
	return o->kind == HF_KUBE_CRON_JOB ? hf_value_at(o->spec, "jobTemplate.spec") : o->spec;
}

static void no_deadline(struct hf_check_run *r)
{
	const char *path;
	const struct hf_value *job = job_of(r->object, &path);

	if (!hf_value_get(job, HF_SV("activeDeadlineSeconds")))
		hf_check_patch(r, hf_check_fail(r, job, "may run for ever"),
			       hf_arena_fmt(r->arena, "%s/activeDeadlineSeconds", path).ptr, "3600", false);
}

static void no_end_of_job(struct hf_check_run *r)
{
	if (hf_value_count(hf_value_get(r->object->metadata, HF_SV("ownerReferences")), HF_VALUE_ARRAY))
		hf_check_not_applicable(r);
	else if (!hf_value_get(r->object->spec, HF_SV("ttlSecondsAfterFinished")))
		hf_check_patch(r, hf_check_fail(r, r->object->spec, "stays when it is done"),
			       "/spec/ttlSecondsAfterFinished", "86400", false);
}

static void many_retries(struct hf_check_run *r)
{
	const char *path;
	const struct hf_value *v = hf_value_get(job_of(r->object, &path), HF_SV("backoffLimit"));
	int64_t n;

	if (hf_value_int(v, &n) && n > 10)
		hf_check_patch(r, hf_check_fail(r, v, "is tried %lld times more when it fails", (long long)n),
			       hf_arena_fmt(r->arena, "%s/backoffLimit", path).ptr, "6", false);
}

static void overlapping(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("concurrencyPolicy"));

	if (!v || hf_sv_eq(hf_value_text(v), HF_SV("Allow")))
		hf_check_patch(
			r, hf_check_fail(r, v, "starts again while it still runs%s", v ? "" : ": that is the default"),
			"/spec/concurrencyPolicy", "\"Forbid\"", false);
}

static void no_history(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("revisionHistoryLimit"));
	int64_t n;

	if (hf_value_int(v, &n) && !n)
		hf_check_patch(r, hf_check_fail(r, v, "keeps no revision to go back to"), "/spec/revisionHistoryLimit",
			       "10", true);
}

static void paused(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("paused"));

	if (hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "changes do not reach its pods"), "/spec/paused", "false", false);
}

static void on_delete(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "updateStrategy.type");

	if (hf_sv_eq(hf_value_text(v), HF_SV("OnDelete")))
		hf_check_patch(r, hf_check_fail(r, v, "pods keep the old version until somebody deletes them"),
			       "/spec/updateStrategy/type", "\"RollingUpdate\"", false);
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-707",
	  .name = "single-replica",
	  .title = "A workload runs once",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_DEPLOYMENT, HF_KUBE_STATEFUL_SET },
	  .why = "One eviction, one update of its node or one crash that was asked for takes it down.",
	  .fix = "Set replicas to two or more.",
	  .references = "MITRE-T1499 kube-linter:minimum-three-replicas polaris:deploymentMissingReplicas",
	  .evaluate = single_replica },
	{ .id = "HF-K8S-708",
	  .name = "no-disruption-budget",
	  .title = "No PodDisruptionBudget guards a workload",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_DEPLOYMENT, HF_KUBE_STATEFUL_SET },
	  .why = "Draining nodes may stop all of its pods at once.",
	  .fix = "Make a PodDisruptionBudget with maxUnavailable: 1.",
	  .references = "MITRE-T1499 polaris:missingPodDisruptionBudget",
	  .evaluate = no_budget },
	{ .id = "HF-K8S-709",
	  .name = "disruption-budget-of-none",
	  .title = "A PodDisruptionBudget lets no pod be evicted",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_POD_DISRUPTION_BUDGET },
	  .why = "Nodes cannot be drained: repairs of kernels and kubelets wait for ever.",
	  .fix = "Set maxUnavailable: 1.",
	  .references = "NSA-hardening polaris:pdbDisruptionsIsZero",
	  .evaluate = budget_of_none },
	{ .id = "HF-K8S-710",
	  .name = "not-spread",
	  .title = "A workload's pods may all run on one node",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_DEPLOYMENT, HF_KUBE_STATEFUL_SET },
	  .why = "The loss of the node is the loss of the workload.",
	  .fix = "Set topologySpreadConstraints or podAntiAffinity.",
	  .references = "MITRE-T1499 kube-linter:no-anti-affinity polaris:topologySpreadConstraint",
	  .evaluate = not_spread },
	{ .id = "HF-K8S-711",
	  .name = "system-priority",
	  .title = "An ordinary pod has the priority of the system",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "It is placed by throwing others out, the cluster's own parts among them where nodes are "
		 "full.",
	  .fix = "Give it a PriorityClass of its own below one billion, and a quota for who may use it.",
	  .references = "NSA-resource-limits MITRE-T1499",
	  .evaluate = system_priority },
	{ .id = "HF-K8S-712",
	  .name = "removed-api-version",
	  .title = "A manifest is of an API version that is gone",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "It cannot be applied to a supported cluster: what it protects, or how to set it up anew,"
		 " is lost with the next upgrade.",
	  .fix = "Write it in the version that took its place (kubectl convert).",
	  .references = "NSA-hardening KSV-0107 kube-linter:no-extensions-v1beta",
	  .evaluate = removed_version },
	{ .id = "HF-K8S-713",
	  .name = "naked-pod",
	  .title = "A pod belongs to no workload",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_POD },
	  .why = "It is gone with its node, and updates pass it by.",
	  .fix = "Make a Deployment, StatefulSet, DaemonSet or Job of it.",
	  .references = "MITRE-T1499 C-0073",
	  .evaluate = naked_pod },
	{ .id = "HF-K8S-714",
	  .name = "default-namespace",
	  .title = "A workload runs in the namespace default",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Rights, quotas and policies for it hold for everything that was applied without a "
		 "thought.",
	  .fix = "Give each application or team a namespace.",
	  .references = "CIS-5.7.4 NSA-namespaces KSV-0110 C-0061 C-0212 CKV_K8S_21 "
			"kube-linter:use-namespace",
	  .evaluate = default_namespace },
	{ .id = "HF-K8S-715",
	  .name = "no-application-label",
	  .title = "A pod's labels do not tell whose it is",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Policies and responders choose pods by labels; what has none is missed by both.",
	  .fix = "Set app.kubernetes.io/name.",
	  .references = "NSA-network-policy C-0076 C-0077",
	  .evaluate = no_labels },
	{ .id = "HF-K8S-716",
	  .name = "no-grace-period",
	  .title = "A pod is killed without a warning",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Data that was not written is lost, and its node may still run it while another takes its"
		 " place.",
	  .fix = "Remove terminationGracePeriodSeconds: 0.",
	  .references = "MITRE-T1485",
	  .evaluate = no_grace },
	{ .id = "HF-K8S-717",
	  .name = "job-without-deadline",
	  .title = "A job may run for ever",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_JOB, HF_KUBE_CRON_JOB },
	  .why = "A job that hangs, or was taken over, holds its rights and resources until somebody "
		 "looks.",
	  .fix = "Set activeDeadlineSeconds.",
	  .references = "NSA-resource-limits MITRE-T1053.007",
	  .evaluate = no_deadline },
	{ .id = "HF-K8S-718",
	  .name = "job-stays",
	  .title = "A job stays when it is done",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_JOB },
	  .why = "Its pods with their environment and logs can be read for ever, and thousands of them "
		 "slow the API server.",
	  .fix = "Set ttlSecondsAfterFinished.",
	  .references = "NSA-hardening kube-linter:job-ttl-seconds-after-finished",
	  .evaluate = no_end_of_job },
	{ .id = "HF-K8S-719",
	  .name = "job-many-retries",
	  .title = "A job that fails is tried very often",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_JOB, HF_KUBE_CRON_JOB },
	  .why = "Each try does again what it did: accounts get locked, and nodes are kept busy.",
	  .fix = "Set backoffLimit to six or less.",
	  .references = "NSA-resource-limits",
	  .evaluate = many_retries },
	{ .id = "HF-K8S-720",
	  .name = "cron-job-overlaps",
	  .title = "A CronJob starts again while it still runs",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CRON_JOB },
	  .why = "Runs that hang pile up until the namespace or the node is full.",
	  .fix = "Set concurrencyPolicy: Forbid or Replace.",
	  .references = "NSA-resource-limits MITRE-T1053.007",
	  .evaluate = overlapping },
	{ .id = "HF-K8S-721",
	  .name = "no-revision-history",
	  .title = "A workload cannot go back to its last version",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_DEPLOYMENT, HF_KUBE_STATEFUL_SET, HF_KUBE_DAEMON_SET },
	  .why = "A bad or manipulated release cannot be undone by kubectl rollout undo, nor be looked at "
		 "afterwards.",
	  .fix = "Remove revisionHistoryLimit: 0.",
	  .references = "NSA-hardening",
	  .evaluate = no_history },
	{ .id = "HF-K8S-722",
	  .name = "paused-deployment",
	  .title = "A Deployment is paused",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_DEPLOYMENT },
	  .why = "Repairs of holes are applied and never run.",
	  .fix = "Resume it: kubectl rollout resume.",
	  .references = "NSA-hardening",
	  .evaluate = paused },
	{ .id = "HF-K8S-723",
	  .name = "update-on-delete",
	  .title = "Updates wait until somebody deletes pods",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STATEFUL_SET, HF_KUBE_DAEMON_SET },
	  .why = "Repairs of holes are applied and do not run.",
	  .fix = "Set updateStrategy.type: RollingUpdate.",
	  .references = "NSA-hardening",
	  .evaluate = on_delete },
};

const struct hf_check_group hf_check_group_reliability = { "reliability", checks, HF_ARRAY_SIZE(checks) };
