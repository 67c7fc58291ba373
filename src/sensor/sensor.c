#include "sensor/sensor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "sensor/object_record.h"

enum {
	DRAIN_MS = 100,        /* how often rings are looked at that wake nobody */
	CLOCK_NS = 1000000000, /* how often the two clocks are compared */
	SWEEP_NS = 1000000000,
	RECONCILE_SECONDS = 60,
	FLUSH_NS = 2000000000, /* at the end, where events come as fast as they are read */
	LOADING_NS = 2000000,  /* a program is mapped just before its execution is told of */
};
#define TROUBLE_PAUSE_NS UINT64_C(10000000000) /* one line in ten seconds and part */
#define SECOND_NS        UINT64_C(1000000000)

int hf_sensor_health(struct hf_sensor *s, const char *part, const char *state, const char *message,
		     const struct hf_event_sink *sink, struct hf_err *err)
{
	static struct hf_event e; /* 4 KiB; one thread */

	memset(&e, 0, sizeof e);
	e.kind = HF_EVENT_HEALTH;
	hf_event_set_string(&e, HF_FIELD_HEALTH_PART, hf_sv_of(part));
	hf_event_set_string(&e, HF_FIELD_HEALTH_STATE, hf_sv_of(state));
	hf_event_set_string(&e, HF_FIELD_HEALTH_MESSAGE, hf_sv_of(message));
	hf_sensor_stamp(s, &e);
	return sink->take(sink->ctx, &e, err);
}

int hf_sensor_trouble(struct hf_sensor *s, const char *part, const struct hf_err *why, struct hf_err *err)
{
	uint64_t now = hf_sensor_now_ns();
	size_t i = 0;

	while (i < HF_TROUBLES_MAX - 1 && s->troubles[i].part && strcmp(s->troubles[i].part, part) != 0)
		i++;
	struct hf_trouble *t = &s->troubles[i];
	t->part = part;
	t->times++;
	if (t->told_ns && now - t->told_ns < TROUBLE_PAUSE_NS)
		return 0;
	t->told_ns = now;
	return hf_sensor_health(s, part, "degraded", why->msg, s->sink, err);
}

/* False where the process is gone by now, which leaves it to the next one of its container, or has the machine's root. */
static bool watch_container(struct hf_sensor *s, uint64_t cgroup_id, uint32_t pid)
{
	struct hf_err why = { 0 };

	return s->files && hf_files_container(s->files, cgroup_id, pid, &why) >= 0;
}

static int on_birth(struct hf_sensor *s, const struct hf_record *h, hf_sv record, struct hf_err *err)
{
	hf_sv path = hf_record_cgroup_path(record);
	struct hf_err why = { 0 };

	if (hf_containers_born(s->containers, h->cgroup_id, path, h->ns, false))
		return hf_sensor_hand(s, h->cgroup_id, 0, err);
	if (!hf_hierarchy_is_container(path)) {
		hf_sensor_ignore(s, h->cgroup_id);
		return 0;
	}
	hf_fail(&why, HF_E_LIMIT, "too many containers: one more has no name, its events go on");
	int code = hf_sensor_trouble(s, "containers", &why, err);
	return code < 0 ? code : hf_sensor_hand(s, h->cgroup_id, 0, err);
}

static int on_death(struct hf_sensor *s, const struct hf_record *h, struct hf_err *err)
{
	int code = hf_sensor_ignored(s, h->cgroup_id) ? 0 : hf_sensor_hand(s, h->cgroup_id, 0, err);

	if (s->files)
		hf_files_gone(s->files, h->cgroup_id);
	hf_containers_gone(s->containers, h->cgroup_id, h->ns);
	if (code >= 0 && s->gone_n == HF_GONE_MAX)
		code = hf_sensor_sweep(s, 0, true, err);
	if (s->gone_n == HF_GONE_MAX)
		return code;
	s->gone[s->gone_n++] = (struct hf_gone){ h->cgroup_id, h->ns };
	return code;
}

/* Busybox and its like run their applets through /proc/self/exe: the kernel calls that "exe", and the applet stands in argv. */
static void name_applet(struct hf_event *e, const struct hf_value *arguments)
{
	hf_sv program = hf_sv_basename(hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH));

	if (arguments->type == HF_VALUE_LIST && arguments->n && arguments->list[0].len &&
	    hf_sv_eq(hf_event_string(e, HF_FIELD_PROCESS_NAME), HF_SV("exe")) &&
	    (hf_sv_eq(program, HF_SV("busybox")) || hf_sv_eq(program, HF_SV("toybox"))))
		hf_event_set_string(e, HF_FIELD_PROCESS_NAME, hf_sv_first(hf_sv_basename(arguments->list[0]), 15));
}

/* Answers of name servers are looked at from a container's first own program on: its first question may come at once. */
static void watch_names(struct hf_sensor *s, uint64_t cgroup_id)
{
	const struct hf_container *c = hf_containers_find(s->containers, cgroup_id);
	struct hf_err why = { 0 };

	if (c && c->cgroup.len && hf_kernel_watch_names(s->kernel, cgroup_id, c->cgroup, &why) < 0)
		(void)!hf_sensor_trouble(s, "names", &why, &why);
}

static int on_execution(struct hf_sensor *s, const struct hf_record *h, hf_sv record, struct hf_err *err)
{
	uint64_t old = hf_record_old_execution(record);
	struct hf_execution *before = hf_executions_find(&s->executions, old);
	const struct hf_value *arguments = &s->event.values[HF_FIELD_PROCESS_ARGUMENTS];
	struct hf_execution x = {
		.id = h->execution ? h->execution : (uint64_t)HF_SYNTHETIC << 32 | ++s->next_synthetic,
		.parent = h->parent_execution,
		.cgroup_id = h->cgroup_id,
		.start_ns = h->start_ns,
		.since_ns = h->ns > LOADING_NS ? h->ns - LOADING_NS : 0,
		.pid = h->pid,
		.parent_pid = h->parent_pid,
		.flags = h->process_flags,
		.path = hf_event_string(&s->event, HF_FIELD_PROCESS_EXE_PATH),
		.uid = h->uid,
		.gid = h->gid,
		.pid_in_container = h->pid_in_container,
		.exe_known = hf_event_has(&s->event, HF_FIELD_PROCESS_EXE_UPPER),
		.upper = hf_event_bool(&s->event, HF_FIELD_PROCESS_EXE_UPPER),
		.deleted = hf_event_bool(&s->event, HF_FIELD_PROCESS_EXE_DELETED),
		.memory = hf_event_bool(&s->event, HF_FIELD_PROCESS_EXE_MEMORY),
		.inode = hf_event_uint(&s->event, HF_FIELD_PROCESS_EXE_INODE),
		.size_bytes = hf_event_uint(&s->event, HF_FIELD_PROCESS_EXE_SIZE),
		.modified_ns = hf_event_int(&s->event, HF_FIELD_PROCESS_EXE_MODIFIED_NS),
	};

	if (arguments->type == HF_VALUE_LIST) {
		x.arguments = arguments->list;
		x.arguments_n = arguments->n;
	}
	if (!before && !old)
		before = hf_executions_of_pid(&s->executions, h->pid, 0);
	if (!x.parent) { /* it came from what ran before the sensor */
		const struct hf_execution *parent =
			before ? before : hf_executions_of_pid(&s->executions, h->parent_pid, 0);

		x.parent = parent ? parent->id : 0;
	}
	name_applet(&s->event, arguments);
	hf_sv name = hf_event_string(&s->event, HF_FIELD_PROCESS_NAME);
	snprintf(x.name, sizeof x.name, "%.*s", HF_SV_FMT(name));
	uint64_t before_id = before && before->pid == h->pid ? before->id : 0;
	hf_executions_add(&s->executions, &x);
	before = hf_executions_find(&s->executions, before_id); /* it may have made room */
	if (before) /* the same process runs something else now; a fork's execution goes on */
		hf_executions_end(&s->executions, before, h->ns);
	if (!(h->process_flags & HF_PROCESS_SETUP)) {
		(void)watch_container(s, h->cgroup_id, h->pid);
		if (!h->parent_execution)
			watch_names(s, h->cgroup_id);
		if (s->options.runs)
			s->options.runs(s->options.runs_ctx, h->cgroup_id, h->pid);
	}
	return hf_sensor_hand(s, h->cgroup_id, x.id, err);
}

static int on_end(struct hf_sensor *s, const struct hf_record *h, struct hf_err *err)
{
	struct hf_execution *x = hf_executions_find(&s->executions, h->execution);

	if (!x)
		x = hf_executions_of_pid(&s->executions, h->pid, 0);
	int code = hf_sensor_hand(s, h->cgroup_id, x ? x->id : 0, err);
	if (x && x->pid == h->pid)
		hf_executions_end(&s->executions, x, h->ns);
	return code;
}

static int take_record(void *ctx, hf_sv record, struct hf_err *err)
{
	struct hf_sensor *s = ctx;
	struct hf_record h;
	struct hf_err why = { 0 };

	hf_arena_reset(&s->arena);
	memset(&s->event, 0, sizeof s->event);
	int code = hf_record_event(record, &s->arena, &s->event, &why);
	if (code >= 0 && hf_record_head(record, &h) && hf_object_is(h.kind))
		code = hf_object_event(record, s->host_known ? &s->host : NULL, &s->arena, &s->event, &why);
	if (code < 0)
		return hf_sensor_trouble(s, "record", &why, err);
	if (s->options.host && !h.cgroup_id)
		return hf_sensor_hand(s, 0, h.execution, err);
	enum hf_event_kind kind = s->event.kind;

	if (kind == HF_EVENT_CONTAINER_START)
		return on_birth(s, &h, record, err);
	if (kind == HF_EVENT_CONTAINER_STOP)
		return on_death(s, &h, err);
	if (kind == HF_EVENT_EXEC)
		return on_execution(s, &h, record, err);
	if (kind == HF_EVENT_EXIT)
		return on_end(s, &h, err);
	if (hf_event_uint(&s->event, HF_FIELD_NETWORK_REMOTE_PORT) == 53)
		watch_names(s, h.cgroup_id); /* of a container that ran before */
	return hf_sensor_hand(s, h.cgroup_id, h.execution, err);
}

static void found_container(void *ctx, uint64_t cgroup_id, hf_sv path, uint32_t pid, uint64_t start_ns)
{
	struct hf_sensor *s = ctx;
	bool is_new = !hf_containers_find(s->containers, cgroup_id);
	struct hf_err why = { 0 };

	bool has_name = hf_containers_born(s->containers, cgroup_id, path, start_ns, true);
	if (hf_kernel_watch(s->kernel, cgroup_id, &why) < 0)
		hf_kernel_set_full(s->kernel, true);
	if (watch_container(s, cgroup_id, pid) &&
	    s->options.runs) /* what ran before need not run another program that lives */
		s->options.runs(s->options.runs_ctx, cgroup_id, pid);
	if (!has_name) {
		hf_fail(&why, HF_E_LIMIT, "too many containers: one more has no name, its events go on");
		(void)!hf_sensor_trouble(s, "containers", &why, &why);
		return;
	}
	if (!is_new)
		return;
	hf_arena_reset(&s->arena);
	memset(&s->event, 0, sizeof s->event);
	s->event.kind = HF_EVENT_CONTAINER_START;
	hf_event_set_uint(&s->event, HF_FIELD_MONOTONIC_NS, hf_sensor_now_ns());
	hf_event_set_uint(&s->event, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
	hf_event_set_string(&s->event, HF_FIELD_CONTAINER_CGROUP, path);
	hf_event_set_bool(&s->event, HF_FIELD_CONTAINER_STARTED_BEFORE, true);
	HF_COUNT(s, HF_EVENT_CONTAINER_START, cgroup_id, seen, 1);
	HF_COUNT(s, HF_EVENT_CONTAINER_START, cgroup_id, delivered, 1);
	(void)!hf_sensor_hand(s, cgroup_id, 0, &why); /* a sink that is gone tells so at the next event */
}

static void found_process(void *ctx, uint64_t cgroup_id, const struct hf_proc_process *p)
{
	hf_sensor_found(ctx, cgroup_id, p);
}

static int reconcile(struct hf_sensor *s, uint64_t now_ns, struct hf_err *err)
{
	const struct hf_reconcile_sink sink = { s, found_container, found_process };

	s->reconcile_ns = now_ns;
	if (!s->reconcile)
		return 0;
	hf_sensor_heal_executions(s);
	/* What is there is told once; later only where something was lost since. */
	uint64_t lost = hf_sensor_lost(s);
	int code = hf_reconcile_walk(s->reconcile, !s->walked || lost > s->lost_at_walk, &sink, err);
	s->walked = true;
	s->lost_at_walk = lost;
	size_t stuck = hf_reconcile_missed(s->reconcile).stuck;
	struct hf_err why = { 0 };

	if (code < 0 || !stuck)
		return code;
	hf_fail(&why, HF_E_LIMIT, "%zu processes of containers hold up whoever reads their command line: left out",
		stuck);
	return hf_sensor_trouble(s, "reconcile", &why, err);
}

/* The sources beside BPF: each may be refused, and then is told of. */
static void open_sources(struct hf_sensor *s)
{
	struct hf_err why[4] = { 0 };
	struct hf_files_options files = { .watches = s->options.watches, .watches_n = s->options.watches_n };

	hf_cleanup(hf_fd_close) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* The first process may keep its namespaces from one who has not all of its capabilities; the kernel's first thread does not. */
	s->host_known = proc >= 0 && (hf_namespaces_read(proc, 1, &s->host) || hf_namespaces_read(proc, 2, &s->host));
	s->feed = hf_sensor_feed(s);
	if (hf_perf_open(&(struct hf_perf_options){ 0 }, &s->feed, &s->perf, &why[0]) < 0)
		s->troubles[0] = (struct hf_trouble){ .part = "perf", .err = why[0] };
	files.perf = s->perf;
	if (hf_files_open(&files, &s->feed, &s->files, &why[1]) < 0)
		s->troubles[1] = (struct hf_trouble){ .part = "files", .err = why[1] };
	if (hf_connector_open(&(struct hf_connector_options){ 0 }, &s->feed, 200, &s->connector, &why[2]) < 0)
		s->troubles[2] = (struct hf_trouble){ .part = "connector", .err = why[2] };
	if (hf_reconcile_open(
		    &(struct hf_reconcile_options){ .hierarchy = hf_kernel_hierarchy(s->kernel), .perf = s->perf },
		    &s->feed, &s->reconcile, &why[3]) < 0)
		s->troubles[3] = (struct hf_trouble){ .part = "reconcile", .err = why[3] };
}

int hf_sensor_open(const struct hf_sensor_options *options, struct hf_sensor **ret, struct hf_err *err)
{
	struct hf_sensor *s = hf_calloc(1, sizeof *s);
	const struct hf_kernel_options kernel = { .host = options->host,
						  .deep = options->deep,
						  .ring_control_bytes = options->ring_control_bytes,
						  .cgroups_max = options->cgroups_max,
						  .ring_bulk_bytes = options->ring_bulk_bytes };

	s->options = *options;
	if (!s->options.reconcile_seconds)
		s->options.reconcile_seconds = RECONCILE_SECONDS;
	s->containers = options->containers;
	s->arena = HF_ARENA(HF_MIB(1));
	hf_counts_init(&s->counts);
	hf_counts_init(&s->reported);
	s->started_s = (uint64_t)time(NULL);
	hf_executions_init(&s->executions, 0, 0);
	hf_lookups_init(&s->lookups);
	if (hf_kernel_open(&kernel, &s->kernel, err) < 0) {
		hf_sensor_close(s);
		return err->code;
	}
	open_sources(s);
	*ret = s;
	return 0;
}

void hf_sensor_close(struct hf_sensor *s)
{
	if (!s)
		return;
	if (s->reconcile)
		hf_reconcile_close(s->reconcile);
	if (s->connector)
		hf_connector_close(s->connector);
	if (s->files)
		hf_files_close(s->files);
	if (s->perf)
		hf_perf_close(s->perf);
	if (s->kernel)
		hf_kernel_close(s->kernel);
	for (struct hf_held *h = s->held_first, *next; h; h = next) {
		next = h->next;
		hf_arena_done(&h->arena);
		free(h);
	}
	hf_lookups_done(&s->lookups);
	hf_executions_done(&s->executions);
	hf_arena_done(&s->arena);
	hf_counts_done(&s->counts);
	hf_counts_done(&s->reported);
	free(s);
}

/* What this kernel refuses, and what ran before. */
static int begin(struct hf_sensor *s, uint64_t now_ns, struct hf_err *err)
{
	size_t n;
	const struct hf_kernel_program *p = hf_kernel_programs(s->kernel, &n);
	char text[320];
	int code = 0;

	s->opened = true;
	for (size_t i = 0; i < n && code >= 0; i++) {
		if (!p[i].why[0])
			continue;
		snprintf(text, sizeof text, "%s: %s (%s)", p[i].sees, p[i].why, p[i].section);
		code = hf_sensor_health(s, "hook", "degraded", text, s->sink, err);
	}
	for (size_t i = 0; i < 4 && code >= 0; i++)
		if (s->troubles[i].err.code)
			code = hf_sensor_health(s, s->troubles[i].part, "degraded", s->troubles[i].err.msg, s->sink,
						err);
	return code < 0 ? code : reconcile(s, now_ns, err);
}

static int engine(struct hf_sensor *s, struct hf_err *err)
{
	bool ok;
	hf_sv line = hf_containers_engine(s->containers, &ok);

	if (s->engine_told && ok == s->engine_ok)
		return 0;
	s->engine_told = true;
	s->engine_ok = ok;
	snprintf(s->engine_line, sizeof s->engine_line, "%.*s", HF_SV_FMT(line));
	return hf_sensor_health(s, "engine", ok ? "ok" : "degraded", s->engine_line, s->sink, err);
}

/* Each source may end the stream; what is wrong with one alone is told and the others go on. */
static int drain(struct hf_sensor *s, struct hf_err *err)
{
	s->drains++;
	int code = hf_kernel_drain(s->kernel, take_record, s, err);

	s->more = code > 0;
	if (code >= 0 && s->perf)
		code = hf_perf_drain(s->perf, err);
	if (code >= 0 && s->files)
		code = hf_files_drain(s->files, err);
	if (code >= 0 && s->connector)
		code = hf_connector_drain(s->connector, err);
	return code;
}

/* What had no place in the sensor's own tables: seen and handed out, but with less said of it. */
static int shortage(struct hf_sensor *s, struct hf_err *err)
{
	uint64_t now = s->executions.refused + s->held_refused;
	struct hf_err why = { 0 };

	if (now == s->shortage_told)
		return 0;
	s->shortage_told = now;
	hf_fail(&why, HF_E_LIMIT,
		"%" PRIu64 " executions had no room in the process tree, %" PRIu64 " events did not wait for a name",
		s->executions.refused, s->held_refused);
	return hf_sensor_trouble(s, "sensor", &why, err);
}

static int pace(struct hf_sensor *s, uint64_t now_ns, struct hf_err *err)
{
	bool walk = false;
	int code = 0;

	if (now_ns - s->clock_read_ns >= CLOCK_NS) {
		code = hf_sensor_clock(s, now_ns, err);
		if (code >= 0 && s->opened)
			code = engine(s, err);
	}
	if (code >= 0 && now_ns - s->sweep_ns >= SWEEP_NS) {
		s->sweep_ns = now_ns;
		code = hf_sensor_sweep(s, now_ns, false, err);
		if (code >= 0 && s->opened)
			code = shortage(s, err);
	}
	if (code >= 0 && s->opened && now_ns - s->room_ns >= SECOND_NS) {
		s->room_ns = now_ns;
		code = hf_sensor_room(s, now_ns, &walk, err);
	}
	if (code >= 0 && s->opened && (walk || now_ns - s->reconcile_ns >= s->options.reconcile_seconds * SECOND_NS))
		code = reconcile(s, now_ns, err);
	return code;
}

int hf_sensor_run(struct hf_sensor *s, int timeout_ms, const struct hf_event_sink *sink, struct hf_err *err)
{
	struct pollfd fds[] = { { .fd = hf_kernel_fd(s->kernel), .events = POLLIN },
				{ .fd = hf_containers_fd(s->containers), .events = POLLIN },
				{ .fd = s->perf ? hf_perf_fd(s->perf) : -1, .events = POLLIN },
				{ .fd = s->files ? hf_files_fd(s->files) : -1, .events = POLLIN },
				{ .fd = s->connector ? hf_connector_fd(s->connector) : -1, .events = POLLIN } };
	int code = 0;

	s->sink = sink;
	if (!s->opened) {
		code = hf_sensor_clock(s, hf_sensor_now_ns(), err);
		if (code >= 0)
			code = begin(s, hf_sensor_now_ns(), err);
	} else {
		if (poll(fds, HF_ARRAY_SIZE(fds),
			 s->more                 ? 0
			 : timeout_ms < DRAIN_MS ? timeout_ms
						 : DRAIN_MS) < 0 &&
		    errno != EINTR)
			return hf_fail_errno(err, "waiting for events");
		code = pace(s, hf_sensor_now_ns(), err);
	}
	if (code >= 0)
		code = drain(s, err);
	if (code >= 0 && (hf_containers_settle(s->containers, hf_sensor_now_ns()) || s->held_n))
		code = hf_sensor_release(s, false, err);
	return code < 0 ? code : 0;
}

int hf_sensor_flush(struct hf_sensor *s, const struct hf_event_sink *sink, struct hf_err *err)
{
	s->sink = sink;
	uint64_t until = hf_sensor_now_ns() + FLUSH_NS;
	int code;

	hf_kernel_detach(s->kernel);
	do
		code = drain(s, err);
	while (code >= 0 && s->more && hf_sensor_now_ns() < until);
	if (code >= 0)
		hf_containers_settle(s->containers, hf_sensor_now_ns());
	return code < 0 ? code : hf_sensor_release(s, true, err);
}

int hf_sensor_learned(struct hf_sensor *s, uint64_t cgroup_id, uint32_t profile, const uint64_t *keys, size_t n,
		      struct hf_err *err)
{
	return hf_kernel_learned(s->kernel, cgroup_id, profile, keys, n, err);
}

uint64_t hf_sensor_hash_key(const struct hf_sensor *s)
{
	return hf_kernel_hash_key(s->kernel);
}
