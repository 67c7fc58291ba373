/* Records of bpf/event.h to events. Pure. What the process tree and the container add is the sensor's. */
#pragma once
#include "base/arena.h"
#include "bpf/event.h"
#include "model/event.h"

/* The front of a record, copied out. False where @record is shorter than one, or than it says. */
bool hf_record_head(hf_sv record, struct hf_record *ret);
/* Sets the kind, process.* of the front, and for executions, ends and cgroups the fields of their kind; strings lie in @record or @a.
 * Other kinds: only the front (see object_record.h for the rest).
 * @return 0; HF_E_FORMAT; HF_E_LIMIT: @a is full. */
int hf_record_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err);
/* The path of a CONTAINER_START or CONTAINER_STOP. */
hf_sv hf_record_cgroup_path(hf_sv record);
/* Of an EXEC: what the process ran before; 0 else. */
uint64_t hf_record_old_execution(hf_sv record);
