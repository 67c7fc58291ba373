/* run_harden_cases ROW FOLDER [--update]: each case is named as a scenario of tests/cases/harden_scenarios and holds `expect`
 * (the text that the row writes) or `refused` (the reason). Each runs again with memory caps from zero up. TAP. */
#include <stdio.h>
#include <string.h>

#include "lib/files.h"
#include "lib/harden.h"

struct scenario {
	struct hf_buf trace, grant;
};

static int render(const struct hf_hardening *row, const struct scenario *s, size_t cap, struct hf_buf *out,
		  struct hf_err *err)
{
	struct test_harden h;
	int r = test_harden_init(&h, hf_buf_view(&s->trace), hf_buf_view(&s->grant), cap);

	*err = h.err;
	if (!r)
		r = row->write(&h.plan, out, err);
	if (!r && h.arena.over)
		r = hf_fail(err, HF_E_LIMIT, "the arena is full");
	test_harden_done(&h);
	return r;
}

/* With each cap the answer is the same or HF_E_LIMIT. */
static bool sweep(const struct hf_hardening *row, const struct scenario *s, int code, hf_sv want)
{
	for (size_t cap = 0; cap < 1 << 18; cap += cap < 1 << 14 ? 512 : 8192) {
		hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(1 << 20);
		struct hf_err err = { 0 };
		int r = render(row, s, cap, &out, &err);
		if (r != HF_E_LIMIT && (r != code || (!r && !hf_sv_eq(hf_buf_view(&out), want)))) {
			printf("# cap %zu: %d %s\n", cap, r, err.msg);
			return false;
		}
	}
	return true;
}

static bool run_case(const struct hf_hardening *row, const char *dir, const char *name, bool update)
{
	char path[4096], scenario_dir[4096];
	bool has_expect, has_refused, has_grant;
	struct hf_err err = { 0 };
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(1 << 20);

	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(scenario_dir, sizeof scenario_dir, "%s/../../harden_scenarios/%s", dir, name);
	struct scenario s = { .trace = test_read(scenario_dir, "trace.jsonl", NULL) };
	s.grant = test_read(scenario_dir, "grant.json", &has_grant);
	int r = render(row, &s, 1 << 24, &out, &err);
	hf_sv got = r ? hf_sv_of(err.msg) : hf_buf_view(&out);
	if (update)
		test_write(path, r ? "refused" : "expect", got);
	struct hf_buf expect = test_read(path, "expect", &has_expect),
		      refused = test_read(path, "refused", &has_refused);
	hf_sv want = has_expect ? hf_buf_view(&expect) : hf_sv_trim(hf_buf_view(&refused));
	bool ok = has_expect != has_refused && has_expect == !r && hf_sv_eq(got, want);
	if (!ok)
		printf("# %d, expected %s:\n%.*s\n# got:\n%.*s\n", r, has_expect ? "a text" : "a refusal",
		       HF_SV_FMT(want), HF_SV_FMT(got));
	ok = ok && sweep(row, &s, r, got);
	hf_buf_done(&expect);
	hf_buf_done(&refused);
	hf_buf_done(&s.trace);
	hf_buf_done(&s.grant);
	return ok;
}

int main(int argc, char **argv)
{
	const struct hf_hardening *row = NULL;
	int failed = 0;

	if (argc < 3)
		return 2;
	for (size_t i = 0; hf_hardenings[i]; i++)
		if (strcmp(hf_hardenings[i]->name, argv[1]) == 0)
			row = hf_hardenings[i];
	if (!row)
		return 2;
	struct test_files cases = test_names_in(argv[2], true);
	printf("1..%zu\n", cases.n);
	for (size_t i = 0; i < cases.n; i++) {
		bool ok = run_case(row, argv[2], cases.paths[i], argc > 3);
		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1, cases.paths[i]);
		failed += !ok;
	}
	bool any = cases.n > 0;
	test_files_done(&cases);
	return failed || !any;
}
