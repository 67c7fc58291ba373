#include "kube/templates.h"

#include <stdio.h>

/* The way to a template, as far as it was gone. */
struct search {
	struct hf_arena *arena;
	struct hf_kube_step steps[HF_KUBE_PATH_MAX];
	HF_VEC(struct hf_kube_template) found;
};

static void add(struct search *s, size_t depth, const struct hf_value *value)
{
	struct hf_kube_step *steps = hf_arena_array(s->arena, struct hf_kube_step, depth);
	struct hf_kube_template *slot = steps || !depth ? hf_vec_push(s->arena, &s->found) : NULL;

	if (!slot)
		return;
	if (depth)
		memcpy(steps, s->steps, depth * sizeof *steps);
	*slot = (struct hf_kube_template){ .path = { steps, depth }, .value = value };
}

static bool is_nothing(const struct hf_value *v)
{
	return !v || v->type == HF_VALUE_NULL;
}

/* Recursion ends with the path. What is not there is no template; what is of a wrong type is one that nobody can read. */
static void go(struct search *s, const struct hf_value *at, hf_sv rest, size_t depth)
{
	hf_sv key;

	if (is_nothing(at) || s->arena->over)
		return;
	if (!rest.len || depth == HF_KUBE_PATH_MAX || !hf_sv_next(&rest, '.', &key)) {
		add(s, depth, at);
		return;
	}
	if (!hf_sv_eq(key, HF_SV("*"))) {
		s->steps[depth] = (struct hf_kube_step){ .key = key };
		if (at->type == HF_VALUE_OBJECT)
			go(s, hf_value_get(at, key), rest, depth + 1);
		else
			add(s, depth + 1, NULL);
		return;
	}
	if (at->type != HF_VALUE_ARRAY && at->type != HF_VALUE_OBJECT)
		add(s, depth, NULL);
	hf_value_elements(at, e)
	{
		s->steps[depth] = (struct hf_kube_step){ .index = (size_t)(e - at->elements) };
		go(s, e, rest, depth + 1);
	}
	hf_value_members(at, m)
	{
		s->steps[depth] = (struct hf_kube_step){ .key = hf_member_key(m) };
		go(s, &m->value, rest, depth + 1);
	}
}

/* Where it would stand: the first of its paths, up to what there may be none of. */
static void add_absent(struct search *s, hf_sv path)
{
	size_t depth = 0;
	hf_sv key;

	while (path.len && depth < HF_KUBE_PATH_MAX && hf_sv_next(&path, '.', &key) && !hf_sv_eq(key, HF_SV("*")))
		s->steps[depth++] = (struct hf_kube_step){ .key = key };
	add(s, depth, NULL);
}

const struct hf_kube_template *hf_kube_templates(const struct hf_kube_object *o, struct hf_arena *a, size_t *ret_n)
{
	const char *paths = hf_kube_kinds[o->kind].template;
	struct search s = { .arena = a };
	hf_sv rest = hf_sv_of(paths ? paths : ""), path, first;

	*ret_n = 0;
	if (!paths)
		return NULL;
	/* Most have one. */
	s.found.at = hf_arena_new(a, struct hf_kube_template);
	s.found.slots = s.found.at != NULL;
	if (!rest.len)
		add(&s, 0, o->root);
	for (first = rest; rest.len && hf_sv_next(&rest, ' ', &path);) {
		first = s.found.n ? first : path;
		go(&s, o->root, path, 0);
	}
	if (!s.found.n)
		add_absent(&s, first);
	*ret_n = s.found.n;
	return s.found.at;
}

hf_sv hf_kube_path_pointer(struct hf_kube_path path, struct hf_arena *a)
{
	struct hf_buf text = HF_BUF(SIZE_MAX);

	for (size_t i = 0; i < path.n; i++) {
		hf_sv key = path.steps[i].key;
		hf_buf_add(&text, HF_SV("/"));
		if (!key.ptr)
			hf_buf_addf(&text, "%zu", path.steps[i].index);
		for (size_t k = 0; k < key.len; k++)
			hf_buf_add(&text, key.ptr[k] == '~'   ? HF_SV("~0")
					  : key.ptr[k] == '/' ? HF_SV("~1")
							      : (hf_sv){ key.ptr + k, 1 });
	}
	hf_sv out = hf_arena_dup(a, hf_buf_view(&text));
	hf_buf_done(&text);
	return out;
}
