#include "baseline/condition.h"

#include "base/nearest.h"

static const char *field_name(void *ctx, size_t i)
{
	(void)ctx;
	return hf_event_fields[i].name;
}

const char *hf_nearest_field(hf_sv word)
{
	return hf_nearest_name(word, field_name, HF_EVENT_FIELDS, NULL);
}
