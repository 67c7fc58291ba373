/* This machine: its root, without the file systems that the kernel makes up. */
#include <fcntl.h>

#include "source/kind.h"

static int open_host(struct hf_source *s, hf_sv rest, struct hf_err *err)
{
	if (rest.len)
		return hf_fail(err, HF_E_USAGE, "host: takes nothing behind it; another root is scanned as dir:%.*s",
			       HF_SV_FMT(rest));
	return hf_source_open_path(s, HF_SV("/"), O_RDONLY | O_DIRECTORY, err);
}

static int read_host(struct hf_source *s, struct hf_err *err)
{
	return hf_source_kind_dir.read(s, err);
}

const struct hf_source_kind hf_source_kind_host = {
	.name = "host", .is_tree = true, .skips_pseudo = true, .open = open_host, .read = read_host
};
