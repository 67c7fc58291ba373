#include "advisory/database_build.h"

#include <stdlib.h>

#include "advisory/database_layout.h"
#include "advisory/database_write.h"
#include "advisory/name.h"
#include "base/cursor.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/map.h"
#include "model/package.h"
#include "version/version.h"

enum { SUMMARY_MAX = 240, FIELD_SIZE_MAX = 1 << 26 };

struct source {
	hf_sv name, absence, newest;
	uint64_t records, undated, malformed;
};

struct hf_database_builder {
	struct hf_advisory_sink sink; /* first: the readers' view of this */
	struct hf_arena memory;       /* keys and values, until they are written */
	struct hf_arena scratch;      /* one reader's call */
	struct hf_map sources, records, ids, cves;
	HF_VEC(struct source) source_list;
	HF_VEC(hf_sv) record_list;
	struct hf_database_items items;
	struct hf_database_items places;
	struct hf_buf packed; /* what is being put together */
	struct hf_database_totals totals;
	hf_database_malformed *malformed;
	void *ctx;
	hf_sv only;
	hf_sv today;
	hf_sv path;
	const struct hf_advisory_reader *reader;
	size_t source; /* of the file that is read: index + 1, 0: not known yet */
};

static void put_uint(struct hf_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		hf_buf_add_char(b, (char)(v | 0x80));
	hf_buf_add_char(b, (char)v);
}

static void put_text(struct hf_buf *b, hf_sv s)
{
	put_uint(b, s.len);
	hf_buf_add(b, s);
}

static void put_texts(struct hf_buf *b, const hf_sv *list, size_t n)
{
	put_uint(b, n);
	for (size_t i = 0; i < n; i++)
		put_text(b, list[i]);
}

static void put_u32(struct hf_buf *b, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		hf_buf_add_char(b, (char)(v >> 8 * i));
}

static hf_sv upper(struct hf_database_builder *b, char prefix, hf_sv id)
{
	char *key = hf_arena_alloc(&b->memory, id.len + 1, 1);

	if (!key)
		return (hf_sv){ 0 };
	key[0] = prefix;
	for (size_t i = 0; i < id.len; i++)
		key[i + 1] = id.ptr[i] >= 'a' && id.ptr[i] <= 'z' ? (char)(id.ptr[i] & ~0x20) : id.ptr[i];
	return (hf_sv){ key, id.len + 1 };
}

static int over(struct hf_err *err)
{
	return hf_fail(err, HF_E_LIMIT, "more advisories than %llu MiB hold",
		       (unsigned long long)(HF_DATABASE_BUILD_MAX >> 20));
}

/* The source that the path speaks for: "osv/PyPI" for a file below it, else the reader's name. */
static hf_sv source_of_path(const struct hf_database_builder *b)
{
	size_t first = hf_sv_index(b->path, '/');
	size_t second = first == SIZE_MAX ? SIZE_MAX : hf_sv_index(hf_sv_skip(b->path, first + 1), '/');

	if (hf_sv_starts(b->path, HF_SV("osv/")) && second != SIZE_MAX)
		return hf_sv_first(b->path, first + 1 + second);
	if (b->reader && first != SIZE_MAX &&
	    !strcmp(b->reader->name, "secdb")) /* one reader of several distributions */
		return hf_sv_first(b->path, first);
	return hf_sv_of(b->reader ? b->reader->name : "files");
}

static size_t source_named(struct hf_database_builder *b, hf_sv name)
{
	struct hf_map_entry *e = hf_map_find(&b->sources, name);

	if (e)
		return (size_t)(uintptr_t)e->value;
	e = hf_map_put(&b->sources, hf_arena_dup(&b->memory, name));
	struct source *s = hf_vec_push(&b->memory, &b->source_list);
	if (!e || !s)
		return 0;
	s->name = e->key;
	s->absence = hf_sv_of(b->reader ? b->reader->absence : NULL);
	e->value = (void *)(uintptr_t)b->source_list.n;
	return b->source_list.n;
}

static struct source *current_source(struct hf_database_builder *b)
{
	if (!b->source)
		b->source = source_named(b, source_of_path(b));
	return b->source ? &b->source_list.at[b->source - 1] : NULL;
}

static void newer(struct hf_database_builder *b, hf_sv *newest, hf_sv date)
{
	hf_sv day = hf_sv_first(date, 10);

	if (b->today.len && hf_sv_cmp(day, b->today) > 0)
		return;
	if (day.len == 10 && day.ptr[0] >= '1' && hf_sv_cmp(day, *newest) > 0)
		*newest = hf_arena_dup(&b->memory, day);
}

static int on_malformed(struct hf_advisory_sink *sink, hf_sv where, hf_sv why, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);

	if (!s)
		return over(err);
	s->malformed++;
	b->totals.malformed++;
	if (b->malformed)
		b->malformed(b->ctx, s->name, where, why);
	return HF_OK;
}

static hf_sv cut_summary(hf_sv s)
{
	s = hf_sv_trim(hf_sv_first(s, hf_sv_index(s, '\n')));
	if (s.len <= SUMMARY_MAX)
		return s;
	s.len = SUMMARY_MAX;
	while (s.len && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

/* The number of this record; records that differ only in what they say of packages are one. */
static int record_number(struct hf_database_builder *b, const struct hf_advisory *a, size_t source, uint32_t *ret,
			 bool *ret_new, struct hf_err *err)
{
	struct hf_buf *p = &b->packed;

	p->len = 0;
	put_uint(p, source - 1);
	hf_buf_add_char(p, (char)a->kind);
	hf_buf_add_char(p, (char)a->severity);
	put_text(p, a->id);
	put_text(p, cut_summary(a->summary));
	put_text(p, a->url);
	put_text(p, a->published);
	put_text(p, a->modified);
	put_text(p, a->withdrawn);
	put_texts(p, a->aliases, a->aliases_n);
	put_texts(p, a->upstream, a->upstream_n);
	put_texts(p, a->mentions, a->mentions_n);
	put_uint(p, a->cvss_n);
	for (size_t i = 0; i < a->cvss_n; i++) {
		put_text(p, a->cvss[i].source);
		put_text(p, a->cvss[i].vector);
	}
	struct hf_map_entry *e = hf_map_find(&b->records, hf_buf_view(p));
	*ret_new = !e;
	if (!e) {
		e = hf_map_put(&b->records, hf_arena_dup(&b->memory, hf_buf_view(p)));
		hf_sv *slot = hf_vec_push(&b->memory, &b->record_list);
		if (!e || !slot || p->over || b->record_list.n > UINT32_MAX)
			return over(err);
		*slot = e->key;
		e->value = (void *)(uintptr_t)b->record_list.n;
	}
	*ret = (uint32_t)(uintptr_t)e->value - 1;
	return HF_OK;
}

static int add_id(struct hf_database_builder *b, hf_sv id, uint32_t record, struct hf_err *err)
{
	struct hf_buf number = HF_BUF(4);

	if (!id.len || id.len + 1 > HF_DATABASE_KEY_MAX)
		return HF_OK;
	hf_sv key = upper(b, HF_KEY_ID, id);
	put_u32(&number, record);
	hf_sv value = hf_arena_dup(&b->memory, hf_buf_view(&number));
	hf_buf_done(&number);
	struct hf_map_entry *e = hf_map_put(&b->ids, hf_sv_skip(key, 1));
	if (!e || !value.ptr)
		return over(err);
	hf_database_item(&b->items, key, value);
	return HF_OK;
}

static int add_ids(struct hf_database_builder *b, const struct hf_advisory *a, uint32_t record, struct hf_err *err)
{
	int r = add_id(b, a->id, record, err);

	for (size_t i = 0; !r && i < a->aliases_n; i++)
		r = add_id(b, a->aliases[i], record, err);
	for (size_t i = 0; !r && i < a->upstream_n; i++)
		r = add_id(b, a->upstream[i], record, err);
	for (size_t i = 0; !r && i < a->mentions_n; i++)
		r = add_id(b, a->mentions[i], record, err);
	return r;
}

static bool wanted_ecosystem(const struct hf_database_builder *b, hf_sv ecosystem)
{
	hf_sv rest = b->only, one;

	if (!b->only.len)
		return true;
	while (hf_sv_next(&rest, ',', &one)) {
		one = hf_sv_trim(one);
		if (one.len && ecosystem.len >= one.len && hf_sv_eq_ascii(one, hf_sv_first(ecosystem, one.len)) &&
		    (ecosystem.len == one.len || ecosystem.ptr[one.len] == ':'))
			return true;
	}
	return false;
}

/* True where a stretch of comparable versions holds @v already, so that the list need not name it. */
static bool in_ranges(const struct hf_affected *f, const struct hf_version_scheme *scheme, hf_sv v)
{
	for (size_t i = 0; scheme && i < f->ranges_n; i++) {
		const struct hf_range *g = &f->ranges[i];
		if (g->kind == HF_RANGE_GIT)
			continue;
		if (g->introduced.len && !hf_sv_eq(g->introduced, HF_SV("0"))) {
			enum hf_order o = scheme->compare(v, g->introduced);
			if (o != HF_ORDER_EQUAL && o != HF_ORDER_GREATER)
				continue;
		} else if (!scheme->valid(v)) {
			continue;
		}
		hf_sv end = g->fixed.len ? g->fixed : g->last_affected.len ? g->last_affected : g->limit;
		if (end.len) {
			enum hf_order o = scheme->compare(v, end);
			if (o == HF_ORDER_LESS || (o == HF_ORDER_EQUAL && !g->fixed.len && g->last_affected.len))
				return true;
		} else {
			return true;
		}
	}
	return false;
}

static const struct hf_version_scheme *scheme_of(hf_sv ecosystem)
{
	enum hf_package_type type = hf_package_type_of_ecosystem(ecosystem);

	return type == HF_PKG_MAX ? NULL : hf_version_scheme_named(hf_sv_of(hf_package_type_scheme(type)));
}

static void put_ranges(struct hf_buf *p, const struct hf_affected *f, size_t n)
{
	put_uint(p, n);
	for (size_t i = 0; i < f->ranges_n; i++) {
		const struct hf_range *g = &f->ranges[i];
		bool from = g->introduced.len && !hf_sv_eq(g->introduced, HF_SV("0"));
		if (g->kind == HF_RANGE_GIT)
			continue;
		unsigned end = g->fixed.len           ? HF_RANGE_FIXED
			       : g->last_affected.len ? HF_RANGE_LAST
			       : g->limit.len         ? HF_RANGE_LIMIT
						      : 0;
		hf_buf_add_char(p, (char)((g->kind == HF_RANGE_SEMVER) | (from ? HF_RANGE_INTRODUCED : 0) | end));
		if (from)
			put_text(p, g->introduced);
		if (end)
			put_text(p, end == HF_RANGE_FIXED  ? g->fixed
				    : end == HF_RANGE_LAST ? g->last_affected
							   : g->limit);
	}
}

static void put_entry(struct hf_buf *p, uint32_t record, const struct hf_affected *f)
{
	const struct hf_version_scheme *scheme = scheme_of(f->ecosystem);
	size_t ranges = 0, versions = 0;

	for (size_t i = 0; i < f->ranges_n; i++)
		ranges += f->ranges[i].kind != HF_RANGE_GIT;
	for (size_t i = 0; i < f->versions_n; i++)
		versions += !in_ranges(f, scheme, f->versions[i]);
	p->len = 0;
	put_uint(p, record);
	hf_buf_add_char(p, (char)f->state);
	hf_buf_add_char(p, (char)f->severity);
	bool git_only = f->ranges_n && !ranges && !versions;
	hf_buf_add_char(p, (char)((f->binary_name ? HF_ENTRY_BINARY : 0) | (f->unimportant ? HF_ENTRY_UNIMPORTANT : 0) |
				  (git_only ? HF_ENTRY_GIT_ONLY : 0) | (f->module.len ? HF_ENTRY_MODULE : 0) |
				  (f->channel.len ? HF_ENTRY_CHANNEL : 0) | (f->arches_n ? HF_ENTRY_ARCHES : 0) |
				  (ranges ? HF_ENTRY_RANGES : 0) | (versions ? HF_ENTRY_VERSIONS : 0)));
	if (f->module.len)
		put_text(p, f->module);
	if (f->channel.len)
		put_text(p, f->channel);
	if (f->arches_n)
		put_texts(p, f->arches, f->arches_n);
	if (ranges)
		put_ranges(p, f, ranges);
	if (versions)
		put_uint(p, versions);
	for (size_t i = 0; i < f->versions_n && versions; i++)
		if (!in_ranges(f, scheme, f->versions[i]))
			put_text(p, f->versions[i]);
}

static int add_entry(struct hf_database_builder *b, uint32_t record, const struct hf_affected *f, struct hf_err *err)
{
	char key[HF_DATABASE_KEY_MAX];
	size_t n = hf_package_key(f->ecosystem, f->package, key);

	if (!n)
		return on_malformed(&b->sink, f->package,
				    HF_SV("a package name of this length (or none) has no place in the database"), err);
	put_entry(&b->packed, record, f);
	hf_sv name = hf_arena_dup(&b->memory, (hf_sv){ key, n });
	hf_sv value = hf_arena_dup(&b->memory, hf_buf_view(&b->packed));
	if (b->memory.over || b->packed.over)
		return over(err);
	hf_database_item(&b->items, name, value);
	/* A jar without a group is looked up by its artifact alone, to say that it can't be told. */
	size_t colon = hf_sv_last_index(f->package, ':');
	hf_sv artifact = colon == SIZE_MAX ? (hf_sv){ 0 } : hf_sv_skip(f->package, colon);
	if (artifact.len > 1 && hf_sv_eq(f->ecosystem, HF_SV("Maven")) &&
	    (n = hf_package_key(f->ecosystem, artifact, key)))
		hf_database_item(&b->items, hf_arena_dup(&b->memory, (hf_sv){ key, n }), value);
	hf_database_place(&b->places, record, hf_sv_skip(name, 1));
	b->totals.entries++;
	return HF_OK;
}

static int on_advisory(struct hf_advisory_sink *sink, const struct hf_advisory *a, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	size_t source = a->source.len ? source_named(b, a->source) : 0;
	uint32_t record = 0;
	bool fresh, any = !b->only.len;

	if (!source)
		source = current_source(b) ? b->source : 0;
	if (!source)
		return over(err);
	b->source = source;
	for (size_t i = 0; i < a->affected_n && !any; i++)
		any = wanted_ecosystem(b, a->affected[i].ecosystem);
	if (!any)
		return HF_OK;
	int r = record_number(b, a, source, &record, &fresh, err);
	if (r)
		return r;
	if (fresh) {
		struct source *s = &b->source_list.at[source - 1];
		s->records++;
		s->undated += !a->modified.len && !a->published.len;
		newer(b, &s->newest, a->modified.len ? a->modified : a->published);
		b->totals.records++;
		b->totals.withdrawn += a->withdrawn.len > 0;
		b->totals.bugfix += a->kind == HF_ADVISORY_BUGFIX;
		r = add_ids(b, a, record, err);
	}
	for (size_t i = 0; !r && i < a->affected_n; i++)
		if (wanted_ecosystem(b, a->affected[i].ecosystem) && a->kind != HF_ADVISORY_BUGFIX)
			r = add_entry(b, record, &a->affected[i], err);
	return r;
}

/* CVE data and KEV of one flaw come from different files and meet here. */
struct flaw {
	hf_sv title, published, modified, kev_added, kev_due;
	hf_sv cvss; /* packed, with its count */
	bool rejected, kev, ransomware;
};

static struct flaw *flaw_of(struct hf_database_builder *b, hf_sv cve)
{
	hf_sv key = upper(b, HF_KEY_FLAW, cve);
	struct hf_map_entry *e = hf_map_put(&b->cves, key);

	if (!e)
		return NULL;
	if (!e->value)
		e->value = hf_arena_new(&b->memory, struct flaw);
	return e->value;
}

static int on_kev(struct hf_advisory_sink *sink, const struct hf_kev *k, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);
	struct flaw *f = flaw_of(b, k->cve);

	if (!f || !s)
		return over(err);
	f->kev = true;
	f->ransomware = k->ransomware;
	f->kev_added = hf_arena_dup(&b->memory, k->date_added);
	f->kev_due = hf_arena_dup(&b->memory, k->due_date);
	s->records++;
	newer(b, &s->newest, k->date_added);
	return HF_OK;
}

static int on_cve(struct hf_advisory_sink *sink, const struct hf_cve *c, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);
	struct flaw *f = flaw_of(b, c->cve);

	if (!f || !s)
		return over(err);
	b->packed.len = 0;
	put_uint(&b->packed, c->cvss_n);
	for (size_t i = 0; i < c->cvss_n; i++) {
		put_text(&b->packed, c->cvss[i].source);
		put_text(&b->packed, c->cvss[i].vector);
	}
	f->cvss = hf_arena_dup(&b->memory, hf_buf_view(&b->packed));
	f->title = hf_arena_dup(&b->memory, cut_summary(c->title));
	f->published = hf_arena_dup(&b->memory, c->published);
	f->modified = hf_arena_dup(&b->memory, c->modified);
	f->rejected = c->rejected;
	s->records++;
	newer(b, &s->newest, c->modified.len ? c->modified : c->published);
	return HF_OK;
}

static int on_epss(struct hf_advisory_sink *sink, const struct hf_epss *e, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);
	uint32_t number;

	if (!s)
		return over(err);
	if (!hf_cve_number(e->cve, &number) || !(e->score >= 0 && e->score <= 1) ||
	    !(e->percentile >= 0 && e->percentile <= 1))
		return on_malformed(sink, e->cve, HF_SV("not a CVE id with two probabilities"), err);
	hf_database_epss_add(&b->items, number, (uint32_t)(e->score * 1e6f + 0.5f),
			     (uint32_t)(e->percentile * 1e6f + 0.5f));
	s->records++;
	b->totals.epss++;
	return HF_OK;
}

static int on_cycle(struct hf_advisory_sink *sink, const struct hf_release_cycle *c, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);
	const hf_sv fields[] = {
		c->cycle, c->codename, c->released, c->end_of_support, c->end_of_life, c->extended_end
	};

	b->packed.len = 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(fields); i++)
		put_text(&b->packed, fields[i]);
	hf_buf_add_char(&b->packed, c->ended_no_date);
	hf_sv key = hf_arena_fmt(&b->memory, "%c%.*s", HF_KEY_PRODUCT, HF_SV_FMT(c->product));
	hf_sv value = hf_arena_dup(&b->memory, hf_buf_view(&b->packed));
	if (!s || b->memory.over)
		return over(err);
	if (key.len > HF_DATABASE_KEY_MAX)
		return on_malformed(sink, c->product,
				    HF_SV("a product name of this length has no place in the database"), err);
	hf_database_item(&b->items, key, value);
	s->records++;
	newer(b, &s->newest, c->released);
	b->totals.cycles++;
	return HF_OK;
}

static int on_dated(struct hf_advisory_sink *sink, hf_sv date, struct hf_err *err)
{
	struct hf_database_builder *b = (struct hf_database_builder *)sink;
	struct source *s = current_source(b);

	if (!s)
		return over(err);
	newer(b, &s->newest, date);
	return HF_OK;
}

struct hf_database_builder *hf_database_builder_new(hf_database_malformed *malformed, void *ctx)
{
	struct hf_database_builder *b = hf_calloc(1, sizeof *b);

	b->sink = (struct hf_advisory_sink){ on_advisory, on_kev, on_epss, on_cve, on_cycle, on_malformed, on_dated };
	b->memory = HF_ARENA(HF_DATABASE_BUILD_MAX);
	b->scratch = HF_ARENA(HF_DATABASE_SCRATCH_MAX);
	b->packed = HF_BUF(FIELD_SIZE_MAX);
	b->sources = HF_MAP(&b->memory);
	b->records = HF_MAP(&b->memory);
	b->ids = HF_MAP(&b->memory);
	b->cves = HF_MAP(&b->memory);
	b->malformed = malformed;
	b->ctx = ctx;
	return b;
}

void hf_database_builder_free(struct hf_database_builder *b)
{
	if (!b)
		return;
	hf_database_items_done(&b->items);
	hf_database_items_done(&b->places);
	hf_buf_done(&b->packed);
	hf_arena_done(&b->scratch);
	hf_arena_done(&b->memory);
	free(b);
}

void hf_database_builder_today(struct hf_database_builder *b, hf_sv day)
{
	b->today = hf_sv_first(day, 10);
}

void hf_database_builder_only(struct hf_database_builder *b, hf_sv ecosystems)
{
	b->only = ecosystems;
}

static bool wants(const struct hf_advisory_reader *reader, hf_sv path)
{
	bool yes = false;

	for (const char *const *g = reader->wants; g && *g; g++) {
		bool no = **g == '!';
		if (hf_glob_match(hf_sv_of(*g + no), path))
			yes = !no;
	}
	return yes;
}

bool hf_database_builder_wants(const struct hf_database_builder *b, hf_sv path)
{
	(void)b;
	for (size_t i = 0; hf_advisory_readers[i]; i++)
		if (wants(hf_advisory_readers[i], path))
			return true;
	return false;
}

int hf_database_builder_file(struct hf_database_builder *b, hf_sv path, hf_sv bytes, struct hf_err *err)
{
	uint64_t before = b->totals.malformed;

	b->path = path;
	for (size_t i = 0; hf_advisory_readers[i]; i++) {
		struct hf_err why = { 0 };
		if (!wants(hf_advisory_readers[i], path))
			continue;
		b->reader = hf_advisory_readers[i];
		b->source = 0;
		int r = b->reader->read(path, bytes, &b->scratch, &b->sink, &why);
		hf_arena_reset(&b->scratch);
		if (b->memory.over)
			return over(err);
		if (r < 0)
			r = on_malformed(&b->sink, path, hf_sv_of(why.msg), err);
		if (r < 0)
			return r;
	}
	b->reader = NULL;
	return b->totals.malformed > before ? HF_PARTIAL : HF_OK;
}

void hf_database_builder_unreadable(struct hf_database_builder *b, hf_sv path, hf_sv why)
{
	b->path = path;
	b->source = 0;
	for (size_t i = 0; hf_advisory_readers[i] && !b->reader; i++)
		if (wants(hf_advisory_readers[i], path))
			b->reader = hf_advisory_readers[i];
	(void)on_malformed(&b->sink, path, why, NULL);
	b->reader = NULL;
}

struct hf_database_totals hf_database_builder_totals(const struct hf_database_builder *b)
{
	return b->totals;
}

/* CVE data is kept for flaws that something else speaks of; KEV always. */
static void add_flaws(struct hf_database_builder *b)
{
	for (size_t i = 0; i < b->cves.n; i++) {
		const struct flaw *f = b->cves.entries[i].value;
		hf_sv key = b->cves.entries[i].key;
		if (!f || (!f->kev && !hf_map_find(&b->ids, hf_sv_skip(key, 1))))
			continue;
		b->packed.len = 0;
		hf_buf_add_char(&b->packed, (char)((f->rejected ? HF_FLAW_REJECTED : 0) | (f->kev ? HF_FLAW_KEV : 0) |
						   (f->ransomware ? HF_FLAW_RANSOMWARE : 0)));
		put_text(&b->packed, f->kev_added);
		put_text(&b->packed, f->kev_due);
		put_text(&b->packed, f->title);
		put_text(&b->packed, f->published);
		put_text(&b->packed, f->modified);
		if (f->cvss.len)
			hf_buf_add(&b->packed, f->cvss);
		else
			put_uint(&b->packed, 0);
		if (key.len <= HF_DATABASE_KEY_MAX)
			hf_database_item(&b->items, key, hf_arena_dup(&b->memory, hf_buf_view(&b->packed)));
		b->totals.flaws++;
	}
}

struct ecosystem {
	hf_sv name, newest;
	uint64_t packages, entries;
	size_t *by_source; /* entries of each source */
};

/* The source and date of the record that a packed entry begins with. */
static void count_entry(struct hf_database_builder *b, struct ecosystem *e, hf_sv value)
{
	struct hf_cur c = hf_cur_of(value);
	uint64_t record = hf_cur_uvarint(&c);
	struct hf_cur r = hf_cur_of(b->record_list.at[record]);
	hf_sv field[5];

	e->entries++;
	e->by_source[hf_cur_uvarint(&r)]++;
	hf_cur_take(&r, 2);
	for (size_t i = 0; i < HF_ARRAY_SIZE(field); i++)
		field[i] = hf_cur_take(&r, hf_cur_uvarint(&r));
	newer(b, &e->newest, field[4].len ? field[4] : field[3]);
}

static void end_ecosystem(struct hf_database_builder *b, const struct ecosystem *e)
{
	size_t most = 0;

	for (size_t i = 0; i < b->source_list.n; i++)
		if (e->by_source[i] > e->by_source[most])
			most = i;
	b->packed.len = 0;
	put_uint(&b->packed, e->packages);
	put_uint(&b->packed, e->entries);
	put_text(&b->packed, b->source_list.at[most].name);
	put_text(&b->packed, e->newest);
	hf_database_item(&b->items, hf_arena_fmt(&b->memory, "%c%.*s", HF_KEY_ECOSYSTEM, HF_SV_FMT(e->name)),
			 hf_arena_dup(&b->memory, hf_buf_view(&b->packed)));
}

/* One pass over the sorted packages gives what is known about each ecosystem. */
static void add_ecosystems(struct hf_database_builder *b)
{
	struct ecosystem e = { 0 };
	hf_sv last = { 0 };
	size_t n = b->items.items_n;

	e.by_source = hf_calloc(b->source_list.n + 1, sizeof *e.by_source);
	for (size_t i = 0; i < n; i++) {
		hf_sv key = b->items.items[i].key, ecosystem, name;
		if (key.ptr[0] != HF_KEY_PACKAGE || !hf_sv_cut(hf_sv_skip(key, 1), '\0', &ecosystem, &name))
			continue;
		if (!hf_sv_eq(ecosystem, e.name)) {
			if (e.entries)
				end_ecosystem(b, &e);
			memset(e.by_source, 0, b->source_list.n * sizeof *e.by_source);
			e = (struct ecosystem){ .name = ecosystem, .by_source = e.by_source };
		}
		if (name.len && name.ptr[0] == ':')
			continue;
		e.packages += !hf_sv_eq(key, last);
		b->totals.packages += !hf_sv_eq(key, last);
		last = key;
		count_entry(b, &e, b->items.items[i].value);
	}
	if (e.entries)
		end_ecosystem(b, &e);
	free(e.by_source);
}

static hf_sv record_field(struct hf_cur *c)
{
	return hf_cur_take(c, hf_cur_uvarint(c));
}

static uint32_t day_number(hf_sv date)
{
	uint64_t y, m, d;

	if (date.len < 10 || !hf_sv_to_u64(hf_sv_first(date, 4), &y) || !hf_sv_to_u64(hf_sv_slice(date, 5, 2), &m) ||
	    !hf_sv_to_u64(hf_sv_slice(date, 8, 2), &d) || y < 1980)
		return 0;
	return (uint32_t)(y * 10000 + m * 100 + d);
}

/* A record's own date, else that of the first CVE among its id, aliases and upstream ids that has one. */
static uint32_t record_date(struct hf_database_builder *b, hf_sv packed)
{
	struct hf_cur c = hf_cur_of(packed);
	hf_sv field[6]; /* id, summary, url, published, modified, withdrawn */

	hf_cur_uvarint(&c);
	hf_cur_take(&c, 2);
	for (size_t i = 0; i < HF_ARRAY_SIZE(field); i++)
		field[i] = record_field(&c);
	uint32_t date = day_number(field[3]), gone = field[5].len ? HF_DATE_WITHDRAWN : 0;
	hf_sv id = field[0];
	for (unsigned list = 0; !date && list < 3; list++)
		for (uint64_t n = list ? hf_cur_uvarint(&c) : 1; n && !date; n--) {
			if (list)
				id = record_field(&c);
			struct hf_map_entry *e = hf_map_find(&b->cves, upper(b, HF_KEY_FLAW, id));
			if (e && e->value)
				date = day_number(((const struct flaw *)e->value)->published);
		}
	return date | gone;
}

static void add_blob(struct hf_database_builder *b, hf_sv name, const struct hf_buf *bytes)
{
	hf_database_item(&b->items, name, hf_buf_view(bytes));
}

static void pack_info(struct hf_database_builder *b, hf_sv built, bool landmarks_only)
{
	b->packed.len = 0;
	put_text(&b->packed, HF_SV(HF_DATABASE_SCHEMA));
	put_text(&b->packed, built);
	hf_buf_add_char(&b->packed, landmarks_only);
	put_uint(&b->packed, b->source_list.n);
	for (size_t i = 0; i < b->source_list.n; i++) {
		const struct source *s = &b->source_list.at[i];
		put_text(&b->packed, s->name);
		/* The newest of the few dates of a feed without dates (Go's) says nothing of the feed's age. */
		put_text(&b->packed, s->undated > s->records / 2 ? (hf_sv){ 0 } : s->newest);
		put_text(&b->packed, landmarks_only ? HF_SV("only some famous flaws are known: no record says nothing")
						    : s->absence);
		put_uint(&b->packed, s->records);
		put_uint(&b->packed, s->malformed);
	}
	hf_database_item(&b->items, HF_SV(HF_BLOB_INFO), hf_arena_dup(&b->memory, hf_buf_view(&b->packed)));
}

int hf_database_builder_write(struct hf_database_builder *b, const char *file, hf_sv built, bool landmarks_only,
			      struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf records = HF_BUF(UINT32_MAX), offsets = HF_BUF(UINT32_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf places = HF_BUF(UINT32_MAX), places_at = HF_BUF(UINT32_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf epss = HF_BUF(UINT32_MAX), dates = HF_BUF(UINT32_MAX);

	for (size_t i = 0; i < b->record_list.n; i++) {
		put_u32(&offsets, (uint32_t)records.len);
		hf_buf_add(&records, b->record_list.at[i]);
		put_u32(&dates, record_date(b, b->record_list.at[i]));
	}
	put_u32(&offsets, (uint32_t)records.len);
	hf_database_places_pack(&b->places, b->record_list.n, &places, &places_at);
	hf_database_epss_pack(&b->items, &epss);
	add_blob(b, HF_SV(HF_BLOB_RECORDS), &records);
	add_blob(b, HF_SV(HF_BLOB_OFFSETS), &offsets);
	add_blob(b, HF_SV(HF_BLOB_PLACES), &places);
	add_blob(b, HF_SV(HF_BLOB_PLACES_AT), &places_at);
	add_blob(b, HF_SV(HF_BLOB_DATES), &dates);
	add_blob(b, HF_SV(HF_BLOB_EPSS), &epss);
	pack_info(b, built, landmarks_only);
	add_flaws(b);
	hf_database_items_sort(&b->items);
	add_ecosystems(b);
	hf_database_items_sort(&b->items);
	if (records.over || places.over || b->memory.over)
		return over(err);
	return hf_database_items_write(&b->items, file, err);
}
