/* The loop of a running agent: events from the sensor, judged, to the outputs, until it is told to stop. */
#pragma once
#include <signal.h>

#include "agent/judge.h"
#include "agent/outputs.h"
#include "sensor/sensor.h"

struct hf_agent;

struct hf_agent_options {
	struct hf_containers_options containers;
	struct hf_sensor_options sensor; /* its containers are the agent's */
};

/* Opens what sees. HF_E_DENIED, HF_E_UNSUPPORTED: as hf_sensor_open says. */
hf_nodiscard int hf_agent_open(const struct hf_agent_options *options, struct hf_agent **ret, struct hf_err *err);
/* Runs until *@stop is set by a signal, or an output says that nobody reads any more (HF_E_IO). @judge: its `to` is not used; NULL: events
 * go out as they are. What is held is handed out at the end. */
int hf_agent_run(struct hf_agent *a, struct hf_outputs *outputs, const struct hf_judge_options *judge,
		 const volatile sig_atomic_t *stop, struct hf_err *err);
/* NULL is fine. */
void hf_agent_close(struct hf_agent *a);
