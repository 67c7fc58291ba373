#include "engine/facts.h"

#include <stdlib.h>

#define ELLIPSIS HF_SV("\xe2\x80\xa6")

enum { LABELS_COLLECTED_MAX = 4096 };

hf_sv hf_fact_bounded(struct hf_arena *a, hf_sv s, size_t max)
{
	if (s.len <= max)
		return s;
	s = hf_sv_first(s, max);
	while (s.len && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
		s.len--;
	return hf_arena_concat(a, s, ELLIPSIS);
}

void hf_fact_add(struct hf_fact_strings *l, hf_sv s)
{
	if (l->n < HF_FACT_LIST_MAX)
		l->at[l->n++] = s;
	else
		l->cut = true;
}

void hf_fact_strings_keep(const struct hf_fact_strings *l, struct hf_arena *a, const hf_sv **ret, size_t *ret_n)
{
	hf_sv *list = hf_arena_array(a, hf_sv, l->n + 1);

	*ret = NULL;
	*ret_n = 0;
	if (!list)
		return;
	for (size_t i = 0; i < l->n; i++)
		list[i] = hf_fact_bounded(a, l->at[i], HF_FACT_VALUE_MAX);
	if (l->cut)
		list[l->n] = ELLIPSIS;
	*ret = list;
	*ret_n = l->n + l->cut;
}

void hf_fact_list(struct hf_json *j, struct hf_arena *a, const hf_sv **ret, size_t *ret_n)
{
	struct hf_fact_strings l = { 0 };

	hf_json_elements(j)
		hf_fact_add(&l, hf_json_string(j));
	hf_fact_strings_keep(&l, a, ret, ret_n);
}

void hf_fact_label_add(struct hf_fact_labels *l, struct hf_arena *a, hf_sv key, hf_sv value)
{
	struct hf_fact_label *pair = l->list.n < LABELS_COLLECTED_MAX ? hf_vec_push(a, &l->list) : NULL;

	if (pair)
		*pair = (struct hf_fact_label){ key, value };
	else
		l->left_out++;
}

void hf_fact_labels_read(struct hf_json *j, struct hf_arena *a, struct hf_fact_labels *l)
{
	hf_sv key;

	hf_json_members(j, &key)
		hf_fact_label_add(l, a, key, hf_json_string(j));
}

struct order {
	const struct hf_fact_label *pair;
	size_t at;
};

static int by_key_latest_first(const void *left, const void *right)
{
	const struct order *l = left, *r = right;
	int c = hf_sv_cmp(l->pair->key, r->pair->key);

	return c ? c : l->at > r->at ? -1 : 1;
}

static void pod_of_label(const struct hf_fact_label *pair, struct hf_arena *a, struct hf_container *ret)
{
	hf_sv *to = hf_sv_eq(pair->key, HF_SV("io.kubernetes.pod.name"))        ? &ret->pod_name
		    : hf_sv_eq(pair->key, HF_SV("io.kubernetes.pod.namespace")) ? &ret->pod_namespace
		    : hf_sv_eq(pair->key, HF_SV("io.kubernetes.pod.uid"))       ? &ret->pod_uid
										: NULL;

	if (to)
		*to = hf_fact_bounded(a, pair->value, HF_FACT_NAME_MAX);
}

void hf_fact_labels_keep(struct hf_fact_labels *l, struct hf_arena *a, struct hf_container *ret)
{
	struct order *order = hf_arena_array(a, struct order, l->list.n + 1);
	hf_sv *pairs = hf_arena_array(a, hf_sv, 2 * (HF_FACT_LABELS_MAX + 1));
	size_t n = 0, left_out = l->left_out;

	if (!order || !pairs)
		return;
	for (size_t i = 0; i < l->list.n; i++)
		order[i] = (struct order){ &l->list.at[i], i };
	qsort(order, l->list.n, sizeof *order, by_key_latest_first);
	for (size_t i = 0; i < l->list.n; i++) {
		const struct hf_fact_label *pair = order[i].pair;
		if (i && hf_sv_eq(pair->key, order[i - 1].pair->key))
			continue;
		pod_of_label(pair, a, ret);
		if (n == HF_FACT_LABELS_MAX) {
			left_out++;
			continue;
		}
		pairs[2 * n] = hf_fact_bounded(a, pair->key, HF_FACT_NAME_MAX);
		pairs[2 * n++ + 1] = hf_fact_bounded(a, pair->value, HF_FACT_VALUE_MAX);
	}
	if (left_out) {
		hf_sv key = HF_SV("holdfast.left_out"), text = hf_arena_fmt(a, "%zu labels", left_out);
		size_t at = n++;
		for (; at && hf_sv_cmp(pairs[2 * at - 2], key) > 0; at--) {
			pairs[2 * at] = pairs[2 * at - 2];
			pairs[2 * at + 1] = pairs[2 * at - 1];
		}
		pairs[2 * at] = key;
		pairs[2 * at + 1] = text;
	}
	ret->labels = pairs;
	ret->labels_n = n;
}

static const size_t strings[] = {
#define STRING(field) offsetof(struct hf_container, field)
	STRING(id),         STRING(cgroup),       STRING(engine),   STRING(name),
	STRING(image_name), STRING(image_digest), STRING(pod_name), STRING(pod_namespace),
	STRING(pod_uid),    STRING(user),         STRING(address),  STRING(healthcheck),
};

static const struct {
	size_t at, n, factor;
} lists[] = {
#define LIST(field, factor)                                                                            \
	{                                                                                              \
		offsetof(struct hf_container, field), offsetof(struct hf_container, field##_n), factor \
	}
	LIST(labels, 2),     LIST(host_namespaces, 1), LIST(mounts, 1), LIST(capabilities_added, 1),
	LIST(entrypoint, 1), LIST(exposed_ports, 1),
};

#define STRING_OF(c, i) ((const hf_sv *)((const char *)(c) + strings[i]))
#define LIST_OF(c, i)   ((const hf_sv *const *)((const char *)(c) + lists[i].at))
#define COUNT_OF(c, i)  ((const size_t *)((const char *)(c) + lists[i].n))

static const struct hf_container *teller_of_string(const struct hf_container *facts, const struct hf_container *old,
						   size_t i)
{
	return STRING_OF(facts, i)->len || !old ? facts : old;
}

static const struct hf_container *teller_of_list(const struct hf_container *facts, const struct hf_container *old,
						 size_t i)
{
	return *LIST_OF(facts, i) || !old ? facts : old;
}

static size_t size_of(const struct hf_container *facts, const struct hf_container *old)
{
	size_t bytes = 0, views = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(strings); i++)
		bytes += STRING_OF(teller_of_string(facts, old, i), i)->len;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++) {
		const struct hf_container *c = teller_of_list(facts, old, i);
		size_t n = *COUNT_OF(c, i) * lists[i].factor;
		views += n;
		for (size_t k = 0; k < n; k++)
			bytes += (*LIST_OF(c, i))[k].len;
	}
	return views * sizeof(hf_sv) + bytes;
}

static hf_sv put(char **at, hf_sv s)
{
	hf_sv copy = { *at, s.len };

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return copy;
}

void *hf_facts_pack(const struct hf_container *facts, const struct hf_container *old, struct hf_container *ret,
		    size_t *ret_size)
{
	size_t size = size_of(facts, old), views = 0;
	char *block = hf_malloc(size + 1), *at = block;
	hf_sv *list = (hf_sv *)block;
	struct hf_container got = *ret;

	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++)
		views += *COUNT_OF(teller_of_list(facts, old, i), i) * lists[i].factor;
	at += views * sizeof(hf_sv);
	for (size_t i = 0; i < HF_ARRAY_SIZE(strings); i++)
		*(hf_sv *)((char *)&got + strings[i]) = put(&at, *STRING_OF(teller_of_string(facts, old, i), i));
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++) {
		const struct hf_container *c = teller_of_list(facts, old, i);
		size_t n = *COUNT_OF(c, i) * lists[i].factor;
		*(const hf_sv **)((char *)&got + lists[i].at) = *LIST_OF(c, i) ? list : NULL;
		*(size_t *)((char *)&got + lists[i].n) = *COUNT_OF(c, i);
		for (size_t k = 0; k < n; k++)
			*list++ = put(&at, (*LIST_OF(c, i))[k]);
	}
	if (facts->privileged_known || !old) {
		got.privileged = facts->privileged;
		got.privileged_known = facts->privileged_known;
	}
	*ret = got;
	*ret_size = size;
	return block;
}
