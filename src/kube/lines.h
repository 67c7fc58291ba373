/* Lines of many values of one source, for reports: a text is gone through once. */
#pragma once
#include "kube/object.h"

struct hf_kube_lines {
	struct hf_arena *arena;
	const struct hf_kube_source *source; /* that the marks are of */
	uint32_t *before;                    /* line breaks before each block of the text */
	size_t n;
};

#define HF_KUBE_LINES(a) ((struct hf_kube_lines){ .arena = (a) })

/* As hf_kube_line. Quick where the objects are asked for in the order of the input. @v may be NULL. */
uint32_t hf_kube_lines_at(struct hf_kube_lines *, const struct hf_kube_object *, const struct hf_value *v);

/* Where something is, for people, without control bytes: "FILE:LINE"; "FILE" where @line is 0; of a live object "cluster:CONTEXT
 * NAMESPACE/KIND/NAME". Cut to @size. Returns @out. */
const char *hf_kube_place(const struct hf_kube_object *, uint32_t line, char *out, size_t size);
