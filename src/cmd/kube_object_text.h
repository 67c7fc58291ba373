/* One object as a cluster tells it, made into the text that is kept of it while it is followed. Pure.
 *
 * It names its kind itself, which the items of a list do not, and what no judgement looks at and what changes without end stays behind: managedFields,
 * resourceVersion, and the annotation in which kubectl keeps the whole object. So two texts are the same where nothing has happened. */
#pragma once
#include "base/buffer.h"
#include "kube/object.h"

/* @version: of the API that it came from, without the group. @key: "NAMESPACE/NAME" or "NAME". HF_E_FORMAT: broken, or without a name; HF_E_LIMIT. */
hf_nodiscard int kube_object_write(hf_sv json, const struct hf_kube_kind_row *kind, hf_sv version, struct hf_buf *key,
				   struct hf_buf *text, struct hf_err *err);
/* A Table of secrets (meta/v1) as a SecretList without data. *@type_at is the column that holds the type: found where the Table names its columns, and as it was
 * where it does not, as after the first event of a watch; SIZE_MAX: not known. HF_E_UNSUPPORTED: no Table. */
hf_nodiscard int kube_secrets_write(hf_sv table, size_t *type_at, struct hf_buf *out, struct hf_err *err);
