/* Runs independent tasks over a few threads, for as long as the call lasts. */
#pragma once
#include "base/error.h"

/* Calls @task(ctx, i) for each i < @n, on at most @jobs threads (0 and 1: the caller's alone; capped at HF_THREADS_MAX;
 * the caller's thread is one of them). Tasks start in order of i. After a task gave a negative code no further one is
 * started; the code and message of the failed task with the lowest i are returned, else HF_PARTIAL if one gave that,
 * else HF_OK. Where no thread can be made, the remaining ones do the work. Each task gets an *err of its own. */
hf_nodiscard int hf_threads_run(unsigned jobs, size_t n, int (*task)(void *ctx, size_t i, struct hf_err *err),
				void *ctx, struct hf_err *err);
/* Processors that this process may run on, at least 1, at most HF_THREADS_MAX. */
unsigned hf_threads_default(void);

/* A sum that all threads share: a taker waits until its part fits, so a total is never exceeded. A thread that holds a
 * part must not wait for another part of the same budget. */
struct hf_budget;
struct hf_budget *hf_budget_new(uint64_t total);
void hf_budget_free(struct hf_budget *b);
/* False at once where @n is more than the total can ever give. */
bool hf_budget_take(struct hf_budget *b, uint64_t n);
/* Takes at once, also what is not there: those that wait then wait for it to come back. */
void hf_budget_overdraw(struct hf_budget *b, uint64_t n);
void hf_budget_give(struct hf_budget *b, uint64_t n);
