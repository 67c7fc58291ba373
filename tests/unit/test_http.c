#include "unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/http.h"

/* A server that answers one connection with what a test says, whatever was asked. */
struct server {
	const char *head, *part; /* part is sent repeat times, or for ever */
	int repeat;              /* -1: until the client goes */
	bool hold;               /* then wait for the client to go */
	int requests;            /* on this one connection; 0: one */
	int listener;
	pthread_t thread;
	char url[64], path[64];
	char got[8192];
	size_t got_n;
};

static void read_request(struct server *s, int fd)
{
	s->got_n = 0;
	for (;;) {
		ssize_t n = recv(fd, s->got + s->got_n, sizeof s->got - 1 - s->got_n, 0);
		if (n <= 0)
			return;
		s->got_n += (size_t)n;
		s->got[s->got_n] = 0;
		const char *end = strstr(s->got, "\r\n\r\n"), *length = strstr(s->got, "Content-Length: ");
		if (end && s->got_n >= (size_t)(end + 4 - s->got) + (length ? strtoul(length + 16, NULL, 10) : 0))
			return;
	}
}

static bool say(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char rest;

	for (int i = 0; i < (s->requests ? s->requests : 1); i++) {
		read_request(s, fd);
		bool open = !s->head || say(fd, s->head);
		for (int sent = 0; open && s->part && (s->repeat < 0 || sent < s->repeat); sent++)
			open = say(fd, s->part);
	}
	while (s->hold && recv(fd, &rest, 1, 0) > 0)
		;
	close(fd);
	return NULL;
}

static void start(struct server *s, bool unix_socket)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof in;

	if (unix_socket) {
		snprintf(s->path, sizeof s->path, P_tmpdir "/hf-http-%d", (int)getpid());
		unlink(s->path);
		snprintf(un.sun_path, sizeof un.sun_path, "%s", s->path);
		snprintf(s->url, sizeof s->url, "http://engine/");
	}
	s->listener = socket(unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, unix_socket ? (struct sockaddr *)&un : (struct sockaddr *)&in,
			      unix_socket ? sizeof un : sizeof in),
			 0);
	assert_int_equal(listen(s->listener, 1), 0);
	if (!unix_socket) {
		assert_int_equal(getsockname(s->listener, (struct sockaddr *)&in, &len), 0);
		snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/", ntohs(in.sin_port));
	}
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR); /* where the client gave up before it came, nobody is to wait for it */
	pthread_join(s->thread, NULL);
	close(s->listener);
	if (s->path[0])
		unlink(s->path);
}

/* One call against one server; what came is in *body, which the caller frees. */
static int ask(struct server *s, struct hf_http_request r, struct hf_http_answer *answer, struct hf_err *err)
{
	struct hf_http *h = hf_http_open();

	start(s, false);
	r.url = s->url;
	if (!r.deadline_ms)
		r.deadline_ms = 120000;
	int code = hf_http_call(h, &r, answer, err);
	hf_http_close(h);
	stop(s);
	return code;
}

struct lines {
	char text[256]; /* joined by | */
	size_t n;
	int fail_at;
};

static int take_line(void *ctx, hf_sv line, struct hf_err *err)
{
	struct lines *l = ctx;
	size_t used = strlen(l->text);

	snprintf(l->text + used, sizeof l->text - used, "%.*s|", HF_SV_FMT(line));
	l->n++;
	return l->fail_at && (int)l->n == l->fail_at ? hf_fail(err, HF_E_FORMAT, "enough") : HF_OK;
}

HF_TEST(get_gives_status_and_body)
{
	struct server s = { .head = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(ask(&s, (struct hf_http_request){ 0 }, &a, &err), HF_OK);
	assert_int_equal(a.status, 404);
	assert_true(hf_sv_eq(hf_buf_view(&a.body), HF_SV("no")));
	assert_memory_equal(s.got, "GET / HTTP/1.1\r\n", 16);
	hf_buf_done(&a.body);
}

HF_TEST(post_sends_body_and_headers)
{
	struct server s = { .head = "HTTP/1.1 204 No Content\r\n\r\n" };
	const char *headers[] = { "Content-Type: application/json", "X-Test: 1" };
	struct hf_http_request r = { .body = HF_SV("{\"a\":1}"), .headers = headers, .headers_n = 2 };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(ask(&s, r, &a, &err), HF_OK);
	assert_int_equal(a.status, 204);
	assert_memory_equal(s.got, "POST / HTTP/1.1\r\n", 17);
	assert_non_null(strstr(s.got, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(s.got, "\r\nX-Test: 1\r\n"));
	assert_string_equal(strstr(s.got, "\r\n\r\n") + 4, "{\"a\":1}");
	hf_buf_done(&a.body);
}

HF_TEST(unix_socket_and_one_connection_for_two_calls)
{
	struct server s = { .head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .requests = 2 };
	struct hf_http *h = hf_http_open();
	struct hf_err err = { 0 };

	start(&s, true);
	for (int i = 0; i < 2; i++) {
		struct hf_http_answer a;
		struct hf_http_request r = { .url = s.url, .unix_socket = s.path, .deadline_ms = 120000 };
		assert_int_equal(hf_http_call(h, &r, &a, &err), HF_OK);
		assert_true(hf_sv_eq(hf_buf_view(&a.body), HF_SV("ok")));
		hf_buf_done(&a.body);
	}
	hf_http_close(h);
	stop(&s);
}

HF_TEST(stream_gives_lines)
{
	struct server s = { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "3\r\none\r\n6\r\n\r\n\r\ntw\r\n5\r\no\nend\r\n0\r\n\r\n" };
	struct lines l = { 0 };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(
		ask(&s, (struct hf_http_request){ .take = take_line, .take_ctx = &l, .line_max = 16 }, &a, &err),
		HF_OK);
	assert_string_equal(l.text, "one||two|end|");
	assert_int_equal(a.body.len, 0);
	hf_buf_done(&a.body);
}

HF_TEST(stream_is_ended_by_its_taker)
{
	struct server s = { .head = "HTTP/1.1 200 OK\r\n\r\n", .part = "x\n", .repeat = -1 };
	struct lines l = { .fail_at = 3 };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(
		ask(&s, (struct hf_http_request){ .take = take_line, .take_ctx = &l, .line_max = 16 }, &a, &err),
		HF_E_FORMAT);
	assert_string_equal(err.msg, "enough");
	assert_int_equal(l.n, 3);
	hf_buf_done(&a.body);
}

HF_TEST(refusal_of_a_stream_is_kept_as_body)
{
	struct server s = { .head = "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nwhy" };
	struct lines l = { 0 };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(
		ask(&s, (struct hf_http_request){ .take = take_line, .take_ctx = &l, .line_max = 16 }, &a, &err),
		HF_OK);
	assert_int_equal(a.status, 500);
	assert_true(hf_sv_eq(hf_buf_view(&a.body), HF_SV("why")));
	assert_int_equal(l.n, 0);
	hf_buf_done(&a.body);
}

/* What a server can do wrong, and the code that comes of it. */
HF_TEST(faults_of_servers)
{
	static const struct {
		struct server server;
		struct hf_http_request request;
		int code;
	} cases[] = {
		{ { .hold = true }, { .deadline_ms = 200 }, HF_E_LIMIT },
		{ { .head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow", .hold = true },
		  { .deadline_ms = 200 },
		  HF_E_LIMIT },
		{ { .head = "HTTP/1.1 200 OK\r\n\r\n", .part = "endless", .repeat = -1 },
		  { .answer_max = 4096 },
		  HF_E_LIMIT },
		{ { .head = "HTTP/1.1 200 OK\r\n", .part = "X-Endless: endless\r\n", .repeat = -1 },
		  { 0 },
		  HF_E_LIMIT },
		{ { .head = "HTTP/1.1 200 OK\r\n\r\n", .part = "no end of this line", .repeat = -1 },
		  { .take = take_line, .line_max = 256 },
		  HF_E_LIMIT },
		{ { .head = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort" }, { 0 }, HF_E_TRUNCATED },
		{ { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab" }, { 0 }, HF_E_TRUNCATED },
		{ { 0 }, { 0 }, HF_E_TRUNCATED },
		{ { .head = "SSH-2.0-OpenSSH_9\r\n" }, { 0 }, HF_E_FORMAT },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct server s = cases[i].server;
		struct hf_http_request r = cases[i].request;
		struct hf_http_answer a;
		struct hf_err err = { 0 };
		struct lines l = { 0 };
		r.take_ctx = &l;
		int code = ask(&s, r, &a, &err);
		if (code != cases[i].code)
			fail_msg("case %zu: %d instead of %d: %s", i, code, cases[i].code, err.msg);
		assert_int_equal(err.code, code);
		assert_non_null(strstr(err.msg, "http://127.0.0.1:"));
		hf_buf_done(&a.body);
	}
}

HF_TEST(body_ends_where_its_length_says)
{
	struct server s = { .head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more" };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(ask(&s, (struct hf_http_request){ 0 }, &a, &err), HF_OK);
	assert_true(hf_sv_eq(hf_buf_view(&a.body), HF_SV("ok")));
	hf_buf_done(&a.body);
}

HF_TEST(redirects_are_answers)
{
	struct server s = { .head = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n" };
	struct hf_http_answer a;
	struct hf_err err = { 0 };

	assert_int_equal(ask(&s, (struct hf_http_request){ 0 }, &a, &err), HF_OK);
	assert_int_equal(a.status, 302);
	assert_int_equal(a.body.len, 0);
	hf_buf_done(&a.body);
}

HF_TEST(what_cannot_be_reached_says_so)
{
	static const struct {
		const char *url, *unix_socket;
		int code;
		const char *message;
	} cases[] = {
		{ "http://engine/", "/nonexistent/socket", HF_E_MISSING,
		  "unix:/nonexistent/socket: No such file or directory" },
		{ "file:///etc/passwd", NULL, HF_E_FORMAT, NULL },
		{ "gopher://127.0.0.1/secret", NULL, HF_E_FORMAT, NULL },
		{ "no url at all", NULL, HF_E_USAGE, NULL },
		{ "http://user:word@127.0.0.1:1/secret?token=secret", NULL, HF_E_IO,
		  "http://127.0.0.1:1: Connection refused" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_http *h = hf_http_open();
		struct hf_http_request r = { .url = cases[i].url,
					     .unix_socket = cases[i].unix_socket,
					     .deadline_ms = 120000 };
		struct hf_http_answer a;
		struct hf_err err = { 0 };
		assert_int_equal(hf_http_call(h, &r, &a, &err), cases[i].code);
		if (cases[i].message)
			assert_string_equal(err.msg, cases[i].message);
		assert_null(strstr(err.msg, "secret"));
		assert_null(strstr(err.msg, "word@"));
		hf_buf_done(&a.body);
		hf_http_close(h);
	}
}

static void *stop_soon(void *h)
{
	usleep(100 * 1000);
	hf_http_stop(h);
	return NULL;
}

HF_TEST(another_thread_stops_a_call)
{
	struct server s = { .head = "HTTP/1.1 200 OK\r\n\r\n", .part = "x\n", .repeat = 1, .hold = true };
	struct hf_http *h = hf_http_open();
	struct lines l = { 0 };
	struct hf_http_answer a;
	struct hf_err err = { 0 };
	pthread_t thread;

	start(&s, false);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, h), 0);
	struct hf_http_request r = { .url = s.url, .take = take_line, .take_ctx = &l, .line_max = 16 };
	assert_int_equal(hf_http_call(h, &r, &a, &err), HF_E_SYSTEM);
	hf_buf_done(&a.body);
	pthread_join(thread, NULL);
	assert_int_equal(hf_http_call(h, &r, &a, &err), HF_E_SYSTEM);
	hf_buf_done(&a.body);
	hf_http_close(h);
	stop(&s);
}

HF_TEST_MAIN(cmocka_unit_test(get_gives_status_and_body), cmocka_unit_test(post_sends_body_and_headers),
	     cmocka_unit_test(unix_socket_and_one_connection_for_two_calls), cmocka_unit_test(stream_gives_lines),
	     cmocka_unit_test(stream_is_ended_by_its_taker), cmocka_unit_test(refusal_of_a_stream_is_kept_as_body),
	     cmocka_unit_test(faults_of_servers), cmocka_unit_test(body_ends_where_its_length_says),
	     cmocka_unit_test(redirects_are_answers), cmocka_unit_test(what_cannot_be_reached_says_so),
	     cmocka_unit_test(another_thread_stops_a_call))
