/* What passes between the programs that deny and user space. Follows the rules of event.h: append-only, in the byte order of the
 * machine. Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d; ports in the machine's order. */
#pragma once
#include "deny.h"
#include "event.h"
#include "hash.h"

enum {
	HF_GUARD_DRY = 1u << 0,              /* says what it would deny */
	HF_GUARD_EXECUTABLES_ONLY = 1u << 1, /* programs that are not listed as allowed are denied */
	HF_GUARD_PEERS_ONLY = 1u << 2,
	HF_GUARD_CANARY = 1u << 3,
};

/* Of one cgroup; what lies below it is guarded too. */
struct hf_guard {
	__u32 rules;  /* bits 1 << enum hf_deny */
	__u32 flags;  /* HF_GUARD_… */
	__u32 policy; /* the first word of the keys of its lists */
	__u32 reserved;
	__u8 by[8];                /* enum hf_deny_by, by rule */
	__u64 until_ns[HF_DENIES]; /* CLOCK_MONOTONIC: a rule ends by itself */
	__u64 denied[HF_DENIES];   /* really */
	__u64 would[HF_DENIES];    /* in a dry run, with the switch off */
	__u64 lost;                /* denials that the ring had no room for; they are in the counts */
};

/* The switch of everything: while it is off nothing is denied. */
struct hf_deny_switch {
	__u32 on;
	__u32 pid; /* of who enforces */
};

struct hf_path_key {
	__u32 policy;
	__u32 rule;
	__u64 hash;
};

enum { HF_LIST_DENY = 1, HF_LIST_ALLOW = 2 };

struct hf_path_value {
	__u32 list;
	__u32 length; /* of the path: two paths of one hash and one length are not made on purpose without the key */
};

/* Key of a trie: the longest prefix counts. @prefix is of the bits behind it. */
struct hf_peer_key {
	__u32 prefix;
	__u32 policy;
	__u8 list; /* HF_LIST_… */
	__u8 rule;
	__u16 port;    /* 0: any */
	__u8 protocol; /* 0: any */
	__u8 reserved[3];
	__u8 address[16];
};

enum { HF_PEER_FIXED_BITS = 96 }; /* of the key before the address */

enum { HF_DENIAL_DRY = 1u << 0, HF_DENIAL_CANARY = 1u << 1, HF_DENIAL_TRUNCATED = 1u << 2, HF_DENIAL_OFF = 1u << 3 };

/* head.kind is the number of HF_EVENT_DENIAL. The path stands behind. */
struct hf_record_denial {
	struct hf_record head;
	__u32 rule, by, flags;
	__u32 path_length;
	__u8 address[16];
	__u16 port;
	__u8 protocol, family;
	__u32 device; /* type << 16 | access, of a device */
	__u32 major, minor;
};

/* A cgroup was born: head.kind is CONTAINER_START, the path stands behind (struct hf_record_cgroup). */
enum { HF_KIND_DENIAL = 23 };

/* The number of a path's text. @bytes must be readable up to the next multiple of 8. */
HF_KEYED_INLINE __u64 hf_path_hash_begin(__u64 key, __u32 rule)
{
	return hf_keyed_begin(key, 0x100 + rule);
}

_Static_assert(sizeof(struct hf_peer_key) == 32, "a trie's key is its bytes");
_Static_assert(sizeof(struct hf_record_denial) == sizeof(struct hf_record) + 48, "records are read by offset");
_Static_assert(sizeof(struct hf_guard) == 24 + 24 * HF_DENIES + 8, "maps are read by offset");
