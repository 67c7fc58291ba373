/* What a workload was granted: read from what its engine or its manifest says. Pure: bytes in, a struct out.
 * Fields that the source does not say stay unknown; each flag of that sort has a `_known`. */
#pragma once
#include "harden/names.h"

enum hf_grant_seccomp {
	HF_GRANT_SECCOMP_UNKNOWN,
	HF_GRANT_SECCOMP_NONE,    /* unconfined: every system call */
	HF_GRANT_SECCOMP_DEFAULT, /* the engine's own profile, whose list is not known here */
	HF_GRANT_SECCOMP_LIST,    /* `syscalls` holds what it allows */
};

struct hf_grant_mount {
	hf_sv destination, source, type;
	bool writable;
};

struct hf_grant {
	struct hf_arena *arena;
	const char *from; /* "docker inspect", "an OCI bundle", "a Kubernetes manifest" */
	hf_sv name, id, image, user, apparmor, service_account;
	uint64_t capabilities; /* the bounding set */
	bool capabilities_known, privileged, read_only_root, no_new_privileges, network_none, kubernetes;
	enum hf_grant_seccomp seccomp;
	struct hf_names syscalls;
	HF_VEC(struct hf_grant_mount) mounts;
	struct hf_names ports;           /* exposed or published: "80/tcp" */
	struct hf_names host_namespaces; /* network pid ipc uts user cgroup */
	struct hf_names secrets;         /* paths under which secrets are mounted */
	struct hf_names secrets_env;     /* secrets handed over as environment: "NAME from SECRET" */
};

void hf_grant_init(struct hf_grant *g, struct hf_arena *a);
/* `docker inspect CONTAINER` (an array of one) or the engine's answer to /containers/ID/json (API 1.41; podman's is alike).
 * HF_E_FORMAT: no JSON, or no such object in it; HF_E_LIMIT: the arena's cap. */
int hf_grant_docker(hf_sv json, struct hf_grant *g, struct hf_err *err);
/* config.json of an OCI bundle (runtime-spec 1.0 to 1.2). */
int hf_grant_oci(hf_sv json, struct hf_grant *g, struct hf_err *err);
/* The container named so (or the only one) of the pod that a manifest makes, YAML or JSON: Pod, Deployment, CronJob and so on.
 * HF_E_USAGE: more than one that could be meant. */
int hf_grant_kubernetes(hf_sv yaml, hf_sv container_name, struct hf_grant *g, struct hf_err *err);
/* Any of the three, told apart by their keys. */
int hf_grant_read(hf_sv any, hf_sv container_name, struct hf_grant *g, struct hf_err *err);
/* One of the two in JSON. */
int hf_grant_json(hf_sv json, struct hf_grant *g, struct hf_err *err);
/* A mount that holds @path, the nearest one; NULL where it lies in the root itself. */
const struct hf_grant_mount *hf_grant_mount_of(const struct hf_grant *g, hf_sv path);
/* @path is @folder or lies below it. */
bool hf_path_below(hf_sv path, hf_sv folder);
