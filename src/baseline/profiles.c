#include "baseline/profiles.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "baseline/observe.h"

/* A workload that was looked up; also one that has no profile, so that its file is not asked for at each event. */
struct known_workload {
	char *name; /* of the file, below the folder */
	bool has_profile;
	uint64_t asked;
	struct hf_arena arena;
	struct hf_profile profile;
};

struct hf_profiles {
	struct hf_profiles_options options;
	struct hf_profiles_count count;
	struct known_workload **workloads;
	size_t n, max;
	uint64_t asked;
};

struct hf_profiles *hf_profiles_new(const struct hf_profiles_options *options)
{
	struct hf_profiles *ps = hf_calloc(1, sizeof *ps);

	ps->options = *options;
	ps->max = options->loaded_max ? options->loaded_max : 64;
	ps->workloads = hf_calloc(ps->max, sizeof(struct known_workload *));
	return ps;
}

static void forget(struct hf_profiles *ps, size_t at)
{
	struct known_workload *w = ps->workloads[at];

	hf_arena_done(&w->arena);
	free(w->name);
	free(w);
	ps->workloads[at] = ps->workloads[--ps->n];
}

void hf_profiles_reload(struct hf_profiles *ps)
{
	while (ps->n)
		forget(ps, 0);
}

void hf_profiles_free(struct hf_profiles *ps)
{
	if (!ps)
		return;
	hf_profiles_reload(ps);
	free(ps->workloads);
	free(ps);
}

static int read_file(const char *path, struct known_workload *w, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_PROFILE_SIZE_MAX);

	if (fd < 0)
		return hf_fail_errno(err, "%s", path);
	int ret = hf_fd_read_all(fd, 0, &text, err);
	return ret ? ret : hf_profile_read(hf_buf_view(&text), &w->arena, &w->profile, err);
}

static void load(struct hf_profiles *ps, struct known_workload *w)
{
	char path[8192];
	struct hf_err err = { 0 };
	int ret;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", ps->options.folder, w->name) >= sizeof path)
		ret = hf_fail(&err, HF_E_LIMIT, "the path is too long");
	else
		ret = read_file(path, w, &err);
	w->has_profile = !ret;
	if (!ret || ret == HF_E_MISSING)
		return;
	ps->count.broken++;
	if (ps->options.note)
		ps->options.note(ps->options.note_ctx, path, &err);
}

static struct known_workload *workload_of(struct hf_profiles *ps, hf_sv name)
{
	size_t oldest = 0;

	for (size_t i = 0; i < ps->n; i++) {
		if (hf_sv_eq(hf_sv_of(ps->workloads[i]->name), name)) {
			ps->workloads[i]->asked = ++ps->asked;
			return ps->workloads[i];
		}
		if (ps->workloads[i]->asked < ps->workloads[oldest]->asked)
			oldest = i;
	}
	if (ps->n == ps->max)
		forget(ps, oldest);
	struct known_workload *w = hf_calloc(1, sizeof *w);
	w->name = hf_calloc(1, name.len + 1);
	memcpy(w->name, name.ptr, name.len);
	w->arena = HF_ARENA(HF_PROFILE_ARENA_MAX);
	w->asked = ++ps->asked;
	load(ps, w);
	ps->workloads[ps->n++] = w;
	return w;
}

const struct hf_profile *hf_profiles_find(struct hf_profiles *ps, const struct hf_event *e)
{
	if (!ps->options.folder)
		return NULL;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_sv digest = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_DIGEST);
	hf_sv name = hf_profile_file_name(digest, hf_profile_owner(e, &a), &a);

	if (!digest.len || !name.len)
		return NULL;
	struct known_workload *w = workload_of(ps, name);
	/* A file under another image's name says nothing about this one. */
	return w->has_profile && hf_sv_eq(w->profile.image_digest, digest) ? &w->profile : NULL;
}

int hf_profiles_take(struct hf_profiles *ps, const struct hf_event *e, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	struct hf_event alert;

	if (!hf_observe_parts(e->kind) || hf_event_bool(e, HF_FIELD_PROCESS_SETUP) ||
	    !hf_event_has(e, HF_FIELD_CONTAINER_ID))
		return 0;
	const struct hf_profile *p = hf_profiles_find(ps, e);
	bool later = false;
	if (!p && ps->options.other)
		p = ps->options.other(ps->options.other_ctx, e, &later);
	if (!p) {
		ps->count.without_profile += !later;
		return 0;
	}
	struct hf_profile_verdict v = hf_profile_judge(p, e, &a);
	if (v.verdict == HF_VERDICT_NONE)
		return 0;
	ps->count.judged++;
	ps->count.allowed += v.verdict == HF_VERDICT_ALLOW;
	ps->count.cannot_tell += v.verdict == HF_VERDICT_CANNOT_TELL;
	if (v.verdict != HF_VERDICT_ALERT)
		return 0;
	ps->count.alerts++;
	hf_profile_alert(p, &v, e, &a, &alert);
	return ps->options.alerts.take ? ps->options.alerts.take(ps->options.alerts.ctx, &alert, err) : 0;
}

struct hf_profiles_count hf_profiles_count(const struct hf_profiles *ps)
{
	struct hf_profiles_count c = ps->count;

	c.loaded = ps->n;
	return c;
}
