/* A container's securityContext with what it needs beside it (Kubernetes API v1: Container.securityContext, volumeMounts, volumes). */
#include "harden/hardening.h"

/* Where all ran as one user that is not root. The number too: a kubelet cannot tell of a name in the image that it is not root. */
static void write_user(struct hf_harden_plan *p, struct hf_buf *out)
{
	const hf_sv *users = hf_names_list(&p->usage->users);

	if (users && !p->privileges_missing.len && hf_names_count(&p->usage->users) == 1 &&
	    !hf_sv_eq(users[0], HF_SV("0")))
		hf_buf_addf(out, "        runAsNonRoot: true\n        runAsUser: %.*s\n", HF_SV_FMT(users[0]));
}

static void write_context(struct hf_harden_plan *p, struct hf_buf *out)
{
	hf_buf_add(out, HF_SV("      securityContext:\n        privileged: false\n"));
	write_user(p, out);
	if (p->no_new_privileges)
		hf_buf_add(out, HF_SV("        allowPrivilegeEscalation: false\n"));
	if (!p->capabilities_missing.len) {
		hf_buf_add(out, HF_SV("        capabilities:\n          drop:\n            - ALL\n"));
		if (p->capabilities)
			hf_buf_add(out, HF_SV("          add:\n"));
		for (unsigned i = 0; i < 64; i++)
			if (p->capabilities >> i & 1 && hf_capability_short(i))
				hf_buf_addf(out, "            - %s\n", hf_capability_short(i));
	}
	if (!p->root_missing.len)
		hf_buf_add(out, HF_SV("        readOnlyRootFilesystem: true\n"));
	if (!p->syscalls_missing.len && !p->privileges_missing.len)
		hf_buf_addf(out,
			    "        seccompProfile:\n          type: Localhost\n"
			    "          localhostProfile: holdfast/%.*s.json # seccomp.json, in the kubelet's folder "
			    "seccomp/holdfast\n",
			    HF_SV_FMT(p->name));
	else
		hf_buf_add(out, HF_SV("        seccompProfile:\n          type: RuntimeDefault\n"));
}

static void write_volumes(struct hf_harden_plan *p, struct hf_buf *out)
{
	struct hf_names *const sets[] = { &p->tmpfs, &p->volumes };
	size_t number = 0;

	if (p->root_missing.len || !(hf_names_count(&p->tmpfs) + hf_names_count(&p->volumes)))
		return;
	hf_buf_add(out, HF_SV("      volumeMounts:\n"));
	for (size_t s = 0; s < HF_ARRAY_SIZE(sets); s++) {
		const hf_sv *list = hf_names_list(sets[s]);
		for (size_t i = 0; i < hf_names_count(sets[s]); i++)
			hf_buf_addf(out, "        - name: written-%zu\n          mountPath: %.*s\n", number++,
				    HF_SV_FMT(list[i]));
	}
	hf_buf_add(out, HF_SV("  volumes:\n"));
	number = 0;
	for (size_t s = 0; s < HF_ARRAY_SIZE(sets); s++)
		for (size_t i = 0; i < hf_names_count(sets[s]); i++)
			hf_buf_addf(out, "    - name: written-%zu\n      emptyDir: {}%s\n", number++,
				    s ? " # begins empty: what the image holds there has to be copied in" : "");
}

static int write_pod(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv all[] = { p->capabilities_missing, p->root_missing, p->syscalls_missing };

	if (all[0].len && all[1].len && all[2].len)
		return hf_hardening_refuse(err, all, HF_ARRAY_SIZE(all));
	hf_buf_addf(out, "spec:\n  containers:\n    - name: %.*s\n", HF_SV_FMT(p->name));
	write_context(p, out);
	write_volumes(p, out);
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_kubernetes = {
	.name = "kubernetes",
	.title = "Kubernetes: securityContext and volumes, to be merged into a pod's manifest",
	.file = "security-context.yaml",
	.checked = "not tried: there is no cluster here; the same rights as docker-run.args",
	.write = write_pod,
};
