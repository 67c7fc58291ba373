/* What an event says about a workload, in the words of a profile: the same for learning and for judging. */
#pragma once
#include "baseline/profile.h"

struct hf_observation {
	enum hf_profile_part part;
	hf_sv object;     /* a pattern, as a profile would hold it */
	hf_sv details[2]; /* digest, build id, operation, system call; empty: not known */
	bool unknowable; /* the path was cut, the program has no place in the file system, or the object is none: nothing allows it */
	bool in_image; /* the file is the image's own, byte for byte, so its digest need not be asked for */
	bool arguments_cut;
	const hf_sv *arguments; /* of EXECUTABLES and SCRIPTS; as they were seen */
	size_t arguments_n;
	hf_sv address; /* of PEERS without a name */
};

struct hf_observations {
	struct hf_observation *at;
	size_t n;
};

/* All that the event says; nothing for events of the container's runtime (process.runtime_setup), of the host, and of kinds that
 * profiles do not hold. Lives in @a and in @e. */
struct hf_observations hf_observe(const struct hf_event *e, struct hf_arena *a);
/* The parts that events of this kind speak of, as bits. */
uint32_t hf_observe_parts(enum hf_event_kind kind);
