/* A read-only root, with what is written as tmpfs or volume. */
#include "harden/hardening.h"

static int write_options(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	int r = hf_hardening_refuse(err, &p->root_missing, 1);

	if (r)
		return r;
	hf_hardening_root_options(p, out);
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_read_only_root = {
	.name = "read_only_root",
	.title = "read-only root: options of docker run",
	.file = "read-only-root.args",
	.checked = "not tried on this workload; the project's tests run workloads under this form",
	.write = write_options,
};
