/* All of it for a service of a compose file (compose-spec, "services"). */
#include "harden/hardening.h"

static void write_list(struct hf_buf *out, const char *key, struct hf_names *names)
{
	const hf_sv *list = hf_names_list(names);

	if (!hf_names_count(names))
		return;
	hf_buf_addf(out, "    %s:\n", key);
	for (size_t i = 0; list && i < hf_names_count(names); i++)
		hf_buf_addf(out, "      - %.*s\n", HF_SV_FMT(list[i]));
}

static int write_service(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv all[] = { p->capabilities_missing, p->root_missing, p->syscalls_missing };
	bool has_seccomp = !p->syscalls_missing.len && !p->privileges_missing.len;

	if (all[0].len && all[1].len && all[2].len)
		return hf_hardening_refuse(err, all, HF_ARRAY_SIZE(all));
	hf_buf_addf(out, "services:\n  %.*s:\n", HF_SV_FMT(p->name));
	if (!p->capabilities_missing.len) {
		hf_buf_add(out, HF_SV("    cap_drop:\n      - ALL\n"));
		if (p->capabilities)
			hf_buf_add(out, HF_SV("    cap_add:\n"));
		for (unsigned i = 0; i < 64; i++)
			if (p->capabilities >> i & 1 && hf_capability_short(i))
				hf_buf_addf(out, "      - %s\n", hf_capability_short(i));
	}
	if (p->no_new_privileges || has_seccomp)
		hf_buf_add(out, HF_SV("    security_opt:\n"));
	if (p->no_new_privileges)
		hf_buf_add(out, HF_SV("      - no-new-privileges:true\n"));
	if (has_seccomp)
		hf_buf_add(out, HF_SV("      - seccomp:seccomp.json\n"));
	if (!p->root_missing.len) {
		hf_buf_add(out, HF_SV("    read_only: true\n"));
		write_list(out, "tmpfs", &p->tmpfs);
		write_list(out, "volumes", &p->volumes);
	}
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_compose = {
	.name = "compose",
	.title = "all of it: a service of a compose file",
	.file = "compose.yaml",
	.checked = "not tried: the same options as docker-run.args, as the compose specification spells them",
	.write = write_service,
};
