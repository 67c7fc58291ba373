#include "reach/conns.h"

#include "base/buffer.h"
#include "base/hash.h"

enum operation { UNION, INTERSECTION, DIFFERENCE };
enum { PORT_LAST = 65535, TEXT_MAX = 1 << 20 };

const char *const hf_conn_protocol_names[HF_CONN_PROTOCOLS] = { "SCTP", "TCP", "UDP" };

static uint64_t hash_of(const struct hf_conn_set *s)
{
	uint64_t h = 0;

	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++)
		h = h * 0x9e3779b97f4a7c15u + s->n[p] +
		    hf_hash((hf_sv){ (const char *)s->ranges[p], s->n[p] * sizeof *s->ranges[p] });
	return h;
}

static bool same(const struct hf_conn_set *a, const struct hf_conn_set *b)
{
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++)
		if (a->n[p] != b->n[p] ||
		    (a->n[p] && memcmp(a->ranges[p], b->ranges[p], a->n[p] * sizeof *a->ranges[p])))
			return false;
	return true;
}

static bool grow_slots(struct hf_conn_pool *pool)
{
	size_t n = pool->slots_n ? pool->slots_n * 2 : 256;
	uint32_t *slots = hf_arena_array(pool->arena, uint32_t, n);

	if (!slots)
		return false;
	for (size_t i = 0; i < pool->sets.n; i++) {
		size_t at = hash_of(&pool->sets.at[i]) & (n - 1);
		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	pool->slots = slots;
	pool->slots_n = n;
	return true;
}

/* The number of a set; its ranges are copied where it is a new one. */
static hf_conns intern(struct hf_conn_pool *pool, const struct hf_conn_set *s)
{
	if (2 * (pool->sets.n + 1) > pool->slots_n && !grow_slots(pool))
		return HF_CONNS_NONE;
	size_t at = hash_of(s) & (pool->slots_n - 1);
	for (; pool->slots[at]; at = (at + 1) & (pool->slots_n - 1))
		if (same(&pool->sets.at[pool->slots[at] - 1], s))
			return pool->slots[at] - 1;
	struct hf_conn_set copy = { 0 };
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		struct hf_port_range *r = hf_arena_array(pool->arena, struct hf_port_range, s->n[p]);
		if (!r)
			return HF_CONNS_NONE;
		if (s->n[p])
			memcpy(r, s->ranges[p], s->n[p] * sizeof *r);
		copy.ranges[p] = r;
		copy.n[p] = s->n[p];
	}
	struct hf_conn_set *slot = hf_vec_push(pool->arena, &pool->sets);
	if (!slot)
		return HF_CONNS_NONE;
	*slot = copy;
	pool->slots[at] = (uint32_t)pool->sets.n;
	return (hf_conns)(pool->sets.n - 1);
}

void hf_conn_pool_init(struct hf_conn_pool *pool, struct hf_arena *a)
{
	static const struct hf_port_range every[] = { { 1, PORT_LAST } };
	const struct hf_conn_set none = { 0 }, all = { { every, every, every }, { 1, 1, 1 } };

	*pool = (struct hf_conn_pool){ .arena = a };
	intern(pool, &none);
	intern(pool, &all);
}

hf_conns hf_conns_ports(struct hf_conn_pool *pool, enum hf_conn_protocol protocol, uint16_t first, uint16_t last)
{
	struct hf_port_range r = { first || last ? first : 1, first || last ? last : PORT_LAST };
	struct hf_conn_set s = { 0 };

	if (!r.first || r.first > r.last)
		return HF_CONNS_NONE;
	s.ranges[protocol] = &r;
	s.n[protocol] = 1;
	return intern(pool, &s);
}

const struct hf_conn_set *hf_conns_get(const struct hf_conn_pool *pool, hf_conns c)
{
	static const struct hf_conn_set none;

	return c < pool->sets.n ? &pool->sets.at[c] : &none;
}

static bool keeps(enum operation op, bool a, bool b)
{
	return op == UNION ? a || b : op == INTERSECTION ? a && b : a && !b;
}

/* The next port, from @from on, at which being in the list changes; beyond the last port where it no longer does. */
static uint32_t edge(const struct hf_port_range *r, uint32_t n, uint32_t *k, uint32_t from, bool *ret_in)
{
	while (*k < n && r[*k].last < from)
		++*k;
	*ret_in = *k < n && r[*k].first <= from;
	return *k == n ? PORT_LAST + 1u : *ret_in ? r[*k].last + 1u : r[*k].first;
}

static uint32_t combine_ranges(enum operation op, const struct hf_port_range *a, uint32_t an,
			       const struct hf_port_range *b, uint32_t bn, struct hf_port_range *out)
{
	uint32_t n = 0, ia = 0, ib = 0;
	bool open = false;

	for (uint32_t at = 1; at <= PORT_LAST;) {
		bool in_a, in_b;
		uint32_t next_a = edge(a, an, &ia, at, &in_a), next_b = edge(b, bn, &ib, at, &in_b);
		uint32_t next = next_a < next_b ? next_a : next_b;
		bool in = keeps(op, in_a, in_b);
		if (in && !open)
			out[n++].first = (uint16_t)at;
		if (in)
			out[n - 1].last = (uint16_t)(next - 1);
		open = in;
		at = next;
	}
	return n;
}

static hf_conns combine(struct hf_conn_pool *pool, enum operation op, hf_conns a, hf_conns b)
{
	const struct hf_conn_set sa = *hf_conns_get(pool, a), sb = *hf_conns_get(pool, b);
	struct hf_arena scratch = HF_ARENA((size_t)16 << 20);
	struct hf_conn_set s = { 0 };

	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		struct hf_port_range *r = hf_arena_array(&scratch, struct hf_port_range, sa.n[p] + sb.n[p] + 1);
		s.ranges[p] = r;
		s.n[p] = r ? combine_ranges(op, sa.ranges[p], sa.n[p], sb.ranges[p], sb.n[p], r) : 0;
	}
	pool->arena->over |= scratch.over;
	hf_conns result = intern(pool, &s);
	hf_arena_done(&scratch);
	return result;
}

static struct hf_conn_memo *memo_slot(struct hf_conn_memo *memo, size_t n, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15u;
	size_t at = (h >> 32) & (n - 1);

	while (memo[at].key && memo[at].key != key)
		at = (at + 1) & (n - 1);
	return &memo[at];
}

static bool grow_memo(struct hf_conn_pool *pool)
{
	size_t n = pool->memo_n ? pool->memo_n * 2 : 1024;
	struct hf_conn_memo *memo = hf_arena_array(pool->arena, struct hf_conn_memo, n);

	if (!memo)
		return false;
	for (size_t i = 0; i < pool->memo_n; i++)
		if (pool->memo[i].key)
			*memo_slot(memo, n, pool->memo[i].key) = pool->memo[i];
	pool->memo = memo;
	pool->memo_n = n;
	return true;
}

static hf_conns remembered(struct hf_conn_pool *pool, enum operation op, hf_conns a, hf_conns b)
{
	uint64_t key = ((uint64_t)op + 1) << 60 | (uint64_t)a << 30 | b;

	if (2 * (pool->memo_used + 1) > pool->memo_n && !grow_memo(pool))
		return HF_CONNS_NONE;
	struct hf_conn_memo *m = memo_slot(pool->memo, pool->memo_n, key);
	if (!m->key) {
		m->key = key;
		m->result = combine(pool, op, a, b);
		pool->memo_used++;
	}
	return m->result;
}

hf_conns hf_conns_union(struct hf_conn_pool *pool, hf_conns a, hf_conns b)
{
	if (a == b || b == HF_CONNS_NONE || a == HF_CONNS_ALL)
		return a;
	if (a == HF_CONNS_NONE || b == HF_CONNS_ALL)
		return b;
	return a < b ? remembered(pool, UNION, a, b) : remembered(pool, UNION, b, a);
}

hf_conns hf_conns_union_all(struct hf_conn_pool *pool, hf_conns *list, size_t n)
{
	for (; n > 1; n = (n + 1) / 2)
		for (size_t i = 0; 2 * i < n; i++)
			list[i] = 2 * i + 1 < n ? hf_conns_union(pool, list[2 * i], list[2 * i + 1]) : list[2 * i];
	return n ? list[0] : HF_CONNS_NONE;
}

hf_conns hf_conns_intersection(struct hf_conn_pool *pool, hf_conns a, hf_conns b)
{
	if (a == b || b == HF_CONNS_ALL || a == HF_CONNS_NONE)
		return a;
	if (a == HF_CONNS_ALL || b == HF_CONNS_NONE)
		return b;
	return a < b ? remembered(pool, INTERSECTION, a, b) : remembered(pool, INTERSECTION, b, a);
}

hf_conns hf_conns_difference(struct hf_conn_pool *pool, hf_conns a, hf_conns b)
{
	if (a == b || a == HF_CONNS_NONE || b == HF_CONNS_ALL)
		return HF_CONNS_NONE;
	return b == HF_CONNS_NONE ? a : remembered(pool, DIFFERENCE, a, b);
}

bool hf_conns_hold(const struct hf_conn_pool *pool, hf_conns c, enum hf_conn_protocol protocol, uint16_t port)
{
	const struct hf_conn_set *s = hf_conns_get(pool, c);

	for (uint32_t i = 0; i < s->n[protocol]; i++)
		if (s->ranges[protocol][i].first <= port && port <= s->ranges[protocol][i].last)
			return true;
	return false;
}

hf_sv hf_conns_text(const struct hf_conn_pool *pool, hf_conns c, struct hf_arena *a)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(TEXT_MAX);
	const struct hf_conn_set *s = hf_conns_get(pool, c);

	if (c == HF_CONNS_NONE)
		return HF_SV("none");
	if (c == HF_CONNS_ALL)
		return HF_SV("all");
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		if (s->n[p])
			hf_buf_addf(&text, "%s%s", text.len ? "; " : "", hf_conn_protocol_names[p]);
		if (s->n[p] == 1 && s->ranges[p][0].first == 1 && s->ranges[p][0].last == PORT_LAST)
			continue;
		for (uint32_t i = 0; i < s->n[p]; i++) {
			const struct hf_port_range *r = &s->ranges[p][i];
			hf_buf_addf(&text, "%s%u", i ? ", " : " ", r->first);
			if (r->last != r->first)
				hf_buf_addf(&text, "-%u", r->last);
		}
	}
	return hf_arena_dup(a, hf_buf_view(&text));
}

bool hf_conn_protocol_of(hf_sv name, enum hf_conn_protocol *ret)
{
	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++)
		if (hf_sv_eq(name, hf_sv_of(hf_conn_protocol_names[p]))) {
			*ret = (enum hf_conn_protocol)p;
			return true;
		}
	return false;
}
