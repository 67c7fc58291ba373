#include "advisory_sink.h"

#include "case_runner.h"

static struct hf_json_writer line_writer(struct hf_advisory_sink *s, const char *kind)
{
	return test_line_begin(&((struct test_advisory_sink *)s)->text, kind);
}

static void strings(struct hf_json_writer *w, const char *key, const hf_sv *list, size_t n)
{
	if (n)
		hf_jw_strings(w, key, list, n);
}

static void severity(struct hf_json_writer *w, enum hf_severity s)
{
	static const char *const names[HF_SEV_MAX] = { NULL, "negligible", "low", "medium", "high", "critical" };

	if (s)
		hf_jw_kv(w, "severity", hf_sv_of(names[s]));
}

static void ranges(struct hf_json_writer *w, const struct hf_range *r, size_t n)
{
	static const char *const kinds[] = { NULL, "semver", "git" };

	if (!n)
		return;
	hf_jw_key(w, "ranges");
	hf_jw_array(w);
	for (; n--; r++) {
		hf_jw_object(w);
		hf_jw_kv_if(w, "kind", hf_sv_of(kinds[r->kind]));
		hf_jw_kv_if(w, "introduced", r->introduced);
		hf_jw_kv_if(w, "fixed", r->fixed);
		hf_jw_kv_if(w, "last_affected", r->last_affected);
		hf_jw_kv_if(w, "limit", r->limit);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void affected(struct hf_json_writer *w, const struct hf_affected *e)
{
	static const char *const states[HF_STATE_MAX] = { NULL,           "not_affected", "open",
							  "will_not_fix", "deferred",     "investigating" };

	hf_jw_object(w);
	hf_jw_kv_if(w, "ecosystem", e->ecosystem);
	hf_jw_kv_if(w, "package", e->package);
	hf_jw_kv_if(w, "state", hf_sv_of(states[e->state]));
	severity(w, e->severity);
	ranges(w, e->ranges, e->ranges_n);
	strings(w, "versions", e->versions, e->versions_n);
	strings(w, "arches", e->arches, e->arches_n);
	hf_jw_kv_if(w, "module", e->module);
	hf_jw_kv_if(w, "channel", e->channel);
	if (e->binary_name)
		hf_jw_kv_bool(w, "binary_name", true);
	if (e->unimportant)
		hf_jw_kv_bool(w, "unimportant", true);
	hf_jw_object_end(w);
}

static void cvss(struct hf_json_writer *w, const struct hf_cvss *c, size_t n)
{
	if (!n)
		return;
	hf_jw_key(w, "cvss");
	hf_jw_array(w);
	for (; n--; c++) {
		hf_jw_object(w);
		hf_jw_kv(w, "source", c->source);
		hf_jw_kv(w, "vector", c->vector);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static int on_advisory(struct hf_advisory_sink *s, const struct hf_advisory *v, struct hf_err *err)
{
	static const char *const kinds[] = { NULL, "malicious", "unmaintained", "notice", "bugfix" };
	struct hf_json_writer w = line_writer(s, "advisory");

	hf_jw_kv_if(&w, "source", v->source);
	hf_jw_kv_if(&w, "id", v->id);
	hf_jw_kv_if(&w, "kind", hf_sv_of(kinds[v->kind]));
	strings(&w, "aliases", v->aliases, v->aliases_n);
	strings(&w, "upstream", v->upstream, v->upstream_n);
	strings(&w, "mentions", v->mentions, v->mentions_n);
	hf_jw_kv_if(&w, "summary", v->summary);
	hf_jw_kv_if(&w, "url", v->url);
	hf_jw_kv_if(&w, "published", v->published);
	hf_jw_kv_if(&w, "modified", v->modified);
	hf_jw_kv_if(&w, "withdrawn", v->withdrawn);
	severity(&w, v->severity);
	cvss(&w, v->cvss, v->cvss_n);
	hf_jw_key(&w, "affected");
	hf_jw_array(&w);
	for (size_t i = 0; i < v->affected_n; i++)
		affected(&w, &v->affected[i]);
	hf_jw_array_end(&w);
	return test_line_end(&w, err);
}

static int on_kev(struct hf_advisory_sink *s, const struct hf_kev *v, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "kev");

	hf_jw_kv_if(&w, "cve", v->cve);
	hf_jw_kv_if(&w, "date_added", v->date_added);
	hf_jw_kv_if(&w, "due_date", v->due_date);
	if (v->ransomware)
		hf_jw_kv_bool(&w, "ransomware", true);
	return test_line_end(&w, err);
}

static int on_epss(struct hf_advisory_sink *s, const struct hf_epss *v, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "epss");

	hf_jw_kv_if(&w, "cve", v->cve);
	hf_jw_key(&w, "score");
	hf_jw_fixed(&w, (double)v->score, 5);
	hf_jw_key(&w, "percentile");
	hf_jw_fixed(&w, (double)v->percentile, 5);
	return test_line_end(&w, err);
}

static int on_cve(struct hf_advisory_sink *s, const struct hf_cve *v, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "cve");

	hf_jw_kv_if(&w, "cve", v->cve);
	hf_jw_kv_if(&w, "title", v->title);
	hf_jw_kv_if(&w, "published", v->published);
	hf_jw_kv_if(&w, "modified", v->modified);
	if (v->rejected)
		hf_jw_kv_bool(&w, "rejected", true);
	cvss(&w, v->cvss, v->cvss_n);
	return test_line_end(&w, err);
}

static int on_cycle(struct hf_advisory_sink *s, const struct hf_release_cycle *v, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "cycle");

	hf_jw_kv_if(&w, "product", v->product);
	hf_jw_kv_if(&w, "cycle", v->cycle);
	hf_jw_kv_if(&w, "codename", v->codename);
	hf_jw_kv_if(&w, "released", v->released);
	hf_jw_kv_if(&w, "end_of_support", v->end_of_support);
	hf_jw_kv_if(&w, "end_of_life", v->end_of_life);
	hf_jw_kv_if(&w, "extended_end", v->extended_end);
	if (v->ended_no_date)
		hf_jw_kv_bool(&w, "ended_no_date", true);
	return test_line_end(&w, err);
}

static int on_malformed(struct hf_advisory_sink *s, hf_sv where, hf_sv why, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "malformed");

	hf_jw_kv(&w, "where", where);
	hf_jw_kv(&w, "why", why);
	return test_line_end(&w, err);
}

static int on_dated(struct hf_advisory_sink *s, hf_sv date, struct hf_err *err)
{
	struct hf_json_writer w = line_writer(s, "dated");

	hf_jw_kv(&w, "date", date);
	return test_line_end(&w, err);
}

void test_advisory_sink_init(struct test_advisory_sink *s)
{
	*s = (struct test_advisory_sink){ { on_advisory, on_kev, on_epss, on_cve, on_cycle, on_malformed, on_dated },
					  HF_BUF(64 << 20) };
}
