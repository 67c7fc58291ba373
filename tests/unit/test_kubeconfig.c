#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "cluster/credentials.h"
#include "cluster/kubeconfig_files.h"

struct world {
	struct hf_arena arena;
	struct hf_kubeconfig config;
	struct hf_kubeconfig_target target;
	struct hf_err err;
};

static struct world read_text(const char *text, int *ret_code)
{
	struct world w = { .arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX) };

	*ret_code = hf_kubeconfig_parse(hf_sv_of(text), HF_SV("/home/u/.kube"), &w.arena, &w.config, &w.err);
	return w;
}

/* One context named x with these fields of its cluster and its user. */
static int select_with(const char *cluster, const char *user, struct world *ret)
{
	char text[2048];
	int code;

	snprintf(text, sizeof text,
		 "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts:\n- name: x\n  context: {cluster: c, "
		 "user: u}\n"
		 "clusters:\n- name: c\n  cluster: {%s}\nusers:\n- name: u\n  user: {%s}\n",
		 cluster, user);
	*ret = read_text(text, &code);
	return code ? code : hf_kubeconfig_select(&ret->config, (hf_sv){ 0 }, &ret->arena, &ret->target, &ret->err);
}

static void expect(const char *cluster, const char *user, int code, const char *message)
{
	struct world w;

	assert_int_equal(select_with(cluster, user, &w), code);
	if (message && !strstr(w.err.msg, message))
		fail_msg("%s", w.err.msg);
	hf_arena_done(&w.arena);
}

static void assert_text(hf_sv s, const char *text)
{
	if (!hf_sv_eq(s, hf_sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", HF_SV_FMT(s), text);
}

HF_TEST(fields_are_read)
{
	struct world w;

	assert_int_equal(
		select_with(
			"server: 'https://h:6443/', certificate-authority-data: \"aGVs\\nbG8=\", tls-server-name: api",
			"client-certificate: a.crt, client-key: /k/a.key, as: me, as-uid: 7, as-groups: [g, 1], "
			"as-user-extra: {s: [x, y]}",
			&w),
		HF_OK);
	assert_text(w.target.context, "x");
	assert_text(w.target.cluster.server, "https://h:6443");
	assert_text(w.target.cluster.ca_data, "hello");
	assert_text(w.target.cluster.tls_server_name, "api");
	assert_text(w.target.user.certificate_file, "/home/u/.kube/a.crt");
	assert_text(w.target.user.key_file, "/k/a.key");
	assert_text(w.target.user.as, "me");
	assert_text(w.target.user.as_uid, "7");
	assert_int_equal(w.target.user.as_groups_n, 2);
	assert_text(w.target.user.as_groups[1], "1");
	assert_int_equal(w.target.user.as_extra_n, 2);
	assert_text(w.target.user.as_extra[1].name, "s");
	assert_text(w.target.user.as_extra[1].value, "y");
	hf_arena_done(&w.arena);
}

HF_TEST(exec_is_read)
{
	struct world w;

	assert_int_equal(
		select_with("server: 'https://h'",
			    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/x, args: [a, 2], "
			    "env: [{name: A, value: b}], interactiveMode: Never, provideClusterInfo: true}",
			    &w),
		HF_OK);
	const struct hf_kubeconfig_exec *e = w.target.user.exec;
	assert_non_null(e);
	assert_text(e->command, "/home/u/.kube/./bin/x");
	assert_int_equal(e->arguments_n, 2);
	assert_text(e->arguments[1], "2");
	assert_text(e->environment[0].value, "b");
	assert_true(e->provide_cluster_info);
	hf_arena_done(&w.arena);
	assert_int_equal(select_with("server: 'https://h'",
				     "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}", &w),
			 HF_OK);
	assert_text(w.target.user.exec->command, "aws");
	hf_arena_done(&w.arena);
}

HF_TEST(contradictions_are_refused)
{
	const char *good = "server: 'https://h'";

	expect("", "", HF_E_FORMAT, "no server");
	expect("server: 'ftp://h'", "", HF_E_FORMAT, "not http");
	expect("server: 'https://h/?token=x'", "", HF_E_FORMAT, "no URL");
	expect("server: 'https://h', certificate-authority: a, certificate-authority-data: YQ==", "", HF_E_FORMAT,
	       "both given");
	expect("server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: a", "", HF_E_FORMAT,
	       "both given");
	expect("server: 'https://h', proxy-url: 'ftp://p'", "", HF_E_FORMAT, "proxy-url");
	expect(good, "client-certificate: a", HF_E_FORMAT, "without its key");
	expect(good, "token: abc, username: u", HF_E_FORMAT, "more than one of");
	expect(good, "as-groups: [g]", HF_E_FORMAT, "without as");
	expect(good, "auth-provider: {name: gcp}", HF_E_UNSUPPORTED, "use an exec plugin");
	expect(good, "exec: {command: x}", HF_E_FORMAT, "no apiVersion");
	expect(good, "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}", HF_E_FORMAT, "interactiveMode");
	expect(good, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}", HF_E_UNSUPPORTED,
	       "v1alpha1");
	expect(good, "client-key-data: '%%%'", HF_E_FORMAT, "no Base64");
	expect("server: [a]", "", HF_E_FORMAT, "line 9, column");
}

HF_TEST(no_secret_stands_in_a_message)
{
	static const char *const texts[] = {
		"users:\n- name: u\n  user: {token: hunter2, password: [hunter2], client-key-data: 'hunter2!'}\n",
		"users:\n- name: u\n  user: {token: \"hunter2\n",
		"users:\n- name: u\n  user:\n    token: hunter2: hunter2\n",
		"users:\n- name: u\n  user:\n    token: hunter2\n    token: hunter2\n",
		"users:\n- name: u\n  user:\n    token: *hunter2\n",
		"users:\n- name: u\n  user:\n    token: &a [*a]\n   password: hunter2\n",
		"users: hunter2",
		"hunter2",
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++) {
		int code;
		struct world w = read_text(texts[i], &code);
		assert_true(code < 0);
		assert_null(strstr(w.err.msg, "hunter2"));
		hf_arena_done(&w.arena);
	}
	struct world w;
	assert_int_equal(select_with("server: 'https://h', proxy-url: 'ftp://u:hunter2@p'", "", &w), HF_E_FORMAT);
	assert_null(strstr(w.err.msg, "hunter2"));
	hf_arena_done(&w.arena);
}

HF_TEST(nothing_is_said_in_clear)
{
	struct world w;

	assert_int_equal(select_with("server: 'http://h'", "token: abc", &w), HF_OK);
	assert_int_equal(w.target.user.token.len, 0);
	hf_arena_done(&w.arena);
	assert_int_equal(select_with("server: h, insecure-skip-tls-verify: yes", "token: abc", &w), HF_OK);
	assert_text(w.target.cluster.server, "https://h");
	assert_text(w.target.user.token, "abc");
	hf_arena_done(&w.arena);
}

HF_TEST(the_first_file_wins_whole)
{
	int code;
	struct world one = read_text("current-context: a\nusers: [{name: red, user: {token: first}}]\n", &code);
	assert_int_equal(code, HF_OK);
	struct world two = read_text("current-context: b\nusers: [{name: red, user: {token: second, as: x}}, {name: "
				     "blue, user: {token: b}}]\n"
				     "contexts: [{name: a, context: {cluster: c, user: red, namespace: n}}]\n"
				     "clusters: [{name: c, cluster: {server: 'https://c'}}]\n",
				     &code);
	assert_int_equal(code, HF_OK);
	assert_int_equal(hf_kubeconfig_merge(&one.config, &two.config, &one.arena, &one.err), HF_OK);
	assert_int_equal(one.config.users_n, 2);
	assert_int_equal(hf_kubeconfig_select(&one.config, (hf_sv){ 0 }, &one.arena, &one.target, &one.err), HF_OK);
	assert_text(one.target.context, "a");
	assert_text(one.target.user.token, "first");
	assert_int_equal(one.target.user.as.len, 0);
	assert_text(one.target.namespace, "n");
	hf_arena_done(&one.arena);
	hf_arena_done(&two.arena);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

HF_TEST(a_pod_has_a_service_account)
{
	char folder[] = P_tmpdir "/hf-service-account-XXXXXX";
	struct hf_arena a = HF_ARENA(HF_KUBECONFIG_ARENA_MAX);
	struct hf_kubeconfig_target target;
	struct hf_credential now = { 0 };
	struct hf_kubeconfig config;
	struct hf_err err = { 0 };

	assert_non_null(mkdtemp(folder));
	write_file(folder, "token", "abc\n");
	write_file(folder, "ca.crt", "pem");
	write_file(folder, "namespace", "web\n");
	const struct hf_kubeconfig_sources sources = { .home = folder,
						       .service_host = "10.0.0.1",
						       .service_account = folder };
	assert_int_equal(hf_kubeconfig_read(&sources, &a, &config, &err), HF_OK);
	assert_int_equal(hf_kubeconfig_select(&config, (hf_sv){ 0 }, &a, &target, &err), HF_OK);
	assert_text(target.context, "in-cluster");
	assert_text(target.cluster.server, "https://10.0.0.1:443");
	assert_text(target.namespace, "web");
	struct hf_credentials *c = hf_credentials_open(&target);
	assert_int_equal(hf_credentials_get(c, &now, &err), HF_OK);
	assert_text(now.ca, "pem");
	assert_text(now.authorization, "Authorization: Bearer abc");
	write_file(folder, "token", "def\nx");
	assert_int_equal(hf_credentials_get(c, &now, &err), HF_OK);
	assert_text(now.authorization, "Authorization: Bearer abc"); /* it is not a minute old */
	assert_true(hf_credentials_refused(c, now.generation));
	assert_int_equal(hf_credentials_get(c, &now, &err), HF_E_FORMAT); /* a line break would be another header */
	write_file(folder, "token", "def\n");
	assert_int_equal(hf_credentials_get(c, &now, &err), HF_OK);
	assert_text(now.authorization, "Authorization: Bearer def");
	hf_credential_done(&now);
	hf_credentials_close(c);
	hf_arena_done(&a);
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof path, "%s/%s", folder, ((const char *[]){ "token", "ca.crt", "namespace" })[i]);
		unlink(path);
	}
	rmdir(folder);
}

HF_TEST(what_is_not_there_is_named)
{
	static const struct {
		const char *text, *context, *message;
	} cases[] = {
		{ "", "", "no current context" },
		{ "current-context: x", "", "no context is named x" },
		{ "current-context: x", "y", "no context is named y" },
		{ "contexts: [{name: x, context: {cluster: c}}]", "x", "no cluster is named c" },
		{ "contexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: a}}]",
		  "x", "no user is named u" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		int code;
		struct world w = read_text(cases[i].text, &code);
		assert_int_equal(code, HF_OK);
		assert_int_equal(
			hf_kubeconfig_select(&w.config, hf_sv_of(cases[i].context), &w.arena, &w.target, &w.err),
			HF_E_MISSING);
		if (!strstr(w.err.msg, cases[i].message))
			fail_msg("%s", w.err.msg);
		hf_arena_done(&w.arena);
	}
}

HF_TEST(no_kubeconfig_is_refused)
{
	static const char *const texts[] = { "a: b\n  c: d",
					     "[1]",
					     "kind: Pod\napiVersion: v1",
					     "kind: Config\napiVersion: v2",
					     "clusters: [{name: a}, {name: a}]",
					     "clusters: [x]",
					     "clusters: x" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++) {
		int code;
		struct world w = read_text(texts[i], &code);
		assert_int_equal(code, HF_E_FORMAT);
		hf_arena_done(&w.arena);
	}
}

HF_TEST(memory_is_bounded)
{
	const char *text =
		"clusters: [{name: c, cluster: {server: 'https://c'}}]\ncontexts: [{name: a, context: {cluster: c}}]\n";
	int code = HF_E_LIMIT;

	for (size_t cap = 0; code == HF_E_LIMIT && cap < 1 << 20; cap += 1024) {
		struct hf_arena a = HF_ARENA(cap);
		struct hf_kubeconfig config;
		struct hf_err err = { 0 };
		code = hf_kubeconfig_parse(hf_sv_of(text), HF_SV("/"), &a, &config, &err);
		hf_arena_done(&a);
	}
	assert_int_equal(code, HF_OK);
}

HF_TEST_MAIN(cmocka_unit_test(fields_are_read), cmocka_unit_test(exec_is_read),
	     cmocka_unit_test(contradictions_are_refused), cmocka_unit_test(no_secret_stands_in_a_message),
	     cmocka_unit_test(nothing_is_said_in_clear), cmocka_unit_test(the_first_file_wins_whole),
	     cmocka_unit_test(what_is_not_there_is_named), cmocka_unit_test(a_pod_has_a_service_account),
	     cmocka_unit_test(no_kubeconfig_is_refused), cmocka_unit_test(memory_is_bounded))
