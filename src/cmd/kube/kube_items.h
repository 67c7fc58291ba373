/* The findings of a report as parts of its text, and what came and went between two reports: `kube … --watch`. */
#pragma once
#include "base/span.h"
#include "cmd/kube/kube_run.h"

struct kube_items {
	struct hf_arena *arena;
	HF_VEC(struct hf_span) spans; /* of the report's text */
};

/* Around what is written of one finding; nothing without --watch. A finding of JSON is an object, and begins with its brace. */
static inline void kube_item_begin(const struct kube_run *k, const struct hf_out *out)
{
	struct hf_span *s = k->items ? hf_vec_push(k->items->arena, &k->items->spans) : NULL;

	if (s)
		*s = (struct hf_span){ out->buf.len, out->buf.len };
}

static inline void kube_item_begin_json(const struct kube_run *k, const struct hf_out *out)
{
	kube_item_begin(k, out);
	if (k->items && k->items->spans.n)
		k->items->spans.at[k->items->spans.n - 1].from--; /* the brace is written */
}

static inline void kube_item_end(const struct kube_run *k, const struct hf_out *out)
{
	if (k->items && k->items->spans.n)
		k->items->spans.at[k->items->spans.n - 1].to = out->buf.len;
}

/* The findings one behind the other, each with its length before it: what the next report is compared with. */
int kube_items_keep(const struct kube_items *, hf_sv report, int fd, struct hf_err *);
/* What is in @before (as kube_items_keep wrote it) and not in @report, and the other way round, to @out: lines with - and + before them, or with @schema objects
 * that have "schema" and "change" before their own members. */
int kube_items_compare(const struct kube_items *, hf_sv before, hf_sv report, const char *schema, struct hf_out *out,
		       struct hf_err *);
