#include "model/purl.h"

enum {
	LOWER_NAMESPACE = 1u << 0,
	LOWER_NAME = 1u << 1,
	LOWER_VERSION = 1u << 2,
	NEEDS_NAMESPACE = 1u << 3,
	NO_NAMESPACE = 1u << 4,
	UPPER_NAMESPACE = 1u << 5,
	NEEDS_VERSION = 1u << 6,
	PYTHON_NAME = 1u << 7,
};

/* The types whose definitions say more than the specification; the others keep every byte. */
static const struct {
	hf_sv type;
	uint32_t rules;
} types[] = {
	{ HF_SV_INIT("alpm"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("apk"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("bitbucket"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("bitnami"), LOWER_NAME | NO_NAMESPACE },
	{ HF_SV_INIT("cargo"), NO_NAMESPACE },
	{ HF_SV_INIT("cocoapods"), NO_NAMESPACE },
	{ HF_SV_INIT("composer"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("conda"), NO_NAMESPACE },
	{ HF_SV_INIT("cpan"), UPPER_NAMESPACE },
	{ HF_SV_INIT("cran"), NO_NAMESPACE | NEEDS_VERSION },
	{ HF_SV_INIT("deb"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("gem"), NO_NAMESPACE },
	{ HF_SV_INIT("github"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("golang"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("hackage"), NO_NAMESPACE },
	{ HF_SV_INIT("hex"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("huggingface"), LOWER_VERSION },
	{ HF_SV_INIT("luarocks"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("maven"), NEEDS_NAMESPACE },
	{ HF_SV_INIT("npm"), LOWER_NAMESPACE | LOWER_NAME },
	{ HF_SV_INIT("nuget"), NO_NAMESPACE },
	{ HF_SV_INIT("oci"), LOWER_NAME | NO_NAMESPACE },
	{ HF_SV_INIT("pub"), LOWER_NAME | NO_NAMESPACE },
	{ HF_SV_INIT("pypi"), PYTHON_NAME | NO_NAMESPACE },
	{ HF_SV_INIT("rpm"), LOWER_NAMESPACE },
	{ HF_SV_INIT("swift"), NEEDS_NAMESPACE | NEEDS_VERSION },
};

static uint32_t rules_of(hf_sv type)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(types); i++)
		if (hf_sv_eq(type, types[i].type))
			return types[i].rules;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static hf_sv folded(hf_sv s, bool upper, struct hf_arena *a)
{
	char *out = hf_arena_array(a, char, s.len);

	if (!out)
		return (hf_sv){ 0 };
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool change = is_letter(c) && (c >= 'a') == upper;
		out[i] = change ? (char)(c ^ 0x20) : c;
	}
	return (hf_sv){ out, s.len };
}

static hf_sv decoded(hf_sv s, struct hf_arena *a)
{
	size_t n = 0;

	if (hf_sv_index(s, '%') == SIZE_MAX)
		return s;
	char *out = hf_arena_array(a, char, s.len);
	for (size_t i = 0; out && i < s.len; i++) {
		int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_value(s.ptr[i + 2]) : -1;
		out[n++] = low >= 0 ? (char)(high << 4 | low) : s.ptr[i];
		i += low >= 0 ? 2 : 0;
	}
	return (hf_sv){ out, n };
}

/* Joins the segments of a namespace or subpath again, decoded, without the empty ones ("." and ".." too in a subpath). An
 * encoded '/' inside of a segment is refused by the specification. */
static int decode_segments(hf_sv s, bool subpath, struct hf_arena *a, hf_sv *ret, struct hf_err *err)
{
	char *out = hf_arena_array(a, char, s.len + 1);
	size_t n = 0;

	if (!out)
		return hf_fail(err, HF_E_LIMIT, "the purl is too long");
	for (hf_sv field; s.ptr && hf_sv_next(&s, '/', &field);) {
		hf_sv part = decoded(field, a);
		if (!part.len || (subpath && (hf_sv_eq(part, HF_SV(".")) || hf_sv_eq(part, HF_SV("..")))))
			continue;
		if (hf_sv_index(part, '/') != SIZE_MAX)
			return hf_fail(err, HF_E_FORMAT, "a segment holds an encoded '/'");
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.ptr, part.len);
		n += part.len;
	}
	*ret = (hf_sv){ n ? out : NULL, n };
	return a->over ? hf_fail(err, HF_E_LIMIT, "the purl is too long") : HF_OK;
}

static bool is_key(hf_sv key)
{
	if (!key.len || is_digit(key.ptr[0]))
		return false;
	for (size_t i = 0; i < key.len; i++)
		if (!is_letter(key.ptr[i]) && !is_digit(key.ptr[i]) && key.ptr[i] != '.' && key.ptr[i] != '-' &&
		    key.ptr[i] != '_')
			return false;
	return true;
}

enum { QUALIFIERS_MAX = 64 };

/* Puts one where it belongs by its key; false where the key is there already. */
static bool insert(struct hf_purl_qualifier *list, size_t n, struct hf_purl_qualifier q)
{
	size_t at = n;

	for (; at > 0; at--) {
		int r = hf_sv_cmp(list[at - 1].key, q.key);
		if (!r)
			return false;
		if (r < 0)
			break;
	}
	memmove(list + at + 1, list + at, (n - at) * sizeof(*list));
	list[at] = q;
	return true;
}

static int parse_qualifiers(hf_sv s, struct hf_arena *a, struct hf_purl *ret, struct hf_err *err)
{
	struct hf_purl_qualifier *list = hf_arena_array(a, struct hf_purl_qualifier, QUALIFIERS_MAX + 1);

	ret->qualifiers = list;
	for (hf_sv field; list && s.ptr && hf_sv_next(&s, '&', &field);) {
		struct hf_purl_qualifier q;
		if (!field.len)
			continue;
		if (!hf_sv_cut(field, '=', &q.key, &q.value))
			return hf_fail(err, HF_E_FORMAT, "a qualifier has no '='");
		if (!is_key(q.key))
			return hf_fail(
				err, HF_E_FORMAT,
				"a qualifier's key is empty or holds more than letters, digits, '.', '-' and '_'");
		q.key = folded(q.key, false, a);
		q.value = decoded(q.value, a);
		if (!q.value.len)
			continue;
		if (ret->qualifiers_n == QUALIFIERS_MAX)
			return hf_fail(err, HF_E_LIMIT, "more than %d qualifiers", QUALIFIERS_MAX);
		if (!insert(list, ret->qualifiers_n, q))
			return hf_fail(err, HF_E_FORMAT, "qualifier '%.*s' stands there twice", HF_SV_FMT(q.key));
		ret->qualifiers_n++;
	}
	return a->over ? hf_fail(err, HF_E_LIMIT, "the purl is too long") : HF_OK;
}

static hf_sv python_name(hf_sv name, struct hf_arena *a)
{
	hf_sv lower = folded(name, false, a);

	for (size_t i = 0; i < lower.len; i++)
		if (lower.ptr[i] == '_')
			((char *)lower.ptr)[i] = '-';
	return lower;
}

/* The rules of the type over decoded parts. */
static int normalise(struct hf_purl *p, struct hf_arena *a, struct hf_err *err)
{
	uint32_t rules = rules_of(p->type);

	if (rules & (LOWER_NAMESPACE | UPPER_NAMESPACE))
		p->namespace = folded(p->namespace, rules & UPPER_NAMESPACE, a);
	if (rules & LOWER_NAME)
		p->name = folded(p->name, false, a);
	if (rules & LOWER_VERSION)
		p->version = folded(p->version, false, a);
	if (rules & PYTHON_NAME)
		p->name = python_name(p->name, a);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the purl is too long");
	if (!p->name.len)
		return hf_fail(err, HF_E_FORMAT, "there is no name");
	if ((rules & NEEDS_NAMESPACE) && !p->namespace.len)
		return hf_fail(err, HF_E_FORMAT, "type %.*s needs a namespace", HF_SV_FMT(p->type));
	if ((rules & NO_NAMESPACE) && p->namespace.len)
		return hf_fail(err, HF_E_FORMAT, "type %.*s takes no namespace", HF_SV_FMT(p->type));
	if ((rules & NEEDS_VERSION) && !p->version.len)
		return hf_fail(err, HF_E_FORMAT, "type %.*s needs a version", HF_SV_FMT(p->type));
	return HF_OK;
}

static bool is_type(hf_sv type)
{
	if (!type.len || is_digit(type.ptr[0]))
		return false;
	for (size_t i = 0; i < type.len; i++)
		if (!is_letter(type.ptr[i]) && !is_digit(type.ptr[i]) && type.ptr[i] != '.' && type.ptr[i] != '-' &&
		    type.ptr[i] != '+')
			return false;
	return true;
}

int hf_purl_parse(hf_sv text, struct hf_arena *a, struct hf_purl *ret, struct hf_err *err)
{
	hf_sv rest, part, subpath = { 0 }, qualifiers = { 0 };
	int r;

	*ret = (struct hf_purl){ 0 };
	rest = hf_sv_trim(text);
	hf_sv_cut_last(rest, '#', &rest, &subpath);
	hf_sv_cut_last(rest, '?', &rest, &qualifiers);
	if (!hf_sv_cut(rest, ':', &part, &rest) || !hf_sv_eq_ascii(part, HF_SV("pkg")))
		return hf_fail(err, HF_E_FORMAT, "it does not begin with 'pkg:'");
	while (rest.len && rest.ptr[0] == '/')
		rest = hf_sv_skip(rest, 1);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a view without a pointer has no length */
	while (rest.len && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	if (!hf_sv_cut(rest, '/', &part, &rest))
		return hf_fail(err, HF_E_FORMAT, "there is no name behind a type");
	if (!is_type(part))
		return hf_fail(
			err, HF_E_FORMAT,
			"the type is empty, begins with a digit or holds more than letters, digits, '.', '-' and '+'");
	ret->type = folded(part, false, a);
	/* A scope that was not encoded ("@angular/core") holds no version: that one stands behind the last '/'. */
	size_t at = hf_sv_last_index(rest, '@'), slash = hf_sv_last_index(rest, '/');
	bool scope = at != SIZE_MAX && slash != SIZE_MAX && at < slash && (at == 0 || rest.ptr[at - 1] == '/');
	if (at != SIZE_MAX && !scope) {
		ret->version = decoded(hf_sv_skip(rest, at + 1), a);
		rest = hf_sv_first(rest, at);
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a view without a pointer has no length */
	while (rest.len && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	ret->name = decoded(hf_sv_basename(rest), a);
	if ((r = decode_segments(hf_sv_dirname(rest), false, a, &ret->namespace, err)) < 0 ||
	    (r = decode_segments(subpath, true, a, &ret->subpath, err)) < 0 ||
	    (r = parse_qualifiers(qualifiers, a, ret, err)) < 0)
		return r;
	return normalise(ret, a, err);
}

struct writer {
	char *out;
	size_t n;
};

/* Everything but letters, digits, '.', '-', '_', '~' and ':' is percent-encoded; '/' stays where @keep says so. */
static void put_encoded(struct writer *w, hf_sv s, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (is_letter((char)c) || is_digit((char)c) || (c && strchr(".-_~:", c)) || (c == '/' && keep_slash)) {
			w->out[w->n++] = (char)c;
			continue;
		}
		w->out[w->n++] = '%';
		w->out[w->n++] = hex[c >> 4];
		w->out[w->n++] = hex[c & 15];
	}
}

static void put(struct writer *w, hf_sv s)
{
	if (s.len)
		memcpy(w->out + w->n, s.ptr, s.len);
	w->n += s.len;
}

hf_sv hf_purl_format(const struct hf_purl *p, struct hf_arena *a)
{
	size_t size = 16 + p->type.len + 3 * (p->namespace.len + p->name.len + p->version.len + p->subpath.len);

	for (size_t i = 0; i < p->qualifiers_n; i++)
		size += 2 + p->qualifiers[i].key.len + 3 * p->qualifiers[i].value.len;
	struct writer w = { .out = hf_arena_array(a, char, size) };
	if (!w.out)
		return (hf_sv){ 0 };
	put(&w, HF_SV("pkg:"));
	put(&w, p->type);
	put(&w, HF_SV("/"));
	put_encoded(&w, p->namespace, true);
	put(&w, p->namespace.len ? HF_SV("/") : HF_SV(""));
	put_encoded(&w, p->name, false);
	put(&w, p->version.len ? HF_SV("@") : HF_SV(""));
	put_encoded(&w, p->version, false);
	for (size_t i = 0; i < p->qualifiers_n; i++) {
		put(&w, i ? HF_SV("&") : HF_SV("?"));
		put(&w, p->qualifiers[i].key);
		put(&w, HF_SV("="));
		put_encoded(&w, p->qualifiers[i].value, true);
	}
	put(&w, p->subpath.len ? HF_SV("#") : HF_SV(""));
	put_encoded(&w, p->subpath, true);
	return (hf_sv){ w.out, w.n };
}

static hf_sv distribution(const struct hf_os *os, struct hf_arena *a)
{
	if (!os || !os->id.len)
		return (hf_sv){ 0 };
	hf_sv release = os->version_id.len ? os->version_id : os->codename;
	return release.len ? hf_arena_fmt(a, "%.*s-%.*s", HF_SV_FMT(os->id), HF_SV_FMT(release)) : os->id;
}

static hf_sv upstream(const struct hf_package *p, struct hf_arena *a)
{
	bool other_version = p->source_version.len && !hf_sv_eq(p->source_version, p->version);
	hf_sv name = p->source_name.len ? p->source_name : p->name;

	if (!other_version)
		return hf_sv_eq(name, p->name) ? (hf_sv){ 0 } : name;
	return hf_arena_fmt(a, "%.*s@%.*s", HF_SV_FMT(name), HF_SV_FMT(p->source_version));
}

static void split_name(const struct hf_package *p, const struct hf_os *os, struct hf_purl *u)
{
	bool found = false;

	u->name = p->name;
	switch (p->type) {
	case HF_PKG_DEB:
	case HF_PKG_APK:
	case HF_PKG_RPM:
		u->namespace = os ? os->id : (hf_sv){ 0 };
		return;
	case HF_PKG_MAVEN:
		found = hf_sv_cut_last(p->name, ':', &u->namespace, &u->name);
		break;
	case HF_PKG_NPM:
	case HF_PKG_GOLANG:
	case HF_PKG_COMPOSER:
	case HF_PKG_HEX:
		found = hf_sv_cut_last(p->name, '/', &u->namespace, &u->name);
		break;
	case HF_PKG_PYPI:
	case HF_PKG_CARGO:
	case HF_PKG_GEM:
	case HF_PKG_NUGET:
	case HF_PKG_BITNAMI:
	case HF_PKG_HACKAGE:
	case HF_PKG_CRAN:
	case HF_PKG_MAX:
		return;
	}
	if (!found)
		u->name = p->name;
}

hf_sv hf_purl_of_package(const struct hf_package *p, const struct hf_os *os, struct hf_arena *a)
{
	struct hf_purl u = { .type = hf_sv_of(hf_package_type_purl(p->type)), .version = p->version };
	struct hf_purl_qualifier list[6];
	bool distributed = hf_package_type_is_distribution(p->type);
	hf_sv epoch = { 0 };

	split_name(p, os, &u);
	if (p->type == HF_PKG_RPM && hf_sv_cut(u.version, ':', &epoch, &u.version) && hf_sv_eq(epoch, HF_SV("0")))
		epoch = (hf_sv){ 0 };
	if (distributed) {
		const struct hf_purl_qualifier all[] = {
			{ HF_SV("arch"), p->arch },
			{ HF_SV("distro"), distribution(os, a) },
			{ HF_SV("epoch"), epoch },
			{ HF_SV("rpmmod"), p->module },
			{ HF_SV("upstream"), upstream(p, a) },
		};
		u.qualifiers = list;
		for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++)
			if (all[i].value.len)
				list[u.qualifiers_n++] = all[i];
	}
	uint32_t rules = rules_of(u.type);
	if (rules & LOWER_NAMESPACE)
		u.namespace = folded(u.namespace, false, a);
	if (rules & LOWER_NAME)
		u.name = folded(u.name, false, a);
	if (rules & PYTHON_NAME)
		u.name = python_name(u.name, a);
	return u.name.len ? hf_purl_format(&u, a) : (hf_sv){ 0 };
}
