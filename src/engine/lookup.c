#include "engine/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/bundles.h"
#include "engine/docker.h"
#include "engine/facts.h"
#include "net/http.h"

enum {
	ID_MAX = 255,
	REQUESTS_MAX = 1024,
	RESULTS_MAX = 2048, /* that nobody took yet */
	IMAGES_MAX = 64,
	ANSWER_MS = 5000,
	PAUSE_MIN_MS = 250,
	PAUSE_MAX_MS = 15000,
	SILENCE_MS = 2000, /* for so long an engine that did not answer in time is not asked */
};

struct request {
	char id[ID_MAX + 1], engine[16], image_name[HF_FACT_NAME_MAX + 4];
};

struct image {
	char name[HF_FACT_NAME_MAX + 4], digest[96];
};

struct hf_lookup {
	pthread_t events_thread, answers_thread;
	struct hf_http *events_http, *answers_http;
	char *given_socket, *bundle_folders;
	int fd;

	pthread_mutex_t lock; /* held for copies alone */
	pthread_cond_t asked, stopping;
	bool stop, docker_ok, docker_tried, try_events; /* try_events: Docker answers again */
	struct request *requests;                       /* REQUESTS_MAX, a ring */
	size_t requests_at, requests_n;
	struct hf_lookup_result *first, **end;
	size_t results_n;
	char socket[108], data_root[1024], docker_line[400];

	struct image images[IMAGES_MAX]; /* under the lock too: events empty it */
	size_t images_at;
};

static void copy_text(char *to, size_t size, hf_sv s)
{
	s = hf_sv_first(s, size - 1);
	if (s.len)
		memcpy(to, s.ptr, s.len);
	to[s.len] = 0;
}

static void post(struct hf_lookup *l, enum hf_lookup_kind kind, const struct hf_container *facts, bool definite,
		 const char *why)
{
	struct hf_lookup_result *r = hf_calloc(1, sizeof *r);
	size_t size;

	r->kind = kind;
	r->definite = definite;
	r->block = hf_facts_pack(facts, NULL, &r->facts, &size);
	snprintf(r->why, sizeof r->why, "%s", why ? why : "");
	pthread_mutex_lock(&l->lock);
	bool room = l->results_n < RESULTS_MAX;
	if (room) {
		*l->end = r;
		l->end = &r->next;
		l->results_n++;
	}
	pthread_mutex_unlock(&l->lock);
	if (!room)
		hf_lookup_result_free(r);
	else if (write(l->fd, &(uint64_t){ 1 }, 8) < 0)
		return; /* the counter is at its end: it is readable */
}

/* ---- Docker ---- */

static bool is_socket(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The socket's path; empty where there is none on this machine. */
static void find_socket(struct hf_lookup *l, char path[108])
{
	const char *host = getenv("DOCKER_HOST");

	if (l->given_socket)
		copy_text(path, 108, hf_sv_of(l->given_socket));
	else if (host && !strncmp(host, "unix://", 7))
		copy_text(path, 108, hf_sv_of(host + 7));
	else
		copy_text(path, 108,
			  is_socket("/run/docker.sock")       ? HF_SV("/run/docker.sock")
			  : is_socket("/var/run/docker.sock") ? HF_SV("/var/run/docker.sock")
							      : HF_SV(""));
}

/* The path of a URL from a name that somebody else chose. */
static bool url_of(char *url, size_t size, const char *before, hf_sv name, const char *behind)
{
	size_t n = (size_t)snprintf(url, size, "http://docker%s", before);

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c && strchr("-._/:@", c));
		if (n + 4 > size)
			return false;
		n += (size_t)snprintf(url + n, size - n, plain ? "%c" : "%%%02X", c);
	}
	return n + strlen(behind) < size && snprintf(url + n, size - n, "%s", behind) >= 0 &&
	       hf_sv_find(name, HF_SV("..")) == SIZE_MAX;
}

static int get(struct hf_http *h, const char *socket, const char *url, struct hf_http_answer *ret, struct hf_err *err)
{
	struct hf_http_request r = {
		.url = url, .unix_socket = socket, .deadline_ms = ANSWER_MS, .answer_max = HF_ENGINE_ANSWER_MAX
	};

	return hf_http_call(h, &r, ret, err);
}

static bool cached_image(struct hf_lookup *l, hf_sv name, char digest[96])
{
	bool found = false;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < IMAGES_MAX && !found; i++) {
		found = l->images[i].name[0] && hf_sv_eq(name, hf_sv_of(l->images[i].name));
		if (found)
			memcpy(digest, l->images[i].digest, 96);
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

struct events {
	struct hf_lookup *lookup;
	struct hf_arena arena;
	unsigned pause_ms;
};

static int on_event(void *ctx, hf_sv line, struct hf_err *err)
{
	struct events *e = ctx;
	struct hf_lookup *l = e->lookup;
	struct hf_container c = { 0 };
	enum hf_docker_event_kind kind = HF_DOCKER_EVENT_OTHER;
	char digest[96];

	e->pause_ms = PAUSE_MIN_MS;
	if (!line.len)
		return HF_OK;
	hf_arena_reset(&e->arena);
	int code = hf_docker_event_parse(line, &e->arena, &kind, &c, err);
	if (code < 0)
		return code;
	if (kind == HF_DOCKER_EVENT_IMAGE) {
		pthread_mutex_lock(&l->lock);
		memset(l->images, 0, sizeof l->images);
		pthread_mutex_unlock(&l->lock);
	} else if (kind == HF_DOCKER_EVENT_CREATE) {
		if (cached_image(l, c.image_name, digest))
			c.image_digest = hf_sv_of(digest);
		post(l, HF_LOOKUP_ANNOUNCED, &c, true, NULL);
		hf_lookup_ask(l, c.id, HF_SV("docker"), c.image_name);
	} else if (kind == HF_DOCKER_EVENT_DESTROY) {
		post(l, HF_LOOKUP_DESTROYED, &(struct hf_container){ .id = c.id, .engine = c.engine }, true, NULL);
	}
	return HF_OK;
}

static void say_docker(struct hf_lookup *l, bool ok, const char *socket, const char *text)
{
	pthread_mutex_lock(&l->lock);
	l->docker_ok = ok;
	l->docker_tried = true;
	copy_text(l->socket, sizeof l->socket, hf_sv_of(socket));
	snprintf(l->docker_line, sizeof l->docker_line, "%s", text);
	pthread_mutex_unlock(&l->lock);
}

static int read_info(struct events *e, const char *socket, struct hf_err *err)
{
	struct hf_lookup *l = e->lookup;
	struct hf_http_answer answer;
	char line[400];
	hf_sv version = { 0 }, root = { 0 };

	hf_arena_reset(&e->arena);
	int code = get(l->events_http, socket, "http://docker/info", &answer, err);
	if (code >= 0 && answer.status != 200)
		code = hf_fail(err, HF_E_FORMAT, "unix:%s: status %u", socket, answer.status);
	if (code >= 0)
		code = hf_docker_info_parse(hf_buf_view(&answer.body), &e->arena, &version, &root, err);
	if (code >= 0) {
		snprintf(line, sizeof line, "docker %.*s at unix:%s", HF_SV_FMT(hf_sv_first(version, 64)), socket);
		say_docker(l, true, socket, line);
		pthread_mutex_lock(&l->lock);
		copy_text(l->data_root, sizeof l->data_root, root);
		pthread_mutex_unlock(&l->lock);
	}
	hf_buf_done(&answer.body);
	return code;
}

static int follow_events(struct events *e, const char *socket, struct hf_err *err)
{
	struct hf_http_request r = {
		.url = "http://docker/"
		       "events?filters=%7B%22type%22%3A%5B%22container%22%2C%22image%22%5D%2C%22event%22%3A%5B"
		       "%22create%22%2C%22rename%22%2C%22destroy%22%2C%22tag%22%2C%22untag%22%2C%22delete%22%2C%22pull%"
		       "22%2C"
		       "%22import%22%2C%22load%22%5D%7D",
		.unix_socket = socket,
		.take = on_event,
		.take_ctx = e,
		.line_max = HF_ENGINE_ANSWER_MAX,
	};
	struct hf_http_answer answer;

	int code = hf_http_call(e->lookup->events_http, &r, &answer, err);
	if (code >= 0)
		code = hf_fail(err, HF_E_IO, "unix:%s: the stream of events ended, status %u", socket, answer.status);
	hf_buf_done(&answer.body);
	return code;
}

static void *run_events(void *arg)
{
	struct events e = { .lookup = arg, .arena = HF_ARENA(HF_ENGINE_ARENA_MAX), .pause_ms = PAUSE_MIN_MS };
	struct hf_lookup *l = arg;
	bool stop = false;

	while (!stop) {
		struct hf_err err = { 0 };
		char socket[108], line[400];
		find_socket(l, socket);
		if (!socket[0])
			say_docker(l, false, socket, "docker: no socket");
		else if (read_info(&e, socket, &err) < 0 || follow_events(&e, socket, &err) < 0) {
			snprintf(line, sizeof line, "docker: %.300s; tried again", err.msg);
			say_docker(l, false, socket, line);
		}
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)e.pause_ms * 1000000;
		until.tv_sec += (time_t)(ns / 1000000000);
		until.tv_nsec = (long)(ns % 1000000000);
		e.pause_ms = e.pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : e.pause_ms * 2;
		pthread_mutex_lock(&l->lock);
		while (!l->stop && !l->try_events &&
		       pthread_cond_timedwait(&l->stopping, &l->lock, &until) != ETIMEDOUT)
			;
		l->try_events = false;
		stop = l->stop;
		pthread_mutex_unlock(&l->lock);
	}
	hf_arena_done(&e.arena);
	return NULL;
}

/* ---- answers ---- */

struct answers {
	struct hf_lookup *lookup;
	struct hf_arena arena;
	char socket[108], data_root[1024];
	char why[256];
	bool definite;
	uint64_t silent_until_ms;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void not_found(struct answers *w, const char *why)
{
	size_t used = strlen(w->why);

	snprintf(w->why + used, sizeof w->why - used, "%s%s", used ? "; " : "", why);
}

/* The digest of an image's name, for a container that is gone already. */
static bool image_digest(struct answers *w, hf_sv name, hf_sv *ret_digest)
{
	struct hf_lookup *l = w->lookup;
	struct hf_http_answer answer;
	struct hf_err err = { 0 };
	char url[4 * HF_FACT_NAME_MAX], digest[96];

	if (!name.len || !url_of(url, sizeof url, "/images/", name, "/json"))
		return false;
	if (cached_image(l, name, digest)) {
		*ret_digest = hf_arena_dup(&w->arena, hf_sv_of(digest));
		return true;
	}
	bool found = get(l->answers_http, w->socket, url, &answer, &err) >= 0 && answer.status == 200 &&
		     hf_docker_image_parse(hf_buf_view(&answer.body), &w->arena, ret_digest, &err) >= 0;
	if (found)
		*ret_digest = hf_arena_dup(&w->arena, *ret_digest);
	hf_buf_done(&answer.body);
	if (found && ret_digest->len < sizeof digest && name.len < HF_FACT_NAME_MAX) {
		pthread_mutex_lock(&l->lock);
		struct image *i = &l->images[l->images_at++ % IMAGES_MAX];
		copy_text(i->name, sizeof i->name, name);
		copy_text(i->digest, sizeof i->digest, *ret_digest);
		pthread_mutex_unlock(&l->lock);
	}
	return found;
}

/* It answers: whoever waits to follow its events need not wait longer. */
static void docker_answers(struct hf_lookup *l)
{
	pthread_mutex_lock(&l->lock);
	if (!l->docker_ok) {
		l->try_events = true;
		pthread_cond_broadcast(&l->stopping);
	}
	pthread_mutex_unlock(&l->lock);
}

/* True where it was found and posted. */
static bool ask_docker(struct answers *w, const struct request *r)
{
	struct hf_container c = { 0 };
	struct hf_http_answer answer;
	struct hf_err err = { 0 };
	char url[4 * ID_MAX];
	bool found = false;

	if (!w->socket[0] || now_ms() < w->silent_until_ms ||
	    !url_of(url, sizeof url, "/containers/", hf_sv_of(r->id), "/json")) {
		w->definite = false;
		not_found(w, w->socket[0] ? "docker does not answer" : "docker: no socket");
		return false;
	}
	int code = get(w->lookup->answers_http, w->socket, url, &answer, &err);
	if (code >= 0)
		docker_answers(w->lookup);
	if (code >= 0 && answer.status == 200) {
		code = hf_docker_inspect_parse(hf_buf_view(&answer.body), &w->arena, &c, &err);
		found = code >= 0 && hf_sv_eq(c.id, hf_sv_of(r->id));
	} else if (code >= 0 && answer.status == 404) {
		c = (struct hf_container){ .id = hf_sv_of(r->id), .engine = HF_SV("docker") };
		found = image_digest(w, hf_sv_of(r->image_name), &c.image_digest);
		not_found(w, "docker does not know it");
	} else if (code >= 0) {
		code = hf_fail(&err, HF_E_FORMAT, "docker: status %u", answer.status);
	}
	if (found)
		post(w->lookup, HF_LOOKUP_FOUND, &c, true, NULL);
	hf_buf_done(&answer.body);
	if (code < 0) {
		w->definite = false;
		w->silent_until_ms = code == HF_E_LIMIT ? now_ms() + SILENCE_MS : 0;
		not_found(w, err.msg);
	}
	return found;
}

/* Docker's own folder, where its API does not answer. */
static bool read_docker_folder(struct answers *w, const struct request *r)
{
	hf_cleanup(hf_buf_done) struct hf_buf config = HF_BUF(HF_ENGINE_ANSWER_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf host = HF_BUF(HF_ENGINE_ANSWER_MAX);
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };
	char folder[1400];

	snprintf(folder, sizeof folder, "%s/containers/%s", w->data_root[0] ? w->data_root : "/var/lib/docker", r->id);
	if (hf_bundles_read_file(folder, "config.v2.json", &config, &err) < 0 ||
	    hf_docker_inspect_parse(hf_buf_view(&config), &w->arena, &c, &err) < 0 || !hf_sv_eq(c.id, hf_sv_of(r->id)))
		return false;
	if (hf_bundles_read_file(folder, "hostconfig.json", &host, &err) >= 0 &&
	    hf_docker_hostconfig_parse(hf_buf_view(&host), &w->arena, &c, &err) < 0)
		c.privileged_known = false;
	post(w->lookup, HF_LOOKUP_FOUND, &c, true, NULL);
	return true;
}

static bool read_bundles(struct answers *w, const struct request *r)
{
	struct hf_container c = { .id = hf_sv_of(r->id), .engine = hf_sv_of(r->engine) };
	struct hf_err err = { 0 };

	int code = hf_bundles_find(w->lookup->bundle_folders, hf_sv_of(r->id), &w->arena, &c, &err);
	if (code >= 0) {
		post(w->lookup, HF_LOOKUP_FOUND, &c, true, NULL);
		return true;
	}
	w->definite &= code == HF_E_MISSING;
	not_found(w, err.msg);
	return false;
}

static bool is_name(const char *id)
{
	return id[0] && id[0] != '.' &&
	       strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") == strlen(id);
}

static void answer(struct answers *w, const struct request *r)
{
	bool is_docker = !strcmp(r->engine, "docker"), is_unknown = !strcmp(r->engine, "unknown"), found = false;

	w->definite = true;
	w->why[0] = 0;
	hf_arena_reset(&w->arena);
	pthread_mutex_lock(&w->lookup->lock);
	memcpy(w->data_root, w->lookup->data_root, sizeof w->data_root);
	pthread_mutex_unlock(&w->lookup->lock);
	find_socket(w->lookup, w->socket);
	if (!is_name(r->id)) {
		not_found(w, "its id is no name that an engine gives");
	} else {
		if (is_docker || is_unknown) {
			found = ask_docker(w, r);
			if (!found && !w->definite)
				found = read_docker_folder(w, r);
		}
		if (!found && !is_docker)
			found = read_bundles(w, r);
	}
	if (!found)
		post(w->lookup, HF_LOOKUP_NOT_FOUND, &(struct hf_container){ .id = hf_sv_of(r->id) }, w->definite,
		     w->why);
}

static void *run_answers(void *arg)
{
	struct answers w = { .lookup = arg, .arena = HF_ARENA(HF_ENGINE_ARENA_MAX) };
	struct hf_lookup *l = arg;

	for (;;) {
		pthread_mutex_lock(&l->lock);
		while (!l->stop && !l->requests_n)
			pthread_cond_wait(&l->asked, &l->lock);
		struct request r = { 0 };
		bool stop = l->stop;
		if (!stop) {
			r = l->requests[l->requests_at];
			l->requests_at = (l->requests_at + 1) % REQUESTS_MAX;
			l->requests_n--;
		}
		pthread_mutex_unlock(&l->lock);
		if (stop)
			break;
		answer(&w, &r);
	}
	hf_arena_done(&w.arena);
	return NULL;
}

/* ---- the caller's side ---- */

bool hf_lookup_ask(struct hf_lookup *l, hf_sv id, hf_sv engine, hf_sv image_name)
{
	if (id.len > ID_MAX || memchr(id.ptr, 0, id.len))
		return false;
	pthread_mutex_lock(&l->lock);
	bool room = l->requests_n < REQUESTS_MAX;
	if (room) {
		struct request *r = &l->requests[(l->requests_at + l->requests_n++) % REQUESTS_MAX];
		copy_text(r->id, sizeof r->id, id);
		copy_text(r->engine, sizeof r->engine, engine);
		copy_text(r->image_name, sizeof r->image_name, image_name);
		pthread_cond_signal(&l->asked);
	}
	pthread_mutex_unlock(&l->lock);
	return room;
}

int hf_lookup_fd(const struct hf_lookup *l)
{
	return l->fd;
}

struct hf_lookup_result *hf_lookup_take(struct hf_lookup *l)
{
	uint64_t count;

	if (read(l->fd, &count, sizeof count) < 0)
		return NULL;
	pthread_mutex_lock(&l->lock);
	struct hf_lookup_result *first = l->first;
	l->first = NULL;
	l->end = &l->first;
	l->results_n = 0;
	pthread_mutex_unlock(&l->lock);
	return first;
}

void hf_lookup_result_free(struct hf_lookup_result *r)
{
	free(r->block);
	free(r);
}

bool hf_lookup_engine(struct hf_lookup *l, char *line, size_t size)
{
	pthread_mutex_lock(&l->lock);
	snprintf(line, size, "%s", l->docker_tried ? l->docker_line : "docker: not asked yet");
	bool ok = l->docker_ok;
	pthread_mutex_unlock(&l->lock);
	return ok;
}

static void free_all(struct hf_lookup *l)
{
	for (struct hf_lookup_result *r = l->first, *next; r; r = next) {
		next = r->next;
		hf_lookup_result_free(r);
	}
	hf_http_close(l->events_http);
	hf_http_close(l->answers_http);
	pthread_cond_destroy(&l->asked);
	pthread_cond_destroy(&l->stopping);
	pthread_mutex_destroy(&l->lock);
	hf_fd_close(&l->fd);
	free(l->requests);
	free(l->given_socket);
	free(l->bundle_folders);
	free(l);
}

static char *copy_of(const char *s)
{
	size_t n = s ? strlen(s) + 1 : 0;

	return s ? memcpy(hf_malloc(n), s, n) : NULL;
}

int hf_lookup_open(const struct hf_containers_options *o, struct hf_lookup **ret, struct hf_err *err)
{
	struct hf_lookup *l = hf_calloc(1, sizeof *l);
	pthread_condattr_t monotonic;

	l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->end = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->asked, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&l->stopping, &monotonic);
	pthread_condattr_destroy(&monotonic);
	l->events_http = hf_http_open();
	l->answers_http = hf_http_open();
	l->requests = hf_calloc(REQUESTS_MAX, sizeof *l->requests);
	l->given_socket = copy_of(o->docker_socket);
	l->bundle_folders = copy_of(o->bundle_folders);
	if (l->fd < 0) {
		int code = hf_fail_errno(err, "an event descriptor");
		free_all(l);
		return code;
	}
	if (pthread_create(&l->answers_thread, NULL, run_answers, l)) {
		free_all(l);
		return hf_fail(err, HF_E_SYSTEM, "no thread for the container engines");
	}
	if (pthread_create(&l->events_thread, NULL, run_events, l)) {
		l->events_thread = l->answers_thread;
		hf_lookup_close(l);
		return hf_fail(err, HF_E_SYSTEM, "no thread for the container engines");
	}
	*ret = l;
	return HF_OK;
}

void hf_lookup_close(struct hf_lookup *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_broadcast(&l->asked);
	pthread_cond_broadcast(&l->stopping);
	pthread_mutex_unlock(&l->lock);
	hf_http_stop(l->events_http);
	hf_http_stop(l->answers_http);
	pthread_join(l->answers_thread, NULL);
	if (!pthread_equal(l->events_thread, l->answers_thread))
		pthread_join(l->events_thread, NULL);
	free_all(l);
}
