#include "harden/difference.h"

/* Sets the part's verdict: the first reason that is not empty makes it not assessable. */
static void settle(struct hf_difference *d, enum hf_difference_part part, hf_sv first, hf_sv second)
{
	hf_sv reason = first.len ? first : second;

	d->parts[part].assessable = !reason.len;
	d->parts[part].reason = reason;
	if (!reason.len)
		hf_names_minus(&d->parts[part].granted, &d->parts[part].used, &d->parts[part].unused);
}

static hf_sv without_grant(const struct hf_harden_plan *p)
{
	return p->grant ? (hf_sv){ 0 }
			: HF_SV("what is granted is not known; needs docker inspect, config.json or a manifest "
				"(--grant)");
}

static void compare_capabilities(struct hf_harden_plan *p, struct hf_difference *d)
{
	hf_sv grant = without_grant(p);

	if (p->grant)
		hf_capabilities_names(p->grant->capabilities, &d->parts[HF_DIFFERENCE_CAPABILITIES].granted);
	if (p->grant && !p->grant->capabilities_known)
		grant = HF_SV("which capabilities are granted is not known; needs docker inspect or config.json of the "
			      "running container");
	hf_capabilities_names(p->capabilities, &d->parts[HF_DIFFERENCE_CAPABILITIES].used);
	settle(d, HF_DIFFERENCE_CAPABILITIES, grant, p->capabilities_missing);
}

static void compare_syscalls(struct hf_harden_plan *p, struct hf_difference *d)
{
	hf_sv grant = without_grant(p);

	for (size_t i = 0; i < p->syscalls.map.n; i++)
		hf_names_add(&d->parts[HF_DIFFERENCE_SYSCALLS].used, p->syscalls.map.entries[i].key);
	if (p->grant) {
		switch (p->grant->seccomp) {
		case HF_GRANT_SECCOMP_UNKNOWN:
			grant = HF_SV("which system calls are granted is not known; needs config.json of the running "
				      "container's bundle");
			break;
		case HF_GRANT_SECCOMP_DEFAULT:
			grant = HF_SV("which system calls the engine's default profile grants is not known; needs "
				      "config.json of the bundle");
			break;
		case HF_GRANT_SECCOMP_NONE:
			hf_names_add(&d->parts[HF_DIFFERENCE_SYSCALLS].granted, HF_SV("every system call"));
			break;
		case HF_GRANT_SECCOMP_LIST:
			for (size_t i = 0; i < p->grant->syscalls.map.n; i++)
				hf_names_add(&d->parts[HF_DIFFERENCE_SYSCALLS].granted,
					     p->grant->syscalls.map.entries[i].key);
			break;
		}
	}
	settle(d, HF_DIFFERENCE_SYSCALLS, grant, p->syscalls_missing);
}

/* Mounts that every container has, of the kernel's or the engine's making. */
static bool is_engine_mount(const struct hf_grant_mount *m)
{
	static const hf_sv own[] = { HF_SV_INIT("/proc"), HF_SV_INIT("/sys"), HF_SV_INIT("/dev") },
			   files[] = { HF_SV_INIT("/etc/hosts"), HF_SV_INIT("/etc/hostname"),
				       HF_SV_INIT("/etc/resolv.conf") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(own); i++)
		if (hf_path_below(m->destination, own[i]))
			return true;
	for (size_t i = 0; i < HF_ARRAY_SIZE(files); i++)
		if (hf_sv_eq(m->destination, files[i]))
			return true;
	return false;
}

static void compare_files(struct hf_harden_plan *p, struct hf_difference *d)
{
	struct hf_names *granted = &d->parts[HF_DIFFERENCE_FILES].granted, *used = &d->parts[HF_DIFFERENCE_FILES].used;
	const struct hf_names *written = &p->usage->files_written;
	hf_sv files = { 0 };

	if (p->usage->running_before && !p->usage->from_start)
		files = HF_SV(
			"files written before the trace began are not known; needs a trace from the container's start");
	else if (!hf_usage_knows(p->usage, HF_EVENT_FILE))
		files = HF_SV(
			"files written are not in the trace; needs a trace in which files were watched, without loss "
			"(if they were and none was written: --watched file)");
	if (p->grant && !p->grant->read_only_root)
		hf_names_add(granted, HF_SV("write /"));
	for (size_t i = 0; p->grant && i < p->grant->mounts.n; i++) {
		const struct hf_grant_mount *m = &p->grant->mounts.at[i];
		if (!is_engine_mount(m))
			hf_names_add(granted, hf_arena_fmt(p->arena, "%s %.*s", m->writable ? "write" : "read",
							   HF_SV_FMT(m->destination)));
	}
	for (size_t i = 0; i < written->map.n; i++) {
		const struct hf_grant_mount *m =
			p->grant ? hf_grant_mount_of(p->grant, written->map.entries[i].key) : NULL;
		if (m && is_engine_mount(m))
			continue;
		hf_names_add(used, hf_arena_fmt(p->arena, "write %.*s", HF_SV_FMT(m ? m->destination : HF_SV("/"))));
	}
	for (size_t i = 0; i < p->usage->files_read.map.n; i++) {
		const struct hf_grant_mount *m =
			p->grant ? hf_grant_mount_of(p->grant, p->usage->files_read.map.entries[i].key) : NULL;
		if (m && !m->writable)
			hf_names_add(used, hf_arena_fmt(p->arena, "read %.*s", HF_SV_FMT(m->destination)));
	}
	settle(d, HF_DIFFERENCE_FILES, without_grant(p), files);
}

static void compare_network(struct hf_harden_plan *p, struct hf_difference *d)
{
	struct hf_names *granted = &d->parts[HF_DIFFERENCE_NETWORK].granted,
			*used = &d->parts[HF_DIFFERENCE_NETWORK].used;

	for (size_t i = 0; p->grant && i < p->grant->ports.map.n; i++) {
		hf_sv port = p->grant->ports.map.entries[i].key;
		bool bare = hf_sv_index(port, '/') == SIZE_MAX;
		hf_names_add(granted, hf_arena_fmt(p->arena, "listen %.*s%s", HF_SV_FMT(port), bare ? "/tcp" : ""));
	}
	if (p->grant && !p->grant->network_none)
		hf_names_add(granted, HF_SV("connect to any address"));
	for (size_t i = 0; p->grant && i < p->grant->host_namespaces.map.n; i++)
		if (hf_sv_eq(p->grant->host_namespaces.map.entries[i].key, HF_SV("network")))
			hf_names_add(granted, HF_SV("the host's network"));
	for (size_t i = 0; i < p->usage->ports.map.n; i++)
		hf_names_add(used,
			     hf_arena_fmt(p->arena, "listen %.*s", HF_SV_FMT(p->usage->ports.map.entries[i].key)));
	for (size_t i = 0; i < p->usage->peers.map.n; i++)
		hf_names_add(used,
			     hf_arena_fmt(p->arena, "connect to %.*s", HF_SV_FMT(p->usage->peers.map.entries[i].key)));
	settle(d, HF_DIFFERENCE_NETWORK, without_grant(p), p->network_missing);
}

static void compare_rbac(struct hf_harden_plan *p, struct hf_difference *d)
{
	hf_sv reason = HF_SV("needs a Kubernetes manifest that names the service account, its roles, and the API "
			     "server's audit log");

	if (p->grant && p->grant->kubernetes)
		reason = hf_arena_fmt(
			p->arena, "needs the roles bound to service account %.*s, and the API server's audit log",
			HF_SV_FMT(p->grant->service_account.len ? p->grant->service_account : HF_SV("default")));
	settle(d, HF_DIFFERENCE_RBAC, reason, (hf_sv){ 0 });
}

/* Manifests say /var/run; in most images that is a link to /run, and paths of events are without links. */
static bool is_below_secret(hf_sv path, hf_sv folder)
{
	return hf_path_below(path, folder) ||
	       (hf_path_below(folder, HF_SV("/var/run")) && hf_path_below(path, hf_sv_skip(folder, 4)));
}

static void compare_secrets(struct hf_harden_plan *p, struct hf_difference *d)
{
	struct hf_names *granted = &d->parts[HF_DIFFERENCE_SECRETS].granted,
			*used = &d->parts[HF_DIFFERENCE_SECRETS].used;
	hf_sv reason = { 0 };

	for (size_t i = 0; p->grant && i < p->grant->secrets.map.n; i++) {
		hf_sv folder = p->grant->secrets.map.entries[i].key;
		hf_names_add(granted, folder);
		for (size_t k = 0; k < p->usage->files_read.map.n; k++)
			if (is_below_secret(p->usage->files_read.map.entries[k].key, folder))
				hf_names_add(used, folder);
	}
	for (size_t i = 0; p->grant && i < p->grant->secrets_env.map.n; i++)
		hf_names_add(granted, p->grant->secrets_env.map.entries[i].key);
	if (!hf_names_count(granted))
		reason = HF_SV("no secret is mounted or named as one, and what a variable of the environment holds "
			       "cannot be told; "
			       "needs secrets under /run/secrets or from a manifest");
	else if (hf_names_count(&p->grant->secrets_env))
		reason = HF_SV(
			"whether a variable of the environment is read cannot be seen; needs the secrets as files");
	else if (!hf_usage_knows(p->usage, HF_EVENT_FILE))
		reason = HF_SV(
			"reads of the secrets are not in the trace; needs a trace in which their files were watched");
	settle(d, HF_DIFFERENCE_SECRETS, without_grant(p), reason);
}

int hf_difference(struct hf_harden_plan *p, struct hf_difference *d, struct hf_err *err)
{
	static const char *const names[HF_DIFFERENCE_PARTS] = { "capabilities", "syscalls",   "files",
								"network",      "rbac_verbs", "secrets" };

	*d = (struct hf_difference){ 0 };
	for (size_t i = 0; i < HF_DIFFERENCE_PARTS; i++) {
		d->parts[i].name = names[i];
		d->parts[i].granted = d->parts[i].used = d->parts[i].unused = HF_NAMES(p->arena);
	}
	compare_capabilities(p, d);
	compare_syscalls(p, d);
	compare_files(p, d);
	compare_network(p, d);
	compare_rbac(p, d);
	compare_secrets(p, d);
	return p->arena->over ? hf_fail(err, HF_E_LIMIT, "the difference does not fit into %zu bytes", p->arena->cap)
			      : HF_OK;
}
