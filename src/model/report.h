/* What a scan found, ready to be written by any report: sorted, complete, nothing left to decide. */
#pragma once
#include "model/advisory.h"
#include "model/artifact.h"
#include "model/os.h"
#include "model/package.h"

enum hf_status {
	HF_STATUS_AFFECTED = 0,
	HF_STATUS_FIXED_AVAILABLE,
	HF_STATUS_WILL_NOT_FIX,
	HF_STATUS_NOT_AFFECTED,
	HF_STATUS_UNDER_INVESTIGATION,
	HF_STATUS_MAX,
};
const char *hf_status_name(enum hf_status status);       /* as cli.md: "fixed_available", … */
const char *hf_severity_name(enum hf_severity severity); /* "critical" … "negligible", "unknown" */
/* Any spelling that feeds use ("Moderate", "important", "MEDIUM"); UNKNOWN where it is none. */
enum hf_severity hf_severity_of(hf_sv word);

/* score from the vector by its own specification; <0: not computable */
struct hf_scored {
	hf_sv source, vector;
	double score;
};

/* One flaw in one package. */
struct hf_vulnerability {
	hf_sv id; /* the CVE where there is one, else the record's id */
	const hf_sv *aliases;
	size_t aliases_n;       /* all other ids of the flaw, sorted */
	uint32_t package;       /* index into packages */
	hf_sv installed, fixed; /* fixed: the lowest version that ends it here; empty: none known */
	enum hf_severity severity;
	hf_sv severity_source; /* "debian", "almalinux", "nvd", …; empty where severity is unknown */
	const struct hf_scored *cvss;
	size_t cvss_n;
	float epss, epss_percentile; /* <0: not known */
	bool kev, kev_ransomware;
	hf_sv kev_added;
	enum hf_status status;
	enum hf_advisory_kind kind;
	/* class of its own: headers or kernel packages that nothing runs in a container */
	bool kernel_headers;
	bool unimportant; /* the distribution calls it no real risk */
	hf_sv title;
	hf_sv advisory_id, advisory_source, advisory_url, advisory_modified;
	/* the rule of match/ that gave the verdict, for example "range: introduced 0, fixed 1.2-3" */
	hf_sv rule;
	hf_sv channel; /* where the fix lives when not the main archive: "esm-apps", … */
	hf_sv suppressed_by, suppressed_why, suppressed_until; /* by empty: not suppressed */
};

/* A package (or the whole system) for which there is no verdict, and why. */
struct hf_undecided {
	int64_t package; /* index into packages; -1: the operating system as a whole */
	/* "no-data-for-release", "third-party-origin", "version-not-comparable", "version-unknown", "no-data-for-
	 * ecosystem", "unsupported-release" */
	hf_sv code;
	hf_sv reason;      /* a sentence */
	hf_sv advisory_id; /* where one record is the cause */
};

/* A file that could not be read or understood. */
struct hf_unparsed {
	hf_sv path, reason;
	int32_t layer;
}; /* layer: index, -1: none */

/* A finding of the image as a whole: missing package database, layers at different patch levels, … */
struct hf_misconfiguration {
	hf_sv id, title, path, message, fix;
	hf_sv why;            /* what it lets happen, in general; may be empty */
	hf_sv made_from;      /* the file that a program made the place of ("chart/templates/web.yaml"); empty: none */
	const char *baseline; /* of a comparison: "new", "unchanged" or "absent", as SARIF has them; NULL: none */
	enum hf_severity severity;
	uint32_t line;
	const hf_sv *references;
	size_t references_n;
};

enum hf_layer_role {
	HF_ROLE_UNKNOWN = 0,
	HF_ROLE_BASE,
	HF_ROLE_RUNTIME,
	HF_ROLE_DEPENDENCIES,
	HF_ROLE_APPLICATION,
	HF_ROLE_CONFIGURATION,
	HF_ROLE_MAX
};
const char *hf_layer_role_name(enum hf_layer_role role); /* "base", "runtime", … "unknown" */

struct hf_package_change {
	hf_sv purl, before, after;
}; /* versions; before empty: added; after empty: removed */

struct hf_layer_report {
	struct hf_layer layer;
	enum hf_layer_role role;
	hf_sv role_evidence;            /* why this role, in a few words */
	uint64_t files_n, content_size; /* regular files in it and the sum of their sizes */
	uint64_t hidden_size;           /* bytes of its files that upper layers hide or replace: waste */
	const struct hf_package_change *added;
	size_t added_n;
	const struct hf_package_change *changed;
	size_t changed_n;
	const struct hf_package_change *removed;
	size_t removed_n;
	/* Where the distribution's packages that this layer put in stand: date of the newest security fix that they all
	 * hold, as "YYYY-MM-DD", or a version where dates are not known; empty: no distribution packages in it. */
	hf_sv patch_level;
	uint32_t fixable_n; /* findings with a fix among the packages that this layer gives */
};

struct hf_database_source {
	hf_sv name, newest, absence;
	uint64_t records, malformed;
};

struct hf_database_info {
	bool present;
	bool landmarks_only; /* only the small built-in set */
	hf_sv built;         /* RFC 3339 */
	const struct hf_database_source *sources;
	size_t sources_n;
};

struct hf_scan_report {
	const struct hf_artifact *artifact;
	struct hf_os os;
	hf_sv end_of_life; /* "YYYY-MM-DD" of the release; empty: not known */
	int supported;     /* 1 yes, 0 no, -1 not known */
	hf_sv base_name;
	uint32_t base_layers;
	hf_sv base_evidence; /* empty: not known */
	struct hf_database_info database;
	const struct hf_package *packages;
	size_t packages_n; /* by purl, then path */
	/* by package, then severity (worst first), then id */
	const struct hf_vulnerability *vulnerabilities;
	size_t vulnerabilities_n;
	const struct hf_undecided *undecided;
	size_t undecided_n;
	const struct hf_misconfiguration *misconfigurations;
	size_t misconfigurations_n;
	const struct hf_unparsed *unparsed;
	size_t unparsed_n; /* by layer, path, reason */
	const struct hf_layer_report *layers;
	size_t layers_n;
	uint64_t files_n, content_size;
	const hf_sv *notes;
	size_t notes_n; /* sentences for the footer: what is missing, what limits the answer */
};
