/* OCI image layout: OCI image-spec v1.1 image-layout.md, image-index.md, manifest.md, descriptor.md. */
#include <sys/utsname.h>

#include "base/digest.h"
#include "base/limits.h"
#include "format/json.h"
#include "source/kind.h"

enum { FOUND_MAX = 256 }; /* manifests that are looked into for an image that is already known */

struct descriptor {
	hf_sv media_type, digest, tag;
	uint64_t size;
	hf_sv os, arch, variant;
	bool has_urls, is_attestation;
};

struct descriptors {
	HF_VEC(struct descriptor) v;
};

hf_sv hf_oci_blob_name(struct hf_source *s, hf_sv digest)
{
	hf_sv algorithm, hex;

	if (!hf_digest_valid(digest) || !hf_sv_cut(digest, ':', &algorithm, &hex))
		return (hf_sv){ 0 };
	return hf_arena_fmt(&s->arena, "blobs/%.*s/%.*s", HF_SV_FMT(algorithm), HF_SV_FMT(hex));
}

static void read_annotations(struct hf_json *j, struct descriptor *d)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("org.opencontainers.image.ref.name")))
			d->tag = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("vnd.docker.reference.type")))
			d->is_attestation = hf_sv_eq(hf_json_string(j), HF_SV("attestation-manifest"));
		else
			hf_json_skip(j);
	}
}

static void read_platform(struct hf_json *j, struct descriptor *d)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("os")))
			d->os = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("architecture")))
			d->arch = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("variant")))
			d->variant = hf_json_string(j);
		else
			hf_json_skip(j);
	}
}

static struct descriptor read_descriptor(struct hf_json *j)
{
	struct descriptor d = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("mediaType"))) {
			d.media_type = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("digest"))) {
			d.digest = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("size"))) {
			if (!hf_sv_to_u64(hf_json_text(j), &d.size))
				d.size = 0;
		} else if (hf_sv_eq(key, HF_SV("platform"))) {
			read_platform(j, &d);
		} else if (hf_sv_eq(key, HF_SV("annotations"))) {
			read_annotations(j, &d);
		} else if (hf_sv_eq(key, HF_SV("urls"))) {
			hf_json_elements(j) {
				d.has_urls = true;
				hf_json_skip(j);
			}
		} else {
			hf_json_skip(j);
		}
	}
	if (hf_sv_eq(d.os, HF_SV("unknown")) && hf_sv_eq(d.arch, HF_SV("unknown")))
		d.is_attestation = true;
	return d;
}

static struct descriptors read_descriptors(struct hf_source *s, struct hf_json *j)
{
	struct descriptors list = { 0 };

	hf_json_elements(j) {
		struct descriptor *slot = hf_vec_push(&s->arena, &list.v);
		struct descriptor d = read_descriptor(j);
		if (slot)
			*slot = d;
	}
	return list;
}

/* An index or a manifest: which of both it is shows by its members, since media types may be missing or wrong. */
struct document {
	bool is_index, is_manifest;
	struct descriptors manifests, layers;
	struct descriptor config;
};

static int read_document(struct hf_source *s, hf_sv json, struct document *doc, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, &s->arena);
	hf_sv key;

	*doc = (struct document){ 0 };
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("manifests"))) {
			doc->manifests = read_descriptors(s, &j);
			doc->is_index = true;
		} else if (hf_sv_eq(key, HF_SV("layers"))) {
			doc->layers = read_descriptors(s, &j);
			doc->is_manifest = true;
		} else if (hf_sv_eq(key, HF_SV("config"))) {
			doc->config = read_descriptor(&j);
		} else {
			hf_json_skip(&j);
		}
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why ? j.why : "more follows");
	return HF_OK;
}

static int read_blob(struct hf_source *s, hf_sv digest, hf_sv *ret, struct hf_err *err)
{
	hf_sv name = hf_oci_blob_name(s, digest);
	int r;

	if (!name.len)
		return hf_fail(err, HF_E_FORMAT, "'%.*s' is not a digest", HF_SV_FMT(digest));
	r = hf_store_read(s, name, ret, err);
	if (!r && s->options.verify && (r = hf_digest_check(digest, *ret, err)))
		hf_wrap(err, "%.*s", HF_SV_FMT(name));
	return r;
}

/* Go's names for the architectures, which OCI uses. */
static hf_sv machine_arch(struct hf_source *s)
{
	static const struct {
		hf_sv machine, arch;
	} names[] = {
		{ HF_SV_INIT("x86_64"), HF_SV_INIT("amd64") },
		{ HF_SV_INIT("aarch64"), HF_SV_INIT("arm64") },
		{ HF_SV_INIT("armv7l"), HF_SV_INIT("arm") },
		{ HF_SV_INIT("armv6l"), HF_SV_INIT("arm") },
		{ HF_SV_INIT("i686"), HF_SV_INIT("386") },
		{ HF_SV_INIT("ppc64le"), HF_SV_INIT("ppc64le") },
		{ HF_SV_INIT("loongarch64"), HF_SV_INIT("loong64") },
	};
	struct utsname u;

	if (uname(&u))
		return (hf_sv){ 0 };
	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(hf_sv_of(u.machine), names[i].machine))
			return names[i].arch;
	return hf_arena_dup(&s->arena, hf_sv_of(u.machine));
}

static bool has_platform(const struct descriptor *d, hf_sv platform)
{
	hf_sv os = { 0 }, arch = { 0 }, variant = { 0 };

	(void)hf_sv_next(&platform, '/', &os);
	(void)hf_sv_next(&platform, '/', &arch);
	(void)hf_sv_next(&platform, '/', &variant);
	return hf_sv_eq(d->os, os) && hf_sv_eq(d->arch, arch) && (!variant.len || hf_sv_eq(d->variant, variant));
}

static hf_sv list_platforms(struct hf_source *s, const struct descriptors *list)
{
	hf_sv text = { 0 };

	for (size_t i = 0; i < list->v.n && text.len < 200; i++) {
		const struct descriptor *d = &list->v.at[i];
		if (!d->is_attestation && d->os.len)
			text = hf_arena_fmt(&s->arena, "%.*s%s%.*s/%.*s%s%.*s", HF_SV_FMT(text), text.len ? ", " : "",
					    HF_SV_FMT(d->os), HF_SV_FMT(d->arch), d->variant.len ? "/" : "",
					    HF_SV_FMT(d->variant));
	}
	return text;
}

/* By tag or digest where one was asked for (in the outermost index), then by platform; a lone image is taken as it is.
 */
static int choose(struct hf_source *s, struct descriptors *list, bool outermost, struct descriptor *ret,
		  struct hf_err *err)
{
	struct descriptors left = { 0 };
	hf_sv want = s->options.platform;

	for (size_t i = 0; i < list->v.n; i++) {
		const struct descriptor *d = &list->v.at[i];
		bool named = !outermost || (!s->tag.len && !s->digest.len) ||
			     (s->tag.len && hf_sv_eq(d->tag, s->tag)) ||
			     (s->digest.len && hf_sv_eq(d->digest, s->digest));
		struct descriptor *slot = named && !d->is_attestation ? hf_vec_push(&s->arena, &left.v) : NULL;
		if (slot)
			*slot = *d;
	}
	if (!left.v.n)
		return hf_fail(err, HF_E_MISSING, "no image %s%.*s in the index", s->tag.len ? "with the tag " : "",
			       HF_SV_FMT(s->tag.len ? s->tag : s->digest));
	if (!want.len)
		want = hf_arena_fmt(&s->arena, "linux/%.*s", HF_SV_FMT(machine_arch(s)));
	size_t hits = 0;
	for (size_t i = 0; i < left.v.n; i++)
		if (has_platform(&left.v.at[i], want) && !hits++)
			*ret = left.v.at[i];
	if (!hits && left.v.n == 1 && (!s->options.platform.len || !left.v.at[0].os.len)) {
		*ret = left.v.at[0];
		return HF_OK;
	}
	if (!hits) {
		hf_sv there = list_platforms(s, &left);
		if (!there.len && !s->options.platform.len) {
			hf_source_note(
				s, "The layout holds %zu images; the first was read: name another one as oci:DIR:TAG.",
				left.v.n);
			*ret = left.v.at[0];
			return HF_OK;
		}
		return hf_fail(err, HF_E_MISSING, "no image for %.*s; there are: %.*s (--platform)", HF_SV_FMT(want),
			       HF_SV_FMT(there));
	}
	if (hits > 1)
		hf_source_note(s, "The index holds %zu images for %.*s; the first was read.", hits, HF_SV_FMT(want));
	return HF_OK;
}

static void place_layer(struct hf_source *s, const struct descriptor *d, struct hf_layer *layer,
			struct hf_layer_ref *ref)
{
	uint64_t there;

	layer->digest = d->digest;
	layer->media_type = d->media_type;
	layer->size = d->size;
	ref->name = hf_oci_blob_name(s, d->digest);
	if (ref->name.len && hf_store_size(s, ref->name, &there)) {
		layer->size = there;
		return;
	}
	ref->missing = !ref->name.len ? hf_arena_fmt(&s->arena, "'%.*s' is not a digest", HF_SV_FMT(d->digest))
		       : d->has_urls  ? HF_SV("a foreign layer, which is to be fetched from elsewhere")
				      : hf_arena_fmt(&s->arena, "blob %.*s is not there", HF_SV_FMT(d->digest));
	ref->name = (hf_sv){ 0 };
}

static int read_manifest(struct hf_source *s, const struct document *doc, struct hf_err *err)
{
	struct hf_layer *layers;
	const hf_sv *ids;
	size_t ids_n;
	hf_sv json;
	int r = read_blob(s, doc->config.digest, &json, err);

	if (!r)
		r = hf_image_read_config(s, json, &ids, &ids_n, err);
	if (!r)
		r = hf_image_make_layers(s, doc->layers.v.n, &layers, err);
	if (r)
		return r;
	s->artifact.image_id = doc->config.digest;
	for (size_t i = 0; i < doc->layers.v.n; i++)
		place_layer(s, &doc->layers.v.at[i], &layers[i], &s->refs[i]);
	hf_image_join_history(s, ids, ids_n);
	return HF_OK;
}

int hf_oci_read(struct hf_source *s, struct hf_err *err)
{
	struct document doc;
	struct descriptor d = { 0 };
	hf_sv json;
	int r = hf_store_read(s, HF_SV("index.json"), &json, err);

	if (!r && (r = read_document(s, json, &doc, err)))
		hf_wrap(err, "index.json");
	/* A digest may also be that of a manifest which no index names. */
	hf_sv direct = s->digest.len ? hf_oci_blob_name(s, s->digest) : (hf_sv){ 0 };
	for (int depth = 0; !r; depth++) {
		if (depth > HF_INDEX_DEPTH_MAX)
			return hf_fail(err, HF_E_LIMIT, "indexes nested more than %d deep", HF_INDEX_DEPTH_MAX);
		if (doc.is_manifest) {
			s->artifact.digest = d.digest;
			return read_manifest(s, &doc, err);
		}
		if (!doc.is_index)
			return hf_fail(err, HF_E_FORMAT, "neither an index nor a manifest%s%.*s",
				       d.digest.len ? ": " : "", HF_SV_FMT(d.digest));
		if (depth == 0 && direct.len && hf_store_has(s, direct))
			d.digest = s->digest;
		else
			r = choose(s, &doc.manifests, depth == 0, &d, err);
		if (!r)
			r = read_blob(s, d.digest, &json, err);
		if (!r && (r = read_document(s, json, &doc, err)))
			hf_wrap(err, "%.*s", HF_SV_FMT(d.digest));
	}
	return r;
}

static int look_into(struct hf_source *s, hf_sv json, struct document *doc, struct hf_err *err)
{
	int r = read_document(s, json, doc, err);

	return r                                   ? r
	       : doc->is_index || doc->is_manifest ? HF_OK
						   : hf_fail(err, HF_E_FORMAT, "neither index nor manifest");
}

int hf_oci_find_manifest(struct hf_source *s, hf_sv config_digest, hf_sv *ret_digest, struct hf_err *err)
{
	HF_VEC(struct descriptor) todo = { 0 };
	struct document doc;
	struct descriptor d = { 0 };
	struct hf_err why = { 0 };
	hf_sv json;
	int r = hf_store_read(s, HF_SV("index.json"), &json, &why);

	*ret_digest = (hf_sv){ 0 };
	for (size_t at = 0; !r && !(r = look_into(s, json, &doc, &why));) {
		if (doc.is_manifest && hf_sv_eq(doc.config.digest, config_digest)) {
			*ret_digest = d.digest;
			return HF_OK;
		}
		for (size_t i = 0; doc.is_index && i < doc.manifests.v.n && todo.n < FOUND_MAX; i++) {
			const struct descriptor *next = &doc.manifests.v.at[i];
			hf_sv name = next->is_attestation ? (hf_sv){ 0 } : hf_oci_blob_name(s, next->digest);
			struct descriptor *slot =
				name.len && hf_store_has(s, name) ? hf_vec_push(&s->arena, &todo) : NULL;
			if (slot)
				*slot = *next;
		}
		if (at == todo.n)
			return HF_OK;
		d = todo.at[at++];
		r = read_blob(s, d.digest, &json, &why);
	}
	if (r == HF_E_DIGEST) {
		*err = why;
		return r;
	}
	hf_source_note(s, "The image's manifest digest is not known: index.json: %s", why.msg);
	return HF_OK;
}
