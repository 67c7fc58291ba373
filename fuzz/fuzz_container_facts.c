/* What engines say of a container. The first byte chooses the parser: i docker inspect, h hostconfig, e event, m image, v info,
 * b bundle, s containers.json. What was read is within its bounds, sorted, and packs. */
#include <stdlib.h>

#include "base/limits.h"
#include "engine/bundle.h"
#include "engine/docker.h"
#include "engine/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(char kind, hf_sv text, struct hf_arena *a, struct hf_container *c, struct hf_err *err)
{
	enum hf_docker_event_kind event;
	hf_sv one, two;
	bool found;

	switch (kind) {
	case 'i':
		return hf_docker_inspect_parse(text, a, c, err);
	case 'h':
		return hf_docker_hostconfig_parse(text, a, c, err);
	case 'e':
		return hf_docker_event_parse(text, a, &event, c, err);
	case 'm':
		return hf_docker_image_parse(text, a, &one, err);
	case 'v':
		return hf_docker_info_parse(text, a, &one, &two, err);
	case 'b':
		return hf_bundle_parse(text, a, c, err);
	default:
		return hf_storage_containers_parse(text, HF_SV("x"), a, &found, c, err);
	}
}

static void check_list(const hf_sv *list, size_t n)
{
	if (n > HF_FACT_LIST_MAX + 2)
		abort();
	for (size_t i = 0; i < n; i++)
		if (list[i].len > HF_FACT_VALUE_MAX + 3)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_ENGINE_ARENA_MAX);
	struct hf_container c = { 0 }, packed = { 0 };
	struct hf_err err = { 0 };
	size_t block_size;

	if (!size || parse((char)data[0], (hf_sv){ (const char *)data + 1, size - 1 }, &a, &c, &err) < 0)
		return 0;
	const hf_sv strings[] = { c.id,      c.name, c.image_name, c.image_digest, c.pod_name, c.pod_namespace,
				  c.pod_uid, c.user, c.address };
	for (size_t i = 0; i < HF_ARRAY_SIZE(strings); i++)
		if (strings[i].len > HF_FACT_NAME_MAX + 16)
			abort();
	check_list(c.mounts, c.mounts_n);
	check_list(c.host_namespaces, c.host_namespaces_n);
	check_list(c.capabilities_added, c.capabilities_added_n);
	check_list(c.entrypoint, c.entrypoint_n);
	check_list(c.exposed_ports, c.exposed_ports_n);
	if (c.labels_n > HF_FACT_LABELS_MAX + 1)
		abort();
	for (size_t i = 1; i < c.labels_n; i++)
		if (hf_sv_cmp(c.labels[2 * i - 2], c.labels[2 * i]) >= 0)
			abort();
	free(hf_facts_pack(&c, NULL, &packed, &block_size));
	return 0;
}
