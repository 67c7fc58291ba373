#include "engine/docker.h"

#include <stdio.h>

#include "engine/facts.h"

static int finish(struct hf_json *j, const char *what, struct hf_err *err)
{
	if (j->arena->over)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %zu bytes", what, j->arena->cap);
	if (!hf_json_end(j))
		return hf_fail(err, HF_E_FORMAT, "%s: byte %zu: %s", what, j->at,
			       j->why ? j->why : "more behind the end");
	return HF_OK;
}

static hf_sv name_of(struct hf_json *j, struct hf_arena *a)
{
	return hf_fact_bounded(a, hf_json_string(j), HF_FACT_NAME_MAX);
}

/* Engines write CAP_NET_ADMIN or NET_ADMIN, as the client did. */
static void read_capabilities(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	struct hf_fact_strings l = { 0 };

	hf_json_elements(j) {
		hf_sv cap = hf_json_string(j);
		bool plain = !hf_sv_starts(cap, HF_SV("CAP_")) && !hf_sv_eq(cap, HF_SV("ALL"));
		hf_fact_add(&l, plain ? hf_arena_concat(a, HF_SV("CAP_"), hf_sv_first(cap, HF_FACT_NAME_MAX)) : cap);
	}
	hf_fact_strings_keep(&l, a, &ret->capabilities_added, &ret->capabilities_added_n);
}

static void read_host_config(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	static const struct {
		hf_sv key, name;
	} modes[] = {
		{ HF_SV_INIT("NetworkMode"), HF_SV_INIT("network") }, { HF_SV_INIT("PidMode"), HF_SV_INIT("pid") },
		{ HF_SV_INIT("IpcMode"), HF_SV_INIT("ipc") },         { HF_SV_INIT("UTSMode"), HF_SV_INIT("uts") },
		{ HF_SV_INIT("UsernsMode"), HF_SV_INIT("user") },
	};
	struct hf_fact_strings host = { 0 };
	bool is_host[HF_ARRAY_SIZE(modes)] = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		size_t mode = 0;
		while (mode < HF_ARRAY_SIZE(modes) && !hf_sv_eq(key, modes[mode].key))
			mode++;
		if (mode < HF_ARRAY_SIZE(modes)) {
			is_host[mode] = hf_sv_eq(hf_json_string(j), HF_SV("host"));
		} else if (hf_sv_eq(key, HF_SV("Privileged"))) {
			ret->privileged_known = hf_json_peek(j) == HF_JSON_BOOL;
			ret->privileged = hf_json_bool(j, false);
		} else if (hf_sv_eq(key, HF_SV("CapAdd"))) {
			read_capabilities(j, a, ret);
		} else {
			hf_json_skip(j);
		}
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(modes); i++)
		if (is_host[i])
			hf_fact_add(&host, modes[i].name);
	hf_fact_strings_keep(&host, a, &ret->host_namespaces, &ret->host_namespaces_n);
}

static void read_mounts(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	struct hf_fact_strings l = { 0 };
	hf_sv key;

	hf_json_elements(j) {
		hf_sv type = { 0 }, source = { 0 }, destination = { 0 };
		bool writable = true;
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("Type")))
				type = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("Source")))
				source = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("Destination")))
				destination = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("RW")))
				writable = hf_json_bool(j, true);
			else
				hf_json_skip(j);
		}
		if (hf_sv_eq(type, HF_SV("bind")))
			hf_fact_add(&l,
				    hf_arena_fmt(a, "%.*s:%.*s:%s", HF_SV_FMT(hf_sv_first(source, HF_FACT_VALUE_MAX)),
						 HF_SV_FMT(hf_sv_first(destination, HF_FACT_VALUE_MAX)),
						 writable ? "rw" : "ro"));
	}
	hf_fact_strings_keep(&l, a, &ret->mounts, &ret->mounts_n);
}

/* The words behind each other, as one text. */
static hf_sv read_healthcheck(struct hf_json *j, struct hf_arena *a)
{
	char text[HF_FACT_VALUE_MAX + 2] = "";
	size_t n = 0;
	hf_sv key;

	hf_json_members(j, &key) {
		if (!hf_sv_eq(key, HF_SV("Test"))) {
			hf_json_skip(j);
			continue;
		}
		hf_json_elements(j) {
			hf_sv word = hf_sv_first(hf_json_string(j), sizeof text);
			if (n < sizeof text)
				n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", n ? " " : "",
						      HF_SV_FMT(word));
		}
	}
	return hf_fact_bounded(a, hf_arena_dup(a, (hf_sv){ text, n < sizeof text ? n : sizeof text - 1 }),
			       HF_FACT_VALUE_MAX);
}

static void read_config(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	struct hf_fact_labels labels = { 0 };
	struct hf_fact_strings ports = { 0 };
	hf_sv key, port;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("Image"))) {
			ret->image_name = name_of(j, a);
		} else if (hf_sv_eq(key, HF_SV("User"))) {
			ret->user = name_of(j, a);
		} else if (hf_sv_eq(key, HF_SV("Labels"))) {
			hf_fact_labels_read(j, a, &labels);
		} else if (hf_sv_eq(key, HF_SV("Healthcheck"))) {
			ret->healthcheck = read_healthcheck(j, a);
		} else if (hf_sv_eq(key, HF_SV("ExposedPorts"))) {
			hf_json_members(j, &port) {
				hf_fact_add(&ports, port);
				hf_json_skip(j);
			}
		} else {
			hf_json_skip(j);
		}
	}
	hf_fact_labels_keep(&labels, a, ret);
	hf_fact_strings_keep(&ports, a, &ret->exposed_ports, &ret->exposed_ports_n);
}

/* Later engines name the address in Networks alone; that of "bridge" goes before others. */
static void read_networks(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	hf_sv key, network, at_top = { 0 }, of_bridge = { 0 }, first = { 0 };

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("IPAddress"))) {
			at_top = name_of(j, a);
		} else if (hf_sv_eq(key, HF_SV("Networks"))) {
			hf_json_members(j, &network) {
				hf_sv field, address = { 0 };
				hf_json_members(j, &field) {
					if (hf_sv_eq(field, HF_SV("IPAddress")))
						address = name_of(j, a);
					else
						hf_json_skip(j);
				}
				if (hf_sv_eq(network, HF_SV("bridge")))
					of_bridge = address;
				if (!first.len)
					first = address;
			}
		} else {
			hf_json_skip(j);
		}
	}
	ret->address = at_top.len ? at_top : of_bridge.len ? of_bridge : first;
}

/* Path and Args are what runs: entrypoint and command put together. */
static void keep_entrypoint(hf_sv path, const hf_sv *arguments, size_t n, struct hf_arena *a, struct hf_container *ret)
{
	hf_sv *list = hf_arena_array(a, hf_sv, n + 1);

	if (!list || !path.len)
		return;
	list[0] = path;
	for (size_t i = 0; i < n; i++)
		list[i + 1] = arguments[i];
	ret->entrypoint = list;
	ret->entrypoint_n = n + 1;
}

int hf_docker_inspect_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	const hf_sv *arguments = NULL;
	size_t arguments_n = 0;
	hf_sv key, path = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("Id")) || hf_sv_eq(key, HF_SV("ID")))
			ret->id = name_of(&j, a);
		else if (hf_sv_eq(key, HF_SV("Name")))
			ret->name = name_of(&j, a);
		else if (hf_sv_eq(key, HF_SV("Image")))
			ret->image_digest = name_of(&j, a);
		else if (hf_sv_eq(key, HF_SV("Path")))
			path = hf_fact_bounded(a, hf_json_string(&j), HF_FACT_VALUE_MAX);
		else if (hf_sv_eq(key, HF_SV("Args")))
			hf_fact_list(&j, a, &arguments, &arguments_n);
		else if (hf_sv_eq(key, HF_SV("Config")))
			read_config(&j, a, ret);
		else if (hf_sv_eq(key, HF_SV("HostConfig")))
			read_host_config(&j, a, ret);
		else if (hf_sv_eq(key, HF_SV("Mounts")))
			read_mounts(&j, a, ret);
		else if (hf_sv_eq(key, HF_SV("NetworkSettings")))
			read_networks(&j, a, ret);
		else
			hf_json_skip(&j);
	}
	int code = finish(&j, "container", err);
	if (code < 0)
		return code;
	if (!ret->id.len)
		return hf_fail(err, HF_E_FORMAT, "container: no Id");
	if (hf_sv_starts(ret->name, HF_SV("/")))
		ret->name = hf_sv_skip(ret->name, 1);
	keep_entrypoint(path, arguments, arguments_n, a, ret);
	ret->engine = HF_SV("docker");
	return HF_OK;
}

int hf_docker_hostconfig_parse(hf_sv json, struct hf_arena *a, struct hf_container *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);

	read_host_config(&j, a, ret);
	return finish(&j, "hostconfig", err);
}

/* Attributes of a container's event: its labels, and among them name and image, which Docker sets after them. */
static void read_attributes(struct hf_json *j, struct hf_arena *a, struct hf_container *ret)
{
	static const hf_sv of_the_event[] = { HF_SV_INIT("exitCode"), HF_SV_INIT("signal"), HF_SV_INIT("execID"),
					      HF_SV_INIT("oldName"), HF_SV_INIT("execDuration") };
	struct hf_fact_labels labels = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		size_t i = 0;
		while (i < HF_ARRAY_SIZE(of_the_event) && !hf_sv_eq(key, of_the_event[i]))
			i++;
		if (hf_sv_eq(key, HF_SV("name")))
			ret->name = name_of(j, a);
		else if (hf_sv_eq(key, HF_SV("image")))
			ret->image_name = name_of(j, a);
		else if (i < HF_ARRAY_SIZE(of_the_event))
			hf_json_skip(j);
		else
			hf_fact_label_add(&labels, a, key, hf_json_string(j));
	}
	hf_fact_labels_keep(&labels, a, ret);
}

static enum hf_docker_event_kind kind_of(hf_sv type, hf_sv action)
{
	if (hf_sv_eq(type, HF_SV("image")))
		return HF_DOCKER_EVENT_IMAGE;
	if (!hf_sv_eq(type, HF_SV("container")))
		return HF_DOCKER_EVENT_OTHER;
	if (hf_sv_eq(action, HF_SV("create")) || hf_sv_eq(action, HF_SV("rename")))
		return HF_DOCKER_EVENT_CREATE;
	return hf_sv_eq(action, HF_SV("destroy")) ? HF_DOCKER_EVENT_DESTROY : HF_DOCKER_EVENT_OTHER;
}

int hf_docker_event_parse(hf_sv line, struct hf_arena *a, enum hf_docker_event_kind *ret_kind, struct hf_container *ret,
			  struct hf_err *err)
{
	struct hf_json j = hf_json_of(line, a);
	hf_sv key, type = { 0 }, action = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("Type"))) {
			type = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("Action"))) {
			action = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("Actor"))) {
			hf_json_members(&j, &key) {
				if (hf_sv_eq(key, HF_SV("ID")))
					ret->id = name_of(&j, a);
				else if (hf_sv_eq(key, HF_SV("Attributes")))
					read_attributes(&j, a, ret);
				else
					hf_json_skip(&j);
			}
		} else {
			hf_json_skip(&j);
		}
	}
	int code = finish(&j, "event", err);
	if (code < 0)
		return code;
	*ret_kind = kind_of(type, action);
	if ((*ret_kind == HF_DOCKER_EVENT_CREATE || *ret_kind == HF_DOCKER_EVENT_DESTROY) && !ret->id.len)
		return hf_fail(err, HF_E_FORMAT, "event: no id of the container");
	ret->engine = HF_SV("docker");
	return HF_OK;
}

int hf_docker_image_parse(hf_sv json, struct hf_arena *a, hf_sv *ret_digest, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	hf_sv key, digest = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("Id")))
			digest = name_of(&j, a);
		else
			hf_json_skip(&j);
	}
	int code = finish(&j, "image", err);
	if (code < 0)
		return code;
	if (!digest.len)
		return hf_fail(err, HF_E_FORMAT, "image: no Id");
	*ret_digest = digest;
	return HF_OK;
}

int hf_docker_info_parse(hf_sv json, struct hf_arena *a, hf_sv *ret_version, hf_sv *ret_data_root, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	hf_sv key, version = { 0 }, root = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("ServerVersion")))
			version = name_of(&j, a);
		else if (hf_sv_eq(key, HF_SV("DockerRootDir")))
			root = name_of(&j, a);
		else
			hf_json_skip(&j);
	}
	int code = finish(&j, "info", err);
	if (code < 0)
		return code;
	*ret_version = version;
	*ret_data_root = root;
	return HF_OK;
}
