/* Crates that a Rust executable was built from, where it was built with cargo-auditable: section .dep-v0, zlib, JSON.
 *
 * Source: cargo-auditable's PARSING.md and cargo-auditable.schema.json, format versions up to 8.
 * A crate of kind "build" ran while building and is not in the file: passed over, as "cargo tree --edges normal" does.
 * `origin` is the crate's source where that is not crates.io ("git", "local", "registry", …): such a crate must not be
 * matched with the advisories of crates.io. The root crate is `is_main`. */
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "codec/deflate.h"
#include "format/elf.h"
#include "format/json.h"

#define AUDIT_SIZE_MAX HF_MANIFEST_SIZE_MAX

struct crate {
	hf_sv name, version, source, kind;
	bool root;
};

static struct crate read_crate(struct hf_json *j)
{
	struct crate c = { 0 };
	hf_sv key;

	if (!hf_json_object(j))
		return c;
	while (hf_json_key(j, &key)) {
		if (hf_sv_eq(key, HF_SV("name")))
			c.name = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("version")))
			c.version = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("source")))
			c.source = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("kind")))
			c.kind = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("root")))
			c.root = hf_json_bool(j, false);
		else
			hf_json_skip(j);
	}
	return c;
}

static int unparsed(const struct hf_file *file, struct hf_emit *out, hf_sv why, struct hf_err *err)
{
	int r = out->unparsed(out, file->path, why, err);

	return r < 0 ? r : HF_PARTIAL;
}

static int emit_crate(const struct hf_file *file, const struct crate *c, struct hf_emit *out, struct hf_err *err)
{
	struct hf_package p = {
		.type = HF_PKG_CARGO, .path = file->path, .name = c->name, .version = c->version, .is_main = c->root
	};

	if (hf_sv_eq(c->kind, HF_SV("build")))
		return HF_OK;
	if (!c->name.len || !c->version.len)
		return unparsed(file, out, HF_SV("a crate without a name or version in the cargo-auditable section"),
				err);
	if (!hf_sv_eq(c->source, HF_SV("crates.io")))
		p.origin = c->source;
	return out->package(out, &p, err);
}

static int parse_audit(const struct hf_file *file, hf_sv text, struct hf_arena *a, struct hf_emit *out,
		       struct hf_err *err)
{
	struct hf_json j = hf_json_of(text, a);
	bool partial = false, found = false;
	hf_sv key;

	for (bool in = hf_json_object(&j); in && hf_json_key(&j, &key);) {
		if (!hf_sv_eq(key, HF_SV("packages"))) {
			hf_json_skip(&j);
			continue;
		}
		found = hf_json_array(&j);
		while (found && hf_json_element(&j)) {
			struct crate c = read_crate(&j);
			if (j.why)
				break;
			int r = emit_crate(file, &c, out, err);
			if (r < 0)
				return r;
			partial |= r == HF_PARTIAL;
		}
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the cargo-auditable section needs too much memory");
	if (!hf_json_end(&j))
		return unparsed(file, out, HF_SV("the cargo-auditable section is not valid JSON"), err);
	if (!found)
		return unparsed(file, out, HF_SV("the cargo-auditable section has no list of packages"), err);
	return partial ? HF_PARTIAL : HF_OK;
}

static int rust_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(AUDIT_SIZE_MAX);
	struct hf_elf_section section;
	struct hf_err why = { 0 };
	struct hf_elf elf;

	if (hf_elf_open_parts(&elf, file->bytes, file->held, file->held_n, NULL) < 0)
		return HF_OK;
	if (elf.lost)
		return unparsed(file, out,
				HF_SV("its section names lie where too much would have to be held in memory"), err);
	if (!hf_elf_find_section(&elf, HF_SV(".dep-v0"), &section))
		return HF_OK;
	if (file->held && !section.content.len)
		return unparsed(
			file, out,
			HF_SV("the cargo-auditable section lies where too much would have to be held in memory"), err);
	if (hf_inflate(HF_DEFLATE_ZLIB, section.content, 0, &text, &why) < 0) {
		hf_wrap(&why, "the cargo-auditable section");
		return unparsed(file, out, hf_sv_of(why.msg), err);
	}
	return parse_audit(file, hf_buf_view(&text), a, out, err);
}

const struct hf_cataloger hf_cataloger_rust = {
	.name = "rust",
	.summary = "Rust crates of executables built with cargo-auditable",
	.version = 1,
	.wants_elf = true,
	.parse = rust_parse,
};
