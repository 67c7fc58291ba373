/* Digests of open files: cached by what tells a file's state (device, inode, size, both times), read at a bounded rate. Inner part of
 * drift. One thread, but for stop and count. */
#pragma once
#include "base/digest.h"

struct file_digests;
struct file_digests *file_digests_new(uint64_t bytes_per_second, uint64_t file_max);
void file_digests_free(struct file_digests *f);
/* "sha256:…" of the regular file @fd (O_RDONLY), from its begin. HF_E_LIMIT larger than file_max; HF_E_IO, also where it changed
 * while it was read. */
hf_nodiscard int file_digests_get(struct file_digests *f, int fd, char out[HF_DIGEST_TEXT_MAX], struct hf_err *err);
/* Whether file_digests_get would answer without reading. */
bool file_digests_known(const struct file_digests *f, int fd);
/* Any thread: from now on nothing is read, a pause ends. */
void file_digests_stop(struct file_digests *f);
/* Any thread. */
void file_digests_count(const struct file_digests *f, uint64_t *ret_bytes, uint64_t *ret_cached);
