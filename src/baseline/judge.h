/* event × profile -> allow, alert or cannot tell, with the entry or the gap that decided.
 *
 * Cannot tell is: the part was never looked at or held more than fits, a path that was cut, a digest that is not known where one
 * decides, arguments that were cut, and everything new while the profile still learns. Only what was seen whole is allowed.
 * What a mode makes of a verdict is the caller's: observe hands out alerts, enforce also acts. */
#pragma once
#include "baseline/profile.h"

enum hf_verdict {
	HF_VERDICT_NONE, /* nothing that profiles hold */
	HF_VERDICT_ALLOW,
	HF_VERDICT_CANNOT_TELL,
	HF_VERDICT_ALERT,
};
const char *hf_verdict_name(enum hf_verdict);

struct hf_profile_verdict {
	enum hf_verdict verdict;
	enum hf_profile_part part; /* of what decided */
	hf_sv object;              /* as the profile would hold it */
	const struct hf_profile_entry
		*entry; /* that allows, or whose digest, arguments … do not fit; NULL: there is none */
	hf_sv rule;     /* profile.executable, profile.executable.digest, … */
	const char *severity;
	hf_sv reason; /* a sentence */
};

enum {
	HF_RARE_REPLICAS_MIN =
		5, /* from so many replicas on, what one of them alone ever did is no habit of the workload */
};

/* The worst of what the event's observations give. Lives in @a, @p and @e. */
struct hf_profile_verdict hf_profile_judge(const struct hf_profile *p, const struct hf_event *e, struct hf_arena *a);
/* All of them, in the order of the observations; *ret_n of them. */
const struct hf_profile_verdict *hf_profile_judge_all(const struct hf_profile *p, const struct hf_event *e,
						      struct hf_arena *a, size_t *ret_n);
/* The ALERT event of a verdict: the fields of @e and alert.*. Borrows from all three. */
void hf_profile_alert(const struct hf_profile *p, const struct hf_profile_verdict *v, const struct hf_event *e,
		      struct hf_arena *a, struct hf_event *ret);
/* The part whose alerts have this rule: profile.executable, profile.executable.digest, …; false where none. */
bool hf_profile_rule_part(hf_sv rule, enum hf_profile_part *ret);
/* The fields of an alert of such a rule that tell what was new, for an exception; the number written. */
enum { HF_PROFILE_ALERT_FIELDS_MAX = 4 };
size_t hf_profile_alert_fields(enum hf_profile_part part, const struct hf_event *alert,
			       enum hf_event_field ret[HF_PROFILE_ALERT_FIELDS_MAX]);
