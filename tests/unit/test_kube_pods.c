#include "unit.h"

#include <stdio.h>

#include "kube/pods.h"

static struct hf_arena arena = { .cap = 1 << 24 };

static const struct hf_kube_objects *load(const char *text)
{
	struct hf_err err = { 0 };

	hf_arena_reset(&arena);
	struct hf_kube_loader *l = hf_kube_loader_new(&arena);
	struct hf_kube_source *s = hf_arena_new(&arena, struct hf_kube_source);
	*s = (struct hf_kube_source){ .name = HF_SV("x.yaml"), .text = hf_sv_of(text) };
	assert_true(hf_kube_load(l, s, &err) >= 0);
	const struct hf_kube_objects *set = hf_kube_loaded(l);
	hf_kube_loader_free(l);
	return set;
}

/* "kind/name" of what stands at the top of the object's owners, then of the object that is there for it. */
static const char *top(const struct hf_kube_objects *set, size_t i)
{
	static char out[200];
	hf_sv kind, name;
	const struct hf_kube_object *o = hf_kube_top_owner(set, set->objects[i], &kind, &name);

	snprintf(out, sizeof out, "%.*s/%.*s %.*s", HF_SV_FMT(kind), HF_SV_FMT(name), HF_SV_FMT(o->kind_name));
	return out;
}

/* As `kubectl get all -o yaml` hands a Deployment out. */
HF_TEST(the_top_of_the_owners_is_the_workload)
{
	const struct hf_kube_objects *set =
		load("apiVersion: v1\nkind: List\nitems:\n"
		     "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-5d-x\n    namespace: shop\n    "
		     "ownerReferences:\n"
		     "    - {apiVersion: apps/v1, kind: ReplicaSet, name: web-5d, controller: true, uid: u}\n"
		     "- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: web, namespace: shop}\n"
		     "- apiVersion: apps/v1\n  kind: ReplicaSet\n  metadata:\n    name: web-5d\n    namespace: shop\n  "
		     "  ownerReferences:\n"
		     "    - {apiVersion: v1, kind: Node, name: other, uid: u}\n"
		     "    - {apiVersion: apps/v1, kind: Deployment, name: web, controller: true, uid: u}\n"
		     "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: job-x\n    ownerReferences:\n"
		     "    - {apiVersion: batch/v1, kind: Job, name: job, controller: true, uid: u}\n"
		     "- apiVersion: v1\n  kind: Pod\n  metadata: {name: alone}\n");

	assert_string_equal(top(set, 0), "Deployment/web Deployment");
	assert_string_equal(top(set, 1), "Deployment/web Deployment");
	assert_string_equal(top(set, 2), "Deployment/web Deployment");
	assert_string_equal(top(set, 3), "Job/job Pod"); /* which is not in the set */
	assert_string_equal(top(set, 4), "Pod/alone Pod");
}

HF_TEST(an_owner_of_another_uid_is_none)
{
	const struct hf_kube_objects *set =
		load("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web, uid: here}\n---\n"
		     "apiVersion: v1\nkind: Pod\nmetadata: {name: a, ownerReferences: [{apiVersion: apps/v1, kind: "
		     "ReplicaSet, name: web, controller: true, uid: there}]}\n---\n"
		     "apiVersion: v1\nkind: Pod\nmetadata: {name: b, ownerReferences: [{apiVersion: apps/v1, kind: "
		     "ReplicaSet, name: web, controller: true, uid: here}]}\n");

	assert_string_equal(top(set, 1), "ReplicaSet/web Pod");
	assert_string_equal(top(set, 2), "ReplicaSet/web ReplicaSet");
}

HF_TEST(owners_that_own_each_other_end)
{
	const struct hf_kube_objects *set =
		load("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  ownerReferences: [{apiVersion: v1, kind: Pod, "
		     "name: b, controller: true}]\n"
		     "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n  ownerReferences: [{apiVersion: v1, kind: "
		     "Pod, name: a, controller: true}]\n");

	assert_string_equal(top(set, 0), "Pod/a Pod");
	assert_string_equal(top(set, 1), "Pod/b Pod");
}

HF_TEST(all_kinds_that_make_pods_do)
{
	const struct hf_kube_objects *set = load("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: "
						 "{jobTemplate: {spec: {template: {metadata: {labels: {a: b}},\n"
						 "  spec: {initContainers: [{name: i, image: x, restartPolicy: "
						 "Always}], containers: [{name: r, image: y}]}}}}}\n---\n"
						 "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: t}\ntemplate: "
						 "{spec: {serviceAccountName: s, containers: [{name: r}]}}\n---\n"
						 "apiVersion: extensions/v1beta1\nkind: DaemonSet\nmetadata: {name: "
						 "d}\nspec: {template: {spec: {hostNetwork: true}}}\n---\n"
						 "apiVersion: v1\nkind: Service\nmetadata: {name: n}\nspec: {}\n");
	size_t n;
	const struct hf_kube_pod *pods = hf_kube_pods(set, &arena, &n);

	assert_int_equal(n, 3);
	assert_int_equal(pods[0].containers_n, 2);
	assert_true(pods[0].containers[0].restarts_always);
	assert_int_equal(pods[0].labels_n, 1);
	assert_true(hf_sv_eq(pods[1].service_account, HF_SV("s")));
	assert_true(hf_sv_eq(pods[2].service_account, HF_SV("default")));
	assert_true(pods[2].host_network);
	assert_int_equal(pods[2].containers_n, 0);
}

HF_TEST_MAIN(cmocka_unit_test(the_top_of_the_owners_is_the_workload), cmocka_unit_test(an_owner_of_another_uid_is_none),
	     cmocka_unit_test(owners_that_own_each_other_end), cmocka_unit_test(all_kinds_that_make_pods_do))
