#include "enforce/policy.h"

#include <arpa/inet.h>

#include "baseline/shape.h"
#include "enforce/policy_read.h"
#include "model/metadata_addresses.h"

static const char *const names[HF_DENIES] = {
	[HF_DENY_FILELESS] = "fileless", [HF_DENY_DRIFT] = "drift",     [HF_DENY_EXECUTABLES] = "executables",
	[HF_DENY_IMDS] = "imds",         [HF_DENY_PEERS] = "peers",     [HF_DENY_DEVICES] = "devices",
	[HF_DENY_FILES] = "files",       [HF_DENY_DIGESTS] = "digests",
};

const char *hf_deny_name(enum hf_deny what)
{
	return what < HF_DENIES ? names[what] : NULL;
}

/* A part that says what is new: looked at, and whole. */
static int check_part(const struct hf_profile *profile, enum hf_profile_part part, enum hf_deny what,
		      struct hf_err *err)
{
	const struct hf_profile_section *s = &profile->sections[part];

	if (!s->covered)
		return hf_fail(err, HF_E_UNSUPPORTED,
			       "rule %s: nobody looked at the %s of this workload when the profile was learned",
			       hf_deny_name(what), hf_profile_parts[part].key);
	if (s->overflow)
		return hf_fail(err, HF_E_UNSUPPORTED, "rule %s: there were more %s than the profile holds",
			       hf_deny_name(what), hf_profile_parts[part].key);
	return 0;
}

static int executables_of(const struct hf_profile *profile, struct hf_arena *a, struct hf_enforce_policy_rule *r,
			  struct hf_err *err)
{
	HF_VEC(struct hf_enforce_policy_path) list = { 0 };
	size_t n;
	const struct hf_profile_entry **entries = hf_profile_sorted(profile, HF_PROFILE_EXECUTABLES, a, &n);

	for (size_t i = 0; i < n; i++) {
		hf_sv path;
		if (!hf_shape_text(entries[i]->object, a, &path))
			return hf_fail(err, HF_E_UNSUPPORTED,
				       "rule executables: '%.*s' of the profile has variable parts, which the kernel's "
				       "list cannot hold",
				       HF_SV_FMT(entries[i]->object));
		struct hf_enforce_policy_path *slot = hf_vec_push(a, &list);
		if (!slot || list.n > HF_ENFORCE_POLICY_PATHS_MAX)
			return hf_fail(err, HF_E_LIMIT, "rule executables: more than %d programs",
				       HF_ENFORCE_POLICY_PATHS_MAX);
		*slot = (struct hf_enforce_policy_path){ path, true };
	}
	r->paths = list.at;
	r->paths_n = list.n;
	r->only = true;
	return 0;
}

static int peers_of(const struct hf_profile *profile, struct hf_arena *a, struct hf_enforce_policy_rule *r,
		    struct hf_err *err)
{
	static const char *const always[] = { "127.0.0.0/8", "::1/128" };
	HF_VEC(struct hf_enforce_policy_peer) list = { 0 };
	size_t n, by_port = 0;
	const struct hf_profile_entry **entries = hf_profile_sorted(profile, HF_PROFILE_PEERS, a, &n);

	for (size_t i = 0; i < n + HF_ARRAY_SIZE(always); i++) {
		hf_sv object = i < n ? entries[i]->object : hf_sv_of(always[i - n]), port = { 0 }, whom = object;
		struct hf_enforce_policy_peer peer = { 0 };
		if (i < n && !hf_sv_cut(object, ' ', &port, &whom))
			continue;
		hf_sv address = hf_sv_starts(whom, HF_SV("address:")) ? hf_sv_skip(whom, 8) : whom;
		bool known = policy_peer_parse(port, address, &peer);
		if (!known && !policy_peer_parse(port, HF_SV("::/0"), &peer))
			return hf_fail(err, HF_E_UNSUPPORTED,
				       "rule peers: '%.*s' of the profile is no peer that can be held",
				       HF_SV_FMT(object));
		by_port += !known;
		peer.allow = true;
		struct hf_enforce_policy_peer *slot = hf_vec_push(a, &list);
		if (!slot || list.n > HF_ENFORCE_POLICY_PEERS_MAX)
			return hf_fail(err, HF_E_LIMIT, "rule peers: more than %d", HF_ENFORCE_POLICY_PEERS_MAX);
		*slot = peer;
	}
	if (by_port)
		r->note = hf_arena_fmt(a, "%zu peers that the profile holds by name are held by their port alone",
				       by_port);
	r->peers = list.at;
	r->peers_n = list.n;
	r->only = true;
	return 0;
}

/* Only where digests decide: a program without any, or with more than fit, is not judged, which the note says. */
static int digests_of(struct hf_enforce_policy *p, const struct hf_profile *profile, struct hf_arena *a,
		      struct hf_err *err)
{
	struct hf_enforce_policy_rule *r = &p->rules[HF_DENY_DIGESTS];
	size_t n, without = 0;
	const struct hf_profile_entry **entries = hf_profile_sorted(profile, HF_PROFILE_EXECUTABLES, a, &n);

	for (size_t i = 0; i < n; i++) {
		hf_sv path;
		bool usable = entries[i]->details_n && !entries[i]->any_details &&
			      hf_shape_text(entries[i]->object, a, &path);
		without += !usable;
		struct hf_map_entry *slot = usable ? hf_map_put(&p->programs, path) : NULL;
		if (usable && !slot)
			return hf_fail(err, HF_E_LIMIT, "rule digests: too many programs");
		if (slot)
			slot->value = (void *)(uintptr_t)entries[i];
	}
	if (without)
		r->note = hf_arena_fmt(a, "%zu programs of the profile have no digests that could decide", without);
	r->only = true;
	return 0;
}

bool hf_enforce_policy_denies_digest(const struct hf_enforce_policy *p, hf_sv path, hf_sv digest)
{
	const struct hf_enforce_policy_rule *r = &p->rules[HF_DENY_DIGESTS];
	const struct hf_map_entry *found = r->on && r->only ? hf_map_find(&p->programs, path) : NULL;
	const struct hf_profile_entry *entry = found ? found->value : NULL;

	for (size_t i = 0; r->on && i < r->digests_n; i++)
		if (hf_sv_eq(r->digests[i], digest))
			return true;
	for (size_t i = 0; entry && i < entry->details_n; i++)
		if (hf_sv_eq(entry->details[i], digest))
			return false;
	return entry != NULL;
}

/* Rules without a list of their own take the profile's. */
static int fill_from_profile(struct hf_enforce_policy *p, const struct hf_profile *profile, bool of_itself,
			     struct hf_arena *a, struct hf_err *err)
{
	struct hf_enforce_policy_rule *executables = &p->rules[HF_DENY_EXECUTABLES], *peers = &p->rules[HF_DENY_PEERS];
	int code = 0;

	if (of_itself) {
		p->rules[HF_DENY_FILELESS].on = true;
		executables->on = profile->sections[HF_PROFILE_EXECUTABLES].covered;
		peers->on = profile->sections[HF_PROFILE_PEERS].covered;
		p->rules[HF_DENY_FILELESS].ttl_s = executables->ttl_s = peers->ttl_s = HF_ENFORCE_POLICY_TTL_DEFAULT_S;
	}
	if (executables->on && !executables->paths_n) {
		code = check_part(profile, HF_PROFILE_EXECUTABLES, HF_DENY_EXECUTABLES, err);
		code = code ? code : executables_of(profile, a, executables, err);
	}
	if (!code && p->rules[HF_DENY_DIGESTS].on && !p->rules[HF_DENY_DIGESTS].digests_n)
		code = digests_of(p, profile, a, err);
	if (!code && peers->on && !peers->peers_n) {
		code = check_part(profile, HF_PROFILE_PEERS, HF_DENY_PEERS, err);
		code = code ? code : peers_of(profile, a, peers, err);
	}
	return code;
}

static int add_imds(struct hf_enforce_policy_rule *r, struct hf_arena *a, struct hf_err *err)
{
	enum { ADDRESSES = HF_ARRAY_SIZE(hf_metadata_addresses), PORTS = HF_ARRAY_SIZE(hf_metadata_wire_server_ports) };
	struct hf_enforce_policy_peer *peers = hf_arena_array(a, struct hf_enforce_policy_peer, ADDRESSES + PORTS);

	if (!peers)
		return hf_fail(err, HF_E_LIMIT, "rule imds");
	for (size_t i = 0; i < ADDRESSES; i++)
		(void)policy_peer_parse((hf_sv){ 0 }, hf_metadata_addresses[i], &peers[i]);
	for (size_t i = 0; i < PORTS; i++) {
		struct hf_enforce_policy_peer *peer = &peers[ADDRESSES + i];
		(void)policy_peer_parse((hf_sv){ 0 }, HF_METADATA_WIRE_SERVER, peer);
		peer->protocol = 6;
		peer->port = hf_metadata_wire_server_ports[i];
	}
	r->peers = peers;
	r->peers_n = ADDRESSES + PORTS;
	return 0;
}

static int make_index(struct hf_enforce_policy *p, struct hf_arena *a, struct hf_err *err)
{
	for (size_t what = 0; what < HF_DENIES; what++) {
		p->index[what] = HF_MAP(a);
		for (size_t i = 0; i < p->rules[what].paths_n; i++) {
			struct hf_map_entry *slot = hf_map_put(&p->index[what], p->rules[what].paths[i].path);
			if (!slot)
				return hf_fail(err, HF_E_LIMIT, "rule %s: too many paths", hf_deny_name(what));
			slot->value = (void *)(uintptr_t)&p->rules[what].paths[i];
		}
	}
	return 0;
}

int hf_enforce_policy_make(hf_sv rules_text, const struct hf_profile *profile, struct hf_arena *a,
			   struct hf_enforce_policy *ret, struct hf_err *err)
{
	ret->programs = HF_MAP(a);
	int code = rules_text.len ? policy_read(rules_text, a, ret, err) : 0;

	if (code < 0)
		return code;
	if (profile)
		code = fill_from_profile(ret, profile, !rules_text.len, a, err);
	if (code < 0)
		return code;
	for (size_t what = 0; what < HF_DENIES; what++) {
		const struct hf_enforce_policy_rule *r = &ret->rules[what];
		bool listed = what == HF_DENY_EXECUTABLES || what == HF_DENY_PEERS || what == HF_DENY_FILES ||
			      what == HF_DENY_DIGESTS;
		if (r->on && listed && !r->only && !r->paths_n && !r->peers_n && !r->digests_n)
			return hf_fail(err, HF_E_UNSUPPORTED,
				       "rule %s has no list, and there is no profile to take one from",
				       hf_deny_name(what));
	}
	if (ret->rules[HF_DENY_IMDS].on)
		code = add_imds(&ret->rules[HF_DENY_IMDS], a, err);
	if (code < 0)
		return code;
	return a->over ? hf_fail(err, HF_E_LIMIT, "rules") : make_index(ret, a, err);
}

static bool judge_exec(const struct hf_enforce_policy *p, const struct hf_event *e, enum hf_deny *ret_rule,
		       hf_sv *ret_object)
{
	const struct hf_enforce_policy_rule *executables = &p->rules[HF_DENY_EXECUTABLES];
	hf_sv path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);
	hf_sv drift = hf_event_string(e, HF_FIELD_PROCESS_EXE_DRIFT);
	bool nameless = hf_event_bool(e, HF_FIELD_PROCESS_EXE_DELETED) || hf_event_bool(e, HF_FIELD_PROCESS_EXE_MEMORY);

	*ret_object = path;
	if (p->rules[HF_DENY_FILELESS].on && nameless) {
		*ret_rule = HF_DENY_FILELESS;
		return true;
	}
	if (p->rules[HF_DENY_DRIFT].on && (hf_event_bool(e, HF_FIELD_PROCESS_EXE_UPPER) ||
					   hf_sv_eq(drift, HF_SV("new")) || hf_sv_eq(drift, HF_SV("modified")))) {
		*ret_rule = HF_DENY_DRIFT;
		return true;
	}
	hf_sv digest = hf_event_string(e, HF_FIELD_PROCESS_EXE_DIGEST);
	if (p->rules[HF_DENY_DIGESTS].on && digest.len && !nameless &&
	    hf_enforce_policy_denies_digest(p, path, digest)) {
		*ret_rule = HF_DENY_DIGESTS;
		return true;
	}
	if (!executables->on)
		return false;
	const struct hf_map_entry *found = hf_event_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED)
						   ? NULL
						   : hf_map_find(&p->index[HF_DENY_EXECUTABLES], path);
	const struct hf_enforce_policy_path *listed = found ? found->value : NULL;
	*ret_rule = HF_DENY_EXECUTABLES;
	return executables->only ? nameless || !listed || !listed->allow : listed && !listed->allow;
}

static bool peer_matches(const struct hf_enforce_policy_peer *peer, const uint8_t address[16], uint8_t protocol,
			 uint64_t port)
{
	uint32_t whole = peer->bits / 8, rest = peer->bits % 8;

	if (peer->protocol && (peer->protocol != protocol || peer->port != port))
		return false;
	if (memcmp(peer->address, address, whole) != 0)
		return false;
	return !rest || ((peer->address[whole] ^ address[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

static bool listed_peer(const struct hf_enforce_policy_rule *r, bool allow, const uint8_t address[16], uint8_t protocol,
			uint64_t port)
{
	for (size_t i = 0; i < r->peers_n; i++)
		if (r->peers[i].allow == allow && peer_matches(&r->peers[i], address, protocol, port))
			return true;
	return false;
}

static bool judge_peer(const struct hf_enforce_policy *p, const struct hf_event *e, struct hf_arena *a,
		       enum hf_deny *ret_rule, hf_sv *ret_object)
{
	const struct hf_enforce_policy_rule *imds = &p->rules[HF_DENY_IMDS], *peers = &p->rules[HF_DENY_PEERS];
	hf_sv text = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_ADDRESS),
	      name = hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL);
	uint64_t port = hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT);
	uint8_t protocol = hf_sv_eq(name, HF_SV("tcp")) ? IPPROTO_TCP : hf_sv_eq(name, HF_SV("udp")) ? IPPROTO_UDP : 0;
	struct hf_enforce_policy_peer at;

	if (!policy_peer_parse((hf_sv){ 0 }, text, &at))
		return false;
	*ret_object = hf_arena_fmt(a, "%.*s/%llu %.*s", HF_SV_FMT(name), (unsigned long long)port, HF_SV_FMT(text));
	if (imds->on && listed_peer(imds, false, at.address, protocol, port)) {
		*ret_rule = HF_DENY_IMDS;
		return true;
	}
	*ret_rule = HF_DENY_PEERS;
	if (!peers->on)
		return false;
	return listed_peer(peers, false, at.address, protocol, port) ||
	       (peers->only && !listed_peer(peers, true, at.address, protocol, port));
}

bool hf_enforce_policy_judge(const struct hf_enforce_policy *p, const struct hf_event *e, struct hf_arena *a,
			     enum hf_deny *ret_rule, hf_sv *ret_object)
{
	if (hf_event_bool(e, HF_FIELD_PROCESS_SETUP) || !hf_event_has(e, HF_FIELD_CONTAINER_ID))
		return false;
	if (e->kind == HF_EVENT_EXEC)
		return judge_exec(p, e, ret_rule, ret_object);
	if (e->kind == HF_EVENT_CONNECT || e->kind == HF_EVENT_SEND)
		return judge_peer(p, e, a, ret_rule, ret_object);
	if (e->kind != HF_EVENT_FILE || !p->rules[HF_DENY_FILES].on)
		return false;
	hf_sv operation = hf_event_string(e, HF_FIELD_FILE_OPERATION);
	*ret_object = hf_event_string(e, HF_FIELD_FILE_PATH);
	*ret_rule = HF_DENY_FILES;
	return (hf_sv_eq(operation, HF_SV("open")) || hf_sv_eq(operation, HF_SV("write"))) &&
	       !hf_event_bool(e, HF_FIELD_FILE_TRUNCATED) && hf_map_find(&p->index[HF_DENY_FILES], *ret_object);
}
