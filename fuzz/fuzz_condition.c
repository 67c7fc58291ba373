/* A condition that compiles is evaluated over an empty event and over one that has a value for every field; what decided is told,
 * and the same truth comes out. The first line is the condition, the rest the value of all strings. */
#include <stdlib.h>

#include "base/limits.h"
#include "baseline/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct hf_event *e, const hf_sv *text, const struct hf_ancestor *tree)
{
	for (unsigned f = 0; f < HF_EVENT_FIELDS; f++)
		switch (hf_event_fields[f].type) {
		case HF_VALUE_STRING:
			hf_event_set_string(e, f, *text);
			break;
		case HF_VALUE_UINT:
			hf_event_set_uint(e, f, text->len);
			break;
		case HF_VALUE_INT:
			hf_event_set_int(e, f, -(int64_t)text->len);
			break;
		case HF_VALUE_BOOL:
			hf_event_set_bool(e, f, text->len & 1);
			break;
		case HF_VALUE_LIST:
			hf_event_set_list(e, f, text, 2);
			break;
		case HF_VALUE_MAP:
			hf_event_set_map(e, f, text, 1);
			break;
		case HF_VALUE_TREE:
			hf_event_set_tree(e, f, tree, 1);
			break;
		case HF_VALUE_NONE:
		default:
			abort();
		}
}

static void check(const struct hf_condition *c, const struct hf_event *e)
{
	hf_cleanup(hf_buf_done) struct hf_buf reason = HF_BUF(HF_KIB(64));

	enum hf_truth truth = hf_condition_evaluate(c, e);
	if (truth != hf_condition_explain(c, e, &reason) || hf_condition_holds(c, e) != (truth == HF_TRUTH_TRUE))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(8)), names_arena = HF_ARENA(HF_KIB(64));
	struct hf_map lists = HF_MAP(&names_arena), macros = HF_MAP(&names_arena);
	const struct hf_condition_names names = { &lists, &macros };
	const hf_sv two[] = { HF_SV("/bin/sh"), HF_SV("443") };
	struct hf_condition_list list = { two, 2, false };
	struct hf_condition_macro macro = { HF_SV("process.entered or kind is dns"), false };
	hf_sv text = { (const char *)data, size }, value = HF_SV("");
	const struct hf_condition *c;
	struct hf_err err = { 0 };

	hf_map_put(&lists, HF_SV("l"))->value = &list;
	hf_map_put(&macros, HF_SV("m"))->value = &macro;
	hf_sv_cut(text, '\n', &text, &value);
	for (int use = HF_CONDITION_ALERTS; use <= HF_CONDITION_EXCEPTS; use++) {
		struct hf_event empty = { 0 }, full = { 0 };
		const hf_sv both[] = { value, text };
		const struct hf_ancestor tree = { .path = value };

		if (hf_condition_compile(text, &names, use, &a, &c, &err)) {
			if (!err.msg[0])
				abort();
			return 0;
		}
		fill(&full, both, &tree);
		full.kind = HF_EVENT_DNS;
		check(c, &empty);
		check(c, &full);
		hf_condition_is_vague(c);
	}
	return 0;
}
