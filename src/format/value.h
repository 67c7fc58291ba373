/* A JSON value as a tree: what a manifest, an answer of an API or a policy holds, whether it came as JSON or as YAML.
 *
 * YAML is read as Kubernetes reads it (sigs.k8s.io/yaml 1.6 over go.yaml.in/yaml/v2, which is YAML 1.1 in its scalars): plain `yes`,
 * `on` and `y` are booleans, 0644 is the number 420, ~ and nothing are null; keys become strings; `<<` merges where it stands, so that
 * it overrides what stands before it. All else is YAML 1.2 (format/yaml.h). docs/formats/kubernetes-manifests.md has the rest.
 * Trees are read-only once built, may share parts (aliases), and live in the arena; texts live in the input or in the arena.
 * Hostile input is bounded: depth, nodes, what aliases unfold to, the length of a text. Values are small (16 bytes, members 32), since
 * a cluster has millions of them. */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"

enum hf_value_type {
	HF_VALUE_NULL = 0, /* also what a zeroed struct is */
	HF_VALUE_BOOL,
	HF_VALUE_NUMBER, /* text is a JSON number */
	HF_VALUE_STRING,
	HF_VALUE_ARRAY,
	HF_VALUE_OBJECT,
};

struct hf_member;
struct hf_value {
	uint32_t type : 3; /* enum hf_value_type */
	uint32_t n : 28;   /* elements or members; bytes of the text */
	uint32_t offset;   /* of its first byte in the input it was read from; of an alias: of what it stands for */
	union {
		bool boolean;
		const char *text; /* of a string, unescaped; of a number */
		const struct hf_value *elements;
		const struct hf_member *members; /* in the order of the input, keys not repeated */
	};
};

enum { HF_VALUE_N_MAX = (1 << 28) - 1 };

struct hf_member {
	const char *key; /* hf_member_key */
	uint32_t key_n;
	uint32_t offset; /* of the key */
	struct hf_value value;
};

static inline hf_sv hf_member_key(const struct hf_member *m)
{
	return (hf_sv){ m->key, m->key_n };
}
/* A key is not longer than 4 GiB, as an input is not. */
static inline struct hf_member hf_member_of(hf_sv key, struct hf_value value, uint32_t offset)
{
	return (struct hf_member){ key.ptr, (uint32_t)key.len, offset, value };
}

struct hf_texts;

struct hf_value_notes {
	void *ctx;
	/* What was understood, but not as its author may have meant it: a repeated key (the last one counts). NULL: nobody listens. */
	void (*note)(void *ctx, uint32_t offset, const char *what);
	uint32_t *ret_fault; /* where not NULL: the offset of a fault is written here, and stands in no message */
	hf_sv without;       /* members of this name that hold an array are passed over, unless it is empty */
	/* Where not NULL texts are kept there (format/texts.h), else they are views of the input. Its input is what offsets are of. */
	struct hf_texts *texts;
};

/* One JSON value from the front of @text; *ret_used says how far it went (blanks behind it included), so a stream of them can be read.
 * @base is added to all offsets. HF_E_FORMAT: "byte 17: …" (base included); HF_E_LIMIT. */
int hf_value_of_json(hf_sv text, uint32_t base, struct hf_arena *, struct hf_value_notes, struct hf_value *ret,
		     size_t *ret_used, struct hf_err *);
/* One YAML document, without further ones behind it. @base as above; @first_line is the line that @text begins with, for messages.
 * An empty document gives null. HF_E_FORMAT: "line 3, column 5: …"; HF_E_LIMIT. */
int hf_value_of_yaml(hf_sv text, uint32_t base, uint32_t first_line, struct hf_arena *, struct hf_value_notes,
		     struct hf_value *ret, struct hf_err *);
/* Takes the next document off the front of *@rest: up to a line that begins with "---" and a blank (YAML 1.2.2, 9.1.2: such a line ends
 * a document wherever it stands). False at the end. Start with the whole text. Directive lines belong to what follows them. */
bool hf_yaml_next_document(hf_sv *rest, hf_sv *ret_document);

/* All of these take NULL and values of another type, and then say no. */
const struct hf_value *hf_value_get(const struct hf_value *, hf_sv key); /* a member; NULL also where it is null */
/* Members by a dotted path: "spec.template.metadata". Keys with dots: hf_value_get. */
const struct hf_value *hf_value_at(const struct hf_value *, const char *path);
static inline bool hf_value_is(const struct hf_value *v, enum hf_value_type type)
{
	return v && v->type == type;
}
/* Elements of an array, members of an object; 0 for all else. */
size_t hf_value_count(const struct hf_value *, enum hf_value_type type);
static inline hf_sv hf_value_text(const struct hf_value *v) /* of a string; else empty */
{
	return hf_value_is(v, HF_VALUE_STRING) ? (hf_sv){ v->text, v->n } : (hf_sv){ 0 };
}
bool hf_value_true(const struct hf_value *);              /* is the boolean true */
bool hf_value_int(const struct hf_value *, int64_t *ret); /* a whole number that fits, 1e3 and 5.0 too */
static inline hf_sv hf_value_get_text(const struct hf_value *v, hf_sv key)
{
	return hf_value_text(hf_value_get(v, key));
}
bool hf_value_eq(const struct hf_value *, const struct hf_value *); /* deep; objects in any order; 1 and 1.0 differ */
/* Loops: hf_value_elements(array, e) { … e … }; hf_value_members(object, m) { … hf_member_key(m), &m->value … } */
#define hf_value_elements(v, e)                                                                   \
	for (const struct hf_value *e = hf_value_count(v, HF_VALUE_ARRAY) ? (v)->elements : NULL, \
				   *e##_end = e ? e + (v)->n : NULL;                              \
	     e != e##_end; e++)
#define hf_value_members(v, m)                                                                     \
	for (const struct hf_member *m = hf_value_count(v, HF_VALUE_OBJECT) ? (v)->members : NULL, \
				    *m##_end = m ? m + (v)->n : NULL;                              \
	     m != m##_end; m++)

struct hf_json_writer;
/* The value as JSON, members in their order. */
void hf_value_write_json(struct hf_json_writer *, const struct hf_value *);
/* An object as a YAML document in block style, that every version of YAML reads as this tree. */
void hf_value_write_yaml(struct hf_buf *, const struct hf_value *);

/* Line and column (both from 1; a column is a character) of an offset in @text. Slow: it counts from the front. */
void hf_text_position(hf_sv text, uint32_t offset, uint32_t *ret_line, uint32_t *ret_column);

/* The same for many offsets of one text: quick, and a line without its column takes no look at the text. */
struct hf_lines_mark {
	uint32_t breaks;    /* before this place */
	uint32_t start;     /* of the line that it is on */
	uint32_t continued; /* bytes since then that go on with a character */
	uint32_t length;    /* of that line: where its bytes stand among the lengths */
};
struct hf_lines {
	hf_sv text;
	const struct hf_lines_mark *before; /* each block of 4 KiB */
	/* Of each line with its break: a byte; 255 and four bytes where it is that long or longer. NULL: there are too many lines. */
	const uint8_t *lengths;
};
/* On the arena's cap: one that counts from the front. */
struct hf_lines hf_lines_of(hf_sv text, struct hf_arena *);
/* @ret_column may be NULL. */
void hf_lines_position(const struct hf_lines *, uint32_t offset, uint32_t *ret_line, uint32_t *ret_column);
