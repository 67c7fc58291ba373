#include <stdlib.h>

#include "base/buffer.h"
#include "reach/internal.h"

enum { SAMPLES_MAX = 64, KEY_MAX = 64 << 20 };

struct gatherer {
	struct hf_reach *r;
	struct hf_map labels, ports, groups; /* what policies ask for; groups by what makes them one */
	struct hf_buf key;
};

static uint32_t make_namespace(struct hf_reach *r, hf_sv name, const struct hf_kube_object *o)
{
	static const hf_sv label = HF_SV_INIT("kubernetes.io/metadata.name");
	struct hf_map_entry *e = hf_map_put(&r->namespace_index, name);

	if (!e)
		return 0;
	if (e->value)
		return (uint32_t)((uintptr_t)e->value - 1);
	struct hf_reach_namespace *n = hf_vec_push(r->arena, &r->namespaces);
	if (!n)
		return 0;
	e->value = (void *)(uintptr_t)r->namespaces.n;
	n->name = name;
	n->object = o;
	size_t pairs;
	const hf_sv *written = hf_kube_string_map(n->object ? hf_value_get(n->object->metadata, HF_SV("labels")) : NULL,
						  r->arena, &pairs);
	hf_sv *labels = hf_arena_array(r->arena, hf_sv, 2 * pairs + 2);
	if (!labels)
		return 0;
	for (size_t i = 0; i < pairs; i++) {
		if (hf_sv_eq(written[2 * i], label)) /* the API server sets it, whatever was written */
			continue;
		labels[2 * n->labels_n] = written[2 * i];
		labels[2 * n->labels_n++ + 1] = written[2 * i + 1];
	}
	labels[2 * n->labels_n] = label;
	labels[2 * n->labels_n++ + 1] = name;
	n->labels = labels;
	return (uint32_t)r->namespaces.n - 1;
}

uint32_t reach_namespace(struct hf_reach *r, hf_sv name)
{
	return make_namespace(r, name, NULL);
}

static void ask_labels(struct gatherer *g, const struct hf_label_selector *s)
{
	for (size_t i = 0; s && i < s->labels_n; i++)
		hf_map_put(&g->labels, s->labels[2 * i]);
	for (size_t i = 0; s && i < s->requirements_n; i++)
		hf_map_put(&g->labels, s->requirements[i].key);
}

/* What any policy asks for. */
static void ask(struct gatherer *g)
{
	const struct hf_reach *r = g->r;

	for (size_t i = 0; i < r->policies_n; i++) {
		ask_labels(g, r->policies[i].pods);
		for (unsigned side = 0; side < HF_REACH_SIDES; side++)
			for (size_t k = 0; k < r->policies[i].rules_n[side]; k++) {
				const struct hf_reach_rule *rule = &r->policies[i].rules[side][k];
				for (size_t p = 0; p < rule->peers_n; p++)
					ask_labels(g, rule->peers[p].pods);
				for (size_t p = 0; p < rule->names_n; p++)
					hf_map_put(&g->ports, rule->names[p].name);
			}
	}
}

static int by_key(const void *a, const void *b)
{
	return hf_sv_cmp(((const hf_sv *)a)[0], ((const hf_sv *)b)[0]);
}

static const hf_sv *asked_labels(struct gatherer *g, const struct hf_kube_pod *pod, size_t *ret_n)
{
	hf_sv *pairs = hf_arena_array(g->r->arena, hf_sv, 2 * pod->labels_n);

	*ret_n = 0;
	for (size_t i = 0; pairs && i < pod->labels_n; i++)
		if (hf_map_find(&g->labels, pod->labels[2 * i])) {
			pairs[2 * *ret_n] = pod->labels[2 * i];
			pairs[2 * (*ret_n)++ + 1] = pod->labels[2 * i + 1];
		}
	if (*ret_n)
		qsort(pairs, *ret_n, 2 * sizeof *pairs, by_key);
	return pairs;
}

static const uint8_t numbers[HF_CONN_PROTOCOLS] = { [HF_CONN_SCTP] = 132, [HF_CONN_TCP] = 6, [HF_CONN_UDP] = 17 };

/* Ports that stay open as long as the pod runs: of its containers, and of init containers that are sidecars. */
static bool port_of(const struct hf_kube_container *c, const struct hf_value *v, hf_sv *ret_name,
		    enum hf_conn_protocol *ret_protocol, uint16_t *ret_port)
{
	int64_t port;
	hf_sv protocol = hf_value_get_text(v, HF_SV("protocol"));

	*ret_name = hf_value_get_text(v, HF_SV("name"));
	*ret_protocol = HF_CONN_TCP;
	if ((c->role != HF_CONTAINER_REGULAR && !c->restarts_always) ||
	    (protocol.len && !hf_conn_protocol_of(protocol, ret_protocol)) ||
	    !hf_value_int(hf_value_get(v, HF_SV("containerPort")), &port) || port < 1 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

bool reach_named_port(const struct hf_kube_pod *pod, hf_sv name, enum hf_conn_protocol *ret_protocol,
		      uint16_t *ret_port)
{
	hf_sv found;

	for (size_t i = 0; i < pod->containers_n; i++)
		hf_value_elements(hf_value_get(pod->containers[i].value, HF_SV("ports")), v)
		{
			if (port_of(&pod->containers[i], v, &found, ret_protocol, ret_port) && hf_sv_eq(found, name))
				return true;
		}
	return false;
}

static int by_port(const void *a, const void *b)
{
	const struct hf_netpol_named_port *x = a, *y = b;
	int name = hf_sv_cmp(x->name, y->name);

	return name ? name : x->protocol != y->protocol ? (int)x->protocol - y->protocol : (int)x->port - y->port;
}

static const struct hf_netpol_named_port *asked_ports(struct gatherer *g, const struct hf_kube_pod *pod, size_t *ret_n)
{
	HF_VEC(struct hf_netpol_named_port) list = { 0 };
	enum hf_conn_protocol protocol;
	uint16_t port;
	hf_sv name;

	for (size_t i = 0; i < pod->containers_n; i++)
		hf_value_elements(hf_value_get(pod->containers[i].value, HF_SV("ports")), v)
		{
			if (!port_of(&pod->containers[i], v, &name, &protocol, &port) || !name.len ||
			    !hf_map_find(&g->ports, name))
				continue;
			struct hf_netpol_named_port *slot = hf_vec_push(g->r->arena, &list);
			if (slot)
				*slot = (struct hf_netpol_named_port){ name, numbers[protocol], port };
		}
	if (list.n)
		qsort(list.at, list.n, sizeof *list.at, by_port);
	*ret_n = list.n;
	return list.at;
}

static void add_text(struct hf_buf *key, hf_sv s)
{
	hf_buf_addf(key, "%zu:", s.len);
	hf_buf_add(key, s);
}

static uint32_t group_of(struct gatherer *g, uint32_t namespace, const struct hf_kube_pod *pod)
{
	struct hf_reach *r = g->r;
	struct hf_reach_group new = { .namespace = namespace };

	new.labels = asked_labels(g, pod, &new.labels_n);
	new.ports = asked_ports(g, pod, &new.ports_n);
	g->key.len = 0;
	hf_buf_addf(&g->key, "%u", namespace);
	for (size_t i = 0; i < 2 * new.labels_n; i++)
		add_text(&g->key, new.labels[i]);
	hf_buf_add_char(&g->key, '/');
	for (size_t i = 0; i < new.ports_n; i++) {
		hf_buf_addf(&g->key, "%u/%u", new.ports[i].protocol, new.ports[i].port);
		add_text(&g->key, new.ports[i].name);
	}
	/* Cut off it could be another's. */
	r->arena->over |= g->key.over;
	struct hf_map_entry *e = hf_map_find(&g->groups, hf_buf_view(&g->key));
	if (e)
		return (uint32_t)(uintptr_t)e->value;
	e = hf_map_put(&g->groups, hf_arena_dup(r->arena, hf_buf_view(&g->key)));
	struct hf_reach_group *slot = hf_vec_push(r->arena, &r->groups);
	if (!e || !slot)
		return 0;
	*slot = new;
	e->value = (void *)(uintptr_t)(r->groups.n - 1);
	uint32_t *at = hf_vec_push(r->arena, &r->namespaces.at[namespace].groups);
	if (at)
		*at = (uint32_t)r->groups.n - 1;
	return (uint32_t)r->groups.n - 1;
}

/* A ReplicaSet that is not in the set itself, but whose Deployment is: named after it and the hash that its pods bear. */
static const struct hf_kube_object *deployment_of(const struct hf_reach *r, const struct hf_kube_pod *pod, hf_sv kind,
						  hf_sv name)
{
	hf_sv hash, base, suffix;

	if (!hf_sv_eq(kind, HF_SV("ReplicaSet")) ||
	    !hf_label_value(pod->labels, pod->labels_n, HF_SV("pod-template-hash"), &hash) ||
	    !hf_sv_cut_last(name, '-', &base, &suffix) || !hf_sv_eq(suffix, hash))
		return NULL;
	return hf_kube_find(r->set, pod->object->cluster, HF_KUBE_DEPLOYMENT, pod->object->namespace, base);
}

static struct hf_reach_workload *workload_of(struct hf_reach *r, const struct hf_kube_pod *pod)
{
	hf_sv kind, name;
	const struct hf_kube_object *o = hf_kube_top_owner(r->set, pod->object, &kind, &name);
	const struct hf_kube_object *deployment = deployment_of(r, pod, kind, name);

	if (hf_sv_eq(kind, HF_SV("Node")) || !kind.len || !name.len) { /* a static pod's mirror */
		o = pod->object;
		kind = o->kind_name;
		name = o->name;
	}
	if (deployment) {
		o = deployment;
		kind = o->kind_name;
		name = o->name;
	}
	hf_sv full = hf_arena_fmt(r->arena, "%.*s/%.*s[%.*s]", HF_SV_FMT(pod->object->namespace), HF_SV_FMT(name),
				  HF_SV_FMT(kind));
	struct hf_map_entry *e = hf_map_put(&r->workload_index, full);
	if (!e)
		return NULL;
	if (e->value)
		return &r->workloads.at[(uintptr_t)e->value - 1];
	struct hf_reach_workload *w = hf_vec_push(r->arena, &r->workloads);
	if (!w)
		return NULL;
	e->value = (void *)(uintptr_t)r->workloads.n;
	*w = (struct hf_reach_workload){ .name = full,
					 .namespace = pod->object->namespace,
					 .short_name = name,
					 .kind = kind,
					 .object = o,
					 .namespace_index = reach_namespace(r, pod->object->namespace) };
	return w;
}

static void add_pod(struct gatherer *g, const struct hf_kube_pod *pod)
{
	struct hf_reach *r = g->r;
	struct hf_reach_workload *w = workload_of(r, pod);
	uint32_t group = w ? group_of(g, w->namespace_index, pod) : 0;
	bool known = false;

	if (!w || r->arena->over)
		return;
	for (size_t i = 0; i < w->groups.n; i++)
		known |= w->groups.at[i] == group;
	if (!known) {
		uint32_t *slot = hf_vec_push(r->arena, &w->groups);
		if (slot)
			*slot = group;
	}
	if (!w->pods.n || (w->pods.n < SAMPLES_MAX && (!known || pod->object->kind == HF_KUBE_POD))) {
		const struct hf_kube_pod **slot = hf_vec_push(r->arena, &w->pods);
		if (slot)
			*slot = pod;
	}
	w->pods_n++;
	w->host_network |= pod->host_network;
}

static int by_name(const void *a, const void *b)
{
	return hf_sv_cmp(((const struct hf_reach_workload *)a)->name, ((const struct hf_reach_workload *)b)->name);
}

static void sort_workloads(struct hf_reach *r)
{
	if (r->workloads.n)
		qsort(r->workloads.at, r->workloads.n, sizeof *r->workloads.at, by_name);
	for (size_t i = 0; i < r->workloads.n; i++) {
		struct hf_map_entry *e = hf_map_find(&r->workload_index, r->workloads.at[i].name);
		uint32_t *slot = hf_vec_push(r->arena, &r->namespaces.at[r->workloads.at[i].namespace_index].workloads);
		if (e)
			e->value = (void *)(uintptr_t)(i + 1);
		if (slot)
			*slot = (uint32_t)i;
	}
}

void reach_gather(struct hf_reach *r)
{
	struct gatherer g = { .r = r,
			      .labels = HF_MAP(r->arena),
			      .ports = HF_MAP(r->arena),
			      .groups = HF_MAP(r->arena),
			      .key = HF_BUF(KEY_MAX) };
	size_t n;
	const struct hf_kube_pod *pods = hf_kube_pods(r->set, r->arena, &n);

	ask(&g);
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_NAMESPACE]; i++)
		make_namespace(r, r->set->of_kind[HF_KUBE_NAMESPACE][i]->name, r->set->of_kind[HF_KUBE_NAMESPACE][i]);
	for (size_t i = 0; i < n && !r->arena->over; i++)
		if (!pods[i].object->replaced && !pods[i].finished && pods[i].object->kind != HF_KUBE_POD_TEMPLATE)
			add_pod(&g, &pods[i]);
	sort_workloads(r);
	/* A name that no namespace can have. */
	const struct hf_kube_pod controller = { 0 };
	group_of(&g, reach_namespace(r, HF_SV("{ingress-controller}")), &controller);
	hf_buf_done(&g.key);
}
