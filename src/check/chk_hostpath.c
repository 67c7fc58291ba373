/* Directories of the node in pods, by what they give away. */
#include "check/workload.h"

/* Of a pod that is given patches: what no real one exceeds. */
enum { VOLUMES_MAX = 256, MOUNTS_MAX = 4096 };

/* The path as the kernel goes it: without doubled and trailing slashes, "." and "..". */
static hf_sv clean(struct hf_arena *a, hf_sv path)
{
	char *text = hf_arena_alloc(a, path.len + 2, 1);
	hf_sv rest = path, part;
	size_t n = 0;

	if (!text || !path.ptr)
		return HF_SV("/");
	while (hf_sv_next(&rest, '/', &part)) {
		if (hf_sv_eq(part, HF_SV("..")))
			while (n && text[--n] != '/')
				;
		if (!part.len || hf_sv_eq(part, HF_SV(".")) || hf_sv_eq(part, HF_SV("..")))
			continue;
		text[n++] = '/';
		memcpy(text + n, part.ptr, part.len);
		n += part.len;
	}
	return n ? (hf_sv){ text, n } : HF_SV("/");
}

static bool is_below(hf_sv path, hf_sv folder)
{
	return hf_sv_starts(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/');
}

/* In one of the folders, or the way to it: /var gives /var/log away as well. The root is a question of its own. */
static bool touches(hf_sv path, const char *const *folders)
{
	for (; *folders && path.len > 1; folders++)
		if (is_below(path, hf_sv_of(*folders)) || is_below(hf_sv_of(*folders), path))
			return true;
	return false;
}

static const struct hf_value *host_path(const struct hf_value *volume)
{
	return hf_value_get(hf_value_get(volume, HF_SV("hostPath")), HF_SV("path"));
}

static bool is_small(const struct hf_check_run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->pod->containers_n && n <= MOUNTS_MAX; i++)
		n += 1 +
		     hf_value_count(hf_value_get(r->pod->containers[i].value, HF_SV("volumeMounts")), HF_VALUE_ARRAY);
	return n <= MOUNTS_MAX &&
	       hf_value_count(hf_value_get(r->pod->spec, HF_SV("volumes")), HF_VALUE_ARRAY) <= VOLUMES_MAX;
}

/* Patches that take a volume and all its mounts out, each list from its end. */
static void without(struct hf_check_run *r, struct hf_check_result *f, const struct hf_value *volume)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	const struct hf_value *volumes = hf_value_get(r->pod->spec, HF_SV("volumes"));
	hf_sv name = hf_value_get_text(volume, HF_SV("name"));

	if (!is_small(r) || hf_check_serves_node(r))
		return;
	for (size_t l = 0; l < HF_ARRAY_SIZE(lists); l++) {
		size_t container = 0;
		hf_value_elements(hf_value_get(r->pod->spec, hf_sv_of(lists[l])), c)
		{
			const struct hf_value *mounts = hf_value_get(c, HF_SV("volumeMounts"));
			for (size_t i = hf_value_count(mounts, HF_VALUE_ARRAY); i-- > 0;)
				if (hf_sv_eq(hf_value_get_text(&mounts->elements[i], HF_SV("name")), name))
					hf_check_patch(r, f,
						       hf_arena_fmt(r->arena, "/%s/%zu/volumeMounts/%zu", lists[l],
								    container, i)
							       .ptr,
						       NULL, false);
			container++;
		}
	}
	hf_check_patch(r, f, hf_arena_fmt(r->arena, "/volumes/%zu", (size_t)(volume - volumes->elements)).ptr, NULL,
		       false);
}

static void none_of(struct hf_check_run *r, const char *const *folders, const char *gives)
{
	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = host_path(e);
		hf_sv path = clean(r->arena, hf_value_text(v));
		if (v && touches(path, folders))
			without(r, hf_check_fail(r, v, "mounts %.*s of its node: %s", HF_SV_FMT(path), gives), e);
	}
}

static void any(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = host_path(e);
		hf_sv path = hf_value_text(v);
		if (v)
			without(r, hf_check_fail(r, v, "mounts %.*s of its node", HF_SV_FMT(path)), e);
	}
}

static void root(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = host_path(e);
		if (v && hf_sv_eq(clean(r->arena, hf_value_text(v)), HF_SV("/")))
			without(r, hf_check_fail(r, v, "mounts the whole of its node's files"), e);
	}
}

static void sockets(struct hf_check_run *r)
{
	static const char *const ways[] = { "/run/docker.sock",
					    "/var/run/docker.sock",
					    "/run/containerd/containerd.sock",
					    "/var/run/containerd/containerd.sock",
					    "/run/k3s/containerd/containerd.sock",
					    "/run/crio/crio.sock",
					    "/var/run/crio/crio.sock",
					    "/run/cri-dockerd.sock",
					    "/var/run/cri-dockerd.sock",
					    "/run/podman/podman.sock",
					    "/var/run/podman/podman.sock",
					    NULL };

	none_of(r, ways, "the runtime's socket starts containers with any rights");
	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = host_path(e);
		if (hf_sv_find(hf_value_text(v), HF_SV("pipe\\docker_engine")) != SIZE_MAX ||
		    hf_sv_find(hf_value_text(v), HF_SV("pipe\\containerd-containerd")) != SIZE_MAX)
			without(r, hf_check_fail(r, v, "mounts the pipe of its node's runtime"), e);
	}
}

static void etc(struct hf_check_run *r)
{
	static const char *const folders[] = { "/etc", NULL };

	none_of(r, folders, "accounts, keys and the kubelet's configuration");
}

static void kernel(struct hf_check_run *r)
{
	static const char *const folders[] = { "/proc", "/sys", NULL };

	none_of(r, folders, "the kernel's own files");
}

static void kubelet(struct hf_check_run *r)
{
	static const char *const folders[] = { "/var/lib/kubelet", NULL };

	none_of(r, folders, "the kubelet's keys, and volumes and tokens of all pods");
}

static void logs(struct hf_check_run *r)
{
	static const char *const folders[] = { "/var/log", NULL };

	none_of(r, folders, "logs of all pods; with a link in it, what the kubelet reads");
}

static void device(struct hf_check_run *r)
{
	static const char *const folders[] = { "/dev", NULL };

	none_of(r, folders, "disks, memory and consoles");
}

static void runtime_state(struct hf_check_run *r)
{
	static const char *const folders[] = { "/var/lib/docker",
					       "/var/lib/containerd",
					       "/var/lib/containers",
					       "/var/lib/rancher",
					       "/run/containerd",
					       "/var/run/containerd",
					       NULL };

	none_of(r, folders, "files of all images and containers");
}

static void etcd(struct hf_check_run *r)
{
	static const char *const folders[] = { "/var/lib/etcd", "/etc/kubernetes", NULL };

	if (hf_check_is_control_plane(r->pod))
		hf_check_not_applicable(r);
	else
		none_of(r, folders, "all that the cluster keeps, or its keys");
}

static void credentials(struct hf_check_run *r)
{
	static const char *const folders[] = {
		"/root",    "/home", "/etc/kubernetes/admin.conf", "/etc/kubernetes/azure.json", "/.azure/azure.json",
		"/etc/ssh", NULL
	};

	none_of(r, folders, "keys of people and of the cloud");
}

static void programs(struct hf_check_run *r)
{
	static const char *const folders[] = { "/boot", "/lib",     "/lib64",   "/bin", "/sbin",
					       "/usr",  "/opt/cni", "/etc/cni", NULL };

	none_of(r, folders, "programs that the node itself runs");
}

static void writable(struct hf_check_run *r)
{
	size_t i = 0;

	hf_value_elements(hf_value_get(r->container->value, HF_SV("volumeMounts")), e)
	{
		const struct hf_value *v = host_path(hf_check_volume(r, hf_value_get_text(e, HF_SV("name"))));
		hf_sv path = hf_value_text(v);
		if (v && !hf_value_true(hf_value_get(e, HF_SV("readOnly")))) {
			struct hf_check_result *f =
				hf_check_fail(r, e, "may write to %.*s of its node", HF_SV_FMT(path));
			if (!hf_check_serves_node(r))
				hf_check_patch(r, f, hf_arena_fmt(r->arena, "/volumeMounts/%zu/readOnly", i).ptr,
					       "true", false);
		}
		i++;
	}
}

static void creates(struct hf_check_run *r)
{
	size_t i = 0;

	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = hf_value_get(hf_value_get(e, HF_SV("hostPath")), HF_SV("type"));
		hf_sv type = hf_value_text(v);
		bool folder = hf_sv_eq(type, HF_SV("DirectoryOrCreate"));
		if (folder || hf_sv_eq(type, HF_SV("FileOrCreate")))
			hf_check_patch(r, hf_check_fail(r, v, "makes it on the node where it is not there"),
				       hf_arena_fmt(r->arena, "/volumes/%zu/hostPath/type", i).ptr,
				       folder ? "\"Directory\"" : "\"File\"", false);
		i++;
	}
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-150",
	  .name = "host-path",
	  .title = "A pod mounts a directory of its node",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "What it reads there belongs to the node or to other pods; it binds the pod to what one "
		 "node has.",
	  .fix = "Use a PersistentVolumeClaim, a ConfigMap or an emptyDir.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 C-0203 polaris:hostPathSet",
	  .evaluate = any },
	{ .id = "HF-K8S-151",
	  .name = "host-path-writable",
	  .title = "A container may write to a directory of its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A file in the right place is run by the node: the shortest way from a pod to its node, "
		 "and one that stays.",
	  .fix = "Set readOnly: true on the mount, or use another volume.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 C-0045 kube-linter:writable-host-mount",
	  .evaluate = writable },
	{ .id = "HF-K8S-152",
	  .name = "host-path-root",
	  .title = "A pod mounts the root of its node's files",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_POD,
	  .why = "All keys, all other pods' volumes and all programs of the node are in its hands.",
	  .fix = "Mount the one directory that is needed, read-only.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 "
			"kube-linter:sensitive-host-mounts",
	  .evaluate = root },
	{ .id = "HF-K8S-153",
	  .name = "container-runtime-socket",
	  .title = "A pod mounts the socket of its node's container runtime",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_POD,
	  .why = "Who speaks to it starts privileged containers, past the API server, its admission and "
		 "its audit.",
	  .fix = "Remove the mount; build images with a builder that needs no daemon, read metrics from "
		 "the kubelet.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1610 KSV-0006 C-0074 CKV_K8S_27 "
			"kube-linter:docker-sock",
	  .evaluate = sockets },
	{ .id = "HF-K8S-154",
	  .name = "host-path-etc",
	  .title = "A pod mounts the node's /etc",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Accounts, SSH keys, certificates and start-up jobs stand there.",
	  .fix = "Copy what is needed into a ConfigMap.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 "
			"kube-linter:sensitive-host-mounts",
	  .evaluate = etc },
	{ .id = "HF-K8S-155",
	  .name = "host-path-kernel",
	  .title = "A pod mounts the node's /proc or /sys",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "The files of all processes and switches of the kernel are in it (core_pattern, "
		 "uevent_helper: a program that the kernel runs as root).",
	  .fix = "Remove the mount; agents take the node's metrics from the kubelet.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 "
			"kube-linter:sensitive-host-mounts",
	  .evaluate = kernel },
	{ .id = "HF-K8S-156",
	  .name = "host-path-kubelet",
	  .title = "A pod mounts the kubelet's directory",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_POD,
	  .why = "It holds the node's client key and the tokens and secrets of every pod on the node.",
	  .fix = "Remove the mount; drivers of storage need /var/lib/kubelet/plugins alone.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1552.007 KSV-0023 C-0048",
	  .evaluate = kubelet },
	{ .id = "HF-K8S-157",
	  .name = "host-path-log",
	  .title = "A pod mounts the node's /var/log",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "The kubelet follows links there as root when it serves logs: a link to / gives all files"
		 " of the node.",
	  .fix = "Mount read-only the folder that is needed (/var/log/pods), or collect logs by the API.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048",
	  .evaluate = logs },
	{ .id = "HF-K8S-158",
	  .name = "host-path-dev",
	  .title = "A pod mounts the node's /dev",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Disks and memory of the node can be opened where a capability or a device rule allows "
		 "it.",
	  .fix = "Ask for devices by a device plugin.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 "
			"kube-linter:sensitive-host-mounts",
	  .evaluate = device },
	{ .id = "HF-K8S-159",
	  .name = "host-path-runtime-state",
	  .title = "A pod mounts the files of its node's runtime",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "The file systems of all containers are there, to be read and to be changed while they "
		 "run.",
	  .fix = "Remove the mount.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048",
	  .evaluate = runtime_state },
	{ .id = "HF-K8S-160",
	  .name = "host-path-control-plane",
	  .title = "A pod mounts the control plane's data or keys",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_POD,
	  .why = "On a node of the control plane these are every Secret of the cluster, and the key that "
		 "signs anybody.",
	  .fix = "Remove the mount, and keep workloads off these nodes.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1552.001 KSV-0023 C-0048",
	  .evaluate = etcd },
	{ .id = "HF-K8S-161",
	  .name = "host-path-credentials",
	  .title = "A pod mounts homes or credentials of its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "SSH keys, kubeconfigs and the cloud's own account of the node are found there.",
	  .fix = "Give the workload an identity of its own.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1552.001 KSV-0023 C-0020",
	  .evaluate = credentials },
	{ .id = "HF-K8S-162",
	  .name = "host-path-programs",
	  .title = "A pod mounts programs or the kernel of its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "What is written there is run by the node; what is read tells versions to attack.",
	  .fix = "Remove the mount; installers of CNI plugins are the exception, and run from images that "
		 "are trusted as the node is.",
	  .references = "CIS-5.2.12 NSA-host-path MITRE-T1611 KSV-0023 C-0048 "
			"kube-linter:sensitive-host-mounts",
	  .evaluate = programs },
	{ .id = "HF-K8S-163",
	  .name = "host-path-creates",
	  .title = "A pod makes directories on its node",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "A mistyped path becomes a folder of root on every node, and nobody sees that what was "
		 "meant is not there.",
	  .fix = "Set the type Directory or File.",
	  .references = "NSA-host-path",
	  .evaluate = creates },
};

const struct hf_check_group hf_check_group_hostpath = { "hostpath", checks, HF_ARRAY_SIZE(checks) };
