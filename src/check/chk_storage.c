/* Volumes, their classes and their drivers. */
#include "check/workload.h"

static void host_path(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "hostPath");
	hf_sv path = hf_value_get_text(v, HF_SV("path"));

	if (v)
		hf_check_fail(r, v, "is the directory %.*s of whatever node its pod runs on", HF_SV_FMT(path));
}

static void local(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "local");
	static const char *const system[] = {
		"/etc", "/var/lib/kubelet", "/var/log", "/root", "/usr", "/proc", "/sys", "/boot", "/home"
	};
	hf_sv path = hf_value_get_text(v, HF_SV("path"));

	if (!v) {
		hf_check_not_applicable(r);
		return;
	}
	bool bad = hf_sv_eq(path, HF_SV("/"));
	for (size_t i = 0; i < HF_ARRAY_SIZE(system); i++) {
		hf_sv folder = hf_sv_of(system[i]);
		bad |= hf_sv_starts(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/');
	}
	if (bad)
		hf_check_fail(r, v, "is %.*s, which is the node's own", HF_SV_FMT(path));
}

static void nfs(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "nfs");
	bool kerberos = false;

	if (!v) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("mountOptions")), e)
	{
		hf_sv option = hf_value_text(e);
		kerberos |= hf_sv_starts(option, HF_SV("sec=krb5p")) || hf_sv_starts(option, HF_SV("xprtsec="));
	}
	if (!kerberos)
		hf_check_fail(r, v, "is served by NFS without encryption");
}

static void recycle(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("persistentVolumeReclaimPolicy"));

	if (hf_sv_eq(hf_value_text(v), HF_SV("Recycle")))
		hf_check_patch(r, hf_check_fail(r, v, "is wiped by rm -rf and given to the next claim"),
			       "/spec/persistentVolumeReclaimPolicy", "\"Retain\"", true);
}

static void released(struct hf_check_run *r)
{
	hf_sv phase = hf_value_text(hf_value_at(r->object->root, "status.phase"));

	if (!phase.len)
		hf_check_not_assessable(r, "a manifest does not tell whether the volume is still claimed");
	else if (hf_sv_eq(phase, HF_SV("Released")) || hf_sv_eq(phase, HF_SV("Failed")))
		hf_check_fail(r, NULL, "its claim is gone, its data is still there");
}

/* What the class's driver reads to encrypt its volumes; where all are encrypted anyway, no parameter is asked for. */
static const struct {
	const char *provisioner, *parameter, *value;
} encryption[] = {
	{ "ebs.csi.aws.com", "encrypted", "true" },
	{ "kubernetes.io/aws-ebs", "encrypted", "true" },
	{ "ebs.csi.eks.amazonaws.com", "encrypted", "true" },
	{ "driver.longhorn.io", "encrypted", "true" },
	{ "rbd.csi.ceph.com", "encrypted", "true" },
	{ "rook-ceph.rbd.csi.ceph.com", "encrypted", "true" },
	{ "cephfs.csi.ceph.com", "encrypted", "true" },
	{ "pxd.portworx.com", "secure", "true" },
	{ "kubernetes.io/portworx-volume", "secure", "true" },
	{ "pd.csi.storage.gke.io", NULL, NULL },
	{ "filestore.csi.storage.gke.io", NULL, NULL },
	{ "kubernetes.io/gce-pd", NULL, NULL },
	{ "disk.csi.azure.com", NULL, NULL },
	{ "file.csi.azure.com", NULL, NULL },
	{ "kubernetes.io/azure-disk", NULL, NULL },
};

static void unencrypted(struct hf_check_run *r)
{
	const struct hf_value *parameters = hf_value_get(r->object->root, HF_SV("parameters"));
	hf_sv provisioner = hf_value_get_text(r->object->root, HF_SV("provisioner"));

	for (size_t i = 0; i < HF_ARRAY_SIZE(encryption); i++) {
		if (!hf_sv_eq(provisioner, hf_sv_of(encryption[i].provisioner)))
			continue;
		if (!encryption[i].parameter)
			return;
		const struct hf_value *v = hf_value_get(parameters, hf_sv_of(encryption[i].parameter));
		if (!hf_sv_eq_ascii(hf_value_text(v), hf_sv_of(encryption[i].value)))
			hf_check_fail(r, v ? v : parameters, "%s is not set to %s for %.*s", encryption[i].parameter,
				      encryption[i].value, HF_SV_FMT(provisioner));
		return;
	}
	hf_check_not_assessable(r, "how %.*s encrypts is not known here", HF_SV_FMT(provisioner));
}

static void class_secrets(struct hf_check_run *r)
{
	hf_value_members(hf_value_get(r->object->root, HF_SV("parameters")), m)
	{
		static const char *const names[] = { "restuserkey", "password",          "adminsecret", "usersecret",
						     "accountkey",  "storageaccountkey", "chapsecret",  "apikey" };
		for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
			if (hf_sv_eq_ascii(hf_member_key(m), hf_sv_of(names[i])) && hf_value_text(&m->value).len)
				hf_check_fail(r, &m->value, "the parameter %.*s holds a secret",
					      HF_SV_FMT(hf_member_key(m)));
	}
}

static void deletes(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("reclaimPolicy"));

	if (!v || hf_sv_eq(hf_value_text(v), HF_SV("Delete")))
		hf_check_fail(r, v, "volumes are deleted with their claims%s", v ? "" : ": that is the default");
}

static bool storage_is_bounded(const struct hf_kube_objects *set)
{
	for (size_t i = 0; i < set->of_kind_n[HF_KUBE_RESOURCE_QUOTA]; i++) {
		const struct hf_value *hard =
			hf_value_get(set->of_kind[HF_KUBE_RESOURCE_QUOTA][i]->spec, HF_SV("hard"));
		hf_value_members(hard, m) if (hf_sv_ends(hf_member_key(m), HF_SV("requests.storage"))) return true;
	}
	return false;
}

static void expands(struct hf_check_run *r)
{
	static bool yes, no;
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("allowVolumeExpansion"));

	if (!r->memo)
		r->memo = storage_is_bounded(r->set) ? &yes : &no;
	if (!hf_value_true(v) || r->memo == &yes)
		return;
	if (!r->set->of_kind_n[HF_KUBE_RESOURCE_QUOTA] && !r->live)
		hf_check_not_assessable(r, "no quotas are in the input");
	else
		hf_check_fail(r, v, "claims may grow, and no quota bounds requests.storage");
}

static void two_defaults(struct hf_check_run *r)
{
	const struct hf_kube_object *first = NULL;

	if (!r->set->of_kind_n[HF_KUBE_STORAGE_CLASS]) {
		hf_check_not_assessable(r, "no storage classes are in the input");
		return;
	}
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_STORAGE_CLASS]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_STORAGE_CLASS][i];
		const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));
		const struct hf_value *v =
			hf_value_get(annotations, HF_SV("storageclass.kubernetes.io/is-default-class"));
		v = v ? v : hf_value_get(annotations, HF_SV("storageclass.beta.kubernetes.io/is-default-class"));
		if (!hf_sv_eq(hf_value_text(v), HF_SV("true")))
			continue;
		if (first) {
			hf_check_about(r, o);
			hf_check_fail(r, v, "%.*s is the default as well", HF_SV_FMT(first->name));
		}
		first = first ? first : o;
	}
	hf_check_about(r, NULL);
}

static void fs_group_policy(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("fsGroupPolicy"));

	if (!v)
		hf_check_fail(r, r->object->spec, "says not whether the fsGroup of pods may own its volumes");
}

static void driver_tokens(struct hf_check_run *r)
{
	const struct hf_value *requests = hf_value_get(r->object->spec, HF_SV("tokenRequests"));
	int64_t seconds;

	if (!hf_value_count(requests, HF_VALUE_ARRAY)) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(requests, e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("expirationSeconds"));
		if (!hf_value_get_text(e, HF_SV("audience")).len)
			hf_check_fail(r, e, "gets tokens of pods that the API server itself takes");
		else if (hf_value_int(v, &seconds) && seconds > 86400)
			hf_check_fail(r, v, "gets tokens of pods for %lld hours", (long long)seconds / 3600);
	}
}

static void inline_driver(struct hf_check_run *r)
{
	const struct hf_value *labels = hf_value_get(r->object->metadata, HF_SV("labels"));
	bool ephemeral = false;

	hf_value_elements(hf_value_get(r->object->spec, HF_SV("volumeLifecycleModes")), e) ephemeral |=
		hf_sv_eq(hf_value_text(e), HF_SV("Ephemeral"));
	hf_sv profile = hf_value_get_text(labels, HF_SV("security.kubernetes.io/csi-ephemeral-volume-profile"));
	if (!ephemeral)
		hf_check_not_applicable(r);
	else if (!profile.len || hf_sv_eq(profile, HF_SV("privileged")))
		hf_check_fail(
			r, r->object->spec, "%s",
			profile.len
				? "its volumes in pods are for privileged pods alone, and admission is not told more"
				: "which pods may have its volumes is not labelled");
}

static void shared_volume(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("accessModes")),
			  e) if (hf_sv_eq(hf_value_text(e), HF_SV("ReadWriteMany")))
		hf_check_fail(r, e, "may be written from many nodes at once");
}

static void no_class(struct hf_check_run *r)
{
	if (!hf_value_get(r->object->spec, HF_SV("storageClassName")) &&
	    !hf_value_get_text(r->object->spec, HF_SV("volumeName")).len)
		hf_check_fail(r, r->object->spec, "takes whatever class is the default");
}

static void empty_dirs(struct hf_check_run *r, bool memory)
{
	size_t i = 0;
	bool any = false;

	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("emptyDir"));
		bool is_memory = hf_sv_eq(hf_value_get_text(v, HF_SV("medium")), HF_SV("Memory"));
		hf_sv name = hf_value_get_text(e, HF_SV("name"));
		any |= v && is_memory == memory;
		if (v && is_memory == memory && !hf_value_get(v, HF_SV("sizeLimit")))
			hf_check_patch(r,
				       hf_check_fail(r, v, "%.*s may grow to all that the node has", HF_SV_FMT(name)),
				       hf_arena_fmt(r->arena, "/volumes/%zu/emptyDir/sizeLimit", i).ptr,
				       memory ? "\"64Mi\"" : "\"1Gi\"", false);
		i++;
	}
	if (!any)
		hf_check_not_applicable(r);
}

static void empty_dir(struct hf_check_run *r)
{
	empty_dirs(r, false);
}

static void memory_dir(struct hf_check_run *r)
{
	empty_dirs(r, true);
}

static void ephemeral_limit(struct hf_check_run *r)
{
	const struct hf_value *limits = hf_value_at(r->container->value, "resources.limits");

	if (r->container->role == HF_CONTAINER_EPHEMERAL) {
		hf_check_not_applicable(r);
	} else if (!hf_value_get(limits, HF_SV("ephemeral-storage"))) {
		struct hf_check_result *f = hf_check_fail(r, limits, "may fill its node's disk with files and logs");
		const char *amount = hf_check_limit_for(r, "ephemeral-storage", "\"2Gi\"");
		if (amount)
			hf_check_patch(r, f, "/resources/limits/ephemeral-storage", amount, false);
	}
}

static void removed_volumes(struct hf_check_run *r)
{
	static const struct {
		const char *type, *why;
	} types[] = {
		{ "gitRepo", "a repository of somebody runs commands as the node's root (CVE-2024-10220)" },
		{ "flexVolume", "its driver is a program of root on the node" },
		{ "glusterfs", "it is gone since Kubernetes 1.26" },
		{ "quobyte", "it is gone since Kubernetes 1.25" },
		{ "storageos", "it is gone since Kubernetes 1.25" },
		{ "scaleIO", "it is gone since Kubernetes 1.22" },
		{ "flocker", "it is gone since Kubernetes 1.25" },
		{ "rbd", "it is gone since Kubernetes 1.31" },
		{ "cephfs", "it is gone since Kubernetes 1.31" },
	};

	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e) for (size_t i = 0; i < HF_ARRAY_SIZE(types);
										i++)
	{
		const struct hf_value *v = hf_value_get(e, hf_sv_of(types[i].type));
		if (v)
			hf_check_fail(r, v, "has a volume of the kind %s: %s", types[i].type, types[i].why);
	}
}

static void claims_deleted(struct hf_check_run *r)
{
	const struct hf_value *policy = hf_value_get(r->object->spec, HF_SV("persistentVolumeClaimRetentionPolicy"));
	const struct hf_value *v = hf_value_get(policy, HF_SV("whenDeleted"));

	if (!hf_value_count(hf_value_get(r->object->spec, HF_SV("volumeClaimTemplates")), HF_VALUE_ARRAY))
		hf_check_not_applicable(r);
	else if (hf_sv_eq(hf_value_text(v), HF_SV("Delete")))
		hf_check_patch(r, hf_check_fail(r, v, "its data goes with it"),
			       "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted", "\"Retain\"", true);
}

static void foreign_source(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->object->spec, "dataSourceRef.namespace");
	hf_sv from = hf_value_text(v);

	if (from.len && !hf_sv_eq(from, r->object->namespace))
		hf_check_fail(r, v, "is filled from the namespace %.*s", HF_SV_FMT(from));
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-401",
	  .name = "pv-host-path",
	  .title = "A PersistentVolume is a directory of its node",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME },
	  .why = "Claims get a hostPath past Pod Security: a pod that may have none has one.",
	  .fix = "Use a driver of storage, or the kind local with a node affinity.",
	  .references = "NSA-host-path MITRE-T1611 KSV-0023 C-0048",
	  .evaluate = host_path },
	{ .id = "HF-K8S-402",
	  .name = "pv-local-system",
	  .title = "A local PersistentVolume is a directory of the system",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME },
	  .why = "Whoever claims it reads and writes the node's own files.",
	  .fix = "Give it a disk, or a folder below /mnt, of its own.",
	  .references = "NSA-host-path MITRE-T1611",
	  .evaluate = local },
	{ .id = "HF-K8S-403",
	  .name = "pv-nfs-plain",
	  .title = "A PersistentVolume is read over NFS in clear",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME },
	  .why = "Files travel unencrypted, and the server believes the user ids that clients send.",
	  .fix = "Use sec=krb5p or xprtsec=mtls, or a network of its own.",
	  .references = "NSA-encryption MITRE-T1040",
	  .evaluate = nfs },
	{ .id = "HF-K8S-404",
	  .name = "pv-recycled",
	  .title = "A PersistentVolume is recycled",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME },
	  .why = "Deleted files can be recovered by the next claim, which may be another tenant's.",
	  .fix = "Set persistentVolumeReclaimPolicy: Retain, or Delete with a driver that can.",
	  .references = "",
	  .evaluate = recycle },
	{ .id = "HF-K8S-405",
	  .name = "pv-released",
	  .title = "A PersistentVolume was left by its claim",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME },
	  .why = "Nobody watches over data that nobody owns.",
	  .fix = "Save what is needed, and delete it.",
	  .references = "MITRE-T1005",
	  .evaluate = released },
	{ .id = "HF-K8S-406",
	  .name = "storage-class-unencrypted",
	  .title = "A storage class makes volumes that are not encrypted",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STORAGE_CLASS },
	  .why = "Who has the disk, a snapshot or a backup of it has the data.",
	  .fix = "Set the driver's parameter for encryption and a key.",
	  .references = "NSA-encryption MITRE-T1005",
	  .evaluate = unencrypted },
	{ .id = "HF-K8S-407",
	  .name = "storage-class-secret",
	  .title = "A storage class holds a secret",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STORAGE_CLASS },
	  .why = "Every account may read storage classes.",
	  .fix = "Refer to a Secret by the driver's parameters for that "
		 "(csi.storage.k8s.io/…-secret-name), and change the value.",
	  .references = "NSA-secrets MITRE-T1552.007",
	  .evaluate = class_secrets },
	{ .id = "HF-K8S-408",
	  .name = "storage-class-deletes",
	  .title = "A storage class deletes volumes with their claims",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STORAGE_CLASS },
	  .why = "One who may delete claims, or a namespace, destroys the data at once.",
	  .fix = "Set reclaimPolicy: Retain for data that matters.",
	  .references = "MITRE-T1485",
	  .evaluate = deletes },
	{ .id = "HF-K8S-409",
	  .name = "storage-class-expansion",
	  .title = "Claims may grow without a bound",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STORAGE_CLASS },
	  .why = "One tenant fills the storage, and the bill, of all.",
	  .fix = "Set requests.storage in a ResourceQuota of each namespace.",
	  .references = "NSA-resource-limits MITRE-T1496",
	  .evaluate = expands },
	{ .id = "HF-K8S-410",
	  .name = "storage-class-two-defaults",
	  .title = "More than one storage class is the default",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Which one a claim gets, encrypted or not, depends on which was made last.",
	  .fix = "Leave the annotation on one class alone.",
	  .references = "",
	  .evaluate = two_defaults },
	{ .id = "HF-K8S-411",
	  .name = "csi-driver-fs-group",
	  .title = "A driver does not say how the owners of files are set",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CSI_DRIVER },
	  .why = "By default it depends on the file system: pods get volumes that they cannot read, and "
		 "are then run as root.",
	  .fix = "Set fsGroupPolicy: File or None.",
	  .references = "",
	  .evaluate = fs_group_policy },
	{ .id = "HF-K8S-412",
	  .name = "csi-driver-token",
	  .title = "A driver gets tokens of pods that are good for more than itself",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CSI_DRIVER },
	  .why = "Whoever takes over the driver acts as all pods that have its volumes.",
	  .fix = "Name the audience of the service that it speaks to, and a short lifetime.",
	  .references = "NSA-service-account MITRE-T1528",
	  .evaluate = driver_tokens },
	{ .id = "HF-K8S-413",
	  .name = "csi-driver-inline",
	  .title = "A driver's volumes may stand in any pod",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CSI_DRIVER },
	  .why = "Volumes in pods go past the right to make PersistentVolumes; parameters of the driver "
		 "are then anybody's to set.",
	  .fix = "Label it security.kubernetes.io/csi-ephemeral-volume-profile: restricted or baseline "
		 "where it is fit for them.",
	  .references = "",
	  .evaluate = inline_driver },
	{ .id = "HF-K8S-414",
	  .name = "volume-shared",
	  .title = "A volume is written by many nodes",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME_CLAIM, HF_KUBE_PERSISTENT_VOLUME },
	  .why = "What one pod is taken over by spreads through files that others read.",
	  .fix = "Use ReadWriteOncePod where one writer is enough, ReadOnlyMany for readers.",
	  .references = "",
	  .evaluate = shared_volume },
	{ .id = "HF-K8S-415",
	  .name = "claim-without-class",
	  .title = "A claim names no storage class",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME_CLAIM },
	  .why = "Whether its data is encrypted, and kept, is decided by a setting of the cluster that may"
		 " change.",
	  .fix = "Name the class.",
	  .references = "",
	  .evaluate = no_class },
	{ .id = "HF-K8S-416",
	  .name = "empty-dir-unbounded",
	  .title = "An emptyDir has no size limit",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "It fills its node's disk, and all pods of the node are evicted.",
	  .fix = "Set sizeLimit.",
	  .references = "NSA-resource-limits MITRE-T1499",
	  .evaluate = empty_dir },
	{ .id = "HF-K8S-417",
	  .name = "memory-dir-unbounded",
	  .title = "An emptyDir in memory has no size limit",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Files count as memory: half of the node's may go before anything stops it.",
	  .fix = "Set sizeLimit.",
	  .references = "NSA-resource-limits MITRE-T1499",
	  .evaluate = memory_dir },
	{ .id = "HF-K8S-418",
	  .name = "ephemeral-storage-limit",
	  .title = "A container may fill its node's disk",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Its writable layer and its logs grow until the kubelet evicts pods, not always this one.",
	  .fix = "Set resources.limits.ephemeral-storage.",
	  .references = "NSA-resource-limits MITRE-T1499",
	  .evaluate = ephemeral_limit },
	{ .id = "HF-K8S-419",
	  .name = "volume-kind-unsafe",
	  .title = "A pod has a volume of a kind that was given up",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "These kinds run programs on the node or are gone from Kubernetes: no one mends them.",
	  .fix = "Use a driver of the Container Storage Interface; clone repositories in an init "
		 "container.",
	  .references = "MITRE-T1611 KSV-0028",
	  .evaluate = removed_volumes },
	{ .id = "HF-K8S-420",
	  .name = "stateful-set-claims-deleted",
	  .title = "A StatefulSet's data is deleted with it",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_STATEFUL_SET },
	  .why = "One who may delete the set destroys its volumes too.",
	  .fix = "Set whenDeleted: Retain.",
	  .references = "MITRE-T1485",
	  .evaluate = claims_deleted },
	{ .id = "HF-K8S-421",
	  .name = "claim-from-other-namespace",
	  .title = "A claim is filled from another namespace",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_PERSISTENT_VOLUME_CLAIM },
	  .why = "Data goes over the border between tenants.",
	  .fix = "Copy the source, or see to it that the ReferenceGrant names this namespace alone.",
	  .references = "NSA-isolation",
	  .evaluate = foreign_source },
};

const struct hf_check_group hf_check_group_storage = { "storage", checks, HF_ARRAY_SIZE(checks) };
