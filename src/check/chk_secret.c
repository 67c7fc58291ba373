/* Secrets and configuration: values that stand where they are read by too many. Values are never told. */
#include "check/workload.h"
#include "check/secret_shape.h"

static void secret_in_env(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->container->value, HF_SV("env")), e)
	{
		const struct hf_value *v = hf_value_get(hf_value_get(e, HF_SV("valueFrom")), HF_SV("secretKeyRef"));
		hf_sv name = hf_value_get_text(e, HF_SV("name"));
		if (v)
			hf_check_fail(r, v, "%.*s holds a key of a Secret", HF_SV_FMT(name));
	}
}

static void secret_env_from(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->container->value, HF_SV("envFrom")), e)
	{
		const struct hf_value *v = hf_value_get(e, HF_SV("secretRef"));
		hf_sv name = hf_value_get_text(v, HF_SV("name"));
		if (v)
			hf_check_fail(r, v, "all keys of the Secret %.*s are in its environment", HF_SV_FMT(name));
	}
}

static void literal_in_env(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->container->value, HF_SV("env")), e)
	{
		hf_sv name = hf_value_get_text(e, HF_SV("name")), value = hf_value_get_text(e, HF_SV("value"));
		const char *shape = hf_secret_shape(value);
		if (shape)
			hf_check_fail(r, e, "%.*s holds %s", HF_SV_FMT(name), shape);
		else if (hf_secret_name(name) && hf_secret_value(value))
			hf_check_fail(r, e, "%.*s has its value written down", HF_SV_FMT(name));
	}
}

static void words(struct hf_check_run *r, const char *list)
{
	const struct hf_value *v = hf_value_get(r->container->value, hf_sv_of(list));

	for (size_t i = 0; i < hf_value_count(v, HF_VALUE_ARRAY); i++) {
		hf_sv word = hf_value_text(&v->elements[i]), name, value = { 0 };
		const char *shape = hf_secret_shape(word);
		if (shape) {
			hf_check_fail(r, &v->elements[i], "word %zu of its %s holds %s", i + 1, list, shape);
			continue;
		}
		if (!hf_sv_starts(word, HF_SV("-")) || word.len > 100000)
			continue;
		if (!hf_sv_cut(word, '=', &name, &value)) {
			name = word;
			value = i + 1 < v->n ? hf_value_text(&v->elements[i + 1]) : (hf_sv){ 0 };
			if (hf_sv_starts(value, HF_SV("-")))
				continue;
		}
		if (hf_secret_name(name) && hf_secret_value(value))
			hf_check_fail(r, &v->elements[i], "%.*s has its value written down", HF_SV_FMT(name));
	}
}

static void literal_in_args(struct hf_check_run *r)
{
	words(r, "command");
	words(r, "args");
}

/* A file's lines as "name: value" and "name = value". */
static bool has_secret_line(hf_sv text)
{
	hf_sv rest = text, line, name, value;

	while (hf_sv_next(&rest, '\n', &line)) {
		line = hf_sv_trim(line);
		if (hf_sv_starts(line, HF_SV("#")) || line.len > 1000)
			continue;
		if ((hf_sv_cut(line, '=', &name, &value) || hf_sv_cut(line, ':', &name, &value)) && name.len < 100 &&
		    hf_secret_name(hf_sv_trim(name)) && hf_secret_value(hf_sv_trim(value)))
			return true;
	}
	return false;
}

static void config_map(struct hf_check_run *r)
{
	hf_value_members(hf_value_get(r->object->root, HF_SV("data")), m)
	{
		hf_sv value = hf_value_text(&m->value);
		bool lines = hf_sv_index(value, '\n') != SIZE_MAX;
		if (!lines && hf_secret_name(hf_member_key(m)) && hf_secret_value(value))
			hf_check_fail(r, &m->value, "the key %.*s holds a secret by its name",
				      HF_SV_FMT(hf_member_key(m)));
		else if (lines && has_secret_line(value))
			hf_check_fail(r, &m->value, "the file %.*s has a line that holds a secret by its name",
				      HF_SV_FMT(hf_member_key(m)));
	}
}

static void config_map_shape(struct hf_check_run *r)
{
	hf_value_members(hf_value_get(r->object->root, HF_SV("data")), m)
	{
		const char *shape = hf_secret_shape(hf_value_text(&m->value));
		if (shape)
			hf_check_fail(r, &m->value, "the key %.*s holds %s", HF_SV_FMT(hf_member_key(m)), shape);
	}
}

static void docker_config(struct hf_check_run *r)
{
	hf_value_members(hf_value_get(r->object->root, HF_SV("data")), m)
	{
		hf_sv text = hf_value_text(&m->value);
		if (hf_sv_eq(hf_member_key(m), HF_SV(".dockerconfigjson")) ||
		    hf_sv_eq(hf_member_key(m), HF_SV(".dockercfg")) ||
		    (hf_sv_find(text, HF_SV("\"auths\"")) != SIZE_MAX &&
		     hf_sv_find(text, HF_SV("\"auth\"")) != SIZE_MAX))
			hf_check_fail(r, &m->value, "the key %.*s holds credentials of a registry",
				      HF_SV_FMT(hf_member_key(m)));
	}
}

static void annotations(struct hf_check_run *r)
{
	hf_value_members(hf_value_get(r->object->metadata, HF_SV("annotations")), m)
	{
		const char *shape = hf_secret_shape(hf_value_text(&m->value));
		if (shape)
			hf_check_fail(r, &m->value, "the annotation %.*s holds %s", HF_SV_FMT(hf_member_key(m)), shape);
	}
}

static void pod_annotations(struct hf_check_run *r)
{
	if (r->object->kind != HF_KUBE_POD)
		hf_value_members(hf_value_get(r->pod->metadata, HF_SV("annotations")), m)
		{
			const char *shape = hf_secret_shape(hf_value_text(&m->value));
			if (shape)
				hf_check_fail(r, &m->value, "the annotation %.*s of its pods holds %s",
					      HF_SV_FMT(hf_member_key(m)), shape);
		}
	else
		annotations(r);
}

static void volume_mode(struct hf_check_run *r)
{
	size_t i = 0;
	bool any = false;

	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		const struct hf_value *secret = hf_value_get(e, HF_SV("secret"));
		const struct hf_value *v = hf_value_get(secret, HF_SV("defaultMode"));
		int64_t mode = 0644;
		hf_value_int(v, &mode);
		any |= secret != NULL;
		if (secret && mode & 07)
			hf_check_patch(r,
				       hf_check_fail(r, v ? v : secret, "a Secret's files have the mode 0%llo",
						     (unsigned long long)mode),
				       hf_arena_fmt(r->arena, "/volumes/%zu/secret/defaultMode", i).ptr, "288", false);
		i++;
	}
	if (!any || r->pod->windows)
		if (!r->answered)
			hf_check_not_applicable(r);
}

/* What the pod says, else what its account says, which may not be here to be asked. */
static void automounted(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->pod->spec, HF_SV("automountServiceAccountToken"));
	const struct hf_kube_object *account = hf_kube_find(r->set, r->object->cluster, HF_KUBE_SERVICE_ACCOUNT,
							    r->object->namespace, r->pod->service_account);
	const struct hf_value *theirs =
		account ? hf_value_get(account->root, HF_SV("automountServiceAccountToken")) : NULL;
	bool is_default = hf_sv_eq(r->pod->service_account, HF_SV("default"));

	if (hf_value_is(v, HF_VALUE_BOOL) ? !v->boolean : hf_value_is(theirs, HF_VALUE_BOOL) && !theirs->boolean)
		return;
	if (!v && !account && !r->live && !is_default) {
		hf_check_not_assessable(r, "the ServiceAccount %.*s is not in the input",
					HF_SV_FMT(r->pod->service_account));
		return;
	}
	hf_sv name = r->pod->service_account;
	hf_check_patch(
		r,
		hf_check_fail(r, v, "a token of the ServiceAccount %.*s is in all of its containers", HF_SV_FMT(name)),
		"/automountServiceAccountToken", "false", false);
}

static void account_automounts(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("automountServiceAccountToken"));

	if (hf_check_is_system(
		    r->object)) /* its pods are asked by themselves; most are accounts of controllers that run in none */
		hf_check_not_applicable(r);
	else if (!hf_value_is(v, HF_VALUE_BOOL) || v->boolean)
		hf_check_patch(r, hf_check_fail(r, v, "pods that say nothing get a token of it"),
			       "/automountServiceAccountToken", "false", false);
}

static void legacy_token(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("type"));

	if (hf_sv_eq(hf_value_text(v), HF_SV("kubernetes.io/service-account-token")))
		hf_check_fail(r, v, "a token that never ends");
}

static void bootstrap_token(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("type"));
	bool ends = false;

	if (!hf_sv_eq(hf_value_text(v), HF_SV("bootstrap.kubernetes.io/token"))) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_members(hf_value_get(r->object->root, HF_SV("data")), m) ends |=
		hf_sv_eq(hf_member_key(m), HF_SV("expiration"));
	hf_value_members(hf_value_get(r->object->root, HF_SV("stringData")), m) ends |=
		hf_sv_eq(hf_member_key(m), HF_SV("expiration"));
	if (!ends)
		hf_check_fail(r, v, "a token by which nodes join, without an end");
}

enum { TOKEN_SECONDS_MAX = 86400 };

static bool each_token(struct hf_check_run *r,
		       void (*judge)(struct hf_check_run *, const struct hf_value *, hf_sv path))
{
	size_t i = 0;
	bool any = false;

	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("volumes")), e)
	{
		size_t k = 0;
		hf_value_elements(hf_value_get(hf_value_get(e, HF_SV("projected")), HF_SV("sources")), s)
		{
			const struct hf_value *token = hf_value_get(s, HF_SV("serviceAccountToken"));
			/* That of the API server's own admission is not the author's. */
			if (token && !hf_sv_starts(hf_value_get_text(e, HF_SV("name")), HF_SV("kube-api-access-"))) {
				any = true;
				judge(r, token,
				      hf_arena_fmt(r->arena, "/volumes/%zu/projected/sources/%zu/serviceAccountToken",
						   i, k));
			}
			k++;
		}
		i++;
	}
	if (!any)
		hf_check_not_applicable(r);
	return any;
}

static void long_token(struct hf_check_run *r, const struct hf_value *token, hf_sv path)
{
	const struct hf_value *v = hf_value_get(token, HF_SV("expirationSeconds"));
	int64_t seconds;

	if (hf_value_int(v, &seconds) && seconds > TOKEN_SECONDS_MAX)
		hf_check_patch(r, hf_check_fail(r, v, "a token holds for %lld hours", (long long)seconds / 3600),
			       hf_arena_fmt(r->arena, "%.*s/expirationSeconds", HF_SV_FMT(path)).ptr, "3600", true);
}

static void token_lifetime(struct hf_check_run *r)
{
	each_token(r, long_token);
}

static void aimless_token(struct hf_check_run *r, const struct hf_value *token, hf_sv path)
{
	(void)path;
	if (!hf_value_get_text(token, HF_SV("audience")).len)
		hf_check_fail(r, token, "a token that the API server itself takes");
}

static void token_audience(struct hf_check_run *r)
{
	each_token(r, aimless_token);
}

static void written_secret(struct hf_check_run *r)
{
	const struct hf_value *data = hf_value_get(r->object->root, HF_SV("data"));
	const struct hf_value *text = hf_value_get(r->object->root, HF_SV("stringData"));

	if (r->live || hf_value_get(r->object->root, HF_SV("sops")))
		hf_check_not_applicable(r);
	else if (hf_value_count(data, HF_VALUE_OBJECT) || hf_value_count(text, HF_VALUE_OBJECT))
		hf_check_fail(r, hf_value_count(text, HF_VALUE_OBJECT) ? text : data,
			      "its values stand in the manifest, readable for all who read that");
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-301",
	  .name = "secret-in-environment",
	  .title = "A Secret's value is in an environment variable",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "The environment is inherited by every child, written into crash dumps and seen in /proc "
		 "by all of the user's processes.",
	  .fix = "Mount the Secret as a file.",
	  .references = "CIS-5.4.1 NSA-secrets MITRE-T1552.007 C-0207 CKV_K8S_35 "
			"kube-linter:read-secret-from-env-var",
	  .evaluate = secret_in_env },
	{ .id = "HF-K8S-302",
	  .name = "secret-as-environment",
	  .title = "All of a Secret is in a container's environment",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Keys that are added to the Secret later come with it, needed or not, under names that "
		 "may change programs (LD_PRELOAD, PATH).",
	  .fix = "Mount the Secret as files, or name the keys that are needed.",
	  .references = "CIS-5.4.1 NSA-secrets MITRE-T1552.007 C-0207 CKV_K8S_35 "
			"kube-linter:read-secret-from-env-var",
	  .evaluate = secret_env_from },
	{ .id = "HF-K8S-303",
	  .name = "literal-secret-in-environment",
	  .title = "A secret is written into an environment variable",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Everybody who may read pods or the repository of manifests has it, and it cannot be "
		 "changed in one place.",
	  .fix = "Move the value into a Secret, and change it: it has been read.",
	  .references = "NSA-secrets MITRE-T1552.001 C-0012 kube-linter:env-var-secret "
			"polaris:sensitiveContainerEnvVar",
	  .evaluate = literal_in_env },
	{ .id = "HF-K8S-304",
	  .name = "literal-secret-in-arguments",
	  .title = "A secret is written into a command line",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Beside those who may read pods, every process on the node sees it.",
	  .fix = "Read it from a mounted Secret, and change it: it has been read.",
	  .references = "NSA-secrets MITRE-T1552.001 C-0012",
	  .evaluate = literal_in_args },
	{ .id = "HF-K8S-305",
	  .name = "secret-in-config-map",
	  .title = "A ConfigMap holds a secret by its name",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CONFIG_MAP },
	  .why = "ConfigMaps are not encrypted at rest, and far more accounts may read them than Secrets.",
	  .fix = "Move the value into a Secret, and change it: it has been read.",
	  .references = "NSA-secrets MITRE-T1552.007 KSV-0109 KSV-01010 C-0012 "
			"polaris:sensitiveConfigmapContent",
	  .evaluate = config_map },
	{ .id = "HF-K8S-306",
	  .name = "key-in-config-map",
	  .title = "A ConfigMap holds a key or token",
	  .severity = HF_SEV_CRITICAL,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CONFIG_MAP },
	  .why = "It has the shape of a real credential (a private key, a cloud's or forge's token, a URL "
		 "with a password).",
	  .fix = "Move it into a Secret, and replace it at whoever issued it.",
	  .references = "NSA-secrets MITRE-T1552.004 KSV-0109 KSV-01010 C-0012 "
			"polaris:sensitiveConfigmapContent",
	  .evaluate = config_map_shape },
	{ .id = "HF-K8S-307",
	  .name = "registry-credentials-in-config-map",
	  .title = "A ConfigMap holds credentials of a registry",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_CONFIG_MAP },
	  .why = "Who reads it can pull, and often push, images.",
	  .fix = "Make a Secret of the type kubernetes.io/dockerconfigjson.",
	  .references = "NSA-secrets MITRE-T1552.001 C-0012",
	  .evaluate = docker_config },
	{ .id = "HF-K8S-308",
	  .name = "secret-in-annotation",
	  .title = "An annotation holds a key or token",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_POD,
	  .why = "Annotations are shown by every tool and copied into logs and events.",
	  .fix = "Move it into a Secret, and replace it at whoever issued it.",
	  .references = "NSA-secrets MITRE-T1552.007",
	  .evaluate = pod_annotations },
	{ .id = "HF-K8S-309",
	  .name = "secret-volume-mode",
	  .title = "A Secret's files are readable for every user",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Each process in the container, whatever its user, may read them; 0644 is what stands "
		 "where nothing is written.",
	  .fix = "Set defaultMode: 0440 and an fsGroup.",
	  .references = "NSA-secrets",
	  .evaluate = volume_mode },
	{ .id = "HF-K8S-310",
	  .name = "token-automounted",
	  .title = "A token of the API is in a pod",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "Who reads one file in it speaks to the API server with its account; most programs never "
		 "do.",
	  .fix = "Set automountServiceAccountToken: false where the program does not call the API.",
	  .references = "CIS-5.1.6 NSA-service-account MITRE-T1528 KSV-0036 C-0034 C-0190 C-0261 "
			"CKV_K8S_38 polaris:automountServiceAccountToken",
	  .evaluate = automounted },
	{ .id = "HF-K8S-311",
	  .name = "account-automounts-token",
	  .title = "A ServiceAccount gives its token to every pod",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_SERVICE_ACCOUNT },
	  .why = "Pods that never call the API carry a credential for it.",
	  .fix = "Set automountServiceAccountToken: false on the account, true in pods that call the API.",
	  .references = "CIS-5.1.6 NSA-service-account MITRE-T1528 C-0034 CKV_K8S_41",
	  .evaluate = account_automounts },
	{ .id = "HF-K8S-312",
	  .name = "legacy-token-secret",
	  .title = "A Secret holds a token of an account that never ends",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_SECRET },
	  .why = "It is bound to no pod, holds until it is deleted, and who may read Secrets has it.",
	  .fix = "Delete it; use projected tokens or kubectl create token.",
	  .references = "NSA-service-account MITRE-T1528",
	  .evaluate = legacy_token },
	{ .id = "HF-K8S-313",
	  .name = "bootstrap-token-without-end",
	  .title = "A bootstrap token has no end",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_SECRET },
	  .why = "Who finds it lets a machine of their own join the cluster as a node.",
	  .fix = "Give it an expiration, or delete it once the nodes have joined.",
	  .references = "MITRE-T1078",
	  .evaluate = bootstrap_token },
	{ .id = "HF-K8S-314",
	  .name = "token-lifetime",
	  .title = "A projected token holds for more than a day",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_POD,
	  .why = "A stolen one is of use as long as it holds.",
	  .fix = "Leave out expirationSeconds (an hour); the kubelet renews it.",
	  .references = "NSA-service-account MITRE-T1528",
	  .evaluate = token_lifetime },
	{ .id = "HF-K8S-315",
	  .name = "token-audience",
	  .title = "A projected token names no audience",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "Whoever the pod shows it to can use it at the API server.",
	  .fix = "Name the service that it is for as its audience.",
	  .references = "NSA-service-account MITRE-T1528",
	  .evaluate = token_audience },
	{ .id = "HF-K8S-316",
	  .name = "secret-in-manifest",
	  .title = "A Secret's values stand in a manifest",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_SECRET },
	  .why = "Base64 hides nothing: the repository and all its copies have them.",
	  .fix = "Encrypt them (SOPS, SealedSecret) or fetch them (External Secrets, a CSI driver).",
	  .references = "NSA-secrets MITRE-T1552.001",
	  .evaluate = written_secret },
};

const struct hf_check_group hf_check_group_secret = { "secret", checks, HF_ARRAY_SIZE(checks) };
