/* A target: where an image's or a system's bytes come from. One row of sources.def a kind.
 *
 *     open   names the target and opens descriptors; parses no byte, so it may run outside of the jail
 *     read   in the jail: manifest, index and config -> struct hf_artifact
 *     walk   layers/layers.h: the files of one layer
 *
 * Formats: docs/formats/oci-layout.md, docker-archive.md. */
#pragma once
#include "model/artifact.h"

struct hf_source;

struct hf_source_options {
	hf_sv platform; /* "os/arch[/variant]"; empty: linux on this machine's architecture */
	bool verify;    /* check the digests of manifest, config and layers, and the diff_ids of what was inflated */
	unsigned jobs;  /* threads that will walk layers at the same time; 0: 1. Sizes the mapped windows, nothing else.
			 */
};

/* Opens @target: "archive:FILE[:TAG]", "oci:DIR[:TAG|@DIGEST]", "dir:PATH", "host:", or without prefix an existing file
 * or folder, recognised by what it is. Only open(2) and stat(2); *@ret is freed with hf_source_close.
 * @target and @options are copied.
 * @return HF_OK; HF_E_UNSUPPORTED a prefix that is not read here (docker:, registry:, sbom:, …), the message says what
 * to do; HF_E_USAGE an empty target or a platform that is none; HF_E_MISSING, HF_E_DENIED, HF_E_IO from the system. */
hf_nodiscard int hf_source_open(hf_sv target, const struct hf_source_options *options, struct hf_source **ret,
				struct hf_err *err);
/* Reads manifest, index and config. To be called once.
 * @return HF_OK; HF_E_FORMAT, HF_E_TRUNCATED neither a docker-archive nor an OCI layout, or a broken one; HF_E_MISSING
 * no image with that tag, digest or platform, or no config; HF_E_DIGEST only with `verify`; HF_E_LIMIT. */
hf_nodiscard int hf_source_read(struct hf_source *s, struct hf_err *err);
/* What was read; lives as long as the source. A folder has one layer, the tree itself, with empty digests. */
const struct hf_artifact *hf_source_artifact(const struct hf_source *s);
/* The descriptors (a file, or a folder by O_PATH) below which the jail must allow reading. Returns how many there are
 * and writes at most @max; they stay the source's. */
size_t hf_source_grants(const struct hf_source *s, int *fds, size_t max);
/* NULL is fine. */
void hf_source_close(struct hf_source *s);
