#include "sink/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

struct head {
	uint32_t len, kind;
};

enum { RESERVE_BYTES = 64 << 10, KEEP_BYTES = 128 << 10, RECORD_BYTES_MAX = 1 << 20, BATCH_BYTES = 64 << 10 };

struct hf_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed, room;
	struct hf_buf filling, taken; /* the second one belongs to the taker alone */
	size_t taken_at, max;
	size_t batch;              /* bytes from which on a record wakes the taker; 0: each does */
	size_t filling_n, taken_n; /* records */
	bool wait_for_room, closed, taker_waits;
	atomic_bool stopped;
	int stop_fd;
	struct hf_queue_counts counts;
};

struct hf_queue *hf_queue_new(size_t max_bytes, bool wait_for_room)
{
	struct hf_queue *q = hf_calloc(1, sizeof *q);
	pthread_condattr_t attr;

	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &attr);
	pthread_cond_init(&q->room, &attr);
	pthread_condattr_destroy(&attr);
	q->max = max_bytes;
	q->filling = q->taken = HF_BUF(max_bytes + RESERVE_BYTES);
	q->wait_for_room = wait_for_room;
	q->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->stop_fd < 0)
		abort();
	return q;
}

void hf_queue_free(struct hf_queue *q)
{
	if (!q)
		return;
	hf_buf_done(&q->filling);
	hf_buf_done(&q->taken);
	pthread_cond_destroy(&q->changed);
	pthread_cond_destroy(&q->room);
	pthread_mutex_destroy(&q->lock);
	close(q->stop_fd);
	free(q);
}

static bool fits(const struct hf_queue *q, size_t n, bool report)
{
	size_t max = report ? q->max + RESERVE_BYTES : q->max;

	return n <= max && q->filling.len <= max - n;
}

bool hf_queue_put(struct hf_queue *q, enum hf_event_kind kind, hf_sv bytes, bool report)
{
	struct head head = { (uint32_t)bytes.len, kind };
	bool put = bytes.len <= RECORD_BYTES_MAX;

	pthread_mutex_lock(&q->lock);
	while (q->wait_for_room && put && !q->closed && !fits(q, sizeof head + bytes.len, report) && q->filling_n) {
		pthread_cond_signal(&q->changed);
		pthread_cond_wait(&q->room, &q->lock);
	}
	put = put && !q->closed && fits(q, sizeof head + bytes.len, report);
	q->counts.put[kind]++;
	if (put) {
		hf_buf_add(&q->filling, (hf_sv){ (const char *)&head, sizeof head });
		hf_buf_add(&q->filling, bytes);
		q->filling_n++;
		if (q->taker_waits && q->filling.len >= q->batch)
			pthread_cond_signal(&q->changed);
	} else {
		q->counts.lost[HF_QUEUE_FULL][kind]++;
	}
	pthread_mutex_unlock(&q->lock);
	return put;
}

void hf_queue_batch(struct hf_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->batch = q->max / 4 < BATCH_BYTES ? q->max / 4 : BATCH_BYTES;
	pthread_mutex_unlock(&q->lock);
}

void hf_queue_wake(struct hf_queue *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->taker_waits && q->filling_n)
		pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

void hf_queue_close(struct hf_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->changed);
	pthread_cond_broadcast(&q->room);
	pthread_mutex_unlock(&q->lock);
}

void hf_queue_abandon(struct hf_queue *q)
{
	uint64_t one = 1;

	atomic_store(&q->stopped, true);
	if (write(q->stop_fd, &one, sizeof one) < 0 && errno != EAGAIN)
		abort();
	hf_queue_close(q);
}

struct hf_queue_counts hf_queue_count(struct hf_queue *q)
{
	pthread_mutex_lock(&q->lock);
	struct hf_queue_counts counts = q->counts;
	counts.waiting = q->filling_n + q->taken_n;
	counts.waiting_bytes = q->filling.size + q->taken.size;
	pthread_mutex_unlock(&q->lock);
	return counts;
}

static struct timespec from_now(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* What a burst took is given back: most of the time the queue is nearly empty. */
static void empty(struct hf_buf *b)
{
	if (b->size > KEEP_BYTES)
		hf_buf_done(b);
	b->len = 0;
}

bool hf_queue_wait(struct hf_queue *q, int timeout_ms)
{
	struct timespec until = from_now(timeout_ms < 0 ? 0 : timeout_ms);
	int timed_out = 0;

	pthread_mutex_lock(&q->lock);
	empty(&q->taken);
	q->taken_at = q->taken_n = 0;
	q->taker_waits = true;
	while (!q->filling_n && !q->closed && !timed_out)
		timed_out = timeout_ms < 0 ? pthread_cond_wait(&q->changed, &q->lock)
					   : pthread_cond_timedwait(&q->changed, &q->lock, &until);
	q->taker_waits = false;
	struct hf_buf full = q->filling;
	q->filling = q->taken;
	q->taken = full;
	q->taken_n = q->filling_n;
	q->filling_n = 0;
	bool more = q->taken_n || !q->closed;
	pthread_cond_broadcast(&q->room);
	pthread_mutex_unlock(&q->lock);
	return more;
}

bool hf_queue_next(struct hf_queue *q, struct hf_queue_record *ret)
{
	struct head head;

	if (q->taken_at == q->taken.len)
		return false;
	memcpy(&head, q->taken.ptr + q->taken_at, sizeof head);
	ret->kind = (enum hf_event_kind)head.kind;
	ret->bytes = hf_sv_slice(hf_buf_view(&q->taken), q->taken_at + sizeof head, head.len);
	q->taken_at += sizeof head + head.len;
	pthread_mutex_lock(&q->lock);
	q->taken_n--;
	pthread_mutex_unlock(&q->lock);
	return true;
}

void hf_queue_lost(struct hf_queue *q, enum hf_event_kind kind, uint64_t n)
{
	pthread_mutex_lock(&q->lock);
	q->counts.lost[HF_QUEUE_UNDELIVERABLE][kind] += n;
	pthread_mutex_unlock(&q->lock);
}

int hf_queue_stop_fd(const struct hf_queue *q)
{
	return q->stop_fd;
}

bool hf_queue_stopped(const struct hf_queue *q)
{
	return atomic_load(&q->stopped);
}
