/* The inner parts of seed: the list of files that is worked off, and who reads which kind of file. Not for others. */
#pragma once
#include "base/map.h"
#include "baseline/elf_calls.h"
#include "baseline/seed.h"
#include "format/elf_dynamic.h"

enum { SEED_PLACES_MAX = 64 };

enum seed_role {
	ROLE_RUN,    /* executed: what it is, its first bytes say */
	ROLE_OBJECT, /* ELF that is loaded */
	ROLE_SHELL,  /* a script of a shell, whatever its first line says */
	ROLE_PYTHON, /* a module or script of Python */
	ROLE_DATA,   /* only listed */
};

struct seed_item {
	struct hf_seed_file file;
	enum seed_role role;
	const hf_sv *arguments; /* of a script */
	size_t arguments_n;
	bool has_arguments; /* they are known, if only to be none */
	hf_sv runpath, rpath;
	uint16_t machine;
	bool is_64;
};

struct seed {
	const struct hf_root *root;
	const struct hf_image_config *config;
	struct hf_arena *a;
	struct hf_map by_path; /* real path -> index + 1 */
	HF_VEC(struct seed_item) items;
	HF_VEC(struct hf_seed_unparsed) unparsed;
	HF_VEC(hf_sv) folders; /* of ld.so.conf, or musl's path file */
	bool folders_read, name_services, is_musl;
	hf_sv search, library_path, working_dir; /* PATH, LD_LIBRARY_PATH */
	hf_sv python;                            /* "3.11" of the interpreter that was met, */
	hf_sv python_prefix;                     /* "/usr" */
	hf_sv places[SEED_PLACES_MAX];           /* of Python's modules */
	size_t places_n;
	size_t depth, commands, looks;
	uint64_t bytes;        /* of files that were read */
	struct hf_map imports; /* of Python, that were looked for */
	bool passes_arguments, open_commands, open_libraries;
	struct hf_syscalls syscalls;
	struct hf_map imported; /* names of functions that files want from others */
	uint32_t libc;          /* index, or HF_SEED_NOBODY */
};

/* The value of an environment variable in the config; empty where there is none. */
hf_sv seed_environment(const struct seed *s, const char *name);
/* Adds a reason; the arena's copy of it is made here. */
void seed_unparsed(struct seed *s, hf_sv path, const char *fmt, ...) hf_printf(3, 4);
/* The same of what may run further programs. */
void seed_open_command(struct seed *s, uint32_t item, hf_sv reason);
void seed_unparsed_of(struct seed *s, uint32_t item, hf_sv reason);
/* A path that is only looked for; empty where it is too long. */
hf_sv seed_path(char out[HF_PATH_MAX], const char *fmt, ...) hf_printf(2, 3);
/* A regular file at @path, links followed: true with its real path (absolute) in @out. */
bool seed_find(struct seed *s, hf_sv path, char out[HF_PATH_MAX + 1], hf_sv *ret_real, struct hf_root_entry *ret_entry);
/* Adds the file at @path, or finds it: its index; HF_SEED_NOBODY where there is none, or no room (told). */
uint32_t seed_add(struct seed *s, hf_sv path, enum hf_seed_kind kind, enum seed_role role, uint32_t because,
		  bool is_hint, hf_sv how);
/* One command: its program by PATH and what its words say. @quiet: nothing is told where there is no such program. */
bool seed_command(struct seed *s, uint32_t because, const hf_sv *words, size_t n, bool quiet, hf_sv how);
hf_sv seed_fmt(struct seed *s, const char *fmt, ...) hf_printf(2, 3);

/* Each reads one file; @item may move when files are added. */
void seed_read_elf(struct seed *s, uint32_t item, hf_sv bytes);
/* libc at the end, when it is known which of its functions are wanted. */
void seed_read_libc(struct seed *s);
void seed_read_script(struct seed *s, uint32_t item, hf_sv bytes);
void seed_read_shell(struct seed *s, uint32_t item, hf_sv text);
void seed_read_python(struct seed *s, uint32_t item, hf_sv text);
/* `python -m NAME`, `import NAME`: adds the module's file where it is found. */
void seed_python_module(struct seed *s, uint32_t because, hf_sv folder, hf_sv name);
/* From the path of a Python interpreter. */
void seed_python_is(struct seed *s, hf_sv interpreter);
