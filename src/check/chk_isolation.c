/* What stands between a pod, its neighbours and its node, beside the host's namespaces. */
#include "check/workload.h"

static void host_port(struct hf_check_run *r)
{
	const struct hf_value *ports = hf_value_get(r->container->value, HF_SV("ports"));
	size_t i = 0;

	if (r->pod->host_network) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(ports, e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("hostPort"));
		int64_t port;
		if (hf_value_int(v, &port) && port)
			hf_check_patch(r, hf_check_fail(r, v, "takes port %lld of its node", (long long)port),
				       hf_arena_fmt(r->arena, "/ports/%zu/hostPort", i).ptr, NULL, false);
		i++;
	}
}

static void host_process(struct hf_check_run *r)
{
	const struct hf_value *own = hf_value_at(r->container->security_context, "windowsOptions.hostProcess");
	const struct hf_value *v = own ? own : hf_value_at(r->pod->security_context, "windowsOptions.hostProcess");

	if (hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "runs in the session of its Windows node"),
			       "/securityContext/windowsOptions/hostProcess", "false", false);
}

/* No container starts as root, nor becomes it by a setuid program. */
static bool is_never_root(struct hf_check_run *r)
{
	bool never = true;

	for (size_t i = 0; i < r->pod->containers_n && never; i++) {
		const struct hf_value *at, *gains;
		int64_t uid;
		r->container = &r->pod->containers[i];
		gains = hf_value_get(r->container->security_context, HF_SV("allowPrivilegeEscalation"));
		never = hf_value_is(gains, HF_VALUE_BOOL) && !gains->boolean &&
			(hf_value_true(hf_check_security_setting(r, "runAsNonRoot")) ||
			 (hf_check_security_number(r, "runAsUser", &at, &uid) && uid > 0));
	}
	r->container = NULL;
	return never;
}

static void host_users(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("hostUsers"));

	if (r->pod->windows || r->pod->host_network || hf_value_true(hf_value_get(r->pod->spec, HF_SV("hostPID"))) ||
	    hf_value_true(hf_value_get(r->pod->spec, HF_SV("hostIPC"))))
		hf_check_not_applicable(r);
	else if (hf_value_is(v, HF_VALUE_BOOL) && !v->boolean)
		return;
	else if (is_never_root(r))
		hf_check_not_applicable(r);
	else
		hf_check_patch(
			r, hf_check_fail(r, v, "root in it is root on its node%s", v ? "" : ": that is the default"),
			"/hostUsers", "false", false);
}

static void host_aliases(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("hostAliases"));

	if (hf_value_count(v, HF_VALUE_ARRAY))
		hf_check_patch(r, hf_check_fail(r, v, "has %d lines of its own in /etc/hosts", v->n), "/hostAliases",
			       NULL, false);
}

static void shared_processes(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("shareProcessNamespace"));

	if (hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "its containers see each other's processes and files"),
			       "/shareProcessNamespace", "false", false);
}

static void debug_container(struct hf_check_run *r)
{
	const struct hf_value *add = hf_value_at(r->container->security_context, "capabilities.add");
	const struct hf_value *user = hf_value_get(r->container->security_context, HF_SV("runAsUser"));
	int64_t uid;

	if (r->container->role != HF_CONTAINER_EPHEMERAL)
		hf_check_not_applicable(r);
	else if (hf_value_true(hf_value_get(r->container->security_context, HF_SV("privileged"))))
		hf_check_fail(r, NULL, "a privileged container was put into this running pod");
	else if (hf_value_count(add, HF_VALUE_ARRAY))
		hf_check_fail(r, add, "a container with %d more capabilities was put into this running pod", add->n);
	else if (hf_value_int(user, &uid) && !uid)
		hf_check_fail(r, user, "a container of root was put into this running pod");
}

static void proc_mount(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->security_context, HF_SV("procMount"));

	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_text(v), HF_SV("Unmasked")))
		hf_check_patch(r, hf_check_fail(r, v, "sees all of /proc, and may write to it"),
			       "/securityContext/procMount", "\"Default\"", false);
}

/* What the kubelet takes unasked: a namespace of its own for each, or no harm. */
static const char *const safe_sysctls[] = {
	"kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.ping_group_range",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_wmem",
};

static void sysctls(struct hf_check_run *r)
{
	const struct hf_value *list = hf_value_get(r->pod->security_context, HF_SV("sysctls"));

	if (r->pod->windows) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(list, e)
	{
		hf_sv name = hf_value_get_text(e, HF_SV("name"));
		size_t i = 0, at = (size_t)(e - list->elements);
		while (i < HF_ARRAY_SIZE(safe_sysctls) && !hf_sv_eq(name, hf_sv_of(safe_sysctls[i])))
			i++;
		if (i == HF_ARRAY_SIZE(safe_sysctls))
			hf_check_patch(r,
				       hf_check_fail(r, e,
						     "sets %.*s, which the kubelet allows only where it was told to",
						     HF_SV_FMT(name)),
				       hf_arena_fmt(r->arena, "/securityContext/sysctls/%zu", at).ptr, NULL, false);
	}
}

static void writable_root(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->security_context, HF_SV("readOnlyRootFilesystem"));

	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (!hf_value_true(v))
		hf_check_patch(r, hf_check_fail(r, v, "may write to its image's files"),
			       "/securityContext/readOnlyRootFilesystem", "true", false);
}

static bool is_privileged(const struct hf_check_run *r)
{
	return hf_value_true(hf_value_get(r->container->security_context, HF_SV("privileged")));
}

/* Where it was said before there were fields for it. */
static hf_sv annotation_of(const struct hf_check_run *r, const char *prefix)
{
	hf_sv key = hf_arena_concat(r->arena, hf_sv_of(prefix), r->container->name);

	return hf_check_pair(r->pod->annotations, r->pod->annotations_n, key);
}

static void seccomp_unconfined(struct hf_check_run *r)
{
	const struct hf_value *v = hf_check_security_setting(r, "seccompProfile");

	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_get_text(v, HF_SV("type")), HF_SV("Unconfined")))
		hf_check_patch(r, hf_check_fail(r, v, "runs without a seccomp filter"),
			       "/securityContext/seccompProfile", "{\"type\":\"RuntimeDefault\"}", false);
	else if (is_privileged(r)) /* Runtimes give it no filter, whatever it names. */
		hf_check_not_applicable(r);
}

static void seccomp_absent(struct hf_check_run *r)
{
	const struct hf_value *v = hf_check_security_setting(r, "seccompProfile");

	if (r->pod->windows || is_privileged(r))
		hf_check_not_applicable(r);
	else if (!hf_value_get_text(v, HF_SV("type")).len)
		hf_check_patch(
			r,
			hf_check_fail(r, v,
				      "names no seccomp profile: unfiltered unless the kubelet has seccompDefault"),
			"/securityContext/seccompProfile", "{\"type\":\"RuntimeDefault\"}", true);
}

static void apparmor(struct hf_check_run *r)
{
	const struct hf_value *v = hf_check_security_setting(r, "appArmorProfile");
	hf_sv note = annotation_of(r, "container.apparmor.security.beta.kubernetes.io/");

	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_get_text(v, HF_SV("type")), HF_SV("Unconfined")))
		hf_check_patch(r, hf_check_fail(r, v, "runs without an AppArmor profile"),
			       "/securityContext/appArmorProfile", "{\"type\":\"RuntimeDefault\"}", false);
	else if (!v && hf_sv_eq(note, HF_SV("unconfined")))
		hf_check_fail(r, NULL, "runs without an AppArmor profile, by its pod's annotation");
	else if (is_privileged(r))
		hf_check_not_applicable(r);
}

static void selinux(struct hf_check_run *r)
{
	static const char *const fine[] = { "", "container_t", "container_init_t", "container_kvm_t",
					    "container_engine_t" };
	const struct hf_value *v = hf_check_security_setting(r, "seLinuxOptions");
	hf_sv type = hf_value_get_text(v, HF_SV("type"));
	size_t i = 0;

	while (i < HF_ARRAY_SIZE(fine) && !hf_sv_eq(type, hf_sv_of(fine[i])))
		i++;
	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (hf_value_get_text(v, HF_SV("user")).len || hf_value_get_text(v, HF_SV("role")).len)
		hf_check_fail(r, v, "sets an SELinux user or role of its own");
	else if (i == HF_ARRAY_SIZE(fine))
		hf_check_fail(r, v, "runs with the SELinux type %.*s", HF_SV_FMT(type));
}

static void raw_device(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->value, HF_SV("volumeDevices"));

	if (hf_value_count(v, HF_VALUE_ARRAY))
		hf_check_fail(r, v, "has %d block devices under its hands", v->n);
}

static void mounts_back(struct hf_check_run *r)
{
	size_t i = 0;

	hf_value_elements(hf_value_get(r->container->value, HF_SV("volumeMounts")), e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("mountPropagation"));
		if (hf_sv_eq(hf_value_text(v), HF_SV("Bidirectional"))) {
			struct hf_check_result *f = hf_check_fail(r, v, "what it mounts appears on its node");
			if (!hf_check_serves_node(r))
				hf_check_patch(r, f,
					       hf_arena_fmt(r->arena, "/volumeMounts/%zu/mountPropagation", i).ptr,
					       "\"HostToContainer\"", false);
		}
		i++;
	}
}

static void sub_path(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->container->value, HF_SV("volumeMounts")), e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("subPath"));
		const struct hf_value *volume = hf_check_volume(r, hf_value_get_text(e, HF_SV("name")));
		v = v ? v : hf_value_get(e, HF_SV("subPathExpr"));
		if (v && !hf_value_get(volume, HF_SV("configMap")) && !hf_value_get(volume, HF_SV("secret")) &&
		    !hf_value_get(volume, HF_SV("projected")) && !hf_value_get(volume, HF_SV("downwardAPI")))
			hf_check_fail(r, v, "mounts a path inside of a volume that containers write to");
	}
}

static void terminal(struct hf_check_run *r)
{
	const struct hf_value *in = hf_value_get(r->container->value, HF_SV("stdin"));

	if (r->container->role == HF_CONTAINER_EPHEMERAL)
		hf_check_not_applicable(r);
	else if (hf_value_true(in) && hf_value_true(hf_value_get(r->container->value, HF_SV("tty"))))
		hf_check_patch(r, hf_check_fail(r, in, "keeps a terminal open for whoever may attach"), "/tty", "false",
			       false);
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-106",
	  .name = "host-port",
	  .title = "A container takes a port of its node",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It is reached at the node's addresses, past Services and most network policies, and at "
		 "most one such pod fits a node.",
	  .fix = "Remove hostPort; publish the port by a Service.",
	  .references = "CIS-5.2.13 NSA-host-network KSV-0024 C-0044 C-0204 CKV_K8S_26 "
			"polaris:hostPortSet",
	  .evaluate = host_port },
	{ .id = "HF-K8S-107",
	  .name = "windows-host-process",
	  .title = "A Windows container runs as a process of its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It has the node's file system, network and accounts: the counterpart of a privileged "
		 "container.",
	  .fix = "Remove hostProcess.",
	  .references = "CIS-5.2.11 NSA-privileged MITRE-T1611 KSV-0103 C-0202 polaris:hostProcess",
	  .evaluate = host_process },
	{ .id = "HF-K8S-108",
	  .name = "host-users",
	  .title = "A pod has no user namespace of its own",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Who leaves a container as root is root on the node; in a user namespace they are nobody.",
	  .fix = "Set hostUsers: false where nodes and volumes can do it (Linux 6.3, Kubernetes 1.33).",
	  .references = "NSA-non-root MITRE-T1611",
	  .evaluate = host_users },
	{ .id = "HF-K8S-109",
	  .name = "host-aliases",
	  .title = "A pod's /etc/hosts has names of its own",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Names resolved past the cluster's DNS outlive what they point to and are seen by no "
		 "audit.",
	  .fix = "Remove hostAliases; use a Service or ExternalName.",
	  .references = "NSA-pod-security KSV-0007",
	  .evaluate = host_aliases },
	{ .id = "HF-K8S-110",
	  .name = "shared-process-namespace",
	  .title = "Containers of a pod see each other's processes",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "One that is taken over reads the environment, the files and, with the same user, the "
		 "memory of the others.",
	  .fix = "Remove shareProcessNamespace.",
	  .references = "NSA-isolation MITRE-T1057",
	  .evaluate = shared_processes },
	{ .id = "HF-K8S-111",
	  .name = "debug-container",
	  .title = "A debug container with more rights was left in a pod",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "An ephemeral container stays until its pod ends, and its rights are those of everybody "
		 "who may attach to it.",
	  .fix = "Delete the pod so that it is made anew; debug with a profile of few rights (kubectl "
		 "debug --profile=restricted).",
	  .references = "NSA-privileged MITRE-T1609",
	  .evaluate = debug_container },
	{ .id = "HF-K8S-112",
	  .name = "proc-mount",
	  .title = "A container's /proc is unmasked",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Files of the kernel that runtimes hide, /proc/kcore and /proc/sysrq-trigger among them, "
		 "can be read and written.",
	  .fix = "Remove procMount, or set Default.",
	  .references = "NSA-isolation MITRE-T1611 KSV-0027 kube-linter:unsafe-proc-mount "
			"polaris:procMount",
	  .evaluate = proc_mount },
	{ .id = "HF-K8S-113",
	  .name = "unsafe-sysctl",
	  .title = "A pod sets kernel parameters that are not its own",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "They may act on the whole node, starve others or weaken the kernel.",
	  .fix = "Remove the sysctl; set it on nodes where it is needed.",
	  .references = "NSA-isolation KSV-0026 kube-linter:unsafe-sysctls",
	  .evaluate = sysctls },
	{ .id = "HF-K8S-114",
	  .name = "writable-root-filesystem",
	  .title = "A container may write to its image's files",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "What was taken over can bring its own programs, change those that are there and stay "
		 "until the restart.",
	  .fix = "Set readOnlyRootFilesystem: true and mount an emptyDir where the program writes.",
	  .references = "CIS-5.7.3 NSA-immutable-filesystem MITRE-T1105 KSV-0014 KSV-0118 C-0017 C-0211 "
			"CKV_K8S_22 CKV_K8S_29 CKV_K8S_30 kube-linter:no-read-only-root-fs "
			"polaris:notReadOnlyRootFilesystem",
	  .evaluate = writable_root },
	{ .id = "HF-K8S-115",
	  .name = "seccomp-unconfined",
	  .title = "A container runs without a seccomp filter",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "All system calls, the rarely used and badly tested ones too, are open to it.",
	  .fix = "Set seccompProfile.type: RuntimeDefault.",
	  .references = "CIS-5.7.2 NSA-hardening MITRE-T1611 KSV-0104 C-0055 C-0210 "
			"polaris:linuxHardening",
	  .evaluate = seccomp_unconfined },
	{ .id = "HF-K8S-116",
	  .name = "seccomp-absent",
	  .title = "A container names no seccomp profile",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Unless every kubelet runs with seccompDefault, no filter stands before the kernel's "
		 "system calls.",
	  .fix = "Set seccompProfile.type: RuntimeDefault in the pod's securityContext.",
	  .references = "CIS-5.7.2 NSA-hardening MITRE-T1611 KSV-0030 C-0055 C-0210 CKV_K8S_31 "
			"polaris:linuxHardening",
	  .evaluate = seccomp_absent },
	{ .id = "HF-K8S-117",
	  .name = "apparmor-unconfined",
	  .title = "A container runs without an AppArmor profile",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "The runtime's profile keeps containers from mounts and from files of /proc and /sys; "
		 "without it only capabilities do.",
	  .fix = "Remove the setting, or set appArmorProfile.type: RuntimeDefault.",
	  .references = "NSA-hardening MITRE-T1611 KSV-0002 C-0055 polaris:linuxHardening",
	  .evaluate = apparmor },
	{ .id = "HF-K8S-118",
	  .name = "selinux-options",
	  .title = "A container chooses an SELinux context of its own",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A type such as spc_t is not confined at all; a user or role leaves the policy of "
		 "containers.",
	  .fix = "Remove user and role; use the type container_t.",
	  .references = "NSA-hardening MITRE-T1611 KSV-0025 C-0055",
	  .evaluate = selinux },
	{ .id = "HF-K8S-119",
	  .name = "raw-block-device",
	  .title = "A container writes to a raw block device",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It can put a broken file system on the disk, which attacks the kernel that mounts it "
		 "next.",
	  .fix = "Use volumeMounts with a file system unless a data base needs the device.",
	  .references = "NSA-isolation MITRE-T1611",
	  .evaluate = raw_device },
	{ .id = "HF-K8S-120",
	  .name = "mount-propagation",
	  .title = "A container's mounts spread to its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It can mount over directories of the node, and of all other pods that share them.",
	  .fix = "Remove mountPropagation: Bidirectional; only drivers of storage need it.",
	  .references = "NSA-isolation MITRE-T1611",
	  .evaluate = mounts_back },
	{ .id = "HF-K8S-128",
	  .name = "sub-path",
	  .title = "A container mounts a path inside of a writable volume",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "The kubelet follows that path on the node; links in it were ways out more than once "
		 "(CVE-2017-1002101, CVE-2021-25741).",
	  .fix = "Mount the whole volume, or one volume for each path.",
	  .references = "NSA-isolation MITRE-T1611 C-0058",
	  .evaluate = sub_path },
	{ .id = "HF-K8S-129",
	  .name = "attached-terminal",
	  .title = "A container keeps a terminal open",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Whoever may attach to the pod types into its process.",
	  .fix = "Remove stdin and tty; they are for debugging.",
	  .references = "MITRE-T1609",
	  .evaluate = terminal },
};

const struct hf_check_group hf_check_group_isolation = { "isolation", checks, HF_ARRAY_SIZE(checks) };
