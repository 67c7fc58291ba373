#include "model/package.h"

static const struct {
	const char *purl_type, *ecosystem, *scheme;
} rows[] = {
#define HF_PACKAGE_TYPE(id, purl_type_, ecosystem_, scheme_) [HF_PKG_##id] = { purl_type_, ecosystem_, scheme_ },
#include "model/package_types.def"
#undef HF_PACKAGE_TYPE
};

/* OSV's names of distributions: https://ossf.github.io/osv-schema/#defined-ecosystems */
static const struct {
	hf_sv ecosystem;
	enum hf_package_type type;
} distributions[] = {
	{ HF_SV_INIT("Debian"), HF_PKG_DEB },       { HF_SV_INIT("Ubuntu"), HF_PKG_DEB },
	{ HF_SV_INIT("Alpine"), HF_PKG_APK },       { HF_SV_INIT("Wolfi"), HF_PKG_APK },
	{ HF_SV_INIT("Chainguard"), HF_PKG_APK },   { HF_SV_INIT("MinimOS"), HF_PKG_APK },
	{ HF_SV_INIT("AlmaLinux"), HF_PKG_RPM },    { HF_SV_INIT("Rocky Linux"), HF_PKG_RPM },
	{ HF_SV_INIT("Red Hat"), HF_PKG_RPM },      { HF_SV_INIT("SUSE"), HF_PKG_RPM },
	{ HF_SV_INIT("openSUSE"), HF_PKG_RPM },     { HF_SV_INIT("openEuler"), HF_PKG_RPM },
	{ HF_SV_INIT("Mageia"), HF_PKG_RPM },       { HF_SV_INIT("Photon OS"), HF_PKG_RPM },
	{ HF_SV_INIT("Amazon Linux"), HF_PKG_RPM }, { HF_SV_INIT("Oracle Linux"), HF_PKG_RPM },
	{ HF_SV_INIT("Azure Linux"), HF_PKG_RPM },  { HF_SV_INIT("Fedora"), HF_PKG_RPM },
};

bool hf_package_type_is_distribution(enum hf_package_type type)
{
	return type == HF_PKG_DEB || type == HF_PKG_APK || type == HF_PKG_RPM;
}

const char *hf_package_type_purl(enum hf_package_type type)
{
	return type < HF_PKG_MAX ? rows[type].purl_type : "generic";
}

const char *hf_package_type_ecosystem(enum hf_package_type type)
{
	return type < HF_PKG_MAX ? rows[type].ecosystem : "";
}

const char *hf_package_type_scheme(enum hf_package_type type)
{
	return type < HF_PKG_MAX ? rows[type].scheme : "";
}

enum hf_package_type hf_package_type_of_purl(hf_sv purl_type)
{
	for (size_t i = 0; i < HF_PKG_MAX; i++)
		if (hf_sv_eq(purl_type, hf_sv_of(rows[i].purl_type)))
			return (enum hf_package_type)i;
	return HF_PKG_MAX;
}

enum hf_package_type hf_package_type_of_ecosystem(hf_sv ecosystem)
{
	hf_sv base = hf_sv_first(ecosystem, hf_sv_index(ecosystem, ':'));

	for (size_t i = 0; i < HF_PKG_MAX; i++)
		if (rows[i].ecosystem[0] && hf_sv_eq(base, hf_sv_of(rows[i].ecosystem)))
			return (enum hf_package_type)i;
	for (size_t i = 0; i < HF_ARRAY_SIZE(distributions); i++)
		if (hf_sv_eq(base, distributions[i].ecosystem))
			return distributions[i].type;
	return HF_PKG_MAX;
}
