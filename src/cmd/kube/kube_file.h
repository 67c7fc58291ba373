/* The inputs of `holdfast kube` as texts to be changed: their documents, and where an object stands in them. */
#pragma once
#include "cmd/kube/kube_run.h"

struct kube_document {
	hf_sv before, after;   /* after.ptr NULL: as it was */
	const uint32_t *items; /* of a List: where each begins, as of `before` */
	size_t items_n;
	uint32_t root;
	bool looked, is_list;
};

struct kube_file {
	const struct kube_input *input;
	hf_sv text; /* as it is now */
	struct kube_document *documents;
	size_t n;
	bool json;
};

/* Fills in documents, n and json from @text, which stays; what documents point to lives in the arena. HF_E_LIMIT; HF_E_FORMAT and others of
 * hf_edit_documents. */
int kube_file_split(struct kube_file *, struct hf_arena *, struct hf_err *);
/* The document that an object's place (root->offset) is in, NULL. */
struct kube_document *kube_file_at(const struct kube_file *, uint32_t offset);
/* What stands before a pointer into the object: "", or "/items/3". False: its place was not found. */
bool kube_document_pointer(const struct kube_file *, struct kube_document *, const struct hf_kube_object *,
			   struct hf_arena *, hf_sv *ret);
/* Puts the changed documents together: *text is the new one, the documents are those of the old. */
int kube_file_join(struct kube_file *, struct hf_arena *, struct hf_err *);
/* All of them, as they are now, and a further text (YAML; @more.ptr NULL: none) that counts for what it holds again. NULL: see @err. */
struct kube_more {
	hf_sv text, cluster;
	bool saved;
};
const struct hf_kube_objects *kube_files_load(const struct kube_file *, size_t n, const struct kube_more *more,
					      struct hf_arena *, struct hf_err *);
