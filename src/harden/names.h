/* Sets of names, and what the kernel calls capabilities and system calls. */
#pragma once
#include "base/map.h"
#include "format/json_writer.h"

/* A set of strings in the order of bytes. The strings live in the arena. */
struct hf_names {
	struct hf_map map;
	const hf_sv *sorted; /* by hf_names_list */
	size_t sorted_n;
};

#define HF_NAMES(a) ((struct hf_names){ .map = HF_MAP(a) })

/* Adds a copy of @name; an empty name is none. On the arena's cap nothing is added and arena->over is set. */
void hf_names_add(struct hf_names *s, hf_sv name);
bool hf_names_has(const struct hf_names *s, hf_sv name);
static inline size_t hf_names_count(const struct hf_names *s)
{
	return s->map.n;
}
/* All of them, sorted; valid until the next addition. Call it before hf_names_count: where the arena is full the set is emptied. */
const hf_sv *hf_names_list(struct hf_names *s);
/* A member of an object: "key": [ … ]. */
void hf_names_json(struct hf_names *s, const char *key, struct hf_json_writer *w);
/* Adds to @out what is in @a and not in @b. */
void hf_names_minus(const struct hf_names *a, const struct hf_names *b, struct hf_names *out);

/* Capabilities by the kernel's numbers (include/uapi/linux/capability.h, Linux 6.1): bit N of a set is capability N. */
enum hf_capability {
#define HF_CAPABILITY(name, number, by_default) HF_CAP_##name = (number),
#include "harden/capabilities.def"
#undef HF_CAPABILITY
};
#define HF_CAPABILITIES_ALL ((UINT64_C(1) << 41) - 1)

/* As CHOWN; NULL where there is no such number. */
const char *hf_capability_short(unsigned number);
/* "CAP_CHOWN", "CHOWN" or "chown": its bit; "ALL" gives all of them; 0 where there is none of that name. */
uint64_t hf_capability_of(hf_sv name);
/* What Docker 20 to 28, containerd and podman's docker mode grant unless asked (docs.docker.com, "Runtime privilege and Linux
 * capabilities"). */
uint64_t hf_capabilities_default(void);
/* Adds "CAP_CHOWN" … for each bit. */
void hf_capabilities_names(uint64_t set, struct hf_names *out);
