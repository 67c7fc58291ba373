/* runtime enforce: denies to chosen containers what is not theirs to do; a dry run unless --deny is given. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/runtime/enforce_agent.h"
#include "cmd/runtime/profile_file.h"
#include "cmd/runtime/runtime.h"
#include "enforce/enforcer.h"

enum { CANARY_DEFAULT_S = 60, RUNGS_MAX = 16, RULES_MAX_BYTES = 4 << 20 };

struct options {
	struct runtime_outputs outputs;
	struct enforce_selection selection;
	const char *profile, *rules, *replay, *docker_socket;
	uint64_t canary_s, pid;
	uint32_t rungs;
	bool deny, show_rungs;
	int turn; /* 0 off, 1 on, -1 neither */
};

static int add_rungs(struct options *o, const char *list)
{
	hf_sv rest = hf_sv_of(list), name;

	while (rest.ptr && hf_sv_next(&rest, ',', &name)) {
		const struct hf_rung *r = hf_rung_of(name);
		if (!r)
			return hf_command_usage("runtime enforce", "--rung: '%.*s' is none; --rungs lists them",
						HF_SV_FMT(name));
		o->rungs |= 1u << r->by;
	}
	return -1;
}

static int take_value(struct options *o, const char *option, const char *value)
{
	struct enforce_selection *s = &o->selection;

	if (!strcmp(option, "--container") && s->containers_n < HF_ARRAY_SIZE(s->containers) && *value)
		s->containers[s->containers_n++] = value;
	else if (!strcmp(option, "--label") && s->labels_n < HF_ARRAY_SIZE(s->labels) && *value)
		s->labels[s->labels_n++] = value;
	else if (!strcmp(option, "--profile"))
		o->profile = value;
	else if (!strcmp(option, "--rules"))
		o->rules = value;
	else if (!strcmp(option, "--replay"))
		o->replay = value;
	else if (!strcmp(option, "--docker-socket"))
		o->docker_socket = value;
	else if (!strcmp(option, "--pid") && hf_sv_to_u64(hf_sv_of(value), &o->pid) && o->pid && o->pid <= INT32_MAX)
		return -1;
	else if (!strcmp(option, "--rung"))
		return add_rungs(o, value);
	else if (!strcmp(option, "--canary-seconds") && hf_sv_to_u64(hf_sv_of(value), &o->canary_s) &&
		 o->canary_s <= 86400)
		return -1;
	else
		return hf_command_usage("runtime enforce", "'%s %s' is not understood", option, value);
	return -1;
}

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int taken = runtime_outputs_option(&o->outputs, "runtime enforce", argc, argv, &i);
		if (taken == 2)
			return 2;
		if (taken)
			continue;
		if (!strcmp(argv[i], "--deny"))
			o->deny = true;
		else if (!strcmp(argv[i], "--rungs"))
			o->show_rungs = true;
		else if (!strcmp(argv[i], "--off") || !strcmp(argv[i], "--on"))
			o->turn = !strcmp(argv[i], "--on");
		else if (i + 1 == argc || argv[i][0] != '-')
			return hf_command_no_option("runtime enforce", argv[i]);
		else {
			int status = take_value(o, argv[i], argv[i + 1]);
			if (status >= 0)
				return status;
			i++;
		}
	}
	return -1;
}

static int show_rungs(void)
{
	struct hf_enforcer_rung rungs[RUNGS_MAX];
	size_t n = hf_enforcer_probe(rungs, RUNGS_MAX);

	for (size_t i = 0; i < n; i++) {
		const struct hf_rung *r = rungs[i].rung;
		printf("%-14s %s%s%s\n", r->name, rungs[i].works ? "works" : "not available",
		       rungs[i].why[0] ? ": " : "", rungs[i].why);
		printf("  denies  ");
		for (uint32_t rule = 0; rule < HF_DENIES; rule++)
			if (r->stops & 1u << rule)
				printf(" %s", hf_deny_name(rule));
		printf("%s\n  leaves   %s\n", r->stops ? "" : " nothing that runs already", r->residual);
	}
	return fflush(stdout) ? 2 : 0;
}

static int turn(bool on, uint32_t pid)
{
	struct hf_err err = { 0 };
	int n = hf_enforcer_switch_all(on, pid, &err);

	if (n < 0)
		return hf_command_fail(&err);
	printf("%d running enforcements were turned %s\n", n, on ? "on" : "off");
	return n ? 0 : 1;
}

static int read_policy(const struct options *o, struct hf_arena *a, struct hf_profile *profile,
		       struct hf_enforce_policy *ret, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(RULES_MAX_BYTES);
	int code = o->profile ? profile_file_read(o->profile, a, profile, err) : 0;

	if (!code && o->rules) {
		hf_cleanup(hf_fd_close) int fd = open(o->rules, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		code = fd < 0 ? hf_fail_errno(err, "%s", o->rules) : hf_fd_read_all(fd, 0, &text, err);
	}
	if (code < 0)
		return code;
	if (o->deny && o->profile && profile->mode != HF_MODE_ENFORCE)
		return hf_fail(err, HF_E_USAGE, "%s is in mode %s: set 'mode: enforce' in it, or leave out --deny",
			       o->profile, hf_profile_mode_name(profile->mode));
	code = hf_enforce_policy_make(hf_arena_dup(a, hf_buf_view(&text)), o->profile ? profile : NULL, a, ret, err);
	return code < 0 && o->rules ? hf_wrap(err, "%s", o->rules) : code;
}

static int run_with(struct options *o, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_PROFILE_ARENA_MAX);
	struct hf_profile profile = { 0 };
	struct hf_enforce_policy policy = { 0 };
	uint64_t denied;
	int code = read_policy(o, &a, &profile, &policy, err);

	if (code < 0)
		return code;
	if (o->replay)
		return enforce_replay(o->replay, &policy, &o->selection,
				      o->outputs.format && !strcmp(o->outputs.format, "json"), &denied, err);
	const struct enforce_agent_options agent = {
		.policy = &policy,
		.selection = &o->selection,
		.outputs = &o->outputs,
		.docker_socket = o->docker_socket,
		.deny = o->deny,
		.rungs = o->rungs,
		.canary_ms = (uint32_t)o->canary_s * 1000,
	};
	return enforce_agent(&agent, err);
}

static int run(int argc, char **argv)
{
	struct options o = { .canary_s = CANARY_DEFAULT_S, .turn = -1 };
	struct hf_err err = { 0 };
	int status = parse(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.show_rungs)
		return show_rungs();
	if (o.turn >= 0)
		return turn(o.turn, (uint32_t)o.pid);
	if (!o.profile && !o.rules)
		return hf_command_usage("runtime enforce",
					"what is to be denied? --rules FILE, --profile FILE or both");
	if (!o.replay && !o.selection.containers_n && !o.selection.labels_n)
		return hf_command_usage("runtime enforce",
					"to whom? --container or --label: 'everything' is never enforced on");
	return run_with(&o, &err) < 0 ? hf_command_fail(&err) : fflush(stdout) ? 2 : 0;
}

const struct hf_command hf_runtime_enforce = {
	.name = "enforce",
	.summary = "deny to chosen containers what is not theirs to do; a dry run unless --deny is given",
	.usage =
		"--container NAME|ID... | --label KEY[=VALUE]... --rules FILE|--profile FILE [--deny] [OPTIONS]\n"
		"       --replay TRACE --rules FILE|--profile FILE\n"
		"       --rungs | --off [--pid PID] | --on [--pid PID]\n\n"
		"  --container NAME|ID   a name, an id, or its first twelve digits or more; repeatable\n"
		"  --label KEY[=VALUE]   all containers with that label; repeatable\n"
		"  --rules FILE          what to deny: a list under the key 'deny', see docs/formats/enforce-rules.md\n"
		"  --profile FILE        what 'runtime learn' wrote; rules take what is allowed from it\n"
		"  --deny                really deny; without it what would be denied is told and nothing is stopped\n"
		"  --rung RUNG,...       these mechanisms alone\n"
		"  --rungs               what this machine can do, and what each mechanism leaves open\n"
		"  --off, --on           turn all denials of all that enforce on this machine off at once, or on\n"
		"  --pid PID             of that process alone\n"
		"  --replay TRACE        what would have been denied in a record, by workload\n"
		"  --canary-seconds N    how often a denial is provoked and checked; default 60, 0 never\n"
		"  --docker-socket PATH  the engine's socket\n" RUNTIME_OUTPUTS_USAGE,
	.run = run,
};
