/* YAML 1.2 (libfyaml) into a tree in an arena: profiles, rules, manifests. Hostile input is bounded: size, depth, nodes, and what
 * aliases unfold to (an alias is a second pointer to a node, never a copy; a cycle is an error). Duplicate keys, keys that are no
 * scalars, tabs as indentation and unknown anchors are errors with line and column. `<<` is a key like any other: YAML 1.2 has no
 * merging. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"

enum hf_yaml_type { HF_YAML_SCALAR = 1, HF_YAML_SEQUENCE, HF_YAML_MAPPING };

struct hf_yaml_node;
struct hf_yaml_pair {
	const struct hf_yaml_node *key, *value; /* never NULL; a missing value is a plain empty scalar */
};

struct hf_yaml_node {
	enum hf_yaml_type type;
	uint32_t line, column; /* from 1 */
	uint32_t offset;       /* of its first byte in the text */
	bool plain;            /* a scalar without quotes: `true` is a bool, "true" is a string */
	hf_sv text;            /* of a scalar */
	hf_sv tag;             /* as !!str; empty where none is written */
	size_t n;              /* elements or pairs */
	union {
		const struct hf_yaml_node *const *elements;
		const struct hf_yaml_pair *pairs;
	};
};

struct hf_yaml_document {
	const struct hf_yaml_node *root; /* NULL where the document is empty */
};

/* All documents of a stream; texts live in @text or in @a. HF_E_FORMAT: "line 3, column 5: …"; HF_E_LIMIT: a limit of base/limits.h. */
int hf_yaml_parse(hf_sv text, struct hf_arena *a, struct hf_yaml_document **ret_documents, size_t *ret_n,
		  struct hf_err *err);
/* The same where a mapping may hold a key several times: all of its pairs are handed out, in their order. */
int hf_yaml_parse_repeated(hf_sv text, struct hf_arena *a, struct hf_yaml_document **ret_documents, size_t *ret_n,
			   struct hf_err *err);
/* The value of @key in a mapping; NULL where it is none or has no such key. */
const struct hf_yaml_node *hf_yaml_get(const struct hf_yaml_node *mapping, hf_sv key);
/* Typed reads, by YAML 1.2's core schema. False where the node is NULL or of another type. */
bool hf_yaml_string(const struct hf_yaml_node *, hf_sv *ret); /* any scalar's text but null */
bool hf_yaml_bool(const struct hf_yaml_node *, bool *ret);
bool hf_yaml_uint(const struct hf_yaml_node *, uint64_t *ret);
bool hf_yaml_null(const struct hf_yaml_node *); /* NULL, empty, ~ or null */
/* A scalar as YAML writes it: plain where that reads back as the same string, else in double quotes with escapes. */
void hf_yaml_write_scalar(struct hf_buf *out, hf_sv text);
