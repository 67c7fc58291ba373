#include "sink/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum { CHUNK_BYTES = 256 << 10, FILES_DEFAULT = 4, FILES_MAX = 1000 };

#define FILE_BYTES_DEFAULT HF_MIB(64)
#define FILE_BYTES_MAX     HF_GIB(64)

const char *const hf_stream_options[] = { "size", "files", NULL };

static int open_file(const char *path, int flags)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags, 0600);
}

/* A record that was cut short, by a crash or a full disk, must not swallow the next one. */
static void end_last_line(struct hf_stream *s)
{
	int fd = s->size ? open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	char last = '\n';

	if (fd >= 0 && pread(fd, &last, 1, (off_t)s->size - 1) == 1 && last != '\n' && write(s->fd, "\n", 1) == 1)
		s->size++;
	if (fd >= 0)
		close(fd);
}

static int open_target(struct hf_stream *s, struct hf_err *err)
{
	hf_sv name = s->context.argument;
	struct stat st;

	s->standard = !name.len || hf_sv_eq(name, HF_SV("-"));
	/* A fifo without a reader would wait for one here; /dev/stdout is a link, which - stands for. */
	s->fd = s->standard ? STDOUT_FILENO : open_file(name.ptr, O_NONBLOCK);
	if (s->fd < 0)
		return hf_fail_errno(err, "%s", name.ptr);
	if (fstat(s->fd, &st))
		return hf_fail_errno(err, "%s", s->standard ? "standard output" : name.ptr);
	s->polled = !S_ISREG(st.st_mode);
	if (s->standard || !S_ISREG(st.st_mode))
		return 0;
	s->path = strdup(name.ptr);
	if (!s->path)
		abort();
	s->size = (uint64_t)st.st_size;
	end_last_line(s);
	return 0;
}

static int read_options(struct hf_stream *s, struct hf_err *err)
{
	hf_sv size = hf_sink_option(&s->context, "size"), files = hf_sink_option(&s->context, "files");
	uint64_t n = FILES_DEFAULT;

	s->max = FILE_BYTES_DEFAULT;
	if (size.ptr && !hf_sink_bytes(size, FILE_BYTES_MAX, &s->max))
		return hf_fail(err, HF_E_USAGE, "size=: '%.*s' is no size", HF_SV_FMT(size));
	if (files.ptr && (!hf_sv_to_u64(files, &n) || !n || n > FILES_MAX))
		return hf_fail(err, HF_E_USAGE, "files=: '%.*s' is no number from 1 to %d", HF_SV_FMT(files),
			       FILES_MAX);
	s->files = (unsigned)n;
	return 0;
}

int hf_stream_open(const struct hf_sink_context *context, struct hf_stream **ret, struct hf_err *err)
{
	struct hf_stream *s = hf_calloc(1, sizeof *s);

	s->context = *context;
	s->fd = -1;
	int code = read_options(s, err);
	if (code == 0)
		code = open_target(s, err);
	if (code < 0) {
		hf_stream_close(s);
		return code;
	}
	*ret = s;
	return 0;
}

/* Waits until @fd takes bytes. False where the output is to stop. */
static bool may_write(struct hf_stream *s)
{
	struct pollfd fds[] = { { .fd = s->fd, .events = POLLOUT },
				{ .fd = hf_queue_stop_fd(s->context.queue), .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR && errno != EAGAIN)
			return false;
	return !(fds[1].revents & POLLIN);
}

/* Where poll says that there is room, PIPE_BUF bytes go into a pipe at once (pipe(7)), whoever else set its flags. */
static bool write_all(struct hf_stream *s, hf_sv bytes, size_t *ret_written)
{
	*ret_written = 0;
	while (bytes.len) {
		if (s->polled && !may_write(s))
			return false;
		ssize_t n = write(s->fd, bytes.ptr, s->polled && bytes.len > PIPE_BUF ? PIPE_BUF : bytes.len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			hf_sink_trouble(s->context.sink, "%s: %s", s->path ? s->path : "the output", strerror(errno));
			if (errno == EPIPE && s->standard)
				hf_sink_gone(s->context.sink);
			return false;
		}
		bytes = hf_sv_skip(bytes, (size_t)n);
		*ret_written += (size_t)n;
	}
	return true;
}

static void numbered(char *out, size_t size, const char *path, unsigned n)
{
	if (n)
		snprintf(out, size, "%s.%u", path, n);
	else
		snprintf(out, size, "%s", path);
}

static void rotate(struct hf_stream *s)
{
	char from[PATH_MAX], to[PATH_MAX];
	int fd;

	for (unsigned i = s->files; i-- > 1;) {
		numbered(from, sizeof from, s->path, i - 1);
		numbered(to, sizeof to, s->path, i);
		if (rename(from, to) && errno != ENOENT)
			hf_sink_trouble(s->context.sink, "%s: %s", to, strerror(errno));
	}
	/* One that is kept alone begins anew in its place. */
	fd = open_file(s->path, s->files > 1 ? O_EXCL : O_TRUNC);
	if (fd < 0) {
		hf_sink_trouble(s->context.sink, "%s: %s", s->path, strerror(errno));
		return;
	}
	close(s->fd);
	s->fd = fd;
	s->size = 0;
}

struct chunk {
	struct hf_buf bytes;
	uint64_t kinds[HF_EVENT_KINDS];
};

static void write_chunk(struct hf_stream *s, struct chunk *c)
{
	size_t written;
	bool ok;

	if (s->path && s->size && s->size + c->bytes.len > s->max)
		rotate(s);
	ok = !hf_queue_stopped(s->context.queue) && write_all(s, hf_buf_view(&c->bytes), &written);
	if (ok) {
		s->size += c->bytes.len;
		hf_sink_well(s->context.sink);
	} else if (s->path && ftruncate(s->fd, (off_t)s->size)) {
		hf_sink_trouble(s->context.sink, "%s: %s", s->path, strerror(errno));
	}
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++)
		if (!ok && c->kinds[kind])
			hf_queue_lost(s->context.queue, (enum hf_event_kind)kind, c->kinds[kind]);
	c->bytes.len = 0;
	memset(c->kinds, 0, sizeof c->kinds);
}

void hf_stream_run(void *stream)
{
	struct hf_stream *s = stream;
	struct chunk chunk = { .bytes = HF_BUF(HF_MIB(2)) };
	struct hf_queue_record record;

	while (hf_queue_wait(s->context.queue, -1)) {
		while (hf_queue_next(s->context.queue, &record)) {
			/* A chunk ends where the file does, so that a file is full to a line, however the lines come. */
			uint64_t room = s->path && s->max > s->size ? s->max - s->size : 0;
			uint64_t limit = s->path && room < CHUNK_BYTES ? room : CHUNK_BYTES;
			if (chunk.bytes.len && chunk.bytes.len + record.bytes.len > limit)
				write_chunk(s, &chunk);
			hf_buf_add(&chunk.bytes, record.bytes);
			chunk.kinds[record.kind]++;
		}
		if (chunk.bytes.len)
			write_chunk(s, &chunk);
	}
	hf_buf_done(&chunk.bytes);
}

void hf_stream_close(void *stream)
{
	struct hf_stream *s = stream;

	if (s->fd >= 0 && !s->standard)
		close(s->fd);
	free(s->path);
	free(s);
}
