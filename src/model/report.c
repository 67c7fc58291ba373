#include "model/report.h"

const char *hf_status_name(enum hf_status status)
{
	static const char *const names[HF_STATUS_MAX] = {
		[HF_STATUS_AFFECTED] = "affected",
		[HF_STATUS_FIXED_AVAILABLE] = "fixed_available",
		[HF_STATUS_WILL_NOT_FIX] = "will_not_fix",
		[HF_STATUS_NOT_AFFECTED] = "not_affected",
		[HF_STATUS_UNDER_INVESTIGATION] = "under_investigation",
	};
	return status < HF_STATUS_MAX ? names[status] : "under_investigation";
}

const char *hf_severity_name(enum hf_severity severity)
{
	static const char *const names[HF_SEV_MAX] = { "unknown", "negligible", "low", "medium", "high", "critical" };

	return severity < HF_SEV_MAX ? names[severity] : "unknown";
}

enum hf_severity hf_severity_of(hf_sv word)
{
	static const struct {
		hf_sv word;
		enum hf_severity severity;
	} words[] = {
		{ HF_SV_INIT("critical"), HF_SEV_CRITICAL },     { HF_SV_INIT("high"), HF_SEV_HIGH },
		{ HF_SV_INIT("important"), HF_SEV_HIGH },        { HF_SV_INIT("medium"), HF_SEV_MEDIUM },
		{ HF_SV_INIT("moderate"), HF_SEV_MEDIUM },       { HF_SV_INIT("low"), HF_SEV_LOW },
		{ HF_SV_INIT("negligible"), HF_SEV_NEGLIGIBLE }, { HF_SV_INIT("unimportant"), HF_SEV_NEGLIGIBLE },
		{ HF_SV_INIT("none"), HF_SEV_NEGLIGIBLE },
	};
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_eq_ascii(word, words[i].word))
			return words[i].severity;
	return HF_SEV_UNKNOWN;
}

const char *hf_layer_role_name(enum hf_layer_role role)
{
	static const char *const names[HF_ROLE_MAX] = { "unknown",      "base",        "runtime",
							"dependencies", "application", "configuration" };

	return role < HF_ROLE_MAX ? names[role] : "unknown";
}
