/* Descriptors and mapped files. A mapped file that shrinks while it is read gives zeros and says so, instead of SIGBUS.
 */
#pragma once
#include "base/buffer.h"

/* Closes *fd if it is not negative and sets it to -1; for hf_cleanup. Keeps errno. */
void hf_fd_close(int *fd);
/* Opens @path (not empty, relative) below the folder @dir; nothing above @dir is ever reached, by ".." or by a link.
 * Symbolic links inside are followed only with @follow, and only where the kernel has openat2; O_CLOEXEC is added.
 * A descriptor, or -1 with errno. */
int hf_open_beneath(int dir, const char *path, int flags, bool follow);
/* Appends [offset, end of file) of @fd to @out. HF_E_LIMIT where that is more than out->max; HF_E_IO, HF_E_DENIED. */
hf_nodiscard int hf_fd_read_all(int fd, uint64_t offset, struct hf_buf *out, struct hf_err *err);
/* All bytes, however many calls that takes; a signal ends none. False with errno, after perhaps some of them. */
hf_nodiscard bool hf_fd_write_all(int fd, hf_sv bytes);

/* Which file it was, and in which state. */
struct hf_file_stamp {
	uint64_t device, inode, size;
	int64_t changed_s, changed_ns;
};
/* All zeros where nothing is known of @fd. */
void hf_file_stamp_of(int fd, struct hf_file_stamp *out);
/* Does @path lead to that file, in that state? */
bool hf_file_stamp_holds(const char *path, const struct hf_file_stamp *stamp);

/* Bytes of a file, mapped read-only. At most 512 at a time in the process. Any thread may read one. */
struct hf_mapping {
	const char *ptr; /* of the byte at the offset asked for; NULL: nothing is mapped */
	size_t len;
	int slot;
};
/* Maps [offset, offset + len), which must lie in the file. @len may be 0. HF_E_IO, HF_E_LIMIT. */
hf_nodiscard int hf_mapping_open(struct hf_mapping *m, int fd, uint64_t offset, size_t len, struct hf_err *err);
/* True where bytes were asked for that the file no longer has: they read as zeros from then on. */
bool hf_mapping_torn(const struct hf_mapping *m);
/* The pages that lie in this part of a mapping altogether leave the process, and come back from the file when they are read again. */
void hf_mapping_release(hf_sv part);
void hf_mapping_close(struct hf_mapping *m);
