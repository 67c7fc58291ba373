/* Findings as work to do: what to upgrade, grouped by what layer it came with. */
#pragma once
#include "report/common.h"

/* Who has to act: by the role of the layer that gives the package; without layers, by the kind of package. */
enum hf_group_owner {
	HF_OWNER_BASE = 0,
	HF_OWNER_RUNTIME,
	HF_OWNER_DEPENDENCIES,
	HF_OWNER_APPLICATION,
	HF_OWNER_CONFIGURATION,
	HF_OWNER_UNKNOWN,
	HF_OWNER_SYSTEM,   /* no layers: the distribution's packages */
	HF_OWNER_LANGUAGE, /* no layers: all others */
	HF_OWNER_MAX,
};
const char *hf_group_owner_title(enum hf_group_owner owner);

/* All findings in the packages of one source at one version: one upgrade ends them. */
struct hf_group {
	enum hf_group_owner owner;
	const struct hf_package *package; /* the first of them */
	hf_sv name;                       /* the source's where there is one */
	hf_sv installed;
	HF_VEC(const struct hf_package *) packages;
	HF_VEC(const struct hf_vulnerability *) flaws; /* each id once, as the report orders them */
	hf_sv target; /* the highest of the fixed versions; empty: nothing is fixed, or they can't be ordered */
	enum hf_severity worst;
	uint64_t findings; /* rows of the report: a flaw counts once a package */
	uint64_t fixable, kev;
};

/* Groups of what is shown and counts: by owner, then worst first. In @a; NULL with a->over on its cap. */
const struct hf_group *hf_report_groups(struct hf_arena *a, const struct hf_scan_report *r,
					const struct hf_filter *filter, size_t *ret_n);
