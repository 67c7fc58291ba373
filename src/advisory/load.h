/* A folder of feeds into a builder: laid out as the public sources are, or any folder of OSV records. */
#pragma once
#include "advisory/database_build.h"

/* Called now and then with the path that is read; for progress. */
typedef void hf_database_progress(void *ctx, hf_sv path, uint64_t files, uint64_t bytes);

struct hf_database_loaded {
	uint64_t files, bytes; /* read by some reader, members of archives counted each */
	uint64_t passed_over;  /* files that no reader wants */
};

/* Walks @dir in the order of names, inflates ".gz", opens ".zip", and hands every file to the readers that want it.
 * Links and special files are not followed. What cannot be read is counted as malformed; HF_E_* only where @dir itself
 * cannot be read, or the builder is full. */
int hf_database_load(struct hf_database_builder *b, const char *dir, hf_database_progress *progress, void *ctx,
		     struct hf_database_loaded *ret, struct hf_err *err);
