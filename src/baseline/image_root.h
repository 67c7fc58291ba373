/* The root file system of an image in an archive or an OCI layout: its layers laid over each other, with contents read as they are asked for.
 *
 * Entries of all layers are held in memory, HF_FILES_MAX a layer; so are the contents of programs, scripts and what lies below /etc, up to
 * a bound, since a compressed layer must be read again for each file else. */
#pragma once
#include "baseline/root.h"
#include "source/source.h"

struct hf_image_root;

/* @source was read (hf_source_read) and is borrowed. HF_PARTIAL: a part of a layer could not be read (*ret_unread says how many places);
 * HF_E_LIMIT, and what reading layers gives. */
hf_nodiscard int hf_image_root_open(struct hf_source *source, struct hf_image_root **ret, size_t *ret_unread,
				    struct hf_err *err);
void hf_image_root_close(struct hf_image_root *); /* NULL is fine */
/* Borrows it. */
struct hf_root hf_image_root_view(struct hf_image_root *);
