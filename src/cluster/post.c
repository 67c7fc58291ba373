#include "cluster/post.h"

#include "base/limits.h"

int hf_cluster_post(struct hf_cluster *c, const struct hf_cluster_post *post, struct hf_cluster_answer *ret,
		    struct hf_err *err)
{
	static const struct {
		const char *method, *verb, *type;
	} changes[] = {
		[HF_CLUSTER_CREATE] = { "POST", "create", NULL },
		[HF_CLUSTER_REPLACE] = { "PUT", "update", NULL },
		[HF_CLUSTER_MERGE] = { "PATCH", "patch", "application/merge-patch+json" },
		[HF_CLUSTER_APPLY] = { "PATCH", "apply", "application/apply-patch+yaml" }, /* of which JSON is a part */
		[HF_CLUSTER_DELETE] = { "DELETE", "delete", NULL },
	};
	hf_cleanup(hf_buf_done) struct hf_buf path = HF_BUF(HF_KIB(16)), what = HF_BUF(HF_KIB(1));
	bool first = true;

	*ret = (struct hf_cluster_answer){ 0 };
	hf_cluster_path_add(&path, &post->what);
	hf_cluster_what_describe(&what, &post->what);
	if (post->change == HF_CLUSTER_APPLY) {
		hf_cluster_query_add(&path, &first, "fieldManager", HF_SV("holdfast"));
		hf_cluster_query_add(&path, &first, "force", HF_SV("true"));
	}
	if (post->dry_run)
		hf_cluster_query_add(&path, &first, "dryRun", HF_SV("All"));
	if (path.over)
		return hf_fail(err, HF_E_LIMIT, "a name of more than %zu bytes", path.max);
	const struct hf_cluster_request request = { .method = changes[post->change].method,
						    .path = hf_buf_view(&path),
						    .content_type = changes[post->change].type,
						    .body = post->document.len ? post->document : (hf_sv){ 0 },
						    .answer_max = HF_CLUSTER_EVENT_MAX,
						    .verb = changes[post->change].verb,
						    .what = hf_buf_view(&what) };
	return hf_cluster_call(c, &request, ret, err);
}
