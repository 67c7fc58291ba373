/* Reads that a container can hold up: a file in a FUSE of its own, memory that it never lets be paged in. Each runs on a thread, which is
 * left behind when it takes too long. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hf_patience;

/* No more than @stuck_max threads are left behind at once; while they are, nothing is run any more. */
struct hf_patience *hf_patience_new(uint32_t timeout_ms, size_t stuck_max);
/* NULL is fine. What is left behind stays behind. */
void hf_patience_free(struct hf_patience *);
/* True: @work(@job) has ended, and @job (of malloc) is the caller's as before. False: @job is no more the caller's; it is freed when @work
 * ends, or has been because nothing was run. */
bool hf_patience_run(struct hf_patience *, void (*work)(void *job), void *job);
size_t hf_patience_stuck(struct hf_patience *);
