/* The judge of drift on a thread of its own. */
#include "baseline/drift.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { ANCESTORS_MAX = 16, ARGUMENTS_MAX = 4, ROOTS = 1024, QUEUE_MAX = 1024, QUESTION_MAX = 64 << 10, CLOSE_S = 2 };
enum { LEARN_NS = 1000000000 }; /* reading and parsing a mount table costs more than an execution */

/* A question of its own memory, and later its answer. */
struct item {
	struct item *next;
	struct hf_arena arena;
	struct hf_drift_question q;
	bool learns; /* only takes the mount table */
	struct hf_drift_answer answer;
};

struct list {
	struct item *first, **end;
	size_t n;
};

struct root {
	uint64_t container, device;
	uint64_t learned_ns; /* 0: no mount table of it */
};

struct hf_drift {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list asked, answered;
	size_t queue_max;
	bool stop;
	int fd;
	struct hf_drift_count count;
	struct hf_drift_judge *judge;
	struct root roots[ROOTS]; /* by the container's number; one pushes another out */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void push(struct list *l, struct item *i)
{
	i->next = NULL;
	*l->end = i;
	l->end = &i->next;
	l->n++;
}

static struct item *pop(struct list *l)
{
	struct item *i = l->first;

	if (!i)
		return NULL;
	l->first = i->next;
	if (!l->first)
		l->end = &l->first;
	l->n--;
	return i;
}

static void item_free(struct item *i)
{
	if (i)
		hf_arena_done(&i->arena);
	free(i);
}

static struct item *item_of(const struct hf_drift_question *q)
{
	struct item *i = hf_calloc(1, sizeof *i);
	size_t n = q->ancestors_n < ANCESTORS_MAX ? q->ancestors_n : ANCESTORS_MAX;

	i->arena = HF_ARENA(QUESTION_MAX);
	i->q = *q;
	i->q.path = hf_arena_dup(&i->arena, q->path);
	struct hf_ancestor *tree = hf_arena_array(&i->arena, struct hf_ancestor, n);
	i->q.ancestors = tree;
	i->q.ancestors_n = 0;
	for (size_t k = 0; tree && k < n; k++) {
		size_t arguments_n = q->ancestors[k].arguments_n;
		if (arguments_n > ARGUMENTS_MAX)
			arguments_n = ARGUMENTS_MAX;
		hf_sv *arguments = hf_arena_array(&i->arena, hf_sv, arguments_n);
		tree[k].path = hf_arena_dup(&i->arena, q->ancestors[k].path);
		for (size_t m = 0; arguments && m < arguments_n; m++)
			arguments[m] = hf_arena_dup(&i->arena, q->ancestors[k].arguments[m]);
		tree[k].arguments = arguments;
		tree[k].arguments_n = arguments ? arguments_n : 0;
		if (i->arena.over) /* fewer ancestors only mean that less is explained */
			break;
		i->q.ancestors_n = k + 1;
	}
	return i;
}

static void answer_one(struct hf_drift *d, struct item *i)
{
	if (i->learns)
		hf_drift_judge_learn(d->judge, i->q.container, i->q.pid);
	else
		hf_drift_judge_ask(d->judge, &i->q, &i->answer);
	uint64_t container = i->q.container, root = hf_drift_judge_root(d->judge, container);
	pthread_mutex_lock(&d->lock);
	struct root *r = &d->roots[container % ROOTS];
	if (r->container != container)
		*r = (struct root){ .container = container };
	r->device = root;
	if (i->learns) {
		r->learned_ns = root ? now_ns() : 0;
		item_free(i);
		return;
	}
	d->count.answered++;
	d->count.by_state[i->answer.state]++;
	push(&d->answered, i);
	(void)!write(d->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void *work(void *arg)
{
	struct hf_drift *d = arg;

	pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		/* Answers that nobody takes hold up the questions, not memory. */
		struct item *i = d->answered.n < d->queue_max ? pop(&d->asked) : NULL;
		if (!i) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		pthread_mutex_unlock(&d->lock);
		answer_one(d, i); /* gives back with the lock held */
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

int hf_drift_open(const struct hf_drift_options *options, struct hf_drift **ret, struct hf_err *err)
{
	struct hf_drift *d = hf_calloc(1, sizeof *d);

	d->asked.end = &d->asked.first;
	d->answered.end = &d->answered.first;
	d->queue_max = options && options->queue_max ? options->queue_max : QUEUE_MAX;
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0) {
		free(d);
		return hf_fail_errno(err, "eventfd");
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	d->judge = hf_drift_judge_new(options);
	int r = pthread_create(&d->thread, NULL, work, d);
	if (r) {
		hf_drift_judge_free(d->judge);
		hf_fd_close(&d->fd);
		free(d);
		return hf_fail(err, HF_E_SYSTEM, "a thread: error %d", r);
	}
	*ret = d;
	return HF_OK;
}

void hf_drift_close(struct hf_drift *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	hf_drift_judge_stop(d->judge);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	/* A file that a container serves may hold the thread up for good: then it, and what it works on, is left behind. */
	if (pthread_timedjoin_np(d->thread, NULL, &until)) {
		pthread_detach(d->thread);
		return;
	}
	for (struct item *i = pop(&d->asked); i; i = pop(&d->asked))
		item_free(i);
	for (struct item *i = pop(&d->answered); i; i = pop(&d->answered))
		item_free(i);
	hf_drift_judge_free(d->judge);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	hf_fd_close(&d->fd);
	free(d);
}

static bool put(struct hf_drift *d, struct item *i)
{
	pthread_mutex_lock(&d->lock);
	bool fits = d->asked.n < d->queue_max;
	if (!fits)
		d->count.refused++;
	else if (!i->learns)
		d->count.asked++;
	if (fits)
		push(&d->asked, i);
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (!fits)
		item_free(i);
	return fits;
}

bool hf_drift_container(struct hf_drift *d, uint64_t container, uint64_t pid)
{
	pthread_mutex_lock(&d->lock);
	const struct root *r = &d->roots[container % ROOTS];
	bool fresh = r->container == container && r->learned_ns && now_ns() - r->learned_ns < LEARN_NS;
	pthread_mutex_unlock(&d->lock);
	if (fresh)
		return true;
	struct item *i = item_of(&(struct hf_drift_question){ .container = container, .pid = pid });

	i->learns = true;
	return put(d, i);
}

uint64_t hf_drift_root(struct hf_drift *d, uint64_t container)
{
	pthread_mutex_lock(&d->lock);
	uint64_t device = d->roots[container % ROOTS].container == container ? d->roots[container % ROOTS].device : 0;
	pthread_mutex_unlock(&d->lock);
	return device;
}

bool hf_drift_ask(struct hf_drift *d, const struct hf_drift_question *q)
{
	return put(d, item_of(q));
}

bool hf_drift_poll(struct hf_drift *d, struct hf_drift_answer *ret)
{
	uint64_t none;

	pthread_mutex_lock(&d->lock);
	struct item *i = pop(&d->answered);
	if (i && !d->answered.n)
		(void)!read(d->fd, &none, sizeof none);
	if (i && d->answered.n == d->queue_max - 1)
		pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (i)
		*ret = i->answer;
	item_free(i);
	return i != NULL;
}

int hf_drift_fd(const struct hf_drift *d)
{
	return d->fd;
}

struct hf_drift_count hf_drift_count(struct hf_drift *d)
{
	pthread_mutex_lock(&d->lock);
	struct hf_drift_count count = d->count;
	pthread_mutex_unlock(&d->lock);
	hf_drift_judge_count(d->judge, &count);
	return count;
}
