/* run_catalog_cases [--update] ROW DIR: TAP, one test a case.
 *
 * DIR/<case>/root/ holds a piece of a root file system; each file that the row wants is given to it, in the order of paths
 * (a file that begins with the ELF magic counts as executable), and
 * what it emits is compared with DIR/<case>/expect.jsonl. DIR/<case>/NOTE says where the input came from. Then the same
 * files again with memory caps from 0 upwards (each failure must be the limit), cut at each length up to 4 KiB, and with
 * one byte in a hundred changed, for the sanitizers to watch. */
#include <stdio.h>
#include <stdlib.h>

#include "catalog/wants.h"
#include "format/json_writer.h"
#include "lib/files.h"

enum { CAP = 64 << 20, TRUNCATE_MAX = 4096, FLIP_ROUNDS = 20 };

struct capture {
	struct hf_emit emit;
	struct hf_buf text;
};

static struct hf_json_writer line_writer(struct capture *c, const char *kind)
{
	struct hf_json_writer w = { .out = &c->text, .compact = true };

	hf_jw_object(&w);
	hf_jw_key(&w, kind);
	hf_jw_object(&w);
	return w;
}

static int end_line(struct hf_json_writer *w, struct hf_err *err)
{
	hf_jw_object_end(w);
	hf_jw_object_end(w);
	return hf_jw_finish(w, err);
}

static int on_package(struct hf_emit *e, const struct hf_package *p, struct hf_err *err)
{
	struct hf_json_writer w = line_writer((struct capture *)e, "package");

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
	return end_line(&w, err);
}

static int on_owns(struct hf_emit *e, enum hf_package_type type, hf_sv name, hf_sv path, struct hf_err *err)
{
	struct hf_json_writer w = line_writer((struct capture *)e, "owns");

	hf_jw_kv(&w, "type", hf_sv_of(hf_package_type_purl(type)));
	hf_jw_kv(&w, "name", name);
	hf_jw_kv(&w, "path", path);
	return end_line(&w, err);
}

static int on_os(struct hf_emit *e, const struct hf_os *os, struct hf_err *err)
{
	struct hf_json_writer w = line_writer((struct capture *)e, "os");

	hf_jw_kv_if(&w, "id", os->id);
	hf_jw_kv_if(&w, "id_like", os->id_like);
	hf_jw_kv_if(&w, "version_id", os->version_id);
	hf_jw_kv_if(&w, "codename", os->codename);
	hf_jw_kv_if(&w, "name", os->name);
	hf_jw_kv_if(&w, "path", os->path);
	return end_line(&w, err);
}

static int on_unparsed(struct hf_emit *e, hf_sv path, hf_sv reason, struct hf_err *err)
{
	struct hf_json_writer w = line_writer((struct capture *)e, "unparsed");

	hf_jw_kv(&w, "path", path);
	hf_jw_kv(&w, "reason", reason);
	return end_line(&w, err);
}

static int run(const struct hf_cataloger *c, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text)
{
	struct capture capture = { { on_package, on_owns, on_os, on_unparsed }, HF_BUF(64 << 20) };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
	char *exact = test_exact_copy(bytes);
	struct hf_err err = { 0 };
	struct hf_file file = { .path = path, .bytes = { exact, bytes.len }, .mode = 0755 };
	int r = c->parse(&file, &a, &capture.emit, &err);

	if (text) {
		hf_buf_add(text, hf_buf_view(&capture.text));
		hf_buf_addf(text, "{\"result\":{\"path\":\"%.*s\",\"code\":\"%s\"%s%s%s}}\n", HF_SV_FMT(path),
			    r == HF_OK        ? "ok"
			    : r == HF_PARTIAL ? "partial"
					      : "failed",
			    r < 0 ? ",\"error\":\"" : "", r < 0 ? err.msg : "", r < 0 ? "\"" : "");
	}
	hf_buf_done(&capture.text);
	free(exact);
	return r;
}

static void cap_sweep(const struct hf_cataloger *c, hf_sv path, hf_sv bytes, int whole)
{
	for (size_t cap = 0; cap <= CAP; cap = cap < 8192 ? cap + 512 : cap * 2) {
		int r = run(c, path, bytes, cap, NULL);
		if (r == whole)
			return;
		if (r != HF_E_LIMIT && r != HF_PARTIAL) {
			printf("# %.*s: with %zu bytes of memory: %d instead of the limit\n", HF_SV_FMT(path), cap, r);
			exit(3);
		}
	}
}

static void mangle(const struct hf_cataloger *c, hf_sv path, hf_sv bytes)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t step = bytes.len > 256 << 10 ? 64 : 1;

	for (size_t n = 0; n < bytes.len && n < TRUNCATE_MAX; n += step)
		run(c, path, hf_sv_first(bytes, n), CAP, NULL);
	for (int round = 0; round < FLIP_ROUNDS && bytes.len; round++) {
		char *copy = test_exact_copy(bytes);
		for (size_t i = 0; i < bytes.len / 100 + 1; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			copy[(seed >> 33) % bytes.len] = (char)(seed >> 24);
		}
		run(c, path, (hf_sv){ copy, bytes.len }, CAP, NULL);
		free(copy);
	}
}

static bool wanted(const struct hf_wants *w, hf_wants_set row, hf_sv path, hf_sv bytes)
{
	if (hf_wants_path(w, path) & row)
		return true;
	return (hf_wants_elf(w) & row) && hf_sv_starts(bytes, HF_SV("\177ELF"));
}

static bool run_case(const struct hf_cataloger *c, const struct hf_wants *w, hf_wants_set row, const char *dir,
		     bool update)
{
	char root[8192];
	struct hf_buf got = HF_BUF(64 << 20);
	bool there;

	snprintf(root, sizeof root, "%s/root", dir);
	struct test_files files = test_files_below(root);
	for (size_t i = 0; i < files.n; i++) {
		struct hf_buf bytes = test_read(root, files.paths[i], NULL);
		hf_sv path = hf_sv_of(files.paths[i]);
		if (wanted(w, row, path, hf_buf_view(&bytes))) {
			int whole = run(c, path, hf_buf_view(&bytes), CAP, &got);
			cap_sweep(c, path, hf_buf_view(&bytes), whole);
			mangle(c, path, hf_buf_view(&bytes));
		}
		hf_buf_done(&bytes);
	}
	if (update)
		test_write(dir, "expect.jsonl", hf_buf_view(&got));
	struct hf_buf want = test_read(dir, "expect.jsonl", &there);
	bool same = there && got.len && hf_sv_eq(hf_buf_view(&got), hf_buf_view(&want));
	if (!same)
		printf("# got:\n%.*s# want:\n%.*s", HF_SV_FMT(hf_buf_view(&got)), HF_SV_FMT(hf_buf_view(&want)));
	hf_buf_done(&got);
	hf_buf_done(&want);
	test_files_done(&files);
	return same;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && !strcmp(argv[1], "--update");
	const struct hf_cataloger *c = NULL;
	hf_wants_set row = 0;
	int bad = 0;

	argv += update;
	if (argc - update != 3)
		return 2;
	for (unsigned i = 0; hf_catalogers[i]; i++)
		if (!strcmp(hf_catalogers[i]->name, argv[1])) {
			c = hf_catalogers[i];
			row = UINT64_C(1) << i;
		}
	if (!c)
		return 2;
	struct hf_wants *w = hf_wants_new();
	struct test_files cases = test_names_in(argv[2], true);
	for (size_t i = 0; i < cases.n; i++) {
		char dir[4096];
		snprintf(dir, sizeof dir, "%s/%s", argv[2], cases.paths[i]);
		bool ok = run_case(c, w, row, dir, update);
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases.paths[i]);
		if (!ok)
			printf("# again: run_catalog_cases %s %s\n", argv[1], argv[2]);
		bad += !ok;
	}
	printf("1..%zu\n", cases.n);
	bad += !cases.n;
	test_files_done(&cases);
	hf_wants_free(w);
	return bad != 0;
}
