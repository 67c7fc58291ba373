/* Scalars by the core schema of YAML 1.2.2, section 10.3, and how a string is written so that it stays one. */
#include "format/yaml.h"

const struct hf_yaml_node *hf_yaml_get(const struct hf_yaml_node *mapping, hf_sv key)
{
	if (!mapping || mapping->type != HF_YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n; i++)
		if (hf_sv_eq(mapping->pairs[i].key->text, key))
			return mapping->pairs[i].value;
	return NULL;
}

static bool is_null_word(hf_sv s)
{
	return !s.len || hf_sv_eq(s, HF_SV("~")) || hf_sv_eq(s, HF_SV("null")) || hf_sv_eq(s, HF_SV("Null")) ||
	       hf_sv_eq(s, HF_SV("NULL"));
}

static bool bool_word(hf_sv s, bool *ret)
{
	static const hf_sv words[] = { HF_SV_INIT("false"), HF_SV_INIT("true"),  HF_SV_INIT("False"),
				       HF_SV_INIT("True"),  HF_SV_INIT("FALSE"), HF_SV_INIT("TRUE") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq(s, words[i])) {
			*ret = i % 2;
			return true;
		}
	return false;
}

/* Resolved by its looks, or said by a tag to be of that type. */
static bool may_be(const struct hf_yaml_node *n, hf_sv tag)
{
	return n->type == HF_YAML_SCALAR && (n->tag.len ? hf_sv_eq(n->tag, tag) : n->plain);
}

bool hf_yaml_null(const struct hf_yaml_node *n)
{
	return !n || (may_be(n, HF_SV("!!null")) && is_null_word(n->text));
}

bool hf_yaml_string(const struct hf_yaml_node *n, hf_sv *ret)
{
	if (hf_yaml_null(n) || n->type != HF_YAML_SCALAR)
		return false;
	*ret = n->text;
	return true;
}

bool hf_yaml_bool(const struct hf_yaml_node *n, bool *ret)
{
	return n && may_be(n, HF_SV("!!bool")) && bool_word(n->text, ret);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static bool digits(hf_sv s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned)digit_of(s.ptr[i]);
		if (d >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return s.len > 0;
}

bool hf_yaml_uint(const struct hf_yaml_node *n, uint64_t *ret)
{
	if (!n || !may_be(n, HF_SV("!!int")))
		return false;
	if (hf_sv_starts(n->text, HF_SV("0x")))
		return digits(hf_sv_skip(n->text, 2), 16, ret);
	if (hf_sv_starts(n->text, HF_SV("0o")))
		return digits(hf_sv_skip(n->text, 2), 8, ret);
	return digits(hf_sv_skip(n->text, n->text.len && n->text.ptr[0] == '+'), 10, ret);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Plain is what no schema, also none of YAML 1.1, could take for anything but a string, and no indicator can open. */
static bool is_plain(hf_sv s)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };

	if (!s.len || (!((s.ptr[0] | 0x20) >= 'a' && (s.ptr[0] | 0x20) <= 'z') && s.ptr[0] != '/' && s.ptr[0] != '_'))
		return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(s, hf_sv_of(words[i])))
			return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool inner = i + 1 < s.len;
		if (is_alnum(c) || memchr("/_.+@=-", c, 7) || (c == ':' && inner && s.ptr[i + 1] != ' ') ||
		    (c == ' ' && inner && s.ptr[i + 1] != '#'))
			continue;
		return false;
	}
	return true;
}

/* The length of the character at the front and its code point; 0xfffd over one byte where it is no UTF-8. */
static size_t character(hf_sv s, uint32_t *ret)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > s.len || !hf_sv_is_utf8(hf_sv_first(s, n))) {
		*ret = 0xfffd;
		return 1;
	}
	*ret = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*ret = *ret << 6 | ((unsigned char)s.ptr[i] & 0x3f);
	return n;
}

/* What YAML does not print, and what turns a terminal's line around. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xfffd ||
	       c == 0xfffe || c == 0xffff;
}

void hf_yaml_write_scalar(struct hf_buf *out, hf_sv text)
{
	if (is_plain(text)) {
		hf_buf_add(out, text);
		return;
	}
	hf_buf_add_char(out, '"');
	while (text.len) {
		uint32_t c;
		size_t n = character(text, &c);
		if (c == '"' || c == '\\')
			hf_buf_addf(out, "\\%c", (char)c);
		else if (c == '\n')
			hf_buf_add(out, HF_SV("\\n"));
		else if (c == '\t')
			hf_buf_add(out, HF_SV("\\t"));
		else if (is_hidden(c))
			hf_buf_addf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
		else
			hf_buf_add(out, hf_sv_first(text, n));
		text = hf_sv_skip(text, n);
	}
	hf_buf_add_char(out, '"');
}
