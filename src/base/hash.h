/* SipHash-1-3 with a key of this process (RFC-less; Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
 * Input cannot be made to collide, so a table of hashes can stand for a table of paths. Never stored or printed. */
#pragma once
#include "base/view.h"

uint64_t hf_hash(hf_sv s);
/* The hash of a path, so that /bin/x and /usr/bin/x are the same on systems with merged /usr: "usr/" before bin, sbin,
 * lib, lib32, lib64 and libx32 does not count. */
uint64_t hf_hash_path(hf_sv path);
