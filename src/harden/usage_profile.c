/* Use as a profile knows it. */
#include "baseline/profile.h"
#include "baseline/shape.h"
#include "harden/usage.h"

/* Where each kind of event is kept in a profile. */
static const struct {
	enum hf_profile_part part;
	enum hf_event_kind kind;
} kinds[] = {
	{ HF_PROFILE_EXECUTABLES, HF_EVENT_EXEC },
	{ HF_PROFILE_LIBRARIES, HF_EVENT_MAP },
	{ HF_PROFILE_FILES, HF_EVENT_FILE },
	{ HF_PROFILE_LISTEN, HF_EVENT_LISTEN },
	{ HF_PROFILE_PEERS, HF_EVENT_CONNECT },
	{ HF_PROFILE_CAPABILITIES, HF_EVENT_CAPABILITY },
	{ HF_PROFILE_SYSTEM_CALLS, HF_EVENT_SYSCALLS },
	{ HF_PROFILE_NAMESPACES, HF_EVENT_NAMESPACE },
};

/* The names of a part; a pattern with a variable part is given as it is spelled, which no file is named. */
static void add_objects(const struct hf_profile *p, enum hf_profile_part part, struct hf_names *out)
{
	size_t n = 0;
	const struct hf_profile_entry **list = hf_profile_sorted(p, part, out->map.arena, &n);

	for (size_t i = 0; list && i < n; i++) {
		hf_sv text;
		hf_names_add(out, hf_shape_text(list[i]->object, out->map.arena, &text) ? text : list[i]->object);
	}
}

static bool is_seed_alone(const struct hf_profile_entry *e)
{
	return e->seen.origin == HF_ORIGIN_SEED;
}

/* What the image's code could make is an upper bound, with all of libc's: it counts where nothing better is known. */
static void add_syscalls(const struct hf_profile *p, struct hf_usage *u)
{
	size_t n = 0;
	const struct hf_profile_entry **list = hf_profile_sorted(p, HF_PROFILE_SYSTEM_CALLS, u->arena, &n);
	bool any_seen = false;

	for (size_t i = 0; list && i < n; i++)
		any_seen |= !is_seed_alone(list[i]);
	for (size_t i = 0; list && i < n; i++)
		if (u->static_calls || !any_seen || !is_seed_alone(list[i]))
			hf_names_add(&u->syscalls, list[i]->object);
}

/* A file that is written: its own path, or FOLDER/+ for all that a pattern stands for below the folder where it begins to vary. */
static void add_written(const struct hf_profile *p, struct hf_usage *u)
{
	size_t n = 0;
	const struct hf_profile_entry **list = hf_profile_sorted(p, HF_PROFILE_FILES, u->arena, &n);

	for (size_t i = 0; list && i < n; i++) {
		hf_sv path = list[i]->object, text;
		bool varies = false;
		while (path.len && !hf_shape_text(path, u->arena, &text)) {
			path = hf_sv_dirname(path);
			varies = true;
		}
		if (!path.len)
			text = (hf_sv){ 0 };
		hf_names_add(&u->files_written, varies ? hf_arena_fmt(u->arena, "%.*s/+", HF_SV_FMT(text)) : text);
	}
}

/* "tcp/80" as it is written here: "80/tcp". */
static void add_ports(const struct hf_profile *p, struct hf_usage *u)
{
	size_t n = 0;
	const struct hf_profile_entry **list = hf_profile_sorted(p, HF_PROFILE_LISTEN, u->arena, &n);
	hf_sv protocol, port;

	for (size_t i = 0; list && i < n; i++)
		if (hf_sv_cut(list[i]->object, '/', &protocol, &port))
			hf_names_add(&u->ports,
				     hf_arena_fmt(u->arena, "%.*s/%.*s", HF_SV_FMT(port), HF_SV_FMT(protocol)));
}

static void add_capabilities(const struct hf_profile *p, struct hf_usage *u)
{
	size_t n = 0;
	const struct hf_profile_entry **list = hf_profile_sorted(p, HF_PROFILE_CAPABILITIES, u->arena, &n);

	for (size_t i = 0; list && i < n; i++) {
		uint64_t bit = hf_capability_of(list[i]->object);
		u->capabilities |= bit;
		if (!bit || bit == HF_CAPABILITIES_ALL)
			u->lost |= 1u << HF_EVENT_CAPABILITY;
	}
}

int hf_usage_add_profile(struct hf_usage *u, const struct hf_profile *p, struct hf_err *err)
{
	u->events++;
	hf_names_add(&u->images, p->image_name);
	hf_names_add(&u->image_digests, p->image_digest);
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		const struct hf_profile_section *s = &p->sections[kinds[i].part];
		if (s->covered)
			u->known |= 1u << kinds[i].kind;
		if (s->overflow)
			u->lost |= 1u << kinds[i].kind;
	}
	add_objects(p, HF_PROFILE_EXECUTABLES, &u->executables);
	add_objects(p, HF_PROFILE_SCRIPTS, &u->executables);
	add_objects(p, HF_PROFILE_LIBRARIES, &u->libraries);
	add_objects(p, HF_PROFILE_PEERS, &u->peers);
	add_syscalls(p, u);
	add_objects(p, HF_PROFILE_USERS, &u->users);
	add_objects(p, HF_PROFILE_NAMESPACES, &u->namespaces);
	add_written(p, u);
	add_ports(p, u);
	add_capabilities(p, u);
	/* A profile does not say whether a program gained rights by its file. */
	u->setuid = true;
	u->capabilities_asked = true;
	return u->arena->over ? hf_fail(err, HF_E_LIMIT, "what was used does not fit into %zu bytes", u->arena->cap)
			      : HF_OK;
}
