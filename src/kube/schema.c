#include "kube/schema.h"

#include <stdio.h>

#include "base/limits.h"

enum form { ANY, STRING, INTEGER, NUMBER, BOOLEAN, OBJECT, QUANTITY, INT_OR_STRING };
enum shape { ONE, LIST, MAP };

struct field {
	uint16_t name; /* where it begins in names */
	uint8_t length;
	uint8_t how; /* shape * 8 + form */
	uint16_t type;
};

struct type {
	uint16_t first, n;
};

struct root {
	const char *kind, *api_version;
	uint16_t type;
};

#include "kube/fields.inc"

enum { PATH_DEPTH_MAX = 64, SUGGESTION_MAX = 40 };

struct checker {
	void (*found)(void *ctx, enum hf_kube_note_kind, uint32_t offset, hf_sv what);
	void *ctx;
	bool lenient; /* of an older version: its own fields are not known */
	hf_sv path[PATH_DEPTH_MAX];
	bool list[PATH_DEPTH_MAX];
	size_t depth;
};

static int compare_root(const struct root *r, hf_sv kind, hf_sv api_version)
{
	int c = hf_sv_cmp(hf_sv_of(r->kind), kind);

	return c ? c : hf_sv_cmp(hf_sv_of(r->api_version), api_version);
}

static const struct root *root_exactly(hf_sv api_version, hf_sv kind)
{
	size_t low = 0, high = HF_ARRAY_SIZE(roots);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int c = compare_root(&roots[middle], kind, api_version);
		if (!c)
			return &roots[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Another version of the group: the last one in the table, which is the stable one where there is one. */
static const struct root *root_of_group(hf_sv group, hf_sv kind)
{
	const struct root *found = NULL;

	for (size_t i = 0; i < HF_ARRAY_SIZE(roots); i++)
		if (hf_sv_eq(hf_sv_of(roots[i].kind), kind) &&
		    hf_sv_eq(hf_kube_group_of(hf_sv_of(roots[i].api_version)), group) &&
		    (!found || !strchr(roots[i].api_version, 'a') ||
		     strlen(roots[i].api_version) < strlen(found->api_version)))
			found = &roots[i];
	return found;
}

static const struct root *root_of(hf_sv api_version, hf_sv kind, enum hf_kube_kind known)
{
	const struct root *r = root_exactly(api_version, kind);

	if (!r)
		r = root_of_group(hf_kube_group_of(api_version), kind);
	if (!r && known)
		r = root_of_group(hf_sv_of(hf_kube_kinds[known].group), kind);
	return r;
}

bool hf_kube_schema_knows(hf_sv api_version, hf_sv kind)
{
	static const char *const configurations[] = {
		"kustomize.config.k8s.io",
		"kubeadm.k8s.io",
		"kubelet.config.k8s.io",
		"kubeproxy.config.k8s.io",
		"kubescheduler.config.k8s.io",
		"apiserver.config.k8s.io",
		"apiserver.k8s.io",
		"audit.k8s.io",
		"controllermanager.config.k8s.io",
	};
	hf_sv group = hf_kube_group_of(api_version);

	for (size_t i = 0; i < HF_ARRAY_SIZE(configurations); i++)
		if (hf_sv_eq(group, hf_sv_of(configurations[i])))
			return true;
	return root_of(api_version, kind, HF_KUBE_OTHER) != NULL;
}

static const struct field *find_field(uint16_t type, hf_sv name, size_t *hint)
{
	const struct field *f = &fields[types[type].first];
	size_t low = 0, high = types[type].n;

	/* Servers write fields in order. */
	if (*hint < high && f[*hint].length == name.len && !memcmp(names + f[*hint].name, name.ptr, name.len))
		return &f[(*hint)++];
	while (low < high) {
		size_t middle = (low + high) / 2;
		int c = hf_sv_cmp((hf_sv){ names + f[middle].name, f[middle].length }, name);
		if (!c) {
			*hint = middle + 1;
			return &f[middle];
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Letters added, left out, changed, or two of them exchanged; those of another case count for nothing. */
static unsigned distance(hf_sv a, hf_sv b)
{
	unsigned char row[3][SUGGESTION_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned char *now = row[i % 3], *before = row[(i + 2) % 3], *second = row[(i + 1) % 3];
		now[0] = (unsigned char)i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = (a.ptr[i - 1] | 0x20) == (b.ptr[j - 1] | 0x20);
			unsigned best = before[j - 1] + !same;
			best = before[j] + 1u < best ? before[j] + 1u : best;
			best = now[j - 1] + 1u < best ? now[j - 1] + 1u : best;
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
			    second[j - 2] + 1u < best)
				best = second[j - 2] + 1u;
			now[j] = (unsigned char)best;
		}
	}
	return row[a.len % 3][b.len];
}

static hf_sv nearest(uint16_t type, hf_sv name)
{
	hf_sv best = { 0 };
	unsigned least = name.len < 4 ? 1 : 3;

	for (size_t i = 0; i < types[type].n && name.len && name.len <= SUGGESTION_MAX; i++) {
		const struct field *f = &fields[types[type].first + i];
		hf_sv known = { names + f->name, f->length };
		unsigned d = known.len <= SUGGESTION_MAX ? distance(name, known) : 99;
		if (d < least) {
			least = d;
			best = known;
		}
	}
	return best;
}

static void add(char *out, size_t size, size_t *n, hf_sv s)
{
	size_t left = size - *n, len = s.len < left ? s.len : left;

	memcpy(out + *n, s.ptr, len);
	*n += len;
}

/* The path of what is at hand without indexes, so that the same fault in many places reads the same. */
static void tell(const struct checker *c, enum hf_kube_note_kind kind, uint32_t offset, hf_sv last, const char *what,
		 hf_sv suggestion)
{
	char text[400];
	size_t n = 0;

	for (size_t i = 0; i < c->depth && i < PATH_DEPTH_MAX; i++) {
		add(text, sizeof text, &n, c->path[i]);
		add(text, sizeof text, &n, c->list[i] ? HF_SV("[].") : HF_SV("."));
	}
	add(text, sizeof text, &n, hf_sv_first(last, 80));
	add(text, sizeof text, &n, hf_sv_of(what));
	if (suggestion.len) {
		add(text, sizeof text, &n, HF_SV("; is it "));
		add(text, sizeof text, &n, suggestion);
		add(text, sizeof text, &n, HF_SV("?"));
	}
	c->found(c->ctx, kind, offset, (hf_sv){ text, n });
}

static bool is_whole(const struct hf_value *v)
{
	int64_t whole;

	return v->type == HF_VALUE_NUMBER && hf_value_int(v, &whole);
}

static bool fits(const struct hf_value *v, enum form form)
{
	switch (form) {
	case ANY:
		return true;
	case STRING:
		return v->type == HF_VALUE_STRING;
	case INTEGER:
		return is_whole(v);
	case NUMBER:
		return v->type == HF_VALUE_NUMBER;
	case BOOLEAN:
		return v->type == HF_VALUE_BOOL;
	case OBJECT:
		return v->type == HF_VALUE_OBJECT;
	case QUANTITY:
		return v->type == HF_VALUE_STRING || v->type == HF_VALUE_NUMBER;
	case INT_OR_STRING:
		return v->type == HF_VALUE_STRING || is_whole(v);
	}
	return true;
}

static const char *wants(enum form form)
{
	static const char *const words[] = {
		[ANY] = "anything",           [STRING] = "a string",
		[INTEGER] = "a whole number", [NUMBER] = "a number",
		[BOOLEAN] = "true or false",  [OBJECT] = "an object",
		[QUANTITY] = "a quantity",    [INT_OR_STRING] = "a whole number or a string"
	};

	return words[form];
}

static void check_object(struct checker *c, const struct hf_value *v, uint16_t type);

static void check_value(struct checker *c, const struct hf_value *v, const struct field *f, const struct hf_member *m)
{
	enum form form = f->how & 7;

	if (v->type == HF_VALUE_NULL)
		return;
	if (!fits(v, form)) {
		char what[64];
		snprintf(what, sizeof what, ": %s belongs here", wants(form));
		tell(c, HF_KUBE_NOTE_WRONG_TYPE, v->offset, hf_member_key(m), what, (hf_sv){ 0 });
		return;
	}
	if (form != OBJECT || c->depth == PATH_DEPTH_MAX)
		return;
	c->path[c->depth] = hf_member_key(m);
	c->list[c->depth++] = f->how / 8 != ONE;
	check_object(c, v, f->type);
	c->depth--;
}

static void check_member(struct checker *c, const struct hf_member *m, const struct field *f)
{
	const struct hf_value *v = &m->value;
	enum shape shape = f->how / 8;

	if (shape == ONE) {
		check_value(c, v, f, m);
		return;
	}
	if (v->type == HF_VALUE_NULL)
		return;
	if (v->type != (shape == LIST ? HF_VALUE_ARRAY : HF_VALUE_OBJECT)) {
		tell(c, HF_KUBE_NOTE_WRONG_TYPE, v->offset, hf_member_key(m),
		     shape == LIST ? ": a list belongs here" : ": a map belongs here", (hf_sv){ 0 });
		return;
	}
	hf_value_elements(v, e) check_value(c, e, f, m);
	hf_value_members(v, one) check_value(c, &one->value, f, m);
}

/* Recursion follows the table and ends with the tree, whose depth the readers bound. */
static void check_object(struct checker *c, const struct hf_value *v, uint16_t type)
{
	bool lenient = c->lenient;
	size_t hint = 0;

	c->lenient &= type != POD_TEMPLATE;
	hf_value_members(v, m)
	{
		const struct field *f = find_field(type, hf_member_key(m), &hint);
		if (!c->depth && hf_sv_eq(hf_member_key(m), HF_SV("status")))
			continue;
		if (f && !(c->lenient && f->how % 8 != OBJECT))
			check_member(c, m, f);
		else if (!f && !c->lenient)
			tell(c, HF_KUBE_NOTE_UNKNOWN_FIELD, m->offset, hf_member_key(m),
			     ": no field of Kubernetes " KUBE_FIELDS_VERSION, nearest(type, hf_member_key(m)));
	}
	c->lenient = lenient;
}

void hf_kube_schema_check(const struct hf_kube_object *o,
			  void (*found)(void *ctx, enum hf_kube_note_kind, uint32_t offset, hf_sv what), void *ctx)
{
	const struct root *r = root_of(o->api_version, o->kind_name, o->kind);
	struct checker c = { .found = found, .ctx = ctx };

	if (!r)
		return;
	c.lenient = !hf_sv_eq(hf_sv_of(r->api_version), o->api_version);
	check_object(&c, o->root, r->type);
}

bool hf_kube_schema_type(const struct hf_kube_object *o, uint16_t *ret)
{
	const struct root *r = root_of(o->api_version, o->kind_name, o->kind);

	if (r)
		*ret = r->type;
	return r != NULL;
}

bool hf_kube_schema_member(uint16_t type, hf_sv member, uint16_t *ret)
{
	size_t hint = SIZE_MAX;
	const struct field *f = find_field(type, member, &hint);
	bool holds = f && f->how % 8 == OBJECT && f->how / 8 != MAP;

	if (holds)
		*ret = f->type;
	return holds;
}
