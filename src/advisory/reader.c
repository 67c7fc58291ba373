#include "advisory/reader.h"

const struct hf_advisory_reader *const hf_advisory_readers[] = {
#define HF_ADVISORY_READER(row) &hf_advisory_reader_##row,
#include "advisory/advisories.def"
#undef HF_ADVISORY_READER
	NULL,
};
