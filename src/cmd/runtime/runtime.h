/* The subcommands of `holdfast runtime`: a row of runtime.def and one file runtime_<row>.c each. */
#pragma once
#include "cmd/command.h"

#define HF_RUNTIME_COMMAND(row) extern const struct hf_command hf_runtime_##row;
#include "cmd/runtime/runtime.def"
#undef HF_RUNTIME_COMMAND

extern const struct hf_command *const hf_runtime_commands[]; /* NULL-ended, in the order of the table */
