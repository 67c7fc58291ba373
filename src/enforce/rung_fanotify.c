/* Permission events of fanotify on the container's overlay file system (Linux 5.0): a program's bytes are looked at before it runs. */
#include "enforce/rung.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <unistd.h>

static bool probe(char *why, size_t size)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	/* A mark that is not there cannot be removed; a kernel without these events says that the mask is none. */
	bool works = fd >= 0 &&
		     (fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN_EXEC_PERM, AT_FDCWD, "/") == 0 || errno == ENOENT);
	if (!works)
		snprintf(why, size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return works;
}

const struct hf_rung hf_rung_fanotify = {
	.name = "fanotify",
	.by = HF_BY_FANOTIFY,
	.stops = 1u << HF_DENY_DIGESTS,
	.residual = "exec fails with EPERM; open: what a process of ours does not answer within 20 ms is let through "
		    "and told (large files "
		    "at their first run), programs on volumes and in memory, libraries, the first second of a new "
		    "container; a file that "
		    "is written through a mapping after it was looked at; it ends with this process",
	.probe = probe,
};
