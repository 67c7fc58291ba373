/* Texts of /proc to structs: pure parsers, and readers of one file each. What a process writes into its own name or arguments
 * is taken as bytes.
 *
 * Source: proc(5), Documentation/filesystems/proc.rst, net/ipv4/tcp_ipv4.c (layout of /proc/net/tcp). */
#pragma once
#include "base/arena.h"

struct hf_proc_stat {
	uint32_t pid, parent_pid, terminal;
	hf_sv name; /* borrowed */
	char state;
	uint64_t start_ticks; /* since boot */
};
/* HF_E_FORMAT. The name may hold anything, blanks and ")" too. */
int hf_proc_stat_parse(hf_sv text, struct hf_proc_stat *ret, struct hf_err *err);

struct hf_proc_status {
	uint32_t uid, gid; /* effective */
	uint32_t pid_in_namespace;
	uint64_t capabilities; /* effective */
};
/* Lines that are missing leave zero. */
void hf_proc_status_parse(hf_sv text, struct hf_proc_status *ret);

/* The path in the hierarchy of @v1_controller ("memory"); in the unified one ("0::/…") where that is empty. False where there is none. */
bool hf_proc_cgroup_parse(hf_sv text, hf_sv v1_controller, hf_sv *ret_path);

/* A mapping of a file that is executable. */
struct hf_proc_map {
	uint64_t begin, end, inode;
	uint32_t major, minor;
	hf_sv path; /* borrowed; octal escapes of newlines are kept */
};
/* Takes lines off *@rest until one is an executable mapping of a file; false at the end. Lines that are not understood are passed
 * over and counted in *@unparsed. */
bool hf_proc_maps_next(hf_sv *rest, struct hf_proc_map *ret, size_t *unparsed);

enum { HF_PROC_TCP_ESTABLISHED = 1, HF_PROC_TCP_LISTEN = 10, HF_PROC_UDP_BOUND = 7 };
struct hf_proc_socket {
	uint8_t local[16], remote[16];
	uint32_t address_n; /* 4 or 16 bytes */
	uint16_t local_port, remote_port;
	uint8_t state;
	uint64_t inode;
};
/* The same for the lines of /proc/net/{tcp,tcp6,udp,udp6}; the heading is passed over. */
bool hf_proc_socket_next(hf_sv *rest, struct hf_proc_socket *ret, size_t *unparsed);

/* As RFC 5952 writes it; IPv4 in IPv6 (::ffff:a.b.c.d) as IPv4. @out holds 46 bytes. */
hf_sv hf_socket_address_text(const uint8_t *address, size_t n, char out[46]);

/* The bytes of /proc/PID/@name into @buffer, at most @size of them; empty where the process is gone. @proc is a descriptor of /proc. */
hf_sv hf_proc_read(int proc, uint32_t pid, const char *name, char *buffer, size_t size);
