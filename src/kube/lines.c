#include "kube/lines.h"

enum { BLOCK = 4096 };

static uint32_t breaks(hf_sv s)
{
	uint32_t n = 0;

	for (const char *p = s.ptr, *end = s.ptr + s.len; p && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

static void mark(struct hf_kube_lines *l, const struct hf_kube_source *source)
{
	uint32_t before = 0;

	l->source = source;
	l->n = source->text.len / BLOCK + 1;
	l->before = hf_arena_array(l->arena, uint32_t, l->n);
	for (size_t i = 0; i < l->n && l->before; i++) {
		l->before[i] = before;
		before += breaks(hf_sv_slice(source->text, i * BLOCK, BLOCK));
	}
}

uint32_t hf_kube_lines_at(struct hf_kube_lines *l, const struct hf_kube_object *o, const struct hf_value *v)
{
	size_t offset = v ? v->offset : o->offset;

	if (l->source != o->source)
		mark(l, o->source);
	size_t block = offset / BLOCK < l->n ? offset / BLOCK : l->n - 1;
	if (!l->before)
		return 0;
	return 1 + l->before[block] + breaks(hf_sv_slice(o->source->text, block * BLOCK, offset - block * BLOCK));
}
