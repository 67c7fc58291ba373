/* The loop of `runtime enforce`: finds the containers that were asked for, guards them, hands out what is denied. */
#pragma once
#include "cmd/runtime/enforce_replay.h"
#include "cmd/runtime/runtime_outputs.h"

struct enforce_agent_options {
	const struct hf_enforce_policy *policy;
	const struct enforce_selection *selection;
	struct runtime_outputs *outputs;
	const char *docker_socket;
	bool deny;
	uint32_t rungs, canary_ms;
};

/* Until SIGINT or SIGTERM. */
int enforce_agent(const struct enforce_agent_options *o, struct hf_err *err);
