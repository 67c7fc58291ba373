/* Files that the API server reads: encryption at rest, audit, admission, authentication. */
#include "check/check.h"
#include "check/row.h"

static bool holds(const struct hf_value *list, const char *word)
{
	hf_value_elements(list, e)
	{
		if (hf_sv_eq(hf_value_text(e), hf_sv_of(word)))
			return true;
	}
	return false;
}

/* The first entry whose resources hold secrets: that one counts. */
static const struct hf_value *of_secrets(const struct hf_kube_object *o)
{
	hf_value_elements(hf_value_get(o->root, HF_SV("resources")), e)
	{
		const struct hf_value *list = hf_value_get(e, HF_SV("resources"));
		if (holds(list, "secrets") || holds(list, "*.*") || holds(list, "*."))
			return e;
	}
	return NULL;
}

static const struct hf_value *first_provider(const struct hf_value *entry)
{
	const struct hf_value *list = hf_value_get(entry, HF_SV("providers"));

	return hf_value_count(list, HF_VALUE_ARRAY) ? &list->elements[0] : NULL;
}

static bool has_member(const struct hf_value *v, hf_sv key)
{
	hf_value_members(v, m) if (hf_sv_eq(hf_member_key(m), key)) return true;
	return false;
}

static void not_secrets(struct hf_check_run *r)
{
	if (!of_secrets(r->object))
		hf_check_fail(r, hf_value_get(r->object->root, HF_SV("resources")), "says nothing of secrets");
}

static void identity(struct hf_check_run *r)
{
	const struct hf_value *entry = of_secrets(r->object), *first = first_provider(entry);

	if (!entry)
		hf_check_not_applicable(r);
	else if (!first || has_member(first, HF_SV("identity")))
		hf_check_fail(r, first ? first : entry, "secrets are written as they are: identity comes first");
}

static void weak_provider(struct hf_check_run *r)
{
	const struct hf_value *entry = of_secrets(r->object), *first = first_provider(entry);

	if (!first || has_member(first, HF_SV("identity")))
		hf_check_not_applicable(r);
	else if (has_member(first, HF_SV("aesgcm")))
		hf_check_fail(r, first,
			      "aesgcm breaks after many writes with one key, which nothing changes by itself");
	else if (!has_member(first, HF_SV("kms")) && !has_member(first, HF_SV("secretbox")) &&
		 !has_member(first, HF_SV("aescbc")))
		hf_check_fail(r, first, "its provider is not known");
}

static void old_kms(struct hf_check_run *r)
{
	const struct hf_value *kms = NULL;

	hf_value_elements(hf_value_get(of_secrets(r->object), HF_SV("providers")), e)
	{
		kms = kms ? kms : hf_value_get(e, HF_SV("kms"));
	}
	if (!kms)
		hf_check_not_applicable(r);
	else if (!hf_sv_eq(hf_value_get_text(kms, HF_SV("apiVersion")), HF_SV("v2")))
		hf_check_fail(r, kms, "speaks version 1 with its service");
}

#define RULES(r) hf_value_get((r)->object->root, HF_SV("rules"))

static hf_sv level_of(const struct hf_value *rule)
{
	return hf_value_get_text(rule, HF_SV("level"));
}

static const char *const narrowing[] = { "users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "resources" };

/* Of the first @n members of a rule that narrow it, one has elements. */
static bool is_narrowed(const struct hf_value *rule, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_value_count(hf_value_get(rule, hf_sv_of(narrowing[i])), HF_VALUE_ARRAY))
			return true;
	return false;
}

/* Rules behind one that takes all requests are never asked. */
static void records_nothing(struct hf_check_run *r)
{
	hf_value_elements(RULES(r), e)
	{
		if (level_of(e).len && !hf_sv_eq(level_of(e), HF_SV("None")))
			return;
		if (!is_narrowed(e, HF_ARRAY_SIZE(narrowing)))
			break;
	}
	hf_check_fail(r, RULES(r), "no rule records anything");
}

/* Does a rule, whoever it is for, take this resource of the core group? Without resources it takes all of them. */
static bool names(const struct hf_value *rule, const char *resource)
{
	const struct hf_value *resources = hf_value_get(rule, HF_SV("resources"));

	if (!hf_value_count(resources, HF_VALUE_ARRAY))
		return !hf_value_count(hf_value_get(rule, HF_SV("nonResourceURLs")), HF_VALUE_ARRAY);
	hf_value_elements(resources, e)
	{
		const struct hf_value *list = hf_value_get(e, HF_SV("resources"));
		if (hf_value_get_text(e, HF_SV("group")).len ||
		    hf_value_count(hf_value_get(e, HF_SV("resourceNames")), HF_VALUE_ARRAY))
			continue;
		if (!hf_value_count(list, HF_VALUE_ARRAY) || holds(list, resource) || holds(list, "*") ||
		    (strchr(resource, '/') && holds(list, "pods/*")))
			return true;
	}
	return false;
}

/* The same of a rule that is for all users. */
static bool takes(const struct hf_value *rule, const char *resource)
{
	return !is_narrowed(rule, HF_ARRAY_SIZE(narrowing) - 1) && names(rule, resource);
}

/* Before the first rule for all, narrower ones may say another thing of some. */
static bool speaks_of(const struct hf_value *rule, const char *resource)
{
	hf_value_elements(hf_value_get(rule, HF_SV("resources")), e)
	{
		if (holds(hf_value_get(e, HF_SV("resources")), resource))
			return true;
	}
	return false;
}

/* Requests that only read have no body: values are in what is answered to them. */
static bool writes_values(const struct hf_value *rule)
{
	static const char *const read[] = { "get", "list", "watch" };
	const struct hf_value *verbs = hf_value_get(rule, HF_SV("verbs"));
	size_t reading = 0;

	if (hf_sv_eq(level_of(rule), HF_SV("RequestResponse")))
		return true;
	for (size_t i = 0; i < HF_ARRAY_SIZE(read); i++)
		reading += holds(verbs, read[i]);
	return hf_sv_eq(level_of(rule), HF_SV("Request")) &&
	       (!reading || reading < hf_value_count(verbs, HF_VALUE_ARRAY));
}

static void records_secrets(struct hf_check_run *r)
{
	hf_value_elements(RULES(r), e)
	{
		bool all = takes(e, "secrets");
		if ((all || speaks_of(e, "secrets") || names(e, "secrets")) && writes_values(e)) {
			hf_check_fail(r, e, "the level %.*s writes values of Secrets into the log",
				      HF_SV_FMT(level_of(e)));
			return;
		}
		if (all)
			return;
	}
}

static void leaves_out(struct hf_check_run *r)
{
	static const char *const wanted[] = { "secrets", "pods/exec", "pods/portforward", "configmaps" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(wanted); i++) {
		const struct hf_value *found = NULL;
		hf_value_elements(RULES(r), e)
		{
			if (!found && takes(e, wanted[i]))
				found = e;
			else if (!found && speaks_of(e, wanted[i]) && !hf_sv_eq(level_of(e), HF_SV("None")))
				found = e;
		}
		if (!found || hf_sv_eq(level_of(found), HF_SV("None"))) {
			hf_check_fail(r, found ? found : RULES(r), "who uses %s is not recorded", wanted[i]);
			return;
		}
	}
}

static const struct hf_value *plugin(struct hf_check_run *r, const char *name)
{
	hf_value_elements(hf_value_get(r->object->root, HF_SV("plugins")), e)
	{
		if (hf_sv_eq(hf_value_get_text(e, HF_SV("name")), hf_sv_of(name)))
			return e;
	}
	return NULL;
}

/* A plugin's settings stand in the file, or in one that it names, which is not in the input. NULL: said so. */
static const struct hf_value *configuration_of(struct hf_check_run *r, const char *name)
{
	const struct hf_value *p = plugin(r, name);
	const struct hf_value *configuration = hf_value_get(p, HF_SV("configuration"));

	if (!p)
		hf_check_not_applicable(r);
	else if (!configuration)
		hf_check_not_assessable(r, "%s is configured by a file that is not in the input", name);
	return configuration;
}

static void default_level(struct hf_check_run *r)
{
	const struct hf_value *c = configuration_of(r, "PodSecurity");
	const struct hf_value *v = hf_value_at(c, "defaults.enforce");

	if (c && (!hf_value_text(v).len || hf_sv_eq(hf_value_text(v), HF_SV("privileged"))))
		hf_check_fail(r, v ? v : c, "namespaces without a label enforce nothing");
}

static void exempt(struct hf_check_run *r)
{
	const struct hf_value *c = configuration_of(r, "PodSecurity");

	hf_value_elements(hf_value_at(c, "exemptions.namespaces"), e)
	{
		if (!hf_sv_starts(hf_value_text(e), HF_SV("kube-"))) {
			hf_check_fail(r, e, "pods of %.*s are never judged", HF_SV_FMT(hf_value_text(e)));
			return;
		}
	}
	hf_value_elements(hf_value_at(c, "exemptions.usernames"), e)
	{
		if (hf_sv_starts(hf_value_text(e), HF_SV("system:serviceaccount:kube-system:"))) {
			hf_check_fail(r, e, "pods that %.*s makes, a controller, are never judged",
				      HF_SV_FMT(hf_value_text(e)));
			return;
		}
	}
}

static void image_policy(struct hf_check_run *r)
{
	const struct hf_value *c = configuration_of(r, "ImagePolicyWebhook");
	const struct hf_value *v = hf_value_at(c, "imagePolicy.defaultAllow");

	if (hf_value_true(v))
		hf_check_fail(r, v, "all images are let in while the service does not answer");
}

static void anonymous_config(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->root, HF_SV("anonymous"));

	if (!v)
		hf_check_not_applicable(r);
	else if (hf_value_true(hf_value_get(v, HF_SV("enabled"))) &&
		 !hf_value_count(hf_value_get(v, HF_SV("conditions")), HF_VALUE_ARRAY))
		hf_check_fail(r, v, "requests without credentials are taken for all paths");
}

static const struct hf_check checks[] = {
#include "check/api_config.def"
};

const struct hf_check_group hf_check_group_api_config = { "api-config", checks, HF_ARRAY_SIZE(checks) };
