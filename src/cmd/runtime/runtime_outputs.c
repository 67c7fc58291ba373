#include "cmd/runtime/runtime_outputs.h"

#include "cmd/log.h"

int runtime_outputs_option(struct runtime_outputs *o, const char *command, int argc, char **argv, int *i)
{
	const char *option = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : NULL;
	bool output = !strcmp(option, "--output"), format = !strcmp(option, "--format");
	bool record = !strcmp(option, "--record");

	if (!output && !format && !record && strcmp(option, "--state") != 0)
		return 0;
	if (!value)
		return hf_command_usage(command, "%s wants a value", option);
	if (output && o->n + 1 >= RUNTIME_OUTPUTS_MAX) /* one place stays for --format */
		return hf_command_usage(command, "more than %d outputs", RUNTIME_OUTPUTS_MAX - 1);
	if (format && strcmp(value, "json") != 0 && strcmp(value, "table") != 0)
		return hf_command_usage(command, "--format is table or json, not '%s'", value);
	if (output)
		o->list[o->n++] = value;
	else if (format)
		o->format = value;
	else if (record)
		o->record = value;
	else
		o->state_folder = value;
	++*i;
	return 1;
}

static void note(void *ctx, hf_sv line)
{
	(void)ctx;
	log_note("%.*s", HF_SV_FMT(line));
}

int runtime_outputs_open(struct runtime_outputs *o, const char *mode, struct hf_outputs **ret, struct hf_err *err)
{
	if (o->format || !o->n)
		o->list[o->n++] = o->format ? o->format : "table";
	const struct hf_sinks_options sinks = {
		.outputs = o->list, .outputs_n = o->n, .record = o->record, .wait = !mode, .note = note
	};
	const struct hf_state_options state = { .folder = o->state_folder, .mode = mode };

	return hf_outputs_open(&sinks, mode ? &state : NULL, ret, err);
}
