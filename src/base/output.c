#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum { FLUSH_AT = 64 << 10, TEMP_TRIES = 100 };

struct hf_out hf_out_fd(int fd)
{
	return (struct hf_out){ .fd = fd, .buf = HF_BUF(HF_MIB(256)) };
}

struct hf_out hf_out_memory(size_t max)
{
	return (struct hf_out){ .fd = -1, .buf = HF_BUF(max) };
}

static void write_all(struct hf_out *out, hf_sv s)
{
	while (s.len && !out->sys_errno) {
		ssize_t n = write(out->fd, s.ptr, s.len);
		if (n < 0) {
			if (errno != EINTR)
				out->sys_errno = errno;
			continue;
		}
		out->written += (uint64_t)n;
		s = hf_sv_skip(s, (size_t)n);
	}
}

static void hand_over(struct hf_out *out, size_t at_least)
{
	if (out->fd < 0 || out->buf.len < at_least)
		return;
	write_all(out, hf_buf_view(&out->buf));
	out->buf.len = 0;
}

void hf_out_add(struct hf_out *out, hf_sv s)
{
	hf_buf_add(&out->buf, s);
	hand_over(out, FLUSH_AT);
}

void hf_out_addf(struct hf_out *out, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof text) {
		hf_out_add(out, (hf_sv){ text, (size_t)n });
		return;
	}
	char *room = hf_buf_room(&out->buf, (size_t)n + 1);
	if (!room)
		return;
	va_start(ap, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	out->buf.len += (size_t)n;
	hand_over(out, FLUSH_AT);
}

int hf_out_flush(struct hf_out *out, struct hf_err *err)
{
	hand_over(out, 1);
	if (out->sys_errno) {
		errno = out->sys_errno;
		hf_fail_errno(err, "the output could not be written");
		return err ? (err->code = HF_E_IO) : HF_E_IO;
	}
	if (out->buf.over)
		return hf_fail(err, HF_E_LIMIT, "the output is larger than %zu bytes", out->buf.max);
	return HF_OK;
}

static int sink(void *ctx, hf_sv bytes)
{
	struct hf_out *out = ctx;

	write_all(out, bytes);
	return out->sys_errno;
}

int (*hf_out_sink(struct hf_out *out))(void *out, hf_sv bytes)
{
	return out->fd < 0 ? NULL : sink;
}

void hf_out_done(struct hf_out *out)
{
	hf_buf_done(&out->buf);
}

static char *joined(const char *fmt, ...) hf_printf(1, 2);
static char *joined(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s ? s : hf_calloc(1, 1);
}

static int open_temp(struct hf_output *o, struct hf_err *err)
{
	hf_sv path = hf_sv_of(o->path), name = hf_sv_basename(path);

	for (int i = 0; i < TEMP_TRIES; i++) {
		free(o->temp);
		o->temp = joined("%.*s.%.*s.%ld.%d.tmp", (int)(path.len - name.len), path.ptr,
				 (int)(name.len < 200 ? name.len : 200), name.ptr, (long)getpid(), i);
		o->fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (o->fd >= 0)
			return HF_OK;
		if (errno != EEXIST)
			break;
	}
	return hf_fail_errno(err, "%s", o->path);
}

static void forget(struct hf_output *o)
{
	free(o->path);
	free(o->temp);
	*o = (struct hf_output){ .fd = -1 };
}

int hf_output_open(struct hf_output *ret, const char *path, struct hf_err *err)
{
	struct stat st;

	*ret = (struct hf_output){ .fd = -1 };
	if (!path || !strcmp(path, "-")) {
		ret->fd = STDOUT_FILENO;
		return HF_OK;
	}
	bool there = !stat(path, &st);
	if (there && S_ISDIR(st.st_mode))
		return hf_fail(err, HF_E_IO, "%s: is a directory", path);
	if (there && !S_ISREG(st.st_mode)) {
		ret->fd = open(path, O_WRONLY | O_CLOEXEC);
		return ret->fd < 0 ? hf_fail_errno(err, "%s", path) : HF_OK;
	}
	mode_t mask = umask(0);
	umask(mask);
	ret->mode = there ? st.st_mode & 0777 : 0666 & ~mask;
	ret->path = there ? realpath(path, NULL) : NULL;
	if (!ret->path)
		ret->path = joined("%s", path);
	int r = open_temp(ret, err);
	if (r)
		forget(ret);
	return r;
}

int hf_output_commit(struct hf_output *o, struct hf_err *err)
{
	int r = HF_OK;

	if (o->path) {
		if (fchmod(o->fd, o->mode) || fsync(o->fd) || rename(o->temp, o->path)) {
			r = hf_fail_errno(err, "%s", o->path);
			unlink(o->temp);
		}
		close(o->fd);
	} else if (o->fd > STDERR_FILENO && close(o->fd)) {
		r = hf_fail_errno(err, "the output could not be written");
	}
	forget(o);
	return r;
}

void hf_output_abort(struct hf_output *o)
{
	if (o->fd > STDERR_FILENO)
		close(o->fd);
	if (o->temp)
		unlink(o->temp);
	forget(o);
}
