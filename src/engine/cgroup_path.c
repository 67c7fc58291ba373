#include "engine/cgroup_path.h"

#include "engine/container.h"

enum { ID_LEN = 64, BUILDKIT_ID_LEN = 25, UID_LEN = 36, UID_LEN_STATIC = 32 };

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_id(hf_sv s)
{
	size_t n = 0;

	while (n < s.len && is_hex(s.ptr[n]))
		n++;
	return s.len == ID_LEN && n == ID_LEN;
}

/* A pod's uid: of the form of RFC 4122 with - or _, or for pods of the kubelet itself 32 digits. */
static bool is_uid(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool dash = s.len == UID_LEN && (i == 8 || i == 13 || i == 18 || i == 23);
		if (dash ? s.ptr[i] != '-' && s.ptr[i] != '_' : !is_hex(s.ptr[i]))
			return false;
	}
	return s.len == UID_LEN || s.len == UID_LEN_STATIC;
}

/* podUID, or …-podUID.slice as systemd names what lies in a slice. */
static bool pod_of(hf_sv part, hf_sv *ret_uid)
{
	hf_sv slice = HF_SV(".slice"), name = part;

	if (hf_sv_ends(part, slice)) {
		name = hf_sv_first(part, part.len - slice.len);
		for (size_t at; (at = hf_sv_find(name, HF_SV("-pod"))) != SIZE_MAX;)
			name = hf_sv_skip(name, at + 1);
	}
	if (!hf_sv_starts(name, HF_SV("pod")) || !is_uid(hf_sv_skip(name, 3)))
		return false;
	*ret_uid = hf_sv_skip(name, 3);
	return true;
}

static const struct {
	hf_sv prefix, engine;
} prefixes[] = {
	{ HF_SV_INIT("docker"), HF_SV_INIT("docker") },      { HF_SV_INIT("cri-containerd"), HF_SV_INIT("containerd") },
	{ HF_SV_INIT("nerdctl"), HF_SV_INIT("containerd") }, { HF_SV_INIT("crio"), HF_SV_INIT("cri-o") },
	{ HF_SV_INIT("libpod"), HF_SV_INIT("podman") },
};

static hf_sv engine_of(hf_sv prefix)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(prefixes); i++)
		if (hf_sv_eq(prefixes[i].prefix, prefix))
			return prefixes[i].engine;
	return (hf_sv){ 0 };
}

/* PREFIX-ID, with .scope where systemd made it; SLICE:PREFIX:ID where a runtime without systemd was given systemd's form. */
static bool prefixed_id(hf_sv part, struct hf_cgroup_path *ret)
{
	hf_sv scope = HF_SV(".scope"), prefix, id, slice;

	if (hf_sv_cut_last(part, ':', &prefix, &id)) {
		if (hf_sv_cut(prefix, ':', &slice, &prefix) && pod_of(slice, &slice))
			ret->pod_uid = slice;
	} else {
		bool scoped = hf_sv_ends(part, scope);
		if (scoped)
			part = hf_sv_first(part, part.len - scope.len);
		if (!hf_sv_cut_last(part, '-', &prefix, &id))
			return false;
	}
	ret->id = id;
	ret->engine = engine_of(prefix);
	return is_id(id) && ret->engine.ptr;
}

/* An id without a prefix: the folder around it tells whose it is. */
static bool bare_id(hf_sv part, hf_sv parent, size_t depth, struct hf_cgroup_path *ret)
{
	static const hf_sv namespaces[] = { HF_SV_INIT("default"), HF_SV_INIT("k8s.io") };

	ret->id = part;
	ret->engine = hf_sv_eq(parent, HF_SV("docker")) ? HF_SV("docker") : HF_SV("unknown");
	if (hf_sv_eq(parent, HF_SV("buildkit")) && part.len == BUILDKIT_ID_LEN) {
		ret->engine = HF_SV("docker");
		return true;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(namespaces); i++) {
		if (depth == 2 && hf_sv_eq(parent, namespaces[i])) {
			ret->engine = HF_SV("containerd");
			return true;
		}
	}
	return is_id(part);
}

bool hf_cgroup_path_parse(hf_sv path, struct hf_cgroup_path *ret)
{
	struct hf_cgroup_path found = { 0 };
	hf_sv rest = path.ptr ? path : HF_SV(""), part, parent = { 0 }, pod = { 0 };
	size_t depth = 0;

	while (hf_sv_next(&rest, '/', &part)) {
		struct hf_cgroup_path here = { .own = true };
		hf_sv uid;
		if (!part.len || hf_sv_eq(part, HF_SV("..")) || hf_sv_eq(part, HF_SV(".")))
			continue;
		depth++;
		found.own = false;
		if (pod_of(part, &uid)) {
			pod = uid;
		} else if (prefixed_id(part, &here) ||
			   (here.pod_uid = (hf_sv){ 0 }, bare_id(part, parent, depth, &here))) {
			if (!here.pod_uid.ptr)
				here.pod_uid = pod;
			here.own_path = hf_sv_first(path, (size_t)(part.ptr - path.ptr) + part.len);
			found = here;
			pod = (hf_sv){ 0 };
		}
		parent = part;
	}
	*ret = found;
	return found.id.len > 0;
}

bool hf_container_of_path(hf_sv cgroup_path, hf_sv *ret_id, hf_sv *ret_engine, hf_sv *ret_pod_uid)
{
	struct hf_cgroup_path p;

	if (!hf_cgroup_path_parse(cgroup_path, &p) || !p.own)
		return false;
	*ret_id = p.id;
	*ret_engine = p.engine;
	*ret_pod_uid = p.pod_uid;
	return true;
}
