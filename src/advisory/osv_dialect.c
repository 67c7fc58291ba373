/* What the databases that publish OSV records say in their own way. Seen in their exports, and in their documents for
 * those that have none here (Ubuntu, Red Hat, Rocky): docs/formats/osv.md lists each. */
#include "advisory/osv.h"

static bool id_is(const struct hf_osv_record *rec, hf_sv prefix)
{
	return hf_sv_starts(rec->adv.id, prefix);
}

/* Errata of the Red Hat family: ALSA-, RLSA-, RHSA- …: two letters whose, then S(ecurity), B(ug) or E(nhancement), then A. */
static char erratum_letter(hf_sv id)
{
	if (id.len < 6 || id.ptr[3] != 'A' || id.ptr[4] != '-')
		return 0;
	hf_sv whose = hf_sv_first(id, 2);
	bool known = hf_sv_eq(whose, HF_SV("AL")) || hf_sv_eq(whose, HF_SV("RL")) || hf_sv_eq(whose, HF_SV("RH")) ||
		     hf_sv_eq(whose, HF_SV("RX")) || hf_sv_eq(whose, HF_SV("EL"));
	return known && strchr("SBE", id.ptr[2]) ? id.ptr[2] : 0;
}

static hf_sv scorer(hf_sv id)
{
	static const struct {
		hf_sv prefix, name;
	} table[] = {
		{ HF_SV_INIT("GHSA-"), HF_SV_INIT("github") },   { HF_SV_INIT("RUSTSEC-"), HF_SV_INIT("rustsec") },
		{ HF_SV_INIT("GO-"), HF_SV_INIT("go") },         { HF_SV_INIT("PYSEC-"), HF_SV_INIT("pypa") },
		{ HF_SV_INIT("BIT-"), HF_SV_INIT("bitnami") },   { HF_SV_INIT("HSEC-"), HF_SV_INIT("haskell") },
		{ HF_SV_INIT("UBUNTU-"), HF_SV_INIT("ubuntu") }, { HF_SV_INIT("USN-"), HF_SV_INIT("ubuntu") },
		{ HF_SV_INIT("RHSA-"), HF_SV_INIT("redhat") },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(table); i++)
		if (hf_sv_starts(id, table[i].prefix))
			return table[i].name;
	return HF_SV("osv");
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_.+-", c);
}

/* "Important: nodejs:18 security update": the words "name:stream" of it. Several: none, since one cannot tell whose is whose. */
static hf_sv module_in(hf_sv summary)
{
	hf_sv found = { 0 }, word;

	for (hf_sv rest = summary; rest.ptr && hf_sv_next(&rest, ' ', &word);) {
		size_t colon = hf_sv_index(word, ':');
		bool good = colon != SIZE_MAX && colon > 0 && colon + 1 < word.len;
		for (size_t i = 0; good && i < word.len; i++)
			good = i == colon || (word.ptr[i] && is_name_char(word.ptr[i]));
		if (!good)
			continue;
		if (found.len)
			return (hf_sv){ 0 };
		found = word;
	}
	return found;
}

/* "…?arch=x86_64&rpmmod=nodejs:18:8100020240301:…" */
static hf_sv module_of_purl(hf_sv purl)
{
	size_t at = hf_sv_find(purl, HF_SV("rpmmod="));
	hf_sv name, rest;

	if (at == SIZE_MAX)
		return (hf_sv){ 0 };
	hf_sv value = hf_sv_skip(purl, at + 7);
	value = hf_sv_first(value, hf_sv_index(value, '&'));
	if (!hf_sv_cut(value, ':', &name, &rest))
		return (hf_sv){ 0 };
	size_t stream = hf_sv_index(rest, ':');
	return hf_sv_first(value, name.len + 1 + (stream == SIZE_MAX ? rest.len : stream));
}

static bool is_modular(const struct hf_affected *e)
{
	for (size_t i = 0; i < e->ranges_n; i++)
		if (hf_sv_find(e->ranges[i].fixed, HF_SV(".module")) != SIZE_MAX)
			return true;
	return false;
}

/* "Ubuntu:Pro:18.04:LTS" is esm, "Ubuntu:Pro:FIPS-updates:20.04:LTS" fips-updates. */
static hf_sv ubuntu_channel(hf_sv ecosystem)
{
	static const struct {
		hf_sv part, channel;
	} table[] = {
		{ HF_SV_INIT(":FIPS-updates:"), HF_SV_INIT("fips-updates") },
		{ HF_SV_INIT(":FIPS-preview:"), HF_SV_INIT("fips-preview") },
		{ HF_SV_INIT(":FIPS:"), HF_SV_INIT("fips") },
		{ HF_SV_INIT(":Realtime"), HF_SV_INIT("realtime") },
		{ HF_SV_INIT("BlueField"), HF_SV_INIT("bluefield") },
		{ HF_SV_INIT("Ubuntu:Pro:"), HF_SV_INIT("esm") },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(table); i++)
		if (hf_sv_find(ecosystem, table[i].part) != SIZE_MAX)
			return table[i].channel;
	return (hf_sv){ 0 };
}

static bool has_fix(const struct hf_affected *e)
{
	for (size_t i = 0; i < e->ranges_n; i++)
		if (e->ranges[i].fixed.len)
			return true;
	return false;
}

static struct hf_affected normal_entry(const struct hf_osv_entry *in, hf_sv summary_module)
{
	struct hf_affected e = in->affected;

	if (e.state == HF_STATE_RANGES && in->never_affected)
		e.state = HF_STATE_NOT_AFFECTED;
	if (e.state == HF_STATE_WILL_NOT_FIX && has_fix(&e))
		e.state = HF_STATE_RANGES;
	if (hf_sv_starts(e.ecosystem, HF_SV("Ubuntu")))
		e.channel = ubuntu_channel(e.ecosystem);
	bool alma = hf_sv_starts(e.ecosystem, HF_SV("AlmaLinux"));
	bool redhat = hf_sv_starts(e.ecosystem, HF_SV("Red Hat"));
	e.binary_name = alma || redhat;
	if (alma || redhat || hf_sv_starts(e.ecosystem, HF_SV("Rocky Linux"))) {
		hf_sv module = module_of_purl(in->purl);
		if (!module.len && is_modular(&e))
			module = summary_module.len ? summary_module : HF_SV("*");
		e.module = module;
	}
	return e;
}

static void set_kind(struct hf_osv_record *rec, char erratum)
{
	bool malicious = rec->malicious || id_is(rec, HF_SV("MAL-"));

	for (size_t i = 0; i < rec->aliases.n; i++)
		malicious |= hf_sv_starts(rec->aliases.at[i], HF_SV("MAL-"));
	if (malicious)
		rec->adv.kind = HF_ADVISORY_MALICIOUS;
	else if (rec->unmaintained)
		rec->adv.kind = HF_ADVISORY_UNMAINTAINED;
	else if (rec->notice)
		rec->adv.kind = HF_ADVISORY_NOTICE;
	else if ((erratum == 'B' || erratum == 'E') && !rec->upstream.n && !rec->aliases.n)
		rec->adv.kind = HF_ADVISORY_BUGFIX;
}

static void set_severity(struct hf_osv_record *rec, char erratum)
{
	hf_sv word, rest;

	rec->adv.severity = hf_feed_severity(rec->word);
	if (!rec->adv.severity && erratum == 'S' && hf_sv_cut(rec->adv.summary, ':', &word, &rest))
		rec->adv.severity = hf_feed_severity(word);
}

int hf_osv_normalise(struct hf_osv_record *rec, struct hf_err *err)
{
	struct hf_advisory *adv = &rec->adv;
	char erratum = erratum_letter(adv->id);
	struct hf_affected *affected = hf_arena_array(rec->arena, struct hf_affected, rec->entries.n);

	if (erratum && !rec->upstream.n) { /* AlmaLinux and Rocky: what the erratum fixes is "related" to it */
		rec->upstream = rec->related;
		rec->related = (hf_sv_vec){ 0 };
	}
	if (!affected || rec->arena->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	hf_sv module = erratum ? module_in(adv->summary) : (hf_sv){ 0 };
	for (size_t i = 0; i < rec->entries.n; i++)
		affected[i] = normal_entry(&rec->entries.at[i], module);
	for (size_t i = 0; i < rec->cvss.n; i++)
		rec->cvss.at[i].source = scorer(adv->id);
	set_kind(rec, erratum);
	set_severity(rec, erratum);
	if (!adv->summary.len)
		adv->summary = rec->details;
	if (!adv->url.len)
		adv->url = rec->reference;
	adv->aliases = rec->aliases.at;
	adv->aliases_n = rec->aliases.n;
	adv->upstream = rec->upstream.at;
	adv->upstream_n = rec->upstream.n;
	adv->mentions = rec->related.at;
	adv->mentions_n = rec->related.n;
	adv->cvss = rec->cvss.at;
	adv->cvss_n = rec->cvss.n;
	adv->affected = affected;
	adv->affected_n = rec->entries.n;
	return HF_OK;
}
