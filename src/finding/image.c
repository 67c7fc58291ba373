#include "finding/image.h"

#include <stdlib.h>

enum { PATCH_SKEW_DAYS_MIN = 30 };

static bool contains(hf_sv s, hf_sv what)
{
	return hf_sv_find(s, what) != SIZE_MAX;
}

/* ---- roles ---- */

static bool ends_base_image(const struct hf_history *h)
{
	return h->empty_layer &&
	       (contains(h->created_by, HF_SV("CMD ")) || contains(h->created_by, HF_SV("ENTRYPOINT ")));
}

/* How many layers the first and the last image end with that another was built on: the steps that set a command and are
 * followed by further layers. */
static void find_bases(const struct hf_artifact *art, uint32_t *ret_first, uint32_t *ret_last)
{
	uint32_t layers = 0;

	*ret_first = *ret_last = 0;
	for (size_t i = 0; i < art->history_n; i++) {
		layers += !art->history[i].empty_layer;
		if (!ends_base_image(&art->history[i]) || layers == 0 || layers >= art->layers_n)
			continue;
		if (!*ret_first)
			*ret_first = layers;
		*ret_last = layers;
	}
}

static bool is_interpreter(const struct hf_package_change *c)
{
	static const hf_sv starts[] = { HF_SV_INIT("pkg:deb/debian/python3@"), HF_SV_INIT("pkg:deb/debian/nodejs@"),
					HF_SV_INIT("pkg:npm/npm@") };
	static const hf_sv parts[] = { HF_SV_INIT("/openjdk-"),       HF_SV_INIT("/java-"),
				       HF_SV_INIT("/python3"),        HF_SV_INIT("/nodejs"),
				       HF_SV_INIT("/ruby@"),          HF_SV_INIT("/ruby3"),
				       HF_SV_INIT("/php8"),           HF_SV_INIT("/php-cli"),
				       HF_SV_INIT("/dotnet-runtime"), HF_SV_INIT("/aspnetcore-runtime") };

	for (size_t i = 0; i < HF_ARRAY_SIZE(starts); i++)
		if (hf_sv_starts(c->purl, starts[i]))
			return true;
	if (!hf_sv_starts(c->purl, HF_SV("pkg:deb/")) && !hf_sv_starts(c->purl, HF_SV("pkg:apk/")) &&
	    !hf_sv_starts(c->purl, HF_SV("pkg:rpm/")))
		return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(parts); i++)
		if (contains(hf_sv_first(c->purl, hf_sv_index(c->purl, '@')), parts[i]))
			return true;
	return false;
}

static void role_by_content(const struct hf_scan_report *r, struct hf_layer_report *l, struct hf_arena *a)
{
	size_t packages = l->added_n + l->changed_n;

	for (size_t i = 0; i < l->added_n; i++) {
		if (!is_interpreter(&l->added[i]))
			continue;
		l->role = HF_ROLE_RUNTIME;
		l->role_evidence = hf_arena_fmt(a, "adds %.*s", HF_SV_FMT(l->added[i].purl));
		return;
	}
	if (l->layer.index == 0 && r->os.id.len) {
		l->role = HF_ROLE_BASE;
		l->role_evidence =
			hf_arena_fmt(a, "the lowest layer of %.*s", HF_SV_FMT(r->os.name.len ? r->os.name : r->os.id));
	} else if (packages) {
		l->role = HF_ROLE_DEPENDENCIES;
		l->role_evidence = hf_arena_fmt(a, "adds or changes %zu packages", packages);
	} else if (l->files_n == 0 ||
		   (l->content_size < 64 << 10 && l->files_n < 16 && !contains(l->layer.created_by, HF_SV("COPY")) &&
		    !contains(l->layer.created_by, HF_SV("ADD")))) {
		l->role = HF_ROLE_CONFIGURATION;
		l->role_evidence = hf_arena_fmt(a, "%llu small files and no packages", (unsigned long long)l->files_n);
	} else {
		l->role = HF_ROLE_APPLICATION;
		l->role_evidence = hf_arena_fmt(a, "%llu files and no packages", (unsigned long long)l->files_n);
	}
}

static void name_base(struct hf_scan_report *r, uint32_t first, struct hf_arena *a)
{
	const struct hf_artifact *art = r->artifact;
	static const hf_sv label = HF_SV_INIT("org.opencontainers.image.base.name=");

	r->base_layers = first;
	for (size_t i = 0; i < art->config.labels_n; i++) {
		if (!hf_sv_starts(art->config.labels[i], label))
			continue;
		r->base_name = hf_sv_skip(art->config.labels[i], label.len);
		r->base_evidence = HF_SV("label org.opencontainers.image.base.name");
		return;
	}
	if (!first || !r->os.id.len)
		return;
	r->base_name = r->os.version_id.len
			       ? hf_arena_fmt(a, "%.*s:%.*s", HF_SV_FMT(r->os.id), HF_SV_FMT(r->os.version_id))
			       : r->os.id;
	r->base_evidence = hf_arena_fmt(a, "the lowest %u layers hold %.*s", first, HF_SV_FMT(r->os.path));
}

void hf_image_roles(struct hf_scan_report *r, struct hf_layer_report *layers, struct hf_arena *a)
{
	uint32_t first, last;

	if (!r->artifact->is_image)
		return;
	find_bases(r->artifact, &first, &last);
	for (size_t i = 0; i < r->layers_n; i++) {
		struct hf_layer_report *l = &layers[i];
		if (i < first) {
			l->role = HF_ROLE_BASE;
			l->role_evidence = HF_SV("below the first CMD or ENTRYPOINT of the history");
		} else if (i < last) {
			l->role = HF_ROLE_RUNTIME;
			l->role_evidence = HF_SV(
				"of an image that this one was built on, by its CMD or ENTRYPOINT in the history");
		} else {
			role_by_content(r, l, a);
		}
	}
	if (!first && r->layers_n && layers[0].role == HF_ROLE_BASE)
		first = 1;
	name_base(r, first, a);
}

/* ---- patch levels ---- */

void hf_image_patch_levels(const struct hf_scan_report *r, struct hf_layer_report *layers, const hf_sv *patch_dates)
{
	for (size_t i = 0; i < r->packages_n; i++) {
		const struct hf_package *p = &r->packages[i];
		if (p->layer < 0 || (size_t)p->layer >= r->layers_n || !hf_package_type_is_distribution(p->type))
			continue;
		if (hf_sv_cmp(patch_dates[i], layers[p->layer].patch_level) > 0)
			layers[p->layer].patch_level = patch_dates[i];
	}
	for (size_t i = 0; i < r->vulnerabilities_n; i++) {
		const struct hf_vulnerability *v = &r->vulnerabilities[i];
		int32_t layer = r->packages[v->package].layer;
		if (v->status == HF_STATUS_FIXED_AVAILABLE && !v->kernel_headers && layer >= 0 &&
		    (size_t)layer < r->layers_n)
			layers[layer].fixable_n++;
	}
}

/* Days since 1 March of year 0, for differences alone. */
static int64_t days_of(hf_sv date)
{
	uint64_t year, month, day;

	if (date.len != 10 || !hf_sv_to_u64(hf_sv_first(date, 4), &year) ||
	    !hf_sv_to_u64(hf_sv_slice(date, 5, 2), &month) || !hf_sv_to_u64(hf_sv_slice(date, 8, 2), &day) ||
	    month < 1 || month > 12)
		return -1;
	int64_t m = ((int64_t)month + 9) % 12, y = (int64_t)year - m / 10;
	return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + (int64_t)day - 1;
}

/* ---- findings ---- */

struct findings {
	struct hf_arena *arena;
	HF_VEC(struct hf_misconfiguration) list;
};

static void add(struct findings *f, const char *id, enum hf_severity severity, const char *title, hf_sv path,
		hf_sv message, const char *fix)
{
	struct hf_misconfiguration *m = hf_vec_push(f->arena, &f->list);

	if (m)
		*m = (struct hf_misconfiguration){ .id = hf_sv_of(id),
						   .severity = severity,
						   .title = hf_sv_of(title),
						   .path = path,
						   .message = message,
						   .fix = hf_sv_of(fix) };
}

static void check_database(struct findings *f, const struct hf_scan_report *r, const struct hf_image_facts *facts)
{
	uint64_t explained = 0;

	if (facts->database_removed_in >= 0)
		add(f, "HF-IMAGE-002", HF_SEV_MEDIUM, "The package database was deleted", facts->database_path,
		    hf_arena_fmt(f->arena,
				 "Layer %d deletes it: scanners that read the final file system alone see no packages. "
				 "The packages listed here are those of the layers below.",
				 facts->database_removed_in),
		    "Keep the database in the image, or build from a base that never held it.");
	if (facts->has_database || !facts->executables_n)
		return;
	for (size_t i = 0; i < r->packages_n; i++)
		explained += r->packages[i].is_main || r->packages[i].type == HF_PKG_GOLANG ||
			     r->packages[i].type == HF_PKG_CARGO;
	if (!explained || r->os.id.len)
		add(f, "HF-IMAGE-001", HF_SEV_MEDIUM, "Executables without a package database", (hf_sv){ 0 },
		    hf_arena_fmt(
			    f->arena,
			    "%llu executables are in it, and no package database says where they come from: what is "
			    "wrong with them cannot be told.",
			    (unsigned long long)facts->executables_n),
		    "Keep the distribution's package database, or build from a distroless base that lists its "
		    "packages.");
}

static void check_release(struct findings *f, const struct hf_scan_report *r, const struct hf_image_facts *facts)
{
	if (facts->has_database && !r->os.id.len)
		add(f, "HF-IMAGE-003", HF_SEV_MEDIUM, "The release of the system is not stated",
		    HF_SV("etc/os-release"),
		    HF_SV("There are packages of a distribution, but no os-release says of which release: they cannot "
			  "be matched."),
		    "Keep /etc/os-release or /usr/lib/os-release in the image.");
}

static void check_patch_skew(struct findings *f, const struct hf_scan_report *r)
{
	const struct hf_layer_report *oldest = NULL, *newest = NULL;

	for (size_t i = 0; i < r->layers_n; i++) {
		const struct hf_layer_report *l = &r->layers[i];
		if (days_of(l->patch_level) < 0)
			continue;
		if (!oldest || hf_sv_cmp(l->patch_level, oldest->patch_level) < 0)
			oldest = l;
		if (!newest || hf_sv_cmp(l->patch_level, newest->patch_level) > 0)
			newest = l;
	}
	if (!oldest || days_of(newest->patch_level) - days_of(oldest->patch_level) < PATCH_SKEW_DAYS_MIN)
		return;
	add(f, "HF-IMAGE-004", oldest->fixable_n ? HF_SEV_MEDIUM : HF_SEV_LOW, "Layers stand at different patch levels",
	    (hf_sv){ 0 },
	    hf_arena_fmt(f->arena,
			 "Layer %u (%s) holds fixes up to %.*s, layer %u (%s) up to %.*s; %u findings of layer %u have "
			 "a fix.",
			 oldest->layer.index, hf_layer_role_name(oldest->role), HF_SV_FMT(oldest->patch_level),
			 newest->layer.index, hf_layer_role_name(newest->role), HF_SV_FMT(newest->patch_level),
			 oldest->fixable_n, oldest->layer.index),
	    "Rebuild the older layer from a current base, then the layers above it.");
}

bool hf_image_findings(struct hf_scan_report *r, const struct hf_image_facts *facts, struct hf_arena *a)
{
	struct findings f = { .arena = a };

	check_database(&f, r, facts);
	check_release(&f, r, facts);
	check_patch_skew(&f, r);
	r->misconfigurations = f.list.at;
	r->misconfigurations_n = f.list.n;
	return !a->over;
}
