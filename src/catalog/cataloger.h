/* Catalogers turn one file into packages. A new ecosystem is cat_<name>.c, a line in catalogers.def, its cases under
 * tests/cases/catalog/<name>/ and its seeds under fuzz/corpus/catalog/<name>/.
 *
 * Globs of `wants`, matched against the whole path (relative, normalised): '*' stands for any bytes within one component,
 * a leading or inner "**" component for any number of components (none included); the rest is literal. The last component is literal, or one
 * '*' at its front or end ("*.jar", "*.dist-info"): what is wanted must be found by one lookup a path.
 * "!" in front of a glob takes matches of it out again. */
#pragma once
#include "format/zip_sieve.h"
#include "model/file.h"

struct hf_cataloger {
	const char *name;         /* as in catalogers.def */
	const char *summary;      /* one line for the user: what it reads */
	unsigned version;         /* raised when its output for the same bytes changes */
	const char *const *wants; /* NULL-ended globs */
	bool wants_elf;           /* also wants each executable regular file that begins with the ELF magic */
	/* Of zip archives: what it reads of a member with that name; NULL: it needs the whole file. */
	enum hf_zip_want (*wants_member)(hf_sv name);
	/* Reads one file. Where file->held is set, what would have to be known of the rest is told as unparsed. Everything handed to @out lives in @a or in file->bytes. No globals, no opening of files, no network, no clock, no
	 * logs. Threads: any number at once, each with its own @a and @out.
	 * @return HF_OK; HF_PARTIAL something was handed to out->unparsed; HF_E_FORMAT not what the name promised;
	 *         HF_E_LIMIT over the arena's cap or a limit of base/limits.h; or what the sink returned. */
	int (*parse)(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err);
};

#define HF_CATALOGER(row) extern const struct hf_cataloger hf_cataloger_##row;
#include "catalog/catalogers.def"
#undef HF_CATALOGER

extern const struct hf_cataloger *const hf_catalogers[]; /* NULL-ended, in the order of the table */
