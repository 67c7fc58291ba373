#include "unit.h"

#include <stdio.h>

#include "base/glob.h"
#include "catalog/wants.h"

HF_TEST(globs_match_whole_paths_by_components)
{
	static const struct {
		const char *glob, *path;
		bool matches;
	} cases[] = {
		{ "etc/os-release", "etc/os-release", true },
		{ "etc/os-release", "usr/etc/os-release", false },
		{ "var/lib/dpkg/info/*.list", "var/lib/dpkg/info/a.list", true },
		{ "var/lib/dpkg/info/*.list", "var/lib/dpkg/info/a/b.list", false },
		{ "**/*.gemspec", "a.gemspec", true },
		{ "**/*.gemspec", "a/b/c.gemspec", true },
		{ "**/x/*/y", "x/1/y", true },
		{ "**/x/*/y", "x/x/1/y", true },
		{ "**/x/*/y", "x/1/2/y", false },
		{ "**/x/*/y", "ax/1/y", false },
		{ "a/**/b", "a/b", true },
		{ "a/**/b", "a/1/2/b", true },
		{ "a/**/b", "a/1/2/b/c", false },
		{ "**/@*/*/c", "@a/b/c", true },
		{ "**/@*/*/c", "a/b/c", false },
		{ "opt/yarn-v*/c", "opt/yarn-v1.22/c", true },
		{ "opt/yarn-v*/c", "opt/yarn/c", false },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		if (hf_glob_match(hf_sv_of(cases[i].glob), hf_sv_of(cases[i].path)) != cases[i].matches)
			fail_msg("%s against %s", cases[i].glob, cases[i].path);
}

/* Which rows want a path, as names with blanks between. */
static const char *wanting(const struct hf_wants *w, const char *path)
{
	static char names[256];
	hf_wants_set set = hf_wants_path(w, hf_sv_of(path));

	names[0] = 0;
	for (unsigned i = 0; hf_catalogers[i]; i++) {
		if (!(set >> i & 1))
			continue;
		size_t n = strlen(names);
		snprintf(names + n, sizeof names - n, "%s%s", n ? " " : "", hf_catalogers[i]->name);
	}
	return names;
}

HF_TEST(the_table_finds_the_rows_of_a_path)
{
	static const char *const cases[][2] = {
		{ "etc/debian_version", "os_release" },
		{ "usr/lib/apk/db/installed", "apk" },
		{ "usr/lib/python3/dist-packages/x-1.egg-info", "python" },
		{ "x-1.dist-info/METADATA", "python" },
		{ "usr/x-1.dist-info/RECORD", "" },
		{ "srv/x.egg", "python" },
		{ "usr/lib/python2.7/site-packages/x.egg-info", "python" },
		{ "usr/lib/python2.7/wsgiref.egg-info", "" },
		{ "usr/lib/python2.7/lib-dynload/Python-2.7.18.egg-info", "" },
		{ "usr/lib/python3.13/test/test_importlib/metadata/data/example-21.12-py3.6.egg", "" },
		{ "app/node_modules/x/package.json", "npm" },
		{ "app/node_modules/@s/x/package.json", "npm" },
		{ "node_modules/.pnpm/x@1/node_modules/x/package.json", "npm" },
		{ "app/node_modules/x/test/package.json", "" },
		{ "app/node_modules/@s/package.json", "" },
		{ "app/node_modules/.cache/package.json", "" },
		{ "app/package.json", "" },
		{ "usr/share/rubygems-integration/all/specifications/rake-13.0.6.gemspec", "gem" },
		{ "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec", "gem" },
		{ "usr/lib/ruby/gems/3.1.0/gems/rake-13.0.6/rake.gemspec", "" },
		{ "var/www/vendor/composer/installed.json", "composer" },
		{ "app/app.deps.json", "nuget" },
		{ "app/deps.json", "" },
		{ "", "" },
	};
	struct hf_wants *w = hf_wants_new();

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		if (strcmp(wanting(w, cases[i][0]), cases[i][1]))
			fail_msg("%s: \"%s\" instead of \"%s\"", cases[i][0], wanting(w, cases[i][0]), cases[i][1]);
	hf_wants_free(w);
}

HF_TEST_MAIN(cmocka_unit_test(globs_match_whole_paths_by_components),
	     cmocka_unit_test(the_table_finds_the_rows_of_a_path))
