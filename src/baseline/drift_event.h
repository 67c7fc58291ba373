/* Drift for events: which ones to ask about, and where an answer goes. */
#pragma once
#include "baseline/drift.h"
#include "model/event.h"

enum hf_drift_subject { HF_DRIFT_NOTHING = 0, HF_DRIFT_PROGRAM, HF_DRIFT_SCRIPT, HF_DRIFT_MAP };

/* The question that an event raises. Of an exec: its program where that lies in the writable layer, in memory or nowhere, on
 * another device than @root (hf_drift_root; 0: not known), or the sensor could not tell; else its script, also one that is only an
 * argument of an interpreter. Of a connection or listening port: such a program. Of a map: the file. Nothing for what the runtime does in setting up, for processes
 * without a container and for paths that were cut. @ret borrows from @e and @a; its id is the caller's to set. */
enum hf_drift_subject hf_drift_question_of(const struct hf_event *e, uint64_t root, struct hf_arena *a,
					   struct hf_drift_question *ret);
/* Sets process.executable.drift and .digest, process.script_drift, or map.drift and .digest. @answer must live as long as @e. */
void hf_drift_describe(const struct hf_drift_answer *answer, enum hf_drift_subject subject, struct hf_event *e);
