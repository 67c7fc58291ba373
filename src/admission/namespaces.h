/* The namespaces of the cluster, as whoever follows them tells: for policies that ask about $namespace, and for levels of Pod Security that their labels ask for. */
#pragma once
#include "base/buffer.h"
#include "kube/object.h"

struct hf_admission_namespaces {
	bool followed; /* false: nobody tells, and no namespace is known or unknown */
	struct hf_buf text;
	struct hf_arena arena;
	struct hf_map by_name; /* -> hf_sv of the text */
};

/* As many of @objects as there is room for, the smallest first: who makes large ones hides no others. Sorts them; out->over: not all of them. */
void hf_admission_namespaces_join(hf_sv *objects, size_t n, struct hf_buf *out);
/* From now on there are those of @objects alone: Namespaces as JSON, one behind the other, copied. HF_E_FORMAT, HF_E_LIMIT: then none is known. */
int hf_admission_namespaces_set(struct hf_admission_namespaces *, hf_sv objects, struct hf_err *);
/* The object, in the arena; NULL: it is not known. */
const struct hf_kube_object *hf_admission_namespace_find(const struct hf_admission_namespaces *, hf_sv name,
							 struct hf_arena *);
void hf_admission_namespaces_done(struct hf_admission_namespaces *);
