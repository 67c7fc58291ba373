#include "cmd/runtime/enforce_replay.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/output.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/runtime/replay.h"
#include "format/json_writer.h"

enum { ROWS_MAX = 65536 };

/* One object that one rule denies to one workload. */
struct row {
	hf_sv image, owner, object;
	enum hf_deny rule;
	uint64_t times;
};

struct replay {
	const struct hf_enforce_policy *policy;
	const struct enforce_selection *selection;
	struct hf_arena keep, scratch;
	struct hf_map rows;
	uint64_t events, denied, left_out;
};

static bool has_label(hf_sv wanted, const hf_sv *labels, size_t labels_n)
{
	hf_sv key = wanted, value = { 0 };
	bool with_value = hf_sv_cut(wanted, '=', &key, &value);

	for (size_t i = 0; i < labels_n; i++)
		if (hf_sv_eq(labels[2 * i], key) && (!with_value || hf_sv_eq(labels[2 * i + 1], value)))
			return true;
	return false;
}

bool enforce_selected(const struct enforce_selection *s, hf_sv id, hf_sv name, const hf_sv *labels, size_t labels_n)
{
	for (size_t i = 0; i < s->containers_n; i++) {
		hf_sv wanted = hf_sv_of(s->containers[i]);
		if (hf_sv_eq(wanted, name) || (wanted.len >= 12 && hf_sv_starts(id, wanted)))
			return true;
	}
	for (size_t i = 0; i < s->labels_n; i++)
		if (has_label(hf_sv_of(s->labels[i]), labels, labels_n))
			return true;
	return false;
}

static bool is_selected(const struct replay *r, const struct hf_event *e)
{
	const struct hf_value *labels = &e->values[HF_FIELD_CONTAINER_LABELS];

	if (!r->selection->containers_n && !r->selection->labels_n)
		return true;
	return enforce_selected(
		r->selection, hf_event_string(e, HF_FIELD_CONTAINER_ID), hf_event_string(e, HF_FIELD_CONTAINER_NAME),
		labels->type == HF_VALUE_MAP ? labels->list : NULL, labels->type == HF_VALUE_MAP ? labels->n : 0);
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct replay *r = ctx;
	enum hf_deny rule;
	hf_sv object;

	hf_arena_reset(&r->scratch);
	if (!is_selected(r, e))
		return 0;
	r->events++;
	if (!hf_enforce_policy_judge(r->policy, e, &r->scratch, &rule, &object))
		return 0;
	r->denied++;
	hf_sv image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME), owner = hf_profile_owner(e, &r->scratch);
	if (!image.len)
		image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST);
	hf_sv key = hf_arena_fmt(&r->scratch, "%.*s\n%.*s\n%s\n%.*s", HF_SV_FMT(image), HF_SV_FMT(owner),
				 hf_deny_name(rule), HF_SV_FMT(object));
	struct hf_map_entry *entry = hf_map_find(&r->rows, key);
	if (!entry && r->rows.n >= ROWS_MAX) {
		r->left_out++;
		return 0;
	}
	if (!entry)
		entry = hf_map_put(&r->rows, hf_arena_dup(&r->keep, key));
	if (entry && !entry->value) {
		struct row *row = hf_arena_new(&r->keep, struct row);
		if (row)
			*row = (struct row){ hf_arena_dup(&r->keep, image), hf_arena_dup(&r->keep, owner),
					     hf_arena_dup(&r->keep, object), rule, 0 };
		entry->value = row;
	}
	if (!entry || !entry->value || r->keep.over)
		return hf_fail(err, HF_E_LIMIT, "what would be denied does not fit into memory");
	((struct row *)entry->value)->times++;
	return 0;
}

static void print_table(const struct replay *r)
{
	char image[256], owner[256], object[4200];

	printf("%-12s %8s  %s\n", "RULE", "TIMES", "WORKLOAD  OBJECT");
	for (size_t i = 0; i < r->rows.n; i++) {
		const struct row *row = r->rows.entries[i].value;
		hf_escape_controls(image, sizeof image, row->image);
		hf_escape_controls(owner, sizeof owner, row->owner);
		hf_escape_controls(object, sizeof object, row->object);
		printf("%-12s %8llu  %s%s%s  %s\n", hf_deny_name(row->rule), (unsigned long long)row->times,
		       *image ? image : "(unknown)", *owner ? " " : "", owner, object);
	}
	printf("%llu of %llu events would be denied; nothing was\n", (unsigned long long)r->denied,
	       (unsigned long long)r->events);
}

static int print_json(const struct replay *r, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(256));
	struct hf_json_writer w = { .out = &out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/enforce-replay/1"));
	hf_jw_kv_uint(&w, "events", r->events);
	hf_jw_kv_uint(&w, "denied", r->denied);
	hf_jw_key(&w, "rows");
	hf_jw_array(&w);
	for (size_t i = 0; i < r->rows.n; i++) {
		const struct row *row = r->rows.entries[i].value;
		hf_jw_object(&w);
		hf_jw_kv(&w, "rule", hf_sv_of(hf_deny_name(row->rule)));
		hf_jw_kv_if(&w, "image", row->image);
		hf_jw_kv_if(&w, "owner", row->owner);
		hf_jw_kv(&w, "object", row->object);
		hf_jw_kv_uint(&w, "times", row->times);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_kv_uint(&w, "left_out", r->left_out);
	hf_jw_object_end(&w);
	int code = hf_jw_finish(&w, err);
	if (code >= 0)
		fwrite(out.ptr, 1, out.len, stdout);
	return code;
}

int enforce_replay(const char *path, const struct hf_enforce_policy *policy, const struct enforce_selection *selection,
		   bool json, uint64_t *ret_denied, struct hf_err *err)
{
	struct replay r = {
		.policy = policy, .selection = selection, .keep = HF_ARENA(HF_MIB(64)), .scratch = HF_ARENA(HF_MIB(1))
	};
	const struct hf_event_sink sink = { take, &r };

	r.rows = HF_MAP(&r.keep);
	int code = replay_record(path, &sink, NULL, err);
	if (r.left_out)
		log_note("%llu denials of further objects are only counted", (unsigned long long)r.left_out);
	if (code >= 0 && json)
		code = print_json(&r, err);
	else if (code >= 0)
		print_table(&r);
	*ret_denied = r.denied;
	hf_arena_done(&r.keep);
	hf_arena_done(&r.scratch);
	return code;
}
