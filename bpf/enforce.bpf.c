/* Programs that deny, an object of its own: whoever only watches has none of them. Maps of the watching programs that are named by
 * shared headers are not made. Each program decides by the guard of the process's cgroup, so what has none is untouched. */
#include "path.bpf.h"

#include "enforce.h"

#include <bpf/bpf_endian.h>

enum {
	HF_EPERM = 1,
	HF_SIGKILL = 9,
	HF_CGROUP_DEPTH = 10,
	HF_MAGIC_OF_OVERLAY = 0x794c7630,
	HF_MAGIC_OF_TMPFS = 0x01021994
};
enum { HF_AF_INET = 2, HF_AF_INET6 = 10 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sockaddr {
	__u16 sa_family;
};
struct sock {
	__u16 sk_type, sk_protocol;
};
struct socket {
	struct sock *sk;
};
struct msghdr {
	void *msg_name;
	int msg_namelen;
};

#pragma clang attribute pop

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct hf_guard);
} guards SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct hf_path_key);
	__type(value, struct hf_path_value);
} deny_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct hf_peer_key);
	__type(value, __u32);
} deny_peers SEC(".maps");

/* Its name is how others find it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_deny_switch);
} hf_deny_switch SEC(".maps");

/* From the process's own cgroup up. */
hf_inline struct hf_guard *hf_guard_in_v1(struct task_struct *task)
{
	struct cgroup_subsys_state *state = hf_v1_state(task);

	for (int level = 0; state && level < HF_CGROUP_DEPTH; level++) {
		__u64 id = BPF_CORE_READ(state, cgroup, kn, id);
		struct hf_guard *g = bpf_map_lookup_elem(&guards, &id);

		if (g)
			return g;
		state = BPF_CORE_READ(state, parent);
	}
	return NULL;
}

/* A container may make cgroups of its own: they are its. The guard nearest to the process counts. */
hf_inline struct hf_guard *hf_guard_of(struct task_struct *task)
{
	struct hf_guard *found = NULL;
	__u64 id;

	if (config.v1_subsystem >= 0)
		return hf_guard_in_v1(task);
	for (int level = 1; level < HF_CGROUP_DEPTH; level++) {
		id = bpf_get_current_ancestor_cgroup_id(level);
		if (!id)
			break;
		struct hf_guard *g = bpf_map_lookup_elem(&guards, &id);

		if (g)
			found = g;
	}
	return found;
}

hf_inline bool hf_rule_live(const struct hf_guard *g, __u32 rule, __u32 by)
{
	return (g->rules & 1u << rule) && g->by[rule & 7] == by && bpf_ktime_get_ns() < g->until_ns[rule];
}

/* Counts what was decided. True where it is really to be denied. */
hf_inline bool hf_denied(struct hf_guard *g, __u32 rule, __u32 *flags)
{
	__u32 zero = 0;
	struct hf_deny_switch *s = bpf_map_lookup_elem(&hf_deny_switch, &zero);
	bool off = !s || !s->on;

	if (off)
		*flags |= HF_DENIAL_OFF;
	if (off || (g->flags & HF_GUARD_DRY))
		*flags |= HF_DENIAL_DRY;
	if (g->flags & HF_GUARD_CANARY)
		*flags |= HF_DENIAL_CANARY;
	__sync_fetch_and_add(*flags & HF_DENIAL_DRY ? &g->would[rule] : &g->denied[rule], 1);
	return !(*flags & HF_DENIAL_DRY);
}

hf_inline void hf_denial_out(struct hf_guard *g, struct hf_record_denial *r, __u32 offset)
{
	r->head.size = offset;
	if (bpf_ringbuf_output(&denials, r, offset & (HF_RECORD_MAX - 1), BPF_RB_FORCE_WAKEUP))
		__sync_fetch_and_add(&g->lost, 1);
}

hf_inline void hf_denial_begin(struct hf_record_denial *r, struct task_struct *task)
{
	__builtin_memset(r, 0, sizeof *r);
	hf_record_head(&r->head, HF_KIND_DENIAL, task, hf_cgroup_of(task));
}

struct hf_hashing {
	__u64 state;
	__u32 length;
};

static long hf_hash_step(__u32 i, void *context)
{
	struct hf_hashing *h = context;
	struct hf_scratch *s = hf_scratch_get();
	__u64 word;

	if (!s || 8 * i >= h->length)
		return 1;
	__builtin_memcpy(&word, &s->record[(sizeof(struct hf_record_denial) + 8 * i) & (HF_RECORD_MAX - 1)], 8);
	if (h->length - 8 * i < 8)
		word = hf_keyed_tail(word, h->length);
	h->state = hf_keyed_word(h->state, word);
	return 0;
}

/* How often the scratch of this CPU was begun to be filled. Programs of BPF-LSM may be interrupted by others on their CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} turns SEC(".maps");

enum { HF_TURNS_MAX = 4 };

struct hf_file_path {
	__u32 length, list; /* HF_LIST_…; 0: none */
	bool truncated;
};

/* Writes the file's path behind the place of a record, and finds out which list of the rule it stands in: one that was cut stands in
 * none. What another program has written into meanwhile is done again. */
hf_inline void hf_path_judge(struct hf_scratch *s, const struct hf_guard *g, struct file *file,
			     struct task_struct *task, __u32 rule, struct hf_file_path *p)
{
	__u32 zero = 0;
	__u64 *turn = bpf_map_lookup_elem(&turns, &zero);

	p->length = p->list = 0;
	p->truncated = true;
	if (!turn)
		return;
	for (int i = 0; i < HF_TURNS_MAX; i++) {
		__u64 own = __sync_fetch_and_add(turn, 1) + 1;
		__u32 offset = sizeof(struct hf_record_denial);
		struct hf_path_key key = { .policy = g->policy, .rule = rule };
		struct hf_hashing h = { .state = hf_path_hash_begin(config.hash_key, rule) };

		p->length = hf_record_path(s, &offset, BPF_CORE_READ(file, f_path.dentry),
					   BPF_CORE_READ(file, f_path.mnt), task, &p->truncated);
		h.length = p->length;
		bpf_loop(HF_RECORD_PATH_MAX / 8, hf_hash_step, &h, 0);
		if (*(volatile __u64 *)turn != own) {
			p->truncated = true;
			continue;
		}
		key.hash = hf_keyed_end(hf_keyed_length(h.state, h.length), config.hash_key);
		struct hf_path_value *v = p->truncated ? NULL : bpf_map_lookup_elem(&deny_paths, &key);

		p->list = v && v->length == h.length ? v->list : 0;
		return;
	}
}

/* Puts the front before a path that is there; returns the end of the record. */
hf_inline __u32 hf_denial_of_path(struct hf_record_denial *r, struct task_struct *task, const struct hf_file_path *p)
{
	hf_denial_begin(r, task);
	r->path_length = p->length;
	if (p->truncated)
		r->flags |= HF_DENIAL_TRUNCATED;
	return sizeof *r + p->length;
}

hf_inline bool hf_file_nameless(struct file *file)
{
	return !BPF_CORE_READ(file, f_inode, i_nlink);
}

hf_inline bool hf_file_upper(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (BPF_CORE_READ(inode, i_sb, s_magic) != HF_MAGIC_OF_OVERLAY || !bpf_core_type_exists(struct ovl_inode))
		return BPF_CORE_READ(inode, i_sb, s_magic) == HF_MAGIC_OF_TMPFS;
	struct ovl_inode *o = (struct ovl_inode *)((char *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode));

	return BPF_CORE_READ(o, __upperdentry) != NULL;
}

/* 0, or -EPERM where the program must not run; a record goes out in a dry run too. What the container's runtime runs in the machine's
 * own mount namespace before it enters the container is not the container's. */
hf_inline int hf_judge_exec(struct linux_binprm *bprm, __u32 by)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct hf_guard *g = hf_guard_of(task);
	struct hf_scratch *s = hf_scratch_get();
	__u32 rule;

	if (!g || !s || BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == config.host_mount_namespace)
		return 0;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct hf_record_denial *r = (struct hf_record_denial *)s->record;
	struct hf_file_path path;

	hf_path_judge(s, g, file, task, HF_DENY_EXECUTABLES, &path);
	if (hf_rule_live(g, HF_DENY_FILELESS, by) && hf_file_nameless(file)) {
		rule = HF_DENY_FILELESS;
	} else if (hf_rule_live(g, HF_DENY_DRIFT, by) && hf_file_upper(file)) {
		rule = HF_DENY_DRIFT;
	} else if (hf_rule_live(g, HF_DENY_EXECUTABLES, by)) {
		if (g->flags & HF_GUARD_EXECUTABLES_ONLY ? path.list == HF_LIST_ALLOW && !hf_file_nameless(file)
							 : path.list != HF_LIST_DENY)
			return 0;
		rule = HF_DENY_EXECUTABLES;
	} else {
		return 0;
	}
	__u32 offset = hf_denial_of_path(r, task, &path);

	r->rule = rule;
	r->by = by;
	bool deny = hf_denied(g, rule, &r->flags);

	hf_denial_out(g, r, offset);
	return deny ? -HF_EPERM : 0;
}

/* Linux 6.10: before the new program takes the place of the old one. */
SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(hf_kill_prepare_exec, struct task_struct *task, struct linux_binprm *bprm)
{
	if (hf_judge_exec(bprm, HF_BY_EXEC_KILL))
		bpf_send_signal(HF_SIGKILL);
	return 0;
}

/* Before: the program is in place and none of its instructions has run. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(hf_kill_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (hf_judge_exec(bprm, HF_BY_EXEC_KILL))
		bpf_send_signal(HF_SIGKILL);
	return 0;
}

/* Tells user space, which kills it. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(hf_report_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	hf_judge_exec(bprm, HF_BY_RESPONSE);
	return 0;
}

hf_inline bool hf_peer_listed(const struct hf_guard *g, __u8 list, __u8 rule, const struct hf_record_denial *r)
{
	struct hf_peer_key key = { .prefix = sizeof key * 8 - 32, .policy = g->policy, .list = list, .rule = rule };

	__builtin_memcpy(key.address, r->address, 16);
	if (bpf_map_lookup_elem(&deny_peers, &key))
		return true;
	key.protocol = r->protocol;
	key.port = r->port;
	return bpf_map_lookup_elem(&deny_peers, &key);
}

/* 0, or -EPERM. The record is on the stack: these programs may be interrupted by another one on this CPU. */
hf_inline int hf_judge_peer(const __u8 *address, __u32 family, __u32 protocol, __u32 port, __u32 by)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct hf_guard *g = hf_guard_of(task);
	struct hf_record_denial record, *r = &record;
	__u32 rule;

	if (!g)
		return 0;
	hf_denial_begin(r, task);
	__builtin_memcpy(r->address, address, 16);
	r->family = family;
	r->protocol = protocol;
	r->port = port;
	if (hf_rule_live(g, HF_DENY_IMDS, by) && hf_peer_listed(g, HF_LIST_DENY, HF_DENY_IMDS, r)) {
		rule = HF_DENY_IMDS;
	} else if (hf_rule_live(g, HF_DENY_PEERS, by)) {
		bool bad = hf_peer_listed(g, HF_LIST_DENY, HF_DENY_PEERS, r);

		if (!bad && (g->flags & HF_GUARD_PEERS_ONLY))
			bad = !hf_peer_listed(g, HF_LIST_ALLOW, HF_DENY_PEERS, r);
		if (!bad)
			return 0;
		rule = HF_DENY_PEERS;
	} else {
		return 0;
	}
	r->rule = rule;
	r->by = by;
	bool deny = hf_denied(g, rule, &r->flags);

	hf_denial_out(g, r, sizeof *r);
	return deny ? -HF_EPERM : 0;
}

hf_inline int hf_peer4(struct bpf_sock_addr *ctx)
{
	__u32 words[4] = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 };

	return !hf_judge_peer((const __u8 *)words, 4, ctx->protocol, bpf_ntohs((__u16)ctx->user_port), HF_BY_NETWORK);
}

hf_inline int hf_peer6(struct bpf_sock_addr *ctx)
{
	__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	return !hf_judge_peer((const __u8 *)words, 6, ctx->protocol, bpf_ntohs((__u16)ctx->user_port), HF_BY_NETWORK);
}

SEC("cgroup/connect4")
int hf_deny_connect4(struct bpf_sock_addr *ctx)
{
	return hf_peer4(ctx);
}

SEC("cgroup/connect6")
int hf_deny_connect6(struct bpf_sock_addr *ctx)
{
	return hf_peer6(ctx);
}

SEC("cgroup/sendmsg4")
int hf_deny_send4(struct bpf_sock_addr *ctx)
{
	return hf_peer4(ctx);
}

SEC("cgroup/sendmsg6")
int hf_deny_send6(struct bpf_sock_addr *ctx)
{
	return hf_peer6(ctx);
}

hf_inline bool hf_device_dangerous(__u32 type, __u32 major, __u32 minor)
{
	if (type == BPF_DEVCG_DEV_BLOCK)
		return true;
	return type == BPF_DEVCG_DEV_CHAR && major == 1 && (minor == 1 || minor == 2 || minor == 4); /* mem kmem port */
}

SEC("cgroup/dev")
int hf_deny_device(struct bpf_cgroup_dev_ctx *ctx)
{
	__u32 type = ctx->access_type & 0xffff, access = ctx->access_type >> 16;
	struct hf_record_denial record, *r = &record;
	struct task_struct *task;
	struct hf_guard *g;

	if (!hf_device_dangerous(type, ctx->major, ctx->minor))
		return 1;
	task = (struct task_struct *)bpf_get_current_task_btf();
	g = hf_guard_of(task);
	if (!g || !hf_rule_live(g, HF_DENY_DEVICES, HF_BY_DEVICE) ||
	    BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == config.host_mount_namespace)
		return 1;
	hf_denial_begin(r, task);
	r->rule = HF_DENY_DEVICES;
	r->by = HF_BY_DEVICE;
	r->device = type << 16 | access;
	r->major = ctx->major;
	r->minor = ctx->minor;
	bool deny = hf_denied(g, HF_DENY_DEVICES, &r->flags);

	hf_denial_out(g, r, sizeof *r);
	return !deny;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(hf_lsm_exec, struct linux_binprm *bprm, int before)
{
	return before ? before : hf_judge_exec(bprm, HF_BY_LSM);
}

/* @family is given: a datagram's address may say AF_UNSPEC and count as IPv4. */
hf_inline int hf_judge_address(struct socket *socket, const void *address, __u32 length, __u16 family)
{
	__u8 bytes[28] = {};
	__u32 words[4] = { 0, 0, bpf_htonl(0xffff), 0 };
	__u16 port;

	if (length < 16 || (family == HF_AF_INET6 && length < 24) || (family != HF_AF_INET && family != HF_AF_INET6))
		return 0;
	bpf_probe_read_kernel(bytes, family == HF_AF_INET ? 16 : 24, address);
	__builtin_memcpy(&port, bytes + 2, 2);
	if (family == HF_AF_INET)
		__builtin_memcpy(&words[3], bytes + 4, 4);
	else
		__builtin_memcpy(words, bytes + 8, 16);
	return hf_judge_peer((const __u8 *)words, family == HF_AF_INET ? 4 : 6, BPF_CORE_READ(socket, sk, sk_protocol),
			     bpf_ntohs(port), HF_BY_LSM);
}

SEC("lsm/socket_connect")
int BPF_PROG(hf_lsm_connect, struct socket *socket, struct sockaddr *address, int length, int before)
{
	return before ? before : hf_judge_address(socket, address, length, BPF_CORE_READ(address, sa_family));
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(hf_lsm_send, struct socket *socket, struct msghdr *message, int size, int before)
{
	struct sockaddr *address = BPF_CORE_READ(message, msg_name);

	if (before || !address)
		return before;
	__u16 family = BPF_CORE_READ(address, sa_family);

	return hf_judge_address(socket, address, BPF_CORE_READ(message, msg_namelen), family ? family : HF_AF_INET);
}

SEC("lsm/file_open")
int BPF_PROG(hf_lsm_open, struct file *file, int before)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	struct hf_guard *g = hf_guard_of(task);
	struct hf_scratch *s = hf_scratch_get();

	if (before || !g || !s || !hf_rule_live(g, HF_DENY_FILES, HF_BY_LSM) ||
	    BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum) == config.host_mount_namespace)
		return before;
	struct hf_record_denial *r = (struct hf_record_denial *)s->record;
	struct hf_file_path path;

	hf_path_judge(s, g, file, task, HF_DENY_FILES, &path);
	if (path.list != HF_LIST_DENY)
		return 0;
	__u32 offset = hf_denial_of_path(r, task, &path);

	r->rule = HF_DENY_FILES;
	r->by = HF_BY_LSM;
	bool deny = hf_denied(g, HF_DENY_FILES, &r->flags);

	hf_denial_out(g, r, offset);
	return deny ? -HF_EPERM : 0;
}

/* A container is about to be made: user space has until its first program to put a guard there. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(hf_tell_cgroup, struct cgroup *group, const char *path)
{
	struct hf_scratch *s = hf_scratch_get();
	__u32 id = BPF_CORE_READ(group, root, hierarchy_id);
	long n;

	if (!s || (config.v1_subsystem < 0 ? id != 0 : id != config.v1_hierarchy))
		return 0;
	struct hf_record_cgroup *r = (struct hf_record_cgroup *)s->record;

	__builtin_memset(r, 0, sizeof *r);
	r->head.kind = 3; /* CONTAINER_START */
	r->head.ns = bpf_ktime_get_ns();
	r->head.cgroup_id = BPF_CORE_READ(group, kn, id);
	n = bpf_probe_read_kernel_str(s->record + sizeof *r, HF_RECORD_PATH_MAX, path);
	r->path_length = n > 1 ? (__u32)(n - 1) & (HF_RECORD_PATH_MAX - 1) : 0;
	r->head.size = sizeof *r + r->path_length;
	bpf_ringbuf_output(&denials, r, r->head.size & (HF_RECORD_MAX - 1), BPF_RB_FORCE_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
