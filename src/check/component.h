/* Programs of the control plane as the input shows them, and what their flags come to.
 *
 * A flag is what the command line says, else what a ClusterConfiguration's extraArgs say, else (there) what kubeadm writes. Of a flag that
 * is given several times the last one counts, but lists (--enable-admission-plugins) add up. Sources:
 * the command-line references of Kubernetes 1.34 and of etcd 3.6; kubeadm.k8s.io/v1beta2 to v1beta4. */
#pragma once
#include "check/check.h"

enum hf_check_program {
	HF_CHECK_API_SERVER,
	HF_CHECK_CONTROLLER_MANAGER,
	HF_CHECK_SCHEDULER,
	HF_CHECK_ETCD,
	HF_CHECK_PROGRAMS
};

extern const char *const hf_check_program_names[HF_CHECK_PROGRAMS]; /* "kube-apiserver" … */

struct hf_check_component {
	enum hf_check_program program;
	const struct hf_kube_object *object;
	const struct hf_kube_container *container; /* NULL: a ClusterConfiguration */
	const struct hf_value *arguments;          /* its extraArgs; NULL: none */
};

/* All of one program; pods that run it come before configurations, which count only where no pod does. */
const struct hf_check_component *hf_check_components(struct hf_check_run *, enum hf_check_program, size_t *ret_n);
/* The value; empty pointer where nothing sets it. *ret_at (may be NULL): where it is written, as far as that is known. */
hf_sv hf_check_component_flag(const struct hf_check_run *, const struct hf_check_component *, const char *flag,
			      const struct hf_value **ret_at);
/* "1h30m", "300s", "500ms": Go's time.ParseDuration. In seconds, rounded down. */
bool hf_check_duration(hf_sv, int64_t *ret_seconds);
/* One of the words of a list with commas. */
bool hf_check_list_has(hf_sv list, hf_sv word);
/* The first suite of a list with commas that is not held to be strong; empty where all are. */
hf_sv hf_check_weak_cipher(hf_sv suites);
