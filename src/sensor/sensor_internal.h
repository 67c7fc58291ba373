/* Between the parts of the sensor: sensor.c (life, loop, records), sensor_hand.c (completing, holding and handing out), sensor_feed.c (the
 * sources beside BPF), sensor_account.c (counts and losses). */
#pragma once
#include "base/map.h"
#include "sensor/counts.h"
#include "sensor/executions.h"
#include "sensor/feed.h"
#include "sensor/kernel.h"
#include "sensor/lookups.h"
#include "sensor/namespaces.h"
#include "sensor/record.h"
#include "sensor/sensor.h"
#include "sensor/snr_connector.h"
#include "sensor/snr_perf.h"
#include "sensor/snr_reconcile.h"

enum {
	HF_HELD_MAX = 2048,      /* events that wait for their container's name */
	HF_IGNORED_SLOTS = 8192, /* cgroups that are no container's: remembered until records under way are through */
	HF_GONE_MAX = 4096,      /* cgroups that are gone and not yet put together */
	HF_SYNTHETIC = 1 << 30,  /* executions that were found by the walk are numbered from here in the upper half */
	HF_TROUBLES_MAX = 8,
	HF_STRANGERS = 64,
};

struct hf_held {
	struct hf_held *next;
	uint64_t cgroup_id;
	struct hf_arena arena;
	struct hf_event *event;
};

struct hf_gone {
	uint64_t cgroup_id, since_ns;
};

/* A process that the kernel's programs do not know, as of one drain of the rings. */
struct hf_stranger {
	uint32_t pid;
	uint64_t drain;
};

struct hf_trouble {
	const char *part;
	struct hf_err err;
	uint64_t times, told_ns;
};

struct hf_sensor {
	struct hf_sensor_options options;
	struct hf_containers *containers;
	struct hf_kernel *kernel;
	struct hf_perf *perf;           /* NULL where it does not work */
	struct hf_files *files;         /* likewise */
	struct hf_connector *connector; /* likewise */
	struct hf_reconcile *reconcile; /* likewise */
	struct hf_feed feed;
	struct hf_stranger strangers[HF_STRANGERS];
	uint64_t drains;
	struct hf_namespace_set host; /* the machine's own */
	bool host_known;
	struct hf_executions executions;
	struct hf_lookups lookups;
	struct hf_arena arena; /* of one event */
	struct hf_event event;
	const struct hf_event_sink *sink; /* during a call */
	struct hf_held *held_first, *held_last;
	size_t held_n;
	uint64_t held_refused, shortage_told;
	uint64_t ignored[HF_IGNORED_SLOTS];
	struct hf_counts counts;                                 /* of the sources beside BPF */
	struct hf_counts reported;                               /* what was last reported as lost, all kinds */
	struct hf_sensor_counts gone_counts[HF_EVENT_KINDS];     /* of containers whose account was closed */
	struct hf_sensor_counts unplaced_counts[HF_EVENT_KINDS]; /* for which the table had no room */
	uint64_t lost_at_walk;
	bool walked;
	struct hf_gone gone[HF_GONE_MAX];
	size_t gone_n;
	uint64_t started_s, sequence, next_synthetic;
	int64_t clock_offset_ns; /* wall clock - monotonic */
	uint64_t clock_read_ns, reconcile_ns, sweep_ns;
	bool engine_ok, engine_told, opened;
	bool full_told;
	uint64_t refused_seen, healed_ns, room_ns;
	uint64_t unwanted[HF_EVENT_KINDS]; /* handed out by the kernel as of no known cgroup, and not wanted */
	bool more;                         /* records are left in the rings */
	struct hf_trouble troubles[HF_TROUBLES_MAX];
	char id[48], time[48], engine_line[256];
};

uint64_t hf_sensor_now_ns(void);
/* Completes the event that stands in s->event, whose process is @execution (0: not known), and hands it out or holds it. */
int hf_sensor_hand(struct hf_sensor *s, uint64_t cgroup_id, uint64_t execution, struct hf_err *err);
/* Hands out what was held for containers that have a name by now; @all: every one. */
int hf_sensor_release(struct hf_sensor *s, bool all, struct hf_err *err);
bool hf_sensor_ignored(const struct hf_sensor *s, uint64_t cgroup_id);
/* Reads both clocks; tells of a jump of the wall clock by HEALTH. */
int hf_sensor_clock(struct hf_sensor *s, uint64_t now_ns, struct hf_err *err);
/* A cgroup that is in no table: by one of its processes, the container that it is. *@ret_unwanted: none. NULL also where it stays open. */
const struct hf_container *hf_sensor_stranger(struct hf_sensor *s, uint64_t cgroup_id, uint32_t pid,
					      bool *ret_unwanted);
void hf_sensor_ignore(struct hf_sensor *s, uint64_t cgroup_id);
/* Each second: tells when the kernel's map of cgroups is full, and when no more. *@ret_walk: it is time to look for what had no room. */
int hf_sensor_room(struct hf_sensor *s, uint64_t now_ns, bool *ret_walk, struct hf_err *err);
/* Ends what ended without a record. */
void hf_sensor_heal_executions(struct hf_sensor *s);
struct hf_feed hf_sensor_feed(struct hf_sensor *s);
/* A process of a container, found by the walk. */
void hf_sensor_found(struct hf_sensor *s, uint64_t cgroup_id, const struct hf_proc_process *p);
void hf_sensor_count(struct hf_sensor *s, uint32_t kind, uint64_t cgroup_id, size_t offset_of_count, uint64_t n);
#define HF_COUNT(s, kind, cgroup_id, field, n) \
	hf_sensor_count((s), (kind), (cgroup_id), offsetof(struct hf_sensor_counts, field), (n))
/* Puts the counts of containers that are gone for a while together, and lets the kernel forget them. */
int hf_sensor_sweep(struct hf_sensor *s, uint64_t now_ns, bool all, struct hf_err *err);
/* All that was lost so far, all kinds. */
uint64_t hf_sensor_lost(struct hf_sensor *s);
/* Remembers a failure of a part, to be told as HEALTH once in ten seconds. */
int hf_sensor_trouble(struct hf_sensor *s, const char *part, const struct hf_err *why, struct hf_err *err);
