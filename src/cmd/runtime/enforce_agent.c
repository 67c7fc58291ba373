#include "cmd/runtime/enforce_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/log.h"
#include "enforce/enforcer.h"
#include "engine/container.h"
#include "sensor/procfs.h"
#include "sensor/snr_reconcile.h"

enum { KNOWN_MAX = 8192, TICK_MS = 100, LOOK_AGAIN_MS = 1000 };

struct known {
	uint64_t cgroup_id, device; /* of its root, when it is held */
	char *path;
	uint32_t pid;
	bool guarded;
	bool held, told; /* by a process of it; that it is not */
};

struct agent {
	const struct enforce_agent_options *options;
	struct hf_containers *containers;
	struct hf_enforcer *enforcer;
	struct hf_outputs *outputs;
	struct hf_event_sink sink;
	struct hf_reconcile *reconcile;
	struct known known[KNOWN_MAX];
	size_t known_n;
	int proc;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void describe(void *ctx, uint64_t cgroup_id, struct hf_event *e)
{
	struct agent *a = ctx;

	hf_container_describe(hf_containers_find(a->containers, cgroup_id), e);
	hf_event_set_uint(e, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
}

static void describe_file(void *ctx, uint64_t device, uint32_t pid, struct hf_event *e)
{
	struct agent *a = ctx;
	char buffer[4096];
	hf_sv path;

	for (size_t i = 0; i < a->known_n; i++) {
		if (a->known[i].held && a->known[i].device == device) {
			describe(ctx, a->known[i].cgroup_id, e);
			return;
		}
	}

	hf_sv text = hf_proc_read(a->proc, pid, "cgroup", buffer, sizeof buffer);
	if (hf_proc_cgroup_parse(text, hf_sv_of(hf_enforcer_hierarchy(a->enforcer)->controller), &path))
		describe(ctx, hf_reconcile_cgroup_id(a->reconcile, path), e);
}

static void note(struct agent *a, uint64_t cgroup_id, hf_sv path, uint32_t pid, bool before)
{
	const struct hf_container *c = hf_containers_born(a->containers, cgroup_id, path, now_ns(), before);

	if (!c || c->cgroup_id != cgroup_id)
		return;
	for (size_t i = 0; i < a->known_n; i++)
		if (a->known[i].cgroup_id == cgroup_id) {
			a->known[i].pid = pid ? pid : a->known[i].pid;
			return;
		}
	if (a->known_n == KNOWN_MAX)
		return;
	a->known[a->known_n++] =
		(struct known){ .cgroup_id = cgroup_id, .path = strndup(path.ptr, path.len), .pid = pid };
}

static void born(void *ctx, uint64_t cgroup_id, hf_sv path)
{
	note(ctx, cgroup_id, path, 0, false);
}

static void found(void *ctx, uint64_t cgroup_id, hf_sv path, uint32_t pid, uint64_t start_ns)
{
	(void)start_ns;
	note(ctx, cgroup_id, path, pid, true);
}

static int say(struct agent *a, const struct hf_container *c, const char *state, const char *what, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_HEALTH };
	char time[40];

	hf_enforcer_stamp(&e, now_ns(), time);
	hf_container_describe(c, &e);
	hf_event_set_string(&e, HF_FIELD_HEALTH_PART, HF_SV("enforcement"));
	hf_event_set_string(&e, HF_FIELD_HEALTH_STATE, hf_sv_of(state));
	hf_event_set_string(&e, HF_FIELD_HEALTH_MESSAGE, hf_sv_of(what));
	return a->sink.take(a->sink.ctx, &e, err);
}

static int guard(struct agent *a, struct known *k, const struct hf_container *c, struct hf_err *err)
{
	struct hf_err why = { 0 };
	uint64_t cgroup_id;
	char text[600];
	int code = hf_enforcer_guard(a->enforcer, k->path, &cgroup_id, &why);

	k->guarded = code >= 0;
	if (code == HF_E_MISSING)
		return 0;
	if (code < 0) {
		snprintf(text, sizeof text, "this container is NOT guarded: %s", why.msg);
		return say(a, c, "failed", text, err);
	}
	return say(a, c, "ok",
		   a->options->deny ? "this container is guarded" : "this container is guarded, as a dry run", err);
}

/* Only what was asked for, once its names are known; the others are looked at again when their names change. */
static int match(struct agent *a, struct hf_err *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < a->known_n; i++) {
		struct known *k = &a->known[i];
		const struct hf_container *c = k->guarded ? NULL : hf_containers_find(a->containers, k->cgroup_id);
		if (c && enforce_selected(a->options->selection, c->id, c->name, c->labels, c->labels_n))
			code = guard(a, k, c, err);
	}
	return code;
}

static bool hold_one(struct agent *a, struct known *k, struct hf_err *why)
{
	char buffer[4096];
	struct stat root;
	hf_sv path;
	hf_cleanup(hf_fd_close) int pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	hf_sv text = hf_proc_read(a->proc, k->pid, "cgroup", buffer, sizeof buffer);

	if (pidfd < 0 || !hf_proc_cgroup_parse(text, hf_sv_of(hf_enforcer_hierarchy(a->enforcer)->controller), &path) ||
	    hf_reconcile_cgroup_id(a->reconcile, path) != k->cgroup_id) {
		(void)hf_fail(why, HF_E_MISSING, "process %u is not there any more", k->pid);
		return false;
	}
	snprintf(buffer, sizeof buffer, "/proc/%u/root", k->pid);
	k->device = stat(buffer, &root) == 0 ? root.st_dev : 0;
	return hf_enforcer_process(a->enforcer, k->pid, pidfd, why);
}

/* What needs a process of the container: as soon as it has one in its own root. */
static int hold(struct agent *a, struct hf_err *err)
{
	int code = 0;

	if (hf_enforcer_forgot(a->enforcer))
		for (size_t i = 0; i < a->known_n; i++)
			a->known[i].held = false;
	for (size_t i = 0; !code && i < a->known_n; i++) {
		struct known *k = &a->known[i];
		struct hf_err why = { 0 };
		char text[600];
		if (!k->guarded || k->held || !k->pid)
			continue;
		k->held = hold_one(a, k, &why);
		if (k->held || k->told || why.code == HF_E_MISSING)
			continue;
		k->told = true;
		snprintf(text, sizeof text, "programs of this container are NOT judged by their bytes: %s", why.msg);
		code = say(a, hf_containers_find(a->containers, k->cgroup_id), "failed", text, err);
	}
	return code;
}

static void sweep(struct agent *a)
{
	for (size_t i = 0; i < a->known_n;) {
		struct known *k = &a->known[i];
		if (hf_reconcile_cgroup_id(a->reconcile, hf_sv_of(k->path)) == k->cgroup_id) {
			i++;
			continue;
		}
		if (k->guarded)
			hf_enforcer_unguard(a->enforcer, k->cgroup_id);
		hf_containers_gone(a->containers, k->cgroup_id, now_ns());
		free(k->path);
		*k = a->known[--a->known_n];
	}
}

static int turn(struct agent *a, struct hf_err *err)
{
	struct pollfd p[] = { { .fd = hf_enforcer_fd(a->enforcer), .events = POLLIN },
			      { .fd = hf_containers_fd(a->containers), .events = POLLIN } };

	poll(p, HF_ARRAY_SIZE(p), TICK_MS);
	int code = hf_enforcer_run(a->enforcer, err);
	hf_containers_settle(a->containers, now_ns());
	code = code < 0 ? code : match(a, err);
	return code < 0 ? code : hold(a, err);
}

static void tick(struct agent *a)
{
	struct hf_containers_count count = hf_containers_count(a->containers);
	const struct hf_sink_numbers numbers = { .containers = count.known,
						 .containers_pending = count.pending,
						 .containers_unresolved = count.unresolved };

	hf_outputs_tick(a->outputs, &numbers);
}

static int loop(struct agent *a, struct hf_err *err)
{
	struct hf_reconcile_sink sink = { .ctx = a, .container = found };
	uint64_t looked = 0;
	int code = 0;

	while (code >= 0 && !ended) {
		if (now_ns() - looked > LOOK_AGAIN_MS * UINT64_C(1000000)) {
			looked = now_ns();
			sweep(a);
			code = hf_reconcile_walk(a->reconcile, false, &sink, err);
			tick(a);
		}
		if (code >= 0)
			code = turn(a, err);
	}
	return code;
}

static void print_rules(const struct agent *a)
{
	for (uint32_t rule = 0; rule < HF_DENIES; rule++) {
		const struct hf_rung *r = hf_enforcer_rung_of(a->enforcer, rule);
		hf_sv remark = a->options->policy->rules[rule].note;
		if (r)
			log_note("%s %s by %s for %llu s: %s%s%.*s", a->options->deny ? "denies" : "would deny",
				 hf_deny_name(rule), r->name, (unsigned long long)a->options->policy->rules[rule].ttl_s,
				 r->residual, remark.len ? "; " : "", HF_SV_FMT(remark));
	}
}

static int deliver(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct agent *a = ctx;

	return a->sink.take(a->sink.ctx, e, err);
}

static int start(struct agent *a, struct hf_err *err)
{
	const struct hf_containers_options containers = { .docker_socket = a->options->docker_socket };
	const struct hf_enforcer_options options = {
		.policy = a->options->policy,
		.deny = a->options->deny,
		.rungs = a->options->rungs,
		.canary_ms = a->options->canary_ms,
		.ctx = a,
		.describe = describe,
		.describe_file = describe_file,
		.born = born,
		.sink = { deliver, a },
	};
	static const struct hf_feed none;
	int code = hf_enforcer_open(&options, &a->enforcer, err);

	if (code >= 0)
		code = hf_containers_open(&containers, &a->containers, err);
	if (code >= 0)
		code = hf_reconcile_open(
			&(struct hf_reconcile_options){ .hierarchy = hf_enforcer_hierarchy(a->enforcer) }, &none,
			&a->reconcile, err);
	return code;
}

int enforce_agent(const struct enforce_agent_options *o, struct hf_err *err)
{
	struct agent *a = hf_calloc(1, sizeof *a);
	struct sigaction action = { .sa_handler = end };
	char numbers[256];

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	a->options = o;
	a->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = start(a, err); /* before the outputs have threads */
	if (code >= 0)
		code = runtime_outputs_open(o->outputs, "enforce", &a->outputs, err);
	if (code >= 0) {
		a->sink = hf_outputs_sink(a->outputs);
		print_rules(a);
		code = loop(a, err);
	}
	if (a->enforcer && hf_enforcer_numbers(a->enforcer, numbers, sizeof numbers).len)
		log_note("%s", numbers);
	hf_enforcer_close(a->enforcer);
	hf_reconcile_close(a->reconcile);
	if (a->containers)
		hf_containers_close(a->containers);
	int closed = hf_outputs_close(a->outputs, 1000, code < 0 ? NULL : err);
	for (size_t i = 0; i < a->known_n; i++)
		free(a->known[i].path);
	hf_fd_close(&a->proc);
	free(a);
	return code < 0 ? code : closed;
}
