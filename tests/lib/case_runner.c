#include "case_runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "files.h"

enum { TRUNCATE_MAX = 4096, FLIP_ROUNDS = 20 };

struct hf_json_writer test_line_begin(struct hf_buf *text, const char *kind)
{
	struct hf_json_writer w = { .out = text, .compact = true };

	hf_jw_object(&w);
	hf_jw_key(&w, kind);
	hf_jw_object(&w);
	return w;
}

int test_line_end(struct hf_json_writer *w, struct hf_err *err)
{
	hf_jw_object_end(w);
	hf_jw_object_end(w);
	return hf_jw_finish(w, err);
}

static int read_file(const struct test_case_row *row, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text)
{
	char *exact = test_exact_copy(bytes);
	struct hf_err err = { 0 };
	int r = row->read(row->ctx, path, (hf_sv){ exact, bytes.len }, cap, text, &err);

	if (text)
		hf_buf_addf(text, "{\"result\":{\"path\":\"%.*s\",\"code\":\"%s\"%s%s%s}}\n", HF_SV_FMT(path),
			    r == HF_OK        ? "ok"
			    : r == HF_PARTIAL ? "partial"
					      : "failed",
			    r < 0 ? ",\"error\":\"" : "", r < 0 ? err.msg : "", r < 0 ? "\"" : "");
	free(exact);
	return r;
}

static void cap_sweep(const struct test_case_row *row, hf_sv path, hf_sv bytes, int whole)
{
	for (size_t cap = 0; cap <= row->cap; cap = cap < 8192 ? cap + 512 : cap * 2) {
		int r = read_file(row, path, bytes, cap, NULL);
		if (r == whole && !(row->partial_may_grow && r == HF_PARTIAL))
			return;
		if (r != HF_E_LIMIT && r != HF_PARTIAL) {
			printf("# %.*s: with %zu bytes of memory: %d instead of the limit\n", HF_SV_FMT(path), cap, r);
			exit(3);
		}
	}
}

static void mangle(const struct test_case_row *row, hf_sv path, hf_sv bytes)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t step = row->few_cuts_above && bytes.len > row->few_cuts_above ? 64 : 1;

	for (size_t n = 0; n < bytes.len && n < TRUNCATE_MAX; n += step)
		read_file(row, path, hf_sv_first(bytes, n), row->cap, NULL);
	for (int round = 0; round < FLIP_ROUNDS && bytes.len; round++) {
		char *copy = test_exact_copy(bytes);
		for (size_t i = 0; i < bytes.len / 100 + 1; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			copy[(seed >> 33) % bytes.len] = (char)(seed >> 24);
		}
		read_file(row, path, (hf_sv){ copy, bytes.len }, row->cap, NULL);
		free(copy);
	}
}

static bool run_case(const struct test_case_row *row, const char *dir, bool update)
{
	char root[8192];
	struct hf_buf got = HF_BUF(64 << 20);
	bool there;

	snprintf(root, sizeof root, "%s/root", dir);
	struct test_files files = test_files_below(root);
	for (size_t i = 0; i < files.n; i++) {
		struct hf_buf bytes = test_read(root, files.paths[i], NULL);
		hf_sv path = hf_sv_of(files.paths[i]);
		if (row->wants(row->ctx, path, hf_buf_view(&bytes))) {
			int whole = read_file(row, path, hf_buf_view(&bytes), row->cap, &got);
			cap_sweep(row, path, hf_buf_view(&bytes), whole);
			mangle(row, path, hf_buf_view(&bytes));
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

int test_case_run(const struct test_case_row *row, const char *dir, bool update, const char *again)
{
	struct test_files cases = test_names_in(dir, true);
	int bad = !cases.n;

	for (size_t i = 0; i < cases.n; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", dir, cases.paths[i]);
		bool ok = run_case(row, path, update);
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases.paths[i]);
		if (!ok)
			printf("# again: %s %s\n", again, dir);
		bad += !ok;
	}
	printf("1..%zu\n", cases.n);
	test_files_done(&cases);
	return bad != 0;
}
