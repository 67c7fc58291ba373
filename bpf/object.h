/* Records of what containers do beside running programs: sockets, names, capabilities, io_uring, signals to the agent, modules, system
 * calls. They go on from event.h and follow its rules: append-only, in the byte order of the machine. Addresses are in
 * network order, IPv4 in the first four bytes; ports in the machine's order. */
#pragma once
#include "event.h"

enum {
	HF_OBJECT_CAPABILITY = 5, /* the numbers of enum hf_event_kind */
	HF_OBJECT_LISTEN = 6,
	HF_OBJECT_ACCEPT = 7,
	HF_OBJECT_CONNECT = 8,
	HF_OBJECT_SEND = 9,
	HF_OBJECT_DNS = 10,
	HF_OBJECT_NAMESPACE = 12,
	HF_OBJECT_IO_URING = 13,
	HF_OBJECT_MODULE = 15,
	HF_OBJECT_SIGNAL = 17,
	HF_OBJECT_SYSCALLS = 19,
};

enum { HF_DNS_BYTES_MAX = 1024, HF_URING_SETUP = 255, HF_SYSCALLS_MAX = 512 };

struct hf_record_socket {
	struct hf_record head; /* ACCEPT: no process, the connection is made before anybody takes it */
	__u8 local[16], remote[16];
	__u16 local_port, remote_port;
	__u8 family; /* 4 or 6 */
	__u8 protocol;
	__u16 reserved;
};

/* The message stands behind, without the UDP header; cut at HF_DNS_BYTES_MAX. No process. */
struct hf_record_dns {
	struct hf_record head;
	__u8 server[16];
	__u8 family, reserved[3];
	__u32 length; /* of what stands behind */
};

struct hf_record_number {
	struct hf_record head;
	__u32 number; /* capability, io_uring operation (HF_URING_SETUP), signal */
	__s32 result; /* capability: 0, it is there */
	__u32 syscall;
	__u32 target_pid; /* signal */
};

struct hf_record_module {
	struct hf_record head;
	char module[56];
};

/* By the kernel's numbers, in the order network uts ipc pid user mount cgroup. */
enum { HF_SPACES = 7 };
struct hf_record_namespaces {
	struct hf_record head; /* of the process whose namespaces these are: of a fork, the child */
	__u32 before[HF_SPACES], now[HF_SPACES];
};

/* A bit for each system call that is new, in the machine's numbers. */
struct hf_record_syscalls {
	struct hf_record head;
	__u64 bits[HF_SYSCALLS_MAX / 64];
};

_Static_assert(sizeof(struct hf_record_socket) == sizeof(struct hf_record) + 40, "records are read by offset");
_Static_assert(sizeof(struct hf_record_dns) == sizeof(struct hf_record) + 24, "records are read by offset");
_Static_assert(sizeof(struct hf_record_number) == sizeof(struct hf_record) + 16, "records are read by offset");
_Static_assert(sizeof(struct hf_record_module) == sizeof(struct hf_record) + 56, "records are read by offset");
_Static_assert(sizeof(struct hf_record_syscalls) == sizeof(struct hf_record) + 64, "records are read by offset");
_Static_assert(sizeof(struct hf_record_namespaces) == sizeof(struct hf_record) + 56, "records are read by offset");
