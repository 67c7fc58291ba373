/* The difference as JSON and as text. */
#include "harden/difference.h"

void hf_difference_json(struct hf_difference *d, struct hf_json_writer *w)
{
	hf_jw_object(w);
	for (size_t i = 0; i < HF_DIFFERENCE_PARTS; i++) {
		__typeof__(d->parts[0]) *part = &d->parts[i];
		hf_jw_key(w, part->name);
		hf_jw_object(w);
		hf_jw_kv(w, "state", part->assessable ? HF_SV("assessed") : HF_SV("not_assessable"));
		hf_jw_kv_if(w, "reason", part->reason);
		if (hf_names_count(&part->granted))
			hf_names_json(&part->granted, "granted", w);
		if (part->assessable || hf_names_count(&part->used))
			hf_names_json(&part->used, "used", w);
		if (part->assessable)
			hf_names_json(&part->unused, "unused", w);
		hf_jw_object_end(w);
	}
	hf_jw_object_end(w);
}

static void write_names(struct hf_buf *out, const char *what, struct hf_names *names)
{
	const hf_sv *list = hf_names_list(names);
	size_t column = 120;

	hf_buf_addf(out, "  %-8s", what);
	if (!list || !hf_names_count(names))
		hf_buf_add(out, HF_SV(" nothing"));
	for (size_t i = 0; list && i < hf_names_count(names); i++) {
		char text[512];
		size_t n = hf_escape_controls(text, sizeof text, list[i]);
		if (column + n + 2 > 110) {
			if (i)
				hf_buf_add(out, HF_SV(",\n          "));
			column = 10;
		} else {
			hf_buf_add(out, HF_SV(","));
		}
		hf_buf_addf(out, " %s", text);
		column += n + 2;
	}
	hf_buf_add_char(out, '\n');
}

void hf_difference_table(struct hf_difference *d, struct hf_buf *out)
{
	static const char *const titles[HF_DIFFERENCE_PARTS] = { "Capabilities", "System calls", "Files",
								 "Network",      "RBAC verbs",   "Secrets" };

	for (size_t i = 0; i < HF_DIFFERENCE_PARTS; i++) {
		__typeof__(d->parts[0]) *part = &d->parts[i];
		if (!part->assessable) {
			char reason[512];
			hf_escape_controls(reason, sizeof reason, part->reason);
			hf_buf_addf(out, "%s: not assessable: %s\n", titles[i], reason);
			if (hf_names_count(&part->used))
				write_names(out, "used", &part->used);
			continue;
		}
		hf_buf_addf(out, "%s: %zu granted, %zu used, %zu to take away\n", titles[i],
			    hf_names_count(&part->granted), hf_names_count(&part->used), hf_names_count(&part->unused));
		write_names(out, "unused", &part->unused);
		write_names(out, "used", &part->used);
	}
}
