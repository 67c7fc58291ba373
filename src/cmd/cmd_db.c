/* db build|status|search: the advisory database on this machine. */
#include "cmd/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "advisory/load.h"
#include "base/limits.h"
#include "base/output.h"
#include "cmd/db_search.h"
#include "cmd/log.h"

enum { MALFORMED_SHOWN = 20 };

struct options {
	const char *from, *db, *only, *format;
	char **rest;
	int rest_n;
};

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "db", required_argument, NULL, 'd' },
		{ "only", required_argument, NULL, 'n' },
		{ "format", required_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", known, NULL)) != -1)
		switch (c) {
		case 'f':
			o->from = optarg;
			break;
		case 'd':
			o->db = optarg;
			break;
		case 'n':
			o->only = optarg;
			break;
		case 'F':
			o->format = optarg;
			break;
		case ':':
			return hf_command_usage("db", "%s needs a value", argv[optind - 1]);
		default:
			return hf_command_no_option("db", argv[optind - 1]);
		}
	o->rest = argv + optind;
	o->rest_n = argc - optind;
	if (o->format && strcmp(o->format, "json") && strcmp(o->format, "table"))
		return hf_command_usage("db", "--format is table or json, not '%s'", o->format);
	return 0;
}

struct watch {
	uint64_t shown, last_ms;
};

static void on_malformed(void *ctx, hf_sv source, hf_sv where, hf_sv why)
{
	struct watch *w = ctx;

	if (!log_shows(LOG_DEBUG) && w->shown >= MALFORMED_SHOWN)
		return;
	w->shown++;
	log_at(LOG_WARNING, source, 0, 0, "not understood: %.*s: %.*s", HF_SV_FMT(where), HF_SV_FMT(why));
}

static void on_progress(void *ctx, hf_sv path, uint64_t files, uint64_t bytes)
{
	struct watch *w = ctx;
	struct timespec t;

	if (!log_shows_progress())
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	if (now - w->last_ms < 100)
		return;
	w->last_ms = now;
	log_progress("%llu files, %llu MB: %.*s", (unsigned long long)files, (unsigned long long)(bytes >> 20),
		     HF_SV_FMT(hf_sv_first(path, 60)));
}

static int make_folders(char *file, struct hf_err *err)
{
	for (char *p = file + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			bool failed = mkdir(file, 0755) && errno != EEXIST;
			if (failed)
				return hf_fail_errno(err, "%s", file);
			*p = '/';
		}
	return HF_OK;
}

static hf_sv built_now(struct hf_arena *a)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;
	struct tm tm;
	char text[32];

	time_t t = epoch && hf_sv_to_u64(hf_sv_of(epoch), &seconds) ? (time_t)seconds : time(NULL);
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return hf_arena_dup(a, hf_sv_of(text));
}

static int build_into(const struct options *o, const char *from, hf_sv file, struct hf_arena *a, struct hf_err *err)
{
	struct watch w = { 0 };
	struct hf_database_builder *b = hf_database_builder_new(on_malformed, &w);
	struct hf_database_loaded loaded;
	struct stat st;

	hf_sv built = built_now(a);
	hf_database_builder_only(b, hf_sv_of(o->only));
	hf_database_builder_today(b, built);
	int r = hf_database_load(b, from, on_progress, &w, &loaded, err);
	log_progress_end();
	struct hf_database_totals t = hf_database_builder_totals(b);
	if (!r && !t.records && !t.cycles && !t.epss && !t.flaws)
		r = hf_fail(
			err, HF_E_FORMAT,
			"%s: holds no advisories that are understood (%llu files looked at, %llu records malformed)",
			from, (unsigned long long)loaded.files + loaded.passed_over, (unsigned long long)t.malformed);
	if (!r)
		r = make_folders((char *)file.ptr, err);
	if (!r)
		r = hf_database_builder_write(b, file.ptr, built, false, err);
	if (!r) {
		t = hf_database_builder_totals(b);
		hf_sv malformed = hf_arena_fmt(a, "; %llu records were malformed, what is wrong in them was left out%s",
					       (unsigned long long)t.malformed,
					       t.malformed > w.shown ? " (--verbose names all of them)" : "");
		log_at(LOG_NOTE, file, 0, 0, "%llu records, %llu packages, %llu bytes%.*s",
		       (unsigned long long)t.records, (unsigned long long)t.packages,
		       stat(file.ptr, &st) ? 0ULL : (unsigned long long)st.st_size,
		       t.malformed ? (int)malformed.len : 0, malformed.ptr);
	}
	hf_database_builder_free(b);
	return r;
}

static int build(const struct options *o)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	const char *from = o->from ? o->from : getenv("HOLDFAST_ADVISORIES");
	hf_sv file = hf_database_path(o->db, &a);
	struct hf_err err = { 0 };

	if (o->rest_n)
		return hf_command_usage("db", "build takes no operand '%s' (a folder of advisories is --from DIR)",
					o->rest[0]);
	if (!from || !*from) {
		log_error("db build: neither --from DIR nor $HOLDFAST_ADVISORIES names a folder of advisories; "
			  "without a database the built-in landmarks are used, which need no building");
		return 2;
	}
	if (!file.len)
		return hf_command_usage("db", "neither $XDG_CACHE_HOME nor $HOME is set: say --db DIR");
	if (build_into(o, from, file, &a, &err) < 0)
		return hf_command_fail(&err);
	return 0;
}

static int status(const struct options *o)
{
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_err err = { 0 };

	if (o->rest_n)
		return hf_command_usage("db", "status takes no operand '%s'", o->rest[0]);
	if (hf_database_open_default(o->db, &db, &err) < 0)
		return hf_command_fail(&err);
	return hf_db_print_status(db, o->format && !strcmp(o->format, "json"));
}

static int search(const struct options *o)
{
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_err err = { 0 };

	if (o->rest_n != 1)
		return hf_command_usage("db", "search needs one ID or PURL");
	if (hf_database_open_default(o->db, &db, &err) < 0)
		return hf_command_fail(&err);
	return hf_db_print_search(db, hf_sv_of(o->rest[0]), o->format && !strcmp(o->format, "json"));
}

static int db_run(int argc, char **argv)
{
	struct options o = { 0 };

	if (argc < 2)
		return hf_command_usage("db", "there are build, status and search");
	int r = parse(argc - 1, argv + 1, &o);
	if (r)
		return r;
	if (!strcmp(argv[1], "build"))
		return build(&o);
	if (!strcmp(argv[1], "status"))
		return status(&o);
	if (!strcmp(argv[1], "search"))
		return search(&o);
	if (!strcmp(argv[1], "update")) {
		log_error("db update: this version does not fetch advisories itself; get the public sources' files "
			  "with a tool of yours into a folder and run 'holdfast db build --from DIR'");
		return 2;
	}
	return hf_command_usage("db", "'%s' is not one of build, status, search", argv[1]);
}

const struct hf_command hf_command_db = {
	.name = "db",
	.summary = "the advisory database: build it, what is in it, look something up",
	.usage = "build [--from DIR] [--db DIR] [--only ECOSYSTEMS]\n"
		 "                Makes the database from a folder laid out as the public sources are, or of OSV "
		 "records;\n"
		 "                without --from, from $HOLDFAST_ADVISORIES. --verbose names every malformed record. "
		 "--only Debian,PyPI,Alpine:v3.18 keeps "
		 "those.\n"
		 "       holdfast db status [--db DIR] [--format table|json]\n"
		 "                Sources, newest record, counts, malformed records, size, when it was built.\n"
		 "       holdfast db search ID|PURL [--db DIR] [--format table|json]\n"
		 "                The records of an id (or an alias), or all that is said of a package. Exit 1: none.\n"
		 "\n"
		 "  --from DIR           a folder of advisories, as the public sources are laid out\n"
		 "  --db DIR             the advisory database (default: the user's cache)\n"
		 "  --only ECOSYSTEMS    keep those alone\n"
		 "  --format table|json  how to print it\n"
		 "\n"
		 "The database is DIR/advisories.mdb; DIR is $XDG_CACHE_HOME/holdfast/db where not given.",
	.run = db_run,
};
