/* Profiles and what differs between them, for people and as JSON. Nothing of a profile reaches a terminal unescaped. */
#pragma once
#include "base/output.h"
#include "baseline/judge.h"
#include "baseline/profile_diff.h"

void profile_text_show(struct hf_out *out, const struct hf_profile *p, bool why);
void profile_text_show_json(struct hf_out *out, const struct hf_profile *p);
void profile_text_diff(struct hf_out *out, const struct hf_profile_change *changes, size_t n);
void profile_text_diff_json(struct hf_out *out, const struct hf_profile *before, const struct hf_profile *after,
			    const struct hf_profile_change *changes, size_t n);
/* One event's verdicts: "ALERT  executables /bin/nc: the profile does not have it". */
void profile_text_verdict(struct hf_out *out, const struct hf_profile *p, const struct hf_event *e,
			  const struct hf_profile_verdict *all, size_t n);
void profile_text_verdict_json(struct hf_out *out, const struct hf_event *e, const struct hf_profile_verdict *all,
			       size_t n);
