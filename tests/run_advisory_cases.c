/* run_advisory_cases [--update] ROW DIR: TAP, one test a case, as lib/case_runner.h has it. Files lie below root/ as in a feed's folder
 * ("osv/PyPI/all.zip!/X.json" for a member of a zip). */
#include <stdio.h>

#include "base/glob.h"
#include "lib/advisory_sink.h"
#include "lib/case_runner.h"

enum { CAP = 32 << 20 };

static bool wants(void *ctx, hf_sv path, hf_sv bytes)
{
	const struct hf_advisory_reader *reader = ctx;
	bool yes = false;

	(void)bytes;
	for (const char *const *g = reader->wants; *g; g++) {
		if (**g == '!' && hf_glob_match(hf_sv_of(*g + 1), path))
			return false;
		yes |= hf_glob_match(hf_sv_of(*g), path);
	}
	return yes;
}

static int read_feed(void *ctx, hf_sv path, hf_sv bytes, size_t cap, struct hf_buf *text, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(cap);
	struct test_advisory_sink capture;

	test_advisory_sink_init(&capture);
	int r = ((const struct hf_advisory_reader *)ctx)->read(path, bytes, &a, &capture.sink, err);
	if (text)
		hf_buf_add(text, hf_buf_view(&capture.text));
	hf_buf_done(&capture.text);
	return r;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && !strcmp(argv[1], "--update");
	const struct hf_advisory_reader *reader = NULL;

	argv += update;
	if (argc - update != 3)
		return 2;
	for (unsigned i = 0; hf_advisory_readers[i]; i++)
		if (!strcmp(hf_advisory_readers[i]->name, argv[1]))
			reader = hf_advisory_readers[i];
	if (!reader)
		return 2;
	const struct test_case_row cases = { .ctx = (void *)(uintptr_t)reader,
					     .cap = CAP,
					     .wants = wants,
					     .read = read_feed,
					     .partial_may_grow = true };
	char again[100];
	snprintf(again, sizeof again, "run_advisory_cases %s", argv[1]);
	return test_case_run(&cases, argv[2], update, again);
}
