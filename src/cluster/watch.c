#include "cluster/watch.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/limits.h"
#include "cluster/list.h"
#include "format/json.h"

enum {
	SERVER_S = 300,
	SILENCE_S = 330,
	SHORT_MS = 1000,
	DENIED_MAX =
		8, /* one after the other, once it had been let in: a server that starts does not know all roles yet */
	ERRORS_MAX = 3, /* of the server, one after the other, until the objects are listed anew */
};

enum step { LIST_BY_WATCH, LIST, WATCH };

struct watcher {
	struct hf_cluster *cluster;
	const struct hf_cluster_watch *watch;
	struct hf_cluster_watch_counts *counts;
	struct hf_buf what;
	enum step step;
	bool no_watch_list;
	bool fresh; /* nothing was handed out since the last RESET */
	char version[128];
	unsigned failures; /* one after the other: an event ends them */
	unsigned server_errors, denied;
	bool was_in;       /* the server answered once */
	bool failed, down; /* the last try; and somebody was told of it */
	int64_t begun_ms;
	/* Of the connection at hand. */
	bool syncing; /* the objects that there are still come */
	size_t events;
	unsigned error; /* code of an ERROR event */
	bool ended, broken;
	int given; /* what event() returned */
	struct hf_cluster_status status;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int hand_out(struct watcher *w, enum hf_cluster_event_type type, hf_sv object, struct hf_err *err)
{
	if (type == HF_CLUSTER_RESET && w->fresh)
		return HF_OK;
	w->fresh = type == HF_CLUSTER_RESET;
	w->given = w->watch->event(w->watch->ctx, type, object, err);
	w->ended = w->given != HF_OK;
	return w->given < 0 ? w->given : w->given ? HF_E_SYSTEM : HF_OK;
}

static void set_version(struct watcher *w, hf_sv version)
{
	if (version.len && version.len < sizeof w->version)
		snprintf(w->version, sizeof w->version, "%.*s", HF_SV_FMT(version));
}

static void answered(void *ctx)
{
	struct watcher *w = ctx;

	if (w->down && w->watch->connection)
		w->watch->connection(w->watch->ctx, NULL);
	w->down = false;
}

/* A line of the stream. */
static int take_event(void *ctx, hf_sv line, struct hf_err *err)
{
	struct watcher *w = ctx;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_CLUSTER_EVENT_MAX + HF_MIB(1));
	struct hf_cluster_event e;

	if (!line.len)
		return HF_OK;
	int code = hf_cluster_event_parse(line, &a, &e, err);
	w->broken = code < 0;
	if (code < 0)
		return code;
	if (e.type == HF_CLUSTER_ERROR) {
		hf_cluster_status_parse(e.object, 500, &w->status);
		w->error = w->status.code;
		w->counts->errors++;
		return hf_fail(err, HF_E_IO, "the server ends the watch");
	}
	w->events++;
	w->failures = w->server_errors = w->denied = 0;
	w->was_in = true;
	if (e.type == HF_CLUSTER_BOOKMARK)
		w->counts->bookmarks++;
	else
		w->counts->events++;
	/* While the objects still come their versions are in no order. */
	if (!w->syncing || e.initial_end)
		set_version(w, e.resource_version);
	if (w->syncing && e.initial_end) {
		w->syncing = false;
		w->step = WATCH;
		return hand_out(w, HF_CLUSTER_SYNCED, (hf_sv){ 0 }, err);
	}
	return hand_out(w, e.type, e.object, err);
}

static void add_path(struct watcher *w, struct hf_buf *path)
{
	bool first = true;
	char seconds[16];
	uint32_t chance = 0, s = w->watch->server_s;

	if (!s && getrandom(&chance, sizeof chance, GRND_NONBLOCK) == sizeof chance)
		s = SERVER_S + chance % SERVER_S;
	snprintf(seconds, sizeof seconds, "%u", s ? s : SERVER_S);
	hf_cluster_path_add(path, &w->watch->what);
	hf_cluster_query_add(path, &first, "watch", HF_SV("1"));
	hf_cluster_query_add(path, &first, "allowWatchBookmarks", HF_SV("true"));
	hf_cluster_query_add(path, &first, "timeoutSeconds", hf_sv_of(seconds));
	hf_cluster_selectors_add(path, &first, &w->watch->what);
	if (w->step == LIST_BY_WATCH) {
		hf_cluster_query_add(path, &first, "sendInitialEvents", HF_SV("true"));
		hf_cluster_query_add(path, &first, "resourceVersionMatch", HF_SV("NotOlderThan"));
	} else {
		hf_cluster_query_add(path, &first, "resourceVersion", hf_sv_of(w->version));
	}
}

static int take_page(void *ctx, hf_sv json, struct hf_err *err)
{
	struct watcher *w = ctx;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_json j = hf_json_of(json, &a);
	int code = HF_OK;
	hf_sv key;

	answered(w);
	if (w->watch->accept)
		return hand_out(w, HF_CLUSTER_ADDED, json, err);
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("items"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_elements(&j) {
			hf_sv object = hf_json_raw(&j);
			if (code < 0 || !object.len)
				continue;
			w->counts->events++;
			code = hand_out(w, HF_CLUSTER_ADDED, object, err);
		}
	}
	return code;
}

static int take_restart(void *ctx, struct hf_err *err)
{
	struct watcher *w = ctx;

	w->counts->gone++;
	return hand_out(w, HF_CLUSTER_RESET, (hf_sv){ 0 }, err);
}

/* The objects that there are, by pages. */
static int list(struct watcher *w, struct hf_err *err)
{
	const struct hf_cluster_list l = { .what = w->watch->what,
					   .accept = w->watch->accept,
					   .limit = w->watch->limit,
					   .page = take_page,
					   .restart = take_restart,
					   .ctx = w };
	struct hf_cluster_listed listed;

	w->counts->lists++;
	int code = hand_out(w, HF_CLUSTER_RESET, (hf_sv){ 0 }, err);
	if (code == HF_OK)
		code = hf_cluster_list(w->cluster, &l, &listed, err);
	if (code < 0)
		return code;
	set_version(w, hf_sv_of(listed.resource_version));
	w->step = WATCH;
	w->was_in = true;
	return hand_out(w, HF_CLUSTER_SYNCED, (hf_sv){ 0 }, err);
}

/* One connection, until it ends. HF_OK: the server ended it in good order. */
static int follow(struct watcher *w, struct hf_cluster_answer *answer, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf path = HF_BUF(HF_KIB(128));
	int code = HF_OK;

	w->syncing = w->step == LIST_BY_WATCH;
	w->events = 0;
	w->error = 0;
	w->broken = false;
	*answer = (struct hf_cluster_answer){ 0 };
	if (w->syncing) {
		w->counts->lists++;
		code = hand_out(w, HF_CLUSTER_RESET, (hf_sv){ 0 }, err);
	}
	if (code < 0)
		return code;
	add_path(w, &path);
	if (path.over)
		return hf_fail(err, HF_E_LIMIT, "selectors of more than %zu bytes", path.max);
	const struct hf_cluster_request request = { .path = hf_buf_view(&path),
						    .accept = w->watch->accept,
						    .verb = "watch",
						    .what = hf_buf_view(&w->what),
						    .take = take_event,
						    .take_ctx = w,
						    .begun = answered,
						    .line_max = HF_CLUSTER_EVENT_MAX,
						    .silence_s =
							    w->watch->silence_s ? w->watch->silence_s : SILENCE_S };
	w->counts->connections++;
	w->begun_ms = now_ms();
	code = hf_cluster_call(w->cluster, &request, answer, err);
	hf_buf_done(&answer->body);
	answer->body = (struct hf_buf){ 0 };
	return code;
}

static enum step first_step(const struct watcher *w)
{
	return w->no_watch_list ? LIST : LIST_BY_WATCH;
}

static bool is_passing(struct watcher *w, int code)
{
	return code == HF_E_DENIED && w->was_in && ++w->denied < DENIED_MAX;
}

/* What is to be done after a connection of a watch has ended. HF_OK: go on with w->step. */
static int after(struct watcher *w, int code, const struct hf_cluster_answer *answer)
{
	unsigned status = w->error ? w->error : answer->refused.code;
	bool refused = !w->error && status >= 400 && status <= 499;

	if (w->step == LIST_BY_WATCH && (w->error || refused) && status != 410 && status != 401 && status != 403 &&
	    status != 404 && status != 429) {
		/* Older servers and those whose etcd is too old say so in one of many ways. */
		w->no_watch_list = true;
		w->step = LIST;
		return HF_OK;
	}
	if (status == 410) {
		w->counts->gone++;
		w->step = first_step(w);
		w->failures++;
		return HF_OK;
	}
	w->failed = true;
	if (w->error) {
		w->failures++;
		if (++w->server_errors >= ERRORS_MAX)
			w->step = first_step(w);
		return HF_OK;
	}
	if (refused && status != 429 && status != 408 && !is_passing(w, code))
		return code;
	if (!refused && code < 0 && (code == HF_E_USAGE || (code == HF_E_DENIED && answer->status == 0)))
		return code; /* no certificate that is trusted */
	/* A stream that ends at once without a word is a failure too, or it would be asked for again and again. */
	if (code < 0 || w->syncing || (!w->events && now_ms() - w->begun_ms < SHORT_MS))
		w->failures++;
	else
		w->failures = 0;
	w->failed = w->failures > 0;
	if (w->step == WATCH)
		w->counts->resumed++;
	return HF_OK;
}

static int step(struct watcher *w, struct hf_err *err)
{
	struct hf_cluster_answer answer = { 0 };
	int code;

	w->failed = false;
	if (w->step != LIST) {
		bool by_watch = w->step == LIST_BY_WATCH;
		code = follow(w, &answer, err);
		w->counts->watch_list |= by_watch && w->step == WATCH;
		if (w->ended || hf_cluster_stopped(w->cluster))
			return w->given < 0 ? w->given : HF_OK;
		return after(w, code, &answer);
	}
	code = list(w, err);
	if (w->ended || hf_cluster_stopped(w->cluster))
		return w->given < 0 ? w->given : HF_OK;
	if (code == HF_OK)
		return HF_OK;
	w->failures++;
	w->failed = true;
	if (is_passing(w, code))
		return HF_OK;
	return code == HF_E_IO || code == HF_E_TRUNCATED || code == HF_E_LIMIT || code == HF_E_CONFLICT ||
			       code == HF_E_FORMAT
		       ? HF_OK
		       : code;
}

static void tell(struct watcher *w, struct hf_err *why)
{
	if (!why->code)
		hf_fail(why, HF_E_IO, "watch %.*s: the server ends it at once", HF_SV_FMT(hf_buf_view(&w->what)));
	w->down = true;
	if (w->watch->connection)
		w->watch->connection(w->watch->ctx, why);
}

int hf_cluster_watch(struct hf_cluster *c, const struct hf_cluster_watch *watch, struct hf_cluster_watch_counts *counts,
		     struct hf_err *err)
{
	struct hf_cluster_watch_counts mine = { 0 };
	struct watcher w = { .cluster = c,
			     .watch = watch,
			     .counts = counts ? counts : &mine,
			     .what = HF_BUF(HF_KIB(1)),
			     .no_watch_list = watch->no_watch_list };
	struct hf_err why = { 0 };
	int code = HF_OK;

	*w.counts = mine;
	hf_cluster_what_describe(&w.what, &watch->what);
	w.step = first_step(&w);
	while (code == HF_OK && !w.ended && !hf_cluster_stopped(c)) {
		why = (struct hf_err){ 0 };
		code = step(&w, &why);
		if (code < 0 || w.ended || !w.failures)
			continue;
		if (watch->failures_max && w.failures >= watch->failures_max) {
			code = why.code ? why.code
					: hf_fail(&why, HF_E_IO, "watch %.*s: the server ends it again and again",
						  HF_SV_FMT(hf_buf_view(&w.what)));
			break;
		}
		if (w.failed)
			tell(&w, &why);
		hf_cluster_wait(c, w.failures - 1, 0);
	}
	hf_buf_done(&w.what);
	if (code < 0 && err)
		*err = why;
	return code < 0 ? code : HF_OK;
}
