/* All objects of one resource, and then every change of them, for as long as it is wanted. Lost connections, restarts of the server,
 * tokens that expire and versions that the server no longer has are gone through without a gap: what may have been missed is handed out anew,
 * after RESET.
 *
 * It begins with a watch-list where the server has these (Kubernetes 1.34 and later, or by a feature gate), else with a paged list. */
#pragma once
#include "cluster/client.h"
#include "cluster/event.h"

struct hf_cluster_watch_counts {
	uint64_t events, bookmarks, lists, connections, resumed, gone, errors;
	bool watch_list; /* the objects came by a watch-list */
};

struct hf_cluster_watch {
	struct hf_cluster_what what; /* name, subresource: empty */
	uint32_t limit;              /* of a page of the list; 0: 500 */
	bool no_watch_list;
	uint32_t server_s; /* after so long the server is to end a watch, which then goes on; 0: 300 to 600 by chance */
	uint32_t
		silence_s; /* no byte for so long: the connection counts as lost; 0: 330. Bookmarks come about once a minute. */
	unsigned failures_max; /* one after the other, of any kind, until it gives up; 0: never */
	/* NULL: application/json. Where it asks for Tables, the objects of the events are Tables, and of a list each page is handed out whole. It
	 * wants no_watch_list: no server ends the first objects of such a watch with a bookmark that says so. */
	const char *accept;
	/* RESET, ADDED …, SYNCED, then what comes. Bookmarks are handed out too. The object is borrowed for the call; of RESET and SYNCED there is
	 * none. A negative code ends the watch with that code. HF_PARTIAL ends it with HF_OK. */
	int (*event)(void *ctx, enum hf_cluster_event_type type, hf_sv object, struct hf_err *err);
	/* After each try that failed and is followed by another: @why; NULL: the server has answered again since. May be NULL. */
	void (*connection)(void *ctx, const struct hf_err *why);
	void *ctx;
};

/* Until event() or hf_cluster_stop ends it (HF_OK then too), or: HF_E_DENIED: forbidden, or unauthorized also with new credentials
 * (at once, or after half a minute where it had been let in before); HF_E_MISSING: the server
 * has no such resource; HF_E_UNSUPPORTED, HF_E_USAGE: it cannot be watched; failures_max reached: as the last one. @counts may be NULL. */
hf_nodiscard int hf_cluster_watch(struct hf_cluster *c, const struct hf_cluster_watch *watch,
				  struct hf_cluster_watch_counts *counts, struct hf_err *err);
