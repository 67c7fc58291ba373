/* Permission events of fanotify, answered by processes of their own so that nothing that happens to the agent holds up a container.
 *
 * Two processes, made before the agent has threads. The server reads the events: one thread answers and never allocates, logs or
 * opens a file, the other reads files for their digests and adds marks. What has no answer after 20 ms is let through. The
 * watchdog looks whether the server gets on: when nothing was answered for 28 ms while something waits (the server is stopped,
 * starved, stuck) it kills the server and closes the group, by which the kernel lets through all that waits; then it starts a new one.
 * The end of the agent ends both, and the kernel takes the marks away. Both have sessions of their own: what stops the agent, or its
 * terminal's processes, does not stop them. */
#pragma once
#include "enforce/policy.h"

struct hf_permission;

enum hf_permission_kind {
	HF_PERMISSION_DENIED,
	HF_PERMISSION_LATE,      /* let through since its digest took too long; the next time it is known */
	HF_PERMISSION_RESTARTED, /* the watchdog killed the server: all marks are gone and must be made again */
	HF_PERMISSION_GAVE_UP,   /* too often in one minute */
};

struct hf_permission_told {
	uint32_t kind;
	uint32_t pid;
	uint32_t path_length;
	bool dry;
	uint64_t device; /* st_dev of the file: of the container's root */
	char digest[80];
	char path[3500];
};

/* @policy is copied by the fork. To be called by a process without threads. HF_E_DENIED, HF_E_UNSUPPORTED. */
int hf_permission_open(const struct hf_enforce_policy *policy, bool deny, uint64_t until_ns, struct hf_permission **ret,
		       struct hf_err *err);
void hf_permission_close(struct hf_permission *);
/* Watches the file system that is the root of process @pid, whose pidfd is @pidfd: another one that got its number is not taken for it. HF_E_MISSING where it is gone or not in a container's root yet,
 * HF_E_UNSUPPORTED where that is no overlay of its own: such a mark would hold up others. */
int hf_permission_mark(struct hf_permission *, uint32_t pid, int pidfd, struct hf_err *err);
/* While it is off all is let through. */
void hf_permission_switch(struct hf_permission *, bool on);
/* False: nothing more. */
bool hf_permission_take(struct hf_permission *, struct hf_permission_told *ret);
struct hf_permission_numbers {
	uint64_t answered, denied, late, untold;
	uint64_t worst_ns;         /* from the reading of an event to its answer */
	uint64_t held_ns;          /* the longest that a stuck server held up anybody */
	uint32_t server, watchdog; /* process ids */
};
struct hf_permission_numbers hf_permission_numbers(const struct hf_permission *);
