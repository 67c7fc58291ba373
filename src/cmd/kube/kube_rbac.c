/* kube rbac: who may do what. */
#include "cmd/kube/kube_rbac.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/kube/kube.h"
#include "cmd/log.h"
#include "finding/gate.h"

static const struct {
	const char *word;
	size_t words_n; /* that it cannot do without */
	int (*write)(struct rbac_writer *, struct hf_err *);
} tasks[] = {
	[RBAC_CHECK] = { "check", 0, rbac_check },       [RBAC_CAN] = { "can", 2, rbac_can },
	[RBAC_WHO_CAN] = { "who-can", 2, rbac_who_can }, [RBAC_LIST] = { "list", 0, rbac_list },
	[RBAC_UNUSED] = { "unused", 0, rbac_unused },    [RBAC_AUDIT] = { "audit", 0, rbac_audit },
};

/* Notes on roles and bindings; what was not understood may have given rights. */
static int show_notes(const struct hf_rbac_model *m)
{
	enum { SHOWN_MAX = 50 };

	for (size_t i = 0; i < m->notes_n && (i < SHOWN_MAX || log_shows(LOG_DEBUG)); i++)
		log_at(LOG_WARNING, m->notes[i].source, m->notes[i].line, m->notes[i].column, "%.*s",
		       HF_SV_FMT(m->notes[i].text));
	log_more(m->notes_n, SHOWN_MAX);
	return m->notes_n ? KUBE_PARTIAL : 0;
}

/* The contexts that objects come from, each once, in the order of the input; files are the empty one. */
static hf_sv *clusters_of(const struct hf_kube_objects *set, struct hf_arena *a, size_t *ret_n)
{
	struct hf_map seen = HF_MAP(a);

	for (size_t i = 0; i < set->n; i++)
		if (!i || !hf_sv_eq(set->objects[i]->cluster, set->objects[i - 1]->cluster))
			hf_map_put(&seen, set->objects[i]->cluster);
	hf_sv *all = hf_arena_array(a, hf_sv, seen.n + 1);
	for (size_t i = 0; all && i < seen.n; i++)
		all[i] = seen.entries[i].key;
	*ret_n = seen.n ? seen.n : 1;
	return all;
}

static int write_cluster(struct rbac_writer *w, const struct hf_kube_objects *set, hf_sv cluster, bool many,
			 struct hf_err *err)
{
	w->model = hf_rbac_build(set, cluster, w->ask->defaults, w->arena);
	if (!w->model)
		return hf_fail(err, HF_E_LIMIT, "the roles need more memory than is allowed");
	int bits = show_notes(w->model);
	if (many && w->json) {
		hf_jw_object(w->json);
		hf_jw_kv_if(w->json, "cluster", cluster);
	} else if (many) {
		rbac_print_line(w, "", hf_arena_concat(w->arena, HF_SV("# "), cluster.len ? cluster : HF_SV("files")));
	}
	int r = tasks[w->ask->task].write(w, err);
	if (many && w->json)
		hf_jw_object_end(w->json);
	return r < 0 ? r : bits | r;
}

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t sets_n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	const struct rbac_ask *ask = ctx;
	struct hf_json_writer json = {
		.out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out, .compact = k->items != NULL
	};
	struct rbac_writer w = { .ask = ask, .run = k, .arena = a, .out = out, .json = ask->json ? &json : NULL };
	size_t n;
	const hf_sv *clusters = clusters_of(sets[0], a, &n);
	int bits = 0, r = 0;

	(void)sets_n;
	if (ask->json) {
		hf_jw_object(&json);
		hf_jw_kv(&json, "schema", HF_SV("holdfast/rbac/1"));
	}
	if (ask->json && n > 1) {
		hf_jw_key(&json, "clusters");
		hf_jw_array(&json);
	}
	for (size_t i = 0; clusters && i < n && r >= 0; i++) {
		r = write_cluster(&w, sets[0], clusters[i], n > 1, err);
		bits |= r > 0 ? r : 0;
	}
	if (r < 0 || !ask->json)
		return r < 0 ? r : bits;
	if (n > 1)
		hf_jw_array_end(&json);
	hf_jw_object_end(&json);
	r = hf_jw_finish(&json, err);
	return r < 0 ? r : bits;
}

/* "sa:web/app" and "user:alice" besides what kubectl takes. */
static const char *user_name(struct rbac_ask *ask, const char *word)
{
	hf_sv s = hf_sv_of(word), namespace, name;

	if (hf_sv_starts(s, HF_SV("user:")))
		return word + 5;
	if (!hf_sv_starts(s, HF_SV("sa:")) || !hf_sv_cut(hf_sv_skip(s, 3), '/', &namespace, &name))
		return word;
	return hf_arena_fmt(&ask->arena, "system:serviceaccount:%.*s:%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name)).ptr;
}

static int add_group(struct rbac_ask *ask, const char *group)
{
	ask->groups = hf_realloc(ask->groups, (ask->groups_n + 1) * sizeof *ask->groups);
	ask->groups[ask->groups_n++] = hf_sv_of(group);
	return 1;
}

static int take_subject(struct rbac_ask *ask, const char *word)
{
	if (hf_sv_starts(hf_sv_of(word), HF_SV("group:")))
		return add_group(ask, word + 6);
	ask->as = user_name(ask, word);
	return 1;
}

static int take_severities(struct rbac_ask *ask, const char *arg, const char *value)
{
	struct hf_err err = { 0 };
	struct hf_gate gate;
	int r;

	if (hf_sv_starts(hf_sv_of(arg), HF_SV("--severity"))) {
		r = hf_filter_parse_severities(hf_sv_of(value), &ask->shows, &err);
	} else {
		r = hf_gate_parse(hf_sv_of(value), &gate, &err);
		if (r >= 0 && gate.kind != HF_GATE_SEVERITY && gate.kind != HF_GATE_CONFIG)
			r = hf_fail(&err, HF_E_USAGE, "--fail-on %s: here it is a severity", value);
		for (unsigned s = r < 0 ? HF_SEV_MAX : gate.severity; s < HF_SEV_MAX; s++)
			ask->fails |= 1u << s;
	}
	if (r < 0)
		return hf_command_usage("kube rbac", "%s", err.msg), -1;
	return 1;
}

static int flag_option(struct rbac_ask *ask, const char *arg)
{
	static const struct {
		const char *name, *brief;
		size_t slot;
	} flags[] = {
		{ "--all-namespaces", "-A", offsetof(struct rbac_ask, all_namespaces) },
		{ "--exact-groups", "", offsetof(struct rbac_ask, exact_groups) },
		{ "--all", "", offsetof(struct rbac_ask, all) },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(flags); i++)
		if (!strcmp(arg, flags[i].name) || (arg[0] && !strcmp(arg, flags[i].brief))) {
			*(bool *)((char *)ask + flags[i].slot) = true;
			return 1;
		}
	if (!strcmp(arg, "--with-defaults"))
		ask->defaults = HF_RBAC_DEFAULTS_WITH;
	else if (!strcmp(arg, "--no-defaults"))
		ask->defaults = HF_RBAC_DEFAULTS_WITHOUT;
	else
		return 0;
	return 1;
}

/* 1: taken; 0: none of ours; -1: wrong, and usage was printed. */
static int own_option(struct kube_run *k, struct rbac_ask *ask, int argc, char **argv, int *i)
{
	static const struct {
		const char *name, *brief;
		size_t slot; /* 0: not kept as it is */
	} values[] = {
		{ "--as", "", 0 },
		{ "--as-group", "", 0 },
		{ "--namespace", "-n", offsetof(struct rbac_ask, namespace) },
		{ "--name", "", offsetof(struct rbac_ask, name) },
		{ "--subresource", "", offsetof(struct rbac_ask, subresource) },
		{ "--severity", "", 0 },
		{ "--fail-on", "", 0 },
		{ "--audit-log", "", offsetof(struct rbac_ask, audit_log) },
	};
	const char *arg = argv[*i], *value = NULL;

	if (flag_option(ask, arg))
		return 1;
	for (size_t v = 0; v < HF_ARRAY_SIZE(values); v++) {
		size_t n = strlen(values[v].name);
		if (!strncmp(arg, values[v].name, n) && arg[n] == '=')
			value = arg + n + 1;
		else if (strcmp(arg, values[v].name) && (!values[v].brief[0] || strcmp(arg, values[v].brief)))
			continue;
		if (!value)
			value = kube_run_value(k, argc, argv, i);
		if (!value)
			return -1;
		if (!strcmp(values[v].name, "--as"))
			return take_subject(ask, value);
		if (!strcmp(values[v].name, "--as-group"))
			return add_group(ask, value);
		if (!values[v].slot)
			return take_severities(ask, arg, value);
		*(const char **)((char *)ask + values[v].slot) = value;
		return 1;
	}
	if (arg[0] == '-' && arg[1])
		return hf_command_no_option(k->command, arg), -1;
	return 0;
}

/* What stands behind the resource is a name where more follows and nothing of that name is there to be read. */
static bool is_name(const char *word)
{
	hf_sv s = hf_sv_of(word);

	return strcmp(word, "-") && !hf_sv_starts(s, HF_SV("cluster:")) && !hf_sv_ends(s, HF_SV(".yaml")) &&
	       !hf_sv_ends(s, HF_SV(".yml")) && !hf_sv_ends(s, HF_SV(".json")) && hf_sv_index(s, '/') == SIZE_MAX &&
	       access(word, F_OK) != 0;
}

static void sort_words(struct kube_run *k, struct rbac_ask *ask, const char **words, size_t n)
{
	size_t at = 0;

	if (tasks[ask->task].words_n == 2) {
		while (at < n && at < 2)
			ask->words[at] = words[at], at++;
		if (!ask->name && (n > at + 1 || (n > at && (k->kubeconfig || k->context))) && is_name(words[at]))
			ask->words[2] = words[at], at++;
		ask->words_n = at;
	}
	while (at < n)
		kube_run_target(k, words[at++]);
}

static int finish(struct kube_run *k, struct rbac_ask *ask)
{
	if (ask->words_n < tasks[ask->task].words_n)
		return hf_command_usage(k->command, "%s wants a verb and a resource, or a path", tasks[ask->task].word);
	if (ask->task == RBAC_CAN && !ask->as && !ask->groups_n)
		return hf_command_usage(
			k->command, "can who? --as NAME, --as system:serviceaccount:NAMESPACE:NAME or --as-group NAME");
	if (ask->task == RBAC_AUDIT && !ask->audit_log)
		return hf_command_usage(k->command, "audit wants --audit-log FILE");
	const char *format = k->format ? k->format : "table";
	bool audits = ask->task == RBAC_AUDIT;
	ask->yaml = audits && !strcmp(format, "yaml");
	ask->patch = audits && !strcmp(format, "patch");
	ask->apply = audits && !strcmp(format, "apply");
	if (strcmp(format, "table") && strcmp(format, "json") && !ask->yaml && !ask->patch && !ask->apply)
		return hf_command_usage(
			k->command, "--format is table or json, for audit also patch, apply or yaml, not %s", format);
	if (ask->task == RBAC_AUDIT)
		kube_run_file(k, ask->audit_log);
	ask->json = k->format && !strcmp(k->format, "json");
	return 0;
}

static bool take_task(struct rbac_ask *ask, const char *word)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(tasks); i++)
		if (tasks[i].word && !strcmp(word, tasks[i].word)) {
			ask->task = (enum rbac_task)i;
			return true;
		}
	return false;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube rbac" };
	struct rbac_ask ask = { .arena = HF_ARENA(HF_KIB(64)) };
	const char **words = hf_calloc((size_t)argc, sizeof *words);
	size_t words_n = 0;
	bool only_words = false;
	int taken = 0, status;

	for (int i = argc > 1 && take_task(&ask, argv[1]) ? 2 : 1; i < argc && taken >= 0; i++) {
		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
			continue;
		}
		taken = only_words ? 0 : kube_run_option(&k, argc, argv, &i);
		if (!taken && !only_words)
			taken = own_option(&k, &ask, argc, argv, &i);
		if (!taken)
			words[words_n++] = argv[i];
	}
	status = taken < 0 ? 2 : 0;
	if (!status) {
		sort_words(&k, &ask, words, words_n);
		status = finish(&k, &ask);
	}
	/* A finding does not name its cluster. */
	if (ask.task == RBAC_CHECK && k.targets_n <= 1)
		k.watch_schema = "holdfast/kube-rbac-change/1";
	if (!status)
		status = kube_run(&k, evaluate, &ask);
	free(words);
	free(ask.groups);
	hf_arena_done(&ask.arena);
	return status;
}

const struct hf_command hf_kube_rbac = {
	.name = "rbac",
	.summary = "who may do what: roles, bindings and what they lead to",
	.usage = "[check] [--severity LIST] [--fail-on SEVERITY] TARGET...\n"
		 "                Rights that lead to more, paths to cluster-admin, accounts that nobody uses.\n"
		 "       holdfast kube rbac can VERB RESOURCE [NAME] --as USER [--as-group GROUP]... [-n NAMESPACE | "
		 "-A] TARGET...\n"
		 "                Whether a user may do it, and by which roles.\n"
		 "       holdfast kube rbac who-can VERB RESOURCE [NAME] [-n NAMESPACE | -A] TARGET...\n"
		 "                Everybody who may do it, and by which roles.\n"
		 "       holdfast kube rbac unused TARGET...\n"
		 "                Roles that nobody is bound to, and bindings that give nothing.\n"
		 "       holdfast kube rbac audit --audit-log FILE TARGET...\n"
		 "                What was granted against what an audit log shows to be used.\n"
		 "       holdfast kube rbac list [--as USER] [--as-group GROUP]... [-n NAMESPACE] [--all] TARGET...\n"
		 "                All that is granted, to all or to one user.\n\n"
		 "RESOURCE is RESOURCE[.GROUP][/SUBRESOURCE or /NAME], a short name too, or a path (/healthz).\n\n"
		 "  --as USER            a user, system:serviceaccount:NAMESPACE:NAME or sa:NAMESPACE/NAME\n"
		 "  --as-group GROUP     a group of that user\n"
		 "  --exact-groups       no groups but those: system:authenticated is not added\n"
		 "  -n, --namespace NS   of the request (default: default)\n"
		 "  -A, --all-namespaces  the request is for all namespaces at once\n"
		 "  --name NAME          of the object\n"
		 "  --subresource NAME   of the resource: what stands behind the slash is a name then\n"
		 "  --with-defaults      the roles and bindings that every API server makes are there\n"
		 "  --no-defaults        they are not (default: they are, where the targets have none of them)\n"
		 "  --audit-log FILE     an API server's audit log (JSON lines): what was granted against what was "
		 "used;\n"
		 "                       --format patch writes a patch of the manifests that leaves just that, "
		 "--format\n"
		 "                       apply the same for kubectl apply, --format yaml new roles beside them\n"
		 "  --severity LIST      show only findings of these: critical,high,medium,low\n"
		 "  --fail-on SEVERITY   exit 1 where a finding shown is at least this bad: low|medium|high|critical\n"
		 "  --all                list what every cluster has too\n" KUBE_WATCH_USAGE KUBE_RUN_USAGE(
			 "table|json|patch|apply|yaml"),
	.run = run,
};
