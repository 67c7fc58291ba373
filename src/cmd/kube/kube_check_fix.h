/* kube check --fix: the patches of findings, made in the text of their files. The worker in the jail edits and proves; the parent
 * writes. */
#pragma once
#include "check/check.h"
#include "cmd/kube/kube_run.h"

struct kube_fix_options {
	bool fix;     /* --fix: what is safe */
	bool all;     /* --fix-all: what is not, too */
	bool dry_run; /* the difference, and no file is written */
	const struct hf_check *const *wanted;
	const struct hf_check_settings *settings;
};

/* In the worker. Writes the difference to @out, or what kube_check_fix_deliver takes. *ret_report is of what the files hold then. */
int kube_check_fix(struct kube_run *, const struct kube_fix_options *, const struct hf_kube_objects *,
		   struct hf_arena *, struct hf_out *, const struct hf_check_report **ret_report, struct hf_err *);
/* In the parent: replaces the files, each whole or not at all, and tells what was done on @out_fd. */
int kube_check_fix_deliver(struct kube_run *, int from, int out_fd, struct hf_err *);
