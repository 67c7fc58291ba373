/* sense_dump perf|spaces|lossy|ptrace|exec|kernel|deep SECONDS (0: until its input ends), files SECONDS PID…, walk 0: what one source of the sensor hands out, as lines of "kind field=value …", then its account. The
 * cgroup of a process is read from /proc. For tests and for looking by hand; the whole sensor is `holdfast runtime watch`. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "sensor/kernel.h"
#include "sensor/object_record.h"
#include "sensor/snr_connector.h"
#include "sensor/snr_fanotify.h"
#include "sensor/snr_perf.h"
#include "sensor/snr_reconcile.h"

struct dump {
	uint64_t seen[HF_EVENT_KINDS], known[HF_EVENT_KINDS], dropped[HF_EVENT_KINDS], taken[HF_EVENT_KINDS];
};

static struct hf_feed_process process_of(void *ctx, uint32_t pid, uint64_t time_ns)
{
	char path[64], line[4096], at[4200];
	struct stat st;
	struct hf_feed_process process = { 0 };

	(void)ctx;
	(void)time_ns;
	const char *root = getenv("HF_CGROUP_ROOT");
	if (!root)
		root = access("/sys/fs/cgroup/unified", F_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
	snprintf(path, sizeof path, "/proc/%u/cgroup", pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(at, sizeof at, "%s%s",
			 getenv("HF_CGROUP_ROOT") ? getenv("HF_CGROUP_ROOT") : "/sys/fs/cgroup/unified", line + 3);
		if (stat(at, &st) == 0)
			process.cgroup_id = st.st_ino;
		process.unwanted = !strstr(line, "docker");
	}
	if (f)
		fclose(f);
	return process;
}

static void print_value(const struct hf_value *v)
{
	switch ((enum hf_value_type)v->type) {
	case HF_VALUE_STRING:
		printf("%.*s", HF_SV_FMT(v->string));
		break;
	case HF_VALUE_UINT:
		printf("%lu", (unsigned long)v->uint);
		break;
	case HF_VALUE_INT:
		printf("%ld", (long)v->integer);
		break;
	case HF_VALUE_BOOL:
		printf("%s", v->boolean ? "true" : "false");
		break;
	case HF_VALUE_LIST:
		for (uint32_t i = 0; i < v->n; i++)
			printf("%s%.*s", i ? "," : "", HF_SV_FMT(v->list[i]));
		break;
	case HF_VALUE_NONE:
	case HF_VALUE_MAP:
	case HF_VALUE_TREE:
		break;
	}
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct dump *d = ctx;

	(void)err;
	d->taken[e->kind]++;
	d->seen[e->kind]++;
	printf("%s", hf_event_kind_name(e->kind));
	for (size_t i = 0; i < HF_EVENT_FIELDS; i++) {
		if (e->values[i].type == HF_VALUE_NONE)
			continue;
		printf(" %s=", hf_event_fields[i].name);
		print_value(&e->values[i]);
	}
	printf("\n");
	return 0;
}

static void count(void *ctx, enum hf_event_kind kind, uint64_t cgroup_id, enum hf_fate fate, uint64_t n)
{
	struct dump *d = ctx;

	(void)cgroup_id;
	d->seen[kind] += n;
	*(fate == HF_FATE_KNOWN ? &d->known[kind] : &d->dropped[kind]) += n;
}

static void cgroup(void *ctx, uint64_t cgroup_id, hf_sv path, uint64_t time_ns)
{
	(void)ctx;
	(void)time_ns;
	printf("cgroup %lu %.*s\n", (unsigned long)cgroup_id, HF_SV_FMT(path));
}

/* Until standard input is closed; what came before that is still read. */
static bool asked_to_end(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* One of the sources: opened, drained and closed alike. */
struct source {
	struct hf_perf *perf;
	struct hf_files *files;
	struct hf_connector *connector;
	struct hf_kernel *kernel;
	const struct hf_feed *feed;
	struct hf_namespace_set host;
};

/* Path of a cgroup by its number, from the records of births. */
static struct {
	uint64_t id;
	char path[256];
} births[256];
static size_t births_n;

static void keep_birth(const struct hf_record_cgroup *r, const char *path)
{
	if (births_n == HF_ARRAY_SIZE(births))
		return;
	births[births_n].id = r->head.cgroup_id;
	snprintf(births[births_n++].path, sizeof births[0].path, "%.*s", (int)r->path_length, path);
}

static int take_exec_record(hf_sv record, struct hf_event *e)
{
	struct hf_record_exec r;

	memcpy(&r, record.ptr, sizeof r);
	e->kind = HF_EVENT_EXEC;
	hf_event_set_string(e, HF_FIELD_PROCESS_EXE_PATH, hf_sv_slice(record, sizeof r, r.path_length));
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_INODE, r.inode);
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_DEVICE, r.device);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_UPPER, r.flags & HF_EXEC_UPPER);
	return 0;
}

/* First contact with a name server: its answers are looked at from now on. */
static void look_at_names(const struct source *s, const struct hf_event *e, uint64_t cgroup_id)
{
	struct hf_err err;

	if (hf_event_uint(e, HF_FIELD_NETWORK_REMOTE_PORT) != 53)
		return;
	for (size_t i = 0; i < births_n; i++)
		if (births[i].id == cgroup_id &&
		    hf_kernel_watch_names(s->kernel, cgroup_id, hf_sv_of(births[i].path), &err) < 0)
			printf("names %s\n", err.msg);
}

static int take_record(void *ctx, hf_sv record, struct hf_err *err)
{
	const struct source *s = ctx;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_event e = { 0 };
	struct hf_record head;
	struct hf_record_cgroup birth;

	memcpy(&head, record.ptr, sizeof head);
	e.kind = (enum hf_event_kind)head.kind;
	if (head.kind == HF_EVENT_CONTAINER_START) {
		memcpy(&birth, record.ptr, sizeof birth);
		keep_birth(&birth, record.ptr + sizeof birth);
	} else if (head.kind == HF_EVENT_EXEC) {
		take_exec_record(record, &e);
	} else if (hf_object_is(head.kind) && hf_object_event(record, &s->host, &a, &e, err) < 0) {
		return -1;
	}
	if (head.kind == HF_EVENT_CONNECT || head.kind == HF_EVENT_SEND)
		look_at_names(s, &e, head.cgroup_id);
	hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, head.cgroup_id);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, head.pid);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_EXECUTION, head.execution);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PARENT_EXECUTION, head.parent_execution);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_SETUP, head.process_flags & HF_PROCESS_SETUP);
	hf_event_set_bool(&e, HF_FIELD_PROCESS_ENTERED, head.process_flags & HF_PROCESS_ENTERED);
	return take(s->feed->ctx, &e, err);
}

static void print_counts(void *ctx, uint32_t kind, uint64_t cgroup_id, const struct hf_kernel_counts *c)
{
	uint64_t dropped = c->dropped[0] + c->dropped[1] + c->dropped[2] + c->dropped[3];

	(void)ctx;
	printf("counts %lu %s seen=%lu known=%lu delivered=%lu dropped=%lu\n", (unsigned long)cgroup_id,
	       hf_event_kind_name((enum hf_event_kind)kind), (unsigned long)c->seen, (unsigned long)c->known,
	       (unsigned long)c->delivered, (unsigned long)dropped);
}

static int open_kernel(struct source *s, bool deep, struct hf_err *err)
{
	int proc = open("/proc", O_PATH | O_CLOEXEC);

	hf_namespaces_read(proc, (uint32_t)getpid(), &s->host);
	close(proc);
	int code = hf_kernel_open(&(struct hf_kernel_options){ .deep = deep }, &s->kernel, err);
	size_t n = 0;
	const struct hf_kernel_program *p = code < 0 ? NULL : hf_kernel_programs(s->kernel, &n);

	for (size_t i = 0; i < n; i++)
		printf("program %s %s %s\n", p[i].section, p[i].works ? "works" : "not", p[i].why);
	return code;
}

static int open_files(struct source *s, const struct hf_feed *feed, char **pids, struct hf_err *err)
{
	static const struct hf_file_watch watches[] = {
		{ HF_SV_INIT("/etc/passwd"), false },
		{ HF_SV_INIT("/etc/shadow"), true },
		{ HF_SV_INIT("/etc/cron.d/"), false },
		{ HF_SV_INIT("/root/.ssh/"), true },
		{ HF_SV_INIT("/proc/sys/kernel/core_pattern"), false },
	};
	struct hf_files_options options = { .watches = watches, .watches_n = HF_ARRAY_SIZE(watches) };
	int code = hf_files_open(&options, feed, &s->files, err);

	for (; code >= 0 && *pids; pids++) {
		uint32_t pid = (uint32_t)strtoul(*pids, NULL, 10);
		code = hf_files_container(s->files, process_of(NULL, pid, 0).cgroup_id, pid, err);
		if (code == HF_PARTIAL)
			printf("partial %s\n", err->msg);
	}
	return code;
}

static int drain(const struct source *s, struct hf_err *err)
{
	struct pollfd p = { .events = POLLIN,
			    .fd = s->kernel      ? hf_kernel_fd(s->kernel)
				  : s->connector ? hf_connector_fd(s->connector)
				  : s->perf      ? hf_perf_fd(s->perf)
						 : hf_files_fd(s->files) };

	poll(&p, 1, 100);
	if (s->kernel)
		return hf_kernel_drain(s->kernel, take_record, (void *)(uintptr_t)s, err);
	if (s->connector)
		return hf_connector_drain(s->connector, err);
	return s->perf ? hf_perf_drain(s->perf, err) : hf_files_drain(s->files, err);
}

static void print_container(void *ctx, uint64_t cgroup_id, hf_sv path, uint32_t pid, uint64_t start_ns)
{
	(void)ctx;
	(void)start_ns;
	printf("container %lu %.*s %u\n", (unsigned long)cgroup_id, HF_SV_FMT(path), pid);
}

static void print_process(void *ctx, uint64_t cgroup_id, const struct hf_proc_process *p)
{
	(void)ctx;
	printf("process %lu %u parent %u uid %u %.*s\n", (unsigned long)cgroup_id, p->stat.pid, p->stat.parent_pid,
	       p->status.uid, HF_SV_FMT(p->executable));
}

static int walk(const struct hf_feed *feed, struct hf_err *err)
{
	struct hf_reconcile_sink sink = { .container = print_container, .process = print_process };
	struct hf_perf *perf = NULL;
	struct hf_reconcile *r = NULL;
	int code = hf_perf_open(&(struct hf_perf_options){ 0 }, feed, &perf, err);

	if (code >= 0)
		code = hf_reconcile_open(&(struct hf_reconcile_options){ .perf = perf }, feed, &r, err);
	for (int i = 0; code >= 0 && i < 2; i++) {
		code = hf_reconcile_walk(r, true, &sink, err);
		struct hf_reconcile_missed missed = hf_reconcile_missed(r);
		printf("walked missed %zu %zu %zu\n", missed.gone, missed.unparsed, missed.cut);
	}
	hf_reconcile_close(r);
	hf_perf_close(perf);
	if (code < 0)
		fprintf(stderr, "%s\n", err->msg);
	return code < 0;
}

int main(int argc, char **argv)
{
	struct dump d = { 0 };
	struct hf_feed feed = { .ctx = &d, .process = process_of, .take = take, .count = count, .cgroup = cgroup };
	struct hf_err err = { 0 };
	struct source s = { .feed = &feed };

	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(argv[1], "walk") == 0)
		return walk(&feed, &err);
	long seconds = strtol(argv[2], NULL, 10);
	time_t end = time(NULL) + seconds;
	int code;
	if (strcmp(argv[1], "perf") == 0 || strcmp(argv[1], "spaces") == 0)
		code = hf_perf_open(&(struct hf_perf_options){ .namespaces = strcmp(argv[1], "spaces") == 0 }, &feed,
				    &s.perf, &err);
	else if (strcmp(argv[1], "lossy") == 0) /* nobody reads until the end */
		code = hf_perf_open(&(struct hf_perf_options){ .ring_bytes = 4096 }, &feed, &s.perf, &err);
	else if (strcmp(argv[1], "files") == 0)
		code = open_files(&s, &feed, argv + 3, &err);
	else if (strcmp(argv[1], "kernel") == 0 || strcmp(argv[1], "deep") == 0)
		code = open_kernel(&s, strcmp(argv[1], "deep") == 0, &err);
	else
		code = hf_connector_open(&(struct hf_connector_options){ .executions = strcmp(argv[1], "exec") == 0 },
					 &feed, 1000, &s.connector, &err);
	if (code >= 0)
		printf("ready\n");
	while (code >= 0 && (seconds ? time(NULL) < end : !asked_to_end()))
		code = strcmp(argv[1], "lossy") == 0 ? usleep(10000) : drain(&s, &err);
	if (code < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	while ((code = drain(&s, &err)) > 0)
		;
	if (code < 0)
		return 1;
	if (s.perf)
		hf_perf_settle(s.perf);
	if (s.kernel)
		hf_kernel_account(s.kernel, print_counts, NULL);
	hf_kernel_close(s.kernel);
	hf_perf_close(s.perf);
	hf_files_close(s.files);
	hf_connector_close(s.connector);
	for (int k = 0; k < HF_EVENT_KINDS; k++)
		if (d.seen[k])
			printf("account %s seen=%lu known=%lu delivered=%lu dropped=%lu\n", hf_event_kind_name(k),
			       (unsigned long)d.seen[k], (unsigned long)d.known[k], (unsigned long)d.taken[k],
			       (unsigned long)d.dropped[k]);
	return 0;
}
