/* kubeconfig, apiVersion v1 (docs/formats/kubeconfig.md): which clusters there are, who one is there, and which of these go together.
 * Pure: opens no file, runs no program, reads no environment. Secrets (tokens, passwords, keys) stand in the fields and in no message.
 *
 * Paths that a file gives relative are made relative to the folder of that file, as kubectl does; a command of an exec plugin
 * only where it has a '/'. Fields that are not listed here are passed over, as kubectl does. */
#pragma once
#include "base/arena.h"

struct hf_kubeconfig_cluster {
	hf_sv name, server;     /* server: URL */
	hf_sv ca_file, ca_data; /* ca_data: PEM; also the next ones called _data */
	hf_sv tls_server_name, proxy_url;
	bool insecure; /* insecure-skip-tls-verify */
};

struct hf_kubeconfig_pair {
	hf_sv name, value;
};

struct hf_kubeconfig_exec {
	hf_sv api_version, command, install_hint;
	hf_sv interactive_mode; /* Never, IfAvailable, Always */
	const hf_sv *arguments;
	size_t arguments_n;
	const struct hf_kubeconfig_pair *environment;
	size_t environment_n;
	bool provide_cluster_info;
};

struct hf_kubeconfig_user {
	hf_sv name;
	hf_sv certificate_file, certificate_data, key_file, key_data;
	hf_sv token, token_file, username, password;
	const struct hf_kubeconfig_exec *exec; /* NULL: none */
	hf_sv auth_provider;                   /* its name; no longer supported by anybody */
	hf_sv as, as_uid;                      /* impersonation */
	const hf_sv *as_groups;
	size_t as_groups_n;
	const struct hf_kubeconfig_pair *as_extra; /* a key with several values stands here once a value */
	size_t as_extra_n;
};

struct hf_kubeconfig_context {
	hf_sv name, cluster, user, namespace;
};

struct hf_kubeconfig {
	hf_sv current_context;
	struct hf_kubeconfig_cluster *clusters;
	struct hf_kubeconfig_user *users;
	struct hf_kubeconfig_context *contexts;
	size_t clusters_n, users_n, contexts_n;
};

/* What one context leads to. A context that names no user has an empty one. */
struct hf_kubeconfig_target {
	hf_sv context, namespace;             /* namespace: empty where none is set */
	struct hf_kubeconfig_cluster cluster; /* server has a scheme and no '/' at its end */
	struct hf_kubeconfig_user user;       /* empty where the server is http://: nothing is said in clear */
};

/* Parses one file. @folder: where it lies, NULL pointer: paths stay as they are. All strings are in @a.
 * HF_E_FORMAT: no YAML, or no kubeconfig, or two clusters (users, contexts) of one name; HF_E_LIMIT. */
hf_nodiscard int hf_kubeconfig_parse(hf_sv text, hf_sv folder, struct hf_arena *a, struct hf_kubeconfig *ret,
				     struct hf_err *err);
/* Adds to @into what it does not have: of clusters, users and contexts of one name, and of the current context, the first one stays,
 * whole. HF_E_LIMIT: the arena. */
hf_nodiscard int hf_kubeconfig_merge(struct hf_kubeconfig *into, const struct hf_kubeconfig *from, struct hf_arena *a,
				     struct hf_err *err);
/* What the context named @context leads to (empty: the current one), checked as kubectl checks it before it is used.
 * HF_E_MISSING: no such context or cluster; HF_E_FORMAT: fields that contradict each other or that are missing; HF_E_UNSUPPORTED:
 * auth-provider, an exec plugin of another version. Strings as in @config, those that change in @a. */
hf_nodiscard int hf_kubeconfig_select(const struct hf_kubeconfig *config, hf_sv context, struct hf_arena *a,
				      struct hf_kubeconfig_target *ret, struct hf_err *err);
