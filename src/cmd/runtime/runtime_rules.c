/* runtime rules: the detections - listed, checked, tried on events, replayed over a recorded trace. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "baseline/alerts.h"
#include "baseline/exceptions.h"
#include "cmd/log.h"
#include "cmd/runtime/runtime.h"
#include "trace/trace.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_MARKDOWN };

struct session {
	const char *folder, *exceptions_path, *today;
	enum format format;
	bool all;
	char **operands;
	int operands_n;
	struct hf_rules *rules;
	struct hf_exceptions *exceptions;
	struct hf_buf exceptions_text;
	struct hf_would_hide *would_hide; /* one an exception */
	struct hf_event_sink alerts;      /* what a replay hands its alerts to */
	struct hf_out out;
	struct hf_buf line;
	size_t notes, hidden;
};

static int parse(struct session *s, int argc, char **argv)
{
	static const char *const formats[] = { "table", "json", "markdown" };
	int n = 0;

	s->operands = argv;
	for (int i = 0; i < argc; i++) {
		const char **slot = !strcmp(argv[i], "--rules")        ? &s->folder
				    : !strcmp(argv[i], "--exceptions") ? &s->exceptions_path
				    : !strcmp(argv[i], "--today")      ? &s->today
								       : NULL;
		bool is_format = !strcmp(argv[i], "--format");

		if (!strcmp(argv[i], "--all")) {
			s->all = true;
			continue;
		}
		if (!slot && !is_format) {
			if (argv[i][0] == '-' && argv[i][1])
				return hf_command_no_option("runtime rules", argv[i]);
			s->operands[n++] = argv[i];
			continue;
		}
		if (++i == argc)
			return hf_command_usage("runtime rules", "%s wants a value", argv[i - 1]);
		size_t f = 0;
		while (is_format && f < HF_ARRAY_SIZE(formats) && strcmp(argv[i], formats[f]))
			f++;
		if (f == HF_ARRAY_SIZE(formats))
			return hf_command_usage("runtime rules", "--format is table, json or markdown, not '%s'",
						argv[i]);
		if (slot)
			*slot = argv[i];
		else
			s->format = (enum format)f;
	}
	s->operands_n = n;
	return 0;
}

static void print_note(void *ctx, enum hf_rules_note_kind kind, hf_sv file, uint32_t line, hf_sv text)
{
	static const char *const words[] = { "error", "replaced", "lint" };
	struct session *s = ctx;

	s->notes += kind != HF_NOTE_SHADOWED;
	log_at(kind == HF_NOTE_ERROR ? LOG_ERROR : LOG_NOTE, file, line, 0, "%s: %.*s", words[kind], HF_SV_FMT(text));
}

static int load_exceptions(struct session *s, struct hf_err *err)
{
	char today[11];
	time_t now = time(NULL);
	struct tm tm;

	s->exceptions_text = HF_BUF(HF_RULES_FILE_MAX);
	hf_cleanup(hf_fd_close) int fd = open(s->exceptions_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, "%s", s->exceptions_path);
	if (hf_fd_read_all(fd, 0, &s->exceptions_text, err))
		return hf_wrap(err, "%s", s->exceptions_path);
	const struct hf_rules_source source = { hf_sv_of(s->exceptions_path), hf_buf_view(&s->exceptions_text), false };
	int r = hf_exceptions_load(&source, 1, s->rules, (struct hf_rules_notes){ print_note, s }, &s->exceptions, err);
	if (r < 0)
		return r;
	size_t n;
	hf_exceptions_list(s->exceptions, &n);
	s->would_hide = hf_calloc(n + 1, sizeof *s->would_hide);
	gmtime_r(&now, &tm);
	strftime(today, sizeof today, "%Y-%m-%d", &tm);
	hf_exceptions_today(s->exceptions, hf_sv_of(s->today ? s->today : today));
	return HF_OK;
}

static int load(struct session *s, struct hf_err *err)
{
	int r = hf_rules_load_folder(s->folder, (struct hf_rules_notes){ print_note, s }, &s->rules, err);

	return r < 0 || !s->exceptions_path ? r : load_exceptions(s, err);
}

static void done(struct session *s)
{
	hf_exceptions_free(s->exceptions);
	hf_rules_free(s->rules);
	hf_buf_done(&s->exceptions_text);
	hf_buf_done(&s->line);
	hf_out_done(&s->out);
	free(s->would_hide);
}

static void add_kinds(struct hf_buf *out, const struct hf_rule *r)
{
	const char *comma = "";

	for (unsigned k = 0; k < HF_EVENT_KINDS; k++)
		if (r->kinds >> k & 1) {
			hf_buf_addf(out, "%s%s", comma, hf_event_kind_name(k));
			comma = ", ";
		}
}

static void add_tags(struct hf_buf *out, const struct hf_rule *r)
{
	for (size_t i = 0; i < r->tags_n; i++)
		hf_buf_addf(out, "%s%.*s", i ? ", " : "", HF_SV_FMT(r->tags[i]));
}

static void list_json(struct session *s, const struct hf_rule *r)
{
	struct hf_json_writer w = {
		.out = &s->out.buf, .flush = hf_out_sink(&s->out), .flush_ctx = &s->out, .compact = true
	};

	hf_jw_object(&w);
	hf_jw_kv(&w, "id", r->id);
	hf_jw_kv(&w, "title", r->title);
	hf_jw_kv(&w, "severity", hf_sv_of(hf_alert_severity_name(r->severity)));
	hf_jw_kv(&w, "family", r->family);
	hf_jw_kv_bool(&w, "enabled", r->enabled);
	hf_jw_strings(&w, "tags", r->tags, r->tags_n);
	hf_jw_key(&w, "kinds");
	hf_jw_array(&w);
	for (unsigned k = 0; k < HF_EVENT_KINDS; k++)
		if (r->kinds >> k & 1)
			hf_jw_string(&w, hf_sv_of(hf_event_kind_name(k)));
	hf_jw_array_end(&w);
	hf_jw_kv(&w, "description", r->description);
	hf_jw_kv(&w, "condition", r->condition_text);
	hf_jw_kv_if(&w, "next", r->next);
	hf_jw_kv(&w, "file", r->file);
	hf_jw_kv_uint(&w, "line", r->line);
	hf_jw_object_end(&w);
	hf_jw_finish(&w, NULL);
}

static void list_markdown(struct session *s, const struct hf_rule *r)
{
	s->line.len = 0;
	add_kinds(&s->line, r);
	hf_out_addf(&s->out, "| `%.*s` | %s | %.*s | %.*s | ", HF_SV_FMT(r->id), hf_alert_severity_name(r->severity),
		    HF_SV_FMT(hf_buf_view(&s->line)), HF_SV_FMT(r->title));
	s->line.len = 0;
	add_tags(&s->line, r);
	hf_out_addf(&s->out, "%.*s |\n", HF_SV_FMT(hf_buf_view(&s->line)));
}

static void show(struct session *s, const struct hf_rule *r)
{
	s->line.len = 0;
	add_kinds(&s->line, r);
	hf_out_addf(&s->out, "%.*s: %.*s\n  severity    %s%s\n  kinds       %.*s\n", HF_SV_FMT(r->id),
		    HF_SV_FMT(r->title), hf_alert_severity_name(r->severity), r->enabled ? "" : " (switched off)",
		    HF_SV_FMT(hf_buf_view(&s->line)));
	s->line.len = 0;
	add_tags(&s->line, r);
	hf_out_addf(&s->out, "  tags        %.*s\n  from        %.*s:%u\n\n%.*s\n\ncondition:\n%.*s\n\nnext: %.*s\n",
		    HF_SV_FMT(hf_buf_view(&s->line)), HF_SV_FMT(r->file), r->line, HF_SV_FMT(r->description),
		    HF_SV_FMT(r->condition_text), HF_SV_FMT(r->next));
}

static int list(struct session *s, struct hf_err *err)
{
	if (s->format == FORMAT_MARKDOWN)
		hf_out_addf(&s->out, "| rule | severity | events | what it says | tags |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < s->rules->n; i++) {
		const struct hf_rule *r = &s->rules->at[i];
		bool named = !s->operands_n;

		for (int k = 0; k < s->operands_n; k++)
			named |= hf_sv_eq(r->id, hf_sv_of(s->operands[k]));
		if (!named)
			continue;
		if (s->format == FORMAT_JSON)
			list_json(s, r);
		else if (s->format == FORMAT_MARKDOWN)
			list_markdown(s, r);
		else if (s->operands_n)
			show(s, r);
		else
			hf_out_addf(&s->out, "%-26.*s %-8s %.*s%s\n", HF_SV_FMT(r->id),
				    hf_alert_severity_name(r->severity), HF_SV_FMT(r->title),
				    r->enabled ? "" : " (switched off)");
	}
	for (int k = 0; k < s->operands_n; k++)
		if (!hf_rules_find(s->rules, hf_sv_of(s->operands[k])))
			return hf_fail(err, HF_E_MISSING, "no rule is called '%s'", s->operands[k]);
	return HF_OK;
}

/* Each event of a trace to @take; lines that are none are told and counted as notes. */
static int each_event(struct session *s, const char *path,
		      int (*take)(struct session *, const struct hf_event *, size_t line, struct hf_err *),
		      struct hf_err *err)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct hf_arena scratch = HF_ARENA(HF_PARSE_ARENA_MAX);
	size_t size = 0, number = 0;
	char *line = NULL;
	int r = HF_OK;

	if (!in)
		return hf_fail_errno(err, "%s", path);
	for (ssize_t n; !r && (n = getline(&line, &size, in)) > 0;) {
		hf_sv text = hf_sv_trim((hf_sv){ line, (size_t)n });
		struct hf_event e = { 0 };
		struct hf_err why = { 0 };

		number++;
		hf_arena_reset(&scratch);
		if (!text.len)
			continue;
		if (hf_trace_read(text, &scratch, &e, NULL, &why) < 0)
			print_note(s, HF_NOTE_ERROR, hf_sv_of(path), (uint32_t)number, hf_sv_of(why.msg));
		else
			r = take(s, &e, number, err);
	}
	if (!r && ferror(in))
		r = hf_fail_errno(err, "%s", path);
	free(line);
	hf_arena_done(&scratch);
	if (in != stdin)
		fclose(in);
	return r;
}

static int print_match(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct session *s = ctx;
	char reason[1024];

	(void)err;
	hf_escape_controls(reason, sizeof reason, hf_event_string(alert, HF_FIELD_ALERT_REASON));
	hf_out_addf(&s->out, "  %.*s (%.*s): %s\n", HF_SV_FMT(hf_event_string(alert, HF_FIELD_ALERT_RULE)),
		    HF_SV_FMT(hf_event_string(alert, HF_FIELD_ALERT_SEVERITY)), reason);
	return 0;
}

static int try_event(struct session *s, const struct hf_event *e, size_t line, struct hf_err *err)
{
	hf_out_addf(&s->out, "line %zu: %s\n", line, hf_event_kind_name(e->kind));
	return hf_rules_evaluate(s->rules, e, &(struct hf_event_sink){ print_match, s }, err);
}

static int test(struct session *s, struct hf_err *err)
{
	int r = HF_OK;

	for (int i = 0; i < s->operands_n && !r; i++) {
		hf_out_addf(&s->out, "%s\n", s->operands[i]);
		r = each_event(s, s->operands[i], try_event, err);
	}
	return r;
}

static int print_alert(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct session *s = ctx;

	s->line.len = 0;
	hf_trace_write(&s->line, alert);
	if (s->line.over)
		return hf_fail(err, HF_E_LIMIT, "an alert is too large to be written");
	hf_out_add(&s->out, hf_buf_view(&s->line));
	return 0;
}

static int count_hidden(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct session *s = ctx;

	s->hidden++;
	return s->all ? print_alert(s, alert, err) : 0;
}

static int would_hide(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct session *s = ctx;
	size_t n = 0;
	const struct hf_exception *x = s->exceptions ? hf_exceptions_list(s->exceptions, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		hf_exception_replay(&x[i], alert, &s->would_hide[i]);
	return s->alerts.take(s->alerts.ctx, alert, err);
}

static int replay_event(struct session *s, const struct hf_event *e, size_t line, struct hf_err *err)
{
	(void)line;
	return hf_rules_evaluate(s->rules, e, &(struct hf_event_sink){ would_hide, s }, err);
}

/* What each exception did in the trace; the number of those that are too broad. */
static size_t tell_exceptions(struct session *s)
{
	size_t n = 0, broad = 0;
	const struct hf_exception *x = s->exceptions ? hf_exceptions_list(s->exceptions, &n) : NULL;

	for (size_t i = 0; i < n; i++) {
		hf_cleanup(hf_buf_done) struct hf_buf why = HF_BUF(4096);
		enum hf_exception_state state =
			hf_exception_state(s->exceptions, &x[i], hf_exceptions_day(s->exceptions));
		bool warns = hf_would_hide_warns(&x[i], &s->would_hide[i], &why);

		log_note("exception %.*s: %s, hid %llu alerts, would have hidden %llu%s%.*s", HF_SV_FMT(x[i].id),
			 hf_exception_state_name(state), (unsigned long long)x[i].hits,
			 (unsigned long long)s->would_hide[i].alerts, warns ? "; TOO BROAD: " : "",
			 HF_SV_FMT(hf_buf_view(&why)));
		broad += warns;
	}
	return broad;
}

static int replay(struct session *s, struct hf_err *err)
{
	struct hf_event_sink print = { print_alert, s }, sink = print;
	struct hf_alerts *alerts = NULL;
	int r = HF_OK;

	if (!s->all) {
		alerts = hf_alerts_new(&(struct hf_alerts_options){ .to = print, .rules = s->rules });
		sink = hf_alerts_sink(alerts);
	}
	if (s->exceptions)
		sink = hf_exceptions_sink(s->exceptions, sink, (struct hf_event_sink){ count_hidden, s });
	s->alerts = sink;
	for (int i = 0; i < s->operands_n && !r; i++)
		r = each_event(s, s->operands[i], replay_event, err);
	if (alerts && !r)
		r = hf_alerts_flush(alerts, err);
	if (alerts) {
		struct hf_alerts_count n = hf_alerts_count(alerts);
		log_note("%llu alerts: %llu shown, %llu repeats of those, %llu over the budget; %zu hidden by "
			 "exceptions",
			 (unsigned long long)n.taken + s->hidden, (unsigned long long)n.shown,
			 (unsigned long long)n.repeated, (unsigned long long)n.over_budget, s->hidden);
	}
	hf_alerts_free(alerts);
	return r;
}

static int run(int argc, char **argv)
{
	struct session s = { .out = hf_out_fd(1), .line = HF_BUF(HF_MIB(4)) };
	const char *verb = argc > 1 ? argv[1] : "";
	struct hf_err err = { 0 };
	bool lints = !strcmp(verb, "lint"), tests = !strcmp(verb, "test"), replays = !strcmp(verb, "replay");

	if (strcmp(verb, "list") && !lints && !tests && !replays)
		return hf_command_usage("runtime rules", "there are list, lint, test and replay");
	int status = parse(&s, argc - 2, argv + 2);
	if (!status && (tests || replays) && !s.operands_n)
		status = hf_command_usage("runtime rules", "%s wants a file of events", verb);
	if (status) {
		done(&s);
		return status;
	}
	int r = load(&s, &err);
	if (r >= 0 && lints)
		hf_rules_lint(s.rules, (struct hf_rules_notes){ print_note, &s });
	else if (r >= 0)
		r = tests ? test(&s, &err) : replays ? replay(&s, &err) : list(&s, &err);
	if (r >= 0)
		r = hf_out_flush(&s.out, &err);
	status = r < 0 ? hf_command_fail(&err) : 0;
	if (!status && replays && tell_exceptions(&s))
		status = 1;
	if (!status && s.notes)
		status = lints ? 1 : 3;
	done(&s);
	return status;
}

const struct hf_command hf_runtime_rules = {
	.name = "rules",
	.summary = "the detections: list them, check them, try them on recorded events",
	.usage = "list [RULE...] [--rules DIR] [--format table|json|markdown]\n"
		 "                The rules, or all of those that are named. --rules adds files *.yaml to the built-in "
		 "ones; what has the same\n"
		 "                name replaces.\n"
		 "       holdfast runtime rules lint [--rules DIR] [--exceptions FILE]\n"
		 "                What is wrong in them and what deserves a look; exit 1 where there is anything.\n"
		 "       holdfast runtime rules test FILE... [--rules DIR]\n"
		 "                Which rules match each event of the files, and why.\n"
		 "       holdfast runtime rules replay TRACE... [--rules DIR] [--exceptions FILE] [--today YYYY-MM-DD] "
		 "[--all]\n"
		 "                The alerts of a recorded trace as JSON lines, grouped and within the day's budget as "
		 "the agent tells them; with\n"
		 "                --all each one, those hidden by an exception too. What each exception hides is said "
		 "on standard error;\n"
		 "                exit 1 where one is too broad.\n"
		 "       A TRACE or FILE is JSON lines (runtime watch --format json); - is standard input. Exit 3 "
		 "where lines or rules were\n"
		 "       passed over since they are not understood.\n\n"
		 "  --rules DIR          rules beside the built-in ones\n"
		 "  --exceptions FILE    alerts that are not wanted\n"
		 "  --format table|json|markdown  how to print them\n"
		 "  --today YYYY-MM-DD   the day by which exceptions end\n"
		 "  --all                every alert, those hidden by an exception too",
	.run = run,
};
