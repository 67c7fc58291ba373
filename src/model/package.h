/* A package, as it was found in an artifact.
 *
 * A cataloger fills what its file says and leaves the rest zero: an empty view means "not known". Views live in the
 * arena of the call that emitted the package; the sink copies what it keeps. */
#pragma once
#include "base/arena.h"

/* The kind of package: its row in package_types.def says the purl type, the OSV ecosystem and the version scheme. */
enum hf_package_type {
#define HF_PACKAGE_TYPE(id, purl_type, ecosystem, scheme) HF_PKG_##id,
#include "model/package_types.def"
#undef HF_PACKAGE_TYPE
	HF_PKG_MAX,
};

const char *hf_package_type_purl(enum hf_package_type type); /* "deb", "pypi", … */
/* "PyPI", …; "" for distributions: the release decides */
const char *hf_package_type_ecosystem(enum hf_package_type type);
const char *hf_package_type_scheme(enum hf_package_type type); /* a row's name of version/versions.def */
/* deb, apk, rpm: packages of a distribution, whose advisories go by its release. */
bool hf_package_type_is_distribution(enum hf_package_type type);
/* The row with this purl type (lower case); HF_PKG_MAX where there is none. */
enum hf_package_type hf_package_type_of_purl(hf_sv purl_type);
/* The row with this OSV ecosystem, without its ":release" suffix; HF_PKG_MAX where there is none. Distributions too:
 * "Debian", "Ubuntu" -> DEB, "Alpine", "Wolfi", "Chainguard" -> APK, "AlmaLinux", "Red Hat", "Rocky Linux", … -> RPM. */
enum hf_package_type hf_package_type_of_ecosystem(hf_sv ecosystem);

struct hf_package {
	enum hf_package_type type;
	/* In the ecosystem's own spelling and whole: "libssl3", "@angular/core", "org.yaml:snakeyaml" (Maven group:artifact;
	 * ":artifact" where no group is known), "github.com/gorilla/mux", "symfony/http-kernel". Not normalised. */
	hf_sv name;
	/* Raw, as the scheme writes it: dpkg "[epoch:]upstream[-revision]", rpm "[epoch:]version-release". Empty: not known. */
	hf_sv version;
	hf_sv arch;            /* as the database says: "amd64", "x86_64", "noarch", "all" */
	hf_sv source_name;     /* source package (dpkg Source, apk origin, rpm SOURCERPM); empty: same as name */
	hf_sv source_version;  /* empty: same as version */
	hf_sv module;          /* rpm MODULARITYLABEL, "name:stream:version:context" */
	hf_sv origin;          /* who made it: dpkg Origin, else Maintainer; rpm Vendor; apk maintainer */
	const hf_sv *licences; /* as declared, one expression or name each */
	size_t licences_n;
	/* the file that says so, relative to the root, without leading '/'; nested: "app.war!/WEB-INF/lib/x.jar" */
	hf_sv path;
	uint32_t line;      /* in that file, from 1; 0: no lines */
	bool declared_only; /* declared (lock file, dependency list) but not seen installed */
	/* the artifact's own module (Go main module, the crate of a Rust binary): version may be unknown */
	bool is_main;
	/* Filled by composition (catalog/inventory), never by a cataloger. */
	hf_sv purl;
	int32_t layer;      /* index of the layer that gives the visible file, -1: not in a layer */
	hf_sv owned_by;     /* purl of the distribution's package that owns `path`; empty: none does */
	const hf_sv *paths; /* every visible file that gives this same package, sorted; paths[0] is `path` */
	size_t paths_n;
};
