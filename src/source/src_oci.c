/* A folder that is an OCI image layout. */
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "source/kind.h"

static bool is_like(const struct stat *st, int dir)
{
	return S_ISDIR(st->st_mode) && dir >= 0 && faccessat(dir, "index.json", F_OK, 0) == 0 &&
	       faccessat(dir, "blobs", F_OK, 0) == 0;
}

/* "DIR", "DIR:TAG", "DIR@DIGEST": the longest beginning that is a folder is DIR. */
static int open_oci(struct hf_source *s, hf_sv rest, struct hf_err *err)
{
	hf_sv path = rest, tail;
	struct hf_err first = { 0 };
	int r = hf_source_open_path(s, path, O_RDONLY | O_DIRECTORY, &first);

	while (r == HF_E_MISSING) {
		size_t at = hf_sv_last_index(path, '@');
		bool digest = at != SIZE_MAX && hf_digest_valid(hf_sv_skip(path, at + 1));
		size_t cut = digest ? at : hf_sv_last_index(path, ':');
		if (cut == SIZE_MAX || !cut)
			break;
		path = hf_sv_first(path, cut);
		struct hf_err later = { 0 };
		r = hf_source_open_path(s, path, O_RDONLY | O_DIRECTORY, &later);
	}
	if (r) {
		*err = first;
		return first.code;
	}
	tail = hf_arena_dup(&s->arena, hf_sv_skip(rest, path.len));
	if (hf_sv_starts(tail, HF_SV("@")))
		s->digest = hf_sv_skip(tail, 1);
	else
		s->tag = hf_sv_skip(tail, 1);
	return HF_OK;
}

const struct hf_source_kind hf_source_kind_oci = {
	.name = "oci", .is_like = is_like, .open = open_oci, .read = hf_oci_read
};
