/* Who a container's processes are. */
#include "check/workload.h"

enum { LOW_ID = 10000 }; /* below it, ids are those of a node's own users as well */

/* In a user namespace of its own, root is nobody on the node. */
static bool is_mapped(const struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("hostUsers"));

	return hf_value_is(v, HF_VALUE_BOOL) && !v->boolean;
}

static void may_be_root(struct hf_check_run *r)
{
	const struct hf_value *at;
	int64_t uid;

	if (r->pod->windows || is_mapped(r)) {
		hf_check_not_applicable(r);
		return;
	}
	if (hf_value_true(hf_check_security_setting(r, "runAsNonRoot")))
		return;
	if (!hf_check_security_number(r, "runAsUser", &at, &uid))
		hf_check_patch(r,
			       hf_check_fail(r, hf_check_security_setting(r, "runAsNonRoot"),
					     "may run as root: its image decides"),
			       "/securityContext/runAsNonRoot", "true", false);
	else if (!uid) /* runAsNonRoot beside it would keep the pod from ever starting */
		hf_check_fail(r, at, "runs as root: runAsUser is 0");
}

static void is_root(struct hf_check_run *r)
{
	const struct hf_value *at;
	int64_t uid;

	if (r->pod->windows || is_mapped(r))
		hf_check_not_applicable(r);
	else if (hf_check_security_number(r, "runAsUser", &at, &uid) && !uid)
		hf_check_fail(r, at, "runs as root");
}

static void low_id(struct hf_check_run *r, const char *field, const char *what)
{
	const struct hf_value *at;
	int64_t id;

	if (r->pod->windows || is_mapped(r))
		hf_check_not_applicable(r);
	else if (!hf_check_security_number(r, field, &at, &id))
		hf_check_not_assessable(r, "no %s is set: the image decides", field);
	else if (id < LOW_ID)
		hf_check_fail(r, at, "runs with %s %lld, which may be one of its node's", what, (long long)id);
}

static void low_uid(struct hf_check_run *r)
{
	low_id(r, "runAsUser", "user id");
}

static void low_gid(struct hf_check_run *r)
{
	low_id(r, "runAsGroup", "group id");
}

static void root_group(struct hf_check_run *r)
{
	const struct hf_value *at;
	int64_t gid;

	if (r->pod->windows)
		hf_check_not_applicable(r);
	else if (!hf_check_security_number(r, "runAsGroup", &at, &gid))
		hf_check_not_assessable(r, "no runAsGroup is set: the image decides, and root's is the default");
	else if (!gid)
		hf_check_fail(r, at, "runs with the group of root");
}

static void more_groups(struct hf_check_run *r)
{
	const struct hf_value *volumes = hf_value_get(r->pod->security_context, HF_SV("fsGroup"));
	int64_t gid;

	if (r->pod->windows) {
		hf_check_not_applicable(r);
		return;
	}
	if (hf_value_int(volumes, &gid) && !gid)
		hf_check_fail(r, volumes, "owns its volumes by the group of root");
	hf_value_elements(hf_value_get(r->pod->security_context, HF_SV("supplementalGroups")),
			  e) if (hf_value_int(e, &gid) && !gid) hf_check_fail(r, e, "is in the group of root");
}

static void windows_administrator(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_at(r->container->security_context, "windowsOptions.runAsUserName");

	v = v ? v : hf_value_at(r->pod->security_context, "windowsOptions.runAsUserName");
	if (!r->pod->windows)
		hf_check_not_applicable(r);
	else if (hf_sv_eq_ascii(hf_value_text(v), HF_SV("ContainerAdministrator")))
		hf_check_patch(r, hf_check_fail(r, v, "runs as ContainerAdministrator"),
			       "/securityContext/windowsOptions/runAsUserName", "\"ContainerUser\"", false);
}

static const struct hf_value *program(const struct hf_check_run *r)
{
	const struct hf_value *words = hf_value_get(r->container->value, HF_SV("command"));

	if (!hf_value_count(words, HF_VALUE_ARRAY))
		words = hf_value_get(r->container->value, HF_SV("args"));
	return hf_value_count(words, HF_VALUE_ARRAY) ? &words->elements[0] : NULL;
}

static void sudo(struct hf_check_run *r)
{
	const struct hf_value *v = program(r);

	if (!v)
		hf_check_not_assessable(r, "neither command nor args are written: the image decides");
	else if (hf_sv_eq(hf_sv_basename(hf_value_text(v)), HF_SV("sudo")))
		hf_check_fail(r, v, "starts with sudo");
}

static void ssh(struct hf_check_run *r)
{
	const struct hf_value *v = program(r);

	if (hf_sv_eq(hf_sv_basename(hf_value_text(v)), HF_SV("sshd"))) {
		hf_check_fail(r, v, "runs an SSH server");
		return;
	}
	hf_value_elements(hf_value_get(r->container->value, HF_SV("ports")), e)
	{
		const struct hf_value *port = hf_value_get(e, HF_SV("containerPort"));
		int64_t n;
		if (hf_value_int(port, &n) && (n == 22 || n == 2222)) {
			hf_check_fail(r, port, "listens at port %lld, that of SSH", (long long)n);
			return;
		}
	}
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-131",
	  .name = "may-run-as-root",
	  .title = "A container may run as root",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Root in a container meets the kernel with all its capabilities, and is root on the node "
		 "where it gets out.",
	  .fix = "Set runAsNonRoot: true and, where the image names no number, runAsUser.",
	  .references = "CIS-5.2.7 CIS-5.7.3 NSA-non-root MITRE-T1611 KSV-0012 KSV-0118 C-0013 C-0198 "
			"C-0211 CKV_K8S_23 CKV_K8S_29 CKV_K8S_30 kube-linter:run-as-non-root "
			"polaris:runAsRootAllowed",
	  .evaluate = may_be_root },
	{ .id = "HF-K8S-132",
	  .name = "runs-as-root",
	  .title = "A container is told to run as root",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It is root whatever user its image was made for.",
	  .fix = "Set runAsUser to another number, above 10000, or remove it.",
	  .references = "CIS-5.2.7 NSA-non-root MITRE-T1611 KSV-0105 C-0013 C-0198",
	  .evaluate = is_root },
	{ .id = "HF-K8S-133",
	  .name = "low-user-id",
	  .title = "A container's user id may be one of its node's",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Out of the container the process is that user of the node, with its files.",
	  .fix = "Set runAsUser above 10000.",
	  .references = "NSA-non-root KSV-0020 CKV_K8S_40",
	  .evaluate = low_uid },
	{ .id = "HF-K8S-134",
	  .name = "low-group-id",
	  .title = "A container's group id may be one of its node's",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Out of the container the process has that group's files on the node (docker, disk, adm "
		 "…).",
	  .fix = "Set runAsGroup above 10000.",
	  .references = "NSA-non-root KSV-0021",
	  .evaluate = low_gid },
	{ .id = "HF-K8S-135",
	  .name = "root-group",
	  .title = "A container runs with the group of root",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Files that root's group may write, in volumes of the node too, are its own.",
	  .fix = "Set runAsGroup to another number.",
	  .references = "NSA-non-root KSV-0029 KSV-0116",
	  .evaluate = root_group },
	{ .id = "HF-K8S-136",
	  .name = "root-group-of-volumes",
	  .title = "A pod is in the group of root by its volumes or further groups",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Files that root's group may read or write are open to it whatever user it runs as.",
	  .fix = "Remove 0 from supplementalGroups and fsGroup.",
	  .references = "NSA-non-root KSV-0029 KSV-0116",
	  .evaluate = more_groups },
	{ .id = "HF-K8S-137",
	  .name = "windows-administrator",
	  .title = "A Windows container runs as its administrator",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It may install services and load drivers into the container's registry and reach mounted"
		 " volumes of all users.",
	  .fix = "Set runAsUserName: ContainerUser.",
	  .references = "NSA-non-root",
	  .evaluate = windows_administrator },
	{ .id = "HF-K8S-138",
	  .name = "sudo-entry-point",
	  .title = "A container starts by sudo",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Rights are taken at the start that its user was meant not to have, and setuid programs "
		 "must be allowed for it.",
	  .fix = "Run as the user that is needed, without sudo.",
	  .references = "MITRE-T1548 C-0062",
	  .evaluate = sudo },
	{ .id = "HF-K8S-139",
	  .name = "ssh-server",
	  .title = "A container runs an SSH server",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A way in beside the API server: with keys of its own, without RBAC and without audit.",
	  .fix = "Use kubectl exec, which is authorised and recorded.",
	  .references = "MITRE-T1021 C-0042 kube-linter:ssh-port",
	  .evaluate = ssh },
};

const struct hf_check_group hf_check_group_user = { "user", checks, HF_ARRAY_SIZE(checks) };
