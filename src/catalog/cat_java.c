/* Java archives and what is nested in them: from their central directories, pom.properties and manifests; classes are
 * never touched.
 *
 * Sources: JAR File Specification (Java SE 17); Maven Archiver ("addMavenDescriptor") for
 * META-INF/maven/GROUP/ARTIFACT/pom.properties; OSGi Core 8 §3.2.1 for Bundle-*; docs/formats/java-archive.md has the
 * rules.
 * - Every pom.properties is a package: an archive's own, and those of what was shaded into it.
 * - Where none of them fits the archive's file name, the archive is a package of its own: by its manifest and file name
 *   where there is no pom.properties, else only where its file name carries a version.
 * - A group is never guessed: without pom.properties the name is ":artifact".
 * - A nested archive that cannot be read is told with its whole path, "app.war!/WEB-INF/lib/x.jar"; the rest goes on.
 */
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/java_name.h"
#include "format/zip.h"
#include "format/zip_sieve.h"

#define POM_SIZE_MAX HF_KIB(64)
#define MAVEN_FOLDER HF_SV("META-INF/maven/")

/* What is left of the limits for the file and all that is nested in it. */
struct walk {
	struct hf_arena *a;
	struct hf_emit *out;
	struct hf_err *err;
	uint64_t members, archives, inflated;
	uint64_t held; /* inflated archives that are open at the same time */
	bool partial, stopped;
};

struct archive {
	hf_sv path;
	struct hf_java_name name;
	struct hf_zip zip;
	struct hf_zip_member manifest;
	struct hf_buf scratch; /* of small members */
	unsigned depth;
	bool has_manifest, has_pom, is_named; /* is_named: a pom.properties fits the file's name */
};

enum kind { KIND_OTHER, KIND_POM, KIND_MANIFEST, KIND_ARCHIVE };

static int scan(struct walk *w, hf_sv path, hf_sv bytes, unsigned depth);

static int tell(struct walk *w, hf_sv path, hf_sv why)
{
	int r = w->out->unparsed(w->out, path, why, w->err);

	w->partial = true;
	return r < 0 ? r : HF_OK;
}

static int stop(struct walk *w, hf_sv path, hf_sv why)
{
	w->stopped = true;
	return tell(w, path, why);
}

/* "app.war!/WEB-INF/lib/x.jar"; empty when the arena is full. */
static hf_sv path_in(struct walk *w, const struct archive *ar, hf_sv name)
{
	return hf_arena_concat(w->a, ar->path, hf_arena_concat(w->a, HF_SV("!/"), name));
}

static int tell_member(struct walk *w, const struct archive *ar, const struct hf_zip_member *m,
		       const struct hf_err *why)
{
	hf_sv path = path_in(w, ar, m->name);

	if (w->a->over)
		return hf_fail(w->err, HF_E_LIMIT, "names of nested archives need too much memory");
	return tell(w, path, hf_sv_of(why->msg));
}

/* The larger of both sizes counts: a stream of empty blocks gives nothing and takes time too. */
static bool charge(struct walk *w, const struct hf_zip_member *m)
{
	uint64_t cost = m->size > m->packed ? m->size : m->packed;

	if (cost > w->inflated)
		return false;
	w->inflated -= cost;
	return true;
}

static bool is_archive_name(hf_sv name)
{
	static const char extensions[][4] = { "jar", "war", "ear", "par", "sar", "nar", "kar", "rar", "hpi", "jpi" };

	if (name.len < 5 || name.ptr[name.len - 4] != '.')
		return false;
	hf_sv extension = hf_sv_skip(name, name.len - 3);
	for (size_t i = 0; i < HF_ARRAY_SIZE(extensions); i++)
		if (hf_sv_eq_ascii(extension, (hf_sv){ extensions[i], 3 }))
			return true;
	return false;
}

static enum kind kind_of(hf_sv name)
{
	if (hf_sv_ends(name, HF_SV("/pom.properties"))) {
		size_t at = hf_sv_find(name, MAVEN_FOLDER);
		return at == 0 || (at != SIZE_MAX && name.ptr[at - 1] == '/') ? KIND_POM : KIND_OTHER;
	}
	if (name.len == HF_SV("META-INF/MANIFEST.MF").len && hf_sv_eq_ascii(name, HF_SV("META-INF/MANIFEST.MF")))
		return KIND_MANIFEST;
	return is_archive_name(name) ? KIND_ARCHIVE : KIND_OTHER;
}

static enum hf_zip_want wants_member(hf_sv name)
{
	switch (kind_of(name)) {
	case KIND_POM:
	case KIND_MANIFEST:
		return HF_ZIP_KEEP;
	case KIND_ARCHIVE:
		return HF_ZIP_KEEP_ARCHIVE;
	case KIND_OTHER:
		break;
	}
	return HF_ZIP_PASS;
}

/* java.util.Properties: a backslash makes the next character plain. Values that a template left open are no values. */
static hf_sv property_value(struct walk *w, hf_sv value)
{
	value = hf_sv_trim(value);
	if (hf_sv_find(value, HF_SV("${")) != SIZE_MAX)
		return (hf_sv){ 0 };
	if (hf_sv_index(value, '\\') == SIZE_MAX)
		return value;
	char *copy = hf_arena_array(w->a, char, value.len);
	size_t n = 0;
	for (size_t i = 0; copy && i < value.len; i++) {
		if (value.ptr[i] == '\\' && i + 1 < value.len)
			i++;
		copy[n++] = value.ptr[i];
	}
	return (hf_sv){ copy, n };
}

static void read_properties(struct walk *w, hf_sv text, hf_sv *group, hf_sv *artifact, hf_sv *version)
{
	struct hf_cur c = hf_cur_of(text);
	hf_sv line;

	while (hf_cur_line(&c, &line)) {
		line = hf_sv_trim(line);
		size_t n = 0;
		if (!line.len || line.ptr[0] == '#' || line.ptr[0] == '!')
			continue;
		while (n < line.len && !strchr("=: \t", line.ptr[n]))
			n++;
		hf_sv key = hf_sv_first(line, n), value = hf_sv_trim(hf_sv_skip(line, n));
		if (value.len && (value.ptr[0] == '=' || value.ptr[0] == ':'))
			value = hf_sv_skip(value, 1);
		if (hf_sv_eq(key, HF_SV("groupId")))
			*group = property_value(w, value);
		else if (hf_sv_eq(key, HF_SV("artifactId")))
			*artifact = property_value(w, value);
		else if (hf_sv_eq(key, HF_SV("version")))
			*version = property_value(w, value);
	}
}

static int emit(struct walk *w, const struct archive *ar, hf_sv group, hf_sv artifact, hf_sv version)
{
	struct hf_package p = { .type = HF_PKG_MAVEN, .version = version, .path = ar->path };

	p.name = hf_arena_concat(w->a, group, hf_arena_concat(w->a, HF_SV(":"), artifact));
	if (w->a->over)
		return hf_fail(w->err, HF_E_LIMIT, "%.*s: too much memory", HF_SV_FMT(ar->path));
	return w->out->package(w->out, &p, w->err);
}

static int read_pom(struct walk *w, struct archive *ar, const struct hf_zip_member *m)
{
	hf_sv text, group = { 0 }, artifact = { 0 }, version = { 0 };
	struct hf_err why = { 0 };

	if (!charge(w, m))
		return stop(w, ar->path, HF_SV("it holds too much: the rest is not read"));
	if (hf_zip_read(&ar->zip, m, POM_SIZE_MAX, &ar->scratch, &text, &why) < 0)
		return tell_member(w, ar, m, &why);
	read_properties(w, text, &group, &artifact, &version);
	if (!group.len || !artifact.len) {
		(void)hf_fail(&why, HF_E_FORMAT, "without a groupId or artifactId");
		return tell_member(w, ar, m, &why);
	}
	bool fits = hf_java_name_fits(&ar->name, artifact, version);
	ar->has_pom = true;
	ar->is_named |= fits;
	return emit(w, ar, group, artifact, !version.len && fits ? ar->name.version : version);
}

static int read_nested(struct walk *w, const struct archive *ar, const struct hf_zip_member *m)
{
	hf_cleanup(hf_buf_done) struct hf_buf plain = { 0 };
	struct hf_err why = { 0 };
	hf_sv bytes;

	if (hf_zip_name_flaw(m->name)) {
		(void)hf_fail(&why, HF_E_FORMAT, "a nested archive has %s", hf_zip_name_flaw(m->name));
		return tell(w, ar->path, hf_sv_of(why.msg));
	}
	bool stored = m->method == 0;
	if (ar->depth >= HF_ARCHIVE_DEPTH_MAX) {
		(void)hf_fail(&why, HF_E_LIMIT, "nested deeper than %d archives", HF_ARCHIVE_DEPTH_MAX);
		return tell_member(w, ar, m, &why);
	}
	if (!w->archives || (!stored && !charge(w, m)))
		return stop(w, ar->path, HF_SV("it holds too much: the rest is not read"));
	w->archives--;
	uint64_t most = stored ? UINT64_MAX : HF_NESTED_FILE_MAX - w->held;
	if (hf_zip_read(&ar->zip, m, most, &plain, &bytes, &why) < 0)
		return tell_member(w, ar, m, &why);
	hf_sv path = path_in(w, ar, m->name);
	if (w->a->over)
		return hf_fail(w->err, HF_E_LIMIT, "names of nested archives need too much memory");
	w->held += plain.len;
	int r = scan(w, path, bytes, ar->depth + 1);
	w->held -= plain.len;
	return r;
}

static int read_member(struct walk *w, struct archive *ar, const struct hf_zip_member *m)
{
	switch (kind_of(m->name)) {
	case KIND_POM:
		return read_pom(w, ar, m);
	case KIND_MANIFEST:
		/* Read in the end, and only where it is needed. Of two the first one counts, as in java.util.jar. */
		if (!ar->has_manifest)
			ar->manifest = *m;
		ar->has_manifest = true;
		return HF_OK;
	case KIND_ARCHIVE:
		return read_nested(w, ar, m);
	case KIND_OTHER:
		break;
	}
	return HF_OK;
}

static int name_archive(struct walk *w, struct archive *ar)
{
	struct hf_java_manifest manifest = { 0 };
	struct hf_err why = { 0 };
	hf_sv text = { 0 };

	if (ar->is_named || (ar->has_pom && !ar->name.version.len))
		return HF_OK;
	if (ar->has_pom)
		return emit(w, ar, HF_SV(""), ar->name.artifact, ar->name.version);
	if (ar->has_manifest) {
		if (!charge(w, &ar->manifest))
			return stop(w, ar->path, HF_SV("it holds too much: the rest is not read"));
		int r = HF_OK;
		if (hf_zip_read(&ar->zip, &ar->manifest, HF_MANIFEST_SIZE_MAX, &ar->scratch, &text, &why) < 0)
			r = tell_member(w, ar, &ar->manifest, &why);
		if (r < 0)
			return r;
		manifest = hf_java_manifest_of(text, w->a);
	}
	struct hf_java_identity id = hf_java_identity_of(&ar->name, &manifest);
	return emit(w, ar, HF_SV(""), id.artifact, id.version);
}

static int scan_members(struct walk *w, struct archive *ar)
{
	struct hf_zip_member m;
	int r = HF_OK;

	while (r == HF_OK && !w->stopped && hf_zip_next(&ar->zip, &m)) {
		if (!w->members)
			return stop(w, ar->path, HF_SV("it has too many members: the rest is not read"));
		w->members--;
		r = read_member(w, ar, &m);
	}
	if (r == HF_OK && ar->zip.why)
		r = tell(w, ar->path, hf_sv_of(ar->zip.why));
	if (r == HF_OK)
		r = name_archive(w, ar);
	return r;
}

static int scan(struct walk *w, hf_sv path, hf_sv bytes, unsigned depth)
{
	struct archive ar = { .path = path, .name = hf_java_name_of(path), .depth = depth };
	struct hf_err why = { 0 };

	if (hf_zip_open(&ar.zip, bytes, &why) < 0)
		return depth ? tell(w, path, hf_sv_of(why.msg)) : hf_fail(w->err, why.code, "%s", why.msg);
	int r = scan_members(w, &ar);
	hf_buf_done(&ar.scratch);
	return r;
}

static int java_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct walk w = {
		.a = a,
		.out = out,
		.err = err,
		.members = HF_ARCHIVE_MEMBERS_MAX,
		.archives = HF_NESTED_ARCHIVES_MAX,
		.inflated = HF_ARCHIVE_INFLATED_MAX,
	};
	int r = scan(&w, file->path, file->bytes, 0);

	return r == HF_OK && w.partial ? HF_PARTIAL : r;
}

const struct hf_cataloger hf_cataloger_java = {
	.name = "java",
	.summary = "Java archives (jar, war, ear, …), nested too: pom.properties, manifest, file name",
	.version = 1,
	.wants = (const char *const[]){ "**/*.jar", "**/*.war", "**/*.ear", "**/*.par", "**/*.sar", "**/*.nar",
					"**/*.kar", "**/*.hpi", "**/*.jpi", NULL },
	.wants_member = wants_member,
	.parse = java_parse,
};
