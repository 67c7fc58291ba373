#include "baseline/profile_diff.h"

#include "base/limits.h"
#include "format/yaml.h"

typedef HF_VEC(struct hf_profile_change) change_list;

void hf_profile_shape_write(const struct hf_profile_shape *shape, struct hf_buf *out)
{
	hf_buf_add_char(out, '[');
	for (size_t i = 0; i < shape->n; i++) {
		if (i)
			hf_buf_add(out, HF_SV(", "));
		hf_yaml_write_scalar(out, shape->arguments[i]);
	}
	hf_buf_add_char(out, ']');
}

static void separate(struct hf_buf *out)
{
	if (out->len)
		hf_buf_add(out, HF_SV(", "));
}

static bool has_detail(const struct hf_profile_entry *e, hf_sv detail)
{
	for (size_t i = 0; i < e->details_n; i++)
		if (hf_sv_eq(e->details[i], detail))
			return true;
	return false;
}

static bool has_shape(const struct hf_profile_entry *e, const struct hf_profile_shape *s)
{
	for (size_t i = 0; i < e->shapes_n; i++) {
		size_t k = 0;
		while (k < s->n && k < e->shapes[i].n && hf_sv_eq(e->shapes[i].arguments[k], s->arguments[k]))
			k++;
		if (k == s->n && k == e->shapes[i].n)
			return true;
	}
	return false;
}

/* What @a has and @b has not. */
static void only_in(struct hf_buf *out, char sign, const struct hf_profile_entry *a, const struct hf_profile_entry *b)
{
	for (size_t i = 0; i < a->details_n; i++)
		if (!has_detail(b, a->details[i])) {
			separate(out);
			hf_buf_addf(out, "%c%.*s", sign, HF_SV_FMT(a->details[i]));
		}
	for (size_t i = 0; i < a->shapes_n; i++)
		if (!has_shape(b, &a->shapes[i])) {
			separate(out);
			hf_buf_addf(out, "%carguments ", sign);
			hf_profile_shape_write(&a->shapes[i], out);
		}
	if (a->any_details && !b->any_details) {
		separate(out);
		hf_buf_addf(out, "%cany details", sign);
	}
	if (a->any_arguments && !b->any_arguments) {
		separate(out);
		hf_buf_addf(out, "%cany arguments", sign);
	}
}

static void compare(const struct hf_profile_entry *x, const struct hf_profile_entry *y, enum hf_profile_part part,
		    struct hf_arena *a, change_list *list)
{
	hf_cleanup(hf_buf_done) struct hf_buf what = HF_BUF(HF_PROFILE_SIZE_MAX);
	struct hf_profile_change *c;

	only_in(&what, '-', x, y);
	only_in(&what, '+', y, x);
	if (!what.len)
		return;
	c = hf_vec_push(a, list);
	if (c)
		*c = (struct hf_profile_change){ HF_CHANGE_OTHER, part, x, y, hf_arena_dup(a, hf_buf_view(&what)) };
}

static void add(struct hf_arena *a, change_list *list, enum hf_profile_part part, const struct hf_profile_entry *before,
		const struct hf_profile_entry *after)
{
	struct hf_profile_change *c = hf_vec_push(a, list);

	if (c)
		*c = (struct hf_profile_change){
			.change = before ? HF_CHANGE_GONE : HF_CHANGE_NEW,
			.part = part,
			.before = before,
			.after = after,
		};
}

const struct hf_profile_change *hf_profile_diff(const struct hf_profile *before, const struct hf_profile *after,
						struct hf_arena *a, size_t *ret_n)
{
	change_list list = { 0 };

	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		size_t n, m, i = 0, k = 0;
		const struct hf_profile_entry **x = hf_profile_sorted(before, part, a, &n);
		const struct hf_profile_entry **y = hf_profile_sorted(after, part, a, &m);
		while (i < n || k < m) {
			int order = i == n ? 1 : k == m ? -1 : hf_sv_cmp(x[i]->object, y[k]->object);
			if (order < 0)
				add(a, &list, part, x[i++], NULL);
			else if (order > 0)
				add(a, &list, part, NULL, y[k++]);
			else
				compare(x[i++], y[k++], part, a, &list);
		}
	}
	*ret_n = list.n;
	return list.at;
}
