#include "format/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"

struct anchor {
	const struct hf_yaml_node *node;
	uint64_t size;   /* nodes that it unfolds to */
	uint32_t height; /* levels below and with it */
	bool closed;
};

/* A mapping or sequence that is being read. */
struct frame {
	struct hf_yaml_node *node;
	struct anchor *anchor;
	size_t first;   /* its first child in reader.children */
	uint64_t size;  /* nodes below and with it, aliases unfolded */
	uint64_t extra; /* those of them that only aliases make */
	uint32_t height;
};

struct reader {
	hf_sv text;
	struct hf_arena *arena;
	struct hf_err *err;
	struct frame stack[HF_YAML_DEPTH_MAX];
	uint32_t depth;
	const struct hf_yaml_node **children; /* of all open containers, one after the other */
	size_t children_n, children_slots;
	uint32_t *slots; /* for duplicate keys */
	size_t slots_n;
	size_t nodes;
	struct hf_map anchors;
	const struct hf_yaml_node *root;
	uint32_t line, column, offset; /* of the event at hand */
	bool repeated;                 /* keys may be */
	HF_VEC(struct hf_yaml_document) documents;
};

static int refuse(struct reader *r, int code, uint32_t line, uint32_t column, const char *why)
{
	return hf_fail(r->err, code, "line %u, column %u: %s", line, column, why);
}

static int refuse_here(struct reader *r, int code, const char *why)
{
	return refuse(r, code, r->line, r->column, why);
}

/* Text that libfyaml did not have to rewrite is a part of the input, and is taken as such. */
static hf_sv token_text(struct reader *r, struct fy_token *t)
{
	size_t n = 0;
	const char *p = t ? fy_token_get_text(t, &n) : NULL;

	if (!p || !n)
		return (hf_sv){ "", 0 };
	if ((uintptr_t)p >= (uintptr_t)r->text.ptr && (uintptr_t)p < (uintptr_t)r->text.ptr + r->text.len)
		return (hf_sv){ p, n };
	return hf_arena_dup(r->arena, (hf_sv){ p, n });
}

/* The line break at the front of @s, with the blanks and empty lines behind it, as YAML 1.2.2, 6.5 folds them. */
static hf_sv fold(hf_sv s, struct hf_buf *out)
{
	size_t breaks = 0;

	while (out->len && (out->ptr[out->len - 1] == ' ' || out->ptr[out->len - 1] == '\t'))
		out->len--;
	for (; s.len && memchr(" \t\r\n", s.ptr[0], 4); s = hf_sv_skip(s, 1))
		breaks += s.ptr[0] == '\n' || (s.ptr[0] == '\r' && (s.len == 1 || s.ptr[1] != '\n'));
	if (breaks == 1)
		hf_buf_add_char(out, ' ');
	for (size_t i = 1; i < breaks; i++)
		hf_buf_add_char(out, '\n');
	return s;
}

/* A single-quoted scalar from its source: libfyaml 0.7.12 loses memory for each of its doubled quotes. */
static hf_sv single_quoted(struct reader *r, struct fy_token *t)
{
	const struct fy_mark *from = fy_token_start_mark(t), *to = fy_token_end_mark(t);

	if (!from || !to || from->input_pos > to->input_pos || to->input_pos > r->text.len)
		return token_text(r, t);
	hf_sv raw = hf_sv_slice(r->text, from->input_pos, to->input_pos - from->input_pos);
	if (!raw.len || (hf_sv_index(raw, '\'') == SIZE_MAX && hf_sv_index(raw, '\n') == SIZE_MAX &&
			 hf_sv_index(raw, '\r') == SIZE_MAX))
		return raw.len ? raw : HF_SV("");
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(raw.len);
	while (raw.len) {
		if (raw.ptr[0] == '\n' || raw.ptr[0] == '\r') {
			raw = fold(raw, &out);
			continue;
		}
		hf_buf_add_char(&out, raw.ptr[0]);
		raw = hf_sv_skip(raw, 1 + (raw.ptr[0] == '\''));
	}
	return hf_arena_dup(r->arena, hf_buf_view(&out));
}

static hf_sv tag_text(struct reader *r, struct fy_token *t)
{
	hf_sv tag = token_text(r, t), core = HF_SV("tag:yaml.org,2002:");

	if (!t)
		return (hf_sv){ 0 };
	return hf_sv_starts(tag, core) ? hf_arena_concat(r->arena, HF_SV("!!"), hf_sv_skip(tag, core.len)) : tag;
}

static struct hf_yaml_node *node_of(struct reader *r, enum hf_yaml_type type, struct fy_token *tag)
{
	struct hf_yaml_node *n = r->nodes < HF_YAML_NODES_MAX ? hf_arena_new(r->arena, struct hf_yaml_node) : NULL;

	if (!n)
		return NULL;
	r->nodes++;
	n->type = type;
	n->line = r->line;
	n->column = r->column;
	n->offset = r->offset;
	n->tag = tag_text(r, tag);
	return n;
}

/* Gives a node (new, or an alias' target) to the container around it. */
static int adopt(struct reader *r, const struct hf_yaml_node *n, uint64_t size, uint64_t extra, uint32_t height)
{
	if (!r->depth) {
		r->root = n;
		return 0;
	}
	struct frame *f = &r->stack[r->depth - 1];

	f->size += size;
	f->extra += extra;
	if (f->height < height + 1)
		f->height = height + 1;
	if (f->extra > HF_YAML_ALIASED_MAX)
		return refuse_here(r, HF_E_LIMIT, "aliases unfold to too much");
	if (r->depth - 1 + f->height > HF_YAML_DEPTH_MAX)
		return refuse_here(r, HF_E_LIMIT, "too deep");
	if (f->node->type == HF_YAML_MAPPING && (r->children_n - f->first) % 2 == 0 && n->type != HF_YAML_SCALAR)
		return refuse_here(r, HF_E_FORMAT, "a key that is no scalar");
	if (r->children_n == r->children_slots) {
		r->children_slots = r->children_slots ? 2 * r->children_slots : 256;
		r->children = hf_realloc(r->children, r->children_slots * sizeof(struct hf_yaml_node *));
	}
	r->children[r->children_n++] = n;
	return 0;
}

static int anchor_of(struct reader *r, struct fy_token *token, const struct hf_yaml_node *n, struct anchor **ret)
{
	*ret = NULL;
	if (!token)
		return 0;
	struct hf_map_entry *e = hf_map_put(&r->anchors, token_text(r, token));
	struct anchor *a = hf_arena_new(r->arena, struct anchor);
	if (!e || !a)
		return refuse_here(r, HF_E_LIMIT, "too large");
	e->value = a; /* an anchor that is set again hides the former one: YAML 1.2.2, 3.2.2.2 */
	*a = (struct anchor){ .node = n, .size = 1, .height = 1, .closed = n->type == HF_YAML_SCALAR };
	*ret = a;
	return 0;
}

/* libfyaml's mark of a quoted scalar or an alias stands behind the quote or star. */
static void behind_indicator(struct reader *r)
{
	if (r->column > 1) {
		r->column--;
		r->offset--;
	}
}

static size_t blanks_of(hf_sv line)
{
	size_t n = 0;

	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

static bool is_empty(hf_sv line)
{
	return !hf_sv_trim(line).len;
}

/* Where the block scalar's header begins; what is behind it. */
static hf_sv block_of(const struct reader *r, const struct fy_token *t)
{
	const struct fy_mark *mark = t ? fy_token_start_mark((struct fy_token *)(uintptr_t)t) : NULL;
	size_t at = mark ? mark->input_pos : r->text.len;

	while (at > 0 && at < r->text.len && r->text.ptr[at] != '|' && r->text.ptr[at] != '>')
		at--;
	return hf_sv_skip(r->text, at);
}

/* libfyaml 0.7.12 reads the lines behind an empty block scalar as its text, and bytes that are no text behind them. */
static bool is_empty_block(const struct reader *r, const struct fy_token *t, hf_sv text)
{
	uint32_t column = r->depth ? r->stack[r->depth - 1].node->column : 0;
	hf_sv rest = block_of(r, t), line;

	if (!column || !hf_sv_trim(text).len)
		return false;
	hf_sv_next(&rest, '\n', &line);
	while (rest.ptr && hf_sv_next(&rest, '\n', &line))
		if (!is_empty(line))
			return blanks_of(line) < column;
	return true;
}

/* It loses line breaks of folded text beside lines that are deeper than the first, and adds bytes behind it. */
static bool is_folded_deeper(const struct reader *r, const struct fy_token *t)
{
	hf_sv rest = block_of(r, t), line;
	bool empty = false, deeper = false, beside = false;
	size_t indent = SIZE_MAX;

	hf_sv_next(&rest, '\n', &line);
	while (rest.ptr && hf_sv_next(&rest, '\n', &line)) {
		size_t blanks = blanks_of(line);
		if (is_empty(line)) {
			beside |= deeper;
			empty = true;
			continue;
		}
		if (indent == SIZE_MAX) {
			beside |= empty;
			indent = blanks;
		}
		if (blanks < indent)
			break;
		deeper = blanks > indent || line.ptr[blanks] == '\t';
		beside |= deeper && empty;
		empty = false;
	}
	return beside;
}

/* It miscounts a double quoted text that has a line which ends in an escaped blank. */
static bool is_blank_escaped_at_end(const struct reader *r, const struct fy_token *t)
{
	const struct fy_mark *begin = fy_token_start_mark((struct fy_token *)(uintptr_t)t),
			     *end = fy_token_end_mark((struct fy_token *)(uintptr_t)t);
	bool escaped = false; /* the last that was no blank is an escaped one */

	for (size_t i = begin ? begin->input_pos : 0; end && i < end->input_pos && i < r->text.len; i++) {
		char c = r->text.ptr[i];
		if (c == '\n' || c == '\r') {
			if (escaped)
				return true;
		} else if (c == '\\' && i + 1 < r->text.len) {
			c = r->text.ptr[++i];
			escaped = c == ' ' || c == '\t';
		} else if (c != ' ' && c != '\t') {
			escaped = false;
		}
	}
	return false;
}

static const char *misread(const struct reader *r, const struct fy_token *t, enum fy_scalar_style style, hf_sv text)
{
	if ((style == FYSS_LITERAL || style == FYSS_FOLDED) && is_empty_block(r, t, text))
		return "an empty block scalar, behind which the rest cannot be told apart";
	if (style == FYSS_FOLDED && is_folded_deeper(r, t))
		return "folded text with empty lines beside deeper ones, which cannot be read here";
	if (style == FYSS_DOUBLE_QUOTED && t && is_blank_escaped_at_end(r, t))
		return "a line of a quoted text that ends in an escaped blank, which cannot be read here";
	return NULL;
}

static int scalar(struct reader *r, const struct fy_event_scalar_data *e)
{
	enum fy_scalar_style style = e->value ? fy_token_scalar_style(e->value) : FYSS_PLAIN;
	struct anchor *a;

	if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
		behind_indicator(r);
	struct hf_yaml_node *n = node_of(r, HF_YAML_SCALAR, e->tag);
	if (!n)
		return refuse_here(r, HF_E_LIMIT, "too large");
	n->text = style == FYSS_SINGLE_QUOTED ? single_quoted(r, e->value) : token_text(r, e->value);
	n->plain = style == FYSS_PLAIN;
	const char *why = misread(r, e->value, style, n->text);
	if (why)
		return refuse_here(r, HF_E_FORMAT, why);
	if (anchor_of(r, e->anchor, n, &a))
		return r->err->code;
	return adopt(r, n, 1, 0, 1);
}

static int alias(struct reader *r, struct fy_token *token)
{
	struct hf_map_entry *e = hf_map_find(&r->anchors, token_text(r, token));
	const struct anchor *a = e ? e->value : NULL;

	behind_indicator(r);
	if (!a)
		return refuse_here(r, HF_E_FORMAT, "an alias without an anchor");
	if (!a->closed)
		return refuse_here(r, HF_E_FORMAT, "an alias for what it is in");
	return adopt(r, a->node, a->size, a->size, a->height);
}

static int container(struct reader *r, enum hf_yaml_type type, struct fy_token *tag, struct fy_token *anchor)
{
	if (r->depth == HF_YAML_DEPTH_MAX)
		return refuse_here(r, HF_E_LIMIT, "too deep");
	struct frame *f = &r->stack[r->depth];
	*f = (struct frame){ .node = node_of(r, type, tag), .first = r->children_n, .size = 1, .height = 1 };
	if (!f->node)
		return refuse_here(r, HF_E_LIMIT, "too large");
	r->depth++;
	return anchor_of(r, anchor, f->node, &f->anchor);
}

static int duplicate(struct reader *r, const struct hf_yaml_node *key)
{
	char name[64];

	hf_escape_controls(name, sizeof name, hf_sv_first(key->text, 40));
	return hf_fail(r->err, HF_E_FORMAT, "line %u, column %u: the key '%s' stands here twice", key->line,
		       key->column, name);
}

/* Few keys are compared with each other, many go through a table. */
static int check_keys(struct reader *r, const struct hf_yaml_pair *pairs, size_t n)
{
	enum { FEW = 12 };

	if (n <= FEW) {
		for (size_t i = 1; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (hf_sv_eq(pairs[i].key->text, pairs[k].key->text))
					return duplicate(r, pairs[i].key);
		return 0;
	}
	size_t want = 64;
	while (want < 2 * n)
		want *= 2;
	if (want > r->slots_n) {
		r->slots = hf_realloc(r->slots, want * sizeof *r->slots);
		r->slots_n = want;
	}
	memset(r->slots, 0, want * sizeof *r->slots);
	for (size_t i = 0; i < n; i++) {
		size_t at = hf_hash(pairs[i].key->text) & (want - 1);
		for (; r->slots[at]; at = (at + 1) & (want - 1))
			if (hf_sv_eq(pairs[r->slots[at] - 1].key->text, pairs[i].key->text))
				return duplicate(r, pairs[i].key);
		r->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static int container_end(struct reader *r)
{
	struct frame *f = &r->stack[r->depth - 1];
	size_t n = r->children_n - f->first;
	const struct hf_yaml_node **from = n ? r->children + f->first : NULL;

	if (f->node->type == HF_YAML_MAPPING) {
		struct hf_yaml_pair *pairs = hf_arena_array(r->arena, struct hf_yaml_pair, n / 2);
		for (size_t i = 0; pairs && i < n / 2; i++)
			pairs[i] = (struct hf_yaml_pair){ from[2 * i], from[2 * i + 1] };
		f->node->pairs = pairs;
		f->node->n = n / 2;
		if (pairs && !r->repeated && check_keys(r, pairs, n / 2))
			return r->err->code;
	} else {
		const struct hf_yaml_node **elements = hf_arena_array(r->arena, const struct hf_yaml_node *, n);
		if (elements && n)
			memcpy(elements, from, n * sizeof(struct hf_yaml_node *));
		f->node->elements = elements;
		f->node->n = n;
	}
	if (r->arena->over)
		return refuse_here(r, HF_E_LIMIT, "too large");
	if (f->anchor)
		*f->anchor = (struct anchor){ f->node, f->size, f->height, true };
	r->children_n = f->first;
	r->depth--;
	return adopt(r, f->node, f->size, f->extra, f->height);
}

static int document_end(struct reader *r)
{
	struct hf_yaml_document *d = hf_vec_push(r->arena, &r->documents);
	const struct hf_yaml_node *n = r->root;

	if (!d)
		return refuse_here(r, HF_E_LIMIT, "too large");
	d->root = n && n->type == HF_YAML_SCALAR && n->plain && !n->text.len && !n->tag.len ? NULL : n;
	return 0;
}

static int event(struct reader *r, struct fy_event *e)
{
	const struct fy_mark *mark = fy_event_start_mark(e);

	if (mark) {
		r->line = (uint32_t)mark->line + 1;
		r->column = (uint32_t)mark->column + 1;
		r->offset = (uint32_t)mark->input_pos;
	}
	switch (e->type) {
	case FYET_SCALAR:
		return scalar(r, &e->scalar);
	case FYET_ALIAS:
		return alias(r, e->alias.anchor);
	case FYET_MAPPING_START:
		return container(r, HF_YAML_MAPPING, e->mapping_start.tag, e->mapping_start.anchor);
	case FYET_SEQUENCE_START:
		return container(r, HF_YAML_SEQUENCE, e->sequence_start.tag, e->sequence_start.anchor);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		return container_end(r);
	case FYET_DOCUMENT_START:
		r->anchors = HF_MAP(r->arena);
		r->root = NULL;
		return 0;
	case FYET_DOCUMENT_END:
		return document_end(r);
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
		return 0;
	}
	return 0;
}

static int library_error(struct reader *r, struct fy_diag *diag)
{
	void *at = NULL;
	const struct fy_diag_error *e = fy_diag_errors_iterate(diag, &at);

	if (e && e->line > 0 && e->column > 0)
		return refuse(r, HF_E_FORMAT, (uint32_t)e->line, (uint32_t)e->column, e->msg);
	return refuse_here(r, HF_E_FORMAT, e && e->msg ? e->msg : "no valid YAML");
}

/* libfyaml prints some errors even where it is told to be quiet, unless it has somewhere else to put them. */
static void no_output(struct fy_diag *diag, void *user, const char *text, size_t n)
{
	(void)diag, (void)user, (void)text, (void)n;
}

static int read_events(struct reader *r)
{
	const struct fy_diag_cfg to = { .output_fn = no_output, .level = FYET_ERROR, .module_mask = UINT32_MAX };
	struct fy_diag *diag = fy_diag_create(&to);
	const struct fy_parse_cfg cfg = { .diag = diag,
					  .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
						   FYPCF_DISABLE_DEPTH_LIMIT };
	struct fy_parser *parser = diag ? fy_parser_create(&cfg) : NULL;
	struct fy_event *e;
	int ret = 0;

	if (!parser || fy_parser_set_string(parser, r->text.ptr, r->text.len))
		abort(); /* no memory */
	fy_diag_set_collect_errors(diag, true);
	while (!ret && (e = fy_parser_parse(parser))) {
		ret = event(r, e);
		fy_parser_event_free(parser, e);
	}
	if (!ret && fy_parser_get_stream_error(parser))
		ret = library_error(r, diag);
	fy_parser_destroy(parser);
	fy_diag_destroy(diag);
	return ret;
}

/* What libfyaml 0.7.12 does not refuse itself: control characters (YAML 1.2.2, 5.1), and two ways to spend its memory and time. It
 * keeps hundreds of bytes for each token of a flow collection that could yet turn out to be a key, which the end of the
 * line rules out, and walks all %TAG lines for each of them. */
static int check_lines(hf_sv text, struct hf_err *err)
{
	enum { PLAIN, FLOW, BREAK, PERCENT, CONTROL };
	static const unsigned char classes[256] = {
		[0 ... 8] = CONTROL,
		[0xb ... 0xc] = CONTROL,
		[0xe ... 0x1f] = CONTROL,
		['\n'] = BREAK,
		['\r'] = BREAK,
		['%'] = PERCENT,
		['['] = FLOW,
		['{'] = FLOW,
		[','] = FLOW,
		[':'] = FLOW,
		['}'] = FLOW,
		[']'] = FLOW,
		['&'] = FLOW,
		['*'] = FLOW,
		['!'] = FLOW,
	};
	uint32_t line = 1, directives = 0, flow = 0;
	size_t start = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char class = classes[(unsigned char)text.ptr[i]];
		if (class == PLAIN)
			continue;
		if (class == CONTROL)
			return hf_fail(err, HF_E_FORMAT, "line %u, column %zu: a control character", line,
				       i - start + 1);
		if (class == FLOW && ++flow > HF_YAML_LINE_INDICATORS_MAX)
			return hf_fail(err, HF_E_LIMIT, "line %u, column 1: too much on one line", line);
		if (class == PERCENT && i == start && ++directives > HF_YAML_DIRECTIVES_MAX)
			return hf_fail(err, HF_E_LIMIT, "line %u, column 1: too many directives", line);
		if (class == BREAK) {
			line += text.ptr[i] == '\n';
			start = i + 1;
			flow = 0;
		}
	}
	return 0;
}

static int parse(hf_sv text, bool repeated, struct hf_arena *a, struct hf_yaml_document **ret_documents, size_t *ret_n,
		 struct hf_err *err)
{
	struct hf_err scratch = { 0 };
	int ret = 0;

	if (!err)
		err = &scratch;
	if (text.len > HF_YAML_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %llu bytes of YAML", (unsigned long long)HF_YAML_SIZE_MAX);
	if (!hf_sv_is_utf8(text))
		return hf_fail(err, HF_E_FORMAT, "line 1, column 1: not UTF-8");
	if (check_lines(text, err))
		return err->code;
	struct reader *r = hf_calloc(1, sizeof *r);
	*r = (struct reader){
		.text = text, .arena = a, .err = err, .line = 1, .column = 1, .repeated = repeated, .anchors = HF_MAP(a)
	};
	if (text.len)
		ret = read_events(r);
	if (!ret && a->over)
		ret = refuse_here(r, HF_E_LIMIT, "too large");
	if (!ret) {
		*ret_documents = r->documents.at;
		*ret_n = r->documents.n;
	}
	free(r->children);
	free(r->slots);
	free(r);
	return ret;
}

int hf_yaml_parse(hf_sv text, struct hf_arena *a, struct hf_yaml_document **ret_documents, size_t *ret_n,
		  struct hf_err *err)
{
	return parse(text, false, a, ret_documents, ret_n, err);
}

int hf_yaml_parse_repeated(hf_sv text, struct hf_arena *a, struct hf_yaml_document **ret_documents, size_t *ret_n,
			   struct hf_err *err)
{
	return parse(text, true, a, ret_documents, ret_n, err);
}
