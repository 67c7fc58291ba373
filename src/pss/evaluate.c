#include "pss/eval.h"

#include <stdio.h>

const struct hf_pss_control *const hf_pss_controls[HF_PSS_CONTROLS] = {
#define HF_PSS_CONTROL(row) &hf_pss_##row,
#include "pss/controls.def"
#undef HF_PSS_CONTROL
};
_Static_assert(HF_PSS_CONTROLS <= 32, "hf_pss_failed has a bit a control");

enum { CHAIN_MAX = HF_KUBE_PATH_MAX + 2, LISTS = 3 }; /* from the root to the spec */

struct walk {
	struct hf_pss_eval e;
	struct hf_pss_at chain[CHAIN_MAX];
	struct hf_pss_at metadata, lists[LISTS];
	const struct hf_pss_at *broken; /* on the way to the spec something is of a wrong type */
};

static const hf_sv list_names[LISTS] = { HF_SV_INIT("initContainers"), HF_SV_INIT("containers"),
					 HF_SV_INIT("ephemeralContainers") };

static size_t path_length(const struct hf_pss_at *at)
{
	char digits[24];
	size_t n = 0;

	for (; at->up; at = at->up)
		n += at->key.ptr ? at->key.len + (at->up->up != NULL)
				 : (size_t)snprintf(digits, sizeof digits, "[%zu]", at->index);
	return n;
}

/* Written from its end: a place knows what is around it, not what is below. */
static hf_sv path_of(const struct hf_pss_at *at, struct hf_arena *a)
{
	char digits[24];
	size_t end = path_length(at);
	char *out = hf_arena_alloc(a, end + 1, 1);
	hf_sv path = { out, end };

	for (; out && at->up; at = at->up) {
		hf_sv part = at->key;
		if (!part.ptr)
			part = (hf_sv){ digits, (size_t)snprintf(digits, sizeof digits, "[%zu]", at->index) };
		end -= part.len;
		if (part.len)
			memcpy(out + end, part.ptr, part.len);
		if (at->key.ptr && at->up->up)
			out[--end] = '.';
	}
	return out ? path : (hf_sv){ 0 };
}

static void tell(struct hf_pss_eval *e, const struct hf_pss_at *at, enum hf_pss_why why)
{
	const struct hf_pss_at *near = at;

	e->failed = true;
	if (!e->arena)
		return;
	if (!e->fields)
		e->fields = hf_arena_array(e->arena, struct hf_pss_field, 4);
	else if (e->n >= 4 && e->n < HF_PSS_FIELDS_MAX && !(e->n & (e->n - 1))) {
		struct hf_pss_field *more = hf_arena_array(e->arena, struct hf_pss_field, 2 * e->n);
		if (more)
			memcpy(more, e->fields, e->n * sizeof *more);
		e->fields = more;
	}
	if (e->n == HF_PSS_FIELDS_MAX || !e->fields) {
		e->left_off++;
		return;
	}
	while (!near->value && near->up)
		near = near->up;
	e->fields[e->n++] = (struct hf_pss_field){
		.why = why,
		.path = path_of(at, e->arena),
		.container = e->container ? hf_value_get_text(e->container->value, HF_SV("name")) : (hf_sv){ 0 },
		.value = at->value,
		.near = near->value,
	};
}

void hf_pss_forbid(struct hf_pss_eval *e, const struct hf_pss_at *at)
{
	tell(e, at, HF_PSS_FORBIDDEN);
}

void hf_pss_miss(struct hf_pss_eval *e, const struct hf_pss_at *at)
{
	tell(e, at, HF_PSS_MISSING);
}

/* Gives the place its value, or has it read as nothing. */
static void settle(struct hf_pss_eval *e, struct hf_pss_at *at, const struct hf_value *v, enum hf_value_type type)
{
	if (!v || v->type == HF_VALUE_NULL)
		return;
	at->value = v;
	if (v->type == type)
		return;
	tell(e, at, HF_PSS_UNREADABLE);
	at->value = NULL;
	at->wrong = true;
}

struct hf_pss_at hf_pss_member(struct hf_pss_eval *e, const struct hf_pss_at *up, hf_sv key, enum hf_value_type type)
{
	struct hf_pss_at at = { .up = up, .key = key, .wrong = up->wrong };

	if (up->value)
		settle(e, &at, hf_value_get(up->value, key), type);
	return at;
}

struct hf_pss_at hf_pss_element(struct hf_pss_eval *e, const struct hf_pss_at *array, size_t i, enum hf_value_type type)
{
	struct hf_pss_at at = { .up = array, .index = i, .wrong = array->wrong };

	settle(e, &at, &array->value->elements[i], type);
	return at;
}

bool hf_pss_int(struct hf_pss_eval *e, const struct hf_pss_at *up, hf_sv key, struct hf_pss_at *ret_at, int64_t *ret)
{
	*ret_at = hf_pss_member(e, up, key, HF_VALUE_NUMBER);
	if (!ret_at->value || hf_value_int(ret_at->value, ret))
		return ret_at->value != NULL;
	tell(e, ret_at, HF_PSS_UNREADABLE);
	ret_at->wrong = true;
	return false;
}

const struct hf_pss_at *hf_pss_pod_security(struct hf_pss_eval *e)
{
	e->pod_security = hf_pss_member(e, e->spec, HF_SV("securityContext"), HF_VALUE_OBJECT);
	return &e->pod_security;
}

struct hf_pss_at hf_pss_annotations(struct hf_pss_eval *e)
{
	if (e->metadata->wrong)
		tell(e, e->metadata, HF_PSS_UNREADABLE);
	return hf_pss_member(e, e->metadata, HF_SV("annotations"), HF_VALUE_OBJECT);
}

bool hf_pss_one_of(hf_sv s, const hf_sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(s, list[i]))
			return true;
	return false;
}

bool hf_pss_annotation_text(struct hf_pss_eval *e, const struct hf_pss_at *annotations, const struct hf_member *m,
			    struct hf_pss_at *ret_at)
{
	*ret_at = (struct hf_pss_at){ .up = annotations, .key = hf_member_key(m) };
	settle(e, ret_at, &m->value, HF_VALUE_STRING);
	return !ret_at->wrong;
}

bool hf_pss_confines(struct hf_pss_eval *e, const struct hf_pss_at *profile)
{
	struct hf_pss_at type = hf_pss_member(e, profile, HF_SV("type"), HF_VALUE_STRING);
	hf_sv t = hf_pss_text(&type);

	if (hf_sv_eq(t, HF_SV("RuntimeDefault")) || hf_sv_eq(t, HF_SV("Localhost")))
		return true;
	if (!type.wrong)
		hf_pss_forbid(e, &type);
	return false;
}

/* Nobody is told of wrong types on the way: each control is, when its turn comes. */
static void find(struct hf_pss_at *at, const struct hf_pss_at *up, hf_sv key, enum hf_value_type type)
{
	const struct hf_value *v = hf_value_get(up->value, key);

	*at = (struct hf_pss_at){ .up = up, .key = key, .value = v, .wrong = v && v->type != type };
}

static void step(struct hf_pss_at *at, const struct hf_pss_at *up, const struct hf_kube_step *s,
		 enum hf_value_type type)
{
	const struct hf_value *v = up->value;

	if (s->key.ptr) {
		find(at, up, s->key, type);
		return;
	}
	v = s->index < hf_value_count(v, HF_VALUE_ARRAY) ? &v->elements[s->index] : NULL;
	*at = (struct hf_pss_at){ .up = up, .index = s->index, .value = v, .wrong = v && v->type != type };
}

static void begin(struct walk *w, const struct hf_kube_pod *pod, const struct hf_pss_policy *policy, struct hf_arena *a)
{
	struct hf_pss_at *at = w->chain;

	w->e.pod = pod;
	w->broken = NULL;
	w->e.arena = a;
	w->e.minor = policy->minor < HF_PSS_NEWEST ? (unsigned)policy->minor : HF_PSS_NEWEST;
	at->value = pod->object->root;
	for (size_t i = 0; i < pod->path.n; i++, at++) {
		const struct hf_kube_step *next = i + 1 < pod->path.n ? &pod->path.steps[i + 1] : NULL;
		step(at + 1, at, &pod->path.steps[i], next && !next->key.ptr ? HF_VALUE_ARRAY : HF_VALUE_OBJECT);
		if (at[1].wrong)
			w->broken = w->broken ? w->broken : at + 1;
	}
	find(&w->metadata, at, HF_SV("metadata"), HF_VALUE_OBJECT);
	find(at + 1, at, HF_SV("spec"), HF_VALUE_OBJECT);
	at++;
	if (at->wrong)
		w->broken = w->broken ? w->broken : at;
	w->e.spec = at;
	w->e.metadata = &w->metadata;
	for (size_t i = 0; i < LISTS; i++)
		find(&w->lists[i], at, list_names[i], HF_VALUE_ARRAY);
}

static void visit_containers(struct walk *w, const struct hf_pss_control *c)
{
	for (size_t l = 0; l < LISTS; l++) {
		if (w->lists[l].wrong)
			tell(&w->e, &w->lists[l], HF_PSS_UNREADABLE);
		for (size_t i = 0; i < hf_pss_count(&w->lists[l]); i++) {
			struct hf_pss_at container = hf_pss_element(&w->e, &w->lists[l], i, HF_VALUE_OBJECT);
			w->e.container = &container;
			if (!container.wrong)
				c->container(&w->e, &container);
			w->e.container = NULL;
			if (w->e.failed && !w->e.arena)
				return;
		}
	}
}

static bool fails(struct walk *w, const struct hf_pss_control *c)
{
	w->e.control = c;
	w->e.failed = w->e.covered = false;
	if (w->broken) {
		tell(&w->e, w->broken, HF_PSS_UNREADABLE);
		return true;
	}
	if (c->pod)
		c->pod(&w->e);
	if (c->container && !(w->e.failed && !w->e.arena))
		visit_containers(w, c);
	return w->e.failed;
}

static bool asked_for(const struct walk *w, const struct hf_pss_control *c, const struct hf_pss_policy *policy)
{
	const struct hf_value *host_users = hf_value_get(w->e.spec->value, HF_SV("hostUsers"));

	if (c->level > policy->level || w->e.minor < c->since)
		return false;
	if (policy->level == HF_PSS_RESTRICTED && w->e.minor >= c->overridden_from)
		return false;
	if (w->e.pod->windows && w->e.minor >= c->windows_from)
		return false;
	return !(c->user_namespaces && policy->user_namespaces && hf_value_is(host_users, HF_VALUE_BOOL) &&
		 !host_users->boolean);
}

uint32_t hf_pss_failed(const struct hf_kube_pod *pod, const struct hf_pss_policy *policy)
{
	struct walk w = { 0 };
	uint32_t failed = 0;

	if (policy->level == HF_PSS_PRIVILEGED)
		return 0;
	begin(&w, pod, policy, NULL);
	for (unsigned i = 0; i < HF_PSS_CONTROLS; i++)
		if (asked_for(&w, hf_pss_controls[i], policy) && fails(&w, hf_pss_controls[i]))
			failed |= UINT32_C(1) << i;
	return failed;
}

size_t hf_pss_evaluate(const struct hf_kube_pod *pods, size_t pods_n, const struct hf_pss_policy *policy,
		       struct hf_arena *a, const struct hf_pss_finding **ret)
{
	struct walk w = { 0 };
	struct hf_pss_finding *list = NULL;
	size_t n = 0;

	*ret = NULL;
	if (policy->level == HF_PSS_PRIVILEGED)
		return 0;
	for (unsigned i = 0; i < HF_PSS_CONTROLS; i++) {
		const struct hf_pss_control *c = hf_pss_controls[i];
		bool failed = false;
		w.e.fields = NULL;
		w.e.n = w.e.left_off = 0;
		for (size_t p = 0; p < pods_n; p++) {
			begin(&w, &pods[p], policy, a);
			failed |= asked_for(&w, c, policy) && fails(&w, c);
		}
		if (!failed)
			continue;
		if (!list)
			list = hf_arena_array(a, struct hf_pss_finding, HF_PSS_CONTROLS);
		if (list)
			list[n++] = (struct hf_pss_finding){ c, w.e.fields, w.e.n, w.e.left_off };
	}
	*ret = list;
	return n;
}
