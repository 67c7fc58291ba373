#include "harden/names.h"

#include <stdlib.h>

void hf_names_add(struct hf_names *s, hf_sv name)
{
	if (!name.len || hf_map_find(&s->map, name))
		return;
	hf_sv kept = hf_arena_dup(s->map.arena, name);
	if (kept.len)
		hf_map_put(&s->map, kept);
}

bool hf_names_has(const struct hf_names *s, hf_sv name)
{
	return hf_map_find(&s->map, name) != NULL;
}

static int compare(const void *a, const void *b)
{
	return hf_sv_cmp(*(const hf_sv *)a, *(const hf_sv *)b);
}

const hf_sv *hf_names_list(struct hf_names *s)
{
	if (s->sorted_n == s->map.n)
		return s->sorted;
	hf_sv *list = hf_arena_array(s->map.arena, hf_sv, s->map.n);
	if (!list) {
		s->map.n = s->sorted_n = 0;
		return NULL;
	}
	for (size_t i = 0; i < s->map.n; i++)
		list[i] = s->map.entries[i].key;
	qsort(list, s->map.n, sizeof *list, compare);
	s->sorted_n = s->map.n;
	return s->sorted = list;
}

void hf_names_json(struct hf_names *s, const char *key, struct hf_json_writer *w)
{
	const hf_sv *list = hf_names_list(s);

	hf_jw_strings(w, key, list, hf_names_count(s));
}

void hf_names_minus(const struct hf_names *a, const struct hf_names *b, struct hf_names *out)
{
	for (size_t i = 0; i < a->map.n; i++)
		if (!hf_names_has(b, a->map.entries[i].key))
			hf_names_add(out, a->map.entries[i].key);
}

static const char *const capabilities[] = {
#define HF_CAPABILITY(name, number, by_default) [number] = #name,
#include "harden/capabilities.def"
#undef HF_CAPABILITY
};

const char *hf_capability_short(unsigned number)
{
	return number < HF_ARRAY_SIZE(capabilities) ? capabilities[number] : NULL;
}

uint64_t hf_capability_of(hf_sv name)
{
	if (name.len > 4 && hf_sv_eq_ascii(hf_sv_first(name, 4), HF_SV("CAP_")))
		name = hf_sv_skip(name, 4);
	if (hf_sv_eq_ascii(name, HF_SV("ALL")))
		return HF_CAPABILITIES_ALL;
	for (unsigned i = 0; i < HF_ARRAY_SIZE(capabilities); i++)
		if (hf_sv_eq_ascii(name, hf_sv_of(capabilities[i])))
			return UINT64_C(1) << i;
	return 0;
}

uint64_t hf_capabilities_default(void)
{
	uint64_t set = 0;
#define HF_CAPABILITY(name, number, by_default) set |= (uint64_t)(by_default) << (number);
#include "harden/capabilities.def"
#undef HF_CAPABILITY
	return set;
}

void hf_capabilities_names(uint64_t set, struct hf_names *out)
{
	char text[40] = "CAP_";

	for (unsigned i = 0; i < HF_ARRAY_SIZE(capabilities); i++) {
		if (!(set >> i & 1))
			continue;
		size_t n = strlen(capabilities[i]);
		memcpy(text + 4, capabilities[i], n);
		hf_names_add(out, (hf_sv){ text, n + 4 });
	}
}
