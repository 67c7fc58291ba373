#include "sensor/patience.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"

struct hf_patience {
	pthread_mutex_t lock;
	uint32_t timeout_ms;
	size_t stuck, stuck_max;
	bool over; /* the last thread that was left behind frees it */
};

struct call {
	struct hf_patience *patience;
	pthread_cond_t ended_now;
	void (*work)(void *job);
	void *job;
	bool ended, left;
};

struct hf_patience *hf_patience_new(uint32_t timeout_ms, size_t stuck_max)
{
	struct hf_patience *p = hf_calloc(1, sizeof *p);

	p->timeout_ms = timeout_ms;
	p->stuck_max = stuck_max;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void release(struct hf_patience *p)
{
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void hf_patience_free(struct hf_patience *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->over = true;
	bool last = !p->stuck;
	pthread_mutex_unlock(&p->lock);
	if (last)
		release(p);
}

static void call_free(struct call *c)
{
	pthread_cond_destroy(&c->ended_now);
	free(c);
}

static void *run(void *arg)
{
	struct call *c = arg;
	struct hf_patience *p = c->patience;

	c->work(c->job);
	pthread_mutex_lock(&p->lock);
	c->ended = true;
	pthread_cond_signal(&c->ended_now);
	bool left = c->left, last = false;
	if (left)
		last = !--p->stuck && p->over;
	pthread_mutex_unlock(&p->lock);
	if (left) {
		free(c->job);
		call_free(c);
	}
	if (last)
		release(p);
	return NULL;
}

static struct timespec in_ms(uint32_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static bool start(struct call *c)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	int code = pthread_create(&thread, &attributes, run, c);
	pthread_attr_destroy(&attributes);
	return code == 0;
}

bool hf_patience_run(struct hf_patience *p, void (*work)(void *job), void *job)
{
	struct call *c = hf_calloc(1, sizeof *c);
	const struct timespec until = in_ms(p->timeout_ms);
	pthread_condattr_t clock;

	*c = (struct call){ .patience = p, .work = work, .job = job };
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&c->ended_now, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_lock(&p->lock);
	if (p->stuck >= p->stuck_max || !start(c)) {
		pthread_mutex_unlock(&p->lock);
		free(job);
		call_free(c);
		return false;
	}
	while (!c->ended && pthread_cond_timedwait(&c->ended_now, &p->lock, &until) != ETIMEDOUT)
		;
	bool ended = c->ended;
	if (!ended) {
		c->left = true;
		p->stuck++;
	}
	pthread_mutex_unlock(&p->lock);
	if (ended)
		call_free(c);
	return ended;
}

size_t hf_patience_stuck(struct hf_patience *p)
{
	pthread_mutex_lock(&p->lock);
	size_t n = p->stuck;
	pthread_mutex_unlock(&p->lock);
	return n;
}
