/* Installed packages and the files that they own, from rpm's databases.
 *
 * var/lib/rpm, usr/lib/sysimage/rpm (Fedora, SUSE) and usr/share/rpm (ostree) hold one of
 *   rpmdb.sqlite   SQLite 3: docs/formats/sqlite.md
 *   Packages.db    rpm's own ndb: docs/formats/ndb.md
 *   Packages       Berkeley DB hash: docs/formats/bdb.md
 * with one rpm header a package (docs/formats/rpm.md). Which one it is, the magic says, not the name.
 * var/lib/rpmmanifest/container-manifest-2   CBL-Mariner and Azure Linux without a package manager: a line a package
 * Not read: the indexes beside these files, and changes that are only in rpmdb.sqlite-wal: reported. */
#include <stdarg.h>
#include <stdio.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "format/bdb.h"
#include "format/ndb.h"
#include "format/rpmhdr.h"
#include "format/sqlite.h"

enum { COMPLAINTS_MAX = 16, BLOB_COLUMN = 1, MANIFEST_FIELDS = 10, EPOCH_MAX = 32 };

enum value {
	NAME,
	VERSION,
	RELEASE,
	EPOCH,
	VENDOR,
	LICENSE,
	ARCH,
	OLDFILENAMES,
	SOURCERPM,
	DIRINDEXES,
	BASENAMES,
	DIRNAMES,
	MODULE,
	VALUES
};

struct reader {
	const struct hf_file *file;
	struct hf_arena *a;
	struct hf_emit *out;
	struct hf_err *err;
	uint64_t complaints;
	uint64_t owned_size; /* bytes of all paths emitted so far */
	HF_VEC(hf_sv) dirs;
};

hf_printf(2, 3) static int complain(struct reader *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	/* A database that is broken in a thousand places is not worth a thousand entries. */
	if (r->complaints++ >= COMPLAINTS_MAX)
		return HF_OK;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return r->out->unparsed(r->out, r->file->path, hf_sv_of(text), r->err);
}

/* "openssl-3.0.7-1.el9.src.rpm": name and version-release part at the last two hyphens. */
static void split_source(struct hf_package *p, hf_sv file_name, hf_sv version_release)
{
	static const hf_sv suffixes[] = { HF_SV_INIT(".src.rpm"), HF_SV_INIT(".nosrc.rpm") };
	hf_sv name, version, release;

	for (size_t i = 0; i < HF_ARRAY_SIZE(suffixes); i++) {
		if (!hf_sv_ends(file_name, suffixes[i]))
			continue;
		hf_sv whole = hf_sv_first(file_name, file_name.len - suffixes[i].len);
		if (!hf_sv_cut_last(whole, '-', &name, &release) || !hf_sv_cut_last(name, '-', &name, &version) ||
		    !name.len)
			return;
		p->source_name = name;
		hf_sv source_version = hf_sv_skip(whole, name.len + 1);
		if (!hf_sv_eq(source_version, version_release))
			p->source_version = source_version;
		return;
	}
}

static int emit_owned(struct reader *r, hf_sv package, const char *path, size_t n)
{
	hf_sv owned = { path, n };

	while (hf_sv_starts(owned, HF_SV("/")))
		owned = hf_sv_skip(owned, 1);
	if (!owned.len)
		return HF_OK;
	r->owned_size += n;
	return r->out->owns(r->out, HF_PKG_RPM, package, owned, r->err);
}

static bool read_dirs(struct reader *r, const struct hf_rpmhdr_value *v)
{
	struct hf_cur c = hf_cur_of(v->data);

	r->dirs.n = 0;
	if (!hf_rpmhdr_is_strings(v) || v->count > HF_RPM_DIRS_MAX)
		return false;
	for (uint32_t i = 0; i < v->count; i++) {
		hf_sv dir = hf_cur_cstr(&c), *slot = c.failed ? NULL : hf_vec_push(r->a, &r->dirs);
		if (!slot)
			return false;
		*slot = dir;
	}
	return true;
}

/* All files of a package: base names, each with the number of its directory; in old headers whole names instead. */
static int emit_files(struct reader *r, hf_sv package, const struct hf_rpmhdr_value *v)
{
	bool old = !v[BASENAMES].count;
	const struct hf_rpmhdr_value *names = &v[old ? OLDFILENAMES : BASENAMES];
	struct hf_cur c = hf_cur_of(names->data);
	char path[HF_PATH_MAX];
	uint32_t at = UINT32_MAX, dir = 0;
	size_t dir_n = 0;
	const char *why = NULL;

	if (!names->count)
		return HF_OK;
	if (!hf_rpmhdr_is_strings(names) ||
	    (!old && (!read_dirs(r, &v[DIRNAMES]) || v[DIRINDEXES].count != names->count)))
		why = "a list of files that does not fit together";
	for (uint32_t i = 0; i < names->count && !r->a->over; i++) {
		hf_sv base = hf_cur_cstr(&c);
		if (c.failed || r->owned_size > HF_RPM_OWNED_PATHS_MAX) {
			why = c.failed ? "a list of files that is cut short" : "more than 256 MiB of paths";
			break;
		}
		if (!old && (!hf_rpmhdr_u32(&v[DIRINDEXES], i, &dir) || dir >= r->dirs.n)) {
			why = why ? why : "a file in a directory that is not listed";
			continue;
		}
		hf_sv parent = old ? (hf_sv){ 0 } : r->dirs.at[dir];
		if (parent.len > sizeof path || base.len > sizeof path - parent.len) {
			why = why ? why : "a path over the limit of 4096 bytes";
			continue;
		}
		if (at != dir) {
			if (parent.len)
				memcpy(path, parent.ptr, parent.len);
			dir_n = parent.len;
			at = dir;
		}
		if (base.len)
			memcpy(path + dir_n, base.ptr, base.len);
		int k = emit_owned(r, package, path, dir_n + base.len);
		if (k < 0)
			return k;
	}
	return why ? complain(r, "%.*s: %s", HF_SV_FMT(hf_sv_first(package, 200)), why) : HF_OK;
}

static int read_header(struct reader *r, const char *place, const struct hf_record *record)
{
	struct hf_rpmhdr_value v[VALUES] = {
		[NAME] = { HF_RPMTAG_NAME },
		[VERSION] = { HF_RPMTAG_VERSION },
		[RELEASE] = { HF_RPMTAG_RELEASE },
		[EPOCH] = { HF_RPMTAG_EPOCH },
		[VENDOR] = { HF_RPMTAG_VENDOR },
		[LICENSE] = { HF_RPMTAG_LICENSE },
		[ARCH] = { HF_RPMTAG_ARCH },
		[OLDFILENAMES] = { HF_RPMTAG_OLDFILENAMES },
		[SOURCERPM] = { HF_RPMTAG_SOURCERPM },
		[DIRINDEXES] = { HF_RPMTAG_DIRINDEXES },
		[BASENAMES] = { HF_RPMTAG_BASENAMES },
		[DIRNAMES] = { HF_RPMTAG_DIRNAMES },
		[MODULE] = { HF_RPMTAG_MODULARITYLABEL },
	};
	const char *why;
	char text[HF_PATH_MAX];
	uint32_t epoch = 0;
	int k = hf_rpmhdr_read(record->bytes, v, VALUES, &why);

	if (k < 0)
		return complain(r, "%s %llu: %s", place, (unsigned long long)record->at, why);
	struct hf_package p = { .type = HF_PKG_RPM, .path = r->file->path, .name = hf_rpmhdr_string(&v[NAME]) };
	hf_sv version = hf_rpmhdr_string(&v[VERSION]), release = hf_rpmhdr_string(&v[RELEASE]);
	/* Keys that rpm trusts, stored as packages that nobody installed. */
	if (hf_sv_eq(p.name, HF_SV("gpg-pubkey")))
		return HF_OK;
	if (!p.name.len || !version.len || !release.len)
		return complain(r, "%s %llu: a package without a %s", place, (unsigned long long)record->at,
				!p.name.len    ? "name"
				: !version.len ? "version"
					       : "release");
	if (version.len + release.len > sizeof text - EPOCH_MAX)
		return complain(r, "%.*s: a version over the limit of 4 KiB", HF_SV_FMT(hf_sv_first(p.name, 200)));
	bool has_epoch = hf_rpmhdr_u32(&v[EPOCH], 0, &epoch) && epoch;
	size_t skip = has_epoch ? (size_t)snprintf(text, sizeof text, "%u:", epoch) : 0;
	size_t n = skip;
	memcpy(text + n, version.ptr, version.len);
	n += version.len;
	text[n++] = '-';
	memcpy(text + n, release.ptr, release.len);
	n += release.len;
	p.version = (hf_sv){ text, n };
	split_source(&p, hf_rpmhdr_string(&v[SOURCERPM]), hf_sv_skip(p.version, skip));
	hf_sv licence = hf_rpmhdr_string(&v[LICENSE]);
	p.arch = hf_rpmhdr_string(&v[ARCH]);
	p.module = hf_rpmhdr_string(&v[MODULE]);
	p.origin = hf_rpmhdr_string(&v[VENDOR]);
	p.licences = &licence;
	p.licences_n = licence.len != 0;
	int sent = r->out->package(r->out, &p, r->err);
	if (sent >= 0 && k == HF_PARTIAL)
		sent = complain(r, "%.*s: %s", HF_SV_FMT(hf_sv_first(p.name, 200)), why);
	return sent < 0 ? sent : emit_files(r, p.name, v);
}

static int read_record(struct reader *r, const char *place, const struct hf_record *record)
{
	int k = record->why ? complain(r, "%s %llu: %s", place, (unsigned long long)record->at, record->why) : HF_OK;

	return k < 0 || (record->why && !record->bytes.len) ? k : read_header(r, place, record);
}

static int read_sqlite(struct reader *r)
{
	struct hf_sqlite db;
	struct hf_record row;
	uint32_t root = 0;
	int k = hf_sqlite_open(&db, r->file->bytes, r->a, r->err);

	if (k >= 0)
		k = hf_sqlite_table(&db, HF_SV("Packages"), &root, r->err);
	if (k < 0)
		return k;
	struct hf_sqlite_rows rows = hf_sqlite_rows_of(&db, root);
	while (k >= 0 && !r->a->over && hf_sqlite_next(&rows, &row)) {
		struct hf_sqlite_value blob = { 0 };
		if (!row.why && (!hf_sqlite_column(row.bytes, BLOB_COLUMN, &blob) || blob.type != HF_SQLITE_BLOB))
			row.why = "a row that holds no header";
		row.bytes = blob.bytes;
		k = read_record(r, "page", &row);
	}
	return k;
}

static int read_bdb(struct reader *r)
{
	struct hf_bdb db;
	struct hf_record record;
	int k = hf_bdb_open(&db, r->file->bytes, r->a, r->err);

	while (k >= 0 && !r->a->over && hf_bdb_next(&db, &record))
		k = read_record(r, "page", &record);
	return k;
}

static int read_ndb(struct reader *r)
{
	struct hf_ndb db;
	struct hf_record record;
	int k = hf_ndb_open(&db, r->file->bytes, r->err);

	while (k >= 0 && !r->a->over && hf_ndb_next(&db, &record))
		k = read_record(r, "slot", &record);
	return k;
}

static int read_wal(struct reader *r)
{
	if (!hf_sqlite_wal_has_frames(r->file->bytes))
		return HF_OK;
	return complain(r,
			"a write-ahead log: packages installed or removed since it was begun may be missing or wrong");
}

/* rpm --qf
 * "%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n"
 */
static int read_manifest(struct reader *r)
{
	struct hf_cur c = hf_cur_of(r->file->bytes);
	char version[HF_PATH_MAX];
	uint64_t epoch;
	hf_sv line;
	int k = HF_OK;

	while (k >= 0 && hf_cur_line(&c, &line)) {
		hf_sv f[MANIFEST_FIELDS];
		size_t n = 0;
		if (!line.len)
			continue;
		while (n < MANIFEST_FIELDS && hf_sv_next(&line, '\t', &f[n]))
			n++;
		if (n < MANIFEST_FIELDS || !f[0].len || !f[1].len || f[1].len > sizeof version - EPOCH_MAX) {
			k = complain(r, "line %u: not a package of ten fields", c.line);
			continue;
		}
		struct hf_package p = { .type = HF_PKG_RPM,
					.name = f[0],
					.version = f[1],
					.arch = f[7],
					.path = r->file->path,
					.line = c.line };
		if (hf_sv_eq(p.name, HF_SV("gpg-pubkey")))
			continue;
		if (!hf_sv_eq(f[4], HF_SV("(none)")))
			p.origin = f[4];
		split_source(&p, f[9], f[1]);
		if (hf_sv_to_u64(f[5], &epoch) && epoch) {
			int len = snprintf(version, sizeof version, "%llu:%.*s", (unsigned long long)epoch,
					   HF_SV_FMT(f[1]));
			p.version = (hf_sv){ version, (size_t)len };
		}
		k = r->out->package(r->out, &p, r->err);
	}
	return k;
}

static int rpm_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct reader r = { .file = file, .a = a, .out = out, .err = err };
	int k;

	if (hf_sv_ends(file->path, HF_SV("/container-manifest-2")))
		k = read_manifest(&r);
	else if (hf_sv_ends(file->path, HF_SV("-wal")))
		k = read_wal(&r);
	else if (hf_sqlite_is(file->bytes))
		k = read_sqlite(&r);
	else if (hf_ndb_is(file->bytes))
		k = read_ndb(&r);
	else if (hf_bdb_is(file->bytes))
		k = read_bdb(&r);
	else
		return hf_fail(err, HF_E_FORMAT, "not an rpm database: neither SQLite nor ndb nor a Berkeley DB hash");
	if (k >= 0 && a->over)
		return hf_fail(err, HF_E_LIMIT, "an rpm database over the memory allowed");
	if (k >= 0 && r.complaints > COMPLAINTS_MAX) {
		char text[64];
		snprintf(text, sizeof text, "%llu further pieces", (unsigned long long)(r.complaints - COMPLAINTS_MAX));
		k = out->unparsed(out, file->path, hf_sv_of(text), err);
	}
	return k < 0 ? k : r.complaints ? HF_PARTIAL : HF_OK;
}

const struct hf_cataloger hf_cataloger_rpm = {
	.name = "rpm",
	.summary = "rpm packages: rpmdb.sqlite, Packages.db and Packages of var/lib/rpm and its newer places",
	.version = 1,
	.wants = (const char *const[]){ "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite-wal",
					"var/lib/rpm/Packages", "var/lib/rpm/Packages.db",
					"usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
					"usr/lib/sysimage/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db",
					"usr/share/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite-wal",
					"usr/share/rpm/Packages", "usr/share/rpm/Packages.db",
					"var/lib/rpmmanifest/container-manifest-2", NULL },
	.parse = rpm_parse,
};
