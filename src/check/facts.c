/* What checks ask often. */
#include "check/check.h"

const struct hf_value *hf_check_security_setting(const struct hf_check_run *r, const char *field)
{
	const struct hf_value *v = r->container ? hf_value_get(r->container->security_context, hf_sv_of(field)) : NULL;

	return v ? v : hf_value_get(r->pod->security_context, hf_sv_of(field));
}
