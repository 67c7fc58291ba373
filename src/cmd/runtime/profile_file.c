#include "cmd/runtime/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"

int profile_file_read(const char *path, struct hf_arena *a, struct hf_profile *ret, struct hf_err *err)
{
	bool is_stdin = !strcmp(path, "-");
	hf_cleanup(hf_fd_close) int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_PROFILE_SIZE_MAX);
	char block[65536];
	ssize_t n;

	if (fd < 0)
		return hf_fail_errno(err, "%s", path);
	while ((n = read(fd, block, sizeof block)) > 0 && !text.over)
		hf_buf_add(&text, (hf_sv){ block, (size_t)n });
	if (n < 0)
		return hf_fail_errno(err, "%s", path);
	if (text.over)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %llu bytes", path,
			       (unsigned long long)HF_PROFILE_SIZE_MAX);
	return hf_profile_read(hf_buf_view(&text), a, ret, err) ? hf_wrap(err, "%s", path) : 0;
}

int profile_file_write(const char *path, const struct hf_profile *p, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_PROFILE_SIZE_MAX);
	hf_cleanup(hf_output_abort) struct hf_output o = { .fd = -1 };

	hf_profile_write(p, &text);
	if (text.over)
		return hf_fail(err, HF_E_LIMIT, "%s: the profile is larger than %llu bytes", path ? path : "-",
			       (unsigned long long)HF_PROFILE_SIZE_MAX);
	if (hf_output_open(&o, path, err))
		return err->code;
	struct hf_out out = hf_out_fd(o.fd);
	hf_out_add(&out, hf_buf_view(&text));
	int ret = hf_out_flush(&out, err);
	hf_out_done(&out);
	return ret ? ret : hf_output_commit(&o, err);
}

bool profile_file_folder(char *out, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (geteuid() == 0 && (!state || !*state))
		n = snprintf(out, size, "/var/lib/holdfast/profiles");
	else if (state && *state == '/')
		n = snprintf(out, size, "%s/holdfast/profiles", state);
	else if (home && *home == '/')
		n = snprintf(out, size, "%s/.local/state/holdfast/profiles", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

int profile_file_folders(const char *path, struct hf_err *err)
{
	char part[4096];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t n = (size_t)(slash - path);
		if (n >= sizeof part)
			return hf_fail(err, HF_E_LIMIT, "%s: the path is too long", path);
		memcpy(part, path, n);
		part[n] = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			return hf_fail_errno(err, "%s", part);
	}
	return 0;
}
