/* Any bytes as manifests: objects and notes with places in the text; pods, owners and selectors of them; and loading them again gives
 * the same. */
#include <stdlib.h>

#include "base/limits.h"
#include "kube/pods.h"
#include "kube/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_kube_objects *load(hf_sv text, struct hf_arena *a)
{
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	struct hf_kube_source *source = hf_arena_new(a, struct hf_kube_source); /* objects point to it */
	struct hf_err err = { 0 };

	*source = (struct hf_kube_source){ .name = HF_SV("fuzz"), .text = text };
	int r = hf_kube_load(l, source, &err);
	const struct hf_kube_objects *set = r < 0 ? NULL : hf_kube_loaded(l);

	if (r < 0 && !err.msg[0])
		abort();
	hf_kube_loader_free(l);
	return set;
}

/* Also what is no selector is looked at as one. */
static void selectors(const struct hf_value *v, struct hf_arena *a)
{
	const char *wrong;

	hf_value_members(v, m)
	{
		for (int form = HF_SELECTOR_FULL; form <= HF_SELECTOR_LABELS; form++) {
			const struct hf_label_selector *s = hf_kube_selector(&m->value, form, a, &wrong);
			if (s && wrong && hf_label_selector_matches(s, NULL, 0))
				abort();
		}
		selectors(&m->value, a);
	}
	hf_value_elements(v, e) selectors(e, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX), b = HF_ARENA(HF_PARSE_ARENA_MAX);
	const hf_sv text = { (const char *)data, size };
	const struct hf_kube_objects *set = load(text, &a), *again = load(text, &b);
	hf_sv kind, name;
	size_t pods_n;

	if (!set || !again)
		return 0;
	if (set->n != again->n || set->notes_n != again->notes_n)
		abort();
	for (size_t i = 0; i < set->notes_n; i++)
		if (!set->notes[i].text.len || set->notes[i].line > size + 1 || set->notes[i].column > size + 1)
			abort();
	for (size_t i = 0; i < set->n; i++) {
		const struct hf_kube_object *o = set->objects[i];
		if (!hf_kube_line(o, NULL) || !hf_kube_top_owner(set, o, &kind, &name))
			abort();
		selectors(o->root, &a);
	}
	const struct hf_kube_pod *pods = hf_kube_pods(set, &a, &pods_n);
	for (size_t i = 0; pods && i < pods_n; i++)
		if (!pods[i].spec || !pods[i].service_account.len)
			abort();
	return 0;
}
