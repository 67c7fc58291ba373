#include "model/label_selector.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/hash.h"

/* Labels that one selector asks for: few are looked through each time, many by a table. */
struct finder {
	const hf_sv *labels;
	size_t n;
	uint32_t *table; /* index + 1 by the key's hash; NULL: they are few */
	size_t slots;    /* a power of two */
};

enum { LOOKED_THROUGH_MAX = 1 << 14 }; /* labels, by all questions together */

bool hf_label_value(const hf_sv *labels, size_t n, hf_sv key, hf_sv *ret_value)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(labels[2 * i], key)) {
			*ret_value = labels[2 * i + 1];
			return true;
		}
	return false;
}

/* Where the key stands, or would stand. */
static size_t slot_of(const struct finder *f, hf_sv key)
{
	size_t at = hf_hash(key) & (f->slots - 1);

	while (f->table[at] && !hf_sv_eq(f->labels[2 * (f->table[at] - 1)], key))
		at = (at + 1) & (f->slots - 1);
	return at;
}

static void make_table(struct finder *f)
{
	for (f->slots = 64; f->slots < 2 * f->n;)
		f->slots *= 2;
	f->table = hf_calloc(f->slots, sizeof *f->table);
	for (size_t i = 0; i < f->n; i++) {
		size_t at = slot_of(f, f->labels[2 * i]);
		if (!f->table[at])
			f->table[at] = (uint32_t)i + 1;
	}
}

static bool find(const struct finder *f, hf_sv key, hf_sv *ret_value)
{
	if (!f->table)
		return hf_label_value(f->labels, f->n, key, ret_value);
	uint32_t found = f->table[slot_of(f, key)];
	if (found)
		*ret_value = f->labels[2 * (found - 1) + 1];
	return found;
}

static bool requirement_holds(const struct hf_label_requirement *r, const struct finder *f)
{
	hf_sv value;
	bool there = find(f, r->key, &value), among = false;

	for (size_t i = 0; there && i < r->values_n; i++)
		among |= hf_sv_eq(r->values[i], value);
	switch (r->operator) {
	case HF_LABEL_IN:
		return among;
	case HF_LABEL_NOT_IN:
		return !among; /* and where the label is not there */
	case HF_LABEL_EXISTS:
		return there;
	case HF_LABEL_DOES_NOT_EXIST:
		return !there;
	}
	return false;
}

static bool matches(const struct hf_label_selector *s, const struct finder *f)
{
	hf_sv value;

	for (size_t i = 0; i < s->labels_n; i++)
		if (!find(f, s->labels[2 * i], &value) || !hf_sv_eq(value, s->labels[2 * i + 1]))
			return false;
	for (size_t i = 0; i < s->requirements_n; i++)
		if (!requirement_holds(&s->requirements[i], f))
			return false;
	return true;
}

bool hf_label_selector_matches(const struct hf_label_selector *s, const hf_sv *labels, size_t labels_n)
{
	struct finder f = { .labels = labels, .n = labels_n };
	size_t asked = s->labels_n + s->requirements_n;

	if (labels_n < UINT32_MAX / 4 && asked && labels_n > LOOKED_THROUGH_MAX / asked)
		make_table(&f);
	bool yes = matches(s, &f);
	free(f.table);
	return yes;
}
