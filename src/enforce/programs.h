/* The programs that deny, in the kernel: loaded, given their lists, attached, heard. One thread. */
#pragma once
#include "bpf/enforce.h"
#include "enforce/policy.h"
#include "enforce/rung.h"
#include "sensor/hierarchy.h"

struct hf_programs;

/* Loads these programs alone, and lets them go. Writes the kernel's answer where they do not load; else empties @why. */
bool hf_programs_probe(const char *const *names, char *why, size_t size);

/* The programs of the rungs whose bits 1 << enum hf_deny_by are in @rungs; those that are not of a cgroup are attached, the switch
 * is on. Records go to @take. HF_E_DENIED without the rights, HF_E_UNSUPPORTED. */
typedef int hf_programs_take_fn(void *ctx, hf_sv record, struct hf_err *err);
int hf_programs_open(uint32_t rungs, hf_programs_take_fn *take, void *ctx, struct hf_programs **ret,
		     struct hf_err *err);
void hf_programs_close(struct hf_programs *);
/* Puts the lists of a policy in under @number. */
int hf_programs_policy(struct hf_programs *, uint32_t number, const struct hf_enforce_policy *policy,
		       struct hf_err *err);
/* Guards the cgroup at @path (absolute in the hierarchy) and attaches the programs of cgroups there. HF_E_MISSING where it is gone. */
int hf_programs_guard(struct hf_programs *, const char *path, const struct hf_guard *guard, uint64_t *ret_cgroup_id,
		      struct hf_err *err);
void hf_programs_unguard(struct hf_programs *, uint64_t cgroup_id);
/* How many links are not attached any more though their cgroup is there: somebody took them away. */
size_t hf_programs_detached(const struct hf_programs *);
/* One write: while it is off nothing is denied. */
int hf_programs_switch(struct hf_programs *, bool on, struct hf_err *err);
bool hf_programs_is_on(const struct hf_programs *);
/* Turns the switches of all that enforce on this machine off (or on), or of the process @pid alone. How many; a negative code. */
int hf_programs_switch_all(bool on, uint32_t pid, struct hf_err *err);
/* Readable when there are records. */
int hf_programs_fd(const struct hf_programs *);
int hf_programs_drain(struct hf_programs *, struct hf_err *err);
/* By which containers are told apart. */
const struct hf_hierarchy *hf_programs_hierarchy(const struct hf_programs *);
