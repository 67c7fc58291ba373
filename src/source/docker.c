/* docker-archive: what `docker save` writes. docs/formats/docker-archive.md says which ages of it there are. */
#include "base/digest.h"
#include "base/limits.h"
#include "format/json.h"
#include "source/kind.h"

struct image {
	hf_sv config;
	HF_VEC(hf_sv) layers, tags;
};

static void read_image(struct hf_source *s, struct hf_json *j, struct image *image)
{
	hf_sv key, *slot;

	*image = (struct image){ 0 };
	hf_json_members(j, &key) {
		bool layers = hf_sv_eq(key, HF_SV("Layers"));
		if (hf_sv_eq(key, HF_SV("Config"))) {
			image->config = hf_json_string(j);
		} else if (layers || hf_sv_eq(key, HF_SV("RepoTags"))) {
			hf_json_elements(j) {
				hf_sv text = hf_json_string(j);
				slot = layers ? hf_vec_push(&s->arena, &image->layers)
					      : hf_vec_push(&s->arena, &image->tags);
				if (slot)
					*slot = text;
			}
		} else {
			hf_json_skip(j);
		}
	}
}

/* "alpine:3.18" is meant by itself, by "3.18" and by "docker.io/library/alpine:3.18"'s tail. */
static bool has_tag(const struct hf_source *s, const struct image *image)
{
	for (size_t i = 0; i < image->tags.n; i++) {
		hf_sv tag = image->tags.at[i], name;
		if (hf_sv_eq(tag, s->tag))
			return true;
		if (hf_sv_cut_last(tag, ':', &name, &tag) && hf_sv_eq(tag, s->tag))
			return true;
	}
	return false;
}

static int choose(struct hf_source *s, hf_sv json, struct image *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, &s->arena);
	struct image image;
	size_t n = 0;
	bool found = false;

	for (hf_json_array(&j); hf_json_element(&j); n++) {
		read_image(s, &j, &image);
		if (found || (s->tag.len && !has_tag(s, &image)))
			continue;
		*ret = image;
		found = true;
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "manifest.json: byte %zu: %s", j.at, j.why ? j.why : "more follows");
	if (!found && s->tag.len)
		return hf_fail(err, HF_E_MISSING, "none of the archive's %zu images has the tag %.*s", n,
			       HF_SV_FMT(s->tag));
	if (!found)
		return hf_fail(err, HF_E_FORMAT, "manifest.json names no image");
	if (n > 1 && !s->tag.len)
		hf_source_note(
			s,
			"The archive holds %zu images; the first%s%.*s was read: name another one as archive:FILE:TAG.",
			n, ret->tags.n ? ", " : "", HF_SV_FMT(ret->tags.n ? ret->tags.at[0] : (hf_sv){ 0 }));
	return HF_OK;
}

static void place_layer(struct hf_source *s, struct hf_layer *layer, struct hf_layer_ref *ref, hf_sv name)
{
	hf_sv hex = hf_sv_basename(name);

	ref->name = name;
	if (!hf_store_size(s, name, &layer->size)) {
		ref->name = (hf_sv){ 0 };
		ref->missing = hf_arena_fmt(&s->arena, "%.*s is not in the archive", HF_SV_FMT(name));
	}
	if (hf_sv_starts(name, HF_SV("blobs/sha256/")))
		layer->digest = hf_arena_fmt(&s->arena, "sha256:%.*s", HF_SV_FMT(hex));
	if (layer->digest.len && !hf_digest_valid(layer->digest))
		layer->digest = (hf_sv){ 0 };
}

static int read_manifest(struct hf_source *s, struct hf_err *err)
{
	struct image image = { 0 };
	struct hf_layer *layers;
	const hf_sv *ids;
	size_t ids_n;
	hf_sv json;
	int r = hf_store_read(s, HF_SV("manifest.json"), &json, err);

	if (!r)
		r = choose(s, json, &image, err);
	if (!r)
		r = hf_store_read(s, image.config, &json, err);
	if (!r)
		r = hf_image_read_config(s, json, &ids, &ids_n, err);
	if (!r)
		r = hf_image_make_layers(s, image.layers.n, &layers, err);
	if (r)
		return r;
	for (size_t i = 0; i < image.layers.n; i++)
		place_layer(s, &layers[i], &s->refs[i], image.layers.at[i]);
	hf_image_join_history(s, ids, ids_n);
	char text[HF_DIGEST_TEXT_MAX];
	s->artifact.image_id = hf_arena_dup(&s->arena, hf_digest_sha256(json, text));
	/* The config is named after its digest: "<hex>.json" or "blobs/sha256/<hex>". */
	hf_sv hex = hf_sv_basename(image.config);
	if (hf_sv_ends(hex, HF_SV(".json")))
		hex.len -= 5;
	hf_sv promised = hf_arena_fmt(&s->arena, "sha256:%.*s", HF_SV_FMT(hex));
	if (s->options.verify && hf_digest_valid(promised) && (r = hf_digest_check(promised, json, err)))
		return hf_wrap(err, "config");
	/* From Docker 25 on the archive is an OCI layout too, whose manifest has the same config. */
	if (hf_store_has(s, HF_SV("index.json")))
		return hf_oci_find_manifest(s, s->artifact.image_id, &s->artifact.digest, err);
	return HF_OK;
}

/* {"name": {"tag": "id", …}, …}: the id of the first, or of the one with the tag asked for. */
static int read_repositories(struct hf_source *s, hf_sv *ret_id, struct hf_err *err)
{
	hf_sv json, name, tag, id = { 0 };
	size_t n = 0;
	int r = hf_store_read(s, HF_SV("repositories"), &json, err);

	if (r)
		return r;
	struct hf_json j = hf_json_of(json, &s->arena);
	hf_json_members(&j, &name) {
		hf_json_members(&j, &tag) {
			n++;
			hf_sv this_id = hf_json_string(&j);
			hf_sv whole = hf_arena_fmt(&s->arena, "%.*s:%.*s", HF_SV_FMT(name), HF_SV_FMT(tag));
			if (!id.len && (!s->tag.len || hf_sv_eq(s->tag, tag) || hf_sv_eq(s->tag, whole)))
				id = this_id;
		}
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "repositories: byte %zu: %s", j.at, j.why ? j.why : "more follows");
	if (!id.len)
		return hf_fail(err, HF_E_MISSING, "repositories names no %s%.*s", s->tag.len ? "tag " : "image",
			       HF_SV_FMT(s->tag));
	if (n > 1 && !s->tag.len)
		hf_source_note(
			s, "The archive holds %zu images; the first was read: name another one as archive:FILE:TAG.",
			n);
	*ret_id = id;
	return HF_OK;
}

struct v1 {
	hf_sv id, json, parent, created, command;
};

static int read_v1(struct hf_source *s, struct v1 *v, struct hf_err *err)
{
	hf_sv key;
	int r = hf_store_read(s, hf_arena_fmt(&s->arena, "%.*s/json", HF_SV_FMT(v->id)), &v->json, err);

	if (r)
		return r;
	struct hf_json j = hf_json_of(v->json, &s->arena);
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("parent"))) {
			v->parent = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("created"))) {
			v->created = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("container_config"))) {
			hf_json_members(&j, &key) {
				if (!hf_sv_eq(key, HF_SV("Cmd"))) {
					hf_json_skip(&j);
					continue;
				}
				hf_json_elements(&j) {
					hf_sv word = hf_json_string(&j);
					v->command = hf_arena_fmt(&s->arena, "%.*s%s%.*s", HF_SV_FMT(v->command),
								  v->command.len ? " " : "", HF_SV_FMT(word));
				}
			}
		} else {
			hf_json_skip(&j);
		}
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "%.*s/json: byte %zu: %s", HF_SV_FMT(v->id), j.at,
			       j.why ? j.why : "more follows");
	return HF_OK;
}

/* Before Docker 1.10: each layer is a folder with its own json, which names its parent. */
static int read_legacy(struct hf_source *s, struct hf_err *err)
{
	HF_VEC(struct v1) chain = { 0 };
	struct hf_layer *layers;
	hf_sv id = { 0 };
	int r = read_repositories(s, &id, err);

	while (!r && id.len) {
		struct v1 v = { .id = id }, *slot;
		if (chain.n == HF_LAYERS_MAX)
			return hf_fail(err, HF_E_LIMIT, "an image of more than %d layers, or a circle of parents",
				       HF_LAYERS_MAX);
		r = read_v1(s, &v, err);
		slot = hf_vec_push(&s->arena, &chain);
		if (slot)
			*slot = v;
		id = v.parent;
	}
	if (!r && !chain.n)
		return hf_fail(err, HF_E_FORMAT, "the image names no layer");
	if (!r)
		r = hf_image_make_layers(s, chain.n, &layers, err);
	if (r)
		return r;
	const hf_sv *ids;
	size_t ids_n;
	r = hf_image_read_config(s, chain.at[0].json, &ids, &ids_n, err);
	for (size_t i = 0; !r && i < chain.n; i++) {
		const struct v1 *v = &chain.at[chain.n - 1 - i];
		place_layer(s, &layers[i], &s->refs[i], hf_arena_fmt(&s->arena, "%.*s/layer.tar", HF_SV_FMT(v->id)));
		layers[i].created = v->created;
		layers[i].created_by = v->command;
	}
	return r;
}

int hf_docker_read(struct hf_source *s, struct hf_err *err)
{
	return hf_store_has(s, HF_SV("manifest.json")) ? read_manifest(s, err) : read_legacy(s, err);
}
