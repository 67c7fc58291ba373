#include "agent/known.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <linux/magic.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "baseline/known_set.h"
#include "baseline/live_root.h"
#include "bpf/object.h"
#include "sensor/names.h"

enum { TOLD_SLOTS = 8192, PROFILES_MAX = 512, EXECUTABLES_MAX = 256, IO_URING_MAX = 64, CAPABILITIES_MAX = 64 };

struct hf_agent_known {
	struct hf_sensor *sensor;
	uint64_t told[TOLD_SLOTS];       /* by cgroup id; who shares a slot is told once more */
	uint64_t profiles[PROFILES_MAX]; /* hash of image and owner; its place + 1 is its number */
	size_t profiles_n;
};

struct hf_agent_known *hf_agent_known_new(struct hf_sensor *sensor)
{
	struct hf_agent_known *k = hf_calloc(1, sizeof *k);

	k->sensor = sensor;
	return k;
}

void hf_agent_known_free(struct hf_agent_known *k)
{
	free(k);
}

bool hf_agent_known_told(const struct hf_agent_known *k, uint64_t cgroup_id)
{
	return k->told[cgroup_id % TOLD_SLOTS] == cgroup_id;
}

static int number_of(hf_sv name, uint32_t max, hf_sv (*name_of)(uint32_t number, struct hf_arena *a))
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));

	for (uint32_t i = 0; i < max; i++)
		if (hf_sv_eq(name_of(i, &a), name))
			return (int)i;
	return -1;
}

static int capability(hf_sv name)
{
	return number_of(name, CAPABILITIES_MAX, hf_capability_name);
}

static int system_call(hf_sv name)
{
	return number_of(name, HF_SYSCALLS_MAX, hf_syscall_name);
}

static int io_uring(hf_sv operation)
{
	return hf_sv_eq(operation, HF_SV("setup")) ? HF_URING_SETUP
						   : number_of(operation, IO_URING_MAX, hf_io_uring_name);
}

/* Of the layers themselves: overlay gives a file the inode of the layer's, and no file system that a container brings is asked. */
static int executables(const struct hf_profile *p, uint64_t pid, struct hf_arena *a, struct hf_known_executable *list,
		       size_t *ret_n, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf mounts = HF_BUF(HF_MIB(4));
	const enum hf_profile_part parts[] = { HF_PROFILE_EXECUTABLES, HF_PROFILE_SCRIPTS };
	struct hf_live_root *root = NULL;
	int code = hf_live_mountinfo(pid, &mounts, err);

	if (code >= 0)
		code = hf_live_root_open(hf_buf_view(&mounts), &root, err);
	for (size_t part = 0; code >= 0 && part < HF_ARRAY_SIZE(parts); part++) {
		size_t n;
		const struct hf_profile_entry **entries = hf_profile_sorted(p, parts[part], a, &n);
		for (size_t i = 0; i < n && *ret_n < EXECUTABLES_MAX; i++) {
			struct hf_err none = { 0 };
			struct stat st;
			hf_cleanup(hf_fd_close) int fd = hf_live_root_open_image(root, entries[i]->object, &none);
			if (fd >= 0 && fstat(fd, &st) == 0)
				list[(*ret_n)++] = (struct hf_known_executable){ st.st_ino, OVERLAYFS_SUPER_MAGIC };
		}
	}
	hf_live_root_close(root);
	return code < 0 ? code : 0;
}

static size_t place_of(struct hf_agent_known *k, const struct hf_profile *p, bool *ret_new)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_KIB(64));
	uint64_t id = hf_hash(hf_arena_fmt(&a, "%.*s\n%.*s", HF_SV_FMT(p->image_digest), HF_SV_FMT(p->owner)));
	size_t i = 0;

	while (i < k->profiles_n && k->profiles[i] != id)
		i++;
	*ret_new = i == k->profiles_n;
	if (*ret_new && i < PROFILES_MAX)
		k->profiles[k->profiles_n++] = id;
	return i;
}

static int keys_of(struct hf_agent_known *k, const struct hf_profile *p, uint32_t number, uint64_t pid,
		   struct hf_arena *a, uint64_t **ret, size_t *ret_n, struct hf_err *err)
{
	static const struct hf_known_names names = { capability, system_call, io_uring };
	struct hf_known_executable list[EXECUTABLES_MAX];
	size_t n = 0;
	int code = executables(p, pid, a, list, &n, err);

	if (code < 0)
		return code;
	const struct hf_known_object *set =
		hf_known_set(p, hf_sensor_hash_key(k->sensor), number, list, n, &names, a, ret_n);
	*ret = hf_arena_array(a, uint64_t, *ret_n);
	if (*ret_n && !*ret)
		return hf_fail(err, HF_E_LIMIT, "what the profile knows takes too much memory");
	for (size_t i = 0; i < *ret_n; i++)
		(*ret)[i] = set[i].key;
	return 0;
}

int hf_agent_known_tell(struct hf_agent_known *k, const struct hf_profile *p, uint64_t cgroup_id, uint64_t pid,
			struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	uint64_t *keys = NULL;
	size_t n = 0, place;
	bool is_new;

	k->told[cgroup_id % TOLD_SLOTS] = cgroup_id;
	if (p->mode == HF_MODE_LEARN)
		return 0;
	place = place_of(k, p, &is_new);
	if (place == PROFILES_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d profiles at once", PROFILES_MAX);
	int code = is_new ? keys_of(k, p, (uint32_t)place + 1, pid, &a, &keys, &n, err) : 0;
	if (code < 0) { /* the next container of this profile tries again */
		k->profiles_n--;
		return code;
	}
	return hf_sensor_learned(k->sensor, cgroup_id, (uint32_t)place + 1, keys, n, err);
}
