/* Jailed processes that judge reviews. One review is with one of them at a time; one that takes too long or dies is replaced. Where
 * it was at a policy, which it shows all the time, the review is judged anew without that one, whose on_error says what that means.
 * Otherwise the review has no answer: what that means is the API server's to decide, by the webhook's failurePolicy. */
#pragma once
#include "admission/review.h"
#include "base/buffer.h"

struct hf_admission_pool;

struct hf_admission_pool_options {
	unsigned workers; /* 0: the processors */
	bool require_jail;
	/* Set where somebody tells of the cluster's namespaces by hf_admission_pool_namespaces: until then none is known. Asked on any thread for one that is
	 * not among them, to tell of it where there is one; the review is then judged again. NULL: $namespace is null. */
	void (*find_namespace)(void *ctx, hf_sv name);
	void *find_ctx;
};

/* Before any thread is started: it forks. Settings and policies are compiled once; each worker inherits them. */
hf_nodiscard int hf_admission_pool_start(const struct hf_admission_settings *, const struct hf_policies *,
					 const struct hf_admission_pool_options *, struct hf_admission_pool **ret,
					 struct hf_err *);
/* Any thread. Waits for a free worker and for its answer, @deadline_ms together. *ret_answer is the AdmissionReview to send, *ret_record a
 * JSON object on one line (docs/admission.md), both without a line break, both empty at the start.
 * HF_E_FORMAT: no AdmissionReview; HF_E_TIMEOUT: no worker was free, or it did not answer; HF_E_SYSTEM: it died. */
hf_nodiscard int hf_admission_pool_judge(struct hf_admission_pool *, hf_sv review, unsigned deadline_ms,
					 struct hf_buf *ret_answer, struct hf_buf *ret_record, struct hf_err *);
/* Any thread. Which Namespaces there are: JSON, one behind the other, copied; each worker is told before its next review. */
void hf_admission_pool_namespaces(struct hf_admission_pool *, hf_sv objects);
/* Workers that were replaced since the start. */
uint64_t hf_admission_pool_replaced(struct hf_admission_pool *);
/* False where no worker can be started any more: whoever looks after this process is to start it again. */
bool hf_admission_pool_alive(struct hf_admission_pool *);
void hf_admission_pool_stop(struct hf_admission_pool *);
