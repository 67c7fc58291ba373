#include "agent/counters.h"

#include <stdlib.h>

#include "base/hash.h"

void hf_counters_init(struct hf_counters *c, size_t size)
{
	*c = (struct hf_counters){ .slots = hf_calloc(size, sizeof *c->slots), .size = size };
}

void hf_counters_done(struct hf_counters *c)
{
	free(c->slots);
	*c = (struct hf_counters){ 0 };
}

static struct hf_counter *slot_of(struct hf_counters *c, hf_sv name)
{
	size_t at = hf_hash(name) & (c->size - 1);

	while (c->slots[at].name[0] && !hf_sv_eq(hf_sv_of(c->slots[at].name), name))
		at = (at + 1) & (c->size - 1);
	return &c->slots[at];
}

static bool is_full(const struct hf_counters *c)
{
	return c->n >= c->size / 4 * 3;
}

/* Open addressing has no holes, so what is kept is put into a new table. */
static void make_room(struct hf_counters *c)
{
	struct hf_counters kept;

	hf_counters_init(&kept, c->size);
	for (size_t i = 0; i < c->size; i++) {
		if (!c->slots[i].name[0])
			continue;
		if (hf_counter_recent(&c->slots[i])) {
			*slot_of(&kept, hf_sv_of(c->slots[i].name)) = c->slots[i];
			kept.n++;
		} else {
			c->others += c->slots[i].all;
		}
	}
	free(c->slots);
	c->slots = kept.slots;
	c->n = kept.n;
}

void hf_counters_add(struct hf_counters *c, hf_sv name, bool extra)
{
	char text[HF_COUNTERS_NAME_MAX];

	if (!name.len)
		return;
	/* Cut and made printable at the door, so that equal names are equal slots. */
	hf_sv key = { text, hf_escape_controls(text, sizeof text, name) };
	struct hf_counter *slot = slot_of(c, key);
	if (!slot->name[0]) {
		if (is_full(c)) {
			c->others++;
			return;
		}
		memcpy(slot->name, text, key.len);
		slot->name[key.len] = 0;
		c->n++;
	}
	slot->all++;
	slot->extra += extra;
	slot->periods[c->period]++;
}

void hf_counters_turn(struct hf_counters *c)
{
	c->period = (c->period + 1) % HF_COUNTERS_PERIODS;
	for (size_t i = 0; i < c->size; i++)
		c->slots[i].periods[c->period] = 0;
	if (is_full(c))
		make_room(c);
}

uint64_t hf_counter_recent(const struct hf_counter *counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HF_COUNTERS_PERIODS; i++)
		sum += counter->periods[i];
	return sum;
}

static bool is_before(const struct hf_counter *a, const struct hf_counter *b)
{
	uint64_t recent_a = hf_counter_recent(a), recent_b = hf_counter_recent(b);

	if (recent_a != recent_b)
		return recent_a > recent_b;
	return a->all != b->all ? a->all > b->all : strcmp(a->name, b->name) < 0;
}

size_t hf_counters_top(const struct hf_counters *c, const struct hf_counter **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < c->size; i++) {
		size_t at = n;
		if (!c->slots[i].name[0])
			continue;
		while (at && is_before(&c->slots[i], ret[at - 1]))
			at--;
		if (at == max)
			continue;
		n += n < max;
		for (size_t k = n - 1; k > at; k--)
			ret[k] = ret[k - 1];
		ret[at] = &c->slots[i];
	}
	return n;
}
