#include "kube/pods.h"

const char *hf_kube_template_path(const struct hf_kube_object *o)
{
	return hf_kube_kinds[o->kind].template;
}

bool hf_kube_makes_pods(const struct hf_kube_object *o)
{
	return hf_kube_template_path(o) != NULL;
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

static void decode(struct hf_kube_pod *p, const struct hf_kube_object *o, const struct hf_value *template,
		   struct hf_arena *a)
{
	static const struct hf_value nothing = { .type = HF_VALUE_OBJECT };
	const struct hf_value *spec = hf_value_get(template, HF_SV("spec"));
	const struct hf_value *init = hf_value_get(spec, HF_SV("initContainers")),
			      *regular = hf_value_get(spec, HF_SV("containers")),
			      *ephemeral = hf_value_get(spec, HF_SV("ephemeralContainers"));
	hf_sv phase = hf_value_text(hf_value_at(o->root, "status.phase"));

	p->object = o;
	p->metadata = hf_value_get(template, HF_SV("metadata"));
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
	size_t n = 0;

	*ret_n = 0;
	for (size_t i = 0; i < set->n; i++)
		n += hf_kube_makes_pods(set->objects[i]);
	struct hf_kube_pod *pods = hf_arena_array(a, struct hf_kube_pod, n);
	if (!pods)
		return NULL;
	n = 0;
	for (size_t i = 0; i < set->n; i++) {
		const struct hf_kube_object *o = set->objects[i];
		const char *path = hf_kube_template_path(o);
		if (path)
			decode(&pods[n++], o, path[0] ? hf_value_at(o->root, path) : o->root, a);
	}
	*ret_n = n;
	return pods;
}
