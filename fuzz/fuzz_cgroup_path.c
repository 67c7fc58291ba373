/* A container found in a path has its id and its own cgroup in that path, and that path alone gives the same. */
#include <stdlib.h>

#include "engine/cgroup_path.h"
#include "engine/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_sv path = { (const char *)data, size }, id, engine, uid;
	struct hf_cgroup_path p, own;

	if (!hf_cgroup_path_parse(path, &p))
		return 0;
	if (!p.id.len || !p.engine.len || !hf_sv_starts(path, p.own_path) || hf_sv_find(p.own_path, p.id) == SIZE_MAX)
		abort();
	if (!hf_cgroup_path_parse(p.own_path, &own) || !own.own || !hf_sv_eq(own.id, p.id) ||
	    !hf_sv_eq(own.engine, p.engine) || !hf_sv_eq(own.pod_uid, p.pod_uid))
		abort();
	if (hf_container_of_path(path, &id, &engine, &uid) != p.own)
		abort();
	return 0;
}
