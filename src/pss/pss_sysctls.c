#include "pss/eval.h"

static const struct {
	hf_sv name;
	unsigned since;
} safe[] = {
	{ HF_SV_INIT("kernel.shm_rmid_forced"), 0 },
	{ HF_SV_INIT("net.ipv4.ip_local_port_range"), 0 },
	{ HF_SV_INIT("net.ipv4.tcp_syncookies"), 0 },
	{ HF_SV_INIT("net.ipv4.ping_group_range"), 0 },
	{ HF_SV_INIT("net.ipv4.ip_unprivileged_port_start"), 0 },
	{ HF_SV_INIT("net.ipv4.ip_local_reserved_ports"), 27 },
	{ HF_SV_INIT("net.ipv4.tcp_keepalive_time"), 29 },
	{ HF_SV_INIT("net.ipv4.tcp_fin_timeout"), 29 },
	{ HF_SV_INIT("net.ipv4.tcp_keepalive_intvl"), 29 },
	{ HF_SV_INIT("net.ipv4.tcp_keepalive_probes"), 29 },
	{ HF_SV_INIT("net.ipv4.tcp_rmem"), 32 },
	{ HF_SV_INIT("net.ipv4.tcp_wmem"), 32 },
};

static bool is_safe(hf_sv name, unsigned minor)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(safe); i++)
		if (hf_sv_eq(name, safe[i].name))
			return minor >= safe[i].since;
	return false;
}

static void pod(struct hf_pss_eval *e)
{
	struct hf_pss_at sysctls = hf_pss_member(e, hf_pss_pod_security(e), HF_SV("sysctls"), HF_VALUE_ARRAY);

	for (size_t i = 0; i < hf_pss_count(&sysctls); i++) {
		struct hf_pss_at one = hf_pss_element(e, &sysctls, i, HF_VALUE_OBJECT);
		struct hf_pss_at name = hf_pss_member(e, &one, HF_SV("name"), HF_VALUE_STRING);
		if (!name.wrong && !is_safe(hf_pss_text(&name), e->minor))
			hf_pss_forbid(e, &name);
	}
}

const struct hf_pss_control hf_pss_sysctls = {
	.id = "sysctls",
	.level = HF_PSS_BASELINE,
	.since = 0,
	.overridden_from = HF_PSS_NEVER,
	.windows_from = HF_PSS_NEVER,
	.what = "kernel parameters that are not safe to set for one pod",
	.fix = "take them out of securityContext.sysctls",
	.pod = pod,
};
