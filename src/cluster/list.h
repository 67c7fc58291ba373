/* Lists of a cluster, page by page: memory holds one page. */
#pragma once
#include "cluster/client.h"

struct hf_cluster_list {
	struct hf_cluster_what what;
	const char *accept; /* NULL: application/json */
	uint32_t limit;     /* objects of a page; 0: 500. Pages over page_max are asked for again in smaller ones. */
	uint64_t page_max;  /* bytes; 0: HF_CLUSTER_PAGE_MAX */
	uint64_t total_max; /* bytes of all pages; 0: no bound */
	/* Each page: a whole JSON document, a list of some kind ("PodList") or a Table, with metadata; borrowed for the call. A negative code ends the list. */
	int (*page)(void *ctx, hf_sv json, struct hf_err *err);
	/* The list begins anew, since the server no longer has its state (410 Gone): what was handed out does not count. NULL: then the list
	 * fails with HF_E_CONFLICT. */
	int (*restart)(void *ctx, struct hf_err *err);
	void *ctx;
};

struct hf_cluster_listed {
	char resource_version[128]; /* of the list: a watch goes on from here */
	size_t pages, restarts;
};

/* HF_OK: all of it was handed out. HF_E_DENIED: "forbidden: USER cannot list RESOURCE"; HF_E_CONFLICT: gone, again and again; HF_E_FORMAT: a page is no
 * list; HF_E_LIMIT: one object alone is over page_max, or all are over total_max; others: as hf_cluster_call and the callbacks. */
hf_nodiscard int hf_cluster_list(struct hf_cluster *c, const struct hf_cluster_list *list,
				 struct hf_cluster_listed *ret, struct hf_err *err);

struct hf_cluster_page {
	hf_sv kind;                     /* "PodList" */
	hf_sv resource_version, resume; /* resume: token of the next page; empty: this was the last */
};
/* The head of a page. Pure. HF_E_FORMAT: broken JSON, or no list; HF_E_LIMIT. */
hf_nodiscard int hf_cluster_page_parse(hf_sv json, struct hf_arena *a, struct hf_cluster_page *ret, struct hf_err *err);
