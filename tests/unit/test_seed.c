#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "baseline/package_managers.h"
#include "baseline/seed.h"
#include "baseline/seed_config.h"
#include "lib/files.h"
#include "lib/text_root.h"

/* The images are those of fuzz/corpus/seed. */
struct made {
	struct hf_arena nodes, arena;
	struct hf_map map;
	struct hf_buf text;
	struct hf_seed seed;
	int code;
};

static void make(struct made *m, const char *image)
{
	static const hf_sv entrypoint[] = { HF_SV_INIT("init"), HF_SV_INIT("word") };
	struct hf_image_config config = { .entrypoint = entrypoint, .entrypoint_n = 2 };
	struct hf_err err = { 0 };
	char folder[4096];

	snprintf(folder, sizeof folder, "%s/fuzz/corpus/seed", getenv("HF_SOURCE_ROOT"));
	*m = (struct made){ .nodes = HF_ARENA(HF_MIB(4)), .arena = HF_ARENA(HF_MIB(64)) };
	m->map = HF_MAP(&m->nodes);
	m->text = test_read(folder, image, NULL);
	struct hf_root root = test_text_root(&m->map, hf_buf_view(&m->text));
	m->code = hf_seed_make(&root, &config, &m->arena, &m->seed, &err);
	assert_true(m->code >= 0);
}

static void done(struct made *m)
{
	hf_buf_done(&m->text);
	hf_arena_done(&m->arena);
	hf_arena_done(&m->nodes);
}

static const struct hf_seed_file *file_of(const struct made *m, const char *path)
{
	for (size_t i = 0; i < m->seed.files_n; i++)
		if (hf_sv_eq(m->seed.files[i].path, hf_sv_of(path)))
			return &m->seed.files[i];
	return NULL;
}

static void has(const struct made *m, const char *path, enum hf_seed_kind kind, bool is_hint)
{
	const struct hf_seed_file *f = file_of(m, path);

	if (!f)
		print_message("not there: %s\n", path);
	assert_non_null(f);
	assert_int_equal(f->kind, kind);
	assert_int_equal(f->is_hint, is_hint);
}

static bool tells(const struct made *m, const char *reason)
{
	for (size_t i = 0; i < m->seed.unparsed_n; i++)
		if (hf_sv_find(m->seed.unparsed[i].reason, hf_sv_of(reason)) != SIZE_MAX)
			return true;
	return false;
}

HF_TEST(shell_scripts)
{
	struct made m;

	make(&m, "shell");
	has(&m, "/bin/init", HF_SEED_SCRIPT, false);
	has(&m, "/bin/sh", HF_SEED_PROGRAM, false); /* ls is a link to it */
	has(&m, "/usr/bin/env", HF_SEED_PROGRAM, false);
	has(&m, "/etc/settings", HF_SEED_MODULE, false);
	assert_true(tells(&m, "here-document"));
	assert_true(tells(&m, "word is not in the image")); /* "$@" */
	assert_true(m.seed.open_commands);
	assert_false(m.seed.passes_arguments);
	done(&m);
}

HF_TEST(python_modules)
{
	struct made m;

	make(&m, "python");
	has(&m, "/usr/bin/python3.11", HF_SEED_PROGRAM, false);
	has(&m, "/usr/lib/python3.11/json/__init__.py", HF_SEED_MODULE, false);
	has(&m, "/usr/lib/python3.11/lib-dynload/q.cpython-311-x86_64-linux-gnu.so", HF_SEED_LIBRARY, false);
	done(&m);
}

HF_TEST(elf_files_as_ld_so_finds_them)
{
	struct made m;

	make(&m, "elf");
	has(&m, "/bin/init", HF_SEED_PROGRAM, false);
	has(&m, "/lib64/ld.so", HF_SEED_LOADER, false);
	has(&m, "/lib/liba.so", HF_SEED_LIBRARY, false); /* $ORIGIN/../lib */
	has(&m, "/opt/libb.so", HF_SEED_LIBRARY, false); /* ld.so.conf.d */
	has(&m, "/usr/lib/libextra.so.1", HF_SEED_LIBRARY, true);
	has(&m, "/lib/libnss_x.so.2", HF_SEED_LIBRARY, true);
	assert_true(tells(&m, "libmissing.so, which it needs, is not found"));
	assert_true(m.seed.open_libraries);
	assert_false(m.seed.open_commands);
	assert_true(hf_syscalls_has(&m.seed.syscalls, 60));
	done(&m);
}

HF_TEST(musl_has_a_path_of_its_own)
{
	struct made m;

	make(&m, "musl");
	has(&m, "/lib/ld-musl-x86_64.so.1", HF_SEED_LOADER, false);
	has(&m, "/opt/liba.so", HF_SEED_LIBRARY, false);
	assert_false(tells(&m, "libc.musl"));
	done(&m);
}

HF_TEST(system_calls_that_imports_can_reach)
{
	struct made m;

	make(&m, "libc");
	assert_int_equal(m.code, HF_OK);
	/* By call, lea and jmp from the imported function; by a table; not the other export's. */
	for (unsigned i = 0; i < HF_SYSCALLS_MAX; i++)
		assert_int_equal(hf_syscalls_has(&m.seed.syscalls, i), i == 0 || i == 1 || i == 231);
	assert_int_equal(m.seed.syscalls.open, 0);
	done(&m);
}

HF_TEST(nothing_to_run)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_map m = HF_MAP(&a);
	struct hf_root root = test_text_root(&m, HF_SV(""));
	struct hf_image_config config = { 0 };
	struct hf_seed seed;
	struct hf_err err = { 0 };

	assert_int_equal(hf_seed_make(&root, &config, &a, &seed, &err), HF_E_FORMAT);
	hf_arena_done(&a);
}

HF_TEST(config_of_a_container)
{
	static const char json[] =
		"{\"Id\":\"x\",\"Name\":\"/n\",\"Image\":\"sha256:1\",\"State\":{\"Running\":true,\"Pid\":12},"
		"\"Config\":{\"User\":\"u\",\"Env\":[\"PATH=/a\"],\"Cmd\":[\"b\",\"c\"],\"Entrypoint\":null,"
		"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"WorkingDir\":\"/w\",\"Image\":\"i\","
		"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"d e\"]}}}";
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_seed_container c;
	struct hf_err err = { 0 };

	assert_int_equal(hf_seed_config(hf_sv_of(json), &a, &c, &err), HF_OK);
	assert_int_equal(c.pid, 12);
	assert_int_equal(c.config.cmd_n, 2);
	assert_int_equal(c.config.entrypoint_n, 0);
	assert_true(hf_sv_eq(c.config.exposed_ports[0], HF_SV("53/udp")));
	assert_true(hf_sv_eq(c.config.healthcheck, HF_SV("CMD-SHELL d e")));
	assert_true(hf_sv_eq(c.image_name, HF_SV("i")));
	assert_true(hf_sv_eq(c.image_digest, HF_SV("sha256:1")));
	assert_int_equal(hf_seed_config(HF_SV("{}"), &a, &c, &err), HF_E_FORMAT);
	assert_int_equal(hf_seed_config(HF_SV("{\"config\":{}"), &a, &c, &err), HF_E_FORMAT);
	hf_arena_done(&a);
}

/* Files that the image has: their number is counted. */
static bool is_image_file(void *ctx, hf_sv path)
{
	(*(int *)ctx)++;
	return !hf_sv_starts(path, HF_SV("/tmp/"));
}

static bool manages(const char *path, const char *argument, const char *wanted)
{
	const char *option = strstr(path, "node") ? "--" : "-u"; /* node has no -u */
	const hf_sv arguments[] = { HF_SV("x"), hf_sv_of(option), hf_sv_of(argument) };
	struct hf_ancestor tree[] = {
		{ .path = HF_SV("/bin/sh") },
		{ .path = hf_sv_of(path), .arguments = arguments, .arguments_n = argument ? 3 : 1 }
	};
	int asked = 0;
	hf_sv who = { 0 };

	if (!package_manager_among(tree, 2, is_image_file, &asked, &who))
		return false;
	assert_true(asked > 0);
	assert_true(hf_sv_eq(who, hf_sv_of(wanted)));
	return true;
}

HF_TEST(package_managers)
{
	assert_true(manages("/usr/bin/dpkg", NULL, "/usr/bin/dpkg"));
	assert_true(manages("/usr/bin/python3.11", "/usr/bin/pip3", "/usr/bin/pip3"));
	assert_true(manages("/usr/bin/node", "/usr/lib/node_modules/npm/bin/npm-cli.js",
			    "/usr/lib/node_modules/npm/bin/npm-cli.js"));
	assert_false(manages("/usr/bin/python3", "/opt/app.py", ""));
	assert_false(manages("/usr/bin/python3", "pip", "")); /* a path that is not known */
	assert_false(manages("/tmp/dpkg", NULL, ""));
	assert_false(manages("/usr/bin/python3", "/tmp/pip", ""));
	assert_false(manages("/tmp/python3", "/usr/bin/pip", ""));
	assert_false(manages("/usr/bin/dpkg-evil", NULL, ""));
}

HF_TEST_MAIN(cmocka_unit_test(shell_scripts), cmocka_unit_test(python_modules),
	     cmocka_unit_test(elf_files_as_ld_so_finds_them), cmocka_unit_test(musl_has_a_path_of_its_own),
	     cmocka_unit_test(system_calls_that_imports_can_reach), cmocka_unit_test(nothing_to_run),
	     cmocka_unit_test(config_of_a_container), cmocka_unit_test(package_managers))
