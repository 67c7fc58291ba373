/* Changes: documents that are sent to a cluster, and questions that are asked by a document (SubjectAccessReview). */
#pragma once
#include "cluster/client.h"

enum hf_cluster_change {
	HF_CLUSTER_CREATE,  /* POST */
	HF_CLUSTER_REPLACE, /* PUT */
	HF_CLUSTER_MERGE,   /* PATCH, RFC 7386 */
	HF_CLUSTER_APPLY, /* PATCH, server-side apply, by the field manager "holdfast", who takes fields that others hold */
	HF_CLUSTER_DELETE
};

struct hf_cluster_post {
	enum hf_cluster_change change;
	struct hf_cluster_what what; /* name: of all but CREATE */
	hf_sv document;              /* JSON; empty: of DELETE */
	bool dry_run;                /* the server checks and answers, and keeps nothing */
};

/* HF_OK: done; the answer's body is the object as the server has it now. Else ret->refused has code, reason and message of the server, as *err.
 * hf_buf_done(&ret->body) in any case. */
hf_nodiscard int hf_cluster_post(struct hf_cluster *c, const struct hf_cluster_post *post,
				 struct hf_cluster_answer *ret, struct hf_err *err);
