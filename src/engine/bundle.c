#include "engine/bundle.h"

#include "engine/facts.h"

enum {
	ALL_CAPABILITIES = 38, /* the kernel had as many in 2019; --privileged gives what it has */
	NAMESPACE_TYPES = 4,
};

static int finish(struct hf_json *j, const char *what, struct hf_err *err)
{
	if (j->arena->over)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %zu bytes", what, j->arena->cap);
	if (!hf_json_end(j))
		return hf_fail(err, HF_E_FORMAT, "%s: byte %zu: %s", what, j->at,
			       j->why ? j->why : "more behind the end");
	return HF_OK;
}

/* What all engines give a container that asks for nothing. */
static bool is_default_capability(hf_sv name)
{
	static const hf_sv names[] = {
		HF_SV_INIT("CAP_AUDIT_WRITE"), HF_SV_INIT("CAP_CHOWN"),      HF_SV_INIT("CAP_DAC_OVERRIDE"),
		HF_SV_INIT("CAP_FOWNER"),      HF_SV_INIT("CAP_FSETID"),     HF_SV_INIT("CAP_KILL"),
		HF_SV_INIT("CAP_MKNOD"),       HF_SV_INIT("CAP_NET_RAW"),    HF_SV_INIT("CAP_NET_BIND_SERVICE"),
		HF_SV_INIT("CAP_SETFCAP"),     HF_SV_INIT("CAP_SETGID"),     HF_SV_INIT("CAP_SETPCAP"),
		HF_SV_INIT("CAP_SETUID"),      HF_SV_INIT("CAP_SYS_CHROOT"),
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(names[i], name))
			return true;
	return false;
}

struct bundle {
	struct hf_arena *a;
	struct hf_container *ret;
	struct hf_fact_labels labels;
	size_t capabilities;
	bool all_devices, masked, linux_seen, process_seen, namespace_own[NAMESPACE_TYPES];
};

static void read_user(struct hf_json *j, struct bundle *b)
{
	hf_sv key, uid = { 0 }, gid = { 0 };

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("uid")))
			uid = hf_json_text(j);
		else if (hf_sv_eq(key, HF_SV("gid")))
			gid = hf_json_text(j);
		else
			hf_json_skip(j);
	}
	if (uid.len)
		b->ret->user = hf_fact_bounded(b->a,
					       hf_arena_fmt(b->a, "%.*s:%.*s", HF_SV_FMT(hf_sv_first(uid, 32)),
							    HF_SV_FMT(gid.len ? hf_sv_first(gid, 32) : HF_SV("0"))),
					       HF_FACT_NAME_MAX);
}

static void read_capabilities(struct hf_json *j, struct bundle *b)
{
	struct hf_fact_strings added = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		if (!hf_sv_eq(key, HF_SV("bounding"))) {
			hf_json_skip(j);
			continue;
		}
		hf_json_elements(j) {
			hf_sv name = hf_json_string(j);
			b->capabilities++;
			if (!is_default_capability(name))
				hf_fact_add(&added, name);
		}
	}
	hf_fact_strings_keep(&added, b->a, &b->ret->capabilities_added, &b->ret->capabilities_added_n);
}

static void read_process(struct hf_json *j, struct bundle *b)
{
	hf_sv key;

	b->process_seen = true;
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("args")))
			hf_fact_list(j, b->a, &b->ret->entrypoint, &b->ret->entrypoint_n);
		else if (hf_sv_eq(key, HF_SV("user")))
			read_user(j, b);
		else if (hf_sv_eq(key, HF_SV("capabilities")))
			read_capabilities(j, b);
		else
			hf_json_skip(j);
	}
}

/* Files that every engine lays into a container are no mounts that somebody asked for. */
static bool is_engines_own(hf_sv destination)
{
	static const hf_sv own[] = {
		HF_SV_INIT("/etc/resolv.conf"), HF_SV_INIT("/etc/hostname"),        HF_SV_INIT("/etc/hosts"),
		HF_SV_INIT("/dev/shm"),         HF_SV_INIT("/dev/termination-log"), HF_SV_INIT("/run/.containerenv"),
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(own); i++)
		if (hf_sv_eq(own[i], destination))
			return true;
	return false;
}

static void read_mounts(struct hf_json *j, struct bundle *b)
{
	struct hf_fact_strings l = { 0 };
	hf_sv key;

	hf_json_elements(j) {
		hf_sv type = { 0 }, source = { 0 }, destination = { 0 };
		bool bind = false, writable = true;
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("type"))) {
				type = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("source"))) {
				source = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("destination"))) {
				destination = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("options"))) {
				hf_json_elements(j) {
					hf_sv option = hf_json_string(j);
					bind |= hf_sv_eq(option, HF_SV("bind")) || hf_sv_eq(option, HF_SV("rbind"));
					writable &= !hf_sv_eq(option, HF_SV("ro"));
				}
			} else {
				hf_json_skip(j);
			}
		}
		if ((bind || hf_sv_eq(type, HF_SV("bind"))) && !is_engines_own(destination))
			hf_fact_add(&l, hf_arena_fmt(b->a, "%.*s:%.*s:%s",
						     HF_SV_FMT(hf_sv_first(source, HF_FACT_VALUE_MAX)),
						     HF_SV_FMT(hf_sv_first(destination, HF_FACT_VALUE_MAX)),
						     writable ? "rw" : "ro"));
	}
	hf_fact_strings_keep(&l, b->a, &b->ret->mounts, &b->ret->mounts_n);
}

/* "allow": true for all types of devices, as --privileged writes it. */
static void read_devices(struct hf_json *j, struct bundle *b)
{
	hf_sv key;

	hf_json_elements(j) {
		bool allow = false, one_type = false, number = false;
		hf_sv access = { 0 };
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("allow"))) {
				allow = hf_json_bool(j, false);
			} else if (hf_sv_eq(key, HF_SV("access"))) {
				access = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("type"))) {
				hf_sv type = hf_json_string(j);
				one_type = type.len && !hf_sv_eq(type, HF_SV("a"));
			} else {
				number |= hf_sv_eq(key, HF_SV("major")) || hf_sv_eq(key, HF_SV("minor"));
				hf_json_skip(j);
			}
		}
		b->all_devices |= allow && !one_type && !number && hf_sv_eq(access, HF_SV("rwm"));
	}
}

static const hf_sv namespace_types[NAMESPACE_TYPES] = { HF_SV_INIT("network"), HF_SV_INIT("pid"), HF_SV_INIT("ipc"),
							HF_SV_INIT("uts") };

static void read_linux(struct hf_json *j, struct bundle *b)
{
	hf_sv key;

	b->linux_seen = true;
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("namespaces"))) {
			hf_json_elements(j) {
				hf_json_members(j, &key) {
					hf_sv type = hf_sv_eq(key, HF_SV("type")) ? hf_json_string(j)
										  : (hf_json_skip(j), (hf_sv){ 0 });
					for (size_t i = 0; i < NAMESPACE_TYPES; i++)
						b->namespace_own[i] |= hf_sv_eq(type, namespace_types[i]);
				}
			}
		} else if (hf_sv_eq(key, HF_SV("resources"))) {
			hf_json_members(j, &key) {
				if (hf_sv_eq(key, HF_SV("devices")))
					read_devices(j, b);
				else
					hf_json_skip(j);
			}
		} else if (hf_sv_eq(key, HF_SV("maskedPaths"))) {
			hf_json_elements(j) {
				b->masked = true;
				hf_json_skip(j);
			}
		} else {
			hf_json_skip(j);
		}
	}
}

/* Labels within an annotation: an object as a string, as CRI-O writes it. */
static void read_nested_labels(hf_sv text, struct bundle *b)
{
	struct hf_json j = hf_json_of(text, b->a);

	hf_fact_labels_read(&j, b->a, &b->labels);
}

static void take_annotation(struct bundle *b, hf_sv key, hf_sv value)
{
	struct hf_container *c = b->ret;
	const struct {
		hf_sv key;
		hf_sv *to;
	} known[] = {
		{ HF_SV("io.kubernetes.cri.container-name"), &c->name },
		{ HF_SV("io.kubernetes.cri.image-name"), &c->image_name },
		{ HF_SV("io.kubernetes.cri.sandbox-name"), &c->pod_name },
		{ HF_SV("io.kubernetes.cri.sandbox-namespace"), &c->pod_namespace },
		{ HF_SV("io.kubernetes.cri.sandbox-uid"), &c->pod_uid },
		{ HF_SV("io.kubernetes.container.name"), &c->name },
		{ HF_SV("io.kubernetes.cri-o.ImageName"), &c->image_name },
		{ HF_SV("io.kubernetes.cri-o.UserRequestedImage"), &c->image_name },
		{ HF_SV("io.kubernetes.cri-o.ImageRef"), &c->image_digest },
		{ HF_SV("io.kubernetes.pod.name"), &c->pod_name },
		{ HF_SV("io.kubernetes.pod.namespace"), &c->pod_namespace },
		{ HF_SV("io.kubernetes.pod.uid"), &c->pod_uid },
		{ HF_SV("nerdctl/name"), &c->name },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (hf_sv_eq(key, known[i].key) && value.len)
			*known[i].to = hf_fact_bounded(b->a, value, HF_FACT_NAME_MAX);
	if (hf_sv_starts(key, HF_SV("io.kubernetes.cri-o.")))
		c->engine = HF_SV("cri-o");
	else if (hf_sv_starts(key, HF_SV("io.kubernetes.cri.")) || hf_sv_starts(key, HF_SV("nerdctl/")))
		c->engine = HF_SV("containerd");
	else if (hf_sv_eq(key, HF_SV("io.container.manager")) && hf_sv_eq(value, HF_SV("libpod")))
		c->engine = HF_SV("podman");
	if (hf_sv_eq(key, HF_SV("io.kubernetes.cri-o.Labels")))
		read_nested_labels(value, b);
	else if (!hf_sv_starts(key, HF_SV("io.kubernetes.cri-o.")))
		hf_fact_label_add(&b->labels, b->a, key, value);
}

/* The sandbox of a pod has no name of its own; CRI-O writes the bare digits of the image's id. */
static void complete(struct bundle *b, hf_sv container_type)
{
	struct hf_container *c = b->ret;
	struct hf_fact_strings host = { 0 };

	if (!c->name.len && hf_sv_eq(container_type, HF_SV("sandbox")))
		c->name = HF_SV("POD");
	if (c->image_digest.len == 64 && hf_sv_index(c->image_digest, ':') == SIZE_MAX)
		c->image_digest = hf_arena_concat(b->a, HF_SV("sha256:"), c->image_digest);
	for (size_t i = 0; i < NAMESPACE_TYPES; i++)
		if (b->linux_seen && !b->namespace_own[i])
			hf_fact_add(&host, namespace_types[i]);
	if (b->linux_seen)
		hf_fact_strings_keep(&host, b->a, &c->host_namespaces, &c->host_namespaces_n);
	c->privileged_known = b->linux_seen && b->process_seen;
	c->privileged = b->all_devices && !b->masked && b->capabilities >= ALL_CAPABILITIES;
	hf_fact_labels_keep(&b->labels, b->a, c);
}

int hf_bundle_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	struct bundle b = { .a = a, .ret = ret };
	hf_sv key, type = { 0 };
	bool version = false;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("process"))) {
			read_process(&j, &b);
		} else if (hf_sv_eq(key, HF_SV("mounts"))) {
			read_mounts(&j, &b);
		} else if (hf_sv_eq(key, HF_SV("linux"))) {
			read_linux(&j, &b);
		} else if (hf_sv_eq(key, HF_SV("annotations"))) {
			hf_json_members(&j, &key) {
				hf_sv value = hf_json_string(&j);
				if (hf_sv_eq(key, HF_SV("io.kubernetes.cri.container-type")) ||
				    hf_sv_eq(key, HF_SV("io.kubernetes.cri-o.ContainerType")))
					type = value;
				take_annotation(&b, key, value);
			}
		} else {
			version |= hf_sv_eq(key, HF_SV("ociVersion"));
			hf_json_skip(&j);
		}
	}
	int code = finish(&j, "config.json", err);
	if (code < 0)
		return code;
	if (!version)
		return hf_fail(err, HF_E_FORMAT, "config.json: no ociVersion");
	complete(&b, type);
	return HF_OK;
}

/* "metadata" is an object as a string: name, image-name, image-id and, of a pod, pod-name. */
static void read_metadata(hf_sv text, struct hf_arena *a, struct hf_container *ret)
{
	struct hf_json j = hf_json_of(text, a);
	hf_sv key;

	hf_json_members(&j, &key) {
		hf_sv *to = hf_sv_eq(key, HF_SV("image-name"))       ? &ret->image_name
			    : hf_sv_eq(key, HF_SV("image-id"))       ? &ret->image_digest
			    : hf_sv_eq(key, HF_SV("name"))           ? &ret->name
			    : hf_sv_eq(key, HF_SV("container-name")) ? &ret->name
								     : NULL;
		hf_sv value = hf_json_string(&j);
		if (to && !to->len)
			*to = hf_fact_bounded(a, value, HF_FACT_NAME_MAX);
	}
}

int hf_storage_containers_parse(hf_sv json, hf_sv id, struct hf_arena *a, bool *ret_found, struct hf_container *ret,
				struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	hf_sv key, metadata = { 0 };

	*ret_found = false;
	hf_json_elements(&j) {
		hf_sv this_id = { 0 }, this_metadata = { 0 };
		hf_json_members(&j, &key) {
			if (hf_sv_eq(key, HF_SV("id")))
				this_id = hf_json_string(&j);
			else if (hf_sv_eq(key, HF_SV("metadata")))
				this_metadata = hf_json_raw(&j);
			else
				hf_json_skip(&j);
		}
		if (hf_sv_eq(this_id, id)) {
			*ret_found = true;
			metadata = this_metadata;
		}
	}
	int code = finish(&j, "containers.json", err);
	if (code < 0 || !*ret_found)
		return code;
	struct hf_json inner = hf_json_of(metadata, a);
	read_metadata(hf_json_string(&inner), a, ret);
	if (ret->image_digest.len == 64 && hf_sv_index(ret->image_digest, ':') == SIZE_MAX)
		ret->image_digest = hf_arena_concat(a, HF_SV("sha256:"), ret->image_digest);
	return a->over ? hf_fail(err, HF_E_LIMIT, "containers.json: more than %zu bytes", a->cap) : HF_OK;
}
