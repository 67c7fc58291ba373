#include "enforce/rung.h"

const struct hf_rung *const hf_rungs[] = {
#define HF_RUNG(row) &hf_rung_##row,
#include "enforce/rungs.def"
#undef HF_RUNG
	NULL,
};

const struct hf_rung *hf_rung_of(hf_sv name)
{
	for (size_t i = 0; hf_rungs[i]; i++)
		if (hf_sv_eq(name, hf_sv_of(hf_rungs[i]->name)))
			return hf_rungs[i];
	return NULL;
}

const struct hf_rung *hf_rung_by(enum hf_deny_by by)
{
	for (size_t i = 0; hf_rungs[i]; i++)
		if (hf_rungs[i]->by == by)
			return hf_rungs[i];
	return NULL;
}
