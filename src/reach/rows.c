#include <stdlib.h>

#include "base/buffer.h"
#include "reach/internal.h"

/* Sets of peers, as bits: what a peer of a rule stands for is looked up once for all rules that say the same. */
struct peer_set {
	uint64_t *bits;
};

struct filler {
	struct hf_reach *r;
	struct hf_map sets[HF_REACH_SIDES], rows[HF_REACH_SIDES];
	struct hf_buf key;
	size_t words[HF_REACH_SIDES];
	/* Of the row at hand, for each peer. */
	hf_conns *allowed, *rest, *passed;
	uint64_t *bits;
	HF_VEC(uint32_t) index_of; /* of a set in the model's values, + 1 */
	/* A union of many sets, for each peer: like a counter in binary, level[l] holds that of 2^l of them where bit l of its count is
	 * set. So each of them is copied a few times, not once for every other. */
	hf_conns *level[32];
	uint32_t *counts;
	uint32_t *touched; /* peers whose count is not 0 */
	size_t touched_n, longest;
	struct reach_labelled labelled;            /* groups */
	struct reach_list *chosen[HF_REACH_SIDES]; /* of each group: the policies that select it */
};

static int by_edge(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void cut(struct hf_reach *r, enum hf_reach_side side)
{
	HF_VEC(uint64_t) edges = { 0 };
	uint64_t *first = hf_vec_push(r->arena, &edges);

	if (!first)
		return;
	for (size_t i = 0; i < r->policies_n; i++)
		for (size_t k = 0; k < r->policies[i].rules_n[side]; k++) {
			const struct hf_reach_rule *rule = &r->policies[i].rules[side][k];
			for (size_t p = 0; p < rule->peers_n; p++)
				for (size_t s = 0; s < rule->peers[p].spans_n; s++) {
					uint64_t *from = hf_vec_push(r->arena, &edges);
					uint64_t *to = from ? hf_vec_push(r->arena, &edges) : NULL;
					if (!to)
						return;
					edges.at[edges.n - 2] = rule->peers[p].spans[s].first;
					edges.at[edges.n - 1] = (uint64_t)rule->peers[p].spans[s].last + 1;
				}
		}
	qsort(edges.at, edges.n, sizeof *edges.at, by_edge);
	struct hf_reach_span *spans = hf_arena_array(r->arena, struct hf_reach_span, edges.n);
	size_t n = 0;
	for (size_t i = 0; spans && i < edges.n && edges.at[i] <= UINT32_MAX; i++) {
		uint64_t next = i + 1 < edges.n ? edges.at[i + 1] : (uint64_t)UINT32_MAX + 1;
		if (next > edges.at[i])
			spans[n++] = (struct hf_reach_span){ (uint32_t)edges.at[i], (uint32_t)(next - 1) };
	}
	r->spans[side] = spans;
	r->spans_n[side] = n;
}

void reach_cut_addresses(struct hf_reach *r)
{
	for (unsigned side = 0; side < HF_REACH_SIDES; side++)
		cut(r, (enum hf_reach_side)side);
}

bool reach_peer_is_span(const struct hf_reach_peer *p, struct hf_reach_span s)
{
	size_t low = 0, high = p->spans_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->spans[middle].last < s.first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->spans_n && p->spans[low].first <= s.first && s.last <= p->spans[low].last;
}

static bool namespace_fits(const struct hf_reach *r, const struct hf_reach_policy *policy,
			   const struct hf_label_selector *s, const struct hf_reach_group *g)
{
	const struct hf_reach_namespace *n = &r->namespaces.at[g->namespace];

	return s ? hf_label_selector_matches(s, n->labels, n->labels_n) : hf_sv_eq(policy->object->namespace, n->name);
}

bool reach_peer_is_group(const struct hf_reach *r, const struct hf_reach_policy *policy, const struct hf_reach_peer *p,
			 const struct hf_reach_group *g)
{
	return !p->outside && namespace_fits(r, policy, p->namespaces, g) &&
	       (!p->pods || hf_label_selector_matches(p->pods, g->labels, g->labels_n));
}

/* Of ports that are sorted by name. */
static size_t first_named(const struct hf_netpol_named_port *ports, size_t n, hf_sv name)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		if (hf_sv_cmp(ports[middle].name, name) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

hf_conns reach_rule_ports(struct hf_reach *r, const struct hf_reach_rule *rule,
			  const struct hf_netpol_named_port *ports, size_t n)
{
	static const enum hf_conn_protocol of_number[256] = {
		[6] = HF_CONN_TCP, [17] = HF_CONN_UDP, [132] = HF_CONN_SCTP
	};
	hf_conns all = rule->ports;

	for (size_t i = 0; i < rule->names_n; i++)
		for (size_t k = first_named(ports, n, rule->names[i].name);
		     k < n && hf_sv_eq(rule->names[i].name, ports[k].name); k++) {
			enum hf_conn_protocol protocol = of_number[ports[k].protocol];
			if (rule->names[i].any_protocol || rule->names[i].protocol == protocol)
				all = hf_conns_union(&r->pool, all,
						     hf_conns_ports(&r->pool, protocol, ports[k].port, ports[k].port));
		}
	return all;
}

static void key_text(struct hf_buf *key, hf_sv s)
{
	hf_buf_addf(key, "%zu:", s.len);
	hf_buf_add(key, s);
}

static void key_selector(struct hf_buf *key, const struct hf_label_selector *s)
{
	if (!s) {
		hf_buf_add_char(key, '-');
		return;
	}
	for (size_t i = 0; i < 2 * s->labels_n; i++)
		key_text(key, s->labels[i]);
	for (size_t i = 0; i < s->requirements_n; i++) {
		hf_buf_addf(key, "?%u,%zu", (unsigned)s->requirements[i].operator, s->requirements[i].values_n);
		key_text(key, s->requirements[i].key);
		for (size_t k = 0; k < s->requirements[i].values_n; k++)
			key_text(key, s->requirements[i].values[k]);
	}
	hf_buf_add_char(key, '.');
}

static void key_peer(struct hf_buf *key, const struct hf_reach_policy *policy, const struct hf_reach_peer *p)
{
	key->len = 0;
	if (!p->namespaces)
		key_text(key, policy->object->namespace);
	key_selector(key, p->namespaces);
	key_selector(key, p->pods);
}

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << i % 64;
}

static void set_bits(uint64_t *bits, size_t from, size_t to)
{
	for (; from < to && from % 64; from++)
		set_bit(bits, from);
	for (; from + 64 <= to; from += 64)
		bits[from / 64] = UINT64_MAX;
	for (; from < to; from++)
		set_bit(bits, from);
}

/* The first of the model's addresses that is not below @address: each edge of a peer's is one of theirs. */
static size_t first_span(const struct hf_reach *r, enum hf_reach_side side, uint64_t address)
{
	size_t low = 0, high = r->spans_n[side];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->spans[side][middle].first < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void set_outside(const struct filler *f, enum hf_reach_side side, const struct hf_reach_peer *p)
{
	const struct hf_reach *r = f->r;

	for (size_t i = 0; i < p->spans_n; i++)
		set_bits(f->bits, r->groups.n + first_span(r, side, p->spans[i].first),
			 r->groups.n + first_span(r, side, (uint64_t)p->spans[i].last + 1));
}

/* Groups of a namespace that a selector matches; NULL: all of them. */
static void each_selected(struct filler *f, uint32_t namespace, const struct hf_label_selector *pods,
			  void (*selected)(struct filler *, uint32_t group, void *ctx), void *ctx)
{
	const struct hf_reach *r = f->r;
	const struct hf_reach_namespace *n = &r->namespaces.at[namespace];
	const uint32_t *list = n->groups.at;
	size_t count = n->groups.n;

	if (pods && pods->labels_n) {
		const struct reach_list *some = reach_labelled_find(&f->labelled, namespace, pods);
		list = some->at;
		count = some->n;
	}
	for (size_t i = 0; i < count; i++) {
		const struct hf_reach_group *g = &r->groups.at[list[i]];
		if (!pods || hf_label_selector_matches(pods, g->labels, g->labels_n))
			selected(f, list[i], ctx);
	}
}

/* The same of all namespaces that a policy's selector matches; NULL: its own. */
static void each_in_namespaces(struct filler *f, const struct hf_reach_policy *policy,
			       const struct hf_label_selector *namespaces, const struct hf_label_selector *pods,
			       void (*selected)(struct filler *, uint32_t group, void *ctx), void *ctx)
{
	const struct hf_reach *r = f->r;

	if (!namespaces) {
		const struct hf_map_entry *e = hf_map_find(&r->namespace_index, policy->object->namespace);
		if (e)
			each_selected(f, (uint32_t)((uintptr_t)e->value - 1), pods, selected, ctx);
		return;
	}
	for (size_t i = 0; i < r->namespaces.n; i++)
		if (hf_label_selector_matches(namespaces, r->namespaces.at[i].labels, r->namespaces.at[i].labels_n))
			each_selected(f, (uint32_t)i, pods, selected, ctx);
}

static void set_group(struct filler *f, uint32_t group, void *bits)
{
	(void)f;
	set_bit(bits, group);
}

static const uint64_t *set_of(struct filler *f, enum hf_reach_side side, const struct hf_reach_policy *policy,
			      const struct hf_reach_peer *p)
{
	key_peer(&f->key, policy, p);
	struct hf_map_entry *e = hf_map_find(&f->sets[side], hf_buf_view(&f->key));
	if (e)
		return e->value;
	e = hf_map_put(&f->sets[side], hf_arena_dup(f->r->arena, hf_buf_view(&f->key)));
	uint64_t *bits = hf_arena_array(f->r->arena, uint64_t, f->words[side]);
	if (!e || !bits)
		return NULL;
	each_in_namespaces(f, policy, p->namespaces, p->pods, set_group, bits);
	e->value = bits;
	return bits;
}

/* The rule's peers, into f->bits. */
static void rule_peers(struct filler *f, enum hf_reach_side side, const struct hf_reach_policy *policy,
		       const struct hf_reach_rule *rule)
{
	memset(f->bits, rule->everyone ? 0xff : 0, f->words[side] * sizeof *f->bits);
	for (size_t i = 0; i < rule->peers_n; i++) {
		if (rule->peers[i].outside) {
			set_outside(f, side, &rule->peers[i]);
			continue;
		}
		const uint64_t *set = set_of(f, side, policy, &rule->peers[i]);
		for (size_t w = 0; set && w < f->words[side]; w++)
			f->bits[w] |= set[w];
	}
}

static void gather(struct filler *f, size_t peer, hf_conns c)
{
	unsigned l = 0;

	if (c == HF_CONNS_NONE)
		return;
	for (; f->counts[peer] >> l & 1; l++)
		c = hf_conns_union(&f->r->pool, f->level[l][peer], c);
	if (!f->level[l])
		f->level[l] = hf_arena_array(f->r->arena, hf_conns, f->longest);
	if (!f->level[l])
		return;
	f->level[l][peer] = c;
	if (!f->counts[peer]++)
		f->touched[f->touched_n++] = (uint32_t)peer;
}

static hf_conns gathered(struct filler *f, size_t peer)
{
	hf_conns all = HF_CONNS_NONE;

	for (unsigned l = 0; f->counts[peer] >> l; l++)
		if (f->counts[peer] >> l & 1)
			all = hf_conns_union(&f->r->pool, all, f->level[l][peer]);
	f->counts[peer] = 0;
	return all;
}

/* One rule, for one peer: an admin or baseline policy's rule takes what no earlier one took. */
static void apply(struct filler *f, const struct hf_reach_policy *policy, const struct hf_reach_rule *rule, size_t peer,
		  hf_conns ports)
{
	struct hf_conn_pool *pool = &f->r->pool;

	if (policy->layer == HF_REACH_NAMESPACED) {
		gather(f, peer, ports);
		return;
	}
	hf_conns taken = hf_conns_intersection(pool, f->rest[peer], ports);
	f->rest[peer] = hf_conns_difference(pool, f->rest[peer], taken);
	if (rule->action == HF_REACH_ALLOW)
		f->allowed[peer] = hf_conns_union(pool, f->allowed[peer], taken);
	else if (rule->action == HF_REACH_PASS)
		f->passed[peer] = hf_conns_union(pool, f->passed[peer], taken);
}

static void apply_rule(struct filler *f, enum hf_reach_side side, const struct hf_reach_row *row,
		       const struct hf_reach_policy *policy, const struct hf_reach_rule *rule)
{
	struct hf_reach *r = f->r;
	size_t length = reach_row_length(r, side);
	hf_conns ports = side == HF_REACH_INGRESS ? reach_rule_ports(r, rule, row->ports, row->ports_n) : rule->ports;

	rule_peers(f, side, policy, rule);
	for (size_t w = 0; w < f->words[side]; w++)
		for (uint64_t bits = f->bits[w]; bits; bits &= bits - 1) {
			size_t peer = w * 64 + (size_t)__builtin_ctzll(bits);
			if (peer >= length)
				break;
			if (side == HF_REACH_EGRESS && rule->names_n && peer < r->groups.n)
				apply(f, policy, rule, peer,
				      reach_rule_ports(r, rule, r->groups.at[peer].ports, r->groups.at[peer].ports_n));
			else
				apply(f, policy, rule, peer, ports);
		}
}

/* What the layers before left open goes on to the next one; what one passed too. */
static void next_layer(struct filler *f, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		f->rest[i] = hf_conns_union(&f->r->pool, f->rest[i], f->passed[i]);
		f->passed[i] = HF_CONNS_NONE;
	}
}

/* Admin and baseline policies are rare: without them a row is what its NetworkPolicies allow, or everything. */
static void apply_plain(struct filler *f, enum hf_reach_side side, const struct hf_reach_row *row)
{
	for (size_t i = 0; i < row->policies_n; i++) {
		const struct hf_reach_policy *p = &f->r->policies[row->policies[i]];
		for (size_t k = 0; k < p->rules_n[side]; k++)
			apply_rule(f, side, row, p, &p->rules[side][k]);
	}
}

/* Layer by layer; the result is in f->passed. */
static void fill_layers(struct filler *f, enum hf_reach_side side, const struct hf_reach_row *row, size_t length)
{
	struct hf_reach *r = f->r;
	bool isolated = false;
	size_t i = 0;

	for (size_t k = 0; k < length; k++) {
		f->allowed[k] = f->passed[k] = HF_CONNS_NONE;
		f->rest[k] = HF_CONNS_ALL;
	}
	for (unsigned layer = HF_REACH_ADMIN; layer <= HF_REACH_BASELINE; layer++) {
		if (layer == HF_REACH_BASELINE && isolated)
			break;
		for (; i < row->policies_n && r->policies[row->policies[i]].layer == (enum hf_reach_layer)layer; i++) {
			const struct hf_reach_policy *p = &r->policies[row->policies[i]];
			isolated |= layer == HF_REACH_NAMESPACED;
			for (size_t k = 0; k < p->rules_n[side]; k++)
				apply_rule(f, side, row, p, &p->rules[side][k]);
		}
		if (layer == HF_REACH_NAMESPACED && isolated)
			for (size_t k = 0; k < length; k++)
				f->rest[k] = hf_conns_intersection(&r->pool, f->rest[k], gathered(f, k));
		else
			next_layer(f, length);
	}
	for (size_t k = 0; k < length; k++)
		f->passed[k] = hf_conns_union(&r->pool, f->allowed[k], f->rest[k]);
}

static uint16_t value_of(struct filler *f, hf_conns c)
{
	struct hf_reach *r = f->r;

	while (f->index_of.n <= c)
		if (!hf_vec_push(r->arena, &f->index_of))
			return 0;
	if (f->index_of.at[c])
		return (uint16_t)(f->index_of.at[c] - 1);
	hf_conns *slot = r->values.n <= UINT16_MAX ? hf_vec_push(r->arena, &r->values) : NULL;
	if (!slot) {
		r->arena->over = true;
		return 0;
	}
	*slot = c;
	f->index_of.at[c] = (uint32_t)r->values.n;
	return (uint16_t)(r->values.n - 1);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What was gathered, where few peers have any. */
static void list_peers(struct filler *f, struct hf_reach_row *row)
{
	uint32_t *peers = hf_arena_array(f->r->arena, uint32_t, f->touched_n);
	uint16_t *values = hf_arena_array(f->r->arena, uint16_t, f->touched_n);

	if (f->touched_n)
		qsort(f->touched, f->touched_n, sizeof *f->touched, by_number);
	for (size_t i = 0; i < f->touched_n; i++) {
		hf_conns c = gathered(f, f->touched[i]);
		if (!peers || !values)
			continue;
		peers[i] = f->touched[i];
		values[i] = value_of(f, c);
	}
	row->peers = peers;
	row->peer_values = values;
	row->peers_n = peers && values ? f->touched_n : 0;
}

enum { SPARSE = 16 }; /* a list takes three times as much for each peer, and a search */

static void fill_row(struct filler *f, enum hf_reach_side side, struct hf_reach_row *row)
{
	struct hf_reach *r = f->r;
	size_t length = reach_row_length(r, side);
	bool plain = true;

	f->touched_n = 0;
	for (size_t i = 0; i < row->policies_n; i++)
		plain &= r->policies[row->policies[i]].layer == HF_REACH_NAMESPACED;
	if (plain)
		apply_plain(f, side, row);
	else
		fill_layers(f, side, row, length);
	if (plain && row->policies_n && f->touched_n < length / SPARSE) {
		list_peers(f, row);
		return;
	}
	for (size_t k = 0; plain && k < length; k++)
		f->passed[k] = row->policies_n ? gathered(f, k) : HF_CONNS_ALL;
	row->values = hf_arena_array(r->arena, uint16_t, length);
	for (size_t k = 0; row->values && k < length; k++)
		row->values[k] = value_of(f, f->passed[k]);
}

/* Groups that the same policies select share a row; in ingress their named ports have to be the same too. */
static uint32_t row_of(struct filler *f, enum hf_reach_side side, const struct hf_reach_group *g,
		       const uint32_t *policies, size_t n)
{
	struct hf_reach *r = f->r;

	f->key.len = 0;
	hf_buf_add(&f->key, (hf_sv){ (const char *)policies, n * sizeof *policies });
	for (size_t i = 0; side == HF_REACH_INGRESS && n && i < g->ports_n; i++) {
		hf_buf_addf(&f->key, "/%u/%u", g->ports[i].protocol, g->ports[i].port);
		key_text(&f->key, g->ports[i].name);
	}
	struct hf_map_entry *e = hf_map_find(&f->rows[side], hf_buf_view(&f->key));
	if (e)
		return (uint32_t)(uintptr_t)e->value;
	e = hf_map_put(&f->rows[side], hf_arena_dup(r->arena, hf_buf_view(&f->key)));
	struct hf_reach_row *row = hf_vec_push(r->arena, &r->rows);
	uint32_t *list = hf_arena_array(r->arena, uint32_t, n);
	if (!e || !row || !list)
		return 0;
	if (n)
		memcpy(list, policies, n * sizeof *list);
	*row = (struct hf_reach_row){ .policies = list, .policies_n = n, .ports = g->ports, .ports_n = g->ports_n };
	e->value = (void *)(uintptr_t)(r->rows.n - 1);
	fill_row(f, side, row);
	return (uint32_t)r->rows.n - 1;
}

static void choose(struct filler *f, uint32_t group, void *ctx)
{
	const struct hf_reach_policy *p = ctx;

	for (unsigned side = 0; side < HF_REACH_SIDES; side++) {
		uint32_t *slot = p->sides[side] ? hf_vec_push(f->r->arena, &f->chosen[side][group]) : NULL;
		if (slot)
			*slot = (uint32_t)(p - f->r->policies);
	}
}

void reach_fill_rows(struct hf_reach *r)
{
	struct hf_arena *a = r->arena;
	struct filler f = { .r = r, .key = HF_BUF((size_t)64 << 20) };
	size_t longest = 0;

	for (unsigned side = 0; side < HF_REACH_SIDES; side++) {
		size_t length = reach_row_length(r, (enum hf_reach_side)side);
		f.sets[side] = f.rows[side] = HF_MAP(a);
		f.words[side] = (length + 63) / 64;
		longest = length > longest ? length : longest;
	}
	f.longest = longest;
	f.counts = hf_arena_array(a, uint32_t, longest);
	f.allowed = hf_arena_array(a, hf_conns, longest);
	f.rest = hf_arena_array(a, hf_conns, longest);
	f.passed = hf_arena_array(a, hf_conns, longest);
	f.bits = hf_arena_array(a, uint64_t, (longest + 63) / 64);
	f.touched = hf_arena_array(a, uint32_t, longest);
	reach_labelled_init(&f.labelled, a);
	for (size_t i = 0; i < r->groups.n; i++)
		reach_labelled_add(&f.labelled, r->groups.at[i].namespace, r->groups.at[i].labels,
				   r->groups.at[i].labels_n, (uint32_t)i);
	for (unsigned side = 0; side < HF_REACH_SIDES; side++)
		f.chosen[side] = hf_arena_array(a, struct reach_list, r->groups.n);
	for (size_t i = 0; i < r->policies_n && !a->over; i++) {
		struct hf_reach_policy *p = (struct hf_reach_policy *)(uintptr_t)&r->policies[i];
		const struct hf_map_entry *e =
			p->layer == HF_REACH_NAMESPACED ? hf_map_find(&r->namespace_index, p->object->namespace) : NULL;
		uint32_t *slot = e ? hf_vec_push(a, &r->namespaces.at[(uintptr_t)e->value - 1].policies) : NULL;
		if (slot)
			*slot = (uint32_t)i;
		if (!p->selects_nothing)
			each_in_namespaces(&f, p, p->namespaces, p->pods, choose, p);
	}
	for (size_t i = 0; i < r->groups.n && !a->over; i++)
		for (unsigned side = 0; side < HF_REACH_SIDES; side++) {
			const struct reach_list *chosen = &f.chosen[side][i];
			r->groups.at[i].rows[side] =
				row_of(&f, (enum hf_reach_side)side, &r->groups.at[i], chosen->at, chosen->n);
		}
	reach_labelled_done(&f.labelled);
	hf_buf_done(&f.key);
}
