/* The Debian security tracker's JSON export: https://security-tracker.debian.org/tracker/data/json, all source packages,
 * all flaws, all releases that are kept. More than 60 MB: read in one pass, with the memory of one flaw.
 *
 * { "sudo": { "CVE-2021-3156": { "description": "…", "scope": "remote", "releases": {
 *     "buster": { "status": "resolved", "fixed_version": "1.8.27-1+deb10u3", "urgency": "high", "repositories": { … } },
 *     "sid":    { "status": "open", "urgency": "low", "nodsa": "Minor issue", "nodsa_reason": "postponed" } } } } } */
#include "advisory/feed.h"

enum { SUMMARY_MAX = 240 };

/* Debian's releases: distro-info-data's debian.csv. */
static const struct {
	hf_sv codename, release;
} releases[] = {
	{ HF_SV_INIT("buzz"), HF_SV_INIT("Debian:1.1") },
	{ HF_SV_INIT("rex"), HF_SV_INIT("Debian:1.2") },
	{ HF_SV_INIT("bo"), HF_SV_INIT("Debian:1.3") },
	{ HF_SV_INIT("hamm"), HF_SV_INIT("Debian:2.0") },
	{ HF_SV_INIT("slink"), HF_SV_INIT("Debian:2.1") },
	{ HF_SV_INIT("potato"), HF_SV_INIT("Debian:2.2") },
	{ HF_SV_INIT("woody"), HF_SV_INIT("Debian:3.0") },
	{ HF_SV_INIT("sarge"), HF_SV_INIT("Debian:3.1") },
	{ HF_SV_INIT("etch"), HF_SV_INIT("Debian:4.0") },
	{ HF_SV_INIT("lenny"), HF_SV_INIT("Debian:5.0") },
	{ HF_SV_INIT("squeeze"), HF_SV_INIT("Debian:6.0") },
	{ HF_SV_INIT("wheezy"), HF_SV_INIT("Debian:7") },
	{ HF_SV_INIT("jessie"), HF_SV_INIT("Debian:8") },
	{ HF_SV_INIT("stretch"), HF_SV_INIT("Debian:9") },
	{ HF_SV_INIT("buster"), HF_SV_INIT("Debian:10") },
	{ HF_SV_INIT("bullseye"), HF_SV_INIT("Debian:11") },
	{ HF_SV_INIT("bookworm"), HF_SV_INIT("Debian:12") },
	{ HF_SV_INIT("trixie"), HF_SV_INIT("Debian:13") },
	{ HF_SV_INIT("forky"), HF_SV_INIT("Debian:14") },
	{ HF_SV_INIT("duke"), HF_SV_INIT("Debian:15") },
	{ HF_SV_INIT("sid"), HF_SV_INIT("Debian:sid") },
	{ HF_SV_INIT("experimental"), HF_SV_INIT("Debian:experimental") },
};

struct flaw {
	struct hf_arena *arena;
	hf_sv package, id, description;
	HF_VEC(struct hf_affected) affected;
	const char *complaint;
};

struct status {
	hf_sv status, fixed, urgency, nodsa, reason;
};

static hf_sv release_of(hf_sv codename)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(releases); i++)
		if (hf_sv_eq(codename, releases[i].codename))
			return releases[i].release;
	return (hf_sv){ 0 };
}

static enum hf_advisory_state open_state(const struct status *s)
{
	if (hf_sv_eq(s->urgency, HF_SV("end-of-life")) || hf_sv_eq(s->reason, HF_SV("ignored")))
		return HF_STATE_WILL_NOT_FIX;
	return s->nodsa.ptr || s->reason.len ? HF_STATE_DEFERRED : HF_STATE_OPEN;
}

static void add_release(struct flaw *flaw, hf_sv codename, const struct status *s)
{
	struct hf_affected e = { .ecosystem = release_of(codename), .package = flaw->package };
	struct hf_range *range = NULL;

	if (!e.ecosystem.len) {
		flaw->complaint = "an unknown release";
		return;
	}
	if (hf_sv_eq(s->status, HF_SV("resolved"))) {
		if (!s->fixed.len) {
			flaw->complaint = "a resolved flaw without the version that fixed it";
			return;
		}
		if (hf_sv_eq(s->fixed, HF_SV("0")))
			e.state = HF_STATE_NOT_AFFECTED;
		else if ((range = hf_arena_new(flaw->arena, struct hf_range)))
			*range = (struct hf_range){ .introduced = HF_SV("0"), .fixed = s->fixed };
	} else if (hf_sv_eq(s->status, HF_SV("open"))) {
		e.state = open_state(s);
	} else if (hf_sv_eq(s->status, HF_SV("undetermined"))) {
		e.state = HF_STATE_INVESTIGATING;
	} else {
		flaw->complaint = "an unknown status";
		return;
	}
	e.ranges = range;
	e.ranges_n = range != NULL;
	/* "low**" was guessed by a script of the tracker, "low" by a person. */
	e.severity = hf_feed_severity(hf_sv_first(s->urgency, hf_sv_index(s->urgency, '*')));
	e.unimportant = hf_sv_eq(s->urgency, HF_SV("unimportant"));
	struct hf_affected *slot = hf_vec_push(flaw->arena, &flaw->affected);
	if (slot)
		*slot = e;
}

static void read_releases(struct flaw *flaw, struct hf_json *j)
{
	hf_sv codename, key;

	if (hf_json_peek(j) != HF_JSON_OBJECT)
		flaw->complaint = "releases is not an object";
	hf_json_members(j, &codename) {
		struct status s = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("status")))
				s.status = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("fixed_version")))
				s.fixed = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("urgency")))
				s.urgency = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("nodsa")))
				s.nodsa = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("nodsa_reason")))
				s.reason = hf_json_string(j);
			else
				hf_json_skip(j);
		if (!j->why)
			add_release(flaw, codename, &s);
	}
}

static int read_flaw(struct flaw *flaw, struct hf_json *j, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_sv key;
	int r;

	if (hf_json_peek(j) != HF_JSON_OBJECT)
		flaw->complaint = "a flaw is not an object";
	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("description")))
			flaw->description = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("releases")))
			read_releases(flaw, j);
		else
			hf_json_skip(j);
	if (j->why || flaw->arena->over)
		return HF_OK; /* reported by the caller, who sees the same */
	struct hf_advisory adv = {
		.source = HF_SV("debian"),
		.id = flaw->id,
		.summary = hf_feed_one_line(flaw->description, SUMMARY_MAX),
		.url = hf_arena_concat(flaw->arena, HF_SV("https://security-tracker.debian.org/tracker/"), flaw->id),
		.affected = flaw->affected.at,
		.affected_n = flaw->affected.n
	};
	if (adv.affected_n && (r = out->advisory(out, &adv, err)) < 0)
		return r;
	if (!flaw->complaint)
		return HF_OK;
	hf_sv where = hf_arena_fmt(flaw->arena, "%.*s %.*s", HF_SV_FMT(flaw->package), HF_SV_FMT(flaw->id));
	return hf_feed_malformed(out, where, hf_sv_of(flaw->complaint), err);
}

static int debian_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	/* Names of packages outlive the flaws, so the two have memory of their own. */
	hf_cleanup(hf_arena_done) struct hf_arena names = HF_ARENA(a->cap), scratch = HF_ARENA(a->cap);
	struct hf_json j = hf_json_of(bytes, &names);
	int all = HF_OK;
	hf_sv package, id;

	(void)path;
	if (hf_json_peek(&j) != HF_JSON_OBJECT)
		return hf_fail(err, HF_E_FORMAT, "is not the tracker's export");
	hf_json_members(&j, &package) {
		j.arena = &scratch;
		if (hf_json_peek(&j) != HF_JSON_OBJECT && !j.why)
			all = hf_feed_fold(all,
					   hf_feed_malformed(out, package, HF_SV("a package is not an object"), err));
		hf_json_members(&j, &id) {
			struct flaw flaw = { .arena = &scratch, .package = package, .id = id };
			all = hf_feed_fold(all, read_flaw(&flaw, &j, out, err));
			if (all < 0)
				return all;
			if (scratch.over)
				return hf_feed_broken(&j, &scratch, err);
			hf_arena_reset(&scratch);
		}
		if (all < 0)
			return all;
		hf_arena_reset(&names);
		j.arena = &names;
	}
	if (!hf_json_end(&j) || names.over || scratch.over)
		return hf_feed_broken(&j, names.over ? &names : &scratch, err);
	return all;
}

const struct hf_advisory_reader hf_advisory_reader_debian = {
	.name = "debian",
	.summary = "the Debian security tracker",
	.wants = (const char *const[]){ "debian/tracker.json", NULL },
	.absence = "all known issues of each release are listed, fixed or not",
	.read = debian_read,
};
