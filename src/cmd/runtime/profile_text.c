#include "cmd/runtime/profile_text.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/moment.h"
#include "format/json_writer.h"

/* Untrusted text, escaped. */
static void add_text(struct hf_out *out, hf_sv s)
{
	size_t size = 4 * s.len + 1;
	char *text = hf_malloc(size);

	hf_out_add(out, (hf_sv){ text, hf_escape_controls(text, size, s) });
	free(text);
}

static void origin(struct hf_out *out, const struct hf_profile *p, const struct hf_profile_entry *e)
{
	char moment[HF_MOMENT_MAX];
	const struct hf_sighting *s = &e->seen;

	if (s->origin & HF_ORIGIN_SEED) {
		hf_out_add(out, HF_SV("      from the image"));
		if (s->why.len) {
			hf_out_add(out, HF_SV(": "));
			add_text(out, s->why);
		}
		hf_out_add(out, HF_SV("\n"));
	}
	if (s->origin & HF_ORIGIN_LEARNED) {
		hf_out_addf(out, "      seen %llu times in %u of %llu replicas", (unsigned long long)s->count,
			    s->replicas, (unsigned long long)p->replicas);
		if (s->first_s)
			hf_out_addf(out, ", from %s", hf_moment_format(s->first_s, moment).ptr);
		if (s->last_s)
			hf_out_addf(out, " to %s", hf_moment_format(s->last_s, moment).ptr);
		if (s->origin == HF_ORIGIN_LEARNED && s->replicas == 1 && p->replicas >= HF_RARE_REPLICAS_MIN)
			hf_out_add(out, HF_SV("; rare, so it alerts"));
		hf_out_add(out, HF_SV("\n"));
	}
	if (!s->origin)
		hf_out_add(out, HF_SV("      written by a person\n"));
}

static void entry(struct hf_out *out, const struct hf_profile *p, const struct hf_profile_entry *e, bool why)
{
	hf_cleanup(hf_buf_done) struct hf_buf shape = HF_BUF(HF_PROFILE_SIZE_MAX);

	hf_out_add(out, HF_SV("    "));
	add_text(out, e->object);
	for (size_t i = 0; i < e->details_n; i++) {
		hf_out_add(out, i ? HF_SV(", ") : HF_SV("  "));
		add_text(out, e->details[i]);
	}
	hf_out_add(out, HF_SV("\n"));
	for (size_t i = 0; i < e->shapes_n; i++) {
		shape.len = 0;
		hf_profile_shape_write(&e->shapes[i], &shape);
		hf_out_add(out, HF_SV("      "));
		add_text(out, hf_buf_view(&shape));
		hf_out_add(out, HF_SV("\n"));
	}
	if (e->any_arguments)
		hf_out_add(out, HF_SV("      any arguments\n"));
	if (why)
		origin(out, p, e);
}

static void head(struct hf_out *out, const struct hf_profile *p)
{
	char moment[HF_MOMENT_MAX];

	hf_out_add(out, HF_SV("image    "));
	add_text(out, p->image_name);
	hf_out_add(out, p->image_name.len ? HF_SV(" ") : HF_SV(""));
	add_text(out, p->image_digest);
	hf_out_add(out, HF_SV("\n"));
	if (p->owner.len) {
		hf_out_add(out, HF_SV("owner    "));
		add_text(out, p->owner);
		hf_out_add(out, HF_SV("\n"));
	}
	hf_out_addf(out, "mode     %s\n", hf_profile_mode_name(p->mode));
	if (p->windows) {
		hf_out_addf(out, "learned  from %llu windows of %llu replicas", (unsigned long long)p->windows,
			    (unsigned long long)p->replicas);
		if (p->first_s)
			hf_out_addf(out, ", %s", hf_moment_format(p->first_s, moment).ptr);
		if (p->last_s)
			hf_out_addf(out, " to %s", hf_moment_format(p->last_s, moment).ptr);
		hf_out_add(out, HF_SV("\n"));
	}
	if (p->discarded_loss || p->discarded_alert)
		hf_out_addf(out, "not from %llu windows with losses, %llu with alerts\n",
			    (unsigned long long)p->discarded_loss, (unsigned long long)p->discarded_alert);
}

void profile_text_show(struct hf_out *out, const struct hf_profile *p, bool why)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);

	head(out, p);
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		const struct hf_profile_section *s = &p->sections[part];
		size_t n;
		const struct hf_profile_entry **list = hf_profile_sorted(p, part, &a, &n);
		hf_out_addf(out, "\n%s: %s\n", hf_profile_parts[part].key, hf_profile_parts[part].doc);
		if (s->overflow)
			hf_out_add(out, HF_SV("    there were more than fit: what is not here cannot be told\n"));
		else if (!s->covered)
			hf_out_add(out, HF_SV("    not looked at: what is not here cannot be told\n"));
		else if (!n)
			hf_out_add(out, HF_SV("    none: each one alerts\n"));
		for (size_t i = 0; i < n; i++)
			entry(out, p, list[i], why);
	}
}

static void entry_json(struct hf_json_writer *w, enum hf_profile_part part, const struct hf_profile_entry *e)
{
	char moment[HF_MOMENT_MAX];

	hf_jw_kv(w, hf_profile_parts[part].object, e->object);
	if (e->details_n)
		hf_jw_strings(w, hf_profile_parts[part].details, e->details, e->details_n);
	if (e->any_details)
		hf_jw_kv_bool(w, "any_details", true);
	if (e->any_arguments)
		hf_jw_kv_bool(w, "any_arguments", true);
	if (e->shapes_n) {
		hf_jw_key(w, "arguments");
		hf_jw_array(w);
		for (size_t i = 0; i < e->shapes_n; i++) {
			hf_jw_array(w);
			for (size_t k = 0; k < e->shapes[i].n; k++)
				hf_jw_string(w, e->shapes[i].arguments[k]);
			hf_jw_array_end(w);
		}
		hf_jw_array_end(w);
	}
	hf_jw_kv_bool(w, "seed", e->seen.origin & HF_ORIGIN_SEED);
	hf_jw_kv_bool(w, "learned", e->seen.origin & HF_ORIGIN_LEARNED);
	hf_jw_kv_if(w, "why", e->seen.why);
	hf_jw_kv_uint(w, "count", e->seen.count);
	hf_jw_kv_uint(w, "replicas", e->seen.replicas);
	if (e->seen.first_s)
		hf_jw_kv(w, "first", hf_moment_format(e->seen.first_s, moment));
	if (e->seen.last_s)
		hf_jw_kv(w, "last", hf_moment_format(e->seen.last_s, moment));
}

static void workload_json(struct hf_json_writer *w, const struct hf_profile *p)
{
	hf_jw_kv_if(w, "image_digest", p->image_digest);
	hf_jw_kv_if(w, "image_name", p->image_name);
	hf_jw_kv_if(w, "owner", p->owner);
	hf_jw_kv(w, "mode", hf_sv_of(hf_profile_mode_name(p->mode)));
	hf_jw_kv_uint(w, "replicas", p->replicas);
	hf_jw_kv_uint(w, "windows", p->windows);
	hf_jw_kv_uint(w, "discarded_for_loss", p->discarded_loss);
	hf_jw_kv_uint(w, "discarded_for_alerts", p->discarded_alert);
}

static struct hf_json_writer writer(struct hf_out *out, bool compact)
{
	return (struct hf_json_writer){
		.out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out, .compact = compact
	};
}

static void end(struct hf_json_writer *w, struct hf_out *out)
{
	struct hf_err err = { 0 };

	hf_jw_object_end(w);
	if (hf_jw_finish(w, &err) && !out->sys_errno)
		out->sys_errno = err.sys_errno;
}

void profile_text_show_json(struct hf_out *out, const struct hf_profile *p)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct hf_json_writer w = writer(out, false);

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/profile/1"));
	workload_json(&w, p);
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		size_t n;
		const struct hf_profile_entry **list = hf_profile_sorted(p, part, &a, &n);
		hf_jw_key(&w, hf_profile_parts[part].key);
		hf_jw_object(&w);
		hf_jw_kv_bool(&w, "covered", p->sections[part].covered);
		hf_jw_kv_bool(&w, "overflow", p->sections[part].overflow);
		hf_jw_key(&w, "entries");
		hf_jw_array(&w);
		for (size_t i = 0; i < n; i++) {
			hf_jw_object(&w);
			entry_json(&w, part, list[i]);
			hf_jw_object_end(&w);
		}
		hf_jw_array_end(&w);
		hf_jw_object_end(&w);
	}
	end(&w, out);
}

void profile_text_diff(struct hf_out *out, const struct hf_profile_change *changes, size_t n)
{
	static const char signs[] = { '+', '-', '~' };

	for (size_t i = 0; i < n; i++) {
		const struct hf_profile_change *c = &changes[i];
		const struct hf_profile_entry *e = c->after ? c->after : c->before;
		hf_out_addf(out, "%c %-12s ", signs[c->change], hf_profile_parts[c->part].key);
		add_text(out, e->object);
		if (c->what.len) {
			hf_out_add(out, HF_SV("  "));
			add_text(out, c->what);
		}
		hf_out_add(out, HF_SV("\n"));
	}
}

void profile_text_diff_json(struct hf_out *out, const struct hf_profile *before, const struct hf_profile *after,
			    const struct hf_profile_change *changes, size_t n)
{
	static const hf_sv names[] = { HF_SV_INIT("new"), HF_SV_INIT("gone"), HF_SV_INIT("changed") };
	struct hf_json_writer w = writer(out, false);

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/profile-diff/1"));
	hf_jw_key(&w, "before");
	hf_jw_object(&w);
	workload_json(&w, before);
	hf_jw_object_end(&w);
	hf_jw_key(&w, "after");
	hf_jw_object(&w);
	workload_json(&w, after);
	hf_jw_object_end(&w);
	hf_jw_key(&w, "changes");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		const struct hf_profile_change *c = &changes[i];
		hf_jw_object(&w);
		hf_jw_kv(&w, "change", names[c->change]);
		hf_jw_kv(&w, "part", hf_sv_of(hf_profile_parts[c->part].key));
		hf_jw_kv(&w, "object", c->after ? c->after->object : c->before->object);
		hf_jw_kv_if(&w, "what", c->what);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	end(&w, out);
}

void profile_text_verdict(struct hf_out *out, const struct hf_profile *p, const struct hf_event *e,
			  const struct hf_profile_verdict *all, size_t n)
{
	hf_sv id = hf_event_string(e, HF_FIELD_ID);

	if (id.len) {
		add_text(out, id);
		hf_out_add(out, HF_SV(" "));
	}
	hf_out_addf(out, "%s\n", hf_event_kind_name(e->kind));
	if (!n)
		hf_out_add(out,
			   HF_SV("  not judged: profiles do not hold such events, those of the host, and those of the "
				 "container runtime\n"));
	for (size_t i = 0; i < n; i++) {
		hf_out_addf(out, "  %-11s  %s ", hf_verdict_name(all[i].verdict), hf_profile_parts[all[i].part].key);
		add_text(out, all[i].object);
		hf_out_add(out, HF_SV(": "));
		add_text(out, all[i].reason);
		if (all[i].verdict == HF_VERDICT_ALERT)
			hf_out_addf(out, " (%s, %.*s)", all[i].severity, HF_SV_FMT(all[i].rule));
		hf_out_add(out, HF_SV("\n"));
		if (all[i].entry)
			origin(out, p, all[i].entry);
	}
}

void profile_text_verdict_json(struct hf_out *out, const struct hf_event *e, const struct hf_profile_verdict *all,
			       size_t n)
{
	struct hf_json_writer w = writer(out, true);

	hf_jw_object(&w);
	hf_jw_kv_if(&w, "event", hf_event_string(e, HF_FIELD_ID));
	hf_jw_kv(&w, "kind", hf_sv_of(hf_event_kind_name(e->kind)));
	hf_jw_key(&w, "verdicts");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "verdict", hf_sv_of(hf_verdict_name(all[i].verdict)));
		hf_jw_kv(&w, "part", hf_sv_of(hf_profile_parts[all[i].part].key));
		hf_jw_kv(&w, "object", all[i].object);
		hf_jw_kv(&w, "rule", all[i].rule);
		hf_jw_kv(&w, "severity", hf_sv_of(all[i].severity));
		hf_jw_kv(&w, "reason", all[i].reason);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	end(&w, out);
}
