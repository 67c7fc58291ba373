#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "cluster/discovery.h"
#include "cluster/event.h"
#include "cluster/exec_credential.h"
#include "cluster/list.h"

static void assert_text(hf_sv s, const char *text)
{
	if (!hf_sv_eq(s, hf_sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", HF_SV_FMT(s), text);
}

HF_TEST(events_are_read)
{
	static const struct {
		const char *line;
		int code;
		enum hf_cluster_event_type type;
		const char *version;
		bool initial_end;
	} cases[] = {
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"3\"}}}", HF_OK, HF_CLUSTER_ADDED,
		  "3", false },
		{ "{\"object\":{\"metadata\":{\"resourceVersion\":\"4\"}},\"type\":\"DELETED\"}", HF_OK,
		  HF_CLUSTER_DELETED, "4", false },
		{ "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"5\",\"annotations\":{\"k8s."
		  "io/initial-events-end\":\"true\"}}}}",
		  HF_OK, HF_CLUSTER_BOOKMARK, "5", true },
		{ "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{\"k8s.io/"
		  "initial-events-end\":\"false\"}}}}",
		  HF_OK, HF_CLUSTER_BOOKMARK, "", false },
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"annotations\":{\"k8s.io/"
		  "initial-events-end\":\"true\"}}}}",
		  HF_OK, HF_CLUSTER_ADDED, "", false },
		{ "{\"type\":\"ERROR\",\"object\":{\"code\":410}}", HF_OK, HF_CLUSTER_ERROR, "", false },
		{ "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":null}}", HF_OK, HF_CLUSTER_MODIFIED, "", false },
		{ "{\"type\":\"ADDED\",\"object\":[]}", HF_E_FORMAT, 0, "", false },
		{ "{\"type\":\"ADDED\"}", HF_E_FORMAT, 0, "", false },
		{ "{\"type\":\"added\",\"object\":{}}", HF_E_FORMAT, 0, "", false },
		{ "{\"type\":\"ADDED\",\"object\":{\"metadata\":", HF_E_FORMAT, 0, "", false },
		{ "{\"type\":\"ADDED\",\"object\":{}} {}", HF_E_FORMAT, 0, "", false },
		{ "[]", HF_E_FORMAT, 0, "", false },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_cluster_event e = { 0 };
		struct hf_err err = { 0 };
		if (hf_cluster_event_parse(hf_sv_of(cases[i].line), &a, &e, &err) != cases[i].code)
			fail_msg("%s: %s", cases[i].line, err.msg);
		assert_int_equal(e.type, cases[i].type);
		assert_text(e.resource_version, cases[i].version);
		assert_int_equal(e.initial_end, cases[i].initial_end);
		hf_arena_done(&a);
	}
}

HF_TEST(an_event_keeps_its_object_as_it_came)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_cluster_event e;
	struct hf_err err = { 0 };

	assert_int_equal(
		hf_cluster_event_parse(HF_SV("{\"type\":\"ADDED\",\"object\":{ \"a\" : 1e2, \"b\":\"\\u0041\" }}"), &a,
				       &e, &err),
		HF_OK);
	assert_text(e.object, "{ \"a\" : 1e2, \"b\":\"\\u0041\" }");
	hf_arena_done(&a);
}

HF_TEST(heads_of_pages_are_read)
{
	static const struct {
		const char *json;
		int code;
		const char *version, *resume;
	} cases[] = {
		{ "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"a\\u003d\"},\"items\":["
		  "{\"metadata\":{\"continue\":\"no\"}}]}",
		  HF_OK, "7", "a=" },
		{ "{\"items\":[],\"metadata\":{\"continue\":\"\"}}", HF_OK, "", "" },
		{ "{\"kind\":\"PodList\",\"metadata\":{},\"items\":null}", HF_OK, "", "" },
		{ "{\"kind\":\"Status\"}", HF_E_FORMAT, "", "" },
		{ "{\"kind\":\"PodList\",\"items\":[{}", HF_E_FORMAT, "", "" },
		{ "", HF_E_FORMAT, "", "" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_cluster_page p = { 0 };
		struct hf_err err = { 0 };
		if (hf_cluster_page_parse(hf_sv_of(cases[i].json), &a, &p, &err) != cases[i].code)
			fail_msg("%s: %s", cases[i].json, err.msg);
		assert_text(p.resource_version, cases[i].version);
		assert_text(p.resume, cases[i].resume);
		hf_arena_done(&a);
	}
}

static void expect_status(const char *body, unsigned http, const char *verb, int code, const char *message)
{
	struct hf_cluster_status s;
	struct hf_err err = { 0 };

	hf_cluster_status_parse(hf_sv_of(body), http, &s);
	assert_int_equal(hf_cluster_status_fail(&s, verb, HF_SV("pods"), &err), code);
	assert_string_equal(err.msg, message);
}

HF_TEST(refusals_are_sentences)
{
	expect_status("{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"a b\\\" cannot list "
		      "resource\",\"reason\":\"Forbidden\",\"code\":403}",
		      403, "list", HF_E_DENIED, "forbidden: a b cannot list pods");
	expect_status("<html>no</html>", 403, "watch", HF_E_DENIED, "forbidden: this user cannot watch pods");
	expect_status("", 401, "list", HF_E_DENIED,
		      "unauthorized: the server does not know this user, or no longer: cannot list pods");
	expect_status("{\"kind\":\"Status\",\"message\":\"gone\\u001b[2J\",\"reason\":\"Expired\",\"code\":410}", 410,
		      "list", HF_E_CONFLICT, "list pods: 410 Expired: gone\\x1b[2J");
	expect_status("{\"kind\":\"Pod\",\"message\":\"no status\"}", 404, "get", HF_E_MISSING, "get pods: 404");
	expect_status("", 502, "get", HF_E_IO, "get pods: 502");
	expect_status("", 302, "get", HF_E_FORMAT,
		      "get pods: the server sends one elsewhere (302), where holdfast does not go");
	expect_status("{\"kind\":\"Status\",\"code\":99999}", 422, "create", HF_E_USAGE, "create pods: 422");
}

static const struct hf_kubeconfig_exec plugin = { .api_version = HF_SV_INIT("client.authentication.k8s.io/v1"),
						  .provide_cluster_info = true };

HF_TEST(a_plugin_is_told_of_the_cluster)
{
	struct hf_kubeconfig_cluster cluster = { .server = HF_SV("https://h"),
						 .tls_server_name = HF_SV("api"),
						 .insecure = true };
	struct hf_kubeconfig_exec quiet = plugin;
	struct hf_buf out = HF_BUF(4096);

	hf_exec_info_write(&plugin, &cluster, HF_SV("pem"), true, &out);
	assert_text(hf_buf_view(&out), "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
				       "v1\",\"spec\":{\"cluster\":{\"server\":\"https://h\","
				       "\"tls-server-name\":\"api\",\"insecure-skip-tls-verify\":true,\"certificate-"
				       "authority-data\":\"cGVt\"},\"interactive\":true}}");
	out.len = 0;
	quiet.provide_cluster_info = false;
	hf_exec_info_write(&quiet, &cluster, HF_SV("pem"), false, &out);
	assert_text(hf_buf_view(&out), "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
				       "v1\",\"spec\":{\"interactive\":false}}");
	hf_buf_done(&out);
}

HF_TEST(answers_of_plugins_are_read)
{
#define HEAD "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\""
	static const struct {
		const char *json;
		int code;
		int64_t expires_s;
	} cases[] = {
		{ HEAD ",\"status\":{\"token\":\"t\"}}", HF_OK, INT64_MAX },
		{ HEAD ",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T01:00:10+01:00\"}}", HF_OK,
		  10 },
		{ HEAD ",\"status\":{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}}\n", HF_OK, INT64_MAX },
		{ HEAD ",\"status\":{\"clientCertificateData\":\"c\"}}", HF_E_FORMAT, 0 },
		{ HEAD ",\"status\":{\"token\":\"\"}}", HF_E_FORMAT, 0 },
		{ HEAD ",\"status\":{\"token\":7}}", HF_E_FORMAT, 0 },
		{ HEAD ",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}", HF_E_FORMAT, 0 },
		{ HEAD ",\"status\":\"t\"}", HF_E_FORMAT, 0 },
		{ HEAD "}", HF_E_FORMAT, 0 },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
		  "v1beta1\",\"status\":{\"token\":\"t\"}}",
		  HF_E_FORMAT, 0 },
		{ "{\"status\":{\"token\":\"t\"}}", HF_E_FORMAT, 0 },
		{ "please log in", HF_E_FORMAT, 0 },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_exec_credential c = { 0 };
		struct hf_err err = { 0 };
		if (hf_exec_credential_parse(hf_sv_of(cases[i].json), &plugin, &a, &c, &err) != cases[i].code)
			fail_msg("%s: %s", cases[i].json, err.msg);
		if (cases[i].code == HF_OK)
			assert_int_equal(c.expires_s, cases[i].expires_s);
		hf_arena_done(&a);
	}
}

HF_TEST(paths_and_queries_are_escaped)
{
	const struct hf_cluster_what what = { .group = HF_SV("apps"),
					      .version = HF_SV("v1"),
					      .resource = HF_SV("deployments"),
					      .namespace = HF_SV("a/../b"),
					      .name = HF_SV(".."),
					      .subresource = HF_SV("scale"),
					      .label_selector = HF_SV("a in (b,c)&x") };
	struct hf_buf out = HF_BUF(4096);
	bool first = true;

	hf_cluster_path_add(&out, &what);
	hf_cluster_query_add(&out, &first, "limit", HF_SV("5"));
	hf_cluster_selectors_add(&out, &first, &what);
	assert_text(hf_buf_view(&out), "/apis/apps/v1/namespaces/a%2F..%2Fb/deployments/%2E%2E/"
				       "scale?limit=5&labelSelector=a%20in%20%28b%2Cc%29%26x");
	out.len = 0;
	hf_cluster_what_describe(&out, &what);
	assert_text(hf_buf_view(&out), "deployments.apps/scale .. in a/../b");
	hf_buf_done(&out);
}

HF_TEST(memory_for_discovery_is_bounded)
{
	static const char json[] = "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{\"name\":\"apps\"},"
				   "\"versions\":[{\"version\":\"v1\","
				   "\"resources\":[{\"resource\":\"a\",\"verbs\":[\"list\"],\"subresources\":[{"
				   "\"subresource\":\"b\"}]},{\"resource\":\"c\"}]}]}]}";
	int code = HF_E_LIMIT;

	for (size_t cap = 0; code == HF_E_LIMIT && cap < 1 << 20; cap += 512) {
		struct hf_arena a = HF_ARENA(cap);
		struct hf_discovery d = { .arena = &a };
		struct hf_cluster_resources r = { 0 };
		struct hf_err err = { 0 };
		code = hf_discovery_add(&d, hf_sv_of(json), &err);
		if (code == HF_OK) {
			hf_discovery_end(&d, &r);
			assert_int_equal(r.n, 3);
			assert_text(r.resources[1].name, "a/b");
			assert_text(r.resources[2].group, "apps");
		}
		hf_arena_done(&a);
	}
	assert_int_equal(code, HF_OK);
}

HF_TEST_MAIN(cmocka_unit_test(events_are_read), cmocka_unit_test(an_event_keeps_its_object_as_it_came),
	     cmocka_unit_test(heads_of_pages_are_read), cmocka_unit_test(refusals_are_sentences),
	     cmocka_unit_test(a_plugin_is_told_of_the_cluster), cmocka_unit_test(answers_of_plugins_are_read),
	     cmocka_unit_test(paths_and_queries_are_escaped), cmocka_unit_test(memory_for_discovery_is_bounded))
