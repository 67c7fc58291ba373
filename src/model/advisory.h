/* An advisory, as a reader of a feed gives it to the database, and the data that enriches findings.
 * Views are borrowed for the call that hands the advisory over. */
#pragma once
#include "base/arena.h"

enum hf_severity {
	HF_SEV_UNKNOWN = 0, /* nobody said */
	HF_SEV_NEGLIGIBLE,  /* Debian "unimportant", Ubuntu "negligible"; counted as low */
	HF_SEV_LOW,
	HF_SEV_MEDIUM,
	HF_SEV_HIGH,
	HF_SEV_CRITICAL,
	HF_SEV_MAX,
};

/* What an affected entry says of its package. */
enum hf_advisory_state {
	HF_STATE_RANGES = 0, /* the ranges and versions say what is affected */
	/* never affected in this release (Alpine's "0", Debian's fixed_version "0", VEX known_not_affected) */
	HF_STATE_NOT_AFFECTED,
	HF_STATE_OPEN, /* affected, no fix known (Debian "open"; urgency and nodsa refine it) */
	/* affected, the distribution said that it will not fix (ignored, end of life, wont-fix) */
	HF_STATE_WILL_NOT_FIX,
	HF_STATE_DEFERRED,      /* affected, fix postponed (postponed, no-dsa, fix deferred) */
	HF_STATE_INVESTIGATING, /* undetermined, under_investigation */
	HF_STATE_MAX,
};

enum hf_range_kind {
	HF_RANGE_ECOSYSTEM = 0, /* versions in the package's own scheme */
	HF_RANGE_SEMVER,        /* versions in semver 2.0 */
	HF_RANGE_GIT,           /* commits: kept as "not comparable" */
};

/* One half-open stretch: introduced <= v < fixed, or introduced <= v <= last_affected. */
struct hf_range {
	enum hf_range_kind kind;
	hf_sv introduced;    /* "0" or empty: from the beginning */
	hf_sv fixed;         /* empty: no fix known */
	hf_sv last_affected; /* empty: not said; used only where fixed is empty */
	/* empty: none; not affected from here on, though this is no fix (OSV's "limit"); used only where both are empty */
	hf_sv limit;
};

struct hf_cvss {
	hf_sv source; /* who scored: "nvd", "cna", "github", "osv", … */
	hf_sv vector; /* "CVSS:3.1/…", "CVSS:4.0/…", or a v2 vector without prefix */
};

struct hf_affected {
	/* OSV's name with its release: "Debian:12", "Alpine:v3.18", "AlmaLinux:9", "Wolfi", "PyPI", "Red Hat:…" */
	hf_sv ecosystem;
	hf_sv package; /* as the feed spells it; source package for distributions that speak of them */
	enum hf_advisory_state state;
	enum hf_severity severity; /* the distribution's own or the entry's own; UNKNOWN: none */
	const struct hf_range *ranges;
	size_t ranges_n;
	const hf_sv *versions;
	size_t versions_n; /* an explicit list of affected versions */
	const hf_sv *arches;
	size_t arches_n; /* only these; empty: all */
	/* "name:stream" of an rpm module; empty: not modular; "*": modular, the feed does not say which */
	hf_sv module;
	/* "", or where the fix lives: "esm", "fips", "fips-updates", "realtime" … (Ubuntu): a subscription of its own */
	hf_sv channel;
	bool binary_name; /* `package` is a binary package (AlmaLinux, Red Hat by product), not a source package */
	bool unimportant; /* the distribution calls it no real risk (Debian "unimportant") */
};

enum hf_advisory_kind {
	HF_ADVISORY_SECURITY = 0,
	HF_ADVISORY_MALICIOUS,    /* the package itself is the malware */
	HF_ADVISORY_UNMAINTAINED, /* informational: shown on request, counts for no gate */
	HF_ADVISORY_NOTICE,       /* other informational records */
	HF_ADVISORY_BUGFIX,       /* errata without security content: counted, not matched */
};

struct hf_advisory {
	hf_sv source; /* the feed, as `db status` names it: "osv/PyPI", "alpine", "wolfi", "debian", … */
	hf_sv id;
	enum hf_advisory_kind kind;
	const hf_sv *aliases;
	size_t aliases_n; /* the same flaw under other ids */
	/* Flaws that this record fixes or repeats for a distribution, each one a flaw of its own and not the same as the others:
	 * OSV's `upstream`, AlmaLinux's `related`. Several are the rule for errata (ALSA, RHSA, USN, DSA). */
	const hf_sv *upstream;
	size_t upstream_n;
	/* other ids that it names (OSV's `related`, an XSA beside a CVE): for search only */
	const hf_sv *mentions;
	size_t mentions_n;
	hf_sv summary;                        /* one line, may be empty */
	hf_sv url;                            /* of the record for people to read; may be empty */
	hf_sv published, modified, withdrawn; /* RFC 3339 as the feed has it; empty: not said */
	enum hf_severity severity;            /* of the record as a whole, the source's own word; UNKNOWN: none */
	const struct hf_cvss *cvss;
	size_t cvss_n;
	const struct hf_affected *affected;
	size_t affected_n;
};

struct hf_kev {
	hf_sv cve, date_added, due_date;
	bool ransomware;
};
struct hf_epss {
	hf_sv cve;
	float score, percentile;
};
/* CVE JSON 5: what the CVE record and CISA's container say of a flaw itself */
struct hf_cve {
	hf_sv cve, title, published, modified;
	bool rejected;
	const struct hf_cvss *cvss;
	size_t cvss_n;
};
/* endoflife.date: one release cycle of a product. Dates are "YYYY-MM-DD"; empty: not known. */
struct hf_release_cycle {
	hf_sv product, cycle, codename, released, end_of_support, end_of_life, extended_end;
	bool ended_no_date;
};

/* Where a reader puts what it reads; each returns HF_OK or a negative code, which the reader passes on at once. */
struct hf_advisory_sink {
	int (*advisory)(struct hf_advisory_sink *, const struct hf_advisory *, struct hf_err *);
	int (*kev)(struct hf_advisory_sink *, const struct hf_kev *, struct hf_err *);
	int (*epss)(struct hf_advisory_sink *, const struct hf_epss *, struct hf_err *);
	int (*cve)(struct hf_advisory_sink *, const struct hf_cve *, struct hf_err *);
	int (*cycle)(struct hf_advisory_sink *, const struct hf_release_cycle *, struct hf_err *);
	/* A record was passed over: @where names it ("GO-2024-1.json", "Alpine v3.18 main: aom"), @why in words. */
	int (*malformed)(struct hf_advisory_sink *, hf_sv where, hf_sv why, struct hf_err *);
	/* The feed's own date ("2026-08-16"), where it has one besides its records'. */
	int (*dated)(struct hf_advisory_sink *, hf_sv date, struct hf_err *);
};
