/* The sources beside BPF: who their processes are, and their counts. */
#include "sensor/sensor_internal.h"

static struct hf_feed_process process_of(void *ctx, uint32_t pid, uint64_t time_ns)
{
	struct hf_sensor *s = ctx;
	struct hf_feed_process p = { 0 };
	const struct hf_execution *x = hf_executions_of_pid(&s->executions, pid, time_ns);
	struct hf_stranger *stranger = &s->strangers[pid % HF_STRANGERS];

	if (x) {
		p.cgroup_id = x->cgroup_id;
		p.execution = x->id;
	} else if (stranger->pid == pid && stranger->drain == s->drains) { /* a program maps a dozen libraries */
		p.unwanted = !s->options.host;
	} else if (!hf_kernel_process(s->kernel, pid, &p.execution, &p.cgroup_id)) {
		/* Neither ran a program in a watched container nor was made in one. */
		*stranger = (struct hf_stranger){ pid, s->drains };
		p.unwanted = !s->options.host;
	} else if ((x = hf_executions_find(&s->executions, p.execution)) && x->pid == pid && x->since_ns > time_ns) {
		p.execution = 0; /* what it has run only since: execution_of says whose it was */
	}
	if (!s->options.host && (!p.cgroup_id || hf_sensor_ignored(s, p.cgroup_id)))
		p.unwanted = true;
	return p;
}

/* What a process in a container ran at that time, its own or that of whom it is a fork. Before the first program of one that came from
 * outside it is the runtime at work, and the event is marked so; who is not known at all may be anybody, and is not. */
static uint64_t execution_of(struct hf_sensor *s, uint32_t pid, uint64_t time_ns)
{
	const struct hf_execution *x = hf_executions_of_pid(&s->executions, pid, time_ns);
	uint64_t execution = 0, cgroup_id;

	if (x)
		return x->id;
	if (!hf_kernel_process(s->kernel, pid, &execution, &cgroup_id))
		return 0;
	x = hf_executions_find(&s->executions, execution);
	if (execution && (!x || x->pid != pid || x->since_ns <= time_ns))
		return execution;
	hf_event_set_bool(&s->event, HF_FIELD_PROCESS_SETUP, true);
	return 0;
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct hf_sensor *s = ctx;
	uint64_t cgroup_id = hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID);
	uint64_t execution = hf_event_uint(e, HF_FIELD_PROCESS_EXECUTION);

	hf_arena_reset(&s->arena);
	s->event = *e;
	if (!cgroup_id && hf_event_has(e, HF_FIELD_PROCESS_PID)) {
		struct hf_feed_process p = process_of(s, (uint32_t)hf_event_uint(e, HF_FIELD_PROCESS_PID),
						      hf_event_uint(e, HF_FIELD_MONOTONIC_NS));

		cgroup_id = p.cgroup_id;
		execution = p.execution;
		if (p.unwanted)
			return 0;
	}
	if (cgroup_id && !execution && hf_event_has(e, HF_FIELD_PROCESS_PID))
		execution = execution_of(s, (uint32_t)hf_event_uint(e, HF_FIELD_PROCESS_PID),
					 hf_event_uint(e, HF_FIELD_MONOTONIC_NS));
	HF_COUNT(s, e->kind, cgroup_id, seen, 1);
	HF_COUNT(s, e->kind, cgroup_id, delivered, 1);
	return hf_sensor_hand(s, cgroup_id, execution, err);
}

static void count(void *ctx, enum hf_event_kind kind, uint64_t cgroup_id, enum hf_fate fate, uint64_t n)
{
	static const size_t field[] = {
		[HF_FATE_KNOWN] = offsetof(struct hf_sensor_counts, known),
		[HF_FATE_DROPPED_RING] = offsetof(struct hf_sensor_counts, dropped_ring),
		[HF_FATE_DROPPED_RATE] = offsetof(struct hf_sensor_counts, dropped_rate),
		[HF_FATE_DROPPED_MAP] = offsetof(struct hf_sensor_counts, dropped_map),
		[HF_FATE_DROPPED_UNREADABLE] = offsetof(struct hf_sensor_counts, dropped_unreadable),
		[HF_FATE_DROPPED_QUEUE] = offsetof(struct hf_sensor_counts, dropped_queue),
	};
	struct hf_sensor *s = ctx;

	HF_COUNT(s, kind, cgroup_id, seen, n);
	hf_sensor_count(s, kind, cgroup_id, field[fate], n);
}

static void born(void *ctx, uint64_t cgroup_id, hf_sv path, uint64_t time_ns)
{
	struct hf_sensor *s = ctx;

	if (!hf_containers_find(s->containers, cgroup_id) && !hf_sensor_ignored(s, cgroup_id))
		hf_containers_born(s->containers, cgroup_id, path, time_ns, false);
}

struct hf_feed hf_sensor_feed(struct hf_sensor *s)
{
	return (struct hf_feed){ .ctx = s,
				 .process = process_of,
				 .take = take,
				 .count = count,
				 /* perf tells of cgroups of its own controller's hierarchy */
				 .cgroup = hf_hierarchy_is_v1(hf_kernel_hierarchy(s->kernel)) ? NULL : born };
}

void hf_sensor_found(struct hf_sensor *s, uint64_t cgroup_id, const struct hf_proc_process *p)
{
	const struct hf_execution *known = hf_executions_of_pid(&s->executions, p->stat.pid, 0), *parent;
	uint64_t execution = 0, of_kernel = 0;

	if (known)
		return;
	if (hf_kernel_process(s->kernel, p->stat.pid, &execution, &of_kernel) && execution)
		return; /* a fork: it belongs to an execution that is known, or whose record is on its way */
	hf_kernel_found(s->kernel, p->stat.pid, cgroup_id);
	parent = hf_executions_of_pid(&s->executions, p->stat.parent_pid, 0);
	const struct hf_execution x = {
		.id = (uint64_t)HF_SYNTHETIC << 32 | ++s->next_synthetic,
		.parent = parent ? parent->id : 0,
		.cgroup_id = cgroup_id,
		.start_ns = p->start_ns,
		.since_ns = p->start_ns,
		.pid = p->stat.pid,
		.parent_pid = p->stat.parent_pid,
		.path = p->executable,
		.arguments = p->arguments,
		.arguments_n = p->arguments_n,
	};
	hf_executions_add(&s->executions, &x); /* what finds no room is counted there */
}
