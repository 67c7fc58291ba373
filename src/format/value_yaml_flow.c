/* Scalars on their lines, quoted and folded ones, and flow collections; see value_yaml_block.c. */
#include "base/limits.h"
#include "format/value_yaml_internal.h"

enum { FLOW_DEPTH_MAX = 32, KEY_MAX = 1024 };

const char *hf_yaml_block_line(struct hf_yaml_block *y, uint32_t *ret_column)
{
	for (const char *begin = y->p, *p = begin; p < y->end; begin = p) {
		while (p < y->end && *p == ' ')
			p++;
		if (p == y->end)
			break;
		if (*p == '#') {
			p = memchr(p, '\n', (size_t)(y->end - p));
			if (!p)
				break;
		}
		if (*p != '\n') {
			y->odd |= *p == '\t';
			y->p = begin;
			*ret_column = (uint32_t)(p - begin);
			return y->odd ? NULL : p;
		}
		p++;
	}
	y->p = y->end;
	return NULL;
}

bool hf_yaml_block_end_line(struct hf_yaml_block *y)
{
	const char *p = y->p;

	while (p < y->end && *p == ' ')
		p++;
	if (p < y->end && *p == '#') {
		if (p[-1] != ' ')
			return hf_yaml_block_odd(y);
		p = memchr(p, '\n', (size_t)(y->end - p));
		p = p ? p : y->end;
	}
	if (p < y->end && *p != '\n')
		return hf_yaml_block_odd(y);
	y->p = p < y->end ? p + 1 : p;
	return true;
}

/* An end counts as a blank. */
static bool is_blank(const struct hf_yaml_block *y, const char *p)
{
	return p == y->end || *p == ' ' || *p == '\n';
}

static bool is_plain_begin(const struct hf_yaml_block *y, const char *p)
{
	static const bool indicator[256] = {
		[0 ... ' '] = true, [','] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true,
		['#'] = true,       ['&'] = true, ['*'] = true, ['!'] = true, ['|'] = true, ['>'] = true,
		['\''] = true,      ['"'] = true, ['%'] = true, ['@'] = true, ['`'] = true,
	};

	if (*p == '-' || *p == '?' || *p == ':')
		return !is_blank(y, p + 1) && p[1] != '\t';
	return !indicator[(unsigned char)*p];
}

enum stop { AT_END_OF_LINE, AT_COLON, AT_COMMENT, AT_TAB };

/* From @p, in block style: where its last byte that is no blank ends, and what stands behind. */
static enum stop scan_plain(const struct hf_yaml_block *y, const char *p, const char **ret_end, const char **ret_stop)
{
	static const bool stops[256] = { ['\n'] = true, [':'] = true, ['#'] = true, ['\t'] = true };
	const char *begin = p;
	enum stop stop = AT_END_OF_LINE;

	for (;; p++) {
		while (p < y->end && !stops[(unsigned char)*p])
			p++;
		if (p == y->end || *p == '\n')
			break;
		if (*p == '\t' || (*p == ':' && p + 1 < y->end && p[1] == '\t')) {
			stop = AT_TAB;
			break;
		}
		if (*p == ':' && is_blank(y, p + 1)) {
			stop = AT_COLON;
			break;
		}
		if (*p == '#' && p > begin && p[-1] == ' ') {
			stop = AT_COMMENT;
			break;
		}
	}
	*ret_stop = p;
	while (p > begin && p[-1] == ' ')
		p--;
	*ret_end = p;
	return stop;
}

/* The closing quote of what opens at @p, on the same line; NULL where it is not there, or where there is a tab. */
static const char *closing(const struct hf_yaml_block *y, const char *p, bool *ret_rewritten)
{
	char quote = *p++;

	*ret_rewritten = false;
	for (; p < y->end && *p != '\n' && *p != '\t'; p++) {
		if (quote == '"' && *p == '\\') {
			*ret_rewritten = true;
			if (++p == y->end || *p == '\n')
				return NULL;
		} else if (*p == quote) {
			if (quote == '"' || p + 1 == y->end || p[1] != '\'')
				return p;
			*ret_rewritten = true;
			p++;
		}
	}
	return NULL;
}

bool hf_yaml_block_is_key(const struct hf_yaml_block *y, const char *p)
{
	const char *end, *stop;
	bool rewritten;

	if (*p == '"' || *p == '\'') {
		stop = closing(y, p, &rewritten);
		for (stop = stop ? stop + 1 : y->end; stop < y->end && *stop == ' ';)
			stop++;
		return stop < y->end && *stop == ':' && is_blank(y, stop + 1);
	}
	return is_plain_begin(y, p) && scan_plain(y, p, &end, &stop) == AT_COLON;
}

static bool quoted(struct hf_yaml_block *y, const char *p, uint32_t indent, hf_sv *ret);

bool hf_yaml_block_key(struct hf_yaml_block *y, const char **p, hf_sv *ret)
{
	const char *end, *stop;
	struct hf_value v;

	if (**p == '"' || **p == '\'') {
		if (!hf_yaml_block_is_key(y, *p) || !quoted(y, *p, 0, ret))
			return hf_yaml_block_odd(y);
		for (stop = y->p; *stop == ' ';)
			stop++;
	} else {
		if (!is_plain_begin(y, *p) || scan_plain(y, *p, &end, &stop) != AT_COLON || end != stop || end == *p)
			return hf_yaml_block_odd(y);
		*ret = (hf_sv){ *p, (size_t)(end - *p) };
		enum hf_scalar_kind kind = hf_value_of_plain(*ret, y->b.arena, &v);
		if (kind == HF_SCALAR_BOOL)
			*ret = v.boolean ? HF_SV("true") : HF_SV("false");
		else if (kind == HF_SCALAR_INT && v.n < 19)
			*ret = (hf_sv){ v.text, v.n };
		else if (kind != HF_SCALAR_STRING || hf_sv_eq(*ret, HF_SV("<<")))
			return hf_yaml_block_odd(y);
	}
	if (stop - *p > KEY_MAX)
		return hf_yaml_block_odd(y);
	for (stop++; stop < y->end && *stop == ' ';)
		stop++;
	*p = stop;
	return stop == y->end || *stop != '\t' || hf_yaml_block_odd(y);
}

/* Stands behind the last byte of a line within a scalar: passes the break, empty lines and the indent of the next one, and gives the
 * number of breaks. 0: the next line is not in the scalar (of column @indent), or is the end. What is @bracketed, by quotes too, may
 * go on in any column for Kubernetes, but not for libfyaml. */
static size_t next_line(struct hf_yaml_block *y, const char **p, uint32_t indent, bool bracketed)
{
	const char *q = *p, *begin = q;
	size_t breaks = 0;

	for (; q < y->end && *q == '\n'; breaks++) {
		begin = ++q;
		while (q < y->end && *q == ' ')
			q++;
	}
	if (q == y->end)
		return 0;
	if ((size_t)(q - begin) <= indent) {
		bool marker = q == begin && y->end - q >= 3 && (!memcmp(q, "---", 3) || !memcmp(q, "...", 3));
		if (!bracketed || indent == UINT32_MAX || marker)
			return 0;
		y->better = true;
	}
	y->odd |= *q == '\t';
	*p = q;
	return breaks;
}

static void add_breaks(struct hf_buf *out, size_t breaks)
{
	if (breaks == 1)
		hf_buf_add_char(out, ' ');
	for (; breaks > 1; breaks--)
		hf_buf_add_char(out, '\n');
}

static bool plain(struct hf_yaml_block *y, uint32_t indent, struct hf_value *v)
{
	const char *p = y->p, *end, *stop;
	enum stop why = scan_plain(y, p, &end, &stop);
	hf_sv text = { p, (size_t)(end - p) };

	if (why == AT_COLON || why == AT_TAB)
		return hf_yaml_block_odd(y);
	y->p = stop;
	const char *next = stop;
	size_t breaks = why == AT_END_OF_LINE ? next_line(y, &next, indent, false) : 0;
	if (breaks && *next != '#') {
		hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_YAML_SIZE_MAX);
		hf_buf_add(&out, text);
		for (; breaks && *next != '#';
		     breaks = why == AT_END_OF_LINE ? next_line(y, &next, indent, false) : 0) {
			if (((*next == '-' || *next == '?') && is_blank(y, next + 1)) || y->odd)
				return hf_yaml_block_odd(y);
			why = scan_plain(y, next, &end, &stop);
			if (why == AT_COLON || why == AT_TAB)
				return hf_yaml_block_odd(y);
			add_breaks(&out, breaks);
			hf_buf_add(&out, (hf_sv){ next, (size_t)(end - next) });
			y->p = next = stop;
		}
		text = hf_arena_dup(y->b.arena, hf_buf_view(&out));
		y->better = true;
	}
	if (hf_value_of_plain(text, y->b.arena, v) == HF_SCALAR_NOT_FINITE)
		return hf_yaml_block_odd(y);
	return !y->odd && hf_yaml_block_end_line(y);
}

static int hex(const char *p, size_t n, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)p[i], letter = c | 0x20;
		unsigned d = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : 16;
		if (d == 16)
			return -1;
		*ret = *ret << 4 | d;
	}
	return 0;
}

static void add_utf8(struct hf_buf *out, uint32_t c)
{
	if (c < 0x80) {
		hf_buf_add_char(out, (char)c);
		return;
	}
	unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	hf_buf_add_char(out, (char)(0xff00u >> (more + 1) | c >> (6 * more)));
	while (more--)
		hf_buf_add_char(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* An escape whose backslash stands at *@p. */
static bool escape(struct hf_yaml_block *y, const char **p, struct hf_buf *out)
{
	static const char from[] = "0abtnvfre\"/\\ ", to[] = "\0\a\b\t\n\v\f\r\x1b\"/\\ ";
	const char *q = *p + 1;
	size_t n = 0;
	uint32_t c;

	if (q == y->end)
		return hf_yaml_block_odd(y);
	const char *known = *q ? strchr(from, *q) : NULL;
	if (known) {
		hf_buf_add_char(out, to[known - from]);
		*p = q + 1;
		return true;
	}
	n = *q == 'x' ? 2 : *q == 'u' ? 4 : 0;
	if (!n || (size_t)(y->end - q) <= n || hex(q + 1, n, &c) || (c >= 0xd800 && c <= 0xdfff))
		return hf_yaml_block_odd(y);
	add_utf8(out, c);
	*p = q + 1 + n;
	return true;
}

/* Behind a backslash at the end of a line: the next one goes on where it begins. */
static bool joined(struct hf_yaml_block *y, const char **p, uint32_t indent)
{
	++*p;
	return next_line(y, p, indent, true) == 1 || hf_yaml_block_odd(y);
}

/* A quoted scalar that opens at @p; y->p then stands behind its closing quote. */
static bool quoted(struct hf_yaml_block *y, const char *p, uint32_t indent, hf_sv *ret)
{
	bool rewritten;
	const char quote = *p, *end = closing(y, p, &rewritten);

	p++;
	if (end && !rewritten) {
		*ret = (hf_sv){ p, (size_t)(end - p) };
		y->p = end + 1;
		return true;
	}
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_YAML_SIZE_MAX);
	size_t solid = 0; /* what a line break does not take away */
	for (;;) {
		if (p == y->end || *p == '\t' || y->odd)
			return hf_yaml_block_odd(y);
		if (*p == '\n') {
			while (out.len > solid && out.ptr[out.len - 1] == ' ')
				out.len--;
			size_t breaks = next_line(y, &p, indent, true);
			if (!breaks)
				return hf_yaml_block_odd(y);
			add_breaks(&out, breaks);
			solid = out.len;
		} else if (quote == '"' && *p == '\\') {
			if (p + 1 < y->end && p[1] == '\n' ? !joined(y, &p, indent) : !escape(y, &p, &out))
				return false;
			solid = out.len;
		} else if (*p == quote && !(quote == '\'' && p + 1 < y->end && p[1] == '\'')) {
			break;
		} else {
			p += *p == '\'' && quote == '\'';
			hf_buf_add_char(&out, *p++);
		}
	}
	y->p = p + 1;
	*ret = hf_arena_dup(y->b.arena, hf_buf_view(&out));
	return true;
}

/* Blanks and line breaks within a flow collection. */
static bool flow_blanks(struct hf_yaml_block *y, uint32_t indent)
{
	while (y->p < y->end && *y->p == ' ')
		y->p++;
	if (y->p < y->end && *y->p == '\n' && !next_line(y, &y->p, indent, true))
		return hf_yaml_block_odd(y);
	return (y->p < y->end && *y->p != '\t' && *y->p != '#' && !y->odd) || hf_yaml_block_odd(y);
}

/* Letters, digits and the like: what else may stand in a plain scalar of flow style is left to libfyaml. */
static bool flow_plain(struct hf_yaml_block *y, hf_sv *ret)
{
	static const bool usual[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['_'] = true, ['.'] = true,
		['/'] = true,         ['$'] = true,         ['+'] = true,         ['='] = true, ['~'] = true,
		['^'] = true,         ['('] = true,         [')'] = true,         [';'] = true, ['<'] = true,
	};
	const char *p = y->p, *end = p;

	if (!usual[(unsigned char)*p] && !(*p == '-' && p + 1 < y->end && usual[(unsigned char)p[1]]))
		return hf_yaml_block_odd(y);
	for (;;) {
		bool colon = p < y->end && *p == ':' && p + 1 < y->end && usual[(unsigned char)p[1]];
		if (p < y->end && (usual[(unsigned char)*p] || *p == '-' || *p == '*' || *p == '@' || colon))
			end = ++p;
		else if (p < y->end && *p == ' ')
			p++;
		else
			break;
	}
	if (p == y->end || !memchr(",]}:", *p, 4))
		return hf_yaml_block_odd(y);
	*ret = (hf_sv){ y->p, (size_t)(end - y->p) };
	y->p = p;
	return true;
}

static bool flow_scalar(struct hf_yaml_block *y, uint32_t indent, struct hf_value *v)
{
	hf_sv text;

	if (*y->p == '"' || *y->p == '\'') {
		if (!quoted(y, y->p, indent, &text))
			return false;
		hf_value_set_text(v, HF_VALUE_STRING, text, y->b.arena);
		return true;
	}
	return flow_plain(y, &text) &&
	       (hf_value_of_plain(text, y->b.arena, v) != HF_SCALAR_NOT_FINITE || hf_yaml_block_odd(y));
}

/* The key at y->p with its colon, on one line. */
static bool flow_key(struct hf_yaml_block *y, struct hf_value_child *m)
{
	struct hf_value v = { 0 };
	const char *begin = y->p;

	m->offset = y->base + (uint32_t)(begin - y->start);
	if (!flow_scalar(y, UINT32_MAX, &v) || v.type != HF_VALUE_STRING)
		return hf_yaml_block_odd(y);
	m->key = hf_value_text(&v);
	while (y->p < y->end && *y->p == ' ')
		y->p++;
	bool is_key = y->end - y->p > 1 && *y->p == ':' && y->p[1] == ' ' && y->p - begin <= KEY_MAX &&
		      !hf_sv_eq(m->key, HF_SV("<<"));
	y->p++;
	return is_key || hf_yaml_block_odd(y);
}

static bool flow_node(struct hf_yaml_block *y, uint32_t indent, size_t child, unsigned depth);

/* y->p stands on the opening bracket. */
static bool flow_container(struct hf_yaml_block *y, uint32_t indent, size_t child, unsigned depth)
{
	size_t first = y->b.n;
	bool object = *y->p == '{';
	char close = object ? '}' : ']';

	y->p++;
	if (depth == FLOW_DEPTH_MAX || !flow_blanks(y, indent))
		return hf_yaml_block_odd(y);
	while (*y->p != close) {
		struct hf_value_child *m = hf_value_builder_child(&y->b);
		*m = (struct hf_value_child){ 0 };
		if ((object && (!flow_key(y, m) || !flow_blanks(y, indent))) ||
		    !flow_node(y, indent, y->b.n - 1, depth + 1) || !flow_blanks(y, indent))
			return false;
		if (*y->p == close)
			break;
		if (*y->p++ != ',' || !flow_blanks(y, indent))
			return hf_yaml_block_odd(y);
	}
	y->p++;
	struct hf_value v = { .offset = y->b.children[child].value.offset };
	if (object)
		hf_value_builder_object(&y->b, first, &v);
	else
		hf_value_builder_array(&y->b, first, &v);
	y->b.children[child].value = v;
	return true;
}

static bool flow_node(struct hf_yaml_block *y, uint32_t indent, size_t child, unsigned depth)
{
	struct hf_value *v = &y->b.children[child].value;

	v->offset = y->base + (uint32_t)(y->p - y->start);
	return *y->p == '[' || *y->p == '{' ? flow_container(y, indent, child, depth) : flow_scalar(y, indent, v);
}

bool hf_yaml_block_value(struct hf_yaml_block *y, uint32_t indent, size_t child)
{
	struct hf_value *v = &y->b.children[child].value;
	hf_sv text;

	v->offset = y->base + (uint32_t)(y->p - y->start);
	switch (*y->p) {
	case '"':
	case '\'':
		if (!quoted(y, y->p, indent, &text))
			return false;
		hf_value_set_text(v, HF_VALUE_STRING, text, y->b.arena);
		return hf_yaml_block_end_line(y);
	case '[':
	case '{':
		return flow_container(y, indent, child, 0) && hf_yaml_block_end_line(y);
	case '|':
	case '>':
		return hf_yaml_block_text(y, indent, v);
	default:
		return is_plain_begin(y, y->p) ? plain(y, indent, v) : hf_yaml_block_odd(y);
	}
}
