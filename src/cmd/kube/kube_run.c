#include "cmd/kube/kube_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/worker.h"
#include "cmd/command.h"
#include "cmd/kube/kube_cluster.h"
#include "cmd/kube/kube_items.h"
#include "cmd/kube/kube_run_internal.h"
#include "cmd/log.h"
#include "cmd/worker_output.h"

enum { NOTES_SHOWN_MAX = 50, FILE_SECONDS_MAX = 120 };

struct gatherer {
	struct kube_run *run;
	HF_VEC(struct kube_input) inputs;
	HF_VEC(struct hf_kube_note) notes; /* inputs that could not be read */
	size_t target;
	hf_sv cluster; /* that the files at hand stand for */
};

const char *kube_run_value(struct kube_run *k, int argc, char **argv, int *i)
{
	if (*i + 1 < argc)
		return argv[++*i];
	hf_command_usage(k->command, "%s wants a value", argv[*i]);
	return NULL;
}

static void add_name(const char ***list, size_t *n, const char *name)
{
	*list = hf_realloc(*list, (*n + 1) * sizeof **list);
	(*list)[(*n)++] = name;
}

int kube_run_option(struct kube_run *k, int argc, char **argv, int *i)
{
	static const struct {
		const char *name, *brief;
		size_t slot;
	} values[] = {
		{ "--format", "-f", offsetof(struct kube_run, format) },
		{ "--output", "-o", offsetof(struct kube_run, output) },
		{ "--kubeconfig", "--kubeconfig", offsetof(struct kube_run, kubeconfig) },
		{ "--context", "--context", offsetof(struct kube_run, context) },
	};
	static const struct {
		const char *name;
		size_t slot;
	} flags[] = {
		{ "--strict", offsetof(struct kube_run, strict) },
		{ "--no-jail", offsetof(struct kube_run, no_jail) },
		{ "--require-jail", offsetof(struct kube_run, require_jail) },
		{ "--watch", offsetof(struct kube_run, watch) },
	};
	const char *arg = argv[*i];

	for (size_t f = 0; f < HF_ARRAY_SIZE(flags); f++)
		if (!strcmp(arg, flags[f].name)) {
			*(bool *)((char *)k + flags[f].slot) = true;
			return 1;
		}
	if (!strcmp(arg, "--cluster") || !strncmp(arg, "--cluster=", 10)) {
		const char *value = arg[9] ? arg + 10 : kube_run_value(k, argc, argv, i);
		if (value)
			add_name(&k->clusters, &k->clusters_n, value);
		return value ? 1 : -1;
	}
	for (size_t v = 0; v < HF_ARRAY_SIZE(values); v++) {
		size_t n = strlen(values[v].name);
		const char **slot = (const char **)((char *)k + values[v].slot);
		if (!strncmp(arg, values[v].name, n) && arg[n] == '=') {
			*slot = arg + n + 1;
			return 1;
		}
		if (!strcmp(arg, values[v].name) || !strcmp(arg, values[v].brief)) {
			*slot = kube_run_value(k, argc, argv, i);
			return *slot ? 1 : -1;
		}
	}
	return 0;
}

void kube_run_target(struct kube_run *k, const char *target)
{
	add_name(&k->targets, &k->targets_n, target);
}

size_t kube_run_file(struct kube_run *k, const char *path)
{
	add_name(&k->files, &k->files_n, path);
	return k->files_n - 1;
}

static void note(struct gatherer *g, hf_sv name, const char *why)
{
	struct hf_kube_note *n = hf_vec_push(&g->run->arena, &g->notes);

	if (n)
		*n = (struct hf_kube_note){ .kind = HF_KUBE_NOTE_MISSING,
					    .source = hf_arena_dup(&g->run->arena, name),
					    .text = hf_arena_dup(&g->run->arena, hf_sv_of(why)) };
}

static int read_stream(int fd, struct hf_buf *out, struct hf_err *err)
{
	for (;;) {
		char *room = hf_buf_room(out, HF_KIB(64));
		ssize_t n = room ? read(fd, room, HF_KIB(64)) : -1;
		if (!room)
			return hf_fail(err, HF_E_LIMIT, "more than %llu bytes", (unsigned long long)out->max);
		if (n < 0 && errno != EINTR)
			return hf_fail_errno(err, "reading");
		if (!n)
			return HF_OK;
		out->len += n > 0 ? (size_t)n : 0;
	}
}

/* Large files are mapped: they stay out of the heap, and the worker shares them. */
static int read_fd(int fd, hf_sv *ret, int *ret_slot, struct hf_err *err)
{
	struct hf_mapping m;
	struct stat st = { 0 };

	*ret_slot = -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > (1 << 16)) {
		int r = hf_mapping_open(&m, fd, 0, (size_t)st.st_size, err);
		if (r < 0)
			return r;
		*ret = (hf_sv){ m.ptr, m.len };
		*ret_slot = m.slot;
		return HF_OK;
	}
	struct hf_buf text = HF_BUF(HF_KUBE_INPUT_MAX);
	int r = S_ISREG(st.st_mode) ? hf_fd_read_all(fd, 0, &text, err) : read_stream(fd, &text, err);
	if (r < 0) {
		hf_buf_done(&text);
		return r;
	}
	/* A buffer grows in large steps, and folders hold many small files. */
	*ret = text.len ? (hf_sv){ hf_realloc(text.ptr, text.len), text.len } : HF_SV("");
	if (!text.len)
		hf_buf_done(&text);
	return HF_OK;
}

static int add_fd(struct gatherer *g, int fd, hf_sv name, struct hf_err *err)
{
	struct kube_input in = { .name = hf_arena_dup(&g->run->arena, name),
				 .target = g->target,
				 .cluster = g->cluster,
				 .saved = g->cluster.len > 0 };
	hf_file_stamp_of(fd, &in.stamp);
	int r = read_fd(fd, &in.text, &in.slot, err);

	if (r < 0)
		return hf_wrap(err, "%.*s", HF_SV_FMT(name));
	struct kube_input *slot = hf_vec_push(&g->run->arena, &g->inputs);
	if (slot)
		*slot = in;
	return HF_OK;
}

static bool is_manifest(hf_sv name)
{
	return hf_sv_ends(name, HF_SV(".yaml")) || hf_sv_ends(name, HF_SV(".yml")) || hf_sv_ends(name, HF_SV(".json"));
}

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Links are not followed: a folder of manifests is somebody else's. What cannot be read is noted, the rest is taken. */
static void add_folder(struct gatherer *g, int folder, hf_sv path, unsigned depth)
{
	struct dirent **list;
	struct hf_err err = { 0 };
	int n = scandirat(folder, ".", &list, not_hidden, alphasort);

	if (n < 0 || depth > HF_KUBE_FOLDER_DEPTH_MAX)
		note(g, path, n < 0 ? strerror(errno) : "too deep");
	for (int i = 0; i < n; i++) {
		hf_sv name = hf_sv_of(list[i]->d_name);
		hf_sv below = hf_arena_fmt(&g->run->arena, "%.*s/%s", HF_SV_FMT(path), list[i]->d_name);
		struct stat st = { 0 };
		if (fstatat(folder, list[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    depth <= HF_KUBE_FOLDER_DEPTH_MAX &&
		    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_manifest(name)))) {
			hf_cleanup(hf_fd_close) int fd =
				openat(folder, list[i]->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
			if (fd < 0)
				note(g, below, strerror(errno));
			else if (S_ISDIR(st.st_mode))
				add_folder(g, fd, below, depth + 1);
			else if (add_fd(g, fd, below, &err) < 0)
				note(g, below, err.msg);
		} else if (S_ISLNK(st.st_mode) && is_manifest(name)) {
			note(g, below, "a symbolic link, which is not followed");
		} else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && is_manifest(name)) {
			note(g, below, "no regular file: it is not read");
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static int take_resource(void *ctx, int fd, hf_sv name, hf_sv context, struct hf_err *err)
{
	struct gatherer *g = ctx;
	size_t before = g->inputs.n;
	int r = add_fd(g, fd, name, err);

	if (r >= 0 && g->inputs.n > before)
		g->inputs.at[before].cluster = hf_arena_dup(&g->run->arena, context);
	return r;
}

static void take_missing(void *ctx, hf_sv name, const char *why)
{
	note(ctx, name, why);
}

/* Of several clusters, one that cannot be reached is noted, and the others are read. */
static int add_cluster(struct gatherer *g, const char *context, struct hf_err *err)
{
	const struct kube_cluster_sink sink = { take_resource, take_missing, g };
	struct kube_run *k = g->run;
	struct hf_err why = { 0 };

	int r = kube_cluster_read(k->kubeconfig, context ? context : k->context, &sink, &why);
	if (r >= 0)
		return HF_OK;
	if (k->targets_n > 1 && r != HF_E_USAGE && r != HF_E_FORMAT) {
		note(g, hf_sv_of(k->targets[g->target]), why.msg);
		return HF_OK;
	}
	*err = why;
	return r;
}

/* A file, a folder, or standard input. */
static int add_path(struct gatherer *g, const char *path, struct hf_err *err)
{
	bool standard = !strcmp(path, "-");
	struct stat st;
	hf_cleanup(hf_fd_close) int fd = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (!standard && fd < 0)
		return hf_fail_errno(err, "%s", path);
	if (!standard && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		add_folder(g, fd, hf_sv_of(path), 0);
		return HF_OK;
	}
	return add_fd(g, standard ? STDIN_FILENO : fd, hf_sv_of(standard ? "stdin" : path), err);
}

static int gather_all(struct gatherer *g, struct hf_err *err)
{
	struct kube_run *k = g->run;

	for (g->target = 0; g->target < k->targets_n; g->target++) {
		const char *target = k->targets[g->target];
		const char *context;
		if (kube_cluster_target(target, &context)) {
			int r = add_cluster(g, context, err);
			if (r < 0)
				return r;
			continue;
		}
		int r = add_path(g, target, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < k->clusters_n; i++) {
		hf_sv path = { 0 };
		if (k->one_set_each || !hf_sv_cut(hf_sv_of(k->clusters[i]), '=', &g->cluster, &path) ||
		    !g->cluster.len || !path.len)
			return hf_fail(err, HF_E_USAGE, "--cluster wants NAME=FOLDER, not '%s'%s", k->clusters[i],
				       k->one_set_each ? ", and two states are no clusters" : "");
		int r = add_path(g, path.ptr, err);
		if (r < 0)
			return r;
	}
	return HF_OK;
}

/* How long the step took that ends now, of whose beginning @since tells; the next one begins. */
static void tell_time(const char *step, struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	log_debug("%s took %.3f s", step,
		  (double)(now.tv_sec - since->tv_sec) + (double)(now.tv_nsec - since->tv_nsec) / 1e9);
	*since = now;
}

static int gather(struct gatherer *g, struct hf_err *err)
{
	struct timespec since;

	clock_gettime(CLOCK_MONOTONIC, &since);
	int r = gather_all(g, err);

	for (size_t i = 0; i < g->inputs.n; i++)
		log_at(LOG_DEBUG, g->inputs.at[i].name, 0, 0, "%zu bytes", g->inputs.at[i].text.len);
	tell_time("reading", &since);
	g->run->inputs = g->inputs.at;
	g->run->inputs_n = g->inputs.n;
	g->run->notes = g->notes.at;
	g->run->notes_n = g->notes.n;
	return r;
}

static int read_files(struct kube_run *k, struct hf_err *err)
{
	hf_sv *texts = hf_arena_array(&k->arena, hf_sv, k->files_n);
	int *slots = hf_arena_array(&k->arena, int, k->files_n);

	if (!texts || !slots)
		return hf_fail(err, HF_E_LIMIT, "too many files");
	k->file_texts = texts;
	k->file_slots = slots;
	memset(slots, 0xff, k->files_n * sizeof *slots);
	for (size_t i = 0; i < k->files_n; i++) {
		bool standard = !strcmp(k->files[i], "-");
		hf_cleanup(hf_fd_close) int fd = standard ? -1 : open(k->files[i], O_RDONLY | O_CLOEXEC);
		if (!standard && fd < 0)
			return hf_fail_errno(err, "%s", k->files[i]);
		int r = read_fd(standard ? STDIN_FILENO : fd, &texts[i], &slots[i], err);
		if (r < 0)
			return hf_wrap(err, "%s", k->files[i]);
	}
	return HF_OK;
}

static size_t show_notes(const struct hf_kube_note *notes, size_t n, size_t shown)
{
	for (size_t i = 0; i < n; i++, shown++)
		if (shown < NOTES_SHOWN_MAX || log_shows(LOG_DEBUG))
			log_at(notes[i].kind == HF_KUBE_NOTE_REPEATED_OBJECT ? LOG_NOTE : LOG_WARNING, notes[i].source,
			       notes[i].line, notes[i].column, "%.*s", HF_SV_FMT(notes[i].text));
	return shown;
}

/* Nothing to judge must not look as if all were well: a program that fails before a pipe writes nothing at all. */
static void tell_of_nothing(const struct kube_run *k, size_t target)
{
	hf_sv name = hf_sv_of(k->targets_n ? k->targets[target] : k->clusters[0]);

	if (k->one_set_each || k->targets_n + k->clusters_n == 1)
		log_at(LOG_WARNING, name, 0, 0, "no object of Kubernetes is there");
	else
		log_warning("no object of Kubernetes is in any of the %zu targets", k->targets_n + k->clusters_n);
}

static bool tells_of_loss(const struct hf_kube_objects *set)
{
	for (size_t i = 0; i < set->notes_n; i++)
		if (set->notes[i].kind != HF_KUBE_NOTE_REPEATED_OBJECT)
			return true;
	return false;
}

static const struct hf_kube_objects *load(struct kube_job *j, size_t target, struct hf_arena *a, struct hf_err *err)
{
	const struct kube_run *k = j->run;
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	int r = HF_OK;

	for (size_t i = 0; i < k->notes_n; i++)
		if (!target || !k->one_set_each)
			hf_kube_loader_note(l, k->notes[i].kind, k->notes[i].source, k->notes[i].text);
	for (size_t i = 0; i < k->inputs_n && r >= 0; i++) {
		if (k->one_set_each && k->inputs[i].target != target)
			continue;
		struct hf_kube_source *s = hf_arena_new(a, struct hf_kube_source);
		if (!s)
			break;
		*s = (struct hf_kube_source){ k->inputs[i].name, k->inputs[i].text, k->inputs[i].cluster,
					      k->inputs[i].saved, k->inputs[i].slot >= 0 ? hf_mapping_release : NULL };
		r = hf_kube_load(l, s, err);
		if (r < 0)
			hf_wrap(err, "%.*s", HF_SV_FMT(s->name));
	}
	const struct hf_kube_objects *set = r >= 0 ? hf_kube_loaded(l) : NULL;
	hf_kube_loader_free(l);
	if (!set && r >= 0)
		hf_fail(err, HF_E_LIMIT, "the objects need more memory than is allowed");
	return set;
}

/* Of what was read few pages are looked at again, and those come back from the page cache: half of the memory of a large cluster. */
static void release_inputs(const struct kube_run *k)
{
	for (size_t i = 0; i < k->inputs_n; i++)
		if (k->inputs[i].slot >= 0)
			hf_mapping_release(k->inputs[i].text);
}

/* The first report as it is; of later ones what came and went. */
static int hand_on(const struct kube_job *j, const struct hf_out *report, struct hf_err *err)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(j->out_fd);
	const struct kube_items *items = j->run->items;
	hf_sv text = hf_buf_view(&report->buf);

	if (report->buf.over)
		return hf_fail(err, HF_E_LIMIT, "the report is larger than %zu bytes", report->buf.max);
	int r = kube_items_keep(items, text, j->items_fd, err);
	if (r >= 0 && j->before.ptr)
		r = kube_items_compare(items, j->before, text, j->schema, &out, err);
	else if (r >= 0)
		hf_out_add(&out, text);
	return r < 0 ? r : hf_out_flush(&out, err);
}

static void tell_kinds(const struct hf_kube_objects *set, struct hf_arena *a)
{
	hf_sv list = { 0 };

	for (size_t kind = 0; kind < HF_KUBE_KINDS && log_shows(LOG_DEBUG); kind++)
		if (set->of_kind_n[kind])
			list = hf_arena_fmt(a, "%.*s%s%zu %s", HF_SV_FMT(list), list.len ? ", " : ": ",
					    set->of_kind_n[kind],
					    kind == HF_KUBE_OTHER ? "of other kinds" : hf_kube_kinds[kind].kind);
	log_debug("%zu objects%.*s; %zu notes on what was not understood in full", set->n, HF_SV_FMT(list),
		  set->notes_n);
}

static int work(void *ctx, const struct hf_worker *worker, struct hf_err *err)
{
	struct kube_job *j = ctx;
	struct kube_run *k = j->run;
	const struct hf_jail_options jail = { .output_max = HF_REPORT_SIZE_MAX, .require = k->require_jail };
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_KUBE_ARENA_MAX);
	hf_cleanup(hf_out_done) struct hf_out out = k->watch ? hf_out_memory(HF_REPORT_SIZE_MAX) : hf_out_fd(j->out_fd);
	struct kube_items items = { .arena = &a };
	size_t sets_n = k->one_set_each ? k->targets_n : 1, shown = 0;
	const struct hf_kube_objects *sets[2] = { 0 };
	bool asked = k->targets_n + k->clusters_n > 0;
	struct timespec since;
	int bits = 0, r;

	if (!k->no_jail && (r = hf_jail_enter(&jail, err)) < 0)
		return r;
	if (sets_n > HF_ARRAY_SIZE(sets))
		return hf_fail(err, HF_E_USAGE, "two targets at most");
	k->worker = worker;
	k->items = k->watch ? &items : NULL;
	clock_gettime(CLOCK_MONOTONIC, &since);
	for (size_t i = 0; i < sets_n; i++) {
		sets[i] = load(j, i, &a, err);
		if (!sets[i])
			return err->code;
		tell_kinds(sets[i], &a);
		shown = show_notes(sets[i]->notes, sets[i]->notes_n, shown);
		bits |= tells_of_loss(sets[i]) || (!sets[i]->n && asked) ? KUBE_PARTIAL : 0;
		if (!sets[i]->n && !sets[i]->notes_n && asked)
			tell_of_nothing(k, i);
	}
	release_inputs(k);
	log_more(shown, NOTES_SHOWN_MAX);
	tell_time("understanding what was read", &since);
	r = j->evaluate(k, j->ctx, sets, sets_n, &a, &out, err);
	tell_time("the answer", &since);
	if (r < 0)
		return r;
	if (a.over)
		return hf_fail(err, HF_E_LIMIT, "the objects need more memory than is allowed");
	bits |= r;
	r = k->watch ? hand_on(j, &out, err) : hf_out_flush(&out, err);
	return r < 0 ? r : bits;
}

static void reset_output(void *ctx)
{
	const struct kube_job *j = ctx;

	hf_worker_output_reset(j->out_fd);
	if (j->run->watch)
		hf_worker_output_reset(j->items_fd);
}

static void describe_terminal(struct kube_run *k)
{
	struct winsize w;
	const char *no_colour = getenv("NO_COLOR");

	if (k->output || !isatty(STDOUT_FILENO))
		return;
	k->colour = !(no_colour && no_colour[0]);
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w))
		k->width = w.ws_col;
}

static void keep_messages(void *ctx, hf_sv text)
{
	struct hf_buf *messages = ctx;

	messages->len = 0;
	hf_buf_add(messages, text);
}

int kube_job_run(struct kube_job *j, struct hf_buf *messages, struct hf_err *err)
{
	const struct kube_run *k = j->run;
	const int keep[] = { j->out_fd, j->items_fd };
	const struct hf_worker_options wo = { .file_seconds_max =
						      k->step_seconds_max ? k->step_seconds_max : FILE_SECONDS_MAX,
					      .no_fork = k->no_jail,
					      .keep_fds = keep,
					      .keep_fds_n = k->watch ? 2 : 1,
					      .messages = keep_messages,
					      .messages_ctx = messages };

	return hf_worker_run(&wo, work, reset_output, j, err);
}

static int run_all(struct kube_run *k, struct kube_job *j, struct hf_err *err)
{
	hf_cleanup(hf_output_abort) struct hf_output output = { .fd = -1 };
	/* Of the last worker alone: one that died said the same before. */
	hf_cleanup(hf_buf_done) struct hf_buf messages = HF_BUF(HF_MIB(8));
	struct gatherer g = { .run = k };
	int r = k->watch ? HF_OK : gather(&g, err);

	if (r < 0 || (r = read_files(k, err)) < 0)
		return r;
	describe_terminal(k);
	if (k->watch)
		return kube_watch(j, err);
	if ((r = hf_output_open(&output, k->output, err)) < 0)
		return r;
	hf_cleanup(hf_fd_close) int memory = memfd_create("report", MFD_CLOEXEC);
	if (memory < 0)
		return hf_fail_errno(err, "memory for the report");
	j->out_fd = memory;
	int bits = kube_job_run(j, &messages, err);
	log_relay(NULL, hf_buf_view(&messages));
	if (bits < 0)
		return bits;
	r = k->deliver ? k->deliver(k, memory, output.fd, err)
		       : hf_worker_output_hand_over(memory, output.fd, k->colour, err);
	if (r >= 0)
		r = hf_output_commit(&output, err);
	return r < 0 ? r : bits;
}

static void forget(hf_sv text, int slot)
{
	if (slot >= 0)
		hf_mapping_close(&(struct hf_mapping){ text.ptr, text.len, slot });
	else if (text.len)
		free((void *)text.ptr);
}

static void done(struct kube_run *k)
{
	for (size_t i = 0; i < k->inputs_n; i++)
		forget(k->inputs[i].text, k->inputs[i].slot);
	for (size_t i = 0; i < k->files_n && k->file_slots; i++)
		forget(k->file_texts[i], k->file_slots[i]);
	free(k->targets);
	free(k->clusters);
	free(k->files);
	hf_arena_done(&k->arena);
}

int kube_run(struct kube_run *k, kube_evaluate *evaluate, void *ctx)
{
	struct kube_job j = { .run = k, .evaluate = evaluate, .ctx = ctx };
	struct hf_err err = { 0 };
	int status;

	if (!k->arena.cap)
		k->arena = HF_ARENA(HF_KUBE_INPUT_ARENA_MAX);
	if (!k->targets_n && !k->clusters_n && !k->no_targets && (k->kubeconfig || k->context))
		kube_run_target(k, "cluster:");
	if (!k->targets_n && !k->clusters_n && !k->no_targets) {
		status = hf_command_usage(
			k->command,
			"which manifests? a file, a folder, - for standard input, or cluster: for a live cluster");
	} else if ((status = kube_watch_misused(k)) == 0) {
		int bits = run_all(k, &j, &err);
		status = bits < 0                             ? hf_command_fail(&err)
			 : bits & KUBE_GATE_FAILED            ? 1
			 : (bits & KUBE_PARTIAL) && k->strict ? 3
							      : 0;
	}
	done(k);
	return status;
}
