/* What this node can see. */
#include "sensor/sensor_internal.h"

#include <stdio.h>

struct ladder {
	struct hf_sensor_rung *rungs;
	size_t n, max;
};

static void rung(struct ladder *l, const char *sees, const char *by, bool works, const char *why)
{
	if (l->n < l->max) {
		struct hf_sensor_rung *r = &l->rungs[l->n];

		snprintf(r->sees, sizeof r->sees, "%.*s", (int)sizeof r->sees - 1, sees);
		snprintf(r->by, sizeof r->by, "%.*s", (int)sizeof r->by - 1, by);
		snprintf(r->why, sizeof r->why, "%.*s", (int)sizeof r->why - 1, why);
		r->works = works;
	}
	l->n++;
}

static void hierarchy(struct ladder *l, const struct hf_hierarchy *h)
{
	char by[48], why[160];

	snprintf(by, sizeof by, hf_hierarchy_is_v1(h) ? "cgroup v1, %s" : "cgroup v2", h->controller);
	snprintf(why, sizeof why, "%.*s%s", 60, h->point,
		 hf_hierarchy_is_v1(h)
			 ? "; no answers of name servers, no accepted connections, no denial of connections"
			 : "");
	rung(l, "which container it is", by, true, why);
}

static void programs(struct ladder *l)
{
	struct hf_kernel *k = NULL;
	struct hf_err err = { 0 };
	size_t n = 0;

	if (hf_kernel_open(&(struct hf_kernel_options){ .ring_control_bytes = 4096, .ring_bulk_bytes = 4096 }, &k,
			   &err) < 0) {
		rung(l, "executions, sockets, capabilities", "BPF", false, err.msg);
		return;
	}
	hierarchy(l, hf_kernel_hierarchy(k));
	const struct hf_kernel_program *p = hf_kernel_programs(k, &n);
	for (size_t i = 0; i < n; i++)
		rung(l, p[i].sees, p[i].section, p[i].works, p[i].why);
	hf_kernel_close(k);
}

static struct hf_feed_process nobody(void *ctx, uint32_t pid, uint64_t time_ns)
{
	(void)ctx;
	(void)pid;
	(void)time_ns;
	return (struct hf_feed_process){ .unwanted = true };
}

static int nothing(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	(void)ctx;
	(void)e;
	(void)err;
	return 0;
}

static void uncounted(void *ctx, enum hf_event_kind kind, uint64_t cgroup_id, enum hf_fate fate, uint64_t n)
{
	(void)ctx;
	(void)kind;
	(void)cgroup_id;
	(void)fate;
	(void)n;
}

size_t hf_sensor_probe(struct hf_sensor_rung *rungs, size_t max)
{
	const struct hf_feed feed = { .process = nobody, .take = nothing, .count = uncounted };
	struct ladder l = { rungs, 0, max };
	struct hf_perf *perf = NULL;
	struct hf_files *files = NULL;
	struct hf_connector *connector = NULL;
	struct hf_reconcile *reconcile = NULL;
	struct hf_err err = { 0 };

	programs(&l);
	bool ok = hf_perf_open(&(struct hf_perf_options){ .ring_bytes = 65536 }, &feed, &perf, &err) >= 0;
	rung(&l, "mapped files, namespaces, BPF loads", "perf sideband", ok,
	     ok ? "told of up to 100 ms later" : err.msg);
	err = (struct hf_err){ 0 };
	ok = hf_files_open(&(struct hf_files_options){ .known_max = 64 }, &feed, &files, &err) >= 0;
	rung(&l, "files", "fanotify", ok,
	     ok ? "not the first milliseconds of a container; not volumes, but for chosen files" : err.msg);
	err = (struct hf_err){ 0 };
	ok = hf_connector_open(&(struct hf_connector_options){ 0 }, &feed, 200, &connector, &err) >= 0;
	rung(&l, "ptrace", "process connector", ok, ok ? "" : err.msg);
	err = (struct hf_err){ 0 };
	ok = hf_reconcile_open(&(struct hf_reconcile_options){ 0 }, &feed, &reconcile, &err) >= 0;
	rung(&l, "what ran before", "walk through /proc", ok, ok ? "at the start and each 60 s" : err.msg);
	if (reconcile)
		hf_reconcile_close(reconcile);
	if (connector)
		hf_connector_close(connector);
	if (files)
		hf_files_close(files);
	if (perf)
		hf_perf_close(perf);
	return l.n < max ? l.n : max;
}
