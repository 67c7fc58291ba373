/* kube policy: an organisation's own policies about manifests or a cluster, and the tests that stand beside them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/worker.h"
#include "check/check.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_items.h"
#include "cmd/kube/kube_run.h"
#include "cmd/log.h"
#include "format/json_writer.h"
#include "kube/place.h"
#include "policy/policy.h"

enum { POLICY_SECONDS_MAX = 10 };

struct finding {
	const struct hf_policy *policy;
	const struct hf_kube_object *object;
	enum hf_policy_verdict verdict;
	hf_sv message, path;
	uint32_t line;
};

struct session {
	struct kube_run *run;
	struct hf_arena *arena;
	const struct hf_kube_objects *set;
	struct hf_policies policies;
	struct hf_policy_program **programs; /* NULL: a check, or left out */
	HF_VEC(struct finding) findings;
	size_t passed, bad;
	bool testing, json;
};

static int is_yaml(const struct dirent *e)
{
	hf_sv name = hf_sv_of(e->d_name);

	return name.ptr[0] != '.' && (hf_sv_ends(name, HF_SV(".yaml")) || hf_sv_ends(name, HF_SV(".yml")));
}

static int add_policies(struct kube_run *k, const char *path)
{
	struct dirent **list;
	struct stat st;

	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		kube_run_file(k, path);
		return 0;
	}
	int n = scandir(path, &list, is_yaml, alphasort);
	for (int i = 0; i < n; i++) {
		kube_run_file(k, hf_arena_fmt(&k->arena, "%s/%s", path, list[i]->d_name).ptr);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return n > 0 ? 0 : hf_command_usage("kube policy", "%s: no .yaml files in it", path);
}

static void note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	struct session *s = ctx;

	s->bad++;
	log_at(LOG_ERROR, file, line, 0, "%.*s", HF_SV_FMT(what));
}

static int read_policies(struct session *s, struct hf_err *err)
{
	const struct hf_worker *worker = s->run->worker;

	for (size_t i = 0; i < s->run->files_n; i++) {
		int r = hf_policies_read(&s->policies, hf_sv_of(s->run->files[i]), s->run->file_texts[i], s->arena,
					 note, s, err);
		if (r < 0)
			return r;
	}
	s->programs = hf_calloc(s->policies.n + 1, sizeof(struct hf_policy_program *));
	for (size_t i = 0; i < s->policies.n; i++) {
		const struct hf_policy *p = &s->policies.at[i];
		struct hf_err why = { 0 };
		hf_sv reason;
		if (p->check.len) {
			const struct hf_check **found = hf_check_find(p->check);
			if (!found)
				note(s, p->file, p->line,
				     hf_arena_fmt(s->arena,
						  "policy %.*s: '%.*s' is no check ('holdfast kube check --list')",
						  HF_SV_FMT(p->id), HF_SV_FMT(p->check)));
			free(found);
		} else if (hf_worker_excludes(worker, 0, p->id, &reason)) {
			note(s, p->file, p->line,
			     hf_arena_fmt(s->arena, "policy %.*s: %.*s", HF_SV_FMT(p->id), HF_SV_FMT(reason)));
		} else if (hf_policy_compile(p, &s->programs[i], &why) < 0) {
			note(s, p->file, p->line, hf_sv_of(why.msg));
		}
	}
	return HF_OK;
}

static void add_finding(struct session *s, struct finding f)
{
	struct finding *slot = hf_vec_push(s->arena, &s->findings);

	if (slot)
		*slot = f;
}

/* Pods of one object that fail alike are told of once. */
static void add_new_finding(struct session *s, struct finding f, size_t since)
{
	for (size_t i = since; i < s->findings.n; i++)
		if (hf_sv_eq(s->findings.at[i].message, f.message) && hf_sv_eq(s->findings.at[i].path, f.path))
			return;
	add_finding(s, f);
}

/* About an object, or each of its pods: @inputs are one a pod, and one without for what makes none. */
static void ask_about(struct session *s, size_t i, struct hf_policy_input *const *inputs, size_t n,
		      const struct hf_kube_object *o)
{
	const struct hf_policy *p = &s->policies.at[i];
	size_t since = s->findings.n, passed = 0, asked = p->subject == HF_POLICY_OBJECT ? 1 : n;

	for (size_t pod = 0; pod < asked; pod++) {
		hf_board_begin(s->run->worker->board, 0, p->id);
		struct hf_policy_answer a = hf_policy_ask(p, s->programs[i], inputs[pod], s->arena);
		hf_board_end(s->run->worker->board);
		passed += a.verdict == HF_POLICY_PASS;
		size_t before = pod ? since : s->findings.n + a.findings_n;
		for (size_t k = 0; k < a.findings_n; k++)
			add_new_finding(
				s,
				(struct finding){ p, o, HF_POLICY_FAIL, a.findings[k].message, a.findings[k].path, 0 },
				before);
		if (a.error.len)
			add_new_finding(
				s,
				(struct finding){
					.policy = p, .object = o, .verdict = HF_POLICY_UNKNOWN, .message = a.error },
				before);
	}
	s->passed += passed == asked;
}

/* A policy that names a check of holdfast's own. */
static void ask_check(struct session *s, const struct hf_policy *p, const struct hf_kube_objects *set)
{
	const struct hf_check **wanted = hf_check_find(p->check);
	const struct hf_check_settings none = { 0 };
	const struct hf_check_report *r = wanted ? hf_check_all(set, wanted, &none, s->arena) : NULL;

	for (size_t i = 0; r && i < r->results_n; i++) {
		const struct hf_check_result *f = hf_check_result_at(r, i);
		if (f->object && !hf_policy_applies(p, f->object))
			continue;
		add_finding(s, (struct finding){
				       p, f->object, f->status == HF_CHECK_FAIL ? HF_POLICY_FAIL : HF_POLICY_UNKNOWN,
				       f->message, f->container, f->object ? hf_kube_line(f->object, f->at) : 0 });
	}
	for (size_t i = 0; r && i < r->checks_n; i++)
		s->passed += r->counts[i].of[HF_CHECK_PASS];
	free(wanted);
}

static void ask_all(struct session *s, const struct hf_kube_objects *set)
{
	size_t pods_n, next = 0;
	const struct hf_kube_pod *pods = hf_kube_pods(set, s->arena, &pods_n);

	for (size_t i = 0; i < set->n; i++) {
		const struct hf_kube_object *o = set->objects[i];
		bool makes = next < pods_n && pods[next].object == o;
		size_t n = makes ? hf_kube_pods_of_one(&pods[next], pods_n - next) : 1;
		const struct hf_kube_object *place =
			o->namespace.len ? hf_kube_find(set, o->cluster, HF_KUBE_NAMESPACE, HF_SV(""), o->namespace)
					 : NULL;
		struct hf_policy_input **inputs = hf_calloc(n, sizeof(struct hf_policy_input *));
		for (size_t k = 0; k < n && !o->replaced; k++)
			inputs[k] = hf_policy_input_new(o, makes ? &pods[next + k] : NULL, place);
		for (size_t p = 0; p < s->policies.n && !o->replaced; p++)
			if (s->programs[p])
				ask_about(s, p, inputs, n, o);
		for (size_t k = 0; k < n; k++)
			hf_policy_input_free(inputs[k]);
		free(inputs);
		next += makes ? n : 0;
	}
	for (size_t p = 0; p < s->policies.n; p++)
		if (s->policies.at[p].check.len)
			ask_check(s, &s->policies.at[p], set);
}

static const char *const action_names[] = { "deny", "warn", "audit" };

static uint32_t line_of(const struct finding *f)
{
	return f->line ? f->line : f->object ? hf_kube_line(f->object, NULL) : 0;
}

static void write_table(struct session *s, struct hf_out *out)
{
	size_t failed = 0;

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		const struct hf_kube_object *o = f->object;
		hf_sv id = hf_arena_printable(s->arena, f->policy->id),
		      message = hf_arena_printable(s->arena, f->message), path = hf_arena_printable(s->arena, f->path);
		failed += f->verdict == HF_POLICY_FAIL;
		kube_item_begin(s->run, out);
		hf_out_addf(out, "%-7s %-8s %.*s  ",
			    f->verdict == HF_POLICY_FAIL ? action_names[f->policy->action] : "unknown",
			    hf_severity_name(f->policy->severity), HF_SV_FMT(id));
		if (o) {
			hf_sv name = hf_arena_printable(
				s->arena,
				hf_arena_fmt(s->arena, "%.*s%s%.*s/%.*s", HF_SV_FMT(o->namespace),
					     o->namespace.len ? "/" : "", HF_SV_FMT(o->kind_name), HF_SV_FMT(o->name)));
			char place[900];
			hf_out_addf(out, "%.*s (%s): ", HF_SV_FMT(name),
				    hf_kube_place(o, line_of(f), place, sizeof place));
		}
		hf_out_addf(out, "%.*s%s%.*s\n", HF_SV_FMT(message), path.len ? " at " : "", HF_SV_FMT(path));
		kube_item_end(s->run, out);
	}
	hf_out_addf(out, "%zu object%s, %zu polic%s: %zu finding%s, %zu answer%s pass%s, %zu not known\n",
		    HF_COUNTED(s->set->n), s->policies.n, s->policies.n == 1 ? "y" : "ies", HF_COUNTED(failed),
		    HF_COUNTED(s->passed), s->passed == 1 ? "es" : "", s->findings.n - failed);
}

static int write_json(struct session *s, struct hf_out *out, struct hf_err *err)
{
	struct hf_json_writer w = {
		.out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out, .compact = s->run->items != NULL
	};

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/kube-policy/1"));
	hf_jw_kv_uint(&w, "objects", s->set->n);
	hf_jw_kv_uint(&w, "policies", s->policies.n);
	hf_jw_kv_uint(&w, "passed", s->passed);
	hf_jw_key(&w, "results");
	hf_jw_array(&w);
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		hf_jw_object(&w);
		kube_item_begin_json(s->run, out);
		hf_jw_kv(&w, "policy", f->policy->id);
		hf_jw_kv(&w, "status", f->verdict == HF_POLICY_FAIL ? HF_SV("fail") : HF_SV("unknown"));
		hf_jw_kv(&w, "action", hf_sv_of(action_names[f->policy->action]));
		hf_jw_kv(&w, "severity", hf_sv_of(hf_severity_name(f->policy->severity)));
		if (f->object) {
			hf_jw_kv_if(&w, "cluster", f->object->cluster);
			hf_jw_kv_if(&w, "namespace", f->object->namespace);
			hf_jw_kv(&w, "kind", f->object->kind_name);
			hf_jw_kv(&w, "name", f->object->name);
			hf_jw_kv(&w, "path", f->object->source->name);
			if (line_of(f))
				hf_jw_kv_uint(&w, "line", line_of(f));
		}
		hf_jw_kv(&w, "message", f->message);
		hf_jw_kv_if(&w, "field", f->path);
		hf_jw_kv_if(&w, "fix", f->policy->fix);
		hf_jw_strings(&w, "references", f->policy->references, f->policy->references_n);
		hf_jw_object_end(&w);
		kube_item_end(s->run, out);
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	return hf_jw_finish(&w, err);
}

/* The objects of a test as a set of their own: their text is written anew, so that they are read as any other. */
static const struct hf_kube_objects *objects_of(struct session *s, const struct hf_policy_test *t)
{
	struct hf_buf text = HF_BUF(HF_MIB(16));
	struct hf_kube_source *source = hf_arena_new(s->arena, struct hf_kube_source);
	struct hf_kube_loader *l = hf_kube_loader_new(s->arena);
	struct hf_err err = { 0 };

	hf_value_elements(t->objects, e)
	{
		hf_value_write_json(&(struct hf_json_writer){ .out = &text, .compact = true }, e);
		hf_buf_add_char(&text, '\n');
	}
	const struct hf_kube_objects *set = NULL;
	if (source) {
		*source =
			(struct hf_kube_source){ .name = t->file, .text = hf_arena_dup(s->arena, hf_buf_view(&text)) };
		if (hf_kube_load(l, source, &err) >= 0)
			set = hf_kube_loaded(l);
	}
	hf_kube_loader_free(l);
	hf_buf_done(&text);
	return set && set->n ? set : NULL;
}

static const char *judge(struct session *s, const struct hf_policy_test *t)
{
	static const char *const verdicts[] = { "passes", "fails", "is not applicable", "gives no verdict" };
	const struct hf_kube_objects *set = objects_of(s, t);
	size_t p = 0, before = s->findings.n, passed = s->passed;
	enum hf_policy_verdict got;

	while (p < s->policies.n && !hf_sv_eq(s->policies.at[p].id, t->policy))
		p++;
	if (p == s->policies.n || (!s->programs[p] && !s->policies.at[p].check.len))
		return "there is no such policy, or it could not be read";
	if (!set)
		return "its objects could not be read";
	const struct hf_policies all = s->policies;
	struct hf_policy_program **programs = s->programs;
	s->policies.at = &all.at[p];
	s->policies.n = 1;
	s->programs = &programs[p];
	ask_all(s, set);
	s->policies = all;
	s->programs = programs;
	size_t unknown = 0, n = s->findings.n - before;
	for (size_t i = before; i < s->findings.n; i++)
		unknown += s->findings.at[i].verdict == HF_POLICY_UNKNOWN;
	got = n > unknown          ? HF_POLICY_FAIL
	      : unknown            ? HF_POLICY_UNKNOWN
	      : s->passed > passed ? HF_POLICY_PASS
				   : HF_POLICY_NOT_APPLICABLE;
	if (got != t->expected)
		return hf_arena_fmt(s->arena, "it %s%s%.*s", verdicts[got], n ? ": " : "",
				    HF_SV_FMT(n ? s->findings.at[before].message : (hf_sv){ 0 }))
			.ptr;
	for (size_t m = 0; m < t->messages_n; m++) {
		bool found = false;
		for (size_t i = before; i < s->findings.n; i++)
			found |= hf_sv_find(s->findings.at[i].message, t->messages[m]) != SIZE_MAX;
		if (!found)
			return hf_arena_fmt(s->arena, "no message has '%.*s' in it", HF_SV_FMT(t->messages[m])).ptr;
	}
	return NULL;
}

static int run_tests(struct session *s, struct hf_out *out)
{
	size_t failed = 0;

	for (size_t i = 0; i < s->policies.tests_n; i++) {
		const struct hf_policy_test *t = &s->policies.tests[i];
		const char *why = judge(s, t);
		hf_sv policy = hf_arena_printable(s->arena, t->policy), name = hf_arena_printable(s->arena, t->name),
		      file = hf_arena_printable(s->arena, t->file);
		hf_sv reason = why ? hf_arena_printable(s->arena, hf_sv_of(why)) : HF_SV("");
		failed += why != NULL;
		hf_out_addf(out, "%s  %.*s: %.*s", why ? "FAIL" : "ok  ", HF_SV_FMT(policy), HF_SV_FMT(name));
		if (why)
			hf_out_addf(out, " (%.*s:%u): %.*s", HF_SV_FMT(file), t->line, HF_SV_FMT(reason));
		hf_out_add(out, HF_SV("\n"));
	}
	for (size_t p = 0; p < s->policies.n; p++) {
		size_t tests = 0;
		for (size_t i = 0; i < s->policies.tests_n; i++)
			tests += hf_sv_eq(s->policies.tests[i].policy, s->policies.at[p].id);
		hf_sv id = hf_arena_printable(s->arena, s->policies.at[p].id);
		if (!tests)
			hf_out_addf(out, "none  %.*s has no test\n", HF_SV_FMT(id));
	}
	hf_out_addf(out, "%zu policies, %zu tests: %zu failed\n", s->policies.n, s->policies.tests_n, failed);
	return failed ? KUBE_GATE_FAILED : 0;
}

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct session *s = ctx;
	int bits = 0;

	(void)n;
	s->run = k;
	s->arena = a;
	s->set = sets[0];
	int r = read_policies(s, err);
	if (r < 0)
		return r;
	if (!s->policies.n && !s->bad)
		return hf_fail(err, HF_E_USAGE, "%s: no policy is there%s", k->files[0],
			       k->files_n > 1 ? ", nor in the other files" : "");
	if (s->testing) {
		bits = run_tests(s, out);
	} else {
		ask_all(s, s->set);
		for (size_t i = 0; i < s->findings.n; i++)
			if (s->findings.at[i].verdict == HF_POLICY_UNKNOWN)
				bits |= KUBE_PARTIAL;
			else if (s->findings.at[i].policy->action == HF_POLICY_DENY)
				bits |= KUBE_GATE_FAILED;
		if (s->json)
			r = write_json(s, out, err);
		else
			write_table(s, out);
	}
	for (size_t i = 0; i < s->policies.n; i++)
		hf_policy_program_free(s->programs[i]);
	free(s->programs);
	/* A policy that was left out was a gate too: nobody may take its silence for a pass. */
	if (r >= 0 && s->bad)
		return hf_fail(err, HF_E_FORMAT, "%zu policies or tests could not be read", s->bad);
	return r < 0 ? r : bits;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube policy",
			      .arena = HF_ARENA(HF_KUBE_INPUT_ARENA_MAX),
			      .watch_whole = true,
			      .step_seconds_max = POLICY_SECONDS_MAX };
	struct session s = { 0 };
	int i = 1;

	if (argc > 1 && !strcmp(argv[1], "test")) {
		s.testing = k.no_targets = true;
		i++;
	}
	for (; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (taken)
			continue;
		bool policy = !strcmp(argv[i], "--policy") || !strcmp(argv[i], "-p");
		const char *value = policy ? kube_run_value(&k, argc, argv, &i) : argv[i];
		if (!value)
			return 2;
		if (!policy && argv[i][0] == '-' && argv[i][1])
			return hf_command_no_option("kube policy", argv[i]);
		if (policy || s.testing) {
			if (add_policies(&k, value))
				return 2;
		} else {
			kube_run_target(&k, argv[i]);
		}
	}
	if (!k.files_n)
		return hf_command_usage("kube policy",
					s.testing ? "which files of policies?" : "which policies? --policy FILE");
	if (k.format && strcmp(k.format, "json") && strcmp(k.format, "table"))
		return hf_command_usage("kube policy", "--format is table or json, not '%s'", k.format);
	s.json = k.format && !strcmp(k.format, "json");
	k.watch_schema = s.testing ? NULL : "holdfast/kube-policy-change/1";
	return kube_run(&k, evaluate, &s);
}

const struct hf_command hf_kube_policy = {
	.name = "policy",
	.summary = "policies of your own, as jq programs, and their tests",
	.usage = "--policy FILE... [OPTIONS] TARGET...\n"
		 "       holdfast kube policy test FILE...\n"
		 "                Runs the tests that stand beside the policies of the files.\n\n"
		 "  -p, --policy FILE    a file of policies, or a folder of them; may be given several "
		 "times\n" KUBE_WATCH_USAGE
		 "Exits with 1 where a policy whose action is deny finds something, or a test fails.\n" KUBE_RUN_USAGE(
			 "table|json"),
	.run = run,
};
