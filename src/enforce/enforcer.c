#include "enforce/enforcer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "enforce/canary.h"
#include "enforce/denial.h"
#include "enforce/permission.h"
#include "enforce/programs.h"
#include "sensor/procfs.h"

enum { POLICY = 1, RUNGS_MAX = 16 };

struct hf_enforcer {
	struct hf_enforcer_options options;
	struct hf_programs *programs;
	struct canary *canary;
	struct hf_permission *permission;
	bool forgot;
	const struct hf_rung *rungs[HF_DENIES];
	struct hf_guard guard; /* of each container */
	uint64_t ends_ns[HF_DENIES];
	bool ended[HF_DENIES], off;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void hf_enforcer_stamp(struct hf_event *e, uint64_t monotonic_ns, char text[40])
{
	struct timespec t;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &t);
	int64_t wall = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - (int64_t)(now_ns() - monotonic_ns);
	t.tv_sec = wall / 1000000000;
	gmtime_r(&t.tv_sec, &tm);
	size_t n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(text + n, 40 - n, ".%09dZ", (int)(wall % 1000000000));
	hf_event_set_string(e, HF_FIELD_TIME, (hf_sv){ text, n });
	hf_event_set_uint(e, HF_FIELD_MONOTONIC_NS, monotonic_ns);
}

size_t hf_enforcer_probe(struct hf_enforcer_rung *out, size_t max)
{
	size_t n = 0;

	for (; hf_rungs[n] && n < max; n++) {
		out[n].rung = hf_rungs[n];
		out[n].why[0] = 0;
		out[n].works = hf_rungs[n]->probe(out[n].why, sizeof out[n].why);
	}
	return n;
}

/* Each rule gets the first rung that works and can hold it; without one the whole policy is refused. */
static int choose(struct hf_enforcer *e, struct hf_err *err)
{
	struct hf_enforcer_rung rungs[RUNGS_MAX];
	size_t n = hf_enforcer_probe(rungs, RUNGS_MAX);

	for (uint32_t rule = 0; rule < HF_DENIES; rule++) {
		char tried[400] = "";
		size_t at = 0;
		if (!e->options.policy->rules[rule].on)
			continue;
		for (size_t i = 0; i < n && !e->rungs[rule]; i++) {
			const struct hf_rung *r = rungs[i].rung;
			if (!(r->stops & 1u << rule))
				continue;
			if (rungs[i].works && (!e->options.rungs || e->options.rungs & 1u << r->by))
				e->rungs[rule] = r;
			else if (at < sizeof tried)
				at += (size_t)snprintf(tried + at, sizeof tried - at, "%s%s: %s", at ? "; " : "",
						       r->name, rungs[i].works ? "not wanted" : rungs[i].why);
		}
		if (!e->rungs[rule])
			return hf_fail(err, HF_E_UNSUPPORTED,
				       "rule %s cannot be enforced on this node (%s); nothing is", hf_deny_name(rule),
				       tried);
	}
	return 0;
}

static int health(struct hf_enforcer *e, hf_sv part, const char *state, hf_sv message, struct hf_err *err)
{
	struct hf_event event = { .kind = HF_EVENT_HEALTH };
	char text[40];

	hf_enforcer_stamp(&event, now_ns(), text);
	hf_event_set_string(&event, HF_FIELD_HEALTH_PART, part);
	hf_event_set_string(&event, HF_FIELD_HEALTH_STATE, hf_sv_of(state));
	hf_event_set_string(&event, HF_FIELD_HEALTH_MESSAGE, message);
	return e->options.sink.take(e->options.sink.ctx, &event, err);
}

/* /proc counts from boot with what was slept, the kernel's record without. */
static bool same_start(const struct hf_record *h, uint64_t start_ticks)
{
	struct timespec boot, monotonic;
	uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	int64_t slept = (int64_t)(boot.tv_sec - monotonic.tv_sec) * 1000000000 + boot.tv_nsec - monotonic.tv_nsec;
	uint64_t expected = (h->start_ns + (uint64_t)slept) / tick;
	return start_ticks + 1 >= expected && start_ticks <= expected + 1;
}

/* The process is still the one of the record by its start. */
static bool respond(const struct hf_record_denial *r)
{
	char line[1024];
	struct hf_proc_stat stat;
	struct hf_err err = { 0 };
	char path[64];
	int fd = (int)syscall(SYS_pidfd_open, r->head.pid, 0);

	if (fd < 0)
		return false;
	snprintf(path, sizeof path, "/proc/%u/stat", r->head.pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(line, 1, sizeof line, f) : 0;
	if (f)
		fclose(f);
	bool same =
		n && hf_proc_stat_parse((hf_sv){ line, n }, &stat, &err) == 0 && same_start(&r->head, stat.start_ticks);
	bool killed = same && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	close(fd);
	return killed;
}

static int take_cgroup(struct hf_enforcer *e, hf_sv record)
{
	struct hf_record_cgroup r;

	if (record.len < sizeof r)
		return 0;
	memcpy(&r, record.ptr, sizeof r);
	e->options.born(e->options.ctx, r.head.cgroup_id, hf_sv_slice(record, sizeof r, r.path_length));
	return 0;
}

static int take(void *ctx, hf_sv record, struct hf_err *err)
{
	struct hf_enforcer *e = ctx;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_KIB(256));
	struct hf_event event = { 0 };
	struct hf_record_denial r;
	struct hf_record head;
	char text[40];

	if (record.len < sizeof head)
		return 0;
	memcpy(&head, record.ptr, sizeof head);
	if (head.kind != HF_EVENT_DENIAL)
		return take_cgroup(e, record);
	int code = denial_event(record, &a, &event, &r, err);
	if (code < 0)
		return code;
	if (r.by == HF_BY_RESPONSE && !(r.flags & HF_DENIAL_DRY) && !respond(&r))
		hf_event_set_bool(&event, HF_FIELD_DENIAL_DRY_RUN, true);
	hf_enforcer_stamp(&event, r.head.ns, text);
	if (r.flags & HF_DENIAL_CANARY)
		return 0;
	e->options.describe(e->options.ctx, r.head.cgroup_id, &event);
	return e->options.sink.take(e->options.sink.ctx, &event, err);
}

static void make_guard(struct hf_enforcer *e)
{
	const struct hf_enforce_policy *p = e->options.policy;
	uint64_t now = now_ns();

	e->guard = (struct hf_guard){ .policy = POLICY, .flags = e->options.deny ? 0 : HF_GUARD_DRY };
	for (uint32_t rule = 0; rule < HF_DENIES; rule++) {
		if (!p->rules[rule].on)
			continue;
		if (rule != HF_DENY_DIGESTS)
			e->guard.rules |= 1u << rule;
		e->guard.by[rule] = (uint8_t)e->rungs[rule]->by;
		e->guard.until_ns[rule] = e->ends_ns[rule] = now + p->rules[rule].ttl_s * 1000000000u;
	}
	if (p->rules[HF_DENY_EXECUTABLES].only)
		e->guard.flags |= HF_GUARD_EXECUTABLES_ONLY;
	if (p->rules[HF_DENY_PEERS].only)
		e->guard.flags |= HF_GUARD_PEERS_ONLY;
}

const struct hf_hierarchy *hf_enforcer_hierarchy(const struct hf_enforcer *e)
{
	return hf_programs_hierarchy(e->programs);
}

int hf_enforcer_open(const struct hf_enforcer_options *options, struct hf_enforcer **ret, struct hf_err *err)
{
	struct hf_enforcer *e = hf_calloc(1, sizeof *e);
	uint32_t rungs = 0;

	e->options = *options;
	int code = choose(e, err);
	for (uint32_t rule = 0; !code && rule < HF_DENIES; rule++)
		rungs |= e->rungs[rule] ? 1u << e->rungs[rule]->by : 0;
	if (!code)
		make_guard(e);
	if (!code && e->rungs[HF_DENY_DIGESTS])
		code = hf_permission_open(options->policy, options->deny, e->ends_ns[HF_DENY_DIGESTS], &e->permission,
					  err);
	if (!code)
		code = hf_programs_open(rungs, take, e, &e->programs, err);
	if (!code)
		code = hf_programs_policy(e->programs, POLICY, options->policy, err);
	if (!code && options->deny && options->canary_ms)
		code = canary_open(e->programs, &e->guard, options->canary_ms, &e->canary, err);
	if (code < 0)
		hf_enforcer_close(e);
	else
		*ret = e;
	return code;
}

void hf_enforcer_close(struct hf_enforcer *e)
{
	if (!e)
		return;
	canary_close(e->canary);
	hf_permission_close(e->permission);
	hf_programs_close(e->programs);
	free(e);
}

const struct hf_rung *hf_enforcer_rung_of(const struct hf_enforcer *e, enum hf_deny rule)
{
	return e->rungs[rule];
}

int hf_enforcer_guard(struct hf_enforcer *e, const char *path, uint64_t *ret_cgroup_id, struct hf_err *err)
{
	return hf_programs_guard(e->programs, path, &e->guard, ret_cgroup_id, err);
}

void hf_enforcer_unguard(struct hf_enforcer *e, uint64_t cgroup_id)
{
	hf_programs_unguard(e->programs, cgroup_id);
}

int hf_enforcer_fd(const struct hf_enforcer *e)
{
	return hf_programs_fd(e->programs);
}

/* What has changed about enforcement itself: the switch, ends of rules. */
static int look(struct hf_enforcer *e, struct hf_err *err)
{
	bool off = !hf_programs_is_on(e->programs);
	uint64_t now = now_ns();
	int code = 0;

	if (off != e->off) {
		e->off = off;
		if (e->permission)
			hf_permission_switch(e->permission, !off);
		code = health(e, HF_SV("enforcement"), off ? "degraded" : "ok",
			      off ? HF_SV("the switch was turned off: nothing is denied, what would be is still told")
				  : HF_SV("the switch is on again"),
			      err);
	}
	for (uint32_t rule = 0; !code && rule < HF_DENIES; rule++) {
		char text[160];
		if (!e->ends_ns[rule] || e->ended[rule] || now < e->ends_ns[rule])
			continue;
		e->ended[rule] = true;
		int n = snprintf(text, sizeof text, "rule %s has reached its time (ttl %llu s) and denies nothing more",
				 hf_deny_name(rule), (unsigned long long)e->options.policy->rules[rule].ttl_s);
		code = health(e, HF_SV("enforcement"), "degraded", (hf_sv){ text, (size_t)n }, err);
	}
	return code;
}

static int told(struct hf_enforcer *e, const struct hf_permission_told *t, struct hf_err *err)
{
	struct hf_event event = { .kind = HF_EVENT_DENIAL };
	hf_sv path = { t->path, t->path_length };
	char text[40], message[256];

	if (t->kind == HF_PERMISSION_DENIED) {
		hf_enforcer_stamp(&event, now_ns(), text);
		hf_event_set_uint(&event, HF_FIELD_PROCESS_PID, t->pid);
		hf_event_set_string(&event, HF_FIELD_PROCESS_EXE_PATH, path);
		hf_event_set_string(&event, HF_FIELD_PROCESS_EXE_DIGEST, hf_sv_of(t->digest));
		hf_event_set_string(&event, HF_FIELD_DENIAL_RULE, hf_sv_of(hf_deny_name(HF_DENY_DIGESTS)));
		hf_event_set_string(&event, HF_FIELD_DENIAL_RUNG, hf_sv_of(e->rungs[HF_DENY_DIGESTS]->name));
		hf_event_set_string(&event, HF_FIELD_DENIAL_RESIDUAL, hf_sv_of(e->rungs[HF_DENY_DIGESTS]->residual));
		hf_event_set_bool(&event, HF_FIELD_DENIAL_DRY_RUN, t->dry);
		hf_event_set_string(&event, HF_FIELD_DENIAL_OBJECT, path);
		e->options.describe_file(e->options.ctx, t->device, t->pid, &event);
		return e->options.sink.take(e->options.sink.ctx, &event, err);
	}
	if (t->kind == HF_PERMISSION_LATE) {
		int n = snprintf(message, sizeof message, "%.*s was let through: its digest was not known within 20 ms",
				 (int)(path.len < 160 ? path.len : 160), path.ptr);
		return health(e, HF_SV("enforcement"), "degraded", (hf_sv){ message, (size_t)n }, err);
	}
	e->forgot = t->kind == HF_PERMISSION_RESTARTED;
	return health(e, HF_SV("enforcement"), e->forgot ? "degraded" : "failed",
		      e->forgot ? HF_SV("the permission server did not answer: its watchdog let all through and starts "
					"it again")
				: HF_SV("the permission server did not answer time and again: rule digests denies "
					"nothing any more"),
		      err);
}

static int take_permissions(struct hf_enforcer *e, struct hf_err *err)
{
	static struct hf_permission_told t;
	int code = 0;

	while (code >= 0 && e->permission && hf_permission_take(e->permission, &t))
		code = told(e, &t, err);
	return code;
}

bool hf_enforcer_process(struct hf_enforcer *e, uint32_t pid, int pidfd, struct hf_err *err)
{
	return !e->permission || hf_permission_mark(e->permission, pid, pidfd, err) == 0;
}

bool hf_enforcer_forgot(struct hf_enforcer *e)
{
	bool forgot = e->forgot;

	e->forgot = false;
	return forgot;
}

hf_sv hf_enforcer_numbers(const struct hf_enforcer *e, char *out, size_t size)
{
	if (!e->permission)
		return (hf_sv){ 0 };
	struct hf_permission_numbers n = hf_permission_numbers(e->permission);
	snprintf(out, size,
		 "permission events: %llu answered, %llu denied, %llu late, %llu untold, longest answer %llu us, held "
		 "up by a stuck server %llu us",
		 (unsigned long long)n.answered, (unsigned long long)n.denied, (unsigned long long)n.late,
		 (unsigned long long)n.untold, (unsigned long long)n.worst_ns / 1000,
		 (unsigned long long)n.held_ns / 1000);
	return hf_sv_of(out);
}

int hf_enforcer_run(struct hf_enforcer *e, struct hf_err *err)
{
	char text[320];
	bool ok;
	int code = hf_programs_drain(e->programs, err);

	if (code < 0)
		return code;
	code = take_permissions(e, err);
	if (code >= 0)
		code = look(e, err);
	if (code < 0 || !e->canary || e->off)
		return code;
	if (canary_run(e->canary, &ok, text, sizeof text))
		code = health(e, HF_SV("canary"), ok ? "ok" : "degraded", hf_sv_of(text), err);
	return code;
}

int hf_enforcer_switch_all(bool on, uint32_t pid, struct hf_err *err)
{
	return hf_programs_switch_all(on, pid, err);
}
