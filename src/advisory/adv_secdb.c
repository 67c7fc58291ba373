/* Alpine's secdb and its like (Wolfi, Chainguard): for each source package ("origin"), which version fixed which flaws.
 * https://secdb.alpinelinux.org/, apk-tools' and melange's "secfixes". One file a repository of a release.
 *
 * { "distroversion": "v3.18", "reponame": "main",
 *   "packages": [ { "pkg": { "name": "apr", "secfixes": { "1.7.1-r0": [ "CVE-2022-24963", … ], "0": [ … ] } } } ] }
 *
 * Version "0" says that the flaw was never in the package. An element of the list may hold several ids and remarks. */
#include "advisory/feed.h"
#include "base/map.h"

/* One id of the file with all that fixed it, so that a flaw of many packages is one advisory. */
struct fix {
	hf_sv package, version;
};

struct flaw {
	hf_sv_vec aliases, mentions;
	HF_VEC(struct fix) fixes;
};

struct secdb {
	struct hf_arena *arena;
	struct hf_map flaws;
	hf_sv path, release, packages;
	struct hf_advisory_sink *out;
};

struct ids {
	struct hf_arena *arena;
	hf_sv_vec cves, others;
};

static bool has_digit(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
			return true;
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Adds the id that one word is. "CVE_2019-2426" and "CVE 2018-16859" (@after_cve) are slips of the pen for CVE ids. In
 * brackets stand remarks, where only what looks much like an id is one. */
static void add_word(struct ids *ids, hf_sv word, bool after_cve, bool in_brackets)
{
	hf_sv cve = hf_feed_cve_prefix(word);

	if (!cve.len && hf_sv_starts(word, HF_SV("CVE_")))
		cve = hf_feed_cve_prefix(hf_arena_concat(ids->arena, HF_SV("CVE-"), hf_sv_skip(word, 4)));
	if (!cve.len && after_cve)
		cve = hf_feed_cve_prefix(hf_arena_concat(ids->arena, HF_SV("CVE-"), word));
	if (cve.len)
		hf_feed_add_once(ids->arena, &ids->cves, cve);
	else if (hf_sv_starts(word, HF_SV("GHSA-")))
		hf_feed_add_once(ids->arena, &ids->others, word);
	else if (word.len > 3 && is_letter(word.ptr[0]) && has_digit(word) && !hf_sv_starts(word, HF_SV("CVE-")) &&
		 (!in_brackets || hf_sv_index(word, '-') != SIZE_MAX))
		hf_feed_add_once(ids->arena, &ids->others, word);
}

static void split_ids(struct ids *ids, hf_sv text)
{
	bool after_cve = false, in_brackets = false;

	for (size_t at = 0; at < text.len;) {
		size_t end = at;
		while (end < text.len && !strchr(" \t,/()+;", text.ptr[end] ? text.ptr[end] : ' '))
			end++;
		hf_sv word = hf_sv_slice(text, at, end - at);
		if (word.len)
			add_word(ids, word, after_cve, in_brackets);
		if (word.len)
			after_cve = hf_sv_eq(word, HF_SV("CVE"));
		if (end < text.len)
			in_brackets = text.ptr[end] == '(' || (in_brackets && text.ptr[end] != ')');
		at = end + 1;
	}
}

static struct flaw *flaw_of(struct secdb *db, hf_sv id)
{
	struct hf_map_entry *e = hf_map_put(&db->flaws, id);

	if (e && !e->value)
		e->value = hf_arena_new(db->arena, struct flaw);
	return e ? e->value : NULL;
}

static void add_fix(struct secdb *db, struct flaw *flaw, hf_sv package, hf_sv version)
{
	struct fix *f;

	if (!flaw)
		return;
	for (size_t i = flaw->fixes.n; i-- > 0 && hf_sv_eq(flaw->fixes.at[i].package, package);)
		if (hf_sv_eq(flaw->fixes.at[i].version, version))
			return;
	if ((f = hf_vec_push(db->arena, &flaw->fixes)))
		*f = (struct fix){ package, version };
}

/* One element of a list of ids. False where it holds none. */
static bool add_element(struct secdb *db, hf_sv package, hf_sv version, hf_sv text)
{
	struct ids ids = { .arena = db->arena };

	split_ids(&ids, text);
	hf_sv_vec *main = ids.cves.n ? &ids.cves : &ids.others;
	for (size_t i = 0; i < main->n; i++) {
		/* Without a CVE all ids of one element name one flaw; beside CVEs an XSA may cover several. */
		if (i && !ids.cves.n)
			break;
		struct flaw *flaw = flaw_of(db, main->at[i]);
		if (!flaw)
			break;
		add_fix(db, flaw, package, version);
		for (size_t k = ids.cves.n ? 0 : 1; k < ids.others.n; k++) {
			bool same = !ids.cves.n || (ids.cves.n == 1 && hf_sv_starts(ids.others.at[k], HF_SV("GHSA-")));
			hf_feed_add_once(db->arena, same ? &flaw->aliases : &flaw->mentions, ids.others.at[k]);
		}
	}
	return main->n;
}

static int read_fixes(struct secdb *db, struct hf_json *j, hf_sv package, struct hf_err *err)
{
	hf_sv version;
	int r = HF_OK;

	hf_json_members(j, &version)
		hf_json_elements(j) {
			hf_sv text = hf_sv_trim(hf_json_string(j));
			if (add_element(db, package, hf_sv_trim(version), text) || r < 0 || db->arena->over)
				continue;
			hf_sv where = hf_arena_fmt(db->arena, "%.*s: %.*s", HF_SV_FMT(db->path), HF_SV_FMT(package));
			hf_sv why = hf_arena_fmt(db->arena, "\"%.*s\" holds no id", HF_SV_FMT(text));
			r = hf_feed_fold(r, hf_feed_malformed(db->out, where, why, err));
		}
	return r;
}

static int read_package(struct secdb *db, struct hf_json *j, struct hf_err *err)
{
	hf_sv key, name = { 0 }, fixes = { 0 };

	hf_json_members(j, &key) {
		if (!hf_sv_eq(key, HF_SV("pkg"))) {
			hf_json_skip(j);
			continue;
		}
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("name")))
				name = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("secfixes")))
				fixes = hf_json_raw(j);
			else
				hf_json_skip(j);
	}
	if (j->why)
		return HF_OK;
	if (!name.len)
		return hf_feed_malformed(db->out, db->path, HF_SV("a package without a name"), err);
	struct hf_json inner = hf_json_of(fixes, db->arena);
	return fixes.ptr ? read_fixes(db, &inner, name, err) : HF_OK;
}

static int hand_over(struct secdb *db, const struct hf_map_entry *e, hf_sv source, hf_sv ecosystem, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(db->arena->cap);
	const struct flaw *flaw = e->value;
	size_t n = flaw->fixes.n;
	struct hf_affected *affected = hf_arena_array(&scratch, struct hf_affected, n);
	struct hf_range *ranges = hf_arena_array(&scratch, struct hf_range, n);

	if (!affected || !ranges)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	for (size_t i = 0; i < n; i++) {
		const struct fix *f = &flaw->fixes.at[i];
		affected[i] = (struct hf_affected){ .ecosystem = ecosystem, .package = f->package };
		if (hf_sv_eq(f->version, HF_SV("0"))) {
			affected[i].state = HF_STATE_NOT_AFFECTED;
			continue;
		}
		ranges[i] = (struct hf_range){ .introduced = HF_SV("0"), .fixed = f->version };
		affected[i].ranges = &ranges[i];
		affected[i].ranges_n = 1;
	}
	struct hf_advisory adv = { .source = source,
				   .id = e->key,
				   .aliases = flaw->aliases.at,
				   .aliases_n = flaw->aliases.n,
				   .mentions = flaw->mentions.at,
				   .mentions_n = flaw->mentions.n,
				   .affected = affected,
				   .affected_n = n };
	return db->out->advisory(db->out, &adv, err);
}

static int read_packages(struct secdb *db, struct hf_err *err)
{
	struct hf_json j = hf_json_of(db->packages, db->arena);
	hf_sv source = HF_SV("alpine"), ecosystem;
	int all = HF_OK;

	if (hf_sv_starts(db->path, HF_SV("wolfi/"))) {
		source = HF_SV("wolfi");
		ecosystem = HF_SV("Wolfi");
	} else if (hf_sv_starts(db->path, HF_SV("chainguard/"))) {
		source = HF_SV("chainguard");
		ecosystem = HF_SV("Chainguard");
	} else {
		if (!db->release.len)
			db->release = hf_sv_basename(hf_sv_dirname(db->path));
		ecosystem = hf_arena_concat(db->arena, HF_SV("Alpine:"), db->release);
	}
	hf_json_elements(&j) {
		all = hf_feed_fold(all, read_package(db, &j, err));
		if (all < 0)
			break;
	}
	if (all < 0)
		return all;
	if (j.why || db->arena->over)
		return hf_feed_broken(&j, db->arena, err);
	for (size_t i = 0; i < db->flaws.n; i++) {
		int r = hand_over(db, &db->flaws.entries[i], source, ecosystem, err);
		if (r < 0)
			return r;
	}
	return all;
}

static int secdb_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(a->cap);
	struct secdb db = { .arena = &scratch, .flaws = HF_MAP(&scratch), .path = path, .out = out };
	struct hf_json j = hf_json_of(bytes, &scratch);
	hf_sv key;

	hf_json_members(&j, &key)
		if (hf_sv_eq(key, HF_SV("distroversion")))
			db.release = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("packages")))
			db.packages = hf_json_raw(&j);
		else
			hf_json_skip(&j);
	if (!hf_json_end(&j) || scratch.over)
		return hf_feed_broken(&j, &scratch, err);
	if (!db.packages.ptr)
		return hf_fail(err, HF_E_FORMAT, "has no packages: not a secdb");
	return read_packages(&db, err);
}

const struct hf_advisory_reader hf_advisory_reader_secdb = {
	.name = "secdb",
	.summary = "Alpine's secdb, Wolfi's and Chainguard's security.json",
	.wants = (const char *const[]){ "alpine/**/*.json", "wolfi/security.json", "chainguard/security.json", NULL },
	.absence = "only fixed issues are known: a flaw without a fix is not listed",
	.read = secdb_read,
};
