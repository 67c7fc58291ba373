/* Package names in the one spelling that the database is keyed by. */
#pragma once
#include "base/arena.h"

enum { HF_DATABASE_KEY_MAX = 511 }; /* LMDB's limit of a key */

/* The key of a package: "P", ecosystem, NUL, normalised name, in @out. Ecosystems keep their case and release suffix;
 * names are normalised by their ecosystem's rule: PyPI PEP 503; crates.io '_' as '-' and lower case (the registry
 * refuses names that differ in no more); Packagist, NuGet and Hex lower case; Go lower case too, since a purl of a
 * module has no other; all others as they are. Returns the length, 0 where it does not fit. */
size_t hf_package_key(hf_sv ecosystem, hf_sv name, char out[HF_DATABASE_KEY_MAX]);
