/* One process as /proc has it, for what ran before the sensor did and where BPF is missing. What lies in /proc can be another
 * process by the next read: it is this one's as long as the start time is the same before and after, which is checked. */
#pragma once
#include "model/event.h"
#include "sensor/procfs.h"

enum { HF_PROCESS_ARGUMENTS_MAX = 256, HF_PROCESS_TEXT = 4096 };

struct hf_proc_process {
	struct hf_proc_stat stat;
	struct hf_proc_status status;
	uint64_t start_ns; /* to a hundredth of a second */
	hf_sv cgroup;      /* path in the hierarchy; empty: none */
	hf_sv executable; /* as its own mount namespace names it; empty for threads of the kernel, or where it is not to be had */
	bool executable_deleted;
	hf_sv arguments[HF_PROCESS_ARGUMENTS_MAX];
	size_t arguments_n;
	bool arguments_truncated;
	char texts[5][HF_PROCESS_TEXT]; /* what the views above lie in */
};

/* False where it is gone, or became another one while it was read. @v1_controller: see hf_proc_cgroup_parse. */
bool hf_proc_process_read(int proc, uint32_t pid, hf_sv v1_controller, struct hf_proc_process *ret);
/* The process.* fields that are known; strings lie in @p. */
void hf_proc_process_describe(const struct hf_proc_process *p, struct hf_event *e);
