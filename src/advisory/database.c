#include "advisory/database.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advisory/database_layout.h"
#include "advisory/name.h"
#include "advisory/pages.h"

struct hf_database {
	hf_sv file;
	bool mapped;
	struct hf_pages pages;
	_Atomic bool damaged;
	hf_sv records, offsets, places, places_at, dates, epss;
	struct hf_database_info info;
	struct hf_database_source *sources;
};

static hf_sv text(struct hf_cur *c)
{
	return hf_cur_take(c, hf_cur_uvarint(c));
}

/* A list is handed out as the bytes that its elements take: they are passed over once here, read again by who wants
 * them. */
static struct hf_cur list_of(struct hf_cur *c, unsigned texts_each)
{
	uint64_t n = hf_cur_uvarint(c);
	size_t from = c->at;

	for (uint64_t i = 0; i < n * texts_each && !c->failed; i++)
		text(c);
	return hf_cur_of(c->failed ? (hf_sv){ 0 } : hf_sv_slice(c->all, from, c->at - from));
}

static bool get(const struct hf_database *db, hf_sv key, hf_sv *ret)
{
	bool damaged = false;
	bool there = hf_pages_get(&db->pages, key, ret, &damaged);

	if (damaged)
		((struct hf_database *)db)->damaged = true;
	return there;
}

static bool sound(const struct hf_database *db, const struct hf_cur *c)
{
	if (c->failed)
		((struct hf_database *)db)->damaged = true;
	return !c->failed;
}

static bool get_prefixed(const struct hf_database *db, char prefix, hf_sv id, bool upper, hf_sv *ret)
{
	char key[HF_DATABASE_KEY_MAX];

	if (id.len + 1 > sizeof key)
		return false;
	key[0] = prefix;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		key[i + 1] = upper && c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
	}
	return get(db, (hf_sv){ key, id.len + 1 }, ret);
}

static int read_info(struct hf_database *db, struct hf_err *err)
{
	hf_sv value;

	if (!get(db, HF_SV(HF_BLOB_INFO), &value))
		return hf_fail(err, HF_E_FORMAT, "not a database of advisories");
	struct hf_cur c = hf_cur_of(value);
	if (!hf_sv_eq(text(&c), HF_SV(HF_DATABASE_SCHEMA)))
		return hf_fail(err, HF_E_FORMAT,
			       "the database is of another version of this program: run 'holdfast db build' again");
	db->info.present = true;
	db->info.built = text(&c);
	db->info.landmarks_only = hf_cur_u8(&c);
	uint64_t n = hf_cur_uvarint(&c);
	if (n > hf_cur_left(&c))
		return hf_fail(err, HF_E_FORMAT, "the database is damaged");
	db->sources = hf_calloc(n ? n : 1, sizeof *db->sources);
	db->info.sources = db->sources;
	for (uint64_t i = 0; i < n && !c.failed; i++, db->info.sources_n++) {
		struct hf_database_source *s = &db->sources[i];
		s->name = text(&c);
		s->newest = text(&c);
		s->absence = text(&c);
		s->records = hf_cur_uvarint(&c);
		s->malformed = hf_cur_uvarint(&c);
	}
	return c.failed ? hf_fail(err, HF_E_FORMAT, "the database is damaged") : HF_OK;
}

int hf_database_of_bytes(hf_sv bytes, struct hf_database **ret, struct hf_err *err)
{
	struct hf_database *db = hf_calloc(1, sizeof *db);
	int r = hf_pages_open(bytes, &db->pages, err);

	db->file = bytes;
	if (!r)
		r = read_info(db, err);
	if (r) {
		hf_database_close(db);
		return r;
	}
	get(db, HF_SV(HF_BLOB_RECORDS), &db->records);
	get(db, HF_SV(HF_BLOB_OFFSETS), &db->offsets);
	get(db, HF_SV(HF_BLOB_PLACES), &db->places);
	get(db, HF_SV(HF_BLOB_PLACES_AT), &db->places_at);
	get(db, HF_SV(HF_BLOB_DATES), &db->dates);
	get(db, HF_SV(HF_BLOB_EPSS), &db->epss);
	*ret = db;
	return HF_OK;
}

int hf_database_open(const char *file, struct hf_database **ret, struct hf_err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return hf_fail_errno(err, "%s", file);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		close(fd);
		return hf_fail(err, HF_E_FORMAT, "%s: not a database of this program", file);
	}
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return hf_fail_errno(err, "%s", file);
	int r = hf_database_of_bytes((hf_sv){ at, (size_t)st.st_size }, ret, err);
	if (r) {
		munmap(at, (size_t)st.st_size);
		return hf_wrap(err, "%s", file);
	}
	(*ret)->mapped = true;
	return HF_OK;
}

void hf_database_close(struct hf_database *db)
{
	if (!db)
		return;
	if (db->mapped)
		munmap((void *)db->file.ptr, db->file.len);
	free(db->sources);
	free(db);
}

const struct hf_database_info *hf_database_info(const struct hf_database *db)
{
	return &db->info;
}

uint64_t hf_database_size(const struct hf_database *db)
{
	return db->file.len;
}

bool hf_database_damaged(const struct hf_database *db)
{
	return db->damaged;
}

hf_sv hf_database_path(const char *dir, struct hf_arena *a)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (dir)
		return hf_arena_fmt(a, "%s/advisories.mdb", dir);
	if (cache && *cache)
		return hf_arena_fmt(a, "%s/holdfast/db/advisories.mdb", cache);
	if (home && *home)
		return hf_arena_fmt(a, "%s/.cache/holdfast/db/advisories.mdb", home);
	return (hf_sv){ 0 };
}

int hf_database_open_default(const char *dir, struct hf_database **ret, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	hf_sv path = hf_database_path(dir, &a);
	struct hf_err first = { 0 };

	if (!path.len && !dir)
		return hf_database_landmarks(ret, err);
	int r = hf_database_open(path.ptr, ret, &first);
	if (r == HF_E_MISSING && !dir)
		return hf_database_landmarks(ret, err);
	if (r == HF_E_MISSING)
		return hf_fail(err, r, "%s (make one with 'holdfast db build --db %s')", first.msg, dir);
	if (r && err)
		*err = first;
	return r;
}

bool hf_database_ecosystem(const struct hf_database *db, hf_sv ecosystem, struct hf_ecosystem_info *ret)
{
	hf_sv value;

	if (!get_prefixed(db, HF_KEY_ECOSYSTEM, ecosystem, false, &value))
		return false;
	struct hf_cur c = hf_cur_of(value);
	*ret = (struct hf_ecosystem_info){ 0 };
	ret->packages = hf_cur_uvarint(&c);
	ret->entries = hf_cur_uvarint(&c);
	ret->source = text(&c);
	ret->newest = text(&c);
	for (size_t i = 0; i < db->info.sources_n; i++)
		if (hf_sv_eq(db->info.sources[i].name, ret->source))
			ret->absence = db->info.sources[i].absence;
	return sound(db, &c);
}

struct hf_entries hf_database_package(const struct hf_database *db, hf_sv ecosystem, hf_sv name)
{
	char key[HF_DATABASE_KEY_MAX];
	size_t n = hf_package_key(ecosystem, name, key);
	hf_sv value = { 0 };

	if (!n || !get(db, (hf_sv){ key, n }, &value))
		return (struct hf_entries){ .db = db };
	return (struct hf_entries){ db, hf_cur_of(value) };
}

static struct hf_cur ranges_of(struct hf_cur *c)
{
	uint64_t n = hf_cur_uvarint(c);
	size_t from = c->at;

	for (uint64_t i = 0; i < n && !c->failed; i++) {
		uint8_t flags = hf_cur_u8(c);
		for (unsigned bit = HF_RANGE_INTRODUCED; bit <= HF_RANGE_LIMIT; bit <<= 1)
			if (flags & bit)
				text(c);
	}
	return hf_cur_of(c->failed ? (hf_sv){ 0 } : hf_sv_slice(c->all, from, c->at - from));
}

bool hf_entries_next(struct hf_entries *it, struct hf_affected_entry *ret)
{
	struct hf_cur *c = &it->cur;

	if (c->failed || !hf_cur_left(c))
		return false;
	*ret = (struct hf_affected_entry){ 0 };
	uint64_t record = hf_cur_uvarint(c);
	uint8_t state = hf_cur_u8(c), severity = hf_cur_u8(c), flags = hf_cur_u8(c);
	if (record > UINT32_MAX || state >= HF_STATE_MAX || severity >= HF_SEV_MAX)
		c->failed = true;
	ret->record = (uint32_t)record;
	ret->state = (enum hf_advisory_state)state;
	ret->severity = (enum hf_severity)severity;
	ret->binary_name = flags & HF_ENTRY_BINARY;
	ret->unimportant = flags & HF_ENTRY_UNIMPORTANT;
	ret->git_only = flags & HF_ENTRY_GIT_ONLY;
	if (flags & HF_ENTRY_MODULE)
		ret->module = text(c);
	if (flags & HF_ENTRY_CHANNEL)
		ret->channel = text(c);
	if (flags & HF_ENTRY_ARCHES)
		ret->arches = list_of(c, 1);
	if (flags & HF_ENTRY_RANGES)
		ret->ranges = ranges_of(c);
	if (flags & HF_ENTRY_VERSIONS)
		ret->versions = list_of(c, 1);
	return sound(it->db, c);
}

bool hf_affected_entry_text(struct hf_cur *list, hf_sv *ret)
{
	if (list->failed || !hf_cur_left(list))
		return false;
	*ret = text(list);
	return !list->failed;
}

bool hf_affected_entry_range(struct hf_cur *list, struct hf_range *ret)
{
	if (list->failed || !hf_cur_left(list))
		return false;
	uint8_t flags = hf_cur_u8(list);
	*ret = (struct hf_range){ .kind = flags & 1 ? HF_RANGE_SEMVER : HF_RANGE_ECOSYSTEM };
	if (flags & HF_RANGE_INTRODUCED)
		ret->introduced = text(list);
	if (flags & HF_RANGE_FIXED)
		ret->fixed = text(list);
	if (flags & HF_RANGE_LAST)
		ret->last_affected = text(list);
	if (flags & HF_RANGE_LIMIT)
		ret->limit = text(list);
	return !list->failed;
}

/* Element @n of a blob that a list of offsets divides. */
static bool element(const struct hf_database *db, hf_sv blob, hf_sv offsets, uint32_t n, struct hf_cur *ret)
{
	struct hf_cur at = hf_cur_of(offsets);

	hf_cur_seek(&at, (uint64_t)n * 4);
	uint32_t from = hf_cur_u32le(&at), to = hf_cur_u32le(&at);
	if (at.failed || from > to || to > blob.len) {
		((struct hf_database *)db)->damaged = true;
		return false;
	}
	*ret = hf_cur_of(hf_sv_slice(blob, from, to - from));
	return true;
}

bool hf_database_record(const struct hf_database *db, uint32_t record, struct hf_record *ret)
{
	struct hf_cur c;

	*ret = (struct hf_record){ 0 };
	if (!element(db, db->records, db->offsets, record, &c))
		return false;
	uint64_t source = hf_cur_uvarint(&c);
	uint8_t kind = hf_cur_u8(&c), severity = hf_cur_u8(&c);
	if (source >= db->info.sources_n || kind > HF_ADVISORY_BUGFIX || severity >= HF_SEV_MAX)
		c.failed = true;
	else
		ret->source = db->info.sources[source].name;
	ret->kind = (enum hf_advisory_kind)kind;
	ret->severity = (enum hf_severity)severity;
	ret->id = text(&c);
	ret->summary = text(&c);
	ret->url = text(&c);
	ret->published = text(&c);
	ret->modified = text(&c);
	ret->withdrawn = text(&c);
	ret->aliases = list_of(&c, 1);
	ret->upstream = list_of(&c, 1);
	ret->mentions = list_of(&c, 1);
	ret->cvss = list_of(&c, 2);
	return sound(db, &c);
}

uint32_t hf_database_record_date(const struct hf_database *db, uint32_t record, bool *ret_withdrawn)
{
	struct hf_cur c = hf_cur_of(db->dates);

	hf_cur_seek(&c, (uint64_t)record * 4);
	uint32_t date = hf_cur_u32le(&c);
	sound(db, &c);
	*ret_withdrawn = date & HF_DATE_WITHDRAWN;
	return date & ~HF_DATE_WITHDRAWN;
}

bool hf_record_cvss(struct hf_cur *list, struct hf_cvss *ret)
{
	return hf_affected_entry_text(list, &ret->source) && hf_affected_entry_text(list, &ret->vector);
}

struct hf_cur hf_database_records_of(const struct hf_database *db, hf_sv id)
{
	hf_sv value = { 0 };

	get_prefixed(db, HF_KEY_ID, id, true, &value);
	return hf_cur_of(value);
}

bool hf_record_number(struct hf_cur *list, uint32_t *ret)
{
	if (list->failed || hf_cur_left(list) < 4)
		return false;
	*ret = hf_cur_u32le(list);
	return true;
}

bool hf_record_package(const struct hf_database *db, uint32_t record, size_t nth, hf_sv *ret_ecosystem,
		       hf_sv *ret_package)
{
	struct hf_cur c;
	hf_sv key;

	if (!element(db, db->places, db->places_at, record, &c))
		return false;
	do {
		if (!hf_affected_entry_text(&c, &key))
			return false;
	} while (nth--);
	return hf_sv_cut(key, '\0', ret_ecosystem, ret_package);
}

bool hf_database_flaw(const struct hf_database *db, hf_sv cve, struct hf_flaw *ret)
{
	hf_sv value;

	*ret = (struct hf_flaw){ .cve = cve };
	if (!get_prefixed(db, HF_KEY_FLAW, cve, true, &value))
		return false;
	struct hf_cur c = hf_cur_of(value);
	uint8_t flags = hf_cur_u8(&c);
	ret->rejected = flags & HF_FLAW_REJECTED;
	ret->kev = flags & HF_FLAW_KEV;
	ret->kev_ransomware = flags & HF_FLAW_RANSOMWARE;
	ret->kev_added = text(&c);
	ret->kev_due = text(&c);
	ret->title = text(&c);
	ret->published = text(&c);
	ret->modified = text(&c);
	ret->cvss = list_of(&c, 2);
	return sound(db, &c);
}

bool hf_cve_number(hf_sv cve, uint32_t *ret)
{
	hf_sv year, number;
	uint64_t y, n;

	if (cve.len < 10 || !hf_sv_eq_ascii(hf_sv_first(cve, 4), HF_SV("CVE-")) ||
	    !hf_sv_cut(hf_sv_skip(cve, 4), '-', &year, &number) || !hf_sv_to_u64(year, &y) || !hf_sv_to_u64(number, &n))
		return false;
	if (y < 1999 || y > 1999 + 63 || n >= 1u << 26)
		return false;
	*ret = (uint32_t)(y - 1999) << 26 | (uint32_t)n;
	return true;
}

bool hf_database_epss(const struct hf_database *db, hf_sv cve, float *ret_score, float *ret_percentile)
{
	uint32_t want;
	size_t low = 0, high = db->epss.len / HF_EPSS_SIZE;

	if (!hf_cve_number(cve, &want))
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct hf_cur c = hf_cur_of(hf_sv_slice(db->epss, middle * HF_EPSS_SIZE, HF_EPSS_SIZE));
		uint32_t have = hf_cur_u32le(&c);
		if (have == want) {
			*ret_score = (float)hf_cur_u32le(&c) / 1e6f;
			*ret_percentile = (float)hf_cur_u32le(&c) / 1e6f;
			return true;
		}
		if (have < want)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool hf_database_cycle(const struct hf_database *db, hf_sv product, hf_sv cycle, struct hf_release_cycle *ret)
{
	hf_sv value;

	if (!get_prefixed(db, HF_KEY_PRODUCT, product, false, &value))
		return false;
	for (struct hf_cur c = hf_cur_of(value); hf_cur_left(&c) && !c.failed;) {
		struct hf_release_cycle have = { .product = product };
		have.cycle = text(&c);
		have.codename = text(&c);
		have.released = text(&c);
		have.end_of_support = text(&c);
		have.end_of_life = text(&c);
		have.extended_end = text(&c);
		have.ended_no_date = hf_cur_u8(&c);
		if (!sound(db, &c) || !hf_sv_eq(have.cycle, cycle))
			continue;
		*ret = have;
		return true;
	}
	return false;
}

/* The assembler file that embeds the landmarks is linked into the program alone. */
extern const char hf_landmarks_begin[] __attribute__((weak, visibility("default")));
extern const char hf_landmarks_end[] __attribute__((weak, visibility("default")));

int hf_database_landmarks(struct hf_database **ret, struct hf_err *err)
{
	if (!hf_landmarks_begin)
		return hf_fail(err, HF_E_MISSING,
			       "there is no database, and none is built in: make one with 'holdfast db build'");
	return hf_database_of_bytes((hf_sv){ hf_landmarks_begin, (size_t)(hf_landmarks_end - hf_landmarks_begin) }, ret,
				    err);
}
