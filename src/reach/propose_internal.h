/* The parts that make a proposal. */
#pragma once
#include "reach/internal.h"
#include "reach/propose.h"

enum need_peer { NEED_WORKLOAD, NEED_ANY_POD, NEED_BLOCK };

struct need {
	enum need_peer client_kind, server_kind; /* one of them is a workload */
	uint32_t client, server;                 /* workloads */
	struct hf_cidr block;                    /* of the end that is outside */
	bool public_alone;                       /* without private addresses */
	uint8_t protocol;                        /* number of IANA */
	uint16_t first, last;
	hf_sv why;
};

struct proposer {
	struct hf_reach *r;
	struct hf_arena *a;
	HF_VEC(struct need) needs;
	const struct hf_reach_entry **entries; /* all of the model's, by their object */
	HF_VEC(hf_sv) notes;
	struct hf_label_selector *selectors; /* of each workload's pods */
	bool *covered;                       /* workloads that get a policy */
	struct hf_netpol *policies;
	uint32_t *workload_of; /* each policy's */
	size_t policies_n;
	uint64_t tried;
};

extern const uint8_t propose_protocols[HF_CONN_PROTOCOLS]; /* numbers of IANA */
/* RFC 1918, 6598, 3927: what "public" leaves out. */
extern const struct hf_cidr propose_private[];
extern const size_t propose_private_n;

/* A comment of the proposal, once however often it is said; those past a limit are left out. */
void propose_note(struct proposer *, const char *fmt, ...) hf_printf(2, 3);
/* Past a limit the arena counts as over. */
void propose_add(struct proposer *, struct need);
/* Adds what the objects of the set say that they need. */
void propose_needs_of_manifests(struct proposer *);
/* Notes on workloads that get a policy and have rights at the API server. */
void propose_tell_accounts(struct proposer *);
/* Adds what was recorded: holdfast/flows/1. HF_E_FORMAT where @flows is none. */
hf_nodiscard int propose_needs_of_flows(struct proposer *, const struct hf_value *flows, struct hf_err *err);
/* False where there are too many workloads for a proof of all pairs. */
bool propose_can_prove(const struct proposer *);
/* True where every connection is as it should be; else *ret_client and *ret_server are workloads whose policies let it fail (UINT32_MAX:
 * outside). */
bool propose_prove(struct proposer *, uint32_t *ret_client, uint32_t *ret_server, hf_sv *ret_what);
