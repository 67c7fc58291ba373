/* runtime harden: what a workload was granted and did not use, and files that take it away. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "baseline/profile.h"
#include "cmd/runtime/harden_check.h"
#include "cmd/runtime/harden_grant.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_agent.h"
#include "harden/difference.h"
#include "harden/hardening.h"

#define TRACES_MAX 64

struct options {
	const char *traces[TRACES_MAX], *grants[TRACES_MAX], *profiles[TRACES_MAX], *container, *write_folder, *watched;
	size_t traces_n, grants_n, profiles_n;
	bool json, include_exec, include_static;
	struct hf_agent_options agent;
};

struct session {
	struct options o;
	struct hf_arena arena; /* usage, grant and plan */
	struct hf_usage usage;
	struct hf_grant grant;
	struct hf_harden_plan plan;
	struct hf_difference difference;
	uint64_t bad_lines;
};

/* What became of a row. */
struct outcome {
	const struct hf_hardening *row;
	struct hf_buf text;
	struct hf_err refused; /* code 0: it was not */
	char path[4096];       /* empty: not written */
	struct harden_check check;
	bool was_checked;
};

/* The options that name files to read, any number of times. */
static bool lists_file(struct options *o, const char *option, const char ***ret_list, size_t **ret_n)
{
	if (!strcmp(option, "--replay")) {
		*ret_list = o->traces;
		*ret_n = &o->traces_n;
	} else if (!strcmp(option, "--grant")) {
		*ret_list = o->grants;
		*ret_n = &o->grants_n;
	} else if (!strcmp(option, "--profile")) {
		*ret_list = o->profiles;
		*ret_n = &o->profiles_n;
	} else {
		return false;
	}
	return true;
}

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char **slot = NULL, **list;
		size_t *n;
		int taken = runtime_agent_option(&o->agent, "runtime harden", argc, argv, &i);
		if (taken == 2)
			return 2;
		if (taken)
			continue;
		if (!strcmp(argv[i], "--include-exec")) {
			o->include_exec = true;
			continue;
		}
		if (!strcmp(argv[i], "--include-static")) {
			o->include_static = true;
			continue;
		}
		if (lists_file(o, argv[i], &list, &n)) {
			if (*n == TRACES_MAX)
				return hf_command_usage("runtime harden", "%s more than %d times", argv[i], TRACES_MAX);
			slot = &list[(*n)++];
		} else if (!strcmp(argv[i], "--container")) {
			slot = &o->container;
		} else if (!strcmp(argv[i], "--write")) {
			slot = &o->write_folder;
		} else if (!strcmp(argv[i], "--watched")) {
			slot = &o->watched;
		} else if (strcmp(argv[i], "--format") != 0) {
			return hf_command_no_option("runtime harden", argv[i]);
		}
		if (i + 1 == argc)
			return hf_command_usage("runtime harden", "%s wants a value", argv[i]);
		i++;
		if (slot)
			*slot = argv[i];
		else if (!strcmp(argv[i], "json") || !strcmp(argv[i], "table"))
			o->json = argv[i][0] == 'j';
		else
			return hf_command_usage("runtime harden", "--format is table or json, not '%s'", argv[i]);
	}
	return 0;
}

static int watched(struct session *s, struct hf_err *err)
{
	hf_sv rest = hf_sv_of(s->o.watched), name;

	while (rest.ptr && hf_sv_next(&rest, ',', &name)) {
		enum hf_event_kind kind;
		if (!hf_event_kind_of(name, &kind))
			return hf_fail(err, HF_E_USAGE, "--watched: '%.*s' is not a kind of event", HF_SV_FMT(name));
		s->usage.known |= 1u << kind;
	}
	return HF_OK;
}

static int read_file(const char *path, struct hf_buf *text, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? hf_fail_errno(err, "%s", path) : hf_fd_read_all(fd, 0, text, err);
}

static int read_profile(struct session *s, const char *path, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MANIFEST_SIZE_MAX);
	struct hf_profile profile;
	int r = read_file(path, &text, err);

	if (r)
		return r;
	r = hf_profile_read(hf_buf_view(&text), &s->arena, &profile, err);
	r = r < 0 ? r : hf_usage_add_profile(&s->usage, &profile, err);
	return r < 0 ? hf_wrap(err, "%s", path) : HF_OK;
}

static int read_grant(struct session *s, const char *path, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MANIFEST_SIZE_MAX);
	int r = read_file(path, &text, err);

	if (r)
		return r;
	r = hf_grant_read(hf_buf_view(&text), hf_sv_of(s->o.container), &s->grant, err);
	return r < 0 ? hf_wrap(err, "%s", path) : r;
}

static int gather(struct session *s, struct hf_err *err)
{
	bool has_grant = s->o.grants_n > 0;
	int r = HF_OK;

	hf_usage_init(&s->usage, &s->arena);
	hf_grant_init(&s->grant, &s->arena);
	s->usage.wanted = hf_sv_of(s->o.container);
	s->usage.entered = s->o.include_exec;
	s->usage.static_calls = s->o.include_static;
	for (size_t i = 0; !r && i < s->o.traces_n; i++)
		r = replay_record(s->o.traces[i], &(struct hf_event_sink){ hf_usage_take, &s->usage }, &s->bad_lines,
				  err);
	if (!s->o.traces_n && !s->o.profiles_n) {
		s->o.agent.deep = true; /* there is no filter without system calls */
		r = runtime_agent_observe(&s->o.agent, (struct hf_event_sink){ hf_usage_take, &s->usage },
					  "recording what is used, each system call too", err);
	}
	for (size_t i = 0; !r && i < s->o.profiles_n; i++)
		r = read_profile(s, s->o.profiles[i], err);
	r = r ? r : hf_usage_check(&s->usage, err);
	r = r ? r : watched(s, err);
	for (size_t i = 0; !r && i < s->o.grants_n; i++)
		r = read_grant(s, s->o.grants[i], err);
	const hf_sv *containers = hf_names_list(&s->usage.containers);
	if (!r && !has_grant && hf_names_count(&s->usage.containers) == 1)
		has_grant = harden_grant_live(containers[0], &s->grant);
	r = r ? r : hf_harden_plan(&s->usage, has_grant ? &s->grant : NULL, &s->arena, &s->plan, err);
	return r ? r : hf_difference(&s->plan, &s->difference, err);
}

static int write_file(struct session *s, struct outcome *o, struct hf_err *err)
{
	struct hf_output out;
	hf_sv text = hf_buf_view(&o->text);

	if ((size_t)snprintf(o->path, sizeof o->path, "%s/%s", s->o.write_folder, o->row->file) >= sizeof o->path)
		return hf_fail(err, HF_E_LIMIT, "%s: the path is too long", s->o.write_folder);
	int r = hf_output_open(&out, o->path, err);
	if (r)
		return r;
	struct hf_out bytes = hf_out_fd(out.fd);
	hf_out_add(&bytes, text);
	r = hf_out_flush(&bytes, err);
	hf_out_done(&bytes);
	r = r ? r : hf_output_commit(&out, err);
	hf_output_abort(&out);
	if (!r && o->row->tool) {
		o->check = harden_check(o->row->tool, o->path);
		o->was_checked = true;
	}
	return r;
}

static const char *check_text(const struct outcome *o)
{
	if (!o->row->tool || !o->was_checked)
		return o->row->checked;
	switch (o->check.state) {
	case HARDEN_CHECK_NO_TOOL:
		return "not checked: its parser is not installed here";
	case HARDEN_CHECK_TOOK_IT:
		return "checked by parser only: it took the file; nothing ran under it";
	case HARDEN_CHECK_REFUSED_IT:
		return "its parser does not take all of it";
	}
	return "";
}

static void print_sources(struct session *s, struct hf_buf *out)
{
	size_t containers = hf_names_count(&s->usage.containers);

	hf_buf_addf(out, "%.*s: ", HF_SV_FMT(s->plan.name));
	if (containers)
		hf_buf_addf(out, "%zu events of %zu container%s", s->usage.events - s->o.profiles_n, containers,
			    containers == 1 ? "" : "s");
	if (s->o.profiles_n)
		hf_buf_addf(out, "%s%zu profile%s", containers ? ", " : "", s->o.profiles_n,
			    s->o.profiles_n == 1 ? "" : "s");
	hf_buf_addf(out, "; granted: %s\n", s->plan.grant ? s->plan.grant->from : "not known");
	if (s->usage.last_ns > s->usage.first_ns)
		hf_buf_addf(out, "Seen for %llu s: what a workload does more rarely than that is not in it\n",
			    (unsigned long long)((s->usage.last_ns - s->usage.first_ns) / 1000000000));
	if (s->usage.entered_events)
		hf_buf_addf(out,
			    "Left out: %zu events of what came in from outside, as docker exec and health checks do "
			    "(--include-exec)\n",
			    s->usage.entered_events);
	if (s->usage.alerts)
		hf_buf_addf(out, "Careful: %zu alerts in this trace; what they were about counts as used\n",
			    s->usage.alerts);
	if (s->bad_lines)
		hf_buf_addf(out, "Careful: %llu lines of the trace are no events\n", (unsigned long long)s->bad_lines);
}

static void print_table(struct session *s, struct outcome *outcomes, size_t n, struct hf_buf *out)
{
	print_sources(s, out);
	hf_buf_add_char(out, '\n');
	hf_difference_table(&s->difference, out);
	hf_buf_add_char(out, '\n');
	for (size_t i = 0; i < n; i++) {
		struct outcome *o = &outcomes[i];
		if (o->refused.code) {
			hf_buf_addf(out, "%-20s refused: %s\n", o->row->file, o->refused.msg);
			continue;
		}
		hf_buf_addf(out, "%-20s %s\n%-20s %s\n", o->row->file, o->row->title, "", check_text(o));
		if (o->was_checked && o->check.state == HARDEN_CHECK_REFUSED_IT)
			hf_buf_addf(out, "%-20s %s\n", "", o->check.message);
	}
	if (s->o.write_folder)
		hf_buf_addf(out, "\nWritten to %s. Try: cd %s && docker run $(cat docker-run.args) IMAGE\n",
			    s->o.write_folder, s->o.write_folder);
	else
		hf_buf_add(out, HF_SV("\nNothing was written: --write DIR does.\n"));
}

static int print_json(struct session *s, struct outcome *outcomes, size_t n, struct hf_buf *out, struct hf_err *err)
{
	struct hf_json_writer w = { .out = out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/harden/1"));
	hf_jw_key(&w, "workload");
	hf_jw_object(&w);
	hf_jw_kv(&w, "name", s->plan.name);
	hf_names_json(&s->usage.containers, "containers", &w);
	hf_names_json(&s->usage.images, "images", &w);
	hf_jw_object_end(&w);
	hf_jw_key(&w, "trace");
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "events", s->usage.events);
	hf_jw_kv_uint(&w, "seconds", (s->usage.last_ns - s->usage.first_ns) / 1000000000);
	hf_jw_kv_bool(&w, "from_start", s->usage.from_start);
	hf_jw_kv_uint(&w, "left_out_exec", s->usage.entered_events);
	hf_jw_kv_uint(&w, "alerts", s->usage.alerts);
	hf_jw_kv_uint(&w, "unparsed_lines", s->bad_lines);
	hf_jw_object_end(&w);
	if (s->plan.grant)
		hf_jw_kv(&w, "granted_by", hf_sv_of(s->plan.grant->from));
	hf_jw_key(&w, "difference");
	hf_difference_json(&s->difference, &w);
	hf_jw_key(&w, "hardenings");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		struct outcome *o = &outcomes[i];
		hf_jw_object(&w);
		hf_jw_kv(&w, "name", hf_sv_of(o->row->name));
		hf_jw_kv(&w, "file", hf_sv_of(o->row->file));
		if (o->refused.code) {
			hf_jw_kv(&w, "refused", hf_sv_of(o->refused.msg));
		} else {
			hf_jw_kv(&w, "checked", hf_sv_of(check_text(o)));
			hf_jw_kv(&w, "text", hf_buf_view(&o->text));
		}
		if (o->was_checked)
			hf_jw_kv_if(&w, "parser_said", hf_sv_of(o->check.message));
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	return hf_jw_finish(&w, err);
}

static int run_session(struct session *s, struct outcome *outcomes, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(64));
	size_t n = 0;
	int r = gather(s, err);

	if (!r && s->o.write_folder && mkdir(s->o.write_folder, 0777) < 0 && errno != EEXIST)
		r = hf_fail_errno(err, "%s", s->o.write_folder);
	for (; !r && hf_hardenings[n]; n++) {
		struct outcome *o = &outcomes[n];
		*o = (struct outcome){ .row = hf_hardenings[n], .text = HF_BUF(HF_MIB(4)) };
		int code = o->row->write(&s->plan, &o->text, &o->refused);
		if (code && code != HF_E_UNSUPPORTED)
			r = hf_fail(err, code, "%s: %s", o->row->name, o->refused.msg);
		else if (!code && s->o.write_folder)
			r = write_file(s, o, err);
	}
	if (!r && s->o.json)
		r = print_json(s, outcomes, n, &text, err);
	else if (!r)
		print_table(s, outcomes, n, &text);
	if (!r && (fwrite(text.ptr, 1, text.len, stdout) != text.len || fflush(stdout)))
		r = hf_fail_errno(err, "standard output");
	for (size_t i = 0; i < n; i++)
		hf_buf_done(&outcomes[i].text);
	return r;
}

static int harden_run(int argc, char **argv)
{
	static struct session s;
	static struct outcome outcomes[32];
	struct hf_err err = { 0 };
	int status = parse(&s.o, argc, argv);

	if (status)
		return status;
	s.arena = HF_ARENA(HF_MIB(256));
	int r = run_session(&s, outcomes, &err);
	hf_arena_done(&s.arena);
	return r < 0 ? hf_command_fail(&err) : 0;
}

const struct hf_command hf_runtime_harden = {
	.name = "harden",
	.summary = "what a workload was granted and did not use, and files that take it away",
	.usage = "[--for SECONDS | --replay TRACE... | --profile FILE...] [OPTIONS]\n\n"
		 "Of what happens from now on until Ctrl-C, with system calls as --deep, or of what was recorded. "
		 "Start the\n"
		 "container while it records: its beginning needs more than the rest.\n" RUNTIME_AGENT_USAGE
		 "  --replay TRACE     what was used: events of runtime watch --format json, - is standard input\n"
		 "  --profile FILE     what was used: a profile of runtime learn\n"
		 "  --grant FILE       what was granted: docker inspect CONTAINER, config.json of an OCI bundle, or a\n"
		 "                     manifest of Kubernetes. Each of the three may be given more than once. Without\n"
		 "                     one, where the container runs here: what Docker and the bundle say\n"
		 "  --container ID     which container, by name or id, where there is more than one workload\n"
		 "  --include-exec     count also what came in from outside, as docker exec and health checks do\n"
		 "  --include-static   of a profile, count also the system calls that the image's code could make; "
		 "without it\n"
		 "                     they count where none was seen\n"
		 "  --watched KIND,...  these kinds of events were recorded, even if none came: file, capability, ...\n"
		 "  --format table|json  how to print it\n"
		 "  --write DIR        writes seccomp.json, docker-run.args, security-context.yaml, apparmor.profile,\n"
		 "                     systemd.conf and so on to DIR",
	.run = harden_run,
};
