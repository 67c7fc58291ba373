#include "cmd/purl_operand.h"

#include "model/purl.h"

static bool is_digit(hf_sv s, size_t at)
{
	return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* "debian-12", "alpine-3.18.4", "opensuse-leap-15.5", "debian-sid"; a word alone is a codename of the namespace's
 * system. */
static void os_of_qualifier(hf_sv distro, hf_sv namespace, struct hf_os *os)
{
	os->id = namespace;
	for (size_t i = 0; i + 1 < distro.len; i++) {
		if (distro.ptr[i] != '-' ||
		    !(is_digit(distro, i + 1) || hf_sv_index(hf_sv_skip(distro, i + 1), '-') == SIZE_MAX))
			continue;
		os->id = hf_sv_first(distro, i);
		os->version_id = hf_sv_skip(distro, i + 1);
		return;
	}
	os->version_id = is_digit(distro, 0) ? distro : (hf_sv){ 0 };
	os->codename = os->version_id.len ? (hf_sv){ 0 } : distro;
}

/* Debian's releases by name, for qualifiers that give nothing else. */
static void os_of_codename(struct hf_os *os)
{
	static const struct {
		hf_sv codename, version;
	} names[] = {
		{ HF_SV_INIT("stretch"), HF_SV_INIT("9") },   { HF_SV_INIT("buster"), HF_SV_INIT("10") },
		{ HF_SV_INIT("bullseye"), HF_SV_INIT("11") }, { HF_SV_INIT("bookworm"), HF_SV_INIT("12") },
		{ HF_SV_INIT("trixie"), HF_SV_INIT("13") },   { HF_SV_INIT("forky"), HF_SV_INIT("14") },
		{ HF_SV_INIT("focal"), HF_SV_INIT("20.04") }, { HF_SV_INIT("jammy"), HF_SV_INIT("22.04") },
		{ HF_SV_INIT("noble"), HF_SV_INIT("24.04") },
	};
	hf_sv name = os->codename.len ? os->codename : os->version_id;

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(names[i].codename, name))
			os->version_id = names[i].version;
	if (hf_sv_eq(name, HF_SV("sid"))) {
		os->version_id = (hf_sv){ 0 };
		os->codename = name;
	}
}

static void qualifiers(const struct hf_purl *purl, struct hf_arena *a, struct hf_purl_operand *ret)
{
	hf_sv epoch = { 0 };
	struct hf_package *p = &ret->package;

	for (size_t i = 0; i < purl->qualifiers_n; i++) {
		hf_sv key = purl->qualifiers[i].key, value = purl->qualifiers[i].value;
		if (hf_sv_eq(key, HF_SV("arch")))
			p->arch = value;
		else if (hf_sv_eq(key, HF_SV("epoch")))
			epoch = value;
		else if (hf_sv_eq(key, HF_SV("rpmmod")))
			p->module = value;
		else if (hf_sv_eq(key, HF_SV("distro")))
			os_of_qualifier(value, purl->namespace, &ret->os);
		else if (hf_sv_eq(key, HF_SV("upstream")) &&
			 !hf_sv_cut(value, '@', &p->source_name, &p->source_version))
			p->source_name = value;
	}
	if (p->type == HF_PKG_RPM && epoch.len && hf_sv_index(p->version, ':') == SIZE_MAX)
		p->version = hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(epoch), HF_SV_FMT(p->version));
}

static hf_sv whole_name(enum hf_package_type type, hf_sv namespace, hf_sv name, struct hf_arena *a)
{
	if (type == HF_PKG_MAVEN)
		return hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
	if (!namespace.len || hf_package_type_is_distribution(type))
		return name;
	return hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
}

int hf_purl_operand(hf_sv purl, hf_sv distro, hf_sv source, struct hf_arena *a, struct hf_purl_operand *ret,
		    struct hf_err *err)
{
	struct hf_purl parsed;
	int r = hf_purl_parse(purl, a, &parsed, err);

	if (r)
		return hf_wrap(err, "%.*s", HF_SV_FMT(purl));
	*ret = (struct hf_purl_operand){ .package = { .purl = purl, .layer = -1 } };
	struct hf_package *p = &ret->package;
	p->type = hf_package_type_of_purl(parsed.type);
	if (p->type == HF_PKG_MAX)
		return hf_fail(err, HF_E_FORMAT, "%.*s: purls of type '%.*s' are not matched", HF_SV_FMT(purl),
			       HF_SV_FMT(parsed.type));
	p->name = whole_name(p->type, parsed.namespace, parsed.name, a);
	p->version = parsed.version;
	qualifiers(&parsed, a, ret);
	if (distro.len) {
		ret->os = (struct hf_os){ .id = distro };
		hf_sv_cut(distro, ':', &ret->os.id, &ret->os.version_id);
	}
	os_of_codename(&ret->os);
	if (!ret->os.id.len && hf_package_type_is_distribution(p->type))
		ret->os.id = parsed.namespace;
	if (source.len && !hf_sv_cut_last(source, '@', &p->source_name, &p->source_version))
		p->source_name = source;
	return a->over ? hf_fail(err, HF_E_LIMIT, "the purl is too long") : HF_OK;
}
