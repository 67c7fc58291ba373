#include "cmd/kube/kube_check_write.h"

#include <stdlib.h>

#include "cmd/kube/kube_items.h"
#include "format/json_writer.h"
#include "kube/place.h"
#include "report/report.h"

enum {
	SHOWN_AT_ONCE = 20 /* findings; with more a reader is told where to begin */
};

static const char *const formats[] = { "table", "json", "sarif" };

bool kube_check_format_known(const char *format)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		if (!strcmp(format, formats[i]))
			return true;
	return false;
}

struct writer {
	const struct kube_run *run;
	const struct kube_check_options *options;
	const struct hf_kube_objects *set;
	const struct hf_check_report *report;
	struct hf_arena *arena;
	struct hf_out *out;
	struct hf_json_writer w;
};

static bool is_shown(const struct writer *w, enum hf_severity severity)
{
	bool any = false;

	for (unsigned i = 0; i < HF_SEV_MAX; i++)
		any |= w->options->shows[i];
	return !any || w->options->shows[severity];
}

static hf_sv name_of(const struct writer *w, const struct hf_check_result *r)
{
	const struct hf_kube_object *o = r->object;
	const char *slash = r->cluster.len ? "/" : "";

	if (!o)
		return r->cluster.len ? r->cluster : HF_SV("(cluster)");
	return hf_arena_fmt(w->arena, "%.*s%s%.*s%s%.*s/%.*s", HF_SV_FMT(r->cluster), slash, HF_SV_FMT(o->namespace),
			    o->namespace.len ? "/" : "", HF_SV_FMT(o->kind_name), HF_SV_FMT(o->name));
}

static uint32_t line_of(const struct hf_check_result *r)
{
	return r->object ? hf_kube_line(r->object, r->at) : 0;
}

static const char *severity_of(const struct hf_check_result *r)
{
	return r->status == HF_CHECK_FAIL ? hf_severity_name(r->check->severity) : "unknown";
}

/* The object, what is said of it, and where. */
static void table_result(struct writer *w, const struct hf_check_result *r)
{
	hf_sv name = hf_arena_printable(w->arena, name_of(w, r)), message = hf_arena_printable(w->arena, r->message);

	hf_out_addf(w->out, "          %.*s", HF_SV_FMT(name));
	if (r->container.len) {
		hf_sv container = hf_arena_printable(w->arena, r->container);
		hf_out_addf(w->out, ", container %.*s", HF_SV_FMT(container));
	}
	hf_out_addf(w->out, ": %.*s", HF_SV_FMT(message));
	if (line_of(r)) {
		hf_sv source = hf_arena_printable(w->arena, r->object->source->name);
		hf_sv template = hf_arena_printable(w->arena, hf_kube_template(r->object));
		hf_out_addf(w->out, " (%.*s:%u%s%.*s)", HF_SV_FMT(source), line_of(r), template.len ? ", of " : "",
			    HF_SV_FMT(template));
	}
	hf_out_add(w->out, HF_SV("\n"));
}

/* A finding that stands for itself; @mark in front of it. */
static void table_row(struct writer *w, const struct hf_check_result *r, const char *mark)
{
	kube_item_begin(w->run, w->out);
	hf_out_addf(w->out, "%s%-8s  %s  %s\n", mark, severity_of(r), r->check->id, r->check->title);
	table_result(w, r);
	hf_out_addf(w->out, "          fix: %s\n", r->check->fix);
	kube_item_end(w->run, w->out);
}

/* By cluster, then as the input has their objects; those of one object keep their order (qsort of glibc is a merge sort). */
static int by_place(const struct hf_check_result *x, const struct hf_check_result *y)
{
	int64_t p = x->object ? (int64_t)x->object->order : -1, q = y->object ? (int64_t)y->object->order : -1;
	int order = hf_sv_cmp(x->cluster, y->cluster);

	return order ? order : (p > q) - (p < q);
}

/* Failures before what is not known, the worst first; of one check in the order of the report. */
static int worst_first(const void *a, const void *b)
{
	const struct hf_check_result *x = *(const struct hf_check_result *const *)a;
	const struct hf_check_result *y = *(const struct hf_check_result *const *)b;

	if (x->status != y->status)
		return x->status == HF_CHECK_FAIL ? -1 : 1;
	if (x->check->severity != y->check->severity)
		return x->check->severity > y->check->severity ? -1 : 1;
	int order = strcmp(x->check->id, y->check->id);
	return order ? order : by_place(x, y);
}

/* The findings of one check below its title. */
static void table_group(struct writer *w, const struct hf_check_result *const *list, size_t n)
{
	const struct hf_check *c = list[0]->check;

	hf_out_addf(w->out, "%-8s  %s  %s", severity_of(list[0]), c->id, c->title);
	hf_out_addf(w->out, n > 1 ? " (%zu)\n" : "\n", n);
	for (size_t i = 0; i < n; i++)
		table_result(w, list[i]);
	if (list[0]->status == HF_CHECK_FAIL)
		hf_out_addf(w->out, "          fix: %s\n", c->fix);
}

static void table_groups(struct writer *w, const struct hf_check_result **list, size_t n)
{
	qsort(list, n, sizeof *list, worst_first);
	for (size_t i = 0, of; i < n; i += of) {
		for (of = 1; i + of < n && list[i + of]->check == list[i]->check; of++)
			if (list[i + of]->status != list[i]->status)
				break;
		table_group(w, list + i, of);
	}
}

/* What is wrong with one object, in numbers. */
struct tally {
	const struct hf_check_result *first;
	size_t by_severity[HF_SEV_MAX], mended;
};

static int by_object(const void *a, const void *b)
{
	const struct hf_check_result *x = *(const struct hf_check_result *const *)a;
	const struct hf_check_result *y = *(const struct hf_check_result *const *)b;
	uintptr_t p = (uintptr_t)x->object, q = (uintptr_t)y->object;

	if (p != q)
		return p < q ? -1 : 1;
	return hf_sv_cmp(x->cluster, y->cluster);
}

static int worst_object_first(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	for (unsigned s = HF_SEV_MAX; s-- > 0;)
		if (x->by_severity[s] != y->by_severity[s])
			return x->by_severity[s] > y->by_severity[s] ? -1 : 1;
	return by_place(x->first, y->first);
}

/* --summary: a line an object. */
static void table_objects(struct writer *w, const struct hf_check_result **list, size_t n)
{
	struct tally *tallies = hf_arena_array(w->arena, struct tally, n), *t = NULL;

	if (!tallies || !n)
		return;
	qsort(list, n, sizeof *list, by_object);
	for (size_t i = 0; i < n; i++) {
		if (!t || t->first->object != list[i]->object || !hf_sv_eq(t->first->cluster, list[i]->cluster)) {
			t = t ? t + 1 : tallies;
			t->first = list[i];
		}
		t->by_severity[list[i]->check->severity]++;
		t->mended += hf_check_is_safe(list[i]);
	}
	qsort(tallies, (size_t)(t - tallies) + 1, sizeof *tallies, worst_object_first);
	hf_out_addf(w->out, "%8s %6s %6s %6s %6s  %s\n", "CRITICAL", "HIGH", "MEDIUM", "LOW", "--fix", "OBJECT");
	for (const struct tally *row = tallies; row <= t; row++) {
		hf_sv name = hf_arena_printable(w->arena, name_of(w, row->first));
		const size_t *of = row->by_severity;
		hf_out_addf(w->out, "%8zu %6zu %6zu %6zu %6zu  %.*s\n", of[HF_SEV_CRITICAL], of[HF_SEV_HIGH],
			    of[HF_SEV_MEDIUM], of[HF_SEV_LOW], row->mended, HF_SV_FMT(name));
	}
}

static void table_counts(struct writer *w)
{
	hf_out_addf(w->out, "\n%-12s %-34s %6s %6s %6s %6s\n", "CHECK", "NAME", "PASS", "FAIL", "N/A", "?");
	for (size_t i = 0; i < w->report->checks_n; i++) {
		const struct hf_check_counts *c = &w->report->counts[i];
		hf_out_addf(w->out, "%-12s %-34s %6zu %6zu %6zu %6zu\n", w->report->checks[i]->id,
			    w->report->checks[i]->name, c->of[HF_CHECK_PASS], c->of[HF_CHECK_FAIL],
			    c->of[HF_CHECK_NOT_APPLICABLE], c->of[HF_CHECK_NOT_ASSESSABLE]);
	}
}

/* With --watch each finding stands for itself: it comes and goes alone. */
static void table_findings(struct writer *w, const struct hf_check_result **list, size_t n)
{
	if (w->options->summary)
		table_objects(w, list, n);
	else if (!w->run->items)
		table_groups(w, list, n);
	else
		for (size_t i = 0; i < n; i++)
			table_row(w, list[i], "");
}

static void table(struct writer *w)
{
	size_t by_severity[HF_SEV_MAX] = { 0 }, failed = 0, unknown = 0, clean = 0, safe = 0, n = 0;
	const struct hf_check_result **list =
		hf_arena_array(w->arena, const struct hf_check_result *, w->report->results_n);
	bool all = w->options->all && !w->options->summary;

	for (size_t i = 0; list && i < w->report->results_n; i++) {
		const struct hf_check_result *r = hf_check_result_at(w->report, i);
		bool fail = r->status == HF_CHECK_FAIL;
		if (!is_shown(w, r->check->severity))
			continue;
		failed += fail;
		unknown += !fail;
		by_severity[r->check->severity] += fail;
		safe += hf_check_is_safe(r);
		if (fail || all)
			list[n++] = r;
	}
	table_findings(w, list, n);
	for (size_t i = 0; i < w->report->checks_n; i++)
		clean += !w->report->counts[i].of[HF_CHECK_FAIL] && w->report->counts[i].of[HF_CHECK_PASS];
	if (w->options->all)
		table_counts(w);
	hf_out_addf(w->out,
		    "%zu object%s, %zu check%s: %zu finding%s (%zu critical, %zu high, %zu medium, %zu low); "
		    "%zu check%s pass%s, %zu answer%s need%s data that is not here%s\n",
		    HF_COUNTED(w->set->n), HF_COUNTED(w->report->checks_n), HF_COUNTED(failed),
		    by_severity[HF_SEV_CRITICAL], by_severity[HF_SEV_HIGH], by_severity[HF_SEV_MEDIUM],
		    by_severity[HF_SEV_LOW], HF_COUNTED(clean), clean == 1 ? "es" : "", HF_COUNTED(unknown),
		    unknown == 1 ? "s" : "", unknown && !all ? " (--all shows them)" : "");
	if (safe)
		hf_out_addf(w->out, "%zu of the findings can be mended safely: --fix --dry-run shows how\n", safe);
	if (failed > SHOWN_AT_ONCE && !w->options->summary)
		hf_out_addf(w->out,
			    "Where to begin: --summary has a line an object, --severity critical,high the worst\n");
}

static void references(struct hf_json_writer *w, const struct hf_check *c)
{
	hf_sv rest = hf_sv_of(c->references), id;

	hf_jw_key(w, "references");
	hf_jw_array(w);
	while (hf_sv_next(&rest, ' ', &id))
		if (id.len)
			hf_jw_string(w, id);
	hf_jw_array_end(w);
}

static void json_patches(struct hf_json_writer *w, const struct hf_check_result *r)
{
	if (!r->patches_n)
		return;
	hf_jw_key(w, "patch");
	hf_jw_array(w);
	for (size_t i = 0; i < r->patches_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "op", hf_sv_of(r->patches[i].op));
		hf_jw_kv(w, "path", r->patches[i].pointer);
		if (r->patches[i].json.len) {
			hf_jw_key(w, "value");
			hf_jw_literal(w, r->patches[i].json);
		}
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_kv_bool(w, "safe", hf_check_is_safe(r));
}

static void json_result(struct writer *w, const struct hf_check_result *r)
{
	struct hf_json_writer *j = &w->w;

	hf_jw_object(j);
	kube_item_begin_json(w->run, w->out);
	hf_jw_kv(j, "id", hf_sv_of(r->check->id));
	hf_jw_kv(j, "status", hf_sv_of(hf_check_status_name(r->status)));
	hf_jw_kv(j, "severity", hf_sv_of(hf_severity_name(r->check->severity)));
	hf_jw_kv_if(j, "cluster", r->cluster);
	if (r->object) {
		hf_jw_kv_if(j, "namespace", r->object->namespace);
		hf_jw_kv(j, "kind", r->object->kind_name);
		hf_jw_kv(j, "name", r->object->name);
		hf_jw_kv_if(j, "container", r->container);
		hf_jw_kv(j, "path", r->object->source->name);
		if (line_of(r))
			hf_jw_kv_uint(j, "line", line_of(r));
		hf_jw_kv_if(j, "template", hf_kube_template(r->object));
	}
	hf_jw_kv(j, "message", r->message);
	json_patches(j, r);
	hf_jw_object_end(j);
	kube_item_end(w->run, w->out);
}

static void json_check_texts(struct hf_json_writer *j, const struct hf_check *c)
{
	hf_jw_kv(j, "id", hf_sv_of(c->id));
	hf_jw_kv(j, "name", hf_sv_of(c->name));
	hf_jw_kv(j, "title", hf_sv_of(c->title));
	hf_jw_kv(j, "severity", hf_sv_of(hf_severity_name(c->severity)));
	hf_jw_kv(j, "why", hf_sv_of(c->why));
	hf_jw_kv(j, "fix", hf_sv_of(c->fix));
	references(j, c);
}

static void json_check(struct hf_json_writer *j, const struct hf_check *c, const struct hf_check_counts *counts)
{
	hf_jw_object(j);
	json_check_texts(j, c);
	for (unsigned s = 0; s < HF_CHECK_STATUSES; s++)
		hf_jw_kv_uint(j, hf_check_status_name(s), counts->of[s]);
	hf_jw_object_end(j);
}

static void json_notes(struct hf_json_writer *j, const struct hf_kube_objects *set)
{
	for (size_t i = 0; i < set->notes_n; i++) {
		hf_jw_object(j);
		hf_jw_kv(j, "path", set->notes[i].source);
		if (set->notes[i].line)
			hf_jw_kv_uint(j, "line", set->notes[i].line);
		hf_jw_kv(j, "reason", set->notes[i].text);
		hf_jw_object_end(j);
	}
}

static void json_unparsed(struct hf_json_writer *j, const struct hf_kube_objects *const *sets, size_t n)
{
	hf_jw_key(j, "unparsed");
	hf_jw_array(j);
	for (size_t i = 0; i < n; i++)
		json_notes(j, sets[i]);
	hf_jw_array_end(j);
}

static int json(struct writer *w, struct hf_err *err)
{
	struct hf_json_writer *j = &w->w;

	*j = (struct hf_json_writer){
		.out = &w->out->buf, .flush = hf_out_sink(w->out), .flush_ctx = w->out, .compact = w->run->items != NULL
	};
	hf_jw_object(j);
	hf_jw_kv(j, "schema", HF_SV("holdfast/kube-check/1"));
	hf_jw_kv_uint(j, "objects", w->set->n);
	hf_jw_key(j, "checks");
	hf_jw_array(j);
	for (size_t i = 0; i < w->report->checks_n; i++)
		json_check(j, w->report->checks[i], &w->report->counts[i]);
	hf_jw_array_end(j);
	hf_jw_key(j, "results");
	hf_jw_array(j);
	for (size_t i = 0; i < w->report->results_n; i++)
		if (is_shown(w, hf_check_result_at(w->report, i)->check->severity))
			json_result(w, hf_check_result_at(w->report, i));
	hf_jw_array_end(j);
	json_unparsed(j, &w->set, 1);
	hf_jw_object_end(j);
	return hf_jw_finish(j, err);
}

/* SARIF is written by the reports of a scan, from the same findings as misconfigurations. */
struct findings {
	struct hf_misconfiguration *at;
	size_t n;
};

static void add_finding(struct writer *w, struct findings *to, const struct hf_check_result *r, const char *baseline)
{
	if (r->status != HF_CHECK_FAIL || !is_shown(w, r->check->severity))
		return;
	to->at[to->n++] = (struct hf_misconfiguration){
		.id = hf_sv_of(r->check->id),
		.title = hf_sv_of(r->check->title),
		.why = hf_sv_of(r->check->why),
		.path = r->object ? r->object->source->name : (hf_sv){ 0 },
		.line = line_of(r),
		.made_from = r->object ? hf_kube_template(r->object) : (hf_sv){ 0 },
		.message = hf_arena_fmt(w->arena, "%.*s%s%.*s: %.*s", HF_SV_FMT(name_of(w, r)),
					r->container.len ? ", container " : "", HF_SV_FMT(r->container),
					HF_SV_FMT(r->message)),
		.fix = hf_sv_of(r->check->fix),
		.baseline = baseline,
		.severity = r->check->severity,
	};
}

static int sarif(struct writer *w, const struct findings *f, const struct hf_kube_objects *const *sets, size_t sets_n,
		 struct hf_err *err)
{
	const struct hf_report_format *format = hf_report_format_named(HF_SV("sarif"), HF_REPORT_SCAN, err);
	static const struct hf_artifact artifact;
	struct hf_scan_report report = { .artifact = &artifact, .supported = -1 };
	const struct hf_report_options options = { .source_date_epoch = -1 };
	HF_VEC(struct hf_unparsed) unparsed = { 0 };

	for (size_t i = 0; i < sets_n; i++)
		for (size_t k = 0; k < sets[i]->notes_n; k++) {
			struct hf_unparsed *slot = hf_vec_push(w->arena, &unparsed);
			if (slot)
				*slot = (struct hf_unparsed){ .path = sets[i]->notes[k].source,
							      .reason = sets[i]->notes[k].text,
							      .layer = -1 };
		}
	if (!format || w->arena->over)
		return hf_fail(err, HF_E_LIMIT, "the findings need more memory than is allowed");
	report.misconfigurations = f->at;
	report.misconfigurations_n = f->n;
	report.unparsed = unparsed.at;
	report.unparsed_n = unparsed.n;
	return format->write(&report, &options, w->out, err);
}

static int sarif_report(struct writer *w, struct hf_err *err)
{
	struct findings f = { hf_arena_array(w->arena, struct hf_misconfiguration, w->report->results_n), 0 };

	for (size_t i = 0; f.at && i < w->report->results_n; i++)
		add_finding(w, &f, hf_check_result_at(w->report, i), NULL);
	return sarif(w, &f, &w->set, 1, err);
}

static int sarif_difference(struct writer *w, const struct hf_check_difference *d,
			    const struct hf_kube_objects *const *sets, struct hf_err *err)
{
	const struct {
		const struct hf_check_result *const *of;
		size_t n;
		const char *baseline;
	} lists[] = { { d->came, d->came_n, "new" },
		      { d->stays, d->stays_n, "unchanged" },
		      { d->went, d->went_n, "absent" } };
	struct findings f = { hf_arena_array(w->arena, struct hf_misconfiguration, d->came_n + d->stays_n + d->went_n),
			      0 };

	for (size_t i = 0; f.at && i < HF_ARRAY_SIZE(lists); i++)
		for (size_t k = 0; k < lists[i].n; k++)
			add_finding(w, &f, lists[i].of[k], lists[i].baseline);
	return sarif(w, &f, sets, 2, err);
}

int kube_check_write(const struct kube_run *k, const struct kube_check_options *o, const struct hf_kube_objects *set,
		     const struct hf_check_report *report, struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct writer w = { .run = k, .options = o, .set = set, .report = report, .arena = a, .out = out };

	if (k->format && !strcmp(k->format, "json"))
		return json(&w, err);
	if (k->format && !strcmp(k->format, "sarif"))
		return sarif_report(&w, err);
	table(&w);
	return HF_OK;
}

static size_t difference_rows(struct writer *w, const struct hf_check_result *const *list, size_t n, const char *mark,
			      bool printed)
{
	size_t shown = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_shown(w, list[i]->check->severity))
			continue;
		shown++;
		if (printed)
			table_row(w, list[i], mark);
	}
	return shown;
}

static void difference_list(struct writer *w, const char *key, const struct hf_check_result *const *list, size_t n)
{
	hf_jw_key(&w->w, key);
	hf_jw_array(&w->w);
	for (size_t i = 0; i < n; i++)
		if (is_shown(w, list[i]->check->severity))
			json_result(w, list[i]);
	hf_jw_array_end(&w->w);
}

static int json_difference(struct writer *w, const struct hf_check_difference *d,
			   const struct hf_kube_objects *const *sets, struct hf_err *err)
{
	struct hf_json_writer *j = &w->w;

	*j = (struct hf_json_writer){ .out = &w->out->buf, .flush = hf_out_sink(w->out), .flush_ctx = w->out };
	hf_jw_object(j);
	hf_jw_kv(j, "schema", HF_SV("holdfast/kube-check-compare/1"));
	difference_list(w, "came", d->came, d->came_n);
	difference_list(w, "went", d->went, d->went_n);
	difference_list(w, "stays", d->stays, d->stays_n);
	json_unparsed(j, sets, 2);
	hf_jw_object_end(j);
	return hf_jw_finish(j, err);
}

int kube_check_write_difference(const struct kube_run *k, const struct kube_check_options *o,
				const struct hf_kube_objects *const *sets, const struct hf_check_difference *d,
				struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct writer w = { .run = k, .options = o, .set = sets[1], .arena = a, .out = out };

	if (k->format && !strcmp(k->format, "json"))
		return json_difference(&w, d, sets, err);
	if (k->format && !strcmp(k->format, "sarif"))
		return sarif_difference(&w, d, sets, err);
	size_t came = difference_rows(&w, d->came, d->came_n, "+ ", true);
	size_t went = difference_rows(&w, d->went, d->went_n, "- ", true);
	size_t stays = difference_rows(&w, d->stays, d->stays_n, "  ", o->all);
	hf_out_addf(out, "%zu finding%s came, %zu went, %zu stay%s%s\n", HF_COUNTED(came), went, stays,
		    stays == 1 ? "s" : "", stays && !o->all ? " (--all shows them)" : "");
	return HF_OK;
}

int kube_check_list_json(struct hf_out *out, struct hf_err *err)
{
	struct hf_json_writer j = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };

	hf_jw_object(&j);
	hf_jw_kv(&j, "schema", HF_SV("holdfast/kube-checks/1"));
	hf_jw_key(&j, "checks");
	hf_jw_array(&j);
	for (size_t g = 0; hf_check_groups[g]; g++)
		for (size_t i = 0; i < hf_check_groups[g]->checks_n; i++) {
			hf_jw_object(&j);
			hf_jw_kv(&j, "group", hf_sv_of(hf_check_groups[g]->name));
			json_check_texts(&j, &hf_check_groups[g]->checks[i]);
			hf_jw_object_end(&j);
		}
	hf_jw_array_end(&j);
	hf_jw_object_end(&j);
	return hf_jw_finish(&j, err);
}
