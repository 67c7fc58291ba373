/* The jail: what a process gives up before it reads a byte of hostile input.
 *
 * - Landlock: from then on only the given files and folders can be opened, for reading alone; nothing can be made, written,
 *   renamed or executed; no TCP (from ABI 4 on), no signals or abstract sockets out of the jail (from ABI 6 on).
 * - seccomp: an allow-list of system calls. No network, no exec, no new processes (threads are allowed), no executable
 *   memory, no opening for writing. A call that is not on the list is not carried out and raises SIGSYS.
 * - no new privileges, no core dumps, not traceable, limits on memory and on what is written.
 * Where the kernel has no Landlock openat2 is answered with ENOSYS: hf_open_beneath of base/file.h does without it.
 *
 * What was opened before stays usable: inputs, the database, the output. Enter before threads are started: they inherit it.
 * Sources: landlock(7), seccomp(2), seccomp_rule_add(3). */
#pragma once
#include "base/error.h"

struct hf_jail_options {
	const int *read_fds; /* files and folders (O_PATH is enough) that may be opened again and read below */
	size_t read_fds_n;
	uint64_t data_max; /* bytes of heap, stacks and private mappings together; 0: no limit */
	/* bytes that any one file can be grown to (what was opened for writing before); 0: no limit */
	uint64_t output_max;
	bool require; /* fail where a part of the jail is missing on this kernel, instead of going without it */
};

/* Locks the calling process in; there is no way back.
 * @return HF_OK; HF_PARTIAL this kernel has no Landlock and @options->require is not set: the rest holds;
 *         HF_E_UNSUPPORTED a part is missing and was required; HF_E_SYSTEM the kernel refused. */
int hf_jail_enter(const struct hf_jail_options *options, struct hf_err *err);
/* Landlock's ABI on this kernel, 0 where there is none. */
int hf_jail_landlock_abi(void);
