/* `sbom --format table`: a line a package. */
#include "report/common.h"
#include "report/text.h"

static uint32_t column(size_t longest, uint32_t least, uint32_t most)
{
	return longest < least ? least : longest > most ? most : (uint32_t)longest;
}

static int write_sbom_table(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
			    struct hf_err *err)
{
	struct hf_text t = hf_text_of(o, out);
	size_t name = 0, version = 0;

	for (size_t i = 0; i < r->packages_n; i++) {
		size_t n = hf_text_columns(r->packages[i].name), v = hf_text_columns(r->packages[i].version);
		name = n > name ? n : name;
		version = v > version ? v : version;
	}
	uint32_t names = column(name, 4, t.width * 2 / 5), versions = column(version, 7, t.width * 3 / 10);
	uint32_t places = names + versions + 14;
	hf_text_styled(&t, HF_STYLE_BOLD, HF_SV("TYPE"));
	hf_text_to(&t, 10);
	hf_text_styled(&t, HF_STYLE_BOLD, HF_SV("NAME"));
	hf_text_to(&t, 12 + names);
	hf_text_styled(&t, HF_STYLE_BOLD, HF_SV("VERSION"));
	hf_text_to(&t, places);
	hf_text_styled(&t, HF_STYLE_BOLD, HF_SV("PLACE"));
	hf_text_newline(&t);
	for (size_t i = 0; i < r->packages_n; i++) {
		const struct hf_package *p = &r->packages[i];
		hf_text_put(&t, hf_sv_of(hf_package_type_purl(p->type)));
		hf_text_to(&t, 10);
		hf_text_put_cut(&t, hf_report_name(p), names);
		hf_text_to(&t, 12 + names);
		hf_text_put_cut(&t, p->version.len ? p->version : HF_SV("?"), versions);
		if (p->path.len) {
			hf_text_to(&t, places);
			hf_text_put_cut(&t, p->path, t.width > places + 12 ? t.width - places : 12);
		}
		hf_text_newline(&t);
	}
	hf_text_putf(&t, "%zu packages", r->packages_n);
	if (r->unparsed_n)
		hf_text_putf(&t, "; %zu files could not be read or understood (--format json lists them)",
			     r->unparsed_n);
	hf_text_newline(&t);
	for (size_t i = 0; i < r->notes_n; i++)
		hf_text_sentence(&t, 0, r->notes[i]);
	return hf_out_flush(out, err);
}

const struct hf_report_format hf_report_format_sbom_table = {
	.name = "table",
	.summary = "a line a package",
	.kinds = HF_REPORT_SBOM,
	.write = write_sbom_table,
};
