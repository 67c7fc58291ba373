/* Installed PHP packages, from Composer's list of what it put into the vendor folder.
 *
 * …/composer/installed.json: Composer 1 writes a list of packages, Composer 2 { "packages": [ … ] }. Packages for development are installed
 * too, so they count. Source: getcomposer.org's schema of composer.json and Composer 1.10 and 2.5; docs/formats/composer.md */
#include "catalog/cataloger.h"
#include "format/json.h"

enum { LICENCES_MAX = 32 };

struct reader {
	struct hf_json json;
	struct hf_emit *out;
	struct hf_err *err;
	hf_sv path;
	bool partial, seen_list;
};

static int report(struct reader *rd, hf_sv why)
{
	int r = rd->out->unparsed(rd->out, rd->path, why, rd->err);

	rd->partial = true;
	return r < 0 ? r : HF_OK;
}

/* A list of licences of which any may be chosen, or one string in what old packages declared. */
static size_t read_licences(struct hf_json *j, hf_sv *licences, bool *too_many)
{
	size_t n = 0;

	if (hf_json_peek(j) != HF_JSON_ARRAY) {
		licences[0] = hf_json_string(j);
		return licences[0].len > 0;
	}
	hf_json_elements(j) {
		hf_sv name = hf_json_string(j);
		*too_many |= n == LICENCES_MAX && name.len;
		if (n < LICENCES_MAX && name.len)
			licences[n++] = name;
	}
	return n;
}

static int read_package(struct reader *rd)
{
	struct hf_json *j = &rd->json;
	struct hf_package p = { .type = HF_PKG_COMPOSER, .path = rd->path };
	hf_sv key, licences[LICENCES_MAX];
	bool too_many = false;

	if (hf_json_peek(j) != HF_JSON_OBJECT) {
		hf_json_skip(j);
		return j->why ? HF_OK : report(rd, HF_SV("an element that is no package"));
	}
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("name")))
			p.name = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("version")))
			p.version = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("license")))
			p.licences_n = read_licences(j, licences, &too_many);
		else
			hf_json_skip(j);
	}
	if (j->why)
		return HF_OK; /* the caller says it */
	if (!p.name.len || !p.version.len)
		return report(rd,
			      p.name.len ? HF_SV("a package without a version") : HF_SV("a package without a name"));
	p.licences = licences;
	int r = too_many ? report(rd, HF_SV("licences past the 32nd")) : HF_OK;
	return r < 0 ? r : rd->out->package(rd->out, &p, rd->err);
}

static int read_list(struct reader *rd)
{
	int r = HF_OK;

	if (!hf_json_array(&rd->json))
		return HF_OK;
	rd->seen_list = true;
	while (r >= 0 && hf_json_element(&rd->json))
		r = read_package(rd);
	return r;
}

static int composer_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct reader rd = { .json = hf_json_of(file->bytes, a), .out = out, .err = err, .path = file->path };
	struct hf_json *j = &rd.json;
	hf_sv key;
	int r = HF_OK;

	if (hf_json_peek(j) == HF_JSON_ARRAY) {
		r = read_list(&rd);
	} else {
		for (hf_json_object(j); r >= 0 && hf_json_key(j, &key);)
			if (hf_sv_eq(key, HF_SV("packages")))
				r = read_list(&rd);
			else
				hf_json_skip(j);
	}
	if (r < 0)
		return r;
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!hf_json_end(j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j->at, j->why);
	if (!rd.seen_list)
		return hf_fail(err, HF_E_FORMAT, "has no list of packages");
	return rd.partial ? HF_PARTIAL : HF_OK;
}

const struct hf_cataloger hf_cataloger_composer = {
	.name = "composer",
	.summary = "PHP packages: vendor/composer/installed.json",
	.version = 1,
	.wants = (const char *const[]){ "**/composer/installed.json", NULL },
	.parse = composer_parse,
};
