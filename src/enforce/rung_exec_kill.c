/* SIGKILL by a BPF program while a program is executed: at sched_prepare_exec (Linux 6.10), else at sched_process_exec. */
#include "enforce/programs.h"

#include <stdio.h>

static const char *const both[] = { "hf_kill_prepare_exec", "hf_kill_process_exec", NULL };

static bool probe(char *why, size_t size)
{
	static const char *const before[] = { "hf_kill_prepare_exec", NULL }, *const after[] = { "hf_kill_process_exec",
												 NULL };

	if (hf_programs_probe(before, why, size))
		return true;
	if (!hf_programs_probe(after, why, size))
		return false;
	snprintf(why, size, "at sched_process_exec: this kernel has no sched_prepare_exec");
	return true;
}

const struct hf_rung hf_rung_exec_kill = {
	.name = "exec-kill",
	.by = HF_BY_EXEC_KILL,
	.stops = 1u << HF_DENY_FILELESS | 1u << HF_DENY_DRIFT | 1u << HF_DENY_EXECUTABLES,
	.residual = "the process is killed before the program's first instruction, there is no error to handle; open: "
		    "what already runs, "
		    "scripts (their interpreter is judged) and libraries; a file of the image that was merely copied "
		    "up (chmod) counts "
		    "as the writable layer's; a process that entered the machine's own mount namespace; it ends with "
		    "this process",
	.programs = both,
	.probe = probe,
};
