/* What the subcommands of `holdfast kube` share: options, inputs that are opened here and read in a jailed worker, and the way out.
 *
 *     struct kube_run k = { .command = "kube pss" };
 *     for (int i = 1; i < argc; i++) {
 *         int taken = kube_run_option(&k, argc, argv, &i);     // -1: usage was printed, return 2
 *         …own options; kube_run_target(&k, argv[i]) for what is none…
 *     }
 *     return kube_run(&k, evaluate, ctx);                       // the exit status
 */
#pragma once
#include "base/file.h"
#include "base/output.h"
#include "base/worker.h"
#include "kube/object.h"

enum { KUBE_GATE_FAILED = 1, KUBE_PARTIAL = 2 }; /* bits that evaluate() returns */

struct kube_input {
	hf_sv name, text;
	hf_sv cluster; /* the context where it came from one; the name that its files were given */
	bool saved;    /* the latter */
	size_t target; /* which of the targets it belongs to */
	int slot;      /* of the mapping, -1: text is on the heap */
	struct hf_file_stamp stamp;
};

struct kube_items;

struct kube_run {
	const char *command; /* "kube pss", for messages */
	const char *format;  /* NULL where none was asked for */
	const char *output, *kubeconfig, *context;
	bool strict, no_jail, require_jail;
	bool no_targets;           /* set by the command: it reads files alone */
	unsigned step_seconds_max; /* that one step between hf_board_begin and hf_board_end may take; 0: the default */
	bool one_set_each; /* set by the command: each target is a set of its own (diff); else all targets are one */
	const char **targets;
	size_t targets_n;
	const char **clusters; /* "NAME=FOLDER": files that stand for a cluster */
	size_t clusters_n;
	/* Further files that the command itself wants (policies, an audit log): read before the jail, handed over as they are. */
	const char **files;
	size_t files_n;
	/* Set by the command: takes what the worker wrote, in place of standard output or --output. In the parent. */
	int (*deliver)(struct kube_run *, int from, int out_fd, struct hf_err *);
	struct hf_arena arena;
	bool watch;
	/* Set by the command where it marks its findings (kube_items.h), and so can be asked with --watch: the schema of one that came or went. */
	const char *watch_schema;
	bool watch_whole; /* set by the command: it looks at more of an object than judgements of holdfast's own do (kube_object_text.h) */
	/* Filled by kube_run for evaluate(). */
	struct kube_items *items;       /* with --watch, else NULL; JSON is then written on one line */
	const struct hf_worker *worker; /* whose board takes steps, and which were left out */
	const struct kube_input *inputs;
	size_t inputs_n;
	const struct hf_kube_note *notes; /* inputs that could not be had */
	size_t notes_n;
	const hf_sv *file_texts; /* files_n */
	const int *file_slots;   /* of their mappings, -1: on the heap */
	bool colour;             /* standard output is a terminal that wants colours */
	unsigned width;          /* columns of that terminal, 0: none */
};

/* Reads @sets (one, or one a target) and writes the result to @out. In the jail. Bits of KUBE_*, or a negative code. */
typedef int kube_evaluate(struct kube_run *, void *ctx, const struct hf_kube_objects *const *sets, size_t sets_n,
			  struct hf_arena *, struct hf_out *out, struct hf_err *);

/* 1: argv[*i] (and a value behind it) was an option of all subcommands; 0: it was not; -1: it was wrong, and usage was printed. */
int kube_run_option(struct kube_run *, int argc, char **argv, int *i);
/* The value of option argv[*i], which *i then stands on; NULL where there is none, and usage was printed. */
const char *kube_run_value(struct kube_run *, int argc, char **argv, int *i);
void kube_run_target(struct kube_run *, const char *target);
/* The index of its text in file_texts. */
size_t kube_run_file(struct kube_run *, const char *path);
/* Reads, evaluates, writes; notes go to standard error. Returns the exit status. Ends @k. */
int kube_run(struct kube_run *, kube_evaluate *, void *ctx);

/* Behind the others, of commands that have --watch. */
#define KUBE_WATCH_USAGE \
	"  --watch              follow the clusters, and print what comes and goes until it is interrupted\n"

/* The options' part of `holdfast kube SUBCOMMAND --help`. */
#define KUBE_RUN_USAGE(formats)                                                                          \
	"  -f, --format " formats "  how to print it; the first where not given\n"                       \
	"  -o, --output FILE    write to FILE, whole or not at all\n"                                    \
	"  --strict             exit 3 where something could not be read or understood\n"                \
	"  --require-jail       refuse to run where the kernel lacks a part of the jail\n"               \
	"  --no-jail            parse without the jail, in this process: for debuggers alone\n"          \
	"  --kubeconfig FILE    instead of $KUBECONFIG, ~/.kube/config or a pod's service account\n"     \
	"  --context NAME       of the kubeconfig, for the target cluster:\n"                            \
	"  --cluster NAME=FOLDER  files that stand for the cluster NAME; several are several clusters\n" \
	"Targets: FILE          manifests: YAML, JSON, Lists, several documents\n"                       \
	"         FOLDER        all .yaml, .yml and .json files below it\n"                              \
	"         -             standard input\n"                                                        \
	"         cluster:      all that a live cluster lets you list, by the kubeconfig\n"              \
	"         cluster:NAME  the same of the context NAME; several are several clusters\n"
