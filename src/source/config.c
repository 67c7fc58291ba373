/* An image's config: OCI image-spec v1.1 config.md; Docker image specification v1.2 (the same fields, and those of v1's
 * <id>/json, which lack rootfs and history). */
#include <stdlib.h>

#include "base/limits.h"
#include "format/json.h"
#include "source/kind.h"

struct list {
	HF_VEC(hf_sv) v;
};

static void push(struct hf_source *s, struct list *l, hf_sv text)
{
	hf_sv *slot = hf_vec_push(&s->arena, &l->v);

	if (slot)
		*slot = text;
}

static struct list read_strings(struct hf_source *s, struct hf_json *j)
{
	struct list l = { 0 };

	if (hf_json_peek(j) == HF_JSON_STRING) { /* "Entrypoint": "sh" of old builders */
		push(s, &l, hf_json_string(j));
		return l;
	}
	hf_json_elements(j)
		push(s, &l, hf_json_text(j));
	return l;
}

static int by_bytes(const void *a, const void *b)
{
	return hf_sv_cmp(*(const hf_sv *)a, *(const hf_sv *)b);
}

/* The keys of an object, sorted; with @values as "key=value". */
static struct list read_keys(struct hf_source *s, struct hf_json *j, bool values)
{
	struct list l = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		hf_sv value = values ? hf_json_text(j) : (hf_sv){ 0 };
		if (!values)
			hf_json_skip(j);
		if (values && !memchr(key.ptr, '=', key.len))
			push(s, &l, hf_arena_fmt(&s->arena, "%.*s=%.*s", HF_SV_FMT(key), HF_SV_FMT(value)));
		else if (!values)
			push(s, &l, key);
	}
	if (l.v.n)
		qsort(l.v.at, l.v.n, sizeof *l.v.at, by_bytes);
	return l;
}

static hf_sv read_healthcheck(struct hf_source *s, struct hf_json *j)
{
	hf_sv key, test = { 0 };

	hf_json_members(j, &key) {
		if (!hf_sv_eq(key, HF_SV("Test"))) {
			hf_json_skip(j);
			continue;
		}
		struct list words = read_strings(s, j);
		test = (hf_sv){ 0 };
		for (size_t i = 0; i < words.v.n; i++)
			test = i ? hf_arena_fmt(&s->arena, "%.*s %.*s", HF_SV_FMT(test), HF_SV_FMT(words.v.at[i]))
				 : words.v.at[i];
	}
	return test;
}

#define STORE(field, list_expr)                  \
	do {                                     \
		struct list list_ = (list_expr); \
		c->field = list_.v.at;           \
		c->field##_n = list_.v.n;        \
	} while (0)

static void read_runtime(struct hf_source *s, struct hf_json *j)
{
	struct hf_image_config *c = &s->artifact.config;
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("User")))
			c->user = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("WorkingDir")))
			c->working_dir = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("Entrypoint")))
			STORE(entrypoint, read_strings(s, j));
		else if (hf_sv_eq(key, HF_SV("Cmd")))
			STORE(cmd, read_strings(s, j));
		else if (hf_sv_eq(key, HF_SV("Env")))
			STORE(env, read_strings(s, j));
		else if (hf_sv_eq(key, HF_SV("ExposedPorts")))
			STORE(exposed_ports, read_keys(s, j, false));
		else if (hf_sv_eq(key, HF_SV("Labels")))
			STORE(labels, read_keys(s, j, true));
		else if (hf_sv_eq(key, HF_SV("Volumes")))
			STORE(volumes, read_keys(s, j, false));
		else if (hf_sv_eq(key, HF_SV("Healthcheck")))
			c->healthcheck = read_healthcheck(s, j);
		else
			hf_json_skip(j);
	}
}

static void read_history(struct hf_source *s, struct hf_json *j)
{
	HF_VEC(struct hf_history) list = { 0 };
	hf_sv key;

	hf_json_elements(j) {
		struct hf_history h = { 0 };
		hf_json_members(j, &key) {
			if (hf_sv_eq(key, HF_SV("created_by")))
				h.created_by = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("created")))
				h.created = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("comment")))
				h.comment = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("empty_layer")))
				h.empty_layer = hf_json_bool(j, false);
			else
				hf_json_skip(j);
		}
		struct hf_history *slot = hf_vec_push(&s->arena, &list);
		if (slot)
			*slot = h;
	}
	s->artifact.history = list.at;
	s->artifact.history_n = list.n;
}

static struct list read_rootfs(struct hf_source *s, struct hf_json *j)
{
	struct list ids = { 0 };
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("diff_ids")))
			ids = read_strings(s, j);
		else
			hf_json_skip(j);
	return ids;
}

int hf_image_read_config(struct hf_source *s, hf_sv json, const hf_sv **ret_diff_ids, size_t *ret_n, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, &s->arena);
	hf_sv key, os = { 0 }, arch = { 0 }, variant = { 0 };
	struct list ids = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("config")))
			read_runtime(s, &j);
		else if (hf_sv_eq(key, HF_SV("history")))
			read_history(s, &j);
		else if (hf_sv_eq(key, HF_SV("rootfs")))
			ids = read_rootfs(s, &j);
		else if (hf_sv_eq(key, HF_SV("created")))
			s->artifact.created = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("os")))
			os = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("architecture")))
			arch = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("variant")))
			variant = hf_json_string(&j);
		else
			hf_json_skip(&j);
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "config: byte %zu: %s", j.at, j.why ? j.why : "more follows");
	if (os.len && arch.len)
		s->artifact.platform = variant.len
					       ? hf_arena_fmt(&s->arena, "%.*s/%.*s/%.*s", HF_SV_FMT(os),
							      HF_SV_FMT(arch), HF_SV_FMT(variant))
					       : hf_arena_fmt(&s->arena, "%.*s/%.*s", HF_SV_FMT(os), HF_SV_FMT(arch));
	*ret_diff_ids = ids.v.at;
	*ret_n = ids.v.n;
	return HF_OK;
}

int hf_image_make_layers(struct hf_source *s, size_t n, struct hf_layer **ret, struct hf_err *err)
{
	if (n > HF_LAYERS_MAX)
		return hf_fail(err, HF_E_LIMIT, "an image of %zu layers; %d are the limit", n, HF_LAYERS_MAX);
	struct hf_layer *layers = hf_arena_array(&s->arena, struct hf_layer, n);
	s->refs = hf_arena_array(&s->arena, struct hf_layer_ref, n);
	if (!layers || !s->refs)
		return hf_fail(err, HF_E_LIMIT, "its description takes too much memory");
	for (size_t i = 0; i < n; i++)
		layers[i].index = (uint32_t)i;
	s->artifact.layers = *ret = layers;
	s->artifact.layers_n = n;
	s->artifact.is_image = true;
	return HF_OK;
}

/* history's entries that are not empty stand for the layers, in order; where their numbers differ nothing can be said.
 */
void hf_image_join_history(struct hf_source *s, const hf_sv *diff_ids, size_t diff_ids_n)
{
	struct hf_artifact *a = &s->artifact;
	struct hf_layer *layers = (struct hf_layer *)(uintptr_t)a->layers; /* made by hf_image_make_layers */
	size_t n = 0;

	for (size_t i = 0; i < a->history_n; i++)
		n += !a->history[i].empty_layer;
	if (n && n != a->layers_n)
		hf_source_note(s,
			       "The image's history speaks of %zu layers, its manifest of %zu: commands are not shown.",
			       n, a->layers_n);
	for (size_t i = 0, at = 0; n == a->layers_n && i < a->history_n; i++) {
		if (a->history[i].empty_layer)
			continue;
		layers[at].created_by = a->history[i].created_by;
		layers[at].created = a->history[i].created;
		layers[at++].comment = a->history[i].comment;
	}
	if (diff_ids_n != a->layers_n && diff_ids_n)
		hf_source_note(s, "The image's config names %zu layers, its manifest %zu: diff_ids are not shown.",
			       diff_ids_n, a->layers_n);
	for (size_t i = 0; diff_ids_n == a->layers_n && i < diff_ids_n; i++)
		layers[i].diff_id = diff_ids[i];
}
