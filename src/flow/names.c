#include "flow/names.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"

enum { WAYS = 4, SETS = HF_FLOWS_NAMES_MAX / WAYS, NAME_MAX_LENGTH = 253 };

struct entry {
	const void *who;
	struct hf_address address;
	uint64_t used; /* 0: free */
	uint8_t length;
	char name[NAME_MAX_LENGTH];
};

struct hf_flow_names {
	uint64_t clock;
	struct entry sets[SETS][WAYS];
};

struct hf_flow_names *hf_flow_names_new(void)
{
	return hf_calloc(1, sizeof(struct hf_flow_names));
}

void hf_flow_names_free(struct hf_flow_names *n)
{
	free(n);
}

static struct entry *set_of(struct hf_flow_names *n, const void *who, const struct hf_address *a)
{
	char key[sizeof who + sizeof *a];

	memcpy(key, &who, sizeof who);
	memcpy(key + sizeof who, a, sizeof *a);
	return n->sets[hf_hash((hf_sv){ key, sizeof key }) % SETS];
}

static struct entry *find(struct entry *set, const void *who, const struct hf_address *a)
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].used && set[i].who == who && !hf_address_cmp(&set[i].address, a))
			return &set[i];
	return NULL;
}

void hf_flow_names_put(struct hf_flow_names *n, const void *who, const struct hf_address *a, hf_sv name)
{
	struct entry *set = set_of(n, who, a), *e = find(set, who, a);

	if (!name.len || name.len > NAME_MAX_LENGTH)
		return;
	for (size_t i = 0; !e && i < WAYS; i++)
		if (!set[i].used)
			e = &set[i];
	if (!e) {
		e = set;
		for (size_t i = 1; i < WAYS; i++)
			if (set[i].used < e->used)
				e = &set[i];
	}
	e->who = who;
	e->address = *a;
	e->used = ++n->clock;
	e->length = (uint8_t)name.len;
	memcpy(e->name, name.ptr, name.len);
}

hf_sv hf_flow_names_find(struct hf_flow_names *n, const void *who, const struct hf_address *a)
{
	struct entry *e = find(set_of(n, who, a), who, a);

	if (!e)
		return (hf_sv){ 0 };
	e->used = ++n->clock;
	return (hf_sv){ e->name, e->length };
}
