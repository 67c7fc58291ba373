/* What a workload is to keep: decided once from what it used and what it was granted; the rows of hardenings.def only write it down
 * in their format. What cannot be decided says what is missing, and the rows that need it are refused: nothing is guessed. */
#pragma once
#include "harden/grant.h"
#include "harden/usage.h"

struct hf_harden_plan {
	struct hf_usage *usage;
	const struct hf_grant *grant; /* NULL: not known */
	struct hf_arena *arena;
	hf_sv name;                     /* of the workload, fit for a file or profile name */
	uint64_t capabilities;          /* to keep */
	bool no_new_privileges;         /* no program that gains rights by its file was run */
	bool no_namespaces;             /* none were made: clone's flags for them can be denied */
	struct hf_names syscalls;       /* what the workload makes */
	struct hf_names base_syscalls;  /* what is needed besides, to start it with runc */
	struct hf_names tmpfs, volumes; /* folders that stay writable below a read-only root, none within another */
	struct hf_names mounts;         /* of what is granted: where something is mounted to write in, and is written */
	struct hf_names not_written;    /* folders whose writes may fail: Python's cache of compiled modules */
	/* Empty where it is decided; else why not, and what is needed. */
	hf_sv capabilities_missing, privileges_missing, syscalls_missing, root_missing, network_missing;
};

/* @grant may be NULL. HF_E_LIMIT: the arena's cap. */
int hf_harden_plan(struct hf_usage *usage, const struct hf_grant *grant, struct hf_arena *a, struct hf_harden_plan *ret,
		   struct hf_err *err);
/* A path of letters, digits, ._/@+=~- and characters over U+009F: it means itself in each format that is written. */
bool hf_harden_path_plain(hf_sv path);
