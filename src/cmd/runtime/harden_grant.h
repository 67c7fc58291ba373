/* What a container that runs on this machine was granted: by its engine's word and its bundle. */
#pragma once
#include "harden/grant.h"

/* Adds to @grant what Docker (its socket, or $DOCKER_HOST where that is one) and the bundle's config.json say of the container @id.
 * True where either said something; that neither did is no error. */
bool harden_grant_live(hf_sv id, struct hf_grant *grant);
