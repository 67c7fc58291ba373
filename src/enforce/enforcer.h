/* Enforcement of one policy on chosen containers: each rule gets the best rung that this node has, denials come out as events
 * (kind denial), and what changes about enforcement itself as events of kind health. One thread. */
#pragma once
#include "enforce/policy.h"
#include "enforce/rung.h"
#include "model/event.h"
#include "sensor/hierarchy.h"

struct hf_enforcer;

struct hf_enforcer_options {
	const struct hf_enforce_policy *policy; /* borrowed */
	bool deny;                              /* false: a dry run, which only says what it would deny */
	uint32_t rungs;                         /* bits 1 << enum hf_deny_by that may be used; 0: all */
	uint32_t canary_ms;                     /* 0: none; with @deny alone */
	void *ctx;
	/* Fills the container.* fields of the cgroup. */
	void (*describe)(void *ctx, uint64_t cgroup_id, struct hf_event *e);
	/* The same for the container whose root is this file system, else that of a process, which may have ended. */
	void (*describe_file)(void *ctx, uint64_t device, uint32_t pid, struct hf_event *e);
	/* A cgroup was born. */
	void (*born)(void *ctx, uint64_t cgroup_id, hf_sv path);
	struct hf_event_sink sink;
};

/* What this node can do: a row for each rung. */
struct hf_enforcer_rung {
	const struct hf_rung *rung;
	bool works;
	char why[200]; /* where it does not; else what is special here, mostly empty */
};
size_t hf_enforcer_probe(struct hf_enforcer_rung *out, size_t max);

/* To be called before the process has threads. HF_E_UNSUPPORTED where no rung of this node can hold a rule: nothing is held half. HF_E_DENIED. */
int hf_enforcer_open(const struct hf_enforcer_options *, struct hf_enforcer **ret, struct hf_err *err);
void hf_enforcer_close(struct hf_enforcer *);
/* By which containers are told apart; lives as long. */
const struct hf_hierarchy *hf_enforcer_hierarchy(const struct hf_enforcer *);
/* One line on the permission events that were answered; empty where there are none to answer. */
hf_sv hf_enforcer_numbers(const struct hf_enforcer *, char *out, size_t size);
/* True once after all that hf_enforcer_process has done was lost: it must be done again. */
bool hf_enforcer_forgot(struct hf_enforcer *);
/* The rung that holds the rule; NULL where the policy has it not. */
const struct hf_rung *hf_enforcer_rung_of(const struct hf_enforcer *, enum hf_deny rule);
/* From now on the policy holds for the cgroup at @path and all below it. HF_E_MISSING where it is gone. */
int hf_enforcer_guard(struct hf_enforcer *, const char *path, uint64_t *ret_cgroup_id, struct hf_err *err);
/* A process of a guarded cgroup, in its own root by now, for what can only be held by that. True where it is held, or nothing needs it. */
bool hf_enforcer_process(struct hf_enforcer *, uint32_t pid, int pidfd, struct hf_err *err);
void hf_enforcer_unguard(struct hf_enforcer *, uint64_t cgroup_id);
/* Readable when there is something for hf_enforcer_run; call that each 100 ms too. */
int hf_enforcer_fd(const struct hf_enforcer *);
int hf_enforcer_run(struct hf_enforcer *, struct hf_err *err);

/* Turns the switches of all that enforce on this machine off (or on), by one write each: denials end at once. @pid: of this process
 * alone; 0: all. How many; a negative code. */
int hf_enforcer_switch_all(bool on, uint32_t pid, struct hf_err *err);

/* The fields time and monotonic_ns of now. @text is borrowed by the event. */
void hf_enforcer_stamp(struct hf_event *e, uint64_t monotonic_ns, char text[40]);
