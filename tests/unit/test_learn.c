#include "unit.h"

#include "base/limits.h"
#include "baseline/judge.h"
#include "baseline/known_set.h"
#include "baseline/learn.h"
#include "bpf/hash.h"

static const hf_sv digest = HF_SV_INIT("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

static struct hf_event exec_of(hf_sv container, hf_sv path, uint64_t seconds)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, container);
	hf_event_set_string(&e, HF_FIELD_CONTAINER_IMAGE_DIGEST, digest);
	hf_event_set_string(&e, HF_FIELD_PROCESS_EXE_PATH, path);
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, seconds * 1000000000u);
	return e;
}

HF_TEST(containers_beyond_the_limit_are_closed_and_none_is_lost)
{
	struct hf_learn *l = hf_learn_new(&(struct hf_learn_options){ .containers_max = 16 });
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(16));
	size_t n;

	for (unsigned i = 0; i < 2000; i++) {
		struct hf_event e = exec_of(hf_arena_fmt(&a, "c%u", i), HF_SV("/bin/x"), i);
		hf_learn_take(l, &e);
	}
	const struct hf_profile *const *profiles = hf_learn_finish(l, &n);
	assert_int_equal(n, 1);
	assert_int_equal(profiles[0]->replicas, 2000);
	assert_int_equal(hf_profile_find(profiles[0], HF_PROFILE_EXECUTABLES, HF_SV("/bin/x"))->seen.replicas, 2000);
	assert_int_equal(hf_learn_count(l).closed_early, 2000 - 16);
	hf_learn_free(l);
}

HF_TEST(memory_is_bounded)
{
	struct hf_learn *l = hf_learn_new(&(struct hf_learn_options){ .memory_max = HF_MIB(1) });
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));

	for (unsigned i = 0; i < 20000; i++) {
		struct hf_event e = exec_of(hf_arena_fmt(&a, "c%u", i % 100), hf_arena_fmt(&a, "/bin/x%u", i), 5);
		hf_learn_take(l, &e);
	}
	assert_true(hf_learn_count(l).closed_early > 0);
	assert_true(hf_learn_count(l).memory <= HF_MIB(16)); /* one profile that is full, and one container */
	hf_learn_free(l);
}

HF_TEST(images_are_bounded_too)
{
	struct hf_learn *l = hf_learn_new(NULL);
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	size_t n;

	for (unsigned i = 0; i < 5000; i++) {
		struct hf_event e = exec_of(hf_arena_fmt(&a, "c%u", i), HF_SV("/bin/x"), 5);
		hf_event_set_string(&e, HF_FIELD_CONTAINER_IMAGE_DIGEST, hf_arena_fmt(&a, "sha256:%u", i));
		hf_learn_take(l, &e);
	}
	hf_learn_finish(l, &n);
	assert_int_equal(hf_learn_count(l).refused, 5000 - n);
	assert_true(n < 5000);
	hf_learn_free(l);
}

HF_TEST(what_comes_late_is_counted)
{
	struct hf_learn *l = hf_learn_new(NULL);
	struct hf_event now = exec_of(HF_SV("c"), HF_SV("/bin/x"), 1000),
			then = exec_of(HF_SV("c"), HF_SV("/bin/y"), 10);
	struct hf_event just = exec_of(HF_SV("c"), HF_SV("/bin/z"), 950);
	size_t n;

	hf_learn_take(l, &now);
	hf_learn_take(l, &then);
	hf_learn_take(l, &just);
	const struct hf_profile *const *profiles = hf_learn_finish(l, &n);
	assert_int_equal(hf_learn_count(l).late, 1);
	assert_null(hf_profile_find(profiles[0], HF_PROFILE_EXECUTABLES, HF_SV("/bin/y")));
	assert_non_null(hf_profile_find(profiles[0], HF_PROFILE_EXECUTABLES, HF_SV("/bin/z")));
	hf_learn_free(l);
}

static int capability(hf_sv name)
{
	return hf_sv_eq(name, HF_SV("CAP_CHOWN")) ? 0 : -1;
}

static int system_call(hf_sv name)
{
	return hf_sv_eq(name, HF_SV("chown")) ? 92 : -1;
}

static int io_uring(hf_sv operation)
{
	return hf_sv_eq(operation, HF_SV("setup")) ? 255 : -1;
}

static bool has(const struct hf_known_object *set, size_t n, enum hf_event_kind kind, uint64_t state, uint64_t hash_key)
{
	for (size_t i = 0; i < n; i++)
		if (set[i].kind == kind && set[i].key == hf_keyed_end(state, hash_key))
			return true;
	return false;
}

/* The words are those of bpf/object.bpf.h and its users, written out. */
HF_TEST(the_kernel_knows_what_cannot_turn_out_otherwise)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	const struct hf_known_names names = { capability, system_call, io_uring };
	const struct hf_sighting seen = { HF_ORIGIN_LEARNED, 2, 1, 1, 1, { 0 } };
	const unsigned char peer[16] = { 10, 0, 0, 1 };
	const struct hf_known_executable programs[] = { { 5, 9 }, { 6, 9 } };
	const uint64_t key = 12345, zero = 0;
	struct hf_profile p;
	uint64_t word, state;
	size_t n;

	hf_profile_init(&p, &a, digest, HF_SV("x"), HF_SV(""));
	hf_profile_add_executable(&p, HF_SV("/bin/sh"), (hf_sv){ 0 }, &seen);
	hf_profile_add_capability(&p, HF_SV("CAP_CHOWN"), HF_SV("chown"), &seen);
	hf_profile_add_capability(&p, HF_SV("CAP_NEW"), HF_SV("chown"), &seen);
	hf_profile_add_listen(&p, HF_SV("tcp"), 80, &seen);
	hf_profile_add_listen(&p, HF_SV("udp"), 50000, &seen);
	hf_profile_add(&p, HF_PROFILE_PEERS, HF_SV("tcp/443 address:10.0.0.1"), (hf_sv){ 0 }, &seen);
	hf_profile_add(&p, HF_PROFILE_PEERS, HF_SV("udp/53 address:10.0.0.1"), (hf_sv){ 0 }, &seen);
	hf_profile_add(&p, HF_PROFILE_PEERS, HF_SV("tcp/443 address:10.0.0.0/8"), (hf_sv){ 0 }, &seen);
	hf_profile_add(&p, HF_PROFILE_PEERS, HF_SV("tcp/443 name:x"), (hf_sv){ 0 }, &seen);
	hf_profile_add(&p, HF_PROFILE_IO_URING, HF_SV("setup"), (hf_sv){ 0 }, &seen);
	hf_known_set(&p, key, 7, programs, 2, &names, &a, &n);
	assert_int_equal(n, 0);
	p.mode = HF_MODE_OBSERVE;
	const struct hf_known_object *set = hf_known_set(&p, key, 7, programs, 2, &names, &a, &n);
	assert_int_equal(n, 12);
	state = hf_keyed_word(hf_keyed_word(hf_keyed_word(hf_keyed_begin(key, 5), 7), 5), 9);
	assert_true(has(set, n, HF_EVENT_CAPABILITY, hf_keyed_word(state, 92), key));
	assert_true(has(set, n, HF_EVENT_CAPABILITY, hf_keyed_word(state, 92 | 1u << 31), key));
	state = hf_keyed_word(hf_keyed_word(hf_keyed_word(hf_keyed_begin(key, 6), 7), 6), 9);
	state = hf_keyed_word(hf_keyed_word(state, zero), zero);
	assert_true(has(set, n, HF_EVENT_LISTEN, hf_keyed_word(state, 6ull << 32 | 80), key));
	memcpy(&word, peer, sizeof word);
	for (uint32_t kind = HF_EVENT_CONNECT; kind <= HF_EVENT_SEND; kind++) {
		state = hf_keyed_word(hf_keyed_word(hf_keyed_word(hf_keyed_begin(key, kind), 7), 5), 9);
		state = hf_keyed_word(hf_keyed_word(state, word), zero);
		assert_true(has(set, n, kind, hf_keyed_word(state, 6ull << 32 | 443), key));
	}
	state = hf_keyed_word(hf_keyed_word(hf_keyed_word(hf_keyed_begin(key, 13), 7), 6), 9);
	assert_true(has(set, n, HF_EVENT_IO_URING, hf_keyed_word(state, 255), key));
	p.replicas = HF_RARE_REPLICAS_MIN;
	hf_profile_add_listen(&p, HF_SV("tcp"), 81, &(struct hf_sighting){ HF_ORIGIN_LEARNED, 1, 1, 1, 1, { 0 } });
	hf_known_set(&p, key, 7, programs, 2, &names, &a, &n);
	assert_int_equal(n, 12);
}

HF_TEST(a_path_is_hashed_from_its_end)
{
	char sh[8] = "sh", bin[8] = "bin";
	uint64_t state = hf_keyed_component(hf_keyed_begin(3, HF_EVENT_EXEC), sh, 2);

	state = hf_keyed_end(hf_keyed_component(state, bin, 3), 3);
	assert_int_equal(hf_known_path(3, HF_EVENT_EXEC, HF_SV("/bin/sh")), state);
	assert_int_not_equal(hf_known_path(3, HF_EVENT_MAP, HF_SV("/bin/sh")), state);
}

HF_TEST(an_alert_has_the_fields_of_its_event)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct hf_event e = exec_of(HF_SV("c"), HF_SV("/bin/nc"), 1), alert;
	struct hf_profile p;

	hf_event_set_string(&e, HF_FIELD_ID, HF_SV("1-2"));
	hf_profile_init(&p, &a, digest, HF_SV("web:1"), HF_SV(""));
	p.mode = HF_MODE_OBSERVE;
	hf_profile_cover(&p, HF_PROFILE_EXECUTABLES);
	struct hf_profile_verdict v = hf_profile_judge(&p, &e, &a);
	assert_int_equal(v.verdict, HF_VERDICT_ALERT);
	hf_profile_alert(&p, &v, &e, &a, &alert);
	assert_int_equal(alert.kind, HF_EVENT_ALERT);
	assert_true(hf_sv_eq(hf_event_string(&alert, HF_FIELD_ALERT_RULE), HF_SV("profile.executable")));
	assert_true(hf_sv_eq(hf_event_string(&alert, HF_FIELD_ALERT_EVENT), HF_SV("1-2")));
	assert_true(hf_sv_eq(hf_event_string(&alert, HF_FIELD_ALERT_EVENT_KIND), HF_SV("exec")));
	assert_true(hf_sv_eq(hf_event_string(&alert, HF_FIELD_PROCESS_EXE_PATH), HF_SV("/bin/nc")));
	assert_true(hf_event_has(&alert, HF_FIELD_ALERT_TITLE) && hf_event_has(&alert, HF_FIELD_ALERT_REASON));
}

HF_TEST_MAIN(cmocka_unit_test(containers_beyond_the_limit_are_closed_and_none_is_lost),
	     cmocka_unit_test(memory_is_bounded), cmocka_unit_test(images_are_bounded_too),
	     cmocka_unit_test(what_comes_late_is_counted),
	     cmocka_unit_test(the_kernel_knows_what_cannot_turn_out_otherwise),
	     cmocka_unit_test(a_path_is_hashed_from_its_end), cmocka_unit_test(an_alert_has_the_fields_of_its_event))
