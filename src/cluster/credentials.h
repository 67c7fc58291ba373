/* Who one is to a cluster, from what a kubeconfig's context says: certificates, keys and tokens out of files, out of the kubeconfig,
 * from an exec plugin. Kept until they expire or are refused; shared by all connections of a context, on any threads. */
#pragma once
#include "cluster/kubeconfig.h"

struct hf_credentials;

/* A copy of what holds at the moment. */
struct hf_credential {
	uint64_t generation; /* 0: nothing yet; another number, other values */
	struct hf_arena arena;
	hf_sv ca, certificate, key; /* PEM; empty where there is none */
	hf_sv authorization;        /* "Authorization: …", empty: none */
};

/* @target is copied. Nothing is read yet. */
struct hf_credentials *hf_credentials_open(const struct hf_kubeconfig_target *target);
void hf_credentials_close(struct hf_credentials *c);
/* The copy; lives as long as @c. */
const struct hf_kubeconfig_target *hf_credentials_target(const struct hf_credentials *c);
/* Brings *@of up to date; what it had is freed where something has changed. Reads files that are a minute old again, runs the exec plugin where
 * there is no answer of it or the one there is has expired. @of begins as { 0 } and ends with hf_credential_done.
 * HF_E_MISSING, HF_E_DENIED, HF_E_IO, HF_E_FORMAT, HF_E_LIMIT: a file; HF_E_SYSTEM: the plugin. No message has a secret. */
hf_nodiscard int hf_credentials_get(struct hf_credentials *c, struct hf_credential *of, struct hf_err *err);
/* The server said 401 to that generation: files are read and the plugin is run again by the next hf_credentials_get. False where
 * nothing can come of it, since all of it stands in the kubeconfig. */
bool hf_credentials_refused(struct hf_credentials *c, uint64_t generation);
void hf_credential_done(struct hf_credential *of);
