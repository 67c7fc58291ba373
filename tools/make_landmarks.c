/* make_landmarks OUT FILE...: the database of the landmarks (data/landmarks), which the build puts into the program. */
#include <stdio.h>
#include <string.h>

#include "advisory/database_build.h"
#include "base/buffer.h"
#include "base/limits.h"

static int add(struct hf_database_builder *b, const char *file, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_FEED_FILE_MAX);
	char path[HF_PATH_MAX];
	FILE *f = fopen(file, "rb");
	size_t n = 1;

	if (!f)
		return hf_fail_errno(err, "%s", file);
	while (n) {
		char *to = hf_buf_room(&text, 65536);
		n = to ? fread(to, 1, 65536, f) : 0;
		text.len += n;
	}
	fclose(f);
	hf_sv name = hf_sv_basename(hf_sv_of(file));
	snprintf(path, sizeof path, "landmarks/%.*s", HF_SV_FMT(name));
	return hf_database_builder_file(b, hf_sv_of(path), hf_buf_view(&text), err);
}

static void malformed(void *ctx, hf_sv source, hf_sv where, hf_sv why)
{
	(void)ctx;
	fprintf(stderr, "make_landmarks: %.*s: %.*s: %.*s\n", HF_SV_FMT(source), HF_SV_FMT(where), HF_SV_FMT(why));
}

int main(int argc, char **argv)
{
	struct hf_database_builder *b = hf_database_builder_new(malformed, NULL);
	struct hf_err err = { 0 };
	int r = argc < 3 ? hf_fail(&err, HF_E_USAGE, "needs OUT and FILE...") : HF_OK;

	for (int i = 2; i < argc && !r; i++)
		r = add(b, argv[i], &err);
	if (r == HF_PARTIAL)
		r = hf_fail(&err, HF_E_FORMAT, "a landmark is malformed");
	/* No date: the same sources give the same program. */
	if (!r)
		r = hf_database_builder_write(b, argv[1], HF_SV(""), true, &err);
	if (r)
		fprintf(stderr, "make_landmarks: %s\n", err.msg);
	hf_database_builder_free(b);
	return r != HF_OK;
}
