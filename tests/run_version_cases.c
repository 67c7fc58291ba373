/* run_version_cases ROW DIR: TAP, one test a case file. Each line of DIR/<case>.tsv is "A<TAB>OP<TAB>B" with OP one of
 * < = > ? (cannot tell); '#' begins a comment line, which says where in the reference the lines below come from. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/files.h"
#include "version/version.h"

static char sign(enum hf_order order)
{
	return order == HF_ORDER_LESS ? '<' : order == HF_ORDER_EQUAL ? '=' : order == HF_ORDER_GREATER ? '>' : '?';
}

static char mirrored(char op)
{
	return op == '<' ? '>' : op == '>' ? '<' : op;
}

static bool check_line(const struct hf_version_scheme *s, hf_sv line)
{
	hf_sv a, op, b;

	if (!hf_sv_cut(line, '\t', &a, &b) || !hf_sv_cut(b, '\t', &op, &b) || op.len != 1 ||
	    !strchr("<=>?", op.ptr[0])) {
		printf("# not a case: %.*s\n", HF_SV_FMT(line));
		return false;
	}
	char there = sign(s->compare(a, b)), back = sign(s->compare(b, a));
	if (there == op.ptr[0] && back == mirrored(op.ptr[0]))
		return true;
	printf("# %.*s: got %c, and %c the other way round\n", HF_SV_FMT(line), there, back);
	return false;
}

static bool check_file(const struct hf_version_scheme *s, hf_sv text)
{
	bool ok = true;
	size_t n = 0;

	for (hf_sv line; text.ptr && hf_sv_next(&text, '\n', &line);) {
		if (!line.len || line.ptr[0] == '#')
			continue;
		ok &= check_line(s, line);
		n++;
	}
	return ok && n;
}

int main(int argc, char **argv)
{
	const struct hf_version_scheme *s = argc == 3 ? hf_version_scheme_named(hf_sv_of(argv[1])) : NULL;
	int bad = 0;

	if (!s)
		return 2;
	struct test_files cases = test_names_in(argv[2], false);
	for (size_t i = 0; i < cases.n; i++) {
		struct hf_buf text = test_read(argv[2], cases.paths[i], NULL);
		bool ok = check_file(s, hf_buf_view(&text));
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, cases.paths[i]);
		bad += !ok;
		hf_buf_done(&text);
	}
	printf("1..%zu\n", cases.n);
	bad += !cases.n;
	test_files_done(&cases);
	return bad != 0;
}
