/* All of it as options of docker run, one a line: docker run $(cat docker-run.args) IMAGE. */
#include "harden/hardening.h"

static int write_options(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv all[] = { p->capabilities_missing, p->root_missing, p->syscalls_missing };
	bool any = !all[0].len || !all[1].len || !all[2].len;

	if (!any)
		return hf_hardening_refuse(err, all, HF_ARRAY_SIZE(all));
	if (!p->capabilities_missing.len)
		hf_hardening_capability_options(p, out);
	if (p->no_new_privileges)
		hf_buf_add(out, HF_SV("--security-opt=no-new-privileges\n"));
	if (!p->syscalls_missing.len && !p->privileges_missing.len)
		hf_buf_add(out, HF_SV("--security-opt=seccomp=seccomp.json\n"));
	if (!p->root_missing.len)
		hf_hardening_root_options(p, out);
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_docker = {
	.name = "docker",
	.title = "all of it: options of docker run",
	.file = "docker-run.args",
	.checked = "not tried on this workload; the project's tests run workloads under this form",
	.write = write_options,
};
