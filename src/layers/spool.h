/* Contents of files in compressed layers, held in memory while the visitor reads them. For layers/ only. */
#pragma once
#include "format/tar.h"
#include "layers/walk.h"

enum { SPOOL_FREE = 512 << 10 }; /* what the decoders' own buffers hold anyway is not counted */

/* Reads the content of @m, which is not mapped and larger than SPOOL_FREE, hands it to the visitor and frees it.
 * HF_OK also where it went to `unparsed`; else the visitor's code. */
int spool_deliver(struct walk *w, struct hf_in *in, struct hf_tar *tar, const struct hf_tar_member *m,
		  const struct hf_entry *e, struct hf_err *err);
