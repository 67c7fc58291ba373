#include "cmd/kube/kube_items.h"

#include <stdint.h>

int kube_items_keep(const struct kube_items *items, hf_sv report, int fd, struct hf_err *err)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(fd);

	for (size_t i = 0; i < items->spans.n; i++) {
		const struct hf_span *s = &items->spans.at[i];
		uint64_t n = s->to - s->from;
		hf_out_add(&out, (hf_sv){ (const char *)&n, sizeof n });
		hf_out_add(&out, hf_sv_slice(report, s->from, n));
	}
	return hf_out_flush(&out, err);
}

static bool next_kept(hf_sv *rest, hf_sv *ret)
{
	uint64_t n;

	if (rest->len < sizeof n)
		return false;
	memcpy(&n, rest->ptr, sizeof n);
	*rest = hf_sv_skip(*rest, sizeof n);
	*ret = hf_sv_first(*rest, n);
	*rest = hf_sv_skip(*rest, n);
	return true;
}

/* How often a text is in the one more than in the other. */
static void count(struct hf_map *counts, hf_sv text, intptr_t by)
{
	struct hf_map_entry *e = hf_map_put(counts, text);

	if (e)
		e->value = (void *)((intptr_t)e->value + by);
}

static bool take_one(struct hf_map *counts, hf_sv text, intptr_t sign)
{
	struct hf_map_entry *e = hf_map_find(counts, text);

	if (!e || (intptr_t)e->value * sign <= 0)
		return false;
	e->value = (void *)((intptr_t)e->value - sign);
	return true;
}

static void write_change(struct hf_out *out, const char *schema, bool added, hf_sv text)
{
	hf_sv line;

	if (schema) {
		hf_out_addf(out, "{\"schema\":\"%s\",\"change\":\"%s\"%s", schema, added ? "added" : "removed",
			    text.len > 2 ? "," : "");
		hf_out_add(out, hf_sv_skip(text, 1));
		hf_out_add(out, HF_SV("\n"));
		return;
	}
	if (hf_sv_ends(text, HF_SV("\n")))
		text.len--;
	for (const char *before = added ? "+ " : "- "; hf_sv_next(&text, '\n', &line); before = "  ") {
		hf_out_addf(out, "%s", before);
		hf_out_add(out, line);
		hf_out_add(out, HF_SV("\n"));
	}
}

int kube_items_compare(const struct kube_items *items, hf_sv before, hf_sv report, const char *schema,
		       struct hf_out *out, struct hf_err *err)
{
	struct hf_map counts = HF_MAP(items->arena);
	hf_sv text;

	for (hf_sv rest = before; next_kept(&rest, &text);)
		count(&counts, text, -1);
	for (size_t i = 0; i < items->spans.n; i++)
		count(&counts,
		      hf_sv_slice(report, items->spans.at[i].from, items->spans.at[i].to - items->spans.at[i].from), 1);
	if (items->arena->over)
		return hf_fail(err, HF_E_LIMIT, "the findings need more memory than is allowed");
	for (hf_sv rest = before; next_kept(&rest, &text);)
		if (take_one(&counts, text, -1))
			write_change(out, schema, false, text);
	for (size_t i = 0; i < items->spans.n; i++) {
		text = hf_sv_slice(report, items->spans.at[i].from, items->spans.at[i].to - items->spans.at[i].from);
		if (take_one(&counts, text, 1))
			write_change(out, schema, true, text);
	}
	return HF_OK;
}
