/* Which distribution package put the file there that gives a language package. Cost: one look for each owned path and one
 * for each package, however often a path is claimed and however many packages one file gives. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "catalog/compose.h"

/* A file that gives language packages. */
struct claim {
	uint64_t path_hash; /* 0: free */
	hf_sv owner;        /* purl of the package that a database named last as its owner */
};

struct claims {
	struct claim *slots;
	size_t slots_n, n;
};

static struct claim *claim_of(const struct claims *c, uint64_t hash)
{
	hash += !hash;
	size_t i = (size_t)hash & (c->slots_n - 1);
	while (c->slots[i].path_hash && c->slots[i].path_hash != hash)
		i = (i + 1) & (c->slots_n - 1);
	return &c->slots[i];
}

/* Folders that no distribution installs into (FHS 3.0 sections 3.8, 3.14, 3.17, 4.9): a database that claims a file there was
 * edited, or does not speak of a distribution's package. */
static bool is_local(hf_sv path)
{
	static const hf_sv folders[] = { HF_SV_INIT("usr/local/"), HF_SV_INIT("home/"), HF_SV_INIT("root/"),
					 HF_SV_INIT("srv/") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(folders); i++)
		if (hf_sv_starts(path, folders[i]))
			return true;
	return false;
}

static bool can_be_owned(const struct hf_package *p)
{
	return !hf_package_type_is_distribution(p->type) && !is_local(p->path);
}

static struct claims make_claims(const struct hf_package *packages, size_t n)
{
	struct claims c = { .slots_n = 16 };

	while (c.slots_n < 2 * n)
		c.slots_n *= 2;
	c.slots = hf_calloc(c.slots_n, sizeof *c.slots);
	for (size_t i = 0; i < n; i++) {
		if (!can_be_owned(&packages[i]))
			continue;
		uint64_t hash = hf_hash_path(hf_compose_outer_path(packages[i].path));
		claim_of(&c, hash)->path_hash = hash + !hash;
		c.n++;
	}
	return c;
}

/* From "type name" to the purl of the distribution's package. */
static void put_purls(struct hf_map *purls, const struct hf_package *packages, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!hf_package_type_is_distribution(packages[i].type))
			continue;
		struct hf_map_entry *e = hf_map_put(purls, hf_arena_fmt(purls->arena, "%d %.*s", (int)packages[i].type,
									HF_SV_FMT(packages[i].name)));
		if (!e)
			return;
		e->value = (void *)(uintptr_t)&packages[i].purl;
	}
}

/* The purls of a layer's owners, by their index; empty for those that no visible database lists. */
static hf_sv *purls_of_owners(const struct hf_layer_catalog *l, const struct hf_map *purls)
{
	hf_sv *of = hf_calloc(l->owners.n, sizeof *of);

	for (size_t i = 0; i < l->owners.n; i++) {
		const struct hf_owner *o = &l->owners.at[i];
		const struct hf_map_entry *e =
			hf_map_find(purls, hf_arena_fmt(purls->arena, "%d %.*s", (int)o->type, HF_SV_FMT(o->name)));
		if (e)
			of[i] = *(const hf_sv *)e->value;
	}
	return of;
}

static void settle(const struct claims *claims, const struct composition *c, size_t layer, const struct hf_map *purls)
{
	const struct hf_layer_catalog *l = &c->layers[layer];
	hf_sv *of = purls_of_owners(l, purls);

	for (size_t i = 0; i < l->evidence.n; i++) {
		const struct hf_evidence *ev = &l->evidence.at[i];
		if (!ev->owned_n || !hf_compose_is_visible(c, layer, i))
			continue;
		for (size_t k = 0; k < ev->owned_n; k++) {
			const struct hf_owned *o = &l->owned.at[ev->first_owned + k];
			struct claim *claim = claim_of(claims, o->path_hash);
			if (claim->path_hash && of[o->owner].len)
				claim->owner = of[o->owner];
		}
	}
	free(of);
}

void hf_compose_owners(struct composition *c, struct hf_package *packages, size_t n)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_INVENTORY_ARENA_MAX);
	struct hf_map purls = HF_MAP(&scratch);
	struct claims claims = make_claims(packages, n);

	if (claims.n)
		put_purls(&purls, packages, n);
	for (size_t k = 0; claims.n && k < c->n; k++)
		if (c->layers[k].owned.n)
			settle(&claims, c, k, &purls);
	for (size_t i = 0; i < n; i++)
		if (can_be_owned(&packages[i]))
			packages[i].owned_by =
				claim_of(&claims, hf_hash_path(hf_compose_outer_path(packages[i].path)))->owner;
	if (scratch.over)
		c->inv->arena.over = true;
	free(claims.slots);
}
