/* The advisory database, read in place: one file in LMDB's format, mapped read-only, any number of readers.
 *
 * The file is not trusted: its pages are walked by a reader of our own (advisory/pages.h) and every record is decoded
 * through hf_cur, so a damaged file gives fewer answers and hf_database_damaged(), never a crash. Layout:
 * docs/decisions/advisory-database.md. Views live as long as the database is open. Lookups are pure reads; any thread.
 */
#pragma once
#include "base/cursor.h"
#include "model/report.h"

struct hf_database;

/* Maps FILE. HF_E_MISSING where there is none, HF_E_FORMAT where it is not a database of this version. */
int hf_database_open(const char *file, struct hf_database **ret, struct hf_err *err);
/* Reads the same from memory, which must stay. */
int hf_database_of_bytes(hf_sv bytes, struct hf_database **ret, struct hf_err *err);
/* The small set that is built into the program; info->landmarks_only is set. */
int hf_database_landmarks(struct hf_database **ret, struct hf_err *err);
/* Fit for hf_cleanup through hf_database_closep; NULL is fine. */
void hf_database_close(struct hf_database *db);
static inline void hf_database_closep(struct hf_database **db)
{
	hf_database_close(*db);
}

/* What it is made of. Views and arrays belong to the database. */
const struct hf_database_info *hf_database_info(const struct hf_database *db);
/* Bytes of the file. */
uint64_t hf_database_size(const struct hf_database *db);
/* True once some lookup met bytes that the layout does not allow. */
bool hf_database_damaged(const struct hf_database *db);

/* Where the database of a user lies: @dir ("--db DIR"), else $XDG_CACHE_HOME/holdfast/db, else
 * $HOME/.cache/holdfast/db; the file in it is "advisories.mdb". Lives in @a; empty where neither variable is set. */
hf_sv hf_database_path(const char *dir, struct hf_arena *a);
/* Opens the user's database, or where there is none the built-in one (@dir NULL only: a folder that was named must hold
 * one). */
int hf_database_open_default(const char *dir, struct hf_database **ret, struct hf_err *err);

/* What is known about an ecosystem (with its release: "Debian:12"). */
struct hf_ecosystem_info {
	uint64_t packages, entries;
	hf_sv source;  /* the feed that gave most of its entries, as in info->sources */
	hf_sv absence; /* what the absence of a record means there */
	hf_sv newest;  /* newest date of a record that speaks of it */
};
/* False where there is no record for it at all. */
bool hf_database_ecosystem(const struct hf_database *db, hf_sv ecosystem, struct hf_ecosystem_info *ret);

/* One affected entry of one package: a cursor's worth of the packed value. */
struct hf_affected_entry {
	uint32_t record;
	enum hf_advisory_state state;
	enum hf_severity severity;
	bool binary_name, unimportant;
	bool git_only; /* it had ranges of commits and nothing that versions can be compared with */
	hf_sv module, channel;
	struct hf_cur arches, ranges, versions; /* hf_affected_entry_text, hf_affected_entry_range take from them */
};

struct hf_entries {
	const struct hf_database *db;
	struct hf_cur cur;
};
/* Walks what is said of one package, name in any spelling (advisory/name.h normalises it), by record number. */
struct hf_entries hf_database_package(const struct hf_database *db, hf_sv ecosystem, hf_sv name);
bool hf_entries_next(struct hf_entries *it, struct hf_affected_entry *ret);
/* The next architecture or version of a list; false at its end. */
bool hf_affected_entry_text(struct hf_cur *list, hf_sv *ret);
bool hf_affected_entry_range(struct hf_cur *list, struct hf_range *ret);

/* A record without what it says of packages. */
struct hf_record {
	hf_sv source, id;
	enum hf_advisory_kind kind;
	enum hf_severity severity;
	hf_sv summary, url, published, modified, withdrawn;
	struct hf_cur aliases, upstream,
		mentions;   /* hf_affected_entry_text takes from them; model/advisory.h says what they are */
	struct hf_cur cvss; /* hf_record_cvss takes from it */
};
bool hf_database_record(const struct hf_database *db, uint32_t record, struct hf_record *ret);
/* Its day of publication (else of its CVE's) as the number 20240131, 0: not known; and whether it was withdrawn. One
 * read. */
uint32_t hf_database_record_date(const struct hf_database *db, uint32_t record, bool *ret_withdrawn);
bool hf_record_cvss(struct hf_cur *list, struct hf_cvss *ret);
/* Numbers of the records that carry @id as their id, an alias, upstream or a mention (letters of any case), ascending.
 */
struct hf_cur hf_database_records_of(const struct hf_database *db, hf_sv id);
bool hf_record_number(struct hf_cur *list, uint32_t *ret);
/* Where a record's affected packages are: keys as hf_database_package takes them. */
bool hf_record_package(const struct hf_database *db, uint32_t record, size_t nth, hf_sv *ret_ecosystem,
		       hf_sv *ret_package);

/* What CVE data and KEV say of a flaw itself. */
struct hf_flaw {
	hf_sv cve, title, published, modified;
	bool rejected;
	struct hf_cur cvss; /* hf_record_cvss takes from it */
	bool kev, kev_ransomware;
	hf_sv kev_added, kev_due;
};
bool hf_database_flaw(const struct hf_database *db, hf_sv cve, struct hf_flaw *ret);
bool hf_database_epss(const struct hf_database *db, hf_sv cve, float *ret_score, float *ret_percentile);

/* The release cycle of a product of endoflife.date ("debian", "12"). False where it is not known. */
bool hf_database_cycle(const struct hf_database *db, hf_sv product, hf_sv cycle, struct hf_release_cycle *ret);
