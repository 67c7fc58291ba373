#include <stdlib.h>

#include "base/limits.h"
#include "kube/object.h"
#include "kube/schema.h"

struct hf_kube_loader {
	struct hf_arena *arena;
	HF_VEC(struct hf_kube_object *) objects;
	HF_VEC(struct hf_kube_note) notes;
	const struct hf_kube_source *source; /* at hand */
	bool noted;
};

struct hf_kube_loader *hf_kube_loader_new(struct hf_arena *a)
{
	struct hf_kube_loader *l = hf_calloc(1, sizeof *l);

	l->arena = a;
	return l;
}

void hf_kube_loader_free(struct hf_kube_loader *l)
{
	free(l);
}

static void note_at(struct hf_kube_loader *l, enum hf_kube_note_kind kind, uint32_t line, uint32_t column, hf_sv text)
{
	struct hf_kube_note *n = hf_vec_push(l->arena, &l->notes);

	l->noted |= kind != HF_KUBE_NOTE_REPEATED_OBJECT;
	if (n)
		*n = (struct hf_kube_note){ kind, l->source ? l->source->name : (hf_sv){ 0 }, line, column,
					    hf_arena_dup(l->arena, text) };
}

void hf_kube_loader_note(struct hf_kube_loader *l, enum hf_kube_note_kind kind, hf_sv source, hf_sv text)
{
	const struct hf_kube_source *before = l->source;

	l->source = &(struct hf_kube_source){ .name = source };
	note_at(l, kind, 0, 0, text);
	l->source = before;
}

static void note_offset(struct hf_kube_loader *l, enum hf_kube_note_kind kind, uint32_t offset, hf_sv text)
{
	uint32_t line, column;

	hf_text_position(l->source->text, offset, &line, &column);
	note_at(l, kind, line, column, text);
}

static void repeated_key(void *ctx, uint32_t offset, const char *what)
{
	note_offset(ctx, HF_KUBE_NOTE_REPEATED_KEY, offset, hf_sv_of(what));
}

static void unknown(void *ctx, enum hf_kube_note_kind kind, uint32_t offset, hf_sv what)
{
	note_offset(ctx, kind, offset, what);
}

static void add_object(struct hf_kube_loader *l, const struct hf_value *root, hf_sv list_version, hf_sv list_kind)
{
	struct hf_kube_object *o = hf_arena_new(l->arena, struct hf_kube_object);
	struct hf_kube_object **slot = hf_vec_push(l->arena, &l->objects);

	if (!o || !slot)
		return;
	*slot = o;
	o->root = root;
	o->source = l->source;
	o->cluster = l->source->cluster;
	o->offset = root->offset;
	o->order = (uint32_t)(l->objects.n - 1);
	o->api_version = hf_value_get_text(root, HF_SV("apiVersion"));
	o->kind_name = hf_value_get_text(root, HF_SV("kind"));
	/* A list of an API leaves out what its own kind says. */
	if (!o->kind_name.len)
		o->kind_name = list_kind;
	if (!o->api_version.len)
		o->api_version = list_version;
	o->kind = hf_kube_kind_of(o->api_version, o->kind_name);
	o->metadata = hf_value_get(root, HF_SV("metadata"));
	o->spec = hf_value_get(root, HF_SV("spec"));
	o->name = hf_value_get_text(o->metadata, HF_SV("name"));
	hf_sv generated = hf_value_get_text(o->metadata, HF_SV("generateName"));
	if (!o->name.len && generated.len)
		o->name = hf_arena_concat(l->arena, generated, HF_SV("*"));
	o->namespace = hf_value_get_text(o->metadata, HF_SV("namespace"));
	o->namespace_written = o->namespace.len > 0;
	if (o->kind != HF_KUBE_OTHER && !hf_kube_kinds[o->kind].namespaced)
		o->namespace = (hf_sv){ "", 0 };
	else if (!o->namespace_written)
		o->namespace = o->kind == HF_KUBE_OTHER ? (hf_sv){ "", 0 } : HF_SV("default");
	hf_kube_schema_check(o, unknown, l);
}

/* A List, or the answer of an API to one ("PodList"), gives its items. */
static void add_root(struct hf_kube_loader *l, const struct hf_value *root, unsigned depth)
{
	hf_sv kind = hf_value_get_text(root, HF_SV("kind")), version = hf_value_get_text(root, HF_SV("apiVersion"));
	const struct hf_value *items = hf_value_get(root, HF_SV("items"));

	if (root->type == HF_VALUE_NULL)
		return;
	if (root->type == HF_VALUE_ARRAY && depth < 4) {
		hf_value_elements(root, e) add_root(l, e, depth + 1);
		return;
	}
	if (root->type != HF_VALUE_OBJECT || !kind.len || !version.len) {
		note_offset(l, HF_KUBE_NOTE_NOT_AN_OBJECT, root->offset,
			    HF_SV("no object of Kubernetes: apiVersion and kind are not both there"));
		return;
	}
	if (!hf_sv_ends(kind, HF_SV("List")) ||
	    (root->n && !hf_value_is(items, HF_VALUE_ARRAY) && hf_value_get(root, HF_SV("spec")))) {
		add_object(l, root, version, kind);
		return;
	}
	hf_sv of = hf_sv_eq(kind, HF_SV("List")) ? (hf_sv){ 0 } : hf_sv_first(kind, kind.len - 4);
	hf_value_elements(items, e)
	{
		hf_sv item_kind = hf_value_get_text(e, HF_SV("kind"));
		if (e->type == HF_VALUE_OBJECT && item_kind.len && hf_sv_ends(item_kind, HF_SV("List")) && depth < 4)
			add_root(l, e, depth + 1);
		else if (e->type == HF_VALUE_OBJECT && (item_kind.len || of.len))
			add_object(l, e, of.len ? version : (hf_sv){ 0 }, of);
		else
			note_offset(l, HF_KUBE_NOTE_NOT_AN_OBJECT, e->offset,
				    HF_SV("an item of a list that is no object"));
	}
}

static void load_json(struct hf_kube_loader *l, hf_sv text)
{
	for (size_t at = hf_sv_starts(text, HF_SV("\xef\xbb\xbf")) ? 3 : 0, used; at < text.len; at += used) {
		struct hf_value *v = hf_arena_new(l->arena, struct hf_value);
		struct hf_err err = { 0 };
		if (!v)
			return;
		if (hf_value_of_json(hf_sv_skip(text, at), (uint32_t)at, l->arena,
				     (struct hf_value_notes){ l, repeated_key }, v, &used, &err) < 0) {
			note_offset(l, HF_KUBE_NOTE_BROKEN, (uint32_t)(at + used), hf_sv_of(err.msg));
			return;
		}
		add_root(l, v, 0);
	}
}

static void load_yaml(struct hf_kube_loader *l, hf_sv text)
{
	hf_sv rest = text, document;
	uint32_t line = 1;

	while (hf_yaml_next_document(&rest, &document) && !l->arena->over) {
		struct hf_value *v = hf_arena_new(l->arena, struct hf_value);
		struct hf_err err = { 0 };
		uint32_t base = (uint32_t)(document.ptr - text.ptr), breaks, column;
		if (v && hf_value_of_yaml(document, base, line, l->arena, (struct hf_value_notes){ l, repeated_key }, v,
					  &err) < 0)
			note_at(l, HF_KUBE_NOTE_BROKEN, 0, 0, hf_sv_of(err.msg));
		else if (v)
			add_root(l, v, 0);
		hf_text_position(document, (uint32_t)document.len, &breaks, &column);
		line += breaks - 1;
	}
}

int hf_kube_load(struct hf_kube_loader *l, const struct hf_kube_source *source, struct hf_err *err)
{
	hf_sv text = hf_sv_trim(source->text);

	l->source = source;
	l->noted = false;
	if (source->text.len > UINT32_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than 4 GiB");
	if (hf_sv_starts(text, HF_SV("\xef\xbb\xbf")))
		text = hf_sv_trim(hf_sv_skip(text, 3));
	if (text.len && text.ptr[0] == '{' && !hf_sv_starts(text, HF_SV("{{")))
		load_json(l, source->text);
	else
		load_yaml(l, source->text);
	if (l->arena->over)
		return hf_fail(err, HF_E_LIMIT, "too large");
	return l->noted ? HF_PARTIAL : HF_OK;
}

static hf_sv key_of(struct hf_arena *a, hf_sv cluster, enum hf_kube_kind kind, hf_sv namespace, hf_sv name)
{
	return hf_arena_fmt(a, "%.*s%c%u/%.*s/%.*s", HF_SV_FMT(cluster), 1, (unsigned)kind, HF_SV_FMT(namespace),
			    HF_SV_FMT(name));
}

/* An object of a name that was there before counts in its stead. */
static void index_name(struct hf_kube_loader *l, struct hf_kube_objects *set, struct hf_kube_object *o)
{
	if (o->kind == HF_KUBE_OTHER || !o->name.len || hf_sv_ends(o->name, HF_SV("*")))
		return;
	struct hf_map_entry *e =
		hf_map_put(&set->by_name, key_of(l->arena, o->cluster, o->kind, o->namespace, o->name));
	if (!e)
		return;
	struct hf_kube_object *before = e->value;
	e->value = o;
	if (!before)
		return;
	before->replaced = true;
	l->source = o->source;
	note_offset(l, HF_KUBE_NOTE_REPEATED_OBJECT, o->offset,
		    hf_arena_fmt(l->arena, "%.*s %.*s stands here again: this one counts", HF_SV_FMT(o->kind_name),
				 HF_SV_FMT(o->name)));
}

const struct hf_kube_objects *hf_kube_loaded(struct hf_kube_loader *l)
{
	struct hf_kube_objects *set = hf_arena_new(l->arena, struct hf_kube_objects);
	const struct hf_kube_object **list = hf_arena_array(l->arena, const struct hf_kube_object *, l->objects.n);
	size_t n = l->objects.n;

	if (!set || !list)
		return NULL;
	*set = (struct hf_kube_objects){ .arena = l->arena, .by_name = HF_MAP(l->arena), .objects = list };
	for (size_t i = 0; i < n; i++) {
		list[i] = l->objects.at[i];
		index_name(l, set, l->objects.at[i]);
	}
	set->n = n;
	set->notes = l->notes.at;
	set->notes_n = l->notes.n;
	for (size_t i = 0; i < n; i++)
		set->of_kind_n[list[i]->kind] += !list[i]->replaced;
	for (unsigned k = 0; k < HF_KUBE_KINDS; k++) {
		set->of_kind[k] = hf_arena_array(l->arena, const struct hf_kube_object *, set->of_kind_n[k]);
		set->of_kind_n[k] = 0;
	}
	for (size_t i = 0; i < n && !l->arena->over; i++)
		if (!list[i]->replaced)
			((const struct hf_kube_object **)set->of_kind[list[i]->kind])[set->of_kind_n[list[i]->kind]++] =
				list[i];
	return set;
}

const struct hf_kube_objects *hf_kube_of_cluster(const struct hf_kube_objects *set, hf_sv cluster, struct hf_arena *a)
{
	struct hf_kube_loader *l = hf_kube_loader_new(a);

	for (size_t i = 0; i < set->n; i++) {
		struct hf_kube_object **slot =
			hf_sv_eq(set->objects[i]->cluster, cluster) ? hf_vec_push(a, &l->objects) : NULL;
		if (slot)
			*slot = (struct hf_kube_object *)set->objects[i];
	}
	struct hf_kube_objects *part = (struct hf_kube_objects *)hf_kube_loaded(l);
	hf_kube_loader_free(l);
	if (part)
		part->notes_n = 0;
	return part;
}

const struct hf_kube_object *hf_kube_find(const struct hf_kube_objects *set, hf_sv cluster, enum hf_kube_kind kind,
					  hf_sv namespace, hf_sv name)
{
	struct hf_arena scratch = HF_ARENA(HF_KIB(64));
	struct hf_map_entry *e = hf_map_find(&set->by_name, key_of(&scratch, cluster, kind, namespace, name));

	hf_arena_done(&scratch);
	return e ? e->value : NULL;
}
