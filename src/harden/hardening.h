/* The forms in which a plan is written down: a row of hardenings.def and one file hrd_<row>.c each. */
#pragma once
#include "base/buffer.h"
#include "harden/plan.h"

struct hf_hardening {
	const char *name;
	const char *title;
	const char *file;    /* name of the file that --write makes */
	const char *checked; /* how this project knows that what it writes is right */
	const char
		*tool; /* the format's own parser, run by `runtime harden --write` where it is installed; NULL: none */
	/* Adds the whole text to @out. HF_E_UNSUPPORTED: refused, *err says what is missing; HF_E_LIMIT: @out's maximum. */
	int (*write)(struct hf_harden_plan *plan, struct hf_buf *out, struct hf_err *err);
};

#define HF_HARDENING(row) extern const struct hf_hardening hf_hardening_##row;
#include "harden/hardenings.def"
#undef HF_HARDENING

/* NULL-ended, in the order of hardenings.def. */
extern const struct hf_hardening *const hf_hardenings[];

/* For rows: HF_E_UNSUPPORTED with the first of @reasons that is not empty, else HF_OK. */
int hf_hardening_refuse(struct hf_err *err, const hf_sv *reasons, size_t n);
/* For rows: HF_OK, or HF_E_LIMIT where @out is full. */
int hf_hardening_ended(const struct hf_buf *out, struct hf_err *err);
/* For rows: the options of docker run that each of the parts stands for, one a line. */
void hf_hardening_capability_options(const struct hf_harden_plan *plan, struct hf_buf *out);
void hf_hardening_root_options(struct hf_harden_plan *plan, struct hf_buf *out);
