/* Clusters as they change: a process of its own lists and watches all kinds that holdfast knows, a thread each, and tells over a pipe what comes and goes.
 * So the one that judges has no threads, and its jailed workers are forks of a state at rest. */
#pragma once
#include <sys/types.h>

#include "base/buffer.h"
#include "cmd/kube/kube_run.h"

enum kube_follow_type {
	KUBE_FOLLOW_FAILED = 1, /* nothing can be had; resource: the code, text: why. The last one */
	KUBE_FOLLOW_DISCOVERED, /* of a cluster: NOTEs that came before no longer hold */
	KUBE_FOLLOW_NOTE,       /* of a cluster: key: what is missing, text: why */
	KUBE_FOLLOW_RESOURCE,   /* is followed from now on; key: "CONTEXT: pods", text: CONTEXT */
	KUBE_FOLLOW_READY,      /* all RESOURCEs that there are at first were told of */
	KUBE_FOLLOW_RESET,      /* all objects follow anew, as PUT, until SYNCED */
	KUBE_FOLLOW_PUT,        /* key: "NAMESPACE/NAME" or "NAME", text: the object, as kube_object_text.h has it */
	KUBE_FOLLOW_DELETED,
	KUBE_FOLLOW_SYNCED,
	KUBE_FOLLOW_ENDED, /* not followed any more: text: why; empty: the server no longer has the kind */
	KUBE_FOLLOW_LOST,  /* a try failed, others follow; text: why */
	KUBE_FOLLOW_BACK,
};

struct kube_follow_frame {
	enum kube_follow_type type;
	uint32_t resource; /* cluster * HF_KUBE_KINDS + kind; of a cluster: its number among the targets */
	hf_sv key, text;
	size_t judged_len; /* PUT: of the text, as kube_object_text.h has it; all of it where policies read more */
};

struct kube_follower {
	pid_t pid;
	int fd;
	struct hf_buf in;
	size_t taken; /* of @in */
};

/* Starts to follow the targets of @k, which are all clusters. The signals that the caller blocks are blocked in the process too. */
hf_nodiscard int kube_follow_start(const struct kube_run *k, struct kube_follower *ret, struct hf_err *err);
/* Reads once what is there, up to some 100 KiB. False: the process has ended. */
bool kube_follow_read(struct kube_follower *f);
/* The next frame of what was read, borrowed until the next kube_follow_read; false: there is no whole one. */
bool kube_follow_next(struct kube_follower *f, struct kube_follow_frame *ret);
/* Ends the process. */
void kube_follow_end(struct kube_follower *f);
