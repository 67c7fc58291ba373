#include "cmd/command.h"
#include "cmd/target.h"

static int scan_run(int argc, char **argv)
{
	struct target_options o = { .command = "scan", .kind = HF_REPORT_SCAN, .match = true };
	int status = target_options_parse(&o, argc, argv);

	return status >= 0 ? status : target_run(&o);
}

const struct hf_command hf_command_scan = {
	.name = "scan",
	.summary = "what is wrong in an image, a folder or this machine",
	.usage = "TARGET...\n\n" TARGET_USAGE("table|json|sarif|cyclonedx|spdx") TARGET_MATCH_USAGE "\n" TARGET_TARGETS,
	.run = scan_run,
};
