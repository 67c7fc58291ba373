#include "harden/hardening.h"

const struct hf_hardening *const hf_hardenings[] = {
#define HF_HARDENING(row) &hf_hardening_##row,
#include "harden/hardenings.def"
#undef HF_HARDENING
	NULL,
};

int hf_hardening_refuse(struct hf_err *err, const hf_sv *reasons, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (reasons[i].len)
			return hf_fail(err, HF_E_UNSUPPORTED, "%.*s", HF_SV_FMT(reasons[i]));
	return HF_OK;
}

int hf_hardening_ended(const struct hf_buf *out, struct hf_err *err)
{
	return out->over ? hf_fail(err, HF_E_LIMIT, "more than %zu bytes", out->max) : HF_OK;
}

void hf_hardening_capability_options(const struct hf_harden_plan *plan, struct hf_buf *out)
{
	hf_buf_add(out, HF_SV("--cap-drop=ALL\n"));
	for (unsigned i = 0; i < 64; i++)
		if (plan->capabilities >> i & 1 && hf_capability_short(i))
			hf_buf_addf(out, "--cap-add=%s\n", hf_capability_short(i));
}

void hf_hardening_root_options(struct hf_harden_plan *plan, struct hf_buf *out)
{
	const hf_sv *list = hf_names_list(&plan->tmpfs);

	hf_buf_add(out, HF_SV("--read-only\n"));
	for (size_t i = 0; i < hf_names_count(&plan->tmpfs); i++)
		hf_buf_addf(out, "--tmpfs=%.*s\n", HF_SV_FMT(list[i]));
	/* A volume takes over what the image holds there, a tmpfs would hide it. */
	list = hf_names_list(&plan->volumes);
	for (size_t i = 0; i < hf_names_count(&plan->volumes); i++)
		hf_buf_addf(out, "--mount=type=volume,dst=%.*s\n", HF_SV_FMT(list[i]));
}
