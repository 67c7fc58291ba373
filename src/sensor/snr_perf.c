#include "sensor/snr_perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/limits.h"
#include "format/elf.h"
#include "sensor/known.h"
#include "sensor/namespaces.h"
#include "sensor/patience.h"

enum {
	RECORD_MAX = 1 << 16,
	SYMBOLS = 64, /* names of BPF programs, kept until the record of their load */
	SYMBOL_MAX = 64,
	NAMESPACE_TASKS = 16384,
	KNOWN_DEFAULT = 32768,
};

struct ring {
	int fd;
	bool maps; /* else: namespaces, cgroups, BPF */
	struct perf_event_mmap_page *page;
	const char *data;
	uint64_t size, tail, head, lost;
};

struct hf_perf {
	struct hf_patience *patience;
	const struct hf_feed *feed;
	struct ring *rings;
	size_t rings_n;
	size_t ring_bytes, page_bytes;
	int epoll, proc;
	uint32_t own_pid;
	bool wants_namespaces;
	bool lost_told, reads_lost; /* a record said so; the descriptors tell the sum */
	struct hf_known known;
	struct hf_namespace_table namespaces;
	struct hf_namespace_set host;
	char symbols[SYMBOLS][SYMBOL_MAX];
	size_t symbols_next;
	char record[RECORD_MAX];
};

static int open_event(struct hf_perf *p, int cpu, bool maps, struct hf_err *err)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof attr,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.read_format = p->reads_lost ? PERF_FORMAT_LOST : 0,
		.sample_id_all = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = (uint32_t)(p->ring_bytes / 4),
		.mmap = maps,
		.mmap2 = maps,
		.namespaces = !maps && p->wants_namespaces,
		.cgroup = !maps,
		.ksymbol = !maps,
		.bpf_event = !maps,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 && errno == EINVAL && p->reads_lost) {
		p->reads_lost = false; /* before Linux 6.0 */
		return open_event(p, cpu, maps, err);
	}
	if (fd < 0)
		return hf_fail_errno(err, "perf sideband on CPU %d", cpu);
	return fd;
}

static int open_ring(struct hf_perf *p, int cpu, bool maps, struct hf_err *err)
{
	int fd = open_event(p, cpu, maps, err);

	if (fd < 0)
		return fd;
	void *at = mmap(NULL, p->page_bytes + p->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		int code = hf_fail_errno(err, "perf ring of %zu bytes", p->ring_bytes);
		close(fd);
		return code;
	}
	struct ring *r = &p->rings[p->rings_n++];
	*r = (struct ring){
		.fd = fd,
		.maps = maps,
		.page = at,
		.data = (const char *)at + p->page_bytes,
		.size = p->ring_bytes,
	};
	struct epoll_event event = { .events = EPOLLIN };
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return hf_fail_errno(err, "perf ring");
	return 0;
}

static size_t ring_bytes_for(long cpus)
{
	size_t bytes = HF_KIB(512);

	while (bytes > HF_KIB(64) && bytes * 2 * (size_t)cpus > HF_MIB(4))
		bytes /= 2;
	return bytes;
}

/* A CPU that is off has no event; one that comes later is not seen. */
static int open_rings(struct hf_perf *p, long cpus, struct hf_err *err)
{
	p->rings = hf_calloc(2 * (size_t)cpus, sizeof *p->rings);
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (int maps = 0; maps < 2; maps++) {
			int code = open_ring(p, cpu, maps, err);
			if (code < 0 && err->sys_errno != ENODEV && err->sys_errno != ENXIO)
				return code;
		}
	}
	if (!p->rings_n)
		return hf_fail(err, HF_E_UNSUPPORTED, "perf sideband: no CPU takes the event");
	*err = (struct hf_err){ 0 };
	return 0;
}

/* The machine's are those of process 1; where they may not be read, the agent's own stand for them. */
static void read_namespaces(struct hf_perf *p)
{
	struct hf_namespace_set own;

	if (!hf_namespaces_read(p->proc, p->own_pid, &own))
		return;
	hf_namespace_table_put(&p->namespaces, p->own_pid, &own);
	if (!hf_namespaces_read(p->proc, 1, &p->host))
		p->host = own;
}

int hf_perf_open(const struct hf_perf_options *options, const struct hf_feed *feed, struct hf_perf **ret,
		 struct hf_err *err)
{
	struct hf_perf *p = hf_calloc(1, sizeof *p);
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct hf_err local = { 0 };

	p->feed = feed;
	p->own_pid = (uint32_t)getpid();
	p->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	p->ring_bytes = options->ring_bytes ? options->ring_bytes : ring_bytes_for(cpus);
	p->reads_lost = true;
	p->wants_namespaces = options->namespaces;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->patience = hf_patience_new(250, 8); /* ms; threads */
	p->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	hf_known_init(&p->known, options->known_max ? options->known_max : KNOWN_DEFAULT);
	hf_namespace_table_init(&p->namespaces, NAMESPACE_TASKS);
	int code = p->epoll < 0  ? hf_fail_errno(&local, "epoll")
		   : p->proc < 0 ? hf_fail_errno(&local, "/proc")
				 : open_rings(p, cpus, &local);
	if (code < 0) {
		hf_perf_close(p);
		return err ? (*err = local, code) : code;
	}
	read_namespaces(p);
	*ret = p;
	return 0;
}

void hf_perf_close(struct hf_perf *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->rings_n; i++) {
		munmap(p->rings[i].page, p->page_bytes + p->ring_bytes);
		close(p->rings[i].fd);
	}
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->proc >= 0)
		close(p->proc);
	hf_known_done(&p->known);
	hf_namespace_table_done(&p->namespaces);
	free(p->rings);
	hf_patience_free(p->patience);
	free(p);
}

int hf_perf_fd(const struct hf_perf *p)
{
	return p->epoll;
}

void hf_perf_forget(struct hf_perf *p, uint64_t cgroup_id)
{
	hf_known_forget(&p->known, cgroup_id);
}

/* What a loss in the second ring is counted for: of what is in it, what there is most of. */
static enum hf_event_kind other_kind(const struct hf_perf *p)
{
	return p->wants_namespaces ? HF_EVENT_NAMESPACE : HF_EVENT_BPF;
}

static void count_lost(struct hf_perf *p, const struct ring *r, uint64_t n)
{
	if (!n)
		return;
	p->feed->count(p->feed->ctx, r->maps ? HF_EVENT_MAP : other_kind(p), 0, HF_FATE_DROPPED_RING, n);
	if (!r->maps)
		hf_namespace_table_clear(&p->namespaces); /* one of them may have changed */
}

/* The descriptor's sum is exact at any time; the record of a loss only comes with the next one that found room. */
static void read_lost(struct hf_perf *p)
{
	for (size_t i = 0; p->reads_lost && i < p->rings_n; i++) {
		uint64_t values[2]; /* the event's count, lost */
		if (read(p->rings[i].fd, values, sizeof values) != sizeof values)
			continue;
		count_lost(p, &p->rings[i], values[1] - p->rings[i].lost);
		p->rings[i].lost = values[1];
	}
	p->lost_told = false;
}

void hf_perf_settle(struct hf_perf *p)
{
	read_lost(p);
}

/* The begin of a mapped file, by a thread: the file may lie in a file system that a container serves. */
struct head {
	int proc;
	char path[96], bytes[4096];
	ssize_t n;
};

static void read_head(void *job)
{
	struct head *h = job;
	struct stat st;
	int fd = openat(h->proc, h->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	h->n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, h->bytes, sizeof h->bytes, 0) : -1;
	if (fd >= 0)
		close(fd);
}

/* The build id is in the file; the process that mapped it may be gone, then it stays unknown. */
static hf_sv read_build_id(struct hf_perf *p, const struct hf_perf_mmap *m, char text[2 * 64 + 1])
{
	struct head *h = hf_calloc(1, sizeof *h);
	struct hf_elf elf;
	hf_sv id = { 0 };

	h->proc = p->proc;
	snprintf(h->path, sizeof h->path, "%u/map_files/%lx-%lx", m->pid, (unsigned long)m->address,
		 (unsigned long)(m->address + m->length));
	if (!hf_patience_run(p->patience, read_head, h))
		return id;
	if (h->n <= 0 || hf_elf_open(&elf, (hf_sv){ h->bytes, (size_t)h->n }, NULL) < 0) {
		free(h);
		return id;
	}
	hf_sv note = hf_sv_first(hf_elf_find_note(&elf, HF_SV("GNU"), HF_ELF_NOTE_BUILD_ID), 64);
	for (size_t i = 0; i < note.len; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned char)note.ptr[i]);
	id = (hf_sv){ text, 2 * note.len };
	free(h);
	return id;
}

static void set_process(struct hf_event *e, const struct hf_feed_process *process, uint32_t pid, uint32_t tid,
			uint64_t time_ns)
{
	hf_event_set_uint(e, HF_FIELD_MONOTONIC_NS, time_ns);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID, pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_TID, tid);
	if (process->cgroup_id)
		hf_event_set_uint(e, HF_FIELD_CONTAINER_CGROUP_ID, process->cgroup_id);
}

/* The generation is no part of it: /proc does not tell it, and overlay has none. */
static bool mapping_is_known(struct hf_perf *p, const struct hf_perf_mmap *m, uint64_t cgroup_id, hf_sv path)
{
	char object[HF_PATH_MAX + 64] hf_uninitialized;
	int n = snprintf(object, sizeof object, "%x:%x:%lx:%.*s", m->major, m->minor, (unsigned long)m->inode,
			 HF_SV_FMT(path));

	return cgroup_id && hf_known_seen(&p->known, cgroup_id, hf_sv_first(hf_sv_of(object), (size_t)n));
}

static int hand_out_mapping(struct hf_perf *p, const struct hf_perf_mmap *m, const struct hf_feed_process *process,
			    uint64_t time_ns, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_MAP };
	char id[2 * 64 + 1];
	hf_sv path = m->path;
	bool deleted;
	enum hf_perf_mapping_kind mapping = hf_perf_mapping_of(&path, &deleted);

	set_process(&e, process, m->pid, m->tid, time_ns);
	if (mapping != HF_MAPPING_NO_PATH)
		hf_event_set_string(&e, HF_FIELD_MAP_PATH, path);
	hf_event_set_bool(&e, HF_FIELD_MAP_TRUNCATED, mapping == HF_MAPPING_NO_PATH);
	hf_event_set_bool(&e, HF_FIELD_MAP_DELETED, deleted);
	hf_event_set_bool(&e, HF_FIELD_MAP_MEMORY, mapping == HF_MAPPING_MEMORY);
	hf_event_set_string(&e, HF_FIELD_MAP_BUILD_ID, read_build_id(p, m, id));
	if (m->has_inode) {
		hf_event_set_uint(&e, HF_FIELD_MAP_INODE, m->inode);
		hf_event_set_uint(&e, HF_FIELD_MAP_DEVICE, (uint64_t)m->major << 20 | m->minor);
	}
	return p->feed->take(p->feed->ctx, &e, err);
}

static int take_mmap(struct hf_perf *p, const struct hf_perf_record *r, struct hf_err *err)
{
	const struct hf_perf_mmap *m = &r->mmap;
	hf_sv path = m->path;
	bool deleted;

	if (m->pid == p->own_pid || hf_perf_mapping_of(&path, &deleted) == HF_MAPPING_NONE)
		return 0;
	struct hf_feed_process process = p->feed->process(p->feed->ctx, m->pid, r->time_ns);
	if (process.unwanted)
		return 0;
	if (mapping_is_known(p, m, process.cgroup_id, path)) {
		p->feed->count(p->feed->ctx, HF_EVENT_MAP, process.cgroup_id, HF_FATE_KNOWN, 1);
		return 0;
	}
	return hand_out_mapping(p, m, &process, r->time_ns, err);
}

int hf_perf_offer(struct hf_perf *p, const struct hf_perf_mapping *mapping, struct hf_err *err)
{
	struct hf_perf_mmap m = {
		.pid = mapping->pid,
		.tid = mapping->pid,
		.address = mapping->begin,
		.length = mapping->end - mapping->begin,
		.has_inode = true,
		.major = mapping->major,
		.minor = mapping->minor,
		.inode = mapping->inode,
		.path = mapping->path,
	};
	struct hf_feed_process process = { .cgroup_id = mapping->cgroup_id };
	hf_sv path = m.path;
	bool deleted;

	if (hf_perf_mapping_of(&path, &deleted) == HF_MAPPING_NONE || mapping_is_known(p, &m, mapping->cgroup_id, path))
		return 0;
	return hand_out_mapping(p, &m, &process, mapping->time_ns, err);
}

/* What the task had before: the table knows, or for one that was there before the sensor its maker's tells, or the host's. */
static struct hf_namespace_set namespaces_before(struct hf_perf *p, const struct hf_perf_record *r)
{
	bool forked = r->namespaces.tid != r->current_tid;
	uint32_t whose = forked ? r->current_tid : r->namespaces.tid;
	const struct hf_namespace_set *known = hf_namespace_table_find(&p->namespaces, whose);
	struct hf_namespace_set set;

	if (known)
		return *known;
	if (forked && hf_namespaces_read(p->proc, whose, &set)) {
		hf_namespace_table_put(&p->namespaces, whose, &set);
		return set;
	}
	return p->host;
}

static int take_namespaces(struct hf_perf *p, const struct hf_perf_record *r, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_NAMESPACE };
	struct hf_namespace_set before = namespaces_before(p, r), now = { 0 };
	hf_sv types[HF_NAMESPACES], host[HF_NAMESPACES];

	for (size_t i = 0; i < HF_NAMESPACES; i++)
		now.inode[i] = (uint32_t)r->namespaces.inode[i];
	hf_namespace_table_put(&p->namespaces, r->namespaces.tid, &now);
	uint32_t changed = hf_namespaces_changed(&before, &now);
	if (!changed || r->namespaces.pid == p->own_pid)
		return 0;
	struct hf_feed_process process = p->feed->process(p->feed->ctx, r->namespaces.pid, r->time_ns);
	if (process.unwanted)
		return 0;
	set_process(&e, &process, r->namespaces.pid, r->namespaces.tid, r->time_ns);
	hf_event_set_list(&e, HF_FIELD_NAMESPACE_TYPES, types, hf_namespace_names(changed, types));
	hf_event_set_list(&e, HF_FIELD_NAMESPACE_HOST, host,
			  hf_namespace_names(changed & hf_namespaces_same(&now, &p->host), host));
	return p->feed->take(p->feed->ctx, &e, err);
}

static void keep_symbol(struct hf_perf *p, hf_sv name)
{
	snprintf(p->symbols[p->symbols_next], SYMBOL_MAX, "%.*s", HF_SV_FMT(name));
	p->symbols_next = (p->symbols_next + 1) % SYMBOLS;
}

static const char *program_type(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return NULL;
	int code = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	return code < 0 ? NULL : libbpf_bpf_prog_type_str((enum bpf_prog_type)info.type);
}

static int take_bpf(struct hf_perf *p, const struct hf_perf_record *r, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_BPF };
	hf_sv name = { 0 };

	if (r->current_pid == p->own_pid)
		return 0;
	struct hf_feed_process process = p->feed->process(p->feed->ctx, r->current_pid, r->time_ns);
	if (process.unwanted)
		return 0;
	for (size_t i = 0; i < SYMBOLS; i++)
		if (hf_perf_bpf_name(hf_sv_of(p->symbols[i]), r->bpf.tag, &name))
			break;
	set_process(&e, &process, r->current_pid, r->current_tid, r->time_ns);
	hf_event_set_string(&e, HF_FIELD_BPF_OPERATION, r->bpf.unload ? HF_SV("unload") : HF_SV("load"));
	hf_event_set_uint(&e, HF_FIELD_BPF_PROGRAM_ID, r->bpf.id);
	if (name.len)
		hf_event_set_string(&e, HF_FIELD_BPF_PROGRAM_NAME, name);
	if (!r->bpf.unload)
		hf_event_set_string(&e, HF_FIELD_BPF_PROGRAM_TYPE, hf_sv_of(program_type(r->bpf.id)));
	return p->feed->take(p->feed->ctx, &e, err);
}

static int take_record(struct hf_perf *p, const struct ring *ring, hf_sv bytes, struct hf_err *err)
{
	struct hf_perf_record r;
	int code = hf_perf_decode(bytes, &r, NULL);

	if (code < 0)
		p->feed->count(p->feed->ctx, ring->maps ? HF_EVENT_MAP : other_kind(p), 0, HF_FATE_DROPPED_UNREADABLE,
			       1);
	if (code)
		return 0;
	switch ((enum hf_perf_type)r.type) {
	case HF_PERF_MMAP2:
		return take_mmap(p, &r, err);
	case HF_PERF_NAMESPACES:
		return take_namespaces(p, &r, err);
	case HF_PERF_BPF:
		return take_bpf(p, &r, err);
	case HF_PERF_KSYMBOL:
		if (r.ksymbol.is_bpf && !r.ksymbol.unregister)
			keep_symbol(p, r.ksymbol.name);
		return 0;
	case HF_PERF_CGROUP:
		if (p->feed->cgroup)
			p->feed->cgroup(p->feed->ctx, r.cgroup.id, r.cgroup.path, r.time_ns);
		return 0;
	case HF_PERF_LOST:
		p->lost_told = true;
		if (!p->reads_lost)
			count_lost(p, ring, r.lost);
		return 0;
	}
	return 0;
}

static void ring_copy(const struct ring *r, uint64_t at, void *out, size_t n)
{
	size_t from = (size_t)(at & (r->size - 1)), first = n < r->size - from ? n : (size_t)r->size - from;

	memcpy(out, r->data + from, first);
	memcpy((char *)out + first, r->data, n - first);
}

/* Length and time of the ring's next record; false where there is none. A ring whose records do not fit together is emptied. */
static bool ring_next(struct hf_perf *p, struct ring *r, size_t *ret_size, uint64_t *ret_time)
{
	struct perf_event_header header;

	if (r->tail == r->head)
		return false;
	ring_copy(r, r->tail, &header, sizeof header);
	if (header.size < sizeof header + sizeof *ret_time || header.size > r->head - r->tail) {
		p->feed->count(p->feed->ctx, r->maps ? HF_EVENT_MAP : other_kind(p), 0, HF_FATE_DROPPED_UNREADABLE, 1);
		r->tail = r->head;
		return false;
	}
	*ret_size = header.size;
	ring_copy(r, r->tail + header.size - sizeof *ret_time, ret_time, sizeof *ret_time);
	return true;
}

/* The ring with the oldest record; NULL where all are empty. */
static struct ring *oldest_ring(struct hf_perf *p, size_t *ret_size)
{
	struct ring *oldest = NULL;
	uint64_t oldest_ns = UINT64_MAX;

	for (size_t i = 0; i < p->rings_n; i++) {
		size_t size;
		uint64_t time_ns;
		if (!ring_next(p, &p->rings[i], &size, &time_ns) || (oldest && time_ns >= oldest_ns))
			continue;
		oldest = &p->rings[i];
		oldest_ns = time_ns;
		*ret_size = size;
	}
	return oldest;
}

int hf_perf_drain(struct hf_perf *p, struct hf_err *err)
{
	int code = 0;
	size_t size;
	struct ring *r;

	for (size_t i = 0; i < p->rings_n; i++)
		p->rings[i].head = __atomic_load_n(&p->rings[i].page->data_head, __ATOMIC_ACQUIRE);
	while (code >= 0 && (r = oldest_ring(p, &size))) {
		ring_copy(r, r->tail, p->record, size);
		r->tail += size;
		code = take_record(p, r, (hf_sv){ p->record, size }, err);
		__atomic_store_n(&r->page->data_tail, r->tail, __ATOMIC_RELEASE);
	}
	if (p->lost_told)
		read_lost(p);
	return code < 0 ? code : 0;
}
