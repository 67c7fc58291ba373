/* An AppArmor profile (apparmor.d(5), AppArmor 3). Reading is left open where it is not known; running is closed to what was run. */
#include "harden/hardening.h"

static hf_sv odd_path(struct hf_harden_plan *p, const struct hf_names *names)
{
	for (size_t i = 0; i < names->map.n; i++)
		if (!hf_harden_path_plain(names->map.entries[i].key) || names->map.entries[i].key.ptr[0] != '/')
			return HF_SV("a program or library has a path that a profile cannot hold");
	return p->arena->over ? HF_SV("the arena is full") : (hf_sv){ 0 };
}

static void write_paths(struct hf_buf *out, struct hf_names *names, const char *suffix, const char *access)
{
	const hf_sv *list = hf_names_list(names);

	for (size_t i = 0; list && i < hf_names_count(names); i++)
		hf_buf_addf(out, "  %.*s%s %s,\n", HF_SV_FMT(list[i]), suffix, access);
}

static void write_network(struct hf_harden_plan *p, struct hf_buf *out)
{
	hf_buf_add(out, HF_SV("\n  network unix stream,\n  network unix dgram,\n"));
	if (p->network_missing.len || hf_names_count(&p->usage->ports) || hf_names_count(&p->usage->peers))
		hf_buf_add(out, HF_SV("  network inet stream,\n  network inet dgram,\n  network inet6 stream,\n"
				      "  network inet6 dgram,\n  network netlink raw,\n"));
}

static void write_written(struct hf_harden_plan *p, struct hf_buf *out)
{
	if (p->root_missing.len) {
		hf_buf_add(out, HF_SV("  /** rwkl,\n"));
		return;
	}
	hf_buf_add(out, HF_SV("  /** r,\n  /dev/** rw,\n  /proc/** rw,\n"));
	write_paths(out, &p->tmpfs, "/{,**}", "rwkl");
	write_paths(out, &p->volumes, "/{,**}", "rwkl");
	write_paths(out, &p->mounts, "{,/**}", "rwkl");
}

static int write_profile(struct hf_harden_plan *p, struct hf_buf *out, struct hf_err *err)
{
	hf_sv reasons[] = { p->privileges_missing, p->capabilities_missing, odd_path(p, &p->usage->executables),
			    odd_path(p, &p->usage->libraries) };
	int r = hf_hardening_refuse(err, reasons, HF_ARRAY_SIZE(reasons));

	if (r)
		return r;
	hf_buf_addf(out, "abi <abi/3.0>,\n\nprofile holdfast-%.*s flags=(attach_disconnected,mediate_deleted) {\n",
		    HF_SV_FMT(p->name));
	for (unsigned i = 0; i < 64; i++) {
		char name[40];
		if (!(p->capabilities >> i & 1) || !hf_capability_short(i))
			continue;
		size_t n = strlen(hf_capability_short(i));
		for (size_t k = 0; k <= n; k++)
			name[k] = hf_capability_short(i)[k] |
				  (hf_capability_short(i)[k] >= 'A' && hf_capability_short(i)[k] <= 'Z' ? 0x20 : 0);
		hf_buf_addf(out, "  capability %s,\n", name);
	}
	write_network(p, out);
	hf_buf_addf(out, "\n  signal (receive) peer=unconfined,\n  signal (send, receive) peer=holdfast-%.*s,\n",
		    HF_SV_FMT(p->name));
	if (p->capabilities >> HF_CAP_SYS_ADMIN & 1)
		hf_buf_add(out, HF_SV("  mount,\n  umount,\n  pivot_root,\n"));
	else
		hf_buf_add(out, HF_SV("  deny mount,\n  deny umount,\n  deny pivot_root,\n"));
	hf_buf_add(out, p->capabilities >> HF_CAP_SYS_PTRACE & 1 ? HF_SV("  ptrace,\n\n")
								 : HF_SV("  deny ptrace (trace, tracedby),\n\n"));
	write_written(p, out);
	write_paths(out, &p->usage->executables, "", "mrix");
	if (p->usage->known >> HF_EVENT_MAP & 1)
		write_paths(out, &p->usage->libraries, "", "mr");
	else
		hf_buf_add(out, HF_SV("  /**.so{,.*} mr,\n"));
	hf_buf_add(out, HF_SV("\n  deny /proc/sys/** w,\n  deny /proc/sysrq-trigger rwklx,\n  deny /proc/kcore rwklx,\n"
			      "  deny /sys/** w,\n}\n"));
	return hf_hardening_ended(out, err);
}

const struct hf_hardening hf_hardening_apparmor = {
	.name = "apparmor",
	.title = "AppArmor profile",
	.file = "apparmor.profile",
	.checked = "checked by its parser only (apparmor_parser): no kernel with AppArmor ran it",
	.tool = "apparmor_parser",
	.write = write_profile,
};
