#include "cmd/kube/kube_object_text.h"

#include "base/limits.h"
#include "format/json.h"
#include "format/json_writer.h"

/* Copies of the object, and clocks. */
static const hf_sv restless[] = {
	HF_SV_INIT("kubectl.kubernetes.io/last-applied-configuration"),
	HF_SV_INIT("control-plane.alpha.kubernetes.io/leader"),
	HF_SV_INIT("endpoints.kubernetes.io/last-change-trigger-time"),
};

static bool is_restless(hf_sv annotation)
{
	size_t i = 0;

	while (i < HF_ARRAY_SIZE(restless) && !hf_sv_eq(annotation, restless[i]))
		i++;
	return i < HF_ARRAY_SIZE(restless);
}

static void write_metadata(struct hf_json *j, struct hf_json_writer *w)
{
	hf_sv key, inner;

	hf_jw_object(w);
	hf_json_members(j, &key) {
		if (hf_json_peek(j) == HF_JSON_STRING) {
			hf_jw_key_sv(w, key);
			hf_jw_string(w, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("labels")) || hf_sv_eq(key, HF_SV("annotations"))) {
			hf_jw_key_sv(w, key);
			hf_jw_object(w);
			hf_json_members(j, &inner) {
				hf_sv value = hf_json_string(j);
				if (is_restless(inner))
					continue;
				hf_jw_key_sv(w, inner);
				hf_jw_string(w, value);
			}
			hf_jw_object_end(w);
		} else {
			hf_json_skip(j);
		}
	}
	hf_jw_object_end(w);
}

/* {"cells": ["name", "Opaque", 2, "5d"], "object": {"metadata": …}} */
static void write_row(struct hf_json *j, size_t type_at, struct hf_json_writer *w)
{
	hf_sv key, type = { 0 };

	hf_jw_object(w);
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("cells"))) {
			size_t i = 0;
			hf_json_elements(j) {
				hf_sv cell = hf_json_string(j);
				if (i++ == type_at)
					type = cell;
			}
		} else if (hf_sv_eq(key, HF_SV("object"))) {
			hf_json_members(j, &key) {
				if (!hf_sv_eq(key, HF_SV("metadata"))) {
					hf_json_skip(j);
					continue;
				}
				hf_jw_key(w, "metadata");
				write_metadata(j, w);
			}
		} else {
			hf_json_skip(j);
		}
	}
	hf_jw_kv_if(w, "type", type);
	hf_jw_object_end(w);
}

static size_t column_of_type(struct hf_json *j)
{
	size_t i = 0, at = SIZE_MAX;
	hf_sv key;

	hf_json_elements(j) {
		hf_json_members(j, &key) {
			if (!hf_sv_eq(key, HF_SV("name")))
				hf_json_skip(j);
			else if (hf_sv_eq(hf_json_string(j), HF_SV("Type")))
				at = i;
		}
		i++;
	}
	return at;
}

/* A Table of secrets as a list of secrets without data. */
int kube_secrets_write(hf_sv table, size_t *type_at, struct hf_buf *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_CLUSTER_PAGE_MAX);
	struct hf_json_writer w = { .out = out, .compact = true };
	struct hf_json j = hf_json_of(table, &a);
	bool is_table = false;
	hf_sv key;

	hf_jw_object(&w);
	hf_jw_kv(&w, "apiVersion", HF_SV("v1"));
	hf_jw_kv(&w, "kind", HF_SV("SecretList"));
	hf_jw_key(&w, "items");
	hf_jw_array(&w);
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind"))) {
			is_table = hf_sv_eq(hf_json_string(&j), HF_SV("Table"));
		} else if (hf_sv_eq(key, HF_SV("columnDefinitions"))) {
			size_t at = column_of_type(&j);
			*type_at = at == SIZE_MAX ? *type_at : at;
		} else if (hf_sv_eq(key, HF_SV("rows"))) {
			hf_json_elements(&j) {
				write_row(&j, *type_at, &w);
			}
		} else {
			hf_json_skip(&j);
		}
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	if (!is_table)
		return hf_fail(err, HF_E_UNSUPPORTED, "the server has no tables: secrets are not read");
	return hf_jw_finish(&w, err);
}

struct identity {
	hf_sv namespace, name;
};

static void write_annotations(struct hf_json *j, struct hf_json_writer *w)
{
	hf_sv key;

	hf_jw_object(w);
	hf_json_members(j, &key) {
		hf_sv value = hf_json_raw(j);
		if (value.len && !is_restless(key)) {
			hf_jw_key_sv(w, key);
			hf_jw_literal(w, value);
		}
	}
	hf_jw_object_end(w);
}

static struct identity write_identified(struct hf_json *j, struct hf_json_writer *w)
{
	struct identity id = { 0 };
	hf_sv key;

	hf_jw_object(w);
	hf_json_members(j, &key) {
		hf_sv *of = hf_sv_eq(key, HF_SV("name"))        ? &id.name
			    : hf_sv_eq(key, HF_SV("namespace")) ? &id.namespace
								: NULL;
		if (of) {
			*of = hf_json_string(j);
			hf_jw_key_sv(w, key);
			hf_jw_string(w, *of);
		} else if (hf_sv_eq(key, HF_SV("annotations"))) {
			hf_jw_key_sv(w, key);
			write_annotations(j, w);
		} else {
			hf_sv value = hf_json_raw(j);
			if (!value.len || hf_sv_eq(key, HF_SV("managedFields")) ||
			    hf_sv_eq(key, HF_SV("resourceVersion")))
				continue;
			hf_jw_key_sv(w, key);
			hf_jw_literal(w, value);
		}
	}
	hf_jw_object_end(w);
	return id;
}

static void write_type(struct hf_json_writer *w, const struct hf_kube_kind_row *kind, hf_sv version)
{
	hf_jw_key(w, "apiVersion");
	if (kind->group[0]) {
		hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_KIB(1));
		hf_buf_addf(&text, "%s/%.*s", kind->group, HF_SV_FMT(version));
		hf_jw_string(w, hf_buf_view(&text));
	} else {
		hf_jw_string(w, version);
	}
	hf_jw_kv(w, "kind", hf_sv_of(kind->kind));
}

static void write_member(struct hf_json_writer *w, hf_sv key, hf_sv value)
{
	if (!value.len)
		return;
	hf_jw_key_sv(w, key);
	hf_jw_literal(w, value);
}

/* The phase comes first. The number of bytes up to it. */
static size_t write_status(struct hf_json_writer *w, hf_sv status, bool whole, struct hf_arena *a)
{
	struct hf_json j = hf_json_of(status, a), again = j;
	size_t judged = w->out->len;
	hf_sv key;

	if (hf_json_peek(&j) != HF_JSON_OBJECT)
		return judged;
	hf_jw_key(w, "status");
	hf_jw_object(w);
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("phase"))) {
			hf_json_skip(&j);
			continue;
		}
		write_member(w, key, hf_json_raw(&j));
		judged = w->out->len;
	}
	hf_json_members(&again, &key)
		if (!whole || hf_sv_eq(key, HF_SV("phase")))
			hf_json_skip(&again);
		else
			write_member(w, key, hf_json_raw(&again));
	hf_jw_object_end(w);
	return judged;
}

enum { LAST_MAX = 2 };

/* What of an object is written last, since it changes most. */
struct last {
	hf_sv status;
	hf_sv keys[LAST_MAX], values[LAST_MAX];
	size_t n;
};

static bool is_last(enum hf_kube_kind kind, hf_sv key)
{
	return (kind == HF_KUBE_ENDPOINTS && hf_sv_eq(key, HF_SV("subsets"))) ||
	       (kind == HF_KUBE_ENDPOINT_SLICE && (hf_sv_eq(key, HF_SV("endpoints")) || hf_sv_eq(key, HF_SV("ports"))));
}

static size_t write_last(struct hf_json_writer *w, const struct last *l, struct identity id, bool whole,
			 struct hf_arena *a)
{
	bool judged = hf_sv_eq(id.namespace, HF_SV("default")) && hf_sv_eq(id.name, HF_SV("kubernetes"));
	size_t judged_len = w->out->len;

	for (size_t i = 0; i < l->n && (whole || judged); i++)
		write_member(w, l->keys[i], l->values[i]);
	if (judged)
		judged_len = w->out->len;
	return l->status.len ? write_status(w, l->status, whole, a) : judged_len;
}

static struct identity write_members(struct hf_json *j, struct hf_json_writer *w, enum hf_kube_kind kind,
				     struct last *last)
{
	struct identity id = { 0 };
	hf_sv member;

	hf_json_members(j, &member) {
		if (hf_sv_eq(member, HF_SV("metadata"))) {
			hf_jw_key(w, "metadata");
			id = write_identified(j, w);
			continue;
		}
		hf_sv value = hf_json_raw(j);
		if (hf_sv_eq(member, HF_SV("apiVersion")) || hf_sv_eq(member, HF_SV("kind")))
			continue;
		if (hf_sv_eq(member, HF_SV("status"))) {
			last->status = value;
		} else if (is_last(kind, member) && last->n < LAST_MAX) {
			last->keys[last->n] = member;
			last->values[last->n++] = value;
		} else {
			write_member(w, member, value);
		}
	}
	return id;
}

int kube_object_write(hf_sv json, const struct hf_kube_kind_row *kind, hf_sv version, bool whole,
		      struct kube_object_text *to, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_CLUSTER_PAGE_MAX);
	struct hf_json_writer w = { .out = &to->text, .compact = true };
	struct hf_json j = hf_json_of(json, &a);
	struct last last = { 0 };

	hf_jw_object(&w);
	write_type(&w, kind, version);
	struct identity id = write_members(&j, &w, (enum hf_kube_kind)(kind - hf_kube_kinds), &last);
	to->judged_len = write_last(&w, &last, id, whole, &a);
	hf_jw_object_end(&w);
	int code = hf_jw_finish(&w, err);
	if (code < 0)
		return code;
	if (a.over)
		return hf_fail(err, HF_E_LIMIT, "%s: an object of more than %zu bytes", kind->plural, a.cap);
	if (!hf_json_end(&j) || !id.name.len)
		return hf_fail(err, HF_E_FORMAT, "%s: an object that is no JSON, or has no name", kind->plural);
	hf_buf_addf(&to->key, "%.*s%s%.*s", HF_SV_FMT(id.namespace), id.namespace.len ? "/" : "", HF_SV_FMT(id.name));
	return to->key.over ? hf_fail(err, HF_E_LIMIT, "%s: a name of more than %zu bytes", kind->plural, to->key.max)
			    : HF_OK;
}

void kube_object_text_done(struct kube_object_text *t)
{
	hf_buf_done(&t->key);
	hf_buf_done(&t->text);
}
