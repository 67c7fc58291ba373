#include "baseline/known_set.h"

#include <arpa/inet.h>

#include "baseline/judge.h"
#include "bpf/hash.h"

enum { PORT_DNS = 53 };

struct maker {
	uint64_t hash_key, number;
	struct hf_known_executable executable; /* whose objects are added */
	const struct hf_known_names *names;
	struct hf_arena *a;
	HF_VEC(struct hf_known_object) list;
};

static uint64_t begin(const struct maker *m, enum hf_event_kind kind)
{
	return hf_keyed_executable(hf_keyed_object(m->hash_key, kind, m->number), m->executable.inode,
				   m->executable.magic);
}

static void add(struct maker *m, enum hf_event_kind kind, uint64_t state)
{
	struct hf_known_object *o = hf_vec_push(m->a, &m->list);

	if (o)
		*o = (struct hf_known_object){ kind, hf_keyed_end(state, m->hash_key) };
}

uint64_t hf_known_path(uint64_t hash_key, enum hf_event_kind kind, hf_sv path)
{
	char padded[HF_KEYED_NAME_MAX + 1] = { 0 };
	uint64_t h = hf_keyed_begin(hash_key, kind);

	while (path.len) {
		hf_sv name = hf_sv_basename(path);
		if (name.len > HF_KEYED_NAME_MAX)
			return 0;
		if (name.len) {
			memcpy(padded, name.ptr, name.len);
			h = hf_keyed_component(h, padded, (uint32_t)name.len);
		}
		path = hf_sv_first(path, path.len - name.len);
		if (path.len) /* the slash */
			path = hf_sv_first(path, path.len - 1);
	}
	return hf_keyed_end(h, hash_key);
}

static unsigned protocol_of(hf_sv name)
{
	return hf_sv_eq(name, HF_SV("tcp")) ? 6 : hf_sv_eq(name, HF_SV("udp")) ? 17 : 0;
}

static bool port_of(hf_sv text, unsigned *ret_protocol, uint64_t *ret_port)
{
	hf_sv protocol, port;

	*ret_port = 0;
	if (!hf_sv_cut(text, '/', &protocol, &port))
		return false;
	*ret_protocol = protocol_of(protocol);
	return *ret_protocol && (hf_sv_eq(port, HF_SV("ephemeral")) || hf_sv_to_u64(port, ret_port));
}

static void add_capability(struct maker *m, const struct hf_profile_entry *e)
{
	int capability = m->names->capability(e->object);

	for (size_t i = 0; capability >= 0 && i < e->details_n; i++) {
		int nr = m->names->system_call(e->details[i]);
		for (int allowed = 0; nr >= 0 && allowed <= 1; allowed++)
			add(m, HF_EVENT_CAPABILITY,
			    hf_keyed_capability(begin(m, HF_EVENT_CAPABILITY), false, (uint32_t)capability, allowed,
						(uint32_t)nr));
	}
}

static void add_listen(struct maker *m, hf_sv object)
{
	static const unsigned char all_addresses[16];
	unsigned protocol;
	uint64_t port;

	if (port_of(object, &protocol, &port) && port)
		add(m, HF_EVENT_LISTEN,
		    hf_keyed_address(begin(m, HF_EVENT_LISTEN), all_addresses, (uint32_t)port, protocol));
}

static void add_peer(struct maker *m, hf_sv object)
{
	unsigned char address[16] = { 0 };
	char host[INET6_ADDRSTRLEN] = { 0 };
	hf_sv port_text, whom, prefix = HF_SV("address:");
	unsigned protocol;
	uint64_t port;

	if (!hf_sv_cut(object, ' ', &port_text, &whom) || !hf_sv_starts(whom, prefix) ||
	    !port_of(port_text, &protocol, &port) || port == PORT_DNS)
		return;
	whom = hf_sv_skip(whom, prefix.len);
	if (!whom.len || whom.len >= sizeof host)
		return;
	memcpy(host, whom.ptr, whom.len); /* a network is no address, so it is left out */
	if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
		return;
	add(m, HF_EVENT_CONNECT, hf_keyed_address(begin(m, HF_EVENT_CONNECT), address, (uint32_t)port, protocol));
	add(m, HF_EVENT_SEND, hf_keyed_address(begin(m, HF_EVENT_SEND), address, (uint32_t)port, protocol));
}

static void add_entry(struct maker *m, enum hf_profile_part part, const struct hf_profile_entry *e)
{
	if (part == HF_PROFILE_CAPABILITIES) {
		add_capability(m, e);
	} else if (part == HF_PROFILE_LISTEN) {
		add_listen(m, e->object);
	} else if (part == HF_PROFILE_PEERS) {
		add_peer(m, e->object);
	} else if (part == HF_PROFILE_IO_URING) {
		int operation = m->names->io_uring(e->object);
		if (operation >= 0)
			add(m, HF_EVENT_IO_URING, hf_keyed_word(begin(m, HF_EVENT_IO_URING), (uint64_t)operation));
	}
}

static void add_profile(struct maker *m, const struct hf_profile *p)
{
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		const struct hf_map *map = &p->sections[part].entries;
		for (size_t i = 0; i < map->n; i++) {
			const struct hf_profile_entry *e = map->entries[i].value;
			bool rare = e && e->seen.origin == HF_ORIGIN_LEARNED && e->seen.replicas == 1 &&
				    p->replicas >= HF_RARE_REPLICAS_MIN;
			if (e && !e->folded && !rare)
				add_entry(m, part, e);
		}
	}
}

const struct hf_known_object *hf_known_set(const struct hf_profile *p, uint64_t hash_key, uint32_t number,
					   const struct hf_known_executable *executables, size_t executables_n,
					   const struct hf_known_names *names, struct hf_arena *a, size_t *ret_n)
{
	struct maker m = { .hash_key = hash_key, .number = number, .names = names, .a = a };

	for (size_t i = 0; i < executables_n && p->mode != HF_MODE_LEARN; i++) {
		m.executable = executables[i];
		add_profile(&m, p);
	}
	*ret_n = m.list.n;
	return m.list.at;
}
