/* Sockets: TCP by its state machine, whoever asked for it (io_uring too); UDP by what is bound, connected and sent. The peer of a
 * client and the port of a server are the object; a client's own port never is. */
#pragma once
#include "object.bpf.h"

#include <bpf/bpf_endian.h>

enum { HF_FAMILY_INET = 2, HF_FAMILY_INET6 = 10, HF_SOCK_DGRAM = 2, HF_PROTOCOL_UDP = 17, HF_PORT_DNS = 53 };
enum { HF_TCP_ESTABLISHED = 1, HF_TCP_SYN_SENT = 2, HF_TCP_SYN_RECV = 3, HF_TCP_LISTEN = 10 };

hf_inline void hf_socket_addresses(struct hf_record_socket *r, const struct sock *sk)
{
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family) == HF_FAMILY_INET6 ? 6 : 4;
	r->protocol = BPF_CORE_READ(sk, sk_protocol);
	r->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	r->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (r->family == 6) {
		bpf_core_read(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	} else {
		bpf_core_read(r->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(r->remote, 4, &sk->__sk_common.skc_daddr);
	}
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(hf_on_tcp_state, const struct sock *sk, const int old_state, const int new_state)
{
	struct hf_record_socket r = {};
	__u64 cgroup_id, state, key;
	__u32 kind;

	if (new_state == HF_TCP_LISTEN)
		kind = HF_OBJECT_LISTEN;
	else if (new_state == HF_TCP_SYN_SENT)
		kind = HF_OBJECT_CONNECT;
	else if (new_state == HF_TCP_ESTABLISHED && old_state == HF_TCP_SYN_RECV)
		kind = HF_OBJECT_ACCEPT;
	else
		return 0;
	if (kind == HF_OBJECT_ACCEPT) /* in an interrupt: whoever runs has nothing to do with it */
		cgroup_id = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	else
		cgroup_id = hf_cgroup_of((struct task_struct *)bpf_get_current_task_btf());
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		return 0;
	hf_count_seen(c, kind);
	hf_socket_addresses(&r, sk);
	state = kind == HF_OBJECT_ACCEPT ? hf_object_begin(c, cgroup_id, kind) : hf_object_begin_current(c, cgroup_id, kind);
	if (kind == HF_OBJECT_CONNECT)
		state = hf_hash_address(state, r.remote, r.remote_port, r.protocol);
	else if (kind == HF_OBJECT_LISTEN)
		state = hf_hash_address(state, r.local, r.local_port, r.protocol);
	else
		state = hf_hash_address(state, r.remote, r.local_port, r.protocol);
	if (hf_object_known(c, kind, state, &key))
		return 0;
	if (kind == HF_OBJECT_ACCEPT) {
		hf_record_without_process(&r.head, kind, cgroup_id);
		r.head.start_ns = 0;
	} else {
		hf_record_current(&r.head, kind, cgroup_id);
	}
	r.head.size = sizeof r;
	hf_object_emit(c, key, &r.head, sizeof r, 0);
	return 0;
}

/* A UDP socket's peer or own address, from the arguments of connect, sendto or bind as the kernel took them in. */
hf_inline int hf_udp(struct bpf_sock_addr *ctx, __u32 kind, bool is_ipv6)
{
	struct hf_record_socket r = {};
	__u32 port = bpf_ntohs((__u16)ctx->user_port);
	__u64 cgroup_id, key, wake = 0;
	__u8 *address = kind == HF_OBJECT_LISTEN ? r.local : r.remote;

	if (ctx->type != HF_SOCK_DGRAM || !port)
		return 1;
	cgroup_id = hf_cgroup_of((struct task_struct *)bpf_get_current_task_btf());
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);

	if (!c)
		return 1;
	hf_count_seen(c, kind);
	r.family = is_ipv6 ? 6 : 4;
	r.protocol = HF_PROTOCOL_UDP;
	if (is_ipv6) {
		__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

		__builtin_memcpy(address, words, 16);
	} else {
		__u32 word = ctx->user_ip4;

		__builtin_memcpy(address, &word, 4);
	}
	if (kind == HF_OBJECT_LISTEN)
		r.local_port = port;
	else
		r.remote_port = port;
	if (hf_object_known(c, kind, hf_hash_address(hf_object_begin_current(c, cgroup_id, kind), address, port, r.protocol),
			    &key))
		return 1;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	hf_record_head(&r.head, kind, task, cgroup_id);
	if (config.storage_in_sockets) /* else user space finds the execution by the pid */
		hf_record_process(&r.head, hf_process_of(task));
	r.head.size = sizeof r;
	if (port ==
	    HF_PORT_DNS) /* user space then looks at this container's answers: it has until the first one comes */
		wake = BPF_RB_FORCE_WAKEUP;
	hf_object_emit(c, key, &r.head, sizeof r, wake);
	return 1;
}

SEC("cgroup/connect4")
int hf_udp_connect4(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_CONNECT, false);
}

SEC("cgroup/connect6")
int hf_udp_connect6(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_CONNECT, true);
}

SEC("cgroup/sendmsg4")
int hf_udp_send4(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_SEND, false);
}

SEC("cgroup/sendmsg6")
int hf_udp_send6(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_SEND, true);
}

SEC("cgroup/bind4")
int hf_udp_bind4(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_LISTEN, false);
}

SEC("cgroup/bind6")
int hf_udp_bind6(struct bpf_sock_addr *ctx)
{
	return hf_udp(ctx, HF_OBJECT_LISTEN, true);
}
