#include "agent/seeder_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "baseline/live_root.h"
#include "baseline/seed_profile.h"
#include "sensor/patience.h"
#include "sensor/procfs.h"

enum { PLACES = 32, PLACE_S = 30, ENVIRONMENT_MAX = 128 << 10, VARIABLES_MAX = 4, READ_MS = 250, STUCK_MAX = 4 };

#define SEED_ARENA_MAX HF_MIB(256)

/* What a seed asks the environment for. */
static const char *const variables[VARIABLES_MAX] = { "PATH=", "LD_LIBRARY_PATH=", "LD_PRELOAD=", "PYTHONPATH=" };

struct place {
	uint64_t cgroup_id, since_s; /* 0: free */
	struct hf_live_root *files;
	struct hf_arena arena;
	hf_sv environment[VARIABLES_MAX], working_dir;
	size_t environment_n;
};

struct seed_images {
	struct place places[PLACES];
	struct hf_patience *patience;
	int proc;
};

struct reading {
	int proc;
	uint32_t pid;
	size_t n;
	char text[ENVIRONMENT_MAX];
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

struct seed_images *seed_images_new(void)
{
	struct seed_images *s = hf_calloc(1, sizeof *s);

	s->patience = hf_patience_new(READ_MS, STUCK_MAX);
	s->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

static void place_free(struct place *p)
{
	hf_live_root_close(p->files);
	hf_arena_done(&p->arena);
	*p = (struct place){ 0 };
}

void seed_images_free(struct seed_images *s)
{
	for (size_t i = 0; i < PLACES; i++)
		place_free(&s->places[i]);
	hf_patience_free(s->patience);
	hf_fd_close(&s->proc);
	free(s);
}

static struct place *place_of(struct seed_images *s, uint64_t cgroup_id)
{
	for (size_t i = 0; i < PLACES; i++)
		if (s->places[i].cgroup_id == cgroup_id)
			return &s->places[i];
	return NULL;
}

/* Of those that nobody asked for, since their image has its seed, too. */
static struct place *free_place(struct seed_images *s)
{
	struct place *oldest = &s->places[0];
	uint64_t now = now_s();

	for (size_t i = 0; i < PLACES; i++) {
		struct place *p = &s->places[i];
		if (p->cgroup_id && now - p->since_s > PLACE_S)
			place_free(p);
		if (p->since_s < oldest->since_s)
			oldest = p;
	}
	place_free(oldest);
	return oldest;
}

/* It lies in the process's own memory, which may let nobody page it in. */
static void read_environment(void *job)
{
	struct reading *r = job;

	r->n = hf_proc_read(r->proc, r->pid, "environ", r->text, sizeof r->text).len;
}

static void keep_environment(struct seed_images *s, struct place *p, uint32_t pid)
{
	struct reading *r = hf_calloc(1, sizeof *r);
	hf_sv rest, one;

	r->proc = s->proc;
	r->pid = pid;
	if (!hf_patience_run(s->patience, read_environment, r))
		return;
	rest = (hf_sv){ r->text, r->n };
	while (hf_sv_next(&rest, 0, &one))
		for (size_t i = 0; i < VARIABLES_MAX && p->environment_n < VARIABLES_MAX; i++)
			if (hf_sv_starts(one, hf_sv_of(variables[i])))
				p->environment[p->environment_n++] = hf_arena_dup(&p->arena, one);
	free(r);
}

static void keep_working_dir(struct seed_images *s, struct place *p, uint32_t pid)
{
	char path[32], text[HF_PATH_MAX];

	snprintf(path, sizeof path, "%u/cwd", pid);
	ssize_t n = readlinkat(s->proc, path, text, sizeof text);
	if (n > 0 && (size_t)n < sizeof text && text[0] == '/')
		p->working_dir = hf_arena_dup(&p->arena, (hf_sv){ text, (size_t)n });
}

static int capture(struct seed_images *s, uint64_t cgroup_id, uint64_t pid, struct place **ret, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf mounts = HF_BUF(0);
	struct hf_live_root *files = NULL;
	int code = hf_live_mountinfo(pid, &mounts, err);

	if (code >= 0)
		code = hf_live_root_open(hf_buf_view(&mounts), &files, err);
	if (code < 0)
		return code;
	struct place *p = free_place(s);
	*p = (struct place){
		.cgroup_id = cgroup_id, .since_s = now_s(), .files = files, .arena = HF_ARENA(ENVIRONMENT_MAX * 2)
	};
	keep_environment(s, p, (uint32_t)pid);
	keep_working_dir(s, p, (uint32_t)pid);
	*ret = p;
	return 0;
}

void seed_images_capture(struct seed_images *s, uint64_t cgroup_id, uint64_t pid)
{
	struct place *p;
	struct hf_err none = { 0 };

	if (!place_of(s, cgroup_id))
		(void)!capture(s, cgroup_id, pid, &p,
			       &none); /* whoever asks for the seed tries again, and is told why not */
}

static void remark(const struct hf_seed *seed, struct seed_made *m)
{
	const char *what = NULL;

	if (seed->passes_arguments)
		what = "its entrypoint runs whatever it is given";
	else if (seed->open_commands)
		what = "some programs are known only when they run";
	if (what)
		snprintf(m->remark, sizeof m->remark, "new programs do not alert: %s%s%.*s", what,
			 seed->open_commands && seed->unparsed_n ? ": " : "",
			 seed->open_commands && seed->unparsed_n ? (int)seed->unparsed[0].reason.len : 0,
			 seed->open_commands && seed->unparsed_n ? seed->unparsed[0].reason.ptr : "");
	for (size_t i = 0; i < seed->files_n; i++)
		m->programs += seed->files[i].kind == HF_SEED_PROGRAM || seed->files[i].kind == HF_SEED_SCRIPT;
}

int seed_images_make(struct seed_images *s, uint64_t cgroup_id, uint64_t pid, const struct hf_image_config *given,
		     hf_sv digest, hf_sv name, struct seed_made **ret, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(SEED_ARENA_MAX);
	struct hf_image_config config = *given;
	struct place *p = place_of(s, cgroup_id);
	struct hf_seed seed;
	int code = p ? 0 : capture(s, cgroup_id, pid, &p, err);

	if (code < 0)
		return code;
	config.env = p->environment;
	config.env_n = p->environment_n;
	config.working_dir = p->working_dir;
	const struct hf_root root = hf_live_root_view(p->files, HF_LIVE_IMAGE);
	code = hf_seed_make(&root, &config, &scratch, &seed, err);
	if (code >= 0) {
		struct seed_made *m = hf_calloc(1, sizeof *m);
		m->arena = HF_ARENA(HF_PROFILE_ARENA_MAX);
		hf_profile_init(&m->profile, &m->arena, digest, name, (hf_sv){ 0 });
		m->profile.mode = HF_MODE_OBSERVE;
		code = hf_seed_profile(&seed, &root, &m->profile, err);
		remark(&seed, m);
		if (code < 0)
			seed_made_free(m);
		else
			*ret = m;
	}
	place_free(p);
	return code < 0 ? code : 0;
}

void seed_made_free(struct seed_made *m)
{
	if (m)
		hf_arena_done(&m->arena);
	free(m);
}
