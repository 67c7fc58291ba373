#include "cmd/command.h"
#include "cmd/target.h"

static int layers_run(int argc, char **argv)
{
	struct target_options o = { .command = "layers", .kind = HF_REPORT_LAYERS, .match = true };
	int status = target_options_parse(&o, argc, argv);

	return status >= 0 ? status : target_run(&o);
}

const struct hf_command hf_command_layers = {
	.name = "layers",
	.summary = "what each layer of an image is, brought and hides",
	.usage = "TARGET...\n\n" TARGET_USAGE("table|json") "\n" TARGET_TARGETS,
	.run = layers_run,
};
