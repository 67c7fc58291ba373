/* kube_client_dump [OPTION VALUE]… COMMAND [ARGUMENT]…: what src/cluster does, as lines, for tests and for looking by hand.
 *
 *     target                                       where the context leads
 *     get PATH                                     the answer
 *     discover                                     "GROUP VERSION NAME KIND namespaced|cluster preferred|other VERB,…"; "missing GROUP VERSION REASON"
 *     list GROUP VERSION RESOURCE                  "page BYTES OBJECTS", "restart", "listed VERSION"
 *     watch GROUP VERSION RESOURCE                 "TYPE NAMESPACE/NAME VERSION", "reset", "synced", until standard input ends; then the counts
 *     create|replace|merge|apply|delete GROUP VERSION RESOURCE [NAME]   standard input; the answer
 *
 * GROUP "-" is the core group. Options: --kubeconfig --context --namespace --label --field --limit --deadline-ms --wait-ms --tries --page-max --silence-s
 * --server-s --failures-max --watch-list (0: none) --repeat (get). A failure is "error CODE MESSAGE", and exit status 2. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "cluster/discover.h"
#include "cluster/kubeconfig_files.h"
#include "cluster/list.h"
#include "cluster/post.h"
#include "cluster/watch.h"
#include "format/json.h"

struct options {
	const char *kubeconfig, *context, *namespace, *label, *field;
	unsigned long limit, deadline_ms, wait_ms, tries, page_max, silence_s, server_s, failures_max, watch_list,
		repeat;
};

struct program {
	struct options options;
	struct hf_arena arena;
	struct hf_kubeconfig_target target;
	struct hf_cluster *cluster;
	struct hf_err err;
	int argc;
	char **argv;
};

static int error(const struct program *p, int code)
{
	printf("error %d %s\n", code, p->err.msg);
	return 2;
}

static struct hf_cluster_what what_of(const struct program *p)
{
	return (struct hf_cluster_what){
		.group = strcmp(p->argv[1], "-") == 0 ? (hf_sv){ 0 } : hf_sv_of(p->argv[1]),
		.version = hf_sv_of(p->argv[2]),
		.resource = hf_sv_of(p->argv[3]),
		.namespace = hf_sv_of(p->options.namespace),
		.name = p->argc > 4 ? hf_sv_of(p->argv[4]) : (hf_sv){ 0 },
		.label_selector = hf_sv_of(p->options.label),
		.field_selector = hf_sv_of(p->options.field),
	};
}

static int get(struct program *p)
{
	const struct hf_cluster_request r = {
		.path = hf_sv_of(p->argv[1]), .answer_max = HF_MIB(64), .verb = "get", .what = hf_sv_of(p->argv[1])
	};
	struct hf_cluster_answer answer;
	int status = 0;

	for (unsigned long i = 0; i < (p->options.repeat ? p->options.repeat : 1); i++) {
		int code = hf_cluster_call(p->cluster, &r, &answer, &p->err);
		if (code < 0)
			status = error(p, code);
		else
			printf("%.*s\n", HF_SV_FMT(hf_buf_view(&answer.body)));
		fflush(stdout);
		hf_buf_done(&answer.body);
		if (p->options.repeat > 1 && i + 1 < p->options.repeat && getchar() == EOF)
			break;
	}
	return status;
}

static int discover(struct program *p)
{
	struct hf_cluster_resources r;

	int code = hf_cluster_discover(p->cluster, &p->arena, &r, &p->err);
	if (code < 0)
		return error(p, code);
	for (size_t i = 0; i < r.n; i++) {
		const struct hf_cluster_resource *x = &r.resources[i];
		printf("%.*s %.*s %.*s %.*s %s %s ", x->group.len ? (int)x->group.len : 1,
		       x->group.len ? x->group.ptr : "-", HF_SV_FMT(x->version), HF_SV_FMT(x->name), HF_SV_FMT(x->kind),
		       x->namespaced ? "namespaced" : "cluster", x->preferred ? "preferred" : "other");
		for (size_t v = 0; v < x->verbs_n; v++)
			printf("%s%.*s", v ? "," : "", HF_SV_FMT(x->verbs[v]));
		printf("\n");
	}
	for (size_t i = 0; i < r.missing_n; i++)
		printf("missing %.*s %.*s %.*s\n", HF_SV_FMT(r.missing[i].group), HF_SV_FMT(r.missing[i].version),
		       HF_SV_FMT(r.missing[i].reason));
	return 0;
}

static int take_page(void *ctx, hf_sv json, struct hf_err *err)
{
	struct hf_arena a = HF_ARENA(HF_MIB(16));
	struct hf_json j = hf_json_of(json, &a);
	size_t n = 0;
	hf_sv key;

	(void)ctx;
	(void)err;
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("items"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_elements(&j) {
			hf_json_skip(&j);
			n++;
		}
	}
	hf_arena_done(&a);
	printf("page %zu %zu\n", json.len, n);
	fflush(stdout);
	return HF_OK;
}

static int take_restart(void *ctx, struct hf_err *err)
{
	(void)ctx;
	(void)err;
	printf("restart\n");
	return HF_OK;
}

static int list(struct program *p)
{
	const struct hf_cluster_list l = { .what = what_of(p),
					   .limit = (uint32_t)p->options.limit,
					   .page_max = p->options.page_max,
					   .page = take_page,
					   .restart = take_restart };
	struct hf_cluster_listed listed;

	int code = hf_cluster_list(p->cluster, &l, &listed, &p->err);
	if (code < 0)
		return error(p, code);
	printf("listed %s\n", listed.resource_version);
	return 0;
}

static int take_event(void *ctx, enum hf_cluster_event_type type, hf_sv object, struct hf_err *err)
{
	static const char *const names[] = { [HF_CLUSTER_ADDED] = "ADDED",
					     [HF_CLUSTER_MODIFIED] = "MODIFIED",
					     [HF_CLUSTER_DELETED] = "DELETED",
					     [HF_CLUSTER_BOOKMARK] = "BOOKMARK",
					     [HF_CLUSTER_RESET] = "reset",
					     [HF_CLUSTER_SYNCED] = "synced",
					     [HF_CLUSTER_ERROR] = "an error is no event of a watch" };
	struct hf_arena a = HF_ARENA(HF_MIB(16));
	struct hf_json j = hf_json_of(object, &a);
	hf_sv key, name = { 0 }, namespace = { 0 }, version = { 0 };

	(void)ctx;
	(void)err;
	hf_json_members(&j, &key) {
		if (!hf_sv_eq(key, HF_SV("metadata"))) {
			hf_json_skip(&j);
			continue;
		}
		hf_json_members(&j, &key) {
			hf_sv *field = hf_sv_eq(key, HF_SV("name"))              ? &name
				       : hf_sv_eq(key, HF_SV("namespace"))       ? &namespace
				       : hf_sv_eq(key, HF_SV("resourceVersion")) ? &version
										 : NULL;
			if (field)
				*field = hf_json_string(&j);
			else
				hf_json_skip(&j);
		}
	}
	if (object.len)
		printf("%s %.*s/%.*s %.*s\n", names[type], HF_SV_FMT(namespace), HF_SV_FMT(name), HF_SV_FMT(version));
	else
		printf("%s\n", names[type]);
	fflush(stdout);
	hf_arena_done(&a);
	return HF_OK;
}

static void *stop_at_end(void *ctx)
{
	struct program *p = ctx;
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR)
		;
	hf_cluster_stop(p->cluster);
	return NULL;
}

static int watch(struct program *p)
{
	const struct hf_cluster_watch w = { .what = what_of(p),
					    .limit = (uint32_t)p->options.limit,
					    .no_watch_list = !p->options.watch_list,
					    .server_s = (uint32_t)p->options.server_s,
					    .silence_s = (uint32_t)p->options.silence_s,
					    .failures_max = (unsigned)p->options.failures_max,
					    .event = take_event };
	struct hf_cluster_watch_counts c;
	pthread_t thread;

	if (pthread_create(&thread, NULL, stop_at_end, p))
		abort();
	int code = hf_cluster_watch(p->cluster, &w, &c, &p->err);
	if (code < 0)
		error(p, code);
	printf("counts events=%lu bookmarks=%lu lists=%lu connections=%lu resumed=%lu gone=%lu errors=%lu "
	       "watch_list=%d\n",
	       (unsigned long)c.events, (unsigned long)c.bookmarks, (unsigned long)c.lists,
	       (unsigned long)c.connections, (unsigned long)c.resumed, (unsigned long)c.gone, (unsigned long)c.errors,
	       c.watch_list);
	fflush(stdout);
	_exit(code < 0 ? 2 : 0); /* the thread may still read */
}

static int post(struct program *p, enum hf_cluster_change change)
{
	struct hf_buf document = HF_BUF(HF_MIB(4));
	struct hf_cluster_answer answer;
	char bytes[4096];
	size_t n;

	while (change != HF_CLUSTER_DELETE && (n = fread(bytes, 1, sizeof bytes, stdin)) > 0)
		hf_buf_add(&document, (hf_sv){ bytes, n });
	const struct hf_cluster_post r = { .change = change, .what = what_of(p), .document = hf_buf_view(&document) };
	int code = hf_cluster_post(p->cluster, &r, &answer, &p->err);
	if (code < 0)
		printf("refused %u %s\n", answer.refused.code, answer.refused.reason);
	else
		printf("%.*s\n", HF_SV_FMT(hf_buf_view(&answer.body)));
	hf_buf_done(&answer.body);
	hf_buf_done(&document);
	return code < 0 ? error(p, code) : 0;
}

static int run(struct program *p)
{
	static const char *const changes[] = { [HF_CLUSTER_CREATE] = "create",
					       [HF_CLUSTER_REPLACE] = "replace",
					       [HF_CLUSTER_MERGE] = "merge",
					       [HF_CLUSTER_APPLY] = "apply",
					       [HF_CLUSTER_DELETE] = "delete" };
	const char *command = p->argv[0];

	if (strcmp(command, "get") == 0 && p->argc == 2)
		return get(p);
	if (strcmp(command, "discover") == 0)
		return discover(p);
	if (p->argc < 4)
		return 64;
	if (strcmp(command, "list") == 0)
		return list(p);
	if (strcmp(command, "watch") == 0)
		return watch(p);
	for (unsigned i = 0; i < HF_ARRAY_SIZE(changes); i++)
		if (strcmp(command, changes[i]) == 0)
			return post(p, (enum hf_cluster_change)i);
	return 64;
}

static bool option(struct options *o, const char *name, const char *value)
{
	const struct {
		const char *name, **text;
		unsigned long *number;
	} all[] = {
		{ "--kubeconfig", &o->kubeconfig, NULL },
		{ "--context", &o->context, NULL },
		{ "--namespace", &o->namespace, NULL },
		{ "--label", &o->label, NULL },
		{ "--field", &o->field, NULL },
		{ "--limit", NULL, &o->limit },
		{ "--deadline-ms", NULL, &o->deadline_ms },
		{ "--wait-ms", NULL, &o->wait_ms },
		{ "--tries", NULL, &o->tries },
		{ "--page-max", NULL, &o->page_max },
		{ "--silence-s", NULL, &o->silence_s },
		{ "--server-s", NULL, &o->server_s },
		{ "--failures-max", NULL, &o->failures_max },
		{ "--watch-list", NULL, &o->watch_list },
		{ "--repeat", NULL, &o->repeat },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(all); i++) {
		if (strcmp(all[i].name, name) != 0)
			continue;
		if (all[i].text)
			*all[i].text = value;
		else
			*all[i].number = strtoul(value, NULL, 10);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct program p = { .arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX), .options = { .watch_list = 1 } };
	struct hf_kubeconfig config;
	int i = 1;

	for (; i + 1 < argc && option(&p.options, argv[i], argv[i + 1]); i += 2)
		;
	p.argc = argc - i;
	p.argv = argv + i;
	if (p.argc < 1)
		return 64;
	const struct hf_kubeconfig_sources sources = hf_kubeconfig_sources_here(p.options.kubeconfig);
	int code = hf_kubeconfig_read(&sources, &p.arena, &config, &p.err);
	if (code == HF_OK)
		code = hf_kubeconfig_select(&config, hf_sv_of(p.options.context), &p.arena, &p.target, &p.err);
	if (code < 0) {
		hf_arena_done(&p.arena);
		return error(&p, code);
	}
	if (strcmp(p.argv[0], "target") == 0) {
		printf("%.*s %.*s %.*s\n", HF_SV_FMT(p.target.context), HF_SV_FMT(p.target.cluster.server),
		       HF_SV_FMT(p.target.namespace));
		hf_arena_done(&p.arena);
		return 0;
	}
	const struct hf_cluster_options options = { .deadline_ms = (uint32_t)p.options.deadline_ms,
						    .wait_ms = (uint32_t)p.options.wait_ms,
						    .tries = (unsigned)p.options.tries };
	struct hf_credentials *credentials = hf_credentials_open(&p.target);
	p.cluster = hf_cluster_open(credentials, &options);
	int status = run(&p);
	hf_cluster_close(p.cluster);
	hf_credentials_close(credentials);
	hf_arena_done(&p.arena);
	return status;
}
