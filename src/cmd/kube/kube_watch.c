/* --watch: the objects of clusters are kept as they change, and evaluated anew once it has become quiet. */
#include <poll.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/kube/kube_cluster.h"
#include "cmd/kube/kube_follow.h"
#include "cmd/kube/kube_run_internal.h"
#include "cmd/log.h"
#include "cmd/worker_output.h"

enum {
	QUIET_MS = 1000,     /* without a change, until it is evaluated */
	DELAY_MAX_MS = 5000, /* from the first change on, where it does not become quiet */
	TRIES_AT_FIRST = 3,  /* that may fail before the first report is made without a kind */
};

struct object {
	uint32_t key_len, text_len, judged_len;
	uint64_t generation;
	char bytes[];
};

enum state { UNKNOWN, WAITING, FOLLOWED, ENDED };

struct resource {
	hf_sv name, context; /* on the heap */
	enum state state;
	void *objects; /* tsearch, by key: the order in which a server lists them */
	size_t n;
	uint64_t generation; /* of the last RESET: what is older when it is SYNCED is gone */
	bool renewing, lost;
	unsigned failures;
	char why[480]; /* what is wrong with it; empty: nothing */
};

struct cluster_note {
	uint32_t cluster;
	hf_sv name, text;
};

struct watching {
	struct kube_job *job;
	struct kube_follower follower;
	struct resource *resources; /* targets_n * HF_KUBE_KINDS */
	size_t resources_n, lost_n;
	HF_VEC(struct cluster_note) notes;
	struct hf_arena arena; /* of the notes */
	uint64_t bytes;        /* of all objects */
	bool ready, reported, changed, full, ended;
	uint64_t evaluations;
	int64_t first_change, last_change;
	int items_fd; /* of the last report; -1: there was none */
	int bits;
	struct hf_buf messages; /* of the last evaluation */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static hf_sv copy_of(hf_sv s)
{
	char *p = hf_malloc(s.len + 1);

	if (s.len)
		memcpy(p, s.ptr, s.len);
	return (hf_sv){ p, s.len };
}

/* ---- what is kept ---- */

static hf_sv key_of(const struct object *o)
{
	return (hf_sv){ o->bytes, o->key_len };
}

static hf_sv text_of(const struct object *o)
{
	return (hf_sv){ o->bytes + o->key_len, o->text_len };
}

/* What, when it changes, is evaluated anew. */
static hf_sv judged_of(const struct object *o)
{
	return hf_sv_first(text_of(o), o->judged_len);
}

static int compare(const void *a, const void *b)
{
	return hf_sv_cmp(key_of(a), key_of(b));
}

static void touch(struct watching *w)
{
	w->last_change = now_ms();
	if (!w->changed)
		w->first_change = w->last_change;
	w->changed = true;
}

static struct object *object_new(const struct kube_follow_frame *f, uint64_t generation)
{
	struct object *o = hf_malloc(sizeof *o + f->key.len + f->text.len);

	*o = (struct object){ (uint32_t)f->key.len, (uint32_t)f->text.len, (uint32_t)f->judged_len, generation };
	memcpy(o->bytes, f->key.ptr, f->key.len);
	if (f->text.len)
		memcpy(o->bytes + f->key.len, f->text.ptr, f->text.len);
	return o;
}

static void forget(struct watching *w, struct resource *r, struct object *o)
{
	tdelete(o, &r->objects, compare);
	r->n--;
	w->bytes -= sizeof *o + o->key_len + o->text_len;
	free(o);
	touch(w);
}

static void put(struct watching *w, struct resource *r, const struct kube_follow_frame *f)
{
	struct object *o = object_new(f, r->generation);
	struct object **found = tsearch(o, &r->objects, compare);

	if (!found)
		abort();
	if (*found != o && hf_sv_eq(text_of(*found), f->text)) {
		(*found)->generation = r->generation;
		free(o);
		return;
	}
	bool same = *found != o && hf_sv_eq(judged_of(*found), judged_of(o));
	if (*found == o) {
		r->n++;
	} else {
		w->bytes -= sizeof *o + (*found)->key_len + (*found)->text_len;
		free(*found);
		*found = o;
	}
	w->bytes += sizeof *o + o->key_len + o->text_len;
	if (!same)
		touch(w);
	if (w->bytes > HF_KUBE_WATCH_MAX) {
		if (!w->full)
			log_at(LOG_WARNING, r->name, 0, 0,
			       "the objects need more memory than is allowed: some are left out");
		w->full = true;
		forget(w, r, o);
	}
}

static void drop(struct watching *w, struct resource *r, const struct kube_follow_frame *f)
{
	struct object *key = object_new(&(struct kube_follow_frame){ .key = f->key }, 0);
	struct object **found = tfind(key, &r->objects, compare);

	if (found)
		forget(w, r, *found);
	free(key);
}

struct walk {
	struct object **list;
	size_t n;
};

static void collect(const void *node, VISIT visit, void *ctx)
{
	struct walk *walk = ctx;

	if (visit == postorder || visit == leaf)
		walk->list[walk->n++] = *(struct object *const *)node;
}

/* All objects in their order; to be freed. */
static struct walk objects_of(const struct resource *r)
{
	struct walk walk = { .list = hf_malloc((r->n + 1) * sizeof *walk.list) };

	twalk_r(r->objects, collect, &walk);
	return walk;
}

/* What was not handed out since @generation began. */
static void forget_older(struct watching *w, struct resource *r, uint64_t generation)
{
	struct walk walk = objects_of(r);

	for (size_t i = 0; i < walk.n; i++)
		if (walk.list[i]->generation < generation)
			forget(w, r, walk.list[i]);
	free(walk.list);
}

/* ---- what is heard ---- */

static void set_lost(struct watching *w, struct resource *r, hf_sv why)
{
	bool lost = why.len > 0;

	if (lost && ++r->failures >= TRIES_AT_FIRST && r->state == WAITING)
		snprintf(r->why, sizeof r->why, "%.*s", HF_SV_FMT(why));
	if (lost == r->lost)
		return;
	r->lost = lost;
	w->lost_n += lost ? 1 : (size_t)-1;
	if (lost && w->lost_n == 1) {
		log_at(LOG_WARNING, r->context, 0, 0, "the connection is lost, and tried again: %.*s", HF_SV_FMT(why));
	} else if (!lost && !w->lost_n) {
		log_at(LOG_NOTE, r->context, 0, 0, "connected again");
	}
}

static void end(struct watching *w, struct resource *r, hf_sv why)
{
	set_lost(w, r, (hf_sv){ 0 });
	r->state = why.len ? ENDED : UNKNOWN;
	snprintf(r->why, sizeof r->why, "%.*s", HF_SV_FMT(why));
	if (!why.len)
		forget_older(w, r, UINT64_MAX);
	touch(w);
}

static void begin(struct resource *r, const struct kube_follow_frame *f)
{
	if (!r->name.ptr) {
		r->name = copy_of(f->key);
		r->context = copy_of(f->text);
	}
	if (r->state == UNKNOWN)
		r->state = WAITING;
}

static void synced(struct watching *w, struct resource *r)
{
	if (r->renewing)
		log_at(LOG_NOTE, r->name, 0, 0, "listed anew");
	forget_older(w, r, r->generation);
	if (r->state != FOLLOWED || r->why[0])
		touch(w);
	r->state = FOLLOWED;
	r->renewing = false;
	r->failures = 0;
	r->why[0] = 0;
}

static void take_resource(struct watching *w, const struct kube_follow_frame *f)
{
	struct resource *r = &w->resources[f->resource];

	if (f->type == KUBE_FOLLOW_RESOURCE)
		begin(r, f);
	else if (f->type == KUBE_FOLLOW_PUT)
		put(w, r, f);
	else if (f->type == KUBE_FOLLOW_DELETED)
		drop(w, r, f);
	else if (f->type == KUBE_FOLLOW_SYNCED)
		synced(w, r);
	else if (f->type == KUBE_FOLLOW_ENDED)
		end(w, r, f->text);
	else if (f->type == KUBE_FOLLOW_LOST || f->type == KUBE_FOLLOW_BACK)
		set_lost(w, r, f->text);
	else if (f->type == KUBE_FOLLOW_RESET) {
		r->generation++;
		r->renewing = r->state == FOLLOWED;
	}
}

static void forget_notes(struct watching *w, uint32_t cluster)
{
	size_t n = 0;

	for (size_t i = 0; i < w->notes.n; i++) {
		if (w->notes.at[i].cluster == cluster) {
			free((void *)(uintptr_t)w->notes.at[i].name.ptr);
			free((void *)(uintptr_t)w->notes.at[i].text.ptr);
		} else {
			w->notes.at[n++] = w->notes.at[i];
		}
	}
	w->notes.n = n;
}

static int take_frame(struct watching *w, const struct kube_follow_frame *f, struct hf_err *err)
{
	if (f->type == KUBE_FOLLOW_FAILED)
		return hf_fail(err, (int)f->resource, "%.*s", HF_SV_FMT(f->text));
	if (f->type == KUBE_FOLLOW_DISCOVERED) {
		forget_notes(w, f->resource);
	} else if (f->type == KUBE_FOLLOW_NOTE) {
		struct cluster_note *note = hf_vec_push(&w->arena, &w->notes);
		if (note)
			*note = (struct cluster_note){ f->resource, copy_of(f->key), copy_of(f->text) };
	} else if (f->type == KUBE_FOLLOW_READY) {
		w->ready = true;
	} else if (f->resource < w->resources_n) {
		take_resource(w, f);
	}
	return HF_OK;
}

/* ---- a round ---- */

static void add_note(struct kube_run *k, hf_sv name, hf_sv text)
{
	struct hf_kube_note *all = hf_realloc((void *)(uintptr_t)k->notes, (k->notes_n + 1) * sizeof *all);

	all[k->notes_n++] = (struct hf_kube_note){ .kind = HF_KUBE_NOTE_MISSING, .source = name, .text = text };
	k->notes = all;
}

static void add_inputs(struct kube_run *k, const struct resource *r, size_t target, struct kube_input *inputs)
{
	struct walk walk = objects_of(r);

	for (size_t i = 0; i < walk.n; i++)
		inputs[k->inputs_n++] = (struct kube_input){ .name = r->name,
							     .text = text_of(walk.list[i]),
							     .cluster = r->context,
							     .target = target,
							     .slot = -1 };
	free(walk.list);
}

static void gather(struct watching *w)
{
	struct kube_run *k = w->job->run;
	size_t n = 0;

	for (size_t i = 0; i < w->resources_n; i++)
		n += w->resources[i].n;
	struct kube_input *inputs = hf_calloc(n + 1, sizeof *inputs);
	k->inputs = inputs;
	for (size_t i = 0; i < w->notes.n; i++)
		add_note(k, w->notes.at[i].name, w->notes.at[i].text);
	for (size_t i = 0; i < w->resources_n; i++) {
		const struct resource *r = &w->resources[i];
		if (r->why[0])
			add_note(k, r->name, hf_sv_of(r->why));
		add_inputs(k, r, i / HF_KUBE_KINDS, inputs);
	}
	if (w->full)
		add_note(k, HF_SV("the watch"),
			 HF_SV("the objects need more memory than is allowed: some are left out"));
}

static void release(struct kube_run *k)
{
	free((void *)(uintptr_t)k->inputs);
	free((void *)(uintptr_t)k->notes);
	k->inputs = NULL;
	k->notes = NULL;
	k->inputs_n = k->notes_n = 0;
}

static bool has_line(hf_sv text, hf_sv line)
{
	hf_sv one;

	while (hf_sv_next(&text, '\n', &one))
		if (hf_sv_eq(one, line))
			return true;
	return false;
}

/* What the last evaluation had not said already. */
static void tell(struct watching *w, struct hf_buf *messages)
{
	hf_cleanup(hf_buf_done) struct hf_buf news = HF_BUF(messages->max);
	hf_sv rest = messages->len ? hf_buf_view(messages) : HF_SV(""), line;

	while (hf_sv_next(&rest, '\n', &line)) {
		if (!line.len || (w->messages.len && has_line(hf_buf_view(&w->messages), line)))
			continue;
		hf_buf_add(&news, line);
		hf_buf_add_char(&news, '\n');
	}
	if (news.len)
		log_relay(NULL, hf_buf_view(&news));
	hf_buf_done(&w->messages);
	w->messages = *messages;
	*messages = (struct hf_buf){ 0 };
}

static int evaluate(struct watching *w, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int report = memfd_create("report", MFD_CLOEXEC);
	hf_cleanup(hf_fd_close) int items = memfd_create("findings", MFD_CLOEXEC);
	hf_cleanup(hf_buf_done) struct hf_buf messages = HF_BUF(HF_MIB(1));
	struct hf_mapping before = { 0 };
	struct kube_job *j = w->job;
	struct stat st;

	if (report < 0 || items < 0 || (w->items_fd >= 0 && fstat(w->items_fd, &st)))
		return hf_fail_errno(err, "memory for the report");
	if (w->items_fd >= 0 && hf_mapping_open(&before, w->items_fd, 0, (size_t)st.st_size, err) < 0)
		return err->code;
	j->before = w->items_fd < 0 ? (hf_sv){ 0 } : before.ptr ? (hf_sv){ before.ptr, before.len } : HF_SV("");
	j->out_fd = report;
	j->items_fd = items;
	gather(w);
	int bits = kube_job_run(j, &messages, err);
	release(j->run);
	if (w->items_fd >= 0)
		hf_mapping_close(&before);
	tell(w, &messages);
	if (bits < 0)
		return bits;
	hf_fd_close(&w->items_fd);
	w->items_fd = items;
	items = -1;
	int r = hf_worker_output_hand_over(report, STDOUT_FILENO, j->run->colour, err);
	return r < 0 ? r : bits;
}

/* The first report waits for all kinds, but not for those that fail again and again. */
static bool is_complete(const struct watching *w)
{
	for (size_t i = 0; i < w->resources_n; i++)
		if (w->resources[i].state == WAITING && !w->resources[i].why[0])
			return false;
	return w->ready;
}

static bool is_due(const struct watching *w)
{
	int64_t now = now_ms();

	if (!w->reported)
		return is_complete(w);
	return w->changed && (now - w->last_change >= QUIET_MS || now - w->first_change >= DELAY_MAX_MS);
}

static int wait_ms(const struct watching *w)
{
	int64_t now = now_ms(), quiet = w->last_change + QUIET_MS, most = w->first_change + DELAY_MAX_MS;
	int64_t at = quiet < most ? quiet : most;

	if (!w->reported || !w->changed)
		return -1;
	return at > now ? (int)(at - now) : 0;
}

/* A report that could not be made later on does not end the watch: the next change makes another. */
static int report(struct watching *w, struct hf_err *err)
{
	struct hf_err why = { 0 };

	w->changed = false;
	log_debug("evaluation %llu", (unsigned long long)++w->evaluations);
	w->bits = evaluate(w, &why);
	if (w->bits < 0 && (!w->reported || why.code == HF_E_IO)) {
		*err = why;
		return w->bits;
	}
	if (w->bits < 0)
		log_error("these changes are not evaluated: %s", why.msg);
	w->reported = true;
	return HF_OK;
}

static int listen_once(struct watching *w, struct hf_err *err)
{
	struct kube_follow_frame frame;

	if (!kube_follow_read(&w->follower))
		return hf_fail(err, HF_E_SYSTEM, "the process that watches has ended");
	while (kube_follow_next(&w->follower, &frame)) {
		int r = take_frame(w, &frame, err);
		if (r < 0)
			return r;
	}
	return HF_OK;
}

static int loop(struct watching *w, int signals, struct hf_err *err)
{
	struct signalfd_siginfo taken;
	struct stat st;
	bool pipe = !fstat(STDOUT_FILENO, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));

	for (;;) {
		struct pollfd p[] = { { .fd = signals, .events = POLLIN },
				      { .fd = pipe ? STDOUT_FILENO : -1 },
				      { .fd = w->follower.fd, .events = POLLIN } };
		int r = is_due(w) ? report(w, err) : HF_OK;
		if (r < 0)
			return r;
		poll(p, HF_ARRAY_SIZE(p), wait_ms(w));
		if (p[0].revents && read(signals, &taken, sizeof taken) > 0)
			return HF_OK;
		if (p[1].revents & (POLLERR | POLLHUP))
			return HF_OK; /* nobody reads any more */
		if (p[2].revents && (r = listen_once(w, err)) < 0)
			return r;
	}
}

static void done(struct watching *w)
{
	for (size_t i = 0; i < w->resources_n; i++) {
		forget_older(w, &w->resources[i], UINT64_MAX);
		free((void *)(uintptr_t)w->resources[i].name.ptr);
		free((void *)(uintptr_t)w->resources[i].context.ptr);
	}
	for (uint32_t i = 0; i < w->job->run->targets_n; i++)
		forget_notes(w, i);
	free(w->resources);
	hf_fd_close(&w->items_fd);
	hf_buf_done(&w->messages);
	hf_arena_done(&w->arena);
}

int kube_watch(struct kube_job *j, struct hf_err *err)
{
	struct kube_run *k = j->run;
	struct watching w = { .job = j, .items_fd = -1, .arena = HF_ARENA(HF_KUBE_INPUT_ARENA_MAX) };
	sigset_t wanted, before;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	hf_cleanup(hf_fd_close) int signals = signalfd(-1, &wanted, SFD_CLOEXEC);
	if (signals < 0)
		return hf_fail_errno(err, "signals");
	j->schema = k->format && !strcmp(k->format, "json") ? k->watch_schema : NULL;
	w.resources_n = k->targets_n * HF_KUBE_KINDS;
	w.resources = hf_calloc(w.resources_n, sizeof *w.resources);
	int r = kube_follow_start(k, &w.follower, err);
	if (r >= 0) {
		r = loop(&w, signals, err);
		kube_follow_end(&w.follower);
	}
	bool stale = w.lost_n > 0 || !w.reported;
	done(&w);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	if (w.bits < 0)
		return hf_fail(err, w.bits, "the last changes were not evaluated");
	return w.bits | (stale ? KUBE_PARTIAL : 0);
}

int kube_watch_misused(const struct kube_run *k)
{
	const char *context;

	if (!k->watch)
		return 0;
	if (!k->watch_schema || k->one_set_each || k->deliver)
		return hf_command_usage(k->command, "--watch does not go with this question");
	if (k->output)
		return hf_command_usage(k->command, "--watch prints as it goes: --output is of no use with it");
	if (k->no_jail)
		return hf_command_usage(k->command, "--watch does not go with --no-jail");
	if (k->format && strcmp(k->format, "table") && strcmp(k->format, "text") && strcmp(k->format, "json"))
		return hf_command_usage(k->command, "--watch prints table or json, not %s", k->format);
	for (size_t i = 0; i < k->targets_n; i++)
		if (!kube_cluster_target(k->targets[i], &context))
			return hf_command_usage(
				k->command, "--watch follows live clusters, and '%s' is none: cluster: or cluster:NAME",
				k->targets[i]);
	if (k->clusters_n)
		return hf_command_usage(k->command, "--watch follows live clusters: '--cluster %s' stands for files",
					k->clusters[0]);
	return 0;
}
