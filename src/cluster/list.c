#include "cluster/list.h"

#include <stdio.h>

#include "base/limits.h"
#include "format/json.h"

enum {
	LIMIT = 500,
	RESTARTS = 5,
	PAGES_MAX = 1 << 20, /* a server that never comes to an end */
	RESUME_MAX = 64 << 10,
};

struct lister {
	struct hf_cluster *cluster;
	const struct hf_cluster_list *list;
	struct hf_cluster_listed *ret;
	uint32_t limit;
	uint64_t total;
	struct hf_buf resume, what;
	struct hf_err *err;
};

int hf_cluster_page_parse(hf_sv json, struct hf_arena *a, struct hf_cluster_page *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	struct hf_cluster_page page = { 0 };
	bool items = false;
	hf_sv key;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind"))) {
			page.kind = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("metadata"))) {
			hf_json_members(&j, &key) {
				if (hf_sv_eq(key, HF_SV("resourceVersion")))
					page.resource_version = hf_json_string(&j);
				else if (hf_sv_eq(key, HF_SV("continue")))
					page.resume = hf_json_string(&j);
				else
					hf_json_skip(&j);
			}
		} else {
			items |= hf_sv_eq(key, HF_SV("items")) || hf_sv_eq(key, HF_SV("rows"));
			hf_json_skip(&j);
		}
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "more than %zu bytes of memory", a->cap);
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "the answer is no JSON: byte %zu: %s", j.at,
			       j.why ? j.why : "more behind the end");
	if (!items && !hf_sv_ends(page.kind, HF_SV("List")))
		return hf_fail(err, HF_E_FORMAT, "the answer is no list");
	*ret = page;
	return HF_OK;
}

static void add_path(struct lister *l, struct hf_buf *path)
{
	bool first = true;
	char limit[16];

	hf_cluster_path_add(path, &l->list->what);
	snprintf(limit, sizeof limit, "%u", l->limit);
	hf_cluster_query_add(path, &first, "limit", hf_sv_of(limit));
	hf_cluster_selectors_add(path, &first, &l->list->what);
	if (l->resume.len)
		hf_cluster_query_add(path, &first, "continue", hf_buf_view(&l->resume));
}

static int take_page(struct lister *l, hf_sv json)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(4));
	struct hf_cluster_page page = { 0 };

	int code = hf_cluster_page_parse(json, &a, &page, l->err);
	if (code < 0)
		return hf_wrap(l->err, "list %.*s", HF_SV_FMT(hf_buf_view(&l->what)));
	if (page.resume.len > RESUME_MAX || (page.resume.len && hf_sv_eq(page.resume, hf_buf_view(&l->resume))))
		return hf_fail(l->err, HF_E_FORMAT, "list %.*s: the server gives no way on",
			       HF_SV_FMT(hf_buf_view(&l->what)));
	l->total += json.len;
	if (l->list->total_max && l->total > l->list->total_max)
		return hf_fail(l->err, HF_E_LIMIT, "list %.*s: more than %lu bytes", HF_SV_FMT(hf_buf_view(&l->what)),
			       (unsigned long)l->list->total_max);
	l->ret->pages++;
	snprintf(l->ret->resource_version, sizeof l->ret->resource_version, "%.*s",
		 HF_SV_FMT(hf_sv_first(page.resource_version, 127)));
	l->resume.len = 0;
	hf_buf_add(&l->resume, page.resume);
	return l->list->page(l->list->ctx, json, l->err);
}

static int restart(struct lister *l)
{
	if (!l->list->restart || l->ret->restarts >= RESTARTS)
		return hf_fail(l->err, HF_E_CONFLICT,
			       "list %.*s: the server forgot its state in the middle of it (410), %zu times",
			       HF_SV_FMT(hf_buf_view(&l->what)), l->ret->restarts + 1);
	l->ret->restarts++;
	l->ret->pages = 0;
	l->total = 0;
	l->resume.len = 0;
	/* Each time pages are larger, so that fewer are left to be missed. */
	if (l->limit < LIMIT * 16)
		l->limit *= 2;
	return l->list->restart(l->list->ctx, l->err);
}

/* HF_OK: go on where there is a token to go on with. */
static int next(struct lister *l)
{
	hf_cleanup(hf_buf_done) struct hf_buf path = HF_BUF(RESUME_MAX * 4);
	uint64_t max = l->list->page_max ? l->list->page_max : HF_CLUSTER_PAGE_MAX;
	struct hf_cluster_answer answer;
	struct hf_err why = { 0 };

	add_path(l, &path);
	if (path.over)
		return hf_fail(l->err, HF_E_LIMIT, "list %.*s: selectors of more than %zu bytes",
			       HF_SV_FMT(hf_buf_view(&l->what)), path.max);
	const struct hf_cluster_request request = { .path = hf_buf_view(&path),
						    .accept = l->list->accept,
						    .answer_max = max,
						    .verb = "list",
						    .what = hf_buf_view(&l->what) };
	int code = hf_cluster_call(l->cluster, &request, &answer, &why);
	bool too_large = code == HF_E_LIMIT && answer.body.over;
	if (code == HF_OK) {
		code = take_page(l, hf_buf_view(&answer.body));
	} else if (answer.refused.code == 410 && l->resume.len) {
		code = restart(l);
		if (code == HF_OK)
			code = HF_PARTIAL;
	} else if (too_large && l->limit > 1) {
		l->limit /= 4;
		l->limit = l->limit ? l->limit : 1;
		code = HF_PARTIAL;
	} else if (l->err) {
		*l->err = why;
	}
	hf_buf_done(&answer.body);
	return code;
}

int hf_cluster_list(struct hf_cluster *c, const struct hf_cluster_list *list, struct hf_cluster_listed *ret,
		    struct hf_err *err)
{
	struct lister l = { .cluster = c,
			    .list = list,
			    .ret = ret,
			    .limit = list->limit ? list->limit : LIMIT,
			    .resume = HF_BUF(RESUME_MAX),
			    .what = HF_BUF(HF_KIB(1)),
			    .err = err };
	int code = HF_PARTIAL;

	*ret = (struct hf_cluster_listed){ 0 };
	hf_cluster_what_describe(&l.what, &list->what);
	for (size_t n = 0; code == HF_PARTIAL || (code == HF_OK && l.resume.len); n++) {
		if (n == PAGES_MAX)
			code = hf_fail(err, HF_E_LIMIT, "list %.*s: more than %d pages",
				       HF_SV_FMT(hf_buf_view(&l.what)), PAGES_MAX);
		else
			code = next(&l);
	}
	hf_buf_done(&l.resume);
	hf_buf_done(&l.what);
	return code < 0 ? code : HF_OK;
}
