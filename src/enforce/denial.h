/* A denial of the kernel as an event. */
#pragma once
#include "base/arena.h"
#include "bpf/enforce.h"
#include "model/event.h"

/* @record of a struct hf_record_denial. Texts live in @a and @record. HF_E_FORMAT. *ret gets the front. */
int denial_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_record_denial *ret,
		 struct hf_err *err);
