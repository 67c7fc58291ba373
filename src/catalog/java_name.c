#include "catalog/java_name.h"

#include "base/cursor.h"

enum { VALUE_MAX = 1024 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_any_of(hf_sv s, const hf_sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq_ascii(s, list[i]))
			return true;
	return false;
}

/* Words that stand inside of a version: "1.0-beta-2". */
static bool is_qualifier(hf_sv word)
{
	static const hf_sv words[] = { HF_SV_INIT("alpha"),    HF_SV_INIT("beta"), HF_SV_INIT("milestone"),
				       HF_SV_INIT("m"),        HF_SV_INIT("rc"),   HF_SV_INIT("cr"),
				       HF_SV_INIT("snapshot"), HF_SV_INIT("b"),    HF_SV_INIT("build"),
				       HF_SV_INIT("sp"),       HF_SV_INIT("v"),    HF_SV_INIT("jre"),
				       HF_SV_INIT("jdk"),      HF_SV_INIT("ga"),   HF_SV_INIT("final"),
				       HF_SV_INIT("release") };

	return is_any_of(word, words, HF_ARRAY_SIZE(words));
}

/* What builds hang behind a version that is no part of it. */
static hf_sv without_classifier(hf_sv version)
{
	static const hf_sv words[] = { HF_SV_INIT("all"),   HF_SV_INIT("sources"), HF_SV_INIT("javadoc"),
				       HF_SV_INIT("tests"), HF_SV_INIT("shaded"),  HF_SV_INIT("exec"),
				       HF_SV_INIT("plain"), HF_SV_INIT("boot"),    HF_SV_INIT("fat"),
				       HF_SV_INIT("uber"),  HF_SV_INIT("runner") };
	hf_sv left, right;

	if (hf_sv_ends(version, HF_SV("-jar-with-dependencies")))
		return hf_sv_first(version, version.len - HF_SV("-jar-with-dependencies").len);
	if (hf_sv_cut_last(version, '-', &left, &right) && is_any_of(right, words, HF_ARRAY_SIZE(words)))
		return left;
	return version;
}

/* Whether "-word-1" stands in @version with a word that is no qualifier: then the name went on ("log4j-1.2-api-2.17").
 */
static bool has_name_inside(hf_sv version, size_t *ret_at)
{
	for (size_t i = 0; i < version.len; i++) {
		size_t n = i + 1;
		if (version.ptr[i] != '-')
			continue;
		while (n < version.len && is_letter(version.ptr[n]))
			n++;
		if (n > i + 1 && n + 1 < version.len && version.ptr[n] == '-' && is_digit(version.ptr[n + 1]) &&
		    !is_qualifier(hf_sv_slice(version, i + 1, n - i - 1))) {
			*ret_at = n;
			return true;
		}
	}
	return false;
}

struct hf_java_name hf_java_name_of(hf_sv path)
{
	struct hf_java_name n = { .stem = hf_sv_basename(path) };
	size_t at = 1, inside;

	n.stem = hf_sv_first(n.stem, hf_sv_last_index(n.stem, '.'));
	n.artifact = n.stem;
	/* "guava-31.1-jre", and OSGi's "com.google.guava_31.1.0". */
	while (at + 1 < n.stem.len &&
	       !((n.stem.ptr[at] == '-' || n.stem.ptr[at] == '_') && is_digit(n.stem.ptr[at + 1])))
		at++;
	if (at + 1 >= n.stem.len)
		return n;
	while (has_name_inside(hf_sv_skip(n.stem, at + 1), &inside))
		at += 1 + inside;
	n.artifact = hf_sv_first(n.stem, at);
	n.version = without_classifier(hf_sv_skip(n.stem, at + 1));
	return n;
}

/* @prefix, and then the end or a separator. */
static bool begins_with_word(hf_sv s, hf_sv prefix)
{
	return prefix.len && hf_sv_starts(s, prefix) && (s.len == prefix.len || strchr("-_.", s.ptr[prefix.len]));
}

bool hf_java_name_fits(const struct hf_java_name *file, hf_sv artifact, hf_sv version)
{
	if (begins_with_word(file->stem, artifact) || begins_with_word(file->version, version))
		return true;
	return artifact.len && file->artifact.len > artifact.len && hf_sv_ends(file->artifact, artifact) &&
	       file->artifact.ptr[file->artifact.len - artifact.len - 1] == '.';
}

static hf_sv *attribute(struct hf_java_manifest *m, hf_sv key)
{
	struct {
		hf_sv key, *value;
	} known[] = {
		{ HF_SV("Implementation-Title"), &m->implementation_title },
		{ HF_SV("Implementation-Version"), &m->implementation_version },
		{ HF_SV("Bundle-SymbolicName"), &m->bundle_name },
		{ HF_SV("Bundle-Version"), &m->bundle_version },
		{ HF_SV("Short-Name"), &m->extension_name },
		{ HF_SV("Extension-Name"), &m->extension_name },
		{ HF_SV("Plugin-Version"), &m->plugin_version },
		{ HF_SV("Automatic-Module-Name"), &m->module_name },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (hf_sv_eq_ascii(key, known[i].key))
			return known[i].value;
	return NULL;
}

struct hf_java_manifest hf_java_manifest_of(hf_sv text, struct hf_arena *a)
{
	struct hf_java_manifest m = { 0 };
	struct hf_cur c = hf_cur_of(text);
	hf_sv line, key, value, *now = NULL;

	while (hf_cur_line(&c, &line) && line.len) {
		if (line.ptr[0] == ' ') {
			if (now && now->len < VALUE_MAX)
				*now = hf_arena_concat(a, *now, hf_sv_skip(line, 1));
			continue;
		}
		if (!hf_sv_cut(line, ':', &key, &value))
			continue;
		now = attribute(&m, hf_sv_trim(key));
		if (now)
			*now = hf_sv_skip(value, hf_sv_starts(value, HF_SV(" ")));
	}
	hf_sv *all[] = { &m.implementation_title, &m.implementation_version, &m.bundle_name, &m.bundle_version,
			 &m.extension_name,       &m.plugin_version,         &m.module_name };
	m.bundle_name = hf_sv_first(m.bundle_name, hf_sv_index(m.bundle_name, ';'));
	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++)
		*all[i] = hf_sv_trim(hf_sv_first(*all[i], VALUE_MAX));
	return m;
}

/* Fit for a coordinate: no blanks, brackets, "${…}", as titles for people and unfinished templates have them. */
static bool is_coordinate(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter(s.ptr[i]) && !is_digit(s.ptr[i]) && !strchr("._-+", s.ptr[i]))
			return false;
	return s.len;
}

static hf_sv version_or_nothing(hf_sv s)
{
	return is_coordinate(s) && is_digit(s.ptr[0]) ? s : (hf_sv){ 0 };
}

static hf_sv first_of(hf_sv a, hf_sv b)
{
	return a.len ? a : b;
}

static hf_sv name_or_nothing(hf_sv s)
{
	return is_coordinate(s) ? s : (hf_sv){ 0 };
}

struct hf_java_identity hf_java_identity_of(const struct hf_java_name *file, const struct hf_java_manifest *m)
{
	hf_sv title = name_or_nothing(first_of(m->implementation_title, m->extension_name));
	hf_sv version = version_or_nothing(first_of(m->implementation_version, m->plugin_version));
	hf_sv bundle_version = version_or_nothing(m->bundle_version);

	if (file->version.len) {
		/* "4.1.50.Final-linux-x86_64" in the file's name, "4.1.50.Final" in the manifest: a classifier. */
		if (begins_with_word(file->version, version))
			return (struct hf_java_identity){ file->artifact, version };
		if (title.len && version.len && !begins_with_word(version, file->version))
			return (struct hf_java_identity){ title, version };
		return (struct hf_java_identity){ file->artifact, file->version };
	}
	if (title.len && version.len)
		return (struct hf_java_identity){ title, version };
	hf_sv bundle = name_or_nothing(m->bundle_name);
	if (bundle.len && bundle_version.len)
		return (struct hf_java_identity){ bundle, bundle_version };
	return (struct hf_java_identity){ first_of(title, first_of(bundle, file->stem)),
					  first_of(version, bundle_version) };
}
