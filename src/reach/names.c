#include "base/limits.h"
#include "flow/address.h"
#include "reach/internal.h"

enum { PODS_LOOKED_AT = 2, NAMES_MAX = 4096, TEXT_MAX = HF_KIB(256) };

struct reader {
	struct hf_reach *r;
	const struct hf_kube_pod *pod;
	struct hf_reach_names names;
};

static bool part_of_host(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_';
}

/* Looked at first, so that what comes behind the last that is kept costs nothing. */
static bool is_full(struct reader *n, size_t kept)
{
	n->names.cut |= kept >= NAMES_MAX;
	return kept >= NAMES_MAX;
}

static void add_service(struct reader *n, const struct hf_kube_object *service)
{
	if (is_full(n, n->names.services.n))
		return;
	for (size_t i = 0; i < n->names.services.n; i++)
		if (n->names.services.at[i] == service)
			return;
	const struct hf_kube_object **slot = hf_vec_push(n->r->arena, &n->names.services);
	if (slot)
		*slot = service;
}

/* The port written behind a host, the scheme's where none is; 0: neither. */
static uint16_t port_of(hf_sv scheme, hf_sv behind)
{
	uint64_t port = hf_sv_eq(scheme, HF_SV("https")) ? 443 : hf_sv_eq(scheme, HF_SV("http")) ? 80 : 0;
	size_t digits = 1;

	while (behind.len && behind.ptr[0] == ':' && digits < behind.len && behind.ptr[digits] >= '0' &&
	       behind.ptr[digits] <= '9')
		digits++;
	if (digits > 1 && !hf_sv_to_u64(hf_sv_slice(behind, 1, digits - 1), &port))
		return 0;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void add_host(struct reader *n, hf_sv host, uint16_t port)
{
	if (is_full(n, n->names.hosts.n))
		return;
	for (size_t i = 0; i < n->names.hosts.n; i++)
		if (hf_sv_eq(n->names.hosts.at[i].name, host) && n->names.hosts.at[i].port == port)
			return;
	struct hf_reach_host *slot = hf_vec_push(n->r->arena, &n->names.hosts);
	if (slot)
		*slot = (struct hf_reach_host){ host, port };
}

static void add_absent(struct reader *n, hf_sv name)
{
	if (is_full(n, n->names.absent.n))
		return;
	for (size_t i = 0; i < n->names.absent.n; i++)
		if (hf_sv_eq(n->names.absent.at[i], name))
			return;
	hf_sv *slot = hf_vec_push(n->r->arena, &n->names.absent);
	if (slot)
		*slot = name;
}

/* A name of the cluster's own DNS ("db.data.svc"), or one that only a resolver of the cluster can complete. */
static bool is_inside(struct reader *n, hf_sv name, hf_sv namespace, hf_sv deeper, bool connects)
{
	hf_sv cluster = n->pod->object->cluster;

	if (hf_sv_eq(name, HF_SV("localhost")) || name.ptr[0] < 'a' || name.ptr[0] > 'z')
		return false;
	if (deeper.len)
		return hf_sv_eq(deeper, HF_SV("svc")) || hf_sv_starts(deeper, HF_SV("svc."));
	if (!namespace.len)
		return connects;
	return hf_sv_eq(namespace, n->pod->object->namespace) ||
	       hf_kube_find(n->r->set, cluster, HF_KUBE_NAMESPACE, (hf_sv){ 0 }, namespace);
}

/* "db", "db.shop", "db.shop.svc…": a service of the set. Else, where a scheme or a port says that it is connected to, a host outside. */
static void add_token(struct reader *n, hf_sv token, hf_sv scheme, hf_sv behind)
{
	hf_sv name = token, namespace = { 0 }, deeper = { 0 }, rest;
	const struct hf_kube_object *pod = n->pod->object;
	struct hf_address address;

	while (token.len && token.ptr[token.len - 1] == '.')
		token.len--;
	name = token;
	if (!token.len || token.len > 253)
		return;
	if (hf_sv_cut(token, '.', &name, &rest)) {
		namespace = rest;
		hf_sv_cut(rest, '.', &namespace, &deeper);
	}
	const struct hf_kube_object *service = hf_kube_find(n->r->set, pod->cluster, HF_KUBE_SERVICE,
							    namespace.len ? namespace : pod->namespace, name);
	uint16_t port = port_of(scheme, behind);
	if (service && (!deeper.len || hf_sv_eq(deeper, HF_SV("svc")) || hf_sv_starts(deeper, HF_SV("svc."))))
		add_service(n, service);
	else if (name.len && is_inside(n, name, namespace, deeper, port != 0))
		add_absent(n, token);
	else if (port && namespace.len &&
		 (!hf_address_of(token, &address) || hf_address_scope(&address) >= HF_ADDRESS_PRIVATE))
		add_host(n, token, port);
}

static hf_sv scheme_before(hf_sv text, size_t at)
{
	size_t begin, end;

	/* user:password@ */
	for (begin = at; begin && text.ptr[begin - 1] != '/' && text.ptr[begin - 1] > ' '; begin--)
		;
	if (begin != at && text.ptr[at - 1] != '@')
		begin = at;
	if (begin < 3 || memcmp(text.ptr + begin - 3, "://", 3))
		return (hf_sv){ 0 };
	for (end = begin - 3, begin = end; begin && part_of_host(text.ptr[begin - 1]); begin--)
		;
	return hf_sv_slice(text, begin, end - begin);
}

static void read_text(struct reader *n, hf_sv text)
{
	n->names.cut |= text.len > TEXT_MAX;
	text = hf_sv_first(text, TEXT_MAX);
	for (size_t at = 0; at < text.len;) {
		size_t end = at;
		while (end < text.len && part_of_host(text.ptr[end]))
			end++;
		if (end > at)
			add_token(n, hf_sv_slice(text, at, end - at), scheme_before(text, at), hf_sv_skip(text, end));
		at = end + 1;
	}
}

static const struct hf_value *map_data(struct reader *n, const struct hf_value *reference)
{
	const struct hf_kube_object *map =
		hf_kube_find(n->r->set, n->pod->object->cluster, HF_KUBE_CONFIG_MAP, n->pod->object->namespace,
			     hf_value_get_text(reference, HF_SV("name")));

	n->names.unreadable |= reference && !map;
	return reference && map ? hf_value_get(map->root, HF_SV("data")) : NULL;
}

static void read_list(struct reader *n, const struct hf_value *list)
{
	hf_value_elements(list, e) read_text(n, hf_value_text(e));
}

static void read_map(struct reader *n, const struct hf_value *map)
{
	hf_value_members(map, m) read_text(n, hf_value_text(&m->value));
}

static void read_container(struct reader *n, const struct hf_value *c)
{
	read_list(n, hf_value_get(c, HF_SV("command")));
	read_list(n, hf_value_get(c, HF_SV("args")));
	hf_value_elements(hf_value_get(c, HF_SV("env")), e)
	{
		const struct hf_value *from = hf_value_get(e, HF_SV("valueFrom")),
				      *key = hf_value_get(from, HF_SV("configMapKeyRef"));
		read_text(n, hf_value_get_text(e, HF_SV("value")));
		n->names.unreadable |= hf_value_get(from, HF_SV("secretKeyRef")) != NULL;
		if (key)
			read_text(n, hf_value_get_text(map_data(n, key), hf_value_get_text(key, HF_SV("key"))));
	}
	hf_value_elements(hf_value_get(c, HF_SV("envFrom")), e)
	{
		n->names.unreadable |= hf_value_get(e, HF_SV("secretRef")) != NULL;
		if (hf_value_get(e, HF_SV("configMapRef")))
			read_map(n, map_data(n, hf_value_get(e, HF_SV("configMapRef"))));
	}
}

struct hf_reach_names reach_names(struct hf_reach *r, const struct hf_reach_workload *w)
{
	struct reader n = { .r = r };

	for (size_t i = 0; i < w->pods.n && i < PODS_LOOKED_AT; i++) {
		n.pod = w->pods.at[i];
		for (size_t k = 0; k < n.pod->containers_n; k++)
			read_container(&n, n.pod->containers[k].value);
		hf_value_elements(hf_value_get(n.pod->spec, HF_SV("volumes")), v)
		{
			const struct hf_value *map = hf_value_get(v, HF_SV("configMap"));
			if (map)
				read_map(&n, map_data(&n, map));
		}
	}
	return n.names;
}
