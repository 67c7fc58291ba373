#include "enforce/policy_read.h"

#include <arpa/inet.h>

#include "base/digest.h"
#include "base/limits.h"
#include "format/yaml.h"

bool policy_peer_parse(hf_sv port, hf_sv address, struct hf_enforce_policy_peer *ret)
{
	hf_sv protocol, number, host = address, prefix;
	uint64_t bits = 0, port_number = 0;
	char text[INET6_ADDRSTRLEN] = { 0 };

	*ret = (struct hf_enforce_policy_peer){ 0 };
	if (port.len) {
		if (!hf_sv_cut(port, '/', &protocol, &number) || !hf_sv_to_u64(number, &port_number) || !port_number ||
		    port_number > UINT16_MAX)
			return false;
		ret->protocol = hf_sv_eq(protocol, HF_SV("tcp"))   ? IPPROTO_TCP
				: hf_sv_eq(protocol, HF_SV("udp")) ? IPPROTO_UDP
								   : 0;
		if (!ret->protocol)
			return false;
		ret->port = (uint16_t)port_number;
	}
	bool has_prefix = hf_sv_cut(address, '/', &host, &prefix);
	if (host.len >= sizeof text || (has_prefix && !hf_sv_to_u64(prefix, &bits)))
		return false;
	memcpy(text, host.ptr, host.len);
	if (inet_pton(AF_INET, text, ret->address + 12) == 1) {
		ret->address[10] = ret->address[11] = 0xff;
		ret->bits = has_prefix ? 96 + (uint32_t)bits : 128;
		return bits <= 32;
	}
	ret->bits = has_prefix ? (uint32_t)bits : 128;
	return inet_pton(AF_INET6, text, ret->address) == 1 && bits <= 128;
}

static bool what_of(hf_sv name, enum hf_deny *ret)
{
	for (unsigned i = 0; i < HF_DENIES; i++)
		if (hf_sv_eq(name, hf_sv_of(hf_deny_name(i)))) {
			*ret = i;
			return true;
		}
	return false;
}

static int wrong(struct hf_err *err, const struct hf_yaml_node *n, const char *what)
{
	return hf_fail(err, HF_E_FORMAT, "line %u, column %u: %s", n->line, n->column, what);
}

static int read_paths(const struct hf_yaml_node *n, struct hf_arena *a, struct hf_enforce_policy_rule *r,
		      struct hf_err *err)
{
	if (n->type != HF_YAML_SEQUENCE || n->n > HF_ENFORCE_POLICY_PATHS_MAX)
		return wrong(err, n, "paths is a list of absolute paths");
	struct hf_enforce_policy_path *paths = hf_arena_array(a, struct hf_enforce_policy_path, n->n);
	for (size_t i = 0; paths && i < n->n; i++) {
		hf_sv path;
		if (!hf_yaml_string(n->elements[i], &path) || !path.len || path.ptr[0] != '/' ||
		    path.len >= HF_PATH_MAX)
			return wrong(err, n->elements[i], "this is no absolute path");
		paths[i] = (struct hf_enforce_policy_path){ hf_arena_dup(a, path), false };
	}
	r->paths = paths;
	r->paths_n = paths ? n->n : 0;
	return 0;
}

static int read_peers(const struct hf_yaml_node *n, struct hf_arena *a, struct hf_enforce_policy_rule *r,
		      struct hf_err *err)
{
	if (n->type != HF_YAML_SEQUENCE || n->n > HF_ENFORCE_POLICY_PEERS_MAX)
		return wrong(err, n, "peers is a list");
	struct hf_enforce_policy_peer *peers = hf_arena_array(a, struct hf_enforce_policy_peer, n->n);
	for (size_t i = 0; peers && i < n->n; i++) {
		hf_sv text, port = { 0 }, address;
		if (!hf_yaml_string(n->elements[i], &text))
			return wrong(err, n->elements[i], "a peer is ADDRESS, ADDRESS/BITS, or tcp/PORT ADDRESS/BITS");
		if (!hf_sv_cut(text, ' ', &port, &address))
			address = text;
		if (!policy_peer_parse(port, address, &peers[i]))
			return wrong(err, n->elements[i], "a peer is ADDRESS, ADDRESS/BITS, or tcp/PORT ADDRESS/BITS");
	}
	r->peers = peers;
	r->peers_n = peers ? n->n : 0;
	return 0;
}

static int read_digests(const struct hf_yaml_node *n, struct hf_arena *a, struct hf_enforce_policy_rule *r,
			struct hf_err *err)
{
	if (n->type != HF_YAML_SEQUENCE || n->n > HF_ENFORCE_POLICY_PATHS_MAX)
		return wrong(err, n, "digests is a list");
	hf_sv *digests = hf_arena_array(a, hf_sv, n->n);
	for (size_t i = 0; digests && i < n->n; i++)
		if (!hf_yaml_string(n->elements[i], &digests[i]) || !hf_sv_starts(digests[i], HF_SV("sha256:")) ||
		    !hf_digest_valid(digests[i]))
			return wrong(err, n->elements[i], "a digest is sha256: and 64 digits");
	r->digests = digests;
	r->digests_n = digests ? n->n : 0;
	return 0;
}

static int read_key(const struct hf_yaml_pair *pair, enum hf_deny what, struct hf_arena *a,
		    struct hf_enforce_policy_rule *r, struct hf_err *err)
{
	hf_sv key = pair->key->text;

	if (hf_sv_eq(key, HF_SV("what")))
		return 0;
	if (hf_sv_eq(key, HF_SV("ttl"))) {
		if (!hf_yaml_uint(pair->value, &r->ttl_s) || !r->ttl_s || r->ttl_s > HF_ENFORCE_POLICY_TTL_MAX_S)
			return wrong(err, pair->value, "ttl is a number of seconds, at most a year");
		return 0;
	}
	if (hf_sv_eq(key, HF_SV("paths")) && (what == HF_DENY_EXECUTABLES || what == HF_DENY_FILES))
		return read_paths(pair->value, a, r, err);
	if (hf_sv_eq(key, HF_SV("peers")) && what == HF_DENY_PEERS)
		return read_peers(pair->value, a, r, err);
	if (hf_sv_eq(key, HF_SV("digests")) && what == HF_DENY_DIGESTS)
		return read_digests(pair->value, a, r, err);
	return wrong(err, pair->key, "this rule has no such key");
}

static int read_rule(const struct hf_yaml_node *n, struct hf_arena *a, struct hf_enforce_policy *ret,
		     struct hf_err *err)
{
	enum hf_deny what;
	hf_sv name = { 0 };

	if (!hf_yaml_string(hf_yaml_get(n, HF_SV("what")), &name) || !what_of(name, &what))
		return wrong(
			err, n,
			"what is denied? what: fileless, drift, executables, imds, peers, devices, files or digests");
	struct hf_enforce_policy_rule *r = &ret->rules[what];
	if (r->on)
		return wrong(err, n, "this is denied by a rule above already");
	*r = (struct hf_enforce_policy_rule){ .on = true, .ttl_s = HF_ENFORCE_POLICY_TTL_DEFAULT_S };
	for (size_t i = 0; i < n->n; i++) {
		int code = read_key(&n->pairs[i], what, a, r, err);
		if (code < 0)
			return code;
	}
	return 0;
}

int policy_read(hf_sv text, struct hf_arena *a, struct hf_enforce_policy *ret, struct hf_err *err)
{
	struct hf_yaml_document *documents;
	size_t n;
	hf_sv schema;
	int code = hf_yaml_parse(text, a, &documents, &n, err);

	if (code < 0)
		return code;
	const struct hf_yaml_node *root = n == 1 ? documents[0].root : NULL;
	if (!root || root->type != HF_YAML_MAPPING || !hf_yaml_string(hf_yaml_get(root, HF_SV("schema")), &schema) ||
	    !hf_sv_eq(schema, HF_SV("holdfast/enforce/1")))
		return hf_fail(err, HF_E_FORMAT, "line 1: one document with schema: holdfast/enforce/1 is wanted");
	for (size_t i = 0; i < root->n; i++) {
		const struct hf_yaml_node *key = root->pairs[i].key, *value = root->pairs[i].value;
		if (hf_sv_eq(key->text, HF_SV("schema")))
			continue;
		if (!hf_sv_eq(key->text, HF_SV("deny")) || value->type != HF_YAML_SEQUENCE)
			return wrong(err, key, "beside schema there is deny, a list of rules");
		for (size_t k = 0; k < value->n; k++) {
			code = read_rule(value->elements[k], a, ret, err);
			if (code < 0)
				return code;
		}
	}
	return 0;
}
