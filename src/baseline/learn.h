/* Learning: events of many containers become one profile a workload.
 *
 * Time is cut into windows of HF_LEARN_WINDOW_S seconds a container. What a window holds is taken into the container's profile only
 * when HF_LEARN_HELD - 1 later windows have gone by, and only if it is clean: an alert about the container (one that no exception
 * hides) discards its window and those on both sides; a loss that a `loss` event tells of discards all windows since the one before
 * it, as far as they are still held, and the one after. A loss without a container discards those of all. What is discarded is
 * counted, in the profile too. Events of a container without an image's digest are counted and not learned.
 *
 * A container is one replica. Containers that were not heard of for the longest time are closed where memory ends. */
#pragma once
#include "baseline/profile.h"

enum { HF_LEARN_WINDOW_S = 10, HF_LEARN_HELD = 8 };

struct hf_learn_options {
	uint64_t memory_max;   /* bytes; 0: 256 MiB */
	size_t containers_max; /* that are followed at once; 0: 1024 */
	uint32_t
		parts; /* 1 << enum hf_profile_part: what the sensor surely watches. Others count once an event of their
				* kind came from any container. */
};

struct hf_learn_count {
	uint64_t events, observations;
	uint64_t setup;         /* of container runtimes, passed over */
	uint64_t without_image; /* events that belong to no profile */
	uint64_t late;          /* events of windows that were closed */
	uint64_t refused;       /* windows and containers for which there was no memory */
	uint64_t windows, discarded_loss, discarded_alert;
	uint64_t containers, closed_early;
	uint64_t memory; /* bytes held at the moment, all profiles and windows together */
};

struct hf_learn;

struct hf_learn *hf_learn_new(const struct hf_learn_options *options);
void hf_learn_free(struct hf_learn *l);
/* Borrows the event for the call. */
void hf_learn_take(struct hf_learn *l, const struct hf_event *e);
/* As a sink for events; ctx is the hf_learn. */
int hf_learn_sink(void *ctx, const struct hf_event *e, struct hf_err *err);
/* Ends all windows. The profiles, in the order in which their workloads were first seen, live until hf_learn_free. */
const struct hf_profile *const *hf_learn_finish(struct hf_learn *l, size_t *ret_n);
struct hf_learn_count hf_learn_count(const struct hf_learn *l);
