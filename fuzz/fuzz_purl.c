/* A purl that parses is written as a purl that parses to the same string. */
#include <stdlib.h>

#include "base/limits.h"
#include "model/purl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct hf_purl p, again;
	struct hf_err err = { 0 };

	if (hf_purl_parse((hf_sv){ (const char *)data, size }, &a, &p, &err) < 0)
		return 0;
	hf_sv text = hf_purl_format(&p, &a);
	if (a.over)
		return 0;
	if (hf_purl_parse(text, &a, &again, &err) < 0 && !a.over)
		abort();
	if (!hf_sv_eq(text, hf_purl_format(&again, &a)) && !a.over)
		abort();
	return 0;
}
