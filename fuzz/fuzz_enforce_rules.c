/* Any bytes as rules of enforcement: a reason, or a policy that answers for paths, peers and digests. */
#include <stdlib.h>

#include "base/limits.h"
#include "enforce/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct hf_enforce_policy p = { 0 };
	struct hf_err err = { 0 };
	struct hf_event exec = { .kind = HF_EVENT_EXEC }, connect = { .kind = HF_EVENT_CONNECT };
	enum hf_deny rule;
	hf_sv object;

	if (hf_enforce_policy_make((hf_sv){ (const char *)data, size }, NULL, &a, &p, &err)) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	hf_event_set_string(&exec, HF_FIELD_CONTAINER_ID, HF_SV("c"));
	hf_event_set_string(&connect, HF_FIELD_CONTAINER_ID, HF_SV("c"));
	for (size_t i = 0; i < p.rules[HF_DENY_EXECUTABLES].paths_n; i++) {
		hf_event_set_string(&exec, HF_FIELD_PROCESS_EXE_PATH, p.rules[HF_DENY_EXECUTABLES].paths[i].path);
		if (!hf_enforce_policy_judge(&p, &exec, &a, &rule, &object))
			abort();
	}
	hf_event_set_string(&connect, HF_FIELD_NETWORK_REMOTE_ADDRESS, HF_SV("169.254.169.254"));
	hf_event_set_string(&connect, HF_FIELD_NETWORK_PROTOCOL, HF_SV("tcp"));
	hf_event_set_uint(&connect, HF_FIELD_NETWORK_REMOTE_PORT, 80);
	if (!hf_enforce_policy_judge(&p, &connect, &a, &rule, &object) && p.rules[HF_DENY_IMDS].on)
		abort();
	return 0;
}
