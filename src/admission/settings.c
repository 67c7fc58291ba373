#include "admission/settings.h"

struct reader {
	hf_sv text;
	struct hf_arena *arena;
	struct hf_err *err;
};

static int refuse(const struct reader *r, const struct hf_value *at, const char *what, hf_sv word)
{
	uint32_t line, column;

	hf_text_position(r->text, at->offset, &line, &column);
	return hf_fail(r->err, HF_E_FORMAT, "line %u: %s '%.*s'", line, what, HF_SV_FMT(word));
}

static int check_keys(const struct reader *r, const struct hf_value *v, const char *const *known)
{
	hf_value_members(v, m)
	{
		size_t i = 0;
		while (known[i] && !hf_sv_eq(hf_member_key(m), hf_sv_of(known[i])))
			i++;
		if (!known[i])
			return refuse(r, &m->value, "an unknown key", hf_member_key(m));
	}
	return 0;
}

static int words(const struct reader *r, const struct hf_value *v, const char *key, const hf_sv **ret, size_t *ret_n)
{
	const struct hf_value *list = hf_value_get(v, hf_sv_of(key));
	size_t n = hf_value_count(list, HF_VALUE_ARRAY);
	hf_sv *out = hf_arena_array(r->arena, hf_sv, n);

	if (!list)
		return 0;
	if (list->type != HF_VALUE_ARRAY || !out)
		return refuse(r, list, "wants a list of words:", hf_sv_of(key));
	for (size_t i = 0; i < n; i++) {
		out[i] = hf_value_text(&list->elements[i]);
		if (!out[i].len)
			return refuse(r, &list->elements[i], "wants words that are not empty:", hf_sv_of(key));
	}
	*ret = out;
	*ret_n = n;
	return 0;
}

static int level(const struct reader *r, const struct hf_value *v, const char *key, struct hf_pss_policy *ret)
{
	const struct hf_value *word = hf_value_get(v, hf_sv_of(key));

	if (word && !hf_pss_policy_of(hf_value_text(word), ret))
		return refuse(r, word, "wants privileged, baseline or restricted, perhaps with :v1.N:", hf_sv_of(key));
	/* What a label asks for without a version is of the latest one, unless the settings have another. */
	if (!word && ret->level == HF_PSS_PRIVILEGED)
		ret->minor = HF_PSS_LATEST;
	return 0;
}

static int flag(const struct reader *r, const struct hf_value *v, const char *key, bool *ret)
{
	const struct hf_value *word = hf_value_get(v, hf_sv_of(key));

	if (word && word->type != HF_VALUE_BOOL)
		return refuse(r, word, "wants true or false:", hf_sv_of(key));
	if (word)
		*ret = word->boolean;
	return 0;
}

static int choice(const struct reader *r, const struct hf_value *v, const char *key, const char *const *list, int *ret)
{
	const struct hf_value *word = hf_value_get(v, hf_sv_of(key));

	for (int i = 0; word && list[i]; i++)
		if (hf_sv_eq(hf_value_text(word), hf_sv_of(list[i]))) {
			*ret = i;
			return 0;
		}
	return word ? refuse(r, word, "is no word for this:", hf_value_text(word)) : 0;
}

static int pod_security(const struct reader *r, const struct hf_value *v, struct hf_admission_settings *s)
{
	static const char *const known[] = { "enforce", "warn", "audit", "from_labels", "exempt", NULL };
	static const char *const exempt[] = { "namespaces", "users", "runtime_classes", NULL };
	const struct hf_value *e = hf_value_get(v, HF_SV("exempt"));

	if (check_keys(r, v, known) || check_keys(r, e, exempt) || level(r, v, "enforce", &s->enforce) ||
	    level(r, v, "warn", &s->warn) || level(r, v, "audit", &s->audit) ||
	    flag(r, v, "from_labels", &s->from_labels) ||
	    words(r, e, "namespaces", &s->exempt_namespaces, &s->exempt_namespaces_n) ||
	    words(r, e, "users", &s->exempt_users, &s->exempt_users_n))
		return r->err->code;
	return words(r, e, "runtime_classes", &s->exempt_runtime_classes, &s->exempt_runtime_classes_n);
}

static int images(const struct reader *r, const struct hf_value *v, struct hf_admission_settings *s)
{
	static const char *const known[] = { "registries", "deny", "require_digest", "action", NULL };
	static const char *const actions[] = { "deny", "warn", "audit", NULL };
	int action = (int)s->images_action;

	if (check_keys(r, v, known) || words(r, v, "registries", &s->registries, &s->registries_n) ||
	    words(r, v, "deny", &s->denied_images, &s->denied_images_n) ||
	    flag(r, v, "require_digest", &s->require_digest) || choice(r, v, "action", actions, &action))
		return r->err->code;
	s->images_action = (enum hf_policy_action)action;
	return 0;
}

int hf_admission_settings_read(hf_sv text, struct hf_arena *a, struct hf_admission_settings *s, struct hf_err *err)
{
	static const char *const known[] = { "pod_security", "images", "ignore_namespaces", "fail", NULL };
	static const char *const fail[] = { "closed", "open", NULL };
	struct hf_err scratch = { 0 };
	const struct reader r = { text, a, err ? err : &scratch };
	struct hf_value root;
	int code = hf_value_of_yaml(text, 0, 1, a, (struct hf_value_notes){ 0 }, &root, r.err), open = s->fail_open;

	if (code < 0)
		return code;
	if (root.type != HF_VALUE_OBJECT && root.type != HF_VALUE_NULL)
		return hf_fail(r.err, HF_E_FORMAT, "wants keys: pod_security, images, ignore_namespaces, fail");
	if (check_keys(&r, &root, known) || pod_security(&r, hf_value_get(&root, HF_SV("pod_security")), s) ||
	    images(&r, hf_value_get(&root, HF_SV("images")), s) ||
	    words(&r, &root, "ignore_namespaces", &s->ignored_namespaces, &s->ignored_namespaces_n) ||
	    choice(&r, &root, "fail", fail, &open))
		return r.err->code;
	s->fail_open = open == 1;
	return a->over ? hf_fail(r.err, HF_E_LIMIT, "too large") : HF_OK;
}
