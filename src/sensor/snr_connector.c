#include "sensor/snr_connector.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "sensor/connector_record.h"
#include "sensor/process_read.h"

enum { MESSAGES_BUFFER = 8192, READS_MAX = 4096, NAMES_OF_THREADS = 1 << 9 /* PROC_EVENT_COMM */ };

struct hf_connector {
	const struct hf_feed *feed;
	int fd, proc;
	uint32_t own_pid, drops;
	bool executions;
	struct hf_proc_process process;
};

/* The kind that a loss is counted for: of what is asked for, what matters most. */
static enum hf_event_kind main_kind(const struct hf_connector *c)
{
	return c->executions ? HF_EVENT_EXEC : HF_EVENT_PTRACE;
}

/* Linux 6.6 takes the events that are @wanted behind the operation, and filters before it queues; 0: all. */
static int listen_to(const struct hf_connector *c, uint32_t wanted, struct hf_err *err)
{
	const uint32_t data[2] = { PROC_CN_MCAST_LISTEN, wanted };
	const uint16_t data_n = wanted ? sizeof data : sizeof data[0];
	const struct cn_msg connector = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = data_n };
	char message[sizeof(struct nlmsghdr) + sizeof connector + sizeof data] __attribute__((aligned(8)));
	const struct nlmsghdr netlink = { .nlmsg_len = (uint32_t)(sizeof netlink + sizeof connector + data_n),
					  .nlmsg_type = NLMSG_DONE };

	memcpy(message, &netlink, sizeof netlink);
	memcpy(message + sizeof netlink, &connector, sizeof connector);
	memcpy(message + sizeof netlink + sizeof connector, data, data_n);
	if (send(c->fd, message, netlink.nlmsg_len, 0) < 0)
		return hf_fail_errno(err, "process connector");
	return 0;
}

/* 1: it listens; 0: no answer came. @rename: the answer is that this thread got a name. */
static int await_answer(const struct hf_connector *c, bool rename, int timeout_ms, struct hf_err *err)
{
	char bytes[MESSAGES_BUFFER] __attribute__((aligned(8)));
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	struct hf_connector_event e;
	int got;

	for (int tries = 0; tries < READS_MAX && poll(&p, 1, timeout_ms) > 0; tries++) {
		ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
		if (n <= 0)
			continue;
		hf_sv rest = { bytes, (size_t)n };
		while ((got = hf_connector_next(&rest, &e, NULL)) > 0) {
			if (rename && got == 1)
				continue;
			if (rename || e.what != HF_CONNECTOR_ACK)
				return 1;
			errno = (int)e.error;
			return e.error ? hf_fail_errno(err, "process connector") : 1;
		}
	}
	return 0;
}

/* The kernel's own answer does not pass its filter, so it is asked for new names of threads first, and gets one. 1: it filters. */
static int listen_filtered(const struct hf_connector *c, int timeout_ms, struct hf_err *err)
{
	char name[16] = "";
	int code = listen_to(c, NAMES_OF_THREADS, err);

	if (code < 0 || prctl(PR_GET_NAME, name) < 0 || prctl(PR_SET_NAME, name) < 0)
		return code;
	code = await_answer(c, true, timeout_ms, err);
	if (code <= 0)
		return code;
	code = listen_to(c, HF_CONNECTOR_PTRACE | (c->executions ? HF_CONNECTOR_EXEC | HF_CONNECTOR_EXIT : 0), err);
	return code < 0 ? code : 1;
}

static int open_socket(struct hf_connector *c, const struct hf_connector_options *options, int timeout_ms,
		       struct hf_err *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	int size = options->receive_bytes ? options->receive_bytes : (int)HF_MIB(1);

	c->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, sizeof address) < 0)
		return hf_fail_errno(err, "process connector");
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	int code = listen_filtered(c, timeout_ms / 2, err);
	if (code == 0)
		code = listen_to(c, 0, err);
	if (code == 0)
		code = await_answer(c, false, timeout_ms / 2, err);
	if (code)
		return code;
	return hf_fail(err, HF_E_UNSUPPORTED,
		       "process connector: the kernel does not answer (not in its first namespaces?)");
}

int hf_connector_open(const struct hf_connector_options *options, const struct hf_feed *feed, int timeout_ms,
		      struct hf_connector **ret, struct hf_err *err)
{
	struct hf_connector *c = hf_calloc(1, sizeof *c);

	c->feed = feed;
	c->own_pid = (uint32_t)getpid();
	c->executions = options->executions;
	c->fd = -1;
	c->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int code = c->proc < 0 ? hf_fail_errno(err, "/proc") : open_socket(c, options, timeout_ms, err);
	if (code < 0) {
		hf_connector_close(c);
		return code;
	}
	*ret = c;
	return 0;
}

void hf_connector_close(struct hf_connector *c)
{
	if (!c)
		return;
	hf_fd_close(&c->fd);
	hf_fd_close(&c->proc);
	free(c);
}

int hf_connector_fd(const struct hf_connector *c)
{
	return c->fd;
}

static int take_ptrace(struct hf_connector *c, const struct hf_connector_event *r, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_PTRACE };
	char link[32], path[HF_PATH_MAX];

	if (!r->other_pid || r->other_pid == c->own_pid) /* the tracer let go */
		return 0;
	struct hf_feed_process tracer = c->feed->process(c->feed->ctx, r->other_pid, r->time_ns);
	struct hf_feed_process target = c->feed->process(c->feed->ctx, r->pid, r->time_ns);
	if (tracer.unwanted && target.unwanted)
		return 0;
	uint64_t cgroup_id = tracer.unwanted ? target.cgroup_id : tracer.cgroup_id;
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, r->time_ns);
	if (cgroup_id)
		hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, cgroup_id);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, r->other_pid);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_TID, r->other_tid);
	hf_event_set_uint(&e, HF_FIELD_TARGET_PID, r->pid);
	snprintf(link, sizeof link, "%u/exe", r->pid);
	ssize_t n = readlinkat(c->proc, link, path, sizeof path);
	if (n > 0 && (size_t)n < sizeof path)
		hf_event_set_string(&e, HF_FIELD_TARGET_PATH, (hf_sv){ path, (size_t)n });
	return c->feed->take(c->feed->ctx, &e, err);
}

/* An execution whose process is gone has its numbers alone. */
static int take_exec(struct hf_connector *c, const struct hf_connector_event *r, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_EXEC };
	struct hf_feed_process process = c->feed->process(c->feed->ctx, r->pid, r->time_ns);

	if (process.unwanted || r->pid == c->own_pid)
		return 0;
	if (hf_proc_process_read(c->proc, r->pid, (hf_sv){ 0 }, &c->process))
		hf_proc_process_describe(&c->process, &e);
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, r->time_ns);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, r->pid);
	if (process.cgroup_id)
		hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, process.cgroup_id);
	return c->feed->take(c->feed->ctx, &e, err);
}

static int take_exit(struct hf_connector *c, const struct hf_connector_event *r, struct hf_err *err)
{
	struct hf_event e = { .kind = HF_EVENT_EXIT };

	if (r->tid != r->pid) /* a thread */
		return 0;
	struct hf_feed_process process = c->feed->process(c->feed->ctx, r->pid, r->time_ns);
	if (process.unwanted)
		return 0;
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, r->time_ns);
	hf_event_set_uint(&e, HF_FIELD_PROCESS_PID, r->pid);
	if (process.cgroup_id)
		hf_event_set_uint(&e, HF_FIELD_CONTAINER_CGROUP_ID, process.cgroup_id);
	hf_event_set_uint(&e, HF_FIELD_EXIT_CODE, r->status >> 8 & 0xff);
	if (r->status & 0x7f)
		hf_event_set_uint(&e, HF_FIELD_EXIT_SIGNAL, r->status & 0x7f);
	return c->feed->take(c->feed->ctx, &e, err);
}

static int take_one(struct hf_connector *c, const struct hf_connector_event *r, struct hf_err *err)
{
	switch ((enum hf_connector_what)r->what) {
	case HF_CONNECTOR_PTRACE:
		return take_ptrace(c, r, err);
	case HF_CONNECTOR_EXEC:
		return c->executions ? take_exec(c, r, err) : 0;
	case HF_CONNECTOR_EXIT:
		return c->executions ? take_exit(c, r, err) : 0;
	case HF_CONNECTOR_ACK:
	case HF_CONNECTOR_FORK:
	case HF_CONNECTOR_UID:
	case HF_CONNECTOR_GID:
		return 0;
	}
	return 0;
}

/* The socket's own count of what it had no room for. */
static void count_lost(struct hf_connector *c)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t size = sizeof info;
	bool exact =
		getsockopt(c->fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 && size > SK_MEMINFO_DROPS * sizeof info[0];
	uint32_t lost = exact ? info[SK_MEMINFO_DROPS] - c->drops : 1;

	if (exact)
		c->drops = info[SK_MEMINFO_DROPS];
	if (lost)
		c->feed->count(c->feed->ctx, main_kind(c), 0, HF_FATE_DROPPED_RING, lost);
}

int hf_connector_drain(struct hf_connector *c, struct hf_err *err)
{
	char bytes[MESSAGES_BUFFER] __attribute__((aligned(8)));
	struct hf_connector_event e;
	int code = 0;

	for (int reads = 0; code >= 0 && reads < READS_MAX; reads++) {
		ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			count_lost(c);
			continue;
		}
		if (n <= 0)
			break;
		hf_sv rest = { bytes, (size_t)n };
		int got;
		while (code >= 0 && (got = hf_connector_next(&rest, &e, NULL)) > 0)
			code = got == 1 ? take_one(c, &e, err) : 0;
		if (code >= 0 && got < 0)
			c->feed->count(c->feed->ctx, main_kind(c), 0, HF_FATE_DROPPED_UNREADABLE, 1);
	}
	return code < 0 ? code : 0;
}
