/* runtime why: one event with all that is known about it, from the running agent or from a recorded trace. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/state.h"
#include "base/file.h"
#include "base/limits.h"
#include "baseline/exceptions.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_answer.h"
#include "format/json.h"
#include "sink/render.h"
#include "trace/trace.h"

enum { ALERTS_MAX = 64 };

struct found {
	hf_sv id;
	struct hf_arena arena;
	struct hf_event *event, *alerts[ALERTS_MAX];
	size_t alerts_n, alerts_left_out;
};

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct found *f = ctx;
	bool own = hf_sv_eq(hf_event_string(e, HF_FIELD_ID), f->id);

	if (e->kind == HF_EVENT_ALERT && (own || hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_EVENT), f->id))) {
		if (f->alerts_n == ALERTS_MAX) {
			f->alerts_left_out++;
			return 0;
		}
		f->alerts[f->alerts_n] = hf_event_copy(&f->arena, e);
		f->alerts_n += f->alerts[f->alerts_n] != NULL;
	} else if (e->kind != HF_EVENT_ALERT && own) {
		f->event = hf_event_copy(&f->arena, e);
	}
	return f->arena.over ? hf_fail(err, HF_E_LIMIT, "the event needs more than %zu bytes", f->arena.cap) : 0;
}

static int read_trace(const char *path, struct found *f, struct hf_err *err)
{
	const struct hf_event_sink sink = { take, f };
	int code = replay_record(path, &sink, NULL, err);

	/* The id of an alert leads to its event, which stands before it. */
	hf_sv event = f->alerts_n ? hf_event_string(f->alerts[0], HF_FIELD_ALERT_EVENT) : (hf_sv){ 0 };
	if (code < 0 || f->event || !event.len || hf_sv_eq(event, f->id) || !strcmp(path, "-"))
		return code;
	struct found again = { .id = event, .arena = HF_ARENA(HF_MIB(16)) };
	const struct hf_event_sink second = { take, &again };
	code = replay_record(path, &second, NULL, err);
	if (code == 0 && again.event)
		f->event = hf_event_copy(&f->arena, again.event);
	hf_arena_done(&again.arena);
	return code;
}

static int read_line(struct found *f, struct hf_json *j, struct hf_err *err)
{
	struct hf_event e;
	hf_sv raw = hf_json_raw(j);

	if (hf_sv_eq(raw, HF_SV("null")))
		return 0;
	if (hf_trace_read(raw, &f->arena, &e, NULL, err) < 0)
		return hf_wrap(err, "the agent's answer");
	if (e.kind == HF_EVENT_ALERT && f->alerts_n < ALERTS_MAX) {
		f->alerts[f->alerts_n] = hf_event_copy(&f->arena, &e);
		f->alerts_n += f->alerts[f->alerts_n] != NULL;
	} else if (e.kind != HF_EVENT_ALERT) {
		f->event = hf_event_copy(&f->arena, &e);
	}
	return 0;
}

/* Another process wrote it: nothing is believed but that it is JSON. */
static int read_answer(hf_sv text, struct found *f, struct hf_err *err)
{
	struct hf_json j = hf_json_of(text, &f->arena);
	hf_sv key;
	int code = 0;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("error")))
			return hf_fail(err, HF_E_USAGE, "%.*s", HF_SV_FMT(hf_json_string(&j)));
		if (hf_sv_eq(key, HF_SV("event"))) {
			code = read_line(f, &j, err);
		} else if (hf_sv_eq(key, HF_SV("alerts"))) {
			hf_json_elements(&j)
				if (code >= 0)
					code = read_line(f, &j, err);
				else
					hf_json_skip(&j);
		} else {
			hf_json_skip(&j);
		}
		if (code < 0)
			return code;
	}
	return 0;
}

static int ask_agent(const struct runtime_ask *ask, struct found *f, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf answer = HF_BUF(HF_MIB(9)), question = HF_BUF(256);

	hf_buf_addf(&question, "why %s", ask->operand);
	hf_buf_add_char(&question, 0);
	if (question.over || strchr(ask->operand, '\n'))
		return hf_fail(err, HF_E_USAGE, "that is no id of an event");
	int code = hf_state_ask(ask->state_folder, question.ptr, &answer, err);
	/* The views of what is read live in the arena, which outlives the answer. */
	hf_sv text = code < 0 ? (hf_sv){ 0 } : hf_arena_dup(&f->arena, hf_buf_view(&answer));
	return code < 0 ? code : read_answer(text, f, err);
}

static void add_line(struct hf_out *out, const char *title, hf_sv text)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));

	if (!text.len)
		return;
	hf_render_text(&line, text);
	hf_out_addf(out, "  %-12s ", title);
	hf_out_add(out, hf_buf_view(&line));
	hf_out_add(out, HF_SV("\n"));
}

/* A text of several lines as one. */
static void add_text(struct hf_out *out, const char *title, hf_sv text)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));

	hf_buf_add(&line, hf_sv_trim(text));
	for (size_t i = 0; i < line.len; i++)
		line.ptr[i] = line.ptr[i] == '\n' ? ' ' : line.ptr[i];
	add_line(out, title, hf_buf_view(&line));
}

static void add_list(struct hf_out *out, const char *title, const struct hf_value *v)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));

	for (uint32_t i = 0; v->type == HF_VALUE_LIST && i < v->n; i++) {
		hf_buf_add(&line, i ? HF_SV(" ") : HF_SV(""));
		hf_buf_add(&line, v->list[i]);
	}
	add_line(out, title, hf_buf_view(&line));
}

static void show_event(struct hf_out *out, const struct hf_event *e)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(2));

	hf_buf_addf(&text, "%s ", hf_event_kind_name(e->kind));
	hf_render_what(e, &text);
	hf_buf_add_char(&text, '\n');
	hf_out_add(out, hf_buf_view(&text));
	add_line(out, "event", hf_event_string(e, HF_FIELD_ID));
	add_line(out, "time", hf_event_string(e, HF_FIELD_TIME));
	text.len = 0;
	hf_render_container(e, &text);
	add_line(out, "container", hf_buf_view(&text));
	add_line(out, "image", hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME));
	add_line(out, "digest", hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST));
	add_line(out, "pod", hf_event_string(e, HF_FIELD_CONTAINER_POD_NAME));
	add_line(out, "unresolved", hf_event_string(e, HF_FIELD_CONTAINER_UNRESOLVED));
	add_line(out, "drift", hf_event_string(e, HF_FIELD_PROCESS_EXE_DRIFT));
	hf_out_add(out, HF_SV("  processes\n"));
	text.len = 0;
	hf_render_tree(e, &text);
	hf_out_add(out, hf_buf_view(&text));
}

static void show_lines(struct hf_out *out, hf_sv text)
{
	hf_sv line;

	while (text.len && hf_sv_next(&text, '\n', &line)) {
		hf_cleanup(hf_buf_done) struct hf_buf shown = HF_BUF(HF_MIB(1));
		hf_render_text(&shown, line);
		hf_out_addf(out, "    ");
		hf_out_add(out, hf_buf_view(&shown));
		hf_out_add(out, HF_SV("\n"));
	}
}

static void show_alert(struct hf_out *out, const struct hf_event *e, const struct hf_rules *rules)
{
	const struct hf_rule *rule = rules ? hf_rules_find(rules, hf_event_string(e, HF_FIELD_ALERT_RULE)) : NULL;
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(1));
	struct hf_err err = { 0 };

	hf_buf_add(&text, HF_SV("alert "));
	hf_render_what(e, &text);
	hf_buf_add_char(&text, '\n');
	hf_out_add(out, hf_buf_view(&text));
	add_line(out, "because", hf_event_string(e, HF_FIELD_ALERT_REASON));
	add_list(out, "tags", &e->values[HF_FIELD_ALERT_TAGS]);
	add_line(out, "group", hf_event_string(e, HF_FIELD_ALERT_GROUP));
	add_line(out, "hidden by", hf_event_string(e, HF_FIELD_ALERT_EXCEPTION));
	if (rule) {
		add_text(out, "rule", rule->description);
		add_text(out, "condition", rule->condition_text);
		add_text(out, "what to do", rule->next);
	}
	text.len = 0;
	if (!rules)
		return;
	if (hf_exception_suggest(rules, e, HF_SV(""), HF_SV(""), HF_SV(""), &text, &err) == 0) {
		hf_out_add(out, HF_SV("  where it is right, this exception hides it:\n"));
		show_lines(out, hf_buf_view(&text));
	} else {
		add_line(out, "exception", hf_sv_of(err.msg));
	}
}

static void show_json(struct hf_out *out, const struct found *f)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(2));

	hf_out_add(out, HF_SV("{\"schema\":\"holdfast/why/1\",\"event\":"));
	if (f->event)
		hf_trace_write(&line, f->event);
	hf_out_add(out, f->event ? hf_sv_trim(hf_buf_view(&line)) : HF_SV("null"));
	hf_out_add(out, HF_SV(",\"alerts\":["));
	for (size_t i = 0; i < f->alerts_n; i++) {
		line.len = 0;
		hf_trace_write(&line, f->alerts[i]);
		hf_out_add(out, i ? HF_SV(",") : HF_SV(""));
		hf_out_add(out, hf_sv_trim(hf_buf_view(&line)));
	}
	hf_out_add(out, HF_SV("]}\n"));
}

static void show_table(struct hf_out *out, const struct found *f)
{
	struct hf_rules *rules = NULL;

	if (f->alerts_n && hf_rules_load_folder(NULL, (struct hf_rules_notes){ 0 }, &rules, NULL) < 0)
		rules = NULL;
	/* An alert carries the fields of its event, so it stands in for one that is not kept any more. */
	if (f->event || f->alerts_n)
		show_event(out, f->event ? f->event : f->alerts[0]);
	for (size_t i = 0; i < f->alerts_n; i++)
		show_alert(out, f->alerts[i], rules);
	if (!f->alerts_n)
		hf_out_add(out, HF_SV("no alert: no rule and no profile objected\n"));
	if (f->alerts_left_out)
		hf_out_addf(out, "… and %zu more alerts\n", f->alerts_left_out);
	hf_rules_free(rules);
}

static int explain(const struct runtime_ask *ask, struct found *f)
{
	struct hf_out out = hf_out_fd(STDOUT_FILENO);
	struct hf_err err = { 0 };
	int code = ask->trace ? read_trace(ask->trace, f, &err) : ask_agent(ask, f, &err);

	if (code == 0 && f->arena.over)
		code = hf_fail(&err, HF_E_LIMIT, "the answer needs more than %zu bytes", f->arena.cap);
	if (code == 0 && !f->event && !f->alerts_n)
		code = hf_fail(&err, HF_E_MISSING, "%s: %s", ask->operand,
			       ask->trace ? "is not in the trace"
					  : "the agent does not keep it any more; give a record with --trace FILE");
	if (code < 0) {
		hf_out_done(&out);
		return hf_command_fail(&err);
	}
	if (ask->json)
		show_json(&out, f);
	else
		show_table(&out, f);
	return runtime_answer_end(&out, 0);
}

static int run(int argc, char **argv)
{
	struct runtime_ask ask;
	int status = runtime_ask_parse(&ask, "runtime why", true, argc, argv);

	if (status >= 0)
		return status;
	if (!ask.operand)
		return hf_command_usage("runtime why", "which event? Its id stands in the field id");
	struct found f = { .id = hf_sv_of(ask.operand), .arena = HF_ARENA(HF_MIB(64)) };
	status = explain(&ask, &f);
	hf_arena_done(&f.arena);
	return status;
}

const struct hf_command hf_runtime_why = {
	.name = "why",
	.summary = "one event or alert: its processes, its container, and the rule or profile that objected",
	.usage = "[OPTIONS] EVENT\n\n"
		 "EVENT is the id of an event or of an alert. The running agent keeps the last few thousand; older\n"
		 "ones are found in a record.\n\n"
		 "  --trace FILE          look in this record instead (runtime watch --record FILE)\n"
		 "  --format table|json   default table\n"
		 "  --state DIR           where the agent's socket is; default /run/holdfast",
	.run = run,
};
