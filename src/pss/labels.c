#include "pss/labels.h"

const char *const hf_pss_mode_names[HF_PSS_MODES] = { "enforce", "audit", "warn" };

static const struct {
	hf_sv level, version;
} labels_of[HF_PSS_MODES] = {
	{ HF_SV_INIT("pod-security.kubernetes.io/enforce"), HF_SV_INIT("pod-security.kubernetes.io/enforce-version") },
	{ HF_SV_INIT("pod-security.kubernetes.io/audit"), HF_SV_INIT("pod-security.kubernetes.io/audit-version") },
	{ HF_SV_INIT("pod-security.kubernetes.io/warn"), HF_SV_INIT("pod-security.kubernetes.io/warn-version") },
};

struct reading {
	struct hf_pss_policy policy;
	bool has_level, has_version, understood;
	const struct hf_value *wrong;
};

static struct reading read_mode(const struct hf_value *labels, enum hf_pss_mode mode, struct hf_pss_policy otherwise)
{
	const struct hf_value *level = hf_value_get(labels, labels_of[mode].level);
	const struct hf_value *version = hf_value_get(labels, labels_of[mode].version);
	struct reading r = { .policy = otherwise, .has_level = level, .has_version = version, .understood = level };

	if (version && !hf_pss_version_of(hf_value_text(version), &r.policy.minor)) {
		r.policy.minor = HF_PSS_LATEST;
		r.wrong = version;
	}
	if (level && !hf_pss_level_of(hf_value_text(level), &r.policy.level)) {
		r.policy.level = mode == HF_PSS_ENFORCE ? HF_PSS_RESTRICTED : HF_PSS_PRIVILEGED;
		r.understood = false;
		r.wrong = level;
	}
	return r;
}

struct hf_pss_policy hf_pss_policy_of_labels(const struct hf_value *labels, enum hf_pss_mode mode,
					     struct hf_pss_policy otherwise, const struct hf_value **ret_wrong)
{
	struct reading r = read_mode(labels, mode, otherwise);

	/* Whoever is refused at a stricter level than warnings are set to is warned at that level. */
	if (mode == HF_PSS_WARN && !r.has_level) {
		struct reading enforce = read_mode(labels, HF_PSS_ENFORCE, otherwise);
		if (enforce.understood && enforce.policy.level > r.policy.level) {
			r.policy.level = enforce.policy.level;
			if (!r.has_version)
				r.policy.minor = enforce.policy.minor;
		}
	}
	if (ret_wrong)
		*ret_wrong = r.wrong;
	return r.policy;
}
