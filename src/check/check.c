#include "check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct hf_check_group *const hf_check_groups[] = {
#define HF_CHECK_GROUP(row) &hf_check_group_##row,
#include "check/checks.def"
#undef HF_CHECK_GROUP
	NULL,
};

struct hf_check_answers {
	HF_VEC(struct hf_check_result *) blocks;
	size_t results_n;
	struct hf_check_patch *patches; /* of the last result */
	size_t patches_n, patches_slots;
	struct hf_check_counts *counts; /* of the check at hand */
	struct hf_check_result spare;   /* where the arena is full */
	const struct hf_kube_object *about;
};

const char *hf_check_status_name(enum hf_check_status s)
{
	static const char *const names[] = { "pass", "fail", "not_applicable", "not_assessable" };

	return names[s];
}

static struct hf_check_result *push_result(struct hf_arena *a, struct hf_check_answers *w)
{
	if (w->results_n == w->blocks.n * HF_CHECK_BLOCK) {
		struct hf_check_result *block = hf_arena_array(a, struct hf_check_result, HF_CHECK_BLOCK),
				       **slot = block ? hf_vec_push(a, &w->blocks) : NULL;
		if (!slot)
			return NULL;
		*slot = block;
	}
	return &w->blocks.at[w->blocks.n - 1][w->results_n++ % HF_CHECK_BLOCK];
}

static struct hf_check_result *answer(struct hf_check_run *r, enum hf_check_status status, const struct hf_value *at)
{
	struct hf_check_answers *w = r->answers;
	struct hf_check_result *slot = push_result(r->arena, w);

	r->answered = true;
	w->counts->of[status]++;
	w->patches = NULL;
	w->patches_n = w->patches_slots = 0;
	slot = slot ? slot : &w->spare;
	*slot = (struct hf_check_result){ .check = r->check,
					  .status = status,
					  .object = w->about ? w->about : r->object,
					  .container = r->container ? r->container->name : (hf_sv){ 0 },
					  .at = at             ? at
						: r->container ? r->container->value
							       : NULL };
	return slot;
}

static hf_printf(2, 0) hf_sv format(struct hf_arena *a, const char *fmt, va_list ap)
{
	char text[1024];
	int n = vsnprintf(text, sizeof text, fmt, ap);

	return hf_arena_dup(a, (hf_sv){ text, n < 0 ? 0 : n < (int)sizeof text ? (size_t)n : sizeof text - 1 });
}

bool hf_check_is_safe(const struct hf_check_result *r)
{
	bool safe = r->status == HF_CHECK_FAIL && r->patches_n && r->object &&
		    (!r->cluster.len || r->object->source->saved);

	for (size_t i = 0; safe && i < r->patches_n; i++)
		safe = r->patches[i].safe;
	return safe;
}

struct hf_check_result *hf_check_fail(struct hf_check_run *r, const struct hf_value *at, const char *fmt, ...)
{
	struct hf_check_result *result = answer(r, HF_CHECK_FAIL, at);
	va_list ap;

	va_start(ap, fmt);
	result->message = format(r->arena, fmt, ap);
	va_end(ap);
	return result;
}

void hf_check_not_assessable(struct hf_check_run *r, const char *fmt, ...)
{
	struct hf_check_result *result = answer(r, HF_CHECK_NOT_ASSESSABLE, NULL);
	va_list ap;

	va_start(ap, fmt);
	result->message = format(r->arena, fmt, ap);
	va_end(ap);
}

void hf_check_not_applicable(struct hf_check_run *r)
{
	r->answered = true;
	r->answers->counts->of[HF_CHECK_NOT_APPLICABLE]++;
}

void hf_check_about(struct hf_check_run *r, const struct hf_kube_object *o)
{
	r->answers->about = o;
}

static hf_sv spec_pointer(const struct hf_check_run *r)
{
	return hf_arena_concat(r->arena, hf_kube_path_pointer(r->pod->path, r->arena), HF_SV("/spec"));
}

static hf_sv subject_pointer(const struct hf_check_run *r)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	size_t low = 0, high;

	if (!r->pod)
		return HF_SV("");
	if (!r->container)
		return spec_pointer(r);
	/* The first one of its role: they stand in the order of their roles. */
	for (high = (size_t)(r->container - r->pod->containers); low < high;) {
		size_t middle = low + (high - low) / 2;
		if (r->pod->containers[middle].role < r->container->role)
			low = middle + 1;
		else
			high = middle;
	}
	hf_sv spec = spec_pointer(r);
	return hf_arena_fmt(r->arena, "%.*s/%s/%zu", HF_SV_FMT(spec), lists[r->container->role],
			    (size_t)(r->container - r->pod->containers) - low);
}

/* Most results have one: room for more is made when they come. */
static struct hf_check_patch *push_patch(struct hf_arena *a, struct hf_check_answers *w)
{
	if (w->patches_n == w->patches_slots) {
		size_t slots = w->patches_slots ? 2 * w->patches_slots : 1;
		struct hf_check_patch *more = hf_arena_array(a, struct hf_check_patch, slots);
		if (!more)
			return NULL;
		if (w->patches_n)
			memcpy(more, w->patches, w->patches_n * sizeof *more);
		w->patches = more;
		w->patches_slots = slots;
	}
	return &w->patches[w->patches_n++];
}

void hf_check_patch(struct hf_check_run *r, struct hf_check_result *result, const char *path, const char *json,
		    bool safe)
{
	struct hf_check_patch *p = push_patch(r->arena, r->answers);

	if (!p)
		return;
	*p = (struct hf_check_patch){ .op = json ? "add" : "remove",
				      .pointer = hf_arena_concat(r->arena, subject_pointer(r), hf_sv_of(path)),
				      .json = hf_arena_dup(r->arena, hf_sv_of(json)),
				      .safe = safe };
	result->patches = r->answers->patches;
	result->patches_n = r->answers->patches_n;
}

static void ask(struct hf_check_run *r)
{
	r->answered = false;
	r->answers->about = NULL;
	r->check->evaluate(r);
	if (!r->answered)
		r->answers->counts->of[HF_CHECK_PASS]++;
}

static void ask_containers(struct hf_check_run *r)
{
	for (size_t i = 0; i < r->pod->containers_n; i++) {
		r->container = &r->pod->containers[i];
		ask(r);
	}
	r->container = NULL;
}

static bool is_of(const struct hf_check *c, enum hf_kube_kind kind)
{
	for (size_t i = 0; i < HF_CHECK_KINDS_MAX && c->kinds[i]; i++)
		if (c->kinds[i] == kind)
			return true;
	return false;
}

static void ask_about_all(struct hf_check_run *r)
{
	r->memo = NULL;
	switch (r->check->subject) {
	case HF_CHECK_CONTAINER:
	case HF_CHECK_POD:
		for (size_t i = 0; i < r->pods_n; i++) {
			r->pod = &r->pods[i];
			r->object = r->pod->object;
			if (r->check->subject == HF_CHECK_POD)
				ask(r);
			else
				ask_containers(r);
		}
		break;
	case HF_CHECK_OBJECT:
		for (size_t i = 0; i < r->set->n; i++) {
			r->object = r->set->objects[i];
			if (!r->object->replaced && is_of(r->check, r->object->kind))
				ask(r);
		}
		break;
	case HF_CHECK_CLUSTER:
		ask(r);
		break;
	}
	r->pod = NULL;
	r->object = NULL;
}

enum { SIBLINGS_MAX = 4 };
struct siblings {
	const struct hf_kube_object *of[SIBLINGS_MAX];
	size_t n;
};

/* Of the pods that an owner in the set does not make as they are, those that are alike are asked about once: a sidecar that admission puts
 * into each replica. */
static bool has_sibling(const struct hf_kube_objects *set, const struct hf_kube_object *o, struct hf_map *owners)
{
	hf_sv kind, name;
	const struct hf_kube_object *top = hf_kube_top_owner(set, o, &kind, &name);
	struct hf_map_entry *e =
		top == o ? NULL
			 : hf_map_put(owners, hf_arena_dup(owners->arena, (hf_sv){ (const char *)&top, sizeof(top) }));
	struct siblings *s = e && e->value ? e->value : e ? hf_arena_new(owners->arena, struct siblings) : NULL;

	if (!s)
		return false;
	e->value = s;
	for (size_t i = 0; i < s->n; i++)
		if (s->of[i]->kind == o->kind && hf_kube_is_same_pod(o, s->of[i]))
			return true;
	if (s->n < SIBLINGS_MAX)
		s->of[s->n++] = o;
	return false;
}

static size_t own_pods(const struct hf_kube_objects *set, struct hf_kube_pod *pods, size_t n, struct hf_arena *a)
{
	struct hf_map owners = HF_MAP(a);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct hf_kube_object *o = pods[i].object;
		/* Without a uid it was never in a cluster, whatever its status says. */
		if (!o->replaced && !(pods[i].finished && hf_value_get(o->metadata, HF_SV("uid"))) &&
		    !hf_kube_is_made_by_owner(set, o) && !has_sibling(set, o, &owners))
			pods[kept++] = pods[i];
	}
	return kept;
}

static bool wanted_check(const struct hf_check *const *wanted, const struct hf_check *c)
{
	for (; wanted && *wanted; wanted++)
		if (*wanted == c)
			return true;
	return !wanted;
}

static void run_cluster(const struct hf_kube_objects *all, const struct hf_kube_objects *set, hf_sv cluster,
			struct hf_check_report *report, const struct hf_check_settings *settings,
			struct hf_check_answers *answers, struct hf_arena *a)
{
	struct hf_check_run r = { .set = set,
				  .all = all,
				  .cluster = cluster,
				  .settings = settings,
				  .arena = a,
				  .answers = answers,
				  .live = cluster.len && set->n && !set->objects[0]->source->saved };
	struct hf_kube_pod *pods = (struct hf_kube_pod *)hf_kube_pods(set, a, &r.pods_n);

	r.pods = pods;
	r.pods_n = pods ? own_pods(set, pods, r.pods_n, a) : 0;
	for (size_t i = 0; i < report->checks_n && !a->over; i++) {
		size_t before = answers->results_n;
		r.check = report->checks[i];
		answers->counts = &((struct hf_check_counts *)report->counts)[i];
		ask_about_all(&r);
		for (size_t k = before; k < answers->results_n; k++)
			answers->blocks.at[k / HF_CHECK_BLOCK][k % HF_CHECK_BLOCK].cluster = cluster;
	}
}

const struct hf_check_report *hf_check_all(const struct hf_kube_objects *set, const struct hf_check *const *wanted,
					   const struct hf_check_settings *settings, struct hf_arena *a)
{
	struct hf_check_report *report = hf_arena_new(a, struct hf_check_report);
	struct hf_check_answers answers = { 0 };
	HF_VEC(const struct hf_check *) checks = { 0 };
	struct hf_map clusters = HF_MAP(a);

	for (size_t g = 0; hf_check_groups[g]; g++)
		for (size_t i = 0; i < hf_check_groups[g]->checks_n; i++)
			if (wanted_check(wanted, &hf_check_groups[g]->checks[i])) {
				const struct hf_check **slot = hf_vec_push(a, &checks);
				if (slot)
					*slot = &hf_check_groups[g]->checks[i];
			}
	if (!report)
		return NULL;
	report->checks = checks.at;
	report->checks_n = checks.n;
	report->counts = hf_arena_array(a, struct hf_check_counts, checks.n);
	for (size_t i = 0; i < set->n; i++)
		hf_map_put(&clusters, set->objects[i]->cluster);
	if (!clusters.n)
		hf_map_put(&clusters, HF_SV(""));
	for (size_t i = 0; i < clusters.n && report->counts; i++) {
		const struct hf_kube_objects *part =
			clusters.n == 1 ? set : hf_kube_of_cluster(set, clusters.entries[i].key, a);
		if (part)
			run_cluster(set, part, clusters.entries[i].key, report, settings, &answers, a);
	}
	report->blocks = answers.blocks.at;
	report->results_n = answers.results_n;
	return report;
}
