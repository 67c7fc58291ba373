/* The files that a process has open as its program or mapped, by /proc. Inner part of drift. */
#pragma once
#include "base/error.h"

/* Whether @pid is the process that started @start_ns after boot (0: not known, then whether it is there at all). */
bool process_is(uint64_t pid, uint64_t start_ns);
/* Descriptors, O_RDONLY; HF_E_MISSING, HF_E_DENIED, HF_E_IO. Both work for files whose names are gone. */
hf_nodiscard int process_open_program(uint64_t pid, struct hf_err *err);
/* Of a file mapped from @path, as the process sees it. */
hf_nodiscard int process_open_map(uint64_t pid, hf_sv path, struct hf_err *err);
