#include "cluster/discover.h"

#include "base/limits.h"
#include "cluster/discovery.h"

#define ACCEPT                                                                       \
	"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"      \
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList," \
	"application/json"

static int get(struct hf_cluster *c, hf_sv path, const char *accept, struct hf_cluster_answer *answer,
	       struct hf_err *err)
{
	const struct hf_cluster_request request = {
		.path = path, .accept = accept, .answer_max = HF_CLUSTER_DISCOVERY_MAX, .verb = "discover", .what = path
	};

	return hf_cluster_call(c, &request, answer, err);
}

static int add_root(struct hf_cluster *c, struct hf_discovery *d, const char *path, struct hf_err *err)
{
	struct hf_cluster_answer answer;

	int code = get(c, hf_sv_of(path), ACCEPT, &answer, err);
	if (code == HF_OK)
		code = hf_discovery_add(d, hf_buf_view(&answer.body), err);
	hf_buf_done(&answer.body);
	return code;
}

/* One group that does not answer is no reason to know nothing of the others. */
static int add_version(struct hf_cluster *c, struct hf_discovery *d, hf_sv group, hf_sv version, struct hf_err *err)
{
	const struct hf_cluster_what what = { .group = group, .version = version };
	hf_cleanup(hf_buf_done) struct hf_buf path = HF_BUF(HF_KIB(4));
	struct hf_cluster_answer answer;
	struct hf_err why = { 0 };

	hf_cluster_path_add(&path, &what);
	if (path.over)
		return hf_fail(err, HF_E_LIMIT, "discovery: a name of more than %zu bytes", path.max);
	int code = get(c, hf_buf_view(&path), NULL, &answer, &why);
	if (code == HF_OK)
		code = hf_discovery_add_version(d, group, version, hf_buf_view(&answer.body), &why);
	hf_buf_done(&answer.body);
	if (code < 0 && !hf_cluster_stopped(c) && !d->arena->over) {
		hf_discovery_missing(d, group, version, hf_sv_of(why.msg));
		return HF_PARTIAL;
	}
	if (code < 0 && err)
		*err = why;
	return code;
}

int hf_cluster_discover(struct hf_cluster *c, struct hf_arena *a, struct hf_cluster_resources *ret, struct hf_err *err)
{
	struct hf_discovery d = { .arena = a };
	int code = add_root(c, &d, "/api", err);

	if (code == HF_OK)
		code = add_root(c, &d, "/apis", err);
	for (size_t i = 0; code >= 0 && i < d.versions.n; i++)
		code = add_version(c, &d, d.versions.at[i].group, d.versions.at[i].version, err);
	if (code < 0)
		return code;
	hf_discovery_end(&d, ret);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "discovery: more than %zu bytes of memory", a->cap);
	return ret->missing_n ? HF_PARTIAL : HF_OK;
}

const struct hf_cluster_resource *hf_cluster_resource_find(const struct hf_cluster_resources *r, hf_sv group,
							   hf_sv name)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->resources[i].preferred && hf_sv_eq(r->resources[i].group, group) &&
		    hf_sv_eq(r->resources[i].name, name))
			return &r->resources[i];
	return NULL;
}

bool hf_cluster_resource_can(const struct hf_cluster_resource *r, hf_sv verb)
{
	for (size_t i = 0; i < r->verbs_n; i++)
		if (hf_sv_eq(r->verbs[i], verb))
			return true;
	return false;
}
