/* Installed packages and the files that they own, from dpkg's database.
 *
 * var/lib/dpkg/status        all packages, deb822 stanzas (deb822(5); dpkg's dpkg(1) "INFORMATION ABOUT PACKAGES")
 * var/lib/dpkg/status.d/X    one stanza a file, without Status: distroless images
 * var/lib/dpkg/status.d/X.md5sums, info/PKG[:ARCH].md5sums   "md5  path" lines, without conffiles
 * var/lib/dpkg/info/PKG[:ARCH].list                          "/path" lines, folders included
 * Not read: available, diversions, alternatives, triggers. */
#include "base/cursor.h"
#include "catalog/cataloger.h"

struct stanza {
	struct hf_package pkg;
	hf_sv status, maintainer;
	bool any;
};

static void read_field(struct stanza *s, hf_sv key, hf_sv value)
{
	struct hf_package *p = &s->pkg;

	if (hf_sv_eq_ascii(key, HF_SV("Package")))
		p->name = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Version")))
		p->version = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Architecture")))
		p->arch = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Status")))
		s->status = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Source")))
		p->source_name = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Origin")))
		p->origin = value;
	else if (hf_sv_eq_ascii(key, HF_SV("Maintainer")))
		s->maintainer = value;
}

/* Files of these states are on disk: the third word of Status (dpkg's "status", not "want" or "eflag"). */
static bool is_on_disk(hf_sv status)
{
	static const hf_sv states[] = { HF_SV_INIT("installed"),        HF_SV_INIT("half-configured"),
					HF_SV_INIT("unpacked"),         HF_SV_INIT("triggers-awaited"),
					HF_SV_INIT("triggers-pending"), HF_SV_INIT("half-installed") };
	size_t blank = hf_sv_last_index(status, ' ');
	hf_sv state = blank == SIZE_MAX ? status : hf_sv_skip(status, blank + 1);

	for (size_t i = 0; i < HF_ARRAY_SIZE(states); i++)
		if (hf_sv_eq(state, states[i]))
			return true;
	return false;
}

/* "openssl (1.1.1n-0)": the source's own version where it differs. */
static void split_source(struct hf_package *p)
{
	hf_sv name, version;

	if (!hf_sv_cut(p->source_name, '(', &name, &version))
		return;
	p->source_name = hf_sv_trim(name);
	p->source_version = hf_sv_trim(hf_sv_first(version, hf_sv_index(version, ')')));
}

static int end_stanza(struct stanza *s, bool needs_status, struct hf_emit *out, struct hf_err *err)
{
	struct hf_package *p = &s->pkg;
	int r = HF_OK;

	if (!s->any || (s->status.len ? !is_on_disk(s->status) : needs_status && !p->name.len))
		goto out;
	if (!p->name.len || !p->version.len) {
		hf_sv why = p->name.len ? HF_SV("a package without a Version") : HF_SV("a stanza without a Package");
		r = out->unparsed(out, p->path, why, err);
		if (r >= 0)
			r = HF_PARTIAL;
		goto out;
	}
	split_source(p);
	if (!p->origin.len)
		p->origin = s->maintainer;
	r = out->package(out, p, err);
out:
	*s = (struct stanza){ .pkg = { .type = HF_PKG_DEB, .path = p->path } };
	return r;
}

static int parse_status(const struct hf_file *file, bool needs_status, struct hf_emit *out, struct hf_err *err)
{
	struct hf_cur cur = hf_cur_of(file->bytes);
	struct stanza s = { .pkg = { .type = HF_PKG_DEB, .path = file->path } };
	hf_sv line, key, value;
	bool partial = false, more;

	do {
		more = hf_cur_line(&cur, &line);
		if (more && hf_sv_trim(line).len) {
			if (!s.any)
				s.pkg.line = cur.line;
			s.any = true;
			bool continues = line.ptr[0] == ' ' || line.ptr[0] == '\t';
			if (!continues && hf_sv_cut(line, ':', &key, &value))
				read_field(&s, key, hf_sv_trim(value));
			continue;
		}
		int r = end_stanza(&s, needs_status, out, err);
		if (r < 0)
			return r;
		partial |= r == HF_PARTIAL;
	} while (more);
	return partial ? HF_PARTIAL : HF_OK;
}

/* "libc6:amd64.list" belongs to libc6. */
static hf_sv package_of(hf_sv path)
{
	hf_sv name = hf_sv_basename(path);

	name = hf_sv_first(name, hf_sv_last_index(name, '.'));
	return hf_sv_first(name, hf_sv_index(name, ':'));
}

static int parse_owned(const struct hf_file *file, bool sums, struct hf_emit *out, struct hf_err *err)
{
	struct hf_cur cur = hf_cur_of(file->bytes);
	hf_sv line, name = package_of(file->path);

	while (hf_cur_line(&cur, &line)) {
		if (sums)
			line = hf_sv_skip(line, 34); /* 32 hexadecimal digits and two blanks */
		if (hf_sv_starts(line, HF_SV("/")))
			line = hf_sv_skip(line, 1);
		if (!line.len || hf_sv_eq(line, HF_SV(".")))
			continue;
		int r = out->owns(out, HF_PKG_DEB, name, line, err);
		if (r < 0)
			return r;
	}
	return HF_OK;
}

static int dpkg_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	(void)a;
	if (hf_sv_ends(file->path, HF_SV(".list")))
		return parse_owned(file, false, out, err);
	if (hf_sv_ends(file->path, HF_SV(".md5sums")))
		return parse_owned(file, true, out, err);
	return parse_status(file, hf_sv_ends(file->path, HF_SV("/status")), out, err);
}

const struct hf_cataloger hf_cataloger_dpkg = {
	.name = "dpkg",
	.summary = "Debian packages: var/lib/dpkg/status, status.d/*, info/*.list, info/*.md5sums",
	.version = 1,
	.wants = (const char *const[]){ "var/lib/dpkg/status", "var/lib/dpkg/status.d/*", "var/lib/dpkg/info/*.list",
					"var/lib/dpkg/info/*.md5sums", NULL },
	.parse = dpkg_parse,
};
