/* run_advisory_cases [--update] ROW DIR: TAP, one test a case.
 *
 * DIR/<case>/root/ holds files as they lie in a feed's folder ("osv/PyPI/all.zip!/X.json" for a member of a zip); each
 * that the row wants is given to it, in the order of paths, and what reaches its sink is compared with
 * DIR/<case>/expect.jsonl. Then the same files with memory caps from 0 upwards (each failure must be the limit), cut at
 * each length up to 4 KiB, and with one byte in a hundred changed, for the sanitizers to watch. */
#include <stdio.h>
#include <stdlib.h>

#include "base/glob.h"
#include "lib/advisory_sink.h"
#include "lib/files.h"

enum { CAP = 32 << 20, TRUNCATE_MAX = 4096, FLIP_ROUNDS = 20 };

static int run(const struct hf_advisory_reader *reader, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
	struct test_advisory_sink capture;
	char *exact = test_exact_copy(bytes);
	struct hf_err err = { 0 };

	test_advisory_sink_init(&capture);
	int r = reader->read(path, (hf_sv){ exact, bytes.len }, &a, &capture.sink, &err);
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

static void cap_sweep(const struct hf_advisory_reader *reader, hf_sv path, hf_sv bytes, int whole)
{
	for (size_t cap = 0; cap <= CAP; cap = cap < 8192 ? cap + 512 : cap * 2) {
		int r = run(reader, path, bytes, cap, NULL);
		if (r == whole && r != HF_PARTIAL)
			return;
		if (r != HF_E_LIMIT && r != HF_PARTIAL) {
			printf("# %.*s: with %zu bytes of memory: %d instead of the limit\n", HF_SV_FMT(path), cap, r);
			exit(3);
		}
	}
}

static void mangle(const struct hf_advisory_reader *reader, hf_sv path, hf_sv bytes)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;

	for (size_t n = 0; n < bytes.len && n < TRUNCATE_MAX; n++)
		run(reader, path, hf_sv_first(bytes, n), CAP, NULL);
	for (int round = 0; round < FLIP_ROUNDS && bytes.len; round++) {
		char *copy = test_exact_copy(bytes);
		for (size_t i = 0; i < bytes.len / 100 + 1; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			copy[(seed >> 33) % bytes.len] = (char)(seed >> 24);
		}
		run(reader, path, (hf_sv){ copy, bytes.len }, CAP, NULL);
		free(copy);
	}
}

static bool wanted(const struct hf_advisory_reader *reader, hf_sv path)
{
	bool yes = false;

	for (const char *const *g = reader->wants; *g; g++) {
		if (**g == '!' && hf_glob_match(hf_sv_of(*g + 1), path))
			return false;
		yes |= hf_glob_match(hf_sv_of(*g), path);
	}
	return yes;
}

static bool run_case(const struct hf_advisory_reader *reader, const char *dir, bool update)
{
	char root[8192];
	struct hf_buf got = HF_BUF(64 << 20);
	bool there;

	snprintf(root, sizeof root, "%s/root", dir);
	struct test_files files = test_files_below(root);
	for (size_t i = 0; i < files.n; i++) {
		struct hf_buf bytes = test_read(root, files.paths[i], NULL);
		hf_sv path = hf_sv_of(files.paths[i]);
		if (wanted(reader, path)) {
			int whole = run(reader, path, hf_buf_view(&bytes), CAP, &got);
			cap_sweep(reader, path, hf_buf_view(&bytes), whole);
			mangle(reader, path, hf_buf_view(&bytes));
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
	const struct hf_advisory_reader *reader = NULL;
	int bad = 0;

	argv += update;
	if (argc - update != 3)
		return 2;
	for (unsigned i = 0; hf_advisory_readers[i]; i++)
		if (!strcmp(hf_advisory_readers[i]->name, argv[1]))
			reader = hf_advisory_readers[i];
	if (!reader)
		return 2;
	struct test_files cases = test_names_in(argv[2], true);
	for (size_t i = 0; i < cases.n; i++) {
		char dir[4096];
		snprintf(dir, sizeof dir, "%s/%s", argv[2], cases.paths[i]);
		bool ok = run_case(reader, dir, update);
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases.paths[i]);
		if (!ok)
			printf("# again: run_advisory_cases %s %s\n", argv[1], argv[2]);
		bad += !ok;
	}
	printf("1..%zu\n", cases.n);
	bad += !cases.n;
	test_files_done(&cases);
	return bad != 0;
}
