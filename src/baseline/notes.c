#include "baseline/notes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/nearest.h"

void note_add(struct note_context *n, enum hf_rules_note_kind kind, uint32_t line, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (kind == HF_NOTE_ERROR)
		n->errors++;
	else
		n->others++;
	if (n->to.note)
		n->to.note(n->to.ctx, kind, n->file, line, hf_sv_of(text));
}

static const char *known_key(void *ctx, size_t i)
{
	return ((const char *const *)ctx)[i];
}

void note_unknown_keys(struct note_context *n, const struct hf_yaml_node *mapping, const char *const *known,
		       const char *what)
{
	for (size_t i = 0; i < mapping->n; i++) {
		hf_sv key = { 0 };
		size_t k = 0;

		hf_yaml_string(mapping->pairs[i].key, &key);
		while (known[k] && !hf_sv_eq(key, hf_sv_of(known[k])))
			k++;
		if (known[k])
			continue;
		const char *near = hf_nearest_name(key, known_key, k, (void *)known);
		note_error(n, mapping->pairs[i].key->line, "%s has no key '%.*s'%s%s%s", what,
			   HF_SV_FMT(hf_sv_first(key, 100)), near ? "; nearest is '" : "", near ? near : "",
			   near ? "'" : "");
	}
}

void note_documents_of(struct note_context *n, const struct hf_rules_source *source, struct hf_arena *a,
		       const struct note_shape *shape, void (*read)(void *ctx, const struct hf_yaml_node *root),
		       void *ctx)
{
	struct hf_yaml_document *documents;
	struct hf_err err = { 0 };
	size_t documents_n;

	n->file = source->name;
	if (hf_yaml_parse(source->text, a, &documents, &documents_n, &err) < 0) {
		note_error(n, 0, "%s", err.msg);
		return;
	}
	for (size_t i = 0; i < documents_n; i++) {
		const struct hf_yaml_node *root = documents[i].root;
		if (!root)
			continue;
		if (root->type != HF_YAML_MAPPING) {
			note_error(n, root->line, "%s is %s", shape->what, shape->mapping);
			continue;
		}
		note_unknown_keys(n, root, shape->keys, shape->what);
		read(ctx, root);
	}
}

bool note_strings_of(struct hf_arena *a, const struct hf_yaml_node *node, const hf_sv **ret, size_t *ret_n)
{
	if (!node || node->type != HF_YAML_SEQUENCE)
		return false;
	hf_sv *list = hf_arena_array(a, hf_sv, node->n);
	for (size_t i = 0; list && i < node->n; i++)
		if (!hf_yaml_string(node->elements[i], &list[i]))
			return false;
	*ret = list;
	*ret_n = node->n;
	return list;
}
