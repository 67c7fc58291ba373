/* value_dump [block|library]: reads framed documents (length as 32 bits, little-endian, then bytes) from standard input and writes a
 * frame for each: "J" and JSON, "E" and the fault, with block also "O" where that reader gives up. For tests/oracle and by hand. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "format/json_writer.h"
#include "format/value_yaml_internal.h"

static void frame(char kind, hf_sv s)
{
	uint32_t n = (uint32_t)s.len + 1;
	unsigned char head[5] = { (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16),
				  (unsigned char)(n >> 24), (unsigned char)kind };

	fwrite(head, 1, sizeof head, stdout);
	fwrite(s.ptr, 1, s.len, stdout);
}

static int read_one(const char *how, hf_sv text, struct hf_arena *a, struct hf_value *v, struct hf_err *err)
{
	const struct hf_value_notes none = { 0 };

	if (!strcmp(how, "block"))
		return hf_value_of_yaml_block(text, 0, a, (struct hf_value_notes){ 0 }, v) ? 0 : HF_PARTIAL;
	return !strcmp(how, "library") ? hf_value_of_yaml_library(text, 0, 1, a, none, v, err)
				       : hf_value_of_yaml(text, 0, 1, a, none, v, err);
}

int main(int argc, char **argv)
{
	unsigned char head[4];

	while (fread(head, 1, 4, stdin) == 4) {
		size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_GIB(1));
		hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_GIB(1));
		struct hf_json_writer w = { .out = &out, .compact = true };
		struct hf_value v;
		struct hf_err err = { 0 };
		char *text = malloc(n + 1);
		if (!text || fread(text, 1, n, stdin) != n)
			return 2;
		int r = read_one(argc > 1 ? argv[1] : "", (hf_sv){ text, n }, &a, &v, &err);
		if (!r)
			hf_value_write_json(&w, &v);
		frame(r == HF_PARTIAL ? 'O' : r ? 'E' : 'J', r ? hf_sv_of(err.msg) : hf_buf_view(&out));
		free(text);
	}
	return 0;
}
