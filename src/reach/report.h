/* What one asks a model of reach besides the list of connections. Each writes a table for people, or JSON (@json) whose schema is named
 * at each; names are escaped. */
#pragma once
#include "base/output.h"
#include "reach/reach.h"

/* One port of one protocol, or all of them. */
struct hf_reach_port {
	bool set;
	enum hf_conn_protocol protocol;
	uint16_t port;
};
/* "80", "80/TCP", "53/udp". */
bool hf_reach_port_of(hf_sv text, struct hf_reach_port *ret);

/* Which policies and rules, with file and line, open or close each side of a pair; where none does, by what default it is so. The ends'
 * groups are looked at one by one, where a workload's pods differ. holdfast/reach-explain/1 */
void hf_reach_explain(struct hf_reach *, struct hf_reach_end from, struct hf_reach_end to, struct hf_reach_port,
		      bool json, struct hf_out *);

/* For each workload: who of the whole cluster (any pod, also of namespaces to come) and of the internet may reach it and be reached by
 * it, whether any policy selects it, what leads to it from outside; namespaces where nothing is closed by default.
 * holdfast/reach-exposure/1 */
void hf_reach_exposure(struct hf_reach *, bool json, struct hf_out *);

/* How far one gets from a workload, from pod to pod: each workload that can be reached, in how many steps (at most @hops; 0: any
 * number), and by which path. holdfast/reach-lateral/1 */
void hf_reach_lateral(struct hf_reach *, struct hf_reach_end from, unsigned hops, bool json, struct hf_out *);

enum hf_reach_need { HF_REACH_NOT_NAMED, HF_REACH_UNREADABLE };
/* A workload that is reached from outside, and reaches the port of a database without naming it anywhere that can be read. */
struct hf_reach_finding {
	uint32_t front, database; /* workloads */
	hf_conns conns;           /* of the database's ports */
	enum hf_reach_need need;  /* UNREADABLE: part of its environment comes from secrets, which are not read */
};
/* Databases are known by their images and ports; a need is a service of the database that is named in the environment, arguments or
 * ConfigMaps of the front end. The array lives in the model's arena. */
const struct hf_reach_finding *hf_reach_findings(struct hf_reach *, size_t *ret_n);
/* holdfast/reach-findings/1 */
void hf_reach_write_findings(struct hf_reach *, const struct hf_reach_finding *, size_t n, bool json, struct hf_out *);

struct hf_reach_change_count {
	size_t added, removed, changed;
	bool wider; /* something is open that was not */
};
/* Connections of @to that @from has not, and the other way round; workloads are the same where their names are. Both models must live in
 * one arena. holdfast/reach-diff/1 */
struct hf_reach_change_count hf_reach_diff(struct hf_reach *from, struct hf_reach *to, bool json, struct hf_out *);
