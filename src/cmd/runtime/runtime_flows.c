/* runtime flows: who talks to whom, and policies that keep it so. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/output.h"
#include "cmd/log.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_agent.h"
#include "flow/flow_report.h"
#include "flow/flows.h"
#include "flow/nftables.h"
#include "model/report.h"

enum { TRACES_MAX = 64, GATES_MAX = 32 };

enum what { WHAT_TABLE, WHAT_JSON, WHAT_DOT, WHAT_NETPOL, WHAT_NFTABLES, WHAT_UNDO };

struct options {
	const char *traces[TRACES_MAX], *gates[GATES_MAX], *output;
	size_t traces_n, gates_n;
	enum what what;
	struct hf_agent_options agent;
};

struct session {
	struct options o;
	struct hf_flows *flows;
	struct hf_arena arena; /* findings, policies */
	struct hf_flow_graph graph;
	struct hf_flow_report report;
};

static bool is_gate(const char *word)
{
	if (!strcmp(word, "low") || !strcmp(word, "medium") || !strcmp(word, "high") || !strcmp(word, "critical"))
		return true;
	for (int i = 0; i < HF_FLOW_FINDING_KINDS; i++)
		if (!strcmp(word, hf_flow_finding_id((enum hf_flow_finding_kind)i)))
			return true;
	return false;
}

static int read_format(struct options *o, const char *format)
{
	if (!strcmp(format, "table"))
		o->what = WHAT_TABLE;
	else if (!strcmp(format, "json"))
		o->what = WHAT_JSON;
	else if (!strcmp(format, "dot"))
		o->what = WHAT_DOT;
	else
		return hf_command_usage("runtime flows", "--format is table, json or dot, not '%s'", format);
	return 0;
}

static int parse_value(struct options *o, const char *name, const char *value)
{
	if (!strcmp(name, "--format"))
		return read_format(o, value);
	if (!strcmp(name, "-o") || !strcmp(name, "--output")) {
		o->output = value;
		return 0;
	}
	if (!strcmp(name, "--fail-on")) {
		if (!is_gate(value))
			return hf_command_usage("runtime flows", "--fail-on: '%s' is no severity and no finding",
						value);
		if (o->gates_n == GATES_MAX)
			return hf_command_usage("runtime flows", "--fail-on more than %d times", GATES_MAX);
		o->gates[o->gates_n++] = value;
		return 0;
	}
	if (o->traces_n == TRACES_MAX)
		return hf_command_usage("runtime flows", "--replay more than %d times", TRACES_MAX);
	o->traces[o->traces_n++] = value;
	return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const char *const with_value[] = { "--replay", "--format", "--fail-on", "-o", "--output" };

	for (int i = 1; i < argc; i++) {
		bool wants = false;
		int taken = runtime_agent_option(&o->agent, "runtime flows", argc, argv, &i);

		if (taken == 2)
			return 2;
		if (taken)
			continue;
		for (size_t k = 0; k < HF_ARRAY_SIZE(with_value); k++)
			wants |= !strcmp(argv[i], with_value[k]);
		if (!strcmp(argv[i], "--netpol")) {
			o->what = WHAT_NETPOL;
		} else if (!strcmp(argv[i], "--nftables")) {
			o->what = WHAT_NFTABLES;
		} else if (!strcmp(argv[i], "--nftables-undo")) {
			o->what = WHAT_UNDO;
		} else if (!wants) {
			return hf_command_no_option("runtime flows", argv[i]);
		} else if (i + 1 == argc) {
			return hf_command_usage("runtime flows", "%s wants a value", argv[i]);
		} else {
			int status = parse_value(o, argv[i], argv[i + 1]);

			if (status)
				return status;
			i++;
		}
	}
	return 0;
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct session *s = ctx;

	return hf_flows_take(s->flows, e, err);
}

static void print_notes(const struct hf_flow_note *notes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		log_warning("left out: %.*s: %.*s", HF_SV_FMT(notes[i].what), HF_SV_FMT(notes[i].why));
}

static int write_policies(struct session *s, struct hf_buf *text, struct hf_err *err)
{
	struct hf_netpol_set policies;
	struct hf_nft_rules rules;
	uint64_t tried = 0;
	bool netpol = s->o.what == WHAT_NETPOL;
	int e = netpol ? hf_netpol_generate(&s->graph, &s->arena, &policies, err)
		       : hf_nft_generate(&s->graph, &s->arena, &rules, err);

	if (e >= 0)
		e = netpol ? hf_netpol_prove(&s->graph, &policies, &tried, err)
			   : hf_nft_prove(&s->graph, &rules, &tried, err);
	if (e < 0)
		return e;
	if (netpol) {
		hf_netpol_write(text, &s->graph, &policies);
		print_notes(policies.notes, policies.notes_n);
	} else {
		hf_nft_write(text, &s->graph, &rules);
		print_notes(rules.notes, rules.notes_n);
	}
	log_note("replayed: %zu flows and what is none of them, %llu connections in all: used ones pass, others do not",
		 s->graph.flows_n, (unsigned long long)tried);
	return HF_OK;
}

static int write_what(struct session *s, struct hf_out *out, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_REPORT_SIZE_MAX);
	int e = HF_OK;

	switch (s->o.what) {
	case WHAT_TABLE:
		hf_flow_report_table(&s->report, out);
		break;
	case WHAT_JSON:
		e = hf_flow_report_json(&s->report, out, err);
		break;
	case WHAT_DOT:
		hf_flow_report_dot(&s->report, out);
		break;
	case WHAT_NETPOL:
	case WHAT_NFTABLES:
		e = write_policies(s, &text, err);
		break;
	case WHAT_UNDO:
		hf_nft_write_undo(&text);
		break;
	}
	if (e >= 0 && text.over)
		e = hf_fail(err, HF_E_LIMIT, "the policies are too long");
	hf_out_add(out, hf_buf_view(&text));
	return e < 0 ? e : hf_out_flush(out, err);
}

static bool gate_fails(const struct session *s)
{
	for (size_t i = 0; i < s->report.findings_n; i++) {
		const struct hf_flow_finding *f = &s->report.findings[i];

		for (size_t k = 0; k < s->o.gates_n; k++) {
			enum hf_severity least = hf_severity_of(hf_sv_of(s->o.gates[k]));

			if (least != HF_SEV_UNKNOWN ? hf_flow_finding_severity(f->kind) >= least
						    : !strcmp(s->o.gates[k], hf_flow_finding_id(f->kind)))
				return true;
		}
	}
	return false;
}

static int work(struct session *s, struct hf_err *err)
{
	hf_cleanup(hf_output_abort) struct hf_output output = { .fd = -1 };
	int e = HF_OK;

	for (size_t i = 0; e >= 0 && i < s->o.traces_n; i++)
		e = replay_record(s->o.traces[i], &(struct hf_event_sink){ take, s }, NULL, err);
	if (!s->o.traces_n && s->o.what != WHAT_UNDO) {
		s->o.agent.rules_off = true;
		e = runtime_agent_observe(&s->o.agent, (struct hf_event_sink){ take, s }, "recording who talks to whom",
					  err);
	}
	if (e >= 0)
		e = hf_flows_graph(s->flows, &s->graph, err);
	s->report.graph = &s->graph;
	if (e >= 0)
		e = hf_flow_findings(&s->graph, &s->arena, &s->report.findings, &s->report.findings_n, err);
	if (e >= 0)
		e = hf_output_open(&output, s->o.output, err);
	if (e < 0)
		return e;
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(output.fd);

	e = write_what(s, &out, err);
	return e < 0 ? e : hf_output_commit(&output, err);
}

static int run(int argc, char **argv)
{
	struct session s = { .arena = HF_ARENA(2 * HF_FLOWS_ARENA_MAX) };
	struct hf_err err = { 0 };
	int status = parse(&s.o, argc, argv);

	if (status)
		return status;
	s.flows = hf_flows_new();
	if (work(&s, &err) < 0)
		status = hf_command_fail(&err);
	else if (gate_fails(&s))
		status = 1;
	hf_flows_free(s.flows);
	hf_arena_done(&s.arena);
	return status;
}

const struct hf_command hf_runtime_flows = {
	.name = "flows",
	.summary = "who talks to whom, and network policies that keep it so",
	.usage =
		"[--for SECONDS | --replay TRACE...] [OPTIONS]\n\n"
		"Of what happens from now on until Ctrl-C, or of a record.\n" RUNTIME_AGENT_USAGE
		"  --replay TRACE            what 'holdfast runtime watch --format json' wrote; '-' is standard input; "
		"repeatable\n"
		"  --format table|json|dot   how flows and findings are written (table)\n"
		"  --netpol                  write Kubernetes NetworkPolicies instead: used flows stay open, the rest "
		"is closed\n"
		"  --nftables                write a script for nft -f instead, for containers without Kubernetes\n"
		"  --nftables-undo           write the script that removes those rules\n"
		"  --fail-on RULE            exit 1 where there is a finding this bad: low|medium|high|critical\n"
		"                            or of this id, as front_end_reaches_database; repeatable\n"
		"  -o, --output FILE         write there instead of standard output\n\n"
		"Policies are replayed against the flows before they are given out; a contradiction is named and "
		"exits 2.",
	.run = run,
};
