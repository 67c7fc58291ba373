/* Installed packages of apk and the files that they own, from apk's database.
 *
 * lib/apk/db/installed, and usr/lib/apk/db/installed since apk 3 and where /usr is merged: records of "X:value" lines, an
 * empty line behind each. Letters as in apk-tools 2.14 and 3.0, src/package.c and src/database.c; see docs/formats/apk.md.
 * A letter that is not known is passed over: new ones are added without a change of the format. */
#include "base/cursor.h"
#include "base/limits.h"
#include "catalog/cataloger.h"

struct record {
	struct hf_package pkg;
	hf_sv licence;
	size_t folder;    /* bytes of the reader's path that the latest F: fills, its slash included */
	bool any, broken; /* broken: already reported */
};

struct reader {
	struct hf_emit *out;
	struct hf_err *err;
	struct record rec;
	char *path; /* HF_PATH_MAX bytes to put folder and name together */
	size_t records;
	bool partial;
};

static void begin(struct reader *rd, hf_sv path)
{
	rd->rec = (struct record){ .pkg = { .type = HF_PKG_APK, .path = path } };
}

static int report(struct reader *rd, hf_sv why)
{
	int r = rd->out->unparsed(rd->out, rd->rec.pkg.path, why, rd->err);

	rd->partial = true;
	return r < 0 ? r : HF_OK;
}

static int end_record(struct reader *rd)
{
	struct hf_package *p = &rd->rec.pkg;
	hf_sv path = p->path;
	int r;

	if (!rd->rec.any)
		return HF_OK;
	if (!p->name.len || !p->version.len) {
		r = report(rd, p->name.len ? HF_SV("a package without a version (V:)")
					   : HF_SV("a record without a name (P:)"));
	} else {
		if (hf_sv_eq(p->source_name, p->name))
			p->source_name = (hf_sv){ 0 };
		p->licences = &rd->rec.licence;
		p->licences_n = rd->rec.licence.len > 0;
		r = rd->out->package(rd->out, p, rd->err);
		rd->records++;
	}
	begin(rd, path);
	return r;
}

static int enter_folder(struct reader *rd, hf_sv folder)
{
	rd->rec.folder = SIZE_MAX;
	if (folder.len >= HF_PATH_MAX)
		return report(rd, HF_SV("the path of a folder is too long"));
	if (folder.len) {
		memcpy(rd->path, folder.ptr, folder.len);
		rd->path[folder.len] = '/';
	}
	rd->rec.folder = folder.len ? folder.len + 1 : 0;
	return HF_OK;
}

static int own(struct reader *rd, hf_sv name)
{
	size_t folder = rd->rec.folder;

	if (!rd->rec.pkg.name.len || !name.len || folder == SIZE_MAX)
		return HF_OK; /* reported with the folder, or at the record's end */
	if (name.len > HF_PATH_MAX - folder)
		return report(rd, HF_SV("the path of a file is too long"));
	memcpy(rd->path + folder, name.ptr, name.len);
	hf_sv path = { rd->path, folder + name.len };
	return rd->out->owns(rd->out, HF_PKG_APK, rd->rec.pkg.name, path, rd->err);
}

static int read_line(struct reader *rd, hf_sv line)
{
	struct record *rec = &rd->rec;
	hf_sv value = hf_sv_trim(hf_sv_skip(line, 2));

	if (line.len < 2 || line.ptr[1] != ':') {
		if (rec->broken)
			return HF_OK;
		rec->broken = true;
		return report(rd, HF_SV("a line that does not begin with a letter and a colon"));
	}
	switch (line.ptr[0]) {
	case 'P':
		rec->pkg.name = value;
		break;
	case 'V':
		rec->pkg.version = value;
		break;
	case 'A':
		rec->pkg.arch = value;
		break;
	case 'o':
		rec->pkg.source_name = value;
		break;
	case 'L':
		rec->licence = value;
		break;
	case 'm':
		rec->pkg.origin = value;
		break;
	case 'F':
		return enter_folder(rd, hf_sv_skip(value, hf_sv_starts(value, HF_SV("/"))));
	case 'R':
		return own(rd, value);
	default: /* checksums, sizes, dependencies, permissions, triggers and what is yet to come */
		break;
	}
	return HF_OK;
}

static int apk_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct reader rd = { .out = out, .err = err, .path = hf_arena_alloc(a, HF_PATH_MAX, 1) };
	struct hf_cur cur = hf_cur_of(file->bytes);
	hf_sv line;
	int r = HF_OK;

	if (!rd.path)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	begin(&rd, file->path);
	while (r >= 0 && hf_cur_line(&cur, &line)) {
		if (!line.len) {
			r = end_record(&rd);
			continue;
		}
		if (!rd.rec.any)
			rd.rec.pkg.line = cur.line;
		rd.rec.any = true;
		r = read_line(&rd, line);
	}
	if (r >= 0)
		r = end_record(&rd);
	if (r < 0)
		return r;
	if (!rd.records && hf_sv_trim(file->bytes).len)
		return hf_fail(err, HF_E_FORMAT, "has no record of a package");
	return rd.partial ? HF_PARTIAL : HF_OK;
}

const struct hf_cataloger hf_cataloger_apk = {
	.name = "apk",
	.summary = "Alpine packages: lib/apk/db/installed, usr/lib/apk/db/installed",
	.version = 1,
	.wants = (const char *const[]){ "lib/apk/db/installed", "usr/lib/apk/db/installed", NULL },
	.parse = apk_parse,
};
