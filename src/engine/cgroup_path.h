/* What a path in the cgroup hierarchy says about containers. Layouts: docs/formats/cgroup-paths.md. */
#pragma once
#include "base/view.h"

/* Views into the path. */
struct hf_cgroup_path {
	hf_sv id;
	hf_sv engine;   /* docker, containerd, cri-o, podman; unknown where only the id is of a container's form */
	hf_sv pod_uid;  /* as it stands there: systemd's slices write _ for - */
	hf_sv own_path; /* the path up to the container's own cgroup */
	bool own;       /* it ends there */
};

/* The innermost container that the path lies in; false where there is none. Pure, linear. */
bool hf_cgroup_path_parse(hf_sv path, struct hf_cgroup_path *ret);
