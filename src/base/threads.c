#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/limits.h"

struct run {
	pthread_mutex_t lock;
	size_t next, n;
	int (*task)(void *ctx, size_t i, struct hf_err *err);
	void *ctx;
	int code; /* of the lowest failed task, or HF_PARTIAL */
	size_t failed_at;
	struct hf_err err;
};

static bool take_task(struct run *r, size_t *ret)
{
	pthread_mutex_lock(&r->lock);
	bool any = r->code >= 0 && r->next < r->n;
	if (any)
		*ret = r->next++;
	pthread_mutex_unlock(&r->lock);
	return any;
}

static void *work(void *arg)
{
	struct run *r = arg;
	size_t i;

	while (take_task(r, &i)) {
		struct hf_err err = { 0 };
		int code = r->task(r->ctx, i, &err);
		pthread_mutex_lock(&r->lock);
		if (code < 0 && (r->code >= 0 || i < r->failed_at)) {
			r->code = code;
			r->failed_at = i;
			r->err = err;
		} else if (code == HF_PARTIAL && r->code == HF_OK) {
			r->code = HF_PARTIAL;
		}
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

int hf_threads_run(unsigned jobs, size_t n, int (*task)(void *ctx, size_t i, struct hf_err *err), void *ctx,
		   struct hf_err *err)
{
	struct run r = { .lock = PTHREAD_MUTEX_INITIALIZER, .n = n, .task = task, .ctx = ctx };
	pthread_t threads[HF_THREADS_MAX];
	size_t started = 0;

	if (jobs > HF_THREADS_MAX)
		jobs = HF_THREADS_MAX;
	while (started + 1 < jobs && started + 1 < n && !pthread_create(&threads[started], NULL, work, &r))
		started++;
	work(&r);
	while (started)
		pthread_join(threads[--started], NULL);
	pthread_mutex_destroy(&r.lock);
	if (r.code < 0 && err)
		*err = r.err;
	return r.code;
}

unsigned hf_threads_default(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : n > HF_THREADS_MAX ? HF_THREADS_MAX : (unsigned)n;
}

struct hf_budget {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	int64_t left;
	uint64_t total;
};

struct hf_budget *hf_budget_new(uint64_t total)
{
	struct hf_budget *b = hf_calloc(1, sizeof *b);

	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->freed, NULL);
	b->left = (int64_t)total;
	b->total = total;
	return b;
}

void hf_budget_free(struct hf_budget *b)
{
	if (!b)
		return;
	pthread_cond_destroy(&b->freed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

bool hf_budget_take(struct hf_budget *b, uint64_t n)
{
	if (n > b->total)
		return false;
	pthread_mutex_lock(&b->lock);
	while (b->left < (int64_t)n)
		pthread_cond_wait(&b->freed, &b->lock);
	b->left -= (int64_t)n;
	pthread_mutex_unlock(&b->lock);
	return true;
}

void hf_budget_overdraw(struct hf_budget *b, uint64_t n)
{
	pthread_mutex_lock(&b->lock);
	b->left -= (int64_t)n;
	pthread_mutex_unlock(&b->lock);
}

void hf_budget_give(struct hf_budget *b, uint64_t n)
{
	pthread_mutex_lock(&b->lock);
	b->left += (int64_t)n;
	pthread_cond_broadcast(&b->freed);
	pthread_mutex_unlock(&b->lock);
}
