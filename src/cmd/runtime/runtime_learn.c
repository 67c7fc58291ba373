/* runtime learn: events, as they happen or as they were recorded, become profiles, one a workload. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "baseline/learn.h"
#include "cmd/log.h"
#include "cmd/runtime/profile_file.h"
#include "cmd/runtime/replay.h"
#include "cmd/runtime/runtime.h"
#include "cmd/runtime/runtime_agent.h"
#include "format/json_writer.h"

enum { TRACES_MAX = 64, SEEDS_MAX = 256 };

struct options {
	const char *traces[TRACES_MAX], *folder;
	size_t traces_n;
	bool json, fresh, dry_run, strict;
	uint32_t parts;
	struct hf_agent_options agent;
};

/* What images say of themselves, for the profiles of their workloads. */
struct seeds {
	struct hf_arena arena;
	struct hf_profile *at[SEEDS_MAX];
	size_t n;
};

struct written {
	const struct hf_profile *profile;
	char path[4096 + 256];
	bool merged;
};

static int watched(struct options *o, const char *list)
{
	hf_sv rest = hf_sv_of(list), name;

	while (rest.ptr && hf_sv_next(&rest, ',', &name)) {
		enum hf_profile_part part;
		if (!hf_profile_part_of(name, &part))
			return hf_command_usage("runtime learn", "--covers: '%.*s' is no part of a profile",
						HF_SV_FMT(name));
		o->parts |= 1u << part;
	}
	return -1;
}

static int parse_value(struct options *o, const char *option, const char *value)
{
	if (!strcmp(option, "--rules")) {
		o->agent.judge.rules_folder = value;
	} else if (!strcmp(option, "--exceptions")) {
		o->agent.judge.exceptions = value;
	} else if (!strcmp(option, "--replay")) {
		if (o->traces_n == TRACES_MAX)
			return hf_command_usage("runtime learn", "--replay more than %d times", TRACES_MAX);
		o->traces[o->traces_n++] = value;
	} else if (!strcmp(option, "--covers")) {
		return watched(o, value);
	} else if (strcmp(option, "--format") != 0) {
		o->folder = value;
	} else if (!strcmp(value, "json") || !strcmp(value, "table")) {
		o->json = value[0] == 'j';
	} else {
		return hf_command_usage("runtime learn", "--format is table or json, not '%s'", value);
	}
	return -1;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const char *const with_value[] = { "--replay", "-o",      "--output",    "--format",
						  "--covers", "--rules", "--exceptions" };

	for (int i = 1; i < argc; i++) {
		const char *option = argv[i];
		bool *flag = !strcmp(option, "--fresh")     ? &o->fresh
			     : !strcmp(option, "--strict")  ? &o->strict
			     : !strcmp(option, "--dry-run") ? &o->dry_run
			     : !strcmp(option, "--seed")    ? &o->agent.seed
							    : NULL;
		bool wants = false;
		int status = flag ? 1 : runtime_agent_option(&o->agent, "runtime learn", argc, argv, &i);

		if (flag)
			*flag = true;
		if (status == 2)
			return 2;
		if (status)
			continue;
		for (size_t k = 0; k < HF_ARRAY_SIZE(with_value); k++)
			wants |= !strcmp(option, with_value[k]);
		if (!wants)
			return hf_command_no_option("runtime learn", option);
		if (i + 1 == argc)
			return hf_command_usage("runtime learn", "%s wants a value", option);
		status = parse_value(o, option, argv[++i]);
		if (status >= 0)
			return status;
	}
	return -1;
}

static void keep_seed(void *ctx, const struct hf_profile *seed)
{
	struct seeds *s = ctx;
	struct hf_err none = { 0 };
	struct hf_profile *p = s->n < SEEDS_MAX ? hf_arena_new(&s->arena, struct hf_profile) : NULL;

	if (!p)
		return;
	hf_profile_init(p, &s->arena, seed->image_digest, seed->image_name, (hf_sv){ 0 });
	if (hf_profile_merge(p, seed, false, &none) == 0) /* without room it was still judged by, and is not written */
		s->at[s->n++] = p;
}

static int add_seeds(const struct seeds *s, struct hf_profile *p, struct hf_err *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < s->n; i++)
		if (hf_sv_eq(s->at[i]->image_digest, p->image_digest))
			ret = hf_profile_merge(p, s->at[i], false, err);
	return ret;
}

/* Takes what is there already in first, so that a profile grows over sessions; it keeps its mode. */
static int keep(const struct options *o, const struct seeds *seeds, struct written *w, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	struct hf_profile p;
	int ret = o->fresh ? HF_E_MISSING : profile_file_read(w->path, &a, &p, err);

	if (ret == HF_E_MISSING) {
		*err = (struct hf_err){ 0 };
		hf_profile_init(&p, &a, w->profile->image_digest, w->profile->image_name, w->profile->owner);
	} else if (ret) {
		return ret;
	}
	w->merged = !ret;
	ret = hf_profile_merge(&p, w->profile, false, err);
	if (!ret)
		ret = add_seeds(seeds, &p, err);
	if (ret)
		return hf_wrap(err, "%s", w->path);
	if (o->dry_run)
		return 0;
	ret = profile_file_folders(w->path, err);
	return ret ? ret : profile_file_write(w->path, &p, err);
}

static size_t entries(const struct hf_profile *p, enum hf_profile_part part, struct hf_arena *a)
{
	size_t n;

	hf_profile_sorted(p, part, a, &n);
	return n;
}

static void table(const struct written *all, size_t n, struct hf_arena *a)
{
	char image[512], owner[512], path[5000];

	for (size_t i = 0; i < n; i++) {
		const struct hf_profile *p = all[i].profile;
		hf_escape_controls(image, sizeof image, p->image_name.len ? p->image_name : p->image_digest);
		hf_escape_controls(owner, sizeof owner, p->owner);
		hf_escape_controls(path, sizeof path, hf_sv_of(all[i].path));
		printf("%s%s%s\n", image, *owner ? "  " : "", owner);
		printf("  profile   %s%s\n", path, all[i].merged ? " (added to)" : "");
		printf("  learned   %llu windows of %d s, %llu replicas\n", (unsigned long long)p->windows,
		       HF_LEARN_WINDOW_S, (unsigned long long)p->replicas);
		if (p->discarded_loss || p->discarded_alert)
			printf("  discarded %llu windows with losses, %llu with alerts\n",
			       (unsigned long long)p->discarded_loss, (unsigned long long)p->discarded_alert);
		for (unsigned part = 0; part < HF_PROFILE_PARTS; part++) {
			size_t count = entries(p, part, a);
			if (count)
				printf("  %-12s %zu%s\n", hf_profile_parts[part].key, count,
				       p->sections[part].overflow ? " and more" : "");
		}
	}
}

static void json(const struct written *all, size_t n, const struct hf_learn_count *count, struct hf_arena *a,
		 struct hf_buf *out)
{
	struct hf_json_writer w = { .out = out };
	struct hf_err err = { 0 };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/learned/1"));
	hf_jw_key(&w, "profiles");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		const struct hf_profile *p = all[i].profile;
		hf_jw_object(&w);
		hf_jw_kv(&w, "path", hf_sv_of(all[i].path));
		hf_jw_kv_bool(&w, "added_to", all[i].merged);
		hf_jw_kv_if(&w, "image_digest", p->image_digest);
		hf_jw_kv_if(&w, "image_name", p->image_name);
		hf_jw_kv_if(&w, "owner", p->owner);
		hf_jw_kv_uint(&w, "windows", p->windows);
		hf_jw_kv_uint(&w, "replicas", p->replicas);
		hf_jw_kv_uint(&w, "discarded_for_loss", p->discarded_loss);
		hf_jw_kv_uint(&w, "discarded_for_alerts", p->discarded_alert);
		for (unsigned part = 0; part < HF_PROFILE_PARTS; part++)
			hf_jw_kv_uint(&w, hf_profile_parts[part].key, entries(p, part, a));
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_kv_uint(&w, "events", count->events);
	hf_jw_kv_uint(&w, "of_container_runtimes", count->setup);
	hf_jw_kv_uint(&w, "without_image", count->without_image);
	hf_jw_kv_uint(&w, "late", count->late);
	hf_jw_kv_uint(&w, "refused", count->refused);
	hf_jw_object_end(&w);
	(void)hf_jw_finish(&w, &err);
}

static void notes(const struct hf_learn_count *c)
{
	if (c->without_image)
		log_warning("%llu events are of containers whose image is not known; they are in no profile",
			    (unsigned long long)c->without_image);
	if (c->discarded_loss || c->discarded_alert)
		log_warning("%llu windows with losses and %llu with alerts were not learned from",
			    (unsigned long long)c->discarded_loss, (unsigned long long)c->discarded_alert);
	if (c->late || c->refused)
		log_warning("%llu events came too late and %llu windows did not fit into memory",
			    (unsigned long long)c->late, (unsigned long long)c->refused);
}

static int finish(const struct options *o, const struct seeds *seeds, struct hf_learn *l, const char *folder,
		  struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_MIB(64));
	size_t n, kept = 0;
	const struct hf_profile *const *profiles = hf_learn_finish(l, &n);
	struct written *all = hf_calloc(n + 1, sizeof *all);
	struct hf_learn_count count = hf_learn_count(l);
	int ret = 0;

	notes(&count);
	for (size_t i = 0; !ret && i < n; i++) {
		struct written *w = &all[kept];
		if (!profiles[i]->windows)
			continue;
		hf_sv name = hf_profile_file_name(profiles[i]->image_digest, profiles[i]->owner, &a);
		w->profile = profiles[i];
		if ((size_t)snprintf(w->path, sizeof w->path, "%s/%.*s", folder, HF_SV_FMT(name)) >= sizeof w->path)
			ret = hf_fail(err, HF_E_LIMIT, "%s: the path is too long", folder);
		else
			ret = keep(o, seeds, w, err);
		kept++;
	}
	if (!ret && o->json) {
		json(all, kept, &count, &a, &out);
		fwrite(out.ptr, 1, out.len, stdout);
	} else if (!ret) {
		table(all, kept, &a);
	}
	if (!ret && !kept)
		log_note("nothing was learned: of %llu events none is of a container in a clean window",
			 (unsigned long long)count.events);
	free(all);
	return ret;
}

static int run(int argc, char **argv)
{
	struct options o = { 0 };
	struct seeds seeds = { .arena = HF_ARENA(4 * HF_PROFILE_ARENA_MAX) };
	struct hf_err err = { 0 };
	char folder[4096];
	uint64_t unreadable = 0;
	int status = parse(&o, argc, argv), ret = 0;

	if (status >= 0)
		return status;
	if (o.folder ? (size_t)snprintf(folder, sizeof folder, "%s", o.folder) >= sizeof folder
		     : !profile_file_folder(folder, sizeof folder))
		return hf_command_usage("runtime learn", "where to? -o DIR");
	if (o.agent.seed && (o.traces_n || o.agent.rules_off))
		return hf_command_usage(
			"runtime learn",
			"--seed reads the images of containers that run: it goes with neither --replay nor --no-rules");
	o.agent.seeded = keep_seed;
	o.agent.seeded_ctx = &seeds;
	struct hf_learn *l = hf_learn_new(&(struct hf_learn_options){ .parts = o.parts });
	for (size_t i = 0; !ret && i < o.traces_n; i++)
		ret = replay_record(o.traces[i], &(struct hf_event_sink){ hf_learn_sink, l }, &unreadable, &err);
	if (!o.traces_n)
		ret = runtime_agent_observe(&o.agent, (struct hf_event_sink){ hf_learn_sink, l }, "learning", &err);
	if (!ret)
		ret = finish(&o, &seeds, l, folder, &err);
	hf_learn_free(l);
	hf_arena_done(&seeds.arena);
	if (ret)
		return hf_command_fail(&err);
	return fflush(stdout) ? 2 : unreadable && o.strict ? 3 : 0;
}

const struct hf_command hf_runtime_learn = {
	.name = "learn",
	.summary = "make profiles of what is normal for each workload",
	.usage = "[--for SECONDS | --replay TRACE...] [-o DIR] [OPTIONS]\n\n"
		 "Makes a profile for each image and owner (Kubernetes workload, compose service) and adds to the one "
		 "that is there:\n"
		 "of what happens from now on, or of a record.\n" RUNTIME_AGENT_USAGE
		 "  --rules DIR           rules beside the built-in ones\n"
		 "  --exceptions FILE     alerts that it hides cost no window\n"
		 "  --replay TRACE   events, as 'runtime watch --format json' prints them; - is standard input; "
		 "repeatable\n"
		 "  -o DIR           where profiles are kept; without it /var/lib/holdfast/profiles, or below the "
		 "user's state folder\n"
		 "  --covers PARTS   these parts were watched, even though no event of them came: what is new in them "
		 "will alert\n"
		 "  --seed           what an image says of itself is in its profile too, and is judged by while there "
		 "is no other\n"
		 "  --fresh          replaces profiles instead of adding to them\n"
		 "  --dry-run        writes nothing\n"
		 "  --format table|json  what was learned\n"
		 "  --strict         exit 3 where lines of a trace were no events\n"
		 "Ten seconds around an alert or a loss of events are not learned from, and it is said how many.",
	.run = run,
};
