/* What the Docker Engine answers (API 1.24 and later, docs/formats/docker-engine.md). Pure parsers. All strings live in the text or
 * the arena and are within the bounds of engine/facts.h. HF_E_FORMAT: not such an answer; HF_E_LIMIT: the arena's cap. */
#pragma once
#include "engine/container.h"
#include "base/arena.h"

/* GET /containers/ID/json, and DATA_ROOT/containers/ID/config.v2.json, which has the same fields without HostConfig. */
int hf_docker_inspect_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err);
/* DATA_ROOT/containers/ID/hostconfig.json: what stands in HostConfig there. Adds to *ret. */
int hf_docker_hostconfig_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err);

enum hf_docker_event_kind {
	HF_DOCKER_EVENT_OTHER,
	HF_DOCKER_EVENT_CREATE, /* also a rename: id, name, image_name, labels */
	HF_DOCKER_EVENT_DESTROY,
	HF_DOCKER_EVENT_IMAGE, /* names of images have changed */
};
/* A line of GET /events. */
int hf_docker_event_parse(hf_sv line, struct hf_arena *a, enum hf_docker_event_kind *ret_kind, struct hf_container *ret,
			  struct hf_err *err);
/* GET /images/NAME/json: "sha256:…". */
int hf_docker_image_parse(hf_sv json, struct hf_arena *a, hf_sv *ret_digest, struct hf_err *err);
/* GET /info: version and the folder of its data. */
int hf_docker_info_parse(hf_sv json, struct hf_arena *a, hf_sv *ret_version, hf_sv *ret_data_root, struct hf_err *err);
