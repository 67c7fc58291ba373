#include "flow/nftables.h"

#include "base/limits.h"
#include "flow/expected.h"

struct generator {
	const struct hf_flow_graph *g;
	struct hf_arena *a;
	bool *covered;
	const struct hf_nft_set *(*of_workload)[2]; /* a workload's set for IPv4, IPv6; NULL: it has none */
	const struct hf_nft_set *known[2];
	HF_VEC(const struct hf_nft_set *) sets;
	HF_VEC(struct hf_nft_rule) inet;
	HF_VEC(struct hf_nft_rule) bridge;
	struct hf_flow_notes notes;
};

static const uint8_t families[2] = { 4, 6 };

static void note(struct generator *m, hf_sv what, hf_sv why)
{
	hf_flow_note_add(&m->notes, m->a, what, why);
}

static bool can_be_filtered(struct generator *m, const struct hf_workload *w)
{
	size_t addresses = 0;

	if (w->kind != HF_WORKLOAD_CONTAINER)
		return false;
	if (w->host_network) {
		note(m, w->id, HF_SV("it has the host's network: its traffic cannot be told from the host's"));
		return false;
	}
	for (size_t i = 0; i < w->instances_n; i++)
		addresses += w->instances[i].addresses_n;
	if (!addresses)
		note(m, w->id, HF_SV("its address is not known"));
	return addresses > 0;
}

/* What names of nftables may have, so much of it that one recognises it. */
static hf_sv set_name(struct hf_arena *a, hf_sv stem, size_t number, uint8_t family)
{
	hf_sv name = hf_arena_fmt(a, "s%zu_%.*s_%u", number, HF_SV_FMT(hf_sv_first(stem, 16)), family);
	char *bytes = (char *)(uintptr_t)name.ptr;

	for (size_t i = 0; i < name.len; i++)
		if (!(bytes[i] >= 'A' && bytes[i] <= 'Z') && !(bytes[i] >= 'a' && bytes[i] <= 'z') &&
		    !(bytes[i] >= '0' && bytes[i] <= '9'))
			bytes[i] = '_';
	return name;
}

static const struct hf_nft_set *add_set(struct generator *m, hf_sv stem, hf_sv comment, uint8_t family,
					const struct hf_cidr *elements, size_t n)
{
	struct hf_nft_set *s = n ? hf_arena_new(m->a, struct hf_nft_set) : NULL;
	const struct hf_nft_set **at = s ? hf_vec_push(m->a, &m->sets) : NULL;

	if (!at)
		return NULL;
	*s = (struct hf_nft_set){ set_name(m->a, stem, m->sets.n, family), family, elements, n, comment };
	*at = s;
	return s;
}

static const struct hf_nft_set *set_of_workloads(struct generator *m, size_t from, size_t to, hf_sv stem, hf_sv comment,
						 uint8_t family)
{
	HF_VEC(struct hf_cidr) list = { 0 };

	for (size_t w = from; w < to; w++)
		for (size_t i = 0; m->covered[w] && i < m->g->workloads[w].instances_n; i++)
			for (size_t k = 0; k < m->g->workloads[w].instances[i].addresses_n; k++) {
				const struct hf_address *a = &m->g->workloads[w].instances[i].addresses[k];
				struct hf_cidr *c = a->family == family ? hf_vec_push(m->a, &list) : NULL;

				if (c)
					*c = hf_cidr_around(a, 128);
			}
	return add_set(m, stem, comment, family, list.at, list.n);
}

static const struct hf_nft_set *set_of_peer(struct generator *m, const struct hf_peer *p, uint8_t family)
{
	HF_VEC(struct hf_cidr) list = { 0 };
	const struct hf_workload *w = p->kind == HF_PEER_WORKLOAD ? &m->g->workloads[p->workload] : NULL;

	for (size_t i = 0; i < p->addresses_n; i++) {
		struct hf_cidr *c = p->addresses[i].address.family == family ? hf_vec_push(m->a, &list) : NULL;

		if (c)
			*c = hf_cidr_around(&p->addresses[i].address, 128);
	}
	for (size_t i = 0; w && i < w->instances_n; i++)
		for (size_t k = 0; k < w->instances[i].addresses_n; k++) {
			const struct hf_address *a = &w->instances[i].addresses[k];
			struct hf_cidr *c = a->family == family ? hf_vec_push(m->a, &list) : NULL;

			if (c)
				*c = hf_cidr_around(a, 128);
		}
	hf_sv name = w ? w->id : p->kind == HF_PEER_NAME ? p->name : HF_SV("outside");

	return add_set(m, name, name, family, list.at, list.n);
}

/* The rule for both tables; in the bridge's also the one for the answers. */
static void add_rule(struct generator *m, const struct hf_nft_rule *r)
{
	struct hf_nft_rule *inet = hf_vec_push(m->a, &m->inet), *bridge = hf_vec_push(m->a, &m->bridge);
	struct hf_nft_rule *answer = r->drop ? NULL : hf_vec_push(m->a, &m->bridge);

	if (!inet || !bridge)
		return;
	*inet = *r;
	m->bridge.at[m->bridge.n - (r->drop ? 1 : 2)] = *r;
	if (!answer)
		return;
	*answer = (struct hf_nft_rule){
		.source = r->destination,
		.destination = r->source,
		.not_source = r->not_destination,
		.not_destination = r->not_source,
		.family = r->family,
		.protocol = r->protocol,
		.source_first = r->port_first,
		.source_last = r->port_last,
		.not_opening = r->protocol == HF_FLOW_TCP,
		.comment = HF_SV("answers"),
	};
}

/* An end of a flow as a rule's match; false where this family has nothing of it. */
static bool match_end(struct generator *m, const struct hf_peer *p, bool everybody, int family,
		      const struct hf_nft_set **ret, bool *ret_not)
{
	*ret_not = false;
	if (p->kind == HF_PEER_WORKLOAD && m->covered[p->workload]) {
		*ret = m->of_workload[p->workload][family];
	} else if (everybody || p->addresses_more) {
		*ret = m->known[family];
		*ret_not = true;
	} else {
		*ret = set_of_peer(m, p, families[family]);
	}
	return *ret;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == HF_FLOW_TCP || protocol == HF_FLOW_UDP || protocol == HF_FLOW_SCTP;
}

static bool concerns(const struct generator *m, const struct hf_peer *p)
{
	return p->kind == HF_PEER_WORKLOAD && m->covered[p->workload];
}

static void add_flow(struct generator *m, const struct hf_flow *f)
{
	char text[800];
	size_t rules = m->inet.n;

	if (!concerns(m, &f->client) && !concerns(m, &f->server))
		return;
	if (!has_ports(f->protocol)) {
		hf_flow_note_of_flow(&m->notes, m->a, m->g, f,
				     HF_SV("a protocol without ports: it is not in the rules"));
		return;
	}
	hf_sv comment = hf_arena_dup(m->a, hf_flow_text(m->g, f, text, sizeof text));

	for (int family = 0; family < 2; family++) {
		struct hf_nft_rule r = {
			.family = families[family],
			.protocol = f->protocol,
			.port_first = f->port,
			.port_last = f->port_last,
			.comment = comment,
		};

		if (match_end(m, &f->client, hf_flow_is_for_everybody(f), family, &r.source, &r.not_source) &&
		    match_end(m, &f->server, false, family, &r.destination, &r.not_destination))
			add_rule(m, &r);
	}
	if (m->inet.n == rules)
		hf_flow_note_of_flow(&m->notes, m->a, m->g, f,
				     HF_SV("its ends have no addresses that go together: it is not in the rules"));
}

/* Docker's resolver listens on the container's loopback and asks on from its network, as a process of the host: which server
 * is asked behind it, nobody saw. */
static void add_resolver(struct generator *m, size_t workload)
{
	static const uint8_t protocols[] = { HF_FLOW_UDP, HF_FLOW_TCP };
	hf_sv comment =
		hf_arena_concat(m->a, m->g->workloads[workload].id, HF_SV(" -> DNS, asked by Docker's resolver"));

	for (int family = 0; family < 2; family++)
		for (size_t i = 0; m->of_workload[workload][family] && i < HF_ARRAY_SIZE(protocols); i++)
			add_rule(m, &(struct hf_nft_rule){
					    .source = m->of_workload[workload][family],
					    .destination = m->known[family],
					    .not_destination = true,
					    .family = families[family],
					    .protocol = protocols[i],
					    .port_first = 53,
					    .port_last = 53,
					    .comment = comment,
				    });
}

static void close_rest(struct generator *m)
{
	for (int family = 0; family < 2; family++) {
		if (!m->known[family])
			continue;
		add_rule(m, &(struct hf_nft_rule){ .source = m->known[family],
						   .family = families[family],
						   .drop = true,
						   .comment = HF_SV("the rest of what they send") });
		add_rule(m, &(struct hf_nft_rule){ .destination = m->known[family],
						   .family = families[family],
						   .drop = true,
						   .comment = HF_SV("the rest of what is sent to them") });
	}
}

static bool make_sets(struct generator *m)
{
	for (int family = 0; family < 2; family++) {
		m->known[family] =
			set_of_workloads(m, 0, m->g->workloads_n, HF_SV("containers"),
					 HF_SV("all containers that these rules are about"), families[family]);
		for (size_t i = 0; i < m->g->workloads_n; i++)
			if (m->covered[i])
				m->of_workload[i][family] = set_of_workloads(m, i, i + 1, m->g->workloads[i].id,
									     m->g->workloads[i].id, families[family]);
	}
	return !m->a->over;
}

int hf_nft_generate(const struct hf_flow_graph *g, struct hf_arena *a, struct hf_nft_rules *ret, struct hf_err *err)
{
	struct generator m = { .g = g, .a = a, .covered = hf_arena_array(a, bool, g->workloads_n) };
	struct hf_nft_rule *established = hf_vec_push(a, &m.inet);
	size_t n = 0;

	m.of_workload = hf_arena_calloc(a, g->workloads_n, sizeof *m.of_workload, _Alignof(void *));
	if (!m.covered || !m.of_workload || !established)
		return hf_fail(err, HF_E_LIMIT, "the rules take too much memory");
	for (size_t i = 0; i < g->workloads_n; i++)
		n += m.covered[i] = can_be_filtered(&m, &g->workloads[i]);
	if (!n)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "no nftables rules: no container with an address of its own is among the %zu workloads",
			       g->workloads_n);
	if (g->not_kept)
		return hf_fail(err, HF_E_LIMIT, "%llu events had no room: rules would close what was used",
			       (unsigned long long)g->not_kept);
	*established = (struct hf_nft_rule){ .established = true };
	if (make_sets(&m))
		for (size_t i = 0; i < g->flows_n; i++)
			add_flow(&m, &g->flows[i]);
	for (size_t i = 0; i < g->workloads_n; i++)
		if (m.covered[i] && g->workloads[i].dns && g->workloads[i].local_resolver)
			add_resolver(&m, i);
	close_rest(&m);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the rules take too much memory");
	*ret = (struct hf_nft_rules){ m.sets.at,  m.sets.n,  m.inet.at,       m.bridge.at,   m.inet.n,
				      m.bridge.n, m.covered, m.notes.list.at, m.notes.list.n };
	return HF_OK;
}

static bool in_set(const struct hf_nft_set *s, bool not, const struct hf_address *a)
{
	bool there = false;

	if (!s)
		return true;
	for (size_t i = 0; !there && i < s->n; i++)
		there = hf_cidr_holds(&s->elements[i], a);
	return there != not ;
}

static bool matches(const struct hf_nft_rule *r, const struct hf_nft_packet *p)
{
	if (r->established && !p->established)
		return false;
	if (r->family && (p->source.family != r->family || p->destination.family != r->family))
		return false;
	if ((r->protocol && r->protocol != p->protocol) || (r->not_opening && p->opening))
		return false;
	if (r->port_first && (p->port < r->port_first || p->port > r->port_last))
		return false;
	if (r->source_first && (p->source_port < r->source_first || p->source_port > r->source_last))
		return false;
	return in_set(r->source, r->not_source, &p->source) &&
	       in_set(r->destination, r->not_destination, &p->destination);
}

bool hf_nft_passes(const struct hf_nft_rule *rules, size_t n, const struct hf_nft_packet *p)
{
	for (size_t i = 0; i < n; i++)
		if (matches(&rules[i], p))
			return !rules[i].drop;
	return true;
}

struct proof {
	const struct hf_flow_graph *g;
	const struct hf_nft_rules *rules;
	uint16_t client_port; /* nobody serves it: answers are let through by their source port */
	uint64_t tried;
};

static uint16_t free_port(const struct hf_flow_graph *g)
{
	uint16_t port = 65000;

	for (size_t i = 0; i < g->flows_n && port > 40000; i++)
		if (g->flows[i].port <= port && port <= g->flows[i].port_last &&
		    g->flows[i].port == g->flows[i].port_last) {
			port--;
			i = (size_t)-1;
		}
	return port;
}

static bool asks_resolver(const struct hf_flow_end *client, const struct hf_flow_end *server, struct hf_flow_port port)
{
	return client->workload && client->workload->dns && client->workload->local_resolver && !server->workload &&
	       port.port == 53 && (port.protocol == HF_FLOW_UDP || port.protocol == HF_FLOW_TCP);
}

static int try_one(void *ctx, const struct hf_flow_end *client, const struct hf_flow_end *server,
		   struct hf_flow_port port, const struct hf_flow *used, struct hf_err *err)
{
	struct proof *p = ctx;
	struct hf_nft_packet ask = { .source = client->address,
				     .destination = server->address,
				     .protocol = port.protocol,
				     .source_port = p->client_port,
				     .port = port.port,
				     .opening = port.protocol == HF_FLOW_TCP };
	struct hf_nft_packet answer = { .source = server->address,
					.destination = client->address,
					.protocol = port.protocol,
					.source_port = port.port,
					.port = p->client_port,
					.established = true };
	char text[800];

	if (!has_ports(port.protocol) || !client->address.family || !server->address.family)
		return HF_OK;
	p->tried++;
	bool inet = hf_nft_passes(p->rules->inet, p->rules->inet_n, &ask);
	bool bridge = hf_nft_passes(p->rules->bridge, p->rules->bridge_n, &ask);
	bool answered = hf_nft_passes(p->rules->inet, p->rules->inet_n, &answer) &&
			(answer.established = false, hf_nft_passes(p->rules->bridge, p->rules->bridge_n, &answer));

	if (used || asks_resolver(client, server, port) ? inet && bridge && answered : !inet && !bridge)
		return HF_OK;
	hf_flow_attempt_text(client, server, port, text, sizeof text);
	if (used)
		return hf_fail(err, HF_E_CONFLICT, "the rules would close what was used: %s", text);
	return hf_fail(err, HF_E_CONFLICT,
		       "the rules would open what nobody used: %s; do two containers share an address?", text);
}

int hf_nft_prove(const struct hf_flow_graph *g, const struct hf_nft_rules *rules, uint64_t *ret_tried,
		 struct hf_err *err)
{
	struct proof p = { .g = g, .rules = rules, .client_port = free_port(g) };
	int e = hf_flow_truth_table(g, rules->covered, try_one, &p, err);

	*ret_tried = p.tried;
	return e;
}
