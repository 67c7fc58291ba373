#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "sink/render.h"
#include "sink/sink.h"
#include "trace/trace.h"

static char folder[] = "/tmp/hf_sink_XXXXXX";

static char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;

	snprintf(paths[next % 4], sizeof paths[0], "%s/%s", folder, name);
	return paths[next++ % 4];
}

static struct hf_sinks *opened(const char *output, bool wait)
{
	struct hf_sinks_options options = { .outputs = &output, .outputs_n = 1, .wait = wait };
	struct hf_sinks *s = NULL;
	struct hf_err err = { 0 };

	if (hf_sinks_open(&options, &s, &err) < 0)
		fail_msg("%s: %s", output, err.msg);
	return s;
}

static struct hf_event numbered(enum hf_event_kind kind, uint64_t n)
{
	struct hf_event e = { .kind = kind };

	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, n);
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/usr/bin/a-program-with-a-name"));
	return e;
}

static struct hf_buf content(const char *path)
{
	struct hf_buf bytes = HF_BUF(HF_MIB(64));
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(hf_fd_read_all(fd, 0, &bytes, NULL), 0);
	close(fd);
	return bytes;
}

/* Reads lines as events: monotonic_ns grows; the last loss event is kept. */
struct tally {
	uint64_t events, last, loss_seen, loss_delivered, loss_dropped;
};

static void tally(struct tally *t, hf_sv text)
{
	hf_sv line;

	while (text.len && hf_sv_next(&text, '\n', &line) && line.len) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_err err = { 0 };
		struct hf_event e;
		if (hf_trace_read(line, &a, &e, NULL, &err) < 0)
			fail_msg("%s: %.*s", err.msg, HF_SV_FMT(line));
		if (e.kind == HF_EVENT_LOSS) {
			assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_LOSS_OUTPUT), HF_SV("json")));
			assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_LOSS_KIND), HF_SV("exec")));
			t->loss_seen = hf_event_uint(&e, HF_FIELD_LOSS_SEEN);
			t->loss_delivered = hf_event_uint(&e, HF_FIELD_LOSS_DELIVERED);
			t->loss_dropped = hf_event_uint(&e, HF_FIELD_LOSS_DROPPED);
		} else if (e.kind == HF_EVENT_EXEC) {
			assert_true(hf_event_uint(&e, HF_FIELD_MONOTONIC_NS) > t->last);
			t->last = hf_event_uint(&e, HF_FIELD_MONOTONIC_NS);
			t->events++;
		}
	}
}

HF_TEST(a_full_queue_loses_counts_and_gives_the_rest_in_order)
{
	struct hf_queue *q = hf_queue_new(100, false);
	struct hf_queue_record record;
	int n = 0;

	for (int i = 0; i < 10; i++)
		assert_true(hf_queue_put(q, HF_EVENT_EXEC, HF_SV("0123456789"), false) == (i < 5));
	assert_true(hf_queue_put(q, HF_EVENT_LOSS, HF_SV("report"), true));
	assert_false(hf_queue_put(q, HF_EVENT_EXIT, (hf_sv){ NULL, SIZE_MAX }, false));
	struct hf_queue_counts c = hf_queue_count(q);
	assert_int_equal(c.put[HF_EVENT_EXEC], 10);
	assert_int_equal(c.lost[HF_QUEUE_FULL][HF_EVENT_EXEC], 5);
	assert_int_equal(c.lost[HF_QUEUE_FULL][HF_EVENT_EXIT], 1);
	assert_int_equal(c.waiting, 6);
	assert_true(hf_queue_wait(q, 0));
	while (hf_queue_next(q, &record))
		assert_true(hf_sv_eq(record.bytes, n++ < 5 ? HF_SV("0123456789") : HF_SV("report")));
	assert_int_equal(n, 6);
	assert_int_equal(hf_queue_count(q).waiting, 0);
	assert_true(hf_queue_wait(q, 0));
	assert_false(hf_queue_next(q, &record));
	hf_queue_close(q);
	assert_false(hf_queue_put(q, HF_EVENT_EXEC, HF_SV("late"), false));
	assert_false(hf_queue_wait(q, -1));
	hf_queue_free(q);
}

static void *put_many(void *q)
{
	for (int i = 0; i < 5000; i++)
		assert_true(hf_queue_put(q, HF_EVENT_EXEC, HF_SV("0123456789"), false));
	hf_queue_close(q);
	return NULL;
}

HF_TEST(a_queue_that_waits_loses_nothing)
{
	struct hf_queue *q = hf_queue_new(100, true);
	struct hf_queue_record record;
	pthread_t thread;
	int n = 0;

	assert_int_equal(pthread_create(&thread, NULL, put_many, q), 0);
	while (hf_queue_wait(q, -1))
		while (hf_queue_next(q, &record))
			n++;
	pthread_join(thread, NULL);
	assert_int_equal(n, 5000);
	hf_queue_free(q);
}

HF_TEST(outputs_are_understood_or_refused_with_a_reason)
{
	static const char *const bad[] = { "nowhere",
					   "",
					   "json=x,kinds=dance",
					   "json=x,severity=urgent",
					   "json=x,queue=0",
					   "json=x,queue=2048M",
					   "json=x,queue=k",
					   "json=x,colour=red",
					   "json=x,size=0",
					   "json=x,files=0",
					   "json=/no/such/folder/x",
					   "json=/" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		struct hf_sinks_options options = { .outputs = &bad[i], .outputs_n = 1 };
		struct hf_sinks *s = NULL;
		struct hf_err err = { 0 };
		if (hf_sinks_open(&options, &s, &err) >= 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(err.msg[0]);
	}
}

HF_TEST(a_link_is_not_followed)
{
	char output[160];
	const char *list[] = { output };
	struct hf_sinks_options options = { .outputs = list, .outputs_n = 1 };
	struct hf_sinks *s = NULL;

	assert_int_equal(symlink("/tmp/elsewhere", path_of("link")), 0);
	snprintf(output, sizeof output, "json=%s", path_of("link"));
	assert_true(hf_sinks_open(&options, &s, NULL) < 0);
}

HF_TEST(lines_reach_the_file_filtered_by_kind_and_severity)
{
	char output[200];
	snprintf(output, sizeof output, "json=%s,severity=high,kinds=alert+exit", path_of("filtered"));
	struct hf_sinks *s = opened(output, false);
	static const char *const severities[] = { "low", "medium", "high", "critical" };

	for (size_t i = 0; i < 4; i++) {
		struct hf_event e = { .kind = HF_EVENT_ALERT };
		hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, hf_sv_of(severities[i]));
		assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
		e = numbered(HF_EVENT_EXEC, i);
		assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
	}
	assert_int_equal(hf_sinks_close(s, 5000, NULL), 0);
	hf_cleanup(hf_buf_done) struct hf_buf text = content(path_of("filtered"));
	hf_buf_add_char(&text, 0);
	assert_string_equal(
		text.ptr,
		"{\"schema\":\"holdfast/event/1\",\"kind\":\"alert\",\"alert\":{\"severity\":\"high\"}}\n"
		"{\"schema\":\"holdfast/event/1\",\"kind\":\"alert\",\"alert\":{\"severity\":\"critical\"}}\n");
}

HF_TEST(a_record_is_bounded_and_continued_behind_a_line_that_was_cut)
{
	char output[200];
	struct tally t = { 0 };
	struct stat st;

	FILE *f = fopen(path_of("record"), "w");
	fputs("{\"schema\":\"holdf", f);
	fclose(f);
	snprintf(output, sizeof output, "json=%s,size=4k,files=3", path_of("record"));
	struct hf_sinks *s = opened(output, true);
	for (uint64_t i = 1; i <= 200; i++) {
		struct hf_event e = numbered(HF_EVENT_EXEC, i);
		assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
	}
	assert_int_equal(hf_sinks_close(s, 0, NULL), 0);
	static const char *const names[] = { "record.2", "record.1", "record" };
	for (size_t i = 0; i < 3; i++) {
		hf_cleanup(hf_buf_done) struct hf_buf text = content(path_of(names[i]));
		assert_true(text.len <= 4096);
		assert_true(i == 2 || text.len > 4096 - 256); /* full, but for less than a line */
		tally(&t, hf_buf_view(&text));
		assert_int_equal(stat(path_of(names[i]), &st), 0);
	}
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(t.last, 200);
	assert_true(t.events > 40);
	assert_int_not_equal(access(path_of("record.3"), F_OK), 0);

	/* Continued: the line that was cut stands alone. */
	f = fopen(path_of("record"), "a");
	fputs("{\"schema\":\"holdf", f);
	fclose(f);
	s = opened(output, true);
	struct hf_event e = numbered(HF_EVENT_EXEC, 201);
	assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
	assert_int_equal(hf_sinks_close(s, 0, NULL), 0);
	hf_cleanup(hf_buf_done) struct hf_buf text = content(path_of("record"));
	assert_true(hf_sv_find(hf_buf_view(&text), HF_SV("{\"schema\":\"holdf\n{\"schema\":\"holdfast/event/1\"")) !=
		    SIZE_MAX);
}

/* Reads the fifo into the file "copy", once it may. */
static void copy_later(int ready, int go)
{
	int reader = open(path_of("fifo"), O_RDONLY | O_NONBLOCK);
	int copy = open(path_of("copy"), O_WRONLY | O_CREAT, 0600);
	char bytes[65536];

	if (write(ready, "x", 1) != 1 || read(go, bytes, 1) != 1 || fcntl(reader, F_SETFL, 0))
		_exit(1);
	for (ssize_t n; (n = read(reader, bytes, sizeof bytes)) > 0;)
		if (write(copy, bytes, (size_t)n) != n)
			_exit(1);
	_exit(0);
}

HF_TEST(a_reader_that_stops_costs_bounded_memory_and_is_told_what_it_missed)
{
	char output[200], byte;
	struct hf_sink_state state;
	struct tally t = { 0 };
	int ready[2], go[2];

	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	assert_true(pipe(ready) == 0 && pipe(go) == 0);
	pid_t child = fork();
	if (child == 0)
		copy_later(ready[1], go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	snprintf(output, sizeof output, "json=%s,queue=64k", path_of("fifo"));
	struct hf_sinks *s = opened(output, false);
	for (uint64_t i = 1; i <= 20000; i++) {
		struct hf_event e = numbered(HF_EVENT_EXEC, i);
		assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
	}
	assert_true(hf_sinks_state(s, 0, &state));
	assert_int_equal(state.counts.put[HF_EVENT_EXEC], 20000);
	uint64_t lost = state.counts.lost[HF_QUEUE_FULL][HF_EVENT_EXEC];
	assert_true(lost > 0 && lost < 20000);
	assert_true(state.counts.waiting_bytes <= 2 * ((64 << 10) + (64 << 10)));
	hf_sinks_tick(s, NULL);
	/* The rest comes through once somebody reads again. */
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(hf_sinks_close(s, 20000, NULL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	struct hf_buf text = content(path_of("copy"));
	tally(&t, hf_buf_view(&text));
	hf_buf_done(&text);
	assert_int_equal(t.events + lost, 20000);
	assert_int_equal(t.loss_seen, 20000);
	assert_int_equal(t.loss_dropped, lost);
	assert_int_equal(t.loss_delivered, t.events);
}

static void shows(const struct hf_event *e, const char *wanted)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(1));

	hf_render_what(e, &out);
	hf_buf_add_char(&out, 0);
	assert_string_equal(out.ptr, wanted);
}

HF_TEST(people_are_told_what_happened_without_control_bytes)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };
	const hf_sv arguments[] = { HF_SV_INIT("sh"), HF_SV_INIT("-c"), HF_SV_INIT("echo \x1b[2J\n"), HF_SV_INIT("") };

	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/dash"));
	shows(&e, "/bin/dash");
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, 4);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_EXE_UPPER, true);
	shows(&e, "sh -c 'echo \\x1b[2J\\x0a' '' [/bin/dash] (not in the image)");

	e = (struct hf_event){ .kind = HF_EVENT_CONNECT };
	hf_event_set_string(&e, HF_FIELD_NETWORK_REMOTE_ADDRESS, HF_SV("2001:db8::1"));
	hf_event_set_uint(&e, HF_FIELD_NETWORK_REMOTE_PORT, 443);
	hf_event_set_string(&e, HF_FIELD_NETWORK_PROTOCOL, HF_SV("tcp"));
	hf_event_set_string(&e, HF_FIELD_NETWORK_REMOTE_NAME, HF_SV("example.org"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/usr/bin/curl"));
	shows(&e, "[2001:db8::1]:443 tcp (example.org) by /usr/bin/curl");
	e.values[HF_FIELD_PROCESS_EXE_PATH] = (struct hf_value){ 0 };
	shows(&e, "[2001:db8::1]:443 tcp (example.org)");

	e = (struct hf_event){ .kind = HF_EVENT_DENIAL };
	hf_event_set_string(&e, HF_FIELD_DENIAL_OBJECT, HF_SV("tcp/80 169.254.169.254"));
	hf_event_set_string(&e, HF_FIELD_DENIAL_RULE, HF_SV("imds"));
	shows(&e, "tcp/80 169.254.169.254 imds");
	hf_event_set_string(&e, HF_FIELD_DENIAL_RUNG, HF_SV("cgroup"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_NAME, HF_SV("curl"));
	shows(&e, "tcp/80 169.254.169.254 for curl by cgroup imds");
	hf_event_set_string(&e, HF_FIELD_DENIAL_OBJECT, HF_SV("/tmp/x"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/tmp/x"));
	hf_event_set_bool(&e, HF_FIELD_DENIAL_DRY_RUN, true);
	shows(&e, "would stop /tmp/x for curl by cgroup imds");

	e = (struct hf_event){ .kind = HF_EVENT_ALERT };
	hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, HF_SV("high"));
	hf_event_set_string(&e, HF_FIELD_ALERT_RULE, HF_SV("shell"));
	hf_event_set_string(&e, HF_FIELD_ALERT_TITLE, HF_SV("A shell runs"));
	hf_event_set_uint(&e, HF_FIELD_ALERT_COUNT, 3);
	shows(&e, "high shell: A shell runs (3 times)");
}

HF_TEST(the_table_shows_what_led_to_an_alert)
{
	char output[200];
	snprintf(output, sizeof output, "table=%s", path_of("table"));
	struct hf_sinks *s = opened(output, true);
	struct hf_event e = { .kind = HF_EVENT_ALERT };
	const hf_sv arguments[] = { HF_SV_INIT("sh"), HF_SV_INIT("-i") };
	const struct hf_ancestor tree[] = { { .path = HF_SV_INIT("/usr/sbin/nginx") },
					    { .path = HF_SV_INIT("/sbin/init\r") } };

	hf_event_set_string(&e, HF_FIELD_TIME, HF_SV("2026-03-01T09:12:44.018273645Z"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_NAME, HF_SV("shop"));
	hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, HF_SV("high"));
	hf_event_set_string(&e, HF_FIELD_ALERT_RULE, HF_SV("shell"));
	hf_event_set_string(&e, HF_FIELD_ALERT_TITLE, HF_SV("A shell runs"));
	hf_event_set_string(&e, HF_FIELD_ALERT_REASON, HF_SV("process.terminal = true"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	hf_event_set_list(&e, HF_FIELD_PROCESS_ARGUMENTS, arguments, 2);
	hf_event_set_tree(&e, HF_FIELD_PROCESS_ANCESTORS, tree, 2);
	assert_int_equal(hf_sinks_take(s, &e, NULL), 0);
	assert_int_equal(hf_sinks_close(s, 0, NULL), 0);
	hf_cleanup(hf_buf_done) struct hf_buf text = content(path_of("table"));
	hf_buf_add_char(&text, 0);
	assert_string_equal(text.ptr, "09:12:44.018 shop                 alert           high shell: A shell runs\n"
				      "     because process.terminal = true\n"
				      "     /sbin/init\\x0d\n"
				      "       └ /usr/sbin/nginx\n"
				      "         └ /bin/sh -i\n");
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "link",     "filtered", "record", "record.1",
					     "record.2", "fifo",     "copy",   "table" };

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_queue_loses_counts_and_gives_the_rest_in_order),
		cmocka_unit_test(a_queue_that_waits_loses_nothing),
		cmocka_unit_test(outputs_are_understood_or_refused_with_a_reason),
		cmocka_unit_test(a_link_is_not_followed),
		cmocka_unit_test(lines_reach_the_file_filtered_by_kind_and_severity),
		cmocka_unit_test(a_record_is_bounded_and_continued_behind_a_line_that_was_cut),
		cmocka_unit_test(a_reader_that_stops_costs_bounded_memory_and_is_told_what_it_missed),
		cmocka_unit_test(people_are_told_what_happened_without_control_bytes),
		cmocka_unit_test(the_table_shows_what_led_to_an_alert),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
