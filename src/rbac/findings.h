/* What is wrong with who may do what: rights that lead further than they look, accounts that nobody needs. Pure.
 *
 * What the API server itself binds is not told, but followed: a pod in kube-system has the rights of the controllers there. */
#pragma once
#include "rbac/powers.h"

enum hf_rbac_finding_kind {
	HF_RBAC_FINDING_RIGHT, /* a power: row and grant say all */
	HF_RBAC_FINDING_BECOMES_ADMIN,
	HF_RBAC_FINDING_ANONYMOUS,       /* rights of who is not authenticated */
	HF_RBAC_FINDING_EVERYBODY,       /* rights of all who are, or of all accounts */
	HF_RBAC_FINDING_DEFAULT_ACCOUNT, /* rights of an account that pods have unasked */
	HF_RBAC_FINDING_UNUSED_ACCOUNT,
	HF_RBAC_FINDING_TOKEN_NOT_NEEDED,
	HF_RBAC_FINDING_NO_ROLE,    /* a binding to a role that is not there */
	HF_RBAC_FINDING_NO_ACCOUNT, /* a binding to an account that is not there */
	HF_RBAC_FINDING_MASTERS,
	HF_RBAC_FINDING_TOKEN_SECRET,
	HF_RBAC_FINDING_CROSSES, /* takes what another cluster is entered with */
	HF_RBAC_FINDING_KINDS
};

struct hf_rbac_finding_row {
	unsigned number;
	enum hf_severity severity;
	const char *title, *why, *fix, *references;
};
extern const struct hf_rbac_finding_row hf_rbac_finding_rows[HF_RBAC_FINDING_KINDS]; /* that of RIGHT is empty */

struct hf_rbac_finding {
	enum hf_rbac_finding_kind kind;
	enum hf_severity severity;
	const struct hf_rbac_subject *subject; /* NULL: of nobody */
	const struct hf_rbac_power *power;     /* of RIGHT, else NULL */
	const struct hf_rbac_binding *binding; /* what it is about, or NULL */
	const struct hf_kube_object *object;   /* where it stands; NULL: nowhere in the input */
	hf_sv detail;                          /* what exactly; may be empty */
	const hf_sv *steps;                    /* of CROSSES: from here to there, each with its place */
	size_t steps_n;
};

/* "HF-RBAC-004", title, references … of a finding's row, whichever table it is of. */
struct hf_rbac_finding_row hf_rbac_row_of(const struct hf_rbac_finding *);

/* Worst first, then by number, subject and scope. @builtin: also what the API server binds itself. */
const struct hf_rbac_finding *hf_rbac_findings(const struct hf_rbac_powers *, bool builtin, struct hf_arena *,
					       size_t *ret_n);
/* The names of the workloads ("Deployment web/front") that run as the account and hold its token, each once. */
const hf_sv *hf_rbac_holders(const struct hf_rbac_powers *, const struct hf_rbac_subject *, struct hf_arena *,
			     size_t *ret_n);
/* The smallest change that takes the right away, as a sentence. */
hf_sv hf_rbac_smallest_change(const struct hf_rbac_power *, struct hf_arena *);
struct hf_rbac_step {
	const struct hf_rbac_subject *subject; /* who takes it */
	const struct hf_rbac_way *way;
	hf_sv text; /* "sa web/ci creates pods in kube-system: acts as sa kube-system/x" */
};
/* The way of a subject to cluster-admin; none where there is no way. */
const struct hf_rbac_step *hf_rbac_steps(const struct hf_rbac_powers *, const struct hf_rbac_subject *,
					 struct hf_arena *, size_t *ret_n);
/* "user alice", "group devs", "sa web/app". */
hf_sv hf_rbac_subject_text(const struct hf_rbac_subject *, struct hf_arena *);
/* "ClusterRole view", "Role web/reader"; likewise of a binding. */
hf_sv hf_rbac_role_text(const struct hf_rbac_role *, struct hf_arena *);
hf_sv hf_rbac_binding_text(const struct hf_rbac_binding *, struct hf_arena *);
