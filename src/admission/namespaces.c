#include "admission/namespaces.h"

#include <stdlib.h>

#include "base/limits.h"
#include "format/json.h"

void hf_admission_namespaces_done(struct hf_admission_namespaces *n)
{
	hf_buf_done(&n->text);
	hf_arena_done(&n->arena);
}

static hf_sv name_of(hf_sv object, struct hf_arena *a)
{
	struct hf_json j = hf_json_of(object, a);
	hf_sv key, name = { 0 };

	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("metadata"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_members(&j, &key) {
			if (hf_sv_eq(key, HF_SV("name")))
				name = hf_json_string(&j);
			else
				hf_json_skip(&j);
		}
	}
	return name;
}

static int by_length(const void *a, const void *b)
{
	const hf_sv *x = a, *y = b;

	return x->len < y->len ? -1 : x->len > y->len;
}

void hf_admission_namespaces_join(hf_sv *objects, size_t n, struct hf_buf *out)
{
	qsort(objects, n, sizeof *objects, by_length);
	for (size_t i = 0; i < n && !out->over; i++)
		hf_buf_add(out, objects[i]);
}

int hf_admission_namespaces_set(struct hf_admission_namespaces *n, hf_sv objects, struct hf_err *err)
{
	hf_admission_namespaces_done(n);
	*n = (struct hf_admission_namespaces){ .followed = true,
					       .text = HF_BUF(HF_ADMISSION_NAMESPACES_MAX),
					       .arena = HF_ARENA(HF_ADMISSION_NAMESPACES_MAX) };
	n->by_name = HF_MAP(&n->arena);
	hf_buf_add(&n->text, objects);
	struct hf_json j = hf_json_of(hf_buf_view(&n->text), &n->arena);
	while (!j.why && hf_json_peek(&j) == HF_JSON_OBJECT) {
		hf_sv *object = hf_arena_new(&n->arena, hf_sv), one = hf_json_raw(&j);
		hf_sv name = name_of(one, &n->arena);
		struct hf_map_entry *e = name.len ? hf_map_put(&n->by_name, name) : NULL;
		if (!object || !e)
			continue;
		*object = one;
		e->value = object;
	}
	if (!hf_json_end(&j) || n->arena.over || n->text.over) {
		bool large = n->arena.over || n->text.over;
		n->by_name = HF_MAP(&n->arena);
		return hf_fail(err, large ? HF_E_LIMIT : HF_E_FORMAT, "namespaces: %s",
			       large ? "more of them than is allowed" : "no objects of JSON");
	}
	return HF_OK;
}

const struct hf_kube_object *hf_admission_namespace_find(const struct hf_admission_namespaces *n, hf_sv name,
							 struct hf_arena *a)
{
	const struct hf_map_entry *e = n->followed && name.len ? hf_map_find(&n->by_name, name) : NULL;
	struct hf_kube_source *source = e ? hf_arena_new(a, struct hf_kube_source) : NULL;
	const struct hf_kube_objects *set = NULL;

	if (!source)
		return NULL;
	*source = (struct hf_kube_source){ .name = HF_SV("namespaces"), .text = *(const hf_sv *)e->value };
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	if (hf_kube_load(l, source, &(struct hf_err){ 0 }) >= 0)
		set = hf_kube_loaded(l);
	hf_kube_loader_free(l);
	return set && set->n == 1 && set->objects[0]->kind == HF_KUBE_NAMESPACE ? set->objects[0] : NULL;
}
