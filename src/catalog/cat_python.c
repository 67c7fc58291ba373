/* Installed Python distributions, from the metadata that their installer left beside them.
 *
 * X.dist-info/METADATA      wheels (PEP 376, PEP 427)
 * X.egg-info/PKG-INFO       setuptools, development installs
 * X.egg-info                the same as one file, by distutils
 * EGG-INFO/PKG-INFO         eggs that were unpacked
 * X.egg                     eggs as zip files, with EGG-INFO/PKG-INFO in them
 * Format: Python packaging's "Core metadata specifications" 1.0 to 2.4: the header of an e-mail (RFC 822), then a body. */
#include "base/cursor.h"
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "format/zip.h"

enum { LICENCE_NAME_MAX = 100 }; /* a longer License: is a text, not a name */

struct metadata {
	struct hf_package pkg;
	hf_sv licence, expression;
	HF_VEC(hf_sv) classifiers; /* the last part of each "License :: … :: MIT License" */
	size_t known;              /* fields that only this format has */
	bool licence_folded;
};

static void read_classifier(struct metadata *m, hf_sv value, struct hf_arena *a)
{
	hf_sv left, name;

	if (!hf_sv_starts(value, HF_SV("License ::")) || !hf_sv_cut_last(value, ':', &left, &name))
		return;
	name = hf_sv_trim(name);
	if (!name.len || hf_sv_eq(name, HF_SV("OSI Approved")))
		return;
	hf_sv *slot = hf_vec_push(a, &m->classifiers);
	if (slot)
		*slot = name;
}

/* Of two fields of one name the first counts, as for importlib.metadata. */
static void set_once(hf_sv *to, hf_sv value)
{
	if (!to->ptr)
		*to = value;
}

static void read_header(struct metadata *m, hf_sv key, hf_sv value, uint32_t line, struct hf_arena *a)
{
	if (hf_sv_eq_ascii(key, HF_SV("Metadata-Version"))) {
		m->known++;
	} else if (hf_sv_eq_ascii(key, HF_SV("Name"))) {
		m->known++;
		if (!m->pkg.name.ptr)
			m->pkg.line = line;
		set_once(&m->pkg.name, value);
	} else if (hf_sv_eq_ascii(key, HF_SV("Version"))) {
		m->known++;
		set_once(&m->pkg.version, value);
	} else if (hf_sv_eq_ascii(key, HF_SV("License"))) {
		set_once(&m->licence, value);
	} else if (hf_sv_eq_ascii(key, HF_SV("License-Expression"))) {
		set_once(&m->expression, value);
	} else if (hf_sv_eq_ascii(key, HF_SV("Classifier"))) {
		read_classifier(m, value, a);
	}
}

/* Reads up to the empty line, or to what can be no header: there the e-mail's body begins. */
static void read_headers(struct metadata *m, hf_sv bytes, struct hf_arena *a)
{
	struct hf_cur cur = hf_cur_of(hf_sv_skip(bytes, hf_sv_starts(bytes, HF_SV("\xef\xbb\xbf")) ? 3 : 0));
	hf_sv line, key = { 0 }, value;

	while (hf_cur_line(&cur, &line) && line.len) {
		if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
			if (hf_sv_eq_ascii(key, HF_SV("License")) && hf_sv_trim(line).len)
				m->licence_folded = true;
			continue;
		}
		if (!hf_sv_cut(line, ':', &key, &value) || hf_sv_index(key, ' ') != SIZE_MAX)
			break;
		read_header(m, key, hf_sv_trim(value), cur.line, a);
	}
}

static void choose_licences(struct metadata *m)
{
	struct hf_package *p = &m->pkg;
	bool named = m->licence.len && m->licence.len <= LICENCE_NAME_MAX && !m->licence_folded &&
		     !hf_sv_eq_ascii(m->licence, HF_SV("UNKNOWN"));

	if (m->expression.len || named) {
		p->licences = m->expression.len ? &m->expression : &m->licence;
		p->licences_n = 1;
	} else {
		p->licences = m->classifiers.at;
		p->licences_n = m->classifiers.n;
	}
}

static int read_metadata(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct metadata m = { .pkg = { .type = HF_PKG_PYPI, .path = path } };

	read_headers(&m, bytes, a);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!m.known)
		return hf_fail(err, HF_E_FORMAT, "has no field of a distribution's metadata");
	if (!m.pkg.name.len || !m.pkg.version.len) {
		hf_sv why = m.pkg.name.len ? HF_SV("metadata without a Version") : HF_SV("metadata without a Name");
		int r = out->unparsed(out, path, why, err);
		return r < 0 ? r : HF_PARTIAL;
	}
	choose_licences(&m);
	return out->package(out, &m.pkg, err);
}

static int read_egg(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf scratch = { 0 };
	struct hf_zip_member m;
	struct hf_zip zip;
	hf_sv bytes;
	int r = hf_zip_open(&zip, file->bytes, err);

	if (r < 0)
		return r;
	while (hf_zip_next(&zip, &m)) {
		if (!hf_sv_eq(m.name, HF_SV("EGG-INFO/PKG-INFO")))
			continue;
		r = hf_zip_read(&zip, &m, HF_NESTED_FILE_MAX, &scratch, &bytes, err);
		return r < 0 ? r : read_metadata(file->path, bytes, a, out, err);
	}
	return hf_fail(err, HF_E_FORMAT, "%s", zip.why ? zip.why : "is a zip file without EGG-INFO/PKG-INFO");
}

static int python_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	if (hf_sv_ends(file->path, HF_SV(".egg")))
		return read_egg(file, a, out, err);
	return read_metadata(file->path, file->bytes, a, out, err);
}

const struct hf_cataloger hf_cataloger_python = {
	.name = "python",
	.summary = "Python distributions: *.dist-info/METADATA, *.egg-info, EGG-INFO/PKG-INFO, *.egg",
	.version = 1,
	/* Taken out again: what describes the standard library itself, which pip leaves out too, and CPython's test
	   data. */
	.wants = (const char *const[]){ "**/*.dist-info/METADATA", "**/*.egg-info/PKG-INFO", "**/*.egg-info",
					"**/EGG-INFO/PKG-INFO", "**/*.egg", "!**/python2.7/*.egg-info",
					"!**/lib-dynload/*.egg-info", "!**/test_importlib/data/*.egg",
					"!**/test_importlib/metadata/data/*.egg", NULL },
	.parse = python_parse,
};
