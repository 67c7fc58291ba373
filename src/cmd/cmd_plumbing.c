/* plumbing compare|match|purl|kube-object: the parts that others' scripts and our own measurements call. */
#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "cmd/plumbing.h"
#include "cmd/plumbing_match.h"
#include "model/package.h"
#include "version/version.h"

static const struct hf_version_scheme *scheme_of(hf_sv ecosystem)
{
	enum hf_package_type type = hf_package_type_of_purl(ecosystem);

	if (type == HF_PKG_MAX)
		type = hf_package_type_of_ecosystem(ecosystem);
	return hf_version_scheme_named(hf_sv_of(hf_package_type_scheme(type)));
}

static char sign(const struct hf_version_scheme *scheme, hf_sv a, hf_sv b)
{
	switch (scheme->compare(a, b)) {
	case HF_ORDER_LESS:
		return '<';
	case HF_ORDER_EQUAL:
		return '=';
	case HF_ORDER_GREATER:
		return '>';
	case HF_ORDER_UNKNOWN:
	default:
		return '?';
	}
}

static int compare_lines(const struct hf_version_scheme *scheme)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) >= 0) {
		hf_sv a, b, s = { line, (size_t)n };
		if (hf_sv_ends(s, HF_SV("\n")))
			s.len--;
		putchar(hf_sv_cut(s, '\t', &a, &b) ? sign(scheme, a, b) : '?');
		putchar('\n');
	}
	free(line);
	return 0;
}

static int unknown_ecosystem(const char *name)
{
	hf_cleanup(hf_buf_done) struct hf_buf types = HF_BUF(1024);

	for (int t = 0; t < HF_PKG_MAX; t++)
		hf_buf_addf(&types, "%s%s", t ? ", " : "", hf_package_type_purl((enum hf_package_type)t));
	return hf_command_usage(
		"plumbing",
		"compare: no order of versions is known for '%s', but for these and OSV's names of them: %.*s", name,
		HF_SV_FMT(hf_buf_view(&types)));
}

static int compare(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (hf_sv_starts(hf_sv_of(argv[i]), HF_SV("--")))
			return hf_command_no_option("plumbing", argv[i]);
	if (argc < 3)
		return hf_command_usage("plumbing", "compare needs ECOSYSTEM and two versions, or '-'");
	const struct hf_version_scheme *scheme = scheme_of(hf_sv_of(argv[1]));
	if (!scheme)
		return unknown_ecosystem(argv[1]);
	if (argc == 3 && !strcmp(argv[2], "-"))
		return compare_lines(scheme);
	if (argc != 4)
		return hf_command_usage("plumbing", "compare needs ECOSYSTEM and two versions, or '-'");
	printf("%c\n", sign(scheme, hf_sv_of(argv[2]), hf_sv_of(argv[3])));
	return 0;
}

static int plumbing_run(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "compare"))
		return compare(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "match"))
		return hf_plumbing_match(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "purl"))
		return hf_plumbing_purl(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "kube-object"))
		return hf_plumbing_kube_object(argc - 1, argv + 1);
	return hf_command_usage("plumbing", "there are compare, match, purl and kube-object");
}

const struct hf_command hf_command_plumbing = {
	.name = "plumbing",
	.summary = "parts for scripts: compare versions, match one package, parse a purl, fill in an object",
	.usage = "compare ECOSYSTEM A B   prints <, =, > or ?\n"
		 "       A line of stdin each, 'A<TAB>B', where '-' stands instead of A and B.\n"
		 "       holdfast plumbing match PURL [--distro ID:VERSION] [--source NAME@VERSION] [--db DIR]\n"
		 "                Verdicts for one package as JSON lines: affected (with id, aliases, fixed, severity, "
		 "the record and\n"
		 "                the rule), cannot_tell (with code and reason), not_affected (a record speaks of it "
		 "and does not\n"
		 "                hold; without an id: none speaks of it). The set of flaws is that of the lines with "
		 "'affected'.\n"
		 "                The purl's distro=, upstream=, arch=, epoch= and rpmmod= count; the options go "
		 "before them.\n"
		 "                With '-' a line of stdin is PURL and its options; its answer one line {\"purl\", "
		 "\"verdicts\": []}.\n"
		 "       holdfast plumbing purl PURL              prints its parts as one line of JSON; exit 2 where "
		 "it is none\n"
		 "       A purl a line of stdin, where '-' stands instead: {\"error\": WHY} answers one that is none, "
		 "exit 0.\n"
		 "       holdfast plumbing kube-object TARGET...  Kubernetes objects with the defaults that an API "
		 "server "
		 "fills in\n"
		 "       A line of JSON each, in the order of the targets, which are those of holdfast kube.\n\n"
		 "  --distro ID:VERSION  the distribution that the package is of, as debian:12\n"
		 "  --source NAME@VERSION  the source package that it was made from\n"
		 "  --db DIR             the advisory database (default: the user's cache)",
	.run = plumbing_run,
};
