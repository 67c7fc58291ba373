/* The inner half of match/: the hits of one package become vulnerabilities, one a flaw. Used by match.c alone. */
#pragma once
#include "match/distro.h"
#include "match/match.h"

/* A record that holds for a package. */
struct hf_hit {
	uint32_t record;
	enum hf_advisory_state state;
	enum hf_severity severity;
	bool unimportant;
	hf_sv channel, fixed, rule;
};

struct hf_flaw_context {
	const struct hf_database *database;
	const struct hf_distro *distro; /* NULL for language packages */
	struct hf_arena *arena;         /* for what is handed out */
};

typedef HF_VEC(struct hf_vulnerability) hf_vulnerability_vec;

/* Unites @hits over aliases and appends a vulnerability for each flaw. @package as in struct hf_vulnerability. */
void hf_flaws_unite(const struct hf_flaw_context *c, const struct hf_hit *hits, size_t hits_n, uint32_t package,
		    hf_sv installed, bool kernel, hf_vulnerability_vec *out);
/* All ids of a record but @id, sorted, in @a: for proofs. */
void hf_record_ids(const struct hf_record *r, hf_sv id, struct hf_arena *a, const hf_sv **ret, size_t *ret_n);
