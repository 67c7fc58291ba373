/* runtime top: the hottest workloads, kinds, rules and programs. */
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_answer.h"

static int run(int argc, char **argv)
{
	return runtime_answer_run("runtime top", "top", argc, argv);
}

const struct hf_command hf_runtime_top = {
	.name = "top",
	.summary = "the hottest workloads, kinds, rules and programs; what the agent costs and has lost",
	.usage = "[OPTIONS]\n\n"
		 "Asks the agent that runs on this machine. Time of the BPF programs is counted while\n"
		 "kernel.bpf_stats_enabled is 1.\n\n"
		 "  --format table|json   default table\n"
		 "  --state DIR           where the agent's socket is; default /run/holdfast",
	.run = run,
};
