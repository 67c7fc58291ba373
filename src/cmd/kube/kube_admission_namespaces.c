#include "cmd/kube/kube_admission_namespaces.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "admission/namespaces.h"
#include "base/hash.h"
#include "base/limits.h"
#include "cluster/watch.h"
#include "cmd/kube/kube_cluster.h"
#include "cmd/kube/kube_object_text.h"
#include "cmd/log.h"

enum {
	ASK_MS = 1000, /* for an answer, and as much for one of those who ask to be free */
	ASKERS = 4,
	ABSENT_MS = 2000, /* that a name is not asked for again: whoever comes meanwhile is told of by the watch */
	ABSENT_MAX = 256,
	AGAIN_FAILURES = 8
};

struct space {
	char *text; /* name, then the object */
	size_t name_len, len;
	bool old; /* of before the last RESET */
};

struct asker {
	struct hf_cluster *cluster;
	bool busy;
};

/* Asked for, and not had. */
struct absent {
	uint64_t name; /* its hash under this process's key */
	int64_t until_ms;
};

struct kube_namespaces {
	struct hf_arena arena;
	struct hf_credentials *credentials;
	struct hf_cluster *watching;
	struct asker askers[ASKERS];
	struct absent absent[ABSENT_MAX]; /* by the hash: a newer one takes an older one's place */
	pthread_cond_t freed;             /* an asker */
	struct hf_admission_pool *pool;
	pthread_t thread;
	bool started, told, synced;
	pthread_mutex_t
		lock; /* of what follows, of the askers and of what is absent; nobody waits for a server with it */
	struct space *spaces;
	size_t n;
};

static hf_sv name_of(const struct space *s)
{
	return (hf_sv){ s->text, s->name_len };
}

/* With the lock held. */
static size_t find(const struct kube_namespaces *k, hf_sv name)
{
	size_t i = 0;

	while (i < k->n && !hf_sv_eq(name_of(&k->spaces[i]), name))
		i++;
	return i;
}

/* With the lock held. */
static void publish(struct kube_namespaces *k)
{
	hf_cleanup(hf_buf_done) struct hf_buf all = HF_BUF(HF_ADMISSION_NAMESPACES_MAX);
	hf_sv *objects = hf_calloc(k->n + 1, sizeof *objects);

	for (size_t i = 0; i < k->n; i++)
		objects[i] =
			(hf_sv){ k->spaces[i].text + k->spaces[i].name_len, k->spaces[i].len - k->spaces[i].name_len };
	hf_admission_namespaces_join(objects, k->n, &all);
	free(objects);
	if (all.over)
		log_warning("the namespaces need more memory than is allowed: some are not known");
	hf_admission_pool_namespaces(k->pool, hf_buf_view(&all));
}

/* With the lock held. True: something has changed. */
static bool put(struct kube_namespaces *k, hf_sv name, hf_sv object)
{
	size_t i = find(k, name);
	struct space s = { .name_len = name.len, .len = name.len + object.len };

	if (i < k->n) {
		k->spaces[i].old = false;
		if (hf_sv_eq((hf_sv){ k->spaces[i].text + name.len, k->spaces[i].len - name.len }, object))
			return false;
		free(k->spaces[i].text);
	} else {
		k->spaces = hf_realloc(k->spaces, (k->n + 1) * sizeof *k->spaces);
		k->n++;
	}
	s.text = hf_malloc(s.len);
	memcpy(s.text, name.ptr, name.len);
	memcpy(s.text + name.len, object.ptr, object.len);
	k->spaces[i] = s;
	return true;
}

/* With the lock held. */
static bool drop(struct kube_namespaces *k, size_t i)
{
	if (i == k->n)
		return false;
	free(k->spaces[i].text);
	k->spaces[i] = k->spaces[--k->n];
	return true;
}

static int take(struct kube_namespaces *k, hf_sv json, bool gone, struct hf_err *err)
{
	hf_cleanup(kube_object_text_done) struct kube_object_text t = { .key = HF_BUF(HF_KIB(8)),
									.text = HF_BUF(HF_MIB(4)) };
	int r = kube_object_write(json, &hf_kube_kinds[HF_KUBE_NAMESPACE], HF_SV("v1"), true, &t, err);

	if (r < 0)
		return r;
	pthread_mutex_lock(&k->lock);
	bool changed = gone ? drop(k, find(k, hf_buf_view(&t.key))) : put(k, hf_buf_view(&t.key), hf_buf_view(&t.text));
	if (changed && k->synced)
		publish(k);
	pthread_mutex_unlock(&k->lock);
	return HF_OK;
}

static void forget_old(struct kube_namespaces *k)
{
	for (size_t i = 0; i < k->n;)
		if (k->spaces[i].old)
			drop(k, i);
		else
			i++;
}

static int take_event(void *ctx, enum hf_cluster_event_type type, hf_sv object, struct hf_err *err)
{
	struct kube_namespaces *k = ctx;

	if (type == HF_CLUSTER_ADDED || type == HF_CLUSTER_MODIFIED || type == HF_CLUSTER_DELETED)
		return take(k, object, type == HF_CLUSTER_DELETED, err);
	pthread_mutex_lock(&k->lock);
	if (type == HF_CLUSTER_RESET) {
		k->synced = false;
		for (size_t i = 0; i < k->n; i++)
			k->spaces[i].old = true;
	} else if (type == HF_CLUSTER_SYNCED) {
		forget_old(k);
		k->synced = true;
		publish(k);
	}
	pthread_mutex_unlock(&k->lock);
	return HF_OK;
}

static void tell(void *ctx, const struct hf_err *why)
{
	struct kube_namespaces *k = ctx;

	if (why && !k->told)
		log_warning("the namespaces are not followed for the time being: %s", why->msg);
	else if (!why && k->told)
		log_note("the namespaces are followed again");
	k->told = why != NULL;
}

static void *follow(void *ctx)
{
	struct kube_namespaces *k = ctx;
	const struct hf_cluster_watch watch = { .what = { .version = HF_SV("v1"), .resource = HF_SV("namespaces") },
						.event = take_event,
						.connection = tell,
						.ctx = k };

	while (!hf_cluster_stopped(k->watching)) {
		struct hf_err err = { 0 };
		if (hf_cluster_watch(k->watching, &watch, NULL, &err) < 0)
			tell(k, &err);
		hf_cluster_wait(k->watching, AGAIN_FAILURES, 0);
	}
	return NULL;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With the lock held. True: there is nothing to be asked. */
static bool is_settled(const struct kube_namespaces *k, hf_sv name)
{
	uint64_t hash = hf_hash(name);
	const struct absent *a = &k->absent[hash % ABSENT_MAX];

	return (k->synced && find(k, name) < k->n) || (a->name == hash && now_ms() < a->until_ms);
}

/* With the lock held, which is free while it waits. NULL: none became free in time, or another one has settled it. */
static struct asker *take_asker(struct kube_namespaces *k, hf_sv name)
{
	int64_t until = now_ms() + ASK_MS;
	const struct timespec t = { until / 1000, until % 1000 * 1000000 };

	while (!is_settled(k, name)) {
		for (size_t i = 0; i < ASKERS; i++)
			if (!k->askers[i].busy) {
				k->askers[i].busy = true;
				return &k->askers[i];
			}
		if (pthread_cond_timedwait(&k->freed, &k->lock, &t) == ETIMEDOUT)
			break;
	}
	return NULL;
}

static void give_back(struct kube_namespaces *k, struct asker *asker, hf_sv name, bool found)
{
	uint64_t hash = hf_hash(name);

	pthread_mutex_lock(&k->lock);
	asker->busy = false;
	if (!found)
		k->absent[hash % ABSENT_MAX] = (struct absent){ hash, now_ms() + ABSENT_MS };
	pthread_cond_broadcast(&k->freed);
	pthread_mutex_unlock(&k->lock);
}

void kube_namespaces_find(void *ctx, hf_sv name)
{
	struct kube_namespaces *k = ctx;
	const struct hf_cluster_what what = { .version = HF_SV("v1"), .resource = HF_SV("namespaces"), .name = name };
	hf_cleanup(hf_buf_done) struct hf_buf path = HF_BUF(HF_KIB(4));
	struct hf_cluster_answer answer;

	hf_cluster_path_add(&path, &what);
	if (!k || path.over || !name.len)
		return;
	const struct hf_cluster_request request = { .path = hf_buf_view(&path),
						    .verb = "get",
						    .what = HF_SV("namespaces") };
	pthread_mutex_lock(&k->lock);
	struct asker *asker = take_asker(k, name);
	pthread_mutex_unlock(&k->lock);
	if (!asker)
		return;
	bool found = hf_cluster_call(asker->cluster, &request, &answer, NULL) == HF_OK &&
		     take(k, hf_buf_view(&answer.body), false, NULL) == HF_OK;
	hf_buf_done(&answer.body);
	give_back(k, asker, name, found);
	if (!found)
		return;
	pthread_mutex_lock(&k->lock);
	publish(k);
	pthread_mutex_unlock(&k->lock);
}

struct kube_namespaces *kube_namespaces_open(const struct kube_admission *o, struct hf_err *err)
{
	struct kube_namespaces *k = hf_calloc(1, sizeof *k);
	const struct hf_cluster_options quick = { .deadline_ms = ASK_MS, .tries = 1 };
	struct hf_kubeconfig_target target;
	pthread_condattr_t monotonic;

	k->arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX);
	if (kube_cluster_select(o->kubeconfig, o->context, &k->arena, &target, err) < 0) {
		hf_arena_done(&k->arena);
		free(k);
		return NULL;
	}
	k->credentials = hf_credentials_open(&target);
	k->watching = hf_cluster_open(k->credentials, NULL);
	for (size_t i = 0; i < ASKERS; i++)
		k->askers[i].cluster = hf_cluster_open(k->credentials, &quick);
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&k->freed, &monotonic);
	return k;
}

void kube_namespaces_start(struct kube_namespaces *k, struct hf_admission_pool *pool)
{
	k->pool = pool;
	k->started = pthread_create(&k->thread, NULL, follow, k) == 0;
	if (!k->started)
		abort();
}

void kube_namespaces_close(struct kube_namespaces *k)
{
	if (!k)
		return;
	hf_cluster_stop(k->watching);
	for (size_t i = 0; i < ASKERS; i++)
		hf_cluster_stop(k->askers[i].cluster);
	if (k->started)
		pthread_join(k->thread, NULL);
	hf_cluster_close(k->watching);
	for (size_t i = 0; i < ASKERS; i++)
		hf_cluster_close(k->askers[i].cluster);
	hf_credentials_close(k->credentials);
	while (k->n)
		drop(k, 0);
	free(k->spaces);
	pthread_cond_destroy(&k->freed);
	pthread_mutex_destroy(&k->lock);
	hf_arena_done(&k->arena);
	free(k);
}
