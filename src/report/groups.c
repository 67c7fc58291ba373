#include "report/groups.h"

#include <stdlib.h>

#include "base/map.h"
#include "version/version.h"

const char *hf_group_owner_title(enum hf_group_owner owner)
{
	static const char *const titles[HF_OWNER_MAX] = {
		[HF_OWNER_BASE] = "Base image",
		[HF_OWNER_RUNTIME] = "Runtime",
		[HF_OWNER_DEPENDENCIES] = "Dependencies",
		[HF_OWNER_APPLICATION] = "Application",
		[HF_OWNER_CONFIGURATION] = "Configuration",
		[HF_OWNER_UNKNOWN] = "Layers whose role is not known",
		[HF_OWNER_SYSTEM] = "System packages",
		[HF_OWNER_LANGUAGE] = "Language packages",
	};
	return owner < HF_OWNER_MAX ? titles[owner] : "Packages";
}

static enum hf_group_owner owner_of(const struct hf_scan_report *r, const struct hf_package *p)
{
	if (p->layer < 0 || (r->artifact && !r->artifact->is_image))
		return hf_package_type_is_distribution(p->type) ? HF_OWNER_SYSTEM : HF_OWNER_LANGUAGE;
	if ((uint64_t)p->layer >= r->layers_n)
		return HF_OWNER_UNKNOWN;
	switch (r->layers[p->layer].role) {
	case HF_ROLE_BASE:
		return HF_OWNER_BASE;
	case HF_ROLE_RUNTIME:
		return HF_OWNER_RUNTIME;
	case HF_ROLE_DEPENDENCIES:
		return HF_OWNER_DEPENDENCIES;
	case HF_ROLE_APPLICATION:
		return HF_OWNER_APPLICATION;
	case HF_ROLE_CONFIGURATION:
		return HF_OWNER_CONFIGURATION;
	case HF_ROLE_UNKNOWN:
	case HF_ROLE_MAX:
		break;
	}
	return HF_OWNER_UNKNOWN;
}

static struct hf_group *group_of(struct hf_arena *a, struct hf_map *groups, const struct hf_scan_report *r,
				 const struct hf_package *p, const struct hf_vulnerability *v)
{
	hf_sv name = p->source_name.len && hf_package_type_is_distribution(p->type) ? p->source_name : p->name;
	enum hf_group_owner owner = owner_of(r, p);
	hf_sv key = hf_arena_fmt(a, "%d\n%d\n%.*s\n%.*s", (int)owner, (int)p->type, HF_SV_FMT(name),
				 HF_SV_FMT(v->installed));
	struct hf_map_entry *e = hf_map_put(groups, key);

	if (!e || e->value)
		return e ? e->value : NULL;
	struct hf_group *g = hf_arena_new(a, struct hf_group);
	if (g) {
		g->owner = owner;
		g->package = p;
		g->name = name;
		g->installed = v->installed.len ? v->installed : p->version;
	}
	e->value = g;
	return g;
}

/* The same flaw in two binary packages of one source is one piece of work. */
static bool first_time(struct hf_arena *a, struct hf_map *seen, const struct hf_group *g,
		       const struct hf_vulnerability *v)
{
	hf_sv key = hf_arena_fmt(a, "%p\n%.*s", (const void *)g, HF_SV_FMT(v->id));
	struct hf_map_entry *e = hf_map_put(seen, key);

	if (!e || e->value)
		return false;
	e->value = (void *)(uintptr_t)v;
	return true;
}

static void add_package(struct hf_arena *a, struct hf_group *g, const struct hf_package *p)
{
	/* findings are sorted by package: a package that is there already came last */
	if (g->packages.n && g->packages.at[g->packages.n - 1] == p)
		return;
	const struct hf_package **slot = hf_vec_push(a, &g->packages);
	if (slot)
		*slot = p;
}

static void add_flaw(struct hf_arena *a, struct hf_group *g, const struct hf_vulnerability *v)
{
	const struct hf_vulnerability **slot = hf_vec_push(a, &g->flaws);
	enum hf_severity s = hf_finding_severity(v);

	if (!slot)
		return;
	*slot = v;
	g->worst = s > g->worst ? s : g->worst;
	g->fixable += hf_finding_fixable(v);
	g->kev += v->kev;
}

/* The version that ends all that has an end. */
static void set_target(struct hf_group *g)
{
	const struct hf_version_scheme *scheme =
		hf_version_scheme_named(hf_sv_of(hf_package_type_scheme(g->package->type)));

	for (size_t i = 0; i < g->flaws.n; i++) {
		hf_sv fixed = g->flaws.at[i]->fixed;
		if (!fixed.len || hf_sv_eq(fixed, g->target))
			continue;
		if (!g->target.len) {
			g->target = fixed;
			continue;
		}
		enum hf_order order = scheme ? scheme->compare(fixed, g->target) : HF_ORDER_UNKNOWN;
		if (order == HF_ORDER_UNKNOWN) {
			g->target = (hf_sv){ 0 };
			return;
		}
		if (order == HF_ORDER_GREATER)
			g->target = fixed;
	}
}

static int by_flaw(const void *a, const void *b)
{
	const struct hf_vulnerability *x = *(const struct hf_vulnerability *const *)a,
				      *y = *(const struct hf_vulnerability *const *)b;
	enum hf_severity sx = hf_finding_severity(x), sy = hf_finding_severity(y);

	if (sx != sy)
		return sx < sy ? 1 : -1;
	if (x->kev != y->kev)
		return x->kev ? -1 : 1;
	return hf_sv_cmp(x->id, y->id);
}

static int by_urgency(const void *a, const void *b)
{
	const struct hf_group *x = a, *y = b;
	int r;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->worst != y->worst)
		return x->worst < y->worst ? 1 : -1;
	if (!x->kev != !y->kev)
		return x->kev ? -1 : 1;
	if (!x->fixable != !y->fixable)
		return x->fixable ? -1 : 1;
	if (x->flaws.n != y->flaws.n)
		return x->flaws.n < y->flaws.n ? 1 : -1;
	r = hf_sv_cmp(x->name, y->name);
	if (r)
		return r;
	r = hf_sv_cmp(x->installed, y->installed);
	return r ? r : (x->package > y->package) - (x->package < y->package);
}

const struct hf_group *hf_report_groups(struct hf_arena *a, const struct hf_scan_report *r,
					const struct hf_filter *filter, size_t *ret_n)
{
	struct hf_map groups = HF_MAP(a), seen = HF_MAP(a);

	*ret_n = 0;
	for (size_t i = 0; i < r->vulnerabilities_n; i++) {
		const struct hf_vulnerability *v = &r->vulnerabilities[i];
		const struct hf_package *p = hf_report_package(r, v->package);
		if (!p || !hf_filter_shows(filter, v) || !hf_finding_counts(v))
			continue;
		struct hf_group *g = group_of(a, &groups, r, p, v);
		if (!g)
			return NULL;
		g->findings++;
		add_package(a, g, p);
		if (first_time(a, &seen, g, v))
			add_flaw(a, g, v);
	}
	struct hf_group *list = hf_arena_array(a, struct hf_group, groups.n);
	if (!list || a->over)
		return NULL;
	for (size_t i = 0; i < groups.n; i++) {
		list[i] = *(struct hf_group *)groups.entries[i].value;
		set_target(&list[i]);
		qsort(list[i].flaws.at, list[i].flaws.n, sizeof *list[i].flaws.at, by_flaw);
	}
	qsort(list, groups.n, sizeof *list, by_urgency);
	*ret_n = groups.n;
	return list;
}
