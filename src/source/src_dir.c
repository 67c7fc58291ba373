/* A folder: a root file system or a source tree. */
#include <fcntl.h>

#include "source/kind.h"

static bool is_like(const struct stat *st, int dir)
{
	(void)dir;
	return S_ISDIR(st->st_mode);
}

static int open_dir(struct hf_source *s, hf_sv rest, struct hf_err *err)
{
	return hf_source_open_path(s, rest.len ? rest : HF_SV("."), O_RDONLY | O_DIRECTORY, err);
}

static int read_dir(struct hf_source *s, struct hf_err *err)
{
	struct hf_layer *layers;
	int r = hf_image_make_layers(s, 1, &layers, err);

	s->artifact.is_image = false;
	return r;
}

const struct hf_source_kind hf_source_kind_dir = {
	.name = "dir", .is_tree = true, .is_like = is_like, .open = open_dir, .read = read_dir
};
