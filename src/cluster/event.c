#include "cluster/event.h"

#include "format/json.h"

static enum hf_cluster_event_type type_of(hf_sv name)
{
	static const struct {
		hf_sv name;
		enum hf_cluster_event_type type;
	} types[] = {
		{ HF_SV_INIT("ADDED"), HF_CLUSTER_ADDED },     { HF_SV_INIT("MODIFIED"), HF_CLUSTER_MODIFIED },
		{ HF_SV_INIT("DELETED"), HF_CLUSTER_DELETED }, { HF_SV_INIT("BOOKMARK"), HF_CLUSTER_BOOKMARK },
		{ HF_SV_INIT("ERROR"), HF_CLUSTER_ERROR },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(types); i++)
		if (hf_sv_eq(name, types[i].name))
			return types[i].type;
	return 0;
}

static void read_metadata(struct hf_json *j, struct hf_cluster_event *ret)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("resourceVersion"))) {
			ret->resource_version = hf_json_string(j);
		} else if (hf_sv_eq(key, HF_SV("annotations"))) {
			hf_json_members(j, &key) {
				hf_sv value = hf_json_string(j);
				if (hf_sv_eq(key, HF_SV("k8s.io/initial-events-end")) && hf_sv_eq(value, HF_SV("true")))
					ret->initial_end = true;
			}
		} else {
			hf_json_skip(j);
		}
	}
}

int hf_cluster_event_parse(hf_sv line, struct hf_arena *a, struct hf_cluster_event *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(line, a);
	struct hf_cluster_event e = { 0 };
	hf_sv key, type = { 0 };

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("type"))) {
			type = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("object")) && hf_json_peek(&j) == HF_JSON_OBJECT) {
			e.object = hf_json_raw(&j);
		} else {
			hf_json_skip(&j);
		}
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "event: more than %zu bytes of memory", a->cap);
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "event: byte %zu: %s", j.at, j.why ? j.why : "more behind the end");
	e.type = type_of(type);
	if (!e.type || !e.object.len)
		return hf_fail(err, HF_E_FORMAT, "event: no known type, or no object");
	struct hf_json o = hf_json_of(e.object, a);
	hf_json_members(&o, &key) {
		if (hf_sv_eq(key, HF_SV("metadata")))
			read_metadata(&o, &e);
		else
			hf_json_skip(&o);
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "event: more than %zu bytes of memory", a->cap);
	e.initial_end = e.initial_end && e.type == HF_CLUSTER_BOOKMARK;
	*ret = e;
	return HF_OK;
}
