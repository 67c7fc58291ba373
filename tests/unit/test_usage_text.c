#include "unit.h"

#include "base/limits.h"
#include "cmd/usage_text.h"

static struct hf_arena arena;

static struct usage_text read_text(const char *text)
{
	struct usage_text u;
	struct hf_err err = { 0 };

	if (usage_text_read(HF_SV("do"), hf_sv_of(text), &arena, &u, &err) < 0)
		fail_msg("%s", err.msg);
	return u;
}

static void refused(const char *text, const char *says)
{
	struct usage_text u;
	struct hf_err err = { 0 };

	assert_int_equal(usage_text_read(HF_SV("do"), hf_sv_of(text), &arena, &u, &err), HF_E_FORMAT);
	assert_non_null(strstr(err.msg, says));
}

static const struct usage_option *option(const struct usage_text *u, const char *name)
{
	for (size_t i = 0; i < u->options.n; i++)
		if (hf_sv_eq(u->options.at[i].name, hf_sv_of(name)))
			return &u->options.at[i];
	fail_msg("no option %s", name);
	return NULL;
}

static void is(hf_sv got, const char *wanted)
{
	if (!hf_sv_eq(got, hf_sv_of(wanted)))
		fail_msg("\"%.*s\" instead of \"%s\"", HF_SV_FMT(got), wanted);
}

static void test_options(void **state)
{
	(void)state;
	struct usage_text u =
		read_text("[OPTIONS] TARGET...\n\n"
			  "  -f, --format a|b     how; more\n"
			  "  --quiet, --verbose   less, or\n"
			  "                       more\n"
			  "  --cert FILE, --keys DIR  of your own. Read again\n"
			  "  --mode[=MODE]        at once: soft|hard\n"
			  "  --only LIST          these: x,y,z\n"
			  "  --to SINK[=ARG]      one of: file[=FILE]|hook=URL|epss>=0.5 (default: none)\n"
			  "  --count N            how many (default: the processors)\n");
	const struct {
		const char *name;
		enum usage_kind kind;
		const char *choices, *text;
	} wanted[] = {
		{ "-f", USAGE_CHOICE, "a b", "how" },
		{ "--format", USAGE_CHOICE, "a b", "how" },
		{ "--quiet", USAGE_NONE, "", "less, or more" },
		{ "--verbose", USAGE_NONE, "", "less, or more" },
		{ "--cert", USAGE_FILE, "", "of your own" },
		{ "--keys", USAGE_FOLDER, "", "of your own" },
		{ "--mode", USAGE_CHOICE, "soft hard", "at once: soft|hard" },
		{ "--only", USAGE_LIST, "x y z", "these: x,y,z" },
		{ "--to", USAGE_CHOICE, "file hook= epss>=0.5",
		  "one of: file[=FILE]|hook=URL|epss>=0.5 (default: none)" },
		{ "--count", USAGE_ANY, "", "how many (default: the processors)" },
	};

	assert_int_equal(u.options.n, HF_ARRAY_SIZE(wanted));
	for (size_t i = 0; i < HF_ARRAY_SIZE(wanted); i++) {
		const struct usage_option *o = option(&u, wanted[i].name);
		assert_int_equal(o->kind, wanted[i].kind);
		is(o->choices, wanted[i].choices);
		is(o->text, wanted[i].text);
		assert_int_equal(o->optional, !strcmp(wanted[i].name, "--mode"));
		assert_true(o->words & 1);
	}
	assert_int_equal(u.words.n, 1);
	assert_true(u.words.at[0].exists && u.words.at[0].targets && u.words.at[0].files);
}

static void test_words(void **state)
{
	(void)state;
	struct usage_text u = read_text("[list] [-n NAME | -A] TARGET...\n"
					"                What there is. More.\n"
					"       holdfast do make FILE [--deep]   makes it\n"
					"       holdfast do serve|stop ID\n\n"
					"  serve                until it is ended\n"
					"  -n, --name NAME      a name\n"
					"  -A                   all\n"
					"  --deep               all of it\n"
					"  --strict             no mistakes\n");
	static const char *const names[] = { "", "list", "make", "serve", "stop" };
	static const char *const texts[] = { "", "What there is", "makes it", "until it is ended", "" };

	assert_int_equal(u.words.n, 5);
	for (size_t i = 0; i < 5; i++) {
		is(u.words.at[i].name, names[i]);
		is(u.words.at[i].text, texts[i]);
		assert_true(u.words.at[i].exists);
		assert_int_equal(u.words.at[i].targets, i < 2);
		assert_int_equal(u.words.at[i].files, i < 3);
	}
	assert_int_equal(option(&u, "--name")->words, 3); /* of its own line's -n */
	assert_int_equal(option(&u, "-A")->words, 3);
	assert_int_equal(option(&u, "--deep")->words, 4);
	assert_int_equal(option(&u, "--strict")->words & 31, 31);
}

static void test_operands(void **state)
{
	(void)state;
	struct usage_text u = read_text("LEVEL TARGET\n\nLEVEL is high|low; more\n\n"
					"Targets: FILE          manifests: YAML, JSON\n"
					"         oci:DIR[:TAG], tar:FILE  as above     host:  this machine\n"
					"         cluster:      all of it\n"
					"         cluster:NAME  the same\n");
	static const char *const names[] = { "oci:", "tar:", "host:", "cluster:" };
	static const enum usage_kind kinds[] = { USAGE_FOLDER, USAGE_FILE, USAGE_ANY, USAGE_ANY };

	is(u.words.at[0].choices, "high low");
	assert_int_equal(u.prefixes.n, 4);
	for (size_t i = 0; i < 4; i++) {
		is(u.prefixes.at[i].name, names[i]);
		assert_int_equal(u.prefixes.at[i].kind, kinds[i]);
	}
}

static void test_misfits(void **state)
{
	(void)state;
	refused("X\n  --all one blank\n", "--all one blank");
	refused("X\n  --all\n", "--all");
	refused("X\n   --all  three blanks\n", "--all  three");
	refused("X\n  --all=X  not its shape\n", "--all=X");
	refused("X\n  -all  two dashes\n", "-all");
	refused("X\n  --a, -b, -c, -d, -e  too many\n", "--a, -b");
	refused("X [--deep]\n  --all  text\n", "names '--deep' and has no line");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_misfits),
	};

	arena = HF_ARENA(HF_MIB(1));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	hf_arena_done(&arena);
	return failed;
}
