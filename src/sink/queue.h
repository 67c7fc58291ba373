/* Records on their way from the loop to the thread of one output: bounded, and the one who puts never waits for room (unless the
 * queue was made to wait, for replays). Every record that was put is counted by its kind, and either delivered or lost with a reason:
 * put = delivered + lost + still in the queue, at any time. */
#pragma once
#include "base/buffer.h"
#include "model/event.h"

enum hf_queue_reason { HF_QUEUE_FULL, HF_QUEUE_UNDELIVERABLE, HF_QUEUE_REASONS };

struct hf_queue_counts {
	uint64_t put[HF_EVENT_KINDS];
	uint64_t lost[HF_QUEUE_REASONS][HF_EVENT_KINDS];
	uint64_t waiting;       /* records */
	uint64_t waiting_bytes; /* of memory that is used */
};

struct hf_queue;

/* @max_bytes: what may wait to be taken; as much again may be in the hands of the taker. */
struct hf_queue *hf_queue_new(size_t max_bytes, bool wait_for_room);
/* After the taker's thread has ended. */
void hf_queue_free(struct hf_queue *q);
/* A copy of @bytes (at most 1 MiB); false where it is lost for want of room, or since the queue is closed. @report: it is about the
 * losses, and finds room in a reserve. Any thread. */
bool hf_queue_put(struct hf_queue *q, enum hf_event_kind kind, hf_sv bytes, bool report);
/* From now on a record wakes the taker only where a good part waits already; hf_queue_wake tells of what is below that. */
void hf_queue_batch(struct hf_queue *q);
void hf_queue_wake(struct hf_queue *q);
/* Nothing is put any more: the taker gets what is left, then the end. */
void hf_queue_close(struct hf_queue *q);
/* The same, and what is left counts as lost with @reason. */
void hf_queue_abandon(struct hf_queue *q);
struct hf_queue_counts hf_queue_count(struct hf_queue *q);

/* For the one taking thread. */
struct hf_queue_record {
	enum hf_event_kind kind;
	hf_sv bytes;
};
/* Waits for records, at most @timeout_ms (negative: for good). False at the end: closed, and all was taken. */
bool hf_queue_wait(struct hf_queue *q, int timeout_ms);
/* The next record of those that were there at the last hf_queue_wait; false where none is left. It lives until that call. */
bool hf_queue_next(struct hf_queue *q, struct hf_queue_record *ret);
/* @n of @kind that were given by hf_queue_next did not get to their end. */
void hf_queue_lost(struct hf_queue *q, enum hf_event_kind kind, uint64_t n);
/* Readable once the queue is abandoned: to poll beside a descriptor that may not become ready. */
int hf_queue_stop_fd(const struct hf_queue *q);
bool hf_queue_stopped(const struct hf_queue *q);
