/* The config of an image or a container as JSON, for a seed. Source: OCI image-spec v1.1 config.md (key "config"); Docker Engine API
 * v1.41, GET /containers/ID/json (keys "Config", "State", "Image", "Name"). */
#pragma once
#include "base/arena.h"
#include "model/artifact.h"

struct hf_seed_container {
	struct hf_image_config config; /* entrypoint, cmd, user, env, exposed_ports, working_dir, healthcheck */
	uint64_t pid;                  /* of a running container; 0: none */
	hf_sv image_digest, image_name, name;
};
/* All lives in @a or in @json. HF_E_FORMAT: no JSON, or none with a config; HF_E_LIMIT. */
hf_nodiscard int hf_seed_config(hf_sv json, struct hf_arena *a, struct hf_seed_container *ret, struct hf_err *err);
