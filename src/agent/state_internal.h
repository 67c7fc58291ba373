/* Between state.c, which keeps what happened, state_answer.c, which says it, and state_server.c, which is asked. */
#pragma once
#include <pthread.h>

#include "agent/counters.h"
#include "agent/ring.h"
#include "agent/state.h"

enum {
	HF_STATE_SEEDS_MAX = 256,
	HF_STATE_COUNTS_MAX = 4096,
	HF_STATE_HOOKS_MAX = 64,
	HF_STATE_PARTS_MAX = 32,
	HF_STATE_OUTPUTS_MAX = 16
};

struct hf_state_count {
	enum hf_event_kind kind;
	char container[HF_COUNTERS_NAME_MAX];
	uint64_t seen, known, delivered, dropped;
};

struct hf_state_part {
	char part[32], state[16], message[240], time[40];
};

struct hf_state_hook {
	char sees[64], by[96];
	bool works;
};

struct hf_state_seed {
	char image[120], command[120], state[16], message[512];
	uint64_t programs;
};

struct hf_state {
	pthread_mutex_t lock; /* over all that follows, up to the next mark */
	struct hf_ring events, alerts;
	struct hf_counters containers, rules, executables;
	uint64_t kinds[HF_EVENT_KINDS], severities[5];
	struct hf_state_part parts[HF_STATE_PARTS_MAX];
	size_t parts_n;
	struct hf_state_hook hooks[HF_STATE_HOOKS_MAX];
	size_t hooks_n;
	struct hf_state_seed *seeds; /* HF_STATE_SEEDS_MAX of them, once there is one */
	size_t seeds_n;
	struct hf_state_count *counts;
	size_t counts_n;
	uint64_t counts_left_out;
	uint64_t containers_n, containers_pending, containers_unresolved;
	struct hf_sink_state outputs[HF_STATE_OUTPUTS_MAX];
	size_t outputs_n;
	uint64_t turned_s;
	/* Set once. */
	char mode[16], path[108];
	uint64_t started_s; /* CLOCK_BOOTTIME */
	int listener, stop_fd;
	pthread_t thread;
	bool running;
};

/* The answer to one question, a JSON document with its newline. */
void hf_state_answer(struct hf_state *s, hf_sv question, struct hf_buf *out);
int hf_state_server_open(struct hf_state *s, const char *folder, struct hf_err *err);
void hf_state_server_close(struct hf_state *s);
