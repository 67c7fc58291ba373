/* A file that holds an image: a docker-archive of any age or an OCI layout as a tar, either one plain or wrapped. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "source/kind.h"

static bool is_like(const struct stat *st, int dir)
{
	(void)dir;
	return S_ISREG(st->st_mode);
}

/* "FILE", "FILE:TAG", "FILE:NAME:TAG", "FILE@DIGEST": the longest beginning that is a file is FILE. */
static int open_archive(struct hf_source *s, hf_sv rest, struct hf_err *err)
{
	hf_sv path = rest;

	for (;;) {
		int r = hf_source_open_path(s, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, err);
		if (!r && !S_ISREG(s->st.st_mode))
			return hf_fail(err, HF_E_FORMAT, "%s: not a file", s->path.ptr);
		if (!r)
			break;
		size_t colon = hf_sv_last_index(path, ':'), at = hf_sv_last_index(path, '@');
		size_t cut = at != SIZE_MAX && hf_digest_valid(hf_sv_skip(path, at + 1)) ? at : colon;
		if (r != HF_E_MISSING || cut == SIZE_MAX || !cut) {
			if (path.len != rest.len) { /* the message names what the user wrote */
				errno = ENOENT;
				return hf_fail_errno(err, "%.*s", HF_SV_FMT(rest));
			}
			return r;
		}
		path = hf_sv_first(path, cut);
	}
	hf_sv tail = hf_arena_dup(&s->arena, hf_sv_skip(rest, path.len));
	if (hf_sv_starts(tail, HF_SV("@")))
		s->digest = hf_sv_skip(tail, 1);
	else
		s->tag = hf_sv_skip(tail, 1);
	return HF_OK;
}

static int read_archive(struct hf_source *s, struct hf_err *err)
{
	int r = hf_store_read_names(s, err);

	if (r)
		return r;
	bool docker = hf_store_has(s, HF_SV("manifest.json")) || hf_store_has(s, HF_SV("repositories"));
	bool oci = hf_store_has(s, HF_SV("index.json"));
	/* `docker save` from 25 on writes both; its manifest.json names what is really in the archive. */
	if (oci && (!docker || s->digest.len || s->options.platform.len))
		return hf_oci_read(s, err);
	if (docker)
		return hf_docker_read(s, err);
	return hf_fail(err, HF_E_FORMAT,
		       "no image archive: neither manifest.json, repositories nor index.json is in it (a root file "
		       "system is scanned "
		       "as dir:PATH, once unpacked)");
}

const struct hf_source_kind hf_source_kind_archive = {
	.name = "archive", .is_like = is_like, .open = open_archive, .read = read_archive
};
