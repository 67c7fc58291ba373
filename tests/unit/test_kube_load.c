#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "kube/object.h"

static struct hf_arena arena = { .cap = 1 << 24 };

static const struct hf_kube_objects *load_sv(hf_sv text)
{
	struct hf_err err = { 0 };

	hf_arena_reset(&arena);
	struct hf_kube_loader *l = hf_kube_loader_new(&arena);
	struct hf_kube_source *s = hf_arena_new(&arena, struct hf_kube_source);
	*s = (struct hf_kube_source){ .name = HF_SV("x.yaml"), .text = text };
	assert_true(hf_kube_load(l, s, &err) >= 0);
	const struct hf_kube_objects *set = hf_kube_loaded(l);
	hf_kube_loader_free(l);
	assert_non_null(set);
	return set;
}

/* The names of the objects, then the kinds and places of the notes. */
static const char *loaded_sv(hf_sv text)
{
	static char out[2048];
	const struct hf_kube_objects *set = load_sv(text);
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < set->n; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%.*s/%.*s/%.*s ", HF_SV_FMT(set->objects[i]->namespace),
				      HF_SV_FMT(set->objects[i]->kind_name), HF_SV_FMT(set->objects[i]->name));
	for (size_t i = 0; i < set->notes_n; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "[%u %u:%u]", set->notes[i].kind, set->notes[i].line,
				      set->notes[i].column);
	return out;
}

static const char *loaded(const char *text)
{
	return loaded_sv(hf_sv_of(text));
}

#define POD(name)  "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\n"
#define JPOD(name) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name "\"}}"

HF_TEST(documents_of_a_stream)
{
	assert_string_equal(loaded(POD("a") "---\n" POD("b")), "default/Pod/a default/Pod/b ");
	assert_string_equal(
		loaded("---\n---\n# Source: chart/templates/a.yaml\n" POD("a") "...\n--- # next\n\n" POD("b") "---\n"),
		"default/Pod/a default/Pod/b ");
	assert_string_equal(loaded("\xef\xbb\xbf%YAML 1.1\n---\n" POD("a")), "default/Pod/a ");
	assert_string_equal(loaded("apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\n---\r\n" POD("b")),
			    "default/Pod/a default/Pod/b ");
	assert_string_equal(loaded(""), "");
	assert_string_equal(loaded("# nothing\n"), "");
	assert_string_equal(loaded("--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"), "default/Pod/a ");
}

HF_TEST(json_comes_in_streams)
{
	assert_string_equal(loaded(JPOD("a") JPOD("b") "\n" JPOD("c") "\n"),
			    "default/Pod/a default/Pod/b default/Pod/c ");
	assert_string_equal(loaded("\xef\xbb\xbf " JPOD("a") "\n---\n" POD("b")), "default/Pod/a default/Pod/b ");
	assert_string_equal(loaded("{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\n" POD("b")),
			    "default/Pod/a default/Pod/b ");
}

HF_TEST(what_is_broken_does_not_stop_the_rest)
{
	assert_string_equal(loaded(POD("a") "---\nkind: Pod\nmetadata:\n\tname: b\n---\n" POD("c")),
			    "default/Pod/a default/Pod/c [0 7:1]");
	assert_string_equal(loaded(JPOD("a") "\n{\"apiVersion\" \"v1\"}\n" JPOD("c")),
			    "default/Pod/a default/Pod/c [0 2:15]");
	assert_string_equal(loaded(JPOD("a") "{\"kind\": \"Po"), "default/Pod/a [0 1:66]");
	assert_string_equal(loaded_sv(HF_SV("\xff\xfek\0i\0n\0d\0")), "[0 0:0]");
	assert_string_equal(loaded_sv(HF_SV("k\0i\0n\0d\0")), "[0 0:0]");
	assert_string_equal(loaded(POD("a") "---\na: \xff\n"), "default/Pod/a [0 5:4]");
	assert_string_equal(loaded("a: b\n---\n- 5\n"), "[7 1:1][7 3:3]");
}

HF_TEST(a_template_is_one_note)
{
	assert_string_equal(loaded("{{- if .Values.on }}\n" POD("a") "{{- end }}\n---\n" POD("{{ .Release.Name }}")),
			    "[0 1:1]");
	assert_string_equal(loaded(POD("\"{{ .Release.Name }}-x\"") "---\n" POD("b")), "default/Pod/b [0 1:1]");
	assert_string_equal(
		loaded("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {rule: \"{{ $labels.pod }}\"}\n"),
		"default/ConfigMap/a ");
}

HF_TEST(lists_and_answers_give_their_objects)
{
	assert_string_equal(loaded("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
				   "  - {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"),
			    "default/Pod/a ");
	assert_string_equal(
		loaded("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\"}}]}"),
		"default/Pod/a ");
	assert_string_equal(loaded("apiVersion: v1\nkind: List\nitems: [null, {a: b}]\n"), "[7 3:9][7 3:15]");
	assert_string_equal(
		loaded("apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  namespace: shop\n"
		       "  object: {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"),
		"shop/Pod/a ");
	assert_string_equal(
		loaded("apiVersion: meta.k8s.io/v1\nkind: Table\nrows:\n- object: {kind: PartialObjectMetadata}\n"),
		"[1 1:1]");
	assert_string_equal(loaded("apiVersion: v1\nkind: Status\nmessage: forbidden\n"), "[1 1:1]");
}

HF_TEST(repeated_keys_and_objects_are_noted)
{
	assert_string_equal(loaded(POD("a") "spec: {}\n---\n" POD("b") "spec: {}\nspec:\n  hostPID: true\n"),
			    "default/Pod/a default/Pod/b [5 10:1]");
	assert_string_equal(loaded(POD("a") "---\n" POD("a")), "default/Pod/a default/Pod/a [6 5:1]");
	/* No two names are one, whatever bytes they are of. */
	const struct hf_kube_objects *set = load_sv(HF_SV(JPOD("a") JPOD("a\\u0000b")));
	assert_int_equal(set->notes_n, 0);
	assert_int_equal(set->of_kind_n[HF_KUBE_POD], 2);
	set = load_sv(
		HF_SV("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"x/y\",\"name\":\"z\"}}"
		      "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"x\",\"name\":\"y/z\"}}"));
	assert_int_equal(set->of_kind_n[HF_KUBE_POD], 2);
}

HF_TEST(an_object_of_a_long_name_is_found)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(1 << 20), name = HF_BUF(1 << 20);

	for (unsigned i = 0; i < 100000; i++)
		hf_buf_add_char(&name, 'n');
	hf_buf_addf(&text, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"");
	hf_buf_add(&text, hf_buf_view(&name));
	hf_buf_add(&text, HF_SV("\"}}"));
	const struct hf_kube_objects *set = load_sv(hf_buf_view(&text));
	assert_ptr_equal(hf_kube_find(set, HF_SV(""), HF_KUBE_POD, HF_SV("default"), hf_buf_view(&name)),
			 set->objects[0]);
}

/* The notes' texts. */
static const char *notes_of(const char *text)
{
	static char out[2048];
	const struct hf_kube_objects *set = load_sv(hf_sv_of(text));
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < set->notes_n; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%u:%u %.*s\n", set->notes[i].line, set->notes[i].column,
				      HF_SV_FMT(set->notes[i].text));
	return out;
}

HF_TEST(fields_are_held_against_those_of_kubernetes)
{
	assert_string_equal(notes_of(POD("a") "spec:\n  hostNetwrok: true\n  containers:\n  - {name: a, image: b, "
					      "Image: c, xyzzy: 1}\n"),
			    "5:3 spec.hostNetwrok: no field of Kubernetes 1.34; is it hostNetwork?\n"
			    "7:25 spec.containers[].Image: no field of Kubernetes 1.34; is it image?\n"
			    "7:35 spec.containers[].xyzzy: no field of Kubernetes 1.34\n");
	assert_string_equal(notes_of(POD("a") "spec:\n  hostPID: 'yes'\n  containers: {}\n  nodeSelector: {a: 5}\n"
					      "  volumes: [a]\n  priority: 1.5\n  overhead: {cpu: 1}\n  nodeName: ~\n"),
			    "5:12 spec.hostPID: true or false belongs here\n"
			    "6:15 spec.containers: a list belongs here\n"
			    "7:21 spec.nodeSelector: a string belongs here\n"
			    "8:13 spec.volumes: an object belongs here\n"
			    "9:13 spec.priority: a whole number belongs here\n");
	assert_string_equal(notes_of(POD("a") "status: {nonsense: 1}\n"), "");
	assert_string_equal(
		notes_of("apiVersion: v1\nkind: Service\nmetadata: {name: a, clusterName: b}\nspec:\n  ports:\n"
			 "  - {port: 80, targetPort: http}\n  - {port: 81, targetPort: 8080}\n  topologyKeys: [x]\n"),
		"");
}

/* What extensions/v1beta1 had itself is not in the table, pod templates are. */
HF_TEST(of_former_versions_pod_templates_are_looked_into)
{
	assert_string_equal(
		notes_of("apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec:\n"
			 "  rollbackTo: {revision: 1}\n  replicas: x\n  template:\n    spec:\n      hostIpc: true\n"),
		"9:7 spec.template.spec.hostIpc: no field of Kubernetes 1.34; is it hostIPC?\n");
	assert_string_equal(notes_of("apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\nspec: "
				     "{privileged: true}\n"),
			    "");
}

HF_TEST(unknown_kinds_are_noted_once)
{
	assert_string_equal(notes_of("apiVersion: shop.example/v1\nkind: Cart\nmetadata: {name: a}\n---\n"
				     "apiVersion: shop.example/v1\nkind: Cart\nmetadata: {name: b}\n"),
			    "1:1 Cart of shop.example/v1: no kind that is known here, nor one that a "
			    "CustomResourceDefinition defines\n");
	assert_string_equal(notes_of("apiVersion: shop.example/v1\nkind: Cart\nmetadata: {name: a}\n---\n"
				     "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: "
				     "{name: carts.shop.example}\n"
				     "spec: {group: shop.example, names: {kind: Cart, plural: carts}, scope: "
				     "Namespaced, versions: []}\n"),
			    "");
	assert_string_equal(notes_of("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: a}\n"), "");
	assert_string_equal(
		notes_of("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n"),
		"1:1 no object of Kubernetes: read what `kubectl kustomize FOLDER` makes of it (| holdfast kube … -); "
		"its "
		"patches are not in the files beside it\n");
	assert_string_equal(notes_of("apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n"),
			    "1:1 Deploymnet of apps/v1: no kind that is known here, nor one that a "
			    "CustomResourceDefinition defines\n");
}

HF_TEST(values_of_secrets_are_forgotten)
{
	const struct hf_kube_objects *set = load_sv(HF_SV(
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  managedFields: [{manager: x}]\n  annotations:\n"
		"    kubectl.kubernetes.io/last-applied-configuration: c2VjcmV0\n    other: kept\n"
		"data: {password: c2VjcmV0}\nstringData: {token: secret}\n"));
	const struct hf_kube_object *o = set->objects[0];
	const struct hf_value *data = hf_value_get(o->root, HF_SV("data"));

	assert_int_equal(hf_value_count(data, HF_VALUE_OBJECT), 1);
	assert_int_equal(hf_value_get(data, HF_SV("password"))->n, 0);
	assert_int_equal(hf_value_at(o->root, "stringData.token")->n, 0);
	assert_null(hf_value_get(o->metadata, HF_SV("managedFields")));
	const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));
	assert_int_equal(hf_value_count(annotations, HF_VALUE_OBJECT), 1);
	assert_int_equal(hf_value_get_text(annotations, HF_SV("other")).len, 4);
	assert_int_equal(hf_kube_line(o, data), 9);
}

HF_TEST(keys_of_encryption_are_forgotten)
{
	const struct hf_kube_objects *set =
		load_sv(HF_SV("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- "
			      "resources: [secrets]\n"
			      "  providers:\n  - aescbc: {keys: [{name: one, secret: c2VjcmV0}]}\n  - identity: {}\n"));
	const struct hf_value *entry = &hf_value_get(set->objects[0]->root, HF_SV("resources"))->elements[0];
	const struct hf_value *providers = hf_value_get(entry, HF_SV("providers"));
	const struct hf_value *key = &hf_value_at(&providers->elements[0], "aescbc.keys")->elements[0];

	assert_int_equal(set->objects[0]->kind, HF_KUBE_ENCRYPTION_CONFIGURATION);
	assert_int_equal(hf_value_count(providers, HF_VALUE_ARRAY), 2);
	assert_int_equal(hf_value_get(key, HF_SV("secret"))->n, 0);
	assert_int_equal(hf_value_get(key, HF_SV("name"))->n, 0);
}

static hf_sv released;

static void note_release(hf_sv part)
{
	assert_true(!released.len || part.ptr == released.ptr + released.len);
	released = (hf_sv){ released.len ? released.ptr : part.ptr, released.len + part.len };
}

enum { PODS = 30000 };

static struct hf_buf many_pods(bool json)
{
	struct hf_buf text = HF_BUF(HF_MIB(16));

	hf_buf_add(&text, json ? HF_SV("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n")
			       : HF_SV("apiVersion: v1\nkind: List\nitems:\n"));
	for (unsigned i = 0; i < PODS; i++)
		hf_buf_addf(&text,
			    json ? "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n \"metadata\": {\"name\": "
				   "\"a-%u\", \"labels\": {\"number\": \"%u\"}}}%s\n"
				 : "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a-%u, labels: {number: "
				   "\"%u\"}}%s\n",
			    i, i, json ? i + 1 < PODS ? "," : "]}" : "");
	return text;
}

static void objects_outlive_their_text(bool json)
{
	struct hf_buf text = many_pods(json);
	struct hf_arena a = HF_ARENA(HF_MIB(128));
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	const struct hf_kube_source source = { .name = HF_SV("x"),
					       .text = hf_buf_view(&text),
					       .release = note_release };
	struct hf_err err = { 0 };
	char want[32];

	released = (hf_sv){ 0 };
	assert_int_equal(hf_kube_load(l, &source, &err), HF_OK);
	const struct hf_kube_objects *set = hf_kube_loaded(l);
	hf_kube_loader_free(l);
	assert_true(released.ptr == text.ptr && released.len > HF_MIB(1));
	memset(text.ptr, '#', released.len);
	assert_int_equal(set->n, PODS);
	assert_int_equal(set->notes_n, 0);
	for (unsigned i = 0; i < PODS; i++) {
		const struct hf_kube_object *o = set->objects[i];
		snprintf(want, sizeof want, "a-%u", i);
		assert_true(hf_sv_eq(o->name, hf_sv_of(want)));
		assert_int_equal(o->kind, HF_KUBE_CONFIG_MAP);
		assert_true(hf_sv_eq(hf_value_text(hf_value_at(o->metadata, "labels.number")), hf_sv_of(want + 2)));
		assert_int_equal(hf_kube_line(o, o->metadata), json ? 3 + 2 * i : 6 + 3 * i);
	}
	hf_arena_done(&a);
	hf_buf_done(&text);
}

HF_TEST(objects_of_a_large_text_outlive_it)
{
	objects_outlive_their_text(true);
	objects_outlive_their_text(false);
}

HF_TEST_MAIN(cmocka_unit_test(documents_of_a_stream), cmocka_unit_test(json_comes_in_streams),
	     cmocka_unit_test(what_is_broken_does_not_stop_the_rest), cmocka_unit_test(a_template_is_one_note),
	     cmocka_unit_test(lists_and_answers_give_their_objects),
	     cmocka_unit_test(repeated_keys_and_objects_are_noted), cmocka_unit_test(an_object_of_a_long_name_is_found),
	     cmocka_unit_test(fields_are_held_against_those_of_kubernetes),
	     cmocka_unit_test(of_former_versions_pod_templates_are_looked_into),
	     cmocka_unit_test(unknown_kinds_are_noted_once), cmocka_unit_test(values_of_secrets_are_forgotten),
	     cmocka_unit_test(keys_of_encryption_are_forgotten), cmocka_unit_test(objects_of_a_large_text_outlive_it))
