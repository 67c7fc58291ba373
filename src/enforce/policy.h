/* hf_enforce_policy: what is to be denied to a workload: from a file of rules, and from a profile in mode enforce. Pure: the same policy
 * is put into the kernel's maps (programs.h) and held against recorded events, with one answer.
 *
 * The file is YAML (docs/formats/enforce-rules.md). A rule that cannot be held exactly is refused, never held half:
 * programs of a profile with variable parts in their path, a part of the profile that nobody looked at or that held more than fits.
 * Peers that a profile holds by name or container are held by protocol and port alone, which lets more through and is said in the
 * rule's note. */
#pragma once
#include "baseline/profile.h"
#include "bpf/deny.h"

struct hf_enforce_policy_path {
	hf_sv path;
	bool allow;
};

struct hf_enforce_policy_peer {
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t bits;       /* of the 128 that count */
	uint16_t port;       /* 0 with protocol 0: any */
	uint8_t protocol;    /* 6, 17; 0: any */
	bool allow;
};

struct hf_enforce_policy_rule {
	bool on;
	bool only;      /* EXECUTABLES, PEERS: all is denied but what is allowed */
	uint64_t ttl_s; /* ends by itself */
	hf_sv note;     /* what it lets through that its name does not say; empty: nothing */
	const struct hf_enforce_policy_path *paths;
	size_t paths_n;
	const struct hf_enforce_policy_peer *peers;
	size_t peers_n;
	const hf_sv *digests; /* "sha256:…", denied wherever they lie */
	size_t digests_n;
};

struct hf_enforce_policy {
	struct hf_enforce_policy_rule rules[HF_DENIES];
	struct hf_map index[HF_DENIES]; /* path -> struct hf_enforce_policy_path */
	struct hf_map programs; /* of DIGESTS: path -> struct hf_profile_entry with the digests that may run there */
};

enum {
	HF_ENFORCE_POLICY_TTL_DEFAULT_S = 86400,
	HF_ENFORCE_POLICY_TTL_MAX_S = 366 * 86400,
	HF_ENFORCE_POLICY_PATHS_MAX = 16384,
	HF_ENFORCE_POLICY_PEERS_MAX = 4096,
};

/* "fileless", "drift" … as in a file of rules; NULL past the last one. */
const char *hf_deny_name(enum hf_deny what);

/* @rules_text: the file; empty: there is none, then @profile gives fileless, executables and peers as far as it was learned.
 * @profile: NULL where there is none. All lives in @a and @profile. HF_E_FORMAT: "line 3: …"; HF_E_UNSUPPORTED: a rule that cannot be held. */
int hf_enforce_policy_make(hf_sv rules_text, const struct hf_profile *profile, struct hf_arena *a,
			   struct hf_enforce_policy *ret, struct hf_err *err);

/* DIGESTS: true for the file at @path with this digest. Any thread. */
bool hf_enforce_policy_denies_digest(const struct hf_enforce_policy *p, hf_sv path, hf_sv digest);
/* What the kernel would answer to a recorded event. False: nothing is denied. *ret_object lives in @a and @e. */
bool hf_enforce_policy_judge(const struct hf_enforce_policy *p, const struct hf_event *e, struct hf_arena *a,
			     enum hf_deny *ret_rule, hf_sv *ret_object);
