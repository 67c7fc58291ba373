/* Sets of connections: which ports of which protocols. Each set exists once and has a number, so sets are compared as numbers, and
 * what was combined once is not combined again. Pure. */
#pragma once
#include "base/arena.h"

/* In the order of their names. */
enum hf_conn_protocol { HF_CONN_SCTP, HF_CONN_TCP, HF_CONN_UDP, HF_CONN_PROTOCOLS };
extern const char *const hf_conn_protocol_names[HF_CONN_PROTOCOLS]; /* "SCTP", … */

struct hf_port_range {
	uint16_t first, last; /* 1 to 65535 */
};

struct hf_conn_set {
	const struct hf_port_range *ranges[HF_CONN_PROTOCOLS]; /* sorted, with a gap between any two */
	uint32_t n[HF_CONN_PROTOCOLS];
};

typedef uint32_t hf_conns;
enum { HF_CONNS_NONE = 0, HF_CONNS_ALL = 1 }; /* ALL: every port of every protocol */

struct hf_conn_memo {
	uint64_t key; /* 0: free */
	hf_conns result;
};

struct hf_conn_pool {
	struct hf_arena *arena;
	HF_VEC(struct hf_conn_set) sets;
	uint32_t *slots; /* number + 1 by what the set holds */
	size_t slots_n;
	struct hf_conn_memo *memo;
	size_t memo_n, memo_used;
};

/* A pool with the two sets above. On the arena's cap all functions below answer HF_CONNS_NONE, and arena->over is set. */
void hf_conn_pool_init(struct hf_conn_pool *, struct hf_arena *);
/* @first to @last of one protocol; both 0: all ports. NONE where @first is above @last. */
hf_conns hf_conns_ports(struct hf_conn_pool *, enum hf_conn_protocol, uint16_t first, uint16_t last);
hf_conns hf_conns_union(struct hf_conn_pool *, hf_conns a, hf_conns b);
/* Of @n sets, which are overwritten: two by two, so that many of them take little longer than they are large. */
hf_conns hf_conns_union_all(struct hf_conn_pool *, hf_conns *list, size_t n);
hf_conns hf_conns_intersection(struct hf_conn_pool *, hf_conns a, hf_conns b);
hf_conns hf_conns_difference(struct hf_conn_pool *, hf_conns a, hf_conns b);
/* Valid until the next set is made. */
const struct hf_conn_set *hf_conns_get(const struct hf_conn_pool *, hf_conns);
bool hf_conns_hold(const struct hf_conn_pool *, hf_conns, enum hf_conn_protocol, uint16_t port);
/* "TCP 80, 443, 8000-8100; UDP 53", "all", "none". */
hf_sv hf_conns_text(const struct hf_conn_pool *, hf_conns, struct hf_arena *);
/* False where @name is none of the three. */
bool hf_conn_protocol_of(hf_sv name, enum hf_conn_protocol *ret);
