#include "rbac/authorizer.h"

#define ACCOUNT_PREFIX HF_SV("system:serviceaccount:")
#define MASTERS        HF_SV("system:masters")

static bool is_any(hf_sv s)
{
	return s.len == 1 && s.ptr[0] == '*';
}

static bool holds(struct hf_rbac_list list, hf_sv wanted)
{
	for (size_t i = 0; i < list.n; i++)
		if (is_any(list.at[i]) || hf_sv_eq(list.at[i], wanted))
			return true;
	return false;
}

/* "pods/exec" against resource pods and subresource exec, without putting them together. */
static bool is_combined(hf_sv written, hf_sv resource, hf_sv subresource)
{
	if (!subresource.len)
		return hf_sv_eq(written, resource);
	return written.len == resource.len + 1 + subresource.len && hf_sv_starts(written, resource) &&
	       written.ptr[resource.len] == '/' && hf_sv_ends(written, subresource);
}

static bool resource_matches(struct hf_rbac_list list, hf_sv resource, hf_sv subresource)
{
	for (size_t i = 0; i < list.n; i++) {
		hf_sv written = list.at[i];
		if (is_any(written) || is_combined(written, resource, subresource))
			return true;
		if (subresource.len && is_combined(written, HF_SV("*"), subresource))
			return true;
	}
	return false;
}

static bool name_matches(struct hf_rbac_list list, hf_sv name)
{
	for (size_t i = 0; i < list.n; i++)
		if (hf_sv_eq(list.at[i], name))
			return true;
	return !list.n;
}

static bool url_matches(struct hf_rbac_list list, hf_sv url)
{
	for (size_t i = 0; i < list.n; i++) {
		hf_sv written = list.at[i];
		if (hf_sv_eq(written, url))
			return true;
		if (!hf_sv_ends(written, HF_SV("*")))
			continue;
		while (hf_sv_ends(written, HF_SV("*")))
			written.len--;
		if (hf_sv_starts(url, written))
			return true;
	}
	return false;
}

bool hf_rbac_rule_allows(const struct hf_rbac_rule *rule, const struct hf_rbac_request *r)
{
	if (!holds(rule->verbs, r->verb))
		return false;
	if (r->url.len)
		return url_matches(rule->urls, r->url);
	return holds(rule->groups, r->group) && resource_matches(rule->resources, r->resource, r->subresource) &&
	       name_matches(rule->names, r->name);
}

/* The first of the binding's rules that allows it; NULL: none, or the binding is not asked for such a request. */
static const struct hf_rbac_rule *asks(const struct hf_rbac_binding *b, const struct hf_rbac_request *r)
{
	if (!b->role || (b->namespace.len && (r->url.len || !hf_sv_eq(b->namespace, r->namespace))))
		return NULL;
	for (size_t i = 0; i < b->role->rules_n; i++)
		if (hf_rbac_rule_allows(b->role->rules[i], r))
			return b->role->rules[i];
	return NULL;
}

static bool allows(const struct hf_rbac_subject *s, const struct hf_rbac_request *r, struct hf_rbac_grant *ret)
{
	for (size_t i = 0; s && i < s->bindings_n; i++) {
		const struct hf_rbac_rule *rule = asks(s->bindings[i], r);
		if (!rule)
			continue;
		if (ret)
			*ret = (struct hf_rbac_grant){ s, s->bindings[i], rule };
		return true;
	}
	return false;
}

const struct hf_rbac_subject *hf_rbac_find_subject(const struct hf_rbac_model *m, bool group, hf_sv name)
{
	char small[300];
	hf_cleanup(hf_buf_done) struct hf_buf large = HF_BUF(name.len + 1);
	hf_sv key = { small, name.len + 1 };

	if (!name.len)
		return NULL;
	if (key.len <= sizeof small) {
		small[0] = group ? 'g' : 'u';
		memcpy(small + 1, name.ptr, name.len);
	} else {
		hf_buf_add_char(&large, group ? 'g' : 'u');
		hf_buf_add(&large, name);
		key = hf_buf_view(&large);
	}
	struct hf_map_entry *e = hf_map_find(&m->by_name, key);
	return e ? e->value : NULL;
}

static bool is_master(const struct hf_rbac_user *user)
{
	for (size_t i = 0; i < user->groups_n; i++)
		if (hf_sv_eq(user->groups[i], MASTERS))
			return true;
	return false;
}

bool hf_rbac_can(const struct hf_rbac_model *m, const struct hf_rbac_user *user, const struct hf_rbac_request *r,
		 struct hf_rbac_grant *ret)
{
	bool allowed = allows(hf_rbac_find_subject(m, false, user->name), r, ret);

	for (size_t i = 0; i < user->groups_n && !allowed; i++)
		allowed = allows(hf_rbac_find_subject(m, true, user->groups[i]), r, ret);
	if (!allowed && is_master(user)) {
		if (ret)
			*ret = (struct hf_rbac_grant){ .subject = hf_rbac_find_subject(m, true, MASTERS) };
		return true;
	}
	return allowed;
}

const struct hf_rbac_grant *hf_rbac_who_can(const struct hf_rbac_model *m, const struct hf_rbac_request *r,
					    struct hf_arena *a, size_t *ret_n)
{
	HF_VEC(struct hf_rbac_grant) grants = { 0 };
	bool *seen = hf_arena_array(a, bool, m->subjects_n);

	for (size_t i = 0; seen && i < m->bindings_n; i++) {
		const struct hf_rbac_binding *b = m->bindings[i];
		const struct hf_rbac_rule *rule = asks(b, r);
		for (size_t s = 0; rule && s < b->subjects_n; s++) {
			struct hf_rbac_grant *g = seen[b->subjects[s]->number] ? NULL : hf_vec_push(a, &grants);
			if (g)
				*g = (struct hf_rbac_grant){ b->subjects[s], b, rule };
			seen[b->subjects[s]->number] = true;
		}
	}
	const struct hf_rbac_subject *masters = hf_rbac_find_subject(m, true, MASTERS);
	if (seen && masters && !seen[masters->number]) {
		struct hf_rbac_grant *g = hf_vec_push(a, &grants);
		if (g)
			g->subject = masters;
	}
	*ret_n = grants.n;
	return grants.at;
}

bool hf_rbac_is_account(hf_sv user, hf_sv *ret_namespace, hf_sv *ret_name)
{
	hf_sv namespace, name;

	if (!hf_sv_starts(user, ACCOUNT_PREFIX) ||
	    !hf_sv_cut(hf_sv_skip(user, ACCOUNT_PREFIX.len), ':', &namespace, &name) || !namespace.len || !name.len ||
	    hf_sv_index(name, ':') != SIZE_MAX)
		return false;
	*ret_namespace = namespace;
	*ret_name = name;
	return true;
}

struct hf_rbac_user hf_rbac_user_of(hf_sv name, const hf_sv *groups, size_t groups_n, struct hf_arena *a)
{
	bool anonymous = hf_sv_eq(name, HF_SV("system:anonymous")), has_either = false;
	hf_sv *all = hf_arena_array(a, hf_sv, groups_n + 3), namespace, account;
	struct hf_rbac_user user = { .name = name, .groups = all };

	if (!all)
		return user;
	for (size_t i = 0; i < groups_n; i++) {
		all[user.groups_n++] = groups[i];
		has_either |= hf_sv_eq(groups[i], HF_SV("system:authenticated")) ||
			      hf_sv_eq(groups[i], HF_SV("system:unauthenticated"));
	}
	if (!groups_n && hf_rbac_is_account(name, &namespace, &account)) {
		all[user.groups_n++] = HF_SV("system:serviceaccounts");
		all[user.groups_n++] = hf_arena_concat(a, HF_SV("system:serviceaccounts:"), namespace);
	}
	if (!has_either)
		all[user.groups_n++] = anonymous ? HF_SV("system:unauthenticated") : HF_SV("system:authenticated");
	return user;
}
