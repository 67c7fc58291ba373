#include "agent/seeder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/seeder_image.h"
#include "base/hash.h"
#include "base/limits.h"

enum {
	RUNS_SLOTS = 4096,
	QUEUE_MAX = 1024,
	TRIES_MAX = 5,
	TRY_AGAIN_S = 10,
	WAITING_SLOTS = 1024,
	WAITING_MAX = 64, /* events of a container of which it is not known yet what it runs */
	FACTS_S = 5,      /* how long an engine may take to say what a container runs */
	TELL_S = 600,
	CLOSE_S = 2,
	NAME_MAX_BYTES = 120,
	KEPT_BYTES_MAX = 64 << 10, /* of one event */
};

enum state { SEEDING, SEEDED, FAILED };

/* Where an image is to be looked up, or a seed to be made; then what was made. */
struct job {
	struct job *next;
	bool makes;
	uint64_t cgroup_id, pid;
	size_t seed; /* its place in the table */
	struct hf_arena arena;
	struct hf_image_config config;
	hf_sv digest, name;
	struct seed_made *made;
	struct hf_err err;
};

struct list {
	struct job *first, **end;
	size_t n;
};

struct kept {
	struct kept *next;
	uint64_t since_s;
	struct hf_arena arena;
	struct hf_event *event;
};

struct kept_list {
	struct kept *first, **end;
};

struct seed {
	uint64_t key, tried_s;
	unsigned tries;
	enum state state;
	struct seed_made *made;
	struct kept_list kept;
	uint64_t unkept; /* events that found no room */
	char image[NAME_MAX_BYTES], command[NAME_MAX_BYTES], message[512];
};

struct hf_seeder {
	struct hf_seeder_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list asked, done; /* under the lock, and so is stop */
	bool stop;
	struct seed_images *images; /* the thread's */
	/* The caller's. */
	struct seed seeds[HF_SEEDS_MAX];
	uint16_t waiting_of[WAITING_SLOTS];       /* how many, by cgroup id */
	struct kept_list waiting;                 /* of containers whose engine has not said yet what they run */
	uint64_t unjudged, unjudged_told, told_s; /* events of which it never did */
	size_t seeds_n, kept_n, busy;
	bool refused, refused_told; /* an image found no room in the table */
	uint64_t runs[RUNS_SLOTS];  /* by cgroup id; who shares a slot is looked up once more */
	struct hf_sink_seed states[HF_SEEDS_MAX];
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static void push(struct list *l, struct job *j)
{
	j->next = NULL;
	*l->end = j;
	l->end = &j->next;
	l->n++;
}

static struct job *pop(struct list *l)
{
	struct job *j = l->first;

	if (!j)
		return NULL;
	l->first = j->next;
	if (!l->first)
		l->end = &l->first;
	l->n--;
	return j;
}

static void job_free(struct job *j)
{
	seed_made_free(j->made);
	hf_arena_done(&j->arena);
	free(j);
}

static void *work(void *arg)
{
	struct hf_seeder *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct job *j = pop(&s->asked);
		if (!j) {
			pthread_cond_wait(&s->wake, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		if (!j->makes)
			seed_images_capture(s->images, j->cgroup_id, j->pid);
		else
			(void)!seed_images_make(s->images, j->cgroup_id, j->pid, &j->config, j->digest, j->name,
						&j->made, &j->err);
		pthread_mutex_lock(&s->lock);
		if (j->makes)
			push(&s->done, j);
		else
			job_free(j);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int hf_seeder_open(const struct hf_seeder_options *options, struct hf_seeder **ret, struct hf_err *err)
{
	struct hf_seeder *s = hf_calloc(1, sizeof *s);

	s->options = *options;
	s->waiting.end = &s->waiting.first;
	s->asked.end = &s->asked.first;
	s->done.end = &s->done.first;
	s->images = seed_images_new();
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	int code = pthread_create(&s->thread, NULL, work, s);
	if (code) {
		seed_images_free(s->images);
		free(s);
		return hf_fail(err, HF_E_SYSTEM, "a thread: error %d", code);
	}
	*ret = s;
	return 0;
}

static struct kept *pop_kept(struct kept_list *l)
{
	struct kept *k = l->first;

	if (!k)
		return NULL;
	l->first = k->next;
	if (!l->first)
		l->end = &l->first;
	return k;
}

static void kept_free(struct hf_seeder *s, struct kept *k)
{
	hf_arena_done(&k->arena);
	free(k);
	s->kept_n--;
}

static void drop_kept(struct hf_seeder *s, struct kept_list *l)
{
	for (struct kept *k = pop_kept(l); k; k = pop_kept(l))
		kept_free(s, k);
}

void hf_seeder_close(struct hf_seeder *s)
{
	struct timespec until;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	/* A large image may take longer: then the thread, and what it works on, is left behind. */
	if (pthread_timedjoin_np(s->thread, NULL, &until)) {
		pthread_detach(s->thread);
		return;
	}
	for (struct job *j = pop(&s->asked); j; j = pop(&s->asked))
		job_free(j);
	for (struct job *j = pop(&s->done); j; j = pop(&s->done))
		job_free(j);
	for (size_t i = 0; i < s->seeds_n; i++) {
		drop_kept(s, &s->seeds[i].kept);
		seed_made_free(s->seeds[i].made);
	}
	drop_kept(s, &s->waiting);
	seed_images_free(s->images);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool put(struct hf_seeder *s, struct job *j)
{
	pthread_mutex_lock(&s->lock);
	bool fits = s->asked.n < QUEUE_MAX;
	if (fits)
		push(&s->asked, j);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	if (!fits)
		job_free(j);
	return fits;
}

void hf_seeder_runs(struct hf_seeder *s, uint64_t cgroup_id, uint64_t pid)
{
	struct job *j;

	if (s->runs[cgroup_id % RUNS_SLOTS] == cgroup_id)
		return;
	s->runs[cgroup_id % RUNS_SLOTS] = cgroup_id;
	j = hf_calloc(1, sizeof *j);
	j->cgroup_id = cgroup_id;
	j->pid = pid;
	(void)!put(s, j); /* without room the first event of its image looks it up */
}

static uint64_t key_of(const struct hf_container *c)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_sv text = hf_arena_fmt(&a, "%.*s\n%.*s\n%.*s", HF_SV_FMT(c->image_digest), HF_SV_FMT(c->user),
				  HF_SV_FMT(c->healthcheck));

	for (size_t i = 0; i < c->entrypoint_n; i++)
		text = hf_arena_fmt(&a, "%.*s\n%zu:%.*s", HF_SV_FMT(text), c->entrypoint[i].len,
				    HF_SV_FMT(c->entrypoint[i]));
	return hf_hash(text);
}

static const hf_sv *keep_list(struct hf_arena *a, const hf_sv *list, size_t n)
{
	hf_sv *copy = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = hf_arena_dup(a, list[i]);
	return copy;
}

/* The engine's answer was cut where a word ends so (engine/facts.h). */
static bool is_cut(const struct hf_container *c)
{
	for (size_t i = 0; i < c->entrypoint_n; i++)
		if (hf_sv_ends(c->entrypoint[i], HF_SV("…")))
			return true;
	return false;
}

static void order(struct hf_seeder *s, struct seed *d, const struct hf_container *c, uint64_t pid)
{
	struct job *j = hf_calloc(1, sizeof *j);

	j->makes = true;
	j->cgroup_id = c->cgroup_id;
	j->pid = pid;
	j->seed = (size_t)(d - s->seeds);
	j->arena = HF_ARENA(HF_MIB(1));
	j->digest = hf_arena_dup(&j->arena, c->image_digest);
	j->name = hf_arena_dup(&j->arena, c->image_name);
	j->config.entrypoint = keep_list(&j->arena, c->entrypoint, c->entrypoint_n);
	j->config.entrypoint_n = j->config.entrypoint ? c->entrypoint_n : 0;
	j->config.user = hf_arena_dup(&j->arena, c->user);
	j->config.healthcheck = hf_arena_dup(&j->arena, c->healthcheck);
	j->config.exposed_ports = keep_list(&j->arena, c->exposed_ports, c->exposed_ports_n);
	j->config.exposed_ports_n = j->config.exposed_ports ? c->exposed_ports_n : 0;
	d->tries++;
	d->tried_s = now_s();
	d->state = SEEDING;
	d->message[0] = 0;
	if (put(s, j)) {
		s->busy++;
		return;
	}
	d->state = FAILED;
	snprintf(d->message, sizeof d->message, "too many images wait for their seeds");
}

static void name_seed(struct seed *d, const struct hf_container *c)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_sv command = { 0 };

	for (size_t i = 0; i < c->entrypoint_n; i++)
		command = hf_arena_fmt(&a, "%.*s%s%.*s", HF_SV_FMT(command), i ? " " : "", HF_SV_FMT(c->entrypoint[i]));
	hf_escape_controls(d->image, sizeof d->image, c->image_name.len ? c->image_name : c->image_digest);
	hf_escape_controls(d->command, sizeof d->command, command);
}

static struct seed *find(struct hf_seeder *s, const struct hf_container *c, uint64_t pid)
{
	uint64_t key = key_of(c);
	size_t i = 0;

	while (i < s->seeds_n && s->seeds[i].key != key)
		i++;
	struct seed *d = &s->seeds[i];
	if (i == HF_SEEDS_MAX) {
		s->refused = true;
		return NULL;
	}
	if (i == s->seeds_n) {
		s->seeds_n++;
		*d = (struct seed){ .key = key };
		d->kept.end = &d->kept.first;
		name_seed(d, c);
		if (is_cut(c)) {
			d->state = FAILED;
			d->tries = TRIES_MAX;
			snprintf(d->message, sizeof d->message, "its command is too long");
		} else {
			order(s, d, c, pid);
		}
	} else if (d->state == FAILED && d->tries < TRIES_MAX && now_s() - d->tried_s >= TRY_AGAIN_S) {
		order(s, d, c, pid);
	}
	return d;
}

/* False: there is no room. */
static bool keep(struct hf_seeder *s, struct kept_list *l, const struct hf_event *e)
{
	struct kept *k = s->kept_n < HF_SEED_KEPT_MAX ? hf_calloc(1, sizeof *k) : NULL;

	if (k) {
		k->arena = HF_ARENA(KEPT_BYTES_MAX);
		k->event = hf_event_copy(&k->arena, e);
		k->since_s = now_s();
	}
	if (!k || !k->event) {
		if (k)
			hf_arena_done(&k->arena);
		free(k);
		return false;
	}
	*l->end = k;
	l->end = &k->next;
	s->kept_n++;
	return true;
}

static uint16_t *waiting_of(struct hf_seeder *s, uint64_t cgroup_id)
{
	return &s->waiting_of[cgroup_id % WAITING_SLOTS];
}

/* Containers of which no engine ever says what they run leave room for the others. */
static bool wait_for_facts(struct hf_seeder *s, uint64_t cgroup_id, const struct hf_event *e)
{
	if (*waiting_of(s, cgroup_id) == WAITING_MAX || s->kept_n >= HF_SEED_KEPT_MAX / 2 || !keep(s, &s->waiting, e))
		return false;
	++*waiting_of(s, cgroup_id);
	return true;
}

/* Docker tells of a container's name and image before it says what it runs. */
static bool may_be_told(const struct hf_container *c)
{
	return c && !c->gone;
}

static const struct hf_container *container_of(struct hf_seeder *s, const struct hf_event *e)
{
	return hf_containers_find(s->options.containers, hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID));
}

static bool has_facts(const struct hf_container *c)
{
	return c && c->image_digest.len && c->entrypoint_n;
}

const struct hf_profile *hf_seeder_profile(struct hf_seeder *s, const struct hf_event *e, bool *ret_later)
{
	const struct hf_container *c = container_of(s, e);

	*ret_later = false;
	if (!has_facts(c)) {
		*ret_later = may_be_told(c) && wait_for_facts(s, hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID), e);
		s->unjudged += !*ret_later;
		return NULL;
	}
	struct seed *d = find(s, c, hf_event_uint(e, HF_FIELD_PROCESS_PID));
	if (!d || d->state == FAILED)
		return NULL;
	if (d->state == SEEDED)
		return &d->made->profile;
	*ret_later = true;
	d->unkept += !keep(s, &d->kept, e);
	return NULL;
}

static int tell(struct hf_seeder *s, const struct seed *d, struct hf_err *err)
{
	char line[1024];

	if (d->state == SEEDED)
		snprintf(line, sizeof line, "%s (%s) is judged by its image: %zu programs and scripts%s%s", d->image,
			 d->command, d->made->programs, d->message[0] ? "; " : "", d->message);
	else
		snprintf(line, sizeof line, "%s (%s) is not judged: %s", d->image, d->command, d->message);
	return s->options.told(s->options.ctx, d->made ? &d->made->profile : NULL, line, err);
}

static int judge_kept(struct hf_seeder *s, struct seed *d, struct hf_err *err)
{
	int code = 0;

	for (struct kept *k = d->kept.first; k && d->state == SEEDED && code >= 0; k = k->next)
		code = s->options.again(s->options.ctx, k->event, err);
	drop_kept(s, &d->kept);
	return code;
}

/* Those of which it is known by now what their container runs; the others go on waiting, in their order. */
static int judge_waiting(struct hf_seeder *s, struct hf_err *err)
{
	struct kept_list all = s->waiting;
	int code = 0;

	if (!all.first)
		return 0;
	s->waiting = (struct kept_list){ .end = &s->waiting.first };
	while (all.first) {
		struct kept *k = all.first;
		const struct hf_container *c = container_of(s, k->event);
		all.first = k->next;
		if (!has_facts(c) && may_be_told(c) && now_s() - k->since_s < FACTS_S) {
			k->next = NULL;
			*s->waiting.end = k;
			s->waiting.end = &k->next;
			continue;
		}
		--*waiting_of(s, hf_event_uint(k->event, HF_FIELD_CONTAINER_CGROUP_ID));
		if (has_facts(c) && code >= 0)
			code = s->options.again(s->options.ctx, k->event, err);
		else
			s->unjudged++;
		kept_free(s, k);
	}
	return code;
}

static int tell_unjudged(struct hf_seeder *s, struct hf_err *err)
{
	uint64_t now = now_s();
	char line[200];

	if (s->unjudged == s->unjudged_told || (s->told_s && now - s->told_s < TELL_S))
		return 0;
	s->told_s = now;
	s->unjudged_told = s->unjudged;
	snprintf(line, sizeof line,
		 "%llu events so far were not judged by a seed: no engine said in time what their containers run",
		 (unsigned long long)s->unjudged);
	return s->options.told(s->options.ctx, NULL, line, err);
}

static int take_in(struct hf_seeder *s, struct job *j, struct hf_err *err)
{
	struct seed *d = &s->seeds[j->seed];

	s->busy--;
	d->made = j->made;
	d->state = j->made ? SEEDED : FAILED;
	snprintf(d->message, sizeof d->message, "%.400s", j->made ? j->made->remark : j->err.msg);
	if (j->made && d->unkept) {
		size_t n = strlen(d->message);
		snprintf(d->message + n, sizeof d->message - n, "%s%llu of its first events were not judged",
			 n ? "; " : "", (unsigned long long)d->unkept);
	}
	j->made = NULL;
	int code = tell(s, d, err);
	return code < 0 ? code : judge_kept(s, d, err);
}

int hf_seeder_settle(struct hf_seeder *s, struct hf_err *err)
{
	int code = 0;

	if (s->refused && !s->refused_told) {
		char line[120];
		s->refused_told = true;
		snprintf(line, sizeof line, "no more than %d images and commands are judged by their seeds",
			 HF_SEEDS_MAX);
		code = s->options.told(s->options.ctx, NULL, line, err);
	}
	while (code >= 0) {
		pthread_mutex_lock(&s->lock);
		struct job *j = pop(&s->done);
		pthread_mutex_unlock(&s->lock);
		if (!j)
			break;
		code = take_in(s, j, err);
		job_free(j);
	}
	if (code >= 0)
		code = judge_waiting(s, err);
	return code < 0 ? code : tell_unjudged(s, err);
}

bool hf_seeder_busy(const struct hf_seeder *s)
{
	return s->busy > 0 || s->waiting.first;
}

static hf_sv name_of(enum state s)
{
	return s == SEEDED ? HF_SV("seeded") : s == FAILED ? HF_SV("failed") : HF_SV("seeding");
}

const struct hf_sink_seed *hf_seeder_states(struct hf_seeder *s, size_t *ret_n)
{
	for (size_t i = 0; i < s->seeds_n && i < HF_SEEDS_MAX; i++) {
		const struct seed *d = &s->seeds[i];
		s->states[i] =
			(struct hf_sink_seed){ .image = (hf_sv){ d->image, strnlen(d->image, sizeof d->image) },
					       .command = (hf_sv){ d->command, strnlen(d->command, sizeof d->command) },
					       .state = name_of(d->state),
					       .message = (hf_sv){ d->message, strnlen(d->message, sizeof d->message) },
					       .programs = d->made ? d->made->programs : 0 };
	}
	*ret_n = s->seeds_n;
	return s->states;
}
