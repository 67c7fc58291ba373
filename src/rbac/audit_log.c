#include "rbac/audit_log.h"

#include "base/limits.h"

enum { KEY_PARTS = 8, NAMES_MAX = 16 }; /* names of one kind of request that are kept apart unasked */

struct reading {
	const struct hf_rbac_model *model;
	struct hf_arena *arena;
	struct hf_rbac_log *log;
	struct hf_map uses;  /* by all that tells them apart -> struct hf_rbac_use */
	struct hf_map kinds; /* the same without the name -> uint32_t, how many names */
	struct hf_map named; /* names that rules of the model name */
	struct hf_map days;  /* "2026-11-22" */
	struct hf_map begun; /* ids of requests whose answer had begun */
	uint64_t received;   /* events of requests before their answer */
	HF_VEC(const struct hf_rbac_use *) list;
	struct hf_buf key;
};

/* One request of an event, before it is counted. */
struct asked {
	hf_sv user, verb, group, resource, subresource, namespace, url, name;
	const struct hf_value *groups;
	hf_sv time;
};

/* What stands before the query of a request's URI. */
static hf_sv path_of(hf_sv uri)
{
	hf_sv path, query;

	return hf_sv_cut(uri, '?', &path, &query) ? path : uri;
}

static void add_groups(hf_sv key, struct hf_rbac_use *use, struct hf_arena *a)
{
	/* The groups are the last of the key, each behind a separator. */
	HF_VEC(hf_sv) groups = { 0 };
	hf_sv one;

	while (key.len && hf_sv_next(&key, '\x1f', &one)) {
		hf_sv *slot = one.len ? hf_vec_push(a, &groups) : NULL;
		if (slot)
			*slot = one;
	}
	use->user.groups = groups.at;
	use->user.groups_n = groups.n;
}

static void see(struct reading *r, struct hf_rbac_use *use, hf_sv time)
{
	use->count++;
	if (!time.len)
		return;
	if (!use->first.len || hf_sv_cmp(time, use->first) < 0)
		use->first = hf_arena_dup(r->arena, time);
	if (use->last.len != time.len)
		use->last = hf_arena_dup(r->arena, time);
	else if (hf_sv_cmp(time, use->last) > 0)
		memcpy((char *)use->last.ptr, time.ptr, time.len);
}

static void add_use(struct reading *r, hf_sv key, hf_sv time)
{
	struct hf_map_entry *e = hf_map_find(&r->uses, key);

	if (e) {
		see(r, e->value, time);
		return;
	}
	struct hf_rbac_use *use = hf_arena_new(r->arena, struct hf_rbac_use);
	const struct hf_rbac_use **slot = hf_vec_push(r->arena, &r->list);
	key = hf_arena_dup(r->arena, key);
	if (!use || !slot || !key.len || !(e = hf_map_put(&r->uses, key))) {
		r->list.n -= slot != NULL;
		return;
	}
	e->value = use;
	*slot = use;
	hf_sv parts[KEY_PARTS], rest = key;
	for (size_t i = 0; i < KEY_PARTS; i++)
		if (!hf_sv_next(&rest, '\x1f', &parts[i]))
			parts[i] = HF_SV("");
	use->user.name = parts[1];
	use->request = (struct hf_rbac_request){ .name = parts[0],
						 .verb = parts[2],
						 .group = parts[3],
						 .resource = parts[4],
						 .subresource = parts[5],
						 .namespace = parts[6],
						 .url = parts[7] };
	add_groups(rest.ptr ? rest : HF_SV(""), use, r->arena);
	see(r, use, time);
}

/* Past the first few a name that no rule names is as good as any other. */
static bool keeps_name(struct reading *r, hf_sv key, hf_sv name)
{
	hf_sv kind = hf_sv_skip(key, name.len + 1);

	if (!name.len || hf_map_find(&r->named, name) || hf_map_find(&r->uses, key))
		return true;
	struct hf_map_entry *e = hf_map_find(&r->kinds, kind);
	if (!e && !(e = hf_map_put(&r->kinds, hf_arena_dup(r->arena, kind))))
		return false;
	if (!e->value)
		e->value = hf_arena_new(r->arena, uint32_t);
	uint32_t *names = e->value;
	return names && (*names)++ < NAMES_MAX;
}

static void add_request(struct reading *r, const struct asked *q)
{
	const hf_sv parts[KEY_PARTS] = { q->name,     q->user,        q->verb,      q->group,
					 q->resource, q->subresource, q->namespace, q->url };

	r->key.len = 0;
	for (size_t i = 0; i < KEY_PARTS; i++) {
		if (parts[i].len && memchr(parts[i].ptr, '\x1f', parts[i].len))
			return;
		hf_buf_add(&r->key, parts[i]);
		hf_buf_add_char(&r->key, '\x1f');
	}
	hf_value_elements(q->groups, e)
	{
		hf_buf_add(&r->key, hf_value_text(e));
		hf_buf_add_char(&r->key, '\x1f');
	}
	if (r->key.over)
		return;
	hf_sv key = hf_buf_view(&r->key);
	add_use(r, keeps_name(r, key, q->name) ? key : hf_sv_skip(key, q->name.len), q->time);
}

/* Who acted as another had the right to. Groups that come of themselves are asked about too: rules that do not give them stay as they are. */
static void add_impersonation(struct reading *r, const struct asked *as, const struct hf_value *other)
{
	hf_sv name = hf_value_get_text(other, HF_SV("username")), namespace, account;
	struct asked q = { .user = as->user, .verb = HF_SV("impersonate"), .groups = as->groups, .time = as->time };

	q.resource = HF_SV("users");
	q.name = name;
	if (hf_rbac_is_account(name, &namespace, &account)) {
		q.resource = HF_SV("serviceaccounts");
		q.namespace = namespace;
		q.name = account;
	}
	add_request(r, &q);
	q.namespace = HF_SV("");
	q.resource = HF_SV("groups");
	hf_value_elements(hf_value_get(other, HF_SV("groups")), e)
	{
		q.name = hf_value_text(e);
		add_request(r, &q);
	}
	q.group = HF_SV("authentication.k8s.io");
	q.resource = HF_SV("uids");
	q.name = hf_value_get_text(other, HF_SV("uid"));
	if (q.name.len)
		add_request(r, &q);
	q.resource = HF_SV("userextras");
	hf_value_members(hf_value_get(other, HF_SV("extra")), m)
	{
		q.subresource = hf_member_key(m);
		hf_value_elements(&m->value, e)
		{
			q.name = hf_value_text(e);
			add_request(r, &q);
		}
	}
}

static hf_sv time_of(const struct hf_value *event)
{
	hf_sv time = hf_value_get_text(event, HF_SV("requestReceivedTimestamp"));

	time = time.len ? time : hf_value_get_text(event, HF_SV("stageTimestamp"));
	return hf_rbac_days_between(time, time) == 0 ? time : HF_SV("");
}

static void see_time(struct reading *r, hf_sv time)
{
	struct hf_rbac_log *log = r->log;

	if (!time.len)
		return;
	if (!log->first.len || hf_sv_cmp(time, log->first) < 0)
		log->first = hf_arena_dup(r->arena, time);
	if (!log->last.len || hf_sv_cmp(time, log->last) > 0)
		log->last = hf_arena_dup(r->arena, time);
	hf_sv day = hf_sv_first(time, 10);
	if (!hf_map_find(&r->days, day))
		hf_map_put(&r->days, hf_arena_dup(r->arena, day));
}

/* Is this the event of its request that counts? */
static bool is_answer(struct reading *r, const struct hf_value *event)
{
	hf_sv stage = hf_value_get_text(event, HF_SV("stage")), id = hf_value_get_text(event, HF_SV("auditID"));

	if (hf_sv_eq(stage, HF_SV("RequestReceived"))) {
		r->received++;
		return false;
	}
	if (hf_sv_eq(stage, HF_SV("ResponseStarted"))) {
		if (!id.len || hf_map_find(&r->begun, id))
			return false;
		hf_map_put(&r->begun, hf_arena_dup(r->arena, id));
		return true;
	}
	return !id.len || !hf_map_find(&r->begun, id);
}

static struct asked request_of(const struct hf_value *event, const struct hf_value *user)
{
	const struct hf_value *ref = hf_value_get(event, HF_SV("objectRef"));
	struct asked q = {
		.user = hf_value_get_text(user, HF_SV("username")),
		.groups = hf_value_get(user, HF_SV("groups")),
		.verb = hf_value_get_text(event, HF_SV("verb")),
		.group = hf_value_get_text(ref, HF_SV("apiGroup")),
		.resource = hf_value_get_text(ref, HF_SV("resource")),
		.subresource = hf_value_get_text(ref, HF_SV("subresource")),
		.namespace = hf_value_get_text(ref, HF_SV("namespace")),
		.url = ref ? HF_SV("") : path_of(hf_value_get_text(event, HF_SV("requestURI"))),
		.name = hf_value_get_text(ref, HF_SV("name")),
		.time = time_of(event),
	};

	/* The log has the new object's name, which the authorizer was not asked with. */
	if (!q.subresource.len && hf_sv_eq(q.verb, HF_SV("create")))
		q.name = HF_SV("");
	return q;
}

/* An event of a request that the API server let through. */
static void read_event(struct reading *r, const struct hf_value *event)
{
	const struct hf_value *user = hf_value_get(event, HF_SV("user")),
			      *other = hf_value_get(event, HF_SV("impersonatedUser")),
			      *notes = hf_value_get(event, HF_SV("annotations"));
	hf_sv decision = hf_value_get_text(notes, HF_SV("authorization.k8s.io/decision")),
	      reason = hf_value_get_text(notes, HF_SV("authorization.k8s.io/reason"));
	struct asked q = request_of(event, other ? other : user);
	int64_t code = 0;

	if (!q.user.len || !q.verb.len) {
		r->log->unreadable++;
		return;
	}
	see_time(r, q.time);
	if (!is_answer(r, event))
		return;
	r->log->events++;
	r->log->truncated += hf_sv_eq(hf_value_get_text(notes, HF_SV("audit.k8s.io/truncated")), HF_SV("true"));
	hf_value_int(hf_value_at(event, "responseStatus.code"), &code);
	struct asked as = request_of(event, user);
	if (other && as.user.len)
		add_impersonation(r, &as, other);
	if (hf_sv_eq(decision, HF_SV("forbid")) || (!decision.len && (code == 401 || code == 403))) {
		r->log->denied++;
		return;
	}
	r->log->other += reason.len && !hf_sv_starts(reason, HF_SV("RBAC: "));
	add_request(r, &q);
}

/* JSON values one behind the other; what cannot be read is passed over to the end of its line. */
static void read_text(struct reading *r, hf_sv log)
{
	struct hf_arena scratch = HF_ARENA(HF_MIB(512));

	for (size_t at = 0, used = 0; at < log.len && !r->arena->over;) {
		struct hf_value v = { 0 };
		struct hf_err err = { 0 };
		hf_sv rest = hf_sv_skip(log, at);
		if (hf_value_of_json(rest, 0, &scratch, (struct hf_value_notes){ 0 }, &v, &used, &err) < 0) {
			if (!r->log->unreadable++)
				r->log->unreadable_byte = at;
			size_t line = hf_sv_index(rest, '\n');
			used = line == SIZE_MAX ? rest.len : line + 1;
		} else if (hf_value_is(hf_value_get(&v, HF_SV("items")), HF_VALUE_ARRAY)) {
			hf_value_elements(hf_value_get(&v, HF_SV("items")), e) read_event(r, e);
		} else {
			read_event(r, &v);
		}
		at += used ? used : 1;
		hf_arena_reset(&scratch);
	}
	hf_arena_done(&scratch);
}

const struct hf_rbac_log *hf_rbac_read_log(const struct hf_rbac_model *m, hf_sv text, struct hf_arena *a)
{
	struct hf_rbac_log *log = hf_arena_new(a, struct hf_rbac_log);
	struct reading r = { .model = m,
			     .arena = a,
			     .log = log,
			     .uses = HF_MAP(a),
			     .kinds = HF_MAP(a),
			     .named = HF_MAP(a),
			     .days = HF_MAP(a),
			     .begun = HF_MAP(a),
			     .key = HF_BUF(HF_KIB(64)) };

	if (!log)
		return NULL;
	for (size_t i = 0; i < m->roles_n; i++)
		for (size_t n = 0; n < m->roles[i]->rules_n; n++)
			for (size_t k = 0; k < m->roles[i]->rules[n]->names.n; k++)
				hf_map_put(&r.named, m->roles[i]->rules[n]->names.at[k]);
	read_text(&r, text);
	hf_buf_done(&r.key);
	log->uses = r.list.at;
	log->uses_n = r.list.n;
	log->days = r.days.n;
	log->unanswered = r.received > log->events ? r.received - log->events : 0;
	return a->over ? NULL : log;
}

static bool number(hf_sv s, size_t at, size_t n, int64_t *ret)
{
	uint64_t value;

	if (s.len < at + n || !hf_sv_to_u64(hf_sv_slice(s, at, n), &value))
		return false;
	*ret = (int64_t)value;
	return true;
}

/* Seconds since an arbitrary day, of a time in UTC; -1. Days are counted in eras of 400 years that begin in March. */
static int64_t seconds_of(hf_sv t)
{
	int64_t year, month, day, hour, minute, second;

	if (!number(t, 0, 4, &year) || !number(t, 5, 2, &month) || !number(t, 8, 2, &day) || !number(t, 11, 2, &hour) ||
	    !number(t, 14, 2, &minute) || !number(t, 17, 2, &second) || month < 1 || month > 12)
		return -1;
	year -= month <= 2;
	int64_t in_era = year % 400, in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t days = year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

int64_t hf_rbac_days_between(hf_sv first, hf_sv last)
{
	int64_t from = seconds_of(first), to = seconds_of(last);

	return from < 0 || to < from ? -1 : (to - from) / 86400;
}
