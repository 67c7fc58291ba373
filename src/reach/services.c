#include "kube/selector.h"
#include "reach/internal.h"

/* What an Ingress, a Route or a route of a Gateway asks a service for. */
struct wanted_port {
	hf_sv name;     /* of the service's port, or of its target */
	int64_t number; /* 0: no number */
	bool every;     /* none was asked for */
};

static const struct hf_kube_object *service_of(const struct hf_reach *r, const struct hf_kube_object *o,
					       hf_sv namespace, hf_sv name)
{
	return hf_kube_find(r->set, o->cluster, HF_KUBE_SERVICE, namespace, name);
}

static bool asks_for(const struct wanted_port *w, const struct hf_value *port)
{
	const struct hf_value *target = hf_value_get(port, HF_SV("targetPort"));
	hf_sv name = hf_value_get_text(port, HF_SV("name"));
	int64_t number;

	if (w->every)
		return true;
	if (w->name.len)
		return hf_sv_eq(name, w->name) || hf_sv_eq(hf_value_text(target), w->name);
	return (hf_value_int(hf_value_get(port, HF_SV("port")), &number) && number == w->number) ||
	       (hf_value_int(target, &number) && number == w->number);
}

/* Where a pod of the workload declares the port. */
static bool declares(const struct hf_kube_pod *pod, enum hf_conn_protocol protocol, uint16_t port)
{
	for (size_t i = 0; i < pod->containers_n; i++)
		hf_value_elements(hf_value_get(pod->containers[i].value, HF_SV("ports")), v)
		{
			enum hf_conn_protocol p = HF_CONN_TCP;
			hf_sv name = hf_value_get_text(v, HF_SV("protocol"));
			int64_t n;
			if (name.len && !hf_conn_protocol_of(name, &p))
				continue;
			if (p == protocol && hf_value_int(hf_value_get(v, HF_SV("containerPort")), &n) && n == port)
				return true;
		}
	return false;
}

/* The port of the pod that a port of a service leads to. */
static bool target_of(const struct hf_value *port, const struct hf_kube_pod *pod, enum hf_conn_protocol *ret_protocol,
		      uint16_t *ret)
{
	const struct hf_value *target = hf_value_get(port, HF_SV("targetPort"));
	hf_sv protocol = hf_value_get_text(port, HF_SV("protocol"));
	enum hf_conn_protocol found;
	int64_t n;

	*ret_protocol = HF_CONN_TCP;
	if (protocol.len && !hf_conn_protocol_of(protocol, ret_protocol))
		return false;
	if (hf_value_is(target, HF_VALUE_STRING) && target->n)
		return reach_named_port(pod, hf_value_text(target), &found, ret) && found == *ret_protocol;
	if (!hf_value_int(target, &n) || n == 0)
		if (!hf_value_int(hf_value_get(port, HF_SV("port")), &n))
			return false;
	*ret = (uint16_t)n;
	return n >= 1 && n <= UINT16_MAX;
}

struct lead {
	const struct hf_kube_object *object, *service;
	const struct wanted_port *wanted;
	bool controller; /* only what containers declare counts, and TCP alone: it is one of ingress */
	bool outside, any_protocol;
	bool led; /* to a workload at least */
};

static hf_conns ports_of(struct hf_reach *r, struct lead *l, const struct hf_reach_workload *w,
			 const struct hf_label_selector *selector)
{
	hf_conns all = HF_CONNS_NONE;

	hf_value_elements(hf_value_get(l->service->spec, HF_SV("ports")), port)
	{
		if (!asks_for(l->wanted, port))
			continue;
		for (size_t i = 0; i < w->pods.n; i++) {
			enum hf_conn_protocol protocol;
			uint16_t n;
			if (!hf_label_selector_matches(selector, w->pods.at[i]->labels, w->pods.at[i]->labels_n) ||
			    !target_of(port, w->pods.at[i], &protocol, &n) ||
			    (l->controller && !l->any_protocol && protocol != HF_CONN_TCP))
				continue;
			if (l->controller && !declares(w->pods.at[i], protocol, n)) {
				hf_reach_note(&r->notes, l->object, NULL, false,
					      "%.*s %.*s sends to port %u of %.*s, which no container declares: it is "
					      "not listed",
					      HF_SV_FMT(l->object->kind_name), HF_SV_FMT(l->object->name), n,
					      HF_SV_FMT(w->name));
				break;
			}
			all = hf_conns_union(&r->pool, all, hf_conns_ports(&r->pool, protocol, n, n));
		}
		if (!l->wanted->every)
			break;
	}
	return all;
}

static bool selects(const struct hf_reach_workload *w, const struct hf_label_selector *s)
{
	for (size_t i = 0; i < w->pods.n; i++)
		if (hf_label_selector_matches(s, w->pods.at[i]->labels, w->pods.at[i]->labels_n))
			return true;
	return false;
}

static void add_entry(struct hf_reach *r, const struct lead *l, uint32_t workload, hf_conns c)
{
	struct hf_reach_workload *w = &r->workloads.at[workload];
	struct hf_reach_entry *entry = hf_vec_push(r->arena, &r->entries);
	uint32_t *slot = hf_vec_push(r->arena, &w->entries);

	if (!entry || !slot)
		return;
	*entry = (struct hf_reach_entry){ l->object, l->service == l->object ? NULL : l->service, workload, c,
					  l->outside };
	*slot = (uint32_t)r->entries.n - 1;
	if (l->controller)
		w->backend = hf_conns_union(&r->pool, w->backend, c);
}

static void follow(struct hf_reach *r, struct lead *l)
{
	const struct hf_value *v = hf_value_get(l->service->spec, HF_SV("selector"));
	const struct hf_label_selector *selector = hf_kube_selector(v, HF_SELECTOR_LABELS, r->arena, NULL);
	struct hf_map_entry *e = hf_map_find(&r->namespace_index, l->service->namespace);

	if (!selector || !selector->labels_n || !e)
		return;
	const struct reach_list *list =
		reach_labelled_find(&r->labelled, (uint32_t)((uintptr_t)e->value - 1), selector);
	for (size_t i = 0; i < list->n; i++) {
		const struct hf_reach_workload *w = &r->workloads.at[list->at[i]];
		if (!selects(w, selector))
			continue;
		l->led = true;
		hf_conns c = ports_of(r, l, w, selector);
		if (c != HF_CONNS_NONE)
			add_entry(r, l, list->at[i], c);
	}
}

static void add_service(struct hf_reach *r, const struct hf_kube_object *o)
{
	static const struct wanted_port every = { .every = true };
	hf_sv type = hf_value_get_text(o->spec, HF_SV("type"));
	struct lead l = { .object = o, .service = o, .wanted = &every };

	if (hf_sv_eq(type, HF_SV("ExternalName"))) {
		hf_reach_note(&r->notes, o, NULL, false, "Service %.*s is a name outside: it leads to no workload",
			      HF_SV_FMT(o->name));
		return;
	}
	if (!hf_value_count(hf_value_get(o->spec, HF_SV("selector")), HF_VALUE_OBJECT)) {
		/* Each cluster has default/kubernetes: the API server itself stands behind it. */
		if (!hf_sv_eq(o->name, HF_SV("kubernetes")) || !hf_sv_eq(o->namespace, HF_SV("default")))
			hf_reach_note(&r->notes, o, NULL, false,
				      "Service %.*s has no selector: who stands behind it is not known",
				      HF_SV_FMT(o->name));
		return;
	}
	l.outside = hf_sv_eq(type, HF_SV("NodePort")) || hf_sv_eq(type, HF_SV("LoadBalancer")) ||
		    hf_value_count(hf_value_get(o->spec, HF_SV("externalIPs")), HF_VALUE_ARRAY);
	follow(r, &l);
}

static void send_to(struct hf_reach *r, const struct hf_kube_object *o, const struct hf_value *at, hf_sv namespace,
		    hf_sv service, const struct wanted_port *wanted, bool any_protocol)
{
	const struct hf_kube_object *s = service_of(r, o, namespace, service);
	struct lead l = { .object = o,
			  .service = s,
			  .wanted = wanted,
			  .controller = true,
			  .outside = true,
			  .any_protocol = any_protocol };

	if (!s) {
		hf_reach_note(&r->notes, o, at, false, "%.*s %.*s: there is no service %.*s", HF_SV_FMT(o->kind_name),
			      HF_SV_FMT(o->name), HF_SV_FMT(service));
		return;
	}
	follow(r, &l);
	if (!l.led)
		hf_reach_note(&r->notes, o, at, false, "%.*s %.*s: service %.*s leads to no workload",
			      HF_SV_FMT(o->kind_name), HF_SV_FMT(o->name), HF_SV_FMT(service));
}

/* networking.k8s.io/v1: backend.service; v1beta1: serviceName and servicePort. */
static void add_backend(struct hf_reach *r, const struct hf_kube_object *o, const struct hf_value *backend)
{
	const struct hf_value *service = hf_value_get(backend, HF_SV("service"));
	const struct hf_value *port = hf_value_get(service, HF_SV("port"));
	const struct hf_value *old = hf_value_get(backend, HF_SV("servicePort"));
	hf_sv name = hf_value_get_text(service, HF_SV("name"));
	struct wanted_port wanted = { .name = hf_value_get_text(port, HF_SV("name")) };

	if (!backend)
		return;
	if (!service) {
		name = hf_value_get_text(backend, HF_SV("serviceName"));
		wanted.name = hf_value_text(old);
		port = NULL;
	}
	if (!name.len) {
		hf_reach_note(&r->notes, o, backend, false, "Ingress %.*s: a backend that is no service",
			      HF_SV_FMT(o->name));
		return;
	}
	if (!hf_value_int(port ? hf_value_get(port, HF_SV("number")) : old, &wanted.number))
		wanted.every = !wanted.name.len;
	send_to(r, o, backend, o->namespace, name, &wanted, false);
}

static void add_ingress(struct hf_reach *r, const struct hf_kube_object *o)
{
	add_backend(r, o, hf_value_get(o->spec, HF_SV("defaultBackend")));
	add_backend(r, o, hf_value_get(o->spec, HF_SV("backend")));
	hf_value_elements(hf_value_get(o->spec, HF_SV("rules")), rule)
	{
		hf_value_elements(hf_value_at(rule, "http.paths"), path)
			add_backend(r, o, hf_value_get(path, HF_SV("backend")));
	}
}

static void add_openshift_route(struct hf_reach *r, const struct hf_kube_object *o)
{
	const struct hf_value *target = hf_value_at(o->spec, "port.targetPort");
	struct wanted_port wanted = { .name = hf_value_text(target) };
	const struct hf_value *to = hf_value_get(o->spec, HF_SV("to"));
	hf_sv kind = hf_value_get_text(to, HF_SV("kind"));

	if (!hf_value_int(target, &wanted.number))
		wanted.every = !wanted.name.len;
	if (to && (!kind.len || hf_sv_eq(kind, HF_SV("Service"))))
		send_to(r, o, to, o->namespace, hf_value_get_text(to, HF_SV("name")), &wanted, false);
	hf_value_elements(hf_value_get(o->spec, HF_SV("alternateBackends")), e)
	{
		kind = hf_value_get_text(e, HF_SV("kind"));
		if (!kind.len || hf_sv_eq(kind, HF_SV("Service")))
			send_to(r, o, e, o->namespace, hf_value_get_text(e, HF_SV("name")), &wanted, false);
	}
}

/* A ReferenceGrant in the service's namespace lets routes of another one in. Source: Gateway API 1.4, ReferenceGrant. */
static bool granted(const struct hf_reach *r, const struct hf_kube_object *o, hf_sv namespace, hf_sv service)
{
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_REFERENCE_GRANT]; i++) {
		const struct hf_kube_object *g = r->set->of_kind[HF_KUBE_REFERENCE_GRANT][i];
		bool from = false, to = false;
		if (!hf_sv_eq(g->namespace, namespace))
			continue;
		hf_value_elements(hf_value_get(g->spec, HF_SV("from")), e) from |=
			hf_sv_eq(hf_value_get_text(e, HF_SV("kind")), o->kind_name) &&
			hf_sv_eq(hf_value_get_text(e, HF_SV("namespace")), o->namespace);
		hf_value_elements(hf_value_get(g->spec, HF_SV("to")), e)
		{
			hf_sv name = hf_value_get_text(e, HF_SV("name"));
			to |= hf_sv_eq(hf_value_get_text(e, HF_SV("kind")), HF_SV("Service")) &&
			      (!name.len || hf_sv_eq(name, service));
		}
		if (from && to)
			return true;
	}
	return false;
}

static void add_gateway_route(struct hf_reach *r, const struct hf_kube_object *o)
{
	hf_value_elements(hf_value_get(o->spec, HF_SV("rules")), rule)
	{
		hf_value_elements(hf_value_get(rule, HF_SV("backendRefs")), e)
		{
			hf_sv kind = hf_value_get_text(e, HF_SV("kind")), name = hf_value_get_text(e, HF_SV("name"));
			hf_sv namespace = hf_value_get_text(e, HF_SV("namespace"));
			struct wanted_port wanted = { 0 };
			if (kind.len && !hf_sv_eq(kind, HF_SV("Service")))
				continue;
			if (!hf_value_int(hf_value_get(e, HF_SV("port")), &wanted.number))
				wanted.every = true;
			if (namespace.len && !hf_sv_eq(namespace, o->namespace) && !granted(r, o, namespace, name)) {
				hf_reach_note(&r->notes, o, e, false,
					      "%.*s %.*s: no ReferenceGrant lets it send to namespace %.*s",
					      HF_SV_FMT(o->kind_name), HF_SV_FMT(o->name), HF_SV_FMT(namespace));
				continue;
			}
			send_to(r, o, e, namespace.len ? namespace : o->namespace, name, &wanted, true);
		}
	}
}

/* What a controller is told to send, and policies do not let in from a namespace that nobody knows. */
static void note_blocked(struct hf_reach *r)
{
	const struct hf_kube_object *told = NULL;

	for (size_t i = 0; i < r->entries.n; i++) {
		const struct hf_reach_entry *e = &r->entries.at[i];
		if (!e->service || e->object == told ||
		    hf_conns_intersection(&r->pool, e->conns,
					  hf_reach_between(r, (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER },
							   (struct hf_reach_end){ HF_REACH_WORKLOAD, e->workload })) !=
			    HF_CONNS_NONE)
			continue;
		told = e->object;
		hf_reach_note(&r->notes, e->object, NULL, false,
			      "%.*s %.*s sends to %.*s, but policies do not let any pod of the cluster in there: it is "
			      "not listed",
			      HF_SV_FMT(e->object->kind_name), HF_SV_FMT(e->object->name),
			      HF_SV_FMT(r->workloads.at[e->workload].name));
	}
}

void reach_services(struct hf_reach *r)
{
	static const enum hf_kube_kind routes[] = { HF_KUBE_HTTP_ROUTE, HF_KUBE_GRPC_ROUTE, HF_KUBE_TCP_ROUTE,
						    HF_KUBE_TLS_ROUTE, HF_KUBE_UDP_ROUTE };
	const struct hf_kube_objects *set = r->set;

	reach_labelled_init(&r->labelled, r->arena);
	for (size_t i = 0; i < r->workloads.n; i++)
		for (size_t k = 0; k < r->workloads.at[i].pods.n; k++)
			reach_labelled_add(&r->labelled, r->workloads.at[i].namespace_index,
					   r->workloads.at[i].pods.at[k]->labels,
					   r->workloads.at[i].pods.at[k]->labels_n, (uint32_t)i);
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_SERVICE]; i++)
		add_service(r, set->of_kind[HF_KUBE_SERVICE][i]);
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_INGRESS]; i++)
		add_ingress(r, set->of_kind[HF_KUBE_INGRESS][i]);
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_ROUTE]; i++)
		add_openshift_route(r, set->of_kind[HF_KUBE_ROUTE][i]);
	for (size_t k = 0; k < HF_ARRAY_SIZE(routes); k++)
		for (size_t i = 0; i < set->of_kind_n[routes[k]]; i++)
			add_gateway_route(r, set->of_kind[routes[k]][i]);
	reach_labelled_done(&r->labelled);
	note_blocked(r);
}
