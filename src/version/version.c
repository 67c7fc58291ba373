#include "version/version.h"

const struct hf_version_scheme *const hf_version_schemes[] = {
#define HF_VERSION_SCHEME(row) &hf_version_scheme_##row,
#include "version/versions.def"
#undef HF_VERSION_SCHEME
	NULL,
};

const struct hf_version_scheme *hf_version_scheme_named(hf_sv name)
{
	for (size_t i = 0; hf_version_schemes[i]; i++)
		if (hf_sv_eq(name, hf_sv_of(hf_version_schemes[i]->name)))
			return hf_version_schemes[i];
	return NULL;
}
