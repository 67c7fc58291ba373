/* run_catalog_cases [--update] ROW DIR: TAP, one test a case, as lib/case_runner.h has it. A file that begins with the ELF magic counts as
 * executable. DIR/<case>/NOTE says where the input came from. */
#include <stdio.h>

#include "catalog/wants.h"
#include "lib/case_runner.h"

enum { CAP = 64 << 20, FEW_CUTS_ABOVE = 256 << 10 };

struct row {
	const struct hf_cataloger *cataloger;
	struct hf_wants *wants;
	hf_wants_set set;
};

struct capture {
	struct hf_emit emit;
	struct hf_buf text;
};

static int on_package(struct hf_emit *e, const struct hf_package *p, struct hf_err *err)
{
	struct hf_json_writer w = test_line_begin(&((struct capture *)e)->text, "package");

	hf_jw_kv(&w, "type", hf_sv_of(hf_package_type_purl(p->type)));
	hf_jw_kv_if(&w, "name", p->name);
	hf_jw_kv_if(&w, "version", p->version);
	hf_jw_kv_if(&w, "arch", p->arch);
	hf_jw_kv_if(&w, "source_name", p->source_name);
	hf_jw_kv_if(&w, "source_version", p->source_version);
	hf_jw_kv_if(&w, "module", p->module);
	hf_jw_kv_if(&w, "origin", p->origin);
	if (p->licences_n)
		hf_jw_strings(&w, "licences", p->licences, p->licences_n);
	hf_jw_kv_if(&w, "path", p->path);
	if (p->line)
		hf_jw_kv_uint(&w, "line", p->line);
	if (p->declared_only)
		hf_jw_kv_bool(&w, "declared_only", true);
	if (p->is_main)
		hf_jw_kv_bool(&w, "is_main", true);
	return test_line_end(&w, err);
}

static int on_owns(struct hf_emit *e, enum hf_package_type type, hf_sv name, hf_sv path, struct hf_err *err)
{
	struct hf_json_writer w = test_line_begin(&((struct capture *)e)->text, "owns");

	hf_jw_kv(&w, "type", hf_sv_of(hf_package_type_purl(type)));
	hf_jw_kv(&w, "name", name);
	hf_jw_kv(&w, "path", path);
	return test_line_end(&w, err);
}

static int on_os(struct hf_emit *e, const struct hf_os *os, struct hf_err *err)
{
	struct hf_json_writer w = test_line_begin(&((struct capture *)e)->text, "os");

	hf_jw_kv_if(&w, "id", os->id);
	hf_jw_kv_if(&w, "id_like", os->id_like);
	hf_jw_kv_if(&w, "version_id", os->version_id);
	hf_jw_kv_if(&w, "codename", os->codename);
	hf_jw_kv_if(&w, "name", os->name);
	hf_jw_kv_if(&w, "path", os->path);
	return test_line_end(&w, err);
}

static int on_unparsed(struct hf_emit *e, hf_sv path, hf_sv reason, struct hf_err *err)
{
	struct hf_json_writer w = test_line_begin(&((struct capture *)e)->text, "unparsed");

	hf_jw_kv(&w, "path", path);
	hf_jw_kv(&w, "reason", reason);
	return test_line_end(&w, err);
}

static bool wants(void *ctx, hf_sv path, hf_sv bytes)
{
	const struct row *row = ctx;

	if (hf_wants_path(row->wants, path) & row->set)
		return true;
	return (hf_wants_elf(row->wants) & row->set) && hf_sv_starts(bytes, HF_SV("\177ELF"));
}

static int parse(void *ctx, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text, struct hf_err *err)
{
	struct capture capture = { { on_package, on_owns, on_os, on_unparsed }, HF_BUF(64 << 20) };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
	const struct hf_file file = { .path = path, .bytes = bytes, .mode = 0755 };
	int r = ((const struct row *)ctx)->cataloger->parse(&file, &a, &capture.emit, err);

	if (text)
		hf_buf_add(text, hf_buf_view(&capture.text));
	hf_buf_done(&capture.text);
	return r;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && !strcmp(argv[1], "--update");
	struct row row = { 0 };

	argv += update;
	if (argc - update != 3)
		return 2;
	for (unsigned i = 0; hf_catalogers[i]; i++)
		if (!strcmp(hf_catalogers[i]->name, argv[1]))
			row = (struct row){ hf_catalogers[i], NULL, UINT64_C(1) << i };
	if (!row.cataloger)
		return 2;
	row.wants = hf_wants_new();
	const struct test_case_row cases = {
		.ctx = &row, .cap = CAP, .wants = wants, .read = parse, .few_cuts_above = FEW_CUTS_ABOVE
	};
	char again[100];
	snprintf(again, sizeof again, "run_catalog_cases %s", argv[1]);
	int status = test_case_run(&cases, argv[2], update, again);
	hf_wants_free(row.wants);
	return status;
}
