/* Capabilities of containers. */
#include "check/workload.h"

/* As the API has them: without the prefix. */
static bool is_capability(hf_sv written, const char *name)
{
	if (hf_sv_starts(written, HF_SV("CAP_")))
		written = hf_sv_skip(written, 4);
	return hf_sv_eq_ascii(written, hf_sv_of(name));
}

static bool names_any(hf_sv written, const char *const *names)
{
	for (; *names; names++)
		if (is_capability(written, *names))
			return true;
	return false;
}

static const struct hf_value *capabilities(const struct hf_check_run *r, const char *list)
{
	return hf_value_get(hf_value_get(r->container->security_context, HF_SV("capabilities")), hf_sv_of(list));
}

static const struct hf_value *listed(const struct hf_value *list, const char *const *names)
{
	hf_value_elements(list, e) if (names_any(hf_value_text(e), names)) return e;
	return NULL;
}

/* From the last to the first, so that each patch finds its element where it was. */
static void take_out(struct hf_check_run *r, struct hf_check_result *f, const struct hf_value *add,
		     const char *const *names, bool others)
{
	for (size_t i = add->n; i-- > 0;)
		if (names_any(hf_value_text(&add->elements[i]), names) != others)
			hf_check_patch(r, f, hf_arena_fmt(r->arena, "/securityContext/capabilities/add/%zu", i).ptr,
				       NULL, false);
}

static void drop(struct hf_check_run *r, struct hf_check_result *f, const char *name, bool safe)
{
	bool none = !hf_value_count(capabilities(r, "drop"), HF_VALUE_ARRAY);

	hf_check_patch(r, f, none ? "/securityContext/capabilities/drop" : "/securityContext/capabilities/drop/-",
		       hf_arena_fmt(r->arena, none ? "[\"%s\"]" : "\"%s\"", name).ptr, safe);
}

/* A failure for the first of @names that is added, with patches that take all of those out. */
static void not_added(struct hf_check_run *r, const char *const *names, const char *lets)
{
	const struct hf_value *add = capabilities(r, "add"), *e = listed(add, names);

	if (r->pod->windows) {
		hf_check_not_applicable(r);
	} else if (e) {
		hf_sv word = hf_value_text(e);
		take_out(r, hf_check_fail(r, e, "adds %.*s: %s", HF_SV_FMT(word), lets), add, names, false);
	}
}

static void sys_admin(struct hf_check_run *r)
{
	static const char *const names[] = { "SYS_ADMIN", "ALL", NULL };

	not_added(r, names, "mounts, namespaces and most of what root may do");
}

static void net_admin(struct hf_check_run *r)
{
	static const char *const names[] = { "NET_ADMIN", NULL };

	not_added(r, names, "it may change addresses, routes and packet filters of its network");
}

static void dangerous(struct hf_check_run *r)
{
	static const char *const names[] = { "SYS_PTRACE", "SYS_MODULE",   "SYS_RAWIO", "DAC_READ_SEARCH",
					     "SYS_BOOT",   "BPF",          "PERFMON",   "SYS_TIME",
					     "MAC_ADMIN",  "MAC_OVERRIDE", "SYSLOG",    "CHECKPOINT_RESTORE",
					     NULL };

	not_added(r, names, "it reaches past the container");
}

static void net_raw(struct hf_check_run *r)
{
	static const char *const names[] = { "NET_RAW", "ALL", NULL };
	const struct hf_value *add = capabilities(r, "add"), *dropped = capabilities(r, "drop");
	const struct hf_value *added = listed(add, names);

	if (r->pod->windows) {
		hf_check_not_applicable(r);
	} else if (added) {
		struct hf_check_result *f = hf_check_fail(r, added, "adds the right to raw sockets");
		take_out(r, f, add, names, false);
		if (!listed(dropped, names))
			drop(r, f, "NET_RAW", false);
	} else if (!listed(dropped, names)) {
		drop(r, hf_check_fail(r, dropped, "keeps NET_RAW, which runtimes give unasked"), "NET_RAW", true);
	}
}

static void drop_all(struct hf_check_run *r)
{
	static const char *const names[] = { "ALL", NULL };
	static const char *const raw[] = { "NET_RAW", NULL };
	const struct hf_value *dropped = capabilities(r, "drop");

	if (r->pod->windows) {
		hf_check_not_applicable(r);
	} else if (!listed(dropped, names)) {
		struct hf_check_result *f =
			hf_check_fail(r, dropped, "keeps capabilities that its runtime gives unasked");
		drop(r, f, "ALL", false);
		if (hf_value_count(dropped, HF_VALUE_ARRAY) == 1 && listed(dropped, raw)) /* ALL says it as well */
			hf_check_patch(r, f, "/securityContext/capabilities/drop/0", NULL, false);
	}
}

static void added(struct hf_check_run *r)
{
	static const char *const fine[] = { "NET_BIND_SERVICE", NULL };
	const struct hf_value *add = capabilities(r, "add");

	if (r->pod->windows) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(add, e)
	{
		hf_sv word = hf_value_text(e);
		if (names_any(word, fine))
			continue;
		take_out(r, hf_check_fail(r, e, "adds %.*s", HF_SV_FMT(word)), add, fine, true);
		return;
	}
}

/* capabilities(7) of Linux 6.12. */
static const char *const known[] = { "ALL",
				     "AUDIT_CONTROL",
				     "AUDIT_READ",
				     "AUDIT_WRITE",
				     "BLOCK_SUSPEND",
				     "BPF",
				     "CHECKPOINT_RESTORE",
				     "CHOWN",
				     "DAC_OVERRIDE",
				     "DAC_READ_SEARCH",
				     "FOWNER",
				     "FSETID",
				     "IPC_LOCK",
				     "IPC_OWNER",
				     "KILL",
				     "LEASE",
				     "LINUX_IMMUTABLE",
				     "MAC_ADMIN",
				     "MAC_OVERRIDE",
				     "MKNOD",
				     "NET_ADMIN",
				     "NET_BIND_SERVICE",
				     "NET_BROADCAST",
				     "NET_RAW",
				     "PERFMON",
				     "SETFCAP",
				     "SETGID",
				     "SETPCAP",
				     "SETUID",
				     "SYSLOG",
				     "SYS_ADMIN",
				     "SYS_BOOT",
				     "SYS_CHROOT",
				     "SYS_MODULE",
				     "SYS_NICE",
				     "SYS_PACCT",
				     "SYS_PTRACE",
				     "SYS_RAWIO",
				     "SYS_RESOURCE",
				     "SYS_TIME",
				     "SYS_TTY_CONFIG",
				     "WAKE_ALARM",
				     NULL };

static void misspelt(struct hf_check_run *r)
{
	static const char *const lists[] = { "add", "drop" };

	if (r->pod->windows) {
		hf_check_not_applicable(r);
		return;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++) {
		hf_value_elements(capabilities(r, lists[i]), e)
		{
			hf_sv word = hf_value_text(e);
			if (!names_any(word, known))
				hf_check_fail(r, e, "Linux has no capability '%.*s': it is neither given nor taken",
					      HF_SV_FMT(word));
		}
	}
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-121",
	  .name = "capability-sys-admin",
	  .title = "A container has the capability SYS_ADMIN",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "With SYS_ADMIN a process mounts file systems and changes namespaces: the known ways out "
		 "of a container begin there.",
	  .fix = "Remove SYS_ADMIN (or ALL) from capabilities.add; most programs need a narrower one.",
	  .references = "CIS-5.2.9 NSA-capabilities MITRE-T1611 KSV-0005 C-0046 CKV_K8S_39",
	  .evaluate = sys_admin },
	{ .id = "HF-K8S-122",
	  .name = "capability-net-raw",
	  .title = "A container can open raw sockets",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Raw sockets let it forge packets and answer for other pods' addresses (ARP and DNS "
		 "spoofing) on its node.",
	  .fix = "Drop NET_RAW, or ALL.",
	  .references = "CIS-5.2.8 NSA-capabilities MITRE-T1557 KSV-0119 C-0199 CKV_K8S_28 "
			"kube-linter:drop-net-raw-capability",
	  .evaluate = net_raw },
	{ .id = "HF-K8S-123",
	  .name = "capability-drop-all",
	  .title = "A container keeps capabilities that nobody asked for",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Runtimes give about a dozen capabilities to a process of root: what an attacker takes "
		 "over has them too.",
	  .fix = "Set capabilities.drop: [ALL] and add the few that the program needs.",
	  .references = "CIS-5.2.10 CIS-5.7.3 NSA-capabilities MITRE-T1611 KSV-0003 KSV-0004 KSV-0106 "
			"KSV-0118 C-0055 C-0201 C-0211 CKV_K8S_29 CKV_K8S_30 CKV_K8S_37 "
			"polaris:linuxHardening",
	  .evaluate = drop_all },
	{ .id = "HF-K8S-124",
	  .name = "capability-added",
	  .title = "A container adds capabilities",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Each capability beyond those of NET_BIND_SERVICE is a part of root's power over the "
		 "kernel.",
	  .fix = "Remove the capability, or grant it to a sidecar of its own that does only that.",
	  .references = "CIS-5.2.9 NSA-capabilities MITRE-T1611 KSV-0022 KSV-0106 C-0046 C-0200 "
			"CKV_K8S_25 polaris:insecureCapabilities",
	  .evaluate = added },
	{ .id = "HF-K8S-125",
	  .name = "capability-dangerous",
	  .title = "A container has a capability that leads out of it",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Loading modules, tracing processes, raw memory, opening files by handle or loading BPF "
		 "programs reach the node, not the container alone.",
	  .fix = "Remove the capability from capabilities.add.",
	  .references = "CIS-5.2.9 NSA-capabilities MITRE-T1611 KSV-0022 KSV-0120 C-0046 "
			"polaris:dangerousCapabilities",
	  .evaluate = dangerous },
	{ .id = "HF-K8S-126",
	  .name = "capability-net-admin",
	  .title = "A container may change its network",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It can turn off packet filters of a mesh or a sidecar in its pod; in the node's network,"
		 " those of the node.",
	  .fix = "Remove NET_ADMIN; let a CNI plugin set up what an init container did with it.",
	  .references = "CIS-5.2.9 NSA-capabilities MITRE-T1562 KSV-0022 C-0046",
	  .evaluate = net_admin },
	{ .id = "HF-K8S-127",
	  .name = "capability-unknown",
	  .title = "A capability's name is none that Linux knows",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "What was meant to be dropped is kept, or the container does not start.",
	  .fix = "Write the name as capabilities(7) has it, without CAP_.",
	  .references = "NSA-capabilities",
	  .evaluate = misspelt },
};

const struct hf_check_group hf_check_group_capability = { "capability", checks, HF_ARRAY_SIZE(checks) };
