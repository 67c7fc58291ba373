/* The loop of everything that watches live: sensor -> drift -> rules and profiles -> exceptions -> groups -> outputs. It wires; what is
 * decided is decided in those parts. */
#pragma once
#include <signal.h>

#include "agent/judge.h"
#include "agent/outputs.h"
#include "engine/container.h"

struct hf_agent_options {
	struct hf_containers_options containers;
	bool host, deep;
	uint32_t ring_bytes, cgroups_max; /* of the kernel's programs; 0: as hf_sensor_options has it */
	bool rules_off;                   /* neither rules nor profiles */
	struct hf_judge_options judge;    /* without `to` */
	bool seed;                        /* containers without a profile are judged by their image (agent/seeder.h) */
	void (*seeded)(void *ctx, const struct hf_profile *seed); /* each seed when it is made, borrowed; may be NULL */
	void *seeded_ctx;
	uint32_t seconds; /* 0: until *stop */
	const volatile sig_atomic_t *stop;
	struct hf_event_sink observe; /* gets what the outputs get, before they do; take may be NULL */
	void (*ready)(void *ctx);     /* called once all that ran before was seen; may be NULL */
	void *ready_ctx;
};

/* Runs until it is stopped, the time is over, or standard output is gone. All that is held and the account of losses is handed out at the
 * end. HF_E_DENIED, HF_E_UNSUPPORTED and what rules, exceptions and outputs gave. */
int hf_agent_run(const struct hf_agent_options *, struct hf_outputs *outputs, struct hf_err *err);
