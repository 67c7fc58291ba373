/* One version against what one record says of one package: OSV's evaluation algorithm (schema 1.6, "Evaluation"), with
 * a third answer where versions cannot be compared. */
#pragma once
#include "advisory/database.h"
#include "version/version.h"

enum hf_holds {
	HF_HOLDS_NO = 0,
	HF_HOLDS_YES,
	HF_HOLDS_UNKNOWN,
};

struct hf_evaluation {
	enum hf_holds holds;
	bool has_fix; /* it holds a fix that the entry names: installed >= fixed of some stretch */
	hf_sv fixed;  /* holds: the lowest version that leaves every stretch, empty where none is known; else the fix
			 that it holds */
	struct hf_range range; /* the stretch that decided, for the rule's text */
	hf_sv listed;          /* the listed version that decided */
};

/* Views point into the entry. A stretch whose end cannot be compared counts only where no other one holds. */
void hf_evaluate(const struct hf_affected_entry *e, hf_sv version, const struct hf_version_scheme *scheme,
		 struct hf_evaluation *ret);
