
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

static bool serves(const struct hf_kube_pod *p, const struct hf_kube_container *c)
{
	return (c->role == HF_CONTAINER_REGULAR || c->restarts_always) && p->object->kind != HF_KUBE_JOB &&
	       p->object->kind != HF_KUBE_CRON_JOB;
}

/* The ports of a database that the workload is; NONE where it is none: jobs and containers that begin a pod use the image for its client. */
static hf_conns database_ports(struct hf_reach *r, const struct hf_reach_workload *w)
{
	hf_conns all = HF_CONNS_NONE;

	for (size_t i = 0; i < w->pods.n; i++)
		for (size_t k = 0; k < w->pods.at[i]->containers_n; k++) {
			const struct hf_kube_container *c = &w->pods.at[i]->containers[k];
			hf_sv name = image_name(c->image);
			if (!serves(w->pods.at[i], c))
				continue;
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
				if (!hf_value_int(hf_value_get(v, HF_SV("containerPort")), &port) || port < 1 ||
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
	const struct hf_reach_workload *w = &r->workloads.at[workload];
	struct hf_reach_end end = { HF_REACH_WORKLOAD, workload };
	hf_conns open = HF_CONNS_NONE;

	if (hf_reach_between(r, (struct hf_reach_end){ .kind = HF_REACH_CONTROLLER }, end) != HF_CONNS_NONE)
		return true;
	for (size_t i = 0; i < w->entries.n; i++) {
		const struct hf_reach_entry *e = &r->entries.at[w->entries.at[i]];
		if (e->outside && !e->service)
			open = hf_conns_union(&r->pool, open, e->conns);
	}
	for (size_t i = 0; open != HF_CONNS_NONE && i < r->spans_n[HF_REACH_INGRESS]; i++)
		if (hf_conns_intersection(&r->pool, open,
					  hf_reach_between(r, (struct hf_reach_end){ HF_REACH_SPAN, (uint32_t)i },
							   end)) != HF_CONNS_NONE)
			return true;
	return false;
}

/* One of the services that lead to the server is among those that are named. */
static bool named(const struct hf_reach *r, const struct hf_reach_names *names, uint32_t server)
{
	const struct hf_reach_workload *w = &r->workloads.at[server];

	for (size_t i = 0; i < w->entries.n; i++)
		for (size_t k = 0; k < names->services.n; k++)
			if (r->entries.at[w->entries.at[i]].object == names->services.at[k])
				return true;
	return false;
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
		struct hf_reach_names names = reach_names(r, &r->workloads.at[i]);
		for (size_t k = 0; k < r->workloads.n; k++) {
			struct hf_reach_end from = { HF_REACH_WORKLOAD, (uint32_t)i },
					    to = { HF_REACH_WORKLOAD, (uint32_t)k };
			hf_conns c = ports[k] == HF_CONNS_NONE
					     ? HF_CONNS_NONE
					     : hf_conns_intersection(&r->pool, hf_reach_between(r, from, to), ports[k]);
			if (c == HF_CONNS_NONE || named(r, &names, (uint32_t)k))
				continue;
			struct hf_reach_finding *f = hf_vec_push(r->arena, &list);
			if (f)
				*f = (struct hf_reach_finding){ (uint32_t)i, (uint32_t)k, c,
								names.unreadable || names.cut ? HF_REACH_UNREADABLE
											      : HF_REACH_NOT_NAMED };
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
