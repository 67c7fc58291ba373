#include "unit.h"

#include "base/limits.h"
#include "enforce/policy.h"
#include "enforce/rung.h"

static const struct {
	const char *rules, *why; /* why NULL: they are fine */
} files[] = {
	{ "schema: holdfast/enforce/1\ndeny: [{what: drift}, {what: fileless, ttl: 60}]\n", NULL },
	{ "schema: holdfast/enforce/1\ndeny: [{what: drift}, {what: drift}]\n", "already" },
	{ "schema: holdfast/enforce/2\ndeny: []\n", "schema" },
	{ "schema: holdfast/enforce/1\nallow: []\n", "beside schema" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: everything}]\n", "what is denied" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: drift, ttl: 0}]\n", "ttl" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: drift, ttl: 99999999}]\n", "ttl" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: drift, paths: [/a]}]\n", "no such key" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: executables, paths: [nc]}]\n", "no absolute path" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: executables}]\n", "no list, and there is no profile" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: peers, peers: [10.0.0.0/33]}]\n", "a peer is" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: peers, peers: [tcp/70000 10.0.0.1]}]\n", "a peer is" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: peers, peers: [sctp/7 10.0.0.1]}]\n", "a peer is" },
	{ "schema: holdfast/enforce/1\ndeny: [{what: digests, digests: [sha256:00]}]\n", "sha256" },
};

HF_TEST(rules_are_read_strictly)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(files); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
		struct hf_enforce_policy p = { 0 };
		struct hf_err err = { 0 };
		int code = hf_enforce_policy_make(hf_sv_of(files[i].rules), NULL, &a, &p, &err);
		if (!files[i].why ? code != 0 : code >= 0 || !strstr(err.msg, files[i].why))
			fail_msg("%zu: %d %s", i, code, err.msg);
	}
}

static bool denied(const struct hf_enforce_policy *p, struct hf_event *e, const char *rule)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	enum hf_deny what;
	hf_sv object;

	hf_event_set_string(e, HF_FIELD_CONTAINER_ID, HF_SV("c1"));
	bool is = hf_enforce_policy_judge(p, e, &a, &what, &object);
	if (is && rule && strcmp(hf_deny_name(what), rule) != 0)
		fail_msg("denied by %s instead of %s", hf_deny_name(what), rule);
	return is;
}

static struct hf_event exec_of(const char *path)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, hf_sv_of(path));
	return e;
}

static struct hf_event connect_to(const char *protocol, const char *address, uint64_t port)
{
	struct hf_event e = { .kind = HF_EVENT_CONNECT };

	hf_event_set_string(&e, HF_FIELD_NETWORK_PROTOCOL, hf_sv_of(protocol));
	hf_event_set_string(&e, HF_FIELD_NETWORK_REMOTE_ADDRESS, hf_sv_of(address));
	hf_event_set_uint(&e, HF_FIELD_NETWORK_REMOTE_PORT, port);
	return e;
}

static void profile_of(struct hf_profile *p, struct hf_arena *a)
{
	static const struct hf_sighting seen = { .origin = HF_ORIGIN_LEARNED, .count = 1 };

	hf_profile_init(p, a, HF_SV("sha256:x"), HF_SV("web"), HF_SV(""));
	hf_profile_add_executable(p, HF_SV("/bin/web"),
				  HF_SV("sha256:1111111111111111111111111111111111111111111111111111111111111111"),
				  &seen);
	hf_profile_add_executable(p, HF_SV("/bin/{odd}"), (hf_sv){ 0 }, &seen);
	hf_profile_add(p, HF_PROFILE_PEERS, HF_SV("tcp/5432 address:10.1.0.0/16"), (hf_sv){ 0 }, &seen);
	hf_profile_add(p, HF_PROFILE_PEERS, HF_SV("tcp/443 name:example.com"), (hf_sv){ 0 }, &seen);
	hf_profile_cover(p, HF_PROFILE_EXECUTABLES);
	hf_profile_cover(p, HF_PROFILE_PEERS);
}

HF_TEST(what_a_profile_does_not_hold_is_denied)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_profile profile;
	struct hf_enforce_policy p = { 0 };
	struct hf_err err = { 0 };

	profile_of(&profile, &a);
	assert_int_equal(hf_enforce_policy_make((hf_sv){ 0 }, &profile, &a, &p, &err), 0);
	struct hf_event own = exec_of("/bin/web"), odd = exec_of("/bin/{odd}"), other = exec_of("/bin/nc");
	assert_false(denied(&p, &own, NULL));
	assert_false(denied(&p, &odd, NULL)); /* braces of a name are no pattern */
	assert_true(denied(&p, &other, "executables"));
	hf_event_set_bool(&own, HF_FIELD_PROCESS_EXE_TRUNCATED,
			  true); /* a path that was cut is never one that is allowed */
	assert_true(denied(&p, &own, "executables"));
	hf_event_set_bool(&odd, HF_FIELD_PROCESS_EXE_DELETED, true);
	assert_true(denied(&p, &odd, "fileless"));
	hf_event_set_bool(&other, HF_FIELD_PROCESS_SETUP, true); /* the container's runtime at work */
	assert_false(denied(&p, &other, NULL));

	struct hf_event database = connect_to("tcp", "10.1.2.3", 5432), port = connect_to("tcp", "10.1.2.3", 80),
			far = connect_to("tcp", "10.2.0.1", 5432), udp = connect_to("udp", "10.1.2.3", 5432),
			named = connect_to("tcp", "203.0.113.7", 443), named6 = connect_to("tcp", "2001:db8::1", 443),
			loopback = connect_to("tcp", "127.0.0.1", 9);
	assert_false(denied(&p, &database, NULL));
	assert_true(denied(&p, &port, "peers"));
	assert_true(denied(&p, &far, "peers"));
	assert_true(denied(&p, &udp, "peers"));
	assert_false(denied(&p, &named, NULL));
	assert_false(denied(&p, &named6, NULL));
	assert_false(denied(&p, &loopback, NULL));
	assert_true(p.rules[HF_DENY_PEERS].note.len > 0);
}

HF_TEST(what_cannot_be_held_is_refused)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	static const char rules[] = "schema: holdfast/enforce/1\ndeny: [{what: executables}]\n";
	static const struct hf_sighting seen = { .origin = HF_ORIGIN_LEARNED, .count = 1 };
	struct hf_profile profile;
	struct hf_enforce_policy p = { 0 };
	struct hf_err err = { 0 };

	hf_profile_init(&profile, &a, HF_SV("sha256:x"), HF_SV("web"), HF_SV(""));
	assert_int_equal(hf_enforce_policy_make(hf_sv_of(rules), &profile, &a, &p, &err), HF_E_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "nobody looked"));
	profile_of(&profile, &a);
	hf_profile_add(&profile, HF_PROFILE_EXECUTABLES, HF_SV("/tmp/{path}"), (hf_sv){ 0 }, &seen);
	p = (struct hf_enforce_policy){ 0 };
	assert_int_equal(hf_enforce_policy_make(hf_sv_of(rules), &profile, &a, &p, &err), HF_E_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "variable parts"));
	profile_of(&profile, &a);
	profile.sections[HF_PROFILE_EXECUTABLES].overflow = true;
	p = (struct hf_enforce_policy){ 0 };
	assert_int_equal(hf_enforce_policy_make(hf_sv_of(rules), &profile, &a, &p, &err), HF_E_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "more executables"));
}

HF_TEST(bytes_are_judged_by_digest)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	const hf_sv one = HF_SV("sha256:1111111111111111111111111111111111111111111111111111111111111111"),
		    two = HF_SV("sha256:2222222222222222222222222222222222222222222222222222222222222222");
	struct hf_profile profile;
	struct hf_enforce_policy p = { 0 };
	struct hf_err err = { 0 };

	profile_of(&profile, &a);
	assert_int_equal(hf_enforce_policy_make(HF_SV("schema: holdfast/enforce/1\ndeny: [{what: digests}]\n"),
						&profile, &a, &p, &err),
			 0);
	assert_false(hf_enforce_policy_denies_digest(&p, HF_SV("/bin/web"), one));
	assert_true(hf_enforce_policy_denies_digest(&p, HF_SV("/bin/web"), two));
	assert_false(hf_enforce_policy_denies_digest(&p, HF_SV("/bin/else"), two));
	assert_true(p.rules[HF_DENY_DIGESTS].note.len > 0); /* /bin/{odd} has none */
	p = (struct hf_enforce_policy){ 0 };
	assert_int_equal(
		hf_enforce_policy_make(HF_SV("schema: holdfast/enforce/1\ndeny:\n- what: digests\n  digests: [sha256:"
					     "2222222222222222222222222222222222222222222222222222222222222222]\n"),
				       NULL, &a, &p, &err),
		0);
	assert_true(hf_enforce_policy_denies_digest(&p, HF_SV("/bin/else"), two));
	assert_false(hf_enforce_policy_denies_digest(&p, HF_SV("/bin/else"), one));
}

HF_TEST(rungs_are_numbered_as_the_kernel_counts)
{
	for (uint32_t rule = 0; rule < HF_DENIES; rule++)
		assert_non_null(hf_deny_name(rule));
	assert_null(hf_deny_name(HF_DENIES));
	for (uint32_t by = HF_BY_LSM; by <= HF_BY_RESPONSE; by++) {
		const struct hf_rung *r = hf_rung_by(by);
		assert_non_null(r);
		assert_ptr_equal(hf_rung_of(hf_sv_of(r->name)), r);
		assert_ptr_equal(hf_rungs[by - 1], r);
		assert_true(strlen(r->residual) > 0);
	}
	assert_null(hf_rung_of(HF_SV("prayer")));
}

HF_TEST_MAIN(cmocka_unit_test(rules_are_read_strictly), cmocka_unit_test(what_a_profile_does_not_hold_is_denied),
	     cmocka_unit_test(what_cannot_be_held_is_refused), cmocka_unit_test(bytes_are_judged_by_digest),
	     cmocka_unit_test(rungs_are_numbered_as_the_kernel_counts))
