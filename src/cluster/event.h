/* One line of a watch: WatchEvent, meta/v1. Pure. */
#pragma once
#include "base/arena.h"
#include "cluster/status.h"

enum hf_cluster_event_type {
	HF_CLUSTER_ADDED = 1,
	HF_CLUSTER_MODIFIED,
	HF_CLUSTER_DELETED,
	HF_CLUSTER_BOOKMARK,
	HF_CLUSTER_ERROR,
	/* No events of the server, but of hf_cluster_watch. */
	HF_CLUSTER_RESET, /* what was known no longer counts: all objects follow anew, as ADDED */
	HF_CLUSTER_SYNCED /* all objects that there are were handed out since the last RESET */
};

struct hf_cluster_event {
	enum hf_cluster_event_type type;
	hf_sv object;           /* JSON, as it came; of ERROR: a Status */
	hf_sv resource_version; /* of the object; empty: it has none */
	bool initial_end;       /* a bookmark that ends the objects that a watch-list begins with */
};

/* HF_E_FORMAT: broken JSON, no such event, or a type that is not known; HF_E_LIMIT. */
hf_nodiscard int hf_cluster_event_parse(hf_sv line, struct hf_arena *a, struct hf_cluster_event *ret,
					struct hf_err *err);
