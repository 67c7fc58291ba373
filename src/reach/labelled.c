#include "base/limits.h"
#include "reach/internal.h"

void reach_labelled_init(struct reach_labelled *l, struct hf_arena *a)
{
	*l = (struct reach_labelled){ .map = HF_MAP(a), .key = HF_BUF(HF_MIB(4)) };
}

void reach_labelled_done(struct reach_labelled *l)
{
	hf_buf_done(&l->key);
}

static hf_sv key_of(struct reach_labelled *l, uint32_t namespace, const hf_sv *pair)
{
	l->key.len = 0;
	hf_buf_addf(&l->key, "%u/%zu:", namespace, pair[0].len);
	hf_buf_add(&l->key, pair[0]);
	hf_buf_add(&l->key, pair[1]);
	/* Cut off it could be another's. */
	l->map.arena->over |= l->key.over;
	return hf_buf_view(&l->key);
}

void reach_labelled_add(struct reach_labelled *l, uint32_t namespace, const hf_sv *labels, size_t n, uint32_t who)
{
	struct hf_arena *a = l->map.arena;

	for (size_t i = 0; i < n && !a->over; i++) {
		hf_sv key = key_of(l, namespace, &labels[2 * i]);
		struct hf_map_entry *e = hf_map_find(&l->map, key);
		if (!e)
			e = hf_map_put(&l->map, hf_arena_dup(a, key));
		if (e && !e->value)
			e->value = hf_arena_new(a, struct reach_list);
		struct reach_list *list = e ? e->value : NULL;
		uint32_t *slot = list && (!list->n || list->at[list->n - 1] != who) ? hf_vec_push(a, list) : NULL;
		if (slot)
			*slot = who;
	}
}

const struct reach_list *reach_labelled_find(struct reach_labelled *l, uint32_t namespace,
					     const struct hf_label_selector *s)
{
	static const struct reach_list none;
	const struct reach_list *best = &none;

	for (size_t i = 0; i < s->labels_n; i++) {
		struct hf_map_entry *e = hf_map_find(&l->map, key_of(l, namespace, &s->labels[2 * i]));
		const struct reach_list *list = e ? e->value : NULL;
		if (!list)
			return &none;
		if (!i || list->n < best->n)
			best = list;
	}
	return best;
}
