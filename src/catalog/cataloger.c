#include "catalog/cataloger.h"

const struct hf_cataloger *const hf_catalogers[] = {
#define HF_CATALOGER(row) &hf_cataloger_##row,
#include "catalog/catalogers.def"
#undef HF_CATALOGER
	NULL,
};
