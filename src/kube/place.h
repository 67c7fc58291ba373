/* Places of objects as messages and reports for people have them. */
#pragma once
#include "kube/object.h"

/* Where something is, for people, without control bytes: "FILE:LINE"; "FILE" where @line is 0; of a live object "cluster:CONTEXT
 * NAMESPACE/KIND/NAME". Cut to @size. Returns @out. */
const char *hf_kube_place(const struct hf_kube_object *, uint32_t line, char *out, size_t size);
/* The template that `helm template` says an object is made of, in the comment above it: "shop/templates/web.yaml". Empty: none. */
hf_sv hf_kube_template(const struct hf_kube_object *);
