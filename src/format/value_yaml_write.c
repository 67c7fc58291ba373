#include "format/value.h"
#include "format/json_writer.h"

/* Words that need no quotes under any version of YAML: they begin with a letter, hold nothing that is of its syntax, and are no word that
 * stands for something else. */
static bool is_plain(hf_sv s)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"
	};

	if (!s.len || !((s.ptr[0] >= 'a' && s.ptr[0] <= 'z') || (s.ptr[0] >= 'A' && s.ptr[0] <= 'Z')))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !strchr("-_./", c))
			return false;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(s, hf_sv_of(words[i])))
			return false;
	return true;
}

static void add_text(struct hf_buf *out, hf_sv s)
{
	struct hf_json_writer w = { .out = out, .compact = true };

	if (is_plain(s))
		hf_buf_add(out, s);
	else
		hf_jw_string(&w, s);
}

static void indent(struct hf_buf *out, uint32_t depth)
{
	for (uint32_t i = 0; i < depth; i++)
		hf_buf_add(out, HF_SV("  "));
}

static void add_value(struct hf_buf *out, const struct hf_value *v, uint32_t depth, bool in_list);

static void add_member(struct hf_buf *out, const struct hf_member *m, uint32_t depth)
{
	add_text(out, hf_member_key(m));
	hf_buf_add_char(out, ':');
	add_value(out, &m->value, depth, false);
}

/* Behind "key:" or "-"; ends with a line break. Recursion is as deep as readers let a tree become. */
static void add_value(struct hf_buf *out, const struct hf_value *v, uint32_t depth, bool in_list)
{
	struct hf_json_writer w = { .out = out, .compact = true };
	bool first = true;

	if ((v->type == HF_VALUE_ARRAY && v->n) || (v->type == HF_VALUE_OBJECT && v->n && !in_list))
		hf_buf_add_char(out, '\n');
	if (v->type == HF_VALUE_ARRAY && v->n) {
		hf_value_elements(v, e)
		{
			indent(out, depth);
			hf_buf_add_char(out, '-');
			add_value(out, e, depth + 1, true);
		}
		return;
	}
	if (v->type == HF_VALUE_OBJECT && v->n) {
		hf_value_members(v, m)
		{
			if (in_list && first)
				hf_buf_add_char(out, ' ');
			else
				indent(out, depth);
			first = false;
			add_member(out, m, depth + 1);
		}
		return;
	}
	hf_buf_add_char(out, ' ');
	if (v->type == HF_VALUE_STRING)
		add_text(out, hf_value_text(v));
	else
		hf_value_write_json(&w, v);
	hf_buf_add_char(out, '\n');
}

void hf_value_write_yaml(struct hf_buf *out, const struct hf_value *v)
{
	hf_value_members(v, m) add_member(out, m, 1);
}
