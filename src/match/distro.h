/* From an operating system to what the feeds call it, and who else's packages may lie in it. */
#pragma once
#include "base/arena.h"
#include "model/os.h"
#include "model/package.h"

struct hf_distro {
	hf_sv id;        /* as os-release's ID; empty: not known */
	hf_sv ecosystem; /* key of the database: "Debian:12", "Alpine:v3.18", "Wolfi"; empty: no feed speaks of it */
	hf_sv other_ecosystem;   /* looked for where the database has none of the first; empty: none */
	hf_sv channel_ecosystem; /* a second key whose fixes need a subscription ("Ubuntu:Pro:22.04:LTS"); empty: none
				  */
	hf_sv product, cycle;    /* at endoflife.date; empty: not there */
	bool free_extended;      /* the extended support is for everyone (Debian LTS) */
	hf_sv label;             /* "Debian 12", for sentences */
};

/* Decided by ID alone: a derivative is never matched as its parent. Lives in @a and in *@os. */
void hf_distro_of(const struct hf_os *os, struct hf_arena *a, struct hf_distro *ret);
/* Evidence that a package was built by somebody else than @distro, as a few words ("version names 'nodesource'"); NULL
 * where there is none. Only positive evidence counts: maintainers of a distribution have addresses of every kind.
 *  - dpkg: the version carries a mark that only others' archives use (on Debian also Ubuntu's), or the Origin or
 *    Maintainer is one of a short list of vendors;
 *  - rpm: the Vendor is set and is not the distribution's. */
const char *hf_distro_foreign(const struct hf_distro *distro, const struct hf_package *p);
/* Headers or kernel packages: nothing runs them in a container. */
bool hf_package_is_kernel(const struct hf_package *p);
