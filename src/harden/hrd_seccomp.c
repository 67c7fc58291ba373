/* Seccomp as docker's --security-opt seccomp=FILE and Kubernetes' localhostProfile take it (docs.docker.com/engine/security/seccomp;
 * opencontainers/runtime-spec config-linux.md, "Seccomp"). Only the machine's own architecture is in the map: calls of any other
 * one (32 bit on x86-64) end the process. The plan says whether it goes with no-new-privileges: then it must, since runc makes more
 * calls under its filter without. */
#include <errno.h>

#include "format/json_writer.h"
#include "harden/hardening.h"

/* clone's flags that make namespaces (include/uapi/linux/sched.h), all but CLONE_NEWTIME, which clone cannot take. */
#define CLONE_NAMESPACES 0x7e020000u

static const char *architecture(void)
{
#if defined(__x86_64__)
	return "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
	return "SCMP_ARCH_AARCH64";
#else
	return NULL;
#endif
}

static void rule(struct hf_json_writer *w, struct hf_names *names, const char *comment)
{
	if (!hf_names_count(names))
		return;
	hf_jw_object(w);
	hf_names_json(names, "names", w);
	hf_jw_kv(w, "action", HF_SV("SCMP_ACT_ALLOW"));
	hf_jw_kv(w, "comment", hf_sv_of(comment));
	hf_jw_object_end(w);
}

/* clone without flags for namespaces; clone3, whose flags lie in memory where a filter cannot see them, as if the kernel had it
 * not: libc then takes clone. */
static void rules_of_clone(struct hf_json_writer *w, bool has_clone3)
{
	static const hf_sv clone[] = { HF_SV_INIT("clone") }, clone3[] = { HF_SV_INIT("clone3") };

	hf_jw_object(w);
	hf_jw_strings(w, "names", clone, 1);
	hf_jw_kv(w, "action", HF_SV("SCMP_ACT_ALLOW"));
	hf_jw_key(w, "args");
	hf_jw_array(w);
	hf_jw_object(w);
	hf_jw_kv_uint(w, "index", 0);
	hf_jw_kv_uint(w, "value", CLONE_NAMESPACES);
	hf_jw_kv_uint(w, "valueTwo", 0);
	hf_jw_kv(w, "op", HF_SV("SCMP_CMP_MASKED_EQ"));
	hf_jw_object_end(w);
	hf_jw_array_end(w);
	hf_jw_kv(w, "comment", HF_SV("no new namespaces"));
	hf_jw_object_end(w);
	if (!has_clone3)
		return;
	hf_jw_object(w);
	hf_jw_strings(w, "names", clone3, 1);
	hf_jw_kv(w, "action", HF_SV("SCMP_ACT_ERRNO"));
	hf_jw_kv_uint(w, "errnoRet", ENOSYS);
	hf_jw_kv(w, "comment", HF_SV("libc takes clone instead"));
	hf_jw_object_end(w);
}

static bool makes(const struct hf_harden_plan *p, hf_sv name)
{
	return hf_names_has(&p->syscalls, name) || hf_names_has(&p->base_syscalls, name);
}

static void write_rules(struct hf_harden_plan *p, struct hf_json_writer *w)
{
	struct hf_names own = HF_NAMES(p->arena), base = HF_NAMES(p->arena), apart = HF_NAMES(p->arena);

	if (p->no_namespaces) {
		hf_names_add(&apart, HF_SV("clone"));
		hf_names_add(&apart, HF_SV("clone3"));
	}
	hf_names_minus(&p->syscalls, &apart, &own);
	for (size_t i = 0; i < p->syscalls.map.n; i++)
		hf_names_add(&apart, p->syscalls.map.entries[i].key);
	hf_names_minus(&p->base_syscalls, &apart, &base);
	rule(w, &own, "what the workload makes");
	rule(w, &base,
	     p->no_new_privileges ? "what runc makes before the workload's first program, with no-new-privileges"
				  : "what runc makes before the workload's first program");
	if (p->no_namespaces && makes(p, HF_SV("clone")))
		rules_of_clone(w, makes(p, HF_SV("clone3")));
}

static int write_profile(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv reasons[] = { p->syscalls_missing, p->privileges_missing,
			    architecture() ? (hf_sv){ 0 } : HF_SV("this machine's architecture has no name here") };
	int r = hf_hardening_refuse(err, reasons, HF_ARRAY_SIZE(reasons));
	struct hf_json_writer w = { .out = out };

	if (r)
		return r;
	hf_jw_object(&w);
	hf_jw_kv(&w, "defaultAction", HF_SV("SCMP_ACT_ERRNO"));
	hf_jw_kv_uint(&w, "defaultErrnoRet", EPERM);
	hf_jw_key(&w, "archMap");
	hf_jw_array(&w);
	hf_jw_object(&w);
	hf_jw_kv(&w, "architecture", hf_sv_of(architecture()));
	hf_jw_strings(&w, "subArchitectures", NULL, 0);
	hf_jw_object_end(&w);
	hf_jw_array_end(&w);
	hf_jw_key(&w, "syscalls");
	hf_jw_array(&w);
	write_rules(p, &w);
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	r = hf_jw_finish(&w, err);
	return r ? r : hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_seccomp = {
	.name = "seccomp",
	.title = "seccomp profile for docker, podman, containerd and Kubernetes",
	.file = "seccomp.json",
	.checked = "not tried on this workload; the project's tests run workloads under this form",
	.write = write_profile,
};
