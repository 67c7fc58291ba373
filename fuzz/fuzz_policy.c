/* Any bytes as a file of policies: read, or refused with a reason; what was read is compiled together and, where that fails, the policy is named. */
#include <stdlib.h>

#include "base/limits.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* jq 1.6 loses words of programs that it refuses. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libjq";
}

static void note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	(void)file;
	if (!line || !what.len)
		abort();
	++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct hf_policies policies = { 0 };
	struct hf_policy_joint *joint;
	struct hf_err err = { 0 };
	size_t notes = 0;
	int r = hf_policies_read(&policies, HF_SV("fuzz"), (hf_sv){ (const char *)data, size }, &a, note, &notes, &err);

	if ((r < 0 && !err.msg[0]) || (r == HF_PARTIAL) != (notes && r >= 0))
		abort();
	if (r < 0 || !policies.n)
		return 0;
	r = hf_policy_joint_compile(&policies, &joint, &err);
	if (r < 0 && !err.msg[0])
		abort();
	if (r >= 0)
		hf_policy_joint_free(joint);
	return 0;
}
