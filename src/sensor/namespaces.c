#include "sensor/namespaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { WAYS = 4 };

void hf_namespace_table_init(struct hf_namespace_table *t, size_t tasks)
{
	*t = (struct hf_namespace_table){ .buckets = 16 };
	while (t->buckets * WAYS < tasks)
		t->buckets *= 2;
	t->tasks = hf_calloc(t->buckets * WAYS, sizeof *t->tasks);
}

void hf_namespace_table_done(struct hf_namespace_table *t)
{
	free(t->tasks);
	*t = (struct hf_namespace_table){ 0 };
}

void hf_namespace_table_clear(struct hf_namespace_table *t)
{
	memset(t->tasks, 0, t->buckets * WAYS * sizeof *t->tasks);
}

/* Pids are given out in turn, so their low bits spread well. */
static struct hf_namespace_task *bucket_of(const struct hf_namespace_table *t, uint32_t tid)
{
	return &t->tasks[(tid & (t->buckets - 1)) * WAYS];
}

const struct hf_namespace_set *hf_namespace_table_find(struct hf_namespace_table *t, uint32_t tid)
{
	struct hf_namespace_task *b = bucket_of(t, tid);

	for (size_t i = 0; tid && i < WAYS; i++) {
		if (b[i].tid != tid)
			continue;
		b[i].used = ++t->used;
		return &b[i].set;
	}
	return NULL;
}

void hf_namespace_table_put(struct hf_namespace_table *t, uint32_t tid, const struct hf_namespace_set *set)
{
	struct hf_namespace_task *b = bucket_of(t, tid), *at = b;

	if (!tid)
		return;
	for (size_t i = 0; i < WAYS && at->tid != tid; i++)
		if (b[i].tid == tid || t->used - b[i].used > t->used - at->used)
			at = &b[i];
	*at = (struct hf_namespace_task){ .tid = tid, .used = ++t->used, .set = *set };
}

uint32_t hf_namespaces_changed(const struct hf_namespace_set *was, const struct hf_namespace_set *is)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < HF_NAMESPACES; i++)
		if (was->inode[i] && is->inode[i] && was->inode[i] != is->inode[i])
			bits |= 1u << i;
	return bits;
}

uint32_t hf_namespaces_same(const struct hf_namespace_set *a, const struct hf_namespace_set *b)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < HF_NAMESPACES; i++)
		if (a->inode[i] && a->inode[i] == b->inode[i])
			bits |= 1u << i;
	return bits;
}

size_t hf_namespace_names(uint32_t bits, hf_sv names[HF_NAMESPACES])
{
	static const struct {
		enum hf_namespace which;
		hf_sv name;
	} all[] = {
		{ HF_NAMESPACE_MOUNT, HF_SV_INIT("mount") },     { HF_NAMESPACE_PID, HF_SV_INIT("pid") },
		{ HF_NAMESPACE_NETWORK, HF_SV_INIT("network") }, { HF_NAMESPACE_IPC, HF_SV_INIT("ipc") },
		{ HF_NAMESPACE_UTS, HF_SV_INIT("uts") },         { HF_NAMESPACE_USER, HF_SV_INIT("user") },
		{ HF_NAMESPACE_CGROUP, HF_SV_INIT("cgroup") },
	};
	size_t n = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++)
		if (bits & 1u << all[i].which)
			names[n++] = all[i].name;
	return n;
}

bool hf_namespaces_read(int proc, uint32_t tid, struct hf_namespace_set *ret)
{
	static const char *const files[HF_NAMESPACES] = { "net", "uts", "ipc", "pid", "user", "mnt", "cgroup" };
	struct hf_namespace_set set = { 0 };
	bool any = false;

	for (size_t i = 0; i < HF_NAMESPACES; i++) {
		char path[64];
		struct stat st;
		snprintf(path, sizeof path, "%u/ns/%s", tid, files[i]);
		if (fstatat(proc, path, &st, 0) < 0)
			continue;
		set.inode[i] = (uint32_t)st.st_ino;
		any = true;
	}
	*ret = set;
	return any;
}
