/* Any sequence of network events gives a graph, and policies that hold against it: eight bytes an event. Workloads have labels and
 * names of their own here, so no contradiction is the events' fault. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "flow/findings.h"
#include "flow/flow_report.h"
#include "flow/flows.h"
#include "flow/netpol_generate.h"
#include "flow/nftables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = { "10.0.0.1", "10.0.0.2",        "10.0.0.3",        "10.0.0.4",
					 "fd00::1",  "fd00::2",         "127.0.0.1",       "127.0.0.11",
					 "0.0.0.0",  "169.254.169.254", "203.0.113.5",     "2001:db8::5",
					 "::1",      "::ffff:10.0.0.1", "255.255.255.255", "10.0.0.300" };
static const char *const protocols[] = { "tcp", "udp", "tcp", "sctp", "udp", "47", "", "1000" };
static const enum hf_event_kind kinds[] = { HF_EVENT_CONNECT,        HF_EVENT_ACCEPT, HF_EVENT_SEND,
					    HF_EVENT_LISTEN,         HF_EVENT_DNS,    HF_EVENT_CONTAINER_START,
					    HF_EVENT_CONTAINER_STOP, HF_EVENT_CONNECT };
static const uint16_t ports[] = { 53, 80, 5432, 8080, 40000, 65535, 0, 1 };

struct made {
	char id[8], pod[24], name[24], app[8];
	hf_sv labels[4], list[2];
};

/* @b: kind and flags, container, addresses, ports, protocol, a number. Containers from 4 on are pods, two each of one owner. */
static void make(const uint8_t b[8], struct made *m, struct hf_event *e)
{
	unsigned who = b[1] % 8;
	uint16_t remote = b[4] < 128 ? ports[b[4] % 8] : (uint16_t)(b[4] << 8 | b[7]);

	e->kind = kinds[b[0] % 8];
	snprintf(m->id, sizeof m->id, "c%u", who);
	if (b[0] < 0xf8)
		hf_event_set_string(e, HF_FIELD_CONTAINER_ID, hf_sv_of(m->id));
	if (who >= 4 && b[0] < 0xf8) {
		snprintf(m->pod, sizeof m->pod, "w%u-77-bbbb%c", who / 2, who % 2 ? 'b' : 'c');
		snprintf(m->app, sizeof m->app, "w%u", who / 2);
		m->labels[0] = HF_SV("app");
		m->labels[1] = hf_sv_of(m->app);
		m->labels[2] = HF_SV("pod-template-hash");
		m->labels[3] = HF_SV("77");
		hf_event_set_string(e, HF_FIELD_CONTAINER_POD_NAME, hf_sv_of(m->pod));
		hf_event_set_string(e, HF_FIELD_CONTAINER_POD_NAMESPACE, HF_SV("n"));
		hf_event_set_map(e, HF_FIELD_CONTAINER_LABELS, m->labels, 2);
	} else if (b[0] < 0xf8 && !(b[7] & 64)) {
		snprintf(m->name, sizeof m->name, "s%u-%u", who / 2, who % 2);
		hf_event_set_string(e, HF_FIELD_CONTAINER_NAME, hf_sv_of(m->name));
	}
	hf_event_set_string(e, HF_FIELD_NETWORK_PROTOCOL, hf_sv_of(protocols[b[6] % 8]));
	hf_event_set_string(e, HF_FIELD_NETWORK_LOCAL_ADDRESS, hf_sv_of(addresses[b[2] % 16]));
	hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS, hf_sv_of(addresses[b[3] % 16]));
	hf_event_set_uint(e, HF_FIELD_NETWORK_LOCAL_PORT, ports[b[5] % 8]);
	hf_event_set_uint(e, HF_FIELD_NETWORK_REMOTE_PORT, remote);
	if (e->kind == HF_EVENT_CONTAINER_START)
		hf_event_set_string(e, HF_FIELD_CONTAINER_ADDRESS, hf_sv_of(addresses[b[2] % 16]));
	if (b[7] & 32 && b[7] & 16)
		hf_event_set_string(e, HF_FIELD_NETWORK_REMOTE_CONTAINER,
				    b[7] & 1 ? HF_SV("s0-1") : HF_SV("unheard-of"));
	if (e->kind == HF_EVENT_DNS) {
		m->list[0] = hf_sv_of(addresses[b[2] % 16]);
		m->list[1] = hf_sv_of(addresses[b[3] % 16]);
		hf_event_set_list(e, HF_FIELD_DNS_ADDRESSES, m->list, 2);
		hf_event_set_string(e, HF_FIELD_DNS_NAME, b[7] & 1 ? HF_SV("a.example") : HF_SV("b.example"));
	}
	if (b[7] == 0xff) {
		m->list[0] = HF_SV("network");
		hf_event_set_list(e, HF_FIELD_CONTAINER_HOST_NAMESPACES, m->list, 1);
	}
}

static void check(int e, const struct hf_err *err)
{
	if (e == HF_E_CONFLICT) {
		fprintf(stderr, "%s\n", err->msg);
		abort();
	}
}

static void use(const struct hf_flow_graph *g)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(32));
	struct hf_out out = hf_out_memory(HF_MIB(32));
	struct hf_flow_report report = { .graph = g };
	struct hf_netpol_set policies;
	struct hf_nft_rules rules;
	struct hf_err err = { 0 };
	uint64_t tried;

	if (hf_flow_findings(g, &a, &report.findings, &report.findings_n, &err) == HF_OK) {
		hf_flow_report_table(&report, &out);
		hf_flow_report_dot(&report, &out);
		if (hf_flow_report_json(&report, &out, &err) < 0 && err.code != HF_E_LIMIT)
			abort();
	}
	if (hf_netpol_generate(g, &a, &policies, &err) == HF_OK) {
		check(hf_netpol_prove(g, &policies, &tried, &err), &err);
		hf_netpol_write(&text, g, &policies);
	}
	if (hf_nft_generate(g, &a, &rules, &err) == HF_OK) {
		check(hf_nft_prove(g, &rules, &tried, &err), &err);
		hf_nft_write(&text, g, &rules);
	}
	hf_out_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_flows *f = hf_flows_new();
	struct hf_event *e = hf_malloc(sizeof *e);
	struct hf_flow_graph g;
	struct hf_err err = { 0 };

	if (size > 8 * 60)
		size = 8 * 60;
	for (size_t i = 0; i + 8 <= size; i += 8) {
		struct made m;

		*e = (struct hf_event){ 0 };
		make(data + i, &m, e);
		if (hf_flows_take(f, e, &err) < 0)
			break;
	}
	if (hf_flows_graph(f, &g, &err) == HF_OK)
		use(&g);
	free(e);
	hf_flows_free(f);
	return 0;
}
