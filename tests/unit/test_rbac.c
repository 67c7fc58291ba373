#include "unit.h"

#include "base/limits.h"
#include "rbac/resource.h"

/* Behaviour as "Using RBAC Authorization" of kubernetes.io and the API reference give it; tests/kube/t_rbac.py asks a real server. */

struct set {
	struct hf_arena arena;
	struct hf_kube_source source;
	const struct hf_rbac_model *model;
};

static const struct hf_rbac_model *build(struct set *s, const char *yaml, enum hf_rbac_defaults defaults)
{
	struct hf_err err = { 0 };

	*s = (struct set){ .arena = HF_ARENA(HF_MIB(64)),
			   .source = { .name = HF_SV("t.yaml"), .text = hf_sv_of(yaml) } };
	struct hf_kube_loader *l = hf_kube_loader_new(&s->arena);
	assert_true(hf_kube_load(l, &s->source, &err) >= 0);
	s->model = hf_rbac_build(hf_kube_loaded(l), HF_SV(""), defaults, &s->arena);
	hf_kube_loader_free(l);
	assert_non_null(s->model);
	return s->model;
}

/* "get apps/deployments/scale name namespace" or "get /path"; "-" stands for nothing. */
static bool can(struct set *s, const char *user, const char *question)
{
	hf_sv rest = hf_sv_of(question), words[6];
	size_t n = 0;
	struct hf_rbac_request r = { 0 };

	while (n < 6 && hf_sv_next(&rest, ' ', &words[n]))
		n++;
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(words[i], HF_SV("-")))
			words[i] = HF_SV("");
	r.verb = words[0];
	if (n == 2) {
		r.url = words[1];
	} else {
		assert_int_equal(n, 6);
		r.group = words[1];
		r.resource = words[2];
		r.subresource = words[3];
		r.name = words[4];
		r.namespace = words[5];
	}
	struct hf_rbac_user who = hf_rbac_user_of(hf_sv_of(user), NULL, 0, &s->arena);
	return hf_rbac_can(s->model, &who, &r, NULL);
}

#define ROLE(kind, name, namespace) \
	"apiVersion: rbac.authorization.k8s.io/v1\nkind: " kind "\nmetadata: {name: " name namespace "}\n"
#define RULE(rule) "rules:\n- " rule "\n"
#define BIND(kind, name, namespace, role_kind, role, subject)                                                         \
	"---\napiVersion: rbac.authorization.k8s.io/v1\nkind: " kind                                                  \
	"\nmetadata: {name: " name namespace "}\nroleRef: {kind: " role_kind ", name: " role "}\nsubjects: [" subject \
					     "]\n---\n"
#define GIVEN(rule)                  \
	ROLE("ClusterRole", "c", "") \
	RULE(rule) BIND("ClusterRoleBinding", "b", "", "ClusterRole", "c", "{kind: User, name: u}")

static void answers(const char *yaml, const char *user, const char *const *yes, const char *const *no)
{
	struct set s;

	build(&s, yaml, HF_RBAC_DEFAULTS_WITHOUT);
	for (; *yes; yes++)
		if (!can(&s, user, *yes))
			fail_msg("%s may not %s", user, *yes);
	for (; *no; no++)
		if (can(&s, user, *no))
			fail_msg("%s may %s", user, *no);
	hf_arena_done(&s.arena);
}
#define LIST(...)                               \
	(const char *const[])                   \
	{                                       \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

HF_TEST(resources_and_subresources)
{
	answers(GIVEN("{apiGroups: [''], resources: [pods, '*/status'], verbs: [get]}"), "u",
		LIST("get - pods - - -", "get - pods status - ns", "get - nodes status n -"),
		LIST("get - pods log - -", "list - pods - - -", "get apps pods - - -", "get - status - - -",
		     "get /pods"));
	answers(GIVEN("{apiGroups: [apps], resources: [deployments/scale], verbs: ['*']}"), "u",
		LIST("patch apps deployments scale x ns", "no-such-verb apps deployments scale - -"),
		LIST("patch apps deployments - x ns", "patch - deployments scale - -"));
	answers(GIVEN("{apiGroups: ['*'], resources: ['*'], verbs: [get]}"), "u",
		LIST("get apps deployments scale - -", "get x.y z - - -", "get * * - - -"),
		LIST("get /healthz", "list - pods - - -"));
	answers(GIVEN("{apiGroups: [''], resources: ['pods/*'], verbs: [get]}"), "u", LIST("get - pods * - -"),
		LIST("get - pods log - -", "get - pods - - -"));
	answers(GIVEN("{apiGroups: [''], resources: ['*/'], verbs: [get]}"), "u", LIST(),
		LIST("get - pods - - -", "get - pods log - -"));
}

HF_TEST(names)
{
	const char *named = GIVEN("{apiGroups: [''], resources: [configmaps], resourceNames: [a, b], verbs: ['*']}");

	answers(named, "u", LIST("get - configmaps - a ns", "list - configmaps - b ns"),
		LIST("get - configmaps - c ns", "list - configmaps - - ns", "create - configmaps - - ns"));
	/* Names that cannot be read do not make a rule of all names. */
	answers(GIVEN("{apiGroups: [''], resources: [configmaps], resourceNames: a, verbs: ['*']}"), "u", LIST(),
		LIST("get - configmaps - a ns", "get - configmaps - - ns"));
}

HF_TEST(paths)
{
	answers(GIVEN("{nonResourceURLs: [/healthz, /logs/*, /met**], verbs: [get]}"), "u",
		LIST("get /healthz", "get /logs/", "get /logs/a/b", "get /metrics", "get /met"),
		LIST("get /healthz/ping", "get /logs", "post /healthz", "get - healthz - - -"));
}

HF_TEST(bindings_in_namespaces)
{
	const char *yaml = ROLE("ClusterRole", "c", "") RULE(
		"{apiGroups: [''], resources: [pods], verbs: [get]}") "- {nonResourceURLs: ['*'], verbs: "
								      "[get]}\n---\n" ROLE(
									      "Role", "r",
									      ", namespace: web") RULE("{apiGroups: "
												       "[''], "
												       "resources: "
												       "[secrets], "
												       "verbs: [get]}")
									      BIND("RoleBinding", "b1",
										   ", namespace: web", "ClusterRole",
										   "c", "{kind: User, name: u}")
										      BIND("RoleBinding", "b2",
											   ", namespace: data", "Role",
											   "r", "{kind: User, name: u}")
											      BIND("RoleBinding", "b3",
												   ", namespace: web",
												   "Role", "r",
												   "{kind: User, name: "
												   "u}")
												      BIND("ClusterRole"
													   "Binding",
													   "b4", "",
													   "Role", "r",
													   "{kind: "
													   "User, "
													   "name: u}");

	answers(yaml, "u", LIST("get - pods - - web", "get - secrets - - web"),
		LIST("get - pods - - data", "get - pods - - -", "get - secrets - - data", "get - secrets - - -",
		     "get /healthz"));
}

HF_TEST(subjects)
{
	const char *yaml = ROLE("ClusterRole", "c", "") RULE("{apiGroups: [''], resources: [pods], verbs: [get]}") BIND(
		"RoleBinding", "b1", ", namespace: web", "ClusterRole", "c",
		"{kind: ServiceAccount, name: own}") BIND("RoleBinding", "b2", ", namespace: web", "ClusterRole", "c",
							  "{kind: ServiceAccount, name: other, namespace: data}")
		BIND("ClusterRoleBinding", "b3", "", "ClusterRole", "c", "{kind: ServiceAccount, name: nowhere}")
			BIND("RoleBinding", "b4", ", namespace: ops", "ClusterRole", "c",
			     "{kind: Group, name: 'system:serviceaccounts:data'}")
				BIND("RoleBinding", "b5", ", namespace: all", "ClusterRole", "c",
				     "{kind: Group, name: 'system:authenticated'}")
					BIND("RoleBinding", "b6", ", namespace: open", "ClusterRole", "c",
					     "{kind: Group, name: 'system:unauthenticated'}")
						BIND("RoleBinding", "b7", ", namespace: x", "ClusterRole", "c",
						     "{kind: user, name: alice}, {kind: User, name: "
						     "'system:serviceaccount:data:other'}");

	answers(yaml, "system:serviceaccount:web:own", LIST("get - pods - - web", "get - pods - - all"),
		LIST("get - pods - - data", "get - pods - - ops", "get - pods - - open"));
	answers(yaml, "system:serviceaccount:data:other",
		LIST("get - pods - - web", "get - pods - - ops", "get - pods - - all", "get - pods - - x"),
		LIST("get - pods - - open"));
	answers(yaml, "system:serviceaccount:default:nowhere", LIST(), LIST("get - pods - - -", "get - pods - - web"));
	answers(yaml, "system:anonymous", LIST("get - pods - - open"), LIST("get - pods - - all"));
	answers(yaml, "alice", LIST("get - pods - - all"), LIST("get - pods - - x"));
}

static size_t rules_of(const struct hf_rbac_model *m, const char *name)
{
	for (size_t i = 0; i < m->roles_n; i++)
		if (hf_sv_eq(m->roles[i]->name, hf_sv_of(name)))
			return m->roles[i]->rules_n;
	return SIZE_MAX;
}

HF_TEST(aggregation)
{
	static const char yaml[] = ROLE("ClusterRole", "one", ", labels: {to: a}")
		RULE("{apiGroups: [''], resources: [pods], verbs: [get]}") "---\n" ROLE("ClusterRole", "a", ", labels: {to: b}") "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: a}}]}\n" RULE("{apiGroups: [''], resources: [secrets], verbs: [get]}") "---\n" ROLE(
			"ClusterRole", "b",
			", labels: {to: a}") "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: "
					     "b}}]}\n---\n" ROLE(
						     "ClusterRole", "live",
						     ", uid: 1-2") "aggregationRule: "
								   "{clusterRoleSelectors: [{matchLabels: "
								   "{to: a}}]}\n" RULE(
									   "{apiGroups: [''], "
									   "resources: "
									   "[nodes], verbs: "
									   "[get]}") "---"
										     "\n" ROLE(
											     "ClusterRole", "none",
											     "") "aggregationRul"
												 "e: "
												 "{clusterRoleSe"
												 "lectors: "
												 "[]}\n---"
												 "\n" ROLE(
													 "Clus"
													 "terR"
													 "ole",
													 "all",
													 "") "aggregati"
													     "onRule: "
													     "{clusterR"
													     "oleSelect"
													     "ors: "
													     "[{}]}\n";
	struct set s;
	const struct hf_rbac_model *m = build(&s, yaml, HF_RBAC_DEFAULTS_WITHOUT);

	assert_int_equal(rules_of(m, "a"), 1);
	assert_int_equal(rules_of(m, "b"), 1);
	assert_int_equal(rules_of(m, "live"), 1);
	assert_int_equal(rules_of(m, "none"), 0);
	assert_int_equal(rules_of(m, "all"), 2);
	assert_int_equal(m->notes_n, 2); /* the circle, from both of its ends */
	hf_arena_done(&s.arena);
}

HF_TEST(defaults_are_there_for_manifests)
{
	const char *yaml = BIND("RoleBinding", "b", ", namespace: web", "ClusterRole", "view", "{kind: User, name: u}");
	struct set s;

	build(&s, yaml, HF_RBAC_DEFAULTS_AUTO);
	assert_true(s.model->defaults_added);
	assert_true(can(&s, "u", "list - pods - - web"));
	assert_false(can(&s, "u", "list - secrets - - web"));
	assert_true(can(&s, "u", "get /version"));
	assert_true(can(&s, "system:anonymous", "get /version"));
	assert_false(can(&s, "system:anonymous", "get /api"));
	hf_arena_done(&s.arena);
	build(&s, yaml, HF_RBAC_DEFAULTS_WITHOUT);
	assert_false(can(&s, "u", "list - pods - - web"));
	assert_null(s.model->bindings[0]->role);
	hf_arena_done(&s.arena);
	build(&s, ROLE("ClusterRole", "x", ", labels: {kubernetes.io/bootstrapping: rbac-defaults}"),
	      HF_RBAC_DEFAULTS_AUTO);
	assert_false(s.model->defaults_added);
	hf_arena_done(&s.arena);
}

HF_TEST(masters_may_do_everything)
{
	static const hf_sv groups[] = { HF_SV_INIT("system:masters") };
	const struct hf_rbac_user user = { HF_SV("x"), groups, 1 };
	const struct hf_rbac_request r = { .verb = HF_SV("delete"), .resource = HF_SV("nodes") };
	struct hf_rbac_grant g;
	struct set s;
	size_t n;

	build(&s, "", HF_RBAC_DEFAULTS_WITHOUT);
	assert_true(hf_rbac_can(s.model, &user, &r, &g));
	assert_null(g.binding);
	const struct hf_rbac_grant *all = hf_rbac_who_can(s.model, &r, &s.arena, &n);
	assert_int_equal(n, 1);
	assert_true(hf_sv_eq(all[0].subject->name, HF_SV("system:masters")));
	hf_arena_done(&s.arena);
}

HF_TEST(who_is_named_twice_is_told_once)
{
	const char *yaml = GIVEN("{apiGroups: [''], resources: [pods], verbs: [get]}")
		BIND("RoleBinding", "b", ", namespace: web", "ClusterRole", "c",
		     "{kind: User, name: u}, {kind: Group, name: g}");
	const struct hf_rbac_request r = { .verb = HF_SV("get"), .resource = HF_SV("pods"), .namespace = HF_SV("web") };
	struct set s;
	size_t n;

	build(&s, yaml, HF_RBAC_DEFAULTS_WITHOUT);
	hf_rbac_who_can(s.model, &r, &s.arena, &n);
	assert_int_equal(n, 3); /* u, g and system:masters */
	hf_arena_done(&s.arena);
}

HF_TEST(what_is_of_a_wrong_type_is_told)
{
	const char *yaml = ROLE("ClusterRole", "c", "") "rules: [5, {verbs: get, apiGroups: [''], resources: [pods]}, "
							"{verbs: [get, 1], apiGroups: [''], resources: [pods]}]\n" BIND(
								"ClusterRoleBinding", "b", "", "ClusterRole", "c",
								"{kind: User}, {kind: User, name: u}, 7");
	struct set s;

	build(&s, yaml, HF_RBAC_DEFAULTS_WITHOUT);
	assert_int_equal(s.model->notes_n, 5);
	assert_true(can(&s, "u", "get - pods - - -"));
	hf_arena_done(&s.arena);
}

static void parses(const char *word, const char *group, const char *resource, const char *sub, const char *name,
		   enum hf_rbac_scope scope)
{
	struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_rbac_request r = { 0 };
	bool taken;

	assert_int_equal(hf_rbac_parse_resource(NULL, hf_sv_of(word), &a, &r, &taken), scope);
	assert_true(hf_sv_eq(r.group, hf_sv_of(group)));
	assert_true(hf_sv_eq(r.resource, hf_sv_of(resource)));
	assert_true(hf_sv_eq(r.subresource, hf_sv_of(sub)));
	assert_true(hf_sv_eq(r.name, hf_sv_of(name)));
	assert_int_equal(taken, name[0] != 0);
	hf_arena_done(&a);
}

HF_TEST(words_for_resources)
{
	parses("pods", "", "pods", "", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("po", "", "pods", "", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("Deployment", "apps", "deployments", "", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("deployments.v1.apps/scale", "apps", "deployments", "scale", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("deployments/scale.apps", "apps", "deployments", "scale", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("secrets/db", "", "secrets", "", "db", HF_RBAC_SCOPE_NAMESPACE);
	parses("secrets/db.example", "", "secrets", "", "db.example", HF_RBAC_SCOPE_NAMESPACE);
	parses("nodes/proxy", "", "nodes", "proxy", "", HF_RBAC_SCOPE_CLUSTER);
	parses("jobs.batch/bar", "batch", "jobs", "", "bar", HF_RBAC_SCOPE_NAMESPACE);
	parses("widgets.example.com", "example.com", "widgets", "", "", HF_RBAC_SCOPE_UNKNOWN);
	parses("ev", "", "events", "", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("*", "", "*", "", "", HF_RBAC_SCOPE_NAMESPACE);
	parses("*.*", "*", "*", "", "", HF_RBAC_SCOPE_NAMESPACE);
}

HF_TEST_MAIN(cmocka_unit_test(resources_and_subresources), cmocka_unit_test(names), cmocka_unit_test(paths),
	     cmocka_unit_test(bindings_in_namespaces), cmocka_unit_test(subjects), cmocka_unit_test(aggregation),
	     cmocka_unit_test(defaults_are_there_for_manifests), cmocka_unit_test(masters_may_do_everything),
	     cmocka_unit_test(who_is_named_twice_is_told_once), cmocka_unit_test(what_is_of_a_wrong_type_is_told),
	     cmocka_unit_test(words_for_resources))
