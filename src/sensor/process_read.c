#include "sensor/process_read.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_STAT, TEXT_STATUS, TEXT_CGROUP, TEXT_EXECUTABLE, TEXT_ARGUMENTS };

static void read_executable(int proc, uint32_t pid, struct hf_proc_process *p)
{
	static const hf_sv deleted = HF_SV_INIT(" (deleted)");
	char path[32];

	snprintf(path, sizeof path, "%u/exe", pid);
	ssize_t n = readlinkat(proc, path, p->texts[TEXT_EXECUTABLE], HF_PROCESS_TEXT);
	if (n <= 0 || n == HF_PROCESS_TEXT)
		return;
	p->executable = (hf_sv){ p->texts[TEXT_EXECUTABLE], (size_t)n };
	p->executable_deleted = hf_sv_ends(p->executable, deleted);
	if (p->executable_deleted)
		p->executable = hf_sv_first(p->executable, p->executable.len - deleted.len);
}

static void read_arguments(int proc, uint32_t pid, struct hf_proc_process *p)
{
	hf_sv text = hf_proc_read(proc, pid, "cmdline", p->texts[TEXT_ARGUMENTS], HF_PROCESS_TEXT), one;

	p->arguments_truncated = text.len == HF_PROCESS_TEXT;
	if (hf_sv_ends(text, (hf_sv){ "", 1 }))
		text.len--;
	while (text.len && hf_sv_next(&text, 0, &one)) {
		if (p->arguments_n == HF_PROCESS_ARGUMENTS_MAX) {
			p->arguments_truncated = true;
			return;
		}
		p->arguments[p->arguments_n++] = one;
	}
}

bool hf_proc_process_read(int proc, uint32_t pid, hf_sv v1_controller, struct hf_proc_process *ret)
{
	struct hf_proc_process *p = ret;
	struct hf_proc_stat again;
	char text[1024];

	p->arguments_n = 0;
	p->cgroup = p->executable = (hf_sv){ 0 };
	p->executable_deleted = p->arguments_truncated = false;
	if (hf_proc_stat_parse(hf_proc_read(proc, pid, "stat", p->texts[TEXT_STAT], HF_PROCESS_TEXT), &p->stat, NULL) <
	    0)
		return false;
	p->start_ns = (uint64_t)((__extension__(unsigned __int128) p->stat.start_ticks) * 1000000000u /
				 (uint64_t)sysconf(_SC_CLK_TCK));
	hf_proc_status_parse(hf_proc_read(proc, pid, "status", p->texts[TEXT_STATUS], HF_PROCESS_TEXT), &p->status);
	if (!hf_proc_cgroup_parse(hf_proc_read(proc, pid, "cgroup", p->texts[TEXT_CGROUP], HF_PROCESS_TEXT),
				  v1_controller, &p->cgroup))
		p->cgroup = (hf_sv){ 0 };
	read_executable(proc, pid, p);
	read_arguments(proc, pid, p);
	return hf_proc_stat_parse(hf_proc_read(proc, pid, "stat", text, sizeof text), &again, NULL) >= 0 &&
	       again.start_ticks == p->stat.start_ticks;
}

void hf_proc_process_describe(const struct hf_proc_process *p, struct hf_event *e)
{
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID, p->stat.pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_TID, p->stat.pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PARENT_PID, p->stat.parent_pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_START_NS, p->start_ns);
	hf_event_set_string(e, HF_FIELD_PROCESS_NAME, p->stat.name);
	if (p->status.pid_in_namespace)
		hf_event_set_uint(e, HF_FIELD_PROCESS_PID_IN_CONTAINER, p->status.pid_in_namespace);
	hf_event_set_uint(e, HF_FIELD_PROCESS_UID, p->status.uid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_GID, p->status.gid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_CAPABILITIES, p->status.capabilities);
	hf_event_set_bool(e, HF_FIELD_PROCESS_TERMINAL, p->stat.terminal != 0);
	if (p->executable.len) {
		hf_event_set_string(e, HF_FIELD_PROCESS_EXE_PATH, p->executable);
		hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_DELETED, p->executable_deleted);
	}
	if (p->arguments_n) {
		hf_event_set_list(e, HF_FIELD_PROCESS_ARGUMENTS, p->arguments, p->arguments_n);
		hf_event_set_bool(e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED, p->arguments_truncated);
	}
}
