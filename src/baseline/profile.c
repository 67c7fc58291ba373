#include "baseline/profile.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/limits.h"
#include "baseline/shape.h"

const struct hf_profile_part_info hf_profile_parts[HF_PROFILE_PARTS] = {
#define HF_PROFILE_PART(name, key, object, details, rule, severity, doc) { key, object, details, rule, severity, doc },
#include "baseline/profile_parts.def"
#undef HF_PROFILE_PART
};

bool hf_profile_part_of(hf_sv key, enum hf_profile_part *ret)
{
	for (unsigned i = 0; i < HF_PROFILE_PARTS; i++)
		if (hf_sv_eq(key, hf_sv_of(hf_profile_parts[i].key))) {
			*ret = i;
			return true;
		}
	return false;
}

const char *hf_profile_mode_name(enum hf_profile_mode mode)
{
	static const char *const names[] = { "learn", "observe", "enforce" };

	return names[mode];
}

void hf_profile_init(struct hf_profile *p, struct hf_arena *a, hf_sv image_digest, hf_sv image_name, hf_sv owner)
{
	*p = (struct hf_profile){
		.arena = a,
		.image_digest = hf_arena_dup(a, image_digest),
		.image_name = hf_arena_dup(a, image_name),
		.owner = hf_arena_dup(a, owner),
	};
	for (size_t i = 0; i < HF_PROFILE_PARTS; i++) {
		p->sections[i].entries = HF_MAP(a);
		p->sections[i].folders = HF_MAP(a);
	}
}

void hf_profile_cover(struct hf_profile *p, enum hf_profile_part part)
{
	p->sections[part].covered = true;
}

static void unite(struct hf_profile *p, struct hf_sighting *to, const struct hf_sighting *from, bool same_replica)
{
	to->origin |= from->origin;
	to->count += from->count;
	if (same_replica)
		to->replicas = to->replicas > from->replicas ? to->replicas : from->replicas;
	else
		to->replicas += from->replicas;
	if (from->first_s && (!to->first_s || from->first_s < to->first_s))
		to->first_s = from->first_s;
	if (from->last_s > to->last_s)
		to->last_s = from->last_s;
	if (!to->why.len && from->why.len)
		to->why = hf_arena_dup(p->arena, from->why);
}

/* Where a sorted list has, or would get, this text. */
static size_t place(const hf_sv *list, size_t n, hf_sv text, bool *ret_there)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (hf_sv_cmp(list[middle], text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_there = low < n && hf_sv_eq(list[low], text);
	return low;
}

static void add_detail(struct hf_profile *p, struct hf_profile_entry *e, hf_sv detail)
{
	bool there;
	size_t at = place(e->details, e->details_n, detail, &there);

	if (!detail.len || there || e->any_details)
		return;
	if (e->details_n == HF_PROFILE_DETAILS_MAX) {
		e->any_details = true;
		e->details_n = 0;
		return;
	}
	hf_sv *list = hf_arena_array(p->arena, hf_sv, e->details_n + 1);
	hf_sv copy = hf_arena_dup(p->arena, detail);
	if (!list || p->arena->over)
		return;
	for (size_t i = 0; i < e->details_n; i++)
		list[i + (i >= at)] = e->details[i];
	list[at] = copy;
	e->details = list;
	e->details_n++;
}

static struct hf_profile_entry *entry_of(struct hf_profile *p, enum hf_profile_part part, hf_sv object, bool *ret_made)
{
	struct hf_profile_section *s = &p->sections[part];
	struct hf_map_entry *m = hf_map_find(&s->entries, object);

	*ret_made = !m;
	if (m)
		return m->value;
	if (s->entries.n >= HF_PROFILE_ENTRIES_MAX) {
		s->overflow = true;
		return NULL;
	}
	struct hf_profile_entry *e = hf_arena_new(p->arena, struct hf_profile_entry);
	hf_sv copy = hf_arena_dup(p->arena, object);
	m = e && !p->arena->over ? hf_map_put(&s->entries, copy) : NULL;
	if (!m) {
		s->overflow = true;
		return NULL;
	}
	e->object = copy;
	m->value = e;
	return e;
}

/* What holds the place of a folder's files once there are too many to be told apart. */
static hf_sv any_of_folder(struct hf_profile *p, hf_sv folder)
{
	return hf_arena_concat(p->arena, folder, HF_SV("/{any}"));
}

static struct hf_profile_entry *fold(struct hf_profile *p, enum hf_profile_part part, hf_sv folder)
{
	struct hf_profile_section *s = &p->sections[part];
	bool made;
	struct hf_profile_entry *all = entry_of(p, part, any_of_folder(p, folder), &made);

	for (size_t i = 0; all && i < s->entries.n; i++) {
		struct hf_profile_entry *e = s->entries.entries[i].value;
		if (!e || e == all || e->folded || !hf_sv_eq(hf_sv_dirname(e->object), folder))
			continue;
		e->folded = true;
		unite(p, &all->seen, &e->seen, true);
		all->any_details |= e->any_details;
		for (size_t k = 0; k < e->details_n; k++)
			add_detail(p, all, e->details[k]);
	}
	return all;
}

/* The entry of a file: its own, or the one of all files of its folder. */
static struct hf_profile_entry *file_entry(struct hf_profile *p, hf_sv object)
{
	struct hf_profile_section *s = &p->sections[HF_PROFILE_FILES];
	hf_sv folder = hf_sv_dirname(object);
	struct hf_map_entry *count = hf_map_find(&s->folders, folder);
	bool made;

	if (count && (uintptr_t)count->value > HF_PROFILE_FOLDER_MAX)
		return entry_of(p, HF_PROFILE_FILES, any_of_folder(p, folder), &made);
	struct hf_profile_entry *e = entry_of(p, HF_PROFILE_FILES, object, &made);
	if (!e || !made)
		return e;
	count = hf_map_put(&s->folders, hf_sv_dirname(e->object));
	if (!count)
		return e;
	bool all = hf_sv_eq(hf_sv_basename(e->object), HF_SV("{any}"));
	count->value = (void *)(all ? HF_PROFILE_FOLDER_MAX + 1 : (uintptr_t)count->value + 1);
	return (uintptr_t)count->value > HF_PROFILE_FOLDER_MAX ? fold(p, HF_PROFILE_FILES, folder) : e;
}

static struct hf_profile_entry *add(struct hf_profile *p, enum hf_profile_part part, hf_sv object, hf_sv detail,
				    const struct hf_sighting *seen, bool same_replica)
{
	bool made;
	struct hf_profile_entry *e =
		part == HF_PROFILE_FILES ? file_entry(p, object) : entry_of(p, part, object, &made);

	if (!e)
		return NULL;
	unite(p, &e->seen, seen, same_replica);
	add_detail(p, e, detail);
	return e;
}

struct hf_profile_entry *hf_profile_add(struct hf_profile *p, enum hf_profile_part part, hf_sv object, hf_sv detail,
					const struct hf_sighting *seen)
{
	return add(p, part, object, detail, seen, false);
}

struct hf_profile_entry *hf_profile_add_path(struct hf_profile *p, enum hf_profile_part part, hf_sv path, hf_sv detail,
					     const struct hf_sighting *seen)
{
	return hf_profile_add(p, part, hf_shape_literal(path, p->arena), detail, seen);
}

struct hf_profile_entry *hf_profile_add_executable(struct hf_profile *p, hf_sv path, hf_sv digest,
						   const struct hf_sighting *seen)
{
	return hf_profile_add_path(p, HF_PROFILE_EXECUTABLES, path, digest, seen);
}

struct hf_profile_entry *hf_profile_add_script(struct hf_profile *p, hf_sv path, hf_sv digest,
					       const struct hf_sighting *seen)
{
	return hf_profile_add_path(p, HF_PROFILE_SCRIPTS, path, digest, seen);
}

struct hf_profile_entry *hf_profile_add_library(struct hf_profile *p, hf_sv path, hf_sv build_id, hf_sv digest,
						const struct hf_sighting *seen)
{
	hf_sv id = build_id.len ? hf_arena_concat(p->arena, HF_SV("build-id:"), build_id) : (hf_sv){ 0 };
	struct hf_profile_entry *e = hf_profile_add_path(p, HF_PROFILE_LIBRARIES, path, id, seen);

	if (e)
		add_detail(p, e, digest);
	return e;
}

hf_sv hf_profile_port(hf_sv protocol, uint64_t port, struct hf_arena *a)
{
	if (port >= HF_PORT_EPHEMERAL && port <= 65535)
		return hf_arena_fmt(a, "%.*s/ephemeral", HF_SV_FMT(protocol));
	return hf_arena_fmt(a, "%.*s/%llu", HF_SV_FMT(protocol), (unsigned long long)port);
}

struct hf_profile_entry *hf_profile_add_listen(struct hf_profile *p, hf_sv protocol, uint32_t port,
					       const struct hf_sighting *seen)
{
	return hf_profile_add(p, HF_PROFILE_LISTEN, hf_profile_port(protocol, port, p->arena), (hf_sv){ 0 }, seen);
}

struct hf_profile_entry *hf_profile_add_capability(struct hf_profile *p, hf_sv name, hf_sv system_call,
						   const struct hf_sighting *seen)
{
	return hf_profile_add(p, HF_PROFILE_CAPABILITIES, name, system_call, seen);
}

struct hf_profile_entry *hf_profile_add_system_call(struct hf_profile *p, hf_sv name, const struct hf_sighting *seen)
{
	return hf_profile_add(p, HF_PROFILE_SYSTEM_CALLS, name, (hf_sv){ 0 }, seen);
}

struct hf_profile_entry *hf_profile_add_user(struct hf_profile *p, uint64_t id, const struct hf_sighting *seen)
{
	return hf_profile_add(p, HF_PROFILE_USERS, hf_arena_fmt(p->arena, "%llu", (unsigned long long)id), (hf_sv){ 0 },
			      seen);
}

static int shape_cmp(const struct hf_profile_shape *a, const struct hf_profile_shape *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int order = hf_sv_cmp(a->arguments[i], b->arguments[i]);
		if (order)
			return order;
	}
	return (a->n > b->n) - (a->n < b->n);
}

void hf_profile_add_shape(struct hf_profile *p, struct hf_profile_entry *e, const struct hf_profile_shape *shape)
{
	size_t at = 0;

	while (at < e->shapes_n && shape_cmp(&e->shapes[at], shape) < 0)
		at++;
	if (e->any_arguments || (at < e->shapes_n && shape_cmp(&e->shapes[at], shape) == 0))
		return;
	if (e->shapes_n == HF_PROFILE_SHAPES_MAX || shape->n > HF_PROFILE_ARGUMENTS_MAX) {
		e->any_arguments = true;
		e->shapes_n = 0;
		return;
	}
	struct hf_profile_shape *list = hf_arena_array(p->arena, struct hf_profile_shape, e->shapes_n + 1);
	hf_sv *arguments = hf_arena_array(p->arena, hf_sv, shape->n);
	for (size_t i = 0; arguments && i < shape->n; i++)
		arguments[i] = hf_arena_dup(p->arena, shape->arguments[i]);
	if (!list || !arguments || p->arena->over)
		return;
	for (size_t i = 0; i < e->shapes_n; i++)
		list[i + (i >= at)] = e->shapes[i];
	list[at] = (struct hf_profile_shape){ arguments, shape->n };
	e->shapes = list;
	e->shapes_n++;
}

struct hf_profile_shape hf_profile_shape_of(const hf_sv *arguments, size_t n, struct hf_arena *a)
{
	size_t kept = n <= HF_PROFILE_ARGUMENTS_MAX ? n : HF_PROFILE_ARGUMENTS_MAX;
	hf_sv *shapes = hf_arena_array(a, hf_sv, kept);

	for (size_t i = 0; shapes && i < kept; i++)
		shapes[i] = hf_shape_argument(arguments[i], a);
	return (struct hf_profile_shape){ shapes, n };
}

void hf_profile_add_arguments(struct hf_profile *p, struct hf_profile_entry *e, const hf_sv *arguments, size_t n)
{
	struct hf_arena scratch = HF_ARENA(HF_MIB(4));
	struct hf_profile_shape shape = hf_profile_shape_of(arguments, n, &scratch);

	if (!e->any_arguments && !scratch.over)
		hf_profile_add_shape(p, e, &shape);
	hf_arena_done(&scratch);
}

const struct hf_profile_entry *hf_profile_find(const struct hf_profile *p, enum hf_profile_part part, hf_sv object)
{
	const struct hf_map_entry *m = hf_map_find(&p->sections[part].entries, object);
	const struct hf_profile_entry *e = m ? m->value : NULL;

	return e && !e->folded ? e : NULL;
}

static int by_object(const void *a, const void *b)
{
	const struct hf_profile_entry *const *x = a, *const *y = b;

	return hf_sv_cmp((*x)->object, (*y)->object);
}

const struct hf_profile_entry **hf_profile_sorted(const struct hf_profile *p, enum hf_profile_part part,
						  struct hf_arena *a, size_t *ret_n)
{
	const struct hf_map *m = &p->sections[part].entries;
	const struct hf_profile_entry **list = hf_arena_array(a, const struct hf_profile_entry *, m->n + 1);

	*ret_n = 0;
	for (size_t i = 0; list && i < m->n; i++) {
		const struct hf_profile_entry *e = m->entries[i].value;
		if (e && !e->folded)
			list[(*ret_n)++] = e;
	}
	if (*ret_n)
		qsort(list, *ret_n, sizeof(struct hf_profile_entry *), by_object);
	return list;
}

static void merge_entry(struct hf_profile *p, enum hf_profile_part part, const struct hf_profile_entry *from,
			bool same_replica)
{
	struct hf_profile_entry *e = add(p, part, from->object, (hf_sv){ 0 }, &from->seen, same_replica);

	if (!e)
		return;
	for (size_t i = 0; i < from->details_n; i++)
		add_detail(p, e, from->details[i]);
	if (from->any_details) {
		e->any_details = true;
		e->details_n = 0;
	}
	for (size_t i = 0; i < from->shapes_n; i++)
		hf_profile_add_shape(p, e, &from->shapes[i]);
	if (from->any_arguments) {
		e->any_arguments = true;
		e->shapes_n = 0;
	}
}

int hf_profile_merge(struct hf_profile *p, const struct hf_profile *from, bool same_replica, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_MIB(4));

	if (p->image_digest.len && from->image_digest.len && !hf_sv_eq(p->image_digest, from->image_digest))
		return hf_fail(err, HF_E_FORMAT, "profiles of two images, %.*s and %.*s", HF_SV_FMT(p->image_digest),
			       HF_SV_FMT(from->image_digest));
	if (p->owner.len && from->owner.len && !hf_sv_eq(p->owner, from->owner))
		return hf_fail(err, HF_E_FORMAT, "profiles of two owners, '%.*s' and '%.*s'", HF_SV_FMT(p->owner),
			       HF_SV_FMT(from->owner));
	if (!p->image_digest.len)
		p->image_digest = hf_arena_dup(p->arena, from->image_digest);
	if (!p->owner.len)
		p->owner = hf_arena_dup(p->arena, from->owner);
	if (!p->image_name.len)
		p->image_name = hf_arena_dup(p->arena, from->image_name);
	for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
		size_t n;
		const struct hf_profile_entry **list = hf_profile_sorted(from, part, &scratch, &n);
		for (size_t i = 0; i < n; i++)
			merge_entry(p, part, list[i], same_replica);
		p->sections[part].covered |= from->sections[part].covered;
		p->sections[part].overflow |= from->sections[part].overflow;
	}
	struct hf_sighting mine = { .replicas = (uint32_t)p->replicas, .first_s = p->first_s, .last_s = p->last_s };
	const struct hf_sighting theirs = { .replicas = (uint32_t)from->replicas,
					    .first_s = from->first_s,
					    .last_s = from->last_s };
	unite(p, &mine, &theirs, same_replica);
	p->replicas = mine.replicas;
	p->first_s = mine.first_s;
	p->last_s = mine.last_s;
	p->windows += from->windows;
	p->discarded_loss += from->discarded_loss;
	p->discarded_alert += from->discarded_alert;
	return p->arena->over || scratch.over ? hf_fail(err, HF_E_LIMIT, "the profile is too large") : 0;
}
