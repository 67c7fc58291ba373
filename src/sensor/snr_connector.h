/* The kernel's process connector: who traces whom, and where BPF is missing, executions and ends of processes (what an execution
 * is, is then read from /proc: a program that ran shorter than that has no path).
 *
 * Works in the machine's first pid, user and network namespace alone. */
#pragma once
#include "sensor/feed.h"

struct hf_connector;

struct hf_connector_options {
	bool executions;   /* executions and ends too: the fallback */
	int receive_bytes; /* of the socket; 0: 1 MiB */
};

/* HF_E_DENIED, HF_E_UNSUPPORTED where the kernel does not answer within @timeout_ms. */
int hf_connector_open(const struct hf_connector_options *, const struct hf_feed *feed, int timeout_ms,
		      struct hf_connector **ret, struct hf_err *err);
void hf_connector_close(struct hf_connector *);
/* Readable when there are events. */
int hf_connector_fd(const struct hf_connector *);
/* What the socket lost is counted (once for each time that the kernel says so: how many it was is not told, where the kernel's
 * own count of drops cannot be read). */
int hf_connector_drain(struct hf_connector *, struct hf_err *err);
