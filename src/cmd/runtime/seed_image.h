/* The image of a target whose bytes are not laid out as files: archive:, oci:, and docker: by way of the engine's own archive. */
#pragma once
#include "baseline/root.h"
#include "model/artifact.h"

/* "archive:…", "oci:…" or "docker:…". */
bool seed_image_is(hf_sv target);
/* Calls @body in a jailed worker with the image's files and what is said of it; what it writes to @fd is copied to @output. @socket: of the
 * engine, for docker:. As hf_source_open and hf_source_read, and what @body returned. */
hf_nodiscard int seed_image_run(hf_sv target, const char *socket, int output,
				int (*body)(void *ctx, const struct hf_root *root, const struct hf_artifact *artifact,
					    int fd, struct hf_err *err),
				void *ctx, struct hf_err *err);
