#include "unit.h"

#include "base/limits.h"
#include "model/purl.h"

/* What the specification and the definitions of the types make of each. */
static const struct {
	const char *text, *canonical;
} good[] = {
	{ "pkg:deb/debian/curl@7.50.3-1?distro=jessie&arch=i386",
	  "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie" },
	{ "PKG:DEB/Debian/Curl@1:2", "pkg:deb/debian/curl@1:2" },
	{ "pkg://gem/rails@7.0", "pkg:gem/rails@7.0" },
	{ "pkg:pypi/Foo_Bar.Baz@1.0", "pkg:pypi/foo-bar.baz@1.0" },
	{ "pkg:npm/@angular/core@12.0.0", "pkg:npm/%40angular/core@12.0.0" },
	{ "pkg:npm/%40angular/core", "pkg:npm/%40angular/core" },
	{ "pkg:npm/@angular/core", "pkg:npm/%40angular/core" },
	{ "pkg:golang/GitHub.com/Gorilla/mux@v1.8.0#a//./b/../c/", "pkg:golang/github.com/gorilla/mux@v1.8.0#a/b/c" },
	{ "pkg:maven/org.yaml/snakeyaml@1.33?type=jar&classifier=", "pkg:maven/org.yaml/snakeyaml@1.33?type=jar" },
	{ "pkg:generic/a//b/c@1%2B2 3?X-Key=a%26b", "pkg:generic/a/b/c@1%2B2%203?x-key=a%26b" },
	{ "pkg:rpm/fedora/Foo@1~rc1-1.fc39?epoch=1", "pkg:rpm/fedora/Foo@1~rc1-1.fc39?epoch=1" },
	{ "pkg:nuget/Newtonsoft.Json@13.0.1", "pkg:nuget/Newtonsoft.Json@13.0.1" },
	{ "pkg:composer/Symfony/HTTP-kernel@v6", "pkg:composer/symfony/http-kernel@v6" },
	{ "pkg:github/Package-URL/purl-Spec@244fd47e", "pkg:github/package-url/purl-spec@244fd47e" },
	{ "pkg:huggingface/Microsoft/deberta@ABC", "pkg:huggingface/Microsoft/deberta@abc" },
	{ "pkg:oci/Debian@sha256:24?repository_url=docker.io/library/debian",
	  "pkg:oci/debian@sha256:24?repository_url=docker.io/library/debian" },
	{ "pkg:cargo/serde/", "pkg:cargo/serde" },
};

static const char *const bad[] = {
	"",
	"pkg:",
	"pkg:deb",
	"pkg:deb/",
	"deb/debian/x",
	"http:deb/x",
	"pkg:1deb/x",
	"pkg:d_b/x",
	"pkg:/x",
	"pkg:gem/@1",
	"pkg:maven/artifact",
	"pkg:swift/x@1",
	"pkg:cran/x",
	"pkg:deb/x?a",
	"pkg:deb/x?1a=b",
	"pkg:deb/x?=b",
	"pkg:deb/x?a%20b=c",
	"pkg:deb/x?a=1&A=2",
	"pkg:deb/a%2Fb/c",
	"pkg:cargo/ns/name",
	"pkg:gem/ns/name",
};

static hf_sv canonical(const char *text, struct hf_arena *a)
{
	struct hf_purl p;
	struct hf_err err = { 0 };

	return hf_purl_parse(hf_sv_of(text), a, &p, &err) < 0 ? (hf_sv){ 0 } : hf_purl_format(&p, a);
}

HF_TEST(purls_are_made_canonical)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);

	for (size_t i = 0; i < HF_ARRAY_SIZE(good); i++)
		assert_string_equal(hf_arena_dup(&a, canonical(good[i].text, &a)).ptr, good[i].canonical);
}

HF_TEST(what_is_no_purl_is_refused_with_a_reason)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
		struct hf_err err = { 0 };
		struct hf_purl p;
		if (hf_purl_parse(hf_sv_of(bad[i]), &a, &p, &err) != HF_E_FORMAT)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(err.msg[0]);
	}
}

HF_TEST(parts_are_decoded)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct hf_purl p;

	assert_int_equal(hf_purl_parse(HF_SV("pkg:npm/%40a/b@1%2B2?z=1&k=%20#s%20t"), &a, &p, NULL), HF_OK);
	assert_true(hf_sv_eq(p.namespace, HF_SV("@a")) && hf_sv_eq(p.name, HF_SV("b")) &&
		    hf_sv_eq(p.version, HF_SV("1+2")));
	assert_int_equal(p.qualifiers_n, 2);
	assert_true(hf_sv_eq(p.qualifiers[0].key, HF_SV("k")) && hf_sv_eq(p.qualifiers[0].value, HF_SV(" ")));
	assert_true(hf_sv_eq(p.subpath, HF_SV("s t")));
}

HF_TEST(packages_get_the_purls_that_trivy_and_syft_write)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	const struct hf_os debian = { .id = HF_SV("debian"), .version_id = HF_SV("12") };
	const struct hf_os alma = { .id = HF_SV("almalinux"), .version_id = HF_SV("9.2") };
	const struct {
		struct hf_package p;
		const struct hf_os *os;
		const char *purl;
	} cases[] = {
		{ { HF_PKG_DEB, .name = HF_SV("libssl3"), .version = HF_SV("3.0.9-1"), .arch = HF_SV("amd64"),
		    .source_name = HF_SV("openssl") },
		  &debian,
		  "pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12&upstream=openssl" },
		{ { HF_PKG_DEB, .name = HF_SV("gcc"), .version = HF_SV("4:12.2.0-3"),
		    .source_name = HF_SV("gcc-defaults"), .source_version = HF_SV("1.203") },
		  &debian,
		  "pkg:deb/debian/gcc@4:12.2.0-3?distro=debian-12&upstream=gcc-defaults%401.203" },
		{ { HF_PKG_RPM, .name = HF_SV("openssl"), .version = HF_SV("1:3.0.7-1.el9"), .arch = HF_SV("x86_64") },
		  &alma,
		  "pkg:rpm/almalinux/openssl@3.0.7-1.el9?arch=x86_64&distro=almalinux-9.2&epoch=1" },
		{ { HF_PKG_RPM, .name = HF_SV("zlib"), .version = HF_SV("0:1-1") }, NULL, "pkg:rpm/zlib@1-1" },
		{ { HF_PKG_NPM, .name = HF_SV("@angular/core"), .version = HF_SV("1.0.0") },
		  &debian,
		  "pkg:npm/%40angular/core@1.0.0" },
		{ { HF_PKG_MAVEN, .name = HF_SV("org.yaml:snakeyaml"), .version = HF_SV("1.33") },
		  NULL,
		  "pkg:maven/org.yaml/snakeyaml@1.33" },
		{ { HF_PKG_MAVEN, .name = HF_SV(":x"), .version = HF_SV("1") }, NULL, "pkg:maven/x@1" },
		{ { HF_PKG_GOLANG, .name = HF_SV("github.com/gorilla/mux"), .version = HF_SV("v1.8.0") },
		  NULL,
		  "pkg:golang/github.com/gorilla/mux@v1.8.0" },
		{ { HF_PKG_PYPI, .name = HF_SV("Ruamel_yaml") }, NULL, "pkg:pypi/ruamel-yaml" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		assert_string_equal(hf_arena_dup(&a, hf_purl_of_package(&cases[i].p, cases[i].os, &a)).ptr,
				    cases[i].purl);
}

HF_TEST(a_small_arena_is_a_limit)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16);
	struct hf_purl p;

	assert_int_equal(hf_purl_parse(HF_SV("pkg:deb/debian/curl@1?a=b"), &a, &p, NULL), HF_E_LIMIT);
}

HF_TEST_MAIN(cmocka_unit_test(purls_are_made_canonical), cmocka_unit_test(what_is_no_purl_is_refused_with_a_reason),
	     cmocka_unit_test(parts_are_decoded), cmocka_unit_test(packages_get_the_purls_that_trivy_and_syft_write),
	     cmocka_unit_test(a_small_arena_is_a_limit))
