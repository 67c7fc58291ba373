/* A profile as YAML: what belongs together stands together, entries sorted, so that a change shows as a change. */
#include "base/limits.h"
#include "base/moment.h"
#include "baseline/profile.h"
#include "format/yaml.h"

static void text_line(struct hf_buf *out, const char *before, hf_sv text)
{
	if (!text.len)
		return;
	hf_buf_add(out, hf_sv_of(before));
	hf_yaml_write_scalar(out, text);
	hf_buf_add_char(out, '\n');
}

static void number_line(struct hf_buf *out, const char *before, uint64_t n)
{
	if (n)
		hf_buf_addf(out, "%s%llu\n", before, (unsigned long long)n);
}

static void moment_line(struct hf_buf *out, const char *before, int64_t s)
{
	char text[HF_MOMENT_MAX];

	if (s)
		text_line(out, before, hf_moment_format(s, text));
}

static void flow_list(struct hf_buf *out, const hf_sv *list, size_t n)
{
	hf_buf_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			hf_buf_add(out, HF_SV(", "));
		hf_yaml_write_scalar(out, list[i]);
	}
	hf_buf_add(out, HF_SV("]\n"));
}

static void details(struct hf_buf *out, const char *key, const struct hf_profile_entry *e)
{
	if (e->any_details)
		hf_buf_addf(out, "    any_%s: true\n", key);
	if (!e->details_n)
		return;
	hf_buf_addf(out, "    %s:\n", key);
	for (size_t i = 0; i < e->details_n; i++)
		text_line(out, "      - ", e->details[i]);
}

static void shapes(struct hf_buf *out, const struct hf_profile_entry *e)
{
	if (e->any_arguments)
		hf_buf_add(out, HF_SV("    any_arguments: true\n"));
	if (!e->shapes_n)
		return;
	hf_buf_add(out, HF_SV("    arguments:\n"));
	for (size_t i = 0; i < e->shapes_n; i++) {
		hf_buf_add(out, HF_SV("      - "));
		flow_list(out, e->shapes[i].arguments, e->shapes[i].n);
	}
}

static void entry(struct hf_buf *out, const struct hf_profile_part_info *part, const struct hf_profile_entry *e)
{
	hf_sv from[2];
	size_t n = 0;

	hf_buf_addf(out, "  - %s: ", part->object);
	hf_yaml_write_scalar(out, e->object);
	hf_buf_add_char(out, '\n');
	details(out, part->details, e);
	shapes(out, e);
	if (e->seen.origin & HF_ORIGIN_SEED)
		from[n++] = HF_SV("seed");
	if (e->seen.origin & HF_ORIGIN_LEARNED)
		from[n++] = HF_SV("learned");
	if (n) {
		hf_buf_add(out, HF_SV("    from: "));
		flow_list(out, from, n);
	}
	text_line(out, "    why: ", e->seen.why);
	number_line(out, "    count: ", e->seen.count);
	number_line(out, "    replicas: ", e->seen.replicas);
	moment_line(out, "    first: ", e->seen.first_s);
	moment_line(out, "    last: ", e->seen.last_s);
}

static void parts_where(const struct hf_profile *p, struct hf_buf *out, const char *key, bool overflow)
{
	hf_sv names[HF_PROFILE_PARTS];
	size_t n = 0;

	for (size_t i = 0; i < HF_PROFILE_PARTS; i++)
		if (overflow ? p->sections[i].overflow : p->sections[i].covered)
			names[n++] = hf_sv_of(hf_profile_parts[i].key);
	if (!n)
		return;
	hf_buf_addf(out, "%s: ", key);
	flow_list(out, names, n);
}

static void head(const struct hf_profile *p, struct hf_buf *out)
{
	hf_buf_add(out, HF_SV("schema: holdfast/profile/1\n"));
	if (p->image_digest.len || p->image_name.len || p->owner.len) {
		hf_buf_add(out, HF_SV("workload:\n"));
		text_line(out, "  image_digest: ", p->image_digest);
		text_line(out, "  image_name: ", p->image_name);
		text_line(out, "  owner: ", p->owner);
	}
	hf_buf_addf(out, "mode: %s\n", hf_profile_mode_name(p->mode));
	if (p->replicas || p->windows || p->discarded_loss || p->discarded_alert || p->first_s || p->last_s) {
		hf_buf_add(out, HF_SV("learned:\n"));
		number_line(out, "  replicas: ", p->replicas);
		number_line(out, "  windows: ", p->windows);
		number_line(out, "  discarded_for_loss: ", p->discarded_loss);
		number_line(out, "  discarded_for_alerts: ", p->discarded_alert);
		moment_line(out, "  first: ", p->first_s);
		moment_line(out, "  last: ", p->last_s);
	}
	parts_where(p, out, "covered", false);
	parts_where(p, out, "overflow", true);
}

void hf_profile_write(const struct hf_profile *p, struct hf_buf *out)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_PARSE_ARENA_MAX);

	head(p, out);
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		size_t n;
		const struct hf_profile_entry **list = hf_profile_sorted(p, part, &scratch, &n);
		if (!n)
			continue;
		hf_buf_addf(out, "%s:\n", hf_profile_parts[part].key);
		for (size_t i = 0; i < n; i++)
			entry(out, &hf_profile_parts[part], list[i]);
	}
}
