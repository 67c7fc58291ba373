/* The verdicts of `kube pss` as lines and as JSON. */
#pragma once
#include "base/output.h"
#include "cmd/kube/kube_run.h"
#include "kube/place.h"
#include "pss/pss.h"

struct pss_verdict {
	const struct hf_kube_pod *pod; /* the first of its object's */
	size_t pods_n;
	struct hf_pss_policy policy;
	const char *exempt; /* what exempts it; NULL: nothing */
	uint32_t failed;    /* bits of hf_pss_controls */
};

/* "fail default/Pod/web hostPorts,privileged", the name of its cluster before the namespace where there are @several ("edge/default/Pod/web").
 * Where it is to be @explained each failing control is explained below it. */
void pss_report_line(struct hf_out *, const struct pss_verdict *, bool several, bool explained, struct hf_arena *);
/* The document holdfast/pss/1. @mode: of the labels; NULL where they were not asked. */
int pss_report_json(const struct kube_run *, struct hf_out *, const struct pss_verdict *, size_t n, const char *mode,
		    const struct hf_kube_objects *, struct hf_arena *, struct hf_err *);
