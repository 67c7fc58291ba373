/* Records of bpf/object.h to the fields of their kind. Pure; time, process and container are in the record's front, which the sensor
 * reads alike for all kinds. */
#pragma once
#include "base/arena.h"
#include "model/event.h"
#include "sensor/namespaces.h"

/* True where records of this kind are read here. */
bool hf_object_is(uint32_t kind);
/* Sets the kind and its fields; strings live in @a. @record is whole, as long as its front says. @host: the
 * machine's namespaces; NULL: not known.
 * @return 0; HF_PARTIAL: a DNS answer that was cut; HF_E_FORMAT; HF_E_LIMIT: @a is full. */
int hf_object_event(hf_sv record, const struct hf_namespace_set *host, struct hf_arena *a, struct hf_event *e,
		    struct hf_err *err);
