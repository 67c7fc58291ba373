/* What the containers of an image may be expected to run, from the image's files alone: the closure of its entrypoint. A profile can
 * begin with it, so that the first minute of a container that nobody has seen before is judged.
 *
 * From the entrypoint and command, by PATH, links followed within the root:
 *     ELF       its loader, the libraries that it needs as ld.so finds them (RPATH, RUNPATH, $ORIGIN, LD_LIBRARY_PATH, ld.so.conf,
 *               default folders; musl's path file), LD_PRELOAD, name service libraries; where it can load more at run time, those
 *               that it or its configuration names, marked as hints
 *     script    its interpreter (by env too); of shell scripts each command that is named statically, whatever branch it stands in,
 *               files that are sourced, and "$@"; of Python the modules that import statements name, for their shared objects
 *     wrappers  env, exec, gosu, tini, timeout … : the command behind them
 * Every step is bounded. What could not be resolved stands in `unparsed`, with the reason: the seed is then less than all.
 *
 * System calls: of each file all that its code holds (elf_syscalls.h), but of libc what the functions that the others import can
 * reach (elf_calls.h). `open` is not 0 where a number, or a function's name, is only known at run time: then it is a hint. */
#pragma once
#include "base/arena.h"
#include "base/digest.h"
#include "baseline/elf_syscalls.h"
#include "baseline/root.h"
#include "model/artifact.h"

enum { HF_SEED_FILES_MAX = 8192, HF_SEED_UNPARSED_MAX = 1024, HF_SEED_DEPTH_MAX = 16 };
#define HF_SEED_NOBODY UINT32_MAX

enum hf_seed_kind {
	HF_SEED_PROGRAM, /* is executed */
	HF_SEED_LOADER,  /* PT_INTERP */
	HF_SEED_LIBRARY, /* is mapped */
	HF_SEED_SCRIPT,  /* is executed or given to an interpreter */
	HF_SEED_MODULE,  /* is read by an interpreter */
};
const char *hf_seed_kind_name(enum hf_seed_kind kind);

struct hf_seed_file {
	enum hf_seed_kind kind;
	bool is_hint;     /* named, but nothing says that it is used */
	hf_sv path;       /* absolute, links followed */
	hf_sv name;       /* by which it was first found; may be a link */
	uint32_t because; /* the file that names it, or HF_SEED_NOBODY: the image's config */
	hf_sv how;        /* "needs libc.so.6", "line of the script", "entrypoint" */
	uint64_t size;
	char digest[HF_DIGEST_TEXT_MAX];
	char build_id[2 * 20 + 1]; /* of ELF files, hexadecimal; "" none */
};

struct hf_seed_unparsed {
	hf_sv path; /* absolute; "" the image's config */
	hf_sv reason;
};

struct hf_seed {
	const struct hf_seed_file *files; /* in the order in which they were found */
	size_t files_n;
	const struct hf_seed_unparsed *unparsed;
	size_t unparsed_n;
	bool passes_arguments; /* the entrypoint runs its arguments, and the config gives none: anything may be run */
	bool open_commands;    /* `unparsed` has programs that are only known when they run: others may run */
	bool open_libraries;   /* a file can load libraries at run time: there may be more than were found */
	struct hf_syscalls syscalls;
	hf_sv user;
	const hf_sv *exposed_ports;
	size_t exposed_ports_n;
};

/* All lives in @a but what @config holds.
 * @return HF_OK; HF_PARTIAL `unparsed` has entries; HF_E_LIMIT the arena's cap; HF_E_FORMAT the config names nothing to run. */
hf_nodiscard int hf_seed_make(const struct hf_root *root, const struct hf_image_config *config, struct hf_arena *a,
			      struct hf_seed *ret, struct hf_err *err);
