#include "check/compare.h"

#include "base/map.h"

struct comparison {
	struct hf_map counts; /* a size_t a finding: how many of the old ones are left */
	struct hf_arena *arena;
};

typedef HF_VEC(const struct hf_check_result *) list;

static hf_sv identity(const struct hf_check_result *r, struct hf_arena *a)
{
	hf_sv nothing = { 0 };
	const struct hf_kube_object *o = r->object;
	hf_sv namespace = o ? o->namespace : nothing, kind = o ? o->kind_name : nothing, name = o ? o->name : nothing;

	return hf_arena_fmt(a, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", r->check->id, HF_SV_FMT(namespace), HF_SV_FMT(kind),
			    HF_SV_FMT(name), HF_SV_FMT(r->container), HF_SV_FMT(r->message));
}

static size_t *left_of(struct comparison *c, const struct hf_check_result *r)
{
	struct hf_map_entry *e = hf_map_put(&c->counts, identity(r, c->arena));

	if (e && !e->value)
		e->value = hf_arena_new(c->arena, size_t);
	return e ? e->value : NULL;
}

static void add(struct hf_arena *a, list *to, const struct hf_check_result *r)
{
	const struct hf_check_result **slot = hf_vec_push(a, to);

	if (slot)
		*slot = r;
}

bool hf_check_compare(const struct hf_check_report *before, const struct hf_check_report *after, struct hf_arena *a,
		      struct hf_check_difference *ret)
{
	struct comparison c = { HF_MAP(a), a };
	list came = { 0 }, went = { 0 }, stays = { 0 };

	for (size_t i = 0; i < before->results_n; i++) {
		const struct hf_check_result *r = hf_check_result_at(before, i);
		size_t *left = r->status == HF_CHECK_FAIL ? left_of(&c, r) : NULL;
		if (left)
			++*left;
	}
	for (size_t i = 0; i < after->results_n; i++) {
		const struct hf_check_result *r = hf_check_result_at(after, i);
		size_t *left = r->status == HF_CHECK_FAIL ? left_of(&c, r) : NULL;
		if (left)
			add(a, *left ? &stays : &came, r);
		if (left && *left)
			--*left;
	}
	for (size_t i = 0; i < before->results_n; i++) {
		const struct hf_check_result *r = hf_check_result_at(before, i);
		size_t *left = r->status == HF_CHECK_FAIL ? left_of(&c, r) : NULL;
		if (left && *left) {
			add(a, &went, r);
			--*left;
		}
	}
	*ret = (struct hf_check_difference){ came.at, went.at, stays.at, came.n, went.n, stays.n };
	return !a->over;
}
