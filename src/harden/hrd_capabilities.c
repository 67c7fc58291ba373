/* Capabilities as options of docker run and podman run. */
#include "harden/hardening.h"

static int write_options(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	int r = hf_hardening_refuse(err, &p->capabilities_missing, 1);

	if (r)
		return r;
	hf_hardening_capability_options(p, out);
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_capabilities = {
	.name = "capabilities",
	.title = "capabilities: options of docker run",
	.file = "capabilities.args",
	.checked = "not tried on this workload; the project's tests run workloads under this form",
	.write = write_options,
};
