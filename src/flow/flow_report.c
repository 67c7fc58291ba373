#include "flow/flow_report.h"

#include <stdio.h>

#include "format/json_writer.h"
#include "model/report.h"

/* Adds @text escaped, and blanks up to @width characters. */
static void cell(struct hf_out *out, hf_sv text, size_t width)
{
	char line[600];
	size_t n = hf_escape_controls(line, sizeof line, text), columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)line[i] & 0xc0) != 0x80;
	hf_out_add(out, (hf_sv){ line, n });
	for (; columns < width; columns++)
		hf_out_add(out, HF_SV(" "));
}

static hf_sv peer_text(const struct hf_flow_graph *g, const struct hf_peer *p, char *out, size_t size)
{
	char address[HF_ADDRESS_TEXT_MAX] = "";
	size_t n;

	if (p->kind == HF_PEER_WORKLOAD)
		return g->workloads[p->workload].id;
	n = (size_t)snprintf(out, size, "%.*s%s", HF_SV_FMT(p->name), p->name.len && p->addresses_n ? " " : "");
	for (size_t i = 0; i < p->addresses_n && i < 3 && n < size; i++) {
		hf_address_text(&p->addresses[i].address, address);
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : p->name.len ? "(" : "", address);
	}
	if (n < size && (p->addresses_n > 3 || p->addresses_more))
		n += (size_t)snprintf(out + n, size - n, ", … %zu%s in all", p->addresses_n,
				      p->addresses_more ? " and more" : "");
	if (n < size && p->name.len && p->addresses_n)
		n += (size_t)snprintf(out + n, size - n, ")");
	return (hf_sv){ out, n < size ? n : size - 1 };
}

static hf_sv port_text(uint8_t protocol, uint16_t port, uint16_t last, char out[32])
{
	char name[8];

	hf_flow_protocol_text(protocol, name);
	if (port == last)
		snprintf(out, 32, "%s/%u", name, port);
	else
		snprintf(out, 32, "%s/%u-%u", name, port, last);
	return hf_sv_of(out);
}

static void table_flows(const struct hf_flow_report *r, struct hf_out *out)
{
	char text[512], port[32];

	hf_out_add(out, HF_SV("CLIENT                           SERVER                                   PORT         "
			      "CONNECTS  ACCEPTS    SENDS\n"));
	for (size_t i = 0; i < r->graph->flows_n; i++) {
		const struct hf_flow *f = &r->graph->flows[i];

		cell(out, peer_text(r->graph, &f->client, text, sizeof text), 32);
		hf_out_add(out, HF_SV(" "));
		cell(out, peer_text(r->graph, &f->server, text, sizeof text), 40);
		hf_out_add(out, HF_SV(" "));
		cell(out, port_text(f->protocol, f->port, f->port_last, port), 12);
		hf_out_addf(out, " %8llu %8llu %8llu\n", (unsigned long long)f->connects,
			    (unsigned long long)f->accepts, (unsigned long long)f->sends);
	}
}

void hf_flow_report_table(const struct hf_flow_report *r, struct hf_out *out)
{
	const struct hf_flow_graph *g = r->graph;

	table_flows(r, out);
	hf_out_addf(out,
		    "\n%zu workloads, %zu flows, from %llu events (%llu within one container, %llu without address or "
		    "port)\n",
		    g->workloads_n, g->flows_n, (unsigned long long)g->events, (unsigned long long)g->internal,
		    (unsigned long long)g->unusable);
	if (g->lost || g->not_kept)
		hf_out_addf(out, "Not whole: the sensor lost %llu events, %llu had no room.\n",
			    (unsigned long long)g->lost, (unsigned long long)g->not_kept);
	if (r->findings_n)
		hf_out_add(out, HF_SV("\nSEVERITY  FINDING\n"));
	for (size_t i = 0; i < r->findings_n; i++) {
		cell(out, hf_sv_of(hf_severity_name(hf_flow_finding_severity(r->findings[i].kind))), 9);
		hf_out_add(out, HF_SV(" "));
		cell(out, r->findings[i].message, 0);
		hf_out_add(out, HF_SV("\n"));
	}
}

static void json_ports(struct hf_json_writer *w, uint8_t protocol, uint16_t port, uint16_t last)
{
	char name[8];

	hf_jw_kv(w, "protocol", hf_flow_protocol_text(protocol, name));
	hf_jw_kv_uint(w, "port", port);
	if (last != port)
		hf_jw_kv_uint(w, "port_last", last);
}

static void json_instances(struct hf_json_writer *w, const struct hf_workload *wl)
{
	char text[HF_ADDRESS_TEXT_MAX];

	hf_jw_key(w, "containers");
	hf_jw_array(w);
	for (size_t i = 0; i < wl->instances_n; i++) {
		const struct hf_instance *in = &wl->instances[i];

		hf_jw_object(w);
		hf_jw_kv_if(w, "id", in->id);
		hf_jw_kv_if(w, "name", in->name);
		hf_jw_key(w, "addresses");
		hf_jw_array(w);
		for (size_t k = 0; k < in->addresses_n; k++)
			hf_jw_string(w, hf_address_text(&in->addresses[k], text));
		hf_jw_array_end(w);
		hf_jw_kv_bool(w, "gone", in->gone);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void json_workload(struct hf_json_writer *w, const struct hf_workload *wl)
{
	static const char *const names[] = { "container", "pod", "host" };

	hf_jw_object(w);
	hf_jw_kv(w, "id", wl->id);
	hf_jw_kv(w, "kind", hf_sv_of(names[wl->kind]));
	hf_jw_kv_if(w, "namespace", wl->namespace);
	hf_jw_kv_if(w, "owner_kind", wl->owner_kind);
	hf_jw_kv(w, "name", wl->name);
	hf_jw_kv_if(w, "image", wl->image);
	hf_jw_key(w, "labels");
	hf_jw_object(w);
	for (size_t i = 0; i < wl->labels_n; i++) {
		hf_jw_key_sv(w, wl->labels[2 * i]);
		hf_jw_string(w, wl->labels[2 * i + 1]);
	}
	hf_jw_object_end(w);
	hf_jw_kv_bool(w, "host_network", wl->host_network);
	hf_jw_kv_bool(w, "dns", wl->dns);
	hf_jw_kv_if(w, "unresolved", wl->unresolved);
	json_instances(w, wl);
	hf_jw_key(w, "listening");
	hf_jw_array(w);
	for (size_t i = 0; i < wl->ports_n; i++) {
		hf_jw_object(w);
		json_ports(w, wl->ports[i].protocol, wl->ports[i].port, wl->ports[i].port_last);
		hf_jw_kv_bool(w, "loopback", wl->ports[i].loopback);
		hf_jw_kv_uint(w, "accepted", wl->ports[i].accepted);
		hf_jw_kv_if(w, "process", wl->ports[i].process);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void json_peer(struct hf_json_writer *w, const char *key, const struct hf_flow_graph *g, const struct hf_peer *p)
{
	char text[HF_ADDRESS_TEXT_MAX];

	hf_jw_key(w, key);
	hf_jw_object(w);
	if (p->kind == HF_PEER_WORKLOAD) {
		hf_jw_kv(w, "workload", g->workloads[p->workload].id);
		hf_jw_object_end(w);
		return;
	}
	hf_jw_kv_if(w, "name", p->name);
	hf_jw_key(w, "addresses");
	hf_jw_array(w);
	for (size_t i = 0; i < p->addresses_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "address", hf_address_text(&p->addresses[i].address, text));
		hf_jw_kv_uint(w, "count", p->addresses[i].count);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	if (p->addresses_more)
		hf_jw_kv_uint(w, "more", p->addresses_more);
	hf_jw_object_end(w);
}

static void json_flow(struct hf_json_writer *w, const struct hf_flow_graph *g, const struct hf_flow *f)
{
	hf_jw_object(w);
	json_peer(w, "client", g, &f->client);
	json_peer(w, "server", g, &f->server);
	json_ports(w, f->protocol, f->port, f->port_last);
	hf_jw_kv_uint(w, "connects", f->connects);
	hf_jw_kv_uint(w, "accepts", f->accepts);
	hf_jw_kv_uint(w, "sends", f->sends);
	hf_jw_kv_if(w, "first", f->first);
	hf_jw_kv_if(w, "last", f->last);
	hf_jw_kv_if(w, "client_process", f->client_process);
	hf_jw_kv_if(w, "server_process", f->server_process);
	hf_jw_object_end(w);
}

static void json_finding(struct hf_json_writer *w, const struct hf_flow_graph *g, const struct hf_flow_finding *f)
{
	hf_jw_object(w);
	hf_jw_kv(w, "id", hf_sv_of(hf_flow_finding_id(f->kind)));
	hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(hf_flow_finding_severity(f->kind))));
	hf_jw_kv(w, "workload", g->workloads[f->workload].id);
	json_ports(w, f->protocol, f->port, f->port);
	hf_jw_kv(w, "message", f->message);
	if (f->flow)
		hf_jw_kv_uint(w, "flow", (uint64_t)(f->flow - g->flows));
	hf_jw_object_end(w);
}

int hf_flow_report_json(const struct hf_flow_report *r, struct hf_out *out, struct hf_err *err)
{
	const struct hf_flow_graph *g = r->graph;
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/flows/1"));
	hf_jw_key(&w, "period");
	hf_jw_object(&w);
	hf_jw_kv_if(&w, "first", g->first);
	hf_jw_kv_if(&w, "last", g->last);
	hf_jw_object_end(&w);
	hf_jw_key(&w, "workloads");
	hf_jw_array(&w);
	for (size_t i = 0; i < g->workloads_n; i++)
		json_workload(&w, &g->workloads[i]);
	hf_jw_array_end(&w);
	hf_jw_key(&w, "flows");
	hf_jw_array(&w);
	for (size_t i = 0; i < g->flows_n; i++)
		json_flow(&w, g, &g->flows[i]);
	hf_jw_array_end(&w);
	hf_jw_key(&w, "findings");
	hf_jw_array(&w);
	for (size_t i = 0; i < r->findings_n; i++)
		json_finding(&w, g, &r->findings[i]);
	hf_jw_array_end(&w);
	hf_jw_key(&w, "events");
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "seen", g->events);
	hf_jw_kv_uint(&w, "internal", g->internal);
	hf_jw_kv_uint(&w, "unusable", g->unusable);
	hf_jw_kv_uint(&w, "not_kept", g->not_kept);
	hf_jw_kv_uint(&w, "lost", g->lost);
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
	return hf_jw_finish(&w, err);
}

/* A string of the DOT language: quotes and backslashes escaped (graphviz.org, "The DOT Language"). */
static void dot_string(struct hf_out *out, hf_sv text)
{
	char line[600];
	size_t n = hf_escape_controls(line, sizeof line, text);

	hf_out_add(out, HF_SV("\""));
	for (size_t i = 0; i < n; i++) {
		if (line[i] == '"' || line[i] == '\\')
			hf_out_add(out, HF_SV("\\"));
		hf_out_add(out, (hf_sv){ &line[i], 1 });
	}
	hf_out_add(out, HF_SV("\""));
}

void hf_flow_report_dot(const struct hf_flow_report *r, struct hf_out *out)
{
	const struct hf_flow_graph *g = r->graph;
	char text[512], port[32];

	hf_out_add(out, HF_SV("digraph flows {\n\trankdir=LR;\n\tnode [shape=box];\n"));
	for (size_t i = 0; i < g->workloads_n; i++) {
		hf_out_add(out, HF_SV("\t"));
		dot_string(out, g->workloads[i].id);
		hf_out_add(out, HF_SV(";\n"));
	}
	for (size_t i = 0; i < g->flows_n; i++) {
		const struct hf_flow *f = &g->flows[i];

		hf_out_add(out, HF_SV("\t"));
		dot_string(out, peer_text(g, &f->client, text, sizeof text));
		hf_out_add(out, HF_SV(" -> "));
		dot_string(out, peer_text(g, &f->server, text, sizeof text));
		hf_out_add(out, HF_SV(" [label="));
		dot_string(out, port_text(f->protocol, f->port, f->port_last, port));
		hf_out_add(out, HF_SV("];\n"));
	}
	hf_out_add(out, HF_SV("}\n"));
}
