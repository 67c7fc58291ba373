#include "lib/harden.h"

#include "trace/trace.h"

int test_harden_init(struct test_harden *h, hf_sv trace, hf_sv grant, size_t cap)
{
	int r = HF_OK;
	hf_sv line;

	*h = (struct test_harden){ .arena = HF_ARENA(cap), .scratch = HF_ARENA(1 << 22) };
	hf_usage_init(&h->usage, &h->arena);
	hf_grant_init(&h->grant, &h->arena);
	while (!r && trace.ptr && hf_sv_next(&trace, '\n', &line)) {
		struct hf_event event = { 0 };
		if (line.len && hf_trace_read(line, &h->scratch, &event, NULL, NULL) >= 0)
			r = hf_usage_take(&h->usage, &event, &h->err);
		hf_arena_reset(&h->scratch);
	}
	r = r ? r : hf_usage_check(&h->usage, &h->err);
	if (!r && grant.len)
		r = hf_grant_read(grant, (hf_sv){ 0 }, &h->grant, &h->err);
	return r ? r : hf_harden_plan(&h->usage, grant.len ? &h->grant : NULL, &h->arena, &h->plan, &h->err);
}

void test_harden_done(struct test_harden *h)
{
	hf_arena_done(&h->arena);
	hf_arena_done(&h->scratch);
}
