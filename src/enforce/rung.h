/* A rung of the ladder: a mechanism of the kernel that can deny, what it can deny, and what it leaves open. Rows: rungs.def. */
#pragma once
#include "base/error.h"
#include "bpf/deny.h"

struct hf_rung {
	const char *name; /* as in an event's denial.rung */
	enum hf_deny_by by;
	uint32_t stops;              /* bits 1 << enum hf_deny */
	const char *residual;        /* what stays possible, in a sentence */
	const char *const *programs; /* NULL-ended, of the object in the kernel; NULL: none */
	bool by_cgroup;              /* its programs are attached to the cgroup of each container, else once */
	/* Tries it out on this machine; writes why it does not work, or what is special here. */
	bool (*probe)(char *why, size_t size);
};

#define HF_RUNG(row) extern const struct hf_rung hf_rung_##row;
#include "enforce/rungs.def"
#undef HF_RUNG
extern const struct hf_rung *const hf_rungs[]; /* NULL-ended, the best one first */

/* "bpf-lsm" …: NULL where there is none. */
const struct hf_rung *hf_rung_of(hf_sv name);
const struct hf_rung *hf_rung_by(enum hf_deny_by by);
