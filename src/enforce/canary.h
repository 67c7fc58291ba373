/* The canary: a process of our own, in a cgroup of its own, that tries what is forbidden to it. As long as it is denied, enforcement
 * works; a rung that says so in a file and denies nothing is found within a minute. */
#pragma once
#include "enforce/programs.h"

struct canary;

enum { CANARY_POLICY = 2 };

/* Makes the cgroup holdfast-canary-PID. @guard: of the containers; its rungs are tried. */
int canary_open(struct hf_programs *p, const struct hf_guard *guard, uint32_t interval_ms, struct canary **ret,
		struct hf_err *err);
void canary_close(struct canary *c);
/* False: it is not time yet. Else what came of it; the processes take some milliseconds, at most two seconds. */
bool canary_run(struct canary *c, bool *ret_ok, char *text, size_t size);
