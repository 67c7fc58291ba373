/* kube rbac audit --format patch, apply and json: what an audit log leaves of the roles, as changes. */
#include "base/limits.h"
#include "check/edit.h"
#include "check/text_diff.h"
#include "cmd/kube/kube_file.h"
#include "cmd/kube/kube_rbac.h"
#include "cmd/log.h"
#include "rbac/trim.h"

enum { EDITS_MAX = 6 };

/* What becomes of one object: changes of its text, and the whole of it as it is to be applied. */
struct draft {
	const struct hf_kube_object *object;
	struct hf_edit edits[EDITS_MAX];
	size_t edits_n;
	hf_sv whole;
	size_t news, news_n; /* objects that come with it */
};

struct patching {
	struct rbac_writer *w;
	struct hf_arena *arena;
	const struct hf_rbac_audit *audit;
	const struct hf_rbac_trim *trim;
	bool in_place; /* in the text of files; else in a cluster, where a binding's role and kind cannot be changed */
	HF_VEC(struct draft) drafts;
	HF_VEC(hf_sv) news; /* new objects, as JSON */
	struct kube_file *files;
	hf_sv *more; /* by file: what is put behind it */
	size_t refused;
};

/* ---- JSON of parts and objects ---- */

struct json {
	struct hf_buf buf;
	struct hf_json_writer w;
};

static void json_begin(struct json *j)
{
	j->buf = HF_BUF(HF_MIB(16));
	j->w = (struct hf_json_writer){ .out = &j->buf, .compact = true };
}

static hf_sv json_end(struct json *j, struct hf_arena *a)
{
	struct hf_err err = { 0 };
	hf_sv text = { 0 };

	if (hf_jw_finish(&j->w, &err) >= 0)
		text = hf_arena_dup(a, hf_sv_trim(hf_buf_view(&j->buf)));
	hf_buf_done(&j->buf);
	return text;
}

static hf_sv quoted(struct hf_arena *a, hf_sv s)
{
	struct json j;

	json_begin(&j);
	hf_jw_string(&j.w, s);
	return json_end(&j, a);
}

static hf_sv rules_json(struct hf_arena *a, const struct hf_rbac_narrow_rule *rules, size_t n)
{
	struct json j;

	json_begin(&j);
	hf_jw_array(&j.w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(&j.w);
		if (!rules[i].urls)
			hf_jw_strings(&j.w, "apiGroups", &rules[i].group, 1);
		hf_jw_strings(&j.w, rules[i].urls ? "nonResourceURLs" : "resources", rules[i].resources,
			      rules[i].resources_n);
		if (rules[i].names.n)
			hf_jw_strings(&j.w, "resourceNames", rules[i].names.at, rules[i].names.n);
		hf_jw_strings(&j.w, "verbs", rules[i].verbs, rules[i].verbs_n);
		hf_jw_object_end(&j.w);
	}
	hf_jw_array_end(&j.w);
	return json_end(&j, a);
}

/* @all false: an empty list. */
static hf_sv subjects_json(struct hf_arena *a, const struct hf_rbac_trim_binding *b, bool all)
{
	struct json j;
	size_t i = 0;

	json_begin(&j);
	hf_jw_array(&j.w);
	hf_value_elements(hf_value_get(b->binding->object->root, HF_SV("subjects")), e)
	{
		if (all && b->keeps[i])
			hf_value_write_json(&j.w, e);
		i++;
	}
	hf_jw_array_end(&j.w);
	return json_end(&j, a);
}

/* An object in the shape of another, or (@like NULL) of none. */
struct shape {
	const struct hf_kube_object *like;
	const char *kind;
	hf_sv name, namespace, rules, subjects;
	const char *role_kind;
	hf_sv role_name;
};

static bool is_servers_own(hf_sv key)
{
	static const char *const keys[] = { "uid",        "resourceVersion", "creationTimestamp",
					    "generation", "managedFields",   "selfLink",
					    "name",       "namespace" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(keys); i++)
		if (hf_sv_eq(key, hf_sv_of(keys[i])))
			return true;
	return false;
}

static hf_sv object_json(struct hf_arena *a, const struct shape *s)
{
	struct json j;

	json_begin(&j);
	hf_jw_object(&j.w);
	hf_jw_kv(&j.w, "apiVersion", HF_SV("rbac.authorization.k8s.io/v1"));
	hf_jw_kv(&j.w, "kind", hf_sv_of(s->kind));
	hf_jw_key(&j.w, "metadata");
	hf_jw_object(&j.w);
	hf_jw_kv(&j.w, "name", s->name);
	hf_jw_kv_if(&j.w, "namespace", s->namespace);
	hf_value_members(s->like ? s->like->metadata : NULL, m)
	{
		if (is_servers_own(hf_member_key(m)))
			continue;
		hf_jw_key_sv(&j.w, hf_member_key(m));
		hf_value_write_json(&j.w, &m->value);
	}
	hf_jw_object_end(&j.w);
	if (s->rules.len) {
		hf_jw_key(&j.w, "rules");
		hf_jw_literal(&j.w, s->rules);
	}
	if (s->role_kind) {
		hf_jw_key(&j.w, "roleRef");
		hf_jw_object(&j.w);
		hf_jw_kv(&j.w, "apiGroup", HF_SV("rbac.authorization.k8s.io"));
		hf_jw_kv(&j.w, "kind", hf_sv_of(s->role_kind));
		hf_jw_kv(&j.w, "name", s->role_name);
		hf_jw_object_end(&j.w);
		hf_jw_key(&j.w, "subjects");
		hf_jw_literal(&j.w, s->subjects);
	}
	hf_jw_object_end(&j.w);
	return json_end(&j, a);
}

/* ---- what becomes of each object ---- */

static struct draft *draft(struct patching *p, const struct hf_kube_object *o)
{
	struct draft *d = hf_vec_push(p->arena, &p->drafts);

	if (d)
		*d = (struct draft){ .object = o, .news = p->news.n };
	return d;
}

static void edit(struct draft *d, hf_sv pointer, hf_sv json)
{
	d->edits[d->edits_n++] = (struct hf_edit){ .pointer = pointer, .json = json, .loses_comments = true };
}

static void add_new(struct patching *p, struct draft *d, const struct shape *s)
{
	hf_sv *slot = hf_vec_push(p->arena, &p->news);

	if (!slot)
		return;
	*slot = object_json(p->arena, s);
	d->news_n++;
}

static void draft_role(struct patching *p, const struct hf_rbac_trim_role *r)
{
	struct draft *d = draft(p, r->role->object);

	if (!d)
		return;
	hf_sv rules = rules_json(p->arena, r->rules, r->rules_n);
	edit(d, HF_SV("/rules"), rules);
	d->whole = object_json(p->arena, &(struct shape){ .like = r->role->object,
							  .kind = r->role->namespace.len ? "Role" : "ClusterRole",
							  .name = r->role->name,
							  .namespace = r->role->namespace,
							  .rules = rules });
}

static const char *role_kind_of(const struct hf_rbac_trim_binding *t, const struct hf_rbac_own_role *own)
{
	if (own)
		return own->namespace.len ? "Role" : "ClusterRole";
	return hf_sv_eq(t->binding->role_kind, HF_SV("Role")) ? "Role" : "ClusterRole";
}

/* In its text the binding becomes the first of those that take its place; in a cluster it loses its subjects, and all of them are new. */
static void draft_binding(struct patching *p, const struct hf_rbac_trim_binding *t)
{
	const struct hf_rbac_binding *b = t->binding;
	struct draft *d = draft(p, b->object);
	bool moves = t->own_n || t->namespaces_n;
	hf_sv kept = subjects_json(p->arena, t, true), whose = t->own_n ? t->own_name : b->role_name;

	if (!d)
		return;
	for (size_t i = 0; i < t->own_n; i++)
		add_new(p, d,
			&(struct shape){ .kind = role_kind_of(t, &t->own[i]),
					 .name = t->own_name,
					 .namespace = t->own[i].namespace,
					 .rules = rules_json(p->arena, t->own[i].rules, t->own[i].rules_n) });
	for (size_t i = p->in_place ? 1 : 0; moves && i < (t->namespaces_n ? t->namespaces_n : 1); i++) {
		hf_sv namespace = t->namespaces_n ? t->namespaces[i] : b->namespace;
		add_new(p, d,
			&(struct shape){ .like = b->object,
					 .kind = namespace.len ? "RoleBinding" : "ClusterRoleBinding",
					 .name = t->name,
					 .namespace = namespace,
					 .role_kind = role_kind_of(t, t->own_n ? &t->own[i] : NULL),
					 .role_name = whose,
					 .subjects = kept });
	}
	if (!p->in_place || t->kept < t->elements)
		edit(d, HF_SV("/subjects"), moves && !p->in_place ? HF_SV("[]") : kept);
	d->whole =
		object_json(p->arena, &(struct shape){ .like = b->object,
						       .kind = b->namespace.len ? "RoleBinding" : "ClusterRoleBinding",
						       .name = b->name,
						       .namespace = b->namespace,
						       .role_kind = role_kind_of(t, NULL),
						       .role_name = b->role_name,
						       .subjects = moves ? HF_SV("[]") : kept });
	if (!p->in_place)
		return;
	if (t->namespaces_n) {
		edit(d, HF_SV("/kind"), HF_SV("\"RoleBinding\""));
		edit(d, HF_SV("/metadata/namespace"), quoted(p->arena, t->namespaces[0]));
	}
	if (!hf_sv_eq(t->name, b->name))
		edit(d, HF_SV("/metadata/name"), quoted(p->arena, t->name));
	if (t->own_n) {
		edit(d, HF_SV("/roleRef/kind"), t->own[0].namespace.len ? HF_SV("\"Role\"") : HF_SV("\"ClusterRole\""));
		edit(d, HF_SV("/roleRef/name"), quoted(p->arena, t->own_name));
	}
}

static void draft_all(struct patching *p)
{
	for (size_t i = 0; i < p->trim->roles_n; i++)
		draft_role(p, &p->trim->roles[i]);
	for (size_t i = 0; i < p->trim->bindings_n; i++)
		draft_binding(p, &p->trim->bindings[i]);
}

static void yaml_of(struct patching *p, hf_sv json, struct hf_buf *out)
{
	struct hf_value v;
	size_t used;
	struct hf_err err = { 0 };

	hf_buf_add(out, HF_SV("---\n"));
	if (hf_value_of_json(json, 0, p->arena, (struct hf_value_notes){ 0 }, &v, &used, &err) >= 0)
		hf_value_write_yaml(out, &v);
	if (out->len && out->ptr[out->len - 1] != '\n')
		hf_buf_add_char(out, '\n');
}

/* ---- the proof ---- */

static size_t replaced(const struct hf_kube_objects *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += set->objects[i]->replaced;
	return n;
}

/* All that the log's requests were allowed by is still there, and nothing new took the place of something else. */
static int prove(struct patching *p, const struct kube_file *files, const struct kube_more *more, struct hf_err *err)
{
	const struct hf_rbac_model *m = p->audit->model;
	const struct hf_kube_objects *set = kube_files_load(files, p->w->run->inputs_n, more, p->arena, err);
	const struct hf_rbac_model *after =
		set ? hf_rbac_build(set, m->cluster,
				    m->defaults_added ? HF_RBAC_DEFAULTS_WITH : HF_RBAC_DEFAULTS_WITHOUT, p->arena)
		    : NULL;

	if (!after)
		return err->code < 0 ? err->code
				     : hf_fail(err, HF_E_LIMIT, "the patch needs more memory than is allowed");
	if (replaced(set) != replaced(m->objects) + (p->in_place ? 0 : p->drafts.n))
		return hf_fail(err, HF_E_UNSUPPORTED, "no patch: two objects would be one");
	const struct hf_rbac_use *lost = hf_rbac_replay(p->audit->log, m, after);
	if (!lost)
		return HF_OK;
	hf_sv what = lost->request.url.len ? lost->request.url : lost->request.resource;
	return hf_fail(err, HF_E_UNSUPPORTED, "no patch: %.*s could not %.*s %.*s any more, which it did",
		       HF_SV_FMT(lost->user.name), HF_SV_FMT(lost->request.verb), HF_SV_FMT(what));
}

/* ---- in the text of files ---- */

static struct kube_file *file_of(struct patching *p, const struct hf_kube_object *o)
{
	for (size_t i = 0; i < p->w->run->inputs_n; i++)
		if (p->w->run->inputs[i].text.ptr == o->source->text.ptr)
			return &p->files[i];
	return NULL;
}

static void refuse(struct patching *p, const struct hf_kube_object *o, const char *why)
{
	p->refused++;
	log_at(LOG_WARNING, o->source->name, 0, 0, "%.*s stays as it is: %s", HF_SV_FMT(o->name), why);
}

static void edit_text(struct patching *p, const struct draft *d)
{
	struct kube_file *file = file_of(p, d->object);
	struct kube_document *in = file && file->documents ? kube_file_at(file, d->object->root->offset) : NULL;
	struct hf_edit edits[EDITS_MAX];
	hf_sv prefix, text;
	struct hf_err err = { 0 };

	if (!in || !kube_document_pointer(file, in, d->object, p->arena, &prefix)) {
		refuse(p, d->object, "its place in a file was not found");
		return;
	}
	if (d->news_n && file->json) {
		refuse(p, d->object, "new objects cannot be put into JSON; --format apply writes them");
		return;
	}
	for (size_t i = 0; i < d->edits_n; i++) {
		edits[i] = d->edits[i];
		edits[i].pointer = hf_arena_concat(p->arena, prefix, edits[i].pointer);
	}
	if (hf_edit(in->after.ptr ? in->after : in->before, file->json, edits, d->edits_n, p->arena, &text, &err) < 0) {
		refuse(p, d->object, err.msg);
		return;
	}
	in->after = text;
	hf_cleanup(hf_buf_done) struct hf_buf more = HF_BUF(HF_MIB(16));
	for (size_t i = 0; i < d->news_n; i++)
		yaml_of(p, p->news.at[d->news + i], &more);
	size_t at = (size_t)(file - p->files);
	p->more[at] = hf_arena_concat(p->arena, p->more[at], hf_buf_view(&more));
}

static int write_diff(struct patching *p, struct hf_err *err)
{
	struct kube_run *k = p->w->run;
	int r = HF_OK;

	p->files = hf_arena_array(p->arena, struct kube_file, k->inputs_n);
	p->more = hf_arena_array(p->arena, hf_sv, k->inputs_n);
	if (!p->files || !p->more)
		return hf_fail(err, HF_E_LIMIT, "the inputs need more memory than is allowed");
	for (size_t i = 0; i < k->inputs_n && r >= 0; i++) {
		p->files[i] = (struct kube_file){ .input = &k->inputs[i], .text = k->inputs[i].text };
		const char *target = k->targets_n > k->inputs[i].target ? k->targets[k->inputs[i].target] : "";
		if (strncmp(target, "cluster:", 8) && (!k->inputs[i].cluster.len || k->inputs[i].saved))
			r = kube_file_split(&p->files[i], p->arena, err);
	}
	for (size_t i = 0; i < p->drafts.n && r >= 0; i++)
		edit_text(p, &p->drafts.at[i]);
	for (size_t i = 0; i < k->inputs_n && r >= 0; i++) {
		r = p->files[i].documents ? kube_file_join(&p->files[i], p->arena, err) : HF_OK;
		if (r < 0 || !p->more[i].len)
			continue;
		bool open = p->files[i].text.len && !hf_sv_ends(p->files[i].text, HF_SV("\n"));
		p->files[i].text = hf_arena_fmt(p->arena, "%.*s%s%.*s", HF_SV_FMT(p->files[i].text), open ? "\n" : "",
						HF_SV_FMT(p->more[i]));
	}
	if (r >= 0)
		r = prove(p, p->files, NULL, err);
	for (size_t i = 0; i < k->inputs_n && r >= 0; i++) {
		hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_KUBE_INPUT_MAX);
		hf_text_diff(&text, k->inputs[i].name, k->inputs[i].text, p->files[i].text, p->arena);
		hf_out_add(p->w->out, hf_buf_view(&text));
	}
	return r;
}

/* ---- for a cluster ---- */

static int check_stream(struct patching *p, struct hf_buf *stream, struct hf_err *err)
{
	struct kube_run *k = p->w->run;
	struct kube_file *files = hf_arena_array(p->arena, struct kube_file, k->inputs_n);
	const struct hf_kube_objects *set = p->audit->model->objects;
	struct kube_more more = { .cluster = p->audit->model->cluster };

	for (size_t i = 0; i < p->news.n; i++)
		yaml_of(p, p->news.at[i], stream);
	for (size_t i = 0; i < p->drafts.n; i++)
		yaml_of(p, p->drafts.at[i].whole, stream);
	if (!files || stream->over)
		return hf_fail(err, HF_E_LIMIT, "the patch needs more memory than is allowed");
	for (size_t i = 0; i < k->inputs_n; i++)
		files[i] = (struct kube_file){ .input = &k->inputs[i], .text = k->inputs[i].text };
	for (size_t i = 0; i < set->n && !more.saved; i++)
		more.saved = hf_sv_eq(set->objects[i]->cluster, more.cluster) && set->objects[i]->source->saved;
	more.text = hf_buf_view(stream);
	return prove(p, files, &more, err);
}

static void json_edit(struct hf_json_writer *j, const struct hf_edit *e)
{
	hf_jw_object(j);
	hf_jw_kv(j, "op", HF_SV("replace"));
	hf_jw_kv(j, "path", e->pointer);
	hf_jw_key(j, "value");
	hf_jw_literal(j, e->json);
	hf_jw_object_end(j);
}

static void json_patches(struct patching *p, struct hf_json_writer *j)
{
	hf_jw_key(j, "create");
	hf_jw_array(j);
	for (size_t i = 0; i < p->news.n; i++)
		hf_jw_literal(j, p->news.at[i]);
	hf_jw_array_end(j);
	hf_jw_key(j, "patches");
	hf_jw_array(j);
	for (size_t i = 0; i < p->drafts.n; i++) {
		const struct draft *d = &p->drafts.at[i];
		hf_jw_object(j);
		hf_jw_kv(j, "kind", d->object->kind_name);
		hf_jw_kv_if(j, "namespace", d->object->namespace);
		hf_jw_kv(j, "name", d->object->name);
		hf_jw_key(j, "json_patch");
		hf_jw_array(j);
		for (size_t e = 0; e < d->edits_n; e++)
			json_edit(j, &d->edits[e]);
		hf_jw_array_end(j);
		hf_jw_object_end(j);
	}
	hf_jw_array_end(j);
	hf_jw_key(j, "left");
	hf_jw_array(j);
	for (size_t i = 0; i < p->trim->left_n; i++) {
		const struct hf_kube_object *o = p->trim->left[i].object;
		hf_jw_object(j);
		hf_jw_kv(j, "kind", o->kind_name);
		hf_jw_kv_if(j, "namespace", o->namespace);
		hf_jw_kv(j, "name", o->name);
		hf_jw_kv(j, "why", p->trim->left[i].why);
		hf_jw_object_end(j);
	}
	hf_jw_array_end(j);
	hf_jw_kv_uint(j, "granted_pairs", p->trim->granted);
	hf_jw_kv_uint(j, "used_pairs", p->trim->used);
}

/* ---- what is said beside it ---- */

static void tell(hf_sv text)
{
	log_note("%.*s", HF_SV_FMT(text));
}

static void tell_bindings(struct patching *p)
{
	struct hf_arena *a = p->arena;

	for (size_t i = 0; i < p->trim->bindings_n; i++) {
		const struct hf_rbac_trim_binding *t = &p->trim->bindings[i];
		hf_sv binding = hf_rbac_binding_text(t->binding, a);
		if (!t->kept)
			tell(hf_arena_fmt(a, "%.*s: nobody used it", HF_SV_FMT(binding)));
		else if (t->namespaces_n)
			tell(hf_arena_fmt(a, "%.*s becomes a RoleBinding in %zu of the namespaces%s",
					  HF_SV_FMT(binding), t->namespaces_n,
					  p->in_place ? ": delete it where it was applied"
						      : "; it is left without subjects"));
		else if (t->own_n)
			tell(hf_arena_fmt(a, "%.*s becomes %.*s%s", HF_SV_FMT(binding), HF_SV_FMT(t->own_name),
					  p->in_place ? ": delete it where it was applied"
						      : "; it is left without subjects"));
	}
}

static void tell_all(struct patching *p)
{
	struct hf_arena *a = p->arena;

	tell_bindings(p);
	for (size_t i = 0; i < p->trim->roles_n; i++)
		if (p->trim->roles[i].holders > 1) {
			hf_sv role = hf_rbac_role_text(p->trim->roles[i].role, a);
			tell(hf_arena_fmt(a, "%.*s keeps what its %zu bindings used together", HF_SV_FMT(role),
					  p->trim->roles[i].holders));
		}
	for (size_t i = 0; i < p->trim->left_n; i++)
		tell(hf_arena_fmt(a, "%.*s %.*s stays as it is: %.*s", HF_SV_FMT(p->trim->left[i].object->kind_name),
				  HF_SV_FMT(p->trim->left[i].object->name), HF_SV_FMT(p->trim->left[i].why)));
	uint64_t granted = p->trim->granted, used = p->trim->used < granted ? p->trim->used : granted;
	tell(hf_arena_fmt(a,
			  "of %llu pairs of a verb and a resource that were granted %llu were used; all %zu kinds of "
			  "requests that the log shows are still allowed",
			  (unsigned long long)granted, (unsigned long long)used, p->audit->log->uses_n));
}

int rbac_patch(struct rbac_writer *w, const struct hf_rbac_audit *audit, struct hf_err *err)
{
	struct patching p = { .w = w, .arena = w->arena, .audit = audit, .in_place = w->ask->patch };
	hf_cleanup(hf_buf_done) struct hf_buf stream = HF_BUF(HF_KUBE_INPUT_MAX);
	int r;

	p.trim = hf_rbac_trim(audit, w->arena);
	if (!p.trim)
		return hf_fail(err, HF_E_LIMIT, "the roles need more memory than is allowed");
	draft_all(&p);
	r = p.in_place ? write_diff(&p, err) : check_stream(&p, &stream, err);
	if (r < 0)
		return r;
	if (w->json)
		json_patches(&p, w->json);
	else if (!p.in_place)
		hf_out_add(w->out, hf_buf_view(&stream));
	tell_all(&p);
	return p.refused ? KUBE_PARTIAL : 0;
}
