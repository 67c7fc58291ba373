#include "cmd/target.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/threads.h"
#include "cmd/command.h"
#include "cmd/log.h"

enum {
	OPT_FORMAT = 256,
	OPT_DB,
	OPT_PLATFORM,
	OPT_VERIFY,
	OPT_JOBS,
	OPT_STRICT,
	OPT_REQUIRE_JAIL,
	OPT_NO_JAIL,
	OPT_SEVERITY,
	OPT_ONLY_FIXED,
	OPT_FAIL_ON,
	OPT_OFFLINE,
	OPT_SCAN,
	OPT_NO_CACHE,
	OPT_INFORMATIONAL,
};

static const struct option shared[] = {
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "require-jail", no_argument, NULL, OPT_REQUIRE_JAIL },
	{ "no-jail", no_argument, NULL, OPT_NO_JAIL },
	{ "no-cache", no_argument, NULL, OPT_NO_CACHE },
	{ "offline", no_argument, NULL, OPT_OFFLINE },
	{ "db", required_argument, NULL, OPT_DB },
	{ "severity", required_argument, NULL, OPT_SEVERITY },
	{ "only-fixed", no_argument, NULL, OPT_ONLY_FIXED },
	{ "fail-on", required_argument, NULL, OPT_FAIL_ON },
	{ "informational", no_argument, NULL, OPT_INFORMATIONAL },
	{ "scan", required_argument, NULL, OPT_SCAN },
	{ NULL, 0, NULL, 0 },
};

/* --scan vuln,secret,config,licence: what this version does not look for is said, not left out in silence. */
static int read_scan_list(struct target_options *o, const char *list)
{
	hf_sv rest = hf_sv_of(list), word;
	bool vuln = false;

	while (hf_sv_next(&rest, ',', &word)) {
		if (hf_sv_eq(word, HF_SV("vuln"))) {
			vuln = true;
			continue;
		}
		if (hf_sv_eq(word, HF_SV("secret")) || hf_sv_eq(word, HF_SV("licence")) ||
		    hf_sv_eq(word, HF_SV("config")))
			return hf_command_usage(o->command, "--scan %.*s: this version looks for vuln alone",
						HF_SV_FMT(word));
		return hf_command_usage(o->command, "--scan: '%.*s' is none of vuln, secret, config, licence",
					HF_SV_FMT(word));
	}
	o->match = vuln;
	return -1;
}

static int read_gate(struct target_options *o, const char *rule)
{
	struct hf_err err = { 0 };

	if (o->gates_n == TARGET_GATES_MAX)
		return hf_command_usage(o->command, "--fail-on: more than %d rules", TARGET_GATES_MAX);
	if (hf_gate_parse(hf_sv_of(rule), &o->gates[o->gates_n++], &err) < 0)
		return hf_command_usage(o->command, "%s", err.msg);
	if (o->gates[o->gates_n - 1].kind == HF_GATE_SECRET)
		log_warning("--fail-on secret: this version does not look for secrets, so this gate cannot fail");
	return -1;
}

static int read_option(struct target_options *o, int option, const char *value)
{
	struct hf_err err = { 0 };
	uint64_t n;

	switch (option) {
	case OPT_FORMAT:
		o->format = value;
		return -1;
	case 'o':
		o->output = value;
		return -1;
	case OPT_PLATFORM:
		o->platform = value;
		return -1;
	case OPT_VERIFY:
		o->verify = true;
		return -1;
	case OPT_STRICT:
		o->strict = true;
		return -1;
	case OPT_REQUIRE_JAIL:
		o->require_jail = true;
		return -1;
	case OPT_NO_JAIL:
		o->no_jail = true;
		return -1;
	case OPT_OFFLINE:
		o->offline = true;
		return -1;
	case OPT_NO_CACHE:
		return -1;
	case OPT_DB:
		o->db = value;
		return -1;
	case OPT_ONLY_FIXED:
		o->filter.only_fixed = true;
		return -1;
	case OPT_INFORMATIONAL:
		o->filter.show_informational = true;
		return -1;
	case OPT_SCAN:
		return read_scan_list(o, value);
	case OPT_FAIL_ON:
		return read_gate(o, value);
	case OPT_JOBS:
		if (!hf_sv_to_u64(hf_sv_of(value), &n) || n < 1 || n > HF_THREADS_MAX)
			return hf_command_usage(o->command, "--jobs: '%s' is no number from 1 to %d", value,
						HF_THREADS_MAX);
		o->jobs = (unsigned)n;
		return -1;
	case OPT_SEVERITY:
		if (hf_filter_parse_severities(hf_sv_of(value), &o->filter.severities, &err) < 0)
			return hf_command_usage(o->command, "%s", err.msg);
		return -1;
	default:
		return 2;
	}
}

/* What users of other scanners would write, and what it is here. */
static int no_such_option(const struct target_options *o, const char *option)
{
	static const struct {
		const char *theirs, *ours;
	} known[] = {
		{ "--ignore-unfixed", "--only-fixed" },
		{ "--exit-code", "--fail-on RULE" },
		{ "--only-vulns", "--scan vuln" },
		{ "--scanners", "--scan LIST" },
		{ "--skip-db-update", "--offline" },
		{ "--input", "archive:FILE as the target" },
		{ "--file", "-o FILE" },
		{ "--skip-update", "--offline" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (!strncmp(option, known[i].theirs, strlen(known[i].theirs)))
			return hf_command_usage(o->command, "there is no option '%s'; here that is %s", option,
						known[i].ours);
	return hf_command_no_option(o->command, option);
}

int target_options_parse(struct target_options *o, int argc, char **argv)
{
	int c, status;

	o->jobs = hf_threads_default();
	o->format = "table";
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":f:o:", shared, NULL)) >= 0) {
		if (c == ':')
			return hf_command_usage(o->command, "%s needs a value", argv[optind - 1]);
		if (c == '?')
			return no_such_option(o, argv[optind - 1]);
		if (c >= OPT_DB && !(o->kind & HF_REPORT_SCAN) &&
		    (c == OPT_FAIL_ON || c == OPT_SEVERITY || c == OPT_ONLY_FIXED || c == OPT_SCAN))
			return hf_command_usage(o->command, "'%s' goes with scan alone", argv[optind - 1]);
		status = read_option(o, c == 'f' ? OPT_FORMAT : c, optarg);
		if (status >= 0)
			return status;
	}
	o->targets = (const char **)argv + optind;
	o->targets_n = (size_t)(argc - optind);
	if (!o->targets_n)
		return hf_command_usage(o->command, "needs a TARGET, for example archive:image.tar or host:");
	return -1;
}
