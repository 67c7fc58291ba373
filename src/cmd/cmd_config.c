/* config show: what holds where no option says otherwise, and since where. */
#include "cmd/command.h"

#include <stdio.h>
#include <unistd.h>

#include "base/output.h"
#include "cmd/config.h"
#include "format/json_writer.h"

static void write_json(const struct config *c, struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/config/1"));
	hf_jw_key(&w, "settings");
	hf_jw_array(&w);
	for (size_t key = 0; key < CONFIG_KEYS; key++)
		for (size_t i = 0; i < c->settings[key].values.n; i++) {
			hf_jw_object(&w);
			hf_jw_kv(&w, "key", hf_sv_of(config_key_name(key)));
			hf_jw_kv(&w, "value", c->settings[key].values.at[i].text);
			hf_jw_kv(&w, "origin", c->settings[key].values.at[i].origin);
			hf_jw_object_end(&w);
		}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	(void)!hf_jw_finish(&w, NULL);
}

static void write_table(const struct config *c, struct hf_out *out)
{
	char value[512], origin[512];

	for (size_t key = 0; key < CONFIG_KEYS; key++) {
		size_t n = c->settings[key].values.n;
		if (!n)
			hf_out_addf(out, "%-13s %-20s %s\n", config_key_name(key), "-", "not set");
		for (size_t i = 0; i < n; i++) {
			hf_escape_controls(value, sizeof value, c->settings[key].values.at[i].text);
			hf_escape_controls(origin, sizeof origin, c->settings[key].values.at[i].origin);
			hf_out_addf(out, "%-13s %-20s %s\n", config_key_name(key), value, origin);
		}
	}
}

static int config_run(int argc, char **argv)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(STDOUT_FILENO);
	hf_cleanup(config_done) struct config c = { 0 };
	const char *format = "table";
	struct hf_err err = { 0 };

	if (argc < 2 || strcmp(argv[1], "show"))
		return argc > 1 && argv[1][0] == '-' ? hf_command_no_option("config", argv[1])
						     : hf_command_usage("config", "there is show");
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--format") && strcmp(argv[i], "-f"))
			return argv[i][0] == '-' ? hf_command_no_option("config", argv[i])
						 : hf_command_usage("config", "show takes no operand '%s'", argv[i]);
		if (++i == argc)
			return hf_command_usage("config", "--format wants a value");
		format = argv[i];
	}
	if (strcmp(format, "table") && strcmp(format, "json"))
		return hf_command_usage("config", "--format is table or json, not '%s'", format);
	if (config_load(&c, &err) < 0)
		return hf_command_fail(&err);
	if (format[0] == 'j')
		write_json(&c, &out);
	else
		write_table(&c, &out);
	return hf_out_flush(&out, &err) < 0 ? hf_command_fail(&err) : 0;
}

const struct hf_command hf_command_config = {
	.name = "config",
	.summary = "the configuration that holds, and where each value comes from",
	.usage = "show [OPTIONS]\n\n"
		 "Defaults of options, from /etc/holdfast/holdfast.yaml, ~/.config/holdfast/holdfast.yaml,\n"
		 "./.holdfast.yaml and HOLDFAST_KEY in the environment; later wins, and options win over all.\n\n"
		 "  -f, --format table|json  how to print it\n",
	.run = config_run,
};
