/* endoflife.date's API: https://endoflife.date/api/PRODUCT.json, the release cycles of one product.
 *
 * [ { "cycle": "12", "codename": "Bookworm", "releaseDate": "2023-06-10", "eoas": "…", "eol": "2026-07-11" or true or false,
 *     "eoes": "2028-06-30", "support": "…", "extendedSupport": "…" } ]
 * eoas and support (the older name) end active support, eoes and extendedSupport the longest support there is. */
#include "advisory/feed.h"

/* A date, or true for "over" with @ret_over where that is asked for. Other values say nothing. */
static hf_sv read_end(struct hf_json *j, bool *ret_over)
{
	if (hf_json_peek(j) == HF_JSON_BOOL) {
		bool over = hf_json_bool(j, false);
		if (ret_over)
			*ret_over = over;
		return (hf_sv){ 0 };
	}
	return hf_feed_date(hf_json_string(j));
}

static int read_cycle(struct hf_json *j, hf_sv product, struct hf_advisory_sink *out, struct hf_err *err)
{
	struct hf_release_cycle c = { .product = product };
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("cycle")))
			c.cycle = hf_json_text(j);
		else if (hf_sv_eq(key, HF_SV("codename")))
			c.codename = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("releaseDate")))
			c.released = read_end(j, NULL);
		else if (hf_sv_eq(key, HF_SV("eol")))
			c.end_of_life = read_end(j, &c.ended_no_date);
		else if (hf_sv_eq(key, HF_SV("eoas")) || hf_sv_eq(key, HF_SV("support")))
			c.end_of_support = read_end(j, NULL);
		else if (hf_sv_eq(key, HF_SV("eoes")) || hf_sv_eq(key, HF_SV("extendedSupport")))
			c.extended_end = read_end(j, NULL);
		else
			hf_json_skip(j);
	if (j->why)
		return HF_OK;
	if (!c.cycle.len)
		return hf_feed_malformed(out, product, HF_SV("a release cycle without a name"), err);
	return out->cycle(out, &c, err);
}

static int endoflife_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(a->cap);
	struct hf_json j = hf_json_of(bytes, &scratch);
	hf_sv product = hf_sv_basename(path);
	int all = HF_OK;

	product = hf_sv_first(product, hf_sv_last_index(product, '.'));
	if (hf_json_peek(&j) != HF_JSON_ARRAY)
		return hf_fail(err, HF_E_FORMAT, "is not a list of release cycles");
	hf_json_elements(&j) {
		all = hf_feed_fold(all, read_cycle(&j, product, out, err));
		if (all >= 0 && scratch.over)
			all = hf_feed_broken(&j, &scratch, err);
		if (all < 0)
			return all;
		hf_arena_reset(&scratch);
	}
	if (!hf_json_end(&j) || scratch.over)
		return hf_feed_broken(&j, &scratch, err);
	return all;
}

const struct hf_advisory_reader hf_advisory_reader_endoflife = {
	.name = "endoflife",
	.summary = "endoflife.date: until when releases are supported",
	.wants = (const char *const[]){ "endoflife/*.json", NULL },
	.absence = "not known whether the release is supported",
	.read = endoflife_read,
};
