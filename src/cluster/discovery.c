#include "cluster/discovery.h"

#include "base/limits.h"
#include "base/map.h"
#include "format/json.h"

struct reader {
	struct hf_discovery *d;
	struct hf_json json;
	struct hf_arena strings; /* of the reader; what is kept is copied */
	hf_sv group, version;
	bool stale;
};

static hf_sv keep(struct reader *r, hf_sv s)
{
	return s.len ? hf_arena_dup(r->d->arena, s) : (hf_sv){ 0 };
}

static void read_verbs(struct reader *r, struct hf_cluster_resource *ret)
{
	HF_VEC(hf_sv) verbs = { 0 };

	hf_json_elements(&r->json) {
		hf_sv verb = hf_json_string(&r->json), *slot = verb.len ? hf_vec_push(r->d->arena, &verbs) : NULL;
		if (slot)
			*slot = keep(r, verb);
	}
	ret->verbs = verbs.at;
	ret->verbs_n = verbs.n;
}

static struct hf_cluster_resource *add(struct reader *r)
{
	struct hf_cluster_resource *x = NULL;

	if (r->d->resources.n < HF_CLUSTER_RESOURCES_MAX)
		x = hf_vec_push(r->d->arena, &r->d->resources);
	else
		r->json.why = "too many resources";
	if (x)
		*x = (struct hf_cluster_resource){ .group = r->group, .version = r->version };
	else if (!r->json.why)
		r->json.why = "no memory is left for it"; /* so that the loops around end */
	return x;
}

/* {"resource": "pods", "responseKind": {…}, "scope": "Namespaced", "verbs": […], "subresources": […]} */
static void read_resource(struct reader *r, hf_sv parent, bool parent_namespaced)
{
	struct hf_cluster_resource x = { .namespaced = parent_namespaced };
	hf_sv key, inner;
	size_t at = r->d->resources.n;

	if (!add(r) || !hf_json_object(&r->json))
		return;
	while (hf_json_key(&r->json, &key)) {
		if (hf_sv_eq(key, HF_SV("resource"))) {
			x.name = keep(r, hf_json_string(&r->json));
		} else if (hf_sv_eq(key, HF_SV("subresource"))) {
			hf_sv name = hf_json_string(&r->json);
			x.name = hf_arena_fmt(r->d->arena, "%.*s/%.*s", HF_SV_FMT(parent), HF_SV_FMT(name));
		} else if (hf_sv_eq(key, HF_SV("responseKind"))) {
			hf_json_members(&r->json, &inner) {
				if (hf_sv_eq(inner, HF_SV("kind")))
					x.kind = keep(r, hf_json_string(&r->json));
				else
					hf_json_skip(&r->json);
			}
		} else if (hf_sv_eq(key, HF_SV("scope"))) {
			x.namespaced = hf_sv_eq(hf_json_string(&r->json), HF_SV("Namespaced"));
		} else if (hf_sv_eq(key, HF_SV("verbs"))) {
			read_verbs(r, &x);
		} else if (hf_sv_eq(key, HF_SV("subresources")) && !parent.len && x.name.len) {
			hf_json_elements(&r->json) {
				read_resource(r, x.name, x.namespaced);
			}
		} else {
			hf_json_skip(&r->json);
		}
	}
	x.group = r->group;
	x.version = r->version;
	r->d->resources.at[at] = x;
}

/* {"version": "v1", "resources": […], "freshness": "Current"} */
static void read_version(struct reader *r)
{
	size_t first = r->d->resources.n;
	hf_sv key;

	r->version = (hf_sv){ 0 };
	r->stale = false;
	hf_json_members(&r->json, &key) {
		if (hf_sv_eq(key, HF_SV("version"))) {
			r->version = keep(r, hf_json_string(&r->json));
		} else if (hf_sv_eq(key, HF_SV("freshness"))) {
			r->stale = hf_sv_eq(hf_json_string(&r->json), HF_SV("Stale"));
		} else if (hf_sv_eq(key, HF_SV("resources"))) {
			hf_json_elements(&r->json) {
				read_resource(r, (hf_sv){ 0 }, false);
			}
		} else {
			hf_json_skip(&r->json);
		}
	}
	for (size_t i = first; i < r->d->resources.n; i++)
		r->d->resources.at[i].version = r->version;
	if (r->stale)
		hf_discovery_missing(r->d, r->group, r->version,
				     HF_SV("the server behind it does not answer: what is known of it may be old"));
}

/* {"metadata": {"name": "apps"}, "versions": […]}: metadata stands first, but that is not promised. */
static void read_group(struct reader *r)
{
	size_t first = r->d->resources.n, first_missing = r->d->missing.n;
	hf_sv key, inner;

	r->group = (hf_sv){ 0 };
	hf_json_members(&r->json, &key) {
		if (hf_sv_eq(key, HF_SV("metadata"))) {
			hf_json_members(&r->json, &inner) {
				if (hf_sv_eq(inner, HF_SV("name")))
					r->group = keep(r, hf_json_string(&r->json));
				else
					hf_json_skip(&r->json);
			}
		} else if (hf_sv_eq(key, HF_SV("versions"))) {
			hf_json_elements(&r->json) {
				read_version(r);
			}
		} else {
			hf_json_skip(&r->json);
		}
	}
	for (size_t i = first; i < r->d->resources.n; i++)
		r->d->resources.at[i].group = r->group;
	for (size_t i = first_missing; i < r->d->missing.n; i++)
		r->d->missing.at[i].group = r->group;
}

static void add_version(struct reader *r, hf_sv group, hf_sv version)
{
	struct hf_cluster_what *w = NULL;

	for (size_t i = r->d->versions.n; i > 0 && hf_sv_eq(r->d->versions.at[i - 1].group, group); i--)
		if (hf_sv_eq(r->d->versions.at[i - 1].version, version))
			return;
	if (r->d->versions.n < HF_CLUSTER_VERSIONS_MAX)
		w = hf_vec_push(r->d->arena, &r->d->versions);
	else
		r->json.why = "too many versions";
	if (w)
		*w = (struct hf_cluster_what){ .group = group, .version = keep(r, version) };
}

/* {"name": "apps", "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}} */
static void read_old_group(struct reader *r)
{
	hf_sv key, inner, group = { 0 }, preferred = { 0 };
	struct hf_json versions = { 0 };
	bool has_versions = false;

	hf_json_members(&r->json, &key) {
		if (hf_sv_eq(key, HF_SV("name"))) {
			group = keep(r, hf_json_string(&r->json));
		} else if (hf_sv_eq(key, HF_SV("versions"))) {
			versions = hf_json_of(hf_json_raw(&r->json), &r->strings);
			has_versions = true;
		} else if (hf_sv_eq(key, HF_SV("preferredVersion"))) {
			hf_json_members(&r->json, &inner) {
				if (hf_sv_eq(inner, HF_SV("version")))
					preferred = hf_json_string(&r->json);
				else
					hf_json_skip(&r->json);
			}
		} else {
			hf_json_skip(&r->json);
		}
	}
	if (!group.len)
		return;
	if (preferred.len)
		add_version(r, group, preferred);
	if (!has_versions)
		return;
	hf_json_elements(&versions) {
		hf_json_members(&versions, &inner) {
			if (hf_sv_eq(inner, HF_SV("version")))
				add_version(r, group, hf_json_string(&versions));
			else
				hf_json_skip(&versions);
		}
	}
}

static int end(struct reader *r, struct hf_err *err)
{
	int code = HF_OK;

	if (r->d->arena->over || r->strings.over)
		code = hf_fail(err, HF_E_LIMIT, "discovery: more than %zu bytes of memory", r->d->arena->cap);
	else if (!hf_json_end(&r->json))
		code = hf_fail(err, HF_E_FORMAT, "discovery: byte %zu: %s", r->json.at,
			       r->json.why ? r->json.why : "more behind the end");
	hf_arena_done(&r->strings);
	return code;
}

static hf_sv kind_of(hf_sv json, struct hf_arena *strings)
{
	struct hf_json j = hf_json_of(json, strings);
	hf_sv key, kind = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind")))
			kind = hf_json_string(&j);
		else
			hf_json_skip(&j);
	}
	return kind;
}

int hf_discovery_add(struct hf_discovery *d, hf_sv json, struct hf_err *err)
{
	struct reader r = { .d = d, .strings = HF_ARENA(HF_PARSE_ARENA_MAX) };
	hf_sv kind = kind_of(json, &r.strings), key, version;
	bool aggregated = hf_sv_eq(kind, HF_SV("APIGroupDiscoveryList")),
	     groups = hf_sv_eq(kind, HF_SV("APIGroupList")), core = hf_sv_eq(kind, HF_SV("APIVersions"));

	r.json = hf_json_of(json, &r.strings);
	hf_json_members(&r.json, &key) {
		if (aggregated && hf_sv_eq(key, HF_SV("items"))) {
			hf_json_elements(&r.json) {
				read_group(&r);
			}
		} else if (groups && hf_sv_eq(key, HF_SV("groups"))) {
			hf_json_elements(&r.json) {
				read_old_group(&r);
			}
		} else if (core && hf_sv_eq(key, HF_SV("versions"))) {
			hf_json_elements(&r.json) {
				version = hf_json_string(&r.json);
				if (version.len)
					add_version(&r, (hf_sv){ 0 }, version);
			}
		} else {
			hf_json_skip(&r.json);
		}
	}
	int code = end(&r, err);
	if (code == HF_OK && !aggregated && !groups && !core)
		return hf_fail(err, HF_E_FORMAT, "discovery: the answer is of another kind");
	return code;
}

/* {"resources": [{"name": "pods/exec", "kind": "…", "namespaced": true, "verbs": […]}]} */
int hf_discovery_add_version(struct hf_discovery *d, hf_sv group, hf_sv version, hf_sv json, struct hf_err *err)
{
	struct reader r = { .d = d, .group = group, .version = version, .strings = HF_ARENA(HF_PARSE_ARENA_MAX) };
	hf_sv key, inner;

	r.json = hf_json_of(json, &r.strings);
	hf_json_members(&r.json, &key) {
		if (!hf_sv_eq(key, HF_SV("resources"))) {
			hf_json_skip(&r.json);
			continue;
		}
		hf_json_elements(&r.json) {
			struct hf_cluster_resource *x = add(&r), fields = { .group = group, .version = version };
			if (!x)
				break;
			hf_json_members(&r.json, &inner) {
				if (hf_sv_eq(inner, HF_SV("name")))
					fields.name = keep(&r, hf_json_string(&r.json));
				else if (hf_sv_eq(inner, HF_SV("kind")))
					fields.kind = keep(&r, hf_json_string(&r.json));
				else if (hf_sv_eq(inner, HF_SV("namespaced")))
					fields.namespaced = hf_json_bool(&r.json, false);
				else if (hf_sv_eq(inner, HF_SV("verbs")))
					read_verbs(&r, &fields);
				else
					hf_json_skip(&r.json);
			}
			*x = fields;
		}
	}
	return end(&r, err);
}

void hf_discovery_missing(struct hf_discovery *d, hf_sv group, hf_sv version, hf_sv reason)
{
	struct hf_cluster_missing *m = hf_vec_push(d->arena, &d->missing);

	if (m)
		*m = (struct hf_cluster_missing){ group, version, hf_arena_dup(d->arena, reason) };
}

void hf_discovery_end(struct hf_discovery *d, struct hf_cluster_resources *ret)
{
	struct hf_map seen = HF_MAP(d->arena);
	size_t n = 0;

	/* Those without a name have none, or are no resources but a place in a list. */
	for (size_t i = 0; i < d->resources.n; i++)
		if (d->resources.at[i].name.len)
			d->resources.at[n++] = d->resources.at[i];
	for (size_t i = 0; i < n; i++) {
		struct hf_cluster_resource *x = &d->resources.at[i];
		hf_sv key = hf_arena_fmt(d->arena, "%.*s|%.*s", HF_SV_FMT(x->group), HF_SV_FMT(x->name));
		x->preferred = !hf_map_find(&seen, key);
		if (!hf_map_put(&seen, key))
			break;
	}
	*ret = (struct hf_cluster_resources){ d->resources.at, n, d->missing.at, d->missing.n };
}
