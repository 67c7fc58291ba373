/* Small advisories are built into a database, packages are matched against it, and what each rule promises is looked
 * at. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "advisory/database_build.h"
#include "lib/files.h"
#include "match/match.h"

static const char *const records[][2] = {
	{ "osv/PyPI/all.zip!/a.json",
	  "{\"id\":\"PYSEC-1\",\"modified\":\"2024-02-01T00:00:00Z\",\"published\":\"2024-01-31T00:00:00Z\","
	  "\"aliases\":[\"CVE-2024-0001\"],\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"Foo.Bar\"},"
	  "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"1.0\"},{\"fixed\":\"1.5\"},"
	  "{\"introduced\":\"2.0\"},{\"fixed\":\"2.3\"}]}],\"versions\":[\"1.2\",\"0.9.special\"]}]}" },
	{ "osv/PyPI/all.zip!/b.json",
	  "{\"id\":\"GHSA-aaaa-bbbb-cccc\",\"modified\":\"2024-02-01T00:00:00Z\",\"aliases\":[\"CVE-2024-0001\"],"
	  "\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}],"
	  "\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"foo-bar\"},"
	  "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"2.3\"}]}]}]}" },
	{ "osv/PyPI/all.zip!/c.json",
	  "{\"id\":\"PYSEC-9\",\"modified\":\"2024-02-01T00:00:00Z\",\"withdrawn\":\"2024-03-01T00:00:00Z\","
	  "\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"foo-bar\"},"
	  "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}]}]}" },
	{ "osv/PyPI/all.zip!/f.json",
	  "{\"id\":\"PYSEC-10\",\"modified\":\"2024-02-01T00:00:00Z\",\"affected\":["
	  "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"built\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":["
	  "{\"introduced\":\"1.0\"},{\"last_affected\":\"2.6.0\"},{\"introduced\":\"3.0\"},{\"fixed\":\"3.1\"}]}],"
	  "\"versions\":[\"0.5\",\"0.6+first\"]}]}" },
	{ "osv/npm/all.zip!/g.json",
	  "{\"id\":\"GHSA-1\",\"modified\":\"2024-02-01T00:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\","
	  "\"name\":\"JSONStream\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1."
	  "2\"}]}]}]}" },
	{ "osv/Go/all.zip!/d.json",
	  "{\"id\":\"GO-1\",\"modified\":\"2024-02-01T00:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":\"Go\","
	  "\"name\":\"example.com/"
	  "m\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.2.3\"}]}]}]}" },
	{ "osv/AlmaLinux/all.zip!/e.json",
	  "{\"id\":\"ALSA-2024:1\",\"summary\":\"Important: foo security "
	  "update\",\"modified\":\"2024-02-01T00:00:00Z\","
	  "\"related\":[\"CVE-2024-0002\",\"CVE-2024-0003\"],\"affected\":["
	  "{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"foo-libs\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
	  "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1:2.0-3.el9\"}]}]},"
	  "{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"mod\"},\"ranges\":[{\"type\":\"ECOSYSTEM\","
	  "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"5.0-1.module_el9.1.0+1+aa\"}]}]}]}" },
	{ "debian/tracker.json",
	  "{\"openssl\":{\"CVE-2024-0004\":{\"scope\":\"remote\",\"releases\":{\"bookworm\":{"
	  "\"status\":\"resolved\",\"repositories\":{},"
	  "\"urgency\":\"high\",\"fixed_version\":\"3.0.1-2\"},\"forky\":{"
	  "\"status\":\"open\",\"repositories\":{},\"urgency\":\"high\"},\"sid\":{\"status\":\"resolved\","
	  "\"repositories\":{},\"urgency\":\"high\",\"fixed_version\":\"3.2.1-1\"}}},\"CVE-2024-0005\":{"
	  "\"releases\":{\"bookworm\":{\"status\":\"open\","
	  "\"repositories\":{},\"urgency\":\"unimportant\"}}},\"CVE-2024-0006\":{\"releases\":{"
	  "\"bookworm\":{\"status\":\"resolved\","
	  "\"repositories\":{},\"urgency\":\"low\",\"fixed_version\":\"0\"}}}}}" },
	{ "endoflife/debian.json", "[{\"cycle\":\"12\",\"codename\":\"Bookworm\",\"releaseDate\":\"2023-06-10\","
				   "\"eol\":\"2026-07-11\",\"eoes\":\"2028-06-30\"}]" },
	{ "cisa/known_exploited_vulnerabilities.json",
	  "{\"catalogVersion\":\"1\",\"dateReleased\":\"2024-01-01T00:00:00Z\",\"count\":1,\"vulnerabilities\":[{"
	  "\"cveID\":\"CVE-2024-0001\","
	  "\"dateAdded\":\"2024-02-02\",\"dueDate\":\"2024-02-22\",\"knownRansomwareCampaignUse\":\"Known\"}]}" },
};

static char place[] = "/tmp/holdfast-match-XXXXXX";
static struct hf_database *db;
static struct hf_arena arena;

static int set_up(void **state)
{
	struct hf_database_builder *b = hf_database_builder_new(NULL, NULL);
	struct hf_err err = { 0 };
	char file[64];

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(records); i++)
		if (hf_database_builder_file(b, hf_sv_of(records[i][0]), hf_sv_of(records[i][1]), &err))
			return -1;
	if (!mkdtemp(place))
		return -1;
	snprintf(file, sizeof file, "%s/a.mdb", place);
	if (hf_database_builder_write(b, file, HF_SV("2024-03-01T00:00:00Z"), false, &err))
		return -1;
	hf_database_builder_free(b);
	arena = HF_ARENA(16 << 20);
	return hf_database_open(file, &db, &err);
}

static int tear_down(void **state)
{
	char file[64];

	(void)state;
	hf_database_close(db);
	hf_arena_done(&arena);
	snprintf(file, sizeof file, "%s/a.mdb", place);
	unlink(file);
	return rmdir(place);
}

static struct hf_match_result match(const char *id, const char *version_id, struct hf_package p)
{
	struct hf_os os = { .id = hf_sv_of(id), .version_id = hf_sv_of(version_id) };
	struct hf_package *kept = hf_arena_new(&arena, struct hf_package);
	struct hf_match_result r;
	struct hf_err err = { 0 };

	*kept = p;
	struct hf_match_input in = { &os, kept, 1, db, HF_SV("2026-11-22"), true };
	assert_int_equal(hf_match(&in, &arena, &r, &err), HF_OK);
	return r;
}

static struct hf_match_result pypi(const char *version)
{
	return match(
		"", "",
		(struct hf_package){ .type = HF_PKG_PYPI, .name = HF_SV("foo_bar"), .version = hf_sv_of(version) });
}

static struct hf_match_result deb(const char *os, const char *release, const char *version, const char *origin)
{
	return match(os, release,
		     (struct hf_package){ .type = HF_PKG_DEB,
					  .name = HF_SV("libssl3"),
					  .version = hf_sv_of(version),
					  .source_name = HF_SV("openssl"),
					  .origin = hf_sv_of(origin) });
}

#define EQUAL(view, text) assert_true(hf_sv_eq((view), HF_SV(text)))

HF_TEST(two_records_of_one_flaw_count_once_under_its_cve)
{
	struct hf_match_result r = pypi("2.1");

	assert_int_equal(r.vulnerabilities_n, 1);
	const struct hf_vulnerability *v = &r.vulnerabilities[0];
	EQUAL(v->id, "CVE-2024-0001");
	assert_int_equal(v->aliases_n, 2);
	EQUAL(v->aliases[0], "GHSA-aaaa-bbbb-cccc");
	EQUAL(v->aliases[1], "PYSEC-1");
	EQUAL(v->fixed, "2.3");
	assert_int_equal(v->severity, HF_SEV_CRITICAL);
	EQUAL(v->severity_source, "github");
	assert_true(v->kev && v->kev_ransomware);
	assert_int_equal(v->status, HF_STATUS_FIXED_AVAILABLE);
}

HF_TEST(between_two_stretches_only_the_other_record_holds)
{
	struct hf_match_result r = pypi("1.7");

	assert_int_equal(r.vulnerabilities_n, 1);
	EQUAL(r.vulnerabilities[0].advisory_id, "GHSA-aaaa-bbbb-cccc");
	assert_int_equal(r.vulnerabilities[0].aliases_n, 1);
}

HF_TEST(a_fixed_version_is_clean_and_says_which_fix_it_holds)
{
	struct hf_match_result r = pypi("2.3");

	assert_int_equal(r.vulnerabilities_n, 0);
	assert_int_equal(r.undecided_n, 0);
	assert_int_equal(r.cleared_n, 3);
	EQUAL(r.patch_dates[0], "2024-01-31");
}

HF_TEST(a_version_that_is_none_cannot_be_told_unless_it_is_listed)
{
	struct hf_match_result r = pypi("not a version");

	assert_int_equal(r.vulnerabilities_n, 0);
	assert_int_equal(r.undecided_n, 2);
	EQUAL(r.undecided[0].code, "version-not-comparable");
	r = pypi("0.9.special");
	assert_int_equal(r.vulnerabilities_n, 1);
	EQUAL(r.vulnerabilities[0].advisory_id, "PYSEC-1");
	assert_int_equal(r.undecided_n, 1);
}

static size_t built(const char *version)
{
	struct hf_package p = { .type = HF_PKG_PYPI, .name = HF_SV("built"), .version = hf_sv_of(version) };

	return match("", "", p).vulnerabilities_n;
}

HF_TEST(a_local_build_of_a_python_version_is_affected_as_that_version_is)
{
	assert_int_equal(built("2.6.0+cu124"), 1); /* last affected 2.6.0 */
	assert_int_equal(built("2.6.1+cu124"), 0);
	assert_int_equal(built("0.5+cpu"), 1); /* listed */
	assert_int_equal(built("0.6+first"), 1);
	assert_int_equal(built("0.6+second"), 0);
	assert_int_equal(built("3.0+cpu"), 1);
	assert_int_equal(built("3.1+cpu"), 0); /* of the fixed version */
}

/* Names of old packages have capitals, which purls do not keep. */
HF_TEST(names_of_npm_in_any_case)
{
	struct hf_package p = { .type = HF_PKG_NPM, .name = HF_SV("jsonstream"), .version = HF_SV("1.0.0") };

	assert_int_equal(match("", "", p).vulnerabilities_n, 1);
	p.name = HF_SV("JSONStream");
	assert_int_equal(match("", "", p).vulnerabilities_n, 1);
}

HF_TEST(what_a_distribution_owns_is_not_matched)
{
	struct hf_match_result r = match("", "",
					 (struct hf_package){ .type = HF_PKG_PYPI,
							      .name = HF_SV("foo-bar"),
							      .version = HF_SV("2.1"),
							      .owned_by = HF_SV("pkg:deb/debian/python3-foo@1") });

	assert_int_equal(r.vulnerabilities_n + r.undecided_n, 0);
}

HF_TEST(what_somebody_elses_package_brings_along_is_matched)
{
	struct hf_package packages[] = {
		{ .type = HF_PKG_DEB,
		  .name = HF_SV("agent"),
		  .version = HF_SV("1"),
		  .purl = HF_SV("pkg:deb/debian/agent@1"),
		  .origin = HF_SV("Datadog Packages <package@datadoghq.com>") },
		{ .type = HF_PKG_DEB,
		  .name = HF_SV("python3-foo"),
		  .version = HF_SV("1"),
		  .purl = HF_SV("pkg:deb/debian/python3-foo@1"),
		  .origin = HF_SV("Debian Python Team <team+python@tracker.debian.org>") },
		{ .type = HF_PKG_PYPI,
		  .name = HF_SV("foo-bar"),
		  .version = HF_SV("2.1"),
		  .purl = HF_SV("pkg:pypi/foo-bar@2.1"),
		  .owned_by = HF_SV("pkg:deb/debian/agent@1") },
		{ .type = HF_PKG_PYPI,
		  .name = HF_SV("foo-bar"),
		  .version = HF_SV("2.1"),
		  .purl = HF_SV("pkg:pypi/foo-bar@2.1"),
		  .owned_by = HF_SV("pkg:deb/debian/python3-foo@1") },
	};
	struct hf_os os = { .id = HF_SV("debian"), .version_id = HF_SV("12") };
	struct hf_match_input in = {
		.os = &os, .packages = packages, .packages_n = HF_ARRAY_SIZE(packages), .database = db
	};
	struct hf_match_result r;

	assert_int_equal(hf_match(&in, &arena, &r, NULL), HF_OK);
	assert_int_equal(r.vulnerabilities_n, 1);
	assert_int_equal(r.vulnerabilities[0].package, 2);
	assert_int_equal(r.undecided_n, 1);
	EQUAL(r.undecided[0].code, "third-party-origin");
	bool said = false;
	for (size_t i = 0; i < r.notes_n; i++)
		said |= hf_sv_starts(r.notes[i], HF_SV("1 language package of the distribution"));
	assert_true(said);
}

HF_TEST(ecosystems_without_data_are_said)
{
	struct hf_match_result r = match(
		"", "", (struct hf_package){ .type = HF_PKG_NUGET, .name = HF_SV("X"), .version = HF_SV("1.0.0") });

	assert_int_equal(r.undecided_n, 1);
	EQUAL(r.undecided[0].code, "no-data-for-ecosystem");
}

HF_TEST(go_main_modules_have_no_version)
{
	struct hf_package p = {
		.type = HF_PKG_GOLANG, .name = HF_SV("example.com/m"), .version = HF_SV("(devel)"), .is_main = true
	};
	struct hf_match_result r = match("", "", p);

	assert_int_equal(r.undecided_n, 1);
	EQUAL(r.undecided[0].code, "version-unknown");
	p.version = HF_SV("v1.2.2");
	r = match("", "", p);
	assert_int_equal(r.vulnerabilities_n, 1);
	p.version = HF_SV("v1.2.3");
	r = match("", "", p);
	assert_int_equal(r.vulnerabilities_n + r.undecided_n, 0);
}

HF_TEST(experiments_of_the_go_toolchain_are_no_prerelease)
{
	struct hf_package p = { .type = HF_PKG_GOLANG,
				.name = HF_SV("example.com/m"),
				.version = HF_SV("go1.2.3-X:boringcrypto") };
	struct hf_match_result r = match("", "", p);

	assert_int_equal(r.vulnerabilities_n + r.undecided_n, 0);
	p.version = HF_SV("go1.2.2 X:nocoverageredesign");
	assert_int_equal(match("", "", p).vulnerabilities_n, 1);
}

HF_TEST(debian_by_source_package_with_its_own_severity)
{
	struct hf_match_result r = deb("debian", "12", "3.0.1-1", "Debian OpenSSL Team <x@lists.alioth.debian.org>");

	assert_int_equal(r.vulnerabilities_n, 2);
	EQUAL(r.vulnerabilities[0].id, "CVE-2024-0004");
	EQUAL(r.vulnerabilities[0].severity_source, "debian");
	assert_int_equal(r.vulnerabilities[0].severity, HF_SEV_HIGH);
	EQUAL(r.vulnerabilities[0].fixed, "3.0.1-2");
	EQUAL(r.vulnerabilities[1].id, "CVE-2024-0005");
	assert_true(r.vulnerabilities[1].unimportant);
	assert_int_equal(r.vulnerabilities[1].status, HF_STATUS_AFFECTED);
	assert_int_equal(r.cleared_n, 1);
	assert_int_equal(r.supported, 1);
	EQUAL(r.end_of_life, "2028-06-30");
}

HF_TEST(a_release_without_data_and_a_derivative_are_no_silent_zero)
{
	struct hf_match_result r = deb("debian", "11", "3.0.1-1", "");

	assert_int_equal(r.undecided_n, 1);
	assert_int_equal(r.undecided[0].package, -1);
	EQUAL(r.undecided[0].code, "no-data-for-release");
	r = deb("someos", "12", "3.0.1-1", "");
	EQUAL(r.undecided[0].code, "no-data-for-release");
	r = deb("", "", "3.0.1-1", "");
	EQUAL(r.undecided[0].code, "no-data-for-release");
}

static struct hf_match_result debian_named(const char *codename, const char *name, const char *version)
{
	struct hf_os os = { .id = HF_SV("debian"), .codename = hf_sv_of(codename), .name = hf_sv_of(name) };
	struct hf_package *p = hf_arena_new(&arena, struct hf_package);
	struct hf_match_result r;
	struct hf_err err = { 0 };

	*p = (struct hf_package){ .type = HF_PKG_DEB, .name = HF_SV("openssl"), .version = hf_sv_of(version) };
	struct hf_match_input in = { &os, p, 1, db, HF_SV("2026-11-22"), true };
	assert_int_equal(hf_match(&in, &arena, &r, &err), HF_OK);
	return r;
}

HF_TEST(debian_releases_without_a_number)
{
	struct hf_match_result r = debian_named("forky", "Debian GNU/Linux forky/sid", "3.2.0-1");

	assert_int_equal(r.vulnerabilities_n, 1);
	EQUAL(r.vulnerabilities[0].fixed, "3.2.1-1");
	assert_int_equal(debian_named("forky", "Debian GNU/Linux forky/sid", "3.2.1-1").vulnerabilities_n, 0);
	assert_int_equal(debian_named("forky", "Debian GNU/Linux forky", "3.2.1-1").vulnerabilities_n, 1); /* open */
	r = debian_named("trixie", "", "3.2.0-1");
	assert_int_equal(r.undecided_n, 1);
	EQUAL(r.undecided[0].code, "no-data-for-release");
}

HF_TEST(other_peoples_builds_cannot_be_told)
{
	struct hf_match_result r = deb("debian", "12", "3.0.1-1nodesource1", "");

	assert_int_equal(r.vulnerabilities_n, 0);
	EQUAL(r.undecided[0].code, "third-party-origin");
	r = deb("debian", "12", "3.0.1-1", "Docker <support@docker.com>");
	EQUAL(r.undecided[0].code, "third-party-origin");
	r = deb("debian", "12", "3.0.1-1ubuntu2.16", "");
	EQUAL(r.undecided[0].code, "third-party-origin");
	r = match("almalinux", "9.2",
		  (struct hf_package){ .type = HF_PKG_RPM,
				       .name = HF_SV("foo-libs"),
				       .version = HF_SV("1:2.0-2.el9"),
				       .origin = HF_SV("Fedora Project") });
	EQUAL(r.undecided[0].code, "third-party-origin");
}

HF_TEST(an_erratum_gives_a_finding_for_each_flaw_it_fixes)
{
	struct hf_match_result r = match("almalinux", "9.2",
					 (struct hf_package){ .type = HF_PKG_RPM,
							      .name = HF_SV("foo-libs"),
							      .version = HF_SV("1:2.0-2.el9"),
							      .origin = HF_SV("AlmaLinux") });

	assert_int_equal(r.vulnerabilities_n, 2);
	EQUAL(r.vulnerabilities[0].id, "CVE-2024-0002");
	EQUAL(r.vulnerabilities[1].id, "CVE-2024-0003");
	assert_int_equal(r.vulnerabilities[0].aliases_n, 1);
	EQUAL(r.vulnerabilities[0].aliases[0], "ALSA-2024:1");
	assert_int_equal(r.vulnerabilities[0].severity, HF_SEV_HIGH);
}

HF_TEST(modules_are_compared_with_modules_alone)
{
	struct hf_package p = {
		.type = HF_PKG_RPM, .name = HF_SV("mod"), .version = HF_SV("4.0-1.el9"), .origin = HF_SV("AlmaLinux")
	};
	struct hf_match_result r = match("almalinux", "9", p);

	assert_int_equal(r.vulnerabilities_n + r.undecided_n, 0);
	p.version = HF_SV("4.0-1.module_el9.0.0+1+aa");
	p.module = HF_SV("mod:4:9000020240101:abc");
	r = match("almalinux", "9", p);
	assert_int_equal(r.vulnerabilities_n, 0);
	assert_int_equal(r.undecided_n, 1);
	EQUAL(r.undecided[0].code, "version-not-comparable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_records_of_one_flaw_count_once_under_its_cve),
		cmocka_unit_test(between_two_stretches_only_the_other_record_holds),
		cmocka_unit_test(a_fixed_version_is_clean_and_says_which_fix_it_holds),
		cmocka_unit_test(a_version_that_is_none_cannot_be_told_unless_it_is_listed),
		cmocka_unit_test(a_local_build_of_a_python_version_is_affected_as_that_version_is),
		cmocka_unit_test(names_of_npm_in_any_case),
		cmocka_unit_test(what_a_distribution_owns_is_not_matched),
		cmocka_unit_test(what_somebody_elses_package_brings_along_is_matched),
		cmocka_unit_test(ecosystems_without_data_are_said),
		cmocka_unit_test(go_main_modules_have_no_version),
		cmocka_unit_test(experiments_of_the_go_toolchain_are_no_prerelease),
		cmocka_unit_test(debian_by_source_package_with_its_own_severity),
		cmocka_unit_test(a_release_without_data_and_a_derivative_are_no_silent_zero),
		cmocka_unit_test(debian_releases_without_a_number),
		cmocka_unit_test(other_peoples_builds_cannot_be_told),
		cmocka_unit_test(an_erratum_gives_a_finding_for_each_flaw_it_fixes),
		cmocka_unit_test(modules_are_compared_with_modules_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
