/* Messages of the kernel's process connector (netlink) to structs. Pure.
 *
 * Source: linux/netlink.h (struct nlmsghdr), linux/connector.h (struct cn_msg, CN_IDX_PROC 1, CN_VAL_PROC 1), linux/cn_proc.h
 * (struct proc_event); Linux 3.0 to 6.18, little-endian. */
#pragma once
#include "base/error.h"

enum hf_connector_what {
	HF_CONNECTOR_ACK = 0,
	HF_CONNECTOR_FORK = 1 << 0,
	HF_CONNECTOR_EXEC = 1 << 1,
	HF_CONNECTOR_UID = 1 << 2,
	HF_CONNECTOR_GID = 1 << 6,
	HF_CONNECTOR_PTRACE = 1 << 8,
	HF_CONNECTOR_EXIT = 1u << 31,
};

struct hf_connector_event {
	uint32_t what; /* enum hf_connector_what */
	uint64_t time_ns;
	uint32_t pid, tid;             /* the new process of a fork; the traced one */
	uint32_t other_pid, other_tid; /* the parent of a fork; the tracer, 0: it let go */
	uint32_t real_id, effective_id;
	uint32_t status; /* of an exit, as wait(2) has it */
	uint32_t error;  /* of an answer: errno, 0: listening */
};

/* Takes one message off the front of *@rest. @return 1; 0 at the end; 2 a message of another kind; HF_E_FORMAT: *rest is then empty. */
int hf_connector_next(hf_sv *rest, struct hf_connector_event *ret, struct hf_err *err);
