#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "sensor/counts.h"
#include "sensor/executions.h"
#include "sensor/lookups.h"

static struct hf_executions t;

static struct hf_execution *add(uint64_t id, uint64_t parent, uint32_t pid, uint64_t start_ns)
{
	char path[32];

	snprintf(path, sizeof path, "/bin/%llu", (unsigned long long)id);
	return hf_executions_add(&t, &(struct hf_execution){ .id = id,
							     .parent = parent,
							     .pid = pid,
							     .start_ns = start_ns,
							     .since_ns = start_ns,
							     .path = hf_sv_of(path) });
}

HF_TEST(a_pid_that_is_used_again_is_told_apart_by_time)
{
	hf_executions_init(&t, 0, 0);
	struct hf_execution *first = add(1, 0, 40, 100);
	hf_executions_end(&t, first, 200);
	struct hf_execution *second = add(2, 0, 40, 300);
	assert_ptr_equal(hf_executions_of_pid(&t, 40, 150), first);
	assert_ptr_equal(hf_executions_of_pid(&t, 40, 200), first);
	assert_null(hf_executions_of_pid(&t, 40, 250));
	assert_ptr_equal(hf_executions_of_pid(&t, 40, 300), second);
	assert_ptr_equal(hf_executions_of_pid(&t, 40, 0), second);
	hf_executions_end(&t, second, 400);
	assert_null(hf_executions_of_pid(&t, 40, 0));
	assert_ptr_equal(hf_executions_of_pid(&t, 40, 350), second);
	assert_null(hf_executions_of_pid(&t, 41, 150));
	hf_executions_done(&t);
}

HF_TEST(an_end_that_comes_twice_or_before_the_children_changes_nothing_of_the_tree)
{
	hf_executions_init(&t, 2, 0);
	struct hf_execution *parent = add(1, 0, 10, 1);
	add(2, 1, 11, 2);
	hf_executions_end(&t, parent, 5);
	hf_executions_end(&t, parent, 6);
	assert_int_equal(parent->ended_ns, 5);
	assert_null(add(3, 2, 12, 3)); /* neither the child nor its parent may go */
	assert_int_equal(t.refused, 1);
	hf_executions_end(&t, hf_executions_find(&t, 2), 7);
	assert_non_null(add(3, 1, 12, 8)); /* 2 went, 1 is the parent of what comes */
	assert_null(hf_executions_find(&t, 2));
	assert_int_equal(t.n, 2);
	hf_executions_done(&t);
}

/* A child whose parent is told of later does not count among its children, and does not take one away either. */
HF_TEST(children_before_their_parent_do_not_free_it_early)
{
	hf_executions_init(&t, 3, 0);
	struct hf_execution *early = add(2, 1, 11, 2);
	struct hf_execution *parent = add(1, 0, 10, 1);
	add(3, 1, 12, 3);
	hf_executions_end(&t, parent, 4);
	hf_executions_end(&t, early, 5);
	assert_non_null(add(4, 0, 13, 6));
	assert_null(hf_executions_find(&t, 2));
	assert_ptr_equal(hf_executions_find(&t, 1), parent);
	assert_null(add(5, 0, 14, 7)); /* 1 has the child 3, which runs */
	assert_int_equal(parent->children, 1);
	hf_executions_done(&t);
}

HF_TEST(its_own_parent_is_no_parent)
{
	hf_executions_init(&t, 1, 0);
	struct hf_execution *e = add(7, 7, 1, 1);
	hf_executions_end(&t, e, 2);
	assert_non_null(add(8, 0, 2, 3));
	hf_executions_done(&t);
}

HF_TEST(what_has_ended_makes_room_oldest_first_and_the_table_stays_bounded)
{
	hf_executions_init(&t, 100, HF_KIB(64));
	for (uint64_t i = 1; i <= 100000; i++) {
		struct hf_execution *e = add(i, i - 1, (uint32_t)(i % 300), i);
		assert_non_null(e);
		hf_executions_end(&t, e, i);
		assert_true(t.n <= 100 && t.bytes <= HF_KIB(64));
	}
	assert_non_null(hf_executions_find(&t, 100000));
	assert_null(hf_executions_find(&t, 1));
	assert_int_equal(t.refused, 0);
	hf_executions_done(&t);
}

HF_TEST(long_texts_are_cut_and_bytes_are_bounded)
{
	static char text[4000];
	hf_sv arguments[20];

	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < HF_ARRAY_SIZE(arguments); i++)
		arguments[i] = (hf_sv){ text, 10 };
	hf_executions_init(&t, 0, 0);
	struct hf_execution *e =
		hf_executions_add(&t, &(struct hf_execution){ .id = 1,
							      .path = { text, sizeof text },
							      .arguments = arguments,
							      .arguments_n = HF_ARRAY_SIZE(arguments) });
	assert_int_equal(e->path.len, HF_EXECUTION_TEXT_MAX);
	assert_int_equal(e->arguments_n, 0);
	e = hf_executions_add(
		&t, &(struct hf_execution){ .id = 2, .arguments = arguments, .arguments_n = HF_ARRAY_SIZE(arguments) });
	assert_int_equal(e->arguments_n, HF_EXECUTION_ARGUMENTS_MAX);
	hf_executions_done(&t);
}

HF_TEST(ancestors_end_at_a_circle_s_bound)
{
	struct hf_arena a = HF_ARENA(HF_KIB(64));
	static struct hf_event e;

	hf_executions_init(&t, 0, 0);
	add(1, 2, 10, 1);
	add(2, 1, 11, 2);
	memset(&e, 0, sizeof e);
	hf_execution_describe(&t, hf_executions_find(&t, 1), &a, &e);
	assert_int_equal(hf_event_uint(&e, HF_FIELD_PROCESS_PARENT_EXECUTION), 2);
	assert_int_equal(e.values[HF_FIELD_PROCESS_ANCESTORS].n, HF_ANCESTORS_MAX);
	hf_arena_done(&a);
	hf_executions_done(&t);
}

static void end_odd(void *ctx, struct hf_execution *e)
{
	++*(size_t *)ctx;
	if (e->id % 2)
		hf_executions_end(&t, e, 9);
}

HF_TEST(the_visitor_may_end_what_it_is_shown)
{
	size_t n = 0;

	hf_executions_init(&t, 0, 0);
	for (uint64_t i = 1; i <= 50; i++)
		add(i, 0, (uint32_t)i, 1);
	hf_executions_each(&t, end_odd, &n);
	assert_int_equal(n, 50);
	n = 0;
	hf_executions_each(&t, end_odd, &n);
	assert_int_equal(n, 25);
	hf_executions_done(&t);
}

HF_TEST(names_are_a_container_s_own_and_the_table_is_bounded)
{
	struct hf_lookups l;
	char address[32], name[300];

	memset(name, 'n', sizeof name);
	hf_lookups_init(&l);
	hf_lookups_put(&l, 1, HF_SV("10.0.0.1"), HF_SV("a.example"));
	hf_lookups_put(&l, 2, HF_SV("10.0.0.1"), (hf_sv){ name, sizeof name });
	assert_true(hf_sv_eq(hf_lookups_name(&l, 1, HF_SV("10.0.0.1")), HF_SV("a.example")));
	assert_int_equal(hf_lookups_name(&l, 2, HF_SV("10.0.0.1")).len, HF_LOOKUP_NAME_MAX);
	assert_int_equal(hf_lookups_name(&l, 3, HF_SV("10.0.0.1")).len, 0);
	hf_lookups_put(&l, 1, HF_SV("10.0.0.1"), HF_SV("b.example"));
	assert_true(hf_sv_eq(hf_lookups_name(&l, 1, HF_SV("10.0.0.1")), HF_SV("b.example")));
	hf_lookups_put(&l, 1, HF_SV(""), HF_SV(""));
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(address, sizeof address, "10.%u.%u.%u", 1 + (i >> 16), i >> 8 & 255, i & 255);
		hf_lookups_put(&l, 9, hf_sv_of(address), HF_SV("flood"));
	}
	assert_true(hf_sv_eq(hf_lookups_name(&l, 9, hf_sv_of(address)), HF_SV("flood")));
	hf_lookups_done(&l);
}

static struct hf_counts c;

static void see(uint64_t cgroup_id, uint32_t kind, uint64_t n)
{
	struct hf_pair_counts *p = hf_counts_at(&c, cgroup_id, kind);

	assert_non_null(p);
	p->counts.seen += n;
	p->counts.dropped_queue += n;
}

static bool is_it(const void *ctx, uint64_t cgroup_id)
{
	return cgroup_id == *(const uint64_t *)ctx;
}

/* cgroups that come and go leave nothing behind: neither room that is taken, nor a lost count. */
HF_TEST(counts_of_containers_that_are_gone_are_put_together_and_leave_their_room)
{
	struct hf_sensor_counts sums[HF_EVENT_KINDS] = { 0 };

	hf_counts_init(&c);
	see(1, 4, 1);
	for (uint64_t id = 2; id < 2002; id++) {
		for (uint32_t kind = 0; kind < HF_EVENT_KINDS; kind++)
			see(id, kind, id);
		see(1, 4, 1);
		hf_counts_fold(&c, is_it, &id, sums);
		assert_int_equal(c.n, 1);
	}
	for (uint32_t kind = 0; kind < HF_EVENT_KINDS; kind++) {
		assert_int_equal(sums[kind].seen, 2003000);
		assert_int_equal(sums[kind].dropped_queue, 2003000);
	}
	assert_int_equal(hf_counts_at(&c, 1, 4)->counts.seen, 2001);
	hf_counts_done(&c);
}

static bool is_even(const void *ctx, uint64_t cgroup_id)
{
	(void)ctx;
	return cgroup_id % 2 == 0;
}

HF_TEST(what_is_taken_out_hides_nothing_that_stands_behind_it)
{
	struct hf_sensor_counts sums[HF_EVENT_KINDS] = { 0 };
	uint64_t even = 0;

	hf_counts_init(&c);
	for (uint64_t id = 1; id <= 6000; id++) {
		see(id, 0, id);
		see(id, 2, id);
		even += id % 2 ? 0 : id;
	}
	hf_counts_fold(&c, is_even, NULL, sums);
	assert_int_equal(c.n, 6000);
	for (uint64_t id = 1; id <= 6000; id++)
		assert_int_equal(hf_counts_at(&c, id, 2)->counts.seen, id % 2 ? id : 0);
	assert_int_equal(sums[2].seen, even);
	assert_int_equal(sums[0].seen, even);
	hf_counts_done(&c);
}

HF_TEST(a_full_table_refuses_and_says_so)
{
	hf_counts_init(&c);
	for (uint64_t id = 1; id <= 2 * HF_COUNTS_SLOTS; id++)
		hf_counts_at(&c, id, 0);
	assert_true(c.refused > 0);
	assert_int_equal(c.n + c.refused, 2 * HF_COUNTS_SLOTS);
	hf_counts_done(&c);
}

HF_TEST_MAIN(cmocka_unit_test(a_pid_that_is_used_again_is_told_apart_by_time),
	     cmocka_unit_test(an_end_that_comes_twice_or_before_the_children_changes_nothing_of_the_tree),
	     cmocka_unit_test(children_before_their_parent_do_not_free_it_early),
	     cmocka_unit_test(its_own_parent_is_no_parent),
	     cmocka_unit_test(what_has_ended_makes_room_oldest_first_and_the_table_stays_bounded),
	     cmocka_unit_test(long_texts_are_cut_and_bytes_are_bounded),
	     cmocka_unit_test(ancestors_end_at_a_circle_s_bound),
	     cmocka_unit_test(the_visitor_may_end_what_it_is_shown),
	     cmocka_unit_test(names_are_a_container_s_own_and_the_table_is_bounded),
	     cmocka_unit_test(counts_of_containers_that_are_gone_are_put_together_and_leave_their_room),
	     cmocka_unit_test(what_is_taken_out_hides_nothing_that_stands_behind_it),
	     cmocka_unit_test(a_full_table_refuses_and_says_so))
