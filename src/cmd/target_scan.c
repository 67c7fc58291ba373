#include "cmd/target_scan.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "catalog/inventory.h"
#include "cmd/log.h"
#include "finding/image.h"
#include "match/match.h"
#include "source/source.h"

static const uint64_t WORKER_DATA_MAX = HF_GIB(2);

static int enter_jail(const struct target_scan *t, struct hf_err *err)
{
	int fds[TARGET_GRANTS_MAX + 1], database = -1;
	size_t n = hf_source_grants(t->source, fds, TARGET_GRANTS_MAX);

	if (t->options->no_jail)
		return HF_OK;
	if (t->database) {
		database = open(t->database, O_PATH | O_CLOEXEC);
		if (database >= 0)
			fds[n++] = database;
	}
	struct hf_jail_options o = { .read_fds = fds,
				     .read_fds_n = n,
				     .data_max = WORKER_DATA_MAX,
				     .output_max = HF_REPORT_SIZE_MAX,
				     .require = t->options->require_jail };
#if defined(__SANITIZE_ADDRESS__) || defined(HF_SANITIZED)
	o.data_max = 0;
#endif
	int r = hf_jail_enter(&o, err);
	if (database >= 0)
		close(database);
	if (r == HF_PARTIAL)
		log_warning("this kernel has no Landlock; the worker is held by seccomp alone (--require-jail refuses "
			    "that)");
	return r < 0 ? r : HF_OK;
}

static struct hf_layer_report *layer_reports(struct hf_scan_report *r, const struct hf_inventory *inv,
					     struct hf_arena *a)
{
	struct hf_layer_report *layers = hf_arena_array(a, struct hf_layer_report, inv->layers_n);

	for (size_t i = 0; layers && i < inv->layers_n; i++) {
		const struct hf_layer_changes *c = &inv->layers[i];
		layers[i] = (struct hf_layer_report){
			.layer = r->artifact->layers[i],
			.files_n = c->files_n,
			.content_size = c->content_size,
			.added = c->added,
			.added_n = c->added_n,
			.changed = c->changed,
			.changed_n = c->changed_n,
			.removed = c->removed,
			.removed_n = c->removed_n,
		};
	}
	r->layers = layers;
	r->layers_n = layers && r->artifact->is_image ? inv->layers_n : 0;
	return layers;
}

static void copy_unparsed(struct hf_scan_report *r, const struct hf_inventory *inv, struct hf_arena *a)
{
	struct hf_unparsed *list = hf_arena_array(a, struct hf_unparsed, inv->unparsed_n);

	for (size_t i = 0; list && i < inv->unparsed_n; i++)
		list[i] = (struct hf_unparsed){ inv->unparsed[i].path, inv->unparsed[i].reason,
						r->artifact->is_image ? inv->unparsed[i].layer : -1 };
	r->unparsed = list;
	r->unparsed_n = list ? inv->unparsed_n : 0;
}

static hf_sv date_of(struct hf_arena *a, int64_t seconds)
{
	struct tm tm;
	time_t t = (time_t)seconds;

	return gmtime_r(&t, &tm) ? hf_arena_fmt(a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday)
				 : (hf_sv){ 0 };
}

struct matched {
	struct hf_database *database;
	struct hf_match_result result;
};

static int match(const struct target_scan *t, struct hf_scan_report *r, struct hf_arena *a, struct matched *m,
		 struct hf_err *err)
{
	int q = t->database ? hf_database_open(t->database, &m->database, err)
			    : hf_database_landmarks(&m->database, err);

	if (q < 0)
		return q;
	struct hf_match_input in = {
		.os = &r->os,
		.packages = r->packages,
		.packages_n = r->packages_n,
		.database = m->database,
		.today = date_of(a, t->source_date_epoch >= 0 ? t->source_date_epoch : t->now),
	};
	q = hf_match(&in, a, &m->result, err);
	if (q < 0)
		return q;
	r->end_of_life = m->result.end_of_life;
	r->supported = m->result.supported;
	r->database = m->result.database;
	r->vulnerabilities = m->result.vulnerabilities;
	r->vulnerabilities_n = m->result.vulnerabilities_n;
	r->undecided = m->result.undecided;
	r->undecided_n = m->result.undecided_n;
	return HF_OK;
}

/* What the source had to say, then what matching had to say. */
static void join_notes(struct hf_scan_report *r, const struct hf_match_result *m, struct hf_arena *a)
{
	size_t n = r->artifact->notes_n + m->notes_n, at = 0;
	hf_sv *notes = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; notes && i < r->artifact->notes_n; i++)
		notes[at++] = r->artifact->notes[i];
	for (size_t i = 0; notes && i < m->notes_n; i++)
		notes[at++] = m->notes[i];
	r->notes = notes;
	r->notes_n = at;
}

static int render(const struct target_scan *t, const struct hf_scan_report *r, struct hf_err *err)
{
	const struct target_options *o = t->options;
	const struct hf_report_format *format = hf_report_format_named(hf_sv_of(o->format), o->kind, err);
	struct hf_report_options ro = {
		.filter = o->filter,
		.colour = t->colour,
		.verbose = log_shows(LOG_DEBUG),
		.width = t->width,
		.source_date_epoch = t->source_date_epoch,
		.now = t->now,
	};
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(t->out_fd);

	return format ? format->write(r, &ro, &out, err) : HF_E_USAGE;
}

static int gates(const struct target_options *o, const struct hf_scan_report *r)
{
	if (!o->gates_n)
		return 0;
	struct hf_gate_result g = hf_gate_evaluate(o->gates, o->gates_n, &o->filter, r);
	if (g.failed)
		log_note("gate failed: --fail-on %.*s: %llu finding%s %.*s", HF_SV_FMT(o->gates[g.gate].text),
			 (unsigned long long)g.findings, g.findings == 1 ? "," : "s, the first is",
			 HF_SV_FMT(g.example));
	return g.failed ? TARGET_GATE_FAILED : 0;
}

static int report_on(const struct target_scan *t, const struct hf_inventory *inv, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	struct hf_scan_report r = {
		.artifact = hf_source_artifact(t->source),
		.os = inv->os,
		.supported = -1,
		.packages = inv->packages,
		.packages_n = inv->packages_n,
		.files_n = inv->files_n,
		.content_size = inv->content_size,
	};
	struct hf_image_facts facts = { inv->has_database, inv->database_removed_in, inv->database_path,
					inv->executables_n };
	struct matched m = { 0 };
	int q = HF_OK;

	struct hf_layer_report *layers = layer_reports(&r, inv, &a);
	copy_unparsed(&r, inv, &a);
	if (t->options->match)
		q = match(t, &r, &a, &m, err);
	if (q >= 0 && layers) {
		hf_image_roles(&r, layers, &a);
		if (t->options->match)
			hf_image_patch_levels(&r, layers, m.result.patch_dates);
		hf_image_findings(&r, &facts, &a);
		join_notes(&r, &m.result, &a);
		q = a.over ? hf_fail(err, HF_E_LIMIT, "the report needs more than %zu bytes of memory", a.cap)
			   : render(t, &r, err);
	}
	if (q >= 0)
		q = gates(t->options, &r);
	hf_database_close(m.database);
	return q;
}

int target_scan_run(void *ctx, const struct hf_worker *worker, struct hf_err *err)
{
	const struct target_scan *t = ctx;
	struct hf_inventory inv = { 0 };
	int r = enter_jail(t, err);

	if (r < 0)
		return r;
	r = hf_source_read(t->source, err);
	if (r < 0)
		return r;
	struct hf_inventory_options o = { .jobs = t->options->jobs, .worker = worker };
	int partial = hf_inventory_read(t->source, &o, &inv, err);
	r = partial < 0 ? partial : report_on(t, &inv, err);
	hf_inventory_done(&inv);
	if (r >= 0 && partial == HF_PARTIAL)
		r |= TARGET_PARTIAL;
	return r;
}
