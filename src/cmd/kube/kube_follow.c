#include "cmd/kube/kube_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cluster/discover.h"
#include "cluster/watch.h"
#include "cmd/kube/kube_cluster.h"
#include "cmd/kube/kube_object_text.h"
#include "format/json.h"

enum {
	DISCOVER_S = 60, /* what was forbidden may be allowed, and definitions may not be seen … */
	DEFINITIONS_S =
		2, /* … and kinds come with custom resource definitions: the server serves them a moment later */
	READ_AT_ONCE = 128 << 10,
	MEMORY_ARENAS = 2, /* of malloc: a thread for each kind would make it eight for each processor */
};

#define KEY_MAX   HF_KIB(8)
#define FRAME_MAX (HF_CLUSTER_PAGE_MAX + KEY_MAX)

struct head {
	uint32_t type, resource, key_len, text_len, judged_len;
};

/* ---- the process that follows ---- */

struct following {
	int fd;
	bool whole, all_judged;  /* objects */
	atomic_uint definitions; /* events of what defines kinds */
	pthread_mutex_t lock;    /* of the pipe */
	struct followed_cluster *clusters;
	size_t clusters_n;
};

struct follow {
	struct followed_cluster *of;
	enum hf_kube_kind kind;
	char version[64];
	struct hf_cluster *cluster;
	atomic_bool running;
	bool was_there;
	size_t type_at; /* of the rows of secrets */
};

struct followed_cluster {
	struct following *all;
	uint32_t number;
	struct hf_arena arena;
	struct hf_kubeconfig_target target;
	struct hf_credentials *credentials;
	struct hf_cluster *cluster;
	struct follow kinds[HF_KUBE_KINDS];
};

static void tell_frame(struct following *f, const struct kube_follow_frame *t)
{
	const struct head head = { t->type, t->resource, (uint32_t)t->key.len, (uint32_t)t->text.len,
				   (uint32_t)t->judged_len };

	pthread_mutex_lock(&f->lock);
	if (!hf_fd_write_all(f->fd, (hf_sv){ (const char *)&head, sizeof head }) || !hf_fd_write_all(f->fd, t->key) ||
	    !hf_fd_write_all(f->fd, t->text))
		_exit(0); /* nobody listens any more */
	pthread_mutex_unlock(&f->lock);
}

static void tell(struct following *f, enum kube_follow_type type, uint32_t resource, hf_sv key, hf_sv text)
{
	tell_frame(f, &(struct kube_follow_frame){ type, resource, key, text, 0 });
}

static uint32_t number_of(const struct follow *w)
{
	return w->of->number * HF_KUBE_KINDS + w->kind;
}

static void tell_of(struct follow *w, enum kube_follow_type type, hf_sv key, hf_sv text)
{
	tell(w->of->all, type, number_of(w), key, text);
}

static int tell_object(struct follow *w, enum kube_follow_type type, hf_sv json, struct hf_err *err)
{
	hf_cleanup(kube_object_text_done) struct kube_object_text t = { .key = HF_BUF(KEY_MAX),
									.text = HF_BUF(HF_CLUSTER_PAGE_MAX) };
	struct following *all = w->of->all;
	int code = kube_object_write(json, &hf_kube_kinds[w->kind], hf_sv_of(w->version), all->whole, &t, err);

	if (code < 0)
		return code;
	struct kube_follow_frame f = { .type = type, .resource = number_of(w), .key = hf_buf_view(&t.key) };
	if (type == KUBE_FOLLOW_PUT) {
		f.text = hf_buf_view(&t.text);
		f.judged_len = all->all_judged ? f.text.len : t.judged_len;
	}
	tell_frame(all, &f);
	return code;
}

static int tell_secrets(struct follow *w, enum kube_follow_type type, hf_sv table, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_CLUSTER_PAGE_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf list = HF_BUF(2 * HF_CLUSTER_PAGE_MAX);
	int code = kube_secrets_write(table, &w->type_at, &list, err);
	struct hf_json j = hf_json_of(hf_buf_view(&list), &a);
	hf_sv key;

	if (code < 0)
		return code;
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("items"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_elements(&j) {
			hf_sv secret = hf_json_raw(&j);
			if (code >= 0 && secret.len)
				code = tell_object(w, type, secret, err);
		}
	}
	return code;
}

static int take_event(void *ctx, enum hf_cluster_event_type type, hf_sv object, struct hf_err *err)
{
	struct follow *w = ctx;
	bool defines = w->kind == HF_KUBE_CUSTOM_RESOURCE_DEFINITION || w->kind == HF_KUBE_API_SERVICE;
	enum kube_follow_type told = type == HF_CLUSTER_DELETED ? KUBE_FOLLOW_DELETED : KUBE_FOLLOW_PUT;

	switch (type) {
	case HF_CLUSTER_ADDED:
	case HF_CLUSTER_MODIFIED:
	case HF_CLUSTER_DELETED:
		if (defines)
			atomic_fetch_add(&w->of->all->definitions, 1);
		return w->kind == HF_KUBE_SECRET ? tell_secrets(w, told, object, err)
						 : tell_object(w, told, object, err);
	case HF_CLUSTER_RESET:
		tell_of(w, KUBE_FOLLOW_RESET, (hf_sv){ 0 }, (hf_sv){ 0 });
		return HF_OK;
	case HF_CLUSTER_SYNCED:
		tell_of(w, KUBE_FOLLOW_SYNCED, (hf_sv){ 0 }, (hf_sv){ 0 });
		return HF_OK;
	case HF_CLUSTER_BOOKMARK:
	case HF_CLUSTER_ERROR:
		return HF_OK;
	}
	return HF_OK;
}

static void tell_connection(void *ctx, const struct hf_err *why)
{
	tell_of(ctx, why ? KUBE_FOLLOW_LOST : KUBE_FOLLOW_BACK, (hf_sv){ 0 }, hf_sv_of(why ? why->msg : NULL));
}

static void *follow(void *ctx)
{
	struct follow *w = ctx;
	const struct hf_kube_kind_row *row = &hf_kube_kinds[w->kind];
	bool secret = w->kind == HF_KUBE_SECRET;
	const struct hf_cluster_watch watch = { .what = { .group = hf_sv_of(row->group),
							  .version = hf_sv_of(w->version),
							  .resource = hf_sv_of(row->plural) },
						.accept = secret ? KUBE_CLUSTER_TABLE : NULL,
						.no_watch_list = secret,
						.event = take_event,
						.connection = tell_connection,
						.ctx = w };
	struct hf_err err = { 0 };
	int code = hf_cluster_watch(w->cluster, &watch, NULL, &err);

	tell_of(w, KUBE_FOLLOW_ENDED, (hf_sv){ 0 }, code == HF_E_MISSING ? (hf_sv){ 0 } : hf_sv_of(err.msg));
	atomic_store(&w->running, false);
	return NULL;
}

static hf_sv name_of(struct hf_arena *a, hf_sv context, const struct hf_kube_kind_row *row)
{
	return hf_arena_fmt(a, "%.*s: %s%s%s", HF_SV_FMT(context), row->plural, row->group[0] ? "." : "", row->group);
}

static void start(struct followed_cluster *c, enum hf_kube_kind kind, const struct hf_cluster_resource *found,
		  struct hf_arena *a)
{
	struct follow *w = &c->kinds[kind];
	pthread_t thread;

	if (!w->cluster)
		*w = (struct follow){ c, kind, .cluster = hf_cluster_open(c->credentials, NULL), .type_at = SIZE_MAX };
	snprintf(w->version, sizeof w->version, "%.*s", HF_SV_FMT(found->version));
	tell_of(w, KUBE_FOLLOW_RESOURCE, name_of(a, c->target.context, &hf_kube_kinds[kind]), c->target.context);
	if (!hf_cluster_resource_can(found, HF_SV("list")) || !hf_cluster_resource_can(found, HF_SV("watch"))) {
		tell_of(w, KUBE_FOLLOW_ENDED, (hf_sv){ 0 }, HF_SV("the server does not let it be watched"));
		return;
	}
	atomic_store(&w->running, true);
	if (pthread_create(&thread, NULL, follow, w))
		abort();
	pthread_detach(thread);
}

/* What is served and not followed is followed from now on. */
static int discover(struct followed_cluster *c, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_CLUSTER_DISCOVERY_MAX);
	struct hf_cluster_resources served;
	int code = hf_cluster_discover(c->cluster, &a, &served, err);

	if (code < 0)
		return hf_wrap(err, "context %.*s", HF_SV_FMT(c->target.context));
	tell(c->all, KUBE_FOLLOW_DISCOVERED, c->number, (hf_sv){ 0 }, (hf_sv){ 0 });
	for (size_t i = 0; i < served.missing_n; i++)
		tell(c->all, KUBE_FOLLOW_NOTE, c->number,
		     hf_arena_fmt(&a, "%.*s: %.*s", HF_SV_FMT(c->target.context), HF_SV_FMT(served.missing[i].group)),
		     served.missing[i].reason.len ? served.missing[i].reason
						  : HF_SV("the server does not answer for it"));
	for (size_t kind = 1; kind < HF_KUBE_KINDS; kind++) {
		const struct hf_kube_kind_row *row = &hf_kube_kinds[kind];
		const struct hf_cluster_resource *found =
			hf_cluster_resource_find(&served, hf_sv_of(row->group), hf_sv_of(row->plural));
		if (found && row->plural[0] && !atomic_load(&c->kinds[kind].running))
			start(c, kind, found, &a);
	}
	return HF_OK;
}

static int open_cluster(struct followed_cluster *c, const struct kube_run *k, const char *context, struct hf_err *err)
{
	c->arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX);
	int code = kube_cluster_select(k->kubeconfig, context ? context : k->context, &c->arena, &c->target, err);

	if (code < 0)
		return code;
	c->credentials = hf_credentials_open(&c->target);
	c->cluster = hf_cluster_open(c->credentials, NULL);
	return discover(c, err);
}

/* Of several clusters, one that cannot be reached is noted, and asked again later. */
static int open_all(struct following *f, const struct kube_run *k, struct hf_err *err)
{
	for (size_t i = 0; i < f->clusters_n; i++) {
		struct followed_cluster *c = &f->clusters[i];
		struct hf_err why = { 0 };
		const char *context = NULL;
		c->all = f;
		c->number = (uint32_t)i;
		kube_cluster_target(k->targets[i], &context);
		int code = open_cluster(c, k, context, &why);
		if (code >= 0)
			continue;
		if (f->clusters_n == 1 || code == HF_E_USAGE || code == HF_E_FORMAT) {
			*err = why;
			return code;
		}
		tell(f, KUBE_FOLLOW_NOTE, c->number, hf_sv_of(k->targets[i]), hf_sv_of(why.msg));
	}
	return HF_OK;
}

/* Until it is time to ask anew which kinds there are: once definitions have changed since @known and are at rest again. How many changes there were. */
static unsigned wait_for_kinds(struct following *f, unsigned known)
{
	unsigned seen = known;

	for (unsigned s = 0; s < DISCOVER_S; s += DEFINITIONS_S) {
		sleep(DEFINITIONS_S);
		unsigned now = atomic_load(&f->definitions);
		if (now == seen && now != known)
			break;
		seen = now;
	}
	return seen;
}

/* A program that names the status may ask for any part of it. */
static bool reads_status(const struct kube_run *k)
{
	bool reads = false;

	for (size_t i = 0; i < k->files_n && k->watch_whole; i++)
		reads |= hf_sv_find(k->file_texts[i], HF_SV("status")) != SIZE_MAX;
	return reads;
}

static void follow_all(const struct kube_run *k, int fd)
{
	struct following f = { .fd = fd,
			       .whole = k->watch_whole,
			       .all_judged = reads_status(k),
			       .lock = PTHREAD_MUTEX_INITIALIZER,
			       .clusters_n = k->targets_n };
	struct hf_err err = { 0 };
	unsigned known = 0;

	mallopt(M_ARENA_MAX, MEMORY_ARENAS);
	f.clusters = hf_calloc(f.clusters_n, sizeof *f.clusters);
	if (open_all(&f, k, &err) < 0) {
		tell(&f, KUBE_FOLLOW_FAILED, (uint32_t)err.code, (hf_sv){ 0 }, hf_sv_of(err.msg));
		return;
	}
	tell(&f, KUBE_FOLLOW_READY, 0, (hf_sv){ 0 }, (hf_sv){ 0 });
	for (;;) {
		known = wait_for_kinds(&f, known);
		for (size_t i = 0; i < f.clusters_n; i++)
			if (f.clusters[i].cluster && discover(&f.clusters[i], &err) < 0)
				err = (struct hf_err){ 0 }; /* the watches tell of lost connections */
	}
}

/* ---- the one that listens ---- */

int kube_follow_start(const struct kube_run *k, struct kube_follower *ret, struct hf_err *err)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return hf_fail_errno(err, "a pipe");
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		close(ends[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		if (getppid() == parent)
			follow_all(k, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return hf_fail_errno(err, "starting a process");
	}
	*ret = (struct kube_follower){ .pid = pid, .fd = ends[0], .in = HF_BUF(2 * FRAME_MAX) };
	return HF_OK;
}

bool kube_follow_read(struct kube_follower *f)
{
	if (f->taken) {
		f->in.len -= f->taken;
		memmove(f->in.ptr, f->in.ptr + f->taken, f->in.len);
		f->taken = 0;
	}
	char *room = hf_buf_room(&f->in, READ_AT_ONCE);
	ssize_t n = room ? read(f->fd, room, READ_AT_ONCE) : 0;

	f->in.len += n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && errno == EINTR);
}

bool kube_follow_next(struct kube_follower *f, struct kube_follow_frame *ret)
{
	hf_sv rest = hf_sv_skip(hf_buf_view(&f->in), f->taken);
	struct head h;

	if (rest.len < sizeof h)
		return false;
	memcpy(&h, rest.ptr, sizeof h);
	rest = hf_sv_skip(rest, sizeof h);
	if (rest.len < (size_t)h.key_len + h.text_len)
		return false;
	*ret = (struct kube_follow_frame){ h.type, h.resource, hf_sv_first(rest, h.key_len),
					   hf_sv_slice(rest, h.key_len, h.text_len), h.judged_len };
	f->taken += sizeof h + h.key_len + h.text_len;
	return true;
}

void kube_follow_end(struct kube_follower *f)
{
	kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(f->fd);
	hf_buf_done(&f->in);
}
