#include "admission/review.h"

#include <stdio.h>
#include <stdlib.h>

#include "admission/namespaces.h"
#include "base/hash.h"
#include "base/limits.h"
#include "check/check.h"
#include "format/json.h"
#include "format/json_writer.h"
#include "kube/object.h"
#include "policy/pattern.h"
#include "pss/labels.h"

enum { ALLOWED_SLOTS = 4096 };

/* Two hashes under this process's key stand for an object. */
struct fingerprint {
	uint64_t first, second;
};

struct hf_admission {
	const struct hf_admission_settings *settings;
	const struct hf_policies *policies;
	struct hf_policy_joint *programs;
	const struct hf_check ***checks; /* of policies that name some */
	struct hf_admission_images images;
	const uint32_t *left_out; /* policies that are not asked */
	size_t left_out_n;
	struct hf_admission_namespaces namespaces;
	struct fingerprint allowed[ALLOWED_SLOTS]; /* objects that were let in without a word */
};

int hf_admission_new(const struct hf_admission_settings *s, const struct hf_policies *p,
		     struct hf_admission_images images, struct hf_admission **ret, struct hf_err *err)
{
	struct hf_admission *a = hf_calloc(1, sizeof *a);

	*a = (struct hf_admission){ .settings = s, .policies = p, .images = images };
	a->checks = hf_calloc(p->n + 1, sizeof(struct hf_check **));
	*ret = a;
	int r = hf_policy_joint_compile(p, &a->programs, err);
	for (size_t i = 0; i < p->n && r >= 0; i++) {
		const struct hf_policy *policy = &p->at[i];
		if (policy->check.len && !(a->checks[i] = hf_check_find(policy->check)))
			r = hf_fail(err, HF_E_FORMAT, "policy %.*s: '%.*s' is no check", HF_SV_FMT(policy->id),
				    HF_SV_FMT(policy->check));
	}
	if (r < 0) {
		hf_admission_free(a);
		*ret = NULL;
	}
	return r < 0 ? r : HF_OK;
}

static bool asks_of_namespace(const struct hf_policy *p)
{
	return hf_sv_find(p->program, HF_SV("$namespace")) != SIZE_MAX;
}

bool hf_admission_wants_namespaces(const struct hf_admission_settings *s, const struct hf_policies *p)
{
	bool wanted = s->from_labels;

	for (size_t i = 0; i < p->n; i++)
		wanted |= asks_of_namespace(&p->at[i]);
	return wanted;
}

int hf_admission_set_namespaces(struct hf_admission *a, hf_sv objects, struct hf_err *err)
{
	memset(a->allowed, 0, sizeof a->allowed);
	return hf_admission_namespaces_set(&a->namespaces, objects, err);
}

void hf_admission_free(struct hf_admission *a)
{
	if (!a)
		return;
	hf_admission_namespaces_done(&a->namespaces);
	hf_policy_joint_free(a->programs);
	for (size_t i = 0; i < a->policies->n; i++)
		free(a->checks[i]);
	free(a->checks);
	free(a);
}

void hf_admission_watch(struct hf_admission *a, struct hf_policy_board *board)
{
	hf_policy_joint_watch(a->programs, board);
}

void hf_admission_leave_out(struct hf_admission *a, const uint32_t *policies, size_t n)
{
	a->left_out = policies;
	a->left_out_n = n;
}

/* The parts of a request; texts of objects as they stand. */
struct request {
	hf_sv object, old_object;
};

static void read_kind(struct hf_json *j, hf_sv *ret)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("kind")))
			*ret = hf_json_string(j);
		else
			hf_json_skip(j);
}

static void read_user(struct hf_json *j, hf_sv *ret)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("username")))
			*ret = hf_json_string(j);
		else
			hf_json_skip(j);
}

static void read_request(struct hf_json *j, struct hf_admission_decision *d, struct request *r)
{
	hf_sv key;

	hf_json_members(j, &key) {
		const struct {
			hf_sv key;
			hf_sv *to;
		} texts[] = {
			{ HF_SV("uid"), &d->uid },
			{ HF_SV("operation"), &d->operation },
			{ HF_SV("namespace"), &d->namespace },
			{ HF_SV("name"), &d->name },
			{ HF_SV("subResource"), &d->subresource },
		};
		size_t i = 0;
		while (i < HF_ARRAY_SIZE(texts) && !hf_sv_eq(key, texts[i].key))
			i++;
		if (i < HF_ARRAY_SIZE(texts))
			*texts[i].to = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("kind")))
			read_kind(j, &d->kind);
		else if (hf_sv_eq(key, HF_SV("userInfo")))
			read_user(j, &d->user);
		else if (hf_sv_eq(key, HF_SV("dryRun")))
			d->dry_run = hf_json_bool(j, false);
		else if (hf_sv_eq(key, HF_SV("object")))
			r->object = hf_json_raw(j);
		else if (hf_sv_eq(key, HF_SV("oldObject")))
			r->old_object = hf_json_raw(j);
		else
			hf_json_skip(j);
	}
}

static int read_review(hf_sv text, struct hf_arena *a, struct hf_admission_decision *d, struct request *r,
		       struct hf_err *err)
{
	struct hf_json j = hf_json_of(text, a);
	hf_sv key, kind = { 0 };

	hf_json_members(&j, &key)
		if (hf_sv_eq(key, HF_SV("apiVersion")))
			d->version = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("kind")))
			kind = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("request")))
			read_request(&j, d, r);
		else
			hf_json_skip(&j);
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "byte %zu: %s", j.at, j.why);
	if (!hf_sv_eq(kind, HF_SV("AdmissionReview")) || !d->uid.len ||
	    (!hf_sv_eq(d->version, HF_SV("admission.k8s.io/v1")) &&
	     !hf_sv_eq(d->version, HF_SV("admission.k8s.io/v1beta1"))))
		return hf_fail(err, HF_E_FORMAT, "no AdmissionReview of admission.k8s.io/v1 with a request and a uid");
	return HF_OK;
}

struct judge {
	struct hf_admission *admission;
	struct hf_arena *arena;
	struct hf_admission_decision *decision;
	HF_VEC(struct hf_admission_reason) reasons;
	const struct hf_kube_objects *set;
	const struct hf_kube_object *object;
	const struct hf_kube_pod *pods;
	size_t pods_n;
	const struct hf_kube_object *namespace; /* NULL: not known, or nobody tells of them, or the object is in none */
};

static void object_to(struct judge *j, hf_sv rule, enum hf_policy_action action, bool unknown, hf_sv message)
{
	struct hf_admission_reason *r = hf_vec_push(j->arena, &j->reasons);

	if (r)
		*r = (struct hf_admission_reason){ rule, message, action, unknown };
	if (action == HF_POLICY_DENY)
		j->decision->allowed = false;
}

/* A verdict that rests on the namespace cannot be had. */
static bool lacks_namespace(struct judge *j)
{
	bool lacks = j->admission->namespaces.followed && j->object->namespace.len && !j->namespace;

	j->decision->namespace_unknown |= lacks;
	return lacks;
}

static hf_sv lack_message(struct judge *j)
{
	return hf_arena_fmt(j->arena, "the namespace %.*s is not known", HF_SV_FMT(j->object->namespace));
}

static hf_sv pss_message(struct judge *j, const struct hf_pss_policy *policy, const struct hf_pss_finding *f, size_t n)
{
	struct hf_buf text = HF_BUF(HF_KIB(16));
	char version[24];

	hf_buf_addf(&text, "violates %s:%.*s:", hf_pss_level_name(policy->level),
		    HF_SV_FMT(hf_pss_version_text(policy->minor, version)));
	for (size_t i = 0; i < n; i++)
		hf_buf_addf(&text, "%s %s (%.*s)", i ? "," : "", f[i].control->id, HF_SV_FMT(f[i].fields[0].path));
	hf_sv out = hf_arena_dup(j->arena, hf_buf_view(&text));
	hf_buf_done(&text);
	return out;
}

/* All pods of the object are, or none. */
static bool is_exempt_by_class(const struct judge *j)
{
	const struct hf_admission_settings *s = j->admission->settings;

	for (size_t i = 0; i < j->pods_n; i++) {
		hf_sv class = hf_value_get_text(j->pods[i].spec, HF_SV("runtimeClassName"));
		if (!class.len || !hf_pattern_any(s->exempt_runtime_classes, s->exempt_runtime_classes_n, class))
			return false;
	}
	return true;
}

static bool fails_pod_security(const struct judge *j, const struct hf_pss_policy *policy)
{
	for (size_t i = 0; i < j->pods_n; i++)
		if (hf_pss_failed(&j->pods[i], policy))
			return true;
	return false;
}

static void judge_pod_security(struct judge *j)
{
	const struct hf_admission_settings *s = j->admission->settings;
	struct {
		struct hf_pss_policy policy;
		enum hf_policy_action action;
		enum hf_pss_mode mode;
	} modes[] = { { s->enforce, HF_POLICY_DENY, HF_PSS_ENFORCE },
		      { s->warn, HF_POLICY_WARN, HF_PSS_WARN },
		      { s->audit, HF_POLICY_AUDIT, HF_PSS_AUDIT } };
	if (hf_pattern_any(s->exempt_namespaces, s->exempt_namespaces_n, j->decision->namespace) ||
	    hf_pattern_any(s->exempt_users, s->exempt_users_n, j->decision->user) || is_exempt_by_class(j))
		return;
	if (s->from_labels && lacks_namespace(j)) {
		object_to(j, HF_SV("pod-security"), s->fail_open ? HF_POLICY_WARN : HF_POLICY_DENY, true,
			  lack_message(j));
		return;
	}
	const struct hf_value *labels = j->namespace ? hf_value_get(j->namespace->metadata, HF_SV("labels")) : NULL;
	for (size_t i = 0; i < HF_ARRAY_SIZE(modes); i++) {
		const struct hf_pss_finding *f;
		if (s->from_labels)
			modes[i].policy = hf_pss_policy_of_labels(labels, modes[i].mode, modes[i].policy, NULL);
		/* What is refused by a label is not warned of by the same label. */
		bool told = s->from_labels && !j->decision->allowed && modes[i].action == HF_POLICY_WARN;
		if (told || !fails_pod_security(j, &modes[i].policy))
			continue;
		size_t n = hf_pss_evaluate(j->pods, j->pods_n, &modes[i].policy, j->arena, &f);
		if (n)
			object_to(j, HF_SV("pod-security"), modes[i].action, false,
				  pss_message(j, &modes[i].policy, f, n));
	}
}

static bool is_pinned(hf_sv image)
{
	size_t at = hf_sv_find(image, HF_SV("@sha256:"));

	return at != SIZE_MAX && image.len - at == 8 + 64;
}

/* Docker's names: what has no dot, colon, upper case or "localhost" before its first slash comes from docker.io, and what has one word
 * there from its folder library. */
static hf_sv whole_name(struct judge *j, hf_sv image)
{
	hf_sv host = { 0 }, rest = image;
	bool upper = false;

	if (hf_sv_cut(image, '/', &host, &rest))
		for (size_t i = 0; i < host.len; i++)
			upper |= host.ptr[i] >= 'A' && host.ptr[i] <= 'Z';
	bool is_host = hf_sv_index(host, '.') != SIZE_MAX || hf_sv_index(host, ':') != SIZE_MAX || upper ||
		       hf_sv_eq(host, HF_SV("localhost"));
	if (is_host && !hf_sv_eq(host, HF_SV("docker.io")) && !hf_sv_eq(host, HF_SV("index.docker.io")))
		return image;
	rest = is_host ? rest : image;
	return hf_arena_concat(
		j->arena, hf_sv_index(rest, '/') == SIZE_MAX ? HF_SV("docker.io/library/") : HF_SV("docker.io/"), rest);
}

static bool is_from(const struct hf_admission_settings *s, hf_sv name)
{
	for (size_t i = 0; i < s->registries_n; i++) {
		hf_sv prefix = s->registries[i];
		if (!hf_sv_starts(name, prefix))
			continue;
		char next = name.len > prefix.len ? name.ptr[prefix.len] : 0;
		/* "registry.test" must let neither registry.test.evil in nor registry.test:5000, which is another server. */
		if (!next || hf_sv_ends(prefix, HF_SV("/")) || next == '/' ||
		    ((next == ':' || next == '@') && hf_sv_index(prefix, '/') != SIZE_MAX))
			return true;
	}
	return !s->registries_n;
}

static void judge_image(struct judge *j, const struct hf_kube_container *c)
{
	const struct hf_admission_settings *s = j->admission->settings;
	const struct hf_admission_images *known = &j->admission->images;
	hf_sv name = whole_name(j, c->image);

	if (!is_from(s, name))
		object_to(j, HF_SV("image-registry"), s->images_action, false,
			  hf_arena_fmt(j->arena, "container %.*s: %.*s is from no registry that is allowed",
				       HF_SV_FMT(c->name), HF_SV_FMT(c->image)));
	if (s->require_digest && !is_pinned(c->image))
		object_to(j, HF_SV("image-digest"), s->images_action, false,
			  hf_arena_fmt(j->arena, "container %.*s: %.*s is not pinned by its digest", HF_SV_FMT(c->name),
				       HF_SV_FMT(c->image)));
	if (hf_pattern_any(s->denied_images, s->denied_images_n, name) ||
	    hf_pattern_any(s->denied_images, s->denied_images_n, c->image))
		object_to(j, HF_SV("image-denied"), s->images_action, false,
			  hf_arena_fmt(j->arena, "container %.*s: %.*s is denied", HF_SV_FMT(c->name),
				       HF_SV_FMT(c->image)));
	hf_sv objection = known->objection ? known->objection(known->ctx, c->image, j->arena) : (hf_sv){ 0 };
	if (objection.len)
		object_to(j, HF_SV("image-index"), s->images_action, false, objection);
}

static void judge_policy(struct judge *j, const struct hf_policy *p, const struct hf_policy_answer *answer)
{
	struct hf_policy_answer a = *answer;

	for (size_t k = 0; k < a.findings_n; k++)
		object_to(j, p->id, p->action, false,
			  a.findings[k].path.len
				  ? hf_arena_fmt(j->arena, "%.*s (%.*s)", HF_SV_FMT(a.findings[k].message),
						 HF_SV_FMT(a.findings[k].path))
				  : a.findings[k].message);
	if (a.error.len)
		object_to(j, p->id, p->allow_on_error ? HF_POLICY_WARN : p->action, true,
			  hf_arena_fmt(j->arena, "gives no verdict: %.*s", HF_SV_FMT(a.error)));
}

static void judge_check(struct judge *j, size_t i)
{
	const struct hf_policy *p = &j->admission->policies->at[i];
	const struct hf_check_settings s = { j->admission->settings->registries, j->admission->settings->registries_n };

	if (!hf_policy_applies(p, j->object))
		return;
	const struct hf_check_report *r = hf_check_all(j->set, j->admission->checks[i], &s, j->arena);
	for (size_t k = 0; r && k < r->results_n; k++) {
		const struct hf_check_result *found = hf_check_result_at(r, k);
		if (found->status == HF_CHECK_FAIL)
			object_to(j, p->id, p->action, false, found->message);
		else
			object_to(j, p->id, HF_POLICY_AUDIT, true, found->message);
	}
}

static void judge_policies(struct judge *j)
{
	const struct hf_policies *p = j->admission->policies;
	bool *wanted = hf_arena_array(j->arena, bool, p->n), any = false;
	struct hf_policy_answer *answers = hf_arena_array(j->arena, struct hf_policy_answer, p->n);

	if (!wanted || !answers)
		return; /* the arena is over: the review fails */
	for (size_t i = 0; i < p->n; i++) {
		wanted[i] = !j->admission->checks[i] && hf_policy_applies(&p->at[i], j->object) &&
			    (p->at[i].subject == HF_POLICY_OBJECT || j->pods_n);
		if (wanted[i] && asks_of_namespace(&p->at[i]) && lacks_namespace(j)) {
			wanted[i] = false;
			judge_policy(j, &p->at[i], &(struct hf_policy_answer){ .error = lack_message(j) });
		}
		any |= wanted[i];
	}
	for (size_t i = 0; i < j->admission->left_out_n; i++) {
		uint32_t policy = j->admission->left_out[i];
		if (policy >= p->n || !wanted[policy])
			continue;
		wanted[policy] = false;
		judge_policy(j, &p->at[policy],
			     &(struct hf_policy_answer){
				     .verdict = HF_POLICY_UNKNOWN,
				     .error = HF_SV("it was stopped: it did not end, or took too much memory") });
	}
	/* Once for each pod of the object; who asks about the object itself has asked with the first one. */
	for (size_t pod = 0; any && (!pod || pod < j->pods_n); pod++) {
		struct hf_policy_input *input =
			hf_policy_input_new(j->object, j->pods_n ? &j->pods[pod] : NULL, j->namespace);
		hf_policy_joint_ask(j->admission->programs, wanted, input, j->arena, answers);
		hf_policy_input_free(input);
		for (size_t i = 0; i < p->n; i++) {
			if (wanted[i])
				judge_policy(j, &p->at[i], &answers[i]);
			wanted[i] &= p->at[i].subject != HF_POLICY_OBJECT;
		}
	}
	for (size_t i = 0; i < p->n; i++)
		if (j->admission->checks[i])
			judge_check(j, i);
}

static void judge_all(struct judge *j)
{
	if (j->pods_n)
		judge_pod_security(j);
	for (size_t p = 0; p < j->pods_n; p++)
		for (size_t i = 0; i < j->pods[p].containers_n; i++)
			judge_image(j, &j->pods[p].containers[i]);
	judge_policies(j);
}

static const struct hf_kube_objects *load(hf_sv text, const struct hf_admission_decision *d, struct hf_arena *a,
					  struct hf_err *err)
{
	struct hf_kube_source *source = hf_arena_new(a, struct hf_kube_source);
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	const struct hf_kube_objects *set = NULL;

	if (source) {
		*source = (struct hf_kube_source){ .name = HF_SV("review"), .text = text };
		if (hf_kube_load(l, source, err) >= 0)
			set = hf_kube_loaded(l);
	}
	hf_kube_loader_free(l);
	/* The API server fills in the namespace of the request later than it asks us. */
	for (size_t i = 0; set && i < set->n; i++)
		if (!set->objects[i]->namespace_written && d->namespace.len &&
		    set->objects[i]->kind != HF_KUBE_NAMESPACE)
			((struct hf_kube_object *)set->objects[i])->namespace = d->namespace;
	return set;
}

/* What differs in each request for the same thing: replicas of one template, a dry run and then the real one. Policies that ask about a
 * generated name's random part are told in docs/admission.md not to. */
static void add_without_identity(struct hf_json_writer *w, const struct hf_kube_object *o)
{
	static const char *const identity[] = { "uid", "creationTimestamp", "resourceVersion", "generation",
						"managedFields" };
	bool generated = hf_value_get(o->metadata, HF_SV("generateName")) != NULL;

	hf_jw_object(w);
	hf_value_members(o->root, m)
	{
		hf_jw_key_sv(w, hf_member_key(m));
		if (!hf_sv_eq(hf_member_key(m), HF_SV("metadata")) || m->value.type != HF_VALUE_OBJECT) {
			hf_value_write_json(w, &m->value);
			continue;
		}
		hf_jw_object(w);
		hf_value_members(&m->value, part)
		{
			bool skip = generated && hf_sv_eq(hf_member_key(part), HF_SV("name"));
			for (size_t i = 0; i < HF_ARRAY_SIZE(identity); i++)
				skip |= hf_sv_eq(hf_member_key(part), hf_sv_of(identity[i]));
			if (skip)
				continue;
			hf_jw_key_sv(w, hf_member_key(part));
			hf_value_write_json(w, &part->value);
		}
		hf_jw_object_end(w);
	}
	hf_jw_object_end(w);
}

static struct fingerprint fingerprint_of(const struct hf_admission_decision *d, const struct hf_kube_object *o)
{
	struct hf_buf text = HF_BUF(HF_ADMISSION_REVIEW_MAX);
	struct hf_json_writer w = { .out = &text, .compact = true };
	struct fingerprint f = { 0 };

	hf_jw_array(&w);
	hf_jw_string(&w, d->operation);
	hf_jw_string(&w, d->subresource);
	hf_jw_string(&w, d->namespace);
	hf_jw_string(&w, d->user);
	add_without_identity(&w, o);
	hf_jw_array_end(&w);
	if (!text.over) {
		f.first = hf_hash(hf_buf_view(&text));
		hf_buf_add_char(&text, '2');
		f.second = hf_hash(hf_buf_view(&text)) | 1; /* never that of an empty slot */
	}
	hf_buf_done(&text);
	return f;
}

static bool was_allowed(const struct hf_admission *a, struct fingerprint f)
{
	const struct fingerprint *slot = &a->allowed[f.first % ALLOWED_SLOTS];

	return f.second && slot->first == f.first && slot->second == f.second;
}

static bool asks_for_judgement(const struct hf_admission *a, const struct hf_admission_decision *d)
{
	if (!hf_sv_eq(d->operation, HF_SV("CREATE")) && !hf_sv_eq(d->operation, HF_SV("UPDATE")))
		return false;
	/* The others change no spec (status, scale, binding) or hold no object of the kind (exec, eviction). */
	if (d->subresource.len && !hf_sv_eq(d->subresource, HF_SV("ephemeralcontainers")) &&
	    !hf_sv_eq(d->subresource, HF_SV("resize")))
		return false;
	return !hf_pattern_any(a->settings->ignored_namespaces, a->settings->ignored_namespaces_n, d->namespace);
}

static bool is_one_of(hf_sv key, const char *const *list)
{
	while (*list && !hf_sv_eq(key, hf_sv_of(*list)))
		list++;
	return *list != NULL;
}

/* Objects that differ in nothing but members that are passed over. */
static bool equal_but(const struct hf_value *a, const struct hf_value *b, const char *const *without)
{
	size_t n = 0;

	hf_value_members(b, m) n += m->value.type != HF_VALUE_NULL && !is_one_of(hf_member_key(m), without);
	hf_value_members(a, m)
	{
		if (m->value.type == HF_VALUE_NULL || is_one_of(hf_member_key(m), without))
			continue;
		const struct hf_value *other = hf_value_get(b, hf_member_key(m));
		if (!other || !hf_value_eq(&m->value, other))
			return false;
		n--;
	}
	return !n;
}

/* An update of nothing but the state that servers and controllers keep makes nothing worse: what was let in before a rule was there can
 * still have its status written, be adopted, and be deleted by its finalizers. */
static bool is_unchanged(const struct hf_kube_objects *now, const struct hf_kube_objects *before)
{
	static const char *const parts[] = { "status", "metadata", NULL };
	static const char *const state[] = { "resourceVersion",
					     "generation",
					     "managedFields",
					     "finalizers",
					     "ownerReferences",
					     "creationTimestamp",
					     "uid",
					     "deletionTimestamp",
					     "deletionGracePeriodSeconds",
					     "selfLink",
					     NULL };

	return before && now->n == 1 && before->n == 1 &&
	       equal_but(now->objects[0]->root, before->objects[0]->root, parts) &&
	       equal_but(now->objects[0]->metadata, before->objects[0]->metadata, state);
}

int hf_admission_review(struct hf_admission *admission, hf_sv text, struct hf_arena *a, struct hf_admission_decision *d,
			struct hf_err *err)
{
	struct request request = { 0 };
	struct judge j = { .admission = admission, .arena = a, .decision = d };
	struct hf_err why = { 0 };

	*d = (struct hf_admission_decision){ .allowed = true };
	int r = read_review(text, a, d, &request, err);
	if (r < 0)
		return r;
	if (!asks_for_judgement(admission, d))
		return HF_OK;
	d->judged = true;
	j.set = load(request.object, d, a, &why);
	if (!j.set || j.set->n != 1) {
		object_to(&j, HF_SV("object"), HF_POLICY_DENY, true,
			  HF_SV("the object of the request could not be read"));
	} else {
		j.object = j.set->objects[0];
		if (!d->name.len)
			d->name = j.object->name;
		bool update = hf_sv_eq(d->operation, HF_SV("UPDATE"));
		if (!update || !is_unchanged(j.set, load(request.old_object, d, a, &why))) {
			struct fingerprint f = fingerprint_of(d, j.object);
			j.pods = hf_kube_pods(j.set, a, &j.pods_n);
			j.namespace = hf_admission_namespace_find(&admission->namespaces, j.object->namespace, a);
			d->cached = was_allowed(admission, f);
			if (!d->cached)
				judge_all(&j);
			if (!j.reasons.n)
				admission->allowed[f.first % ALLOWED_SLOTS] = f;
		}
	}
	d->reasons = j.reasons.at;
	d->reasons_n = j.reasons.n;
	return a->over ? hf_fail(err, HF_E_LIMIT, "too large") : HF_OK;
}

/* The API server leaves a warning out that holds a control character, and cuts a long one without looking. */
static void write_warning(struct hf_json_writer *w, const struct hf_admission_reason *r)
{
	enum { WARNING_MAX = 120 };
	char text[4 * WARNING_MAX];

	int n = snprintf(text, sizeof text, "holdfast: %.*s: %.*s",
			 (int)(r->rule.len < WARNING_MAX ? r->rule.len : WARNING_MAX), r->rule.ptr,
			 (int)(r->message.len < WARNING_MAX ? r->message.len : WARNING_MAX), r->message.ptr);
	if (n > WARNING_MAX) {
		n = WARNING_MAX;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	for (int i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	hf_jw_string(w, (hf_sv){ text, (size_t)n });
}

static void write_warnings(struct hf_json_writer *w, const struct hf_admission_decision *d)
{
	enum { WARNINGS_MAX = 30 }; /* all together the API server hands on 4 KiB */
	size_t n = 0;

	for (size_t i = 0; i < d->reasons_n; i++) {
		if (d->reasons[i].action != HF_POLICY_WARN || n++ >= WARNINGS_MAX)
			continue;
		if (n == 1) {
			hf_jw_key(w, "warnings");
			hf_jw_array(w);
		}
		write_warning(w, &d->reasons[i]);
	}
	if (n > WARNINGS_MAX) {
		char more[64];
		snprintf(more, sizeof more, "holdfast: and %zu more", n - WARNINGS_MAX);
		hf_jw_string(w, hf_sv_of(more));
	}
	if (n)
		hf_jw_array_end(w);
}

static void write_status(struct hf_json_writer *w, const struct hf_admission_decision *d)
{
	struct hf_buf text = HF_BUF(HF_KIB(32));

	hf_buf_add(&text, HF_SV("holdfast:"));
	for (size_t i = 0; i < d->reasons_n; i++)
		if (d->reasons[i].action == HF_POLICY_DENY)
			hf_buf_addf(&text, " [%.*s] %.*s;", HF_SV_FMT(d->reasons[i].rule),
				    HF_SV_FMT(d->reasons[i].message));
	hf_jw_key(w, "status");
	hf_jw_object(w);
	hf_jw_kv_uint(w, "code", 403);
	hf_jw_kv(w, "reason", HF_SV("Forbidden"));
	hf_jw_kv(w, "message", hf_sv_first(hf_buf_view(&text), text.len - 1));
	hf_jw_object_end(w);
	hf_buf_done(&text);
}

static void write_annotations(struct hf_json_writer *w, const struct hf_admission_decision *d)
{
	struct hf_buf text = HF_BUF(HF_KIB(32));

	for (size_t i = 0; i < d->reasons_n; i++)
		if (d->reasons[i].action == HF_POLICY_AUDIT)
			hf_buf_addf(&text, "%s[%.*s] %.*s", text.len ? "; " : "", HF_SV_FMT(d->reasons[i].rule),
				    HF_SV_FMT(d->reasons[i].message));
	if (text.len) {
		hf_jw_key(w, "auditAnnotations");
		hf_jw_object(w);
		hf_jw_kv(w, "findings", hf_buf_view(&text));
		hf_jw_object_end(w);
	}
	hf_buf_done(&text);
}

void hf_admission_answer(const struct hf_admission_decision *d, struct hf_buf *out)
{
	struct hf_json_writer w = { .out = out, .compact = true };

	hf_jw_object(&w);
	hf_jw_kv(&w, "apiVersion", d->version);
	hf_jw_kv(&w, "kind", HF_SV("AdmissionReview"));
	hf_jw_key(&w, "response");
	hf_jw_object(&w);
	hf_jw_kv(&w, "uid", d->uid);
	hf_jw_kv_bool(&w, "allowed", d->allowed);
	if (!d->allowed)
		write_status(&w, d);
	write_warnings(&w, d);
	write_annotations(&w, d);
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
}

static const char *const action_names[] = { "deny", "warn", "audit" };

/* What is denied first: of very many, the rest is left off, so that a record always has room. */
static void write_reasons(struct hf_json_writer *w, const struct hf_admission_decision *d)
{
	enum { REASONS_MAX = 100, MESSAGE_MAX = 1024 };
	size_t n = 0;

	hf_jw_key(w, "reasons");
	hf_jw_array(w);
	for (int denied = 1; denied >= 0; denied--)
		for (size_t i = 0; i < d->reasons_n; i++) {
			const struct hf_admission_reason *r = &d->reasons[i];
			if ((r->action == HF_POLICY_DENY) != denied || n++ >= REASONS_MAX)
				continue;
			hf_jw_object(w);
			hf_jw_kv(w, "rule", r->rule);
			hf_jw_kv(w, "action", hf_sv_of(action_names[r->action]));
			hf_jw_kv_bool(w, "unknown", r->unknown);
			hf_jw_kv(w, "message", hf_sv_first(r->message, MESSAGE_MAX));
			hf_jw_object_end(w);
		}
	hf_jw_array_end(w);
	if (n > REASONS_MAX)
		hf_jw_kv_uint(w, "reasons_left_off", n - REASONS_MAX);
}

void hf_admission_record(const struct hf_admission_decision *d, struct hf_buf *out)
{
	struct hf_json_writer w = { .out = out, .compact = true };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/admission/1"));
	hf_jw_kv(&w, "uid", d->uid);
	hf_jw_kv_if(&w, "operation", d->operation);
	hf_jw_kv_if(&w, "kind", d->kind);
	hf_jw_kv_if(&w, "subresource", d->subresource);
	hf_jw_kv_if(&w, "namespace", d->namespace);
	hf_jw_kv_if(&w, "name", d->name);
	hf_jw_kv_if(&w, "user", d->user);
	hf_jw_kv_bool(&w, "dry_run", d->dry_run);
	hf_jw_kv_bool(&w, "judged", d->judged);
	hf_jw_kv_bool(&w, "cached", d->cached);
	hf_jw_kv_bool(&w, "allowed", d->allowed);
	write_reasons(&w, d);
	hf_jw_object_end(&w);
}
