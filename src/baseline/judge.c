#include "baseline/judge.h"

#include <arpa/inet.h>

#include "base/limits.h"
#include "baseline/observe.h"
#include "baseline/shape.h"

const char *hf_verdict_name(enum hf_verdict v)
{
	static const char *const names[] = { "none", "allow", "cannot tell", "alert" };

	return names[v];
}

static struct hf_profile_verdict say(enum hf_verdict verdict, const struct hf_observation *o,
				     const struct hf_profile_entry *entry, const char *suffix, const char *severity,
				     struct hf_arena *a, hf_sv reason)
{
	return (struct hf_profile_verdict){
		.verdict = verdict,
		.part = o->part,
		.object = o->object,
		.entry = entry,
		.rule = hf_arena_fmt(a, "%s%s", hf_profile_parts[o->part].rule, suffix),
		.severity = severity ? severity : hf_profile_parts[o->part].severity,
		.reason = reason,
	};
}

static size_t address_bytes(hf_sv text, unsigned char out[16])
{
	char host[INET6_ADDRSTRLEN] = { 0 };

	if (!text.len || text.len >= sizeof host)
		return 0;
	memcpy(host, text.ptr, text.len);
	if (inet_pton(AF_INET, host, out) == 1)
		return 4;
	return inet_pton(AF_INET6, host, out) == 1 ? 16 : 0;
}

static bool in_network(hf_sv network, const unsigned char *address, size_t n)
{
	unsigned char base[16];
	hf_sv host = network, prefix;
	uint64_t bits = 8 * n;

	if (hf_sv_cut(network, '/', &host, &prefix) && !hf_sv_to_u64(prefix, &bits))
		return false;
	if (address_bytes(host, base) != n || bits > 8 * n)
		return false;
	for (size_t i = 0; i < bits / 8; i++)
		if (base[i] != address[i])
			return false;
	return bits % 8 == 0 || ((base[bits / 8] ^ address[bits / 8]) & (0xff00u >> (bits % 8)) & 0xff) == 0;
}

/* Addresses may be held as networks. */
static const struct hf_profile_entry *network_of(const struct hf_profile *p, const struct hf_observation *o)
{
	const struct hf_map *m = &p->sections[HF_PROFILE_PEERS].entries;
	unsigned char address[16];
	size_t n = address_bytes(o->address, address);
	hf_sv port, whom;

	if (!n || !hf_sv_cut(o->object, ' ', &port, &whom))
		return NULL;
	for (size_t i = 0; i < m->n; i++) {
		const struct hf_profile_entry *e = m->entries[i].value;
		hf_sv its_port, its_whom;
		if (e && hf_sv_cut(e->object, ' ', &its_port, &its_whom) && hf_sv_eq(port, its_port) &&
		    hf_sv_starts(its_whom, HF_SV("address:")) &&
		    in_network(hf_sv_skip(its_whom, strlen("address:")), address, n))
			return e;
	}
	return NULL;
}

static const struct hf_profile_entry *entry_of(const struct hf_profile *p, const struct hf_observation *o,
					       struct hf_arena *a)
{
	const struct hf_profile_entry *e = hf_profile_find(p, o->part, o->object);

	if (e)
		return e;
	if (o->part == HF_PROFILE_PEERS)
		return network_of(p, o);
	if (o->part == HF_PROFILE_LIBRARIES) /* a program is mapped as well */
		return hf_profile_find(p, HF_PROFILE_EXECUTABLES, o->object);
	if (o->part == HF_PROFILE_FILES)
		return hf_profile_find(p, o->part, hf_arena_concat(a, hf_sv_dirname(o->object), HF_SV("/{any}")));
	return NULL;
}

static bool has_detail(const struct hf_profile_entry *e, hf_sv detail)
{
	for (size_t i = 0; i < e->details_n; i++)
		if (hf_sv_eq(e->details[i], detail))
			return true;
	return false;
}

/* Whether the entry holds a detail of that kind at all: one of a file's digest says nothing about a build id. */
static bool has_kind(const struct hf_profile_entry *e, hf_sv detail)
{
	size_t colon = hf_sv_index(detail, ':');

	if (colon == SIZE_MAX)
		return e->details_n > 0;
	for (size_t i = 0; i < e->details_n; i++)
		if (hf_sv_starts(e->details[i], hf_sv_first(detail, colon + 1)))
			return true;
	return false;
}

/* ALLOW where what is known of the details fits; a digest decides before a build id. */
static struct hf_profile_verdict judge_details(const struct hf_observation *o, const struct hf_profile_entry *e,
					       struct hf_arena *a)
{
	const char *what = hf_profile_parts[o->part].details;
	bool digests = !strcmp(what, "digests");

	if (!*what || e->any_details || !e->details_n)
		return say(HF_VERDICT_ALLOW, o, e, "", NULL, a, HF_SV("the profile has it"));
	for (size_t i = 0; i < HF_ARRAY_SIZE(o->details); i++) {
		hf_sv detail = o->details[i];
		if (!detail.len || !has_kind(e, detail))
			continue;
		if (has_detail(e, detail))
			return say(HF_VERDICT_ALLOW, o, e, "", NULL, a,
				   hf_arena_fmt(a, "the profile has it with %.*s", HF_SV_FMT(detail)));
		return say(HF_VERDICT_ALERT, o, e, digests ? ".digest" : "", digests ? "high" : "low", a,
			   hf_arena_fmt(a, "%s: the profile has it, but not with %.*s", hf_profile_parts[o->part].key,
					HF_SV_FMT(detail)));
	}
	if (digests && o->in_image)
		return say(HF_VERDICT_ALLOW, o, e, "", NULL, a,
			   HF_SV("the profile has it, and it is the image's file"));
	return say(HF_VERDICT_CANNOT_TELL, o, e, "", NULL, a,
		   hf_arena_fmt(a, "the profile has it with certain %s, and those of this event are not known", what));
}

static struct hf_profile_verdict judge_arguments(const struct hf_observation *o, const struct hf_profile_entry *e,
						 struct hf_arena *a)
{
	struct hf_profile_shape seen = hf_profile_shape_of(o->arguments, o->arguments_n, a);

	if (e->any_arguments || !e->shapes_n)
		return say(HF_VERDICT_ALLOW, o, e, "", NULL, a, HF_SV("the profile has it, with any arguments"));
	if (o->arguments_cut)
		return say(HF_VERDICT_CANNOT_TELL, o, e, ".arguments", "low", a, HF_SV("the arguments were cut"));
	if (seen.arguments && seen.n <= HF_PROFILE_ARGUMENTS_MAX)
		for (size_t i = 0; i < e->shapes_n; i++)
			if (hf_shape_list_matches(e->shapes[i].arguments, e->shapes[i].n, seen.arguments, seen.n))
				return say(HF_VERDICT_ALLOW, o, e, "", NULL, a,
					   HF_SV("the profile has it with such arguments"));
	return say(HF_VERDICT_ALERT, o, e, ".arguments", "low", a,
		   hf_arena_fmt(a, "the profile has it with %zu shapes of arguments, and these fit none", e->shapes_n));
}

static struct hf_profile_verdict judge_one(const struct hf_profile *p, const struct hf_observation *o,
					   struct hf_arena *a)
{
	const struct hf_profile_section *s = &p->sections[o->part];
	const char *part = hf_profile_parts[o->part].key;
	const struct hf_profile_entry *e;

	if (o->unknowable)
		return say(HF_VERDICT_CANNOT_TELL, o, NULL, "", NULL, a,
			   HF_SV("its path was cut, or it has no place in the file system or is none, so nothing can "
				 "allow it"));
	e = entry_of(p, o, a);
	if (!e && s->overflow)
		return say(HF_VERDICT_CANNOT_TELL, o, NULL, "", NULL, a,
			   hf_arena_fmt(a, "%s: there were more than the profile holds", part));
	if (!e && !s->covered)
		return say(HF_VERDICT_CANNOT_TELL, o, NULL, "", NULL, a,
			   hf_arena_fmt(a, "%s: the profile was made without looking at them", part));
	if (!e)
		return say(HF_VERDICT_ALERT, o, NULL, "", NULL, a,
			   hf_arena_fmt(a, "%s: the profile does not have %.*s", part, HF_SV_FMT(o->object)));
	struct hf_profile_verdict v = judge_details(o, e, a);
	if (v.verdict == HF_VERDICT_ALLOW && o->part == HF_PROFILE_EXECUTABLES)
		v = judge_arguments(o, e, a);
	if (v.verdict == HF_VERDICT_ALLOW && e->seen.origin == HF_ORIGIN_LEARNED && e->seen.replicas == 1 &&
	    p->replicas >= HF_RARE_REPLICAS_MIN)
		v = say(HF_VERDICT_ALERT, o, e, ".rare", "low", a,
			hf_arena_fmt(a, "the profile has it from one of %llu replicas alone",
				     (unsigned long long)p->replicas));
	return v;
}

const struct hf_profile_verdict *hf_profile_judge_all(const struct hf_profile *p, const struct hf_event *e,
						      struct hf_arena *a, size_t *ret_n)
{
	struct hf_observations seen = hf_observe(e, a);
	struct hf_profile_verdict *all = hf_arena_array(a, struct hf_profile_verdict, seen.n);

	*ret_n = all ? seen.n : 0;
	for (size_t i = 0; i < *ret_n; i++) {
		all[i] = judge_one(p, &seen.at[i], a);
		if (all[i].verdict != HF_VERDICT_ALERT || p->mode != HF_MODE_LEARN)
			continue;
		all[i].verdict = HF_VERDICT_CANNOT_TELL;
		all[i].reason = hf_arena_concat(a, HF_SV("the profile still learns; "), all[i].reason);
	}
	return all;
}

static int rank(const struct hf_profile_verdict *v)
{
	static const char *const severities[] = { "low", "medium", "high", "critical" };
	int level = 0;

	for (size_t i = 0; v->severity && i < HF_ARRAY_SIZE(severities); i++)
		if (!strcmp(v->severity, severities[i]))
			level = (int)i;
	return (int)v->verdict * 8 + level;
}

struct hf_profile_verdict hf_profile_judge(const struct hf_profile *p, const struct hf_event *e, struct hf_arena *a)
{
	size_t n, worst = 0;
	const struct hf_profile_verdict *all = hf_profile_judge_all(p, e, a, &n);

	for (size_t i = 1; i < n; i++)
		if (rank(&all[i]) > rank(&all[worst]))
			worst = i;
	if (!n && a->over) /* what could not be looked at is not allowed */
		return (struct hf_profile_verdict){ .verdict = HF_VERDICT_CANNOT_TELL,
						    .reason = HF_SV("no memory for it") };
	return n ? all[worst] : (struct hf_profile_verdict){ .verdict = HF_VERDICT_NONE };
}

void hf_profile_alert(const struct hf_profile *p, const struct hf_profile_verdict *v, const struct hf_event *e,
		      struct hf_arena *a, struct hf_event *ret)
{
	hf_sv image = p->image_name.len ? p->image_name : p->image_digest;

	*ret = *e;
	ret->kind = HF_EVENT_ALERT;
	hf_event_set_string(ret, HF_FIELD_ALERT_RULE, v->rule);
	hf_event_set_string(
		ret, HF_FIELD_ALERT_TITLE,
		hf_arena_fmt(a, "Not in the profile of %.*s: %s", HF_SV_FMT(image), hf_profile_parts[v->part].doc));
	hf_event_set_string(ret, HF_FIELD_ALERT_SEVERITY, hf_sv_of(v->severity));
	hf_event_set_string(ret, HF_FIELD_ALERT_REASON, v->reason);
	hf_event_set_string(ret, HF_FIELD_ALERT_EVENT, hf_event_string(e, HF_FIELD_ID));
	hf_event_set_string(ret, HF_FIELD_ALERT_EVENT_KIND, hf_sv_of(hf_event_kind_name(e->kind)));
}

bool hf_profile_rule_part(hf_sv rule, enum hf_profile_part *ret)
{
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		hf_sv name = hf_sv_of(hf_profile_parts[part].rule);
		if (!hf_sv_starts(rule, name) || (rule.len > name.len && rule.ptr[name.len] != '.'))
			continue;
		*ret = (enum hf_profile_part)part;
		return true;
	}
	return false;
}

/* As see_peer: a name before a container before an address. */
static enum hf_event_field peer_field(const struct hf_event *e)
{
	if (hf_event_string(e, HF_FIELD_NETWORK_REMOTE_NAME).len)
		return HF_FIELD_NETWORK_REMOTE_NAME;
	return hf_event_string(e, HF_FIELD_NETWORK_REMOTE_CONTAINER).len ? HF_FIELD_NETWORK_REMOTE_CONTAINER
									 : HF_FIELD_NETWORK_REMOTE_ADDRESS;
}

size_t hf_profile_alert_fields(enum hf_profile_part part, const struct hf_event *alert,
			       enum hf_event_field ret[HF_PROFILE_ALERT_FIELDS_MAX])
{
	static const enum hf_event_field by_part[HF_PROFILE_PARTS][3] = {
		[HF_PROFILE_EXECUTABLES] = { HF_FIELD_PROCESS_EXE_PATH },
		[HF_PROFILE_SCRIPTS] = { HF_FIELD_PROCESS_SCRIPT },
		[HF_PROFILE_LIBRARIES] = { HF_FIELD_MAP_PATH },
		[HF_PROFILE_FILES] = { HF_FIELD_FILE_PATH, HF_FIELD_FILE_OPERATION },
		[HF_PROFILE_LISTEN] = { HF_FIELD_NETWORK_PROTOCOL, HF_FIELD_NETWORK_LOCAL_PORT },
		[HF_PROFILE_PEERS] = { HF_FIELD_NETWORK_PROTOCOL, HF_FIELD_NETWORK_REMOTE_PORT },
		[HF_PROFILE_DNS] = { HF_FIELD_DNS_NAME },
		[HF_PROFILE_CAPABILITIES] = { HF_FIELD_CAPABILITY_NAME, HF_FIELD_CAPABILITY_SYSCALL },
		[HF_PROFILE_SYSTEM_CALLS] = { HF_FIELD_SYSCALLS_NAMES },
		[HF_PROFILE_USERS] = { HF_FIELD_PROCESS_UID },
		[HF_PROFILE_NAMESPACES] = { HF_FIELD_NAMESPACE_TYPES, HF_FIELD_PROCESS_EXE_PATH },
		[HF_PROFILE_IO_URING] = { HF_FIELD_IO_URING_OPERATION },
	};
	size_t n = 0;

	ret[n++] = HF_FIELD_CONTAINER_IMAGE_NAME;
	if (part == HF_PROFILE_PEERS)
		ret[n++] = peer_field(alert);
	for (size_t i = 0; i < HF_ARRAY_SIZE(by_part[part]) && n < HF_PROFILE_ALERT_FIELDS_MAX; i++)
		if (by_part[part][i])
			ret[n++] = by_part[part][i];
	if (hf_sv_ends(hf_event_string(alert, HF_FIELD_ALERT_RULE), HF_SV(".arguments")))
		ret[n++] = HF_FIELD_PROCESS_ARGUMENTS;
	return n;
}
