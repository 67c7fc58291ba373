/* What the readers of rules and of exceptions share: notes with the file and line that they are about. */
#pragma once
#include "baseline/rules.h"
#include "format/yaml.h"

struct note_context {
	struct hf_rules_notes to;
	hf_sv file;
	size_t errors, others;
};

void note_add(struct note_context *n, enum hf_rules_note_kind kind, uint32_t line, const char *fmt, ...)
	hf_printf(4, 5);
#define note_error(n, line, ...)    note_add(n, HF_NOTE_ERROR, line, __VA_ARGS__)
#define note_shadowed(n, line, ...) note_add(n, HF_NOTE_SHADOWED, line, __VA_ARGS__)
#define note_lint(n, line, ...)     note_add(n, HF_NOTE_LINT, line, __VA_ARGS__)
/* An error for each key of @mapping that is not in the NULL-ended @known, with the nearest that is. */
void note_unknown_keys(struct note_context *n, const struct hf_yaml_node *mapping, const char *const *known,
		       const char *what);
/* What the documents of a file are. */
struct note_shape {
	const char *what, *mapping; /* "a file of rules", "a mapping of lists, macros and rules" */
	const char *const *keys;    /* of it, NULL-ended */
};
/* Hands each document of @source to @read, whose first argument is @ctx, and makes the source's name that of all notes from then on. An error for text
 * that is no YAML, a document that is no mapping, and each key that it does not have. The trees live in @a. */
void note_documents_of(struct note_context *n, const struct hf_rules_source *source, struct hf_arena *a,
		       const struct note_shape *shape, void (*read)(void *ctx, const struct hf_yaml_node *root),
		       void *ctx);
/* The strings of a sequence in @a; false where it is none, or of other than scalars. */
bool note_strings_of(struct hf_arena *a, const struct hf_yaml_node *node, const hf_sv **ret, size_t *ret_n);
