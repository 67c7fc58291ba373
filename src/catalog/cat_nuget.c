/* .NET packages of a published application, from its dependency manifest.
 *
 * APP.deps.json: "libraries" names each library with its type, "targets" says which files it brings for the platform named in
 * "runtimeTarget". A package that brings no file there (what the shared framework replaces, or what only the compiler needs) is declared,
 * not installed. A self-contained application carries the runtime itself as a "runtimepack".
 * Source: dotnet/sdk, documentation/specs/runtime-configuration-file.md; docs/formats/nuget.md */
#include "base/map.h"
#include "catalog/cataloger.h"
#include "format/json.h"

struct manifest {
	hf_sv target;             /* the name in runtimeTarget */
	hf_sv targets, libraries; /* raw members; empty: not there */
	/* keys of the runtime target's libraries; the value is not NULL where it brings files */
	struct hf_map files;
	bool has_target;
};

/* "runtimeTarget": { "name": "…" }, a bare string at first. */
static hf_sv read_target_name(struct hf_json *j)
{
	hf_sv key, name = { 0 };

	if (hf_json_peek(j) != HF_JSON_OBJECT)
		return hf_json_string(j);
	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("name")))
			name = hf_json_string(j);
		else
			hf_json_skip(j);
	return name;
}

/* An object with a member that is a real file: "_._" stands for none. */
static bool has_files(struct hf_json *j)
{
	bool any = false;
	hf_sv key;

	for (bool in = hf_json_object(j); in && hf_json_key(j, &key); hf_json_skip(j))
		any |= !hf_sv_eq(hf_sv_basename(key), HF_SV("_._"));
	return any;
}

static bool library_has_files(struct hf_json *j)
{
	bool any = false;
	hf_sv key;

	for (bool in = hf_json_object(j); in && hf_json_key(j, &key);) {
		if (hf_sv_eq(key, HF_SV("runtime")) || hf_sv_eq(key, HF_SV("native")) ||
		    hf_sv_eq(key, HF_SV("resources")) || hf_sv_eq(key, HF_SV("runtimeTargets")))
			any |= has_files(j);
		else
			hf_json_skip(j);
	}
	return any;
}

static void read_targets(struct manifest *m, struct hf_arena *a)
{
	struct hf_json j = hf_json_of(m->targets, a);
	hf_sv key;

	if (!m->target.len || !m->targets.len)
		return;
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, m->target)) {
			hf_json_skip(&j);
			continue;
		}
		m->has_target = hf_json_object(&j);
		while (m->has_target && hf_json_key(&j, &key)) {
			struct hf_map_entry *e = hf_map_put(&m->files, key);
			bool any = library_has_files(&j);
			if (e && any)
				e->value = m;
		}
	}
}

static hf_sv read_type(struct hf_json *j)
{
	hf_sv key, type = { 0 };

	for (bool in = hf_json_object(j); in && hf_json_key(j, &key);)
		if (hf_sv_eq(key, HF_SV("type")))
			type = hf_json_string(j);
		else
			hf_json_skip(j);
	return type;
}

/* The application that this manifest is named for: "bin/app.deps.json". */
static bool is_application(hf_sv path, hf_sv name)
{
	hf_sv base = hf_sv_basename(path);

	return hf_sv_eq(hf_sv_first(base, base.len - (sizeof(".deps.json") - 1)), name);
}

/* What is no package by its type is passed over; what is not understood is reported and sets *@partial. */
static int emit_library(const struct manifest *m, const struct hf_file *file, hf_sv key, hf_sv type, bool *partial,
			struct hf_emit *out, struct hf_err *err)
{
	static const hf_sv no_packages[] = { HF_SV_INIT("project"), HF_SV_INIT("msbuildproject"),
					     HF_SV_INIT("reference"), HF_SV_INIT("referenceassembly"),
					     HF_SV_INIT("platform") };
	static const hf_sv prefix = HF_SV_INIT("runtimepack.");
	struct hf_package p = { .type = HF_PKG_NUGET, .path = file->path };
	hf_sv why = HF_SV("a library of a type that is not known");

	if (!hf_sv_cut(key, '/', &p.name, &p.version) || !p.name.len || !p.version.len) {
		why = HF_SV("a library that is not called NAME/VERSION");
		goto unparsed;
	}
	if (hf_sv_eq_ascii(type, HF_SV("package"))) {
		const struct hf_map_entry *e = m->has_target ? hf_map_find(&m->files, key) : NULL;
		p.declared_only = m->has_target && (!e || !e->value);
		return out->package(out, &p, err);
	}
	if (hf_sv_eq_ascii(type, HF_SV("runtimepack"))) {
		p.name = hf_sv_skip(p.name, hf_sv_starts(p.name, prefix) ? prefix.len : 0);
		if (p.name.len)
			return out->package(out, &p, err);
	}
	p.is_main = hf_sv_eq_ascii(type, HF_SV("project")) && is_application(file->path, p.name);
	if (p.is_main)
		return out->package(out, &p, err);
	for (size_t i = 0; i < HF_ARRAY_SIZE(no_packages); i++)
		if (hf_sv_eq_ascii(type, no_packages[i]))
			return HF_OK;
unparsed:
	*partial = true;
	return out->unparsed(out, file->path, why, err);
}

static int read_libraries(const struct manifest *m, const struct hf_file *file, struct hf_arena *a, struct hf_emit *out,
			  struct hf_err *err)
{
	struct hf_json j = hf_json_of(m->libraries, a);
	bool partial = false;
	hf_sv key;
	int r = HF_OK;

	for (hf_json_object(&j); r >= 0 && hf_json_key(&j, &key);) {
		hf_sv type = read_type(&j);
		if (!j.why)
			r = emit_library(m, file, key, type, &partial, out, err);
	}
	if (r < 0)
		return r;
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "libraries, byte %zu: %s", j.at, j.why);
	return partial ? HF_PARTIAL : HF_OK;
}

static int nuget_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct hf_json j = hf_json_of(file->bytes, a);
	struct manifest m = { .files = HF_MAP(a) };
	hf_sv key;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("runtimeTarget")))
			m.target = read_target_name(&j);
		else if (hf_sv_eq(key, HF_SV("targets")))
			m.targets = hf_json_raw(&j);
		else if (hf_sv_eq(key, HF_SV("libraries")))
			m.libraries = hf_json_raw(&j);
		else
			hf_json_skip(&j);
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why);
	if (!hf_sv_starts(m.libraries, HF_SV("{")))
		return hf_fail(err, HF_E_FORMAT, "has no libraries");
	read_targets(&m, a);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	return read_libraries(&m, file, a, out, err);
}

const struct hf_cataloger hf_cataloger_nuget = {
	.name = "nuget",
	.summary = ".NET packages: *.deps.json, with the runtime of self-contained applications",
	.version = 1,
	.wants = (const char *const[]){ "**/*.deps.json", NULL },
	.parse = nuget_parse,
};
