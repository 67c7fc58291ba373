#include "agent/agent.h"

#include <stdlib.h>
#include <time.h>

#include "agent/numbers.h"

enum { TICK_MS = 1000, JUDGE_S = 60 };

struct hf_agent {
	struct hf_containers *containers;
	struct hf_sensor *sensor;
	struct hf_numbers *numbers;
	struct hf_judge *judge;
	struct hf_outputs *outputs;
	uint64_t ticked_ns, judged_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int hf_agent_open(const struct hf_agent_options *options, struct hf_agent **ret, struct hf_err *err)
{
	struct hf_agent *a = hf_calloc(1, sizeof *a);
	struct hf_sensor_options sensor = options->sensor;
	int code = hf_containers_open(&options->containers, &a->containers, err);

	sensor.containers = a->containers;
	if (code == 0)
		code = hf_sensor_open(&sensor, &a->sensor, err);
	if (code < 0) {
		hf_agent_close(a);
		return code;
	}
	*ret = a;
	return 0;
}

static int judge_tick(struct hf_agent *a, uint64_t now, struct hf_err *err)
{
	time_t wall = time(NULL);
	char today[11];
	struct tm tm;

	a->judged_ns = now;
	gmtime_r(&wall, &tm);
	strftime(today, sizeof today, "%Y-%m-%d", &tm);
	return hf_judge_tick(a->judge, now, hf_sv_of(today), err);
}

static int tick(struct hf_agent *a, struct hf_err *err)
{
	uint64_t now = now_ns();

	if (now - a->ticked_ns < TICK_MS * UINT64_C(1000000))
		return 0;
	a->ticked_ns = now;
	hf_outputs_tick(a->outputs, hf_numbers_gather(a->numbers, a->sensor, a->containers));
	return a->judge && now - a->judged_ns >= JUDGE_S * UINT64_C(1000000000) ? judge_tick(a, now, err) : 0;
}

static int loop(struct hf_agent *a, const volatile sig_atomic_t *stop, struct hf_err *err)
{
	struct hf_event_sink sink = a->judge ? hf_judge_sink(a->judge) : hf_outputs_sink(a->outputs);
	int code = a->judge ? judge_tick(a, now_ns(), err) : 0;

	while (code >= 0 && !*stop) {
		code = hf_sensor_run(a->sensor, TICK_MS, &sink, err);
		if (code >= 0)
			code = tick(a, err);
	}
	if (code >= 0)
		code = hf_sensor_flush(a->sensor, &sink, err);
	if (code >= 0 && a->judge)
		code = hf_judge_flush(a->judge, err);
	a->ticked_ns = 0;
	return code < 0 ? code : tick(a, err);
}

int hf_agent_run(struct hf_agent *a, struct hf_outputs *outputs, const struct hf_judge_options *judge,
		 const volatile sig_atomic_t *stop, struct hf_err *err)
{
	int code = 0;

	a->outputs = outputs;
	if (judge) {
		struct hf_judge_options options = *judge;
		options.to = hf_outputs_sink(outputs);
		code = hf_judge_open(&options, &a->judge, err);
	}
	if (code >= 0) {
		a->numbers = hf_numbers_new();
		code = loop(a, stop, err);
	}
	hf_judge_close(a->judge);
	hf_numbers_free(a->numbers);
	a->judge = NULL;
	a->numbers = NULL;
	return code < 0 ? code : 0;
}

void hf_agent_close(struct hf_agent *a)
{
	if (!a)
		return;
	if (a->sensor)
		hf_sensor_close(a->sensor);
	if (a->containers)
		hf_containers_close(a->containers);
	free(a);
}
