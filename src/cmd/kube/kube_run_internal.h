/* Shared by kube_run.c and kube_watch.c. */
#pragma once
#include "cmd/kube/kube_run.h"

struct kube_job {
	struct kube_run *run;
	kube_evaluate *evaluate;
	void *ctx;
	int out_fd; /* memory that the worker writes to */
	/* --watch: memory for the findings of this evaluation, those of the one before (no pointer: this is the first one), and the schema of a change, NULL: lines. */
	int items_fd;
	hf_sv before;
	const char *schema;
};

/* Evaluates what is in run->inputs in a jailed worker. Bits of KUBE_*. @messages gets what the worker had to say. */
int kube_job_run(struct kube_job *, struct hf_buf *messages, struct hf_err *);
/* --watch: until a signal ends it. Bits of the last evaluation. */
int kube_watch(struct kube_job *, struct hf_err *);
/* 0, or the exit status where --watch does not go with the rest. */
int kube_watch_misused(const struct kube_run *);
