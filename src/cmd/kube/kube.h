/* The subcommands of `holdfast kube`: a row of kube.def and one file kube_<row>.c each. */
#pragma once
#include "cmd/command.h"

#define HF_KUBE_COMMAND(row) extern const struct hf_command hf_kube_##row;
#include "cmd/kube/kube.def"
#undef HF_KUBE_COMMAND

extern const struct hf_command *const hf_kube_commands[]; /* NULL-ended, in the order of the table */
