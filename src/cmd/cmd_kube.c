/* kube …: Kubernetes. Each subcommand is a row of kube.def. */
#include "cmd/kube/kube.h"

const struct hf_command *const hf_kube_commands[] = {
#define HF_KUBE_COMMAND(row) &hf_kube_##row,
#include "cmd/kube/kube.def"
#undef HF_KUBE_COMMAND
	NULL,
};

static int run(int argc, char **argv)
{
	return hf_command_family("kube", hf_kube_commands, argc, argv);
}

const struct hf_command hf_command_kube = {
	.name = "kube",
	.summary = "who may do what, who may talk to whom, what may run: manifests or a cluster",
	.usage = "SUBCOMMAND [OPTIONS]\n       'holdfast kube help' lists the subcommands.",
	.run = run,
	.helps_itself = true,
};
