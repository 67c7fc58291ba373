#include "baseline/shape.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "base/limits.h"

enum { HEX_MIN = 8 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static size_t run(hf_sv s, bool (*is)(char))
{
	size_t n = 0;

	while (n < s.len && is(s.ptr[n]))
		n++;
	return n;
}

/* The length of the front of @s where it looks like @mask: 'h' a hexadecimal digit, '0' a digit, else itself; 0 where it does not. */
static size_t looks_like(hf_sv s, const char *mask)
{
	size_t n = strlen(mask);

	if (s.len < n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (mask[i] == 'h' ? !is_hex(s.ptr[i]) : mask[i] == '0' ? !is_digit(s.ptr[i]) : s.ptr[i] != mask[i])
			return 0;
	return n;
}

static bool word_ends(hf_sv s, size_t n)
{
	return n == s.len || !is_word(s.ptr[n]);
}

static size_t date(hf_sv s)
{
	size_t n = looks_like(s, "0000-00-00"), time, zone;

	if (!n || (n < s.len && is_digit(s.ptr[n])))
		return 0;
	hf_sv rest = hf_sv_skip(s, n);
	if (!rest.len || !memchr("T_ ", rest.ptr[0], 3))
		return n;
	rest = hf_sv_skip(rest, 1);
	time = looks_like(rest, "00:00:00");
	if (!time)
		time = looks_like(rest, "00:00");
	if (!time)
		return n;
	n += 1 + time;
	rest = hf_sv_skip(s, n);
	if (rest.len > 1 && (rest.ptr[0] == '.' || rest.ptr[0] == ',') && is_digit(rest.ptr[1]))
		n += 1 + run(hf_sv_skip(rest, 1), is_digit);
	rest = hf_sv_skip(s, n);
	if (rest.len && rest.ptr[0] == 'Z')
		return n + 1;
	zone = looks_like(hf_sv_skip(rest, 1), "00:00");
	return zone && (rest.ptr[0] == '+' || rest.ptr[0] == '-') ? n + 1 + zone : n;
}

/* What variable thing begins here, where a word begins. */
static size_t variable(hf_sv s, const char **ret_name)
{
	size_t n = looks_like(s, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");

	*ret_name = "{uuid}";
	if (n && word_ends(s, n))
		return n;
	*ret_name = "{date}";
	n = date(s);
	if (n)
		return n;
	*ret_name = "{hex}";
	n = looks_like(s, "0xh") ? 2 + run(hf_sv_skip(s, 2), is_hex) : run(s, is_hex);
	size_t digits = run(s, is_digit);
	if (n != digits && word_ends(s, n) && (looks_like(s, "0xh") || n >= HEX_MIN))
		for (size_t i = 0; i < n; i++)
			if (is_digit(s.ptr[i]))
				return n;
	*ret_name = "{n}";
	return digits;
}

/* The folder for what is gone soon that @s lies in: its length with the last '/', or 0. */
static size_t scratch_folder(hf_sv s)
{
	static const hf_sv folders[] = { HF_SV_INIT("/tmp/"), HF_SV_INIT("/var/tmp/"), HF_SV_INIT("/dev/shm/") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(folders); i++)
		if (hf_sv_starts(s, folders[i]))
			return folders[i].len;
	return 0;
}

static bool is_path_byte(char c)
{
	return is_word(c) || memchr("/.+@%=~-", c, 8);
}

/* A path that climbs out again is not one below that folder. */
static bool climbs(hf_sv path)
{
	return hf_sv_find(path, HF_SV("/../")) != SIZE_MAX || hf_sv_ends(path, HF_SV("/.."));
}

static size_t add_literal(struct hf_buf *out, hf_sv s)
{
	unsigned char c = (unsigned char)s.ptr[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c < 0x20 || c == 0x7f || n > s.len || (n > 1 && !hf_sv_is_utf8(hf_sv_first(s, n)))) {
		hf_buf_addf(out, "\\x%02x", c);
		return 1;
	}
	if (c == '{' || c == '}' || c == '\\')
		hf_buf_add_char(out, '\\');
	hf_buf_add(out, hf_sv_first(s, n));
	return n;
}

static hf_sv finish(struct hf_buf *out, struct hf_arena *a)
{
	hf_sv view = hf_arena_dup(a, hf_buf_view(out));

	hf_buf_done(out);
	return view;
}

static hf_sv shape(hf_sv text, bool is_path, struct hf_arena *a)
{
	struct hf_buf out = HF_BUF(8 * HF_PATH_MAX + 64);
	bool word = false, path = false; /* the byte before belongs to one */

	for (size_t i = 0; i < text.len;) {
		hf_sv rest = hf_sv_skip(text, i);
		size_t folder = path ? 0 : scratch_folder(rest);
		size_t end = is_path ? rest.len : folder + run(hf_sv_skip(rest, folder), is_path_byte);
		const char *name;

		if (folder && end > folder && !climbs(hf_sv_first(rest, end))) {
			hf_buf_add(&out, hf_sv_first(rest, folder));
			hf_buf_add(&out, HF_SV("{path}"));
			i += end;
			word = path = true;
			continue;
		}
		size_t n = word ? 0 : variable(rest, &name);
		if (n)
			hf_buf_add(&out, hf_sv_of(name));
		else
			n = add_literal(&out, rest);
		word = is_word(text.ptr[i + n - 1]);
		path = is_path_byte(text.ptr[i + n - 1]) && text.ptr[i + n - 1] != '=';
		i += n;
	}
	return finish(&out, a);
}

hf_sv hf_shape_argument(hf_sv text, struct hf_arena *a)
{
	char digest[HF_DIGEST_TEXT_MAX];

	if (text.len <= HF_PROFILE_ARGUMENT_MAX)
		return shape(text, false, a);
	return hf_arena_fmt(a, "{digest:%.32s}", hf_sv_skip(hf_digest_sha256(text, digest), strlen("sha256:")).ptr);
}

hf_sv hf_shape_path(hf_sv path, struct hf_arena *a)
{
	return shape(hf_sv_first(path, HF_PATH_MAX), true, a);
}

hf_sv hf_shape_literal(hf_sv text, struct hf_arena *a)
{
	struct hf_buf out = HF_BUF(4 * HF_PATH_MAX + 64);

	text = hf_sv_first(text, HF_PATH_MAX);
	while (text.len)
		text = hf_sv_skip(text, add_literal(&out, text));
	return finish(&out, a);
}

static int hex_value(char c)
{
	return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

bool hf_shape_text(hf_sv pattern, struct hf_arena *a, hf_sv *ret_text)
{
	struct hf_buf out = HF_BUF(pattern.len);
	bool literal = true;

	while (pattern.len && literal) {
		size_t n = 1;
		if (pattern.ptr[0] == '{' || pattern.ptr[0] == '}')
			literal = false;
		else if (pattern.ptr[0] != '\\')
			hf_buf_add_char(&out, pattern.ptr[0]);
		else if (looks_like(pattern, "\\xhh")) {
			hf_buf_add_char(&out, (char)(hex_value(pattern.ptr[2]) << 4 | hex_value(pattern.ptr[3])));
			n = 4;
		} else if (pattern.len > 1 && memchr("{}\\", pattern.ptr[1], 3)) {
			hf_buf_add_char(&out, pattern.ptr[1]);
			n = 2;
		} else
			literal = false;
		pattern = hf_sv_skip(pattern, n);
	}
	if (literal)
		*ret_text = hf_arena_dup(a, hf_buf_view(&out));
	hf_buf_done(&out);
	return literal && !a->over;
}

bool hf_shape_valid(hf_sv pattern)
{
	static const hf_sv names[] = { HF_SV_INIT("{n}"),    HF_SV_INIT("{hex}"),  HF_SV_INIT("{uuid}"),
				       HF_SV_INIT("{date}"), HF_SV_INIT("{path}"), HF_SV_INIT("{any}"),
				       HF_SV_INIT("{rest}") };

	while (pattern.len) {
		size_t n = pattern.ptr[0] == '{' || pattern.ptr[0] == '}' || pattern.ptr[0] == '\\' ? 0 : 1;
		for (size_t i = 0; !n && i < HF_ARRAY_SIZE(names); i++)
			if (hf_sv_starts(pattern, names[i]))
				n = names[i].len;
		if (!n)
			n = looks_like(pattern, "\\xhh");
		if (!n && pattern.ptr[0] == '\\' && pattern.len > 1 && memchr("{}\\", pattern.ptr[1], 3))
			n = 2;
		if (!n)
			n = looks_like(pattern, "{digest:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh}");
		if (!n)
			return false;
		pattern = hf_sv_skip(pattern, n);
	}
	return true;
}

bool hf_shape_list_matches(const hf_sv *pattern, size_t pattern_n, const hf_sv *seen, size_t n)
{
	size_t i = 0;

	for (; i < pattern_n; i++) {
		if (i + 1 == pattern_n && hf_sv_eq(pattern[i], HF_SV("{rest}")))
			return true;
		if (i == n || (!hf_sv_eq(pattern[i], seen[i]) && !hf_sv_eq(pattern[i], HF_SV("{any}"))))
			return false;
	}
	return i == n;
}
