/* Any bytes as what an API server or an exec plugin says: the first byte chooses whose. An answer within its bounds, or a reason. */
#include <stdlib.h>

#include "base/limits.h"
#include "cluster/discovery.h"
#include "cluster/event.h"
#include "cluster/exec_credential.h"
#include "cluster/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(hf_sv part, hf_sv whole)
{
	return !part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static int event(hf_sv text, struct hf_arena *a, struct hf_err *err)
{
	struct hf_cluster_event e;
	int code = hf_cluster_event_parse(text, a, &e, err);

	if (code == HF_OK &&
	    (!e.type || !e.object.len || !lies_in(e.object, text) || (e.initial_end && e.type != HF_CLUSTER_BOOKMARK)))
		abort();
	return code;
}

static int page(hf_sv text, struct hf_arena *a, struct hf_err *err)
{
	struct hf_cluster_page p;

	return hf_cluster_page_parse(text, a, &p, err);
}

static int discovery(hf_sv text, struct hf_arena *a, struct hf_err *err)
{
	struct hf_discovery d = { .arena = a };
	struct hf_cluster_resources r;
	int code = hf_discovery_add(&d, text, err);

	if (code == HF_OK)
		code = hf_discovery_add_version(&d, HF_SV("g"), HF_SV("v1"), text, err);
	if (code < 0)
		return code;
	hf_discovery_end(&d, &r);
	for (size_t i = 0; i < r.n && !a->over; i++) {
		const struct hf_cluster_resource *x =
			hf_cluster_resource_find(&r, r.resources[i].group, r.resources[i].name);
		if (!r.resources[i].name.len || !x || x > &r.resources[i])
			abort();
		hf_cluster_resource_can(x, HF_SV("list"));
	}
	return code;
}

static int credential(hf_sv text, struct hf_arena *a, struct hf_err *err)
{
	const struct hf_kubeconfig_exec exec = { .api_version = HF_SV("client.authentication.k8s.io/v1") };
	struct hf_exec_credential c;
	int code = hf_exec_credential_parse(text, &exec, a, &c, err);

	if (code == HF_OK && ((!c.token.len && !c.key.len) || !c.certificate.len != !c.key.len))
		abort();
	return code;
}

static int status(hf_sv text, struct hf_arena *a, struct hf_err *err)
{
	struct hf_cluster_status s;

	(void)a;
	hf_cluster_status_parse(text, 403, &s);
	if (!s.code || strlen(s.message) >= sizeof s.message)
		abort();
	if (hf_cluster_status_fail(&s, "list", HF_SV("pods"), err) >= 0)
		abort();
	return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const parsers[])(hf_sv, struct hf_arena *, struct hf_err *) = { event, page, discovery, credential,
										     status };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct hf_err err = { 0 };

	if (!size)
		return 0;
	int code = parsers[data[0] % HF_ARRAY_SIZE(parsers)]((hf_sv){ (const char *)data + 1, size - 1 }, &a, &err);
	if (code > 0 || (code < 0 && !err.msg[0]))
		abort();
	return 0;
}
