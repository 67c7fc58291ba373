#include "cmd/purl_operand.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static hf_sv decode(hf_sv s, struct hf_arena *a)
{
	if (hf_sv_index(s, '%') == SIZE_MAX)
		return s;
	char *out = hf_arena_alloc(a, s.len, 1);
	size_t n = 0;
	for (size_t i = 0; out && i < s.len; i++) {
		int high = s.ptr[i] == '%' && i + 2 < s.len ? hex(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex(s.ptr[i + 2]) : -1;
		out[n++] = low >= 0 ? (char)(high * 16 + low) : s.ptr[i];
		i += low >= 0 ? 2 : 0;
	}
	return (hf_sv){ out, n };
}

static bool is_digit(hf_sv s, size_t at)
{
	return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* "debian-12", "alpine-3.18.4", "opensuse-leap-15.5", "debian-sid"; a word alone is a codename of the namespace's system. */
static void os_of_qualifier(hf_sv distro, hf_sv namespace, struct hf_os *os)
{
	os->id = namespace;
	for (size_t i = 0; i + 1 < distro.len; i++) {
		if (distro.ptr[i] != '-' || !(is_digit(distro, i + 1) || hf_sv_index(hf_sv_skip(distro, i + 1), '-') == SIZE_MAX))
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

static void qualifiers(hf_sv list, hf_sv namespace, struct hf_arena *a, struct hf_purl_operand *ret)
{
	hf_sv one, key, value, epoch = { 0 };
	struct hf_package *p = &ret->package;

	while (list.ptr && hf_sv_next(&list, '&', &one)) {
		if (!hf_sv_cut(one, '=', &key, &value))
			continue;
		value = decode(value, a);
		if (hf_sv_eq_ascii(key, HF_SV("arch")))
			p->arch = value;
		else if (hf_sv_eq_ascii(key, HF_SV("epoch")))
			epoch = value;
		else if (hf_sv_eq_ascii(key, HF_SV("rpmmod")))
			p->module = value;
		else if (hf_sv_eq_ascii(key, HF_SV("distro")))
			os_of_qualifier(value, namespace, &ret->os);
		else if (hf_sv_eq_ascii(key, HF_SV("upstream")) && !hf_sv_cut(value, '@', &p->source_name, &p->source_version))
			p->source_name = value;
	}
	if (p->type == HF_PKG_RPM && epoch.len && hf_sv_index(p->version, ':') == SIZE_MAX)
		p->version = hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(epoch), HF_SV_FMT(p->version));
}

static hf_sv whole_name(enum hf_package_type type, hf_sv namespace, hf_sv name, struct hf_arena *a)
{
	if (type == HF_PKG_MAVEN)
		return hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
	if (!namespace.len || type == HF_PKG_DEB || type == HF_PKG_APK || type == HF_PKG_RPM)
		return name;
	return hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
}

int hf_purl_operand(hf_sv purl, hf_sv distro, hf_sv source, struct hf_arena *a, struct hf_purl_operand *ret, struct hf_err *err)
{
	hf_sv rest = purl, list = { 0 }, type, namespace = { 0 }, name, version = { 0 }, part;

	*ret = (struct hf_purl_operand){ .package = { .purl = purl, .layer = -1 } };
	struct hf_package *p = &ret->package;
	hf_sv_cut(rest, '#', &rest, &part);
	if (!hf_sv_starts(rest, HF_SV("pkg:")))
		return hf_fail(err, HF_E_FORMAT, "'%.*s' is not a purl (pkg:TYPE/NAME@VERSION)", HF_SV_FMT(purl));
	rest = hf_sv_skip(rest, 4);
	while (hf_sv_starts(rest, HF_SV("/")))
		rest = hf_sv_skip(rest, 1);
	hf_sv_cut(rest, '?', &rest, &list);
	if (!hf_sv_cut(rest, '/', &type, &rest))
		return hf_fail(err, HF_E_FORMAT, "'%.*s' is not a purl: no name", HF_SV_FMT(purl));
	p->type = hf_package_type_of_purl(type);
	if (p->type == HF_PKG_MAX)
		return hf_fail(err, HF_E_FORMAT, "'%.*s': purls of type '%.*s' are not matched", HF_SV_FMT(purl), HF_SV_FMT(type));
	size_t at = hf_sv_last_index(rest, '@');
	if (at != SIZE_MAX && at && hf_sv_index(hf_sv_skip(rest, at), '/') == SIZE_MAX)
		hf_sv_cut_last(rest, '@', &rest, &version);
	name = rest;
	hf_sv_cut_last(rest, '/', &namespace, &name);
	if (!name.len)
		return hf_fail(err, HF_E_FORMAT, "'%.*s' is not a purl: no name", HF_SV_FMT(purl));
	namespace = decode(namespace, a);
	p->name = whole_name(p->type, namespace, decode(name, a), a);
	p->version = decode(version, a);
	qualifiers(list, namespace, a, ret);
	if (distro.len) {
		ret->os = (struct hf_os){ .id = distro };
		hf_sv_cut(distro, ':', &ret->os.id, &ret->os.version_id);
	}
	os_of_codename(&ret->os);
	if (!ret->os.id.len && (p->type == HF_PKG_DEB || p->type == HF_PKG_APK || p->type == HF_PKG_RPM))
		ret->os.id = namespace;
	if (source.len && !hf_sv_cut_last(source, '@', &p->source_name, &p->source_version))
		p->source_name = source;
	return a->over ? hf_fail(err, HF_E_LIMIT, "the purl is too long") : HF_OK;
}
