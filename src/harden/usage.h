/* What a workload used: from a recorded trace or from a profile. Only what was seen in the container's own processes counts: what
 * the container runtime does before the entrypoint runs is left out, and what came in from outside (docker exec) unless asked for.
 *
 * A kind of event that never came is not "none": `known` says which kinds were looked for at all. A kind of which some were lost
 * is in `lost`; nothing is to be taken away on its word. */
#pragma once
#include "harden/names.h"
#include "model/event.h"

struct hf_usage {
	struct hf_arena *arena;
	/* Which container: a name, or an id or the beginning of one (12 digits or more). Empty: all, which must then be of one workload. */
	hf_sv wanted;
	bool entered;      /* count also what came in from outside */
	bool static_calls; /* of a profile, count also system calls that the image's code could make and that nobody saw */

	struct hf_names containers, images, image_digests; /* that were counted */
	struct hf_names workloads;                         /* "IMAGE", "IMAGE of OWNER": replicas are one */
	struct hf_names executables, libraries;            /* paths; of a script, it and its interpreter */
	struct hf_names files_written, files_read;         /* paths in the container's root */
	struct hf_names syscalls;
	struct hf_names capability_syscalls; /* "CAP_CHOWN fchownat" */
	struct hf_names ports;               /* listened on: "80/tcp" */
	struct hf_names peers;           /* connected to: "db.example 10.0.0.2:5432/tcp", the name where it is known */
	struct hf_names users;           /* user ids of the processes, as the host counts */
	struct hf_names namespaces;      /* kinds of them that were made or entered */
	uint64_t capabilities;           /* used, and allowed */
	bool setuid;                     /* a program was run that changes user or gains capabilities by its file */
	bool from_start, running_before; /* a container was seen from its start; one ran before the trace began */
	uint64_t first_ns, last_ns;      /* of the events, since boot; 0: not told */
	bool capabilities_asked;         /* `capabilities` may hold some that were asked for and refused */
	uint64_t known, lost;            /* bits 1 << enum hf_event_kind */
	size_t events, entered_events, alerts, truncated,
		other_events; /* counted; left out; seen; unusable paths; of others */
};

void hf_usage_init(struct hf_usage *u, struct hf_arena *a);
static inline bool hf_usage_knows(const struct hf_usage *u, enum hf_event_kind kind)
{
	return u->known >> kind & 1 && !(u->lost >> kind & 1);
}
/* An hf_event_sink's take with the usage as its context. HF_E_LIMIT where the arena is full. */
int hf_usage_take(void *usage, const struct hf_event *e, struct hf_err *err);
struct hf_profile;
/* Adds what a profile holds. Parts that it does not cover stay unknown. Since it does not say which programs gained rights by their
 * file, they count as if one had: nothing is then made with no-new-privileges. Nor does it tell capabilities that were refused. HF_E_LIMIT. */
int hf_usage_add_profile(struct hf_usage *u, const struct hf_profile *p, struct hf_err *err);
/* After the last event. HF_E_MISSING: no event of the wanted container; HF_E_USAGE: several workloads, and none was
 * chosen: the message lists them. */
int hf_usage_check(struct hf_usage *u, struct hf_err *err);
