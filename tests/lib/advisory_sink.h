/* A sink that writes all that reaches it as JSON lines, for case runners. */
#pragma once
#include "advisory/reader.h"
#include "base/buffer.h"

struct test_advisory_sink {
	struct hf_advisory_sink sink;
	struct hf_buf text; /* .max set by test_advisory_sink_init */
};

void test_advisory_sink_init(struct test_advisory_sink *s);
