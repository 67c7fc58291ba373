/* Lines as a recorded trace: what is learned of it is a profile that reads back, and that has no alert for what it was learned from,
 * unless windows were discarded or something is rare. */
#include <stdlib.h>

#include "base/limits.h"
#include "baseline/judge.h"
#include "baseline/known_set.h"
#include "baseline/learn.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hf_profile *profile_of(const struct hf_profile *const *profiles, size_t n, const struct hf_event *e,
					   struct hf_arena *a)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(profiles[i]->image_digest, hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST)) &&
		    hf_sv_eq(profiles[i]->owner, hf_profile_owner(e, a)))
			return profiles[i];
	return NULL;
}

static int number_of(hf_sv name)
{
	return (int)name.len;
}

static void check(const struct hf_profile *p)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_PROFILE_SIZE_MAX);
	const struct hf_known_executable program = { 5, 9 };
	const struct hf_known_names names = { number_of, number_of, number_of };
	struct hf_profile again, observed;
	struct hf_err err = { 0 };
	size_t n;

	hf_profile_write(p, &text);
	if (!text.over && hf_profile_read(hf_buf_view(&text), &a, &again, &err))
		abort();
	observed = *p;
	observed.mode = HF_MODE_OBSERVE;
	hf_known_set(&observed, 42, 1, &program, 1, &names, &a, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_learn *l = hf_learn_new(&(struct hf_learn_options){ .containers_max = 4, .memory_max = HF_MIB(8) });
	static struct hf_event e;
	hf_sv whole = { (const char *)data, size }, rest = whole, line;
	struct hf_err err = { 0 };
	size_t n;

	for (int pass = 0; pass < 2; pass++) {
		const struct hf_profile *const *profiles = pass ? hf_learn_finish(l, &n) : NULL;
		struct hf_learn_count count = hf_learn_count(l);
		bool clean = !count.discarded_loss && !count.discarded_alert && !count.late && !count.refused;
		for (rest = whole; size && rest.ptr && hf_sv_next(&rest, '\n', &line);) {
			hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
			e = (struct hf_event){ 0 };
			if (hf_trace_read(line, &a, &e, NULL, &err) < 0)
				continue;
			if (!pass) {
				hf_learn_take(l, &e);
				continue;
			}
			const struct hf_profile *p = profile_of(profiles, n, &e, &a);
			if (!p)
				continue;
			struct hf_profile judged = *p;
			judged.mode = HF_MODE_OBSERVE;
			struct hf_profile_verdict v = hf_profile_judge(&judged, &e, &a);
			if (clean && v.verdict == HF_VERDICT_ALERT && !hf_sv_ends(v.rule, HF_SV(".rare")))
				abort();
		}
		for (size_t i = 0; pass && i < n; i++)
			check(profiles[i]);
	}
	hf_learn_free(l);
	return 0;
}
