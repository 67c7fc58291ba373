#include "sensor/hierarchy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/container.h"
#include "sensor/procfs.h"

enum { TEXT_MAX = 1 << 20, AGAIN_MS = 50 };

static const char *const controllers[] = {
	"pids", "memory", "devices", "freezer", "cpu", "cpuacct", "cpuset", "blkio"
};
/* Where engines look for the unified hierarchy: alone, and beside v1's. */
static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

struct mounts {
	hf_sv unified, v1[HF_ARRAY_SIZE(controllers)]; /* mount points; NULL: none */
	bool unified_at_its_place;
};

static bool is_listed(hf_sv list, hf_sv wanted)
{
	hf_sv one;

	while (hf_sv_next(&list, ',', &one))
		if (hf_sv_eq(one, wanted))
			return true;
	return false;
}

/* id parent device root point options [fields…] - type source options */
static void take_mount(hf_sv line, struct mounts *m)
{
	size_t dash = hf_sv_find(line, HF_SV(" - "));
	hf_sv front = hf_sv_first(line, dash == SIZE_MAX ? 0 : dash), back, root = { 0 }, point = { 0 }, type, source;

	if (dash == SIZE_MAX)
		return;
	back = hf_sv_skip(line, dash + 3);
	for (int i = 0; i < 5; i++) {
		root = point;
		if (!hf_sv_cut(front, ' ', &point, &front))
			return;
	}
	if (!hf_sv_eq(root, HF_SV("/")) || !hf_sv_starts(point, HF_SV("/")) || !hf_sv_cut(back, ' ', &type, &back) ||
	    !hf_sv_cut(back, ' ', &source, &back))
		return;
	if (hf_sv_eq(type, HF_SV("cgroup2"))) {
		bool at_its_place = hf_sv_eq(point, hf_sv_of(places[0])) || hf_sv_eq(point, hf_sv_of(places[1]));
		if (!m->unified.ptr || (at_its_place && !m->unified_at_its_place))
			m->unified = point;
		m->unified_at_its_place |= at_its_place;
	}
	for (size_t i = 0; hf_sv_eq(type, HF_SV("cgroup")) && i < HF_ARRAY_SIZE(controllers); i++)
		if (!m->v1[i].ptr && is_listed(hf_sv_trim(back), hf_sv_of(controllers[i])))
			m->v1[i] = point;
}

static struct mounts mounts_of(hf_sv mountinfo)
{
	struct mounts m = { 0 };
	hf_sv line;

	while (hf_sv_next(&mountinfo, '\n', &line))
		take_mount(line, &m);
	return m;
}

/* ID:CONTROLLERS:PATH */
static bool id_of(hf_sv cgroups, hf_sv controller, uint32_t *ret)
{
	hf_sv line, id, listed, path;
	uint64_t v;

	while (hf_sv_next(&cgroups, '\n', &line)) {
		if (!hf_sv_cut(line, ':', &id, &line) || !hf_sv_cut(line, ':', &listed, &path) ||
		    !is_listed(listed, controller) || !hf_sv_to_u64(id, &v) || !v || v > UINT32_MAX)
			continue;
		*ret = (uint32_t)v;
		return true;
	}
	return false;
}

static void set_point(struct hf_hierarchy *h, hf_sv point)
{
	snprintf(h->point, sizeof h->point, "%.*s", HF_SV_FMT(point));
}

int hf_hierarchy_choose(hf_sv mountinfo, hf_sv cgroups, enum hf_hierarchy_evidence evidence, struct hf_hierarchy *ret,
			struct hf_err *err)
{
	struct mounts m = mounts_of(mountinfo);
	struct hf_hierarchy h = { .fd = -1, .v1_subsystem = -1 };
	bool unified = m.unified.ptr && evidence != HF_HIERARCHY_IN_V1 &&
		       (evidence == HF_HIERARCHY_IN_UNIFIED || m.unified_at_its_place);

	for (size_t i = 0; !unified && i < HF_ARRAY_SIZE(controllers); i++) {
		if (!m.v1[i].ptr || !id_of(cgroups, hf_sv_of(controllers[i]), &h.v1_id))
			continue;
		snprintf(h.controller, sizeof h.controller, "%s", controllers[i]);
		set_point(&h, m.v1[i]);
		*ret = h;
		return 0;
	}
	if (!m.unified.ptr)
		return hf_fail(err, HF_E_MISSING,
			       "no hierarchy of cgroups is mounted that containers can be told apart by: neither the "
			       "unified one nor "
			       "one of cgroup v1 with a controller");
	set_point(&h, m.unified);
	*ret = h;
	return 0;
}

bool hf_hierarchy_is_container(hf_sv path)
{
	hf_sv id, engine, pod;

	for (; path.len > 1; path = hf_sv_dirname(path))
		if (hf_container_of_path(path, &id, &engine, &pod))
			return true;
	return false;
}

static enum hf_hierarchy_evidence ask(int proc, uint32_t pid, const char *controller)
{
	char text[HF_PATH_MAX + 1024];
	hf_sv read = hf_proc_read(proc, pid, "cgroup", text, sizeof text), path;

	if (hf_proc_cgroup_parse(read, (hf_sv){ 0 }, &path) && hf_hierarchy_is_container(path))
		return HF_HIERARCHY_IN_UNIFIED;
	if (hf_proc_cgroup_parse(read, hf_sv_of(controller), &path) && hf_hierarchy_is_container(path))
		return HF_HIERARCHY_IN_V1;
	return HF_HIERARCHY_NO_CONTAINERS;
}

/* A runtime goes into one hierarchy after the other: who is seen in v1's alone is asked again. */
static enum hf_hierarchy_evidence ask_all(const char *controller)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	enum hf_hierarchy_evidence found = HF_HIERARCHY_NO_CONTAINERS;
	uint64_t pid;

	while (dir && found != HF_HIERARCHY_IN_UNIFIED && (entry = readdir(dir))) {
		if (!hf_sv_to_u64(hf_sv_of(entry->d_name), &pid) || pid > INT32_MAX)
			continue;
		enum hf_hierarchy_evidence here = ask(dirfd(dir), (uint32_t)pid, controller);
		if (here == HF_HIERARCHY_IN_V1 && found == HF_HIERARCHY_NO_CONTAINERS) {
			nanosleep(&(struct timespec){ .tv_nsec = AGAIN_MS * 1000000L }, NULL);
			here = ask(dirfd(dir), (uint32_t)pid, controller);
		}
		found = here ? here : found;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The kernel's own numbers are those of its enum cgroup_subsys_id, which its configuration changes. */
static int number_of(const char *controller)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "cgroup_subsys_id", BTF_KIND_ENUM) : -1, number = -1;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	char name[HF_CONTROLLER_MAX + 16];

	/* The controller that v1 calls blkio is io's. */
	snprintf(name, sizeof name, "%s_cgrp_id", strcmp(controller, "blkio") ? controller : "io");
	for (uint32_t i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name))
			number = btf_enum(t)[i].val;
	btf__free(btf);
	return number;
}

static int open_root(struct hf_hierarchy *h, struct hf_err *err)
{
	h->fd = open(h->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return h->fd < 0 ? hf_fail_errno(err, "the cgroups at %s", h->point) : 0;
}

int hf_hierarchy_open(struct hf_hierarchy *ret, struct hf_err *err)
{
	char *text = hf_malloc(TEXT_MAX), cgroups[8192];
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hf_sv own = hf_proc_read(proc, (uint32_t)getpid(), "cgroup", cgroups, sizeof cgroups);
	hf_sv mountinfo = hf_proc_read(proc, (uint32_t)getpid(), "mountinfo", text, TEXT_MAX);
	struct hf_hierarchy h = { .fd = -1, .v1_subsystem = -1 }, v1;

	int code = hf_hierarchy_choose(mountinfo, own, HF_HIERARCHY_NO_CONTAINERS, &h, err);
	if (!code && mounts_of(mountinfo).unified.ptr &&
	    !hf_hierarchy_choose(mountinfo, own, HF_HIERARCHY_IN_V1, &v1, NULL) && v1.controller[0])
		code = hf_hierarchy_choose(mountinfo, own, ask_all(v1.controller), &h, err);
	free(text);
	hf_fd_close(&proc);
	if (!code && h.controller[0]) {
		h.v1_subsystem = number_of(h.controller);
		if (h.v1_subsystem < 0)
			code = hf_fail(err, HF_E_UNSUPPORTED,
				       "containers are in cgroup v1 alone, and this kernel does not tell the number of "
				       "its controller %s",
				       h.controller);
	}
	if (!code)
		code = open_root(&h, err);
	if (!code)
		*ret = h;
	return code;
}

int hf_hierarchy_copy(const struct hf_hierarchy *from, struct hf_hierarchy *ret, struct hf_err *err)
{
	*ret = *from;
	ret->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	return ret->fd < 0 ? hf_fail_errno(err, "the cgroups at %s", from->point) : 0;
}

void hf_hierarchy_close(struct hf_hierarchy *h)
{
	hf_fd_close(&h->fd);
}

bool hf_hierarchy_is_v1(const struct hf_hierarchy *h)
{
	return h->controller[0] != 0;
}

int hf_hierarchy_unified_root(void)
{
	hf_cleanup(hf_fd_close) int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	hf_cleanup(hf_fd_close) int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
