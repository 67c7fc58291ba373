#include <stdlib.h>

#include "base/limits.h"
#include "format/texts.h"
#include "kube/object.h"
#include "kube/schema.h"

struct hf_kube_loader {
	struct hf_arena *arena;
	HF_VEC(struct hf_kube_object *) objects;
	HF_VEC(struct hf_kube_note) notes;
	const struct hf_kube_source *source; /* at hand */
	const struct hf_lines *lines;        /* of it */
	bool noted;
	bool template_noted; /* of this source */
	struct hf_texts texts;
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

	if (l->source->cluster.len && !l->source->saved) {
		note_at(l, kind, 0, 0, text);
		return;
	}
	hf_lines_position(l->lines, offset, &line, &column);
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

/* What the API server writes down beside an object is of no use here, and holds secrets. */
static struct hf_value_notes notes_of(struct hf_kube_loader *l, uint32_t *ret_fault)
{
	return (struct hf_value_notes){ l, repeated_key, ret_fault, HF_SV("managedFields"), &l->texts };
}

/* The tree was made by this loader and nobody has seen it yet. */
static void drop_member(const struct hf_value *object, hf_sv key)
{
	struct hf_value *v = (struct hf_value *)(uintptr_t)object;
	struct hf_member *m = (struct hf_member *)(uintptr_t)v->members;

	for (size_t i = 0; i < v->n; i++)
		if (hf_sv_eq(hf_member_key(&m[i]), key)) {
			memmove(m + i, m + i + 1, (v->n - i - 1) * sizeof *m);
			v->n--;
			return;
		}
}

static void empty(const struct hf_value *value)
{
	*(struct hf_value *)(uintptr_t)value =
		(struct hf_value){ .type = HF_VALUE_STRING, .text = "", .offset = value->offset };
}

/* Values of a wrong type may be secret all the same. */
static void empty_members(const struct hf_value *object)
{
	if (hf_value_is(object, HF_VALUE_OBJECT))
		hf_value_members(object, m) empty(&m->value);
	else if (object && object->type != HF_VALUE_NULL)
		empty(object);
}

/* The keys of encryption at rest. */
static void forget_keys(const struct hf_value *configuration)
{
	hf_value_elements(hf_value_get(configuration, HF_SV("resources")), entry)
	{
		hf_value_elements(hf_value_get(entry, HF_SV("providers")), provider)
		{
			hf_value_members(provider, m)
			{
				hf_value_elements(hf_value_get(&m->value, HF_SV("keys")), key) empty_members(key);
			}
		}
	}
}

static void forget_secrets(const struct hf_kube_object *o)
{
	const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));

	if (hf_value_is(annotations, HF_VALUE_OBJECT))
		drop_member(annotations, HF_SV("kubectl.kubernetes.io/last-applied-configuration"));
	if (o->kind == HF_KUBE_ENCRYPTION_CONFIGURATION)
		forget_keys(o->root);
	if (hf_sv_eq(o->kind_name, HF_SV("Secret"))) {
		empty_members(hf_value_get(o->root, HF_SV("data")));
		empty_members(hf_value_get(o->root, HF_SV("stringData")));
	}
}

enum { LISTS_MAX = 8 }; /* in each other */

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
	o->lines = l->lines;
	hf_kube_schema_check(o, unknown, l);
	forget_secrets(o);
}

static bool has_template(hf_sv s)
{
	return hf_sv_find(s, HF_SV("{{")) != SIZE_MAX;
}

/* Once for a source: it stands in many places then. */
static void note_template(struct hf_kube_loader *l, uint32_t offset)
{
	if (!l->template_noted)
		note_offset(l, HF_KUBE_NOTE_BROKEN, offset,
			    HF_SV("a template that was not filled in ({{ … }}): what `helm template` makes of it can "
				  "be read"));
	l->template_noted = true;
}

static void add_root(struct hf_kube_loader *l, const struct hf_value *root, unsigned depth);

/* What is asked to be let in, in the namespace that the request names. */
static void add_review(struct hf_kube_loader *l, const struct hf_value *root, unsigned depth)
{
	const struct hf_value *request = hf_value_get(root, HF_SV("request"));
	const struct hf_value *object = hf_value_get(request, HF_SV("object"));
	size_t before = l->objects.n;

	if (object && depth < LISTS_MAX)
		add_root(l, object, depth + 1);
	hf_sv namespace = hf_value_get_text(request, HF_SV("namespace"));
	for (size_t i = before; i < l->objects.n; i++) {
		struct hf_kube_object *o = l->objects.at[i];
		if (!o->namespace_written && namespace.len &&
		    (o->kind == HF_KUBE_OTHER || hf_kube_kinds[o->kind].namespaced))
			o->namespace = namespace;
	}
}

/* What kubectl asks for where it prints columns. Its rows hold whole objects where that was asked for. */
static void add_table(struct hf_kube_loader *l, const struct hf_value *root, unsigned depth)
{
	size_t before = l->objects.n, rows = 0;

	hf_value_elements(hf_value_get(root, HF_SV("rows")), e)
	{
		const struct hf_value *object = hf_value_get(e, HF_SV("object"));
		rows++;
		if (object && depth < LISTS_MAX &&
		    !hf_sv_eq(hf_value_get_text(object, HF_SV("kind")), HF_SV("PartialObjectMetadata")))
			add_root(l, object, depth + 1);
	}
	if (l->objects.n - before < rows)
		note_offset(l, HF_KUBE_NOTE_MISSING, root->offset,
			    HF_SV("a table of columns, not the objects: ask for them with -o yaml or -o json"));
}

/* The answers of an API that are no objects. */
static bool add_answer(struct hf_kube_loader *l, const struct hf_value *root, hf_sv version, hf_sv kind, unsigned depth)
{
	hf_sv group = hf_kube_group_of(version);

	if (hf_sv_eq(kind, HF_SV("AdmissionReview")) && hf_sv_eq(group, HF_SV("admission.k8s.io")))
		add_review(l, root, depth);
	else if (hf_sv_eq(kind, HF_SV("Table")) && hf_sv_eq(group, HF_SV("meta.k8s.io")))
		add_table(l, root, depth);
	else if (hf_sv_eq(kind, HF_SV("Status")) && hf_sv_eq(version, HF_SV("v1")))
		note_offset(l, HF_KUBE_NOTE_MISSING, root->offset,
			    hf_arena_fmt(l->arena, "the API server's refusal instead of objects: %.*s",
					 HF_SV_FMT(hf_value_get_text(root, HF_SV("message")))));
	else
		return false;
	return true;
}

static bool is_kustomization(hf_sv kind, hf_sv version)
{
	return hf_sv_starts(version, HF_SV("kustomize.config.k8s.io/")) &&
	       (hf_sv_eq(kind, HF_SV("Kustomization")) || hf_sv_eq(kind, HF_SV("Component")));
}

/* Of a document that is no object, and what to do with it. */
static hf_sv what_it_is(hf_sv path, bool kustomization)
{
	hf_sv name = hf_sv_basename(path);

	if (hf_sv_eq(name, HF_SV("Chart.yaml")))
		return HF_SV("a chart of Helm, whose templates are not filled in here: read what `helm template NAME "
			     "FOLDER` "
			     "makes of it (| holdfast kube … -)");
	if (hf_sv_eq(name, HF_SV("kustomization.yaml")) || hf_sv_eq(name, HF_SV("kustomization.yml")) || kustomization)
		return HF_SV("no object of Kubernetes: read what `kubectl kustomize FOLDER` makes of it (| holdfast "
			     "kube … -); "
			     "its patches are not in the files beside it");
	return HF_SV("no object of Kubernetes: apiVersion and kind are not both there");
}

/* A List, or the answer of an API to one ("PodList"), gives its items. */
static void add_root(struct hf_kube_loader *l, const struct hf_value *root, unsigned depth)
{
	hf_sv kind = hf_value_get_text(root, HF_SV("kind")), version = hf_value_get_text(root, HF_SV("apiVersion"));
	const struct hf_value *items = hf_value_get(root, HF_SV("items"));

	if (root->type == HF_VALUE_NULL)
		return;
	if (root->type == HF_VALUE_ARRAY && depth < LISTS_MAX) {
		hf_value_elements(root, e) add_root(l, e, depth + 1);
		return;
	}
	if (has_template(kind) || has_template(hf_value_text(hf_value_at(root, "metadata.name"))) ||
	    has_template(hf_value_text(hf_value_at(root, "metadata.namespace")))) {
		note_template(l, root->offset);
		return;
	}
	bool kustomization = is_kustomization(kind, version);
	if (root->type != HF_VALUE_OBJECT || !kind.len || !version.len || kustomization) {
		note_offset(l, HF_KUBE_NOTE_NOT_AN_OBJECT, root->offset, what_it_is(l->source->name, kustomization));
		return;
	}
	if (add_answer(l, root, version, kind, depth))
		return;
	if (!hf_sv_ends(kind, HF_SV("List")) ||
	    (root->n && !hf_value_is(items, HF_VALUE_ARRAY) && hf_value_get(root, HF_SV("spec")))) {
		add_object(l, root, version, kind);
		return;
	}
	hf_sv of = hf_sv_eq(kind, HF_SV("List")) ? (hf_sv){ 0 } : hf_sv_first(kind, kind.len - 4);
	hf_value_elements(items, e)
	{
		hf_sv item_kind = hf_value_get_text(e, HF_SV("kind"));
		if (e->type == HF_VALUE_OBJECT && item_kind.len && hf_sv_ends(item_kind, HF_SV("List")) &&
		    depth < LISTS_MAX)
			add_root(l, e, depth + 1);
		else if (e->type == HF_VALUE_OBJECT && (item_kind.len || of.len))
			add_object(l, e, of.len ? version : (hf_sv){ 0 }, of);
		else
			note_offset(l, HF_KUBE_NOTE_NOT_AN_OBJECT, e->offset,
				    HF_SV("an item of a list that is no object"));
	}
}

static void load_yaml(struct hf_kube_loader *l, size_t from)
{
	hf_sv rest = hf_sv_skip(l->source->text, from), document;

	while (hf_yaml_next_document(&rest, &document) && !l->arena->over) {
		struct hf_value *v = hf_arena_new(l->arena, struct hf_value);
		struct hf_err err = { 0 };
		uint32_t base = (uint32_t)(document.ptr - l->source->text.ptr), fault = base;
		if (!v)
			return;
		int r = hf_value_of_yaml(document, base, 1, l->arena, notes_of(l, &fault), v, &err);
		if (r < 0 && has_template(document))
			note_template(l, base + (uint32_t)hf_sv_find(document, HF_SV("{{")));
		else if (r < 0)
			note_offset(l, HF_KUBE_NOTE_BROKEN, fault, hf_sv_of(err.msg));
		else
			add_root(l, v, 0);
	}
}

/* The next line that opens an object: where what is broken may have ended. */
static size_t next_object(hf_sv text, size_t at)
{
	size_t found = hf_sv_find(hf_sv_skip(text, at), HF_SV("\n{"));

	return found == SIZE_MAX ? text.len : at + found + 1;
}

/* { may begin YAML's flow style as well, which is tried where JSON fails at once. */
static bool is_flow_style(struct hf_kube_loader *l, size_t at)
{
	struct hf_arena scratch = HF_ARENA(HF_MIB(64));
	hf_sv rest = hf_sv_skip(l->source->text, at), document;
	struct hf_value v;
	bool is = rest.len < HF_MIB(1) && hf_yaml_next_document(&rest, &document) &&
		  hf_value_of_yaml(document, 0, 1, &scratch, (struct hf_value_notes){ 0 }, &v, NULL) >= 0;

	hf_arena_done(&scratch);
	return is;
}

static void load_json(struct hf_kube_loader *l, size_t at)
{
	hf_sv text = l->source->text;
	bool first = true;

	for (size_t used; at < text.len && !l->arena->over; at += used, first = false) {
		struct hf_value *v = hf_arena_new(l->arena, struct hf_value);
		struct hf_err err = { 0 };
		uint32_t fault;
		if (!v)
			return;
		if (hf_sv_starts(hf_sv_skip(text, at), HF_SV("---")) || (first && text.ptr[at] != '{')) {
			load_yaml(l, at);
			return;
		}
		if (hf_value_of_json(hf_sv_skip(text, at), (uint32_t)at, l->arena, notes_of(l, &fault), v, &used,
				     &err) >= 0) {
			add_root(l, v, 0);
			continue;
		}
		if (first && is_flow_style(l, at)) {
			load_yaml(l, at);
			return;
		}
		if (first && has_template(text))
			note_template(l, (uint32_t)hf_sv_find(text, HF_SV("{{")));
		else
			note_offset(l, HF_KUBE_NOTE_BROKEN, fault, hf_sv_of(err.msg));
		used = next_object(text, fault) - at;
	}
}

static bool is_utf16(hf_sv s)
{
	return hf_sv_starts(s, HF_SV("\xff\xfe")) || hf_sv_starts(s, HF_SV("\xfe\xff")) ||
	       (s.len > 3 &&
		((!s.ptr[0] && s.ptr[1] && !s.ptr[2] && s.ptr[3]) || (s.ptr[0] && !s.ptr[1] && s.ptr[2] && !s.ptr[3])));
}

/* What is smaller stays where it is. */
enum { KEPT_MIN = HF_MIB(1) };

int hf_kube_load(struct hf_kube_loader *l, const struct hf_kube_source *source, struct hf_err *err)
{
	size_t at = hf_sv_starts(source->text, HF_SV("\xef\xbb\xbf")) ? 3 : 0;
	struct hf_lines *lines = hf_arena_new(l->arena, struct hf_lines);

	if (source->text.len > UINT32_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than 4 GiB");
	if (!lines)
		return hf_fail(err, HF_E_LIMIT, "too large");
	*lines = hf_lines_of(source->text, l->arena);
	l->texts = hf_texts_of(source->text, source->text.len > KEPT_MIN ? source->release : NULL, l->arena);
	l->source = source;
	l->lines = lines;
	l->noted = l->template_noted = false;
	while (at < source->text.len && memchr(" \t\r\n", source->text.ptr[at], 4))
		at++;
	if (is_utf16(source->text))
		note_at(l, HF_KUBE_NOTE_BROKEN, 0, 0, HF_SV("UTF-16: manifests are read as UTF-8 alone"));
	else if (at < source->text.len && source->text.ptr[at] == '{' &&
		 !hf_sv_starts(hf_sv_skip(source->text, at), HF_SV("{{")))
		load_json(l, at);
	else
		load_yaml(l, hf_sv_starts(source->text, HF_SV("\xef\xbb\xbf")) ? 3 : 0);
	if (l->arena->over)
		return hf_fail(err, HF_E_LIMIT, "too large");
	return l->noted ? HF_PARTIAL : HF_OK;
}

/* With lengths in front: names may hold any bytes. */
static hf_sv key_of(struct hf_arena *a, hf_sv cluster, enum hf_kube_kind kind, hf_sv namespace, hf_sv name)
{
	const uint64_t head[] = { kind, cluster.len, namespace.len };
	const hf_sv parts[] = { { (const char *)head, sizeof head }, cluster, namespace, name };
	size_t n = 0;
	char *key = hf_arena_alloc(a, sizeof head + cluster.len + namespace.len + name.len, 1);

	for (size_t i = 0; key && i < HF_ARRAY_SIZE(parts); i++) {
		if (parts[i].len)
			memcpy(key + n, parts[i].ptr, parts[i].len);
		n += parts[i].len;
	}
	return (hf_sv){ key, n };
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
	l->lines = o->lines;
	note_offset(l, HF_KUBE_NOTE_REPEATED_OBJECT, o->offset,
		    hf_arena_fmt(l->arena, "%.*s %.*s stands here again: this one counts", HF_SV_FMT(o->kind_name),
				 HF_SV_FMT(o->name)));
}

/* "Certificate" of group "cert-manager.io" as a key. */
static hf_sv kind_key(struct hf_arena *a, hf_sv group, hf_sv kind)
{
	return hf_arena_concat(a, hf_arena_concat(a, group, HF_SV("/")), kind);
}

/* Something like a PodSpec: a list of containers with images. Stops at what no custom resource of a maker of pods is as large as. */
static const struct hf_value *find_containers(const struct hf_value *v, unsigned depth, size_t *budget)
{
	enum { DEPTH_MAX = 16 };
	const struct hf_value *found = NULL;

	if (depth == DEPTH_MAX || !*budget)
		return NULL;
	--*budget;
	hf_value_elements(v, e)
	{
		if (!found)
			found = find_containers(e, depth + 1, budget);
	}
	hf_value_members(v, m)
	{
		hf_sv key = hf_member_key(m);
		bool named = hf_sv_eq(key, HF_SV("containers")) || hf_sv_eq(key, HF_SV("initContainers")) ||
			     hf_sv_eq(key, HF_SV("steps")) || hf_sv_eq(key, HF_SV("sidecars"));
		const struct hf_value *image = named && hf_value_count(&m->value, HF_VALUE_ARRAY)
						       ? hf_value_get(&m->value.elements[0], HF_SV("image"))
					       : hf_sv_eq(key, HF_SV("container")) || hf_sv_eq(key, HF_SV("script"))
						       ? hf_value_get(&m->value, HF_SV("image"))
						       : NULL;
		if (!found && hf_value_is(image, HF_VALUE_STRING))
			found = image;
		if (!found)
			found = find_containers(&m->value, depth + 1, budget);
	}
	return found;
}

/* Once a kind: what it makes is not judged, and that must not look like a pass. */
static void note_unread_pods(struct hf_kube_loader *l, const struct hf_kube_object *o, struct hf_map *told)
{
	enum { VALUES_MAX = 20000 };
	size_t budget = VALUES_MAX;
	hf_sv key = kind_key(l->arena, hf_kube_group_of(o->api_version), o->kind_name);
	const struct hf_value *image = hf_map_find(told, key) ? NULL : find_containers(o->spec, 0, &budget);

	if (!image || !hf_map_put(told, key))
		return;
	l->source = o->source;
	l->lines = o->lines;
	note_offset(l, HF_KUBE_NOTE_UNKNOWN_KIND, image->offset,
		    hf_arena_fmt(l->arena, "%.*s of %.*s makes pods, perhaps: containers in it are not looked into",
				 HF_SV_FMT(o->kind_name), HF_SV_FMT(o->api_version)));
}

/* Each unknown kind is noted where it stands first: its objects are there, but nobody looks into them. */
static void note_unknown_kinds(struct hf_kube_loader *l)
{
	struct hf_map known = HF_MAP(l->arena), told = HF_MAP(l->arena);

	for (size_t i = 0; i < l->objects.n; i++) {
		const struct hf_kube_object *o = l->objects.at[i];
		if (o->kind == HF_KUBE_CUSTOM_RESOURCE_DEFINITION)
			hf_map_put(&known, kind_key(l->arena, hf_value_get_text(o->spec, HF_SV("group")),
						    hf_value_text(hf_value_at(o->spec, "names.kind"))));
	}
	for (size_t i = 0; i < l->objects.n; i++) {
		const struct hf_kube_object *o = l->objects.at[i];
		if (o->kind != HF_KUBE_OTHER || hf_kube_schema_knows(o->api_version, o->kind_name))
			continue;
		note_unread_pods(l, o, &told);
		hf_sv key = kind_key(l->arena, hf_kube_group_of(o->api_version), o->kind_name);
		if (hf_map_find(&known, key) || !hf_map_put(&known, key))
			continue;
		l->source = o->source;
		l->lines = o->lines;
		note_offset(l, HF_KUBE_NOTE_UNKNOWN_KIND, o->offset,
			    hf_arena_fmt(l->arena,
					 "%.*s of %.*s: no kind that is known here, nor one that a "
					 "CustomResourceDefinition defines",
					 HF_SV_FMT(o->kind_name), HF_SV_FMT(o->api_version)));
	}
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
	if (l->source)
		note_unknown_kinds(l);
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
	struct hf_arena scratch = HF_ARENA(HF_KIB(8) + cluster.len + namespace.len + name.len);
	struct hf_map_entry *e = hf_map_find(&set->by_name, key_of(&scratch, cluster, kind, namespace, name));

	hf_arena_done(&scratch);
	return e ? e->value : NULL;
}
