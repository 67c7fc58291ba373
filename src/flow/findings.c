#include "flow/findings.h"

#include <stdlib.h>

#include "model/metadata_addresses.h"

struct finder {
	const struct hf_flow_graph *g;
	struct hf_arena *a;
	HF_VEC(struct hf_flow_finding) list;
};

static const struct {
	const char *id;
	enum hf_severity severity;
} kinds[HF_FLOW_FINDING_KINDS] = {
#define HF_FLOW_FINDING_ROW(name, id, severity) [HF_FLOW_FINDING_##name] = { id, severity },
	HF_FLOW_FINDING_ROWS(HF_FLOW_FINDING_ROW)
#undef HF_FLOW_FINDING_ROW
};

const char *hf_flow_finding_id(enum hf_flow_finding_kind kind)
{
	return kinds[kind].id;
}

enum hf_severity hf_flow_finding_severity(enum hf_flow_finding_kind kind)
{
	return kinds[kind].severity;
}

/* What database servers are called: their programs, and the last component of their images' names. */
static const char *const database_programs[] = {
	"mysqld",          "mariadbd",      "postgres",  "mongod",    "mongos",
	"redis-server",    "valkey-server", "memcached", "etcd",      "cockroach",
	"clickhouse-serv", "influxd",       "sqlservr",  "couchdb",   "clickhouse-server",
	"cassandra",       "scylla",        "neo4j",     "rethinkdb", "firebird",
	"keydb-server",
};
static const char *const database_images[] = {
	"mysql",       "mariadb",   "percona",       "postgres",   "postgresql", "postgis",
	"timescaledb", "mongo",     "mongodb",       "redis",      "valkey",     "keydb",
	"memcached",   "etcd",      "cassandra",     "scylla",     "couchdb",    "couchbase",
	"influxdb",    "neo4j",     "elasticsearch", "opensearch", "clickhouse", "clickhouse-server",
	"cockroach",   "rethinkdb", "mssql",         "arangodb",
};
/* IANA's registry of service names, and the vendors' defaults. */
static const struct {
	uint16_t port;
	const char *name;
} database_ports[] = {
	{ 1433, "SQL Server" },   { 1521, "Oracle" },        { 2379, "etcd" },          { 3050, "Firebird" },
	{ 3306, "MySQL" },        { 5432, "PostgreSQL" },    { 5984, "CouchDB" },       { 6379, "Redis" },
	{ 7000, "Cassandra" },    { 7474, "Neo4j" },         { 7687, "Neo4j" },         { 8086, "InfluxDB" },
	{ 9042, "Cassandra" },    { 9200, "Elasticsearch" }, { 9300, "Elasticsearch" }, { 11211, "memcached" },
	{ 26257, "CockroachDB" }, { 27017, "MongoDB" },      { 27018, "MongoDB" },      { 28015, "RethinkDB" },
	{ 33060, "MySQL" },       { 50000, "Db2" },
};
/* Protocols whose port means that passwords or data travel as they are; those that can change to TLS on the same port are not here. */
static const struct {
	uint8_t protocol;
	uint16_t port;
	const char *name;
} plain_ports[] = {
	{ HF_FLOW_TCP, 21, "FTP" },          { HF_FLOW_TCP, 23, "Telnet" },         { HF_FLOW_UDP, 69, "TFTP" },
	{ HF_FLOW_TCP, 80, "HTTP" },         { HF_FLOW_UDP, 161, "SNMP" },          { HF_FLOW_TCP, 512, "rexec" },
	{ HF_FLOW_TCP, 513, "rlogin" },      { HF_FLOW_TCP, 514, "rsh or syslog" }, { HF_FLOW_UDP, 514, "syslog" },
	{ HF_FLOW_TCP, 873, "rsync" },       { HF_FLOW_TCP, 1883, "MQTT" },         { HF_FLOW_TCP, 8080, "HTTP" },
	{ HF_FLOW_TCP, 11211, "memcached" },
};
static bool among(const char *const *list, size_t n, hf_sv word)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(hf_sv_of(list[i]), word))
			return true;
	return false;
}

static bool is_metadata(hf_sv address, uint16_t port)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(hf_metadata_addresses); i++)
		if (hf_sv_eq(hf_metadata_addresses[i], address))
			return true;
	for (size_t i = 0; i < HF_ARRAY_SIZE(hf_metadata_wire_server_ports); i++)
		if (port == hf_metadata_wire_server_ports[i] && hf_sv_eq(address, HF_METADATA_WIRE_SERVER))
			return true;
	return false;
}

/* "registry:5000/library/postgres:16@sha256:…" is postgres. */
static hf_sv image_stem(hf_sv image)
{
	hf_sv rest;

	hf_sv_cut(image, '@', &image, &rest);
	image = hf_sv_basename(image);
	hf_sv_cut(image, ':', &image, &rest);
	return image;
}

static const char *database_of_port(uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; protocol == HF_FLOW_TCP && i < HF_ARRAY_SIZE(database_ports); i++)
		if (database_ports[i].port == port)
			return database_ports[i].name;
	return NULL;
}

/* Why the server of a flow is a database; the empty view where it is none. */
static hf_sv database(const struct finder *m, const struct hf_flow *f)
{
	hf_sv program = hf_sv_basename(f->server_process);
	const char *of_port = f->port == f->port_last ? database_of_port(f->protocol, f->port) : NULL;

	if (f->server.kind == HF_PEER_WORKLOAD) {
		const struct hf_workload *w = &m->g->workloads[f->server.workload];

		if (among(database_images, HF_ARRAY_SIZE(database_images), image_stem(w->image)))
			return hf_arena_fmt(m->a, "its image is %.*s", HF_SV_FMT(w->image));
		for (size_t i = 0; !program.len && i < w->ports_n; i++)
			if (w->ports[i].protocol == f->protocol && w->ports[i].port == f->port)
				program = hf_sv_basename(w->ports[i].process);
	}
	if (among(database_programs, HF_ARRAY_SIZE(database_programs), program))
		return hf_arena_fmt(m->a, "%.*s serves the port", HF_SV_FMT(program));
	/* Another program at a database's port says nothing; no program known, the port has to do. */
	return of_port ? hf_arena_fmt(m->a, "the port is %s's", of_port) : (hf_sv){ 0 };
}

static void found(struct finder *m, enum hf_flow_finding_kind kind, size_t workload, const struct hf_flow *f,
		  hf_sv message)
{
	struct hf_flow_finding *at = hf_vec_push(m->a, &m->list);

	if (!at)
		return;
	*at = (struct hf_flow_finding){ .kind = kind, .workload = workload, .flow = f, .message = message };
	if (f) {
		at->protocol = f->protocol;
		at->port = f->port;
	}
}

static bool is_outside(const struct hf_peer *p)
{
	return p->kind != HF_PEER_WORKLOAD;
}

static hf_sv text_of(struct finder *m, const struct hf_flow *f)
{
	char text[800];

	return hf_arena_dup(m->a, hf_flow_text(m->g, f, text, sizeof text));
}

/* The workload that a finding about a flow is filed under. */
static size_t subject(const struct hf_flow *f)
{
	return f->client.kind == HF_PEER_WORKLOAD ? f->client.workload : f->server.workload;
}

/* True where it is one: then its protocol and its address say nothing new. */
static bool look_at_metadata(struct finder *m, const struct hf_flow *f)
{
	char text[HF_ADDRESS_TEXT_MAX];

	for (size_t i = 0; is_outside(&f->server) && i < f->server.addresses_n; i++) {
		hf_sv address = hf_address_text(&f->server.addresses[i].address, text);

		if (!is_metadata(address, f->port))
			continue;
		found(m, HF_FLOW_FINDING_METADATA, subject(f), f,
		      hf_arena_fmt(
			      m->a,
			      "%.*s asks the cloud's metadata service at %.*s: credentials of the machine are there",
			      HF_SV_FMT(m->g->workloads[subject(f)].id), HF_SV_FMT(address)));
		return true;
	}
	return false;
}

static bool is_front_end(const struct finder *m, size_t workload)
{
	for (size_t i = 0; i < m->g->flows_n; i++) {
		const struct hf_flow *f = &m->g->flows[i];

		if (is_outside(&f->client) && f->server.workload == workload && f->accepts && !database(m, f).len)
			return true;
	}
	return false;
}

static void look_at_database(struct finder *m, const struct hf_flow *f)
{
	hf_sv why = database(m, f);

	if (!why.len)
		return;
	if (is_outside(&f->client))
		found(m, HF_FLOW_FINDING_DATABASE_OUTSIDE, f->server.workload, f,
		      hf_arena_fmt(m->a, "a database is reached from outside: %.*s (%.*s)", HF_SV_FMT(text_of(m, f)),
				   HF_SV_FMT(why)));
	else if (is_front_end(m, f->client.workload))
		found(m, HF_FLOW_FINDING_FRONT_END, f->client.workload, f,
		      hf_arena_fmt(m->a, "what is reached from outside reaches a database itself: %.*s (%.*s)",
				   HF_SV_FMT(text_of(m, f)), HF_SV_FMT(why)));
}

static void look_at_protocol(struct finder *m, const struct hf_flow *f)
{
	if (f->port != f->port_last)
		return;
	if (f->protocol == HF_FLOW_TCP && f->port == 2375) {
		found(m, HF_FLOW_FINDING_ENGINE_API, subject(f), f,
		      hf_arena_fmt(m->a, "Docker's API without TLS: %.*s", HF_SV_FMT(text_of(m, f))));
		return;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(plain_ports); i++)
		if (plain_ports[i].protocol == f->protocol && plain_ports[i].port == f->port)
			found(m,
			      is_outside(&f->server) ? HF_FLOW_FINDING_PLAIN_TEXT_OUTSIDE : HF_FLOW_FINDING_PLAIN_TEXT,
			      subject(f), f,
			      hf_arena_fmt(m->a, "%s is not encrypted, by its port: %.*s", plain_ports[i].name,
					   HF_SV_FMT(text_of(m, f))));
}

static void look_at_peer(struct finder *m, const struct hf_flow *f)
{
	if (f->server.kind == HF_PEER_OUTSIDE && f->port != 53)
		found(m, HF_FLOW_FINDING_UNRESOLVED, subject(f), f,
		      hf_arena_fmt(
			      m->a,
			      "nothing is known of the peer but its address, and no name was looked up for it: %.*s",
			      HF_SV_FMT(text_of(m, f))));
}

static void look_at_ports(struct finder *m, size_t workload)
{
	const struct hf_workload *w = &m->g->workloads[workload];
	char protocol[8];

	for (size_t i = 0; i < w->ports_n; i++) {
		const struct hf_port_open *p = &w->ports[i];

		if (p->accepted || p->loopback || p->port != p->port_last)
			continue;
		hf_flow_protocol_text(p->protocol, protocol);
		found(m, HF_FLOW_FINDING_UNUSED, workload, NULL,
		      hf_arena_fmt(m->a, "%.*s listens on %s/%u%s%.*s and nobody came", HF_SV_FMT(w->id), protocol,
				   p->port, p->process.len ? " by " : "", HF_SV_FMT(p->process)));
		if (m->list.n) {
			m->list.at[m->list.n - 1].protocol = p->protocol;
			m->list.at[m->list.n - 1].port = p->port;
		}
	}
}

static int by_severity(const void *a, const void *b)
{
	const struct hf_flow_finding *x = a, *y = b;
	int severity = (int)kinds[y->kind].severity - (int)kinds[x->kind].severity;

	if (severity)
		return severity;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->workload != y->workload)
		return x->workload < y->workload ? -1 : 1;
	return hf_sv_cmp(x->message, y->message);
}

int hf_flow_findings(const struct hf_flow_graph *g, struct hf_arena *a, const struct hf_flow_finding **ret,
		     size_t *ret_n, struct hf_err *err)
{
	struct finder m = { .g = g, .a = a };

	for (size_t i = 0; i < g->flows_n; i++) {
		if (look_at_metadata(&m, &g->flows[i]))
			continue;
		look_at_database(&m, &g->flows[i]);
		look_at_protocol(&m, &g->flows[i]);
		look_at_peer(&m, &g->flows[i]);
	}
	for (size_t i = 0; i < g->workloads_n; i++)
		look_at_ports(&m, i);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the findings about flows take too much memory");
	if (m.list.n)
		qsort(m.list.at, m.list.n, sizeof *m.list.at, by_severity);
	*ret = m.list.at;
	*ret_n = m.list.n;
	return HF_OK;
}
