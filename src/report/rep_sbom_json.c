/* `sbom --format json`: holdfast/sbom/1, the parts of holdfast/scan/1 that say what is there. */
#include "report/common.h"

static int write_sbom_json(const struct hf_scan_report *r, const struct hf_report_options *o, struct hf_out *out,
			   struct hf_err *err)
{
	struct hf_json_writer w = hf_report_json(out);

	(void)o;
	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/sbom/1"));
	hf_report_json_target(&w, r);
	hf_report_json_os(&w, r);
	hf_report_json_packages(&w, r);
	hf_report_json_unparsed(&w, r);
	hf_jw_strings(&w, "notes", r->notes, r->notes_n);
	hf_jw_key(&w, "summary");
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "packages", r->packages_n);
	hf_jw_kv_uint(&w, "unparsed", r->unparsed_n);
	hf_jw_kv_uint(&w, "files", r->files_n);
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
	return hf_report_json_finish(&w, out, err);
}

const struct hf_report_format hf_report_format_sbom_json = {
	.name = "json",
	.summary = "holdfast/sbom/1, every package with its places",
	.kinds = HF_REPORT_SBOM,
	.write = write_sbom_json,
};
