#include <stdio.h>

#include "format/json_writer.h"
#include "kube/place.h"
#include "reach/internal.h"
#include "reach/report.h"

enum { GROUP_PAIRS_MAX = 16 };

/* The pair of groups at hand; spans have no group. */
struct asked {
	struct hf_reach *r;
	struct hf_reach_end from, to;
	const struct hf_reach_group *client, *server;
	hf_conns port; /* that is asked for; ALL */
	struct hf_json_writer *json;
	struct hf_out *out;
};

bool hf_reach_port_of(hf_sv text, struct hf_reach_port *ret)
{
	hf_sv number = text, protocol = HF_SV("TCP");
	char upper[8] = { 0 };
	uint64_t n;

	hf_sv_cut(text, '/', &number, &protocol);
	if (protocol.len >= sizeof upper)
		return false;
	for (size_t i = 0; i < protocol.len; i++)
		upper[i] = protocol.ptr[i] >= 'a' && protocol.ptr[i] <= 'z' ? (char)(protocol.ptr[i] - 32)
									    : protocol.ptr[i];
	*ret = (struct hf_reach_port){ .set = true };
	if (!hf_sv_to_u64(number, &n) || !n || n > UINT16_MAX || !hf_conn_protocol_of(hf_sv_of(upper), &ret->protocol))
		return false;
	ret->port = (uint16_t)n;
	return true;
}

static bool peer_fits(const struct asked *q, enum hf_reach_side side, const struct hf_reach_policy *p,
		      const struct hf_reach_rule *rule)
{
	const struct hf_reach_group *peer = side == HF_REACH_INGRESS ? q->client : q->server;
	struct hf_reach_end end = side == HF_REACH_INGRESS ? q->from : q->to;

	if (rule->everyone)
		return true;
	for (size_t i = 0; i < rule->peers_n; i++)
		if (peer ? reach_peer_is_group(q->r, p, &rule->peers[i], peer)
			 : rule->peers[i].outside && reach_peer_is_span(&rule->peers[i], q->r->spans[side][end.index]))
			return true;
	return false;
}

static void where(const struct hf_reach_policy *p, const struct hf_value *v, char *out, size_t size)
{
	hf_kube_place(p->object, hf_kube_line(p->object, v), out, size);
}

static void tell_policy(struct asked *q, const struct hf_reach_policy *p)
{
	char at[440], name[600];

	where(p, NULL, at, sizeof at);
	if (q->json) {
		hf_jw_object(q->json);
		hf_jw_kv(q->json, "kind", p->object->kind_name);
		hf_jw_kv_if(q->json, "namespace", p->object->namespace);
		hf_jw_kv(q->json, "name", p->object->name);
		hf_jw_kv(q->json, "at", hf_sv_of(at));
		hf_jw_key(q->json, "rules");
		hf_jw_array(q->json);
		return;
	}
	hf_escape_controls(name, sizeof name, p->object->name);
	hf_out_addf(q->out, "    %.*s %s (%s)\n", HF_SV_FMT(p->object->kind_name), name, at);
}

static void tell_rule(struct asked *q, const struct hf_reach_policy *p, const struct hf_reach_rule *rule, size_t number,
		      const char *says, hf_conns c)
{
	char at[440], name[300];
	hf_sv text = hf_conns_text(&q->r->pool, c, q->r->arena);

	where(p, rule->value, at, sizeof at);
	hf_escape_controls(name, sizeof name, rule->name);
	if (q->json) {
		hf_jw_object(q->json);
		hf_jw_kv_uint(q->json, "number", number);
		hf_jw_kv_if(q->json, "name", rule->name);
		hf_jw_kv(q->json, "at", hf_sv_of(at));
		hf_jw_kv(q->json, "says", hf_sv_of(says));
		if (c != HF_CONNS_NONE)
			hf_jw_kv(q->json, "connections", text);
		hf_jw_object_end(q->json);
		return;
	}
	hf_out_addf(q->out, "      rule %zu%s%s (%s): %s", number, name[0] ? " " : "", name, at, says);
	hf_out_addf(q->out, c != HF_CONNS_NONE ? " %.*s\n" : "\n", HF_SV_FMT(text));
}

static void explain_policy(struct asked *q, enum hf_reach_side side, const struct hf_reach_policy *p)
{
	static const char *const words[] = { "allows", "denies", "passes on" };

	tell_policy(q, p);
	for (size_t i = 0; i < p->rules_n[side]; i++) {
		const struct hf_reach_rule *rule = &p->rules[side][i];
		if (!peer_fits(q, side, p, rule)) {
			tell_rule(q, p, rule, i + 1, "is about other peers", HF_CONNS_NONE);
			continue;
		}
		hf_conns c = reach_rule_ports(q->r, rule, q->server ? q->server->ports : NULL,
					      q->server ? q->server->ports_n : 0);
		c = hf_conns_intersection(&q->r->pool, c, q->port);
		tell_rule(q, p, rule, i + 1, c == HF_CONNS_NONE ? "is about other ports" : words[rule->action], c);
	}
	if (q->json) {
		hf_jw_array_end(q->json);
		hf_jw_object_end(q->json);
	} else if (!p->rules_n[side]) {
		hf_out_add(q->out, HF_SV("      has no rules: it allows nothing\n"));
	}
}

/* What holds for ports that no rule above names. */
static const char *default_of(const struct hf_reach *r, const struct hf_reach_row *row)
{
	bool isolated = false, others = false;

	for (size_t i = 0; row && i < row->policies_n; i++) {
		isolated |= r->policies[row->policies[i]].layer == HF_REACH_NAMESPACED;
		others |= r->policies[row->policies[i]].layer != HF_REACH_NAMESPACED;
	}
	return !row       ? "open: an address outside of the cluster has no policies"
	       : isolated ? "closed: a NetworkPolicy selects the pods, so what no rule allows is denied"
	       : others   ? "open: no NetworkPolicy selects the pods, so what no admin or baseline policy denies is "
			    "allowed"
			  : "open: no policy selects the pods for this direction";
}

static hf_conns explain_side(struct asked *q, enum hf_reach_side side)
{
	struct hf_reach *r = q->r;
	const struct hf_reach_group *self = side == HF_REACH_INGRESS ? q->server : q->client;
	struct hf_reach_end peer = side == HF_REACH_INGRESS ? q->from : q->to;
	const struct hf_reach_group *other = side == HF_REACH_INGRESS ? q->client : q->server;
	const struct hf_reach_row *row = self ? &r->rows.at[self->rows[side]] : NULL;
	size_t index = other ? (size_t)(other - r->groups.at) : r->groups.n + peer.index;
	hf_conns open = hf_conns_intersection(&r->pool, row ? reach_row_value(r, row, index) : HF_CONNS_ALL, q->port);
	hf_sv text = hf_conns_text(&r->pool, open, r->arena);
	const char *name = side == HF_REACH_INGRESS ? "ingress" : "egress";

	if (q->json) {
		hf_jw_key(q->json, name);
		hf_jw_object(q->json);
		hf_jw_kv(q->json, "connections", text);
		hf_jw_kv(q->json, "default", hf_sv_of(default_of(r, row)));
		hf_jw_key(q->json, "policies");
		hf_jw_array(q->json);
	} else {
		hf_out_addf(q->out, "  %s of the %s: %.*s\n", name, side == HF_REACH_INGRESS ? "destination" : "source",
			    HF_SV_FMT(text));
	}
	for (size_t i = 0; row && i < row->policies_n; i++)
		explain_policy(q, side, &r->policies[row->policies[i]]);
	if (q->json) {
		hf_jw_array_end(q->json);
		hf_jw_object_end(q->json);
	} else {
		hf_out_addf(q->out, "    by default %s\n", default_of(r, row));
	}
	return open;
}

static void explain_groups(struct asked *q)
{
	hf_conns out, in;

	if (q->json)
		hf_jw_object(q->json);
	out = explain_side(q, HF_REACH_EGRESS);
	in = explain_side(q, HF_REACH_INGRESS);
	if (!q->json)
		return;
	hf_jw_kv(q->json, "connections",
		 hf_conns_text(&q->r->pool, hf_conns_intersection(&q->r->pool, out, in), q->r->arena));
	hf_jw_object_end(q->json);
}

static const uint32_t *groups_of(const struct hf_reach *r, struct hf_reach_end e, size_t *ret_n, uint32_t *scratch)
{
	if (e.kind == HF_REACH_WORKLOAD) {
		*ret_n = r->workloads.at[e.index].groups.n;
		return r->workloads.at[e.index].groups.at;
	}
	*scratch = e.kind == HF_REACH_CONTROLLER ? (uint32_t)r->groups.n - 1 : UINT32_MAX;
	*ret_n = 1;
	return scratch;
}

static const struct hf_reach_group *group_at(const struct hf_reach *r, uint32_t g)
{
	return g == UINT32_MAX ? NULL : &r->groups.at[g];
}

static void explain_all(struct asked *q)
{
	uint32_t scratch[2];
	size_t n[2], told = 0;
	const uint32_t *clients = groups_of(q->r, q->from, &n[0], &scratch[0]);
	const uint32_t *servers = groups_of(q->r, q->to, &n[1], &scratch[1]);

	for (size_t i = 0; i < n[0]; i++)
		for (size_t k = 0; k < n[1] && told < GROUP_PAIRS_MAX; k++, told++) {
			q->client = group_at(q->r, clients[i]);
			q->server = group_at(q->r, servers[k]);
			if (!q->json && n[0] * n[1] > 1)
				hf_out_addf(q->out, "  pods that differ, %zu of %zu:\n", told + 1, n[0] * n[1]);
			explain_groups(q);
		}
}

void hf_reach_explain(struct hf_reach *r, struct hf_reach_end from, struct hf_reach_end to, struct hf_reach_port port,
		      bool json, struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };
	struct asked q = { .r = r, .from = from, .to = to, .port = HF_CONNS_ALL, .json = json ? &w : NULL, .out = out };
	hf_sv source = hf_reach_end_name(r, from, true, r->arena), target = hf_reach_end_name(r, to, false, r->arena);
	char names[2][1024];

	if (port.set)
		q.port = hf_conns_ports(&r->pool, port.protocol, port.port, port.port);
	bool same = from.kind == HF_REACH_WORKLOAD && to.kind == HF_REACH_WORKLOAD && from.index == to.index;
	hf_conns between = hf_conns_intersection(
		&r->pool, same ? reach_within(r, from.index) : hf_reach_between(r, from, to), q.port);
	hf_sv text = hf_conns_text(&r->pool, between, r->arena);
	if (json) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "schema", HF_SV("holdfast/reach-explain/1"));
		hf_jw_kv(&w, "src", source);
		hf_jw_kv(&w, "dst", target);
		if (port.set)
			hf_jw_kv_bool(&w, "allowed", between != HF_CONNS_NONE);
		hf_jw_kv(&w, "connections", text);
		hf_jw_key(&w, "pods");
		hf_jw_array(&w);
		explain_all(&q);
		hf_jw_array_end(&w);
		hf_jw_object_end(&w);
		hf_out_add(out, HF_SV("\n"));
		return;
	}
	hf_escape_controls(names[0], sizeof names[0], source);
	hf_escape_controls(names[1], sizeof names[1], target);
	hf_out_addf(out, "%s -> %s: %.*s\n", names[0], names[1],
		    HF_SV_FMT(between == HF_CONNS_NONE ? HF_SV("denied") : text));
	if (from.kind == HF_REACH_CONTROLLER && to.kind == HF_REACH_WORKLOAD)
		hf_out_addf(out, "  services that it sends to lead to: %.*s\n",
			    HF_SV_FMT(hf_conns_text(&r->pool, r->workloads.at[to.index].backend, r->arena)));
	explain_all(&q);
}
