#include "unit.h"

#include <stdio.h>

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
	assert_string_equal(loaded(POD("a") "data: {rule: \"{{ $labels.pod }}\"}\n"), "default/Pod/a ");
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

HF_TEST_MAIN(cmocka_unit_test(documents_of_a_stream), cmocka_unit_test(json_comes_in_streams),
	     cmocka_unit_test(what_is_broken_does_not_stop_the_rest), cmocka_unit_test(a_template_is_one_note),
	     cmocka_unit_test(lists_and_answers_give_their_objects),
	     cmocka_unit_test(repeated_keys_and_objects_are_noted), cmocka_unit_test(values_of_secrets_are_forgotten))
