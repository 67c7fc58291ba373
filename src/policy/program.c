/* Programs of jq, by libjq. */
#include <jq.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "policy/pattern.h"
#include "policy/program_internal.h"

struct hf_policy_program {
	jq_state *jq;
	jv parameters;
	struct hf_buf messages; /* of the compiler */
};

/* The variables. What follows is the policy's own program, in brackets that the line break keeps a comment from hiding. */
static const char variables[] = ". as {$object, $pod, $container, $namespace, $parameters} | .subject | (\n";
const char hf_policy_prelude[] =
	"def env: error(\"env is not there\"); def input: error(\"input is not there\"); def inputs: empty;"
	"def debug: .; def stderr: .; def now: error(\"now is not there\"); def localtime: error(\"localtime is not "
	"there\");"
	"def mktime: error(\"mktime is not there\"); def input_filename: null; def input_line_number: null;"
	"def halt: error(\"halt is not there\"); def halt_error: error(\"halt_error is not there\");"
	"def halt_error(f): error(\"halt_error is not there\"); def get_search_list: [];";

void hf_policy_keep_message(void *ctx, jv message)
{
	struct hf_buf *out = ctx;

	message = jq_format_error(message);
	if (jv_get_kind(message) == JV_KIND_STRING) {
		if (out->len)
			hf_buf_add(out, HF_SV("; "));
		hf_buf_add(out, (hf_sv){ jv_string_value(message), (size_t)jv_string_length_bytes(jv_copy(message)) });
	}
	jv_free(message);
}

static void drop_debug(void *ctx, jv message)
{
	(void)ctx;
	jv_free(message);
}

static jv jv_of_text(hf_sv s)
{
	return jv_string_sized(s.ptr ? s.ptr : "", (int)s.len);
}

/* However many digits it has: what the first of them say may be anything. */
static double number_of(hf_sv text)
{
	char room[64], *all = text.len < sizeof room ? room : hf_malloc(text.len + 1);

	memcpy(all, text.ptr, text.len);
	all[text.len] = 0;
	double number = strtod(all, NULL);
	if (all != room)
		free(all);
	return number;
}

/* As deep as the readers let a tree become. */
jv hf_policy_jv_of(const struct hf_value *v)
{
	jv out;

	if (!v)
		return jv_null();
	switch ((enum hf_value_type)v->type) {
	case HF_VALUE_NULL:
		break;
	case HF_VALUE_BOOL:
		return jv_bool(v->boolean);
	case HF_VALUE_NUMBER:
		return jv_number(number_of((hf_sv){ v->text, v->n }));
	case HF_VALUE_STRING:
		return jv_of_text(hf_value_text(v));
	case HF_VALUE_ARRAY:
		out = jv_array_sized((int)v->n);
		hf_value_elements(v, e) out = jv_array_append(out, hf_policy_jv_of(e));
		return out;
	case HF_VALUE_OBJECT:
		out = jv_object();
		hf_value_members(v, m) out =
			jv_object_set(out, jv_of_text(hf_member_key(m)), hf_policy_jv_of(&m->value));
		return out;
	}
	return jv_null();
}

/* A file of one's own or a module would make a policy mean different things in different places. */
bool hf_policy_reaches_out(hf_sv program)
{
	static const char *const words[] = { "import", "include", "$ENV", "$__prog_args", "input_filename", "__mark" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		if (hf_sv_find(program, hf_sv_of(words[i])) != SIZE_MAX)
			return true;
	return false;
}

static bool compiles(struct hf_policy_program *p, hf_sv before, hf_sv program, hf_sv after)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_POLICY_PROGRAM_MAX);

	hf_buf_add(&text, before);
	hf_buf_add(&text, program);
	hf_buf_add(&text, after);
	hf_buf_add_char(&text, 0);
	p->jq = text.over ? NULL : jq_init();
	if (!p->jq)
		return false;
	jq_set_error_cb(p->jq, hf_policy_keep_message, &p->messages);
	jq_set_debug_cb(p->jq, drop_debug, NULL);
	jq_set_attr(p->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	unsetenv("HOME"); /* libjq puts ~/.jq before every program, which could make each of them pass */
	return jq_compile(p->jq, text.ptr);
}

int hf_policy_compile(const struct hf_policy *policy, struct hf_policy_program **ret, struct hf_err *err)
{
	struct hf_policy_program *p = hf_calloc(1, sizeof *p);

	*ret = NULL;
	p->messages = HF_BUF(HF_KIB(4));
	p->parameters = hf_policy_jv_of(policy->parameters);
	if (hf_policy_reaches_out(policy->program) || memchr(policy->program.ptr, 0, policy->program.len)) {
		hf_policy_program_free(p);
		return hf_fail(err, HF_E_FORMAT, "policy %.*s: modules, files and the environment are not for policies",
			       HF_SV_FMT(policy->id));
	}
	if (!hf_policy_is_balanced(policy->program)) {
		hf_policy_program_free(p);
		return hf_fail(err, HF_E_FORMAT, "policy %.*s: its brackets or quotes do not match",
			       HF_SV_FMT(policy->id));
	}
	char before[sizeof hf_policy_prelude + sizeof variables];
	snprintf(before, sizeof before, "%s%s", hf_policy_prelude, variables);
	bool good = compiles(p, hf_sv_of(before), policy->program, HF_SV("\n)"));
	if (!good) {
		hf_fail(err, HF_E_FORMAT, "policy %.*s: jq: %.*s", HF_SV_FMT(policy->id),
			HF_SV_FMT(hf_buf_view(&p->messages)));
		hf_policy_program_free(p);
		return err ? err->code : HF_E_FORMAT;
	}
	*ret = p;
	return HF_OK;
}

void hf_policy_program_free(struct hf_policy_program *p)
{
	if (!p)
		return;
	if (p->jq)
		jq_teardown(&p->jq);
	jv_free(p->parameters);
	hf_buf_done(&p->messages);
	free(p);
}

hf_sv hf_policy_text_of(struct hf_policy_asking *a, jv v)
{
	hf_sv s = { 0 };

	if (jv_get_kind(v) == JV_KIND_STRING)
		s = hf_arena_dup(a->arena, (hf_sv){ jv_string_value(v), (size_t)jv_string_length_bytes(jv_copy(v)) });
	jv_free(v);
	return s;
}

static void add(struct hf_policy_asking *a, hf_sv message, hf_sv path)
{
	struct hf_policy_finding *f =
		a->findings.n < HF_POLICY_FINDINGS_MAX ? hf_vec_push(a->arena, &a->findings) : NULL;

	if (f)
		*f = (struct hf_policy_finding){ message.len              ? message
						 : a->policy->message.len ? a->policy->message
									  : a->policy->title,
						 path };
}

/* Takes @v. False: no answer that a policy may give. */
bool hf_policy_take(struct hf_policy_asking *a, jv v)
{
	jv_kind kind = jv_get_kind(v);
	hf_sv message, path;
	bool good = true;

	switch (kind) {
	case JV_KIND_NULL:
	case JV_KIND_FALSE:
		break;
	case JV_KIND_TRUE:
		add(a, (hf_sv){ 0 }, (hf_sv){ 0 });
		break;
	case JV_KIND_STRING:
		add(a, hf_policy_text_of(a, v), (hf_sv){ 0 });
		return true;
	case JV_KIND_ARRAY:
		for (int i = 0, n = jv_array_length(jv_copy(v)); i < n && good; i++)
			good = hf_policy_take(a, jv_array_get(jv_copy(v), i));
		break;
	case JV_KIND_OBJECT:
		message = hf_policy_text_of(a, jv_object_get(jv_copy(v), jv_string("message")));
		path = hf_policy_text_of(a, jv_object_get(jv_copy(v), jv_string("path")));
		good = message.len || a->policy->message.len || a->policy->title.len;
		add(a, message, path);
		break;
	case JV_KIND_NUMBER:
	case JV_KIND_INVALID:
		good = false;
		break;
	}
	jv_free(v);
	return good;
}

/* Runs the program once; takes @input. */
static void run(struct hf_policy_asking *a, struct hf_policy_program *p, jv input)
{
	size_t answers = 0;
	jv v;

	jq_start(p->jq, input, 0);
	while (jv_is_valid(v = jq_next(p->jq)))
		if (++answers > HF_POLICY_FINDINGS_MAX || !hf_policy_take(a, v)) {
			if (answers > HF_POLICY_FINDINGS_MAX)
				jv_free(v);
			a->error = HF_SV(
				"gives out what is neither text, nor true, nor an object with a message, or too much");
			return;
		}
	if (jv_invalid_has_msg(jv_copy(v))) {
		jv message = jv_invalid_get_msg(v);
		if (jv_get_kind(message) != JV_KIND_STRING)
			message = jv_dump_string(message, 0);
		a->error = hf_policy_text_of(a, message);
		if (!a->error.len)
			a->error = HF_SV("an error without a message");
		return;
	}
	jv_free(v);
}

static jv input_of(const struct hf_policy_program *p, const struct hf_policy_input *i, jv container, jv subject)
{
	jv in = jv_object();

	in = jv_object_set(in, jv_string("object"), jv_copy(i->root));
	in = jv_object_set(in, jv_string("pod"), jv_copy(i->template));
	in = jv_object_set(in, jv_string("container"), container);
	in = jv_object_set(in, jv_string("namespace"), jv_copy(i->namespace));
	in = jv_object_set(in, jv_string("parameters"), jv_copy(p->parameters));
	return jv_object_set(in, jv_string("subject"), subject);
}

static jv pod_of(const struct hf_kube_pod *pod)
{
	jv v = jv_object();

	v = jv_object_set(v, jv_string("metadata"), pod->metadata ? hf_policy_jv_of(pod->metadata) : jv_object());
	return jv_object_set(v, jv_string("spec"), hf_policy_jv_of(pod->spec));
}

bool hf_policy_applies(const struct hf_policy *p, const struct hf_kube_object *o)
{
	hf_sv place = o->kind == HF_KUBE_NAMESPACE ? o->name : o->namespace;
	struct hf_arena scratch = HF_ARENA(HF_ADMISSION_ARENA_MAX);
	size_t n;

	if (p->subject != HF_POLICY_OBJECT && !hf_kube_makes_pods(o))
		return false;
	/* Whoever asks about Pods by their template means all that makes them. */
	bool pods = p->subject != HF_POLICY_OBJECT && hf_pattern_any(p->kinds, p->kinds_n, HF_SV("Pod"));
	if (p->kinds_n && !pods && !hf_pattern_any(p->kinds, p->kinds_n, o->kind_name))
		return false;
	if ((p->namespaces_n && !hf_pattern_any(p->namespaces, p->namespaces_n, place)) ||
	    hf_pattern_any(p->not_namespaces, p->not_namespaces_n, place))
		return false;
	if (!p->labels)
		return true;
	const hf_sv *labels = hf_kube_string_map(hf_value_get(o->metadata, HF_SV("labels")), &scratch, &n);
	/* Nobody gets past a policy by how many labels he writes. */
	bool selected = scratch.over || hf_label_selector_matches(p->labels, labels, n);
	hf_arena_done(&scratch);
	return selected;
}

struct hf_policy_input *hf_policy_input_new(const struct hf_kube_object *o, const struct hf_kube_pod *pod,
					    const struct hf_kube_object *namespace)
{
	struct hf_policy_input *i = hf_calloc(1, sizeof *i);

	i->object = o;
	i->pod = pod;
	i->root = hf_policy_jv_of(o->root);
	i->template = pod ? pod_of(pod) : jv_null();
	i->namespace = namespace ? hf_policy_jv_of(namespace->root) : jv_null();
	return i;
}

void hf_policy_input_free(struct hf_policy_input *i)
{
	if (!i)
		return;
	for (size_t k = 0; i->containers && k < i->pod->containers_n; k++)
		jv_free(i->containers[k]);
	free(i->containers);
	jv_free(i->root);
	jv_free(i->template);
	jv_free(i->namespace);
	free(i);
}

void hf_policy_make_containers(struct hf_policy_input *i)
{
	if (i->containers)
		return;
	i->containers = hf_calloc(i->pod->containers_n + 1, sizeof *i->containers);
	for (size_t k = 0; k < i->pod->containers_n; k++)
		i->containers[k] = hf_policy_jv_of(i->pod->containers[k].value);
}

struct hf_policy_answer hf_policy_answer_of(const struct hf_policy_asking *a)
{
	return (struct hf_policy_answer){
		.verdict = a->findings.n  ? HF_POLICY_FAIL
			   : a->error.len ? HF_POLICY_UNKNOWN
					  : HF_POLICY_PASS,
		.findings = a->findings.at,
		.findings_n = a->findings.n,
		.error = a->error,
	};
}

struct hf_policy_answer hf_policy_ask(const struct hf_policy *policy, struct hf_policy_program *p,
				      struct hf_policy_input *i, struct hf_arena *arena)
{
	struct hf_policy_asking a = { .policy = policy, .arena = arena };

	if (!hf_policy_applies(policy, i->object) || (policy->subject != HF_POLICY_OBJECT && !i->pod))
		return (struct hf_policy_answer){ .verdict = HF_POLICY_NOT_APPLICABLE };
	if (policy->subject == HF_POLICY_CONTAINER)
		hf_policy_make_containers(i);
	else
		run(&a, p,
		    input_of(p, i, jv_null(), jv_copy(policy->subject == HF_POLICY_POD ? i->template : i->root)));
	for (size_t k = 0; policy->subject == HF_POLICY_CONTAINER && k < i->pod->containers_n && !a.error.len; k++)
		run(&a, p, input_of(p, i, jv_copy(i->containers[k]), jv_copy(i->containers[k])));
	return hf_policy_answer_of(&a);
}
