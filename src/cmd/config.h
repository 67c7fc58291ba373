/* The configuration: defaults of options, from /etc/holdfast/holdfast.yaml, $XDG_CONFIG_HOME/holdfast/holdfast.yaml (~/.config without it),
 * ./.holdfast.yaml and HOLDFAST_KEY in the environment; later wins, and an option wins over all of them. The keys are the rows of
 * config.def. docs/decisions/configuration.md says what ./.holdfast.yaml, which somebody else may have written, must not do. */
#pragma once
#include "base/arena.h"
#include "cmd/command.h"

struct config_value {
	hf_sv text;   /* of a flag "true" or "false" */
	hf_sv origin; /* "FILE:LINE", or "HOLDFAST_KEY" */
};

struct config_setting {
	HF_VEC(struct config_value) values; /* none: it is not set */
};

enum config_key {
#define HF_CONFIG(key, option, type, project) CONFIG_##key,
#include "cmd/config.def"
#undef HF_CONFIG
	CONFIG_KEYS,
};

struct config {
	struct hf_arena arena;
	struct config_setting settings[CONFIG_KEYS];
};

/* What @command --help says of options, those of every command too. */
hf_sv config_usage(struct hf_arena *, const struct hf_command *command);
const char *config_key_name(size_t key);
const char *config_key_option(size_t key);
/* HF_E_FORMAT names the place and, of an unknown key, the nearest one that is known. config_done() ends it, whatever this returned. */
hf_nodiscard int config_load(struct config *, struct hf_err *);
void config_done(struct config *);
/* The words of a command line (argv[0] the command's own name) with an option added for each setting that @command has an option for and
 * that is not among them. In config->arena. NULL on failure. */
char **config_words(struct config *, const char *path, const struct hf_command *command, int argc, char **argv,
		    int *ret_argc, struct hf_err *);
