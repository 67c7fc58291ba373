/* run_rule_cases RULES WORKLOADS: TAP, one test a built-in rule and one a workload. RULES/<rule>/trigger.jsonl: each line is an event
 * that the rule alerts for; RULES/<rule>/benign.jsonl: events much like them that no rule at all alerts for. A rule without both, or a
 * folder without a rule, fails. WORKLOADS/<image>.jsonl: what containers of it do as they start and work, of which no rule may say a
 * word. */
#include <stdio.h>

#include "base/limits.h"
#include "baseline/rules.h"
#include "lib/files.h"
#include "trace/trace.h"

static void print_note(void *ctx, enum hf_rules_note_kind kind, hf_sv file, uint32_t line, hf_sv text)
{
	(void)ctx;
	printf("# %s%.*s:%u: %.*s\n", kind == HF_NOTE_LINT ? "lint: " : "", HF_SV_FMT(file), line, HF_SV_FMT(text));
}

struct hits {
	hf_sv wanted;
	bool found;
	size_t n;
	const struct hf_rules *rules;
};

static int take(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	struct hits *h = ctx;
	hf_sv rule = hf_event_string(alert, HF_FIELD_ALERT_RULE);

	if (!hf_event_string(alert, HF_FIELD_ALERT_REASON).len)
		return hf_fail(err, HF_E_FORMAT, "an alert without a reason");
	h->n++;
	if (hf_sv_eq(rule, h->wanted))
		h->found = true;
	else if (!h->wanted.ptr)
		printf("# %.*s: %.*s\n", HF_SV_FMT(rule), HF_SV_FMT(hf_event_string(alert, HF_FIELD_ALERT_REASON)));
	return 0;
}

/* @rule: what each line must trigger; the empty view: no line may trigger anything. */
static bool check_file(const struct hf_rules *rules, const char *dir, const char *name, hf_sv rule)
{
	bool there, ok = true;
	struct hf_buf file = test_read(dir, name, &there);
	hf_sv text = hf_buf_view(&file);
	size_t lines = 0;

	for (hf_sv line; there && text.ptr && hf_sv_next(&text, '\n', &line);) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_event e = { 0 };
		struct hf_err err = { 0 };
		struct hits h = { .wanted = rule, .rules = rules };
		const struct hf_event_sink sink = { take, &h };
		size_t unknown = 0;

		if (!hf_sv_trim(line).len)
			continue;
		lines++;
		int r = hf_trace_read(line, &a, &e, &unknown, &err);
		r = r < 0 ? r : hf_rules_evaluate(rules, &e, &sink, &err);
		bool good = r >= 0 && !unknown && (rule.ptr ? h.found : !h.n);
		if (!good)
			printf("# %s, line %zu: %s (%zu alerts, %zu unknown fields)\n", name, lines,
			       r < 0      ? err.msg
			       : rule.ptr ? "is not alerted for"
					  : "is alerted for",
			       h.n, unknown);
		ok &= good;
	}
	if (!lines)
		printf("# no events in %s/%s\n", dir, name);
	hf_buf_done(&file);
	return ok && lines;
}

int main(int argc, char **argv)
{
	const struct hf_rules_notes notes = { print_note, NULL };
	struct hf_rules *rules;
	struct hf_err err = { 0 };
	int bad = 0, count = 0;

	if (argc != 3)
		return 2;
	int r = hf_rules_load_folder(NULL, notes, &rules, &err);
	bool clean = r == HF_OK && !hf_rules_lint(rules, notes);
	printf("%sok %d - the built-in rules load without a note\n", clean ? "" : "not ", ++count);
	bad += !clean;
	if (r < 0) {
		printf("# %s\n1..%d\n", err.msg, count);
		return 1;
	}
	for (size_t i = 0; i < rules->n; i++) {
		char dir[4096];
		snprintf(dir, sizeof dir, "%s/%.*s", argv[1], HF_SV_FMT(rules->at[i].id));
		bool ok = check_file(rules, dir, "trigger.jsonl", rules->at[i].id);
		ok &= check_file(rules, dir, "benign.jsonl", (hf_sv){ 0 });
		printf("%sok %d - %.*s\n", ok ? "" : "not ", ++count, HF_SV_FMT(rules->at[i].id));
		bad += !ok;
	}
	struct test_files folders = test_names_in(argv[1], true);
	bool each = true;
	for (size_t i = 0; i < folders.n; i++)
		if (!hf_rules_find(rules, hf_sv_of(folders.paths[i]))) {
			printf("# %s/%s belongs to no rule\n", argv[1], folders.paths[i]);
			each = false;
		}
	printf("%sok %d - each folder of cases belongs to a rule\n", each ? "" : "not ", ++count);
	test_files_done(&folders);
	struct test_files workloads = test_names_in(argv[2], false);
	for (size_t i = 0; i < workloads.n; i++) {
		bool ok = check_file(rules, argv[2], workloads.paths[i], (hf_sv){ 0 });
		printf("%sok %d - nothing to say of %s\n", ok ? "" : "not ", ++count, workloads.paths[i]);
		bad += !ok;
	}
	bad += !workloads.n;
	test_files_done(&workloads);
	printf("1..%d\n", count);
	hf_rules_free(rules);
	return bad || !each;
}
