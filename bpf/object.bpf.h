/* What comes in bulk: handed out when it is new to the container (or to the profile that it shares with its replicas), else
 * counted as known. */
#pragma once
#include "emit.bpf.h"
#include "hash.h"
#include "object.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 s6_addr[16];
};
struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;
	unsigned short skc_family;
	__u16 skc_dport, skc_num;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};
struct sock {
	struct sock_common __sk_common;
	__u16 sk_type, sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
};
struct io_kiocb {
	__u8 opcode;
};
struct module {
	char name[56];
};
struct pt_regs {
	unsigned long orig_ax;
};

#pragma clang attribute pop

enum { HF_NEW_PER_SECOND = 500 };

/* The state of the hash of an object of @kind in the container or its profile, where nobody's process does it. */
hf_inline __u64 hf_object_begin(const struct hf_kernel_cgroup *c, __u64 cgroup_id, __u32 kind)
{
	return hf_keyed_word(hf_keyed_begin(config.hash_key, kind), c->profile ? c->profile : cgroup_id | 1ull << 63);
}

/* The same, done by @task: what one program was seen to do is not known of another. */
hf_inline __u64 hf_object_begin_by(const struct hf_kernel_cgroup *c, __u64 cgroup_id, __u32 kind, struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	return hf_keyed_executable(hf_object_begin(c, cgroup_id, kind), BPF_CORE_READ(inode, i_ino),
				   BPF_CORE_READ(inode, i_sb, s_magic));
}

hf_inline __u64 hf_object_begin_current(const struct hf_kernel_cgroup *c, __u64 cgroup_id, __u32 kind)
{
	return hf_object_begin_by(c, cgroup_id, kind, (struct task_struct *)bpf_get_current_task_btf());
}

/* True, and counted, where the object was met before; else it is put in. @ret_key takes it out again. */
hf_inline bool hf_object_known(struct hf_kernel_cgroup *c, __u32 kind, __u64 state, __u64 *ret_key)
{
	static const __u64 one = 1;
	__u64 key = hf_keyed_end(state, config.hash_key);
	__u64 *times = bpf_map_lookup_elem(&known, &key);

	*ret_key = key;
	if (times) {
		*times += 1;
		hf_count_known(c, kind);
		return true;
	}
	bpf_map_update_elem(&known, &key, &one, BPF_ANY);
	return false;
}

/* A container that does nothing but new things must not fill the ring of all. */
hf_inline bool hf_object_allowed(struct hf_kernel_cgroup *c, __u64 now)
{
	if (now - c->refilled_ns > 1000000000ull) {
		c->refilled_ns = now;
		c->tokens = HF_NEW_PER_SECOND;
	}
	if (!c->tokens)
		return false;
	c->tokens -= 1;
	return true;
}

/* What is not handed out is not known either: it comes again. */
hf_inline void hf_object_emit(struct hf_kernel_cgroup *c, __u64 key, const struct hf_record *r, __u32 size, __u64 wake)
{
	if (!hf_object_allowed(c, r->ns)) {
		hf_count_dropped(c, r->kind, HF_DROP_RATE);
		bpf_map_delete_elem(&known, &key);
		return;
	}
	__u64 flags = wake;

	if (!flags)
		flags = bpf_ringbuf_query(&bulk, BPF_RB_AVAIL_DATA) >= config.ring_wake_bytes ? BPF_RB_FORCE_WAKEUP
											      : BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(&bulk, (void *)r, size, flags)) {
		hf_count_dropped(c, r->kind, HF_DROP_RING);
		bpf_map_delete_elem(&known, &key);
		return;
	}
	__sync_fetch_and_add(&c->counts[r->kind & (HF_RECORD_KINDS - 1)].delivered, 1);
}

/* The front of a record of what nobody's process does, as a connection that comes in. */
hf_inline void hf_record_without_process(struct hf_record *r, __u32 kind, __u64 cgroup_id)
{
	r->kind = kind;
	r->ns = bpf_ktime_get_ns();
	r->cgroup_id = cgroup_id;
}

hf_inline void hf_record_current(struct hf_record *r, __u32 kind, __u64 cgroup_id)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	hf_record_head(r, kind, task, cgroup_id);
	hf_record_process(r, hf_process_of(task));
}

hf_inline __u64 hf_hash_address(__u64 state, const __u8 *address, __u32 port, __u32 protocol)
{
	__u64 words[2];

	__builtin_memcpy(words, address, sizeof words);
	state = hf_keyed_word(state, words[0]);
	state = hf_keyed_word(state, words[1]);
	return hf_keyed_word(state, (__u64)protocol << 32 | port);
}
