#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "baseline/drift_event.h"
#include "baseline/file_digest.h"
#include "baseline/package_managers.h"
#include "baseline/process_files.h"

static struct hf_drift_answer next_answer(struct hf_drift *d)
{
	struct hf_drift_answer a;
	struct pollfd p = { .fd = hf_drift_fd(d), .events = POLLIN };

	while (!hf_drift_poll(d, &a))
		assert_int_equal(poll(&p, 1, 60000), 1);
	return a;
}

HF_TEST(answers_come_in_the_order_of_questions)
{
	struct hf_drift *d;
	struct hf_err err = { 0 };

	assert_int_equal(hf_drift_open(NULL, &d, &err), HF_OK);
	for (uint64_t i = 1; i <= 50; i++)
		assert_true(hf_drift_ask(d, &(struct hf_drift_question){ .id = i, .path = HF_SV("/bin/sh") }));
	for (uint64_t i = 1; i <= 50; i++) {
		struct hf_drift_answer a = next_answer(d);
		assert_int_equal(a.id, i);
		assert_int_equal(a.state, HF_DRIFT_UNKNOWN);
		assert_true(a.reason[0]);
	}
	struct hf_drift_answer none;
	assert_false(hf_drift_poll(d, &none));
	struct hf_drift_count c = hf_drift_count(d);
	assert_int_equal(c.asked, 50);
	assert_int_equal(c.answered, 50);
	assert_int_equal(c.by_state[HF_DRIFT_UNKNOWN], 50);
	hf_drift_close(d);
}

/* Nobody takes the answers: both queues fill, and what no longer fits is counted, not waited for. */
HF_TEST(a_full_queue_refuses)
{
	const struct hf_drift_options options = { .queue_max = 3 };
	struct hf_drift *d;
	struct hf_err err = { 0 };
	uint64_t taken = 0;

	assert_int_equal(hf_drift_open(&options, &d, &err), HF_OK);
	for (int i = 0; i < 100; i++)
		taken += hf_drift_ask(d, &(struct hf_drift_question){ .path = HF_SV("/x") });
	struct hf_drift_count c = hf_drift_count(d);
	assert_true(taken >= 3 && taken <= 7);
	assert_int_equal(c.asked, taken);
	assert_int_equal(c.refused, 100 - taken);
	while (taken--)
		next_answer(d);
	hf_drift_close(d);
}

HF_TEST(what_waits_is_dropped_at_the_end)
{
	struct hf_drift *d;
	struct hf_err err = { 0 };

	assert_int_equal(hf_drift_open(NULL, &d, &err), HF_OK);
	for (int i = 0; i < 500; i++)
		hf_drift_ask(d, &(struct hf_drift_question){ .pid = (uint64_t)getpid(), .path = HF_SV("/bin/sh") });
	hf_drift_container(d, 7, (uint64_t)getpid());
	hf_drift_close(d);
	hf_drift_close(NULL);
}

static int file_with(const char *bytes)
{
	char path[] = "/tmp/hf-drift-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	return fd;
}

HF_TEST(digests_are_kept_until_the_file_changes)
{
	struct file_digests *f = file_digests_new(1 << 30, 100);
	struct hf_err err = { 0 };
	char first[HF_DIGEST_TEXT_MAX], again[HF_DIGEST_TEXT_MAX], wanted[HF_DIGEST_TEXT_MAX];
	uint64_t bytes, cached;
	int fd = file_with("abc");

	hf_digest_sha256(HF_SV("abc"), wanted);
	assert_int_equal(file_digests_get(f, fd, first, &err), HF_OK);
	assert_string_equal(first, wanted);
	assert_int_equal(file_digests_get(f, fd, again, &err), HF_OK);
	assert_string_equal(again, wanted);
	file_digests_count(f, &bytes, &cached);
	assert_int_equal(bytes, 3);
	assert_int_equal(cached, 1);
	assert_int_equal(pwrite(fd, "abcd", 4, 0), 4);
	hf_digest_sha256(HF_SV("abcd"), wanted);
	assert_int_equal(file_digests_get(f, fd, again, &err), HF_OK);
	assert_string_equal(again, wanted);
	close(fd);
	file_digests_free(f);
}

HF_TEST(large_files_and_no_files_are_not_read)
{
	struct file_digests *f = file_digests_new(1 << 30, 4);
	struct hf_err err = { 0 };
	char out[HF_DIGEST_TEXT_MAX];
	int fd = file_with("abcde"), pipes[2];

	assert_int_equal(file_digests_get(f, fd, out, &err), HF_E_LIMIT);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(file_digests_get(f, pipes[0], out, &err), HF_E_IO);
	assert_string_equal(out, "");
	assert_int_equal(ftruncate(fd, 3), 0);
	file_digests_stop(f);
	assert_int_equal(file_digests_get(f, fd, out, &err), HF_E_IO);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	file_digests_free(f);
}

HF_TEST(a_process_is_told_by_its_start)
{
	uint64_t pid = (uint64_t)getpid();
	struct hf_err err = { 0 };

	assert_true(process_is(pid, 0));
	assert_false(process_is(pid, 1));
	assert_false(process_is(0, 0));
	int fd = process_find_program(pid, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(process_find_program(0, &err), HF_E_MISSING);
}

static bool is_any_file(void *ctx, hf_sv path)
{
	(void)ctx;
	(void)path;
	return true;
}

/* NULL: none. */
static bool manages(const char *program, const char *one, const char *two, const char *three)
{
	const hf_sv arguments[] = { hf_sv_of(program), hf_sv_of(one), hf_sv_of(two), hf_sv_of(three) };
	const struct hf_ancestor who = { .path = hf_sv_of(program), .arguments = arguments, .arguments_n = 4 };
	hf_sv ret;

	return package_manager_among(&who, 1, is_any_file, NULL, &ret);
}

HF_TEST(only_the_script_that_runs_makes_a_package_manager)
{
	assert_true(manages("/usr/bin/python3.11", "/usr/bin/pip", "install", "x"));
	assert_true(manages("/usr/bin/python3", "-Es", "/usr/bin/yum", ""));
	assert_true(manages("/usr/bin/perl", "-w", "--", "/usr/bin/dpkg"));
	assert_true(manages("/bin/sh", "-e", "/usr/bin/apt", "x"));
	assert_false(manages("/bin/sh", "-s", "/usr/bin/dpkg", ""));
	assert_false(manages("/bin/sh", "-es", "/usr/bin/dpkg", ""));
	assert_false(manages("/bin/sh", "-ec", "evil", "/usr/bin/dpkg"));
	assert_false(manages("/bin/bash", "--rcfile", "/usr/bin/dpkg", "x"));
	assert_false(manages("/usr/bin/python3", "-", "/usr/bin/pip", ""));
	assert_false(manages("/usr/bin/python3", "-c", "/usr/bin/pip", ""));
	assert_false(manages("/usr/bin/python3", "-mpdb", "/usr/bin/pip", ""));
	assert_false(manages("/usr/bin/perl", "-ne", "/usr/bin/dpkg", ""));
	assert_false(manages("/usr/bin/node", "--require=/tmp/x", "/usr/bin/npm", ""));
	assert_false(manages("/usr/bin/node", "-r", "/usr/bin/npm", "/tmp/x"));
	assert_false(manages("/usr/bin/cat", "/usr/bin/dpkg", "", ""));
}

static bool runs(const char *program, const char *one, const char *two, const char *three, const char *wanted)
{
	const hf_sv arguments[] = { hf_sv_of(program), hf_sv_of(one), hf_sv_of(two), hf_sv_of(three) };
	hf_sv path = hf_sv_starts(arguments[0], HF_SV("ash")) ? HF_SV("/bin/busybox") : arguments[0];

	return hf_sv_eq(interpreter_script(path, arguments, 4), hf_sv_of(wanted));
}

HF_TEST(interpreters_run_scripts)
{
	assert_true(runs("/bin/sh", "/tmp/e.sh", "x", "y", "/tmp/e.sh"));
	assert_true(runs("/bin/bash", "-o", "pipefail", "/tmp/e.sh", "/tmp/e.sh"));
	assert_true(runs("/bin/bash", "-e", "--", "e.sh", "e.sh"));
	assert_true(runs("ash", "/tmp/e.sh", "", "", "/tmp/e.sh"));
	assert_true(runs("/usr/bin/python3.11", "-E", "-u", "x.py", "x.py"));
	assert_true(runs("/usr/bin/perl", "-e", "code", "/tmp/x", ""));
	assert_true(runs("/usr/bin/python3", "-m", "http.server", "", ""));
	assert_true(runs("/bin/sh", "-c", "/tmp/x", "", ""));
	assert_true(runs("/bin/cat", "/tmp/x", "", "", ""));
}

static struct hf_event in_container(enum hf_event_kind kind)
{
	struct hf_event e = { .kind = kind };

	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, HF_SV("0123"));
	hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, 9);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, 12);
	return e;
}

HF_TEST(events_raise_questions)
{
	struct hf_arena a = HF_ARENA(4096);
	struct hf_event e = in_container(HF_EVENT_EXEC), none = { .kind = HF_EVENT_EXEC };
	struct hf_drift_question q;

	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	hf_event_set_bool(&e, HF_FIELD_PROCESS_EXE_UPPER, true);
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_PROGRAM);
	assert_true(hf_sv_eq(q.path, HF_SV("/bin/sh")));
	assert_int_equal(q.container, 9);
	assert_int_equal(q.pid, 12);
	assert_false(q.is_map);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_EXE_UPPER, false);
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_NOTHING);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_EXE_DEVICE, 7);
	assert_int_equal(hf_drift_question_of(&e, 7, &a, &q), HF_DRIFT_NOTHING);
	assert_int_equal(hf_drift_question_of(&e, 8, &a, &q), HF_DRIFT_PROGRAM);
	const hf_sv arguments[] = { HF_SV("sh"), HF_SV("-e"), HF_SV("/tmp/e.sh"), HF_SV("x") };
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, 4);
	assert_int_equal(hf_drift_question_of(&e, 7, &a, &q), HF_DRIFT_SCRIPT);
	assert_true(hf_sv_eq(q.path, HF_SV("/tmp/e.sh")));
	assert_true(q.is_map);
	hf_event_set_string(&e, HF_FIELD_PROCESS_SCRIPT, HF_SV("run.sh"));
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_NOTHING);
	hf_event_set_string(&e, HF_FIELD_PROCESS_CWD, HF_SV("/tmp"));
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_SCRIPT);
	assert_true(hf_sv_eq(q.path, HF_SV("/tmp/run.sh")));
	hf_event_set_bool(&e, HF_FIELD_PROCESS_SETUP, true);
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_NOTHING);
	hf_event_set_string(&none, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	assert_int_equal(hf_drift_question_of(&none, 0, &a, &q), HF_DRIFT_NOTHING);
	e = in_container(HF_EVENT_MAP);
	hf_event_set_string(&e, HF_FIELD_MAP_PATH, HF_SV("/lib/x.so"));
	assert_int_equal(hf_drift_question_of(&e, 0, &a, &q), HF_DRIFT_MAP);
	assert_true(q.is_map);
	hf_arena_done(&a);
}

HF_TEST(answers_become_fields)
{
	struct hf_drift_answer answer = { .state = HF_DRIFT_MODIFIED, .digest = "sha256:1" };
	struct hf_event e = in_container(HF_EVENT_EXEC);

	hf_drift_describe(&answer, HF_DRIFT_PROGRAM, &e);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_PROCESS_EXE_DRIFT), HF_SV("modified")));
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_PROCESS_EXE_DIGEST), HF_SV("sha256:1")));
	hf_drift_describe(&answer, HF_DRIFT_SCRIPT, &e);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_PROCESS_SCRIPT_DRIFT), HF_SV("modified")));
	hf_drift_describe(&answer, HF_DRIFT_MAP, &e);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_MAP_DIGEST), HF_SV("sha256:1")));
}

HF_TEST_MAIN(cmocka_unit_test(interpreters_run_scripts),
	     cmocka_unit_test(only_the_script_that_runs_makes_a_package_manager),
	     cmocka_unit_test(events_raise_questions), cmocka_unit_test(answers_become_fields),
	     cmocka_unit_test(answers_come_in_the_order_of_questions), cmocka_unit_test(a_full_queue_refuses),
	     cmocka_unit_test(what_waits_is_dropped_at_the_end),
	     cmocka_unit_test(digests_are_kept_until_the_file_changes),
	     cmocka_unit_test(large_files_and_no_files_are_not_read), cmocka_unit_test(a_process_is_told_by_its_start))
