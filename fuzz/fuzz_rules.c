/* Any bytes as a file of rules and as a file of exceptions over the built-in lists: what is taken is evaluated over an event. */
#include <stdlib.h>

#include "base/limits.h"
#include "baseline/exceptions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *ctx, const struct hf_event *alert, struct hf_err *err)
{
	(void)ctx;
	(void)err;
	if (!hf_event_string(alert, HF_FIELD_ALERT_REASON).len)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hf_rules_source source = { HF_SV("fuzz"), { (const char *)data, size }, false };
	const struct hf_event_sink sink = { take, NULL };
	const struct hf_rules_notes quiet = { 0 };
	struct hf_rules *rules;
	struct hf_exceptions *exceptions;

	if (hf_rules_load(&source, 1, quiet, &rules, NULL) < 0)
		return 0;
	hf_rules_lint(rules, quiet);
	struct hf_event e = { .kind = HF_EVENT_EXEC };
	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, HF_SV("c"));
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, HF_SV("/bin/sh"));
	if (hf_rules_evaluate(rules, &e, &sink, NULL))
		abort();
	if (hf_exceptions_load(&source, 1, rules, quiet, &exceptions, NULL) >= 0) {
		struct hf_event_sink through = hf_exceptions_sink(exceptions, sink, sink);
		if (hf_rules_evaluate(rules, &e, &through, NULL))
			abort();
		hf_exceptions_free(exceptions);
	}
	hf_rules_free(rules);
	return 0;
}
