/* runtime status: is the agent well, and what does it see? */
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_answer.h"

static int run(int argc, char **argv)
{
	return runtime_answer_run("runtime status", "status", argc, argv);
}

const struct hf_command hf_runtime_status = {
	.name = "status",
	.summary = "how the running agent is, what it sees, what it lost and what it costs",
	.usage = "[OPTIONS]\n\n"
		 "Asks the agent that runs on this machine.\n\n"
		 "  --format table|json   default table\n"
		 "  --state DIR           where the agent's socket is; default /run/holdfast",
	.run = run,
};
