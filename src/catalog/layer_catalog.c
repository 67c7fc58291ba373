#include "catalog/layer_catalog.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"

/* From the hash of a path to what was read of it, to notice a path that comes twice: +i+1 for evidence i, -i-1 for alias i. */
struct hf_seen {
	struct seen_slot {
		uint64_t hash;
		int64_t what;
	} * slots;
	size_t slots_n, n;
};

struct reader {
	struct hf_layer_visitor visitor;
	struct hf_emit emit;
	const struct hf_layer_catalog_options *options;
	struct hf_layer_catalog *catalog;
	struct hf_arena scratch; /* of one parser call */
	struct hf_evidence *current;
	uint32_t path_layer; /* in which the name of what is read stands */
	struct hf_parts parts;
	bool has_parts;      /* of the content that comes next, ranges alone are held */
	hf_wants_set wanted; /* by the entry that was asked about last */
	struct hf_seen seen;
	struct hf_alias *aliases; /* while aliases are read */
	struct hf_map by_target;  /* to a chain of them: index + 1, as a pointer's number */
	size_t *same_target;      /* index + 1 of the next one with the same target */
};

static hf_sv keep(struct reader *r, hf_sv s)
{
	return s.len ? hf_arena_dup(&r->catalog->arena, s) : (hf_sv){ 0 };
}

static int over_limit(struct reader *r, struct hf_err *err)
{
	return hf_fail(err, HF_E_LIMIT, "layer %u holds more than %zu bytes of package data", r->catalog->layer,
		       r->catalog->arena.cap);
}

static int on_package(struct hf_emit *e, const struct hf_package *p, struct hf_err *err)
{
	struct reader *r = (struct reader *)((char *)e - offsetof(struct reader, emit));
	struct hf_package *copy = hf_vec_push(&r->catalog->arena, &r->catalog->packages);

	if (!copy)
		return over_limit(r, err);
	*copy = *p;
	copy->name = keep(r, p->name);
	copy->version = keep(r, p->version);
	copy->arch = keep(r, p->arch);
	copy->source_name = keep(r, p->source_name);
	copy->source_version = keep(r, p->source_version);
	copy->module = keep(r, p->module);
	copy->origin = keep(r, p->origin);
	copy->path = hf_sv_eq(p->path, r->current->path) ? r->current->path : keep(r, p->path);
	if (!copy->path.len)
		copy->path = r->current->path;
	hf_sv *licences = hf_arena_array(&r->catalog->arena, hf_sv, p->licences_n);
	for (size_t i = 0; licences && i < p->licences_n; i++)
		licences[i] = keep(r, p->licences[i]);
	copy->licences = licences;
	copy->layer = (int32_t)r->catalog->layer;
	return r->catalog->arena.over ? over_limit(r, err) : HF_OK;
}

static int on_owns(struct hf_emit *e, enum hf_package_type type, hf_sv name, hf_sv path, struct hf_err *err)
{
	struct reader *r = (struct reader *)((char *)e - offsetof(struct reader, emit));
	struct hf_layer_catalog *c = r->catalog;
	struct hf_owner *last = c->owners.n ? &c->owners.at[c->owners.n - 1] : NULL;

	if (!last || last->type != type || !hf_sv_eq(last->name, name)) {
		last = hf_vec_push(&c->arena, &c->owners);
		if (!last)
			return over_limit(r, err);
		*last = (struct hf_owner){ type, keep(r, name) };
	}
	struct hf_owned *o = hf_vec_push(&c->arena, &c->owned);
	if (!o)
		return over_limit(r, err);
	*o = (struct hf_owned){ hf_hash_path(path), (uint32_t)(c->owners.n - 1) };
	return HF_OK;
}

static int on_os(struct hf_emit *e, const struct hf_os *os, struct hf_err *err)
{
	struct reader *r = (struct reader *)((char *)e - offsetof(struct reader, emit));
	struct hf_os *copy = hf_vec_push(&r->catalog->arena, &r->catalog->os);

	if (!copy)
		return over_limit(r, err);
	*copy = (struct hf_os){ keep(r, os->id),       keep(r, os->id_like), keep(r, os->version_id),
				keep(r, os->codename), keep(r, os->name),    r->current->path };
	r->current->os = (uint32_t)r->catalog->os.n;
	return r->catalog->arena.over ? over_limit(r, err) : HF_OK;
}

static int add_unparsed(struct reader *r, hf_sv path, hf_sv reason, struct hf_err *err)
{
	struct hf_unparsed_file *u = hf_vec_push(&r->catalog->arena, &r->catalog->unparsed);

	if (!u)
		return over_limit(r, err);
	*u = (struct hf_unparsed_file){ keep(r, path), keep(r, reason), r->path_layer };
	return r->catalog->arena.over ? over_limit(r, err) : HF_OK;
}

static int on_parser_unparsed(struct hf_emit *e, hf_sv path, hf_sv reason, struct hf_err *err)
{
	return add_unparsed((struct reader *)((char *)e - offsetof(struct reader, emit)), path, reason, err);
}

static struct seen_slot *seen_place(const struct hf_seen *s, uint64_t hash)
{
	size_t i = (size_t)hash & (s->slots_n - 1);

	while (s->slots[i].what && s->slots[i].hash != hash)
		i = (i + 1) & (s->slots_n - 1);
	return &s->slots[i];
}

static void note_seen(struct reader *r, uint64_t hash, int64_t what)
{
	struct hf_seen *s = &r->seen;

	if (s->n * 2 >= s->slots_n) {
		struct hf_seen larger = { .slots_n = s->slots_n ? s->slots_n * 2 : 256, .n = s->n };
		larger.slots = hf_calloc(larger.slots_n, sizeof *larger.slots);
		for (size_t i = 0; i < s->slots_n; i++)
			if (s->slots[i].what)
				*seen_place(&larger, s->slots[i].hash) = s->slots[i];
		free(s->slots);
		*s = larger;
	}
	struct seen_slot *slot = seen_place(s, hash);
	s->n += !slot->what;
	*slot = (struct seen_slot){ hash, what };
}

/* A path that came before in this layer no longer counts: tar's later entry wins. */
static void forget_earlier(struct reader *r, uint64_t hash)
{
	int64_t what = r->seen.n ? seen_place(&r->seen, hash)->what : 0;

	if (what > 0)
		r->catalog->evidence.at[what - 1].replaced = true;
	else if (what < 0)
		r->catalog->aliases.at[-what - 1].path = (hf_sv){ 0 };
}

static void note_path(struct reader *r, const struct hf_entry *e, uint64_t hash)
{
	static const enum hf_path_kind kinds[HF_ENTRY_MAX] = {
		[HF_ENTRY_DIR] = HF_PATH_DIR,
		[HF_ENTRY_WHITEOUT] = HF_PATH_WHITEOUT,
		[HF_ENTRY_OPAQUE] = HF_PATH_OPAQUE,
	};

	if (r->options->keep_paths)
		hf_path_set_add(&r->catalog->paths, hash, kinds[e->type]);
	if (e->type != HF_ENTRY_WHITEOUT && e->type != HF_ENTRY_OPAQUE)
		forget_earlier(r, hash);
}

/* Joins a symlink's target to the folder of @path, inside the root; empty where it leads nowhere. */
static hf_sv resolve(struct hf_arena *a, hf_sv path, hf_sv link)
{
	hf_sv rest = hf_sv_starts(link, HF_SV("/"))
			     ? link
			     : hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(hf_sv_dirname(path)), HF_SV_FMT(link));
	char *out = hf_arena_alloc(a, rest.len + 1, 1);
	size_t n = 0;
	hf_sv part;

	if (!out || !rest.len || rest.len > HF_PATH_MAX)
		return (hf_sv){ 0 };
	while (hf_sv_next(&rest, '/', &part)) {
		if (!part.len || hf_sv_eq(part, HF_SV(".")))
			continue;
		if (hf_sv_eq(part, HF_SV(".."))) {
			while (n && out[--n] != '/')
				;
			continue;
		}
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.ptr, part.len);
		n += part.len;
	}
	return (hf_sv){ out, n };
}

static int note_alias(struct reader *r, const struct hf_entry *e, struct hf_err *err)
{
	struct hf_layer_catalog *c = r->catalog;
	bool hard = e->type == HF_ENTRY_HARDLINK;
	hf_sv target = hard ? keep(r, e->link) : resolve(&c->arena, e->path, e->link);

	if (!target.len)
		return c->arena.over ? over_limit(r, err) : HF_OK;
	struct hf_alias *alias = hf_vec_push(&c->arena, &c->aliases);
	if (!alias)
		return over_limit(r, err);
	*alias = (struct hf_alias){ .path = keep(r, e->path), .layer = c->layer, .target = target, .hard = hard };
	alias->named = hf_wants_names(r->options->wants, e->path);
	note_seen(r, hf_hash(e->path), -(int64_t)c->aliases.n);
	return c->arena.over ? over_limit(r, err) : HF_OK;
}

/* A folder that is a symlink: what is wanted below it by its whole name may stand where it leads. */
static int note_folder_alias(struct reader *r, const struct hf_entry *e, struct hf_err *err)
{
	struct hf_layer_catalog *c = r->catalog;
	hf_sv path;

	for (size_t i = 0; (path = hf_wants_named_below(r->options->wants, e->path, i)).len; i++) {
		hf_sv to = resolve(&c->arena, e->path, e->link);
		hf_sv target = hf_arena_concat(&c->arena, to, hf_sv_skip(path, e->path.len + !to.len));
		/* What is wanted there by that name is read in any case. */
		if (hf_wants_path(r->options->wants, target))
			continue;
		struct hf_alias *alias = hf_vec_push(&c->arena, &c->aliases);
		if (!alias)
			return over_limit(r, err);
		*alias = (struct hf_alias){
			.path = keep(r, path), .layer = c->layer, .target = target, .implied = true
		};
	}
	return c->arena.over ? over_limit(r, err) : HF_OK;
}

static int on_entry(struct hf_layer_visitor *v, const struct hf_entry *e, bool *ret_wants_content, struct hf_err *err)
{
	struct reader *r = (struct reader *)v;
	struct hf_layer_catalog *c = r->catalog;

	note_path(r, e, hf_hash(e->path));
	r->wanted = 0;
	r->has_parts = false;
	if (e->type == HF_ENTRY_FILE) {
		c->files_n++;
		c->content_size += e->size;
		r->wanted = hf_wants_path(r->options->wants, e->path);
		if ((e->mode & 0111) && hf_sv_starts(e->head, HF_SV("\177ELF"))) {
			c->executables_n++;
			r->wanted |= hf_wants_elf(r->options->wants);
		}
		*ret_wants_content = r->wanted != 0;
	} else if ((e->type == HF_ENTRY_SYMLINK || e->type == HF_ENTRY_HARDLINK) &&
		   hf_wants_path(r->options->wants, e->path)) {
		return note_alias(r, e, err);
	} else if (e->type == HF_ENTRY_SYMLINK) {
		return note_folder_alias(r, e, err);
	}
	return HF_OK;
}

static bool is_database(hf_sv path)
{
	static const hf_sv names[] = { HF_SV_INIT("dpkg/status"), HF_SV_INIT("apk/db/installed"),
				       HF_SV_INIT("rpm/Packages"), HF_SV_INIT("rpm/Packages.db"),
				       HF_SV_INIT("rpm/rpmdb.sqlite") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_ends(path, names[i]))
			return true;
	return false;
}

static struct hf_evidence *new_evidence(struct reader *r, hf_sv path)
{
	struct hf_layer_catalog *c = r->catalog;
	struct hf_evidence *ev = hf_vec_push(&c->arena, &c->evidence);

	if (!ev)
		return NULL;
	ev->path = keep(r, path);
	ev->hash = hf_hash(path);
	ev->layer = r->path_layer;
	ev->first_package = (uint32_t)c->packages.n;
	ev->first_owned = (uint32_t)c->owned.n;
	ev->first_unparsed = (uint32_t)c->unparsed.n;
	return c->arena.over ? NULL : ev;
}

static void close_evidence(struct reader *r)
{
	struct hf_layer_catalog *c = r->catalog;
	struct hf_evidence *ev = r->current;

	ev->packages_n = (uint32_t)c->packages.n - ev->first_package;
	ev->owned_n = (uint32_t)c->owned.n - ev->first_owned;
	ev->unparsed_n = (uint32_t)c->unparsed.n - ev->first_unparsed;
	/* Files that say nothing, as most executables, are not worth remembering. */
	r->current = NULL;
	if (!ev->packages_n && !ev->owned_n && !ev->unparsed_n && !ev->os && !is_database(ev->path)) {
		c->evidence.n--;
		return;
	}
	ev->database = ev->packages_n && is_database(ev->path);
	note_seen(r, ev->hash, (int64_t)c->evidence.n);
}

static int parse_with(struct reader *r, const struct hf_cataloger *cataloger, const struct hf_file *file,
		      struct hf_err *err)
{
	struct hf_err why = { 0 };
	int q = cataloger->parse(file, &r->scratch, &r->emit, &why);

	hf_arena_reset(&r->scratch);
	if (q >= 0)
		return HF_OK;
	if (r->catalog->arena.over)
		return over_limit(r, err);
	return add_unparsed(r, file->path, hf_sv_of(why.msg), err);
}

/* Executables and zip archives are read here and there, all else as a whole. */
static bool is_too_large(hf_sv bytes)
{
	return bytes.len > HF_WANTED_FILE_MAX && !hf_sv_starts(bytes, HF_SV("\177ELF")) &&
	       !hf_sv_starts(bytes, HF_SV("PK"));
}

static int read_content(struct reader *r, hf_sv path, uint32_t mode, hf_wants_set wanted, hf_sv bytes,
			struct hf_err *err)
{
	const struct hf_worker *w = r->options->worker;
	struct hf_file file = { .path = path, .bytes = bytes, .mode = mode };
	if (r->has_parts) {
		file.held = r->parts.held;
		file.held_n = r->parts.held_n;
	}
	hf_sv reason;
	int q = HF_OK;

	r->current = new_evidence(r, path);
	if (!r->current)
		return over_limit(r, err);
	file.path = r->current->path;
	if (is_too_large(bytes)) {
		q = add_unparsed(r, path, HF_SV("a file of more than 512 MiB: not read"), err);
	} else if (w && hf_worker_excludes(w, (int32_t)r->catalog->layer, path, &reason)) {
		q = add_unparsed(r, path, reason, err);
	} else {
		if (w)
			hf_board_begin(w->board, (int32_t)r->catalog->layer, path);
		for (unsigned i = 0; hf_catalogers[i] && q == HF_OK; i++)
			if (wanted >> i & 1)
				q = parse_with(r, hf_catalogers[i], &file, err);
		if (w)
			hf_board_end(w->board);
	}
	close_evidence(r);
	return q;
}

/* Members, where all catalogers that want the file read members alone; or parts of an executable. */
static bool on_parts(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv head, struct hf_parts *ret)
{
	struct reader *r = (struct reader *)v;
	enum hf_zip_want (*member)(hf_sv name) = NULL;

	*ret = (struct hf_parts){ 0 };
	if (!(r->wanted & ~hf_wants_elf(r->options->wants))) {
		ret->held_n = hf_elf_parts(head, e->size, HF_SPOOL_TOTAL_MAX, ret->held);
		r->parts = *ret;
		r->has_parts = ret->held_n;
		return ret->held_n;
	}
	for (unsigned i = 0; hf_catalogers[i]; i++) {
		if (!(r->wanted >> i & 1))
			continue;
		if (!hf_catalogers[i]->wants_member || (member && member != hf_catalogers[i]->wants_member))
			return false;
		member = hf_catalogers[i]->wants_member;
	}
	ret->member = member;
	return member != NULL;
}

static int on_content(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv bytes, struct hf_err *err)
{
	struct reader *r = (struct reader *)v;

	return read_content(r, e->path, e->mode, r->wanted, bytes, err);
}

static int on_unparsed(struct hf_layer_visitor *v, hf_sv path, hf_sv reason, struct hf_err *err)
{
	return add_unparsed((struct reader *)v, path, reason, err);
}

static struct reader reader_of(const struct hf_layer_catalog_options *o, struct hf_layer_catalog *c)
{
	struct reader r = {
		.visitor = { on_entry, on_content, on_unparsed, on_parts },
		.emit = { on_package, on_owns, on_os, on_parser_unparsed },
		.options = o,
		.catalog = c,
		.scratch = HF_ARENA(HF_PARSE_ARENA_MAX),
		.path_layer = c->layer,
	};

	return r;
}

int hf_layer_catalog_read(struct hf_source *source, uint32_t layer, const struct hf_layer_catalog_options *o,
			  struct hf_layer_catalog *c, struct hf_err *err)
{
	c->arena = HF_ARENA(o->arena_max);
	c->layer = layer;
	struct reader r = reader_of(o, c);
	int q = hf_layer_walk(source, layer, &r.visitor, err);
	free(r.seen.slots);
	hf_arena_done(&r.scratch);
	if (q < 0)
		return hf_wrap(err, "layer %u", layer);
	return q == HF_PARTIAL || c->unparsed.n ? HF_PARTIAL : HF_OK;
}

static size_t first_alias_of(const struct reader *r, hf_sv target)
{
	const struct hf_map_entry *e = hf_map_find(&r->by_target, target);

	return e ? (size_t)(uintptr_t)e->value : 0;
}

static int on_alias_entry(struct hf_layer_visitor *v, const struct hf_entry *e, bool *ret_wants_content,
			  struct hf_err *err)
{
	struct reader *r = (struct reader *)v;
	bool hard = e->type == HF_ENTRY_HARDLINK;

	*ret_wants_content = e->type == HF_ENTRY_FILE;
	for (size_t at = first_alias_of(r, e->path); at; at = r->same_target[at - 1]) {
		struct hf_alias *alias = &r->aliases[at - 1];
		forget_earlier(r, hf_hash(alias->path));
		alias->moved = false;
		alias->found = !hard && e->type != HF_ENTRY_SYMLINK;
		if (!hard && e->type != HF_ENTRY_SYMLINK)
			continue;
		hf_sv next = hard ? keep(r, e->link) : resolve(&r->catalog->arena, e->path, e->link);
		alias->moved = next.len && !hf_sv_eq(next, e->path);
		if (!alias->moved)
			continue;
		alias->target = next;
		alias->hard = hard;
	}
	return r->catalog->arena.over ? over_limit(r, err) : HF_OK;
}

static int on_alias_content(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv bytes, struct hf_err *err)
{
	struct reader *r = (struct reader *)v;
	unsigned names = 0;
	int q = HF_OK;

	for (size_t at = first_alias_of(r, e->path); at && q == HF_OK; at = r->same_target[at - 1]) {
		hf_sv path = r->aliases[at - 1].path;
		r->path_layer = r->aliases[at - 1].layer;
		if (names++ < HF_NAMES_OF_ONE_FILE_MAX)
			q = read_content(r, path, e->mode, hf_wants_path(r->options->wants, path), bytes, err);
		else
			q = add_unparsed(r, path,
					 HF_SV("one of too many names of the same file, which was read under others"),
					 err);
	}
	return q;
}

int hf_layer_catalog_read_aliases(struct hf_source *source, const struct hf_layer_catalog_options *o,
				  struct hf_alias *aliases, size_t n, struct hf_layer_catalog *c, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	struct reader r = reader_of(o, c);
	hf_sv *targets = hf_calloc(n, sizeof *targets);

	r.visitor.entry = on_alias_entry;
	r.visitor.parts = NULL;
	r.visitor.content = on_alias_content;
	r.aliases = aliases;
	r.by_target = HF_MAP(&a);
	r.same_target = hf_calloc(n, sizeof *r.same_target);
	for (size_t i = n; i-- > 0;) {
		targets[i] = aliases[i].target;
		aliases[i].moved = aliases[i].found = false;
		struct hf_map_entry *e = hf_map_put(&r.by_target, aliases[i].target);
		if (!e)
			break;
		r.same_target[i] = (size_t)(uintptr_t)e->value;
		e->value = (void *)(uintptr_t)(i + 1);
	}
	int q = a.over ? over_limit(&r, err) : hf_layer_fetch(source, c->layer, targets, n, &r.visitor, err);
	free(r.seen.slots);
	free(r.same_target);
	free(targets);
	hf_arena_done(&r.scratch);
	return q < 0 ? hf_wrap(err, "layer %u", c->layer) : q;
}

int hf_layer_catalog_complain(struct hf_layer_catalog *c, hf_sv path, const char *reason, struct hf_err *err)
{
	struct reader r = { .catalog = c, .path_layer = c->layer };

	return add_unparsed(&r, path, hf_sv_of(reason), err);
}

void hf_layer_catalog_done(struct hf_layer_catalog *c)
{
	hf_path_set_done(&c->paths);
	hf_arena_done(&c->arena);
}
