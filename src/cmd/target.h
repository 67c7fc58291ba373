/* What scan, sbom and layers share: options, one target to one report in a jailed worker, and the way out. */
#pragma once
#include "base/arena.h"
#include "finding/gate.h"
#include "report/report.h"

enum { TARGET_GATES_MAX = 32 };

struct target_options {
	const char *command; /* "scan", … for messages */
	unsigned kind;       /* HF_REPORT_SCAN | … */
	bool match;          /* look for flaws: needs the database */
	const char *format;
	const char *output; /* "-o FILE"; NULL: standard output */
	const char *db;     /* "--db DIR" */
	const char *platform;
	unsigned jobs;
	bool verify, strict, require_jail, no_jail, offline;
	struct hf_filter filter;
	struct hf_gate gates[TARGET_GATES_MAX];
	size_t gates_n;
	const char **targets;
	size_t targets_n;
};

/* Reads the command line. Returns -1 to go on, else the exit status (usage was printed). */
int target_options_parse(struct target_options *o, int argc, char **argv);
/* Scans each target and writes its report. Returns the exit status. */
int target_run(const struct target_options *o);

/* The options' part of `holdfast COMMAND --help`. */
#define TARGET_USAGE(formats)                                                                             \
	"  -f, --format " formats "  how to print it; table where not given\n"                            \
	"  -o, --output FILE    write to FILE, whole or not at all\n"                                     \
	"  --platform OS/ARCH   which image of an index (default linux on this machine's architecture)\n" \
	"  --verify             check the digests of manifest, config and layers\n"                       \
	"  --jobs N             layers read at the same time (default: the processors)\n"                 \
	"  --strict             exit 3 where something could not be read\n"                               \
	"  --require-jail       refuse to run where the kernel lacks a part of the jail\n"                \
	"  --no-jail            parse without the jail, in this process: for debuggers alone\n"

#define TARGET_MATCH_USAGE                                                                         \
	"  --db DIR             the advisory database (default: the user's cache)\n"               \
	"  --severity LIST      show only these: critical,high,medium,low,unknown\n"               \
	"  --only-fixed         show only what has a fix\n"                                        \
	"  --fail-on RULE       exit 1 on such a finding, may be given several times:\n"           \
	"                       low|medium|high|critical|kev|epss>=0.5|fixable:high|config:high\n" \
	"  --offline            never use the network (nothing does yet)\n"

#define TARGET_TARGETS                                                                                          \
	"Targets: archive:FILE[:TAG]  docker-archive or OCI tar, also gzip or zstd\n"                           \
	"         oci:DIR[:TAG|@DIGEST]  OCI layout     dir:PATH  a root file system     host:  this machine\n" \
	"         without a prefix: an existing file or folder\n"
