/* Addresses whom a cloud's instances ask about themselves and for credentials, as each provider's documentation of its metadata service
 * has them. The list cloud_metadata of data/rules/names.yaml is the same for rules. */
#pragma once
#include "base/view.h"

static const hf_sv hf_metadata_addresses[] = {
	HF_SV_INIT("169.254.169.254"), /* AWS, Azure, GCP, OpenStack, DigitalOcean, Oracle */
	HF_SV_INIT("169.254.170.2"),   /* AWS: tasks of ECS */
	HF_SV_INIT("169.254.170.23"),  /* AWS: pod identity of EKS */
	HF_SV_INIT("fd00:ec2::254"),   /* AWS by IPv6 */
	HF_SV_INIT("fd00:ec2::23"),    /* AWS: pod identity by IPv6 */
	HF_SV_INIT("100.100.100.200"), /* Alibaba */
	HF_SV_INIT("192.0.0.192"),     /* Oracle, before */
};

/* Azure's WireServer is its DNS and DHCP server too: only these ports are the metadata service. */
#define HF_METADATA_WIRE_SERVER HF_SV("168.63.129.16")
static const uint16_t hf_metadata_wire_server_ports[] = { 80, 32526 };
