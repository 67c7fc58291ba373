/* What heals a loss: cgroups whose birth was not seen or had no room in the kernel's map, and ends whose records were lost. */
#include "sensor/sensor_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { HEAL_PAUSE_S = 10 };
#define SECOND_NS UINT64_C(1000000000)

const struct hf_container *hf_sensor_stranger(struct hf_sensor *s, uint64_t cgroup_id, uint32_t pid, bool *ret_unwanted)
{
	static char text[HF_PROCESS_TEXT]; /* one thread */
	struct hf_err why = { 0 };
	hf_sv path;

	*ret_unwanted = false;
	hf_cleanup(hf_fd_close) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!s->reconcile || !pid ||
	    !hf_proc_cgroup_parse(hf_proc_read(proc, pid, "cgroup", text, sizeof text),
				  hf_sv_of(hf_kernel_hierarchy(s->kernel)->controller), &path) ||
	    hf_reconcile_cgroup_id(s->reconcile, path) != cgroup_id)
		return NULL; /* gone by now, or moved: whose it was stays open */
	if (!hf_hierarchy_is_container(path)) {
		hf_sensor_ignore(s, cgroup_id);
		*ret_unwanted = true;
		return NULL;
	}
	if (hf_kernel_watch(s->kernel, cgroup_id, &why) < 0)
		hf_kernel_set_full(s->kernel, true);
	return hf_containers_born(s->containers, cgroup_id, path, hf_sensor_now_ns(), true);
}

void hf_sensor_ignore(struct hf_sensor *s, uint64_t cgroup_id)
{
	s->ignored[cgroup_id % HF_IGNORED_SLOTS] = cgroup_id;
	hf_kernel_ignore(s->kernel, cgroup_id);
}

static void end_if_gone(void *ctx, struct hf_execution *e)
{
	struct hf_sensor *s = ctx;
	uint64_t execution, cgroup_id;
	char path[32];

	/* Its record may be on its way still, so only what is long gone is ended here. */
	if (hf_sensor_now_ns() - e->since_ns < 10 * SECOND_NS)
		return;
	if (hf_kernel_process(s->kernel, e->pid, &execution, &cgroup_id) && execution) {
		if (execution != e->id) /* the pid is another process's now, or the record of its exec was lost */
			hf_executions_end(&s->executions, e, hf_sensor_now_ns());
		return;
	}
	snprintf(path, sizeof path, "/proc/%u", e->pid);
	if (access(path, F_OK) < 0)
		hf_executions_end(&s->executions, e, hf_sensor_now_ns());
}

void hf_sensor_heal_executions(struct hf_sensor *s)
{
	hf_executions_each(&s->executions, end_if_gone, s);
}

int hf_sensor_room(struct hf_sensor *s, uint64_t now_ns, bool *ret_walk, struct hf_err *err)
{
	bool full = hf_kernel_is_full(s->kernel);
	int code = 0;

	*ret_walk = false;
	if (s->executions.refused != s->refused_seen && now_ns - s->healed_ns >= SECOND_NS) {
		s->healed_ns = now_ns;
		s->refused_seen = s->executions.refused;
		hf_sensor_heal_executions(s);
	}
	if (full != s->full_told && (full || now_ns - s->reconcile_ns >= SECOND_NS)) {
		s->full_told = full;
		code = hf_sensor_health(
			s, "cgroups", full ? "degraded" : "ok",
			full ? "the kernel's table of cgroups is full: containers that start now are counted together, "
			       "and their events may lack a name"
			     : "each container has its own counters again",
			s->sink, err);
	}
	if (!full || now_ns - s->reconcile_ns < HEAL_PAUSE_S * SECOND_NS)
		return code;
	/* Cleared first: a birth that still finds no room sets it again, and so does a container that the walk finds no room for. */
	hf_kernel_set_full(s->kernel, false);
	*ret_walk = true;
	return code;
}
