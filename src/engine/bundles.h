/* Finds and reads the bundle of a container on disk: the folders of containerd, CRI-O and podman, and those that were named.
 * Internal to the folder; what is read is parsed by engine/bundle.h. */
#pragma once
#include "base/buffer.h"
#include "engine/container.h"

/* @more: colon-separated folders or NULL. Adds to *ret what is found. HF_E_MISSING: no bundle of this id anywhere. */
int hf_bundles_find(const char *more, hf_sv id, struct hf_arena *a, struct hf_container *ret, struct hf_err *err);
/* A regular file, not by a link, up to out->max bytes. */
int hf_bundles_read_file(const char *folder, const char *name, struct hf_buf *out, struct hf_err *err);
