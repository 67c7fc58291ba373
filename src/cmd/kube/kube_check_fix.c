#include "cmd/kube/kube_check_fix.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "check/edit.h"
#include "check/text_diff.h"
#include "check/workload.h"
#include "cmd/kube/kube_file.h"
#include "cmd/log.h"

/* Patches of one place, or of one list where an element goes, are made one a round, each from what the last one left. */
enum { ROUNDS_MAX = 32, REFUSED_SHOWN_MAX = 20, WORK_MAX = 512 << 20 };

struct wish {
	const struct hf_check_result *result;
	struct wish *next;
};

struct wishes {
	struct wish *first, **end;
};

struct file {
	struct kube_file text; /* as it is now */
	struct wishes *wishes; /* one a document */
	size_t mended;
};

struct refusal {
	const struct hf_check_result *result;
	hf_sv why;
};

struct fixer {
	struct kube_run *run;
	const struct kube_fix_options *o;
	struct hf_arena *arena;
	struct file *files;             /* one an input */
	HF_VEC(struct refusal) refused; /* in the last round */
	size_t mended, unsafe, system;
	bool last;     /* round */
	uint64_t work; /* bytes of documents that were read for changes */
};

static bool is_wanted(struct fixer *f, const struct hf_check_result *r)
{
	bool safe = hf_check_is_safe(r);

	if (r->status != HF_CHECK_FAIL || !r->patches_n || !r->object || (r->cluster.len && !r->object->source->saved))
		return false;
	f->unsafe += !safe && !f->o->all;
	f->system += !safe && f->o->all && hf_check_is_system(r->object);
	return safe || (f->o->all && !hf_check_is_system(r->object));
}

static int split_files(struct fixer *f, struct hf_err *err)
{
	for (size_t i = 0; i < f->run->inputs_n; i++) {
		struct file *file = &f->files[i];
		int r = kube_file_split(&file->text, f->arena, err);
		if (r < 0)
			return r;
		file->wishes = hf_arena_array(f->arena, struct wishes, file->text.n);
		for (size_t k = 0; file->wishes && k < file->text.n; k++)
			file->wishes[k].end = &file->wishes[k].first;
	}
	return HF_OK;
}

/* Gives each document the findings that are to be mended in it. */
static void deal_out(struct fixer *f, const struct hf_check_report *report)
{
	struct hf_map by_text = HF_MAP(f->arena);

	for (size_t i = 0; i < f->run->inputs_n; i++) {
		struct hf_map_entry *e =
			hf_map_put(&by_text, (hf_sv){ (const char *)&f->files[i].text.text.ptr, sizeof(void *) });
		if (e)
			e->value = &f->files[i];
	}
	f->unsafe = f->system = 0;
	for (size_t i = 0; i < report->results_n; i++) {
		const struct hf_check_result *r = hf_check_result_at(report, i);
		if (!is_wanted(f, r))
			continue;
		const struct hf_map_entry *e =
			hf_map_find(&by_text, (hf_sv){ (const char *)&r->object->source->text.ptr, sizeof(void *) });
		struct file *file = e ? e->value : NULL;
		struct kube_document *d = file ? kube_file_at(&file->text, r->object->root->offset) : NULL;
		struct wish *w = d && file->wishes ? hf_arena_new(f->arena, struct wish) : NULL;
		if (!w)
			continue;
		struct wishes *wishes = &file->wishes[d - file->text.documents];
		w->result = r;
		*wishes->end = w;
		wishes->end = &w->next;
	}
}

static void refuse(struct fixer *f, const struct hf_check_result *r, const char *why)
{
	struct refusal *slot = hf_vec_push(f->arena, &f->refused);

	if (slot)
		*slot = (struct refusal){ r, hf_arena_dup(f->arena, hf_sv_of(why)) };
}

static void tell_refused(const struct fixer *f)
{
	for (size_t i = 0; i < f->refused.n && i < REFUSED_SHOWN_MAX; i++) {
		const struct hf_check_result *r = f->refused.at[i].result;
		log_at(LOG_NOTE, r->object->source->name, hf_kube_line(r->object, r->at), 0,
		       "%s of %.*s is not mended: %.*s", r->check->id, HF_SV_FMT(r->object->name),
		       HF_SV_FMT(f->refused.at[i].why));
	}
}

static hf_sv list_of(hf_sv pointer)
{
	return hf_sv_first(pointer, hf_sv_last_index(pointer, '/'));
}

static bool takes_element(const struct hf_edit *e)
{
	uint64_t index;

	return !e->json.len && hf_sv_to_u64(hf_sv_basename(e->pointer), &index);
}

/* The place was changed in this round, or elements of a list on its way were counted before one of them went. */
static bool has_moved(const struct hf_map *touched, hf_sv pointer)
{
	for (hf_sv at = pointer; at.len; at = list_of(at))
		if (hf_map_find(touched, at))
			return true;
	return false;
}

static void mend(struct fixer *f, struct file *file, struct kube_document *d, const struct hf_check_result *r,
		 struct hf_map *touched)
{
	struct hf_edit *edits = hf_arena_array(f->arena, struct hf_edit, r->patches_n);
	hf_sv prefix, text;
	struct hf_err err = { 0 };

	if (!edits || !kube_document_pointer(&file->text, d, r->object, f->arena, &prefix)) {
		refuse(f, r, "its place in the file was not found");
		return;
	}
	for (size_t i = 0; i < r->patches_n; i++) {
		edits[i] = (struct hf_edit){ hf_arena_concat(f->arena, prefix, r->patches[i].pointer),
					     r->patches[i].json };
		if (!has_moved(touched, edits[i].pointer))
			continue;
		if (f->last)
			refuse(f, r, "more changes of one place than one run makes; run it again");
		return;
	}
	f->work += d->before.len * r->patches_n;
	if (f->work > WORK_MAX) {
		refuse(f, r, "too many changes of documents that are too large; more runs, or smaller documents");
		return;
	}
	if (hf_edit(d->after.ptr ? d->after : d->before, file->text.json, edits, r->patches_n, f->arena, &text, &err) <
	    0) {
		refuse(f, r, err.msg);
		return;
	}
	for (size_t i = 0; i < r->patches_n; i++)
		hf_map_put(touched, takes_element(&edits[i]) ? list_of(edits[i].pointer) : edits[i].pointer);
	d->after = text;
	file->mended++;
	f->mended++;
}

/* *ret_changed: something was mended, so that it is worth to look again. */
static int one_round(struct fixer *f, const struct hf_check_report *report, bool *ret_changed, struct hf_err *err)
{
	size_t before = f->mended;
	int r = split_files(f, err);

	if (r < 0)
		return r;
	deal_out(f, report);
	f->refused.n = 0;
	for (size_t i = 0; i < f->run->inputs_n; i++) {
		struct file *file = &f->files[i];
		size_t mended = file->mended;
		for (size_t k = 0; file->wishes && k < file->text.n; k++) {
			struct hf_map touched = HF_MAP(f->arena);
			for (struct wish *w = file->wishes[k].first; w; w = w->next)
				mend(f, file, &file->text.documents[k], w->result, &touched);
		}
		r = mended == file->mended ? HF_OK : kube_file_join(&file->text, f->arena, err);
		if (r < 0)
			return r;
	}
	*ret_changed = f->mended > before;
	return HF_OK;
}

static const struct hf_kube_objects *load_again(struct fixer *f, struct hf_err *err)
{
	struct kube_file *files = hf_arena_array(f->arena, struct kube_file, f->run->inputs_n);

	for (size_t i = 0; files && i < f->run->inputs_n; i++)
		files[i] = f->files[i].text;
	return files ? kube_files_load(files, f->run->inputs_n, NULL, f->arena, err) : NULL;
}

static void write_files(struct fixer *f, struct hf_out *out)
{
	hf_sv left = f->refused.n ? hf_arena_fmt(f->arena, "; %zu could not be", f->refused.n) : HF_SV("");
	hf_sv unsafe = f->unsafe ? hf_arena_fmt(f->arena, "; %zu ha%s a patch that may stop a workload (--fix-all)",
						f->unsafe, f->unsafe == 1 ? "s" : "ve")
				 : HF_SV("");
	hf_sv system =
		f->system
			? hf_arena_fmt(f->arena,
				       "; %zu in Kubernetes' own namespaces stay, where no patch is made that may stop "
				       "a workload",
				       f->system)
			: HF_SV("");
	hf_sv sum = hf_arena_fmt(f->arena, "%zu finding%s mended%.*s%.*s%.*s", HF_COUNTED(f->mended), HF_SV_FMT(left),
				 HF_SV_FMT(unsafe), HF_SV_FMT(system));

	for (size_t i = 0; i < f->run->inputs_n; i++) {
		struct file *file = &f->files[i];
		if (!file->mended)
			continue;
		if (f->o->dry_run) {
			struct hf_buf text = HF_BUF(HF_KUBE_INPUT_MAX);
			hf_text_diff(&text, file->text.input->name, file->text.input->text, file->text.text, f->arena);
			hf_out_add(out, hf_buf_view(&text));
			hf_buf_done(&text);
		} else {
			hf_out_addf(out, "file %zu %zu %zu\n", i, file->mended, file->text.text.len);
			hf_out_add(out, file->text.text);
		}
	}
	if (!f->o->dry_run)
		hf_out_addf(out, "text %zu\n%.*s\n", sum.len + 1, HF_SV_FMT(sum));
	else
		log_note("%.*s", HF_SV_FMT(sum));
}

static bool is_file(const struct kube_run *k, const struct kube_input *in)
{
	/* Behind the targets come those of --cluster NAME=FOLDER. */
	const char *target = in->target < k->targets_n ? k->targets[in->target] : k->clusters[0];

	return strcmp(target, "-") && strncmp(target, "cluster:", 8);
}

int kube_check_fix(struct kube_run *k, const struct kube_fix_options *o, const struct hf_kube_objects *set,
		   struct hf_arena *a, struct hf_out *out, const struct hf_check_report **ret_report,
		   struct hf_err *err)
{
	struct fixer f = { .run = k, .o = o, .arena = a, .files = hf_arena_array(a, struct file, k->inputs_n) };
	const struct hf_check_report *report = NULL;
	bool changed = true;

	if (!f.files)
		return hf_fail(err, HF_E_LIMIT, "the inputs need more memory than is allowed");
	for (size_t i = 0; i < k->inputs_n; i++) {
		f.files[i].text = (struct kube_file){ .input = &k->inputs[i], .text = k->inputs[i].text };
		if (!is_file(k, &k->inputs[i]) && !o->dry_run)
			return hf_fail(err, HF_E_USAGE, "--fix writes files: give files or folders, or --dry-run");
	}
	for (unsigned round = 0; changed; round++) {
		report = set ? hf_check_all(set, o->wanted, o->settings, a) : NULL;
		if (!report || a->over)
			return err->code < 0
				       ? err->code
				       : hf_fail(err, HF_E_LIMIT, "the findings need more memory than is allowed");
		if (round == ROUNDS_MAX)
			break;
		f.last = round + 1 == ROUNDS_MAX;
		int r = one_round(&f, report, &changed, err);
		if (r < 0)
			return r;
		set = changed ? load_again(&f, err) : set;
	}
	*ret_report = report;
	tell_refused(&f);
	write_files(&f, out);
	return HF_OK;
}

/* Not where it is another file by now, or holds something else: that would be lost, or was put there to be written through. */
static int replace_file(const struct kube_input *in, const char *path, hf_sv text, struct hf_err *err)
{
	hf_cleanup(hf_output_abort) struct hf_output output = { .fd = -1 };

	if (!hf_file_stamp_holds(path, &in->stamp))
		return hf_fail(err, HF_E_CONFLICT, "it was changed meanwhile and is left as it is; run it again");
	int r = hf_output_open(&output, path, err);

	if (r < 0)
		return r;
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(output.fd);
	hf_out_add(&out, text);
	r = hf_out_flush(&out, err);
	return r < 0 ? r : hf_output_commit(&output, err);
}

/* One part of what the worker handed over: "file INPUT CHANGES BYTES" or "text BYTES", and that many bytes. */
static int deliver_part(struct kube_run *k, hf_sv *rest, struct hf_out *out, struct hf_err *err)
{
	hf_sv line, after, words[4] = { 0 }, left;
	uint64_t number[3] = { 0 };
	size_t n = 0;

	if (!hf_sv_cut(*rest, '\n', &line, &after))
		return hf_fail(err, HF_E_FORMAT, "the worker's answer is broken");
	for (left = line; n < HF_ARRAY_SIZE(words) && hf_sv_next(&left, ' ', &words[n]);)
		n++;
	for (size_t i = 1; i < n; i++)
		if (!hf_sv_to_u64(words[i], &number[i - 1]))
			return hf_fail(err, HF_E_FORMAT, "the worker's answer is broken");
	uint64_t size = n == 4 ? number[2] : number[0];
	bool file = n == 4 && hf_sv_eq(words[0], HF_SV("file")) && number[0] < k->inputs_n;
	if ((!file && (n != 2 || !hf_sv_eq(words[0], HF_SV("text")))) || size > after.len)
		return hf_fail(err, HF_E_FORMAT, "the worker's answer is broken");
	hf_sv bytes = hf_sv_first(after, size);
	*rest = hf_sv_skip(after, size);
	if (!file) {
		hf_out_add(out, bytes);
		return HF_OK;
	}
	const struct kube_input *in = &k->inputs[number[0]];
	char shown[400];
	int r = is_file(k, in) ? replace_file(in, hf_arena_dup(&k->arena, in->name).ptr, bytes, err)
			       : hf_fail(err, HF_E_FORMAT, "the worker's answer is broken");
	if (r < 0)
		return hf_wrap(err, "%.*s", HF_SV_FMT(in->name));
	hf_escape_controls(shown, sizeof shown, in->name);
	hf_out_addf(out, "%s: %llu mended\n", shown, (unsigned long long)number[1]);
	return HF_OK;
}

int kube_check_fix_deliver(struct kube_run *k, int from, int out_fd, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_REPORT_SIZE_MAX);
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(out_fd);
	int r = hf_fd_read_all(from, 0, &text, err);

	for (hf_sv rest = hf_buf_view(&text); r >= 0 && rest.len;)
		r = deliver_part(k, &rest, &out, err);
	int flushed = hf_out_flush(&out, r < 0 ? &(struct hf_err){ 0 } : err);
	return r < 0 ? r : flushed;
}
