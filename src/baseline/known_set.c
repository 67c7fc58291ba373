#include "baseline/known_set.h"

#include <arpa/inet.h>

#include "baseline/judge.h"
#include "baseline/shape.h"
#include "bpf/hash.h"

typedef HF_VEC(struct hf_known_object) object_list;

static void add(object_list *list, struct hf_arena *a, enum hf_event_kind kind, uint64_t hash)
{
	struct hf_known_object *o = hash ? hf_vec_push(a, list) : NULL;

	if (o)
		*o = (struct hf_known_object){ kind, hash };
}

uint64_t hf_known_path(uint64_t key, enum hf_event_kind kind, hf_sv path)
{
	char padded[HF_KEYED_NAME_MAX + 1] = { 0 };
	uint64_t h = hf_keyed_begin(key, kind);

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
	return hf_keyed_end(h, key);
}

static void add_path(object_list *list, struct hf_arena *a, enum hf_event_kind kind, uint64_t key, hf_sv object)
{
	hf_sv path;

	if (hf_shape_text(object, a, &path) && path.len && path.ptr[0] == '/')
		add(list, a, kind, hf_known_path(key, kind, path));
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

static void add_capability(object_list *list, struct hf_arena *a, uint64_t key, const struct hf_known_names *names,
			   const struct hf_profile_entry *e)
{
	int capability = names ? names->capability(e->object) : -1;

	for (size_t i = 0; capability >= 0 && i < e->details_n; i++) {
		int nr = names->system_call(e->details[i]);
		if (nr >= 0)
			add(list, a, HF_EVENT_CAPABILITY,
			    hf_keyed_numbers(key, HF_EVENT_CAPABILITY, (uint64_t)capability, (uint64_t)nr));
	}
}

static void add_peer(object_list *list, struct hf_arena *a, uint64_t key, hf_sv object)
{
	unsigned char address[16] = { [10] = 0xff, [11] = 0xff };
	char host[INET6_ADDRSTRLEN] = { 0 };
	hf_sv port_text, whom, prefix = HF_SV("address:");
	unsigned protocol;
	uint64_t port;

	if (!hf_sv_cut(object, ' ', &port_text, &whom) || !hf_sv_starts(whom, prefix) ||
	    !port_of(port_text, &protocol, &port))
		return;
	whom = hf_sv_skip(whom, prefix.len);
	if (!whom.len || whom.len >= sizeof host)
		return;
	memcpy(host, whom.ptr, whom.len); /* a network is no address, so it is left out */
	if (inet_pton(AF_INET, host, address + 12) != 1 && inet_pton(AF_INET6, host, address) != 1)
		return;
	add(list, a, HF_EVENT_CONNECT, hf_keyed_peer(key, HF_EVENT_CONNECT, protocol, port, address));
	add(list, a, HF_EVENT_SEND, hf_keyed_peer(key, HF_EVENT_SEND, protocol, port, address));
}

static void add_entry(object_list *list, struct hf_arena *a, uint64_t key, const struct hf_known_names *names,
		      enum hf_profile_part part, const struct hf_profile_entry *e)
{
	unsigned protocol;
	uint64_t port;

	if (part == HF_PROFILE_EXECUTABLES && (e->any_arguments || !e->shapes_n))
		add_path(list, a, HF_EVENT_EXEC, key, e->object);
	else if (part == HF_PROFILE_LIBRARIES)
		add_path(list, a, HF_EVENT_MAP, key, e->object);
	else if (part == HF_PROFILE_CAPABILITIES)
		add_capability(list, a, key, names, e);
	else if (part == HF_PROFILE_LISTEN && port_of(e->object, &protocol, &port))
		add(list, a, HF_EVENT_LISTEN, hf_keyed_numbers(key, HF_EVENT_LISTEN, protocol, port));
	else if (part == HF_PROFILE_PEERS)
		add_peer(list, a, key, e->object);
}

const struct hf_known_object *hf_known_set(const struct hf_profile *p, uint64_t key, const struct hf_known_names *names,
					   struct hf_arena *a, size_t *ret_n)
{
	object_list list = { 0 };

	for (unsigned part = 0; part < HF_PROFILE_PARTS && p->mode != HF_MODE_LEARN; part++) {
		const struct hf_map *m = &p->sections[part].entries;
		for (size_t i = 0; i < m->n; i++) {
			const struct hf_profile_entry *e = m->entries[i].value;
			bool rare = e && e->seen.origin == HF_ORIGIN_LEARNED && e->seen.replicas == 1 &&
				    p->replicas >= HF_RARE_REPLICAS_MIN;
			if (e && !e->folded && !rare)
				add_entry(&list, a, key, names, part, e);
		}
	}
	*ret_n = list.n;
	return list.at;
}
