#include "unit.h"

#include <string.h>

#include "sensor/hierarchy.h"

#define TMPFS "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
#define V1                                                                                     \
	"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n" \
	"34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                    \
	"35 31 0:32 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,name=systemd\n"
#define PIDS   "36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
#define HYBRID "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static const char *const own = "9:name=systemd:/\n8:pids:/\n4:memory:/a:b\n1:cpu,cpuacct:/\n0::/\n";

static struct hf_hierarchy chosen(const char *mounts, enum hf_hierarchy_evidence evidence)
{
	struct hf_hierarchy h = { .fd = 7, .controller = "none" };
	struct hf_err err = { 0 };

	assert_int_equal(hf_hierarchy_choose(hf_sv_of(mounts), hf_sv_of(own), evidence, &h, &err), 0);
	return h;
}

HF_TEST(the_unified_one_where_engines_look_for_it)
{
	struct hf_hierarchy h =
		chosen("41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", HF_HIERARCHY_NO_CONTAINERS);

	assert_string_equal(h.point, "/sys/fs/cgroup");
	assert_false(hf_hierarchy_is_v1(&h));
	h = chosen(TMPFS V1 PIDS HYBRID, HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.point, "/sys/fs/cgroup/unified");
	assert_string_equal(h.controller, "");
	assert_int_equal(h.v1_subsystem, -1);
	assert_int_equal(h.v1_id, 0);
	h = chosen("40 31 0:38 / /run/cilium/cgroupv2 rw - cgroup2 none rw\n" TMPFS V1 PIDS HYBRID,
		   HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.point, "/sys/fs/cgroup/unified");
}

HF_TEST(cgroup_v1_where_the_unified_one_is_not_mounted)
{
	struct hf_hierarchy h = chosen(TMPFS V1 PIDS, HF_HIERARCHY_NO_CONTAINERS);

	assert_string_equal(h.controller, "pids");
	assert_string_equal(h.point, "/sys/fs/cgroup/pids");
	assert_int_equal(h.v1_id, 8);
	assert_true(hf_hierarchy_is_v1(&h));
	h = chosen(TMPFS V1, HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.controller, "memory");
	assert_int_equal(h.v1_id, 4);
	h = chosen("33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
		   HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.controller, "cpu");
	assert_int_equal(h.v1_id, 1);
}

HF_TEST(what_containers_that_run_say_counts_more_than_where_it_is_mounted)
{
	const char *elsewhere = TMPFS V1 PIDS "40 31 0:38 / /run/cilium/cgroupv2 rw - cgroup2 none rw\n";
	struct hf_hierarchy h = chosen(TMPFS V1 PIDS HYBRID, HF_HIERARCHY_IN_V1);

	assert_string_equal(h.controller, "pids");
	h = chosen(elsewhere, HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.controller, "pids");
	h = chosen(elsewhere, HF_HIERARCHY_IN_UNIFIED);
	assert_string_equal(h.point, "/run/cilium/cgroupv2");
	assert_string_equal(h.controller, "");
	h = chosen("40 31 0:38 / /run/cilium/cgroupv2 rw - cgroup2 none rw\n", HF_HIERARCHY_NO_CONTAINERS);
	assert_string_equal(h.point, "/run/cilium/cgroupv2");
}

HF_TEST(no_part_of_a_hierarchy_and_no_text_that_is_none)
{
	static const char *const none[] = {
		"",
		"garbage\n - \n - cgroup2\n1 2 3 / - cgroup2 x y\n",
		"35 31 0:32 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,name=systemd\n",
		"36 31 0:33 /docker/x /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
		"36 31 0:33 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n",
		"36 31 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n", /* of which this process has no line */
	};
	struct hf_hierarchy h = { .fd = 7 };

	for (size_t i = 0; i < HF_ARRAY_SIZE(none); i++) {
		struct hf_err err = { 0 };
		assert_int_equal(
			hf_hierarchy_choose(hf_sv_of(none[i]), hf_sv_of(own), HF_HIERARCHY_NO_CONTAINERS, &h, &err),
			HF_E_MISSING);
		assert_int_equal(h.fd, 7);
	}
}

HF_TEST(below_a_container_is_in_it)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	assert_true(hf_hierarchy_is_container(HF_SV("/docker/" ID)));
	assert_true(hf_hierarchy_is_container(HF_SV("/docker/" ID "/own/deeper")));
	assert_false(hf_hierarchy_is_container(HF_SV("/docker")));
	assert_false(hf_hierarchy_is_container(HF_SV("/")));
	assert_false(hf_hierarchy_is_container((hf_sv){ 0 }));
}

HF_TEST_MAIN(cmocka_unit_test(the_unified_one_where_engines_look_for_it),
	     cmocka_unit_test(cgroup_v1_where_the_unified_one_is_not_mounted),
	     cmocka_unit_test(what_containers_that_run_say_counts_more_than_where_it_is_mounted),
	     cmocka_unit_test(no_part_of_a_hierarchy_and_no_text_that_is_none),
	     cmocka_unit_test(below_a_container_is_in_it))
