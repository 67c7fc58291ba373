/* One harness for the table of advisory readers, compiled once a row with -DROW=<row>. The first line of the input is the
 * path in the feed's folder, the rest is the file. */
#include "advisory/reader.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads each byte of a view, so that a sanitizer sees one that points nowhere. */
static void touch(hf_sv s)
{
	volatile char sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum = (char)(sum + s.ptr[i]);
}

static void touch_all(const hf_sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		touch(list[i]);
}

static int on_advisory(struct hf_advisory_sink *s, const struct hf_advisory *v, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(v->id);
	touch(v->summary);
	touch(v->modified);
	touch_all(v->aliases, v->aliases_n);
	touch_all(v->upstream, v->upstream_n);
	touch_all(v->mentions, v->mentions_n);
	for (size_t i = 0; i < v->cvss_n; i++)
		touch(v->cvss[i].vector);
	for (size_t i = 0; i < v->affected_n; i++) {
		const struct hf_affected *e = &v->affected[i];
		touch(e->ecosystem);
		touch(e->package);
		touch(e->module);
		touch_all(e->versions, e->versions_n);
		for (size_t k = 0; k < e->ranges_n; k++) {
			touch(e->ranges[k].introduced);
			touch(e->ranges[k].fixed);
			touch(e->ranges[k].last_affected);
		}
	}
	return HF_OK;
}

static int on_kev(struct hf_advisory_sink *s, const struct hf_kev *v, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(v->cve);
	touch(v->date_added);
	return HF_OK;
}

static int on_epss(struct hf_advisory_sink *s, const struct hf_epss *v, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(v->cve);
	return HF_OK;
}

static int on_cve(struct hf_advisory_sink *s, const struct hf_cve *v, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(v->cve);
	touch(v->title);
	for (size_t i = 0; i < v->cvss_n; i++)
		touch(v->cvss[i].vector);
	return HF_OK;
}

static int on_cycle(struct hf_advisory_sink *s, const struct hf_release_cycle *v, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(v->product);
	touch(v->cycle);
	touch(v->end_of_life);
	return HF_OK;
}

static int on_malformed(struct hf_advisory_sink *s, hf_sv where, hf_sv why, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(where);
	touch(why);
	return HF_OK;
}

static int on_dated(struct hf_advisory_sink *s, hf_sv date, struct hf_err *err)
{
	(void)s;
	(void)err;
	touch(date);
	return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	struct hf_advisory_sink out = { on_advisory, on_kev, on_epss, on_cve, on_cycle, on_malformed, on_dated };
	struct hf_err err = { 0 };
	hf_sv path, bytes;

	if (!hf_sv_cut((hf_sv){ (const char *)data, size }, '\n', &path, &bytes))
		return 0;
	(void)JOIN(hf_advisory_reader_, ROW).read(path, bytes, &a, &out, &err);
	return 0;
}
