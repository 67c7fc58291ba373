/* Package URLs: pkg:type/namespace/name@version?qualifiers#subpath.
 * Source: ECMA-427 (https://github.com/package-url/purl-spec), the specification and the definitions of its types. */
#pragma once
#include "model/os.h"
#include "model/package.h"

struct hf_purl_qualifier {
	hf_sv key, value; /* decoded; the key in lower case */
};

/* All parts decoded and normalised by the rules of the type; an empty view: absent. */
struct hf_purl {
	hf_sv type;
	hf_sv namespace; /* segments with '/' between them, no empty ones */
	hf_sv name;
	hf_sv version;
	const struct hf_purl_qualifier *qualifiers; /* sorted by key, no empty values */
	size_t qualifiers_n;
	hf_sv subpath; /* segments with '/' between them, no empty ones, no "." and ".." */
};

/* Parses @text. Views live in @a.
 * @return HF_OK; HF_E_FORMAT with what is wrong in *err; HF_E_LIMIT where @a is used up. */
int hf_purl_parse(hf_sv text, struct hf_arena *a, struct hf_purl *ret, struct hf_err *err);
/* The canonical string, in @a; empty where @a is used up. @p is as hf_purl_parse leaves it. */
hf_sv hf_purl_format(const struct hf_purl *p, struct hf_arena *a);
/* The canonical purl of a package, with `arch`, `distro`, `epoch`, `upstream` and `rpmmod` for a distribution's packages as
 * Trivy and Syft write them. @os may be NULL. A Java archive whose group is not known has "pkg:maven/artifact@version" as
 * Trivy writes it, which hf_purl_parse refuses: the type demands a group. In @a; empty where the package has no name, or
 * @a is used up. */
hf_sv hf_purl_of_package(const struct hf_package *p, const struct hf_os *os, struct hf_arena *a);
