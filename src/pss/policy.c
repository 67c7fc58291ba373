#include <stdio.h>

#include "pss/pss.h"

static const char *const level_names[] = {
	[HF_PSS_PRIVILEGED] = "privileged", [HF_PSS_BASELINE] = "baseline", [HF_PSS_RESTRICTED] = "restricted"
};

const char *hf_pss_level_name(enum hf_pss_level level)
{
	return level_names[level];
}

bool hf_pss_level_of(hf_sv text, enum hf_pss_level *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(level_names); i++)
		if (hf_sv_eq(text, hf_sv_of(level_names[i]))) {
			*ret = (enum hf_pss_level)i;
			return true;
		}
	return false;
}

bool hf_pss_version_of(hf_sv text, uint64_t *ret_minor)
{
	uint64_t minor;

	if (hf_sv_eq(text, HF_SV("latest"))) {
		*ret_minor = HF_PSS_LATEST;
		return true;
	}
	if (!hf_sv_starts(text, HF_SV("v1.")))
		return false;
	text = hf_sv_skip(text, 3);
	if (!hf_sv_to_u64(text, &minor) || minor > INT64_MAX || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	*ret_minor = minor;
	return true;
}

bool hf_pss_policy_of(hf_sv text, struct hf_pss_policy *ret)
{
	char with_v[32];
	hf_sv level = text, version = HF_SV("latest");
	struct hf_pss_policy p = { 0 };

	hf_sv_cut(text, ':', &level, &version);
	if (hf_sv_starts(version, HF_SV("1.")) && version.len < sizeof with_v - 1) {
		int n = snprintf(with_v, sizeof with_v, "v%.*s", HF_SV_FMT(version));
		version = (hf_sv){ with_v, (size_t)n };
	}
	if (!hf_pss_level_of(level, &p.level) || !hf_pss_version_of(version, &p.minor))
		return false;
	*ret = p;
	return true;
}

hf_sv hf_pss_version_text(uint64_t minor, char out[24])
{
	if (minor == HF_PSS_LATEST)
		return HF_SV("latest");
	return (hf_sv){ out, (size_t)snprintf(out, 24, "v1.%llu", (unsigned long long)minor) };
}
