#include "kube/place.h"

#include <stdio.h>

enum { COMMENT_LINES_MAX = 16 };

hf_sv hf_kube_template(const struct hf_kube_object *o)
{
	hf_sv above = hf_sv_first(o->source->text, o->root->offset), line = above;

	if (hf_kube_is_live(o))
		return (hf_sv){ 0 };
	for (unsigned i = 0; i < COMMENT_LINES_MAX && hf_sv_ends(above, HF_SV("\n")); i++) {
		above = hf_sv_first(above, above.len - 1);
		size_t end = hf_sv_last_index(above, '\n');
		line = end == SIZE_MAX ? above : hf_sv_skip(above, end + 1);
		above = hf_sv_first(above, above.len - line.len);
		if (hf_sv_starts(line, HF_SV("# Source: ")))
			return hf_sv_trim(hf_sv_skip(line, 10));
		if (hf_sv_trim(line).len && line.ptr[0] != '#')
			break;
	}
	return (hf_sv){ 0 };
}

const char *hf_kube_place(const struct hf_kube_object *o, uint32_t line, char *out, size_t size)
{
	char part[5][400];
	hf_sv template = hf_kube_template(o);
	const hf_sv texts[] = { hf_kube_is_live(o) ? o->cluster : o->source->name, o->namespace, o->kind_name, o->name,
				template };

	for (size_t i = 0; i < HF_ARRAY_SIZE(part); i++)
		hf_escape_controls(part[i], sizeof part[i], texts[i]);
	if (hf_kube_is_live(o))
		snprintf(out, size, "cluster:%s %s%s%s/%s", part[0], part[1], o->namespace.len ? "/" : "", part[2],
			 part[3]);
	else if (line && template.len)
		snprintf(out, size, "%s:%u, of %s", part[0], line, part[4]);
	else if (line)
		snprintf(out, size, "%s:%u", part[0], line);
	else
		snprintf(out, size, "%s", part[0]);
	return out;
}
