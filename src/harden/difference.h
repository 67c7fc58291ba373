/* Granted minus used, in six parts. A part that cannot be known says why and what it needs; it is never an empty list. */
#pragma once
#include "base/buffer.h"
#include "format/json_writer.h"
#include "harden/plan.h"

enum hf_difference_part {
	HF_DIFFERENCE_CAPABILITIES,
	HF_DIFFERENCE_SYSCALLS,
	HF_DIFFERENCE_FILES,
	HF_DIFFERENCE_NETWORK,
	HF_DIFFERENCE_RBAC,
	HF_DIFFERENCE_SECRETS,
	HF_DIFFERENCE_PARTS
};

struct hf_difference {
	struct {
		const char *name;
		bool assessable;
		hf_sv reason;                          /* where it is not: why, and what it needs */
		struct hf_names granted, used, unused; /* `used` may be filled where the part is not assessable */
	} parts[HF_DIFFERENCE_PARTS];
};

/* HF_E_LIMIT: the arena's cap. */
int hf_difference(struct hf_harden_plan *plan, struct hf_difference *ret, struct hf_err *err);
/* An object {"capabilities": {"state", "reason", "granted", "used", "unused"}, …}. */
void hf_difference_json(struct hf_difference *d, struct hf_json_writer *w);
/* For people. Control bytes are escaped. */
void hf_difference_table(struct hf_difference *d, struct hf_buf *out);
