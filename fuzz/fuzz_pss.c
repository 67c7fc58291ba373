/* Any manifest at any policy: both ways to evaluate agree, each failing control has a reason with a place, and privileged allows all. */
#include <stdlib.h>

#include "base/limits.h"
#include "pss/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t look(const struct hf_kube_pod *pod, const struct hf_pss_policy *policy, struct hf_arena *a)
{
	uint32_t failed = hf_pss_failed(pod, policy), told = 0;
	const struct hf_pss_finding *list;
	size_t n = hf_pss_evaluate(pod, 1, policy, a, &list);

	for (size_t i = 0; i < n && !a->over; i++) {
		for (unsigned c = 0; c < HF_PSS_CONTROLS; c++)
			told |= hf_pss_controls[c] == list[i].control ? UINT32_C(1) << c : 0;
		if (!list[i].n || list[i].n > HF_PSS_FIELDS_MAX)
			abort();
		for (size_t f = 0; f < list[i].n; f++)
			if (!list[i].fields[f].near || !list[i].fields[f].path.len ||
			    !hf_kube_line(pod->object, list[i].fields[f].near))
				abort();
	}
	if (!a->over && told != failed)
		abort();
	return failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct hf_kube_source source = { .name = HF_SV("x.yaml") };
	struct hf_pss_policy policy = { 0 };
	struct hf_err err = { 0 };
	size_t n;

	if (!size || size > HF_KIB(16))
		return 0;
	/* The first byte is the version, and whether user namespaces relax. */
	policy.minor = data[0] % 64;
	policy.user_namespaces = data[0] & 64;
	source.text = (hf_sv){ (const char *)data + 1, size - 1 };
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	const struct hf_kube_objects *set = hf_kube_load(l, &source, &err) < 0 ? NULL : hf_kube_loaded(l);
	hf_kube_loader_free(l);
	const struct hf_kube_pod *pods = set ? hf_kube_pods(set, &a, &n) : NULL;
	if (!pods)
		return 0;
	for (size_t i = 0; i < n && !a.over; i++)
		for (unsigned level = HF_PSS_PRIVILEGED; level <= HF_PSS_RESTRICTED; level++) {
			policy.level = level;
			if (look(&pods[i], &policy, &a) && level == HF_PSS_PRIVILEGED)
				abort();
		}
	for (size_t i = 0; i < set->n; i++)
		for (unsigned mode = 0; mode < HF_PSS_MODES; mode++)
			hf_pss_policy_of_labels(hf_value_get(set->objects[i]->metadata, HF_SV("labels")), mode, policy,
						NULL);
	return 0;
}
