#include "harden/plan.h"

#include <ctype.h>

/* Mounts of one container. */
enum { FOLDERS_MAX = 64 };

bool hf_harden_path_plain(hf_sv path)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];
		bool is_c1 = c == 0xc2 && i + 1 < path.len && (unsigned char)path.ptr[i + 1] < 0xa0;
		if (is_c1 || (!isalnum(c) && c < 0x80 && (!c || !strchr("._/@+=~-", c))))
			return false;
	}
	return path.len && hf_sv_is_utf8(path);
}

/* Why a kind of event is no ground to take something away; empty where it is one. */
static hf_sv missing(struct hf_harden_plan *p, enum hf_event_kind kind, const char *what, const char *needs)
{
	if (p->usage->running_before && !p->usage->from_start)
		return hf_arena_fmt(p->arena,
				    "%s before the trace began are not known; needs a trace from the container's start",
				    what);
	if (p->usage->lost >> kind & 1)
		return hf_arena_fmt(p->arena, "%s are not all in the trace; needs a trace without loss", what);
	if (!(p->usage->known >> kind & 1))
		return hf_arena_fmt(p->arena, "%s are not in the trace; needs %s", what, needs);
	return (hf_sv){ 0 };
}

/* As the kernel's tables spell them: a call without a name there cannot be allowed by name. */
static bool is_call_name(hf_sv name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!islower((unsigned char)name.ptr[i]) && !isdigit((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return name.len > 0;
}

static void decide_syscalls(struct hf_harden_plan *p)
{
	static const struct {
		hf_sv name;
		enum { START, PRIVILEGES, GO, KERNEL } why;
	} base[] = {
#define HF_BASE_CALL(name, why) { HF_SV_INIT(#name), why },
#include "harden/base_calls.def"
#undef HF_BASE_CALL
	};

	p->syscalls_missing = missing(p, HF_EVENT_SYSCALLS, "system calls",
				      "a trace recorded with --deep, which sees them, or a profile that holds them");
	p->no_namespaces =
		!hf_names_count(&p->usage->namespaces) && (hf_usage_knows(p->usage, HF_EVENT_NAMESPACE) ||
							   (p->grant && p->grant->seccomp == HF_GRANT_SECCOMP_DEFAULT));
	for (size_t i = 0; i < p->usage->syscalls.map.n; i++) {
		hf_sv name = p->usage->syscalls.map.entries[i].key;
		if (!is_call_name(name))
			p->syscalls_missing =
				HF_SV("a system call in the trace has no name; needs a trace that names it");
		else
			hf_names_add(&p->syscalls, name);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(base); i++)
		if (base[i].why != PRIVILEGES || !p->no_new_privileges)
			hf_names_add(&p->base_syscalls, base[i].name);
}

/* Folders that no volume can lie over without hiding the system itself. */
static bool is_system_folder(hf_sv folder)
{
	static const hf_sv folders[] = { HF_SV_INIT("/"),        HF_SV_INIT("/etc"),       HF_SV_INIT("/bin"),
					 HF_SV_INIT("/sbin"),    HF_SV_INIT("/lib"),       HF_SV_INIT("/lib64"),
					 HF_SV_INIT("/usr"),     HF_SV_INIT("/usr/bin"),   HF_SV_INIT("/usr/sbin"),
					 HF_SV_INIT("/usr/lib"), HF_SV_INIT("/usr/local"), HF_SV_INIT("/usr/local/bin"),
					 HF_SV_INIT("/var") };
	for (size_t i = 0; i < HF_ARRAY_SIZE(folders); i++)
		if (hf_sv_eq(folder, folders[i]))
			return true;
	return false;
}

static bool is_below_any(hf_sv path, const hf_sv *folders, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_path_below(path, folders[i]))
			return true;
	return false;
}

static bool is_scratch(hf_sv folder)
{
	static const hf_sv scratch[] = { HF_SV_INIT("/tmp"), HF_SV_INIT("/run"), HF_SV_INIT("/var/run"),
					 HF_SV_INIT("/var/tmp"), HF_SV_INIT("/var/lock") };
	return is_below_any(folder, scratch, HF_ARRAY_SIZE(scratch));
}

/* What every container has of its own, over the root. */
static bool is_of_kernel(hf_sv path)
{
	static const hf_sv own[] = { HF_SV_INIT("/proc"), HF_SV_INIT("/sys"), HF_SV_INIT("/dev") };
	return is_below_any(path, own, HF_ARRAY_SIZE(own));
}

/* Whether one of the folders holds @folder. */
static bool is_inside(const struct hf_names *folders, hf_sv folder)
{
	for (hf_sv above = hf_sv_dirname(folder); above.len; above = hf_sv_dirname(above))
		if (hf_names_has(folders, above))
			return true;
	return false;
}

static void keep_outermost(struct hf_names *all, struct hf_harden_plan *p)
{
	const hf_sv *list = hf_names_list(all);

	for (size_t i = 0; i < hf_names_count(all); i++)
		if (!is_inside(all, list[i]))
			hf_names_add(is_scratch(list[i]) ? &p->tmpfs : &p->volumes, list[i]);
	if (hf_names_count(&p->tmpfs) + hf_names_count(&p->volumes) > FOLDERS_MAX)
		p->root_missing =
			HF_SV("more folders are written than anyone would mount; needs a program that writes to fewer");
}

static void decide_root(struct hf_harden_plan *p)
{
	const hf_sv *written = hf_names_list(&p->usage->files_written);
	struct hf_names folders = HF_NAMES(p->arena);

	p->root_missing =
		missing(p, HF_EVENT_FILE, "files written",
			"a trace in which files were watched (if they were and none was written: --watched file)");
	for (size_t i = 0; written && i < hf_names_count(&p->usage->files_written); i++) {
		const struct hf_grant_mount *m = p->grant ? hf_grant_mount_of(p->grant, written[i]) : NULL;
		hf_sv folder = hf_sv_dirname(written[i]);
		folder = folder.len ? folder : HF_SV("/");
		if (is_of_kernel(written[i]))
			continue;
		if (m) {
			if (hf_harden_path_plain(m->destination))
				hf_names_add(&p->mounts, m->destination);
			continue;
		}
		if (hf_sv_eq(hf_sv_basename(folder), HF_SV("__pycache__"))) {
			hf_names_add(&p->not_written, folder);
		} else if (is_system_folder(folder)) {
			p->root_missing = hf_arena_fmt(p->arena,
						       "%.*s is written: needs a mount of that file alone, or a "
						       "program that does not write it",
						       HF_SV_FMT(written[i]));
		} else if (!hf_harden_path_plain(folder)) {
			p->root_missing = HF_SV("a folder that is written has a name that options cannot hold");
		} else {
			hf_names_add(&folders, folder);
		}
	}
	keep_outermost(&folders, p);
}

static hf_sv name_of(struct hf_harden_plan *p)
{
	hf_sv name = p->grant && p->grant->name.len ? p->grant->name : (hf_sv){ 0 };
	char text[64];
	size_t n = 0;

	const hf_sv *images = hf_names_list(&p->usage->images);
	if (!name.len && hf_names_count(&p->usage->images))
		name = images[0];
	if (!name.len)
		name = HF_SV("workload");
	for (size_t i = 0; i < name.len && n < sizeof text; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		text[n++] = isalnum(c) && c < 0x80 ? (char)c : '-';
	}
	return hf_arena_dup(p->arena, (hf_sv){ text, n });
}

int hf_harden_plan(struct hf_usage *usage, const struct hf_grant *grant, struct hf_arena *a, struct hf_harden_plan *p,
		   struct hf_err *err)
{
	*p = (struct hf_harden_plan){ .usage = usage, .grant = grant, .arena = a };
	struct hf_names *const sets[] = { &p->syscalls, &p->base_syscalls, &p->tmpfs,
					  &p->volumes,  &p->mounts,        &p->not_written };
	for (size_t i = 0; i < HF_ARRAY_SIZE(sets); i++)
		*sets[i] = HF_NAMES(a);

	p->name = name_of(p);
	/* What was asked for and not granted was refused. */
	p->capabilities =
		usage->capabilities & (grant && grant->capabilities_known ? grant->capabilities : HF_CAPABILITIES_ALL);
	p->capabilities_missing = missing(p, HF_EVENT_CAPABILITY, "capabilities used",
					  "a trace of the capability checks, from the container's start");
	if (usage->capabilities_asked && !(grant && grant->capabilities_known))
		p->capabilities_missing = HF_SV(
			"capabilities of a profile may have been asked for in vain; needs what is granted (--grant)");
	p->privileges_missing =
		missing(p, HF_EVENT_EXEC, "programs run", "a trace of executions, from the container's start");
	/* Kubernetes takes CAP_SYS_ADMIN and no-new-privileges together from nobody, and one answer has to do for all forms. */
	p->no_new_privileges =
		!p->privileges_missing.len && !usage->setuid && !(p->capabilities >> HF_CAP_SYS_ADMIN & 1);
	p->network_missing = usage->known & (1u << HF_EVENT_LISTEN | 1u << HF_EVENT_CONNECT | 1u << HF_EVENT_SEND)
				     ? (hf_sv){ 0 }
				     : HF_SV("connections are not in the trace; needs a trace of listen and connect");
	if (usage->lost & (1u << HF_EVENT_LISTEN | 1u << HF_EVENT_CONNECT | 1u << HF_EVENT_SEND))
		p->network_missing = HF_SV("connections are not all in the trace; needs a trace without loss");
	decide_syscalls(p);
	decide_root(p);
	return a->over ? hf_fail(err, HF_E_LIMIT, "the plan does not fit into %zu bytes", a->cap) : HF_OK;
}
