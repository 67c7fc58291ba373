/* kube check: checks of manifests or a cluster. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "check/check.h"
#include "cmd/kube/kube.h"
#include "cmd/kube/kube_check_fix.h"
#include "cmd/kube/kube_check_write.h"
#include "cmd/kube/kube_run.h"

struct session {
	struct kube_check_options o;
	const struct hf_check **wanted; /* NULL-ended; NULL: all */
	size_t wanted_n;
	unsigned gates[HF_SEV_MAX]; /* --fail-on */
	bool gated;
	bool compares, fail_on_new;
	struct hf_check_settings settings;
	struct kube_fix_options fix;
	HF_VEC(hf_sv) registries;
};

static int add_checks(struct session *s, const char *list)
{
	hf_sv rest = hf_sv_of(list), word;

	while (hf_sv_next(&rest, ',', &word)) {
		const struct hf_check **found = hf_check_find(word);
		if (!found)
			return hf_command_usage("kube check", "'%.*s' is no check ('--list' names them)",
						HF_SV_FMT(word));
		for (size_t i = 0; found[i]; i++) {
			s->wanted = hf_realloc(s->wanted, (s->wanted_n + 2) * sizeof *s->wanted);
			s->wanted[s->wanted_n++] = found[i];
			s->wanted[s->wanted_n] = NULL;
		}
		free(found);
	}
	return 0;
}

static int add_severities(const char *list, bool *set, bool upwards)
{
	hf_sv rest = hf_sv_of(list), word;

	while (hf_sv_next(&rest, ',', &word)) {
		enum hf_severity severity =
			hf_severity_of(hf_sv_starts(word, HF_SV("config:")) ? hf_sv_skip(word, 7) : word);
		if (severity == HF_SEV_UNKNOWN)
			return hf_command_usage("kube check", "'%.*s' is no severity: low, medium, high, critical",
						HF_SV_FMT(word));
		for (unsigned i = severity; i < HF_SEV_MAX && (upwards || i == severity); i++)
			set[i] = true;
	}
	return 0;
}

static int list_checks(const char *format)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(STDOUT_FILENO);
	struct hf_err err = { 0 };

	if (format && !strcmp(format, "json"))
		return kube_check_list_json(&out, &err) < 0 || hf_out_flush(&out, &err) < 0 ? hf_command_fail(&err) : 0;
	if (format && strcmp(format, "table"))
		return hf_command_usage("kube check", "--format of --list is table or json, not '%s'", format);
	for (size_t g = 0; hf_check_groups[g]; g++)
		for (size_t i = 0; i < hf_check_groups[g]->checks_n; i++) {
			const struct hf_check *c = &hf_check_groups[g]->checks[i];
			printf("%-12s %-9s %-34s %s\n", c->id, hf_severity_name(c->severity), c->name, c->title);
		}
	return 0;
}

/* The gates look at what came. */
static int compare(struct kube_run *k, const struct session *s, const struct hf_kube_objects *const *sets,
		   struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	const struct hf_check_report *before = hf_check_all(sets[0], s->wanted, &s->settings, a);
	const struct hf_check_report *after = hf_check_all(sets[1], s->wanted, &s->settings, a);
	struct hf_check_difference d;
	int bits = 0;

	if (!before || !after || !hf_check_compare(before, after, a, &d))
		return hf_fail(err, HF_E_LIMIT, "the findings need more memory than is allowed");
	for (size_t i = 0; i < d.came_n; i++)
		if (s->fail_on_new || s->o.fails[d.came[i]->check->severity])
			bits |= KUBE_GATE_FAILED;
	int r = kube_check_write_difference(k, &s->o, sets, &d, a, out, err);
	return r < 0 ? r : bits;
}

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct session *s = ctx;
	const struct hf_check_report *report = NULL;
	int bits = 0, r = HF_OK;

	if (n > 1)
		return compare(k, s, sets, a, out, err);
	if (s->fix.fix)
		r = kube_check_fix(k, &s->fix, sets[0], a, out, &report, err);
	else
		report = hf_check_all(sets[0], s->wanted, &s->settings, a);
	if (r < 0)
		return r;
	if (!report || a->over)
		return hf_fail(err, HF_E_LIMIT, "the findings need more memory than is allowed");
	for (size_t i = 0; i < report->results_n; i++) {
		const struct hf_check_result *found = hf_check_result_at(report, i);
		if (found->status == HF_CHECK_FAIL && s->o.fails[found->check->severity])
			bits |= KUBE_GATE_FAILED;
	}
	if (!s->fix.fix)
		r = kube_check_write(k, &s->o, sets[0], report, a, out, err);
	return r < 0 ? r : bits;
}

static int option(struct session *s, struct kube_run *k, int argc, char **argv, int *i)
{
	static const char *const names[] = { "--checks", "--severity", "--fail-on", "--registry" };
	size_t which = 0;

	if (!strcmp(argv[*i], "--all")) {
		s->o.all = true;
		return 0;
	}
	if (!strcmp(argv[*i], "--summary")) {
		s->o.summary = true;
		return 0;
	}
	if (!strcmp(argv[*i], "--compare") || !strcmp(argv[*i], "--fail-on-new")) {
		s->compares |= argv[*i][2] == 'c';
		s->fail_on_new |= argv[*i][2] == 'f';
		return 0;
	}
	if (!strcmp(argv[*i], "--fix") || !strcmp(argv[*i], "--fix-all") || !strcmp(argv[*i], "--dry-run")) {
		s->fix.fix |= argv[*i][2] == 'f';
		s->fix.all |= !strcmp(argv[*i], "--fix-all");
		s->fix.dry_run |= argv[*i][2] == 'd';
		return 0;
	}
	while (which < HF_ARRAY_SIZE(names) && strcmp(argv[*i], names[which]))
		which++;
	if (which == HF_ARRAY_SIZE(names)) {
		if (argv[*i][0] == '-' && argv[*i][1])
			return hf_command_no_option("kube check", argv[*i]);
		kube_run_target(k, argv[*i]);
		return 0;
	}
	const char *value = kube_run_value(k, argc, argv, i);
	if (!value)
		return 2;
	if (which == 0)
		return add_checks(s, value);
	if (which == 1)
		return add_severities(value, s->o.shows, false);
	if (which == 2)
		return add_severities(value, s->o.fails, true);
	hf_sv *slot = hf_vec_push(&k->arena, &s->registries);
	if (slot)
		*slot = hf_sv_of(value);
	return 0;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube check", .arena = HF_ARENA(HF_KUBE_INPUT_ARENA_MAX) };
	struct session s = { 0 };
	bool list = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list")) {
			list = true;
			continue;
		}
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0 || (!taken && option(&s, &k, argc, argv, &i)))
			return 2;
	}
	if (list)
		return list_checks(k.format);
	if (k.format && !kube_check_format_known(k.format))
		return hf_command_usage("kube check", "--format is table, json or sarif, not '%s'", k.format);
	if (s.fix.dry_run && !s.fix.fix)
		return hf_command_usage("kube check", "--dry-run shows what --fix or --fix-all would do");
	if (s.fix.fix && k.format)
		return hf_command_usage("kube check", "--fix writes no report: --format is of no use with it");
	if (s.o.summary && (s.compares || s.fix.fix || (k.format && strcmp(k.format, "table"))))
		return hf_command_usage("kube check", "--summary is a table of the findings alone");
	k.watch_schema = s.fix.fix || s.o.summary || s.compares ? NULL : "holdfast/kube-check-change/1";
	if (s.compares && s.fix.fix)
		return hf_command_usage("kube check", "--compare only tells: it has no --fix");
	if (s.compares && k.targets_n != 2)
		return hf_command_usage("kube check", "--compare wants two targets: OLD and NEW");
	if (s.fail_on_new && !s.compares)
		return hf_command_usage("kube check", "--fail-on-new wants --compare OLD NEW");
	k.one_set_each = s.compares;
	s.settings = (struct hf_check_settings){ s.registries.at, s.registries.n };
	s.fix.wanted = s.wanted;
	s.fix.settings = &s.settings;
	if (s.fix.fix && !s.fix.dry_run)
		k.deliver = kube_check_fix_deliver;
	int status = kube_run(&k, evaluate, &s);
	free(s.wanted);
	return status;
}

const struct hf_command hf_kube_check = {
	.name = "check",
	.summary = "what is wrong in workloads, network, storage, control plane, and how to mend it",
	.usage = "[OPTIONS] TARGET...\n\n"
		 "  --list               all checks; with --format json their texts too\n"
		 "  --checks LIST        only these: ids, names, or ids of other catalogues (KSV-0017, C-0057, "
		 "CIS-5.2.2)\n"
		 "  --severity LIST      show only these: critical,high,medium,low\n"
		 "  --fail-on SEVERITY   exit 1 where something of at least this is found: low|medium|high|critical\n"
		 "  --registry PREFIX    images may come from here; may be given several times\n"
		 "  --fix                mend what can be mended safely, in the files; comments and order stay\n"
		 "  --fix-all            also what may stop a workload that needs it\n"
		 "  --dry-run            show the difference that it would make, and write nothing\n"
		 "  --compare            of two targets, OLD and NEW: the findings that came and went\n"
		 "  --fail-on-new        exit 1 where one came; with --compare, --fail-on looks at those alone too\n"
		 "  --summary            a line an object: how many findings of each severity\n"
		 "  --all                also count what passed, a line a check\n" KUBE_WATCH_USAGE KUBE_RUN_USAGE(
			 "table|json|sarif"),
	.run = run,
};
