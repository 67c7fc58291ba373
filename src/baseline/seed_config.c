#include "baseline/seed_config.h"

#include <stdlib.h>

#include "format/json.h"

struct list {
	HF_VEC(hf_sv) v;
};

static void push(struct hf_arena *a, struct list *l, hf_sv text)
{
	hf_sv *slot = hf_vec_push(a, &l->v);

	if (slot)
		*slot = text;
}

static struct list strings(struct hf_json *j)
{
	struct list l = { 0 };

	if (hf_json_peek(j) == HF_JSON_STRING) {
		push(j->arena, &l, hf_json_string(j));
		return l;
	}
	hf_json_elements(j)
		push(j->arena, &l, hf_json_text(j));
	return l;
}

static int by_bytes(const void *a, const void *b)
{
	return hf_sv_cmp(*(const hf_sv *)a, *(const hf_sv *)b);
}

static struct list keys(struct hf_json *j)
{
	struct list l = { 0 };
	hf_sv key;

	hf_json_members(j, &key) {
		push(j->arena, &l, key);
		hf_json_skip(j);
	}
	if (l.v.n)
		qsort(l.v.at, l.v.n, sizeof *l.v.at, by_bytes);
	return l;
}

static hf_sv healthcheck(struct hf_json *j)
{
	struct list l = { 0 };
	hf_sv key, all = { 0 };

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("Test")))
			l = strings(j);
		else
			hf_json_skip(j);
	}
	for (size_t i = 0; i < l.v.n; i++)
		all = i ? hf_arena_fmt(j->arena, "%.*s %.*s", HF_SV_FMT(all), HF_SV_FMT(l.v.at[i])) : l.v.at[i];
	return all;
}

#define STORE(field, expr)               \
	do {                             \
		struct list l_ = (expr); \
		c->field = l_.v.at;      \
		c->field##_n = l_.v.n;   \
	} while (0)

static void read_config(struct hf_json *j, struct hf_seed_container *ret)
{
	struct hf_image_config *c = &ret->config;
	hf_sv key;

	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("Entrypoint")))
			STORE(entrypoint, strings(j));
		else if (hf_sv_eq(key, HF_SV("Cmd")))
			STORE(cmd, strings(j));
		else if (hf_sv_eq(key, HF_SV("Env")))
			STORE(env, strings(j));
		else if (hf_sv_eq(key, HF_SV("ExposedPorts")))
			STORE(exposed_ports, keys(j));
		else if (hf_sv_eq(key, HF_SV("User")))
			c->user = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("WorkingDir")))
			c->working_dir = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("Healthcheck")))
			c->healthcheck = healthcheck(j);
		else if (hf_sv_eq(key, HF_SV("Image")))
			ret->image_name = hf_json_string(j);
		else
			hf_json_skip(j);
	}
}

static void read_state(struct hf_json *j, struct hf_seed_container *ret)
{
	hf_sv key;

	hf_json_members(j, &key) {
		if (!hf_sv_eq(key, HF_SV("Pid")))
			hf_json_skip(j);
		else if (!hf_sv_to_u64(hf_json_text(j), &ret->pid))
			ret->pid = 0;
	}
}

int hf_seed_config(hf_sv json, struct hf_arena *a, struct hf_seed_container *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	bool found = false;
	hf_sv key;

	*ret = (struct hf_seed_container){ 0 };
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("config")) || hf_sv_eq(key, HF_SV("Config"))) {
			read_config(&j, ret);
			found = true;
		} else if (hf_sv_eq(key, HF_SV("State"))) {
			read_state(&j, ret);
		} else if (hf_sv_eq(key, HF_SV("Image"))) {
			ret->image_digest = hf_json_string(&j);
		} else if (hf_sv_eq(key, HF_SV("Name"))) {
			ret->name = hf_json_string(&j);
		} else {
			hf_json_skip(&j);
		}
	}
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why ? j.why : "more follows");
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the config takes too much memory");
	return found ? HF_OK : hf_fail(err, HF_E_FORMAT, "it holds no config");
}
