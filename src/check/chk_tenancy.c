/* Clusters that several share: what one tenant may take, and where tenants meet. */
#include "check/workload.h"

static bool is_system_name(hf_sv name)
{
	return hf_sv_starts(name, HF_SV("kube-"));
}

/* Names of namespaces that have an object of the kind. */
static bool namespace_has(struct hf_check_run *r, enum hf_kube_kind kind)
{
	struct hf_map *map = r->memo;

	if (!map) {
		r->memo = map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return true;
		*map = HF_MAP(r->arena);
		for (size_t i = 0; i < r->set->of_kind_n[kind]; i++)
			hf_map_put(map, r->set->of_kind[kind][i]->namespace);
	}
	return hf_map_find(map, r->object->name) != NULL;
}

static void wants(struct hf_check_run *r, enum hf_kube_kind kind, const char *plural, const char *lets)
{
	if (is_system_name(r->object->name))
		hf_check_not_applicable(r);
	else if (!r->live && !r->set->of_kind_n[kind])
		hf_check_not_assessable(r, "no %s are in the input", plural);
	else if (!namespace_has(r, kind))
		hf_check_fail(r, NULL, "%s", lets);
}

static void no_quota(struct hf_check_run *r)
{
	wants(r, HF_KUBE_RESOURCE_QUOTA, "ResourceQuotas", "no ResourceQuota bounds what it takes");
}

static void no_limit_range(struct hf_check_run *r)
{
	wants(r, HF_KUBE_LIMIT_RANGE, "LimitRanges", "no LimitRange bounds its containers");
}

static hf_sv level_of(const struct hf_check_run *r, const struct hf_value **ret_at)
{
	*ret_at = hf_value_get(hf_value_get(r->object->metadata, HF_SV("labels")),
			       HF_SV("pod-security.kubernetes.io/enforce"));
	return hf_value_text(*ret_at);
}

static void no_level(struct hf_check_run *r)
{
	const struct hf_value *at;

	if (hf_sv_eq(r->object->name, HF_SV("kube-system")))
		hf_check_not_applicable(r);
	else if (!level_of(r, &at).len)
		hf_check_patch(r, hf_check_fail(r, r->object->metadata, "pods of any right may be made in it"),
			       "/metadata/labels/pod-security.kubernetes.io~1enforce", "\"baseline\"", false);
}

static void privileged_level(struct hf_check_run *r)
{
	const struct hf_value *at;
	hf_sv level = level_of(r, &at);

	if (hf_sv_eq(r->object->name, HF_SV("kube-system")))
		hf_check_not_applicable(r);
	else if (hf_sv_eq(level, HF_SV("privileged")))
		hf_check_patch(r, hf_check_fail(r, at, "the level privileged forbids nothing"),
			       "/metadata/labels/pod-security.kubernetes.io~1enforce", "\"baseline\"", false);
}

static void pinned_level(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(hf_value_get(r->object->metadata, HF_SV("labels")),
						HF_SV("pod-security.kubernetes.io/enforce-version"));
	hf_sv version = hf_value_text(v);
	uint64_t minor;

	if (!version.len)
		hf_check_not_applicable(r);
	else if (hf_sv_starts(version, HF_SV("v1.")) && hf_sv_to_u64(hf_sv_skip(version, 3), &minor) && minor < 25)
		hf_check_patch(r,
			       hf_check_fail(r, v, "controls that came after %.*s are not asked", HF_SV_FMT(version)),
			       "/metadata/labels/pod-security.kubernetes.io~1enforce-version", "\"latest\"", false);
}

static hf_sv team_of(const struct hf_kube_object *o, const struct hf_value **ret_at)
{
	static const char *const keys[] = { "team", "tenant", "owner" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++) {
		*ret_at = hf_value_get(hf_value_get(o->metadata, HF_SV("labels")), hf_sv_of(keys[i]));
		if (hf_value_text(*ret_at).len)
			return hf_value_text(*ret_at);
	}
	return (hf_sv){ 0 };
}

struct tenant {
	hf_sv team;
	bool told;
};

static void shared_namespace(struct hf_check_run *r)
{
	struct hf_map map = HF_MAP(r->arena);

	for (size_t i = 0; i < r->pods_n; i++) {
		const struct hf_kube_object *o = r->pods[i].object;
		const struct hf_value *at;
		hf_sv team = team_of(o, &at);
		struct hf_map_entry *e = team.len ? hf_map_put(&map, o->namespace) : NULL;
		if (!e)
			continue;
		struct tenant *t = e->value;
		if (!t && (e->value = t = hf_arena_new(r->arena, struct tenant))) {
			t->team = team;
		} else if (t && !t->told && !hf_sv_eq(t->team, team)) {
			t->told = true;
			hf_check_about(r, o);
			hf_check_fail(r, at, "%.*s is beside %.*s in the namespace %.*s", HF_SV_FMT(team),
				      HF_SV_FMT(t->team), HF_SV_FMT(o->namespace));
		}
	}
	hf_check_about(r, NULL);
	if (!map.n)
		hf_check_not_assessable(r, "no label (team, tenant, owner) tells whose a workload is");
}

static bool is_control_plane_key(hf_sv key)
{
	return hf_sv_eq(key, HF_SV("node-role.kubernetes.io/control-plane")) ||
	       hf_sv_eq(key, HF_SV("node-role.kubernetes.io/master"));
}

static bool tolerates_its_nodes(const struct hf_value *toleration)
{
	return is_control_plane_key(hf_value_get_text(toleration, HF_SV("key")));
}

static bool tolerates_any(const struct hf_value *toleration)
{
	hf_sv effect = hf_value_get_text(toleration, HF_SV("effect"));

	/* Of the effects, NoSchedule is the one that keeps pods away. */
	return !hf_value_get_text(toleration, HF_SV("key")).len &&
	       hf_sv_eq(hf_value_get_text(toleration, HF_SV("operator")), HF_SV("Exists")) &&
	       (!effect.len || hf_sv_eq(effect, HF_SV("NoSchedule")));
}

/* A failure for the first such toleration, with patches that take all of them out, from the last on. */
static void not_tolerated(struct hf_check_run *r, bool (*is_such)(const struct hf_value *), const char *what)
{
	const struct hf_value *list = hf_value_get(r->pod->spec, HF_SV("tolerations"));
	size_t n = hf_value_count(list, HF_VALUE_ARRAY), first = 0;

	while (first < n && !is_such(&list->elements[first]))
		first++;
	if (first == n)
		return;
	struct hf_check_result *f = hf_check_fail(r, &list->elements[first], "%s", what);
	for (size_t i = n; i-- > first;)
		if (is_such(&list->elements[i]))
			hf_check_patch(r, f, hf_arena_fmt(r->arena, "/tolerations/%zu", i).ptr, NULL, false);
}

static void tolerates_control_plane(struct hf_check_run *r)
{
	if (hf_check_is_control_plane(r->pod))
		hf_check_not_applicable(r);
	else
		not_tolerated(r, tolerates_its_nodes, "may run on nodes of the control plane");
}

static const struct hf_value *required_term(const struct hf_value *spec)
{
	const struct hf_value *terms = hf_value_at(
		spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");

	hf_value_elements(terms, t)
	{
		hf_value_elements(hf_value_get(t, HF_SV("matchExpressions")), e)
		{
			hf_sv operator= hf_value_get_text(e, HF_SV("operator"));
			if (is_control_plane_key(hf_value_get_text(e, HF_SV("key"))) &&
			    (hf_sv_eq(operator, HF_SV("Exists")) || hf_sv_eq(operator, HF_SV("In"))))
				return e;
		}
	}
	return NULL;
}

static void chooses_control_plane(struct hf_check_run *r)
{
	const struct hf_value *at = required_term(r->pod->spec);

	if (hf_check_is_control_plane(r->pod)) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_members(hf_value_get(r->pod->spec, HF_SV("nodeSelector")), m)
	{
		if (is_control_plane_key(hf_member_key(m)))
			at = &m->value;
	}
	if (at)
		hf_check_fail(r, at, "runs on nodes of the control plane");
}

static void tolerates_all(struct hf_check_run *r)
{
	if (hf_check_is_system(r->object))
		hf_check_not_applicable(r);
	else
		not_tolerated(r, tolerates_any, "no taint keeps it away from any node");
}

static void fixed_node(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("nodeName"));

	/* The scheduler writes it into every pod that runs. */
	if (r->object->kind == HF_KUBE_POD && (r->live || hf_value_at(r->object->root, "status.phase")))
		hf_check_not_applicable(r);
	else if (hf_value_text(v).len)
		hf_check_patch(r, hf_check_fail(r, v, "is put onto its node past the scheduler and its taints"),
			       "/nodeName", NULL, false);
}

static void far_autoscaler(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("maxReplicas"));
	int64_t n;

	if (hf_value_int(v, &n) && n > 100)
		hf_check_fail(r, v, "may make %lld pods", (long long)n);
}

static void partial_quota(struct hf_check_run *r)
{
	static const char *const bounds[][4] = {
		{ "cpu", "requests.cpu", "limits.cpu", NULL },
		{ "memory", "requests.memory", "limits.memory", NULL },
	};
	const struct hf_value *hard = hf_value_get(r->object->spec, HF_SV("hard"));

	for (size_t i = 0; i < HF_ARRAY_SIZE(bounds); i++) {
		size_t k = 0;
		while (bounds[i][k] && !hf_value_get(hard, hf_sv_of(bounds[i][k])))
			k++;
		if (!bounds[i][k]) {
			hf_check_fail(r, hard, "says nothing of %s", bounds[i][0]);
			return;
		}
	}
}

static void partial_range(struct hf_check_run *r)
{
	bool cpu = false, memory = false;

	hf_value_elements(hf_value_get(r->object->spec, HF_SV("limits")), e)
	{
		static const char *const lists[] = { "default", "max" };
		for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++) {
			const struct hf_value *v = hf_value_get(e, hf_sv_of(lists[i]));
			cpu |= hf_value_get(v, HF_SV("cpu")) != NULL;
			memory |= hf_value_get(v, HF_SV("memory")) != NULL;
		}
	}
	if (!cpu || !memory)
		hf_check_fail(r, r->object->spec, "gives containers no limit of %s", memory ? "cpu" : "memory");
}

static void system_namespace(struct hf_check_run *r)
{
	static const char *const marks[] = { "k8s-app",
					     "component",
					     "tier",
					     "app.kubernetes.io/managed-by",
					     "addonmanager.kubernetes.io/mode",
					     "kubernetes.io/cluster-service" };

	if (!hf_check_is_system(r->object))
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(marks) && hf_sv_eq(r->object->namespace, HF_SV("kube-system")); i++)
		if (hf_check_pair(r->pod->labels, r->pod->labels_n, hf_sv_of(marks[i])).len)
			return;
	hf_check_fail(r, hf_value_get(r->object->metadata, HF_SV("namespace")), "runs beside the cluster's own parts");
}

static void default_priority(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("globalDefault"));
	int64_t n = 0;

	hf_value_int(hf_value_get(r->object->root, HF_SV("value")), &n);
	if (hf_value_true(v) && n > 0 &&
	    !hf_sv_eq(hf_value_get_text(r->object->root, HF_SV("preemptionPolicy")), HF_SV("Never")))
		hf_check_fail(r, v, "pods that say nothing throw out those of a lower priority");
}

static void no_overhead(struct hf_check_run *r)
{
	static const char *const machines[] = { "kata", "firecracker", "gvisor", "runsc" };
	hf_sv handler = hf_value_get_text(r->object->root, HF_SV("handler"));
	bool heavy = false;

	for (size_t i = 0; i < HF_ARRAY_SIZE(machines); i++)
		heavy |= hf_sv_find(handler, hf_sv_of(machines[i])) != SIZE_MAX;
	if (!heavy)
		hf_check_not_applicable(r);
	else if (!hf_value_at(r->object->root, "overhead.podFixed"))
		hf_check_fail(r, hf_value_get(r->object->root, HF_SV("handler")),
			      "what the sandbox itself takes is counted to nobody");
}

/* Pods of others' code say so by a label that admission and this check know: trust=untrusted. */
static void unsandboxed(struct hf_check_run *r)
{
	static const char *const keys[] = { "trust", "trust-level" };
	bool untrusted = false;

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		untrusted |= hf_sv_eq(hf_check_pair(r->pod->labels, r->pod->labels_n, hf_sv_of(keys[i])),
				      HF_SV("untrusted"));
	if (!untrusted)
		hf_check_not_applicable(r);
	else if (!hf_value_get_text(r->pod->spec, HF_SV("runtimeClassName")).len)
		hf_check_fail(r, r->pod->spec, "is labelled untrusted, and shares its node's kernel");
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-801",
	  .name = "namespace-without-quota",
	  .title = "A namespace has no ResourceQuota",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_NAMESPACE },
	  .why = "One tenant, or what took it over, can use up the cluster.",
	  .fix = "Make a ResourceQuota in it.",
	  .references = "NSA-resource-limits MITRE-T1496 KSV-0040",
	  .evaluate = no_quota },
	{ .id = "HF-K8S-802",
	  .name = "namespace-without-limit-range",
	  .title = "A namespace has no LimitRange",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_NAMESPACE },
	  .why = "Containers that name no limits have none.",
	  .fix = "Make a LimitRange with defaults in it.",
	  .references = "NSA-resource-limits MITRE-T1499 KSV-0039",
	  .evaluate = no_limit_range },
	{ .id = "HF-K8S-803",
	  .name = "namespace-without-pod-security",
	  .title = "A namespace enforces no Pod Security Standard",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_NAMESPACE },
	  .why = "Who may make pods in it may make privileged ones, and is root on the nodes then.",
	  .fix = "Label it pod-security.kubernetes.io/enforce: restricted, or baseline.",
	  .references = "CIS-5.2.1 NSA-pod-security MITRE-T1610 C-0192",
	  .evaluate = no_level },
	{ .id = "HF-K8S-804",
	  .name = "namespace-privileged",
	  .title = "A namespace enforces the level privileged",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_NAMESPACE },
	  .why = "Who may make pods in it may make privileged ones, and is root on the nodes then.",
	  .fix = "Keep it for what the nodes need, and let few make pods there; else set baseline or "
		 "restricted.",
	  .references = "CIS-5.2.2 NSA-pod-security MITRE-T1610",
	  .evaluate = privileged_level },
	{ .id = "HF-K8S-805",
	  .name = "namespace-old-pod-security",
	  .title = "A namespace enforces an old version of the Pod Security Standards",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_NAMESPACE },
	  .why = "What was added since is not asked of its pods.",
	  .fix = "Set enforce-version: latest, or that of the cluster.",
	  .references = "CIS-5.2.1 NSA-pod-security",
	  .evaluate = pinned_level },
	{ .id = "HF-K8S-806",
	  .name = "namespace-shared-by-teams",
	  .title = "Several teams share a namespace",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Secrets, accounts and quotas of one are those of all in it.",
	  .fix = "Give each team namespaces of its own.",
	  .references = "CIS-5.7.1 NSA-namespaces C-0209",
	  .evaluate = shared_namespace },
	{ .id = "HF-K8S-807",
	  .name = "tolerates-control-plane",
	  .title = "A pod may run on nodes of the control plane",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Who leaves its containers there has the keys of the cluster.",
	  .fix = "Remove the toleration of node-role.kubernetes.io/control-plane.",
	  .references = "NSA-control-plane MITRE-T1611",
	  .evaluate = tolerates_control_plane },
	{ .id = "HF-K8S-808",
	  .name = "chooses-control-plane",
	  .title = "A pod is meant for nodes of the control plane",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Who leaves its containers there has the keys of the cluster.",
	  .fix = "Remove the node selector; only agents of those nodes belong there.",
	  .references = "NSA-control-plane MITRE-T1611",
	  .evaluate = chooses_control_plane },
	{ .id = "HF-K8S-809",
	  .name = "tolerates-everything",
	  .title = "A pod tolerates every taint",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Nodes kept for one tenant, for sandboxes or for the control plane take it as well.",
	  .fix = "Name the taints that it has to tolerate.",
	  .references = "NSA-control-plane MITRE-T1611",
	  .evaluate = tolerates_all },
	{ .id = "HF-K8S-810",
	  .name = "fixed-node",
	  .title = "A pod names its node",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Taints, capacity and spreading are not asked: a way onto nodes that are kept for others.",
	  .fix = "Use a nodeSelector.",
	  .references = "MITRE-T1610",
	  .evaluate = fixed_node },
	{ .id = "HF-K8S-811",
	  .name = "autoscaler-far",
	  .title = "An autoscaler may make more than a hundred pods",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_HORIZONTAL_POD_AUTOSCALER },
	  .why = "Requests of an attacker become the bill of the owner, and take the room of others.",
	  .fix = "Set maxReplicas to what is meant.",
	  .references = "NSA-resource-limits MITRE-T1496",
	  .evaluate = far_autoscaler },
	{ .id = "HF-K8S-812",
	  .name = "quota-partial",
	  .title = "A ResourceQuota leaves CPU or memory out",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_RESOURCE_QUOTA },
	  .why = "What it does not name is not bounded.",
	  .fix = "Name requests and limits of cpu and memory.",
	  .references = "NSA-resource-limits MITRE-T1496 KSV-0040",
	  .evaluate = partial_quota },
	{ .id = "HF-K8S-813",
	  .name = "limit-range-partial",
	  .title = "A LimitRange leaves CPU or memory out",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_LIMIT_RANGE },
	  .why = "Containers that name no limit of it have none.",
	  .fix = "Set default for cpu and memory.",
	  .references = "NSA-resource-limits MITRE-T1499 KSV-0039",
	  .evaluate = partial_range },
	{ .id = "HF-K8S-814",
	  .name = "system-namespace",
	  .title = "An ordinary workload runs in a namespace of the system",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Accounts and Secrets there are the cluster's own, and policies spare it.",
	  .fix = "Move it to a namespace of its own.",
	  .references = "CIS-5.7.1 NSA-namespaces KSV-0037",
	  .evaluate = system_namespace },
	{ .id = "HF-K8S-815",
	  .name = "default-priority-preempts",
	  .title = "A PriorityClass for all lets pods throw others out",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PRIORITY_CLASS },
	  .why = "Whatever is applied without a thought stops running work of lower priority.",
	  .fix = "Set preemptionPolicy: Never, or globalDefault: false.",
	  .references = "NSA-resource-limits MITRE-T1499",
	  .evaluate = default_priority },
	{ .id = "HF-K8S-816",
	  .name = "runtime-class-without-overhead",
	  .title = "A RuntimeClass of sandboxes counts nothing for them",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_RUNTIME_CLASS },
	  .why = "Quotas and the scheduler do not see the memory of each virtual machine or user-space "
		 "kernel.",
	  .fix = "Set overhead.podFixed.",
	  .references = "NSA-resource-limits",
	  .evaluate = no_overhead },
	{ .id = "HF-K8S-817",
	  .name = "untrusted-without-sandbox",
	  .title = "A pod of untrusted code shares its node's kernel",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "One hole in the kernel is enough to leave it.",
	  .fix = "Set runtimeClassName to a class of sandboxes (gVisor, Kata Containers).",
	  .references = "NSA-isolation MITRE-T1611",
	  .evaluate = unsandboxed },
};

const struct hf_check_group hf_check_group_tenancy = { "tenancy", checks, HF_ARRAY_SIZE(checks) };
