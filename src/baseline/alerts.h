/* From alerts to what somebody reads: alerts of one cause are one group, and a workload gets at most a few a day.
 *
 * A group is a family of rules in one container with one cause: the same executable, or a process below (or beside, by its parent)
 * the one that the group began with. The first alert of a group is handed on at once with alert.group and alert.count 1; the others are
 * counted, and told in one alert each at 10, 100, 1000 … and when the group ends, a day after it began.
 *
 * A workload is an image in a pod namespace, so that replicas share a budget; where the image is not known, a container; the host is
 * one. Alerts of severity high have a budget of as many besides, each container its own: mild ones and those of others do not hide them. In a day that begins with its first alert, only `shown_per_day` groups are handed on, those of severity critical besides.
 * That the budget is spent is said once (rule alerts-over-budget), and how many it was at the day's end.
 *
 * Time is the events' monotonic_ns, never the wall clock. Tables are of fixed size: what no longer fits pushes out what is oldest,
 * whose counts are told before it goes. One thread. */
#pragma once
#include "baseline/rules.h"

struct hf_alerts;

struct hf_alerts_options {
	struct hf_event_sink to;      /* gets what is shown */
	const struct hf_rules *rules; /* for the families; borrowed, may be NULL: each rule is its own */
	uint32_t shown_per_day;       /* 0: 5 */
	size_t groups_max;            /* 0: 1024; workloads: as many */
};

struct hf_alerts *hf_alerts_new(const struct hf_alerts_options *options);
void hf_alerts_free(struct hf_alerts *alerts);
/* Takes events of kind ALERT; everything else is handed on as it is. */
struct hf_event_sink hf_alerts_sink(struct hf_alerts *alerts);
/* Ends groups and days that are over at @now_ns; to be called each minute or so. 0, or what the sink returned. */
int hf_alerts_tick(struct hf_alerts *alerts, uint64_t now_ns, struct hf_err *err);
/* Tells all that was counted and not told, as at the end of the program. */
int hf_alerts_flush(struct hf_alerts *alerts, struct hf_err *err);

struct hf_alerts_count {
	uint64_t taken, shown, repeated, over_budget; /* taken = shown + repeated + over_budget */
	uint64_t summaries, pushed_out;
};
struct hf_alerts_count hf_alerts_count(const struct hf_alerts *alerts);
