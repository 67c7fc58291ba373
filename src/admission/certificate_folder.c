/* The folder that an authority and its server certificate live in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admission/server.h"
#include "base/file.h"
#include "base/limits.h"

enum { AUTHORITY_DAYS = 3650, SERVER_DAYS = 90, DAY_S = 86400 };

static int read_file(int folder, const char *name, struct hf_arena *a, hf_sv *ret, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_KIB(64));
	hf_cleanup(hf_fd_close) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	*ret = (hf_sv){ 0 };
	if (fd < 0)
		return errno == ENOENT ? HF_OK : hf_fail_errno(err, "%s", name);
	int r = hf_fd_read_all(fd, 0, &text, err);
	*ret = hf_arena_dup(a, hf_buf_view(&text));
	return r < 0 ? hf_wrap(err, "%s", name) : HF_OK;
}

/* Beside, and renamed: nobody reads a half of it. */
static int write_file(int folder, const char *name, hf_sv text, mode_t mode, struct hf_err *err)
{
	char beside[64];

	snprintf(beside, sizeof beside, ".%s.new", name);
	unlinkat(folder, beside, 0);
	hf_cleanup(hf_fd_close) int fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || !hf_fd_write_all(fd, text) || fsync(fd) || renameat(folder, beside, folder, name))
		return hf_fail_errno(err, "%s", name);
	return HF_OK;
}

static int keep(int folder, const char *certificate, const char *key, const struct hf_certificate *c,
		struct hf_err *err)
{
	int r = write_file(folder, key, c->key_pem, 0600, err);

	return r < 0 ? r : write_file(folder, certificate, c->certificate_pem, 0644, err);
}

static int load(int folder, const char *certificate, const char *key, struct hf_arena *a, struct hf_certificate *ret,
		struct hf_err *err)
{
	int r = read_file(folder, certificate, a, &ret->certificate_pem, err);

	return r < 0 ? r : read_file(folder, key, a, &ret->key_pem, err);
}

/* True where it is there, for the names, and more than @least_s are left. */
static bool is_good(const struct hf_certificate *c, const hf_sv *names, size_t n, int64_t now, int64_t least_s)
{
	int64_t left;
	bool match;

	return c->certificate_pem.len && c->key_pem.len &&
	       hf_certificate_look(c->certificate_pem, now, names, n, &left, &match, NULL) >= 0 && match &&
	       left > least_s;
}

int hf_admission_certificates(const char *path, const hf_sv *names, size_t names_n, unsigned days, int64_t now,
			      struct hf_arena *a, hf_sv *ret_authority, struct hf_certificate *ret, struct hf_err *err)
{
	struct hf_certificate authority = { 0 };
	bool made = false;
	int r;

	days = days ? days : SERVER_DAYS;
	if (mkdir(path, 0700) && errno != EEXIST)
		return hf_fail_errno(err, "%s", path);
	hf_cleanup(hf_fd_close) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return hf_fail_errno(err, "%s", path);
	if ((r = load(folder, "ca.crt", "ca.key", a, &authority, err)) < 0 ||
	    (r = load(folder, "tls.crt", "tls.key", a, ret, err)) < 0)
		return hf_wrap(err, "%s", path);
	/* An authority that is about to end takes all that it signed with it. */
	if (!is_good(&authority, NULL, 0, now, (int64_t)days * DAY_S)) {
		made = true;
		if ((r = hf_certificate_authority(AUTHORITY_DAYS, a, &authority, err)) < 0 ||
		    (r = keep(folder, "ca.crt", "ca.key", &authority, err)) < 0)
			return hf_wrap(err, "%s", path);
	}
	if (made || !is_good(ret, names, names_n, now, (int64_t)days * DAY_S / 3)) {
		made = true;
		if ((r = hf_certificate_server(&authority, names, names_n, days, a, ret, err)) < 0 ||
		    (r = keep(folder, "tls.crt", "tls.key", ret, err)) < 0)
			return hf_wrap(err, "%s", path);
	}
	*ret_authority = authority.certificate_pem;
	return made ? HF_PARTIAL : HF_OK;
}
