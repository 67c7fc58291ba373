/* kube pss: Pod Security Standards. */
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_items.h"
#include "cmd/kube/kube_run.h"
#include "cmd/log.h"
#include "cmd/kube/pss_report.h"
#include "pss/labels.h"

struct options {
	struct hf_pss_policy policy;
	bool level_given, explain, from_labels;
	enum hf_pss_mode mode;
	const char **exempt; /* "namespace:NAME", "runtime-class:NAME" */
	size_t exempt_n;
};

static bool is_listed(const struct options *opt, const char *kind, hf_sv name)
{
	for (size_t i = 0; i < opt->exempt_n; i++) {
		hf_sv what, of;
		if (hf_sv_cut(hf_sv_of(opt->exempt[i]), ':', &what, &of) && hf_sv_eq(what, hf_sv_of(kind)) &&
		    hf_sv_eq(of, name))
			return true;
	}
	return false;
}

/* Of several pods a runtime class exempts all or none. */
static const char *exemption(const struct options *opt, const struct hf_kube_pod *pods, size_t n)
{
	if (is_listed(opt, "namespace", pods->object->namespace))
		return "namespace";
	for (size_t i = 0; i < n; i++) {
		hf_sv class = hf_value_get_text(pods[i].spec, HF_SV("runtimeClassName"));
		if (!class.len || !is_listed(opt, "runtime-class", class))
			return NULL;
	}
	return "runtime class";
}

/* One evaluation: the policy of each namespace is read once; notes are shown as long as there are not too many. */
struct evaluation {
	const struct kube_run *run;
	const struct options *opt;
	const struct hf_kube_objects *set;
	struct hf_map policies; /* "cluster/namespace" -> struct hf_pss_policy */
	bool types_told;        /* the reader of the manifests has told of values of a wrong type */
	bool partial;
	size_t notes;
};

enum { NOTES_SHOWN = 50 };

static void say(struct evaluation *e, const struct hf_kube_object *o, const struct hf_value *at, hf_sv what)
{
	char place[900];

	if (e->notes++ >= NOTES_SHOWN && !log_shows(LOG_DEBUG))
		return;
	hf_kube_place(o, 0, place, sizeof place);
	if (hf_kube_is_live(o))
		log_at(LOG_WARNING, hf_sv_of(place), 0, 0, "%.*s", HF_SV_FMT(what));
	else
		log_at(LOG_WARNING, hf_sv_of(place), hf_kube_line(o, at), 0, "%s %.*s: %.*s",
		       hf_kube_kinds[o->kind].kind, HF_SV_FMT(o->name), HF_SV_FMT(what));
}

/* What could not be read, once an object. */
static void tell_unreadable(struct evaluation *e, const struct pss_verdict *v)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KUBE_ARENA_MAX);
	const struct hf_pss_finding *list;
	size_t n = hf_pss_evaluate(v->pod, v->pods_n, &v->policy, &scratch, &list);

	for (size_t i = 0; i < n; i++)
		for (size_t f = 0; f < list[i].n; f++) {
			if (list[i].fields[f].why != HF_PSS_UNREADABLE)
				continue;
			e->partial = true;
			if (!e->types_told)
				say(e, v->pod->object, list[i].fields[f].near,
				    hf_arena_concat(&scratch, list[i].fields[f].path,
						    HF_SV(" is not of its type: each control that reads it fails")));
			return;
		}
}

static struct hf_pss_policy policy_of(struct evaluation *e, const struct hf_kube_object *o)
{
	struct hf_arena *a = e->policies.arena;
	const struct hf_value *wrong = NULL;

	if (!e->opt->from_labels)
		return e->opt->policy;
	struct hf_map_entry *known =
		hf_map_put(&e->policies, hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(o->cluster), HF_SV_FMT(o->namespace)));
	struct hf_pss_policy *p = known && known->value ? known->value : hf_arena_new(a, struct hf_pss_policy);
	if (!known || !p || known->value)
		return p && known ? *p : e->opt->policy;
	const struct hf_kube_object *space =
		hf_kube_find(e->set, o->cluster, HF_KUBE_NAMESPACE, HF_SV(""), o->namespace);
	*p = hf_pss_policy_of_labels(space ? hf_value_get(space->metadata, HF_SV("labels")) : NULL, e->opt->mode,
				     e->opt->policy, &wrong);
	known->value = p;
	if (wrong)
		say(e, space, wrong,
		    e->opt->mode == HF_PSS_ENFORCE
			    ? HF_SV("a label that is no level or version: counts as restricted, or latest")
			    : HF_SV("a label that is no level or version: counts as privileged, or latest"));
	e->partial |= wrong != NULL;
	return *p;
}

static void judge(struct evaluation *e, const struct hf_kube_pod *pods, size_t n, struct pss_verdict *v)
{
	bool empty = false;

	v->pod = pods;
	v->pods_n = n;
	v->exempt = exemption(e->opt, pods, n);
	v->policy = policy_of(e, pods->object);
	for (size_t i = 0; i < n; i++) {
		if (!v->exempt)
			v->failed |= hf_pss_failed(&pods[i], &v->policy);
		empty |= !pods[i].spec->n;
	}
	if (v->failed)
		tell_unreadable(e, v);
	else if (empty)
		say(e, pods->object, NULL, HF_SV("has no pod template: judged as an empty one"));
}

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct evaluation e = { .run = k, .opt = ctx, .set = sets[0], .policies = HF_MAP(a) };
	size_t pods_n, objects_n = 0;
	const struct hf_kube_pod *pods = hf_kube_pods(sets[0], a, &pods_n);
	struct pss_verdict *v = hf_arena_array(a, struct pss_verdict, pods_n);
	bool json = k->format && !strcmp(k->format, "json");
	bool several = false;
	int bits = 0, r = HF_OK;

	(void)n;
	for (size_t i = 1; i < sets[0]->n && !several; i++)
		several = !hf_sv_eq(sets[0]->objects[i]->cluster, sets[0]->objects[0]->cluster);
	for (size_t i = 0; i < sets[0]->notes_n; i++)
		e.types_told |= sets[0]->notes[i].kind == HF_KUBE_NOTE_WRONG_TYPE;
	for (size_t i = 0; i < pods_n && v; i += v[objects_n++].pods_n) {
		judge(&e, &pods[i], hf_kube_pods_of_one(&pods[i], pods_n - i), &v[objects_n]);
		bits |= v[objects_n].failed ? KUBE_GATE_FAILED : 0;
		if (json)
			continue;
		kube_item_begin(k, out);
		pss_report_line(out, &v[objects_n], several, e.opt->explain, a);
		kube_item_end(k, out);
	}
	log_more(e.notes, NOTES_SHOWN);
	if (json && v)
		r = pss_report_json(k, out, v, objects_n, e.opt->from_labels ? hf_pss_mode_names[e.opt->mode] : NULL,
				    sets[0], a, err);
	return r < 0 ? r : bits | (e.partial ? KUBE_PARTIAL : 0);
}

/* "namespace:NAME" or "runtime-class:NAME", several with commas between them. */
static int add_exemptions(struct options *opt, char *list)
{
	for (char *next, *item = list; item; item = next) {
		next = strchr(item, ',');
		if (next)
			*next++ = 0;
		hf_sv one = hf_sv_of(item);
		size_t kind = hf_sv_starts(one, HF_SV("namespace:"))       ? sizeof "namespace:" - 1
			      : hf_sv_starts(one, HF_SV("runtime-class:")) ? sizeof "runtime-class:" - 1
									   : one.len;
		if (kind >= one.len)
			return hf_command_usage(
				"kube pss", "--exempt wants namespace:NAME or runtime-class:NAME, not \"%s\"", item);
		opt->exempt = hf_realloc(opt->exempt, (opt->exempt_n + 1) * sizeof *opt->exempt);
		opt->exempt[opt->exempt_n++] = item;
	}
	return 0;
}

static int set_mode(struct options *opt, const char *mode)
{
	for (unsigned m = 0; m < HF_PSS_MODES; m++)
		if (!strcmp(mode, hf_pss_mode_names[m])) {
			opt->mode = m;
			return 0;
		}
	return hf_command_usage("kube pss", "--from-labels: \"%s\" is none of enforce, audit, warn", mode);
}

/* 0, or the exit status of bad usage. */
static int take(struct kube_run *k, struct options *opt, int argc, char **argv, int *i)
{
	const char *arg = argv[*i];
	int taken = kube_run_option(k, argc, argv, i);

	if (taken)
		return taken < 0 ? 2 : 0;
	if (!strcmp(arg, "--explain")) {
		opt->explain = true;
	} else if (!strcmp(arg, "--user-namespaces")) {
		opt->policy.user_namespaces = true;
	} else if (!strcmp(arg, "--from-labels")) {
		opt->from_labels = true;
	} else if (!strncmp(arg, "--from-labels=", 14)) {
		opt->from_labels = true;
		return set_mode(opt, arg + 14);
	} else if (!strcmp(arg, "--exempt")) {
		return kube_run_value(k, argc, argv, i) ? add_exemptions(opt, argv[*i]) : 2;
	} else if (!strncmp(arg, "--exempt=", 9)) {
		return add_exemptions(opt, argv[*i] + 9);
	} else if (arg[0] == '-' && arg[1]) {
		return hf_command_no_option(k->command, arg);
	} else if (opt->level_given) {
		kube_run_target(k, arg);
	} else {
		bool relaxed = opt->policy.user_namespaces;
		if (!hf_pss_policy_of(hf_sv_of(arg), &opt->policy))
			return hf_command_usage(
				k->command,
				"\"%s\" is no LEVEL[:VERSION]: privileged, baseline or restricted, and v1.N or latest",
				arg);
		opt->policy.user_namespaces = relaxed;
		opt->level_given = true;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube pss", .watch_schema = "holdfast/pss-change/1" };
	struct options opt = { 0 };
	int status = 0;

	for (int i = 1; i < argc && !status; i++)
		status = take(&k, &opt, argc, argv, &i);
	if (!status && !opt.level_given)
		status = hf_command_usage(k.command, "which level? privileged, baseline or restricted");
	if (!status && k.format && strcmp(k.format, "table") && strcmp(k.format, "json"))
		status = hf_command_usage(k.command, "no format \"%s\": table, json", k.format);
	if (!status)
		status = kube_run(&k, evaluate, &opt);
	free(opt.exempt);
	return status;
}

const struct hf_command hf_kube_pss = {
	.name = "pss",
	.summary = "Pod Security Standards, each control, any version",
	.usage = "LEVEL[:VERSION] [OPTIONS] TARGET...\n\n"
		 "Does what makes pods meet the Pod Security Standards? One line an object, exit 1 where one fails.\n"
		 "LEVEL is privileged|baseline|restricted; VERSION v1.N or latest, which it is without one.\n\n"
		 "  --explain            below what fails: why, where, and the change that would pass\n"
		 "  --from-labels[=MODE]  each object at the level that its Namespace in the set asks for by its "
		 "labels,\n"
		 "                       LEVEL for those without; MODE is one of: enforce|audit|warn (default: "
		 "enforce)\n"
		 "  --exempt LIST        namespace:NAME and runtime-class:NAME that always pass\n"
		 "  --user-namespaces    pods with hostUsers: false may be root in them, as the cluster's feature gate "
		 "has it\n" KUBE_WATCH_USAGE KUBE_RUN_USAGE("table|json"),
	.run = run,
};
