/* Answers of name servers, as they come in over UDP. Attached to the cgroup of a container once that has turned to a name server, so
 * that nobody else's packets pass through here. */
#pragma once
#include "network.bpf.h"

enum { HF_IPV4_HEADER = 20, HF_IPV6_HEADER = 40, HF_UDP_HEADER = 8 };

SEC("cgroup_skb/ingress")
int hf_dns_answer(struct __sk_buff *skb)
{
	__u8 front[HF_IPV6_HEADER];
	__u16 source_port = 0;
	__u32 at, length;

	if (bpf_skb_load_bytes(skb, 0, front, HF_IPV4_HEADER))
		return 1;
	if (front[0] >> 4 == 4) {
		at = (front[0] & 15) * 4;
		if (front[9] != HF_PROTOCOL_UDP || (front[6] & 0x1f) || front[7]) /* a later fragment has no ports */
			return 1;
	} else {
		at = HF_IPV6_HEADER;
		if (front[6] != HF_PROTOCOL_UDP || bpf_skb_load_bytes(skb, 0, front, HF_IPV6_HEADER))
			return 1;
	}
	if (bpf_skb_load_bytes(skb, at, &source_port, sizeof source_port) || source_port != bpf_htons(HF_PORT_DNS))
		return 1;
	__u64 cgroup_id = bpf_skb_cgroup_id(skb);
	struct hf_kernel_cgroup *c = hf_watched(cgroup_id);
	struct hf_scratch *s = hf_scratch_get();

	if (!c || !s)
		return 1;
	hf_count_seen(c, HF_OBJECT_DNS);
	struct hf_record_dns *r = (struct hf_record_dns *)s->record;

	__builtin_memset(r, 0, sizeof *r);
	hf_record_without_process(&r->head, HF_OBJECT_DNS, cgroup_id);
	r->family = front[0] >> 4;
	if (r->family == 4)
		__builtin_memcpy(r->server, front + 12, 4);
	else
		__builtin_memcpy(r->server, front + 8, 16);
	length = skb->len - at - HF_UDP_HEADER;
	if (length > HF_DNS_BYTES_MAX) /* of a packet that is shorter than its headers too */
		length = skb->len > at + HF_UDP_HEADER ? HF_DNS_BYTES_MAX : 0;
	barrier_var(length);
	/* Changes nothing: the verifier of Linux 6.1 does not learn from a comparison that a length is not zero. */
	__u32 bytes = ((length - 1) & (HF_DNS_BYTES_MAX - 1)) + 1;

	if (!length || bpf_skb_load_bytes(skb, at + HF_UDP_HEADER, s->record + sizeof *r, bytes)) {
		hf_count_dropped(c, HF_OBJECT_DNS, HF_DROP_UNREADABLE);
		return 1;
	}
	r->length = length;
	r->head.size = sizeof *r + length;
	if (!hf_object_allowed(c, r->head.ns))
		hf_count_dropped(c, HF_OBJECT_DNS, HF_DROP_RATE);
	else
		hf_emit(&bulk, c, &r->head, (sizeof *r + length) & (HF_RECORD_MAX - 1), 0);
	return 1;
}
