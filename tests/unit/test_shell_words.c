#include "unit.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "baseline/shell_words.h"

/* What the scan says, a line each: "word word …" a command ('$' behind a word that is not static, '@' the arguments), "NAME()" a
 * function, "! reason". */
static int on_command(void *ctx, const struct hf_shell_word *words, size_t n, struct hf_err *err)
{
	struct hf_buf *b = ctx;

	(void)err;
	for (size_t i = 0; i < n; i++)
		hf_buf_addf(b, "%s%.*s%s", i ? " " : "", HF_SV_FMT(words[i].text),
			    words[i].is_arguments ? "@"
			    : words[i].is_static  ? ""
						  : "$");
	hf_buf_add_char(b, '\n');
	return 0;
}

static int on_function(void *ctx, hf_sv name, struct hf_err *err)
{
	(void)err;
	hf_buf_addf(ctx, "%.*s()\n", HF_SV_FMT(name));
	return 0;
}

static int on_unparsed(void *ctx, hf_sv reason, struct hf_err *err)
{
	(void)err;
	hf_buf_addf(ctx, "! %.*s\n", HF_SV_FMT(reason));
	return 0;
}

static void scan(const char *script, const char *wanted)
{
	struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_buf b = HF_BUF(HF_MIB(1));
	const struct hf_shell_sink sink = { on_command, on_function, on_unparsed, &b };
	struct hf_err err = { 0 };
	int r = hf_shell_scan(hf_sv_of(script), &a, &sink, &err);

	hf_buf_add_char(&b, 0);
	assert_string_equal(b.ptr, wanted);
	assert_int_equal(r, strchr(wanted, '!') ? HF_PARTIAL : HF_OK);
	hf_buf_done(&b);
	hf_arena_done(&a);
}

HF_TEST(commands_and_what_parts_them)
{
	scan("", "");
	scan("ls", "ls\n");
	scan("a b; c & d | e && f || g\nh", "a b\nc\nd\ne\nf\ng\nh\n");
	scan("# no command\na # nor this\nb#c", "a\nb#c\n");
	scan("a \\\n b\n\n\r\n", "a b\n");
	scan("(a; b) ; { c; }", "a\nb\nc\n");
	scan("A=1 B='x y' c d=e; F=g", "c d=e\n");
	scan("A=(one two) b", "b\n");
}

HF_TEST(quotes)
{
	scan("'a b' \"c d\" e\\ f g'h'\"i\"", "a b c d e f ghi\n");
	scan("a \"b\\\"c\" $'d\\'e'", "a b\"c d'e\n");
	scan("a 'b", "! a quote without its end\na b\n");
	scan("a ''", "a \n");
	scan("echo 'ls; rm'", "echo ls; rm\n");
}

HF_TEST(expansions)
{
	scan("$a b", "$ b\n");
	scan("a/$b/c ${d}e", "a//c$ e$\n");
	scan("exec \"$@\"", "exec @\n");
	scan("$@ ; ${@}; \"${@}\"; x$@", "@\n@\n@\nx$\n");
	scan("\"a$@\" \"$@b\"", "a$ b$\n");
	scan("a $(b c) `d e`", "b c\nd e\na $ $\n");
	scan("a \"$(b \"$(c)\")\"", "c\nb $\na $\n");
	scan("a=$(b)", "b\n");
	scan("a ${b:-$(c d)} ${e#'}'}", "c d\na $ $\n");
	scan("a $((1 + (2))) b", "a $ b\n");
	scan("a $ b$ c", "a $ b$ c\n");
}

HF_TEST(compound_commands)
{
	scan("if a; then b; elif c; then d; else e; fi", "a\nb\nc\nd\ne\n");
	scan("while a; do b; done; until c; do d; done", "a\nb\nc\nd\n");
	scan("for x in a b; do c $x; done", "c $\n");
	scan("for x in a $(b); do c; done", "b\nc\n");
	scan("for x\ndo a; done", "a\n");
	scan("case $1 in start|stop) a;; (b*) c\n;; *) d ;; esac; e", "a\nc\nd\ne\n");
	scan("case x in\n a)\n case y in b) c;; esac ;;\n d) e;;\nesac\nf", "c\ne\nf\n");
	scan("! a; time b", "a\nb\n");
	scan("[[ -f a && b < c ]] && d", "d\n");
	scan("((i++)); a", "a\n");
}

HF_TEST(functions)
{
	scan("f() { a; }\nf", "f()\na\nf\n");
	scan("function g { a; }; function h () { b; }", "g()\na\nh()\nb\n");
}

HF_TEST(redirections)
{
	scan("a >b 2>&1 <c >>d", "a\n");
	scan("a 2>/dev/null b &>c d", "a b d\n");
	scan("cat <<END | b\n$x is text; rm\nEND\nc", "cat\nb\nc\n");
	scan("a <<-'E'\n\tx `y`\n\tE\nb", "a\nb\n");
	scan("a <<E\n$(b)\nE\nc", "a\n! commands in a here-document\nc\n");
	scan("a <<<\"b c\" d", "a d\n");
	scan("a <(b c) >(d)", "b c\nd\na $ $\n");
	scan("2>&1 a", "a\n");
}

HF_TEST(what_has_no_end)
{
	scan("a $(b", "b\n! a parenthesis without its end\na $\n");
	scan("a `b", "b\na $\n");
	scan("a ${b", "a $\n");
	scan("a) b", "a\nb\n");
	scan("esac; a", "a\n");
	scan("case", "");
	scan("<", "");
	scan("a\\", "a\n");
}

HF_TEST(depth_is_bounded)
{
	struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_buf script = HF_BUF(HF_MIB(1)), out = HF_BUF(HF_MIB(1));
	const struct hf_shell_sink sink = { on_command, on_function, on_unparsed, &out };
	struct hf_err err = { 0 };

	for (size_t i = 0; i < 100000; i++)
		hf_buf_add(&script, HF_SV("$(${"));
	assert_int_equal(hf_shell_scan(hf_buf_view(&script), &a, &sink, &err), HF_PARTIAL);
	assert_true(hf_sv_starts(hf_buf_view(&out), HF_SV("! commands are nested too deeply\n")));
	hf_buf_done(&script);
	hf_buf_done(&out);
	hf_arena_done(&a);
}

HF_TEST_MAIN(cmocka_unit_test(commands_and_what_parts_them), cmocka_unit_test(quotes), cmocka_unit_test(expansions),
	     cmocka_unit_test(compound_commands), cmocka_unit_test(functions), cmocka_unit_test(redirections),
	     cmocka_unit_test(what_has_no_end), cmocka_unit_test(depth_is_bounded))
