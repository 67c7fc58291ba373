/* Bytes choose programs of jq and an object; what is answered without jq is what jq answers. Behind the first NUL, or where there is none all of it, the
 * bytes are a program themselves, which must not break the reader. */
#include <jq.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "policy/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* jq 1.6 loses words of programs that it refuses. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libjq";
}

enum { PROGRAMS = 8, DEPTH = 4 };

struct choices {
	const uint8_t *at, *end;
};

static unsigned choose(struct choices *c, unsigned n)
{
	return c->at < c->end ? *c->at++ % n : 0;
}

/* '@': a program of a greater depth; '%': a term; '&': one of the words of the object below. */
static const char *const programs[] = {
	"%",
	"%",
	"%",
	"@ | @",
	"@, @",
	"% == %",
	"% != %",
	"% < %",
	"% <= %",
	"% > %",
	"% >= %",
	"% + %",
	"% and %",
	"% or %",
	"% // %",
	"select(@)",
	"any(@)",
	"all(@)",
	"any(@; @)",
	"all(@; @)",
	"map(@)",
	"any",
	"all",
	"if @ then @ else @ end",
	"if @ then @ elif @ then @ else @ end",
	"% as $x | @",
	"% as $x|% as $y | [$x,$y,@]",
	"not",
	"length",
	"type",
	"tostring",
	"keys",
	"add",
	"empty",
	"startswith(@)",
	"endswith(@)",
	"contains(@)",
	"has(@)",
	"IN(@)",
	"test(\"&\")",
	"test(\"^&\")",
	"test(\"&$\")",
	"test(\"^&$\")",
	"test(\"^a\\\\.&\\\\n\")",
	"join(@)",
	"ascii_downcase",
	"% - %",
	"% * 2",
	"% | error",
	"try @ catch .",
	"..",
	"first(@)",
	"# a comment\n@",
	"@ # and one behind",
	"% == % or % == % and %",
	"1 + % as $x | $x, %",
	"%?//%",
	"% // % // %",
	"select(@) | \"&: \\(@)\"",
};

static const char *const terms[] = {
	".",
	".&",
	".&.&",
	".[\"&\"]",
	".\"&\"",
	".&[]",
	".&[]?",
	".[]",
	".[]?",
	".[0]",
	".[-1]",
	".[1:]",
	".&?",
	".&.&?",
	".&[]?.&",
	".[%]",
	"[@]",
	"[]",
	"{}",
	"(@)",
	"(@)?",
	"(@) ?",
	"(@).&",
	"(@)[]",
	"(.&)?",
	"(.&.&)?.&",
	"$object.&",
	"$pod",
	"$container.&",
	"$parameters.&",
	"\"&\"",
	"\"\\(@)\"",
	"\"a\\(@)b\\n\\(@)\"",
	"0",
	"1",
	"2",
	"true",
	"false",
	"null",
	"{&: %}",
	"{&: %, \"&\": %}",
	"{message: \"&\\(%)\", path: .&}",
	"-1",
	"1.50",
	"$__loc__",
	". .&",
	". [0]",
	".&\n[0]",
	"@base64",
	"\"\\u0041\"",
	"\"\303\244\"",
	"if @ then @ else @ end",
};

static const char *const variables[] = { "object", "pod", "container", "namespace", "parameters" };
static const char *const words[] = { "a", "b", "c", "d", "and", "name" };

static void write(struct choices *c, const char *pattern, unsigned depth, struct hf_buf *out)
{
	for (; *pattern; pattern++) {
		if (*pattern == '@')
			write(c, depth ? programs[choose(c, HF_ARRAY_SIZE(programs))] : ".", depth ? depth - 1 : 0,
			      out);
		else if (*pattern == '%')
			write(c, depth ? terms[choose(c, HF_ARRAY_SIZE(terms))] : ".&", depth ? depth - 1 : 0, out);
		else if (*pattern == '&')
			hf_buf_add(out, hf_sv_of(words[choose(c, HF_ARRAY_SIZE(words))]));
		else
			hf_buf_add_char(out, *pattern);
	}
}

static jv value_of(struct choices *c, unsigned depth)
{
	static const char *const texts[] = { "", "a", "ab", "a.b\n", "abc\n", "\303\244a", "c\n\n", "b\na" };
	jv out;

	switch (choose(c, depth ? 9 : 5)) {
	case 0:
		return jv_null();
	case 1:
		return jv_bool((int)choose(c, 2));
	case 2:
		return jv_number((double)choose(c, 5) - 1.5 * choose(c, 2));
	case 3:
	case 4:
		return jv_string(texts[choose(c, HF_ARRAY_SIZE(texts))]);
	case 5:
	case 6:
		out = jv_array();
		for (unsigned n = choose(c, 4); n; n--)
			out = jv_array_append(out, value_of(c, depth - 1));
		return out;
	default:
		out = jv_object();
		for (unsigned n = choose(c, 5); n; n--)
			out = jv_object_set(out, jv_string(words[choose(c, HF_ARRAY_SIZE(words))]),
					    value_of(c, depth - 1));
		return out;
	}
}

static bool gather(void *ctx, jv v)
{
	*(jv *)ctx = jv_array_append(*(jv *)ctx, v);
	return true;
}

static void silence(void *ctx, jv message)
{
	(void)ctx;
	jv_free(message);
}

struct program {
	struct hf_buf text;
	jv own; /* what is said without jq */
};

/* What jq says of each: its values, or null where it fails. Nothing where one of them is no program. */
static jv by_jq(const struct program *all, size_t n, jv in)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(1 << 20);
	jq_state *jq = jq_init();
	jv out = jv_invalid();

	jq_set_error_cb(jq, silence, NULL);
	jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	hf_buf_add(&text, HF_SV(". as {$object, $pod, $container, $namespace, $parameters} | "));
	for (size_t i = 0; i < n; i++)
		hf_buf_addf(&text, "%s(try [$object | (\n%s\n)] catch null)", i ? "," : "[", all[i].text.ptr);
	hf_buf_add(&text, HF_SV("]"));
	hf_buf_add_char(&text, 0);
	if (jq_compile(jq, text.ptr)) {
		jq_start(jq, jv_copy(in), 0);
		out = jq_next(jq);
	}
	jq_teardown(&jq);
	return out;
}

/* The values; null where they are jq's to tell. */
static jv by_expression(const struct hf_expressions *e, jv in)
{
	jv slots[HF_EXPRESSION_OWN_SLOTS], out = jv_array();

	for (size_t i = 0; i < HF_EXPRESSION_OWN_SLOTS; i++)
		slots[i] = jv_object_get(jv_copy(in), jv_string(variables[i]));
	if (!hf_expression_run(e, slots[HF_EXPRESSION_OBJECT_SLOT], slots, &out, gather)) {
		jv_free(out);
		out = jv_null();
	}
	for (size_t i = 0; i < HF_EXPRESSION_OWN_SLOTS; i++)
		jv_free(slots[i]);
	return out;
}

static void compare(const struct program *p, jv other, jv in)
{
	if (!jv_equal(jv_copy(p->own), jv_copy(other))) {
		fprintf(stderr, "%s\n  of %s\n  is %s\n  and not %s\n", p->text.ptr,
			jv_string_value(jv_dump_string(jv_copy(in), 0)),
			jv_string_value(jv_dump_string(jv_copy(other), 0)),
			jv_string_value(jv_dump_string(jv_copy(p->own), 0)));
		abort();
	}
	jv_free(other);
}

/* Beside jq, each for itself where one is none of jq's programs. */
static void compare_all(const struct program *all, size_t n, jv in)
{
	jv others = by_jq(all, n, in);

	if (jv_is_valid(others))
		for (size_t i = 0; i < n; i++)
			compare(&all[i], jv_array_get(jv_copy(others), (int)i), in);
	else
		for (size_t i = 0; n > 1 && i < n; i++)
			compare_all(&all[i], 1, in);
	jv_free(others);
}

/* False: it is jq's. */
static bool answer(struct program *p, jv in)
{
	struct hf_expressions *e = hf_expression_read((hf_sv){ p->text.ptr, p->text.len - 1 });

	p->own = e ? by_expression(e, in) : jv_null();
	hf_expression_free(e);
	return jv_get_kind(p->own) == JV_KIND_ARRAY;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memchr(data, 0, size);
	hf_sv text = { cut ? (const char *)cut + 1 : (const char *)data, cut ? size - (size_t)(cut + 1 - data) : size };
	struct choices c = { data, data + size };
	struct program all[PROGRAMS];
	size_t n = 0;
	jv in = jv_object();

	hf_expression_free(hf_expression_read(text));
	for (size_t i = 0; i < HF_ARRAY_SIZE(variables); i++)
		in = jv_object_set(in, jv_string(variables[i]), value_of(&c, 3));
	while (n < PROGRAMS && c.at < c.end) {
		all[n].text = HF_BUF(1 << 16);
		write(&c, "@", DEPTH, &all[n].text);
		hf_buf_add_char(&all[n].text, 0);
		if (!all[n].text.over && answer(&all[n], in))
			n++;
		else
			hf_buf_done(&all[n].text);
	}
	if (n)
		compare_all(all, n, in);
	while (n--) {
		hf_buf_done(&all[n].text);
		jv_free(all[n].own);
	}
	jv_free(in);
	return 0;
}
