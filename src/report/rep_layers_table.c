/* `layers --format table`: a paragraph a layer. */
#include "report/common.h"
#include "report/text.h"

enum { LABEL = 13, SHOWN = 8 };

static void label(struct hf_text *t, const char *name)
{
	hf_text_to(t, 2);
	hf_text_styled(t, HF_STYLE_DIM, hf_sv_of(name));
	hf_text_to(t, LABEL);
}

static void line(struct hf_text *t, const char *name, hf_sv value)
{
	if (!value.len)
		return;
	label(t, name);
	hf_text_sentence(t, LABEL, value);
}

/* "pkg:deb/debian/openssl@1?arch=amd64" -> "debian/openssl": the rest is said by the versions. */
static hf_sv short_name(hf_sv purl)
{
	hf_sv left, name = purl;

	hf_sv_cut(name, '?', &name, &left);
	hf_sv_cut_last(name, '@', &name, &left);
	hf_sv_cut(name, '/', &left, &name);
	return name;
}

static void changes(struct hf_text *t, struct hf_arena *a, const char *name, const struct hf_package_change *list,
		    size_t n, bool all)
{
	if (!n)
		return;
	label(t, name);
	t->indent = LABEL;
	hf_text_put(t, hf_text_count(a, n));
	hf_text_put(t, HF_SV(":"));
	for (size_t i = 0; i < n && (all || i < SHOWN); i++) {
		const struct hf_package_change *c = &list[i];
		hf_sv what = short_name(c->purl);
		if (c->before.len && c->after.len)
			what = hf_arena_fmt(a, "%.*s %.*s -> %.*s", HF_SV_FMT(what), HF_SV_FMT(c->before),
					    HF_SV_FMT(c->after));
		hf_text_word(t, HF_STYLE_PLAIN, hf_arena_concat(a, what, i + 1 < n ? HF_SV(",") : HF_SV("")));
	}
	if (!all && n > SHOWN)
		hf_text_word(t, HF_STYLE_DIM, HF_SV("... (--verbose shows all)"));
	t->indent = 0;
	hf_text_newline(t);
}

static void layer(struct hf_text *t, struct hf_arena *a, const struct hf_layer_report *l, bool read, bool verbose)
{
	hf_text_styled(t, HF_STYLE_BOLD, hf_arena_fmt(a, "Layer %u", l->layer.index));
	hf_text_to(t, LABEL);
	hf_text_styled(t, HF_STYLE_CYAN,
		       l->role == HF_ROLE_UNKNOWN ? HF_SV("role not known") : hf_sv_of(hf_layer_role_name(l->role)));
	hf_text_put(t, HF_SV(", "));
	hf_text_put(t, hf_text_size(a, l->layer.size));
	if (read) {
		hf_sv size = hf_text_size(a, l->content_size), files = hf_text_count(a, l->files_n);
		hf_text_put(t, hf_arena_fmt(a, " stored, %.*s in %.*s files", HF_SV_FMT(size), HF_SV_FMT(files)));
	}
	hf_text_newline(t);
	line(t, "made by", verbose ? l->layer.created_by : hf_sv_first(l->layer.created_by, 3 * (size_t)t->width));
	line(t, "diff_id", l->layer.diff_id);
	if (verbose)
		line(t, "digest", l->layer.digest);
	line(t, "why", l->role_evidence);
	changes(t, a, "added", l->added, l->added_n, verbose);
	changes(t, a, "changed", l->changed, l->changed_n, verbose);
	changes(t, a, "removed", l->removed, l->removed_n, verbose);
	line(t, "patched to", l->patch_level);
	if (l->hidden_size) {
		hf_sv size = hf_text_size(a, l->hidden_size);
		line(t, "waste", hf_arena_fmt(a, "%.*s that layers above hide or replace", HF_SV_FMT(size)));
	}
	if (l->fixable_n)
		line(t, "fixable", hf_arena_fmt(a, "%u findings in its packages have a fix", l->fixable_n));
}

static int write_layers_table(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
			      struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = hf_report_arena();
	struct hf_text t = hf_text_of(o, out);
	uint64_t hidden = 0;
	size_t n;
	const struct hf_layer_report *layers = hf_report_layers(&a, r, &n);

	if (r->artifact) {
		hf_text_styled(
			&t, HF_STYLE_BOLD,
			hf_arena_fmt(&a, "%.*s:%.*s", HF_SV_FMT(r->artifact->kind), HF_SV_FMT(r->artifact->reference)));
		hf_text_newline(&t);
	}
	for (size_t i = 0; layers && i < n; i++) {
		hf_text_newline(&t);
		layer(&t, &a, &layers[i], r->layers_n > 0, o->verbose);
		hidden += layers[i].hidden_size;
	}
	hf_text_newline(&t);
	if (!n)
		hf_text_sentence(&t, 0, HF_SV("This target has no layers."));
	else
		hf_text_putf(&t, "%zu layers", n);
	if (n && r->layers_n)
		hf_text_put(&t, hf_arena_concat(&a, HF_SV(", waste "), hf_text_size(&a, hidden)));
	if (n)
		hf_text_newline(&t);
	if (r->unparsed_n)
		hf_text_sentence(
			&t, 0,
			hf_arena_fmt(&a, "Not read or understood: %zu (--format json lists them).", r->unparsed_n));
	for (size_t i = 0; i < r->notes_n; i++)
		hf_text_sentence(&t, 0, r->notes[i]);
	return hf_out_flush(out, err);
}

const struct hf_report_format hf_report_format_layers_table = {
	.name = "table",
	.summary = "a paragraph a layer",
	.kinds = HF_REPORT_LAYERS,
	.write = write_layers_table,
};
