/* The files that a process has open as its program or mapped, by /proc. Inner part of drift. */
#pragma once
#include "base/error.h"
#include "base/limits.h"

/* Whether @pid is the process that started @start_ns after boot (0: not known, then whether it is there at all). */
bool process_is(uint64_t pid, uint64_t start_ns);
/* Descriptors, O_PATH: nothing was asked of the file's own file system, which may be one that a process serves and never answers.
 * HF_E_MISSING, HF_E_DENIED, HF_E_IO. Both work for files whose names are gone. */
hf_nodiscard int process_find_program(uint64_t pid, struct hf_err *err);
/* Of a file mapped from @path, as the process sees it. */
hf_nodiscard int process_find_map(uint64_t pid, hf_sv path, struct hf_err *err);
/* The path of the program now run by @pid from the top of its mount namespace, whatever its own root is; empty: not known. */
hf_sv process_program_path(uint64_t pid, char out[HF_PATH_MAX]);
/* On which mount @fd lies (0: not known) and its file system's device, in the way of st_dev. */
uint64_t process_file_mount(int fd, uint64_t *ret_device);
/* From O_PATH to O_RDONLY, of a regular file alone. */
hf_nodiscard int process_file_reopen(int fd, struct hf_err *err);
