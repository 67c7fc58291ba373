#include "kube/lines.h"

#include <stdio.h>

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

	if (hf_kube_is_live(o))
		return 0;
	if (l->source != o->source)
		mark(l, o->source);
	size_t block = offset / BLOCK < l->n ? offset / BLOCK : l->n - 1;
	if (!l->before)
		return 0;
	return 1 + l->before[block] + breaks(hf_sv_slice(o->source->text, block * BLOCK, offset - block * BLOCK));
}

const char *hf_kube_place(const struct hf_kube_object *o, uint32_t line, char *out, size_t size)
{
	char part[4][400];
	const hf_sv texts[] = { hf_kube_is_live(o) ? o->cluster : o->source->name, o->namespace, o->kind_name,
				o->name };

	for (size_t i = 0; i < HF_ARRAY_SIZE(part); i++)
		hf_escape_controls(part[i], sizeof part[i], texts[i]);
	if (hf_kube_is_live(o))
		snprintf(out, size, "cluster:%s %s%s%s/%s", part[0], part[1], o->namespace.len ? "/" : "", part[2],
			 part[3]);
	else if (line)
		snprintf(out, size, "%s:%u", part[0], line);
	else
		snprintf(out, size, "%s", part[0]);
	return out;
}
