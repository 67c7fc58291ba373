/* Any bytes: a kubeconfig or a reason; each of its contexts leads somewhere or says why not; merged with itself it is itself. */
#include <stdlib.h>

#include "base/limits.h"
#include "cluster/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct hf_kubeconfig_target *t)
{
	if (!t->context.len ||
	    (!hf_sv_starts(t->cluster.server, HF_SV("http://")) && !hf_sv_starts(t->cluster.server, HF_SV("https://"))))
		abort();
	if (t->cluster.insecure && (t->cluster.ca_data.len || t->cluster.ca_file.len))
		abort();
	if (hf_sv_starts(t->cluster.server, HF_SV("http://")) &&
	    (t->user.token.len || t->user.key_data.len || t->user.exec))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct hf_kubeconfig config, merged = { 0 };
	struct hf_kubeconfig_target target;
	struct hf_err err = { 0 };

	int code = hf_kubeconfig_parse((hf_sv){ (const char *)data, size }, HF_SV("/folder"), &a, &config, &err);
	if (code) {
		if (code > 0 || !err.msg[0])
			abort();
		return 0;
	}
	if (hf_kubeconfig_merge(&merged, &config, &a, &err) || hf_kubeconfig_merge(&merged, &config, &a, &err)) {
		if (!a.over)
			abort();
		return 0;
	}
	if (merged.clusters_n != config.clusters_n || merged.users_n != config.users_n ||
	    merged.contexts_n != config.contexts_n)
		abort();
	for (size_t i = 0; i <= config.contexts_n; i++) {
		hf_sv name = i ? config.contexts[i - 1].name : (hf_sv){ 0 };
		err = (struct hf_err){ 0 };
		code = hf_kubeconfig_select(&merged, name, &a, &target, &err);
		if (code == HF_OK)
			check(&target);
		else if (!err.msg[0])
			abort();
	}
	return 0;
}
