/* A drop-in for a systemd service that runs the same program without a container (systemd.exec(5), systemd.resource-control(5);
 * version 247 or later). systemd itself allows what it needs between its filter and the program. */
#include "harden/hardening.h"

static void write_words(struct hf_buf *out, const char *key, struct hf_names *names)
{
	const hf_sv *list = hf_names_list(names);

	for (size_t i = 0; list && i < hf_names_count(names); i++)
		hf_buf_addf(out, "%s=%.*s\n", key, HF_SV_FMT(list[i]));
}

static void write_files(struct hf_harden_plan *p, struct hf_buf *out)
{
	if (p->root_missing.len)
		return;
	hf_buf_add(out, HF_SV("ProtectSystem=strict\nReadOnlyPaths=/\n"));
	write_words(out, "ReadWritePaths", &p->volumes);
	/* A scratch folder of the service alone; the rest of them must be there before it starts. */
	const hf_sv *list = hf_names_list(&p->tmpfs);
	for (size_t i = 0; i < hf_names_count(&p->tmpfs); i++) {
		hf_sv folder = list[i];
		if (!hf_path_below(folder, HF_SV("/tmp")) && !hf_path_below(folder, HF_SV("/var/tmp")))
			hf_buf_addf(out, "ReadWritePaths=-%.*s\n", HF_SV_FMT(folder));
	}
	write_words(out, "ReadWritePaths", &p->mounts);
}

/* Ports that the kernel draws cannot be listed. */
static bool all_numbers(const struct hf_harden_plan *p)
{
	for (size_t i = 0; i < p->usage->ports.map.n; i++) {
		hf_sv port = p->usage->ports.map.entries[i].key;
		uint64_t number;
		if (!hf_sv_cut(port, '/', &port, &(hf_sv){ 0 }) || !hf_sv_to_u64(port, &number) || !number ||
		    number > 65535)
			return false;
	}
	return true;
}

static void write_network(struct hf_harden_plan *p, struct hf_buf *out)
{
	bool any = hf_names_count(&p->usage->ports) || hf_names_count(&p->usage->peers);
	const hf_sv *ports = hf_names_list(&p->usage->ports);

	if (p->network_missing.len)
		return;
	hf_buf_add(out, any ? HF_SV("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n")
			    : HF_SV("RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\n"));
	if (!all_numbers(p))
		return;
	hf_buf_add(out, HF_SV("SocketBindDeny=any\n"));
	for (size_t i = 0; ports && i < hf_names_count(&p->usage->ports); i++) {
		hf_sv port, protocol;
		uint64_t number;
		if (hf_sv_cut(ports[i], '/', &port, &protocol) && hf_sv_to_u64(port, &number) && number &&
		    (hf_sv_eq(protocol, HF_SV("tcp")) || hf_sv_eq(protocol, HF_SV("udp"))))
			hf_buf_addf(out, "SocketBindAllow=%.*s:%llu\n", HF_SV_FMT(protocol),
				    (unsigned long long)number);
	}
}

static bool uses_home(const struct hf_harden_plan *p)
{
	const struct hf_names *const sets[] = { &p->usage->executables, &p->usage->libraries, &p->usage->files_written,
						&p->usage->files_read };

	for (size_t s = 0; s < HF_ARRAY_SIZE(sets); s++)
		for (size_t i = 0; i < sets[s]->map.n; i++)
			if (hf_path_below(sets[s]->map.entries[i].key, HF_SV("/home")) ||
			    hf_path_below(sets[s]->map.entries[i].key, HF_SV("/root")))
				return true;
	return false;
}

static int write_drop_in(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv all[] = { p->capabilities_missing, p->root_missing, p->syscalls_missing };
	const hf_sv *calls = hf_names_list(&p->syscalls);

	if (all[0].len && all[1].len && all[2].len)
		return hf_hardening_refuse(err, all, HF_ARRAY_SIZE(all));
	hf_buf_add(out, HF_SV("[Service]\n"));
	if (p->no_new_privileges)
		hf_buf_add(out, HF_SV("NoNewPrivileges=yes\nRestrictSUIDSGID=yes\n"));
	if (!p->capabilities_missing.len) {
		hf_buf_add(out, HF_SV("CapabilityBoundingSet="));
		for (unsigned i = 0, n = 0; i < 64; i++)
			if (p->capabilities >> i & 1 && hf_capability_short(i))
				hf_buf_addf(out, "%sCAP_%s", n++ ? " " : "", hf_capability_short(i));
		hf_buf_add(out, HF_SV("\n"));
	}
	if (!p->syscalls_missing.len) {
		hf_buf_add(out, HF_SV("SystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\n"));
		for (size_t i = 0; calls && i < hf_names_count(&p->syscalls); i++)
			hf_buf_addf(out, "SystemCallFilter=%.*s\n", HF_SV_FMT(calls[i]));
	}
	if (p->no_namespaces)
		hf_buf_add(out, HF_SV("RestrictNamespaces=yes\n"));
	write_files(p, out);
	write_network(p, out);
	hf_buf_add(out,
		   HF_SV("PrivateTmp=yes\nPrivateDevices=yes\nProtectKernelTunables=yes\nProtectKernelModules=yes\n"
			 "ProtectKernelLogs=yes\nProtectControlGroups=yes\nProtectClock=yes\nProtectHostname=yes\n"
			 "ProtectProc=invisible\nLockPersonality=yes\nRestrictRealtime=yes\n"));
	if (!uses_home(p))
		hf_buf_add(out, HF_SV("ProtectHome=yes\n"));
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_systemd = {
	.name = "systemd",
	.title = "systemd: a drop-in for a service that runs the same program without a container",
	.file = "systemd.conf",
	.checked = "checked by its parser only (systemd-analyze verify): no service ran under it",
	.tool = "systemd-analyze",
	.write = write_drop_in,
};
