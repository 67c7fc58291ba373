/* Installed npm packages, from the package.json of each folder that stands directly in a node_modules.
 *
 * A package.json deeper inside of a package (a module's type, a fixture of its tests) is no package: node finds a package only as
 * node_modules/NAME or node_modules/@SCOPE/NAME, and npm, pnpm (node_modules/.pnpm/…/node_modules/NAME) and Yarn install nowhere else.
 * Yarn itself stands under opt/ in Node's official images.
 * Format: npm's package.json(5), and its forerunners' spellings of licences. docs/formats/npm.md */
#include "catalog/cataloger.h"
#include "format/json.h"

enum { LICENCES_MAX = 32 };

struct manifest {
	struct hf_package pkg;
	hf_sv licences[LICENCES_MAX];
	size_t licences_n;
	bool too_many;
};

static void add_licence(struct manifest *m, hf_sv name)
{
	if (!name.len)
		return;
	for (size_t i = 0; i < m->licences_n; i++)
		if (hf_sv_eq(m->licences[i], name))
			return;
	if (m->licences_n < LICENCES_MAX)
		m->licences[m->licences_n++] = name;
	else
		m->too_many = true;
}

/* "MIT" or { "type": "MIT", "url": … } */
static void read_licence(struct manifest *m, struct hf_json *j)
{
	hf_sv key;

	if (hf_json_peek(j) != HF_JSON_OBJECT) {
		add_licence(m, hf_json_string(j));
		return;
	}
	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("type")))
			add_licence(m, hf_json_string(j));
		else
			hf_json_skip(j);
}

static void read_licences(struct manifest *m, struct hf_json *j)
{
	if (hf_json_peek(j) != HF_JSON_ARRAY) {
		read_licence(m, j);
		return;
	}
	hf_json_elements(j)
		read_licence(m, j);
}

static void read_manifest(struct manifest *m, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("name")))
			m->pkg.name = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("version")))
			m->pkg.version = hf_sv_trim(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("license")) || hf_sv_eq(key, HF_SV("licenses")))
			read_licences(m, j);
		else
			hf_json_skip(j);
	}
}

static int npm_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct manifest m = { .pkg = { .type = HF_PKG_NPM, .path = file->path } };
	struct hf_json j = hf_json_of(file->bytes, a);
	bool partial = false;
	int r;

	if (hf_json_peek(&j) != HF_JSON_OBJECT)
		return hf_fail(err, HF_E_FORMAT, "is not a JSON object");
	read_manifest(&m, &j);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why);
	if (!m.pkg.name.len || !m.pkg.version.len) {
		hf_sv why = m.pkg.name.len ? HF_SV("a manifest without a version") : HF_SV("a manifest without a name");
		r = out->unparsed(out, file->path, why, err);
		return r < 0 ? r : HF_PARTIAL;
	}
	if (m.too_many) {
		r = out->unparsed(out, file->path, HF_SV("licences past the 32nd"), err);
		if (r < 0)
			return r;
		partial = true;
	}
	m.pkg.licences = m.licences;
	m.pkg.licences_n = m.licences_n;
	r = out->package(out, &m.pkg, err);
	return r < 0 ? r : partial ? HF_PARTIAL : HF_OK;
}

const struct hf_cataloger hf_cataloger_npm = {
	.name = "npm",
	.summary = "npm packages: node_modules/NAME/package.json, node_modules/@SCOPE/NAME/package.json",
	.version = 1,
	.wants = (const char *const[]){ "**/node_modules/*/package.json", "**/node_modules/@*/*/package.json",
					"!**/node_modules/@*/package.json", "!**/node_modules/.*/package.json",
					"opt/yarn-v*/package.json", NULL },
	.parse = npm_parse,
};
