#include "match/match.h"

#include <stdlib.h>

#include "base/limits.h"
#include "match/distro.h"
#include "match/evaluate.h"
#include "match/flaws.h"

enum { NAMES_MAX = 4 };

/* One lookup of the database for a package. */
struct lookup {
	hf_sv ecosystem, name, version;
	bool binary; /* entries over binary packages count; else those over source packages (language packages: all) */
	bool any;
};

struct work {
	const struct hf_match_input *in;
	struct hf_arena *a;
	struct hf_match_result *result;
	struct hf_distro distro;
	bool distro_known; /* the database speaks of this release */
	size_t owned_n;    /* language packages that were left to the distribution's advisories */
	hf_vulnerability_vec vulnerabilities;
	HF_VEC(struct hf_undecided) undecided;
	HF_VEC(struct hf_cleared) cleared;
	HF_VEC(hf_sv) notes;
	HF_VEC(struct hf_hit) hits; /* of the package at hand */
	hf_sv *patch_dates;
	uint32_t newest; /* publication of the newest fix that the package at hand holds */
	bool ecosystem_known[HF_PKG_MAX];
	const struct hf_version_scheme *schemes[HF_PKG_MAX];
};

static void undecided(struct work *w, int64_t package, hf_sv code, hf_sv reason, hf_sv advisory)
{
	struct hf_undecided *u = hf_vec_push(w->a, &w->undecided);

	if (u)
		*u = (struct hf_undecided){ package, code, reason, advisory };
}

static void note(struct work *w, hf_sv text)
{
	hf_sv *slot = hf_vec_push(w->a, &w->notes);

	if (slot)
		*slot = text;
}

static hf_sv rule_of(struct work *w, const struct hf_affected_entry *e, const struct hf_evaluation *v)
{
	const struct hf_range *g = &v->range;

	if (e->state == HF_STATE_OPEN)
		return HF_SV("state: open, no fix known");
	if (e->state == HF_STATE_WILL_NOT_FIX)
		return HF_SV("state: will not be fixed");
	if (e->state == HF_STATE_DEFERRED)
		return HF_SV("state: open, the fix is deferred");
	if (e->state == HF_STATE_INVESTIGATING)
		return HF_SV("state: under investigation");
	if (v->listed.len)
		return hf_arena_fmt(w->a, "versions: lists %.*s", HF_SV_FMT(v->listed));
	hf_sv from = g->introduced.len ? g->introduced : HF_SV("0");
	if (g->fixed.len)
		return hf_arena_fmt(w->a, "range: introduced %.*s, fixed %.*s", HF_SV_FMT(from), HF_SV_FMT(g->fixed));
	if (g->last_affected.len)
		return hf_arena_fmt(w->a, "range: introduced %.*s, last affected %.*s", HF_SV_FMT(from),
				    HF_SV_FMT(g->last_affected));
	if (g->limit.len)
		return hf_arena_fmt(w->a, "range: introduced %.*s, before %.*s", HF_SV_FMT(from), HF_SV_FMT(g->limit));
	return hf_arena_fmt(w->a, "range: introduced %.*s, no fix known", HF_SV_FMT(from));
}

static void cleared(struct work *w, uint32_t package, uint32_t record, hf_sv fixed, hf_sv rule)
{
	struct hf_record r;
	struct hf_cleared *c;

	if (!w->in->proofs || !hf_database_record(w->in->database, record, &r) || !(c = hf_vec_push(w->a, &w->cleared)))
		return;
	*c = (struct hf_cleared){ .package = package,
				  .id = r.id,
				  .fixed = fixed,
				  .rule = rule,
				  .advisory_id = r.id,
				  .advisory_source = r.source,
				  .advisory_url = r.url,
				  .advisory_modified = r.modified };
	struct hf_cur lists[] = { r.upstream, r.aliases };
	hf_sv id;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists); i++)
		while (hf_affected_entry_text(&lists[i], &id))
			if (hf_sv_starts(id, HF_SV("CVE-")) &&
			    (!hf_sv_starts(c->id, HF_SV("CVE-")) || hf_sv_cmp(id, c->id) < 0))
				c->id = id;
	hf_record_ids(&r, c->id, w->a, &c->aliases, &c->aliases_n);
}

/* "nodejs:18:8060020230306:abcd" is of nodejs:18. */
static hf_sv module_stream(hf_sv module)
{
	size_t first = hf_sv_index(module, ':');
	size_t second = first == SIZE_MAX ? SIZE_MAX : hf_sv_index(hf_sv_skip(module, first + 1), ':');

	return second == SIZE_MAX ? module : hf_sv_first(module, first + 1 + second);
}

enum comparable { COMPARABLE, OTHER_PACKAGE, STREAM_UNKNOWN };

/* Builds of a module are compared with advisories of the same module and stream alone. */
static enum comparable same_module(const struct hf_package *p, const struct hf_affected_entry *e)
{
	if (p->type != HF_PKG_RPM)
		return COMPARABLE;
	bool modular = p->module.len || hf_sv_find(p->version, HF_SV(".module_el")) != SIZE_MAX ||
		       hf_sv_find(p->version, HF_SV(".module+el")) != SIZE_MAX;
	if (modular != (e->module.len > 0))
		return OTHER_PACKAGE;
	if (!modular)
		return COMPARABLE;
	if (!p->module.len || hf_sv_eq(e->module, HF_SV("*")))
		return STREAM_UNKNOWN;
	return hf_sv_eq(module_stream(p->module), module_stream(e->module)) ? COMPARABLE : OTHER_PACKAGE;
}

static bool same_arch(const struct hf_package *p, const struct hf_affected_entry *e)
{
	struct hf_cur arches = e->arches;
	hf_sv arch;

	if (!hf_cur_left(&arches) || !p->arch.len || hf_sv_eq(p->arch, HF_SV("noarch")) ||
	    hf_sv_eq(p->arch, HF_SV("all")))
		return true;
	while (hf_affected_entry_text(&arches, &arch))
		if (hf_sv_eq(arch, p->arch) || hf_sv_eq(arch, HF_SV("noarch")))
			return true;
	return false;
}

static void hit(struct work *w, const struct hf_affected_entry *e, hf_sv fixed, hf_sv rule)
{
	for (size_t i = w->hits.n; i-- > 0 && w->hits.at[i].record == e->record;)
		if (w->hits.at[i].state == e->state)
			return;
	struct hf_hit *h = hf_vec_push(w->a, &w->hits);
	if (h)
		*h = (struct hf_hit){ e->record, e->state, e->severity, e->unimportant, e->channel, fixed, rule };
}

static hf_sv record_id(struct work *w, uint32_t record)
{
	struct hf_record r;

	return hf_database_record(w->in->database, record, &r) ? r.id : (hf_sv){ 0 };
}

static void cannot_compare(struct work *w, uint32_t package, const struct hf_affected_entry *e, hf_sv version,
			   bool stream)
{
	hf_sv id = record_id(w, e->record);

	if (stream)
		undecided(w, package, HF_SV("version-not-comparable"),
			  hf_arena_fmt(w->a, "%.*s or this package does not say of which module stream it is",
				       HF_SV_FMT(id)),
			  id);
	else if (e->git_only)
		undecided(w, package, HF_SV("version-not-comparable"),
			  hf_arena_fmt(w->a, "%.*s speaks of commits only", HF_SV_FMT(id)), id);
	else
		undecided(w, package, HF_SV("version-not-comparable"),
			  hf_arena_fmt(w->a, "'%.*s' cannot be compared with the versions of %.*s", HF_SV_FMT(version),
				       HF_SV_FMT(id)),
			  id);
}

/* An rpm advisory without a release speaks of every release of its version. */
static hf_sv without_release(const struct hf_package *p, const struct hf_affected_entry *e, hf_sv version)
{
	struct hf_cur ranges = e->ranges;
	struct hf_range g;

	if (p->type != HF_PKG_RPM || !hf_affected_entry_range(&ranges, &g) || !g.fixed.len ||
	    hf_sv_index(g.fixed, '-') != SIZE_MAX)
		return version;
	size_t dash = hf_sv_last_index(version, '-');
	return dash == SIZE_MAX ? version : hf_sv_first(version, dash);
}

/* "2.6.0+cu124" is a build of 2.6.0. PEP 440 orders it behind, and yet lets "==2.6.0" and "<=2.6.0" hold for it, which
 * are what lists of versions and last_affected say. */
static void consider_public_version(const struct hf_affected_entry *e, hf_sv version,
				    const struct hf_version_scheme *scheme, struct hf_evaluation *v)
{
	struct hf_evaluation public;
	hf_sv base, local;

	if (!hf_sv_cut(version, '+', &base, &local))
		return;
	hf_evaluate(e, base, scheme, &public);
	if (public.holds == HF_HOLDS_YES && (public.listed.len || public.range.last_affected.len))
		*v = public;
}

static void consider_ranges(struct work *w, uint32_t package, const struct lookup *l, const struct hf_affected_entry *e,
			    uint32_t date, bool stream_unknown)
{
	const struct hf_package *p = &w->in->packages[package];
	const struct hf_version_scheme *scheme = w->schemes[p->type];
	hf_sv version = without_release(p, e, l->version);
	struct hf_evaluation v;

	if (!scheme) {
		cannot_compare(w, package, e, version, false);
		return;
	}
	hf_evaluate(e, version, scheme, &v);
	if (p->type == HF_PKG_PYPI && v.holds == HF_HOLDS_NO)
		consider_public_version(e, version, scheme, &v);
	if (e->git_only || v.holds == HF_HOLDS_UNKNOWN || (stream_unknown && v.holds == HF_HOLDS_YES)) {
		cannot_compare(w, package, e, version, stream_unknown && v.holds == HF_HOLDS_YES);
		return;
	}
	if (v.holds == HF_HOLDS_YES) {
		hit(w, e, v.fixed, rule_of(w, e, &v));
		return;
	}
	if (v.has_fix && date > w->newest)
		w->newest = date;
	if (!w->in->proofs)
		return;
	hf_sv rule = HF_SV("not in any range or list of versions");
	if (v.has_fix)
		rule = hf_arena_fmt(w->a, "fixed in %.*s", HF_SV_FMT(v.fixed));
	else if (v.range.introduced.len)
		rule = hf_arena_fmt(w->a, "introduced in %.*s", HF_SV_FMT(v.range.introduced));
	else if (v.range.last_affected.len)
		rule = hf_arena_fmt(w->a, "last affected %.*s", HF_SV_FMT(v.range.last_affected));
	cleared(w, package, e->record, v.fixed, rule);
}

static void consider(struct work *w, uint32_t package, const struct lookup *l, const struct hf_affected_entry *e)
{
	const struct hf_package *p = &w->in->packages[package];
	bool withdrawn;
	uint32_t date = hf_database_record_date(w->in->database, e->record, &withdrawn);

	if (!l->any && e->binary_name != l->binary)
		return;
	enum comparable c = same_module(p, e);
	if (c == OTHER_PACKAGE || !same_arch(p, e))
		return;
	if (withdrawn) {
		cleared(w, package, e->record, (hf_sv){ 0 }, HF_SV("the record was withdrawn"));
		return;
	}
	if (e->state == HF_STATE_NOT_AFFECTED) {
		cleared(w, package, e->record, (hf_sv){ 0 }, HF_SV("state: not affected in this release"));
		return;
	}
	if (e->state != HF_STATE_RANGES && !hf_cur_left(&e->ranges) && !hf_cur_left(&e->versions)) {
		struct hf_evaluation none = { 0 };
		hit(w, e, (hf_sv){ 0 }, rule_of(w, e, &none));
		return;
	}
	consider_ranges(w, package, l, e, date, c == STREAM_UNKNOWN);
}

static hf_sv day_text(struct work *w, uint32_t day)
{
	return hf_arena_fmt(w->a, "%04u-%02u-%02u", day / 10000, day / 100 % 100, day % 100);
}

static int by_record(const void *a, const void *b)
{
	const struct hf_hit *x = a, *y = b;

	return (x->record > y->record) - (x->record < y->record);
}

static void run_lookups(struct work *w, uint32_t package, const struct lookup *list, size_t n, bool distribution)
{
	const struct hf_package *p = &w->in->packages[package];
	struct hf_flaw_context c = { w->in->database, distribution ? &w->distro : NULL, w->a };

	w->hits.n = 0;
	w->newest = 0;
	for (size_t i = 0; i < n; i++) {
		struct hf_entries it = hf_database_package(w->in->database, list[i].ecosystem, list[i].name);
		struct hf_affected_entry e;
		while (hf_entries_next(&it, &e))
			consider(w, package, &list[i], &e);
	}
	if (w->newest)
		w->patch_dates[package] = day_text(w, w->newest);
	if (!w->hits.n)
		return;
	if (n > 1)
		qsort(w->hits.at, w->hits.n, sizeof *w->hits.at, by_record);
	hf_flaws_unite(&c, w->hits.at, w->hits.n, package, p->version, distribution && hf_package_is_kernel(p),
		       &w->vulnerabilities);
}

static bool spoken_of(struct work *w, hf_sv ecosystem, hf_sv name, struct hf_affected_entry *ret)
{
	struct hf_entries it = hf_database_package(w->in->database, ecosystem, name);

	return hf_entries_next(&it, ret);
}

/* SOURCERPM has no epoch: the binary package's is taken, since they are built from one spec file. */
static hf_sv source_version(struct work *w, const struct hf_package *p)
{
	hf_sv version = p->source_version.len ? p->source_version : p->version, epoch, rest;

	if (p->type == HF_PKG_RPM && hf_sv_index(version, ':') == SIZE_MAX && hf_sv_cut(p->version, ':', &epoch, &rest))
		return hf_arena_fmt(w->a, "%.*s:%.*s", HF_SV_FMT(epoch), HF_SV_FMT(version));
	return version;
}

static void match_distribution(struct work *w, uint32_t package)
{
	const struct hf_package *p = &w->in->packages[package];
	hf_sv source = p->source_name.len ? p->source_name : p->name;
	struct lookup list[NAMES_MAX];
	struct hf_affected_entry e;
	size_t n = 0;

	if (p->type == HF_PKG_RPM && hf_sv_eq(p->name, HF_SV("gpg-pubkey")))
		return;
	const char *foreign = hf_distro_foreign(&w->distro, p);
	if (foreign) {
		undecided(w, package, HF_SV("third-party-origin"),
			  hf_arena_fmt(w->a, "%s: %.*s's advisories do not speak of this build", foreign,
				       HF_SV_FMT(w->distro.label.len ? w->distro.label : HF_SV("the distribution"))),
			  (hf_sv){ 0 });
		return;
	}
	if (!w->distro_known)
		return;
	hf_sv version = source_version(w, p);
	if (!version.len) {
		if (spoken_of(w, w->distro.ecosystem, source, &e))
			undecided(w, package, HF_SV("version-unknown"), HF_SV("the package's version is not known"),
				  (hf_sv){ 0 });
		return;
	}
	list[n++] = (struct lookup){ w->distro.ecosystem, source, version, false, false };
	if (p->type == HF_PKG_RPM)
		list[n++] = (struct lookup){ w->distro.ecosystem, p->name, p->version, true, false };
	if (w->distro.channel_ecosystem.len)
		list[n++] = (struct lookup){ w->distro.channel_ecosystem, source, version, false, false };
	run_lookups(w, package, list, n, true);
}

static bool digit_follows(hf_sv s, size_t at)
{
	return s.len > at && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* Go's records write "1.2.3" where modules have "v1.2.3". The toolchain's "go1.2.3" stays: its scheme reads only that
 * as one, with what the toolchain puts behind it ("go1.26.6-X:boringcrypto"). */
static hf_sv plain_version(const struct hf_package *p)
{
	if (p->type == HF_PKG_GOLANG && hf_sv_starts(p->version, HF_SV("v")) && digit_follows(p->version, 1))
		return hf_sv_skip(p->version, 1);
	return p->version;
}

static int purl_order(const void *key, const void *package)
{
	return hf_sv_cmp(*(const hf_sv *)key, ((const struct hf_package *)package)->purl);
}

/* The distribution mends what its packages bring along; what a package of somebody else brings along, nobody does. */
static bool is_judged_by_distribution(const struct work *w, const struct hf_package *p)
{
	if (!p->owned_by.len)
		return false;
	const struct hf_package *owner =
		bsearch(&p->owned_by, w->in->packages, w->in->packages_n, sizeof *w->in->packages, purl_order);
	return !owner || !hf_distro_foreign(&w->distro, owner);
}

static void match_language(struct work *w, uint32_t package)
{
	const struct hf_package *p = &w->in->packages[package];
	hf_sv ecosystem = hf_sv_of(hf_package_type_ecosystem(p->type));
	struct hf_affected_entry e;

	if (is_judged_by_distribution(w, p)) {
		w->owned_n++;
		return;
	}
	if (!p->name.len)
		return;
	if (!w->ecosystem_known[p->type]) {
		undecided(w, package, HF_SV("no-data-for-ecosystem"),
			  hf_arena_fmt(w->a, "the database has no advisories of %.*s", HF_SV_FMT(ecosystem)),
			  (hf_sv){ 0 });
		return;
	}
	struct lookup l = { ecosystem, p->name, plain_version(p), false, true };
	bool devel = p->type == HF_PKG_GOLANG && (hf_sv_eq(p->version, HF_SV("(devel)")) || !p->version.len);
	if (devel || !p->version.len) {
		if (spoken_of(w, ecosystem, p->name, &e))
			undecided(w, package, HF_SV("version-unknown"),
				  hf_arena_fmt(w->a, "there are advisories of %.*s, and its version is not known",
					       HF_SV_FMT(p->name)),
				  (hf_sv){ 0 });
		return;
	}
	if (p->type != HF_PKG_MAVEN || !hf_sv_starts(p->name, HF_SV(":"))) {
		run_lookups(w, package, &l, 1, false);
		return;
	}
	/* A guessed group is no proof: what would hold for the artifact of some group is said, and not counted. */
	struct hf_entries it = hf_database_package(w->in->database, ecosystem, p->name);
	const struct hf_version_scheme *scheme = w->schemes[HF_PKG_MAVEN];
	while (scheme && hf_entries_next(&it, &e)) {
		struct hf_evaluation v;
		hf_evaluate(&e, p->version, scheme, &v);
		if (v.holds == HF_HOLDS_NO)
			continue;
		hf_sv id = record_id(w, e.record);
		undecided(w, package, HF_SV("group-unknown"),
			  hf_arena_fmt(w->a,
				       "%.*s speaks of an artifact of this name, whose group this file does not say",
				       HF_SV_FMT(id)),
			  id);
		return;
	}
}

static hf_sv last_day(const struct hf_release_cycle *c, bool free_extended)
{
	if (free_extended && hf_sv_cmp(c->extended_end, c->end_of_life) > 0)
		return c->extended_end;
	return c->end_of_life;
}

static void match_support(struct work *w)
{
	struct hf_release_cycle c;
	hf_sv label = w->distro.label;

	w->result->supported = -1;
	if (!w->distro.product.len || !w->distro.cycle.len ||
	    !hf_database_cycle(w->in->database, w->distro.product, w->distro.cycle, &c))
		return;
	w->result->end_of_life = last_day(&c, w->distro.free_extended);
	if (w->result->end_of_life.len && w->in->today.len)
		w->result->supported = hf_sv_cmp(w->in->today, w->result->end_of_life) <= 0;
	else if (c.ended_no_date)
		w->result->supported = 0;
	if (w->result->supported == 1 && hf_sv_cmp(w->in->today, c.end_of_life) > 0 && c.end_of_life.len)
		note(w, hf_arena_fmt(w->a, "%.*s is past its regular support (%.*s); long-term support ends %.*s",
				     HF_SV_FMT(label), HF_SV_FMT(c.end_of_life), HF_SV_FMT(w->result->end_of_life)));
	if (w->result->supported == 0)
		undecided(w, -1, HF_SV("unsupported-release"),
			  hf_arena_fmt(w->a,
				       "%.*s has not been supported since %.*s: flaws found since then are not "
				       "recorded for it, so a "
				       "package without a finding cannot be called clean",
				       HF_SV_FMT(label),
				       HF_SV_FMT(w->result->end_of_life.len ? w->result->end_of_life
									    : HF_SV("an unknown day"))),
			  (hf_sv){ 0 });
}

static void match_release(struct work *w, bool any)
{
	struct hf_ecosystem_info info = { 0 };

	hf_distro_of(w->in->os, w->a, &w->distro);
	w->distro_known = w->distro.ecosystem.len && hf_database_ecosystem(w->in->database, w->distro.ecosystem, &info);
	if (!w->distro_known && w->distro.other_ecosystem.len) {
		w->distro.ecosystem = w->distro.other_ecosystem;
		w->distro_known = hf_database_ecosystem(w->in->database, w->distro.ecosystem, &info);
	}
	match_support(w);
	if (!any)
		return;
	if (w->distro_known) {
		if (info.absence.len)
			note(w, hf_arena_fmt(w->a, "%.*s (%.*s%s%.*s): %.*s", HF_SV_FMT(w->distro.label),
					     HF_SV_FMT(info.source), info.newest.len ? ", newest " : "",
					     HF_SV_FMT(info.newest), HF_SV_FMT(info.absence)));
		return;
	}
	hf_sv why = HF_SV("the operating system is not known (no os-release), so its packages cannot be matched");
	if (w->distro.id.len)
		why = hf_arena_fmt(w->a, "the database has no advisories of %.*s: nothing can be said of its packages",
				   HF_SV_FMT(w->distro.label));
	undecided(w, -1, HF_SV("no-data-for-release"), why, (hf_sv){ 0 });
}

static int by_package(const void *a, const void *b)
{
	const struct hf_vulnerability *x = a, *y = b;

	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	int r = hf_sv_cmp(x->id, y->id);
	return r ? r : hf_sv_cmp(x->advisory_id, y->advisory_id);
}

static int undecided_order(const void *a, const void *b)
{
	const struct hf_undecided *x = a, *y = b;

	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	int r = hf_sv_cmp(x->code, y->code);
	if (!r)
		r = hf_sv_cmp(x->advisory_id, y->advisory_id);
	return r ? r : hf_sv_cmp(x->reason, y->reason);
}

static int cleared_order(const void *a, const void *b)
{
	const struct hf_cleared *x = a, *y = b;

	if (x->package != y->package)
		return x->package < y->package ? -1 : 1;
	int r = hf_sv_cmp(x->id, y->id);
	if (!r)
		r = hf_sv_cmp(x->advisory_id, y->advisory_id);
	return r ? r : hf_sv_cmp(x->rule, y->rule);
}

/* An id that holds for a package is no proof of the contrary, though another entry or record of it does not hold. */
static void drop_contradicted(struct work *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->cleared.n; i++) {
		const struct hf_cleared *c = &w->cleared.at[i];
		bool drop = kept && cleared_order(c, &w->cleared.at[kept - 1]) == 0;
		for (size_t k = 0; k < w->vulnerabilities.n && !drop; k++) {
			const struct hf_vulnerability *v = &w->vulnerabilities.at[k];
			drop = v->package == c->package &&
			       (hf_sv_eq(v->id, c->id) || hf_sv_eq(v->advisory_id, c->advisory_id));
		}
		if (!drop)
			w->cleared.at[kept++] = *c;
	}
	w->cleared.n = kept;
}

#define SORT(vec, order) ((vec).n ? qsort((vec).at, (vec).n, sizeof *(vec).at, order) : (void)0)

static void finish(struct work *w)
{
	struct hf_match_result *r = w->result;

	SORT(w->vulnerabilities, by_package);
	SORT(w->undecided, undecided_order);
	SORT(w->cleared, cleared_order);
	drop_contradicted(w);
	if (w->owned_n)
		note(w, hf_arena_fmt(w->a,
				     "%zu language package%s of the distribution's own packages %s judged by its "
				     "advisories alone",
				     w->owned_n, w->owned_n == 1 ? "" : "s", w->owned_n == 1 ? "was" : "were"));
	if (r->database.landmarks_only)
		note(w, HF_SV("only the small set of landmark advisories that is built into the program was used: run "
			      "'holdfast db build' for a "
			      "real database"));
	if (hf_database_damaged(w->in->database))
		note(w, HF_SV("the advisory database is damaged, findings are missing: run 'holdfast db build' again"));
	r->vulnerabilities = w->vulnerabilities.at;
	r->vulnerabilities_n = w->vulnerabilities.n;
	r->undecided = w->undecided.at;
	r->undecided_n = w->undecided.n;
	r->cleared = w->cleared.at;
	r->cleared_n = w->cleared.n;
	r->notes = w->notes.at;
	r->notes_n = w->notes.n;
	r->patch_dates = w->patch_dates;
}

int hf_match(const struct hf_match_input *in, struct hf_arena *a, struct hf_match_result *ret, struct hf_err *err)
{
	struct work w = { .in = in, .a = a, .result = ret };
	bool any = false;

	*ret = (struct hf_match_result){ .supported = -1, .database = *hf_database_info(in->database) };
	w.patch_dates = hf_arena_array(a, hf_sv, in->packages_n);
	for (size_t i = 0; i < in->packages_n; i++)
		any |= hf_package_type_is_distribution(in->packages[i].type);
	for (int t = 0; t < HF_PKG_MAX; t++) {
		struct hf_ecosystem_info info;
		w.schemes[t] = hf_version_scheme_named(hf_sv_of(hf_package_type_scheme((enum hf_package_type)t)));
		w.ecosystem_known[t] = hf_database_ecosystem(
			in->database, hf_sv_of(hf_package_type_ecosystem((enum hf_package_type)t)), &info);
	}
	match_release(&w, any || (in->os && in->os->id.len));
	for (size_t i = 0; i < in->packages_n && !a->over; i++)
		if (hf_package_type_is_distribution(in->packages[i].type))
			match_distribution(&w, (uint32_t)i);
		else if (in->packages[i].type < HF_PKG_MAX)
			match_language(&w, (uint32_t)i);
	finish(&w);
	return a->over ? hf_fail(err, HF_E_LIMIT, "more findings than the memory for them holds") : HF_OK;
}
