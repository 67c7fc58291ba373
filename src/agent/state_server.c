/* The socket: one asker at a time, a line in, a document out, a deadline over both. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/state_internal.h"
#include "base/file.h"
#include "base/limits.h"
#include "format/json.h"

enum { ASKER_MS = 2000, ASK_MS = 5000, QUESTION_BYTES_MAX = 512, BACKLOG = 16, STACK_BYTES = 512 << 10 };

#define ANSWER_BYTES_MAX HF_MIB(8)

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for @events on @fd until @deadline. False: the time is over, or @stop_fd (where not negative) is readable. */
static bool ready(int fd, short events, int64_t deadline, int stop_fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = stop_fd, .events = POLLIN } };

	for (;;) {
		int64_t left = deadline - now_ms();
		if (left <= 0)
			return false;
		int n = poll(fds, 2, (int)left);
		if (n > 0)
			return !fds[1].revents;
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return false;
	}
}

static bool send_all(int fd, hf_sv bytes, int64_t deadline, int stop_fd)
{
	while (bytes.len) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0)
			bytes = hf_sv_skip(bytes, (size_t)n);
		else if (!ready(fd, POLLOUT, deadline, stop_fd))
			return false;
	}
	return true;
}

/* A line of at most QUESTION_BYTES_MAX, without its end. */
static bool read_question(int fd, char *line, size_t *ret_len, int64_t deadline, int stop_fd)
{
	size_t len = 0;

	while (len < QUESTION_BYTES_MAX && ready(fd, POLLIN, deadline, stop_fd)) {
		ssize_t n = recv(fd, line + len, QUESTION_BYTES_MAX - len, MSG_DONTWAIT);
		if (n <= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
			return false;
		len += n > 0 ? (size_t)n : 0;
		const char *end = memchr(line, '\n', len);
		if (end) {
			*ret_len = (size_t)(end - line);
			return true;
		}
	}
	return false;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void serve(struct hf_state *s, int fd)
{
	hf_cleanup(hf_buf_done) struct hf_buf answer = HF_BUF(ANSWER_BYTES_MAX);
	int64_t deadline = now_ms() + ASKER_MS;
	char line[QUESTION_BYTES_MAX];
	size_t len;

	if (!may_ask(fd) || !read_question(fd, line, &len, deadline, s->stop_fd))
		return;
	hf_state_answer(s, (hf_sv){ line, len }, &answer);
	if (answer.over) {
		answer.len = 0;
		answer.over = false;
		hf_buf_add(&answer, HF_SV("{\"error\":\"the answer is too large\"}\n"));
	}
	send_all(fd, hf_buf_view(&answer), deadline, s->stop_fd);
}

static void *server_main(void *state)
{
	struct hf_state *s = state;
	struct pollfd fds[] = { { .fd = s->listener, .events = POLLIN }, { .fd = s->stop_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents)
			return NULL;
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			serve(s, fd);
			close(fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* Nobody can be let in: the one that waits stays there, and must not make this loop spin. */
			poll(&fds[1], 1, 1000);
		}
	}
}

static int address_of(const char *folder, struct sockaddr_un *ret, struct hf_err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = snprintf(ret->sun_path, sizeof ret->sun_path, "%s/agent.sock", folder);
	if (n < 0 || (size_t)n >= sizeof ret->sun_path)
		return hf_fail(err, HF_E_USAGE, "%s: the name is too long for a socket", folder);
	return 0;
}

static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address)) {
		int kept = errno;
		close(fd);
		errno = kept;
		return -1;
	}
	return fd;
}

/* What was left behind by an agent that was killed. */
static int remove_dead(const struct sockaddr_un *address, struct hf_err *err)
{
	struct stat st;
	int fd;

	if (lstat(address->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return hf_fail(err, HF_E_USAGE, "%s: is no socket", address->sun_path);
	fd = connect_to(address);
	if (fd >= 0 || errno == EAGAIN) {
		hf_fd_close(&fd);
		return hf_fail(err, HF_E_USAGE, "%s: another agent runs already", address->sun_path);
	}
	unlink(address->sun_path);
	return 0;
}

static int start(struct hf_state *s, struct hf_err *err)
{
	pthread_attr_t attr;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int code = pthread_create(&s->thread, &attr, server_main, s);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->running = code == 0;
	return code ? hf_fail(err, HF_E_SYSTEM, "no thread: %s", strerror(code)) : 0;
}

int hf_state_server_open(struct hf_state *s, const char *folder, struct hf_err *err)
{
	struct sockaddr_un address;
	int code = address_of(folder, &address, err);

	if (code < 0)
		return code;
	if (mkdir(folder, 0700) && errno != EEXIST)
		return hf_fail_errno(err, "%s", folder);
	code = remove_dead(&address, err);
	if (code < 0)
		return code;
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->stop_fd < 0 || s->listener < 0)
		return hf_fail_errno(err, "%s", address.sun_path);
	/* Before bind and listen nobody can connect, so there is no moment in which the mode is wider. */
	if (fchmod(s->listener, 0600) || bind(s->listener, (struct sockaddr *)&address, sizeof address))
		return hf_fail_errno(err, "%s", address.sun_path);
	memcpy(s->path, address.sun_path, sizeof s->path);
	if (chmod(s->path, 0600) || listen(s->listener, BACKLOG))
		return hf_fail_errno(err, "%s", address.sun_path);
	return start(s, err);
}

void hf_state_server_close(struct hf_state *s)
{
	uint64_t one = 1;

	if (s->running && write(s->stop_fd, &one, sizeof one) == sizeof one)
		pthread_join(s->thread, NULL);
	if (s->path[0])
		unlink(s->path);
	hf_fd_close(&s->listener);
	hf_fd_close(&s->stop_fd);
}

static bool is_json(hf_sv text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(16));
	struct hf_json j = hf_json_of(text, &a);

	if (hf_json_peek(&j) != HF_JSON_OBJECT)
		return false;
	hf_json_skip(&j);
	return hf_json_end(&j);
}

static int read_answer(int fd, struct hf_buf *answer, int64_t deadline, const char *path, struct hf_err *err)
{
	size_t before = answer->len;

	for (;;) {
		char *room = hf_buf_room(answer, 64 << 10);
		if (!room || answer->len - before > ANSWER_BYTES_MAX)
			return hf_fail(err, HF_E_LIMIT, "%s: the answer is too large", path);
		if (!ready(fd, POLLIN, deadline, -1))
			return hf_fail(err, HF_E_LIMIT, "%s: no answer within %d seconds", path, ASK_MS / 1000);
		ssize_t n = recv(fd, room, 64 << 10, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return hf_fail_errno(err, "%s", path);
		if (n == 0)
			break;
		answer->len += n > 0 ? (size_t)n : 0;
	}
	return is_json(hf_sv_skip(hf_buf_view(answer), before))
		       ? 0
		       : hf_fail(err, HF_E_FORMAT, "%s: what answers there is no agent", path);
}

int hf_state_ask(const char *folder, const char *question, struct hf_buf *answer, struct hf_err *err)
{
	int64_t deadline = now_ms() + ASK_MS;
	struct sockaddr_un address;
	int code = address_of(folder ? folder : HF_STATE_FOLDER, &address, err);
	hf_cleanup(hf_fd_close) int fd = code < 0 ? -1 : connect_to(&address);

	if (code < 0)
		return code;
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR))
		return hf_fail(err, HF_E_MISSING, "%s: no agent runs here; 'holdfast runtime watch' starts one",
			       address.sun_path);
	if (fd < 0)
		return hf_fail_errno(err, "%s", address.sun_path);
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(QUESTION_BYTES_MAX);
	hf_buf_addf(&line, "%s\n", question);
	if (line.over)
		return hf_fail(err, HF_E_USAGE, "the question is too long");
	if (!send_all(fd, hf_buf_view(&line), deadline, -1))
		return hf_fail(err, HF_E_IO, "%s: the question could not be sent", address.sun_path);
	return read_answer(fd, answer, deadline, address.sun_path, err);
}
