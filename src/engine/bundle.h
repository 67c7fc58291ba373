/* OCI bundles (runtime-spec 1.0 and later: config.json) with the annotations of containerd's CRI, CRI-O, podman and nerdctl, and the
 * list of containers of containers/storage, where podman and CRI-O keep names. docs/formats/oci-bundle.md. Pure parsers, as in
 * engine/docker.h. */
#pragma once
#include "engine/container.h"
#include "base/arena.h"

/* config.json. ret->engine stays as it is where no annotation tells. The id is not in there. */
int hf_bundle_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err);
/* overlay-containers/containers.json: name, image and digest of the container @id, added to *ret where it has none yet. *ret_found:
 * it is there. */
int hf_storage_containers_parse(hf_sv json, hf_sv id, struct hf_arena *a, bool *ret_found, struct hf_container *ret,
				struct hf_err *err);
