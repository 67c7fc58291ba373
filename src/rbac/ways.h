/* What hf_rbac_powers is made of. */
#pragma once
#include "rbac/powers.h"

/* Fills in ways, pods and has_token_secret. False on the arena's cap. */
bool rbac_find_ways(struct hf_rbac_powers *, struct hf_arena *);
