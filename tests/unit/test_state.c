#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/counters.h"
#include "agent/ring.h"
#include "agent/state.h"
#include "base/limits.h"
#include "trace/trace.h"

static char folder[] = "/tmp/hf_state_XXXXXX";

HF_TEST(counters_are_bounded_and_forget_what_is_cold)
{
	struct hf_counters c;
	const struct hf_counter *top[3];
	char name[32];

	hf_counters_init(&c, 16);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "cold-%d", i);
		hf_counters_add(&c, hf_sv_of(name), false);
	}
	assert_int_equal(c.n, 12);
	assert_int_equal(c.others, 88);
	for (int i = 0; i < HF_COUNTERS_PERIODS; i++)
		hf_counters_turn(&c);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.others, 100);
	for (int i = 0; i < 3; i++)
		hf_counters_add(&c, HF_SV("hot"), i == 0);
	hf_counters_add(&c, HF_SV("warm\n"), false);
	assert_int_equal(hf_counters_top(&c, top, 3), 2);
	assert_string_equal(top[0]->name, "hot");
	assert_int_equal(top[0]->all, 3);
	assert_int_equal(top[0]->extra, 1);
	assert_string_equal(top[1]->name, "warm\\x0a");
	assert_int_equal(hf_counters_top(&c, top, 1), 1);
	assert_string_equal(top[0]->name, "hot");
	hf_counters_done(&c);
}

static void count_line(void *ctx, hf_sv line)
{
	(void)line;
	++*(int *)ctx;
}

HF_TEST(a_ring_keeps_the_newest_within_its_bounds)
{
	struct hf_ring r;
	int n = 0;

	hf_ring_init(&r, 4, 20);
	for (int i = 0; i < 9; i++)
		hf_ring_add(&r, i % 2 ? HF_SV("odd") : HF_SV("even"), HF_SV("12345"));
	hf_ring_add(&r, HF_SV("large"), HF_SV("123456789012345678901"));
	assert_int_equal(r.n, 4);
	hf_ring_each(&r, HF_SV("odd"), count_line, &n);
	assert_int_equal(n, 2);
	hf_ring_add(&r, HF_SV("even"), HF_SV("12345678901234567890"));
	assert_int_equal(r.n, 1);
	n = 0;
	hf_ring_each(&r, (hf_sv){ 0 }, count_line, &n);
	assert_int_equal(n, 1);
	hf_ring_done(&r);
}

struct follower {
	int next, seen;
};

/* Line i is (i * 7) % 23 + 1 times the letter i % 26. */
static void follow(void *ctx, hf_sv line)
{
	struct follower *f = ctx;
	char wanted = (char)('a' + f->next % 26);

	assert_int_equal(line.len, f->next * 7 % 23 + 1);
	for (size_t i = 0; i < line.len; i++)
		assert_int_equal(line.ptr[i], wanted);
	f->next++;
	f->seen++;
}

HF_TEST(a_ring_keeps_lines_of_any_length_whole_and_in_order)
{
	struct hf_ring r;
	char text[32];

	hf_ring_init(&r, 9, 61);
	for (int i = 0; i < 500; i++) {
		memset(text, 'a' + i % 26, sizeof text);
		hf_ring_add(&r, HF_SV("id"), (hf_sv){ text, (size_t)(i * 7 % 23 + 1) });
		struct follower f = { i + 1 - (int)r.n, 0 };
		hf_ring_each(&r, (hf_sv){ 0 }, follow, &f);
		assert_int_equal(f.next, i + 1); /* the newest is among them */
		assert_true(f.seen > 0 && (i < 3 || f.seen >= 2));
	}
	hf_ring_done(&r);
}

static struct hf_state *opened(void)
{
	const struct hf_state_options options = { .folder = folder, .mode = "watch" };
	struct hf_state *s = NULL;
	struct hf_err err = { 0 };

	if (hf_state_open(&options, &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

static bool says(const char *question, const char *part)
{
	hf_cleanup(hf_buf_done) struct hf_buf answer = HF_BUF(HF_MIB(9));
	struct hf_err err = { 0 };

	if (hf_state_ask(folder, question, &answer, &err) < 0)
		fail_msg("%s: %s", question, err.msg);
	bool found = hf_sv_find(hf_buf_view(&answer), hf_sv_of(part)) != SIZE_MAX;
	if (!found)
		print_message("%s: %.*s\n", question, HF_SV_FMT(hf_buf_view(&answer)));
	return found;
}

static void take(struct hf_state *s, const struct hf_event *e)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_MIB(1));

	hf_trace_write(&line, e);
	hf_state_take(s, e, hf_buf_view(&line));
}

static void happen(struct hf_state *s)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	hf_event_set_string(&e, HF_FIELD_ID, HF_SV("b-1"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_NAME, HF_SV("shop"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	take(s, &e);
	e.kind = HF_EVENT_ALERT;
	hf_event_set_string(&e, HF_FIELD_ID, HF_SV("b-2"));
	hf_event_set_string(&e, HF_FIELD_ALERT_EVENT, HF_SV("b-1"));
	hf_event_set_string(&e, HF_FIELD_ALERT_RULE, HF_SV("shell"));
	hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, HF_SV("high"));
	take(s, &e);
	e = (struct hf_event){ .kind = HF_EVENT_HEALTH };
	hf_event_set_string(&e, HF_FIELD_HEALTH_PART, HF_SV("engine"));
	hf_event_set_string(&e, HF_FIELD_HEALTH_STATE, HF_SV("failed"));
	hf_event_set_string(&e, HF_FIELD_HEALTH_MESSAGE, HF_SV("docker: \x1b[2J gone"));
	take(s, &e);
}

HF_TEST(an_agent_answers_what_it_is_asked)
{
	struct hf_state *s = opened();
	const struct hf_sink_count counts[] = {
		{ HF_EVENT_EXEC, HF_SV_INIT("shop"), .seen = 10, .known = 5, .delivered = 3, .dropped = 2 },
		{ HF_EVENT_EXIT, HF_SV_INIT(""), .seen = 1, .delivered = 1 },
	};
	const struct hf_sink_hook hooks[] = { { HF_SV_INIT("executions"), HF_SV_INIT("tp_btf/sched_process_exec"),
						true } };
	const struct hf_sink_numbers numbers = {
		.counts = counts, .counts_n = 2, .hooks = hooks, .hooks_n = 1, .containers = 7
	};
	struct stat st;
	char path[128];

	snprintf(path, sizeof path, "%s/agent.sock", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	happen(s);
	hf_state_tick(s, &numbers, NULL);
	assert_true(says("status", "\"schema\":\"holdfast/status/1\""));
	assert_true(says("status", "\"mode\":\"watch\""));
	assert_true(says("status", "\"containers\":{\"known\":7,\"pending\":0,\"unresolved\":0}"));
	assert_true(says("status", "\"events\":{\"seen\":11,\"known\":5,\"delivered\":4,\"dropped\":2}"));
	assert_true(says("status", "\"high\":1"));
	assert_true(says("status", "\"part\":\"engine\",\"state\":\"failed\""));
	assert_true(says("status", "docker: \\\\x1b[2J gone"));
	assert_true(says("status", "\"by\":\"tp_btf/sched_process_exec\",\"works\":true"));
	assert_true(says("top", "{\"container\":\"shop\",\"last_minute\":2,\"all\":2,\"alerts\":1}"));
	assert_true(says("top", "{\"rule\":\"shell\",\"last_minute\":1,\"all\":1}"));
	assert_true(says("top", "{\"kind\":\"exec\",\"shown\":1,\"seen\":10,\"known\":5,\"dropped\":2}"));
	assert_true(says("top", "\"lost\":[{\"kind\":\"exec\",\"container\":\"shop\",\"seen\":10,\"dropped\":2}]"));
	for (int i = 1; i <= 2; i++) {
		const char *question = i == 1 ? "why b-1" : "why b-2";
		assert_true(says(question, "\"alerts\":[{\"schema\":\"holdfast/event/1\",\"id\":\"b-2\""));
		assert_true(says(question, "\"event\":{\"schema\":\"holdfast/event/1\",\"id\":\"b-1\""));
	}
	assert_true(says("why b-3", "\"alerts\":[],\"event\":null"));
	assert_true(says("why \"},", "\"error\""));
	assert_true(says("dance", "\"error\""));
	hf_state_close(s);
	assert_int_not_equal(access(path, F_OK), 0);
}

static int connected(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

HF_TEST(askers_who_are_silent_or_loud_hold_nobody_up)
{
	struct hf_state *s = opened();
	char noise[4096];
	int silent = connected(), loud = connected(), hasty = connected();

	memset(noise, 'x', sizeof noise);
	assert_true(send(loud, noise, sizeof noise, MSG_NOSIGNAL) > 0);
	assert_true(send(hasty, "top\n", 4, MSG_NOSIGNAL) > 0);
	close(hasty);
	/* The loop is never held up, and the next asker is answered once the silent one's time is over. */
	for (int i = 0; i < 1000; i++)
		happen(s);
	assert_true(says("status", "\"mode\":\"watch\""));
	close(silent);
	close(loud);
	/* Closing does not wait for one who is silent. */
	silent = connected();
	hf_state_close(s);
	close(silent);
}

HF_TEST(there_is_one_agent_and_a_dead_one_is_replaced)
{
	const struct hf_state_options options = { .folder = folder };
	struct hf_state *s = opened(), *second = NULL;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct hf_err err = { 0 };
	struct hf_buf answer = HF_BUF(HF_MIB(9));

	assert_int_equal(hf_state_open(&options, &second, &err), HF_E_USAGE);
	assert_true(says("status", "\"mode\":\"watch\""));
	hf_state_close(s);
	assert_int_equal(hf_state_ask(folder, "status", &answer, &err), HF_E_MISSING);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	s = opened();
	assert_true(says("status", "\"mode\":\"watch\""));
	hf_state_close(s);
	/* What is no socket is somebody's file: it stays. */
	fd = open(address.sun_path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(hf_state_open(&options, &second, &err), HF_E_USAGE);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	close(fd);
	unlink(address.sun_path);
	hf_buf_done(&answer);
}

static void *answer_nonsense(void *listener)
{
	char bytes[64];
	int fd = accept(*(int *)listener, NULL, NULL);

	if (recv(fd, bytes, sizeof bytes, 0) > 0 && send(fd, "{\"a\":", 5, MSG_NOSIGNAL) == 5)
		close(fd);
	return NULL;
}

HF_TEST(an_answer_that_is_no_json_is_refused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct hf_buf answer = HF_BUF(HF_MIB(9));
	struct hf_err err = { 0 };
	pthread_t thread;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_nonsense, &fd), 0);
	assert_int_equal(hf_state_ask(folder, "status", &answer, &err), HF_E_FORMAT);
	pthread_join(thread, NULL);
	close(fd);
	unlink(address.sun_path);
	hf_buf_done(&answer);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_are_bounded_and_forget_what_is_cold),
		cmocka_unit_test(a_ring_keeps_the_newest_within_its_bounds),
		cmocka_unit_test(a_ring_keeps_lines_of_any_length_whole_and_in_order),
		cmocka_unit_test(an_agent_answers_what_it_is_asked),
		cmocka_unit_test(askers_who_are_silent_or_loud_hold_nobody_up),
		cmocka_unit_test(there_is_one_agent_and_a_dead_one_is_replaced),
		cmocka_unit_test(an_answer_that_is_no_json_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
