/* Readers turn one file of a feed into advisories (or KEV, EPSS, CVE, end-of-life data). A row is adv_<name>.c and a
 * line in advisories.def, with cases under tests/cases/advisory/<name>/ and seeds under fuzz/corpus/advisory/<name>/. */
#pragma once
#include "model/advisory.h"

struct hf_advisory_reader {
	const char *name;
	const char *summary; /* one line: the source, as a user knows it */
	/* Globs of paths in a folder laid out as the public source is (catalog/cataloger.h says the grammar); a member of a
	 * zip is "osv/PyPI/all.zip!/PYSEC-2021-1.json", a gzipped file has its ".gz" taken off. */
	const char *const *wants;
	/* What the absence of a record means, for reports: "only fixed issues are known", "all known issues are listed", … */
	const char *absence;
	/* Reads one file. Pure, as a cataloger. A malformed record goes to out->malformed, once a record, and the rest is read
	 * (HF_PARTIAL); HF_E_FORMAT where the whole file is not of this format. @path is the path that matched. Memory over
	 * @a's cap is HF_E_LIMIT; readers of long files take less than the file's size, whatever it holds. */
	int (*read)(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err);
};

#define HF_ADVISORY_READER(row) extern const struct hf_advisory_reader hf_advisory_reader_##row;
#include "advisory/advisories.def"
#undef HF_ADVISORY_READER

extern const struct hf_advisory_reader *const hf_advisory_readers[]; /* NULL-ended, in the order of the table */
