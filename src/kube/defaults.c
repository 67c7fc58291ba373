#include "kube/defaults.h"

#include "kube/pods.h"
#include "kube/schema.h"

enum { DEPTH_MAX = 64 };
enum {
#include "kube/types.inc"
};

/* An object on the way down; @value has the defaults of its own so far, not those below. */
struct place {
	const struct place *up;
	const struct hf_value *value;
	uint16_t type;
	bool in_a_pod; /* and not in a template of one */
	unsigned depth;
	struct hf_arena *arena;
};

static hf_sv text_of(const struct place *p, const char *member)
{
	return hf_value_get_text(p->value, hf_sv_of(member));
}

static bool has(const struct place *p, const char *member)
{
	return hf_value_get(p->value, hf_sv_of(member)) != NULL;
}

static bool is(const struct place *p, const char *member, const char *text)
{
	return hf_sv_eq(text_of(p, member), hf_sv_of(text));
}

/* ---- conditions ---- */

static bool always(const struct place *p)
{
	(void)p;
	return true;
}

static bool in_a_pod(const struct place *p)
{
	return p->in_a_pod;
}

static bool has_no_source(const struct place *p)
{
	hf_value_members(p->value, m)
	{
		if (!hf_sv_eq(hf_member_key(m), HF_SV("name")) && m->value.type != HF_VALUE_NULL)
			return false;
	}
	return true;
}

static bool rolls(const struct place *p)
{
	return is(p, "type", "RollingUpdate");
}

/* What a CronJob makes Jobs of is filled in when it makes them. */
static bool in_a_job(const struct place *p)
{
	return p->up && p->up->type == HF_KUBE_TYPE_batch_v1_Job;
}

static bool is_a_single_job(const struct place *p)
{
	return in_a_job(p) && !has(p, "parallelism");
}

static bool counts_no_indexes(const struct place *p)
{
	return in_a_job(p) && !has(p, "backoffLimitPerIndex");
}

static bool has_no_failure_policy(const struct place *p)
{
	return in_a_job(p) && !has(p, "podFailurePolicy");
}

static bool is_sticky(const struct place *p)
{
	return is(p, "sessionAffinity", "ClientIP");
}

static bool is_load_balancer(const struct place *p)
{
	return is(p, "type", "LoadBalancer");
}

static bool has_cluster_ip(const struct place *p)
{
	return is(p, "type", "ClusterIP") || is(p, "type", "NodePort") || is_load_balancer(p);
}

static bool is_reached_from_outside(const struct place *p)
{
	return is(p, "type", "NodePort") || is_load_balancer(p) ||
	       (is(p, "type", "ClusterIP") &&
		hf_value_count(hf_value_get(p->value, HF_SV("externalIPs")), HF_VALUE_ARRAY));
}

static bool is_user_or_group(const struct place *p)
{
	return is(p, "kind", "User") || is(p, "kind", "Group");
}

/* ---- values that depend on others ---- */

static struct hf_value string(hf_sv s)
{
	return (struct hf_value){ .type = HF_VALUE_STRING, .n = s.len, .text = s.ptr };
}

static bool copied(const struct hf_value *v, struct hf_value *ret)
{
	if (!v)
		return false;
	*ret = *v;
	ret->offset = 0;
	return true;
}

static bool former_account(const struct place *p, struct hf_value *ret)
{
	return copied(hf_value_get(p->value, HF_SV("serviceAccount")), ret);
}

static bool account(const struct place *p, struct hf_value *ret)
{
	return copied(hf_value_get(p->value, HF_SV("serviceAccountName")), ret);
}

/* "latest" is also what an image without tag and digest has; beside a digest a tag counts all the same. Source: parsers.ParseImageName of
 * k8s.io/kubernetes. */
static bool pull_policy(const struct place *p, struct hf_value *ret)
{
	hf_sv image = text_of(p, "image"), digest, name, tag;
	size_t slash;

	bool pinned = hf_sv_cut(image, '@', &image, &digest);
	while ((slash = hf_sv_index(image, '/')) != SIZE_MAX)
		image = hf_sv_skip(image, slash + 1);
	bool latest = hf_sv_cut(image, ':', &name, &tag) ? hf_sv_eq(tag, HF_SV("latest")) : !pinned && image.len;
	*ret = string(latest ? HF_SV("Always") : HF_SV("IfNotPresent"));
	return true;
}

/* A pod asks for what it is limited to. */
static bool requests(const struct place *p, struct hf_value *ret)
{
	const struct hf_value *limits = hf_value_get(p->value, HF_SV("limits")),
			      *written = hf_value_get(p->value, HF_SV("requests"));
	size_t n = hf_value_count(written, HF_VALUE_OBJECT);

	if (!p->in_a_pod || !hf_value_count(limits, HF_VALUE_OBJECT) || (written && written->type != HF_VALUE_OBJECT))
		return false;
	struct hf_member *all = hf_arena_array(p->arena, struct hf_member, n + limits->n);
	if (!all)
		return false;
	if (n)
		memcpy(all, written->members, n * sizeof *all);
	hf_value_members(limits, m) if (!hf_value_get(written, hf_member_key(m))) all[n++] = *m;
	*ret = (struct hf_value){ .type = HF_VALUE_OBJECT, .n = n, .members = all };
	return true;
}

static bool host_port(const struct place *p, struct hf_value *ret)
{
	const struct place *spec = p->up ? p->up->up : NULL;

	return p->in_a_pod && spec && hf_value_true(hf_value_get(spec->value, HF_SV("hostNetwork"))) &&
	       copied(hf_value_get(p->value, HF_SV("containerPort")), ret);
}

static bool target_port(const struct place *p, struct hf_value *ret)
{
	return copied(hf_value_get(p->value, HF_SV("port")), ret);
}

static bool template_labels(const struct place *p, struct hf_value *ret)
{
	return copied(hf_value_at(p->value, "template.metadata.labels"), ret);
}

static bool policy_types(const struct place *p, struct hf_value *ret)
{
	static const struct hf_value types[] = { { .type = HF_VALUE_STRING, .n = 7, .text = "Ingress" },
						 { .type = HF_VALUE_STRING, .n = 6, .text = "Egress" } };
	bool egress = hf_value_count(hf_value_get(p->value, HF_SV("egress")), HF_VALUE_ARRAY) > 0;

	*ret = (struct hf_value){ .type = HF_VALUE_ARRAY, .n = egress ? 2 : 1, .elements = types };
	return true;
}

/* ---- the table ---- */

struct row {
	uint16_t type;
	const char *member, *json; /* a value, or how it is computed */
	bool (*condition)(const struct place *);
	bool (*compute)(const struct place *, struct hf_value *ret);
	bool merges; /* also where something is written */
};

static const struct row rows[] = {
#define HF_KUBE_DEFAULT(type_, member_, json_, condition_) \
	{ HF_KUBE_TYPE_##type_, member_, json_, condition_, NULL, false },
#define HF_KUBE_COMPUTED(type_, member_, compute_) { HF_KUBE_TYPE_##type_, member_, NULL, NULL, compute_, false },
#define HF_KUBE_MERGED(type_, member_, compute_)   { HF_KUBE_TYPE_##type_, member_, NULL, NULL, compute_, true },
#include "kube/defaults.def"
#undef HF_KUBE_DEFAULT
#undef HF_KUBE_COMPUTED
#undef HF_KUBE_MERGED
};

static bool value_of(const struct row *row, const struct place *p, struct hf_value *ret)
{
	size_t used;

	if (row->compute)
		return row->compute(p, ret);
	if (!row->condition(p) ||
	    hf_value_of_json(hf_sv_of(row->json), 0, p->arena, (struct hf_value_notes){ 0 }, ret, &used, NULL) < 0)
		return false;
	ret->offset = 0;
	return true;
}

/* A member that is written as null is as one that is not. Returns how many there are then. */
static size_t put(struct hf_member *members, size_t n, const char *name, const struct hf_value *v)
{
	hf_sv key = hf_sv_of(name);
	size_t i = 0;

	while (i < n && !hf_sv_eq(hf_member_key(&members[i]), key))
		i++;
	members[i] = hf_member_of(key, *v, i < n ? members[i].offset : 0);
	return i == n ? n + 1 : n;
}

static struct hf_value complete(const struct hf_value *v, struct place *p);

/* What lies below: an object, a list of them, or a map to them. */
static void complete_below(struct hf_value *v, const struct place *up, uint16_t type)
{
	struct place p = { .up = up, .type = type, .depth = up->depth + 1, .arena = up->arena };

	p.in_a_pod = up->in_a_pod && type != HF_KUBE_TYPE_core_v1_PodTemplateSpec;
	if (v->type == HF_VALUE_OBJECT) {
		*v = complete(v, &p);
	} else if (v->type == HF_VALUE_ARRAY && v->n) {
		struct hf_value *list = hf_arena_array(p.arena, struct hf_value, v->n);
		for (size_t i = 0; i < v->n && list; i++)
			list[i] =
				v->elements[i].type == HF_VALUE_OBJECT ? complete(&v->elements[i], &p) : v->elements[i];
		if (list)
			v->elements = list;
	}
}

/* Recursion ends with the tree, whose depth the readers bound. */
static struct hf_value complete(const struct hf_value *v, struct place *p)
{
	struct hf_value whole = *v;
	size_t more = 0;
	uint16_t below;

	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		more += rows[i].type == p->type;
	struct hf_member *members = hf_arena_array(p->arena, struct hf_member, v->n + more);
	if (!members || p->depth == DEPTH_MAX)
		return whole;
	if (v->n)
		memcpy(members, v->members, v->n * sizeof *members);
	whole.members = members;
	p->value = &whole;
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows) && more; i++) {
		struct hf_value filled;
		if (rows[i].type == p->type && (rows[i].merges || !has(p, rows[i].member)) &&
		    value_of(&rows[i], p, &filled))
			whole.n = put(members, whole.n, rows[i].member, &filled);
	}
	for (size_t i = 0; i < whole.n; i++)
		if (hf_kube_schema_member(p->type, hf_member_key(&members[i]), &below))
			complete_below(&members[i].value, p, below);
	return whole;
}

static const struct hf_value *completed(const struct hf_value *v, uint16_t type, bool as_pod, struct hf_arena *a)
{
	struct place p = { .type = type, .in_a_pod = as_pod, .arena = a };
	struct hf_value *whole = hf_arena_new(a, struct hf_value);

	if (whole)
		*whole = complete(v, &p);
	return a->over ? NULL : whole;
}

const struct hf_value *hf_kube_stored(const struct hf_kube_object *o, struct hf_arena *a)
{
	uint16_t type;

	if (!hf_kube_schema_type(o, &type) || o->root->type != HF_VALUE_OBJECT)
		return o->root;
	return completed(o->root, type, o->kind == HF_KUBE_POD, a);
}

const struct hf_value *hf_kube_stored_template(const struct hf_value *template, bool as_pod, struct hf_arena *a)
{
	if (!hf_value_is(template, HF_VALUE_OBJECT))
		return NULL;
	return completed(template, HF_KUBE_TYPE_core_v1_PodTemplateSpec, as_pod, a);
}
