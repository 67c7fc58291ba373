#include "cmd/runtime/seed_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/worker.h"
#include "baseline/image_root.h"
#include "cmd/log.h"
#include "cmd/worker_output.h"
#include "net/http.h"

enum { FILE_SECONDS_MAX = 120, GRANTS_MAX = 16, NAME_MAX_BYTES = 512, SILENCE_S = 120 };

static const uint64_t WORKER_DATA_MAX = HF_GIB(2);

struct task {
	struct hf_source *source;
	int fd;
	int (*body)(void *ctx, const struct hf_root *root, const struct hf_artifact *artifact, int fd,
		    struct hf_err *err);
	void *ctx;
};

bool seed_image_is(hf_sv target)
{
	return hf_sv_starts(target, HF_SV("archive:")) || hf_sv_starts(target, HF_SV("oci:")) ||
	       hf_sv_starts(target, HF_SV("docker:"));
}

static int enter_jail(const struct task *t, struct hf_err *err)
{
	int fds[GRANTS_MAX];
	struct hf_jail_options o = { .read_fds = fds,
				     .read_fds_n = hf_source_grants(t->source, fds, GRANTS_MAX),
				     .data_max = WORKER_DATA_MAX,
				     .output_max = HF_REPORT_SIZE_MAX };
#if defined(__SANITIZE_ADDRESS__) || defined(HF_SANITIZED)
	o.data_max = 0;
#endif
	int r = hf_jail_enter(&o, err);
	return r < 0 ? r : HF_OK;
}

static int work(void *ctx, const struct hf_worker *worker, struct hf_err *err)
{
	struct task *t = ctx;
	struct hf_image_root *files = NULL;
	size_t unread = 0;
	int r = enter_jail(t, err);

	if (worker->culprits_n)
		return hf_fail(err, HF_E_FORMAT, "it cannot be read: %.*s", HF_SV_FMT(worker->culprits[0].reason));
	if (r == HF_OK)
		r = hf_source_read(t->source, err);
	const struct hf_artifact *artifact = hf_source_artifact(t->source);
	for (size_t i = 0; r >= 0 && i < artifact->notes_n; i++)
		log_note("%.*s", HF_SV_FMT(artifact->notes[i]));
	if (r >= 0)
		r = hf_image_root_open(t->source, &files, &unread, err);
	if (unread)
		log_warning("%zu places of its layers could not be read: what lies there is not in the seed", unread);
	if (r >= 0) {
		const struct hf_root root = hf_image_root_view(files);
		r = t->body(t->ctx, &root, artifact, t->fd, err);
	}
	hf_image_root_close(files);
	return r;
}

static void reset(void *ctx)
{
	hf_worker_output_reset(((const struct task *)ctx)->fd);
}

static int read_source(hf_sv target, int output,
		       int (*body)(void *, const struct hf_root *, const struct hf_artifact *, int, struct hf_err *),
		       void *ctx, struct hf_err *err)
{
	struct task t = { .body = body, .ctx = ctx };
	int keep[GRANTS_MAX + 1], r = hf_source_open(target, &(struct hf_source_options){ .jobs = 1 }, &t.source, err);

	if (r < 0)
		return r;
	struct hf_worker_options o = { .file_seconds_max = FILE_SECONDS_MAX, .keep_fds = keep, .messages = log_relay };
	t.fd = memfd_create("seed", MFD_CLOEXEC);
	o.keep_fds_n = hf_source_grants(t.source, keep, GRANTS_MAX);
	keep[o.keep_fds_n++] = t.fd;
	r = t.fd < 0 ? hf_fail_errno(err, "memory for the seed") : hf_worker_run(&o, work, reset, &t, err);
	if (r >= 0)
		r = hf_worker_output_hand_over(t.fd, output, false, err);
	hf_fd_close(&t.fd);
	hf_source_close(t.source);
	return r;
}

static bool is_name(hf_sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr("._-/:@", c))))
			return false;
	}
	return name.len && name.len < NAME_MAX_BYTES && hf_sv_find(name, HF_SV("..")) == SIZE_MAX;
}

static int write_piece(void *ctx, hf_sv bytes, struct hf_err *err)
{
	const int *fd = ctx;

	return hf_fd_write_all(*fd, bytes) ? HF_OK : hf_fail_errno(err, "the image's archive in $TMPDIR");
}

/* As `docker save` has it. */
static int save(hf_sv name, const char *socket, int fd, struct hf_err *err)
{
	struct hf_http *http = hf_http_open();
	struct hf_http_answer answer = { 0 };
	char url[NAME_MAX_BYTES + 64];

	snprintf(url, sizeof url, "http://engine/images/%.*s/get", HF_SV_FMT(name));
	const struct hf_http_request request = {
		.url = url, .unix_socket = socket, .silence_s = SILENCE_S, .take = write_piece, .take_ctx = &fd
	};
	int r = hf_http_call(http, &request, &answer, err);
	if (r >= 0 && answer.status == 404)
		r = hf_fail(err, HF_E_MISSING, "the engine has no such image");
	else if (r >= 0 && answer.status != 200)
		r = hf_fail(err, HF_E_IO, "the engine answered %u", answer.status);
	hf_buf_done(&answer.body);
	hf_http_close(http);
	return r;
}

int seed_image_run(hf_sv target, const char *socket, int output,
		   int (*body)(void *, const struct hf_root *, const struct hf_artifact *, int, struct hf_err *),
		   void *ctx, struct hf_err *err)
{
	const char *folder = getenv("TMPDIR");
	char path[64];

	if (!hf_sv_starts(target, HF_SV("docker:")))
		return read_source(target, output, body, ctx, err);
	hf_sv name = hf_sv_skip(target, strlen("docker:"));
	if (!is_name(name))
		return hf_fail(err, HF_E_USAGE, "'%.*s' is no name or id of an image", HF_SV_FMT(name));
	hf_cleanup(hf_fd_close) int fd =
		open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, "a temporary file in %s", folder && *folder ? folder : "/tmp");
	int r = save(name, socket, fd, err);
	snprintf(path, sizeof path, "archive:/proc/self/fd/%d", fd);
	return r < 0 ? r : read_source(hf_sv_of(path), output, body, ctx, err);
}
