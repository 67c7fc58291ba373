/* run_codec_cases ROW FOLDER: each case holds `input` and either `expect` (the decoded bytes) or `error` (the code's
 * name as FORMAT, TRUNCATED, LIMIT, with what is decoded before it in `expect` where that matters). TAP. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/codec.h"
#include "lib/files.h"

static const char *name_of(int code)
{
	switch (code) {
	case HF_OK:
		return "OK";
	case HF_E_FORMAT:
		return "FORMAT";
	case HF_E_TRUNCATED:
		return "TRUNCATED";
	case HF_E_LIMIT:
		return "LIMIT";
	}
	return "other";
}

/* Reads all of it @step bytes at a time, so that the pieces cross the decoder's buffers in different places. */
static int decode(const struct hf_codec *c, hf_sv input, size_t step, struct hf_buf *out)
{
	hf_cleanup(hf_in_closep) struct hf_in *inner = hf_in_of_bytes(input);
	hf_cleanup(hf_in_closep) struct hf_in *in = c->open(inner, NULL);

	for (size_t n; (n = hf_in_need(in, step)) && !out->over;) {
		n = n < step ? n : step;
		hf_buf_add(out, (hf_sv){ in->ptr, n });
		hf_in_take(in, n);
	}
	return hf_in_failed(in);
}

static bool run_case(const struct hf_codec *c, const char *dir)
{
	bool has_expect, has_error, ok = true;
	struct hf_buf input = test_read(dir, "input", NULL), expect = test_read(dir, "expect", &has_expect),
		      error = test_read(dir, "error", &has_error);
	static const size_t steps[] = { 1, 4096, 1 << 20 };

	for (size_t i = 0; i < HF_ARRAY_SIZE(steps); i++) {
		hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(80));
		int code = decode(c, hf_buf_view(&input), steps[i], &out);
		hf_sv want = has_error ? hf_sv_trim(hf_buf_view(&error)) : HF_SV("OK");
		if (!hf_sv_eq(hf_sv_of(name_of(code)), want)) {
			printf("# step %zu: %s, expected %.*s\n", steps[i], name_of(code), HF_SV_FMT(want));
			ok = false;
		}
		if (has_expect && !hf_sv_eq(hf_buf_view(&out), hf_buf_view(&expect))) {
			printf("# step %zu: %zu bytes, other than the %zu expected\n", steps[i], out.len, expect.len);
			ok = false;
		}
	}
	hf_buf_done(&input);
	hf_buf_done(&expect);
	hf_buf_done(&error);
	return ok && (has_expect || has_error);
}

int main(int argc, char **argv)
{
	const struct hf_codec *c = NULL;
	int failed = 0;

	if (argc != 3)
		return 2;
	for (size_t i = 0; hf_codecs[i]; i++)
		if (strcmp(hf_codecs[i]->name, argv[1]) == 0)
			c = hf_codecs[i];
	if (!c)
		return 2;
	struct test_files cases = test_names_in(argv[2], true);
	printf("1..%zu\n", cases.n);
	for (size_t i = 0; i < cases.n; i++) {
		char dir[4096];
		snprintf(dir, sizeof dir, "%s/%s", argv[2], cases.paths[i]);
		bool ok = run_case(c, dir);
		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1, cases.paths[i]);
		failed += !ok;
	}
	bool any = cases.n > 0;
	test_files_done(&cases);
	return failed || !any;
}
