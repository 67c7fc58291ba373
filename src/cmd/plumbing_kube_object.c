/* plumbing kube-object: objects as an API server would store them. */
#include "base/limits.h"
#include "cmd/kube/kube_run.h"
#include "cmd/plumbing.h"
#include "format/json_writer.h"
#include "kube/defaults.h"

static int write_objects(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
			 struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KUBE_ARENA_MAX);

	(void)a;
	(void)k;
	(void)ctx;
	(void)n;
	for (size_t i = 0; i < sets[0]->n; i++) {
		const struct hf_value *stored = hf_kube_stored(sets[0]->objects[i], &scratch);
		struct hf_json_writer w = {
			.out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out, .compact = true
		};
		if (!stored)
			return hf_fail(err, HF_E_LIMIT, "too large");
		hf_value_write_json(&w, stored);
		if (hf_jw_finish(&w, err) < 0)
			return err->code;
		hf_arena_reset(&scratch);
	}
	return HF_OK;
}

int hf_plumbing_kube_object(int argc, char **argv)
{
	struct kube_run k = { .command = "plumbing kube-object" };

	for (int i = 1; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (!taken)
			kube_run_target(&k, argv[i]);
	}
	return kube_run(&k, write_objects, NULL);
}
