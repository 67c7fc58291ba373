/* The answers, as JSON. What is untrusted in them went through hf_escape_controls or stands in JSON strings. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/state_internal.h"
#include "base/limits.h"
#include "format/json_writer.h"
#include "sink/cost.h"
#include "trace/trace.h"

enum { TOP_MAX = 20, PROGRAMS_MAX = 128, LOST_MAX = 100, ID_MAX = 100 };

static hf_sv kind_name(unsigned kind)
{
	return hf_sv_of(hf_event_kind_name((enum hf_event_kind)kind));
}

static void add_cost(struct hf_json_writer *w)
{
	struct hf_cost cost = hf_cost_now();

	hf_jw_key(w, "agent");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "pid", (uint64_t)getpid());
	hf_jw_kv_uint(w, "cpu_ms", cost.cpu_us / 1000);
	if (cost.resident_bytes)
		hf_jw_kv_uint(w, "rss_bytes", cost.resident_bytes);
	hf_jw_kv_uint(w, "rss_max_bytes", cost.resident_max_bytes);
	hf_jw_object_end(w);
}

static void add_outputs(const struct hf_state *s, struct hf_json_writer *w)
{
	hf_jw_key(w, "outputs");
	hf_jw_array(w);
	for (size_t i = 0; i < s->outputs_n; i++) {
		const struct hf_sink_state *o = &s->outputs[i];
		uint64_t put = 0, full = 0, undeliverable = 0;

		for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
			put += o->counts.put[kind];
			full += o->counts.lost[HF_QUEUE_FULL][kind];
			undeliverable += o->counts.lost[HF_QUEUE_UNDELIVERABLE][kind];
		}
		hf_jw_object(w);
		hf_jw_kv(w, "output", o->name);
		hf_jw_kv(w, "state", o->ok ? HF_SV("ok") : HF_SV("degraded"));
		hf_jw_kv_uint(w, "delivered", put - full - undeliverable - o->counts.waiting);
		hf_jw_kv_uint(w, "waiting", o->counts.waiting);
		hf_jw_kv_uint(w, "queue_full", full);
		hf_jw_kv_uint(w, "undeliverable", undeliverable);
		if (!o->ok)
			hf_jw_kv(w, "message", hf_sv_of(o->message));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void add_sums(const struct hf_state *s, struct hf_json_writer *w)
{
	uint64_t seen = 0, known = 0, delivered = 0, dropped = 0;

	for (size_t i = 0; i < s->counts_n; i++) {
		seen += s->counts[i].seen;
		known += s->counts[i].known;
		delivered += s->counts[i].delivered;
		dropped += s->counts[i].dropped;
	}
	hf_jw_key(w, "events");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "seen", seen);
	hf_jw_kv_uint(w, "known", known);
	hf_jw_kv_uint(w, "delivered", delivered);
	hf_jw_kv_uint(w, "dropped", dropped);
	hf_jw_object_end(w);
}

static void add_health(const struct hf_state *s, struct hf_json_writer *w)
{
	hf_jw_key(w, "health");
	hf_jw_array(w);
	for (size_t i = 0; i < s->parts_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "part", hf_sv_of(s->parts[i].part));
		hf_jw_kv(w, "state", hf_sv_of(s->parts[i].state));
		hf_jw_kv(w, "since", hf_sv_of(s->parts[i].time));
		hf_jw_kv(w, "message", hf_sv_of(s->parts[i].message));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_key(w, "hooks");
	hf_jw_array(w);
	for (size_t i = 0; i < s->hooks_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "sees", hf_sv_of(s->hooks[i].sees));
		hf_jw_kv(w, "by", hf_sv_of(s->hooks[i].by));
		hf_jw_kv_bool(w, "works", s->hooks[i].works);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void add_seeds(const struct hf_state *s, struct hf_json_writer *w)
{
	if (!s->seeds_n)
		return;
	hf_jw_key(w, "seeds");
	hf_jw_array(w);
	for (size_t i = 0; i < s->seeds_n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, "image", hf_sv_of(s->seeds[i].image));
		hf_jw_kv(w, "state", hf_sv_of(s->seeds[i].state));
		hf_jw_kv_uint(w, "programs", s->seeds[i].programs);
		hf_jw_kv(w, "command", hf_sv_of(s->seeds[i].command));
		hf_jw_kv(w, "message", hf_sv_of(s->seeds[i].message));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void status(struct hf_state *s, struct hf_json_writer *w)
{
	static const char *const severities[] = { NULL, "low", "medium", "high", "critical" };
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	add_cost(w);
	pthread_mutex_lock(&s->lock);
	hf_jw_kv(w, "mode", hf_sv_of(s->mode));
	hf_jw_kv_uint(w, "uptime_s", (uint64_t)now.tv_sec - s->started_s);
	hf_jw_key(w, "containers");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "known", s->containers_n);
	hf_jw_kv_uint(w, "pending", s->containers_pending);
	hf_jw_kv_uint(w, "unresolved", s->containers_unresolved);
	hf_jw_object_end(w);
	add_sums(s, w);
	hf_jw_key(w, "alerts");
	hf_jw_object(w);
	for (unsigned i = 1; i < HF_ARRAY_SIZE(severities); i++)
		hf_jw_kv_uint(w, severities[i], s->severities[i]);
	hf_jw_object_end(w);
	add_outputs(s, w);
	add_seeds(s, w);
	add_health(s, w);
	pthread_mutex_unlock(&s->lock);
}

static void add_counters(struct hf_json_writer *w, const char *key, const char *name, const struct hf_counters *c,
			 const char *extra)
{
	const struct hf_counter *top[TOP_MAX];
	size_t n = hf_counters_top(c, top, TOP_MAX);

	hf_jw_key(w, key);
	hf_jw_array(w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(w);
		hf_jw_kv(w, name, hf_sv_of(top[i]->name));
		hf_jw_kv_uint(w, "last_minute", hf_counter_recent(top[i]));
		hf_jw_kv_uint(w, "all", top[i]->all);
		if (extra)
			hf_jw_kv_uint(w, extra, top[i]->extra);
		hf_jw_object_end(w);
	}
	if (c->others) {
		hf_jw_object(w);
		hf_jw_kv(w, name, HF_SV("(others)"));
		hf_jw_kv_uint(w, "all", c->others);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void add_kinds(const struct hf_state *s, struct hf_json_writer *w)
{
	hf_jw_key(w, "kinds");
	hf_jw_array(w);
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
		struct hf_state_count sum = { 0 };
		for (size_t i = 0; i < s->counts_n; i++) {
			if (s->counts[i].kind != (enum hf_event_kind)kind)
				continue;
			sum.seen += s->counts[i].seen;
			sum.known += s->counts[i].known;
			sum.dropped += s->counts[i].dropped;
		}
		if (!s->kinds[kind] && !sum.seen)
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "kind", kind_name(kind));
		hf_jw_kv_uint(w, "shown", s->kinds[kind]);
		hf_jw_kv_uint(w, "seen", sum.seen);
		hf_jw_kv_uint(w, "known", sum.known);
		hf_jw_kv_uint(w, "dropped", sum.dropped);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void add_lost(const struct hf_state *s, struct hf_json_writer *w)
{
	size_t n = 0;

	hf_jw_key(w, "lost");
	hf_jw_array(w);
	for (size_t i = 0; i < s->counts_n && n < LOST_MAX; i++) {
		const struct hf_state_count *c = &s->counts[i];
		if (!c->dropped)
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "kind", kind_name(c->kind));
		hf_jw_kv(w, "container", c->container[0] ? hf_sv_of(c->container) : HF_SV("host"));
		hf_jw_kv_uint(w, "seen", c->seen);
		hf_jw_kv_uint(w, "dropped", c->dropped);
		hf_jw_object_end(w);
		n++;
	}
	hf_jw_array_end(w);
	if (s->counts_left_out)
		hf_jw_kv_uint(w, "counts_left_out", s->counts_left_out);
}

static bool is_program(const char *fd_name)
{
	char path[64], target[64];
	int n = snprintf(path, sizeof path, "/proc/self/fd/%s", fd_name);
	ssize_t len = n > 0 && (size_t)n < sizeof path ? readlink(path, target, sizeof target) : -1;

	return len > 0 && hf_sv_eq((hf_sv){ target, (size_t)len }, HF_SV("anon_inode:bpf-prog"));
}

/* The agent's own BPF programs. Time is only counted while kernel.bpf_stats_enabled is 1, which costs a little itself. */
static void add_programs(struct hf_json_writer *w)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;
	uint64_t fd;

	hf_jw_key(w, "programs");
	hf_jw_array(w);
	for (struct dirent *entry; dir && n < PROGRAMS_MAX && (entry = readdir(dir));) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof info;
		if (!hf_sv_to_u64(hf_sv_of(entry->d_name), &fd) || fd > INT32_MAX || !is_program(entry->d_name) ||
		    bpf_obj_get_info_by_fd((int)fd, &info, &size))
			continue;
		hf_jw_object(w);
		hf_jw_kv(w, "program", hf_sv_first(hf_sv_of(info.name), strnlen(info.name, sizeof info.name)));
		hf_jw_kv_uint(w, "id", info.id);
		if (info.run_cnt) {
			hf_jw_kv_uint(w, "runs", info.run_cnt);
			hf_jw_kv_uint(w, "run_ns", info.run_time_ns);
			hf_jw_kv_uint(w, "ns_a_run", info.run_time_ns / info.run_cnt);
		}
		hf_jw_object_end(w);
		n++;
	}
	hf_jw_array_end(w);
	if (dir)
		closedir(dir);
}

/* The loop waits for the lock, so what asks the kernel stands outside of it. */
static void top(struct hf_state *s, struct hf_json_writer *w)
{
	add_cost(w);
	add_programs(w);
	pthread_mutex_lock(&s->lock);
	add_counters(w, "workloads", "container", &s->containers, "alerts");
	add_kinds(s, w);
	add_counters(w, "rules", "rule", &s->rules, NULL);
	add_counters(w, "executables", "path", &s->executables, NULL);
	add_sums(s, w);
	add_lost(s, w);
	add_outputs(s, w);
	pthread_mutex_unlock(&s->lock);
}

struct why {
	struct hf_json_writer *w;
	hf_sv id;
	char of_alert[ID_MAX + 1]; /* the event that an alert of this id is about */
	size_t n;
	bool by_event, only_first;
};

static hf_sv without_end(hf_sv line)
{
	return hf_sv_first(line, line.len - hf_sv_ends(line, HF_SV("\n")));
}

/* Lines are written by hf_trace_write: the id stands near the front, alert.event is found by its reading. */
static void show_line(void *ctx, hf_sv line)
{
	struct why *y = ctx;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_event e;

	if (y->only_first && y->n)
		return;
	if (hf_sv_find(line, y->id) == SIZE_MAX || hf_trace_read(line, &a, &e, NULL, NULL) < 0)
		return;
	hf_sv own = hf_event_string(&e, HF_FIELD_ID), event = hf_event_string(&e, HF_FIELD_ALERT_EVENT);
	if (!hf_sv_eq(own, y->id) && !(y->by_event && hf_sv_eq(event, y->id)))
		return;
	if (hf_sv_eq(own, y->id) && event.len && event.len <= ID_MAX)
		memcpy(y->of_alert, event.ptr, event.len);
	if (y->n++)
		hf_buf_add_char(y->w->out, ',');
	hf_buf_add(y->w->out, without_end(line));
}

static bool is_id(hf_sv id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      strchr("-_.:", c)) ||
		    !c)
			return false;
	}
	return id.len && id.len <= ID_MAX;
}

static void why(struct hf_state *s, struct hf_json_writer *w, hf_sv id)
{
	struct why alerts = { .w = w, .id = id, .by_event = true }, event = { .w = w, .id = id, .only_first = true };

	if (!is_id(id)) {
		hf_jw_kv(w, "error", HF_SV("that is no id of an event"));
		return;
	}
	hf_jw_kv(w, "id", id);
	pthread_mutex_lock(&s->lock);
	hf_jw_key(w, "alerts");
	hf_buf_add_char(w->out, '[');
	hf_ring_each(&s->alerts, (hf_sv){ 0 }, show_line, &alerts);
	hf_buf_add_char(w->out, ']');
	w->after_key = false;
	if (alerts.of_alert[0])
		event.id = hf_sv_of(alerts.of_alert);
	hf_jw_key(w, "event");
	hf_ring_each(&s->events, event.id, show_line, &event);
	if (!event.n)
		hf_buf_add(w->out, HF_SV("null"));
	w->after_key = false;
	hf_jw_kv_uint(w, "kept_events", s->events.n);
	hf_jw_kv_uint(w, "kept_alerts", s->alerts.n);
	pthread_mutex_unlock(&s->lock);
}

void hf_state_answer(struct hf_state *s, hf_sv question, struct hf_buf *out)
{
	struct hf_json_writer w = { .out = out, .compact = true };
	bool is_why = hf_sv_starts(question, HF_SV("why "));

	hf_jw_object(&w);
	if (is_why || hf_sv_eq(question, HF_SV("status")) || hf_sv_eq(question, HF_SV("top"))) {
		hf_jw_key(&w, "schema");
		hf_jw_string(&w, is_why                                ? HF_SV("holdfast/why/1")
				 : hf_sv_eq(question, HF_SV("status")) ? HF_SV("holdfast/status/1")
								       : HF_SV("holdfast/top/1"));
	}
	if (is_why)
		why(s, &w, hf_sv_skip(question, 4));
	else if (hf_sv_eq(question, HF_SV("status")))
		status(s, &w);
	else if (hf_sv_eq(question, HF_SV("top")))
		top(s, &w);
	else
		hf_jw_kv(&w, "error", HF_SV("that question is not known: status, top, why ID"));
	hf_jw_object_end(&w);
	hf_buf_add_char(out, '\n');
}
