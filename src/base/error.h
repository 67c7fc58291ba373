/* Errors are values: a function returns HF_OK, HF_PARTIAL or a negative code, and describes a failure in *err.
 *
 * - Success leaves *err untouched; a failure writes it once. HF_PARTIAL (positive) means usable but incomplete; what is
 *   missing was handed to the sink as an unparsed entry, *err is untouched.
 * - Context is put in front on the way up: hf_wrap(err, "layer %u", i) turns "bad magic" into "layer 3: bad magic".
 * - Nothing in a library folder logs or prints; the command logs once, where the error stops.
 * - Memory: a limit that is reached is HF_E_LIMIT (normal, tested); malloc itself failing aborts (hf_malloc). */
#pragma once
#include "base/view.h"

enum hf_code {
	HF_OK = 0,
	HF_PARTIAL = 1,
	HF_E_BASE_ = -1000,
#define HF_ERROR(name, meaning, exit_status) HF_E_##name,
#include "base/errors.def"
#undef HF_ERROR
	HF_E_END_,
};

struct hf_err {
	int code;      /* enum hf_code; 0 while nothing failed */
	int sys_errno; /* 0 where no system call is to blame */
	char msg[480]; /* UTF-8, control bytes escaped, outermost context first; what is too long loses its middle */
};

/* Writes *@err and returns @code, so that `return hf_fail(err, HF_E_FORMAT, "…")` reads well. Control bytes that came
 * in through arguments are written as \xNN. @err may be NULL. */
int hf_fail(struct hf_err *err, int code, const char *fmt, ...) hf_printf(3, 4);
/* The same from errno: adds ": strerror", and picks HF_E_MISSING for ENOENT and ENOTDIR, HF_E_DENIED for EACCES and EPERM, else HF_E_IO. */
int hf_fail_errno(struct hf_err *err, const char *fmt, ...) hf_printf(2, 3);
/* Puts "context: " before the message and returns err->code. @err may be NULL: then HF_E_IO. */
int hf_wrap(struct hf_err *err, const char *fmt, ...) hf_printf(2, 3);
/* The row's exit status; 2 for unknown codes. */
int hf_code_exit_status(int code);

/* Copies @s to @out with control bytes (C0, DEL, C1 in UTF-8), what turns the direction of text (U+202E …) and invalid UTF-8 as
 * \xNN; always NUL-terminated, cut
 * before an escape that does not fit. Returns the length written. For everything untrusted that reaches a terminal. */
size_t hf_escape_controls(char *out, size_t size, hf_sv s);

/* malloc and friends that abort when there is no memory: a process without memory can report no more than one line that is there already. */
void *hf_malloc(size_t n);
void *hf_calloc(size_t n, size_t size);
void *hf_realloc(void *p, size_t n);
/* What they write to standard error then, its '\n' included, instead of a line of text. @line is kept, so it is a literal. */
void hf_out_of_memory_says(const char *line);
