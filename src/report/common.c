#include "report/common.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"

struct hf_arena hf_report_arena(void)
{
	return HF_ARENA(HF_INVENTORY_ARENA_MAX);
}

const char *hf_report_version(const struct hf_report_options *o)
{
	return o->tool_version ? o->tool_version : HF_VERSION;
}

const struct hf_layer *hf_report_layer(const struct hf_scan_report *r, int64_t index)
{
	return index >= 0 && r->artifact && (uint64_t)index < r->artifact->layers_n ? &r->artifact->layers[index]
										    : NULL;
}

hf_sv hf_report_diff_id(const struct hf_scan_report *r, int64_t index)
{
	const struct hf_layer *l = hf_report_layer(r, index);

	return l ? l->diff_id : (hf_sv){ 0 };
}

const struct hf_package *hf_report_package(const struct hf_scan_report *r, int64_t index)
{
	return index >= 0 && (uint64_t)index < r->packages_n ? &r->packages[index] : NULL;
}

hf_sv hf_report_name(const struct hf_package *p)
{
	return hf_sv_starts(p->name, HF_SV(":")) ? hf_sv_skip(p->name, 1) : p->name;
}

const hf_sv *hf_report_paths(const struct hf_package *p, size_t *ret_n)
{
	*ret_n = p->paths_n ? p->paths_n : p->path.len ? 1 : 0;
	return p->paths_n ? p->paths : &p->path;
}

static void digest_add(EVP_MD_CTX *ctx, hf_sv s)
{
	uint64_t n = s.len;
	unsigned char length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(n >> (8 * i));
	EVP_DigestUpdate(ctx, length, sizeof length);
	EVP_DigestUpdate(ctx, s.ptr ? s.ptr : "", s.len);
}

static EVP_MD_CTX *digest_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		abort();
	return ctx;
}

static void digest_end(EVP_MD_CTX *ctx, unsigned char out[32])
{
	EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
}

void hf_report_id(char out[HF_REPORT_ID_SIZE], const hf_sv *parts, size_t n)
{
	unsigned char digest[32];
	EVP_MD_CTX *ctx = digest_begin();

	for (size_t i = 0; i < n; i++)
		digest_add(ctx, parts[i]);
	digest_end(ctx, digest);
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void hf_report_uuid(char out[HF_REPORT_UUID_SIZE], const struct hf_scan_report *r)
{
	unsigned char d[32];
	EVP_MD_CTX *ctx = digest_begin();

	if (r->artifact) {
		digest_add(ctx, r->artifact->kind);
		digest_add(ctx, r->artifact->reference);
		digest_add(ctx, r->artifact->digest);
		digest_add(ctx, r->artifact->image_id);
	}
	for (size_t i = 0; i < r->packages_n; i++) {
		digest_add(ctx, r->packages[i].purl);
		digest_add(ctx, r->packages[i].path);
		digest_add(ctx, hf_report_diff_id(r, r->packages[i].layer));
	}
	digest_end(ctx, d);
	d[6] = (d[6] & 0x0f) | 0x80;
	d[8] = (d[8] & 0x3f) | 0x80;
	snprintf(out, HF_REPORT_UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0],
		 d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

void hf_report_time(char out[HF_REPORT_TIME_SIZE], int64_t seconds)
{
	const int64_t last = 253402300799; /* the end of the year 9999: RFC 3339 has four digits */
	time_t t = seconds < 0 ? 0 : seconds > last ? last : seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, HF_REPORT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct hf_report_totals hf_report_totals(const struct hf_scan_report *r, const struct hf_filter *filter)
{
	struct hf_report_totals t = { 0 };

	for (size_t i = 0; i < r->vulnerabilities_n; i++) {
		const struct hf_vulnerability *v = &r->vulnerabilities[i];
		bool counts = hf_finding_counts(v);
		if (!hf_filter_shows(filter, v)) {
			t.filtered += counts;
			continue;
		}
		if (counts) {
			t.counted++;
			t.by_severity[hf_finding_severity(v)]++;
			t.fixable += hf_finding_fixable(v);
			t.kev += v->kev;
			continue;
		}
		const char *class = hf_finding_class(v);
		t.suppressed += !strcmp(class, "suppressed");
		t.kernel_headers += !strcmp(class, "kernel_headers");
		t.unimportant += !strcmp(class, "unimportant");
		t.informational += !strcmp(class, "informational");
	}
	return t;
}

const struct hf_layer_report *hf_report_layers(struct hf_arena *a, const struct hf_scan_report *r, size_t *ret_n)
{
	*ret_n = r->layers_n;
	if (r->layers_n || !r->artifact)
		return r->layers;
	struct hf_layer_report *made = hf_arena_array(a, struct hf_layer_report, r->artifact->layers_n);
	if (!made)
		return NULL;
	for (size_t i = 0; i < r->artifact->layers_n; i++)
		made[i].layer = r->artifact->layers[i];
	*ret_n = r->artifact->layers_n;
	return made;
}
