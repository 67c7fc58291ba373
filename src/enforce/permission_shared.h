/* What the agent, the watchdog and the server share. Inner part of permission. */
#pragma once
#include <stdatomic.h>

#include "enforce/permission.h"

struct permission_shared {
	atomic_uint off;
	atomic_uint reading; /* an event may have been read that is not among the waiting ones yet */
	atomic_uint waiting; /* read and not answered */
	atomic_ullong answered, denied, late, untold, worst_ns;
	atomic_ullong held_ns; /* the longest that a stuck server held up anybody, as the watchdog saw it */
	atomic_uint server, watchdog;
};

struct permission_setup {
	const struct hf_enforce_policy *policy;
	struct permission_shared *shared;
	bool deny;
	uint64_t until_ns;
	int told;     /* pipe to the agent, non-blocking */
	int commands; /* socket from the agent: a descriptor each */
	uint32_t agent;
};

/* Never returns. @group is the fanotify group. */
_Noreturn void permission_serve(const struct permission_setup *s, int group);
/* Never blocks; what does not fit into the pipe is counted. */
void permission_tell(const struct permission_setup *s, const struct hf_permission_told *told);
uint64_t permission_now_ns(void);
/* The calling thread, which does little, goes before those that do much. */
void permission_hurry(void);
