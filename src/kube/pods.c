#include "kube/pods.h"

bool hf_kube_makes_pods(const struct hf_kube_object *o)
{
	return hf_kube_kinds[o->kind].template != NULL;
}

size_t hf_kube_pods_of_one(const struct hf_kube_pod *pods, size_t n)
{
	size_t same = 1;

	while (same < n && pods[same].object == pods[0].object)
		same++;
	return same;
}

static size_t add_containers(struct hf_kube_container *c, const struct hf_value *list, enum hf_container_role role)
{
	size_t n = 0;

	hf_value_elements(list, e) c[n++] = (struct hf_kube_container){
		.role = role,
		.name = hf_value_get_text(e, HF_SV("name")),
		.image = hf_value_get_text(e, HF_SV("image")),
		.value = e,
		.security_context = hf_value_get(e, HF_SV("securityContext")),
		.restarts_always = role == HF_CONTAINER_INIT &&
				   hf_sv_eq(hf_value_get_text(e, HF_SV("restartPolicy")), HF_SV("Always")),
	};
	return n;
}

static void decode(struct hf_kube_pod *p, const struct hf_kube_object *o, const struct hf_kube_template *t,
		   struct hf_arena *a)
{
	static const struct hf_value nothing = { .type = HF_VALUE_OBJECT };
	const struct hf_value *spec = hf_value_get(t->value, HF_SV("spec"));
	const struct hf_value *init = hf_value_get(spec, HF_SV("initContainers")),
			      *regular = hf_value_get(spec, HF_SV("containers")),
			      *ephemeral = hf_value_get(spec, HF_SV("ephemeralContainers"));
	hf_sv phase = hf_value_text(hf_value_at(o->root, "status.phase"));

	p->object = o;
	p->path = t->path;
	p->metadata = hf_value_get(t->value, HF_SV("metadata"));
	p->spec = hf_value_is(spec, HF_VALUE_OBJECT) ? spec : &nothing;
	p->security_context = hf_value_get(spec, HF_SV("securityContext"));
	p->labels = hf_kube_string_map(hf_value_get(p->metadata, HF_SV("labels")), a, &p->labels_n);
	p->annotations = hf_kube_string_map(hf_value_get(p->metadata, HF_SV("annotations")), a, &p->annotations_n);
	p->service_account = hf_value_get_text(spec, HF_SV("serviceAccountName"));
	if (!p->service_account.len)
		p->service_account = hf_value_get_text(spec, HF_SV("serviceAccount")); /* its former name */
	if (!p->service_account.len)
		p->service_account = HF_SV("default");
	p->host_network = hf_value_true(hf_value_get(spec, HF_SV("hostNetwork")));
	p->windows = hf_sv_eq(hf_value_text(hf_value_at(spec, "os.name")), HF_SV("windows"));
	p->finished =
		o->kind == HF_KUBE_POD && (hf_sv_eq(phase, HF_SV("Succeeded")) || hf_sv_eq(phase, HF_SV("Failed")));
	struct hf_kube_container *c =
		hf_arena_array(a, struct hf_kube_container,
			       hf_value_count(init, HF_VALUE_ARRAY) + hf_value_count(regular, HF_VALUE_ARRAY) +
				       hf_value_count(ephemeral, HF_VALUE_ARRAY));
	if (!c)
		return;
	p->containers = c;
	p->containers_n = add_containers(c, init, HF_CONTAINER_INIT);
	p->containers_n += add_containers(c + p->containers_n, regular, HF_CONTAINER_REGULAR);
	p->containers_n += add_containers(c + p->containers_n, ephemeral, HF_CONTAINER_EPHEMERAL);
}

const struct hf_kube_pod *hf_kube_pods(const struct hf_kube_objects *set, struct hf_arena *a, size_t *ret_n)
{
	HF_VEC(struct hf_kube_pod) pods = { 0 };

	*ret_n = 0;
	for (size_t i = 0; i < set->n; i++)
		pods.slots += hf_kube_makes_pods(set->objects[i]);
	pods.at = hf_arena_array(a, struct hf_kube_pod, pods.slots);
	if (!pods.at)
		return NULL;
	for (size_t i = 0; i < set->n; i++) {
		size_t n;
		const struct hf_kube_template *templates = hf_kube_templates(set->objects[i], a, &n);
		for (size_t k = 0; k < n; k++) {
			struct hf_kube_pod *p = hf_vec_push(a, &pods);
			if (p)
				decode(p, set->objects[i], &templates[k], a);
		}
	}
	*ret_n = pods.n;
	return pods.at;
}
