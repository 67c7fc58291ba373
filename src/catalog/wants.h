/* Which catalogers want a path: all globs of all rows, compiled into one table keyed by the last component. */
#pragma once
#include "catalog/cataloger.h"

struct hf_wants;

/* A set of catalogers: bit i stands for hf_catalogers[i]. */
typedef uint64_t hf_wants_set;

/* Compiles the table; free with hf_wants_free (NULL is fine). Read-only afterwards: any number of threads. */
struct hf_wants *hf_wants_new(void);
void hf_wants_free(struct hf_wants *w);
/* The catalogers whose globs match; 0 for nearly every path, after one hash of its last component. @path is normalised. */
hf_wants_set hf_wants_path(const struct hf_wants *w, hf_sv path);
/* Whether @path is wanted by its whole name, without a wildcard. */
bool hf_wants_names(const struct hf_wants *w, hf_sv path);
/* The @i-th path below @folder that is wanted by its whole name; empty: there are no more. */
hf_sv hf_wants_named_below(const struct hf_wants *w, hf_sv folder, size_t i);
/* The catalogers that want executables with the ELF magic. */
hf_wants_set hf_wants_elf(const struct hf_wants *w);
