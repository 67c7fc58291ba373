#include "catalog/cataloger.h"

#ifdef HF_HOSTILE /* tests/hostile */
extern const struct hf_cataloger hf_cataloger_hostile;
#endif

const struct hf_cataloger *const hf_catalogers[] = {
#define HF_CATALOGER(row) &hf_cataloger_##row,
#include "catalog/catalogers.def"
#undef HF_CATALOGER
#ifdef HF_HOSTILE
	&hf_cataloger_hostile,
#endif
	NULL,
};
