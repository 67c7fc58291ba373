/* Runs the program that a kubeconfig names to be told who one is. This is what holdfast runs of what a file says, as kubectl does. */
#pragma once
#include "base/buffer.h"
#include "cluster/kubeconfig.h"

/* Runs it and appends its standard output to @out. @ca: as in hf_exec_info_write. Its standard error is the caller's; its standard
 * input the terminal, where there is one and the plugin may use it, else empty. A plugin that may not ask anybody is ended after
 * @deadline_ms, one that may after ten minutes. No message has its arguments, variables or output.
 * HF_E_MISSING: no such program, with the hint how to install it; HF_E_SYSTEM: it failed; HF_E_LIMIT: too long, too much; HF_E_DENIED. */
hf_nodiscard int hf_exec_plugin_run(const struct hf_kubeconfig_exec *exec, const struct hf_kubeconfig_cluster *cluster,
				    hf_sv ca, uint32_t deadline_ms, struct hf_buf *out, struct hf_err *err);
