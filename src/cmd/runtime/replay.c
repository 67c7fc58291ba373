#include "cmd/runtime/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/log.h"
#include "trace/replay.h"

enum { PARTS = 4 }; /* the file itself, and three older ones */

struct part {
	char path[HF_PATH_MAX];
	int fd;
	struct stat st;
};

/* A record may be rotated while its parts are opened, the newest first: then one that was open already is found once more. */
static bool is_open(const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].fd >= 0 && parts[i].st.st_dev == parts[n].st.st_dev &&
		    parts[i].st.st_ino == parts[n].st.st_ino)
			return true;
	return false;
}

static int open_part(struct part *parts, size_t i, const char *path, struct hf_err *err)
{
	struct part *p = &parts[i];
	bool standard = !strcmp(path, "-");

	p->fd = -1;
	if (i && standard)
		return 0;
	if ((size_t)(i ? snprintf(p->path, sizeof p->path, "%s.%zu", path, i)
		       : snprintf(p->path, sizeof p->path, "%s", path)) >= sizeof p->path)
		return hf_fail(err, HF_E_LIMIT, "%s: the path is too long", path);
	p->fd = standard ? dup(STDIN_FILENO) : open(p->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (p->fd < 0 && i && errno == ENOENT)
		return 0;
	if (p->fd < 0 || fstat(p->fd, &p->st))
		return hf_fail_errno(err, "%s", p->path);
	if (i && is_open(parts, i))
		hf_fd_close(&p->fd);
	return 0;
}

static int replay_part(const struct part *p, const struct hf_event_sink *sink, uint64_t *ret_unreadable,
		       struct hf_err *err)
{
	struct hf_trace_replayed sums = { 0 };
	int code = hf_trace_replay(p->fd, sink, &sums, err);

	if (ret_unreadable)
		*ret_unreadable += sums.unreadable;
	if (sums.unreadable)
		log_at(LOG_WARNING, hf_sv_of(p->path), 0, 0,
		       "%" PRIu64 " lines are no events, the first is line %" PRIu64 ": %s", sums.unreadable,
		       sums.unreadable_line, sums.unreadable_why);
	return code < 0 ? hf_wrap(err, "%s", p->path) : code;
}

int replay_record(const char *path, const struct hf_event_sink *sink, uint64_t *ret_unreadable, struct hf_err *err)
{
	static struct part parts[PARTS]; /* paths are long; one record at a time */
	int code = 0;
	size_t n = 0;

	while (code >= 0 && n < PARTS)
		code = open_part(parts, n++, path, err);
	while (n--) {
		if (code >= 0 && parts[n].fd >= 0)
			code = replay_part(&parts[n], sink, ret_unreadable, err);
		hf_fd_close(&parts[n].fd);
	}
	return code < 0 ? code : 0;
}
