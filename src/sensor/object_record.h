/* Records of bpf/object.h to the fields of their kind. Pure; time, process and container are in the record's front, which the sensor
 * reads alike for all kinds. */
#pragma once
#include "base/arena.h"
#include "model/event.h"

/* True where records of this kind are read here. */
bool hf_object_is(uint32_t kind);
/* Sets the kind and its fields; strings live in @a. @record is whole, as long as its front says.
 * @return 0; HF_PARTIAL: a DNS answer that was cut; HF_E_FORMAT; HF_E_LIMIT: @a is full. */
int hf_object_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err);
