#include "harden/grant.h"

#include "format/json.h"

void hf_grant_init(struct hf_grant *g, struct hf_arena *a)
{
	*g = (struct hf_grant){ .arena = a };
	struct hf_names *const sets[] = { &g->syscalls, &g->ports, &g->host_namespaces, &g->secrets, &g->secrets_env };
	for (size_t i = 0; i < HF_ARRAY_SIZE(sets); i++)
		*sets[i] = HF_NAMES(a);
}

bool hf_path_below(hf_sv path, hf_sv folder)
{
	while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
		folder.len--;
	if (hf_sv_eq(folder, HF_SV("/")))
		return path.len && path.ptr[0] == '/';
	return hf_sv_starts(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/');
}

const struct hf_grant_mount *hf_grant_mount_of(const struct hf_grant *g, hf_sv path)
{
	const struct hf_grant_mount *best = NULL;

	for (size_t i = 0; i < g->mounts.n; i++)
		if (hf_path_below(path, g->mounts.at[i].destination) &&
		    (!best || g->mounts.at[i].destination.len >= best->destination.len))
			best = &g->mounts.at[i];
	return best;
}

/* Where secrets are put by Docker's swarm and BuildKit, and by Kubernetes for its own token. */
static bool is_secret_path(hf_sv path)
{
	return hf_path_below(path, HF_SV("/run/secrets")) || hf_path_below(path, HF_SV("/var/run/secrets"));
}

static void add_mount(struct hf_grant *g, struct hf_grant_mount m)
{
	if (!m.destination.len || hf_sv_eq(m.destination, HF_SV("/")))
		return;
	m.destination = hf_arena_dup(g->arena, m.destination);
	m.source = hf_arena_dup(g->arena, m.source);
	m.type = hf_arena_dup(g->arena, m.type);
	struct hf_grant_mount *slot = hf_vec_push(g->arena, &g->mounts);
	if (slot)
		*slot = m;
	if (is_secret_path(m.destination))
		hf_names_add(&g->secrets, m.destination);
}

static int json_ended(struct hf_json *j, struct hf_grant *g, const char *what, struct hf_err *err)
{
	if (g->arena->over)
		return hf_fail(err, HF_E_LIMIT, "%s does not fit into %zu bytes", what, g->arena->cap);
	if (!hf_json_end(j))
		return hf_fail(err, HF_E_FORMAT, "%s: byte %zu: %s", what, j->at,
			       j->why ? j->why : "more than one value");
	return HF_OK;
}

/* ---- docker inspect ---- */

struct docker_host {
	uint64_t add, drop;
};

static uint64_t read_capabilities(struct hf_json *j)
{
	uint64_t set = 0;

	hf_json_elements(j)
		set |= hf_capability_of(hf_json_string(j));
	return set;
}

static void read_security_options(struct hf_json *j, struct hf_grant *g)
{
	hf_json_elements(j) {
		hf_sv option = hf_json_string(j), key = option, value = { 0 };
		if (!hf_sv_cut(option, '=', &key, &value))
			hf_sv_cut(option, ':', &key, &value);
		if (hf_sv_eq(key, HF_SV("no-new-privileges")))
			g->no_new_privileges = !value.len || hf_sv_eq(value, HF_SV("true"));
		else if (hf_sv_eq(key, HF_SV("seccomp")) && hf_sv_eq(value, HF_SV("unconfined")))
			g->seccomp = HF_GRANT_SECCOMP_NONE;
		else if (hf_sv_eq(key, HF_SV("seccomp")) && hf_sv_starts(hf_sv_trim(value), HF_SV("{")))
			g->seccomp = HF_GRANT_SECCOMP_UNKNOWN;
	}
}

static void read_docker_host(struct hf_json *j, struct hf_grant *g, struct docker_host *host)
{
	static const struct {
		hf_sv key;
		hf_sv name;
	} modes[] = { { HF_SV_INIT("NetworkMode"), HF_SV_INIT("network") },
		      { HF_SV_INIT("PidMode"), HF_SV_INIT("pid") },
		      { HF_SV_INIT("IpcMode"), HF_SV_INIT("ipc") },
		      { HF_SV_INIT("UTSMode"), HF_SV_INIT("uts") },
		      { HF_SV_INIT("UsernsMode"), HF_SV_INIT("user") },
		      { HF_SV_INIT("CgroupnsMode"), HF_SV_INIT("cgroup") } };
	hf_sv key, inner;

	hf_json_members(j, &key) {
		size_t mode = 0;
		while (mode < HF_ARRAY_SIZE(modes) && !hf_sv_eq(modes[mode].key, key))
			mode++;
		if (mode < HF_ARRAY_SIZE(modes)) {
			hf_sv value = hf_json_string(j);
			if (hf_sv_eq(value, HF_SV("host")))
				hf_names_add(&g->host_namespaces, modes[mode].name);
			g->network_none |= !mode && hf_sv_eq(value, HF_SV("none"));
		} else if (hf_sv_eq(key, HF_SV("CapAdd"))) {
			host->add = read_capabilities(j);
		} else if (hf_sv_eq(key, HF_SV("CapDrop"))) {
			host->drop = read_capabilities(j);
		} else if (hf_sv_eq(key, HF_SV("Privileged"))) {
			g->privileged = hf_json_bool(j, false);
		} else if (hf_sv_eq(key, HF_SV("ReadonlyRootfs"))) {
			g->read_only_root = hf_json_bool(j, false);
		} else if (hf_sv_eq(key, HF_SV("SecurityOpt"))) {
			read_security_options(j, g);
		} else if (hf_sv_eq(key, HF_SV("PortBindings"))) {
			hf_json_members(j, &inner) {
				hf_names_add(&g->ports, inner);
				hf_json_skip(j);
			}
		} else if (hf_sv_eq(key, HF_SV("Tmpfs"))) {
			hf_json_members(j, &inner) {
				hf_sv options = hf_json_string(j);
				add_mount(g,
					  (struct hf_grant_mount){ .destination = inner,
								   .type = HF_SV("tmpfs"),
								   .writable = !hf_sv_starts(options, HF_SV("ro")) });
			}
		} else {
			hf_json_skip(j);
		}
	}
}

static void read_docker_config(struct hf_json *j, struct hf_grant *g)
{
	hf_sv key, port;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("User"))) {
			g->user = hf_arena_dup(g->arena, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("Image"))) {
			g->image = hf_arena_dup(g->arena, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("ExposedPorts"))) {
			hf_json_members(j, &port) {
				hf_names_add(&g->ports, port);
				hf_json_skip(j);
			}
		} else {
			hf_json_skip(j);
		}
	}
}

static void read_docker_mounts(struct hf_json *j, struct hf_grant *g)
{
	hf_sv key;

	hf_json_elements(j) {
		struct hf_grant_mount m = { 0 };
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("Destination")))
				m.destination = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("Source")))
				m.source = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("Type")))
				m.type = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("RW")))
				m.writable = hf_json_bool(j, false);
			else
				hf_json_skip(j);
		}
		add_mount(g, m);
	}
}

/* Docker's rules (daemon/caps): ALL among what is added wins over ALL among what is dropped. */
static uint64_t docker_capabilities(const struct hf_grant *g, const struct docker_host *host)
{
	if (g->privileged)
		return HF_CAPABILITIES_ALL;
	if (host->add == HF_CAPABILITIES_ALL)
		return HF_CAPABILITIES_ALL & ~(host->drop == HF_CAPABILITIES_ALL ? 0 : host->drop);
	return (hf_capabilities_default() & ~host->drop) | host->add;
}

int hf_grant_docker(hf_sv json, struct hf_grant *g, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, g->arena);
	struct docker_host host = { 0 };
	bool in_array = hf_json_peek(&j) == HF_JSON_ARRAY, found = false;
	hf_sv key;

	g->from = "docker inspect";
	g->seccomp = HF_GRANT_SECCOMP_DEFAULT;
	if (in_array && (!hf_json_array(&j) || !hf_json_element(&j)))
		return hf_fail(err, HF_E_FORMAT, "docker inspect: an empty list: there is no such container");
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("HostConfig"))) {
			read_docker_host(&j, g, &host);
			found = true;
		} else if (hf_sv_eq(key, HF_SV("Config"))) {
			read_docker_config(&j, g);
		} else if (hf_sv_eq(key, HF_SV("Mounts"))) {
			read_docker_mounts(&j, g);
		} else if (hf_sv_eq(key, HF_SV("AppArmorProfile"))) {
			g->apparmor = hf_arena_dup(g->arena, hf_json_string(&j));
		} else if (hf_sv_eq(key, HF_SV("Id"))) {
			g->id = hf_arena_dup(g->arena, hf_json_string(&j));
		} else if (hf_sv_eq(key, HF_SV("Name"))) {
			hf_sv name = hf_json_string(&j);
			g->name = hf_arena_dup(g->arena, hf_sv_skip(name, hf_sv_starts(name, HF_SV("/"))));
		} else {
			hf_json_skip(&j);
		}
	}
	if (in_array && hf_json_element(&j))
		return hf_fail(err, HF_E_FORMAT, "docker inspect: more than one container: inspect one");
	int r = json_ended(&j, g, "docker inspect", err);
	if (r)
		return r;
	if (!found)
		return hf_fail(err, HF_E_FORMAT, "docker inspect: no HostConfig: it is not a container's");
	g->capabilities = docker_capabilities(g, &host);
	g->capabilities_known = true;
	if (g->privileged)
		g->seccomp = HF_GRANT_SECCOMP_NONE;
	return HF_OK;
}

/* ---- OCI bundle ---- */

static void read_oci_process(struct hf_json *j, struct hf_grant *g)
{
	hf_sv key, inner;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("noNewPrivileges"))) {
			g->no_new_privileges = hf_json_bool(j, false);
		} else if (hf_sv_eq(key, HF_SV("apparmorProfile"))) {
			g->apparmor = hf_arena_dup(g->arena, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("user"))) {
			hf_json_members(j, &inner) {
				if (hf_sv_eq(inner, HF_SV("uid")))
					g->user = hf_arena_dup(g->arena, hf_json_text(j));
				else
					hf_json_skip(j);
			}
		} else if (hf_sv_eq(key, HF_SV("capabilities"))) {
			hf_json_members(j, &inner) {
				if (hf_sv_eq(inner, HF_SV("bounding")))
					g->capabilities = read_capabilities(j);
				else
					hf_json_skip(j);
			}
		} else {
			hf_json_skip(j);
		}
	}
}

static void read_oci_mounts(struct hf_json *j, struct hf_grant *g)
{
	hf_sv key;

	hf_json_elements(j) {
		struct hf_grant_mount m = { .writable = true };
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("destination"))) {
				m.destination = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("source"))) {
				m.source = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("type"))) {
				m.type = hf_json_string(j);
			} else if (hf_sv_eq(key, HF_SV("options"))) {
				hf_json_elements(j) {
					hf_sv option = hf_json_string(j);
					if (hf_sv_eq(option, HF_SV("ro")))
						m.writable = false;
					else if (hf_sv_eq(option, HF_SV("rw")))
						m.writable = true;
				}
			} else {
				hf_json_skip(j);
			}
		}
		add_mount(g, m);
	}
}

static bool is_allowing(hf_sv action)
{
	return hf_sv_eq(action, HF_SV("SCMP_ACT_ALLOW")) || hf_sv_eq(action, HF_SV("SCMP_ACT_LOG")) ||
	       hf_sv_eq(action, HF_SV("SCMP_ACT_NOTIFY")) || hf_sv_eq(action, HF_SV("SCMP_ACT_TRACE"));
}

static void read_oci_rule(struct hf_json *j, struct hf_names *allowed)
{
	struct hf_names names = HF_NAMES(allowed->map.arena);
	hf_sv key, action = { 0 };

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("names"))) {
			hf_json_elements(j)
				hf_names_add(&names, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("action"))) {
			action = hf_json_string(j);
		} else {
			hf_json_skip(j);
		}
	}
	for (size_t i = 0; is_allowing(action) && i < names.map.n; i++)
		hf_names_add(allowed, names.map.entries[i].key);
}

static void read_oci_seccomp(struct hf_json *j, struct hf_grant *g)
{
	bool allows_rest = false;
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("defaultAction"))) {
			allows_rest = is_allowing(hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("syscalls"))) {
			hf_json_elements(j)
				read_oci_rule(j, &g->syscalls);
		} else {
			hf_json_skip(j);
		}
	}
	/* A list of what is denied is no list of what is granted. */
	g->seccomp = allows_rest ? HF_GRANT_SECCOMP_NONE : HF_GRANT_SECCOMP_LIST;
}

static void read_oci_linux(struct hf_json *j, struct hf_grant *g)
{
	static const char *const kinds[] = { "network", "pid", "ipc", "uts", "mount", "cgroup" };
	struct hf_names own = HF_NAMES(g->arena);
	hf_sv key, inner;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("seccomp"))) {
			read_oci_seccomp(j, g);
		} else if (hf_sv_eq(key, HF_SV("namespaces"))) {
			hf_json_elements(j)
				hf_json_members(j, &inner) {
					if (hf_sv_eq(inner, HF_SV("type")))
						hf_names_add(&own, hf_json_string(j));
					else
						hf_json_skip(j);
				}
		} else {
			hf_json_skip(j);
		}
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++)
		if (!hf_names_has(&own, hf_sv_of(kinds[i])))
			hf_names_add(&g->host_namespaces, hf_sv_of(kinds[i]));
}

int hf_grant_oci(hf_sv json, struct hf_grant *g, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, g->arena);
	bool found = false;
	hf_sv key, inner;

	g->from = g->from ? "docker inspect and the OCI bundle" : "an OCI bundle";
	g->seccomp = HF_GRANT_SECCOMP_NONE;
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("process"))) {
			read_oci_process(&j, g);
			found = true;
		} else if (hf_sv_eq(key, HF_SV("mounts"))) {
			read_oci_mounts(&j, g);
		} else if (hf_sv_eq(key, HF_SV("linux"))) {
			read_oci_linux(&j, g);
		} else if (hf_sv_eq(key, HF_SV("root"))) {
			hf_json_members(&j, &inner) {
				if (hf_sv_eq(inner, HF_SV("readonly")))
					g->read_only_root = hf_json_bool(&j, false);
				else
					hf_json_skip(&j);
			}
		} else {
			hf_json_skip(&j);
		}
	}
	int r = json_ended(&j, g, "config.json", err);
	if (r)
		return r;
	if (!found)
		return hf_fail(err, HF_E_FORMAT, "config.json: no process: it is not a bundle's");
	g->capabilities_known = true;
	return HF_OK;
}

int hf_grant_json(hf_sv json, struct hf_grant *g, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, g->arena);
	bool is_oci = false;
	hf_sv key;

	hf_json_members(&j, &key) {
		is_oci |= hf_sv_eq(key, HF_SV("ociVersion"));
		hf_json_skip(&j);
	}
	return is_oci ? hf_grant_oci(json, g, err) : hf_grant_docker(json, g, err);
}
