/* kube pss: Pod Security Standards. */
#include <stdio.h>
#include "cmd/kube.h"
#include "cmd/kube_run.h"
#include "kube/pods.h"

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	size_t pods_n;
	const struct hf_kube_pod *pods = hf_kube_pods(sets[0], a, &pods_n);

	(void)k, (void)ctx, (void)n, (void)err;
	for (size_t i = 0; i < pods_n; i++)
		hf_out_addf(out, "%.*s/%.*s/%.*s %zu\n", HF_SV_FMT(pods[i].object->namespace),
			    HF_SV_FMT(pods[i].object->kind_name), HF_SV_FMT(pods[i].object->name),
			    pods[i].containers_n);
	return 0;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube pss" };

	for (int i = 2; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (!taken)
			kube_run_target(&k, argv[i]);
	}
	return kube_run(&k, evaluate, NULL);
}

const struct hf_command hf_kube_pss = {
	.name = "pss",
	.summary = "Pod Security Standards, each control, any version",
	.usage = "LEVEL[:VERSION] [OPTIONS] TARGET...\n\n" KUBE_RUN_USAGE,
	.run = run,
};
