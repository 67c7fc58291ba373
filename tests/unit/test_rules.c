#include "unit.h"

#include "base/limits.h"
#include "baseline/alerts.h"
#include "baseline/exceptions.h"

static const char file[] = "lists:\n"
			   "  shells: [sh, bash]\n"
			   "macros:\n"
			   "  workload: container.id exists\n"
			   "rules:\n"
			   "  - id: shell\n"
			   "    title: A shell\n"
			   "    description: Why.\n"
			   "    severity: medium\n"
			   "    family: execution\n"
			   "    tags: [T1059.004]\n"
			   "    kinds: [exec]\n"
			   "    condition: |\n"
			   "      workload and program in $shells\n"
			   "    exceptions: [container.image.name, process.arguments]\n"
			   "    next: Look.\n"
			   "  - id: shadow-read\n"
			   "    title: Shadow\n"
			   "    description: Why.\n"
			   "    severity: critical\n"
			   "    tags: [T1003.008]\n"
			   "    kinds: [file]\n"
			   "    condition: file.operation = open and file.path = /etc/shadow\n"
			   "    exceptions: [process.executable.path]\n"
			   "    next: Look.\n"
			   "  - id: shell-or-shadow\n"
			   "    title: Either\n"
			   "    description: Why.\n"
			   "    severity: low\n"
			   "    family: execution\n"
			   "    tags: [T1059]\n"
			   "    kinds: [exec, file]\n"
			   "    condition: program = sh or file.operation in (write, rename) and (file.path = "
			   "/etc/shadow or file.path startswith /etc/cron)\n"
			   "    exceptions: [process.executable.path]\n"
			   "    next: Look.\n";

struct told {
	struct hf_buf text;
	size_t n;
};

static void note(void *ctx, enum hf_rules_note_kind kind, hf_sv name, uint32_t line, hf_sv text)
{
	struct told *t = ctx;

	t->n++;
	hf_buf_addf(&t->text, "%d %.*s:%u: %.*s\n", (int)kind, HF_SV_FMT(name), line, HF_SV_FMT(text));
}

static int alert(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct told *t = ctx;

	(void)err;
	t->n++;
	hf_buf_addf(&t->text, "%.*s", HF_SV_FMT(hf_event_string(e, HF_FIELD_ALERT_RULE)));
	if (hf_event_has(e, HF_FIELD_ALERT_COUNT))
		hf_buf_addf(&t->text, "*%llu", (unsigned long long)hf_event_uint(e, HF_FIELD_ALERT_COUNT));
	if (hf_event_has(e, HF_FIELD_ALERT_EXCEPTION))
		hf_buf_addf(&t->text, "(%.*s)", HF_SV_FMT(hf_event_string(e, HF_FIELD_ALERT_EXCEPTION)));
	hf_buf_add_char(&t->text, ' ');
	return 0;
}

#define TOLD                              \
	{                                 \
		.text = {.max = 1 << 16 } \
	}

static void assert_told(struct told *t, const char *text)
{
	hf_buf_add_char(&t->text, '\0');
	assert_string_equal(t->text.ptr, text);
	hf_buf_done(&t->text);
	*t = (struct told)TOLD;
}

static struct hf_rules *load(const char *more, struct told *t, int code)
{
	const struct hf_rules_source sources[] = { { HF_SV("a.yaml"), hf_sv_of(file), true },
						   { HF_SV("b.yaml"), hf_sv_of(more), false } };
	struct hf_rules *rules;

	assert_int_equal(hf_rules_load(sources, more ? 2 : 1, (struct hf_rules_notes){ note, t }, &rules, NULL), code);
	return rules;
}

static struct hf_event exec_event(const char *path)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	hf_event_set_string(&e, HF_FIELD_ID, HF_SV("b-7"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, HF_SV("c1"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_IMAGE_NAME, HF_SV("shop:7"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, hf_sv_of(path));
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, 1000);
	return e;
}

HF_TEST(every_rule_that_matches_is_told)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_event e = exec_event("/bin/sh");
	const struct hf_event_sink sink = { alert, &t };

	assert_int_equal(hf_rules_evaluate(rules, &e, &sink, NULL), 0);
	assert_told(&t, "shell shell-or-shadow ");
	e.kind = HF_EVENT_MAP;
	assert_int_equal(hf_rules_evaluate(rules, &e, &sink, NULL), 0);
	assert_told(&t, "");
	hf_rules_free(rules);
}

static int look(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	(void)err;
	++*(int *)ctx;
	assert_int_equal(e->kind, HF_EVENT_ALERT);
	assert_true(hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_TITLE), HF_SV("A shell")));
	assert_true(hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_SEVERITY), HF_SV("medium")));
	assert_true(hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_EVENT), HF_SV("b-7")));
	assert_true(hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_EVENT_KIND), HF_SV("exec")));
	assert_true(
		hf_sv_eq(hf_event_string(e, HF_FIELD_ALERT_REASON), HF_SV("process.executable.path=/usr/bin/bash")));
	assert_true(hf_sv_eq(hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH), HF_SV("/usr/bin/bash")));
	assert_int_equal(e->values[HF_FIELD_ALERT_TAGS].n, 1);
	assert_false(hf_event_has(e, HF_FIELD_ID));
	return -7;
}

HF_TEST(an_alert_says_what_decided_and_keeps_the_event)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_event e = exec_event("/usr/bin/bash");
	int n = 0;

	assert_int_equal(hf_rules_evaluate(rules, &e, &(struct hf_event_sink){ look, &n }, NULL), -7);
	assert_int_equal(n, 1);
	hf_rules_free(rules);
}

HF_TEST(files_to_watch_come_from_the_rules)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	size_t n;
	const struct hf_watched_path *w = hf_rules_watched_paths(rules, &n);

	assert_int_equal(n, 2);
	assert_true(hf_sv_eq(w[0].path, HF_SV("/etc/shadow")) && w[0].shape == HF_WATCH_PATH);
	assert_int_equal(w[0].operations, HF_WATCH_OPEN | HF_WATCH_WRITE | HF_WATCH_RENAME);
	assert_true(hf_sv_eq(w[1].path, HF_SV("/etc/cron")) && w[1].shape == HF_WATCH_BELOW);
	assert_int_equal(w[1].operations, HF_WATCH_WRITE | HF_WATCH_RENAME);
	hf_rules_free(rules);
}

HF_TEST(later_files_replace_and_switch_off_and_that_is_told)
{
	struct told t = TOLD;
	struct hf_rules *rules =
		load("lists: {shells: [fish]}\nrules:\n  - {id: shell-or-shadow, enabled: false}\n", &t, HF_OK);
	struct hf_event sh = exec_event("/bin/sh"), fish = exec_event("/bin/fish");
	const struct hf_event_sink sink = { alert, &t };

	assert_told(&t, "1 b.yaml:1: list shells replaces one of that name before it\n"
			"1 b.yaml:3: rule shell-or-shadow replaces the one of a.yaml, line 26\n");
	assert_int_equal(hf_rules_evaluate(rules, &sh, &sink, NULL), 0);
	assert_told(&t, "");
	assert_int_equal(hf_rules_evaluate(rules, &fish, &sink, NULL), 0);
	assert_told(&t, "shell ");
	hf_rules_free(rules);
}

HF_TEST(what_is_wrong_in_a_rule_is_told_and_the_others_work)
{
	struct told t = TOLD;
	struct hf_rules *rules = load("rules:\n"
				      "  - id: bad\n"
				      "    title: t\n"
				      "    description: d\n"
				      "    severity: grave\n"
				      "    kinds: [exek]\n"
				      "    conditoin: kind is exec\n"
				      "    condition: process.nam = x\n"
				      "    exceptions: [process.uid]\n"
				      "  - Bad\n",
				      &t, HF_PARTIAL);

	assert_told(&t, "0 b.yaml:10: a rule is a mapping with an id of lower case letters, digits, '_' and '-'\n"
			"0 b.yaml:7: a rule has no key 'conditoin'; nearest is 'condition'\n"
			"0 b.yaml:2: rule bad: severity is low, medium, high or critical, not 'grave'\n"
			"0 b.yaml:2: rule bad: 'exek' is no kind of event that rules see\n"
			"0 b.yaml:9: rule bad: exceptions: 'process.uid' is no field; nearest is process.pid\n"
			"0 b.yaml:8: rule bad: condition, line 1, column 1: 'process.nam' is no field and no macro; "
			"nearest is 'process.name'\n");
	assert_int_equal(rules->n, 3);
	hf_rules_free(rules);
	rules = load("rules: [", &t, HF_PARTIAL);
	assert_int_equal(t.n, 1);
	hf_buf_done(&t.text);
	assert_int_equal(rules->n, 3);
	hf_rules_free(rules);
}

HF_TEST(lint_tells_what_is_taken_and_looks_wrong)
{
	struct told t = TOLD;
	struct hf_rules *rules =
		load("lists: {idle: [x]}\nrules:\n"
		     "  - {id: odd, title: t, description: d, severity: low, tags: [none], kinds: [exec],\n"
		     "     condition: not dns.name = x}\n",
		     &t, HF_OK);

	assert_int_equal(hf_rules_lint(rules, (struct hf_rules_notes){ note, &t }), 6);
	assert_told(&t, "2 b.yaml:3: rule odd tests dns.name, which no event of its kinds has\n"
			"2 b.yaml:3: rule odd names no technique of MITRE ATT&CK among its tags\n"
			"2 b.yaml:3: rule odd says nothing on what to do next\n"
			"2 b.yaml:3: rule odd suggests no fields for exceptions\n"
			"2 b.yaml:3: rule odd: tests of presence and negations alone make it true, so it speaks of "
			"nearly everything\n"
			"2 :0: no rule uses the list idle\n");
	hf_rules_free(rules);
}

static const char exceptions_file[] =
	"exceptions:\n"
	"  - {id: x1, owner: me, why: because, expires: 2026-06-30, rules: [shell],\n"
	"     match: 'kind is exec and process.executable.path = /bin/bash'}\n"
	"  - {id: x2, owner: me, why: because, expires: 2026-06-30, rules: [shell, shell-or-shadow],\n"
	"     match: process.executable.path startswith /bin/}\n"
	"  - {id: x3, owner: me, why: because, expires: 2026-06-30, rules: [gone], match: kind is exec and "
	"process.terminal}\n";

static struct hf_exceptions *load_exceptions(const char *text, const struct hf_rules *rules, struct told *t, int code)
{
	const struct hf_rules_source source = { HF_SV("x.yaml"), hf_sv_of(text), false };
	struct hf_exceptions *x;

	assert_int_equal(hf_exceptions_load(&source, 1, rules, (struct hf_rules_notes){ note, t }, &x, NULL), code);
	return x;
}

HF_TEST(exceptions_hide_until_they_expire_and_are_counted)
{
	struct told t = TOLD, shown = TOLD, hidden = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_exceptions *x = load_exceptions(exceptions_file, rules, &t, HF_OK);
	struct hf_event bash = exec_event("/bin/bash"), usr = exec_event("/usr/bin/bash");
	struct hf_event_sink sink = hf_exceptions_sink(x, (struct hf_event_sink){ alert, &shown },
						       (struct hf_event_sink){ alert, &hidden });
	size_t n;
	const struct hf_exception *list = hf_exceptions_list(x, &n);

	assert_told(&t, "2 x.yaml:6: exception x3 names the rule gone, which is not there\n");
	assert_int_equal(n, 3);
	hf_exceptions_today(x, HF_SV("2026-06-30"));
	assert_int_equal(hf_rules_evaluate(rules, &bash, &sink, NULL), 0);
	assert_int_equal(hf_rules_evaluate(rules, &usr, &sink, NULL), 0);
	assert_told(&shown, "shell ");
	assert_told(&hidden, "shell(x1) ");
	assert_int_equal(list[0].hits, 1);
	assert_int_equal(list[0].last_hit_ns, 1000);
	assert_int_equal(hf_exception_state(x, &list[0], HF_SV("2026-06-30")), HF_EXCEPTION_ACTIVE);
	assert_int_equal(hf_exception_state(x, &list[1], HF_SV("2026-06-30")), HF_EXCEPTION_UNUSED);
	assert_int_equal(hf_exception_state(x, &list[1], HF_SV("2026-07-01")), HF_EXCEPTION_EXPIRED);
	assert_int_equal(hf_exception_state(x, &list[2], HF_SV("2026-01-01")), HF_EXCEPTION_DEAD);
	hf_exceptions_today(x, HF_SV("2026-07-01"));
	assert_int_equal(hf_rules_evaluate(rules, &bash, &sink, NULL), 0);
	assert_told(&shown, "shell ");
	hf_event_set_bool(&bash, HF_FIELD_PROCESS_EXE_TRUNCATED, true);
	hf_exceptions_today(x, HF_SV("2026-01-01"));
	assert_int_equal(hf_rules_evaluate(rules, &bash, &sink, NULL), 0);
	assert_told(&shown, "shell ");
	hf_exceptions_free(x);
	hf_rules_free(rules);
}

struct replay {
	const struct hf_exception *x;
	struct hf_would_hide total;
};

static int replay(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct replay *r = ctx;

	(void)err;
	hf_exception_replay(r->x, e, &r->total);
	return 0;
}

HF_TEST(a_replay_says_what_an_exception_hides_and_flags_broad_ones)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_exceptions *x = load_exceptions(exceptions_file, rules, &t, HF_OK);
	struct hf_event sh = exec_event("/bin/sh");
	size_t n;
	const struct hf_exception *list = hf_exceptions_list(x, &n);
	struct replay narrow = { .x = &list[0] }, broad = { .x = &list[1] };
	hf_cleanup(hf_buf_done) struct hf_buf why = HF_BUF(1024);

	hf_buf_done(&t.text);
	assert_int_equal(hf_rules_evaluate(rules, &sh, &(struct hf_event_sink){ replay, &narrow }, NULL), 0);
	assert_int_equal(hf_rules_evaluate(rules, &sh, &(struct hf_event_sink){ replay, &broad }, NULL), 0);
	assert_int_equal(narrow.total.alerts, 0);
	assert_int_equal(broad.total.alerts, 2);
	assert_false(hf_would_hide_warns(narrow.x, &narrow.total, &why));
	assert_true(hf_would_hide_warns(broad.x, &broad.total, &why));
	hf_buf_add_char(&why, '\0');
	assert_string_equal(why.ptr, "it hides alerts of 2 rules: shell shell-or-shadow");
	broad.total = (struct hf_would_hide){ .alerts = 1, .critical = 1, .rules_n = 1 };
	assert_true(hf_would_hide_warns(broad.x, &broad.total, &why));
	hf_exceptions_free(x);
	hf_rules_free(rules);
}

HF_TEST(exceptions_without_owner_day_reason_or_substance_are_refused)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_exceptions *x = load_exceptions(
		"exceptions:\n"
		"  - {id: a, owner: '', why: w, expires: soon, rules: [shell], match: process.name = x}\n"
		"  - {id: b, owner: o, why: w, expires: 2026-01-01, rules: [], match: not process.name = x}\n",
		rules, &t, HF_PARTIAL);
	size_t n;

	assert_told(&t, "0 x.yaml:2: an exception wants owner\n"
			"0 x.yaml:2: exception a: expires is a day as 2026-12-31\n"
			"0 x.yaml:3: exception b: rules is a list of ids of rules\n"
			"0 x.yaml:3: exception b: match says only what is not, and so would hide nearly everything\n");
	hf_exceptions_list(x, &n);
	assert_int_equal(n, 0);
	hf_exceptions_free(x);
	hf_rules_free(rules);
}

struct suggestion {
	struct told t;
	const struct hf_rules *rules;
};

static int suggest(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct suggestion *s = ctx;

	hf_buf_add(&s->t.text, HF_SV("exceptions:\n"));
	return hf_exception_suggest(s->rules, e, HF_SV("me"), HF_SV("why: not"), HF_SV("2026-12-31"), &s->t.text, err);
}

HF_TEST(a_suggested_exception_hides_its_alert_and_no_other)
{
	struct suggestion s = { .t = TOLD };
	struct told shown = TOLD;
	struct hf_rules *rules = load(NULL, &shown, HF_OK);
	const hf_sv arguments[] = { HF_SV("bash"), HF_SV("-c"), HF_SV("echo \"a\\b\"\n") },
		    others[] = { HF_SV("bash"), HF_SV("-i") };
	struct hf_event e = exec_event("/bin/bash"), other = e;

	s.rules = rules;
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, 3);
	hf_event_set_list(&other, HF_FIELD_PROCESS_ARGUMENTS, others, 2);
	assert_int_equal(hf_rules_evaluate(rules, &e, &(struct hf_event_sink){ suggest, &s }, NULL), HF_OK);
	hf_buf_add_char(&s.t.text, '\0');
	assert_non_null(strstr(s.t.text.ptr, "container.image.name = "));
	assert_non_null(strstr(s.t.text.ptr, "process.executable.path = "));
	struct hf_exceptions *x = load_exceptions(s.t.text.ptr, rules, &shown, HF_OK);
	struct hf_event_sink sink =
		hf_exceptions_sink(x, (struct hf_event_sink){ alert, &shown }, (struct hf_event_sink){ 0 });
	assert_int_equal(hf_rules_evaluate(rules, &e, &sink, NULL), 0);
	assert_told(&shown, "");
	assert_int_equal(hf_rules_evaluate(rules, &other, &sink, NULL), 0);
	assert_told(&shown, "shell ");
	hf_event_set_bool(&e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED, true);
	assert_int_equal(hf_rules_evaluate(rules, &e, &(struct hf_event_sink){ suggest, &s }, NULL), HF_E_UNSUPPORTED);
	hf_buf_done(&s.t.text);
	hf_exceptions_free(x);
	hf_rules_free(rules);
}

static void raise_alert(struct hf_event_sink sink, const char *rule, const char *severity, const char *container,
			const char *path, uint64_t execution, uint64_t second)
{
	struct hf_event e = exec_event(path);

	e.kind = HF_EVENT_ALERT;
	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, hf_sv_of(container));
	hf_event_set_string(&e, HF_FIELD_ALERT_RULE, hf_sv_of(rule));
	hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, hf_sv_of(severity));
	hf_event_set_uint(&e, HF_FIELD_PROCESS_EXECUTION, execution);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PARENT_EXECUTION, execution / 10);
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, second * 1000000000);
	assert_int_equal(sink.take(sink.ctx, &e, NULL), 0);
}

HF_TEST(alerts_of_one_cause_are_told_once_and_counted)
{
	struct told t = TOLD;
	struct hf_rules *rules = load(NULL, &t, HF_OK);
	struct hf_alerts *a = hf_alerts_new(&(struct hf_alerts_options){ .to = { alert, &t }, .rules = rules });
	struct hf_event_sink sink = hf_alerts_sink(a);

	raise_alert(sink, "shell", "medium", "c1", "/bin/sh", 100, 1);
	raise_alert(sink, "shell", "medium", "c1", "/bin/sh", 500, 2);        /* the same executable */
	raise_alert(sink, "shell-or-shadow", "low", "c1", "/bin/ls", 101, 3); /* the same family, beside it */
	raise_alert(sink, "shell", "medium", "c2", "/bin/sh", 900, 4);        /* another container */
	raise_alert(sink, "shadow-read", "medium", "c1", "/bin/sh", 100, 5);  /* another family */
	raise_alert(sink, "shell", "medium", "c1", "/bin/cat", 700, 6);       /* another cause */
	assert_told(&t, "shell*1 shell*1 shadow-read*1 shell*1 ");
	for (uint64_t i = 0; i < 97; i++)
		raise_alert(sink, "shell", "medium", "c1", "/bin/sh", 500, 7);
	assert_told(&t, "shell*10 shell*100 ");
	raise_alert(sink, "shell", "medium", "c1", "/bin/sh", 500, 8);
	assert_int_equal(hf_alerts_tick(a, UINT64_C(86400) * 1000000000, NULL), 0);
	assert_told(&t, "");
	assert_int_equal(hf_alerts_tick(a, UINT64_C(86401) * 1000000000, NULL), 0);
	assert_told(&t, "shell*101 ");
	raise_alert(sink, "shell", "medium", "c1", "/bin/sh", 500, 86402);
	assert_told(&t, "shell*1 ");
	struct hf_alerts_count n = hf_alerts_count(a);
	assert_int_equal(n.taken, n.shown + n.repeated + n.over_budget);
	hf_alerts_free(a);
	hf_rules_free(rules);
}

HF_TEST(a_workload_has_a_budget_a_day_that_critical_alerts_pass)
{
	struct told t = TOLD;
	struct hf_alerts *a = hf_alerts_new(&(struct hf_alerts_options){ .to = { alert, &t }, .shown_per_day = 2 });
	struct hf_event_sink sink = hf_alerts_sink(a);

	raise_alert(sink, "r1", "medium", "c1", "/a", 10, 1);
	raise_alert(sink, "r2", "medium", "c2", "/a", 20, 2); /* a replica: the image is the same */
	raise_alert(sink, "r3", "low", "c1", "/a", 30, 3);
	raise_alert(sink, "r4", "medium", "c1", "/a", 40, 4);
	raise_alert(sink, "r5", "critical", "c1", "/a", 50, 5);
	assert_told(&t, "r1*1 r2*1 alerts-over-budget*1 r5*1 ");
	raise_alert(sink, "r1", "critical", "c1", "/a", 10, 6); /* worse than the group so far */
	assert_told(&t, "r1*1 ");
	assert_int_equal(hf_alerts_flush(a, NULL), 0);
	assert_told(&t, "alerts-over-budget*2 ");
	raise_alert(sink, "r3", "low", "c1", "/a", 30, 7);
	assert_told(&t, "r3*1 ");
	hf_alerts_free(a);
}

HF_TEST(severe_alerts_are_not_hidden_by_mild_ones_or_by_those_of_others)
{
	struct told t = TOLD;
	struct hf_alerts *a = hf_alerts_new(&(struct hf_alerts_options){ .to = { alert, &t }, .shown_per_day = 2 });
	struct hf_event_sink sink = hf_alerts_sink(a);

	for (uint64_t i = 0; i < 4; i++)
		raise_alert(sink, "noise", "medium", "c1", i % 2 ? "/a" : "/b", 10 * (i + 1), 1 + i);
	raise_alert(sink, "noise2", "low", "c1", "/c", 30, 6);
	raise_alert(sink, "s1", "high", "c1", "/a", 40, 7);
	raise_alert(sink, "s2", "high", "c1", "/a", 50, 8);
	raise_alert(sink, "s3", "high", "c1", "/a", 60, 9); /* one container's own are over */
	raise_alert(sink, "s1", "high", "c2", "/a", 70, 10);
	assert_told(&t, "noise*1 noise*1 alerts-over-budget*1 s1*1 s2*1 alerts-over-budget*1 s1*1 ");
	struct hf_alerts_count n = hf_alerts_count(a);
	assert_int_equal(n.taken, n.shown + n.repeated + n.over_budget);
	hf_alerts_free(a);
}

HF_TEST(tables_stay_of_their_size_and_what_is_pushed_out_is_told)
{
	struct told t = TOLD;
	struct hf_alerts *a = hf_alerts_new(&(struct hf_alerts_options){ .to = { alert, &t }, .groups_max = 2 });
	struct hf_event_sink sink = hf_alerts_sink(a);

	raise_alert(sink, "r1", "high", "c1", "/a", 10, 1);
	raise_alert(sink, "r1", "high", "c1", "/a", 10, 2);
	raise_alert(sink, "r2", "high", "c1", "/a", 20, 3);
	raise_alert(sink, "r3", "high", "c1", "/a", 30, 4);
	assert_told(&t, "r1*1 r2*1 r1*2 r3*1 ");
	assert_int_equal(hf_alerts_count(a).pushed_out, 1);
	hf_alerts_free(a);
}

HF_TEST_MAIN(cmocka_unit_test(every_rule_that_matches_is_told),
	     cmocka_unit_test(an_alert_says_what_decided_and_keeps_the_event),
	     cmocka_unit_test(files_to_watch_come_from_the_rules),
	     cmocka_unit_test(later_files_replace_and_switch_off_and_that_is_told),
	     cmocka_unit_test(what_is_wrong_in_a_rule_is_told_and_the_others_work),
	     cmocka_unit_test(lint_tells_what_is_taken_and_looks_wrong),
	     cmocka_unit_test(exceptions_hide_until_they_expire_and_are_counted),
	     cmocka_unit_test(a_replay_says_what_an_exception_hides_and_flags_broad_ones),
	     cmocka_unit_test(exceptions_without_owner_day_reason_or_substance_are_refused),
	     cmocka_unit_test(a_suggested_exception_hides_its_alert_and_no_other),
	     cmocka_unit_test(alerts_of_one_cause_are_told_once_and_counted),
	     cmocka_unit_test(a_workload_has_a_budget_a_day_that_critical_alerts_pass),
	     cmocka_unit_test(severe_alerts_are_not_hidden_by_mild_ones_or_by_those_of_others),
	     cmocka_unit_test(tables_stay_of_their_size_and_what_is_pushed_out_is_told))
