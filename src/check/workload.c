#include "check/workload.h"

/* Letters, digits, '-', '_', '.', '/' and ':' alone: may be put into JSON as it is. */
static bool is_plain_word(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') || c == '_'))
			return false;
	}
	return s.len > 0;
}

bool hf_check_security_number(const struct hf_check_run *r, const char *field, const struct hf_value **ret_at,
			      int64_t *ret)
{
	*ret_at = hf_check_security_setting(r, field);
	return hf_value_int(*ret_at, ret);
}

/* Of more volumes than these an index is made. */
enum { VOLUMES_FEW = 16 };

static void index_volumes(struct hf_check_run *r, const struct hf_value *volumes)
{
	r->volumes_of = r->pod;
	r->volumes = HF_MAP(r->arena);
	hf_value_elements(volumes, e)
	{
		struct hf_map_entry *entry = hf_map_put(&r->volumes, hf_value_get_text(e, HF_SV("name")));
		if (entry && !entry->value)
			entry->value = (void *)(uintptr_t)e;
	}
}

const struct hf_value *hf_check_volume(struct hf_check_run *r, hf_sv name)
{
	const struct hf_value *volumes = hf_value_get(r->pod->spec, HF_SV("volumes"));

	if (hf_value_count(volumes, HF_VALUE_ARRAY) > VOLUMES_FEW) {
		if (r->volumes_of != r->pod)
			index_volumes(r, volumes);
		const struct hf_map_entry *found = hf_map_find(&r->volumes, name);
		return found ? found->value : NULL;
	}
	hf_value_elements(volumes, e) if (hf_sv_eq(hf_value_get_text(e, HF_SV("name")), name)) return e;
	return NULL;
}

hf_sv hf_check_pair(const hf_sv *pairs, size_t n, hf_sv key)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(pairs[2 * i], key))
			return pairs[2 * i + 1];
	return (hf_sv){ 0 };
}

bool hf_check_runs_once(const struct hf_check_run *r)
{
	return (r->container->role != HF_CONTAINER_REGULAR && !r->container->restarts_always) ||
	       r->object->kind == HF_KUBE_JOB || r->object->kind == HF_KUBE_CRON_JOB;
}

bool hf_check_is_system(const struct hf_kube_object *o)
{
	return hf_sv_eq(o->namespace, HF_SV("kube-system")) || hf_sv_eq(o->namespace, HF_SV("kube-public")) ||
	       hf_sv_eq(o->namespace, HF_SV("kube-node-lease"));
}

bool hf_check_is_control_plane(const struct hf_kube_pod *p)
{
	return hf_sv_eq(p->object->namespace, HF_SV("kube-system")) &&
	       hf_sv_eq(hf_check_pair(p->labels, p->labels_n, HF_SV("tier")), HF_SV("control-plane"));
}

bool hf_check_serves_node(const struct hf_check_run *r)
{
	const struct hf_kube_object *top = hf_kube_top_owner(r->set, r->object, &(hf_sv){ 0 }, &(hf_sv){ 0 });

	return hf_check_is_system(r->object) || r->object->kind == HF_KUBE_DAEMON_SET ||
	       (top && top->kind == HF_KUBE_DAEMON_SET);
}

const char *hf_check_limit_for(const struct hf_check_run *r, const char *resource, const char *otherwise)
{
	const struct hf_value *requests = hf_value_at(r->container->value, "resources.requests");
	const struct hf_value *v = hf_value_get(requests, hf_sv_of(resource));

	if (!v)
		return otherwise;
	if (hf_value_is(v, HF_VALUE_NUMBER))
		return hf_arena_dup(r->arena, (hf_sv){ v->text, v->n }).ptr;
	hf_sv text = hf_value_text(v);
	return is_plain_word(text) ? hf_arena_fmt(r->arena, "\"%.*s\"", HF_SV_FMT(text)).ptr : NULL;
}

struct hf_check_image hf_check_image_of(hf_sv image)
{
	struct hf_check_image ref = { 0 };
	hf_sv first, rest;

	hf_sv_cut(image, '@', &image, &ref.digest);
	if (hf_sv_cut(image, '/', &first, &rest) &&
	    (hf_sv_index(first, '.') != SIZE_MAX || hf_sv_index(first, ':') != SIZE_MAX ||
	     hf_sv_eq(first, HF_SV("localhost")))) {
		ref.registry = first;
		image = rest;
	}
	hf_sv_cut_last(image, ':', &image, &ref.tag);
	ref.repository = image;
	return ref;
}
