/* `scan --format table`: what to do, worst first, and what the answer does not cover. */
#include "report/common.h"
#include "report/groups.h"
#include "report/text.h"

enum { LABEL = 12, INDENT = 4, IDS = 14, IDS_SHOWN = 8, FILES_SHOWN = 10, NAMES_SHOWN = 6 };

struct table {
	struct hf_text t;
	const struct hf_scan_report *r;
	const struct hf_report_options *o;
	struct hf_arena arena;
	struct hf_report_totals totals;
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void header_line(struct table *t, const char *name, hf_sv value)
{
	if (!value.len)
		return;
	hf_text_to(&t->t, 2);
	hf_text_styled(&t->t, HF_STYLE_DIM, hf_sv_of(name));
	hf_text_to(&t->t, LABEL);
	hf_text_sentence(&t->t, LABEL, value);
}

static void header(struct table *t)
{
	const struct hf_artifact *f = t->r->artifact;
	const struct hf_os *os = &t->r->os;

	if (f) {
		hf_text_styled(&t->t, HF_STYLE_BOLD,
			       hf_arena_fmt(&t->arena, "%.*s:%.*s", HF_SV_FMT(f->kind), HF_SV_FMT(f->reference)));
		hf_text_newline(&t->t);
		header_line(t, "image", f->digest.len ? f->digest : f->image_id);
		header_line(t, "platform", f->platform);
		if (f->is_image && f->layers_n)
			header_line(t, "layers", hf_text_count(&t->arena, f->layers_n));
	}
	if (os->name.len || os->id.len) {
		hf_sv name = os->name.len ? os->name : os->id;
		const char *state = t->r->supported == 0 ? ", NO LONGER SUPPORTED" : "";
		const char *end = t->r->supported == 0 ? " since " : ", supported until ";
		header_line(t, "system",
			    hf_arena_fmt(&t->arena, "%.*s%s%s%.*s", HF_SV_FMT(name), state,
					 t->r->end_of_life.len ? end : "", HF_SV_FMT(t->r->end_of_life)));
	} else {
		header_line(t, "system", HF_SV("not known: no os-release was found"));
	}
	if (t->r->base_name.len)
		header_line(t, "base",
			    hf_arena_fmt(&t->arena, "%.*s, %u layer%s", HF_SV_FMT(t->r->base_name), t->r->base_layers,
					 plural(t->r->base_layers)));
	hf_text_newline(&t->t);
}

/* "CVE-2024-1 [KEV, EPSS 97%]" */
static hf_sv marked(struct table *t, const struct hf_vulnerability *v)
{
	const char *kev = v->kev ? (v->kev_ransomware ? "KEV, ransomware" : "KEV") : "";
	bool epss = v->epss >= 0.1f, malicious = v->kind == HF_ADVISORY_MALICIOUS;
	hf_sv text = v->id;

	if (v->kev || epss || malicious || v->channel.len)
		text = hf_arena_fmt(&t->arena, "%.*s [%s%s%s", HF_SV_FMT(text), malicious ? "MALWARE" : "",
				    malicious && v->kev ? ", " : "", kev);
	else
		return text;
	if (epss)
		text = hf_arena_fmt(&t->arena, "%.*s%sEPSS %.0f%%", HF_SV_FMT(text), v->kev || malicious ? ", " : "",
				    (double)v->epss * 100);
	if (v->channel.len)
		text = hf_arena_fmt(&t->arena, "%.*s%sfix in %.*s", HF_SV_FMT(text),
				    v->kev || malicious || epss ? ", " : "", HF_SV_FMT(v->channel));
	return hf_arena_concat(&t->arena, text, HF_SV("]"));
}

enum prospect { HAS_FIX, NO_FIX, WILL_NOT_FIX, PROSPECTS };

static enum prospect prospect_of(const struct hf_vulnerability *v)
{
	return hf_finding_fixable(v) ? HAS_FIX : v->status == HF_STATUS_WILL_NOT_FIX ? WILL_NOT_FIX : NO_FIX;
}

static void flaw_line(struct table *t, const struct hf_group *g, enum hf_severity severity, enum prospect prospect)
{
	static const char *const words[PROSPECTS] = { "", "no fix yet:", "will not be fixed:" };
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < g->flaws.n; i++)
		n += hf_finding_severity(g->flaws.at[i]) == severity && prospect_of(g->flaws.at[i]) == prospect;
	if (!n)
		return;
	hf_text_to(&t->t, INDENT);
	hf_text_styled(&t->t, hf_text_severity_style(severity), hf_sv_of(hf_severity_name(severity)));
	hf_text_to(&t->t, IDS - 1);
	t->t.indent = IDS;
	if (words[prospect][0])
		hf_text_word(&t->t, HF_STYLE_DIM, hf_sv_of(words[prospect]));
	for (size_t i = 0; i < g->flaws.n; i++) {
		const struct hf_vulnerability *v = g->flaws.at[i];
		if (hf_finding_severity(v) != severity || prospect_of(v) != prospect)
			continue;
		if (!t->o->verbose && shown == IDS_SHOWN)
			break;
		shown++;
		hf_text_word(&t->t, v->kev ? HF_STYLE_ALARM : HF_STYLE_PLAIN,
			     hf_arena_concat(&t->arena, marked(t, v), shown < n ? HF_SV(",") : HF_SV("")));
	}
	if (shown < n)
		hf_text_word(&t->t, HF_STYLE_DIM, hf_arena_fmt(&t->arena, "and %zu more", n - shown));
	t->t.indent = 0;
	hf_text_newline(&t->t);
}

static void places(struct table *t, const struct hf_group *g)
{
	size_t n = 0;
	const hf_sv *paths = hf_report_paths(g->package, &n);

	if (!n || g->package->type <= HF_PKG_RPM)
		return;
	hf_text_to(&t->t, INDENT);
	hf_text_styled(&t->t, HF_STYLE_DIM, HF_SV("in"));
	hf_text_to(&t->t, IDS);
	hf_text_put_cut(&t->t, paths[0], t->t.width > IDS + 20 ? t->t.width - IDS - 20 : 20);
	if (n > 1)
		hf_text_putf(&t->t, " (and %zu more)", n - 1);
	hf_text_newline(&t->t);
}

static void group(struct table *t, const struct hf_group *g)
{
	t->t.indent = INDENT;
	hf_text_to(&t->t, 2);
	hf_text_styled(&t->t, HF_STYLE_BOLD, g->name);
	hf_text_word(&t->t, HF_STYLE_PLAIN, g->installed.len ? g->installed : HF_SV("(version not known)"));
	if (g->target.len) {
		hf_text_word(&t->t, HF_STYLE_PLAIN, HF_SV("->"));
		hf_text_word(&t->t, HF_STYLE_GREEN, g->target);
	} else if (g->fixable) {
		hf_text_word(&t->t, HF_STYLE_GREEN, HF_SV("-> a fixed version (see --format json)"));
	}
	for (size_t i = 0; i < g->packages.n && (g->packages.n > 1 || !hf_sv_eq(g->packages.at[0]->name, g->name));
	     i++) {
		bool cut = !t->o->verbose && i == NAMES_SHOWN;
		hf_sv name = cut ? HF_SV("...") : g->packages.at[i]->name;
		bool last = cut || i + 1 == g->packages.n;
		hf_text_word(&t->t, HF_STYLE_DIM,
			     hf_arena_fmt(&t->arena, "%s%.*s%s", i ? "" : "(", HF_SV_FMT(name), last ? ")" : ","));
		if (cut)
			break;
	}
	t->t.indent = 0;
	hf_text_newline(&t->t);
	places(t, g);
	for (int s = HF_SEV_CRITICAL; s >= HF_SEV_UNKNOWN; s--)
		for (int p = HAS_FIX; p < PROSPECTS; p++)
			flaw_line(t, g, (enum hf_severity)s, (enum prospect)p);
}

static void flaws(struct table *t)
{
	size_t n;
	const struct hf_group *groups = hf_report_groups(&t->arena, t->r, &t->o->filter, &n);

	for (size_t i = 0; groups && i < n; i++) {
		if (!i || groups[i].owner != groups[i - 1].owner) {
			uint64_t findings = 0, upgrades = 0;
			for (size_t k = i; k < n && groups[k].owner == groups[i].owner; k++) {
				findings += groups[k].findings;
				upgrades += groups[k].fixable > 0;
			}
			if (i)
				hf_text_newline(&t->t);
			hf_text_styled(&t->t, HF_STYLE_BOLD, hf_sv_of(hf_group_owner_title(groups[i].owner)));
			hf_text_putf(&t->t, ": %llu finding%s, %llu upgrade%s", (unsigned long long)findings,
				     plural(findings), (unsigned long long)upgrades, plural(upgrades));
			hf_text_newline(&t->t);
		}
		group(t, &groups[i]);
	}
	if (n)
		hf_text_newline(&t->t);
}

static void class_line(struct table *t, const char *class, const char *title, const char *why)
{
	uint64_t n = 0, shown = 0;

	for (size_t i = 0; i < t->r->vulnerabilities_n; i++) {
		const struct hf_vulnerability *v = &t->r->vulnerabilities[i];
		n += hf_filter_shows(&t->o->filter, v) && !strcmp(hf_finding_class(v), class);
	}
	if (!n)
		return;
	hf_text_sentence(
		&t->t, 2,
		hf_arena_fmt(&t->arena, "%s: %llu finding%s %s", title, (unsigned long long)n, plural(n), why));
	if (!t->o->verbose)
		return;
	t->t.indent = INDENT;
	for (size_t i = 0; i < t->r->vulnerabilities_n; i++) {
		const struct hf_vulnerability *v = &t->r->vulnerabilities[i];
		if (!hf_filter_shows(&t->o->filter, v) || strcmp(hf_finding_class(v), class))
			continue;
		const struct hf_package *p = hf_report_package(t->r, v->package);
		hf_text_word(&t->t, HF_STYLE_DIM,
			     hf_arena_fmt(&t->arena, "%.*s (%.*s)%s", HF_SV_FMT(v->id),
					  HF_SV_FMT(p ? p->name : HF_SV("?")), ++shown < n ? "," : ""));
	}
	t->t.indent = 0;
	hf_text_newline(&t->t);
}

static void classes(struct table *t)
{
	const struct hf_report_totals *c = &t->totals;

	class_line(t, "kernel_headers", "Kernel headers",
		   "in packages whose code nothing in a container runs; they fail no gate.");
	class_line(t, "unimportant", "Unimportant", "that the distribution calls no real risk; they fail no gate.");
	class_line(t, "suppressed", "Suppressed", "by an ignore file or a VEX statement.");
	class_line(t, "informational", "For information", "that say no flaw (unmaintained packages, notices).");
	if (c->kernel_headers || c->unimportant || c->suppressed || c->informational)
		hf_text_newline(&t->t);
}

static void misconfigurations(struct table *t)
{
	bool any = false;

	for (size_t i = 0; i < t->r->misconfigurations_n; i++) {
		const struct hf_misconfiguration *m = &t->r->misconfigurations[i];
		if (!hf_filter_shows_config(&t->o->filter, m))
			continue;
		if (!any)
			hf_text_styled(&t->t, HF_STYLE_BOLD, HF_SV("The image as a whole"));
		if (!any)
			hf_text_newline(&t->t);
		any = true;
		hf_text_to(&t->t, 2);
		hf_text_styled(&t->t, hf_text_severity_style(m->severity), hf_sv_of(hf_severity_name(m->severity)));
		hf_text_to(&t->t, LABEL);
		hf_text_sentence(&t->t, IDS,
				 hf_arena_fmt(&t->arena, "%.*s: %.*s", HF_SV_FMT(m->id), HF_SV_FMT(m->title)));
		const hf_sv lines[] = { m->path, m->message, m->fix };
		for (size_t k = 0; k < HF_ARRAY_SIZE(lines); k++)
			if (lines[k].len)
				hf_text_sentence(&t->t, IDS,
						 hf_arena_concat(&t->arena,
								 k == 2 ? HF_SV("fix: ")
								 : k    ? HF_SV("")
									: HF_SV("in "),
								 lines[k]));
	}
	if (any)
		hf_text_newline(&t->t);
}

/* A line for each code, in the order in which they come first. */
static void cannot_tell(struct table *t)
{
	const struct hf_scan_report *r = t->r;

	if (!r->undecided_n)
		return;
	hf_text_styled(&t->t, HF_STYLE_BOLD, HF_SV("Cannot tell"));
	hf_text_putf(&t->t, ": no verdict in %zu case%s", r->undecided_n, plural(r->undecided_n));
	hf_text_newline(&t->t);
	for (size_t i = 0; i < r->undecided_n; i++) {
		size_t n = 0, shown = 0, before = 0;
		for (size_t k = 0; k < r->undecided_n; k++) {
			bool same = hf_sv_eq(r->undecided[k].code, r->undecided[i].code);
			n += same;
			before += same && k < i;
			if (before)
				break;
		}
		if (before)
			continue;
		hf_text_to(&t->t, 2);
		hf_text_put(&t->t, hf_arena_fmt(&t->arena, "%.*s (%zu):", HF_SV_FMT(r->undecided[i].code), n));
		hf_text_sentence(&t->t, INDENT, r->undecided[i].reason);
		t->t.indent = INDENT;
		for (size_t k = i; k < r->undecided_n && (t->o->verbose || shown < NAMES_SHOWN); k++) {
			const struct hf_package *p = hf_report_package(r, r->undecided[k].package);
			if (!p || !hf_sv_eq(r->undecided[k].code, r->undecided[i].code))
				continue;
			shown++;
			hf_text_word(&t->t, HF_STYLE_DIM,
				     hf_arena_concat(&t->arena, hf_report_name(p), shown < n ? HF_SV(",") : HF_SV("")));
		}
		if (shown && shown < n)
			hf_text_word(&t->t, HF_STYLE_DIM, hf_arena_fmt(&t->arena, "and %zu more", n - shown));
		t->t.indent = 0;
		if (shown)
			hf_text_newline(&t->t);
	}
	hf_text_newline(&t->t);
}

static void unparsed(struct table *t)
{
	const struct hf_scan_report *r = t->r;
	size_t shown = t->o->verbose || r->unparsed_n <= FILES_SHOWN ? r->unparsed_n : FILES_SHOWN;

	if (!r->unparsed_n)
		return;
	hf_text_styled(&t->t, HF_STYLE_BOLD, HF_SV("Not read"));
	hf_text_putf(&t->t, ": %zu file%s, whose packages may be missing above", r->unparsed_n, plural(r->unparsed_n));
	hf_text_newline(&t->t);
	for (size_t i = 0; i < shown; i++) {
		hf_text_to(&t->t, 2);
		hf_text_put(&t->t, r->unparsed[i].path);
		hf_text_put(&t->t, HF_SV(":"));
		hf_text_sentence(&t->t, INDENT, r->unparsed[i].reason);
	}
	if (shown < r->unparsed_n) {
		hf_text_putf(&t->t, "  and %zu more (--verbose shows all)", r->unparsed_n - shown);
		hf_text_newline(&t->t);
	}
	hf_text_newline(&t->t);
}

/* The one line that most people read: how bad, and when there is nothing, what that is worth. */
static void verdict(struct table *t)
{
	const struct hf_report_totals *c = &t->totals;
	const struct hf_scan_report *r = t->r;

	if (!r->database.present) {
		hf_text_styled(&t->t, HF_STYLE_ALARM, HF_SV("Not checked:"));
		hf_text_sentence(&t->t, 0,
				 HF_SV("there is no advisory database, so nothing was compared. `holdfast db build` "
				       "makes one."));
	} else if (!r->packages_n) {
		hf_text_styled(&t->t, HF_STYLE_YELLOW, HF_SV("Nothing to check:"));
		hf_text_sentence(&t->t, 0,
				 HF_SV("no package was found. Files that belong to no package are not judged."));
	} else if (c->counted) {
		for (int s = HF_SEV_CRITICAL; s >= HF_SEV_UNKNOWN; s--) {
			if (s == HF_SEV_NEGLIGIBLE)
				continue;
			uint64_t n = c->by_severity[s];
			hf_text_styled(&t->t, n ? hf_text_severity_style((enum hf_severity)s) : HF_STYLE_DIM,
				       hf_arena_fmt(&t->arena, "%llu %s", (unsigned long long)n,
						    hf_severity_name((enum hf_severity)s)));
			hf_text_put(&t->t, s ? HF_SV(", ") : HF_SV(";"));
		}
		hf_text_sentence(&t->t, 0,
				 hf_arena_fmt(&t->arena, "%llu with a fix, %llu known to be exploited (KEV).",
					      (unsigned long long)c->fixable, (unsigned long long)c->kev));
	} else {
		hf_text_styled(&t->t, HF_STYLE_GREEN, HF_SV("No findings"));
		hf_text_sentence(
			&t->t, 0,
			r->undecided_n ? HF_SV("among the packages that could be compared; see \"Cannot tell\" above.")
			: r->database.landmarks_only ? HF_SV("among the few famous flaws that were looked for.")
						     : HF_SV("in any package."));
	}
	if (c->filtered)
		hf_text_sentence(&t->t, 0,
				 hf_arena_fmt(&t->arena,
					      "%llu more finding%s not shown: --severity or --only-fixed hides them.",
					      (unsigned long long)c->filtered, plural(c->filtered)));
}

/* Days since 1 January 1970 of "YYYY-MM-DD…" in the Gregorian calendar; negative where it is none. */
static int64_t day_of(hf_sv date)
{
	uint64_t year, month, day;

	if (date.len < 10 || date.ptr[4] != '-' || date.ptr[7] != '-' || !hf_sv_to_u64(hf_sv_first(date, 4), &year) ||
	    !hf_sv_to_u64(hf_sv_slice(date, 5, 2), &month) || !hf_sv_to_u64(hf_sv_slice(date, 8, 2), &day) ||
	    month < 1 || month > 12 || day < 1 || day > 31 || year < 1970)
		return -1;
	/* Years begin in March, so that a leap day is the last one of its year. */
	uint64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;
	return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1) - 719468;
}

/* How old what is of @date was when the database was built, not now: the same database gives the same bytes on any day.
 * "3 months", "5 weeks"; empty: not known, or as good as new. */
static hf_sv age(struct table *t, hf_sv date)
{
	static const struct {
		int64_t days, from;
		const char *word;
	} units[] = { { 365, 730, "years" }, { 30, 60, "months" }, { 7, 21, "weeks" }, { 1, 2, "days" } };
	int64_t built = day_of(t->r->database.built), day = day_of(date), days = built - day;

	for (size_t i = 0; built >= 0 && day >= 0 && i < HF_ARRAY_SIZE(units); i++)
		if (days >= units[i].from)
			return hf_arena_fmt(&t->arena, "%lld %s", (long long)(days / units[i].days), units[i].word);
	return (hf_sv){ 0 };
}

/* "2026-08-22, 3 months before" */
static hf_sv day_and_age(struct table *t, hf_sv date)
{
	hf_sv before = age(t, date);

	return hf_arena_fmt(&t->arena, "%.*s%s%.*s%s", HF_SV_FMT(hf_sv_first(date, 10)), before.len ? ", " : "",
			    HF_SV_FMT(before), before.len ? " before" : "");
}

static void sources(struct table *t)
{
	const struct hf_database_info *d = &t->r->database;

	for (size_t i = 0; i < d->sources_n; i++) {
		const struct hf_database_source *s = &d->sources[i];
		hf_sv newest = s->newest.len ? day_and_age(t, s->newest) : HF_SV("not dated");
		hf_text_sentence(&t->t, 2,
				 hf_arena_fmt(&t->arena, "  %.*s: %.*s record%s, newest %.*s", HF_SV_FMT(s->name),
					      HF_SV_FMT(hf_text_count(&t->arena, s->records)), plural(s->records),
					      HF_SV_FMT(newest)));
	}
}

static void data_age(struct table *t)
{
	const struct hf_database_info *d = &t->r->database;
	const struct hf_database_source *newest = NULL, *oldest = NULL;

	if (!d->present)
		return;
	if (d->landmarks_only)
		hf_text_sentence(
			&t->t, 0,
			HF_SV("Data: only the small set of famous flaws that comes with holdfast. A flaw that is "
			      "not listed here was not looked for; `holdfast db build` or `db update` gets real "
			      "data."));
	if (d->landmarks_only && !d->built.len)
		return;
	for (size_t i = 0; i < d->sources_n; i++) {
		const struct hf_database_source *s = &d->sources[i];
		if (!s->newest.len)
			continue;
		if (!newest || hf_sv_cmp(s->newest, newest->newest) > 0)
			newest = s;
		if (!oldest || hf_sv_cmp(s->newest, oldest->newest) < 0)
			oldest = s;
	}
	hf_sv text = d->built.len ? hf_arena_fmt(&t->arena, "Database built %.*s", HF_SV_FMT(d->built))
				  : HF_SV("Database: age not known");
	if (newest)
		text = hf_arena_fmt(&t->arena, "%.*s; newest record %.*s (%.*s)", HF_SV_FMT(text),
				    HF_SV_FMT(day_and_age(t, newest->newest)), HF_SV_FMT(newest->name));
	if (newest && oldest != newest)
		text = hf_arena_fmt(&t->arena, "%.*s; oldest source %.*s (%.*s)%s", HF_SV_FMT(text),
				    HF_SV_FMT(day_and_age(t, oldest->newest)), HF_SV_FMT(oldest->name),
				    t->o->verbose ? "" : "; --verbose lists all");
	text = hf_arena_concat(&t->arena, text, HF_SV("."));
	hf_text_sentence(&t->t, 0, text);
	if (t->o->verbose)
		sources(t);
}

static void footer(struct table *t)
{
	const struct hf_scan_report *r = t->r;
	hf_sv packages = hf_text_count(&t->arena, r->packages_n), files = hf_text_count(&t->arena, r->files_n);

	verdict(t);
	hf_text_sentence(&t->t, 0,
			 hf_arena_fmt(&t->arena, "%.*s package%s in %.*s file%s; %zu not read, %zu without a verdict.",
				      HF_SV_FMT(packages), plural(r->packages_n), HF_SV_FMT(files), plural(r->files_n),
				      r->unparsed_n, r->undecided_n));
	if (r->supported == 0)
		hf_text_sentence(&t->t, 0,
				 hf_arena_fmt(&t->arena,
					      "The system's release gets no security fixes any more%s%.*s: new flaws "
					      "in it stay open.",
					      r->end_of_life.len ? " since " : "", HF_SV_FMT(r->end_of_life)));
	data_age(t);
	for (size_t i = 0; i < r->notes_n; i++)
		hf_text_sentence(&t->t, 0, r->notes[i]);
}

static int write_table(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
		       struct hf_err *err)
{
	struct table t = { .t = hf_text_of(o, out), .r = r, .o = o, .arena = hf_report_arena() };

	t.totals = hf_report_totals(r, &o->filter);
	header(&t);
	flaws(&t);
	misconfigurations(&t);
	classes(&t);
	cannot_tell(&t);
	unparsed(&t);
	footer(&t);
	bool over = t.arena.over;
	hf_arena_done(&t.arena);
	if (over)
		return hf_fail(err, HF_E_LIMIT, "the report needs more memory than it may have");
	return hf_out_flush(out, err);
}

const struct hf_report_format hf_report_format_table = {
	.name = "table",
	.summary = "what to upgrade, worst first",
	.kinds = HF_REPORT_SCAN,
	.write = write_table,
};
