#include "cmd/command.h"
#include "cmd/target.h"

static int sbom_run(int argc, char **argv)
{
	struct target_options o = { .command = "sbom", .kind = HF_REPORT_SBOM, .match = false };
	int status = target_options_parse(&o, argc, argv);

	return status >= 0 ? status : target_run(&o);
}

const struct hf_command hf_command_sbom = {
	.name = "sbom",
	.summary = "what is in it, as CycloneDX, SPDX or JSON",
	.usage = "TARGET...\n\n" TARGET_USAGE("table|json|cyclonedx|spdx") "\n" TARGET_TARGETS,
	.run = sbom_run,
};
