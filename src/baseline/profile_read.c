/* Profiles are read as strictly as a program: a key that means nothing, a pattern that can match nothing and a thing said twice are
 * errors with their place, since a profile that silently allows or denies something else than its author meant is worse than none. */
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/moment.h"
#include "baseline/profile.h"
#include "baseline/shape.h"
#include "format/yaml.h"

struct reader {
	struct hf_profile *p;
	struct hf_arena *a;
	struct hf_err *err;
};

static int hf_printf(3, 4) bad(struct reader *r, const struct hf_yaml_node *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return hf_fail(r->err, HF_E_FORMAT, "line %u, column %u: %s", n->line, n->column, text);
}

static int unknown(struct reader *r, const struct hf_yaml_node *key)
{
	return bad(r, key, "'%.*s' is no key here", (int)(key->text.len < 60 ? key->text.len : 60), key->text.ptr);
}

static int want(struct reader *r, const struct hf_yaml_node *n, enum hf_yaml_type type)
{
	static const char *const names[] = { "", "a scalar", "a list", "a mapping" };

	return n->type == type ? 0 : bad(r, n, "%s is wanted here", names[type]);
}

static int text(struct reader *r, const struct hf_yaml_node *n, hf_sv *ret)
{
	if (!hf_yaml_string(n, ret) || !ret->len)
		return bad(r, n, "a text is wanted here");
	*ret = hf_arena_dup(r->a, *ret);
	return 0;
}

static int number(struct reader *r, const struct hf_yaml_node *n, uint64_t max, uint64_t *ret)
{
	return hf_yaml_uint(n, ret) && *ret <= max
		       ? 0
		       : bad(r, n, "a number up to %llu is wanted here", (unsigned long long)max);
}

static int moment(struct reader *r, const struct hf_yaml_node *n, int64_t *ret)
{
	return n->type == HF_YAML_SCALAR && hf_moment_parse(n->text, ret) && *ret
		       ? 0
		       : bad(r, n, "a time as 2026-01-31T12:00:00Z is wanted here");
}

static int yes(struct reader *r, const struct hf_yaml_node *n, bool *ret)
{
	return hf_yaml_bool(n, ret) ? 0 : bad(r, n, "true or false is wanted here");
}

static int workload(struct reader *r, const struct hf_yaml_node *n)
{
	int ret = want(r, n, HF_YAML_MAPPING);

	for (size_t i = 0; !ret && i < n->n; i++) {
		hf_sv key = n->pairs[i].key->text;
		if (hf_sv_eq(key, HF_SV("image_digest")))
			ret = text(r, n->pairs[i].value, &r->p->image_digest);
		else if (hf_sv_eq(key, HF_SV("image_name")))
			ret = text(r, n->pairs[i].value, &r->p->image_name);
		else if (hf_sv_eq(key, HF_SV("owner")))
			ret = text(r, n->pairs[i].value, &r->p->owner);
		else
			ret = unknown(r, n->pairs[i].key);
	}
	return ret;
}

static int learned(struct reader *r, const struct hf_yaml_node *n)
{
	int ret = want(r, n, HF_YAML_MAPPING);

	for (size_t i = 0; !ret && i < n->n; i++) {
		hf_sv key = n->pairs[i].key->text;
		const struct hf_yaml_node *v = n->pairs[i].value;
		if (hf_sv_eq(key, HF_SV("replicas")))
			ret = number(r, v, UINT32_MAX, &r->p->replicas);
		else if (hf_sv_eq(key, HF_SV("windows")))
			ret = number(r, v, INT64_MAX, &r->p->windows);
		else if (hf_sv_eq(key, HF_SV("discarded_for_loss")))
			ret = number(r, v, INT64_MAX, &r->p->discarded_loss);
		else if (hf_sv_eq(key, HF_SV("discarded_for_alerts")))
			ret = number(r, v, INT64_MAX, &r->p->discarded_alert);
		else if (hf_sv_eq(key, HF_SV("first")))
			ret = moment(r, v, &r->p->first_s);
		else if (hf_sv_eq(key, HF_SV("last")))
			ret = moment(r, v, &r->p->last_s);
		else
			ret = unknown(r, n->pairs[i].key);
	}
	return ret;
}

static int mode(struct reader *r, const struct hf_yaml_node *n)
{
	for (unsigned m = HF_MODE_LEARN; m <= HF_MODE_ENFORCE; m++)
		if (n->type == HF_YAML_SCALAR && hf_sv_eq(n->text, hf_sv_of(hf_profile_mode_name(m)))) {
			r->p->mode = m;
			return 0;
		}
	return bad(r, n, "learn, observe or enforce is wanted here");
}

static int part_names(struct reader *r, const struct hf_yaml_node *n, bool overflow)
{
	int ret = want(r, n, HF_YAML_SEQUENCE);

	for (size_t i = 0; !ret && i < n->n; i++) {
		enum hf_profile_part part;
		if (n->elements[i]->type != HF_YAML_SCALAR || !hf_profile_part_of(n->elements[i]->text, &part))
			ret = bad(r, n->elements[i], "the name of a part is wanted here");
		else if (overflow)
			r->p->sections[part].overflow = true;
		else
			r->p->sections[part].covered = true;
	}
	return ret;
}

static int shape_lists(struct reader *r, struct hf_profile_entry *e, const struct hf_yaml_node *n)
{
	int ret = want(r, n, HF_YAML_SEQUENCE);

	for (size_t i = 0; !ret && i < n->n; i++) {
		const struct hf_yaml_node *list = n->elements[i];
		ret = want(r, list, HF_YAML_SEQUENCE);
		hf_sv *arguments = hf_arena_array(r->a, hf_sv, ret ? 0 : list->n);
		for (size_t k = 0; !ret && arguments && k < list->n; k++) {
			arguments[k] = list->elements[k]->text;
			if (list->elements[k]->type != HF_YAML_SCALAR || !hf_shape_valid(arguments[k]))
				ret = bad(r, list->elements[k], "no pattern: { } and \\ are written \\{ \\} \\\\");
		}
		if (!ret && arguments)
			hf_profile_add_shape(r->p, e, &(struct hf_profile_shape){ arguments, list->n });
	}
	return ret;
}

static int origins(struct reader *r, const struct hf_yaml_node *n, struct hf_sighting *s)
{
	int ret = want(r, n, HF_YAML_SEQUENCE);

	for (size_t i = 0; !ret && i < n->n; i++) {
		hf_sv word = n->elements[i]->text;
		if (n->elements[i]->type == HF_YAML_SCALAR && hf_sv_eq(word, HF_SV("seed")))
			s->origin |= HF_ORIGIN_SEED;
		else if (n->elements[i]->type == HF_YAML_SCALAR && hf_sv_eq(word, HF_SV("learned")))
			s->origin |= HF_ORIGIN_LEARNED;
		else
			ret = bad(r, n->elements[i], "seed or learned is wanted here");
	}
	return ret;
}

static int sighting(struct reader *r, const struct hf_yaml_pair *pair, struct hf_sighting *s, bool *ret_known)
{
	hf_sv key = pair->key->text;
	uint64_t replicas = 0;
	int ret;

	*ret_known = true;
	if (hf_sv_eq(key, HF_SV("from")))
		return origins(r, pair->value, s);
	if (hf_sv_eq(key, HF_SV("why")))
		return text(r, pair->value, &s->why);
	if (hf_sv_eq(key, HF_SV("count")))
		return number(r, pair->value, INT64_MAX, &s->count);
	if (hf_sv_eq(key, HF_SV("first")))
		return moment(r, pair->value, &s->first_s);
	if (hf_sv_eq(key, HF_SV("last")))
		return moment(r, pair->value, &s->last_s);
	*ret_known = hf_sv_eq(key, HF_SV("replicas"));
	if (!*ret_known)
		return 0;
	ret = number(r, pair->value, UINT32_MAX, &replicas);
	s->replicas = (uint32_t)replicas;
	return ret;
}

/* The pairs that need the entry: details and shapes. */
static int more(struct reader *r, enum hf_profile_part part, struct hf_profile_entry *e,
		const struct hf_yaml_pair *pair)
{
	const struct hf_yaml_node *v = pair->value;
	hf_sv key = pair->key->text, details = hf_sv_of(hf_profile_parts[part].details);
	bool shaped = part == HF_PROFILE_EXECUTABLES || part == HF_PROFILE_SCRIPTS;
	const struct hf_sighting nothing = { 0 };

	if (shaped && hf_sv_eq(key, HF_SV("arguments")))
		return shape_lists(r, e, v);
	if (shaped && hf_sv_eq(key, HF_SV("any_arguments")))
		return yes(r, v, &e->any_arguments);
	if (details.len && hf_sv_starts(key, HF_SV("any_")) && hf_sv_eq(hf_sv_skip(key, 4), details))
		return yes(r, v, &e->any_details);
	if (!details.len || !hf_sv_eq(key, details))
		return unknown(r, pair->key);
	int ret = want(r, v, HF_YAML_SEQUENCE);
	for (size_t i = 0; !ret && i < v->n; i++) {
		hf_sv detail;
		ret = text(r, v->elements[i], &detail);
		if (!ret)
			hf_profile_add(r->p, part, e->object, detail, &nothing);
	}
	return ret;
}

static int entry(struct reader *r, enum hf_profile_part part, const struct hf_yaml_node *n)
{
	const struct hf_profile_part_info *info = &hf_profile_parts[part];
	const struct hf_yaml_node *object = hf_yaml_get(n, hf_sv_of(info->object));
	struct hf_sighting seen = { 0 };
	bool known;
	hf_sv name;
	int ret = want(r, n, HF_YAML_MAPPING);

	if (ret)
		return ret;
	if (!object)
		return bad(r, n, "an entry without '%s'", info->object);
	ret = text(r, object, &name);
	const char *wrong = ret ? NULL : hf_profile_object_wrong(part, name);
	if (wrong)
		ret = bad(r, object, "%s", wrong);
	for (size_t i = 0; !ret && i < n->n; i++)
		ret = sighting(r, &n->pairs[i], &seen, &known);
	if (ret)
		return ret;
	if (hf_profile_find(r->p, part, name))
		return bad(r, object, "stands here twice");
	struct hf_profile_entry *e = hf_profile_add(r->p, part, name, (hf_sv){ 0 }, &seen);
	if (!e)
		return hf_fail(r->err, HF_E_LIMIT, "line %u, column %u: too many entries", n->line, n->column);
	for (size_t i = 0; !ret && i < n->n; i++) {
		struct hf_sighting again = { 0 };
		ret = sighting(r, &n->pairs[i], &again, &known);
		if (!ret && !known && n->pairs[i].value != object)
			ret = more(r, part, e, &n->pairs[i]);
	}
	if (e->any_arguments)
		e->shapes_n = 0;
	if (e->any_details)
		e->details_n = 0;
	return ret;
}

static int key(struct reader *r, const struct hf_yaml_pair *pair)
{
	hf_sv name = pair->key->text;
	const struct hf_yaml_node *v = pair->value;
	enum hf_profile_part part;

	if (hf_sv_eq(name, HF_SV("schema")))
		return 0;
	if (hf_sv_eq(name, HF_SV("workload")))
		return workload(r, v);
	if (hf_sv_eq(name, HF_SV("mode")))
		return mode(r, v);
	if (hf_sv_eq(name, HF_SV("learned")))
		return learned(r, v);
	if (hf_sv_eq(name, HF_SV("covered")) || hf_sv_eq(name, HF_SV("overflow")))
		return part_names(r, v, hf_sv_eq(name, HF_SV("overflow")));
	if (!hf_profile_part_of(name, &part))
		return unknown(r, pair->key);
	int ret = want(r, v, HF_YAML_SEQUENCE);
	for (size_t i = 0; !ret && i < v->n; i++)
		ret = entry(r, part, v->elements[i]);
	return ret;
}

int hf_profile_read(hf_sv yaml, struct hf_arena *a, struct hf_profile *ret_profile, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct reader r = { .p = ret_profile, .a = a, .err = err };
	struct hf_yaml_document *documents;
	hf_sv schema;
	size_t n;

	if (yaml.len > HF_PROFILE_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %llu bytes", (unsigned long long)HF_PROFILE_SIZE_MAX);
	int ret = hf_yaml_parse(yaml, &scratch, &documents, &n, err);
	if (ret)
		return ret;
	if (n != 1 || !documents[0].root || documents[0].root->type != HF_YAML_MAPPING)
		return hf_fail(err, HF_E_FORMAT, "line 1, column 1: no profile: one mapping is wanted");
	const struct hf_yaml_node *root = documents[0].root;
	if (!hf_yaml_string(hf_yaml_get(root, HF_SV("schema")), &schema))
		return bad(&r, root, "no profile: 'schema: holdfast/profile/1' is missing");
	if (!hf_sv_eq(schema, HF_SV("holdfast/profile/1")))
		return bad(&r, hf_yaml_get(root, HF_SV("schema")), "a schema that is not known; holdfast/profile/1 is");
	hf_profile_init(ret_profile, a, (hf_sv){ 0 }, (hf_sv){ 0 }, (hf_sv){ 0 });
	for (size_t i = 0; !ret && i < root->n; i++)
		ret = key(&r, &root->pairs[i]);
	if (!ret && a->over)
		return hf_fail(err, HF_E_LIMIT, "the profile is too large");
	return ret;
}
