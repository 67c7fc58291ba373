/* Shared by the decoders of policies. */
#pragma once
#include "reach/policy.h"

struct policy_decoder {
	struct hf_arena *a;
	struct hf_conn_pool *pool;
	struct hf_reach_notes *notes;
	const struct hf_kube_object *object; /* at hand */
	HF_VEC(struct hf_reach_policy) policies;
};

/* A selector that is there (NULL only on the arena's cap); a wrong one is noted and matches nothing. */
const struct hf_label_selector *policy_selector(struct policy_decoder *, const struct hf_value *);
/* Adds the block without what is excepted; false where @cidr is none, or of IPv6: noted. */
bool policy_block(struct policy_decoder *, const struct hf_value *cidr, const struct hf_value *except,
		  struct hf_reach_peer *);
/* A protocol's name, TCP where there is none; false where it is unknown: noted. */
bool policy_protocol(struct policy_decoder *, const struct hf_value *, enum hf_conn_protocol *ret);
/* A port's number; false where it is none: noted. */
bool policy_port(struct policy_decoder *, const struct hf_value *, uint16_t *ret);
void policy_add_admin(struct policy_decoder *, const struct hf_kube_object *);
