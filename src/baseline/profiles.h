/* The profiles of a node: each event is held against the profile of its workload, found by the image's digest and the owner below one
 * folder and read when the first event of that workload comes. One thread.
 *
 * A workload without a profile gets no verdicts, and is counted. A file that cannot be read is told once and taken as none: what it
 * would have allowed then alerts nowhere, which the count `broken` says. */
#pragma once
#include "baseline/judge.h"

struct hf_profiles;

struct hf_profiles_options {
	const char *folder;          /* as `runtime learn` fills it; NULL: none */
	struct hf_event_sink alerts; /* gets an ALERT event for each verdict that is one, unless the profile learns */
	/* Told of a file that is no profile, once; may be NULL. */
	void (*note)(void *ctx, const char *path, const struct hf_err *why);
	void *note_ctx;
	/* Asked for workloads of which the folder has no profile; may be NULL. It lives until the next call; *@ret_later: the event will be judged
	 * by hf_profiles_take once more. */
	const struct hf_profile *(*other)(void *ctx, const struct hf_event *e, bool *ret_later);
	void *other_ctx;
	size_t loaded_max; /* profiles in memory; 0: 64. The one that was not asked for the longest makes room. */
};

struct hf_profiles_count {
	uint64_t judged, allowed, cannot_tell, alerts; /* judged = the sum of the other three */
	uint64_t without_profile;                      /* events of workloads that have none */
	uint64_t broken;                               /* files that are no profiles */
	size_t loaded;
};

struct hf_profiles *hf_profiles_new(const struct hf_profiles_options *options);
void hf_profiles_free(struct hf_profiles *ps);
/* The folder's; NULL where the event's workload has none there. Lives until the next call. */
const struct hf_profile *hf_profiles_find(struct hf_profiles *ps, const struct hf_event *e);
/* Judges one event; 0, or what the sink of alerts returned. */
int hf_profiles_take(struct hf_profiles *ps, const struct hf_event *e, struct hf_err *err);
/* Forgets what was read: the next events read the files again. */
void hf_profiles_reload(struct hf_profiles *ps);
struct hf_profiles_count hf_profiles_count(const struct hf_profiles *ps);
