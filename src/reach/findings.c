
#include "format/json_writer.h"
#include "reach/internal.h"
#include "reach/report.h"

/* Names of images (the last part of the repository) and ports by which databases are known: their own documentation's defaults. */
static const struct {
	const char *image;
	uint16_t port;
} databases[] = {
	{ "postgres", 5432 },
	{ "postgresql", 5432 },
	{ "timescaledb", 5432 },
	{ "cockroach", 26257 },
	{ "mysql", 3306 },
	{ "mariadb", 3306 },
	{ "percona-server", 3306 },
	{ "mongo", 27017 },
	{ "mongodb", 27017 },
	{ "redis", 6379 },
	{ "valkey", 6379 },
	{ "memcached", 11211 },
	{ "cassandra", 9042 },
	{ "elasticsearch", 9200 },
	{ "opensearch", 9200 },
	{ "couchdb", 5984 },
	{ "influxdb", 8086 },
	{ "neo4j", 7687 },
	{ "clickhouse-server", 8123 },
	{ "mssql-server", 1433 },
	{ "server", 1433 },
	{ "oracle-xe", 1521 },
	{ "etcd", 2379 },
};
static const uint16_t plain_ports[] = {
	5432, 3306, 27017, 6379, 1433, 1521, 9042, 9200, 11211, 5984, 26257, 7687, 2379
};

static hf_sv image_name(hf_sv image)
{
	hf_sv name = hf_sv_basename(image), left, right;

	if (hf_sv_cut(name, '@', &left, &right))
		name = left;
	return hf_sv_cut(name, ':', &left, &right) ? left : name;
}

/* The ports of a database that the workload is; NONE where it is none. */
static hf_conns database_ports(struct hf_reach *r, const struct hf_reach_workload *w)
{
	hf_conns all = HF_CONNS_NONE;

	for (size_t i = 0; i < w->pods.n; i++)
		for (size_t k = 0; k < w->pods.at[i]->containers_n; k++) {
			const struct hf_kube_container *c = &w->pods.at[i]->containers[k];
			hf_sv name = image_name(c->image);
			for (size_t d = 0; d < HF_ARRAY_SIZE(databases); d++) {
				/* "server" alone says nothing. */
				if (!hf_sv_eq(name, hf_sv_of(databases[d].image)) ||
				    (hf_sv_eq(name, HF_SV("server")) &&
				     hf_sv_find(c->image, HF_SV("mssql")) == SIZE_MAX))
					continue;
				all = hf_conns_union(
					&r->pool, all,
					hf_conns_ports(&r->pool, HF_CONN_TCP, databases[d].port, databases[d].port));
			}
			hf_value_elements(hf_value_get(c->value, HF_SV("ports")), v)
			{
				int64_t port;
				bool plain = false;
				if (c->role != HF_CONTAINER_REGULAR ||
				    !hf_value_int(hf_value_get(v, HF_SV("containerPort")), &port) || port < 1 ||
				    port > UINT16_MAX)
					continue;
				for (size_t p = 0; p < HF_ARRAY_SIZE(plain_ports); p++)
					plain |= plain_ports[p] == port;
				if (plain)
					all = hf_conns_union(
						&r->pool, all,
						hf_conns_ports(&r->pool, HF_CONN_TCP, (uint16_t)port, (uint16_t)port));
			}
		}
	return all;
}

/* From outside: by a controller of ingress, or by a service that nodes or balancers hand out where policies let addresses in. */
static bool is_front(struct hf_reach *r, uint32_t workload)
{
	struct hf_reach_end end = { HF_REACH_WORKLOAD, workload };
	hf_conns open = HF_CONNS_NONE;

	if (hf_reach_between(r, (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER }, end) != HF_CONNS_NONE)
		return true;
	for (size_t i = 0; i < r->entries.n; i++)
		if (r->entries.at[i].workload == workload && r->entries.at[i].outside && !r->entries.at[i].service)
			open = hf_conns_union(&r->pool, open, r->entries.at[i].conns);
	for (size_t i = 0; open != HF_CONNS_NONE && i < r->spans_n[HF_REACH_INGRESS]; i++)
		if (hf_conns_intersection(&r->pool, open,
					  hf_reach_between(r, (struct hf_reach_end){ HF_REACH_SPAN, (uint32_t)i },
							   end)) != HF_CONNS_NONE)
			return true;
	return false;
}

static bool part_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* @text holds the service as a host: its name alone in its own namespace, "name.namespace" in others. */
static bool names_service(hf_sv text, const struct hf_kube_object *service, hf_sv namespace)
{
	for (size_t at = 0, found; (found = hf_sv_find(hf_sv_skip(text, at), service->name)) != SIZE_MAX;
	     at += found + 1) {
		size_t begin = at + found, end = begin + service->name.len;
		hf_sv behind = hf_sv_skip(text, end);
		if ((begin && (part_of_name(text.ptr[begin - 1]) || text.ptr[begin - 1] == '.')) ||
		    (behind.len && part_of_name(behind.ptr[0])))
			continue;
		if (behind.len > 1 && behind.ptr[0] == '.') {
			hf_sv rest = hf_sv_skip(behind, 1);
			if (hf_sv_starts(rest, service->namespace) &&
			    (rest.len == service->namespace.len || !part_of_name(rest.ptr[service->namespace.len])))
				return true;
			if (part_of_name(rest.ptr[0]))
				continue; /* a host of another zone */
		}
		if (hf_sv_eq(service->namespace, namespace))
			return true;
	}
	return false;
}

struct search {
	const struct hf_reach *r;
	const struct hf_kube_object *service;
	hf_sv namespace;
	bool found, unreadable;
};

static void search_map(struct search *s, const struct hf_value *map)
{
	hf_value_members(map, m) s->found |= names_service(hf_value_text(&m->value), s->service, s->namespace);
}

static void search_list(struct search *s, const struct hf_value *list)
{
	hf_value_elements(list, e) s->found |= names_service(hf_value_text(e), s->service, s->namespace);
}

static const struct hf_kube_object *config_map(const struct search *s, const struct hf_kube_pod *pod, hf_sv name)
{
	return hf_kube_find(s->r->set, pod->object->cluster, HF_KUBE_CONFIG_MAP, pod->object->namespace, name);
}

static void search_container(struct search *s, const struct hf_kube_pod *pod, const struct hf_value *c)
{
	search_list(s, hf_value_get(c, HF_SV("args")));
	search_list(s, hf_value_get(c, HF_SV("command")));
	hf_value_elements(hf_value_get(c, HF_SV("env")), e)
	{
		const struct hf_value *from = hf_value_get(e, HF_SV("valueFrom")),
				      *key = hf_value_get(from, HF_SV("configMapKeyRef"));
		s->found |= names_service(hf_value_get_text(e, HF_SV("value")), s->service, s->namespace);
		s->unreadable |= hf_value_get(from, HF_SV("secretKeyRef")) != NULL;
		const struct hf_kube_object *map =
			key ? config_map(s, pod, hf_value_get_text(key, HF_SV("name"))) : NULL;
		s->unreadable |= key && !map;
		if (map)
			s->found |= names_service(hf_value_get_text(hf_value_get(map->root, HF_SV("data")),
								    hf_value_get_text(key, HF_SV("key"))),
						  s->service, s->namespace);
	}
	hf_value_elements(hf_value_get(c, HF_SV("envFrom")), e)
	{
		const struct hf_value *ref = hf_value_get(e, HF_SV("configMapRef"));
		const struct hf_kube_object *map =
			ref ? config_map(s, pod, hf_value_get_text(ref, HF_SV("name"))) : NULL;
		s->unreadable |= !map;
		search_map(s, map ? hf_value_get(map->root, HF_SV("data")) : NULL);
	}
}

static void search_pod(struct search *s, const struct hf_kube_pod *pod)
{
	for (size_t i = 0; i < pod->containers_n; i++)
		search_container(s, pod, pod->containers[i].value);
	hf_value_elements(hf_value_get(pod->spec, HF_SV("volumes")), v)
	{
		const struct hf_value *ref = hf_value_get(v, HF_SV("configMap"));
		const struct hf_kube_object *map =
			ref ? config_map(s, pod, hf_value_get_text(ref, HF_SV("name"))) : NULL;
		search_map(s, map ? hf_value_get(map->root, HF_SV("data")) : NULL);
	}
}

bool reach_names_workload(struct hf_reach *r, uint32_t client, uint32_t server, bool *ret_unreadable)
{
	const struct hf_reach_workload *w = &r->workloads.at[client];
	bool found = false;

	*ret_unreadable = false;
	for (size_t i = 0; i < r->entries.n && !found; i++) {
		const struct hf_reach_entry *e = &r->entries.at[i];
		struct search s = { .r = r, .service = e->object, .namespace = w->namespace };
		if (e->workload != server || e->object->kind != HF_KUBE_SERVICE)
			continue;
		for (size_t k = 0; k < w->pods.n; k++)
			search_pod(&s, w->pods.at[k]);
		found = s.found;
		*ret_unreadable |= s.unreadable;
	}
	return found;
}

const struct hf_reach_finding *hf_reach_findings(struct hf_reach *r, size_t *ret_n)
{
	HF_VEC(struct hf_reach_finding) list = { 0 };
	hf_conns *ports = hf_arena_array(r->arena, hf_conns, r->workloads.n);

	*ret_n = 0;
	for (size_t i = 0; ports && i < r->workloads.n; i++)
		ports[i] = database_ports(r, &r->workloads.at[i]);
	for (size_t i = 0; ports && i < r->workloads.n; i++) {
		if (ports[i] != HF_CONNS_NONE || !is_front(r, (uint32_t)i))
			continue;
		for (size_t k = 0; k < r->workloads.n; k++) {
			struct hf_reach_end from = { HF_REACH_WORKLOAD, (uint32_t)i },
					    to = { HF_REACH_WORKLOAD, (uint32_t)k };
			hf_conns c = ports[k] == HF_CONNS_NONE
					     ? HF_CONNS_NONE
					     : hf_conns_intersection(&r->pool, hf_reach_between(r, from, to), ports[k]);
			bool unreadable;
			if (c == HF_CONNS_NONE || reach_names_workload(r, (uint32_t)i, (uint32_t)k, &unreadable))
				continue;
			struct hf_reach_finding *f = hf_vec_push(r->arena, &list);
			if (f)
				*f = (struct hf_reach_finding){ (uint32_t)i, (uint32_t)k, c,
								unreadable ? HF_REACH_UNREADABLE : HF_REACH_NOT_NAMED };
		}
	}
	*ret_n = list.n;
	return list.at;
}

void hf_reach_write_findings(struct hf_reach *r, const struct hf_reach_finding *list, size_t n, bool json,
			     struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };
	char front[1024], database[1024];

	if (json) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "schema", HF_SV("holdfast/reach-findings/1"));
		hf_jw_key(&w, "findings");
		hf_jw_array(&w);
	}
	for (size_t i = 0; i < n; i++) {
		const struct hf_reach_finding *f = &list[i];
		hf_sv conns = hf_conns_text(&r->pool, f->conns, r->arena);
		const char *severity = f->need == HF_REACH_NOT_NAMED ? "high" : "medium";
		if (json) {
			hf_jw_object(&w);
			hf_jw_kv(&w, "id", HF_SV("front-end-reaches-database"));
			hf_jw_kv(&w, "severity", hf_sv_of(severity));
			hf_jw_kv(&w, "front", r->workloads.at[f->front].name);
			hf_jw_kv(&w, "database", r->workloads.at[f->database].name);
			hf_jw_kv(&w, "connections", conns);
			hf_jw_object_end(&w);
			continue;
		}
		hf_escape_controls(front, sizeof front, r->workloads.at[f->front].name);
		hf_escape_controls(database, sizeof database, r->workloads.at[f->database].name);
		hf_out_addf(out,
			    "%s: %s, which is reached from outside, reaches the database %s (%.*s), but names none of "
			    "its services%s\n",
			    severity, front, database, HF_SV_FMT(conns),
			    f->need == HF_REACH_UNREADABLE
				    ? " where it can be read: a part of its environment is not in the input"
				    : "");
	}
	if (json) {
		hf_jw_array_end(&w);
		hf_jw_object_end(&w);
		hf_out_add(out, HF_SV("\n"));
	}
}
