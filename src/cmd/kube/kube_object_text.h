/* One object as a cluster tells it, made into the text that is kept of it while it is followed. Pure.
 *
 * It names its kind itself, which the items of a list do not, and what no judgement looks at and what changes without end stays behind: managedFields,
 * resourceVersion, the annotation in which kubectl keeps the whole object, and those by which leaders and endpoints tell the time. So two texts are the same
 * where nothing has happened. */
#pragma once
#include "base/buffer.h"
#include "kube/object.h"

struct kube_object_text {
	struct hf_buf key; /* "NAMESPACE/NAME" or "NAME" */
	struct hf_buf text;
	/* Bytes at the beginning of @text that say all that judgements read. Behind them is the rest of the status, and the addresses of endpoints, which come
	 * and go with each pod; their judgement reads none but those of default/kubernetes. */
	size_t judged_len;
};

/* @json is written to @to, whose buffers are empty and bounded. @whole: with what is behind judged_len, else without it. @version: of the API that it came
 * from, without the group. HF_E_FORMAT: broken, or without a name; HF_E_LIMIT. */
hf_nodiscard int kube_object_write(hf_sv json, const struct hf_kube_kind_row *kind, hf_sv version, bool whole,
				   struct kube_object_text *to, struct hf_err *err);
void kube_object_text_done(struct kube_object_text *);
/* A Table of secrets (meta/v1) as a SecretList without data. *@type_at is the column that holds the type: found where the Table names its columns, and as it was
 * where it does not, as after the first event of a watch; SIZE_MAX: not known. HF_E_UNSUPPORTED: no Table. */
hf_nodiscard int kube_secrets_write(hf_sv table, size_t *type_at, struct hf_buf *out, struct hf_err *err);
