/* A trace and a grant in memory, made a plan. Test code. */
#pragma once
#include "harden/difference.h"
#include "harden/hardening.h"

struct test_harden {
	struct hf_arena arena, scratch;
	struct hf_usage usage;
	struct hf_grant grant;
	struct hf_harden_plan plan;
	struct hf_err err;
};

/* The code of the first step that failed, with h->err; lines that are no events are passed over. An empty @grant: none. */
int test_harden_init(struct test_harden *h, hf_sv trace, hf_sv grant, size_t cap);
void test_harden_done(struct test_harden *h);
