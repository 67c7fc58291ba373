/* Names of the kernel's numbers, as events have them. Sources: linux/capability.h, linux/io_uring.h (enum io_uring_op), the tables of
 * libseccomp. A number without a name is written as one. */
#pragma once
#include "base/arena.h"

/* "CAP_SYS_ADMIN", "CAP_63". */
hf_sv hf_capability_name(uint32_t capability, struct hf_arena *a);
/* "openat", "OP_99". */
hf_sv hf_io_uring_name(uint32_t operation, struct hf_arena *a);
/* Of this machine: "mount", "syscall_999". */
hf_sv hf_syscall_name(uint32_t number, struct hf_arena *a);
/* Of the 32-bit table that an x86-64 kernel has beside its own. */
hf_sv hf_syscall_name_compat(uint32_t number, struct hf_arena *a);
/* "tcp", "udp", "132". */
hf_sv hf_protocol_name(uint32_t protocol, struct hf_arena *a);
