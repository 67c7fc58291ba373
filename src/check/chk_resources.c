/* Requests, limits and probes of containers. */
#include "check/workload.h"

/* What LimitRanges of a namespace fill in: where they name no default, the API server takes max for it, and min for defaultRequest. */
enum { CPU_REQUEST = 1, CPU_LIMIT = 2, MEMORY_REQUEST = 4, MEMORY_LIMIT = 8 };

static uintptr_t filled_in(const struct hf_kube_object *range)
{
	static const struct {
		const char *list, *resource;
		uintptr_t bits;
	} defaults[] = {
		{ "default", "cpu", CPU_LIMIT | CPU_REQUEST },
		{ "max", "cpu", CPU_LIMIT | CPU_REQUEST },
		{ "defaultRequest", "cpu", CPU_REQUEST },
		{ "min", "cpu", CPU_REQUEST },
		{ "default", "memory", MEMORY_LIMIT | MEMORY_REQUEST },
		{ "max", "memory", MEMORY_LIMIT | MEMORY_REQUEST },
		{ "defaultRequest", "memory", MEMORY_REQUEST },
		{ "min", "memory", MEMORY_REQUEST },
	};
	uintptr_t bits = 0;

	hf_value_elements(hf_value_get(range->spec, HF_SV("limits")), e)
	{
		if (!hf_sv_eq(hf_value_get_text(e, HF_SV("type")), HF_SV("Container")))
			continue;
		for (size_t i = 0; i < HF_ARRAY_SIZE(defaults); i++)
			if (hf_value_get(hf_value_get(e, hf_sv_of(defaults[i].list)), hf_sv_of(defaults[i].resource)))
				bits |= defaults[i].bits;
	}
	return bits;
}

static uintptr_t namespace_fills_in(struct hf_check_run *r)
{
	struct hf_map *map = r->memo;

	if (!map) {
		map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return 0;
		*map = HF_MAP(r->arena);
		for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_LIMIT_RANGE]; i++) {
			const struct hf_kube_object *range = r->set->of_kind[HF_KUBE_LIMIT_RANGE][i];
			struct hf_map_entry *e = hf_map_put(map, range->namespace);
			if (e)
				e->value = (void *)((uintptr_t)e->value | filled_in(range));
		}
		r->memo = map;
	}
	struct hf_map_entry *e = hf_map_find(map, r->object->namespace);
	return e ? (uintptr_t)e->value : 0;
}

/* A limit of nothing limits nothing. */
static bool is_amount(const struct hf_value *v, bool limit)
{
	hf_sv text = hf_value_is(v, HF_VALUE_NUMBER) ? (hf_sv){ v->text, v->n } : hf_value_text(v);

	return v && !(limit && hf_sv_eq(text, HF_SV("0")));
}

static void has_resource(struct hf_check_run *r, bool limit, const char *resource, uintptr_t bit, const char *lets)
{
	const struct hf_value *own = hf_value_get(r->container->value, HF_SV("resources"));
	const struct hf_value *whole = hf_value_get(r->pod->spec, HF_SV("resources"));
	const char *lists[] = { "limits", limit ? "limits" : "requests" };

	if (r->container->role == HF_CONTAINER_EPHEMERAL) {
		hf_check_not_applicable(r);
		return;
	}
	/* Who sets a limit alone requests as much. */
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++)
		if (is_amount(hf_value_get(hf_value_get(own, hf_sv_of(lists[i])), hf_sv_of(resource)), limit) ||
		    is_amount(hf_value_get(hf_value_get(whole, hf_sv_of(lists[i])), hf_sv_of(resource)), limit))
			return;
	if (namespace_fills_in(r) & bit)
		return;
	struct hf_check_result *f =
		hf_check_fail(r, own, "has no %s of %s: %s", limit ? "limit" : "request", resource, lets);
	const char *amount = strcmp(resource, "cpu") ? "\"256Mi\"" : "\"250m\"";
	amount = limit ? hf_check_limit_for(r, resource, amount) : amount;
	if (amount)
		hf_check_patch(r, f, hf_arena_fmt(r->arena, "/resources/%s/%s", lists[1], resource).ptr, amount, false);
}

static void cpu_request(struct hf_check_run *r)
{
	has_resource(r, false, "cpu", CPU_REQUEST, "it gets what others leave");
}

static void cpu_limit(struct hf_check_run *r)
{
	has_resource(r, true, "cpu", CPU_LIMIT, "it may take all that its node has");
}

static void memory_request(struct hf_check_run *r)
{
	has_resource(r, false, "memory", MEMORY_REQUEST, "it is the first to be evicted");
}

static void memory_limit(struct hf_check_run *r)
{
	has_resource(r, true, "memory", MEMORY_LIMIT, "it may take all that its node has");
}

static void has_probe(struct hf_check_run *r, const char *probe, const char *what)
{
	if (hf_check_runs_once(r))
		hf_check_not_applicable(r);
	else if (!hf_value_get(r->container->value, hf_sv_of(probe)))
		hf_check_fail(r, NULL, "%s", what);
}

static void liveness(struct hf_check_run *r)
{
	has_probe(r, "livenessProbe", "nobody notices when it hangs");
}

static void readiness(struct hf_check_run *r)
{
	has_probe(r, "readinessProbe", "it is sent requests before it can answer them");
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-701",
	  .name = "cpu-request",
	  .title = "A container requests no CPU",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "The scheduler counts it as nothing: nodes are overfilled, and it starves first under "
		 "load.",
	  .fix = "Set resources.requests.cpu.",
	  .references = "NSA-resource-limits MITRE-T1499 KSV-0015 C-0050 C-0268 CKV_K8S_10 "
			"kube-linter:unset-cpu-requirements polaris:cpuRequestsMissing",
	  .evaluate = cpu_request },
	{ .id = "HF-K8S-702",
	  .name = "cpu-limit",
	  .title = "A container's CPU is not limited",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "What is taken over computes for others (mining) at the cost of all pods of its node.",
	  .fix = "Set resources.limits.cpu.",
	  .references = "NSA-resource-limits MITRE-T1496 KSV-0011 C-0009 C-0050 C-0270 CKV_K8S_11 "
			"kube-linter:unset-cpu-requirements polaris:cpuLimitsMissing",
	  .evaluate = cpu_limit },
	{ .id = "HF-K8S-703",
	  .name = "memory-request",
	  .title = "A container requests no memory",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Nodes are overfilled, and the kernel then kills what the attacker's pod did not ask for.",
	  .fix = "Set resources.requests.memory.",
	  .references = "NSA-resource-limits MITRE-T1499 KSV-0016 C-0004 C-0269 CKV_K8S_12 "
			"kube-linter:unset-memory-requirements polaris:memoryRequestsMissing",
	  .evaluate = memory_request },
	{ .id = "HF-K8S-704",
	  .name = "memory-limit",
	  .title = "A container's memory is not limited",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A leak, or a request that is made for it, takes the node down with all its pods.",
	  .fix = "Set resources.limits.memory.",
	  .references = "NSA-resource-limits MITRE-T1499 KSV-0018 C-0004 C-0009 C-0271 CKV_K8S_13 "
			"kube-linter:unset-memory-requirements polaris:memoryLimitsMissing",
	  .evaluate = memory_limit },
	{ .id = "HF-K8S-705",
	  .name = "liveness-probe",
	  .title = "A container has no liveness probe",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A program that hangs, by a fault or by a request made for it, stays so.",
	  .fix = "Set livenessProbe.",
	  .references = "MITRE-T1499 C-0056 CKV_K8S_8 kube-linter:no-liveness-probe "
			"polaris:livenessProbeMissing",
	  .evaluate = liveness },
	{ .id = "HF-K8S-706",
	  .name = "readiness-probe",
	  .title = "A container has no readiness probe",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A bad release takes the place of a good one before anybody knows that it does not "
		 "answer.",
	  .fix = "Set readinessProbe.",
	  .references = "MITRE-T1499 C-0018 CKV_K8S_9 kube-linter:no-readiness-probe "
			"polaris:readinessProbeMissing",
	  .evaluate = readiness },
};

const struct hf_check_group hf_check_group_resources = { "resources", checks, HF_ARRAY_SIZE(checks) };
