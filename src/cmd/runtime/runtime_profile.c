/* runtime profile: what is normal for a workload - shown, compared, merged, explained, checked. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/runtime/profile_file.h"
#include "cmd/runtime/profile_text.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"

enum { OPERANDS_MAX = 256 };
enum {
	GATE_NEW = 1u << 0,
	GATE_GONE = 1u << 1,
	GATE_CHANGED = 1u << 2,
	GATE_ALERT = 1u << 3,
	GATE_CANNOT_TELL = 1u << 4
};

struct session {
	const char *verb, *operands[OPERANDS_MAX], *format, *output;
	size_t operands_n;
	uint32_t gates;
	bool strict, failed;
	struct hf_out out;
	struct hf_arena arena;
	struct hf_profile profile;
	uint64_t unreadable;
};

static int gate(struct session *s, const char *value)
{
	static const struct {
		const char *name, *verb;
		uint32_t bit;
	} gates[] = {
		{ "new", "diff", GATE_NEW },         { "gone", "diff", GATE_GONE },
		{ "changed", "diff", GATE_CHANGED }, { "any", "diff", GATE_NEW | GATE_GONE | GATE_CHANGED },
		{ "alert", "explain", GATE_ALERT },  { "cannot-tell", "explain", GATE_ALERT | GATE_CANNOT_TELL },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(gates); i++)
		if (!strcmp(gates[i].name, value) && !strcmp(gates[i].verb, s->verb)) {
			s->gates |= gates[i].bit;
			return -1;
		}
	return hf_command_usage("runtime profile", "%s has no gate '%s'", s->verb, value);
}

static int parse(struct session *s, int argc, char **argv)
{
	s->verb = argc > 1 ? argv[1] : "";
	s->format = "table";
	for (int i = 2; i < argc; i++) {
		const char *option = argv[i];
		if (option[0] != '-' || !strcmp(option, "-")) {
			if (s->operands_n == OPERANDS_MAX)
				return hf_command_usage("runtime profile", "more than %d profiles", OPERANDS_MAX);
			s->operands[s->operands_n++] = option;
			continue;
		}
		if (!strcmp(option, "--strict")) {
			s->strict = true;
			continue;
		}
		if (strcmp(option, "--format") != 0 && strcmp(option, "--fail-on") != 0 && strcmp(option, "-o") != 0 &&
		    strcmp(option, "--output") != 0)
			return hf_command_no_option("runtime profile", option);
		if (++i == argc)
			return hf_command_usage("runtime profile", "%s wants a value", option);
		if (!strcmp(option, "--fail-on")) {
			int status = gate(s, argv[i]);
			if (status >= 0)
				return status;
		} else if (!strcmp(option, "--format")) {
			s->format = argv[i];
		} else {
			s->output = argv[i];
		}
	}
	bool yaml = !strcmp(s->format, "yaml") && !strcmp(s->verb, "show");
	if (!yaml && strcmp(s->format, "table") != 0 && strcmp(s->format, "json") != 0)
		return hf_command_usage("runtime profile", "--format is table or json (show: or yaml), not '%s'",
					s->format);
	return -1;
}

static bool is_json(const struct session *s)
{
	return !strcmp(s->format, "json");
}

static int show(struct session *s, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_PROFILE_SIZE_MAX);

	if (profile_file_read(s->operands[0], &s->arena, &s->profile, err))
		return err->code;
	if (is_json(s)) {
		profile_text_show_json(&s->out, &s->profile);
	} else if (!strcmp(s->format, "yaml")) {
		hf_profile_write(&s->profile, &text);
		hf_out_add(&s->out, hf_buf_view(&text));
	} else {
		profile_text_show(&s->out, &s->profile, false);
	}
	return 0;
}

static int diff(struct session *s, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct hf_profile after;
	size_t n;

	if (profile_file_read(s->operands[0], &s->arena, &s->profile, err) ||
	    profile_file_read(s->operands[1], &a, &after, err))
		return err->code;
	const struct hf_profile_change *changes = hf_profile_diff(&s->profile, &after, &scratch, &n);
	if (scratch.over)
		return hf_fail(err, HF_E_LIMIT, "%s, %s: too much differs", s->operands[0], s->operands[1]);
	for (size_t i = 0; i < n; i++)
		s->failed |= (s->gates & 1u << changes[i].change) != 0;
	if (is_json(s))
		profile_text_diff_json(&s->out, &s->profile, &after, changes, n);
	else
		profile_text_diff(&s->out, changes, n);
	return 0;
}

static int merge(struct session *s, struct hf_err *err)
{
	if (profile_file_read(s->operands[0], &s->arena, &s->profile, err))
		return err->code;
	for (size_t i = 1; i < s->operands_n; i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
		struct hf_profile other;
		if (profile_file_read(s->operands[i], &a, &other, err))
			return err->code;
		if (hf_profile_merge(&s->profile, &other, false, err))
			return hf_wrap(err, "%s", s->operands[i]);
	}
	return profile_file_write(s->output, &s->profile, err);
}

static int explain_event(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct session *s = ctx;
	size_t n;
	const struct hf_profile_verdict *all = hf_profile_judge_all(&s->profile, e, &a, &n);

	(void)err;
	for (size_t i = 0; i < n; i++) {
		s->failed |= all[i].verdict == HF_VERDICT_ALERT && s->gates & GATE_ALERT;
		s->failed |= all[i].verdict == HF_VERDICT_CANNOT_TELL && s->gates & GATE_CANNOT_TELL;
	}
	if (is_json(s))
		profile_text_verdict_json(&s->out, e, all, n);
	else
		profile_text_verdict(&s->out, &s->profile, e, all, n);
	return 0;
}

static int explain(struct session *s, struct hf_err *err)
{
	const struct hf_event_sink sink = { explain_event, s };

	if (profile_file_read(s->operands[0], &s->arena, &s->profile, err))
		return err->code;
	if (s->operands_n == 1 && is_json(s))
		profile_text_show_json(&s->out, &s->profile);
	else if (s->operands_n == 1)
		profile_text_show(&s->out, &s->profile, true);
	for (size_t i = 1; i < s->operands_n; i++) {
		int code = replay_record(s->operands[i], &sink, &s->unreadable, err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int verify(struct session *s, struct hf_err *err)
{
	for (size_t i = 0; i < s->operands_n; i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
		struct hf_profile p;
		if (profile_file_read(s->operands[i], &a, &p, err))
			return err->code;
		hf_out_addf(&s->out, "%s: a valid profile, mode %s", s->operands[i], hf_profile_mode_name(p.mode));
		const char *between = "; not looked at: ";
		for (unsigned part = 0; part < HF_PROFILE_PARTS; part++)
			if (!p.sections[part].covered) {
				hf_out_addf(&s->out, "%s%s", between, hf_profile_parts[part].key);
				between = ", ";
			}
		hf_out_add(&s->out, HF_SV("\n"));
	}
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct {
		const char *name, *wants;
		int (*run)(struct session *s, struct hf_err *err);
		size_t min, max;
	} verbs[] = {
		{ "show", "one profile", show, 1, 1 },
		{ "diff", "two profiles", diff, 2, 2 },
		{ "merge", "two profiles or more", merge, 2, OPERANDS_MAX },
		{ "explain", "a profile, and events as JSON lines", explain, 1, OPERANDS_MAX },
		{ "verify", "a profile or more", verify, 1, OPERANDS_MAX },
	};
	struct session s = { .out = hf_out_fd(STDOUT_FILENO), .arena = HF_ARENA(HF_PROFILE_ARENA_MAX) };
	struct hf_err err = { 0 };
	int status = parse(&s, argc, argv), ret;
	size_t i = 0;

	if (status >= 0)
		return status;
	while (i < HF_ARRAY_SIZE(verbs) && strcmp(verbs[i].name, s.verb) != 0)
		i++;
	if (i == HF_ARRAY_SIZE(verbs))
		return hf_command_usage("runtime profile", "there are show, diff, merge, explain and verify, not '%s'",
					s.verb);
	if (s.operands_n < verbs[i].min || s.operands_n > verbs[i].max)
		return hf_command_usage("runtime profile", "%s wants %s", s.verb, verbs[i].wants);
	ret = verbs[i].run(&s, &err);
	if (!ret)
		ret = hf_out_flush(&s.out, &err);
	hf_out_done(&s.out);
	hf_arena_done(&s.arena);
	if (ret)
		return hf_command_fail(&err);
	return s.failed ? 1 : s.unreadable && s.strict ? 3 : 0;
}

const struct hf_command hf_runtime_profile = {
	.name = "profile",
	.summary = "what is normal for a workload: shown, compared, merged, explained, checked",
	.usage = "show PROFILE [--format table|yaml|json]\n"
		 "                What it holds.\n"
		 "       holdfast runtime profile diff OLD NEW [--format table|json] [--fail-on new|gone|changed|any]\n"
		 "                What came, went and changed; counts and times are left out.\n"
		 "       holdfast runtime profile merge PROFILE PROFILE... [-o FILE]\n"
		 "                One profile of many replicas.\n"
		 "       holdfast runtime profile explain PROFILE [EVENTS...] [--format table|json] [--fail-on "
		 "alert|cannot-tell] [--strict]\n"
		 "                Where its entries come from, and what it says of events.\n"
		 "       holdfast runtime profile verify PROFILE...\n"
		 "                Whether they are whole and understood.\n\n"
		 "  --format table|yaml|json  how to print it; yaml of show alone\n"
		 "  --fail-on WHAT       exit 1 on such an entry or event: new|gone|changed|any|alert|cannot-tell\n"
		 "  -o FILE              write there instead of standard output\n"
		 "  --strict             exit 3 where something could not be read or understood\n\n"
		 "PROFILE is a file that 'runtime learn' made, - is standard input. diff leaves counts and times out.\n"
		 "explain says of each entry where it comes from, and of each event (JSON lines, as 'runtime watch "
		 "--format json' prints\n"
		 "them) whether the profile allows it, alerts, or cannot tell, and why. merge takes profiles of one "
		 "image and owner, as\n"
		 "from several machines, and adds their replicas up.",
	.run = run,
};
