#include "baseline/notes.h"

#define BIT(kind) (UINT64_C(1) << HF_EVENT_##kind)

/* Fields that only events of some kinds have. */
static const struct {
	const char *prefix;
	uint64_t kinds;
} owners[] = {
	{ "exit.", BIT(EXIT) },
	{ "child.", BIT(FORK) },
	{ "capability.", BIT(CAPABILITY) },
	{ "network.", BIT(LISTEN) | BIT(ACCEPT) | BIT(CONNECT) | BIT(SEND) | BIT(DNS) },
	{ "dns.", BIT(DNS) },
	{ "map.", BIT(MAP) },
	{ "namespace.", BIT(NAMESPACE) },
	{ "io_uring.", BIT(IO_URING) },
	{ "bpf.", BIT(BPF) },
	{ "module.", BIT(MODULE) },
	{ "target.", BIT(PTRACE) | BIT(SIGNAL) },
	{ "signal.", BIT(SIGNAL) },
	{ "file.", BIT(FILE) },
	{ "syscalls.", BIT(SYSCALLS) },
	{ "alert.", 0 },
	{ "denial.", 0 },
	{ "loss.", BIT(LOSS) },
	{ "health.", BIT(HEALTH) },
};

/* Kinds of which one event says much by itself; all others are everyday. */
static const uint64_t telling =
	BIT(BPF) | BIT(MODULE) | BIT(PTRACE) | BIT(SIGNAL) | BIT(IO_URING) | BIT(LOSS) | BIT(HEALTH);

static void check_fields(struct note_context *n, const struct hf_rule *r)
{
	for (unsigned f = 0; f < HF_EVENT_FIELDS; f++) {
		if (!hf_condition_reads(r->condition, f))
			continue;
		for (size_t i = 0; i < HF_ARRAY_SIZE(owners); i++)
			if (hf_sv_starts(hf_sv_of(hf_event_fields[f].name), hf_sv_of(owners[i].prefix)) &&
			    !(owners[i].kinds & r->kinds))
				note_lint(n, r->line, "rule %.*s tests %s, which no event of its kinds has",
					  HF_SV_FMT(r->id), hf_event_fields[f].name);
	}
	if (r->kinds & BIT(FILE) && !hf_condition_reads(r->condition, HF_FIELD_FILE_PATH))
		note_lint(n, r->line, "rule %.*s is about files and names no file.path, so nothing is watched for it",
			  HF_SV_FMT(r->id));
}

static bool is_technique(hf_sv tag)
{
	uint64_t number;
	hf_sv digits = hf_sv_slice(tag, 1, 4), rest = hf_sv_skip(tag, 5);

	if (tag.len < 5 || tag.ptr[0] != 'T' || digits.len != 4 || !hf_sv_to_u64(digits, &number))
		return false;
	return !rest.len || (rest.ptr[0] == '.' && rest.len == 4 && hf_sv_to_u64(hf_sv_skip(rest, 1), &number));
}

static void check_rule(struct note_context *n, const struct hf_rule *r)
{
	bool technique = false;

	check_fields(n, r);
	for (size_t i = 0; i < r->tags_n; i++)
		technique |= is_technique(r->tags[i]);
	if (!technique)
		note_lint(n, r->line, "rule %.*s names no technique of MITRE ATT&CK among its tags", HF_SV_FMT(r->id));
	if (!r->next.len)
		note_lint(n, r->line, "rule %.*s says nothing on what to do next", HF_SV_FMT(r->id));
	if (!r->exception_fields_n)
		note_lint(n, r->line, "rule %.*s suggests no fields for exceptions", HF_SV_FMT(r->id));
	if (hf_condition_is_vague(r->condition) && r->kinds & ~telling)
		note_lint(n, r->line,
			  "rule %.*s: tests of presence and negations alone make it true, so it speaks of nearly "
			  "everything",
			  HF_SV_FMT(r->id));
}

static void check_names(struct note_context *n, const struct hf_rules *rules)
{
	n->file = HF_SV("");
	for (size_t i = 0; i < rules->lists.n; i++) {
		const struct hf_condition_list *list = rules->lists.entries[i].value;
		if (list && !list->used)
			note_lint(n, 0, "no rule uses the list %.*s", HF_SV_FMT(rules->lists.entries[i].key));
	}
	for (size_t i = 0; i < rules->macros.n; i++) {
		const struct hf_condition_macro *m = rules->macros.entries[i].value;
		if (m && !m->used)
			note_lint(n, 0, "no rule uses the macro %.*s", HF_SV_FMT(rules->macros.entries[i].key));
	}
}

size_t hf_rules_lint(const struct hf_rules *rules, struct hf_rules_notes notes)
{
	struct note_context n = { .to = notes };

	for (size_t i = 0; i < rules->n; i++) {
		n.file = rules->at[i].file;
		if (rules->at[i].condition)
			check_rule(&n, &rules->at[i]);
	}
	check_names(&n, rules);
	return n.others;
}
