#include "sensor/snr_reconcile.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/container.h"
#include "sensor/known.h"
#include "sensor/patience.h"
#include "sensor/snr_perf.h"

enum {
	FOUND_MAX = 1 << 17, /* processes in containers */
	SOCKETS_MAX = 4096,  /* that listen, in one network namespace */
	TEXT_MAX = 1 << 20,  /* of one process's mappings, of one table of sockets */
	NETWORKS_MAX = 4096,
	KNOWN_SOCKETS = 8192,
	READ_MS = 250, /* for one process */
	STUCK_MAX = 8,
	FDS_FAIR = 1 << 16, /* descriptors in one walk, shared out among the processes, … */
	FDS_LEAST = 256,    /* … each of which has so many, … */
	FDS_MAX = 1 << 18,  /* … and all together these */
};

struct found {
	uint64_t start_ticks, cgroup_id;
	uint32_t pid;
};

struct listener {
	struct hf_proc_socket socket;
	const char *protocol;
	const struct found *owner;
};

/* Of one process, by a thread: its command line lies in its own memory, which it may let nobody page in. */
struct reading {
	int proc;
	uint32_t pid;
	bool read;
	char v1_controller[HF_CONTROLLER_MAX];
	struct hf_proc_process process;
};

struct hf_reconcile {
	const struct hf_feed *feed;
	struct hf_perf *perf;
	int proc;
	struct hf_hierarchy hierarchy;
	struct found *found;
	size_t found_n, found_slots;
	struct listener *listeners;
	size_t listeners_n;
	size_t fds_left;
	uint32_t fds_pid; /* whose descriptors were looked at last */
	struct hf_known known;
	struct hf_reconcile_missed missed;
	struct hf_patience *patience;
	struct reading *reading;
	char *text; /* TEXT_MAX bytes */
};

int hf_reconcile_open(const struct hf_reconcile_options *options, const struct hf_feed *feed, struct hf_reconcile **ret,
		      struct hf_err *err)
{
	struct hf_reconcile *r = hf_calloc(1, sizeof *r);
	int code = 0;

	r->feed = feed;
	r->perf = options->perf;
	r->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->hierarchy.fd = -1;
	r->listeners = hf_calloc(SOCKETS_MAX, sizeof *r->listeners);
	r->text = hf_malloc(TEXT_MAX);
	hf_known_init(&r->known, KNOWN_SOCKETS);
	r->patience = hf_patience_new(READ_MS, STUCK_MAX);
	if (r->proc < 0)
		code = hf_fail_errno(err, "/proc");
	else
		code = options->hierarchy ? hf_hierarchy_copy(options->hierarchy, &r->hierarchy, err)
					  : hf_hierarchy_open(&r->hierarchy, err);
	if (code < 0)
		hf_reconcile_close(r);
	else
		*ret = r;
	return code;
}

void hf_reconcile_close(struct hf_reconcile *r)
{
	if (!r)
		return;
	hf_fd_close(&r->proc);
	hf_hierarchy_close(&r->hierarchy);
	hf_known_done(&r->known);
	hf_patience_free(r->patience);
	free(r->reading);
	free(r->found);
	free(r->listeners);
	free(r->text);
	free(r);
}

struct hf_reconcile_missed hf_reconcile_missed(const struct hf_reconcile *r)
{
	return r->missed;
}

uint64_t hf_reconcile_cgroup_id(const struct hf_reconcile *r, hf_sv path)
{
	char text[HF_PATH_MAX];
	struct stat st;

	while (hf_sv_starts(path, HF_SV("/")))
		path = hf_sv_skip(path, 1);
	if (path.len >= sizeof text)
		return 0;
	snprintf(text, sizeof text, "%.*s", HF_SV_FMT(path));
	return fstatat(r->hierarchy.fd, path.len ? text : ".", &st, 0) == 0 ? st.st_ino : 0;
}

static void add_found(struct hf_reconcile *r, uint32_t pid)
{
	char text[HF_PATH_MAX + 256];
	struct hf_proc_stat stat;
	hf_sv path;

	if (!hf_proc_cgroup_parse(hf_proc_read(r->proc, pid, "cgroup", text, sizeof text),
				  hf_sv_of(r->hierarchy.controller), &path) ||
	    !hf_hierarchy_is_container(path))
		return;
	uint64_t cgroup_id = hf_reconcile_cgroup_id(r, path);
	if (!cgroup_id || hf_proc_stat_parse(hf_proc_read(r->proc, pid, "stat", text, sizeof text), &stat, NULL) < 0 ||
	    stat.state == 'Z') {
		r->missed.gone++;
		return;
	}
	if (r->found_n == FOUND_MAX) {
		r->missed.cut++;
		return;
	}
	if (r->found_n == r->found_slots) {
		r->found_slots = r->found_slots ? 2 * r->found_slots : 256;
		r->found = hf_realloc(r->found, r->found_slots * sizeof *r->found);
	}
	r->found[r->found_n++] = (struct found){ stat.start_ticks, cgroup_id, pid };
}

static int by_start(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->start_ticks != y->start_ticks)
		return x->start_ticks < y->start_ticks ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void find_processes(struct hf_reconcile *r)
{
	DIR *dir = fdopendir(openat(r->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	uint64_t pid;

	r->found_n = 0;
	while (dir && (entry = readdir(dir)))
		if (hf_sv_to_u64(hf_sv_of(entry->d_name), &pid) && pid <= UINT32_MAX)
			add_found(r, (uint32_t)pid);
	if (dir)
		closedir(dir);
	if (r->found_n)
		qsort(r->found, r->found_n, sizeof *r->found, by_start);
}

/* A set of numbers, for one walk: twice as many slots as there are processes. */
struct number_set {
	uint64_t *slots;
	size_t slots_n;
};

static struct number_set number_set_new(size_t numbers)
{
	struct number_set set = { .slots_n = 64 };

	while (set.slots_n < 2 * numbers)
		set.slots_n *= 2;
	set.slots = hf_calloc(set.slots_n, sizeof *set.slots);
	return set;
}

/* True where @number (not 0) was not in it. */
static bool number_set_add(struct number_set *set, uint64_t number)
{
	size_t at = (size_t)(number * 0x9e3779b97f4a7c15u >> 32) & (set->slots_n - 1);

	for (; set->slots[at]; at = (at + 1) & (set->slots_n - 1))
		if (set->slots[at] == number)
			return false;
	set->slots[at] = number;
	return true;
}

static void read_process(void *job)
{
	struct reading *g = job;

	g->read = hf_proc_process_read(g->proc, g->pid, hf_sv_of(g->v1_controller), &g->process);
}

/* NULL where it is gone, or holds up who reads it. */
static const struct hf_proc_process *process_of(struct hf_reconcile *r, const struct found *f)
{
	if (!r->reading)
		r->reading = hf_calloc(1, sizeof *r->reading);
	r->reading->proc = r->proc;
	r->reading->pid = f->pid;
	memcpy(r->reading->v1_controller, r->hierarchy.controller, sizeof r->reading->v1_controller);
	if (!hf_patience_run(r->patience, read_process, r->reading)) {
		r->reading = NULL;
		r->missed.stuck++;
		return NULL;
	}
	if (r->reading->read && r->reading->process.stat.start_ticks == f->start_ticks)
		return &r->reading->process;
	r->missed.gone++;
	return NULL;
}

static void tell_processes(struct hf_reconcile *r, const struct hf_reconcile_sink *sink)
{
	struct number_set cgroups = number_set_new(r->found_n);

	for (size_t i = 0; i < r->found_n; i++) {
		const struct found *f = &r->found[i];
		const struct hf_proc_process *p = process_of(r, f);
		if (!p)
			continue;
		if (number_set_add(&cgroups, f->cgroup_id) && sink->container)
			sink->container(sink->ctx, f->cgroup_id, p->cgroup, f->pid, p->start_ns);
		if (sink->process)
			sink->process(sink->ctx, f->cgroup_id, p);
	}
	free(cgroups.slots);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int offer_mappings(struct hf_reconcile *r, const struct found *f, struct hf_err *err)
{
	hf_sv rest = hf_proc_read(r->proc, f->pid, "maps", r->text, TEXT_MAX);
	struct hf_proc_map m;
	int code = 0;

	r->missed.cut += rest.len == TEXT_MAX;
	while (code >= 0 && hf_proc_maps_next(&rest, &m, &r->missed.unparsed)) {
		struct hf_perf_mapping mapping = {
			.cgroup_id = f->cgroup_id,
			.time_ns = now_ns(),
			.begin = m.begin,
			.end = m.end,
			.inode = m.inode,
			.pid = f->pid,
			.major = m.major,
			.minor = m.minor,
			.path = m.path,
		};
		code = hf_perf_offer(r->perf, &mapping, err);
	}
	return code;
}

static void read_listeners(struct hf_reconcile *r, uint32_t pid)
{
	static const struct {
		const char *file, *protocol;
		uint8_t state;
	} tables[] = {
		{ "net/tcp", "tcp", HF_PROC_TCP_LISTEN },
		{ "net/tcp6", "tcp", HF_PROC_TCP_LISTEN },
		{ "net/udp", "udp", HF_PROC_UDP_BOUND },
		{ "net/udp6", "udp", HF_PROC_UDP_BOUND },
	};

	r->listeners_n = 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(tables); i++) {
		hf_sv rest = hf_proc_read(r->proc, pid, tables[i].file, r->text, TEXT_MAX);
		struct hf_proc_socket s;
		r->missed.cut += rest.len == TEXT_MAX;
		while (hf_proc_socket_next(&rest, &s, &r->missed.unparsed)) {
			if (s.state != tables[i].state)
				continue;
			if (r->listeners_n == SOCKETS_MAX)
				r->missed.cut++;
			else
				r->listeners[r->listeners_n++] = (struct listener){ s, tables[i].protocol, NULL };
		}
	}
}

static int by_inode(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;

	return (x->socket.inode > y->socket.inode) - (x->socket.inode < y->socket.inode);
}

static void own(struct hf_reconcile *r, uint64_t inode, const struct found *f)
{
	const struct listener key = { .socket.inode = inode };
	struct listener *l = bsearch(&key, r->listeners, r->listeners_n, sizeof key, by_inode);

	if (l && !l->owner)
		l->owner = f;
}

/* How many descriptors of a process are looked at: a container with many must not use up what there is for all. Processes that share
 * one table of descriptors (CLONE_FILES) are looked at once. */
static size_t fds_of(struct hf_reconcile *r, const struct found *f)
{
	size_t n = FDS_FAIR / r->found_n;
	uint32_t before = r->fds_pid;

	r->fds_pid = f->pid;
	if (before && syscall(SYS_kcmp, (pid_t)before, (pid_t)f->pid, KCMP_FILES, 0, 0) == 0)
		return 0;
	n = n < FDS_LEAST ? FDS_LEAST : n;
	return n < r->fds_left ? n : r->fds_left;
}

/* Who holds a socket: /proc/PID/fd has links "socket:[INODE]". */
static void find_owners(struct hf_reconcile *r, const struct found *f)
{
	char path[64], link[64];
	struct dirent *entry;
	uint64_t inode;

	size_t left = fds_of(r, f);
	r->missed.cut += !r->fds_left;
	if (!left)
		return;
	snprintf(path, sizeof path, "%u/fd", f->pid);
	int fd = openat(r->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		if (!left) {
			r->missed.cut++;
			break;
		}
		left--;
		r->fds_left--;
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link);
		hf_sv text = { link, n > 0 ? (size_t)n : 0 };
		if (hf_sv_starts(text, HF_SV("socket:[")) && hf_sv_to_u64(hf_sv_slice(text, 8, text.len - 9), &inode))
			own(r, inode, f);
	}
	if (dir)
		closedir(dir);
	else
		hf_fd_close(&fd);
}

static int tell_listener(struct hf_reconcile *r, const struct listener *l, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_LISTEN };
	char address[46], object[96];
	hf_sv text = hf_socket_address_text(l->socket.local, l->socket.address_n, address);

	snprintf(object, sizeof object, "%s %.*s %u", l->protocol, HF_SV_FMT(text), l->socket.local_port);
	if (hf_known_seen(&r->known, l->owner->cgroup_id, hf_sv_of(object)))
		return 0;
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, now_ns());
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, l->owner->pid);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_TID, l->owner->pid);
	hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, l->owner->cgroup_id);
	hf_event_set_string(&e, HF_FIELD_NETWORK_PROTOCOL, hf_sv_of(l->protocol));
	hf_event_set_string(&e, HF_FIELD_NETWORK_LOCAL_ADDRESS, text);
	hf_event_set_uint(&e, HF_FIELD_NETWORK_LOCAL_PORT, l->socket.local_port);
	return r->feed->take(r->feed->ctx, &e, err);
}

static uint64_t network_of(const struct hf_reconcile *r, uint32_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "%u/ns/net", pid);
	return fstatat(r->proc, path, &st, 0) == 0 ? st.st_ino : 0;
}

/* A socket that no process of a container holds is somebody else's: the machine's, where a container has its network. */
static int tell_network(struct hf_reconcile *r, const uint64_t *networks, size_t from, struct hf_err *err)
{
	int code = 0;

	read_listeners(r, r->found[from].pid);
	if (r->listeners_n)
		qsort(r->listeners, r->listeners_n, sizeof *r->listeners, by_inode);
	for (size_t i = from; r->listeners_n && i < r->found_n; i++)
		if (networks[i] == networks[from])
			find_owners(r, &r->found[i]);
	for (size_t i = 0; code >= 0 && i < r->listeners_n; i++)
		if (r->listeners[i].owner)
			code = tell_listener(r, &r->listeners[i], err);
	return code;
}

static int tell_objects(struct hf_reconcile *r, struct hf_err *err)
{
	uint64_t *networks = hf_calloc(r->found_n + 1, sizeof *networks);
	struct number_set told = number_set_new(r->found_n);
	int code = 0;

	r->fds_left = FDS_MAX;
	r->fds_pid = 0;
	for (size_t i = 0; i < r->found_n; i++)
		networks[i] = network_of(r, r->found[i].pid);
	for (size_t i = 0; code >= 0 && i < r->found_n; i++) {
		if (networks[i] && number_set_add(&told, networks[i]))
			code = tell_network(r, networks, i, err);
		if (code >= 0 && r->perf)
			code = offer_mappings(r, &r->found[i], err);
	}
	free(networks);
	free(told.slots);
	return code < 0 ? code : 0;
}

int hf_reconcile_walk(struct hf_reconcile *r, bool objects, const struct hf_reconcile_sink *sink, struct hf_err *err)
{
	r->missed = (struct hf_reconcile_missed){ 0 };
	find_processes(r);
	tell_processes(r, sink);
	return objects ? tell_objects(r, err) : 0;
}
