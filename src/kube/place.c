#include "kube/place.h"

#include <stdio.h>

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
