#include "format/json_writer.h"
#include "reach/internal.h"
#include "reach/report.h"

struct exposed {
	bool covered[HF_REACH_SIDES]; /* a policy selects all of its pods */
	hf_conns internet[HF_REACH_SIDES], cluster[HF_REACH_SIDES];
};

static const char *const side_names[HF_REACH_SIDES] = { "ingress", "egress" };

static struct exposed expose(struct hf_reach *r, const struct hf_reach_workload *w)
{
	struct exposed e = { .covered = { true, true } };

	for (unsigned side = 0; side < HF_REACH_SIDES; side++)
		for (size_t i = 0; i < w->groups.n; i++) {
			const struct hf_reach_row *row = &r->rows.at[r->groups.at[w->groups.at[i]].rows[side]];
			e.covered[side] &= row->policies_n > 0;
			e.cluster[side] =
				hf_conns_union(&r->pool, e.cluster[side], reach_row_value(r, row, r->groups.n - 1));
			for (size_t k = 0; k < r->spans_n[side]; k++)
				e.internet[side] = hf_conns_union(&r->pool, e.internet[side],
								  reach_row_value(r, row, r->groups.n + k));
		}
	return e;
}

/* A NetworkPolicy that selects all pods of the namespace, and says something about that side. */
static bool closed_by_default(const struct hf_reach *r, const struct hf_reach_namespace *n, unsigned side)
{
	for (size_t i = 0; i < n->policies.n; i++) {
		const struct hf_reach_policy *p = &r->policies[n->policies.at[i]];
		if (p->sides[side] && p->pods && !p->pods->labels_n && !p->pods->requirements_n)
			return true;
	}
	return false;
}

static void entries_json(struct hf_reach *r, struct hf_json_writer *w, uint32_t workload)
{
	const struct hf_reach_workload *server = &r->workloads.at[workload];

	hf_jw_key(w, "entries");
	hf_jw_array(w);
	for (size_t i = 0; i < server->entries.n; i++) {
		const struct hf_reach_entry *e = &r->entries.at[server->entries.at[i]];
		if (!e->outside)
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "kind", e->object->kind_name);
		hf_jw_kv(w, "name", e->object->name);
		if (e->service)
			hf_jw_kv(w, "service", e->service->name);
		hf_jw_kv(w, "connections", hf_conns_text(&r->pool, e->conns, r->arena));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void write_json(struct hf_reach *r, struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/reach-exposure/1"));
	hf_jw_key(&w, "workloads");
	hf_jw_array(&w);
	for (size_t i = 0; i < r->workloads.n; i++) {
		struct exposed e = expose(r, &r->workloads.at[i]);
		hf_jw_object(&w);
		hf_jw_kv(&w, "workload", r->workloads.at[i].name);
		if (r->workloads.at[i].host_network)
			hf_jw_kv_bool(&w, "host_network", true);
		for (unsigned side = 0; side < HF_REACH_SIDES; side++) {
			hf_jw_key(&w, side_names[side]);
			hf_jw_object(&w);
			hf_jw_kv_bool(&w, "policy", e.covered[side]);
			hf_jw_kv(&w, "internet", hf_conns_text(&r->pool, e.internet[side], r->arena));
			hf_jw_kv(&w, "cluster", hf_conns_text(&r->pool, e.cluster[side], r->arena));
			hf_jw_object_end(&w);
		}
		entries_json(r, &w, (uint32_t)i);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_key(&w, "namespaces");
	hf_jw_array(&w);
	for (size_t i = 0; i < r->namespaces.n; i++) {
		const struct hf_reach_namespace *n = &r->namespaces.at[i];
		if (!n->workloads.n)
			continue;
		hf_jw_object(&w);
		hf_jw_kv(&w, "namespace", n->name);
		for (unsigned side = 0; side < HF_REACH_SIDES; side++)
			hf_jw_kv_bool(&w, side ? "egress_closed_by_default" : "ingress_closed_by_default",
				      closed_by_default(r, n, side));
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	hf_out_add(out, HF_SV("\n"));
}

static void entries_table(struct hf_reach *r, struct hf_out *out, uint32_t workload)
{
	const struct hf_reach_workload *server = &r->workloads.at[workload];
	char name[600];

	for (size_t i = 0; i < server->entries.n; i++) {
		const struct hf_reach_entry *e = &r->entries.at[server->entries.at[i]];
		if (!e->outside)
			continue;
		hf_escape_controls(name, sizeof name, e->object->name);
		hf_out_addf(out, "  from outside by %.*s %s: %.*s\n", HF_SV_FMT(e->object->kind_name), name,
			    HF_SV_FMT(hf_conns_text(&r->pool, e->conns, r->arena)));
	}
}

static void write_table(struct hf_reach *r, struct hf_out *out)
{
	char name[1024];

	for (size_t i = 0; i < r->workloads.n; i++) {
		const struct hf_reach_workload *w = &r->workloads.at[i];
		struct exposed e = expose(r, w);
		hf_escape_controls(name, sizeof name, w->name);
		hf_out_addf(out, "%s%s\n", name,
			    w->host_network ? "  (on the host's network: most plugins apply no policy to it)" : "");
		for (unsigned side = 0; side < HF_REACH_SIDES; side++)
			hf_out_addf(out, "  %-7s  internet: %.*s   any pod: %.*s%s\n", side_names[side],
				    HF_SV_FMT(hf_conns_text(&r->pool, e.internet[side], r->arena)),
				    HF_SV_FMT(hf_conns_text(&r->pool, e.cluster[side], r->arena)),
				    e.covered[side] ? "" : "   no policy");
		entries_table(r, out, (uint32_t)i);
	}
	for (size_t i = 0; i < r->namespaces.n; i++) {
		const struct hf_reach_namespace *n = &r->namespaces.at[i];
		bool in = closed_by_default(r, n, HF_REACH_INGRESS), eg = closed_by_default(r, n, HF_REACH_EGRESS);
		if (!n->workloads.n || (in && eg))
			continue;
		hf_escape_controls(name, sizeof name, n->name);
		hf_out_addf(out, "namespace %s: nothing closes %s by default\n", name,
			    in   ? "egress"
			    : eg ? "ingress"
				 : "ingress and egress");
	}
}

void hf_reach_exposure(struct hf_reach *r, bool json, struct hf_out *out)
{
	if (json)
		write_json(r, out);
	else
		write_table(r, out);
}
