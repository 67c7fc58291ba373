/* kube diff: what changed between two states of a cluster. */
#include "cmd/command.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_reach_run.h"

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube diff", .one_set_each = true };
	bool fail_on_new = false;

	for (int i = 1; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (taken)
			continue;
		if (!strcmp(argv[i], "--fail-on-new"))
			fail_on_new = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return hf_command_no_option(k.command, argv[i]);
		else
			kube_run_target(&k, argv[i]);
	}
	if (k.targets_n != 2)
		return hf_command_usage(k.command, "two targets are compared: OLD and NEW");
	if (k.format && strcmp(k.format, "json") && strcmp(k.format, "table") && strcmp(k.format, "text"))
		return hf_command_usage(k.command, "no such format: %s (table, text, json)", k.format);
	return kube_run(&k, kube_reach_diff, &fail_on_new);
}

const struct hf_command hf_kube_diff = {
	.name = "diff",
	.summary = "what changed between two states: connections that came, went or got wider",
	.usage = "[OPTIONS] OLD NEW\n\n"
		 "  --fail-on-new        exit 1 where something is open that was not\n" KUBE_RUN_USAGE(
			 "table|text|json"),
	.run = run,
};
