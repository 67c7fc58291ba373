/* Grants of a Kubernetes manifest (API v1, PodSpec; apps/v1 and batch/v1 by their pod templates). */
#include "harden/grant.h"

#include "format/json.h"
#include "format/yaml.h"

/* What a container runtime hands to a pod unless told otherwise, since Kubernetes 1.0. */
#define TOKEN_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

typedef const struct hf_yaml_node node;

static node *get(node *n, const char *key)
{
	return hf_yaml_get(n, hf_sv_of(key));
}

static hf_sv text(node *n)
{
	hf_sv s = { 0 };

	hf_yaml_string(n, &s);
	return s;
}

static bool flag(node *n, bool otherwise)
{
	bool b = otherwise;

	hf_yaml_bool(n, &b);
	return b;
}

static size_t count(node *n)
{
	return n && n->type == HF_YAML_SEQUENCE ? n->n : 0;
}

/* The pod's spec in an object that makes pods; NULL where it makes none. */
static node *pod_spec(node *object)
{
	hf_sv kind = text(get(object, "kind"));
	node *spec = get(object, "spec");

	if (hf_sv_eq(kind, HF_SV("Pod")))
		return spec;
	if (hf_sv_eq(kind, HF_SV("CronJob")))
		spec = get(get(spec, "jobTemplate"), "spec");
	return get(get(spec, "template"), "spec");
}

static uint64_t capabilities(node *list)
{
	uint64_t set = 0;

	for (size_t i = 0; i < count(list); i++)
		set |= hf_capability_of(text(list->elements[i]));
	return set;
}

static void read_capabilities(node *context, struct hf_grant *g)
{
	uint64_t add = capabilities(get(get(context, "capabilities"), "add")),
		 drop = capabilities(get(get(context, "capabilities"), "drop")), set = hf_capabilities_default();

	if (add == HF_CAPABILITIES_ALL)
		set = HF_CAPABILITIES_ALL;
	if (drop == HF_CAPABILITIES_ALL)
		set = drop = 0;
	g->capabilities = g->privileged ? HF_CAPABILITIES_ALL : (set | (add == HF_CAPABILITIES_ALL ? 0 : add)) & ~drop;
	g->capabilities_known = true;
}

static void read_context(node *pod, node *container, struct hf_grant *g)
{
	node *context = get(container, "securityContext"), *outer = get(pod, "securityContext");
	node *seccomp = get(context, "seccompProfile") ? get(context, "seccompProfile") : get(outer, "seccompProfile");
	node *user = get(context, "runAsUser") ? get(context, "runAsUser") : get(outer, "runAsUser");
	hf_sv type = text(get(seccomp, "type"));

	g->privileged = flag(get(context, "privileged"), false);
	g->read_only_root = flag(get(context, "readOnlyRootFilesystem"), false);
	g->no_new_privileges = !flag(get(context, "allowPrivilegeEscalation"), true);
	g->user = hf_arena_dup(g->arena, text(user));
	/* Without a word the kubelet decides: its seccompDefault is not in the manifest. */
	g->seccomp = g->privileged || hf_sv_eq(type, HF_SV("Unconfined")) ? HF_GRANT_SECCOMP_NONE
		     : hf_sv_eq(type, HF_SV("RuntimeDefault"))            ? HF_GRANT_SECCOMP_DEFAULT
									  : HF_GRANT_SECCOMP_UNKNOWN;
	read_capabilities(context, g);
}

static void read_pod(node *pod, struct hf_grant *g)
{
	static const struct {
		const char *key, *name;
	} host[] = { { "hostNetwork", "network" }, { "hostPID", "pid" }, { "hostIPC", "ipc" } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(host); i++)
		if (flag(get(pod, host[i].key), false))
			hf_names_add(&g->host_namespaces, hf_sv_of(host[i].name));
	g->kubernetes = true;
	g->service_account = hf_arena_dup(g->arena, text(get(pod, "serviceAccountName")));
	if (flag(get(pod, "automountServiceAccountToken"), true))
		hf_names_add(&g->secrets, HF_SV(TOKEN_FOLDER));
}

static void read_environment(node *container, struct hf_grant *g)
{
	node *list = get(container, "env"), *from = get(container, "envFrom");

	for (size_t i = 0; i < count(list); i++) {
		hf_sv secret = text(get(get(get(list->elements[i], "valueFrom"), "secretKeyRef"), "name"));
		if (secret.len)
			hf_names_add(&g->secrets_env,
				     hf_arena_fmt(g->arena, "%.*s from secret %.*s",
						  HF_SV_FMT(text(get(list->elements[i], "name"))), HF_SV_FMT(secret)));
	}
	for (size_t i = 0; i < count(from); i++) {
		hf_sv secret = text(get(get(from->elements[i], "secretRef"), "name"));
		if (secret.len)
			hf_names_add(&g->secrets_env, hf_arena_fmt(g->arena, "all of secret %.*s", HF_SV_FMT(secret)));
	}
}

static node *volume_named(node *pod, hf_sv name)
{
	node *list = get(pod, "volumes");

	for (size_t i = 0; i < count(list); i++)
		if (hf_sv_eq(text(get(list->elements[i], "name")), name))
			return list->elements[i];
	return NULL;
}

static bool holds_secret(node *volume)
{
	node *sources = get(get(volume, "projected"), "sources");

	if (get(volume, "secret"))
		return true;
	for (size_t i = 0; i < count(sources); i++)
		if (get(sources->elements[i], "secret") || get(sources->elements[i], "serviceAccountToken"))
			return true;
	return false;
}

static void read_mounts(node *pod, node *container, struct hf_grant *g)
{
	node *list = get(container, "volumeMounts");

	for (size_t i = 0; i < count(list); i++) {
		node *volume = volume_named(pod, text(get(list->elements[i], "name")));
		hf_sv path = hf_arena_dup(g->arena, text(get(list->elements[i], "mountPath")));
		/* The kubelet mounts these read-only whatever the manifest says. */
		bool of_api = holds_secret(volume) || get(volume, "configMap") || get(volume, "downwardAPI") ||
			      get(volume, "projected");
		struct hf_grant_mount *m = path.len ? hf_vec_push(g->arena, &g->mounts) : NULL;
		if (!m)
			continue;
		*m = (struct hf_grant_mount){ .destination = path,
					      .type = get(volume, "hostPath") ? HF_SV("bind") : HF_SV("volume"),
					      .writable = !of_api && !flag(get(list->elements[i], "readOnly"), false) };
		if (holds_secret(volume))
			hf_names_add(&g->secrets, path);
	}
}

static void read_ports(node *container, struct hf_grant *g)
{
	node *list = get(container, "ports");

	for (size_t i = 0; i < count(list); i++) {
		hf_sv protocol = text(get(list->elements[i], "protocol"));
		uint64_t port = 0;
		const char *name = hf_sv_eq(protocol, HF_SV("UDP"))    ? "udp"
				   : hf_sv_eq(protocol, HF_SV("SCTP")) ? "sctp"
								       : "tcp";
		if (hf_yaml_uint(get(list->elements[i], "containerPort"), &port))
			hf_names_add(&g->ports, hf_arena_fmt(g->arena, "%llu/%s", (unsigned long long)port, name));
	}
}

static int choose(node *pod, hf_sv name, node **ret, struct hf_err *err)
{
	node *list = get(pod, "containers");

	if (!count(list))
		return hf_fail(err, HF_E_FORMAT, "the manifest's pod has no containers");
	*ret = list->elements[0];
	if (count(list) == 1)
		return HF_OK;
	for (size_t i = 0; i < count(list); i++)
		if (name.len && hf_sv_eq(text(get(list->elements[i], "name")), name)) {
			*ret = list->elements[i];
			return HF_OK;
		}
	return hf_fail(err, HF_E_USAGE, "the manifest's pod has %zu containers, and none of them is named '%.*s'",
		       count(list), HF_SV_FMT(name));
}

int hf_grant_kubernetes(hf_sv yaml, hf_sv container_name, struct hf_grant *g, struct hf_err *err)
{
	struct hf_yaml_document *documents;
	node *pod = NULL, *container = NULL;
	size_t n = 0;
	int r = hf_yaml_parse(yaml, g->arena, &documents, &n, err);

	for (size_t i = 0; !r && i < n; i++) {
		node *spec = pod_spec(documents[i].root);
		if (spec && pod)
			return hf_fail(err, HF_E_USAGE,
				       "the manifest makes pods of more than one kind: give one object alone");
		pod = spec ? spec : pod;
	}
	if (r)
		return r;
	if (!pod)
		return hf_fail(err, HF_E_FORMAT, "the manifest has no object that makes pods");
	r = choose(pod, container_name, &container, err);
	if (r)
		return r;
	g->from = "a Kubernetes manifest";
	g->name = hf_arena_dup(g->arena, text(get(container, "name")));
	g->image = hf_arena_dup(g->arena, text(get(container, "image")));
	read_pod(pod, g);
	read_context(pod, container, g);
	read_environment(container, g);
	read_mounts(pod, container, g);
	read_ports(container, g);
	return g->arena->over ? hf_fail(err, HF_E_LIMIT, "the manifest does not fit into %zu bytes", g->arena->cap)
			      : HF_OK;
}

int hf_grant_read(hf_sv any, hf_sv container_name, struct hf_grant *g, struct hf_err *err)
{
	struct hf_json j = hf_json_of(any, g->arena);
	bool is_manifest = hf_json_peek(&j) != HF_JSON_ARRAY && hf_json_peek(&j) != HF_JSON_OBJECT;
	hf_sv key;

	if (!is_manifest && hf_json_peek(&j) == HF_JSON_OBJECT) {
		hf_json_members(&j, &key) {
			is_manifest |= hf_sv_eq(key, HF_SV("apiVersion"));
			hf_json_skip(&j);
		}
	}
	return is_manifest ? hf_grant_kubernetes(any, container_name, g, err) : hf_grant_json(any, g, err);
}
