/* kube reach: who can talk to whom. */
#include <stdio.h>

#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_items.h"
#include "cmd/kube/kube_reach_run.h"
#include "reach/report.h"
#include "reach/write.h"

enum question { CONNECTIONS, EXPLAIN, EXPOSURE, LATERAL, FINDINGS, DIFF };

struct reach_command {
	enum question question;
	const char *from, *to;
	struct hf_reach_port port;
	unsigned hops;
	bool fail_on_new, fail_on_findings;
};

static const char *const formats[] = { "table", "text", "json", "dot", "svg" };

static bool is_format(const struct kube_run *k, const char *name)
{
	return k->format && !strcmp(k->format, name);
}

static int find(const struct hf_reach *r, const char *name, bool source, struct hf_reach_end *ret, struct hf_err *err)
{
	if (hf_reach_find(r, hf_sv_of(name), source, ret))
		return HF_OK;
	return hf_fail(err, HF_E_USAGE,
		       "%s: no workload of this name, or several: NAMESPACE/NAME[KIND] as the list has it, an IPv4 "
		       "address, or ingress-controller",
		       name);
}

static int too_long(const struct hf_reach *r, struct hf_err *err)
{
	return hf_fail(err, HF_E_LIMIT,
		       "too many connections between %zu workloads to be listed: --exposure, --findings and "
		       "--explain tell of them",
		       r->workloads.n);
}

static void write_table(struct hf_reach *r, int width, struct hf_out *out)
{
	size_t n = 0;

	hf_reach_write_table(r, width, out);
	const struct hf_reach_finding *list = hf_reach_findings(r, &n);
	if (n)
		hf_out_add(out, HF_SV("\nFINDINGS\n"));
	hf_reach_write_findings(r, list, n, false, out);
}

static int connections(const struct kube_run *k, struct hf_reach *r, struct hf_out *out, struct hf_err *err)
{
	if (is_format(k, "json"))
		hf_reach_write_json(r, out);
	else if (is_format(k, "dot"))
		hf_reach_write_dot(r, out);
	else if (is_format(k, "svg"))
		return hf_reach_write_svg(r, out)
			       ? HF_OK
			       : hf_fail(err, HF_E_LIMIT, "too many namespaces for a picture: --format dot");
	else
		write_table(r, 0, out);
	return hf_reach_too_long(out) ? too_long(r, err) : HF_OK;
}

/* Lines of JSON are put together to one; those that are a connection end with a comma, but for the last. */
static void add_json_line(const struct kube_run *k, hf_sv line, struct hf_out *out)
{
	line = hf_sv_trim(line);
	if (!hf_sv_starts(line, HF_SV("{ "))) {
		hf_out_add(out, line);
		return;
	}
	bool more = hf_sv_ends(line, HF_SV(","));
	kube_item_begin(k, out);
	hf_out_add(out, hf_sv_first(line, line.len - more));
	kube_item_end(k, out);
	hf_out_add(out, more ? HF_SV(",") : HF_SV(""));
}

/* --watch: what connections() writes, of which each connection and each finding is marked. */
static int marked_connections(const struct kube_run *k, struct hf_reach *r, struct hf_out *out, struct hf_err *err)
{
	enum { WIDTH = 40 }; /* whatever comes and goes: the lines that stay are to stay as they are */
	hf_cleanup(hf_out_done) struct hf_out text = hf_out_memory(HF_REPORT_SIZE_MAX);
	bool json = is_format(k, "json"), head = true;
	hf_sv line;

	if (json)
		hf_reach_write_json(r, &text);
	else
		write_table(r, WIDTH, &text);
	if (text.buf.over || hf_reach_too_long(&text))
		return too_long(r, err);
	for (hf_sv rest = hf_buf_view(&text.buf); hf_sv_next(&rest, '\n', &line); head = false) {
		bool item = !head && line.len && !hf_sv_eq(line, HF_SV("FINDINGS"));
		if (json) {
			add_json_line(k, line, out);
			continue;
		}
		if (item)
			kube_item_begin(k, out);
		hf_out_add(out, line);
		hf_out_add(out, HF_SV("\n"));
		if (item)
			kube_item_end(k, out);
	}
	if (json)
		hf_out_add(out, HF_SV("\n"));
	return HF_OK;
}

static int report(const struct kube_run *k, const struct reach_command *c, struct hf_reach *r, struct hf_out *out,
		  struct hf_err *err)
{
	struct hf_reach_end from = { 0 }, to = { 0 };
	bool json = is_format(k, "json");
	int status = HF_OK;

	if (c->from && (status = find(r, c->from, true, &from, err)) < 0)
		return status;
	if (c->to && (status = find(r, c->to, false, &to, err)) < 0)
		return status;
	bool asked_of = to.kind == HF_REACH_WORKLOAD || (to.kind == HF_REACH_SPAN && from.kind == HF_REACH_WORKLOAD);
	if (c->question == EXPLAIN && !asked_of)
		return hf_fail(err, HF_E_USAGE,
			       "%s -> %s: nothing decides on it here: one end has to be a workload, and "
			       "ingress-controller only sends",
			       c->from, c->to);
	switch (c->question) {
	case CONNECTIONS:
		return k->items ? marked_connections(k, r, out, err) : connections(k, r, out, err);
	case EXPLAIN:
		hf_reach_explain(r, from, to, c->port, json, out);
		break;
	case EXPOSURE:
		hf_reach_exposure(r, json, out);
		break;
	case LATERAL:
		if (from.kind != HF_REACH_WORKLOAD)
			return hf_fail(err, HF_E_USAGE, "%s is no workload", c->from);
		hf_reach_lateral(r, from, c->hops, json, out);
		break;
	case FINDINGS: {
		size_t n;
		const struct hf_reach_finding *list = hf_reach_findings(r, &n);
		hf_reach_write_findings(r, list, n, json, out);
		break;
	}
	case DIFF:
		break;
	}
	return HF_OK;
}

/* The gate is asked whatever is printed. */
static int answer(const struct kube_run *k, const struct reach_command *c, struct hf_reach *r, struct hf_out *out,
		  struct hf_err *err)
{
	size_t n = 0;
	int status = report(k, c, r, out, err);

	if (status >= 0 && c->fail_on_findings)
		hf_reach_findings(r, &n);
	return status < 0 ? status : n ? KUBE_GATE_FAILED : 0;
}

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	int bits = 0;
	struct hf_reach *r = kube_reach_model(sets[0], a, &bits, err);
	int status = r ? answer(k, ctx, r, out, err) : err->code;

	(void)n;
	return status < 0 ? status : bits | status;
}

static bool next_two(struct kube_run *k, struct reach_command *c, int argc, char **argv, int *i)
{
	c->from = kube_run_value(k, argc, argv, i);
	c->to = c->from ? kube_run_value(k, argc, argv, i) : NULL;
	return c->to != NULL;
}

/* As kube_run_option. */
static int own_option(struct kube_run *k, struct reach_command *c, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *value;
	uint64_t n;

	if (!strcmp(arg, "--explain")) {
		c->question = EXPLAIN;
		return next_two(k, c, argc, argv, i) ? 1 : -1;
	}
	if (!strcmp(arg, "--from")) {
		c->question = LATERAL;
		return (c->from = kube_run_value(k, argc, argv, i)) ? 1 : -1;
	}
	if (!strcmp(arg, "--port")) {
		value = kube_run_value(k, argc, argv, i);
		if (value && !hf_reach_port_of(hf_sv_of(value), &c->port))
			hf_command_usage(k->command, "%s is no port such as 80 or 53/UDP", value);
		return c->port.set && c->port.port ? 1 : -1;
	}
	if (!strcmp(arg, "--hops")) {
		value = kube_run_value(k, argc, argv, i);
		if (value && hf_sv_to_u64(hf_sv_of(value), &n) && n && n < 1000000) {
			c->hops = (unsigned)n;
			return 1;
		}
		if (value)
			hf_command_usage(k->command, "%s is no number of hops", value);
		return -1;
	}
	if (!strcmp(arg, "--exposure"))
		c->question = EXPOSURE;
	else if (!strcmp(arg, "--findings"))
		c->question = FINDINGS;
	else if (!strcmp(arg, "--diff"))
		c->question = DIFF;
	else if (!strcmp(arg, "--fail-on-new"))
		c->fail_on_new = true;
	else if (!strcmp(arg, "--fail-on-findings"))
		c->fail_on_findings = true;
	else
		return 0;
	return 1;
}

static bool known_format(const struct kube_run *k, const struct reach_command *c)
{
	size_t n = c->question == CONNECTIONS ? HF_ARRAY_SIZE(formats) : 3;

	for (size_t i = 0; i < n; i++)
		if (!k->format || !strcmp(k->format, formats[i]))
			return true;
	return false;
}

/* An option that would change nothing is a mistake, and a gate that is not asked would seem to have passed. */
static const char *misplaced(const struct reach_command *c)
{
	if (c->port.set && c->question != EXPLAIN)
		return "--port goes with --explain";
	if (c->hops && c->question != LATERAL)
		return "--hops goes with --from";
	if (c->fail_on_new && c->question != DIFF)
		return "--fail-on-new goes with --diff";
	if (c->fail_on_findings && c->question == DIFF)
		return "--fail-on-findings does not go with --diff";
	return NULL;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube reach" };
	struct reach_command c = { 0 };

	for (int i = 1; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (!taken)
			taken = own_option(&k, &c, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (!taken && argv[i][0] == '-' && argv[i][1])
			return hf_command_no_option(k.command, argv[i]);
		if (!taken)
			kube_run_target(&k, argv[i]);
	}
	if (misplaced(&c))
		return hf_command_usage(k.command, "%s", misplaced(&c));
	if (!known_format(&k, &c))
		return hf_command_usage(k.command, "no such format here: %s (table, text, json; connections: dot, svg)",
					k.format);
	if (c.question == CONNECTIONS)
		k.watch_schema = "holdfast/reach-change/1";
	if (c.question != DIFF)
		return kube_run(&k, evaluate, &c);
	k.one_set_each = true;
	return k.targets_n == 2 ? kube_run(&k, kube_reach_diff, &c.fail_on_new)
				: hf_command_usage(k.command, "--diff takes two targets: OLD and NEW");
}

const struct hf_command hf_kube_reach = {
	.name = "reach",
	.summary = "who can talk to whom, by all policies of the cluster",
	.usage = "[OPTIONS] TARGET...\n"
		 "       holdfast kube reach --diff OLD NEW\n\n"
		 "  --explain FROM TO    which policies and rules open or close this pair, and why\n"
		 "  --port PORT[/PROTO]  with --explain: of this port alone (80, 53/UDP)\n"
		 "  --exposure           for each workload: what of the internet and of any pod reaches it and is "
		 "reached by it\n"
		 "  --from WORKLOAD      how far one gets from this workload, and by which path\n"
		 "  --hops N             with --from: at most N steps\n"
		 "  --findings           front ends that reach a database which they do not name (the table ends with "
		 "them too)\n"
		 "  --fail-on-findings   exit 1 where there are any\n"
		 "  --diff               what changed between two states\n"
		 "  --fail-on-new        exit 1 where something is open that was not\n" KUBE_WATCH_USAGE KUBE_RUN_USAGE(
			 "table|text|json|dot|svg") "dot and svg are of connections alone.\n",
	.run = run,
};
