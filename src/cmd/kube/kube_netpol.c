/* kube netpol: NetworkPolicies that keep what is needed and close the rest. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_reach_run.h"
#include "reach/propose.h"

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct hf_reach_proposal proposal;
	struct hf_value flows;
	size_t used;
	int bits = 0;

	(void)n, (void)ctx;
	if (k->files_n &&
	    hf_value_of_json(k->file_texts[0], 0, a, (struct hf_value_notes){ 0 }, &flows, &used, err) < 0)
		return hf_wrap(err, "%s", k->files[0]);
	struct hf_reach *r = kube_reach_model(sets[0], a, &bits, err);
	if (!r)
		return err->code;
	int status = hf_reach_propose(r, k->files_n ? &flows : NULL, &proposal, err);
	if (status < 0)
		return status == HF_E_FORMAT ? hf_wrap(err, "%s", k->files[0]) : status;
	hf_reach_write_proposal(&proposal, out);
	return bits;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube netpol" };

	for (int i = 1; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (taken)
			continue;
		if (!strcmp(argv[i], "--flows")) {
			const char *path = kube_run_value(&k, argc, argv, &i);
			if (!path)
				return 2;
			if (k.files_n)
				return hf_command_usage(k.command, "--flows is given once");
			kube_run_file(&k, path);
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return hf_command_no_option(k.command, argv[i]);
		} else {
			kube_run_target(&k, argv[i]);
		}
	}
	if (k.format && strcmp(k.format, "yaml"))
		return hf_command_usage(k.command, "no such format: %s (yaml)", k.format);
	return kube_run(&k, evaluate, NULL);
}

const struct hf_command hf_kube_netpol = {
	.name = "netpol",
	.summary = "NetworkPolicies that keep what is needed and close the rest, with a proof",
	.usage = "[OPTIONS] TARGET...\n\n"
		 "  --flows FILE         keep what was recorded: the JSON of 'holdfast runtime flows', instead of what "
		 "manifests name\n" KUBE_RUN_USAGE("yaml") "The YAML is as kubectl apply -f takes it.\n",
	.run = run,
};
