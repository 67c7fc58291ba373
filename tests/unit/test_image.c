#include "unit.h"

#include <stdio.h>

#include "finding/image.h"

struct image {
	struct hf_artifact artifact;
	struct hf_scan_report report;
	struct hf_layer_report layers[6];
	struct hf_arena arena;
};

static struct hf_history step(const char *created_by, bool empty_layer)
{
	return (struct hf_history){ .created_by = hf_sv_of(created_by), .empty_layer = empty_layer };
}

static void set_up(struct image *m, const struct hf_history *history, size_t history_n, uint32_t layers_n)
{
	*m = (struct image){ .arena = HF_ARENA(1 << 20) };
	m->artifact = (struct hf_artifact){
		.is_image = true, .history = history, .history_n = history_n, .layers_n = layers_n
	};
	m->report = (struct hf_scan_report){ .artifact = &m->artifact, .layers = m->layers, .layers_n = layers_n };
	for (uint32_t i = 0; i < layers_n; i++)
		m->layers[i].layer.index = i;
}

static const struct hf_misconfiguration *find(const struct image *m, const char *id)
{
	for (size_t i = 0; i < m->report.misconfigurations_n; i++)
		if (hf_sv_eq(m->report.misconfigurations[i].id, hf_sv_of(id)))
			return &m->report.misconfigurations[i];
	return NULL;
}

HF_TEST(commands_in_the_history_end_base_images)
{
	const struct hf_history h[] = { step("ADD rootfs.tar /", false),
					step("CMD [\"bash\"]", true),
					step("RUN apt-get install python3", false),
					step("ENTRYPOINT [\"python3\"]", true),
					step("COPY app /app", false),
					step("CMD [\"app\"]", true) };
	struct image m;

	set_up(&m, h, HF_ARRAY_SIZE(h), 3);
	m.report.os = (struct hf_os){ .id = HF_SV("debian"), .version_id = HF_SV("12") };
	m.layers[2].files_n = 100;
	hf_image_roles(&m.report, m.layers, &m.arena);
	assert_int_equal(m.layers[0].role, HF_ROLE_BASE);
	assert_int_equal(m.layers[1].role, HF_ROLE_RUNTIME);
	assert_int_equal(m.layers[2].role, HF_ROLE_APPLICATION);
	assert_int_equal(m.report.base_layers, 1);
	assert_true(hf_sv_eq(m.report.base_name, HF_SV("debian:12")));
	hf_arena_done(&m.arena);
}

HF_TEST(without_a_history_content_tells_the_role)
{
	const struct hf_package_change python[] = {
		{ HF_SV("pkg:deb/debian/python3.11@3.11.2-6"), { 0 }, HF_SV("3.11.2-6") }
	};
	const struct hf_package_change flask[] = { { HF_SV("pkg:pypi/flask@1.0"), { 0 }, HF_SV("1.0") } };
	/* A package whose version or qualifier alone looks like an interpreter's name is none. */
	const struct hf_package_change sly[] = {
		{ HF_SV("pkg:deb/debian/x@1/python3?distro=/ruby3"), { 0 }, HF_SV("1") }
	};
	struct image m;

	set_up(&m, NULL, 0, 6);
	m.report.os.id = HF_SV("debian");
	m.layers[1].added = python;
	m.layers[1].added_n = 1;
	m.layers[2].added = flask;
	m.layers[2].added_n = 1;
	m.layers[3].added = sly;
	m.layers[3].added_n = 1;
	m.layers[4].files_n = 2;
	m.layers[5].files_n = 2;
	m.layers[5].layer.created_by = HF_SV("COPY app.py /");
	hf_image_roles(&m.report, m.layers, &m.arena);
	static const enum hf_layer_role expected[] = { HF_ROLE_BASE,          HF_ROLE_RUNTIME,
						       HF_ROLE_DEPENDENCIES,  HF_ROLE_DEPENDENCIES,
						       HF_ROLE_CONFIGURATION, HF_ROLE_APPLICATION };
	for (size_t i = 0; i < HF_ARRAY_SIZE(expected); i++)
		assert_int_equal(m.layers[i].role, expected[i]);
	assert_int_equal(m.report.base_layers, 1);
	hf_arena_done(&m.arena);
}

HF_TEST(a_history_longer_than_the_layers_does_no_harm)
{
	const struct hf_history h[] = { step("a", false), step("b", false), step("CMD x", true), step("c", false),
					step("CMD y", true) };
	struct image m;

	set_up(&m, h, HF_ARRAY_SIZE(h), 1);
	hf_image_roles(&m.report, m.layers, &m.arena);
	assert_int_equal(m.report.base_layers, 0);
	hf_arena_done(&m.arena);
}

HF_TEST(executables_without_a_database_are_a_finding)
{
	const struct hf_package go = { .type = HF_PKG_GOLANG, .name = HF_SV("m") };
	const struct {
		bool has_database, has_go, has_os;
		uint64_t executables;
		bool is_finding;
	} cases[] = {
		{ false, false, false, 0, false }, { false, false, false, 1, true }, { true, false, true, 9, false },
		{ false, true, false, 1, false },  { false, true, true, 1, true },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_image_facts f = { cases[i].has_database, -1, { 0 }, cases[i].executables };
		struct image m;
		set_up(&m, NULL, 0, 1);
		m.report.packages = &go;
		m.report.packages_n = cases[i].has_go;
		m.report.os.id = cases[i].has_os ? HF_SV("debian") : (hf_sv){ 0 };
		assert_true(hf_image_findings(&m.report, &f, &m.arena));
		assert_int_equal(find(&m, "HF-IMAGE-001") != NULL, cases[i].is_finding);
		hf_arena_done(&m.arena);
	}
}

HF_TEST(a_deleted_database_and_a_missing_release_are_findings)
{
	struct hf_image_facts f = { true, 3, HF_SV("var/lib/dpkg/status"), 1 };
	struct image m;

	set_up(&m, NULL, 0, 1);
	assert_true(hf_image_findings(&m.report, &f, &m.arena));
	assert_non_null(find(&m, "HF-IMAGE-002"));
	assert_true(hf_sv_eq(find(&m, "HF-IMAGE-002")->path, f.database_path));
	assert_non_null(find(&m, "HF-IMAGE-003"));
	hf_arena_done(&m.arena);
}

HF_TEST(layers_a_month_apart_are_a_finding)
{
	const struct {
		const char *old, *new;
		bool is_finding;
	} cases[] = {
		{ "2024-01-31", "2024-03-01", true },
		{ "2024-02-01", "2024-03-01", false },
		{ "2023-12-15", "2024-01-14", true },
		{ "2023-12-15", "2024-01-13", false },
		{ "2024-01-01", "", false },
		{ "2024-13-01", "2025-01-01", false },
		{ "x", "y", false },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_image_facts f = { .database_removed_in = -1 };
		struct image m;
		set_up(&m, NULL, 0, 3);
		m.layers[0].patch_level = hf_sv_of(cases[i].old);
		m.layers[2].patch_level = hf_sv_of(cases[i].new);
		assert_true(hf_image_findings(&m.report, &f, &m.arena));
		assert_int_equal(find(&m, "HF-IMAGE-004") != NULL, cases[i].is_finding);
		hf_arena_done(&m.arena);
	}
}

HF_TEST(patch_levels_come_from_distribution_packages_of_the_layer)
{
	const struct hf_package p[] = { { .type = HF_PKG_DEB, .layer = 0 },
					{ .type = HF_PKG_DEB, .layer = 0 },
					{ .type = HF_PKG_NPM, .layer = 1 },
					{ .type = HF_PKG_DEB, .layer = -1 },
					{ .type = HF_PKG_DEB, .layer = 99 } };
	const hf_sv dates[] = { HF_SV("2024-01-01"), HF_SV("2024-02-01"), HF_SV("2025-01-01"), HF_SV("2025-01-01"),
				HF_SV("2025-01-01") };
	const struct hf_vulnerability v[] = {
		{ .package = 0, .status = HF_STATUS_FIXED_AVAILABLE },
		{ .package = 1, .status = HF_STATUS_AFFECTED },
		{ .package = 3, .status = HF_STATUS_FIXED_AVAILABLE },
		{ .package = 4, .status = HF_STATUS_FIXED_AVAILABLE },
		{ .package = 0, .status = HF_STATUS_FIXED_AVAILABLE, .kernel_headers = true }
	};
	struct image m;

	set_up(&m, NULL, 0, 2);
	m.report.packages = p;
	m.report.packages_n = HF_ARRAY_SIZE(p);
	m.report.vulnerabilities = v;
	m.report.vulnerabilities_n = HF_ARRAY_SIZE(v);
	hf_image_patch_levels(&m.report, m.layers, dates);
	assert_true(hf_sv_eq(m.layers[0].patch_level, HF_SV("2024-02-01")));
	assert_int_equal(m.layers[1].patch_level.len, 0);
	assert_int_equal(m.layers[0].fixable_n, 1);
	assert_int_equal(m.layers[1].fixable_n, 0);
	hf_arena_done(&m.arena);
}

HF_TEST_MAIN(cmocka_unit_test(commands_in_the_history_end_base_images),
	     cmocka_unit_test(without_a_history_content_tells_the_role),
	     cmocka_unit_test(a_history_longer_than_the_layers_does_no_harm),
	     cmocka_unit_test(executables_without_a_database_are_a_finding),
	     cmocka_unit_test(a_deleted_database_and_a_missing_release_are_findings),
	     cmocka_unit_test(layers_a_month_apart_are_a_finding),
	     cmocka_unit_test(patch_levels_come_from_distribution_packages_of_the_layer))
