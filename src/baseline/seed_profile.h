/* A seed as the beginning of a profile. */
#pragma once
#include "baseline/profile.h"
#include "baseline/seed.h"

/* Adds what @seed holds to @p (initialised by hf_profile_init) as entries of origin seed, each with its reason. @root is asked for the
 * number of a user's name. Executables and scripts are covered where no program is only known at run time, libraries where no file
 * loads more at run time, system calls where the code is an upper bound; ports and users never: an image may do without saying them.
 * Hints are entries too. HF_E_LIMIT: the profile is full. */
hf_nodiscard int hf_seed_profile(const struct hf_seed *seed, const struct hf_root *root, struct hf_profile *p,
				 struct hf_err *err);
