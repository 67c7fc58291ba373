/* Ranges of an OSV record: https://ossf.github.io/osv-schema/#affectedranges-field and the evaluation algorithm of the
 * schema's version 1.7. */
#include "advisory/osv.h"
#include "model/package.h"
#include "version/digits.h"

struct event {
	hf_sv what, version;
};

typedef HF_VEC(struct event) event_vec;

struct range_reader {
	struct hf_osv_record *rec;
	const struct hf_version_scheme *scheme; /* NULL: none is known for the ecosystem */
	hf_range_vec *ranges;
	struct hf_range range; /* what the stretch that is being read has so far */
	bool begun, ended;
	bool sorted; /* the events were put into the order of the versions */
};

/* "13.0" is 13.0.0, "1.0-rc1" 1.0.0-rc1 and "1.9.0b1" 1.9.0-b1, as node-semver's ranges and loose versions have it;
 * "1.1.0-*" is the first of all pre-releases of 1.1.0. */
static hf_sv written_out_semver(struct hf_arena *a, hf_sv v)
{
	size_t at = 0, numbers = 0;

	for (;; at++) {
		hf_sv number = hf_digits_at(v, at);
		if (!number.len)
			return v;
		at += number.len;
		if (++numbers == 3 || hf_char_at(v, at) != '.')
			break;
	}
	hf_sv rest = hf_sv_skip(v, at);
	static const hf_sv missing[] = { { 0 }, HF_SV_INIT(".0.0"), HF_SV_INIT(".0"), { 0 } };
	if (rest.len && rest.ptr[0] != '-' && rest.ptr[0] != '+' && !hf_is_letter(rest.ptr[0]))
		return v;
	if (hf_sv_eq(rest, HF_SV("-*")))
		rest = HF_SV("-0");
	return hf_arena_fmt(a, "%.*s%.*s%s%.*s", HF_SV_FMT(hf_sv_first(v, at)), HF_SV_FMT(missing[numbers]),
			    rest.len && hf_is_letter(rest.ptr[0]) ? "-" : "", HF_SV_FMT(rest));
}

/* Records of PyPI that were made from NVD's have the CPE's "update" behind the version: "2.10.0-NA" is 2.10.0 itself.
 */
static hf_sv without_cpe_update(hf_sv v)
{
	return hf_sv_ends(v, HF_SV("-NA")) ? hf_sv_first(v, v.len - 3) : v;
}

static hf_sv written_out(struct range_reader *r, hf_sv v)
{
	hf_sv full = v;

	if (!r->scheme || r->scheme->valid(v) || hf_sv_eq(v, HF_SV("0")))
		return v;
	if (r->scheme == &hf_version_scheme_semver || r->scheme == &hf_version_scheme_bitnami)
		full = written_out_semver(r->rec->arena, v);
	else if (r->scheme == &hf_version_scheme_pep440)
		full = without_cpe_update(v);
	return r->scheme->valid(full) ? full : v;
}

/* "0" is before all versions, the "*" of a limit behind them. */
static enum hf_order order(const struct hf_version_scheme *scheme, hf_sv a, hf_sv b)
{
	if (hf_sv_eq(a, b))
		return HF_ORDER_EQUAL;
	if (hf_sv_eq(a, HF_SV("0")) || hf_sv_eq(b, HF_SV("*")))
		return HF_ORDER_LESS;
	if (hf_sv_eq(b, HF_SV("0")) || hf_sv_eq(a, HF_SV("*")))
		return HF_ORDER_GREATER;
	return scheme->compare(a, b);
}

/* Merge sort, since the order of some schemes has circles and a record may have any number of events. */
static void sort_events(const struct hf_version_scheme *scheme, struct event *at, struct event *spare, size_t n)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t left = 0; left < n; left += 2 * width) {
			size_t middle = left + width < n ? left + width : n;
			size_t end = middle + width < n ? middle + width : n;
			for (size_t i = left, k = middle, to = left; to < end; to++)
				if (k == end ||
				    (i < middle && order(scheme, at[i].version, at[k].version) != HF_ORDER_GREATER))
					spare[to] = at[i++];
				else
					spare[to] = at[k++];
		}
		memcpy(at, spare, n * sizeof *at);
	}
}

/* Each stretch is begun, ended, and only then the next one begun. */
static bool alternates(const event_vec *events)
{
	bool open = false, begun = false;

	for (size_t i = 0; i < events->n; i++) {
		bool begins = hf_sv_eq(events->at[i].what, HF_SV("introduced"));
		if (begins ? open : !begun)
			return false;
		open = begins;
		begun = true;
	}
	return true;
}

/* The schema lets events stand in any order. Where they stand as pairs these are taken as they are, since databases
 * mean them so: sorted, a pair whose end is before its beginning would hold for all versions from there on. False where
 * they are neither pairs nor comparable with each other. */
static bool put_in_order(struct range_reader *r, event_vec *events)
{
	if (!r->scheme || r->range.kind == HF_RANGE_GIT || alternates(events))
		return false;
	for (size_t i = 0; i + 1 < events->n; i++)
		if (order(r->scheme, events->at[i].version, events->at[i + 1].version) == HF_ORDER_UNKNOWN)
			return false;
	struct event *spare = hf_arena_array(r->rec->arena, struct event, events->n);
	if (spare)
		sort_events(r->scheme, events->at, spare, events->n);
	return spare;
}

static void keep(struct range_reader *r, struct hf_range range)
{
	struct hf_range *slot = hf_vec_push(r->rec->arena, r->ranges);

	if (slot)
		*slot = range;
}

static void begin(struct range_reader *r, hf_sv version)
{
	if (r->begun && !r->ended) {
		if (r->sorted) /* vulnerable already */
			return;
		keep(r, r->range);
	}
	r->range = (struct hf_range){ .kind = r->range.kind, .introduced = version };
	r->begun = true;
	r->ended = false;
}

static void end(struct range_reader *r, hf_sv what, hf_sv version)
{
	struct hf_range range = r->range;

	if (!r->begun) {
		hf_osv_complain(r->rec, "a range ends before it begins");
		return;
	}
	if (hf_sv_eq(what, HF_SV("limit")) && hf_sv_eq(version, HF_SV("*")))
		return;
	if (r->scheme && range.kind != HF_RANGE_GIT && order(r->scheme, range.introduced, version) == HF_ORDER_GREATER)
		hf_osv_complain(r->rec, "a range ends at an earlier version than it begins");
	/* Once fixed, stays fixed: a second fix says nothing, except that each branch of a repository has its own.
	 * Several last_affected are how lists of versions come out of some databases: each widens. */
	if (r->ended && range.kind != HF_RANGE_GIT && !hf_sv_eq(what, HF_SV("last_affected")))
		return;
	if (hf_sv_eq(what, HF_SV("fixed")))
		range.fixed = version;
	else if (hf_sv_eq(what, HF_SV("last_affected")))
		range.last_affected = version;
	else
		range.limit = version;
	r->ended = true;
	keep(r, range);
}

static void read_event(struct range_reader *r, struct hf_json *j, event_vec *events)
{
	hf_sv what = { 0 }, version, key;

	hf_json_members(j, &key) {
		bool known = hf_sv_eq(key, HF_SV("introduced")) || hf_sv_eq(key, HF_SV("fixed")) ||
			     hf_sv_eq(key, HF_SV("last_affected")) || hf_sv_eq(key, HF_SV("limit"));
		what = key;
		version = hf_json_string(j);
		if (!known || !version.len) {
			hf_osv_complain(r->rec, "an event of a range is not one of OSV's");
			continue;
		}
		struct event *slot = hf_vec_push(r->rec->arena, events);
		if (slot)
			*slot = (struct event){ what, written_out(r, version) };
	}
	if (!what.ptr)
		hf_osv_complain(r->rec, "an event of a range is empty");
}

static void read_events(struct range_reader *r, struct hf_json *j)
{
	event_vec events = { 0 };

	r->begun = r->ended = false;
	if (!hf_osv_enter_list(r->rec, j, "events is not a list"))
		return;
	while (hf_json_element(j))
		read_event(r, j, &events);
	r->sorted = put_in_order(r, &events);
	for (size_t i = 0; i < events.n; i++)
		if (hf_sv_eq(events.at[i].what, HF_SV("introduced")))
			begin(r, events.at[i].version);
		else
			end(r, events.at[i].what, events.at[i].version);
	if (r->begun && !r->ended)
		keep(r, r->range);
	if (!r->begun)
		hf_osv_complain(r->rec, "a range has no introduced event");
}

static void read_range(struct range_reader *r, struct hf_json *j)
{
	hf_sv key, type = { 0 }, events = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("type")))
			type = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("events")))
			events = hf_json_raw(j);
		else
			hf_json_skip(j);
	r->range = (struct hf_range){ .kind = HF_RANGE_ECOSYSTEM };
	if (hf_sv_eq(type, HF_SV("SEMVER"))) {
		r->range.kind = HF_RANGE_SEMVER;
	} else if (hf_sv_eq(type, HF_SV("GIT"))) {
		r->range.kind = HF_RANGE_GIT;
	} else if (!hf_sv_eq(type, HF_SV("ECOSYSTEM"))) {
		hf_osv_complain(r->rec, "a range is of an unknown type");
		return;
	}
	struct hf_json inner = hf_json_of(events, r->rec->arena);
	if (events.ptr)
		read_events(r, &inner);
	else
		hf_osv_complain(r->rec, "a range has no events");
}

void hf_osv_read_ranges(struct hf_osv_record *rec, hf_sv json, hf_sv ecosystem, hf_range_vec *ranges)
{
	enum hf_package_type type = hf_package_type_of_ecosystem(ecosystem);
	struct range_reader r = { .rec = rec,
				  .scheme = hf_version_scheme_named(hf_sv_of(hf_package_type_scheme(type))),
				  .ranges = ranges };
	struct hf_json j = hf_json_of(json, rec->arena);

	if (json.ptr && hf_osv_enter_list(rec, &j, "ranges is not a list"))
		while (hf_json_element(&j))
			read_range(&r, &j);
}
