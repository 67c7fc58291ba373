#include "cmd/kube/kube_file.h"

#include "base/limits.h"
#include "check/edit.h"

int kube_file_split(struct kube_file *file, struct hf_arena *a, struct hf_err *err)
{
	const hf_sv *texts;
	int r = hf_edit_documents(file->text, a, &texts, &file->n, &file->json, err);

	if (r < 0)
		return r;
	file->documents = hf_arena_array(a, struct kube_document, file->n);
	if (!file->documents)
		return hf_fail(err, HF_E_LIMIT, "too many documents");
	for (size_t i = 0; i < file->n; i++)
		file->documents[i].before = texts[i];
	return HF_OK;
}

struct kube_document *kube_file_at(const struct kube_file *file, uint32_t offset)
{
	size_t low = 0, high = file->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct kube_document *d = &file->documents[middle];
		size_t from = d->before.ptr ? (size_t)(d->before.ptr - file->text.ptr) : 0;
		if (offset < from)
			high = middle;
		else if (offset >= from + d->before.len)
			low = middle + 1;
		else
			return d;
	}
	return NULL;
}

/* Where the object, or of a List the items, of a document begin. */
static void look_into(const struct kube_file *file, struct kube_document *d, struct hf_arena *a)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KUBE_ARENA_MAX);
	struct hf_value root = { 0 };
	size_t used;
	uint32_t base = (uint32_t)(d->before.ptr - file->text.ptr);
	int r = file->json
			? hf_value_of_json(d->before, base, &scratch, (struct hf_value_notes){ 0 }, &root, &used, NULL)
			: hf_value_of_yaml(d->before, base, 1, &scratch, (struct hf_value_notes){ 0 }, &root, NULL);

	d->looked = true;
	d->root = r < 0 ? UINT32_MAX : root.offset;
	d->is_list = hf_sv_ends(hf_value_get_text(&root, HF_SV("kind")), HF_SV("List"));
	const struct hf_value *items = hf_value_get(&root, HF_SV("items"));
	size_t n = hf_value_count(items, HF_VALUE_ARRAY);
	uint32_t *list = n ? hf_arena_array(a, uint32_t, n) : NULL;
	for (; list && d->items_n < n; d->items_n++)
		list[d->items_n] = items->elements[d->items_n].offset;
	d->items = list;
}

bool kube_document_pointer(const struct kube_file *file, struct kube_document *d, const struct hf_kube_object *o,
			   struct hf_arena *a, hf_sv *ret)
{
	size_t low = 0, high;

	if (!d->looked)
		look_into(file, d, a);
	*ret = HF_SV("");
	if (!d->is_list && d->root == o->root->offset)
		return true;
	for (high = d->items_n; low < high;) {
		size_t middle = (low + high) / 2;
		if (d->items[middle] < o->root->offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == d->items_n || d->items[low] != o->root->offset)
		return false;
	*ret = hf_arena_fmt(a, "/items/%zu", low);
	return true;
}

int kube_file_join(struct kube_file *file, struct hf_arena *a, struct hf_err *err)
{
	hf_sv *before = hf_arena_array(a, hf_sv, file->n), *after = hf_arena_array(a, hf_sv, file->n);

	if (!before || !after)
		return hf_fail(err, HF_E_LIMIT, "too many documents");
	for (size_t i = 0; i < file->n; i++) {
		before[i] = file->documents[i].before;
		after[i] = file->documents[i].after;
	}
	int r = hf_edit_join(file->text, before, after, file->n, a, &file->text, err);
	return r < 0 ? hf_wrap(err, "%.*s", HF_SV_FMT(file->input->name)) : HF_OK;
}

static int load(struct hf_kube_loader *l, struct hf_arena *a, const struct hf_kube_source *from, struct hf_err *err)
{
	struct hf_kube_source *s = hf_arena_new(a, struct hf_kube_source);

	if (!s)
		return hf_fail(err, HF_E_LIMIT, "the inputs need more memory than is allowed");
	*s = *from;
	return hf_kube_load(l, s, err);
}

const struct hf_kube_objects *kube_files_load(const struct kube_file *files, size_t n, const struct kube_more *more,
					      struct hf_arena *a, struct hf_err *err)
{
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	int r = HF_OK;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = load(l, a,
			 &(struct hf_kube_source){ .name = files[i].input->name,
						   .text = files[i].text,
						   .cluster = files[i].input->cluster,
						   .saved = files[i].input->saved },
			 err);
	if (more && more->text.len && r >= 0)
		r = load(l, a,
			 &(struct hf_kube_source){ .name = HF_SV("the patch"),
						   .text = more->text,
						   .cluster = more->cluster,
						   .saved = more->saved },
			 err);
	const struct hf_kube_objects *set = r >= 0 ? hf_kube_loaded(l) : NULL;
	hf_kube_loader_free(l);
	return set;
}
