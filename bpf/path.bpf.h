/* The path of an object as its container sees it: from the dentry up to the process's root, over mounts, written from its end to
 * its begin. Never from a user's pointer, which may change while it is read. */
#pragma once
#include "emit.bpf.h"

enum { HF_PATH_COMPONENTS_MAX = 2048, HF_PATH_BUFFER = HF_RECORD_PATH_MAX };

struct hf_walk {
	struct dentry *dentry, *root_dentry;
	struct mount *mount, *root_mount;
	__u32 at; /* of the first byte written */
	bool done, truncated;
};

hf_inline struct mount *hf_mount_of(struct vfsmount *m)
{
	return (struct mount *)((char *)m - bpf_core_field_offset(struct mount, mnt));
}

static long hf_walk_step(__u32 i, void *context)
{
	struct hf_walk *w = context;
	struct hf_scratch *s = hf_scratch_get();
	struct dentry *dentry = w->dentry, *top = NULL;
	struct mount *mount = w->mount;

	(void)i;
	if (!s || (w->dentry == w->root_dentry && w->mount == w->root_mount)) {
		w->done = true;
		return 1;
	}
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

	top = BPF_CORE_READ(mount, mnt.mnt_root);
	if (dentry == top || dentry == parent) {
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (dentry != top || above == mount) { /* unreachable from the root, or the root of all */
			w->done = true;
			return 1;
		}
		w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		w->mount = above;
		return 0;
	}
	struct qstr name = BPF_CORE_READ(dentry, d_name);
	__u32 length = name.len & 0xff;

	if (name.len > 255 || length + 1 > w->at) {
		w->truncated = true;
		return 1;
	}
	w->at -= length + 1;
	__u32 at = w->at & (HF_PATH_BUFFER - 1);

	s->path[at] = '/';
	bpf_probe_read_kernel(&s->path[at + 1], length, name.name);
	w->dentry = parent;
	return 0;
}

/* Appends the path of (@dentry, @mnt) to the record at *@offset and raises that. Returns its length; *@truncated is set where only
 * the end of it was written. */
hf_inline __u32 hf_record_path(struct hf_scratch *s, __u32 *offset, struct dentry *dentry, struct vfsmount *mnt,
			       struct task_struct *task, bool *truncated)
{
	struct fs_struct *fs = task->fs;
	struct hf_walk w = { .dentry = dentry, .at = HF_PATH_BUFFER };

	w.mount = hf_mount_of(mnt);
	w.root_dentry = fs->root.dentry;
	w.root_mount = hf_mount_of(fs->root.mnt);
	bpf_loop(HF_PATH_COMPONENTS_MAX, hf_walk_step, &w, 0);
	*truncated = w.truncated || !w.done;
	if (w.at == HF_PATH_BUFFER && w.done) { /* the root itself */
		w.at--;
		s->path[HF_PATH_BUFFER - 1] = '/';
	}
	__u32 length = HF_PATH_BUFFER - w.at;

	if (length > HF_PATH_BUFFER)
		return 0;
	__u32 at = w.at & (HF_PATH_BUFFER - 1), to = *offset & (HF_RECORD_MAX - 1);

	/* at + length is the buffer's end, which the verifier cannot know: the room behind it makes any pair fit. */
	if (at + length > HF_PATH_BUFFER)
		return 0;
	barrier_var(length); /* the compiler knows that the mask changes nothing, the verifier does not */
	bpf_probe_read_kernel(&s->record[to], length & (2 * HF_PATH_BUFFER - 1), &s->path[at]);
	*offset += length;
	return length;
}
