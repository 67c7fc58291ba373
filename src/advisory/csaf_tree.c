/* CSAF 2.0 section 3.2.2 (product tree), as Red Hat fills it: platforms are branches with a CPE, components are branches
 * with a purl, a relationship makes one a component of the other. A module's rpm is a component of a component. */
#include "advisory/csaf.h"

enum { BRANCH_DEPTH_MAX = 32, WHOLE_DEPTH_MAX = 8 };

struct hf_csaf_product *hf_csaf_find(const struct hf_csaf_tree *tree, hf_sv id)
{
	struct hf_map_entry *e = hf_map_find(&tree->products, id);

	return e ? e->value : NULL;
}

static void add_product(struct hf_csaf_tree *tree, hf_sv id, struct hf_csaf_product product)
{
	struct hf_map_entry *e;

	if (!id.len) {
		tree->complaint = "a product without an id";
		return;
	}
	e = hf_map_put(&tree->products, id);
	if (e && !e->value && (e->value = hf_arena_new(tree->arena, struct hf_csaf_product)))
		*(struct hf_csaf_product *)e->value = product;
}

static void read_product(struct hf_csaf_tree *tree, struct hf_json *j)
{
	struct hf_csaf_product product = { 0 };
	hf_sv key, id = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("product_id"))) {
			id = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("product_identification_helper"))) {
			hf_json_members(j, &key)
				if (hf_sv_eq(key, HF_SV("cpe")))
					product.cpe = hf_json_string(j);
				else if (hf_sv_eq(key, HF_SV("purl")))
					product.purl = hf_json_string(j);
				else
					hf_json_skip(j);
		} else {
			hf_json_skip(j);
		}
	if (!j->why)
		add_product(tree, id, product);
}

static void read_branches(struct hf_csaf_tree *tree, struct hf_json *j, int depth)
{
	hf_sv key;

	if (depth >= BRANCH_DEPTH_MAX) {
		tree->complaint = "branches of the product tree are nested too deeply";
		hf_json_skip(j);
		return;
	}
	hf_json_elements(j)
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("branches")))
				read_branches(tree, j, depth + 1);
			else if (hf_sv_eq(key, HF_SV("product")))
				read_product(tree, j);
			else
				hf_json_skip(j);
}

static void read_relationship(struct hf_csaf_tree *tree, struct hf_json *j)
{
	struct hf_csaf_product product = { 0 };
	hf_sv key, id = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("product_reference"))) {
			product.part = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("relates_to_product_reference"))) {
			product.whole = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("full_product_name"))) {
			hf_json_members(j, &key)
				if (hf_sv_eq(key, HF_SV("product_id")))
					id = hf_json_string(j);
				else
					hf_json_skip(j);
		} else {
			hf_json_skip(j);
		}
	if (!j->why)
		add_product(tree, id, product);
}

static void read_group(struct hf_csaf_tree *tree, struct hf_json *j)
{
	hf_sv key, id = { 0 }, ids = { 0 };

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("group_id")))
			id = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("product_ids")))
			ids = hf_json_raw(j);
		else
			hf_json_skip(j);
	struct hf_map_entry *e = id.len && ids.ptr ? hf_map_put(&tree->groups, id) : NULL;
	hf_sv *value = e && !e->value ? hf_arena_new(tree->arena, hf_sv) : NULL;
	if (value) {
		*value = ids;
		e->value = value;
	}
}

void hf_csaf_read_tree(struct hf_csaf_tree *tree, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("branches")))
			read_branches(tree, j, 0);
		else if (hf_sv_eq(key, HF_SV("full_product_names")))
			hf_json_elements(j)
				read_product(tree, j);
		else if (hf_sv_eq(key, HF_SV("relationships")))
			hf_json_elements(j)
				read_relationship(tree, j);
		else if (hf_sv_eq(key, HF_SV("product_groups")))
			hf_json_elements(j)
				read_group(tree, j);
		else
			hf_json_skip(j);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Percent-decoded; as it stands where nothing is encoded. */
static hf_sv decoded(struct hf_arena *a, hf_sv s)
{
	if (hf_sv_index(s, '%') == SIZE_MAX)
		return s;
	char *out = hf_arena_alloc(a, s.len, 1);
	size_t n = 0;
	if (!out)
		return (hf_sv){ 0 };
	for (size_t i = 0; i < s.len; i++) {
		bool code = s.ptr[i] == '%' && s.len - i > 2 && hex_digit(s.ptr[i + 1]) >= 0 &&
			    hex_digit(s.ptr[i + 2]) >= 0;
		out[n++] = code ? (char)(hex_digit(s.ptr[i + 1]) << 4 | hex_digit(s.ptr[i + 2])) : s.ptr[i];
		i += code ? 2 : 0;
	}
	return (hf_sv){ out, n };
}

static hf_sv qualifier(hf_sv qualifiers, hf_sv name)
{
	hf_sv pair, key, value;

	for (hf_sv rest = qualifiers; rest.ptr && hf_sv_next(&rest, '&', &pair);)
		if (hf_sv_cut(pair, '=', &key, &value) && hf_sv_eq(key, name))
			return value;
	return (hf_sv){ 0 };
}

/* The first two parts of "nodejs:18:8090020231…:context". */
static hf_sv name_and_stream(hf_sv module)
{
	size_t first = hf_sv_index(module, ':');

	if (first == SIZE_MAX)
		return (hf_sv){ 0 };
	size_t second = hf_sv_index(hf_sv_skip(module, first + 1), ':');
	return second == SIZE_MAX ? module : hf_sv_first(module, first + 1 + second);
}

/* pkg:rpm/redhat/NAME@VERSION?arch=A&epoch=E&rpmmod=M, pkg:rpmmod/redhat/NAME@STREAM:…, and the older
 * pkg:rpmmod/redhat/NAME:STREAM/PACKAGE. False for other types. A module itself has no package. */
static bool read_purl(struct hf_arena *a, hf_sv purl, struct hf_csaf_rpm *rpm)
{
	static const hf_sv rpm_type = HF_SV_INIT("pkg:rpm/redhat/"), module_type = HF_SV_INIT("pkg:rpmmod/redhat/");
	bool is_module = hf_sv_starts(purl, module_type);
	hf_sv qualifiers = { 0 }, version = { 0 }, module, package;

	if (!is_module && !hf_sv_starts(purl, rpm_type))
		return false;
	hf_sv rest = hf_sv_skip(purl, is_module ? module_type.len : rpm_type.len);
	hf_sv_cut(rest, '?', &rest, &qualifiers);
	hf_sv_cut(rest, '@', &rest, &version);
	rest = decoded(a, rest);
	version = decoded(a, version);
	if (is_module) {
		if (hf_sv_cut(rest, '/', &module, &package)) {
			rpm->package = package;
			rpm->module = name_and_stream(module);
		} else {
			rpm->module = name_and_stream(
				version.len ? hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(rest), HF_SV_FMT(version)) : rest);
		}
		return true;
	}
	hf_sv arch = qualifier(qualifiers, HF_SV("arch")), epoch = qualifier(qualifiers, HF_SV("epoch"));
	rpm->package = rest;
	rpm->module = name_and_stream(decoded(a, qualifier(qualifiers, HF_SV("rpmmod"))));
	rpm->version =
		epoch.len && version.len ? hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(epoch), HF_SV_FMT(version)) : version;
	/* An unfixed component without an architecture is named by its source. */
	rpm->binary = arch.len && !hf_sv_eq(arch, HF_SV("src"));
	return rest.len;
}

/* "cpe:/o:redhat:enterprise_linux:9::baseos": OSV names it without what comes before the product. */
static hf_sv ecosystem_of(struct hf_arena *a, hf_sv cpe)
{
	static const hf_sv vendor = HF_SV_INIT(":redhat:");

	if (!hf_sv_starts(cpe, HF_SV("cpe:/")) || cpe.len < 6 + vendor.len || !hf_sv_starts(hf_sv_skip(cpe, 6), vendor))
		return (hf_sv){ 0 };
	return hf_arena_concat(a, HF_SV("Red Hat:"), hf_sv_skip(cpe, 6 + vendor.len));
}

bool hf_csaf_resolve(const struct hf_csaf_tree *tree, hf_sv id, struct hf_csaf_rpm *ret, bool *ret_unknown)
{
	const struct hf_csaf_product *p = hf_csaf_find(tree, id), *part;

	*ret = (struct hf_csaf_rpm){ 0 };
	*ret_unknown = !p;
	if (!p || !p->part.len)
		return false;
	part = hf_csaf_find(tree, p->part);
	*ret_unknown = !part;
	if (!part || !read_purl(tree->arena, part->purl, ret) || !ret->package.len)
		return false;
	for (int depth = 0; p && p->part.len && depth < WHOLE_DEPTH_MAX; depth++) {
		p = hf_csaf_find(tree, p->whole);
		struct hf_csaf_rpm outer = { 0 };
		part = p && p->part.len ? hf_csaf_find(tree, p->part) : NULL;
		if (part && !ret->module.len && read_purl(tree->arena, part->purl, &outer))
			ret->module = outer.module;
	}
	*ret_unknown = !p || p->part.len;
	if (*ret_unknown)
		return false;
	if (!ret->module.len && hf_sv_find(ret->version, HF_SV(".module+")) != SIZE_MAX)
		ret->module = HF_SV("*");
	ret->ecosystem = ecosystem_of(tree->arena, p->cpe);
	return ret->ecosystem.len;
}
