#include "pss/eval.h"

enum { ENGINE_SINCE = 31 };

static void set_at_all(struct hf_pss_eval *e, const struct hf_pss_at *options, hf_sv key)
{
	struct hf_pss_at at = hf_pss_member(e, options, key, HF_VALUE_STRING);

	if (hf_pss_text(&at).len)
		hf_pss_forbid(e, &at);
}

static void look(struct hf_pss_eval *e, const struct hf_pss_at *security)
{
	static const hf_sv types[] = { HF_SV_INIT(""), HF_SV_INIT("container_t"), HF_SV_INIT("container_init_t"),
				       HF_SV_INIT("container_kvm_t"), HF_SV_INIT("container_engine_t") };
	size_t n = e->minor >= ENGINE_SINCE ? HF_ARRAY_SIZE(types) : HF_ARRAY_SIZE(types) - 1;
	struct hf_pss_at options = hf_pss_member(e, security, HF_SV("seLinuxOptions"), HF_VALUE_OBJECT);
	struct hf_pss_at type = hf_pss_member(e, &options, HF_SV("type"), HF_VALUE_STRING);

	if (!hf_pss_one_of(hf_pss_text(&type), types, n))
		hf_pss_forbid(e, &type);
	set_at_all(e, &options, HF_SV("user"));
	set_at_all(e, &options, HF_SV("role"));
}

static void pod(struct hf_pss_eval *e)
{
	look(e, hf_pss_pod_security(e));
}

static void container(struct hf_pss_eval *e, const struct hf_pss_at *c)
{
	struct hf_pss_at security = hf_pss_member(e, c, HF_SV("securityContext"), HF_VALUE_OBJECT);

	look(e, &security);
}

const struct hf_pss_control hf_pss_se_linux_options = {
	.id = "seLinuxOptions",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "SELinux labels that are not a container's",
	.fix = "leave user and role out, and type too or one of container_t, container_init_t, container_kvm_t, "
	       "container_engine_t (from 1.31)",
	.pod = pod,
	.container = container,
};
