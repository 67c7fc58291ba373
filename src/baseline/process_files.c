#include "baseline/process_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"

enum { MAPS_MAX = 65536, START_FIELD = 22, SLACK_TICKS = 2 };

/* Field 22 of stat, counted behind the name, which may hold blanks and brackets. */
static bool start_ticks(uint64_t pid, uint64_t *ret)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
	int hf_cleanup(hf_fd_close) fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	hf_sv name, rest, field = { 0 };
	if (n <= 0 || !hf_sv_cut_last((hf_sv){ text, (size_t)n }, ')', &name, &rest))
		return false;
	rest = hf_sv_skip(rest, 1);
	for (int i = 3; i <= START_FIELD; i++)
		if (!hf_sv_next(&rest, ' ', &field))
			return false;
	return hf_sv_to_u64(field, ret);
}

bool process_is(uint64_t pid, uint64_t start_ns)
{
	long per_second = sysconf(_SC_CLK_TCK);
	uint64_t ticks;

	if (!start_ticks(pid, &ticks))
		return false;
	if (!start_ns || per_second <= 0)
		return true;
	uint64_t wanted = (uint64_t)((double)start_ns * (double)per_second / 1e9);
	return (ticks > wanted ? ticks - wanted : wanted - ticks) <= SLACK_TICKS;
}

int process_find_program(uint64_t pid, struct hf_err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%llu/exe", (unsigned long long)pid);
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? hf_fail_errno(err, "%s", path) : fd;
}

static bool is_of(hf_sv link, hf_sv path)
{
	return hf_sv_starts(link, path) &&
	       (link.len == path.len || hf_sv_eq(hf_sv_skip(link, path.len), HF_SV(" (deleted)")));
}

int process_find_map(uint64_t pid, hf_sv path, struct hf_err *err)
{
	char folder[64], link[HF_PATH_MAX];
	struct dirent *e;
	int found = -1;

	snprintf(folder, sizeof folder, "/proc/%llu/map_files", (unsigned long long)pid);
	DIR *dir = opendir(folder);
	if (!dir)
		return hf_fail_errno(err, "%s", folder);
	for (size_t i = 0; found < 0 && i < MAPS_MAX && (e = readdir(dir)); i++) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof link);
		if (n > 0 && is_of((hf_sv){ link, (size_t)n }, path))
			found = openat(dirfd(dir), e->d_name, O_PATH | O_CLOEXEC);
	}
	closedir(dir);
	return found >= 0 ? found : hf_fail(err, HF_E_MISSING, "its process has it mapped no more");
}

hf_sv process_program_path(uint64_t pid, char out[HF_PATH_MAX])
{
	char link[64];

	snprintf(link, sizeof link, "/proc/%llu/exe", (unsigned long long)pid);
	ssize_t n = readlink(link, out, HF_PATH_MAX);
	if (n <= 0 || n >= HF_PATH_MAX || out[0] != '/')
		return (hf_sv){ 0 };
	hf_sv path = { out, (size_t)n }, deleted = HF_SV(" (deleted)");
	return hf_sv_ends(path, deleted) ? hf_sv_first(path, path.len - deleted.len) : path;
}

uint64_t process_file_mount(int fd, uint64_t *ret_device)
{
	struct statx x = { 0 };

	*ret_device = 0;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &x))
		return 0;
	*ret_device = makedev(x.stx_dev_major, x.stx_dev_minor);
	return x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0;
}

int process_file_reopen(int fd, struct hf_err *err)
{
	char link[64];
	struct stat st;

	if (fstat(fd, &st))
		return hf_fail_errno(err, "a file of a process");
	if (!S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_UNSUPPORTED, "is not a regular file");
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	int readable = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return readable < 0 ? hf_fail_errno(err, "a file of a process") : readable;
}
