/* What a workload may do to its node. */
#include "check/check.h"

static void privileged(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->security_context, HF_SV("privileged"));

	if (hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "runs privileged: all capabilities, all devices, no seccomp"),
			       "/securityContext/privileged", "false", false);
}

/* The API server takes no container that is both kept from more rights and has all of them. */
static bool is_refused_without(const struct hf_check_run *r)
{
	const struct hf_value *add = hf_value_at(r->container->security_context, "capabilities.add");
	bool refused = hf_value_true(hf_value_get(r->container->security_context, HF_SV("privileged")));

	hf_value_elements(add, e) refused |= hf_sv_eq(hf_value_text(e), HF_SV("CAP_SYS_ADMIN"));
	return refused;
}

static void escalation(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->security_context, HF_SV("allowPrivilegeEscalation"));

	if (r->pod->windows) {
		hf_check_not_applicable(r);
	} else if (!hf_value_is(v, HF_VALUE_BOOL) || v->boolean) {
		struct hf_check_result *f =
			hf_check_fail(r, v,
				      v ? "may gain rights by setuid programs"
					: "may gain rights by setuid programs: that is the default");
		if (!is_refused_without(r))
			hf_check_patch(r, f, "/securityContext/allowPrivilegeEscalation", "false", true);
	}
}

static void host_namespace(struct hf_check_run *r, const char *field, const char *what)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, hf_sv_of(field));

	if (hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "shares %s with its node", what),
			       hf_arena_fmt(r->arena, "/%s", field).ptr, "false", false);
}

static void host_pid(struct hf_check_run *r)
{
	host_namespace(r, "hostPID", "all processes");
}

static void host_ipc(struct hf_check_run *r)
{
	host_namespace(r, "hostIPC", "shared memory and message queues");
}

static void host_network(struct hf_check_run *r)
{
	host_namespace(r, "hostNetwork", "the network");
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-101",
	  .name = "privileged-container",
	  .title = "A container runs privileged",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A privileged container is root on its node: it can load code into the kernel, mount disks and read "
		 "every other pod.",
	  .fix = "Set privileged: false and give the few capabilities or devices that the program needs.",
	  .references = "CIS-5.2.2 NSA-privileged MITRE-T1611 KSV-0017 C-0057 C-0193 CKV_K8S_16 "
			"kube-linter:privileged-container polaris:runAsPrivileged",
	  .evaluate = privileged },
	{ .id = "HF-K8S-102",
	  .name = "privilege-escalation",
	  .title = "A container's processes may gain rights",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Without the kernel's no_new_privs flag a setuid program in the image gives its caller the rights of "
		 "its owner.",
	  .fix = "Set allowPrivilegeEscalation: false.",
	  .references = "CIS-5.2.6 CIS-5.7.3 NSA-escalation MITRE-T1548 KSV-0001 KSV-0118 C-0016 C-0197 "
			"C-0211 CKV_K8S_20 CKV_K8S_29 CKV_K8S_30 "
			"kube-linter:privilege-escalation-container polaris:privilegeEscalationAllowed",
	  .evaluate = escalation },
	{ .id = "HF-K8S-103",
	  .name = "host-pid",
	  .title = "A pod sees its node's processes",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "It can read other processes' environment and memory, and signal them where the user matches.",
	  .fix = "Remove hostPID.",
	  .references = "CIS-5.2.3 NSA-host-namespaces MITRE-T1611 KSV-0010 C-0038 C-0275 CKV_K8S_17 "
			"kube-linter:host-pid polaris:hostPIDSet",
	  .evaluate = host_pid },
	{ .id = "HF-K8S-104",
	  .name = "host-ipc",
	  .title = "A pod shares its node's IPC",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Shared memory of the node's processes can be read and changed.",
	  .fix = "Remove hostIPC.",
	  .references = "CIS-5.2.4 NSA-host-namespaces MITRE-T1611 KSV-0008 C-0038 C-0276 CKV_K8S_18 "
			"kube-linter:host-ipc polaris:hostIPCSet",
	  .evaluate = host_ipc },
	{ .id = "HF-K8S-105",
	  .name = "host-network",
	  .title = "A pod uses its node's network",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Network policies do not hold for it; it reaches services that listen on the node's loopback, and can "
		 "read the node's traffic.",
	  .fix = "Remove hostNetwork; publish ports by a Service.",
	  .references = "CIS-5.2.5 NSA-host-network MITRE-T1040 KSV-0009 C-0041 CKV_K8S_19 "
			"kube-linter:host-network polaris:hostNetworkSet",
	  .evaluate = host_network },
};

const struct hf_check_group hf_check_group_privilege = { "privilege", checks, HF_ARRAY_SIZE(checks) };
