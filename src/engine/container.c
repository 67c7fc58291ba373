#include "engine/container.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "engine/cgroup_path.h"
#include "engine/facts.h"
#include "engine/lookup.h"

#define SECOND_NS UINT64_C(1000000000)

enum {
	CONTAINERS_MAX = 8192,
	CGROUPS_A_CONTAINER = 2, /* on average: those below a container's own */
	GONE_PART = 2,           /* half of the table may be of the gone */
	TRIES_GONE_MAX = 3,      /* for a container that is gone nobody is asked longer */
	NONE = 0,                /* index 0 of either table is not used */
};

#define PENDING_NS   (2 * SECOND_NS)
#define TOMBSTONE_NS (600 * SECOND_NS)
#define ANSWER_NS    (10 * SECOND_NS) /* what was asked and not answered is asked again */
#define PAUSE_NS     (SECOND_NS / 4)
#define PAUSE_MAX_NS (60 * SECOND_NS)
#define ADDRESS_NS   (SECOND_NS / 2) /* an address is given out after the container was made */

/* A chain through a table, by index. */
struct link {
	uint32_t before, after;
};
struct chain {
	uint32_t first, last;
};

struct entry {
	struct hf_container c;
	void *block; /* what c has its views in */
	size_t block_size;
	uint32_t next_id, next_address; /* in their buckets */
	struct link waiting, announced;
	bool is_waiting, is_announced, asked, named, refreshed;
	uint32_t cgroups_n, live_n;
	unsigned tries;
	uint64_t next_ns;
	char *why; /* of an unresolved one; or NULL */
};

/* A cgroup of a container: its own or one below it. */
struct cgroup {
	uint64_t id;
	uint32_t entry, next_id;
	struct link gone;
	bool is_gone;
	uint64_t gone_ns;
};

struct hf_containers {
	struct hf_lookup *lookup;
	struct entry *entries; /* entries_max + 1 */
	struct cgroup *cgroups;
	uint32_t entries_max, cgroups_max, buckets_n;
	uint32_t *by_id, *by_address, *by_cgroup; /* buckets_n each */
	uint32_t free_entry, free_cgroup;         /* chained by next_id */
	uint32_t fresh_entry, fresh_cgroup;       /* from here on never used */
	struct chain waiting, announced, gone;
	uint32_t gone_n;
	size_t facts_size;
	struct hf_containers_count count;
	char engine[512];
};

/* ---- chains: waiting and announced over entries, gone over cgroups ---- */

#define CHAIN(name, type, table)                                                         \
	static void name##_add(struct hf_containers *t, uint32_t i)                      \
	{                                                                                \
		t->table[i].name = (struct link){ t->name.last, NONE };                  \
		if (t->name.last)                                                        \
			t->table[t->name.last].name.after = i;                           \
		else                                                                     \
			t->name.first = i;                                               \
		t->name.last = i;                                                        \
		t->table[i].is_##name = true;                                            \
	}                                                                                \
	static void name##_drop(struct hf_containers *t, uint32_t i)                     \
	{                                                                                \
		struct link l = t->table[i].name;                                        \
		if (!t->table[i].is_##name)                                              \
			return;                                                          \
		*(l.before ? &t->table[l.before].name.after : &t->name.first) = l.after; \
		*(l.after ? &t->table[l.after].name.before : &t->name.last) = l.before;  \
		t->table[i].is_##name = false;                                           \
	}
CHAIN(waiting, struct entry, entries)
CHAIN(announced, struct entry, entries)
CHAIN(gone, struct cgroup, cgroups)

/* ---- buckets ---- */

static uint32_t *bucket(const struct hf_containers *t, uint32_t *buckets, hf_sv key)
{
	return &buckets[hf_hash(key) & (t->buckets_n - 1)];
}

static uint32_t *cgroup_bucket(const struct hf_containers *t, uint64_t id)
{
	return bucket(t, t->by_cgroup, (hf_sv){ (const char *)&id, sizeof id });
}

static uint32_t find_id(const struct hf_containers *t, hf_sv id)
{
	uint32_t i = *bucket(t, t->by_id, id);

	while (i && !hf_sv_eq(t->entries[i].c.id, id))
		i = t->entries[i].next_id;
	return i;
}

static uint32_t find_cgroup(const struct hf_containers *t, uint64_t id)
{
	uint32_t i = *cgroup_bucket(t, id);

	while (i && t->cgroups[i].id != id)
		i = t->cgroups[i].next_id;
	return i;
}

static void address_drop(struct hf_containers *t, uint32_t i)
{
	if (!t->entries[i].c.address.len)
		return;
	uint32_t *at = bucket(t, t->by_address, t->entries[i].c.address);
	while (*at && *at != i)
		at = &t->entries[*at].next_address;
	if (*at)
		*at = t->entries[i].next_address;
}

static void address_add(struct hf_containers *t, uint32_t i)
{
	if (!t->entries[i].c.address.len)
		return;
	uint32_t *at = bucket(t, t->by_address, t->entries[i].c.address);
	t->entries[i].next_address = *at;
	*at = i;
}

/* ---- entries ---- */

static void entry_free(struct hf_containers *t, uint32_t i)
{
	struct entry *e = &t->entries[i];
	uint32_t *at = bucket(t, t->by_id, e->c.id);

	while (*at != i)
		at = &t->entries[*at].next_id;
	*at = e->next_id;
	address_drop(t, i);
	waiting_drop(t, i);
	announced_drop(t, i);
	t->facts_size -= e->block_size;
	free(e->block);
	free(e->why);
	*e = (struct entry){ .next_id = t->free_entry };
	t->free_entry = i;
}

static void cgroup_free(struct hf_containers *t, uint32_t i)
{
	struct cgroup *g = &t->cgroups[i];
	uint32_t *at = cgroup_bucket(t, g->id), owner = g->entry;

	while (*at != i)
		at = &t->cgroups[*at].next_id;
	*at = g->next_id;
	t->gone_n -= g->is_gone;
	gone_drop(t, i);
	*g = (struct cgroup){ .next_id = t->free_cgroup };
	t->free_cgroup = i;
	if (--t->entries[owner].cgroups_n == 0)
		entry_free(t, owner);
}

/* Makes room by the oldest that is gone, else by the oldest that was announced and never seen. False: all are alive. */
static bool make_room(struct hf_containers *t)
{
	t->count.forgotten += t->gone.first || !t->announced.first;
	if (t->gone.first)
		cgroup_free(t, t->gone.first);
	else if (t->announced.first)
		entry_free(t, t->announced.first);
	else
		return false;
	return true;
}

static uint32_t entry_new(struct hf_containers *t, hf_sv id)
{
	while (!t->free_entry && t->fresh_entry > t->entries_max)
		if (!make_room(t))
			return NONE;
	uint32_t i = t->free_entry ? t->free_entry : t->fresh_entry++;
	struct entry *e = &t->entries[i];
	if (t->free_entry)
		t->free_entry = e->next_id;
	*e = (struct entry){ 0 };
	e->block = hf_facts_pack(&(struct hf_container){ .id = id }, NULL, &e->c, &e->block_size);
	t->facts_size += e->block_size;
	uint32_t *at = bucket(t, t->by_id, id);
	e->next_id = *at;
	*at = i;
	return i;
}

static uint32_t cgroup_new(struct hf_containers *t, uint64_t id)
{
	while (!t->free_cgroup && t->fresh_cgroup > t->cgroups_max)
		if (!make_room(t))
			return NONE;
	uint32_t i = t->free_cgroup ? t->free_cgroup : t->fresh_cgroup++;
	struct cgroup *g = &t->cgroups[i];
	if (t->free_cgroup)
		t->free_cgroup = g->next_id;
	uint32_t *at = cgroup_bucket(t, id);
	*g = (struct cgroup){ .id = id, .next_id = *at };
	*at = i;
	return i;
}

/* Takes in what was found; what the engine did not say stays as it was. */
static void absorb(struct hf_containers *t, uint32_t i, const struct hf_container *facts)
{
	struct entry *e = &t->entries[i];
	struct hf_container lean = *facts;
	void *old = e->block;

	while (t->facts_size > HF_ENGINE_FACTS_MAX && t->gone.first) {
		uint32_t oldest = t->gone.first;
		if (t->cgroups[oldest].entry == i)
			break;
		make_room(t);
	}
	if (t->facts_size > HF_ENGINE_FACTS_MAX) {
		static const hf_sv left_out[] = { HF_SV_INIT("holdfast.left_out"), HF_SV_INIT("labels and lists") };
		lean.labels = left_out;
		lean.labels_n = 1;
		lean.mounts = lean.entrypoint = lean.exposed_ports = lean.capabilities_added = NULL;
		lean.mounts_n = lean.entrypoint_n = lean.exposed_ports_n = lean.capabilities_added_n = 0;
	}
	if (!lean.id.len)
		lean.id = e->c.id;
	address_drop(t, i);
	t->facts_size -= e->block_size;
	e->block = hf_facts_pack(&lean, &e->c, &e->c, &e->block_size);
	t->facts_size += e->block_size;
	address_add(t, i);
	free(old);
}

/* ---- births and deaths ---- */

int hf_containers_open(const struct hf_containers_options *o, struct hf_containers **ret, struct hf_err *err)
{
	struct hf_containers *t = hf_calloc(1, sizeof *t);

	int code = hf_lookup_open(o, &t->lookup, err);
	if (code < 0) {
		free(t);
		return code;
	}
	t->entries_max =
		o->containers_max && o->containers_max < UINT32_MAX / 8 ? (uint32_t)o->containers_max : CONTAINERS_MAX;
	t->cgroups_max = t->entries_max * CGROUPS_A_CONTAINER;
	for (t->buckets_n = 64; t->buckets_n < t->entries_max; t->buckets_n *= 2)
		;
	t->entries = hf_calloc(t->entries_max + 1, sizeof *t->entries);
	t->cgroups = hf_calloc(t->cgroups_max + 1, sizeof *t->cgroups);
	t->by_id = hf_calloc(t->buckets_n, sizeof *t->by_id);
	t->by_address = hf_calloc(t->buckets_n, sizeof *t->by_address);
	t->by_cgroup = hf_calloc(t->buckets_n, sizeof *t->by_cgroup);
	t->fresh_entry = t->fresh_cgroup = 1;
	*ret = t;
	return HF_OK;
}

void hf_containers_close(struct hf_containers *t)
{
	if (!t)
		return;
	hf_lookup_close(t->lookup);
	for (uint32_t i = 1; i < t->fresh_entry; i++) {
		free(t->entries[i].block);
		free(t->entries[i].why);
	}
	free(t->entries);
	free(t->cgroups);
	free(t->by_id);
	free(t->by_address);
	free(t->by_cgroup);
	free(t);
}

static void ask(struct hf_containers *t, struct entry *e, uint64_t now_ns)
{
	e->asked = hf_lookup_ask(t->lookup, e->c.id, e->c.engine, e->c.image_name);
	e->next_ns = now_ns + (e->asked ? ANSWER_NS : PAUSE_NS);
}

static void take_path(struct hf_containers *t, uint32_t i, const struct hf_cgroup_path *p)
{
	struct entry *e = &t->entries[i];
	char uid[64];
	struct hf_container facts = { .cgroup = hf_sv_first(p->own_path, HF_PATH_MAX),
				      .pod_uid = hf_sv_first(p->pod_uid, sizeof uid) };

	for (size_t k = 0; k < facts.pod_uid.len; k++)
		uid[k] = facts.pod_uid.ptr[k] == '_' ? '-' : facts.pod_uid.ptr[k];
	facts.pod_uid.ptr = uid;
	if (!e->c.engine.len || !hf_sv_eq(p->engine, HF_SV("unknown")))
		facts.engine = p->engine;
	absorb(t, i, &facts);
}

/* The container's own cgroup was made: it starts, perhaps again. */
static void start(struct hf_containers *t, uint32_t i, uint64_t cgroup_id, uint64_t now_ns, bool started_before)
{
	struct entry *e = &t->entries[i];

	e->c.gone = false;
	e->c.gone_ns = 0;
	e->c.cgroup_id = cgroup_id;
	e->c.born_ns = now_ns;
	e->c.started_before = started_before;
	e->refreshed = false;
	e->tries = 0;
	e->next_ns = now_ns + ADDRESS_NS;
	if (e->c.state == HF_CONTAINER_UNRESOLVED)
		e->c.state = HF_CONTAINER_PENDING;
	if (e->c.state == HF_CONTAINER_PENDING && !e->asked)
		ask(t, e, now_ns);
	if (!e->is_waiting)
		waiting_add(t, i);
}

static bool is_below_container(hf_sv own_path)
{
	struct hf_cgroup_path outer;

	return hf_cgroup_path_parse(hf_sv_dirname(own_path), &outer);
}

/* Whoever may make cgroups may name them: a container that puts another's id below its own cgroup must not become that one. An id
 * below another container's is taken only where it can be a container of an engine inside (kind, Docker in Docker): nobody else's
 * own cgroup is alive under it, the engine has not announced it, and the outer one is not known to be unprivileged. */
static bool is_borrowed_id(const struct hf_containers *t, const struct hf_cgroup_path *p,
			   const struct hf_cgroup_path *outer)
{
	uint32_t i = find_id(t, p->id), o = find_id(t, outer->id);
	const struct entry *e = &t->entries[i];

	if (o && t->entries[o].c.privileged_known && !t->entries[o].c.privileged)
		return true;
	return i && (e->is_announced || (e->live_n && !e->c.gone && !hf_sv_eq(e->c.cgroup, p->own_path)));
}

static bool parse_path(const struct hf_containers *t, hf_sv path, struct hf_cgroup_path *p)
{
	struct hf_cgroup_path outer;

	if (!hf_cgroup_path_parse(path, p))
		return false;
	while (hf_cgroup_path_parse(hf_sv_dirname(p->own_path), &outer) && is_borrowed_id(t, p, &outer)) {
		*p = outer;
		p->own = false;
	}
	/* Beside its own: the name is taken for what it says, but its own cgroup stays where it is. */
	uint32_t i = p->own ? find_id(t, p->id) : NONE;
	if (i && t->entries[i].c.cgroup_id && t->entries[i].live_n && !t->entries[i].c.gone &&
	    !hf_sv_eq(t->entries[i].c.cgroup, p->own_path) && !is_below_container(t->entries[i].c.cgroup))
		p->own = false;
	return true;
}

/* An id that lay below another container's turns up as a container of its own: what had it before is given back. */
static void give_back(struct hf_containers *t, uint32_t i, const struct hf_cgroup_path *p)
{
	const struct hf_container *c = &t->entries[i].c;
	uint32_t at = c->cgroup_id ? find_cgroup(t, c->cgroup_id) : NONE;

	if (at && !c->gone && p->own && is_below_container(c->cgroup) && !is_below_container(p->own_path)) {
		t->entries[i].live_n--;
		cgroup_free(t, at);
	}
}

const struct hf_container *hf_containers_born(struct hf_containers *t, uint64_t cgroup_id, hf_sv path, uint64_t now_ns,
					      bool started_before)
{
	struct hf_cgroup_path p;

	if (!parse_path(t, path, &p))
		return NULL;
	uint32_t at = find_cgroup(t, cgroup_id);
	if (at && hf_sv_eq(t->entries[t->cgroups[at].entry].c.id, p.id))
		return &t->entries[t->cgroups[at].entry].c;
	if (at)
		cgroup_free(t, at);
	uint32_t i = find_id(t, p.id);
	bool is_new = !i;
	if (!i && !(i = entry_new(t, p.id)))
		return NULL;
	struct entry *e = &t->entries[i];
	e->cgroups_n++; /* so that no room is made of this one */
	announced_drop(t, i);
	at = cgroup_new(t, cgroup_id);
	if (!at) {
		if (!--e->cgroups_n)
			entry_free(t, i);
		return NULL;
	}
	t->cgroups[at].entry = i;
	e->live_n++;
	give_back(t, i, &p);
	if (p.own || is_new)
		take_path(t, i, &p);
	if (p.own || is_new)
		start(t, i, p.own ? cgroup_id : 0, now_ns, started_before);
	return &e->c;
}

void hf_containers_gone(struct hf_containers *t, uint64_t cgroup_id, uint64_t now_ns)
{
	uint32_t at = find_cgroup(t, cgroup_id);

	if (!at || t->cgroups[at].is_gone)
		return;
	struct cgroup *g = &t->cgroups[at];
	struct entry *e = &t->entries[g->entry];
	g->gone_ns = now_ns;
	gone_add(t, at);
	t->gone_n++;
	e->live_n--;
	if (e->c.cgroup_id == cgroup_id || !e->live_n) {
		e->c.gone = true;
		e->c.gone_ns = now_ns;
	}
	if (t->gone_n > t->entries_max / GONE_PART)
		make_room(t);
}

const struct hf_container *hf_containers_find(struct hf_containers *t, uint64_t cgroup_id)
{
	uint32_t at = find_cgroup(t, cgroup_id);

	return at ? &t->entries[t->cgroups[at].entry].c : NULL;
}

const struct hf_container *hf_containers_of_address(struct hf_containers *t, hf_sv address)
{
	const struct hf_container *found = NULL;

	if (!address.len)
		return NULL;
	for (uint32_t i = *bucket(t, t->by_address, address); i; i = t->entries[i].next_address) {
		const struct hf_container *c = &t->entries[i].c;
		if (!t->entries[i].cgroups_n || !hf_sv_eq(c->address, address))
			continue;
		if (!found || (found->gone && !c->gone) || (found->gone == c->gone && c->born_ns > found->born_ns))
			found = c;
	}
	return found;
}

/* ---- answers ---- */

static bool set_state(struct entry *e, enum hf_container_state state)
{
	bool changed = e->c.state != state && e->cgroups_n;

	e->c.state = state;
	e->c.unresolved = state == HF_CONTAINER_UNRESOLVED ? hf_sv_of(e->why ? e->why : "no engine has answered yet")
							   : (hf_sv){ 0 };
	return changed;
}

static void set_why(struct entry *e, const char *why)
{
	size_t n = strlen(why) + 1;

	free(e->why);
	e->why = memcpy(hf_malloc(n), why, n);
	if (e->c.state == HF_CONTAINER_UNRESOLVED)
		e->c.unresolved = hf_sv_of(e->why);
}

static uint64_t pause_of(unsigned tries)
{
	uint64_t pause = PAUSE_NS;

	while (tries-- > 1 && pause < PAUSE_MAX_NS)
		pause *= 4;
	return pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS;
}

static bool take_result(struct hf_containers *t, const struct hf_lookup_result *r, uint64_t now_ns)
{
	uint32_t i = find_id(t, r->facts.id);

	if (r->kind == HF_LOOKUP_DESTROYED) {
		if (i && t->entries[i].is_announced)
			entry_free(t, i);
		return false;
	}
	if (r->kind == HF_LOOKUP_ANNOUNCED && !i && (i = entry_new(t, r->facts.id))) {
		t->entries[i].asked = true;
		t->entries[i].next_ns = now_ns + ANSWER_NS;
		announced_add(t, i);
	}
	if (!i)
		return false;
	struct entry *e = &t->entries[i];
	if (r->kind == HF_LOOKUP_NOT_FOUND) {
		e->asked = false;
		e->tries++;
		e->next_ns = now_ns + pause_of(e->tries);
		set_why(e, r->why);
		return e->named && set_state(e, HF_CONTAINER_BOUND);
	}
	absorb(t, i, &r->facts);
	e->named = true;
	if (r->kind == HF_LOOKUP_ANNOUNCED)
		return e->cgroups_n && e->c.state == HF_CONTAINER_BOUND;
	e->asked = false;
	bool changed = set_state(e, HF_CONTAINER_BOUND);
	/* Asked before the container ran: its address was not given out yet. */
	if (!e->c.address.len && e->is_waiting && !e->refreshed)
		e->next_ns = e->c.born_ns + ADDRESS_NS;
	return changed || e->cgroups_n;
}

/* What time changes of one that waits. */
static bool look_after(struct hf_containers *t, uint32_t i, uint64_t now_ns)
{
	struct entry *e = &t->entries[i];
	bool changed = false;

	if (e->c.state == HF_CONTAINER_PENDING && now_ns >= e->c.born_ns + PENDING_NS)
		changed = set_state(e, e->named ? HF_CONTAINER_BOUND : HF_CONTAINER_UNRESOLVED);
	if (e->c.state == HF_CONTAINER_BOUND && (e->refreshed || e->c.gone || e->c.address.len))
		waiting_drop(t, i);
	else if (e->c.gone && e->tries >= TRIES_GONE_MAX && e->c.state != HF_CONTAINER_PENDING)
		waiting_drop(t, i);
	else if (now_ns >= e->next_ns) {
		e->refreshed = e->c.state == HF_CONTAINER_BOUND;
		ask(t, e, now_ns);
	}
	return changed;
}

bool hf_containers_settle(struct hf_containers *t, uint64_t now_ns)
{
	bool changed = false;

	for (struct hf_lookup_result *r = hf_lookup_take(t->lookup), *next; r; r = next) {
		next = r->next;
		changed |= take_result(t, r, now_ns);
		hf_lookup_result_free(r);
	}
	for (uint32_t i = t->waiting.first, next; i; i = next) {
		next = t->entries[i].waiting.after;
		changed |= look_after(t, i, now_ns);
	}
	while (t->gone.first && now_ns >= t->cgroups[t->gone.first].gone_ns + TOMBSTONE_NS)
		cgroup_free(t, t->gone.first);
	return changed;
}

int hf_containers_fd(const struct hf_containers *t)
{
	return hf_lookup_fd(t->lookup);
}

hf_sv hf_containers_engine(struct hf_containers *t, bool *ret_ok)
{
	*ret_ok = hf_lookup_engine(t->lookup, t->engine, sizeof t->engine);
	return hf_sv_of(t->engine);
}

struct hf_containers_count hf_containers_count(const struct hf_containers *t)
{
	struct hf_containers_count n = t->count;

	for (uint32_t i = 1; i < t->fresh_entry; i++) {
		const struct entry *e = &t->entries[i];
		if (!e->cgroups_n)
			continue;
		n.known++;
		n.pending += e->c.state == HF_CONTAINER_PENDING;
		n.unresolved += e->c.state == HF_CONTAINER_UNRESOLVED;
		n.gone += e->c.gone;
	}
	return n;
}

void hf_container_describe(const struct hf_container *c, struct hf_event *e)
{
	if (!c)
		return;
	const struct {
		enum hf_event_field field;
		hf_sv value;
	} strings[] = {
		{ HF_FIELD_CONTAINER_ID, c->id },
		{ HF_FIELD_CONTAINER_NAME, c->name },
		{ HF_FIELD_CONTAINER_ENGINE, c->engine },
		{ HF_FIELD_CONTAINER_IMAGE_NAME, c->image_name },
		{ HF_FIELD_CONTAINER_IMAGE_DIGEST, c->image_digest },
		{ HF_FIELD_CONTAINER_ADDRESS, c->address },
		{ HF_FIELD_CONTAINER_POD_NAME, c->pod_name },
		{ HF_FIELD_CONTAINER_POD_NAMESPACE, c->pod_namespace },
		{ HF_FIELD_CONTAINER_POD_UID, c->pod_uid },
		{ HF_FIELD_CONTAINER_CGROUP, c->cgroup },
		{ HF_FIELD_CONTAINER_UNRESOLVED, c->unresolved },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(strings); i++)
		if (strings[i].value.len)
			hf_event_set_string(e, strings[i].field, strings[i].value);
	if (c->state != HF_CONTAINER_PENDING)
		hf_event_set_string(e, HF_FIELD_CONTAINER_IDENTITY,
				    c->state == HF_CONTAINER_BOUND ? HF_SV("bound") : HF_SV("unresolved"));
	if (c->cgroup_id)
		hf_event_set_uint(e, HF_FIELD_CONTAINER_CGROUP_ID, c->cgroup_id);
	if (c->privileged_known)
		hf_event_set_bool(e, HF_FIELD_CONTAINER_PRIVILEGED, c->privileged);
	hf_event_set_bool(e, HF_FIELD_CONTAINER_STARTED_BEFORE, c->started_before);
	hf_event_set_map(e, HF_FIELD_CONTAINER_LABELS, c->labels, c->labels_n);
	hf_event_set_list(e, HF_FIELD_CONTAINER_HOST_NAMESPACES, c->host_namespaces, c->host_namespaces_n);
	hf_event_set_list(e, HF_FIELD_CONTAINER_MOUNTS, c->mounts, c->mounts_n);
	hf_event_set_list(e, HF_FIELD_CONTAINER_CAPABILITIES, c->capabilities_added, c->capabilities_added_n);
}
