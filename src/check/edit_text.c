#include "check/edit_text.h"

#include "format/json_writer.h"

static size_t quoted_end(hf_sv text, size_t at)
{
	char quote = text.ptr[at];

	for (size_t i = at + 1; i < text.len; i++) {
		if (quote == '"' && text.ptr[i] == '\\')
			i++;
		else if (text.ptr[i] == quote && quote == '\'' && i + 1 < text.len && text.ptr[i + 1] == '\'')
			i++;
		else if (text.ptr[i] == quote)
			return i + 1;
	}
	return SIZE_MAX;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t hf_text_closing(hf_sv text, size_t at)
{
	size_t depth = 0;

	for (size_t i = at; i < text.len; i++) {
		char c = text.ptr[i];
		if ((c == '"' || c == '\'') && i && strchr("[{,: \t\r\n", text.ptr[i - 1])) {
			i = quoted_end(text, i);
			if (i == SIZE_MAX)
				return SIZE_MAX;
			i--;
		} else if (c == '#' && i && is_blank(text.ptr[i - 1])) {
			while (i + 1 < text.len && text.ptr[i + 1] != '\n')
				i++;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && --depth == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

size_t hf_text_value_end(hf_sv text, size_t at, bool in_flow)
{
	if (at >= text.len || text.ptr[at] == '|' || text.ptr[at] == '>')
		return SIZE_MAX;
	if (text.ptr[at] == '"' || text.ptr[at] == '\'')
		return quoted_end(text, at);
	if (text.ptr[at] == '{' || text.ptr[at] == '[') {
		size_t closing = hf_text_closing(text, at);
		return closing == SIZE_MAX ? SIZE_MAX : closing + 1;
	}
	size_t end = at;
	while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r' &&
	       !(text.ptr[end] == '#' && is_blank(text.ptr[end - 1])) && !(in_flow && strchr(",]}", text.ptr[end])))
		end++;
	while (end > at && is_blank(text.ptr[end - 1]))
		end--;
	return end;
}

size_t hf_text_line_start(hf_sv text, size_t at)
{
	while (at && text.ptr[at - 1] != '\n')
		at--;
	return at;
}

bool hf_text_begins_line(hf_sv text, size_t at)
{
	for (size_t i = hf_text_line_start(text, at); i < at; i++)
		if (text.ptr[i] != ' ')
			return false;
	return true;
}

static size_t next_line(hf_sv text, size_t at)
{
	while (at < text.len && text.ptr[at] != '\n')
		at++;
	return at < text.len ? at + 1 : at;
}

/* Lines that are further in than @column, and those at it where @same says so. */
static size_t lines_end(hf_sv text, size_t at, bool same, bool dash)
{
	size_t column = at - hf_text_line_start(text, at), end = next_line(text, at);

	for (size_t line = end; line < text.len; line = next_line(text, line)) {
		size_t indent = 0;
		while (line + indent < text.len && text.ptr[line + indent] == ' ')
			indent++;
		hf_sv rest = hf_sv_slice(text, line + indent, 4);
		char first = rest.len ? rest.ptr[0] : '\n';
		if (first == '\n' || first == '\r')
			continue;
		if (first == '#' && indent <= column)
			continue;
		if (!indent && (hf_sv_starts(rest, HF_SV("---")) || hf_sv_starts(rest, HF_SV("..."))))
			break;
		bool is_dash = first == '-' && (rest.len < 2 || is_blank(rest.ptr[1]));
		if (indent < column || (indent == column && !(is_dash ? dash : same)))
			break;
		end = next_line(text, line);
	}
	return end;
}

size_t hf_text_block_end(hf_sv text, size_t at)
{
	bool is_list = text.ptr[at] == '-' && at + 1 < text.len && is_blank(text.ptr[at + 1]);

	return lines_end(text, at, !is_list, true);
}

size_t hf_text_member_end(hf_sv text, size_t at, bool is_array)
{
	return lines_end(text, at, false, is_array);
}

/* What YAML 1.1 and 1.2 both read as this string. */
static bool is_plain(hf_sv s)
{
	static const char *const words[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(s, hf_sv_of(words[i])))
			return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && (!i || !((c >= '-' && c <= '9') || c == '_')))
			return false;
	}
	return s.len > 0;
}

static void add_json(struct hf_buf *out, const struct hf_value *v)
{
	struct hf_json_writer w = { .out = out };
	struct hf_err err = { 0 };

	hf_value_write_json(&w, v);
	(void)hf_jw_finish(&w, &err);
	while (out->len && out->ptr[out->len - 1] == '\n')
		out->len--;
}

static void add_string(struct hf_buf *out, hf_sv s, bool json)
{
	const struct hf_value v = { .type = HF_VALUE_STRING, .text = s.len ? s.ptr : "", .n = s.len };

	if (!json && is_plain(s))
		hf_buf_add(out, s);
	else
		add_json(out, &v);
}

void hf_text_key(struct hf_buf *out, hf_sv key, bool json)
{
	add_string(out, key, json);
}

/* As deep as a patch of our own: a value and the objects on its way. */
void hf_text_flow(struct hf_buf *out, const struct hf_value *v, bool json)
{
	const char *comma = "";

	if (v->type == HF_VALUE_OBJECT) {
		hf_buf_add_char(out, '{');
		hf_value_members(v, m)
		{
			hf_buf_add(out, hf_sv_of(comma));
			comma = ", ";
			hf_text_key(out, hf_member_key(m), json);
			hf_buf_add(out, HF_SV(": "));
			hf_text_flow(out, &m->value, json);
		}
		hf_buf_add_char(out, '}');
	} else if (v->type == HF_VALUE_ARRAY) {
		hf_buf_add_char(out, '[');
		hf_value_elements(v, e)
		{
			hf_buf_add(out, hf_sv_of(comma));
			comma = ", ";
			hf_text_flow(out, e, json);
		}
		hf_buf_add_char(out, ']');
	} else if (v->type == HF_VALUE_STRING) {
		add_string(out, (hf_sv){ v->text, v->n }, json);
	} else {
		add_json(out, v);
	}
}

static void indent_by(struct hf_buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_buf_add_char(out, ' ');
}

static void block(struct hf_buf *out, hf_sv key, const struct hf_value *v, size_t indent)
{
	bool objects = v->type == HF_VALUE_ARRAY && v->n;

	hf_text_key(out, key, false);
	hf_buf_add_char(out, ':');
	hf_value_elements(v, e) objects &= e->type == HF_VALUE_OBJECT && e->n;
	if (!objects && (v->type != HF_VALUE_OBJECT || !v->n)) {
		hf_buf_add_char(out, ' ');
		hf_text_flow(out, v, false);
		return;
	}
	hf_value_members(v, m)
	{
		hf_buf_add_char(out, '\n');
		hf_text_block(out, hf_member_key(m), &m->value, indent + 2);
	}
	hf_value_elements(v, e) hf_value_members(e, m)
	{
		hf_buf_add_char(out, '\n');
		indent_by(out, indent);
		hf_buf_add(out, m == e->members ? HF_SV("- ") : HF_SV("  "));
		block(out, hf_member_key(m), &m->value, indent + 2);
	}
}

void hf_text_block(struct hf_buf *out, hf_sv key, const struct hf_value *v, size_t indent)
{
	indent_by(out, indent);
	block(out, key, v, indent);
}
