/* Seeds of images, made while their containers run: a container whose image has no profile is judged from its first program on, by what
 * the image itself says it runs (baseline/seed.h). A thread reads images; no function here waits for it.
 *
 * A seed is of an image and of the command, user and health check that its container is run with: replicas share it, another command of
 * the image has one of its own. Its mode is observe. What happens while it is made is kept and judged afterwards, in its order, by
 * hf_seeder_settle; the stream of events goes on meanwhile. At most HF_SEEDS_MAX seeds live; what is kept is bounded, and what
 * was too much is counted. */
#pragma once
#include "baseline/profile.h"
#include "engine/container.h"
#include "sink/sink.h"

enum { HF_SEEDS_MAX = 256, HF_SEED_KEPT_MAX = 1024 };

struct hf_seeder;

struct hf_seeder_options {
	struct hf_containers *containers; /* borrowed: asked on the caller's thread alone */
	/* On the caller's thread, from hf_seeder_settle. */
	int (*again)(void *ctx, const struct hf_event *e,
		     struct hf_err *err); /* an event that was kept, now that its seed is there */
	/* A seed is ready, or failed: profile is NULL then. One line. */
	int (*told)(void *ctx, const struct hf_profile *seed, const char *line, struct hf_err *err);
	void *ctx;
};

hf_nodiscard int hf_seeder_open(const struct hf_seeder_options *, struct hf_seeder **ret, struct hf_err *err);
/* What is kept is dropped. NULL is fine. */
void hf_seeder_close(struct hf_seeder *);
/* A container's own program begins to run: where its image lies is looked up while it lives. */
void hf_seeder_runs(struct hf_seeder *, uint64_t cgroup_id, uint64_t pid);
/* The seed of the event's container; NULL where there is none. The first event asks for it. *@ret_later: it is being made, the event was kept.
 * Lives until the next call of hf_seeder_settle. */
const struct hf_profile *hf_seeder_profile(struct hf_seeder *, const struct hf_event *e, bool *ret_later);
/* Takes in what was made. 0, or the negative code of a callback. */
int hf_seeder_settle(struct hf_seeder *, struct hf_err *err);
/* True while a seed is being made. */
bool hf_seeder_busy(const struct hf_seeder *);
/* For `status`; lives until the next call of any. */
const struct hf_sink_seed *hf_seeder_states(struct hf_seeder *, size_t *ret_n);
