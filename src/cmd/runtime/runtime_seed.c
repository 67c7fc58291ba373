/* runtime seed: the profile that a workload can begin with, from its image alone. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "baseline/live_root.h"
#include "baseline/seed_config.h"
#include "baseline/seed_profile.h"
#include "cmd/log.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/seed_image.h"
#include "format/json_writer.h"
#include "net/http.h"

enum { CONFIG_MAX = 8 << 20, WORDS_MAX = 256 };

struct session {
	hf_sv target;
	const char *config_path, *output_path;
	hf_sv words[WORDS_MAX];
	size_t words_n;
	bool json;
	struct hf_arena arena;
	struct hf_seed_container container;
	struct hf_live_root *files;
};

static int parse(struct session *s, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		bool has_value = !strcmp(argv[i], "--format") || !strcmp(argv[i], "--config") || !strcmp(argv[i], "-o");
		if (argv[i][0] == '-' && argv[i][1] && !has_value)
			return hf_command_no_option("runtime seed", argv[i]);
		if (has_value && i + 1 == argc)
			return hf_command_usage("runtime seed", "%s wants a value", argv[i]);
		if (!has_value && s->target.len)
			return hf_command_usage("runtime seed", "one target at a time, not '%s' too", argv[i]);
		if (!has_value)
			s->target = hf_sv_of(argv[i]);
		else if (!strcmp(argv[i], "--config"))
			s->config_path = argv[++i];
		else if (!strcmp(argv[i], "-o"))
			s->output_path = argv[++i];
		else if (!strcmp(argv[++i], "json") || !strcmp(argv[i], "yaml"))
			s->json = argv[i][0] == 'j';
		else
			return hf_command_usage("runtime seed", "--format is yaml or json, not '%s'", argv[i]);
	}
	for (i++; i < argc; i++) {
		if (s->words_n == WORDS_MAX)
			return hf_command_usage("runtime seed", "a command of more than %d words", WORDS_MAX);
		s->words[s->words_n++] = hf_sv_of(argv[i]);
	}
	if (!s->target.len)
		return hf_command_usage("runtime seed", "which container, image or folder?");
	return 0;
}

static const char *engine_socket(void)
{
	const char *host = getenv("DOCKER_HOST");

	return host && !strncmp(host, "unix://", 7) ? host + 7 : "/var/run/docker.sock";
}

static bool is_id(hf_sv id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		      c == '.' || c == '-'))
			return false;
	}
	return id.len && id.len < 256;
}

static int inspect(struct session *s, hf_sv id, struct hf_err *err)
{
	struct hf_http *http = hf_http_open();
	struct hf_http_answer answer = { 0 };
	char url[512];

	snprintf(url, sizeof url, "http://engine/containers/%.*s/json", HF_SV_FMT(id));
	struct hf_http_request request = {
		.url = url, .unix_socket = engine_socket(), .deadline_ms = 10000, .answer_max = CONFIG_MAX
	};
	int r = hf_http_call(http, &request, &answer, err);
	if (r == HF_OK && answer.status == 404)
		r = hf_fail(err, HF_E_MISSING, "the engine knows no such container");
	else if (r == HF_OK && answer.status != 200)
		r = hf_fail(err, HF_E_IO, "the engine answered %u", answer.status);
	hf_sv text = r == HF_OK ? hf_arena_dup(&s->arena, hf_buf_view(&answer.body)) : (hf_sv){ 0 };
	hf_buf_done(&answer.body);
	hf_http_close(http);
	return r == HF_OK ? hf_seed_config(text, &s->arena, &s->container, err) : r;
}

static int open_container(struct session *s, hf_sv id, struct hf_err *err)
{
	struct hf_buf hf_cleanup(hf_buf_done) mounts = HF_BUF(0);

	if (!is_id(id))
		return hf_fail(err, HF_E_USAGE, "'%.*s' is no name or id of a container", HF_SV_FMT(id));
	int r = inspect(s, id, err);
	if (r == HF_OK && !s->container.pid)
		r = hf_fail(err, HF_E_UNSUPPORTED, "it does not run");
	if (r == HF_OK)
		r = hf_live_mountinfo(s->container.pid, &mounts, err);
	return r == HF_OK ? hf_live_root_open(hf_buf_view(&mounts), &s->files, err) : r;
}

static int read_config(struct session *s, struct hf_err *err)
{
	struct hf_buf hf_cleanup(hf_buf_done) text = HF_BUF(CONFIG_MAX);
	FILE *in = fopen(s->config_path, "re");

	if (!in)
		return hf_fail_errno(err, "%s", s->config_path);
	int r = hf_fd_read_all(fileno(in), 0, &text, err);
	(void)fclose(in);
	if (r == HF_OK)
		r = hf_seed_config(hf_arena_dup(&s->arena, hf_buf_view(&text)), &s->arena, &s->container, err);
	return r < 0 ? hf_wrap(err, "%s", s->config_path) : HF_OK;
}

static int open_target(struct session *s, struct hf_err *err)
{
	int r;

	if (hf_sv_starts(s->target, HF_SV("container:"))) {
		r = open_container(s, hf_sv_skip(s->target, 10), err);
	} else {
		hf_sv path = hf_sv_starts(s->target, HF_SV("dir:")) ? hf_sv_skip(s->target, 4) : s->target;
		r = hf_live_root_open_folder(hf_arena_dup(&s->arena, path).ptr, &s->files, err);
	}
	if (r < 0)
		return hf_wrap(err, "%.*s", HF_SV_FMT(s->target));
	return HF_OK;
}

static void take_words(struct session *s)
{
	if (!s->words_n)
		return;
	s->container.config.entrypoint_n = 0;
	s->container.config.cmd = s->words;
	s->container.config.cmd_n = s->words_n;
}

static void write_json(const struct hf_seed *seed, struct hf_json_writer *w)
{
	hf_jw_object(w);
	hf_jw_kv(w, "schema", HF_SV("holdfast/seed/1"));
	hf_jw_key(w, "files");
	hf_jw_array(w);
	for (size_t i = 0; i < seed->files_n; i++) {
		const struct hf_seed_file *f = &seed->files[i];
		hf_jw_object(w);
		hf_jw_kv(w, "kind", hf_sv_of(hf_seed_kind_name(f->kind)));
		hf_jw_kv(w, "path", f->path);
		if (!hf_sv_eq(f->name, f->path))
			hf_jw_kv(w, "name", f->name);
		if (f->because != HF_SEED_NOBODY)
			hf_jw_kv(w, "because", seed->files[f->because].path);
		hf_jw_kv(w, "how", f->how);
		if (f->is_hint)
			hf_jw_kv_bool(w, "hint", true);
		hf_jw_kv_uint(w, "size", f->size);
		hf_jw_kv_if(w, "digest", hf_sv_of(f->digest));
		hf_jw_kv_if(w, "build_id", hf_sv_of(f->build_id));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_kv_bool(w, "passes_arguments", seed->passes_arguments);
	hf_jw_kv_bool(w, "open_commands", seed->open_commands);
	hf_jw_kv_bool(w, "open_libraries", seed->open_libraries);
	hf_jw_key(w, "system_calls");
	hf_jw_array(w);
	for (unsigned i = 0; i < HF_SYSCALLS_MAX; i++)
		if (hf_syscalls_has(&seed->syscalls, i))
			hf_jw_uint(w, i);
	hf_jw_array_end(w);
	hf_jw_kv_bool(w, "system_calls_bound", !seed->syscalls.open && !seed->syscalls.is_foreign);
	hf_jw_key(w, "unparsed");
	hf_jw_array(w);
	for (size_t i = 0; i < seed->unparsed_n; i++) {
		hf_jw_object(w);
		hf_jw_kv_if(w, "path", seed->unparsed[i].path);
		hf_jw_kv(w, "reason", seed->unparsed[i].reason);
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
	hf_jw_object_end(w);
}

static void print_unparsed(const struct hf_seed *seed)
{
	for (size_t i = 0; i < seed->unparsed_n; i++) {
		const struct hf_seed_unparsed *u = &seed->unparsed[i];
		log_warning("not resolved: %.*s: %.*s", HF_SV_FMT(u->path.len ? u->path : HF_SV("config")),
			    HF_SV_FMT(u->reason));
	}
}

static int seed_text(struct session *s, const struct hf_root *root, struct hf_buf *text, struct hf_err *err)
{
	struct hf_seed seed;
	struct hf_profile profile;
	int r = hf_seed_make(root, &s->container.config, &s->arena, &seed, err);

	if (r < 0)
		return r;
	print_unparsed(&seed);
	if (s->json) {
		struct hf_json_writer w = { .out = text };
		write_json(&seed, &w);
		return hf_jw_finish(&w, err);
	}
	hf_profile_init(&profile, &s->arena, s->container.image_digest, s->container.image_name, (hf_sv){ 0 });
	r = hf_seed_profile(&seed, root, &profile, err);
	if (r >= 0)
		hf_profile_write(&profile, text);
	return r < 0 ? r : HF_OK;
}

static int write_text(int fd, const struct hf_buf *text, struct hf_err *err)
{
	struct hf_out out = hf_out_fd(fd);

	hf_out_add(&out, hf_buf_view(text));
	int r = hf_out_flush(&out, err);
	hf_out_done(&out);
	return r;
}

/* In the jailed worker. */
static int seed_of_image(void *ctx, const struct hf_root *root, const struct hf_artifact *artifact, int fd,
			 struct hf_err *err)
{
	struct hf_buf hf_cleanup(hf_buf_done) text = HF_BUF(HF_MIB(64));
	struct session *s = ctx;

	if (!s->config_path)
		s->container.config = artifact->config;
	s->container.image_digest = artifact->image_id;
	s->container.image_name = hf_sv_starts(s->target, HF_SV("docker:")) ? hf_sv_skip(s->target, 7) : (hf_sv){ 0 };
	take_words(s);
	int r = seed_text(s, root, &text, err);
	return r < 0 ? r : write_text(fd, &text, err);
}

static int seed_of_files(struct session *s, int fd, struct hf_err *err)
{
	struct hf_buf hf_cleanup(hf_buf_done) text = HF_BUF(HF_MIB(64));
	int r = open_target(s, err);

	if (r == HF_OK && s->config_path)
		r = read_config(s, err);
	if (r < 0)
		return r;
	const struct hf_root root = hf_live_root_view(s->files, HF_LIVE_IMAGE);
	take_words(s);
	r = seed_text(s, &root, &text, err);
	return r < 0 ? r : write_text(fd, &text, err);
}

static int make(struct session *s, struct hf_err *err)
{
	hf_cleanup(hf_output_abort) struct hf_output file = { .fd = -1 };
	int r = s->config_path && seed_image_is(s->target) ? read_config(s, err) : HF_OK;

	if (r == HF_OK)
		r = hf_output_open(&file, s->output_path, err);
	if (r < 0)
		return r;
	if (seed_image_is(s->target)) {
		r = seed_image_run(s->target, engine_socket(), file.fd, seed_of_image, s, err);
		if (r < 0)
			hf_wrap(err, "%.*s", HF_SV_FMT(s->target));
	} else {
		r = seed_of_files(s, file.fd, err);
	}
	return r < 0 ? r : hf_output_commit(&file, err);
}

static int run(int argc, char **argv)
{
	struct session s = { .arena = HF_ARENA(HF_MIB(256)) };
	struct hf_err err = { 0 };
	int status = parse(&s, argc, argv);

	if (status)
		return status;
	int r = make(&s, &err);
	hf_live_root_close(s.files);
	hf_arena_done(&s.arena);
	return r < 0 ? hf_command_fail(&err) : 0;
}

const struct hf_command hf_runtime_seed = {
	.name = "seed",
	.summary = "the profile that a workload can begin with, from its image alone",
	.usage = "[OPTIONS] TARGET [-- COMMAND…]\n\n"
		 "Targets: container:ID  one that runs          docker:IMAGE  an image of the engine\n"
		 "         archive:FILE[:TAG], oci:DIR[:TAG|@DIGEST]  as for scan     dir:PATH  a root file system\n\n"
		 "Follows the entrypoint through links, loaders, libraries, scripts and interpreters in the image's "
		 "own layers.\n"
		 "What could not be resolved goes to standard error. A COMMAND stands for the one in the config.\n\n"
		 "  --config FILE       the config of the image (OCI) or what docker inspect prints of one container\n"
		 "  --format yaml|json  yaml: a profile (default); json: each file with what names it\n"
		 "  -o FILE             to FILE instead of standard output",
	.run = run,
};
