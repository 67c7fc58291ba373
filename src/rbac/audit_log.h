/* An API server's audit log: who did what, each kind of request once, and what the log itself is worth. Pure.
 *
 * A request has several events (stages): the one with its answer counts, and of a watch that still runs the one that began it. Who acts as
 * another user needs the right to: that is a request too, of the verb impersonate.
 * Source: audit.k8s.io/v1 Event (API reference of 1.34), as JSON lines or as an EventList; the annotations authorization.k8s.io/decision,
 * authorization.k8s.io/reason and audit.k8s.io/truncated ("Audit Annotations" of kubernetes.io). */
#pragma once
#include "rbac/authorizer.h"

struct hf_rbac_use {
	struct hf_rbac_user user;
	struct hf_rbac_request request;
	uint64_t count;
	hf_sv first, last; /* when, RFC 3339; empty where the events do not say */
};

struct hf_rbac_log {
	const struct hf_rbac_use *const *uses; /* that were allowed, each once, in the order of the log */
	size_t uses_n;
	uint64_t events, denied, unreadable;
	uint64_t unreadable_byte; /* where the first is that could not be read */
	uint64_t truncated;       /* events that the API server cut because of their size */
	uint64_t other;           /* that something else than RBAC allowed, by the reason that was logged */
	uint64_t unanswered;      /* of a stage before the answer, that no later one follows */
	hf_sv first, last;        /* the window of time; empty: not known */
	size_t days;              /* on which there are events */
};

/* NULL on the arena's cap. Of a resource with very many names only those are kept apart that the model's rules name. */
const struct hf_rbac_log *hf_rbac_read_log(const struct hf_rbac_model *, hf_sv log, struct hf_arena *);
/* Whole days from one RFC 3339 time to another; -1: one of them is none. */
int64_t hf_rbac_days_between(hf_sv first, hf_sv last);
