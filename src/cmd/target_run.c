#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "advisory/database.h"
#include "base/limits.h"
#include "base/terminal.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "cmd/target_scan.h"
#include "cmd/worker_output.h"
#include "source/source.h"

enum { FILE_SECONDS_MAX = 120 };

static void reset_output(void *ctx)
{
	hf_worker_output_reset(((const struct target_scan *)ctx)->out_fd);
}

static void show_progress(void *ctx, uint64_t done, uint64_t total, const char *what)
{
	(void)ctx;
	if (total && what[0])
		log_progress("%.60s %llu/%llu", what, (unsigned long long)done, (unsigned long long)total);
}

static void describe_terminal(struct target_scan *t, const struct target_options *o)
{
	struct winsize w;
	const char *no_colour = getenv("NO_COLOR");

	if (o->output || !isatty(STDOUT_FILENO))
		return;
	t->colour = !(no_colour && no_colour[0]);
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w))
		t->width = w.ws_col;
}

static int64_t source_date_epoch(void)
{
	const char *s = getenv("SOURCE_DATE_EPOCH");
	uint64_t n;

	return s && hf_sv_to_u64(hf_sv_of(s), &n) && n < INT64_MAX ? (int64_t)n : -1;
}

/* One target into @output; bits of TARGET_* or a negative code. */
static int run_one(const struct target_options *o, const char *target, const char *database, int output,
		   struct hf_err *err)
{
	struct hf_source_options so = { .platform = hf_sv_of(o->platform), .verify = o->verify, .jobs = o->jobs };
	struct target_scan t = {
		.options = o, .database = database, .now = time(NULL), .source_date_epoch = source_date_epoch()
	};
	int keep[TARGET_GRANTS_MAX + 1];
	struct hf_worker_options wo = {
		.file_seconds_max = FILE_SECONDS_MAX,
		.no_fork = o->no_jail,
		.progress = log_shows_progress() ? show_progress : NULL,
		.keep_fds = keep,
		.messages = log_relay,
	};
	int r = hf_source_open(hf_sv_of(target), &so, &t.source, err);

	if (r < 0)
		return r;
	describe_terminal(&t, o);
	t.out_fd = memfd_create("report", MFD_CLOEXEC);
	wo.keep_fds_n = hf_source_grants(t.source, keep, TARGET_GRANTS_MAX);
	keep[wo.keep_fds_n++] = t.out_fd;
	r = t.out_fd < 0 ? hf_fail_errno(err, "memory for the report")
			 : hf_worker_run(&wo, target_scan_run, reset_output, &t, err);
	log_progress_end();
	if (r >= 0) {
		int q = hf_worker_output_hand_over(t.out_fd, output, t.colour, err);
		r = q < 0 ? q : r;
	}
	if (t.out_fd >= 0)
		close(t.out_fd);
	hf_source_close(t.source);
	return r;
}

/* The user's database, or none: then the built-in landmarks serve. A folder that was named must hold one. */
static int find_database(const struct target_options *o, struct hf_arena *a, const char **ret, struct hf_err *err)
{
	hf_sv path = hf_database_path(o->db, a);

	*ret = NULL;
	if (!o->match)
		return HF_OK;
	if (path.len && access(path.ptr, R_OK) == 0)
		*ret = path.ptr;
	else if (o->db || (path.len && errno != ENOENT && errno != ENOTDIR))
		return hf_fail_errno(err, "no advisory database: %.*s (make one with 'holdfast db build')",
				     HF_SV_FMT(path));
	return HF_OK;
}

static int exit_status(const struct target_options *o, int bits)
{
	if (bits & TARGET_GATE_FAILED)
		return 1;
	return (bits & TARGET_PARTIAL) && o->strict ? 3 : 0;
}

/* The message begins with the target as it was written, once: what opens it may have named it, or its path, already. */
static void name_target(struct hf_err *err, const char *target)
{
	const char *colon = strchr(target, ':'), *names[] = { target, colon ? colon + 1 : target };

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);
		if (n && !strncmp(err->msg, names[i], n) && !strncmp(err->msg + n, ": ", 2)) {
			memmove(err->msg, err->msg + n + 2, strlen(err->msg + n + 2) + 1);
			break;
		}
	}
	hf_wrap(err, "%s", target);
}

int target_run(const struct target_options *o)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	hf_cleanup(hf_output_abort) struct hf_output output = { .fd = -1 };
	struct hf_err err = { 0 };
	const char *database;
	int bits = 0;

	if (!hf_report_format_named(hf_sv_of(o->format), o->kind, &err) || find_database(o, &a, &database, &err) < 0 ||
	    hf_output_open(&output, o->output, &err) < 0)
		return hf_command_fail(&err);
	for (size_t i = 0; i < o->targets_n; i++) {
		int r = run_one(o, o->targets[i], database, output.fd, &err);
		if (r < 0) {
			name_target(&err, o->targets[i]);
			return hf_command_fail(&err);
		}
		bits |= r;
	}
	if (hf_output_commit(&output, &err) < 0)
		return hf_command_fail(&err);
	return exit_status(o, bits);
}
