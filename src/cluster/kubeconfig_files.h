/* Finds and reads the kubeconfigs of a user, or of a pod (docs/formats/kubeconfig.md): cluster/kubeconfig.h with the files behind it. */
#pragma once
#include "cluster/kubeconfig.h"

struct hf_kubeconfig_sources {
	const char *file;            /* --kubeconfig; NULL: none */
	const char *list;            /* $KUBECONFIG; NULL or "": none */
	const char *home;            /* $HOME; NULL: none */
	const char *service_host;    /* $KUBERNETES_SERVICE_HOST */
	const char *service_port;    /* $KUBERNETES_SERVICE_PORT */
	const char *service_account; /* folder with token, ca.crt, namespace */
};

/* What the environment of this process says. */
struct hf_kubeconfig_sources hf_kubeconfig_sources_here(const char *file);
/* All of it merged. In a pod without files there is one context, "in-cluster". HF_E_MISSING: there is no file at all, or not the one that was
 * asked for; else as hf_kubeconfig_parse, with the file's name. */
hf_nodiscard int hf_kubeconfig_read(const struct hf_kubeconfig_sources *, struct hf_arena *a, struct hf_kubeconfig *ret,
				    struct hf_err *err);
