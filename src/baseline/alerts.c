#include "baseline/alerts.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_NS (UINT64_C(86400) * 1000000000)

enum { GROUPS_DEFAULT = 1024, SHOWN_DEFAULT = 5, TEXT_MAX = 128, NONE = -1 };

/* The fields that a summary repeats, cut to a fixed length: a table of groups must not grow with what is in it. */
static const enum hf_event_field kept[] = {
	HF_FIELD_CONTAINER_ID,
	HF_FIELD_CONTAINER_NAME,
	HF_FIELD_CONTAINER_IMAGE_NAME,
	HF_FIELD_CONTAINER_POD_NAME,
	HF_FIELD_CONTAINER_POD_NAMESPACE,
	HF_FIELD_PROCESS_EXE_PATH,
	HF_FIELD_ALERT_RULE,
	HF_FIELD_ALERT_TITLE,
};

struct kept_text {
	uint16_t length;
	char bytes[TEXT_MAX];
};

struct group {
	uint64_t key, executable, name;       /* hashes: family and container; executable; what alert.group says */
	uint64_t execution, parent_execution; /* of the first alert's process; 0: not known */
	uint64_t began_ns, count, told;
	bool used, shown;
	enum hf_alert_severity severity;
	struct kept_text *texts; /* of `kept`; apart, since every alert looks through all groups */
};

struct workload {
	uint64_t key, began_ns, over, over_told;
	uint32_t shown;
	bool used;
	enum hf_alert_severity severity; /* the highest that was not shown */
	struct kept_text *texts;
};

struct hf_alerts {
	struct hf_alerts_options options;
	struct group *groups;
	struct workload *workloads;
	struct kept_text *texts; /* of groups, then of workloads */
	struct hf_alerts_count count;
	uint64_t now_ns;
};

struct hf_alerts *hf_alerts_new(const struct hf_alerts_options *options)
{
	struct hf_alerts *a = hf_calloc(1, sizeof *a);

	a->options = *options;
	if (!a->options.groups_max)
		a->options.groups_max = GROUPS_DEFAULT;
	if (!a->options.shown_per_day)
		a->options.shown_per_day = SHOWN_DEFAULT;
	a->groups = hf_calloc(a->options.groups_max, sizeof *a->groups);
	a->workloads = hf_calloc(a->options.groups_max, sizeof *a->workloads);
	a->texts = hf_calloc(2 * a->options.groups_max, HF_ARRAY_SIZE(kept) * sizeof *a->texts);
	for (size_t i = 0; i < a->options.groups_max; i++) {
		a->groups[i].texts = a->texts + i * HF_ARRAY_SIZE(kept);
		a->workloads[i].texts = a->texts + (a->options.groups_max + i) * HF_ARRAY_SIZE(kept);
	}
	return a;
}

void hf_alerts_free(struct hf_alerts *a)
{
	if (!a)
		return;
	free(a->groups);
	free(a->workloads);
	free(a->texts);
	free(a);
}

struct hf_alerts_count hf_alerts_count(const struct hf_alerts *a)
{
	return a->count;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: the same in every process, since alert.group is told. */
static uint64_t mix(uint64_t hash, hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (uint8_t)s.ptr[i]) * UINT64_C(0x100000001b3);
	return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

static hf_sv family_of(const struct hf_alerts *a, const struct hf_event *e)
{
	hf_sv id = hf_event_string(e, HF_FIELD_ALERT_RULE);
	const struct hf_rule *rule = a->options.rules ? hf_rules_find(a->options.rules, id) : NULL;

	return rule ? rule->family : id;
}

/* Who shares a budget: replicas, for what may be noise; each container by itself for what is severe, so that one that is noisy, or
 * makes noise on purpose, silences nobody else. */
static uint64_t workload_key(const struct hf_event *e, enum hf_alert_severity severity)
{
	if (severity >= HF_ALERT_HIGH && hf_event_has(e, HF_FIELD_CONTAINER_ID))
		return mix(mix(HASH_BEGIN, HF_SV("severe")), hf_event_string(e, HF_FIELD_CONTAINER_ID));
	hf_sv image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME);
	uint64_t hash = mix(HASH_BEGIN, hf_event_string(e, HF_FIELD_CONTAINER_POD_NAMESPACE));

	return mix(hash, image.len ? image : hf_event_string(e, HF_FIELD_CONTAINER_ID));
}

static void keep(struct kept_text *texts, const struct hf_event *e)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++) {
		hf_sv s = hf_sv_first(hf_event_string(e, kept[i]), TEXT_MAX);
		texts[i].length = (uint16_t)s.len;
		if (s.len)
			memcpy(texts[i].bytes, s.ptr, s.len);
	}
}

static struct hf_event recall(const struct kept_text *texts, enum hf_alert_severity severity, uint64_t now_ns)
{
	struct hf_event e = { .kind = HF_EVENT_ALERT };

	for (size_t i = 0; i < HF_ARRAY_SIZE(kept); i++)
		if (texts[i].length)
			hf_event_set_string(&e, kept[i], (hf_sv){ texts[i].bytes, texts[i].length });
	hf_event_set_string(&e, HF_FIELD_ALERT_SEVERITY, hf_sv_of(hf_alert_severity_name(severity)));
	hf_event_set_uint(&e, HF_FIELD_MONOTONIC_NS, now_ns);
	return e;
}

static int tell(struct hf_alerts *a, const struct hf_event *e, struct hf_err *err)
{
	return a->options.to.take(a->options.to.ctx, e, err);
}

static void set_group(struct hf_event *e, const struct group *g, char text[static 17])
{
	snprintf(text, 17, "%016llx", (unsigned long long)g->name);
	hf_event_set_string(e, HF_FIELD_ALERT_GROUP, hf_sv_of(text));
	hf_event_set_uint(e, HF_FIELD_ALERT_COUNT, g->count);
}

static int summarize_group(struct hf_alerts *a, struct group *g, struct hf_err *err)
{
	struct hf_event e = recall(g->texts, g->severity, a->now_ns);
	char name[17], reason[64];

	snprintf(reason, sizeof reason, "%llu times since it was told first", (unsigned long long)g->count);
	set_group(&e, g, name);
	hf_event_set_string(&e, HF_FIELD_ALERT_REASON, hf_sv_of(reason));
	g->told = g->count;
	a->count.summaries++;
	return tell(a, &e, err);
}

static int summarize_workload(struct hf_alerts *a, struct workload *w, bool ends, struct hf_err *err)
{
	struct hf_event e = recall(w->texts, w->severity, a->now_ns);
	char reason[160];

	snprintf(reason, sizeof reason,
		 ends ? "%llu alerts were counted and not shown, after %u groups in this day"
		      : "%llu alert is not shown, after %u groups in this day; from here on they are counted, but "
			"critical ones",
		 (unsigned long long)w->over, w->shown);
	hf_event_set_string(&e, HF_FIELD_ALERT_RULE, HF_SV("alerts-over-budget"));
	hf_event_set_string(&e, HF_FIELD_ALERT_TITLE, HF_SV("More alerts than a day's budget"));
	hf_event_set_string(&e, HF_FIELD_ALERT_REASON, hf_sv_of(reason));
	hf_event_set_uint(&e, HF_FIELD_ALERT_COUNT, w->over);
	e.values[HF_FIELD_PROCESS_EXE_PATH] = (struct hf_value){ 0 };
	w->over_told = w->over;
	a->count.summaries++;
	return tell(a, &e, err);
}

static int end_group(struct hf_alerts *a, struct group *g, struct hf_err *err)
{
	int r = g->shown && g->count > g->told ? summarize_group(a, g, err) : 0;

	g->used = false;
	return r;
}

static int end_workload(struct hf_alerts *a, struct workload *w, struct hf_err *err)
{
	int r = w->over > w->over_told ? summarize_workload(a, w, true, err) : 0;

	w->used = false;
	return r;
}

/* A clock that went backwards (another machine's events in a replay) ends nothing. */
static bool is_over(uint64_t began_ns, uint64_t now_ns)
{
	return now_ns >= began_ns && now_ns - began_ns >= DAY_NS;
}

static bool is_below(const struct hf_event *e, const struct group *g)
{
	const struct hf_value *tree = &e->values[HF_FIELD_PROCESS_ANCESTORS];
	uint64_t parent = hf_event_uint(e, HF_FIELD_PROCESS_PARENT_EXECUTION);

	if (g->execution && g->execution == hf_event_uint(e, HF_FIELD_PROCESS_EXECUTION))
		return true;
	if (g->parent_execution && g->parent_execution == parent)
		return true;
	for (size_t i = 0; tree->type == HF_VALUE_TREE && i < tree->n; i++)
		if (g->execution && tree->tree[i].execution == g->execution)
			return true;
	return false;
}

/* The group of the alert, or a free slot (used is false); what is oldest makes room. */
static int find_group(struct hf_alerts *a, const struct hf_event *e, uint64_t key, uint64_t executable,
		      struct group **ret, struct hf_err *err)
{
	struct group *free_slot = NULL, *oldest = &a->groups[0];

	for (size_t i = 0; i < a->options.groups_max; i++) {
		struct group *g = &a->groups[i];
		if (g->used && is_over(g->began_ns, a->now_ns)) {
			int r = end_group(a, g, err);
			if (r)
				return r;
		}
		if (!g->used) {
			free_slot = free_slot ? free_slot : g;
			continue;
		}
		if (g->key == key && (g->executable == executable || is_below(e, g))) {
			*ret = g;
			return 0;
		}
		if (g->began_ns < oldest->began_ns)
			oldest = g;
	}
	*ret = free_slot ? free_slot : oldest;
	if (free_slot)
		return 0;
	a->count.pushed_out++;
	return end_group(a, oldest, err);
}

static int find_workload(struct hf_alerts *a, const struct hf_event *e, enum hf_alert_severity severity,
			 struct workload **ret, struct hf_err *err)
{
	uint64_t key = workload_key(e, severity);
	struct workload *slot = NULL, *oldest = &a->workloads[0];

	for (size_t i = 0; i < a->options.groups_max; i++) {
		struct workload *w = &a->workloads[i];
		if (w->used && is_over(w->began_ns, a->now_ns)) {
			int r = end_workload(a, w, err);
			if (r)
				return r;
		}
		if (w->used && w->key == key) {
			*ret = w;
			return 0;
		}
		if (!w->used)
			slot = slot ? slot : w;
		else if (w->began_ns < oldest->began_ns)
			oldest = w;
	}
	*ret = slot ? slot : oldest;
	int r = slot ? 0 : end_workload(a, oldest, err);
	**ret = (struct workload){ .key = key, .began_ns = a->now_ns, .used = true, .texts = (*ret)->texts };
	keep((*ret)->texts, e);
	return r;
}

static int begin_group(struct hf_alerts *a, const struct hf_event *e, struct group *g, struct hf_err *err)
{
	struct workload *w;
	int r = find_workload(a, e, g->severity, &w, err);

	if (r)
		return r;
	bool critical = g->severity == HF_ALERT_CRITICAL;
	g->shown = critical || w->shown < a->options.shown_per_day;
	if (!g->shown) {
		a->count.over_budget++;
		if (g->severity > w->severity)
			w->severity = g->severity;
		return w->over++ ? 0 : summarize_workload(a, w, false, err);
	}
	w->shown += !critical;
	a->count.shown++;
	struct hf_event copy = *e;
	char name[17];
	set_group(&copy, g, name);
	g->told = 1;
	return tell(a, &copy, err);
}

static bool is_power_of_ten(uint64_t n)
{
	while (n > 1 && n % 10 == 0)
		n /= 10;
	return n == 1;
}

static int repeat_group(struct hf_alerts *a, const struct hf_event *e, struct group *g, struct hf_err *err)
{
	g->count++;
	if (g->shown) {
		a->count.repeated++;
		return is_power_of_ten(g->count) ? summarize_group(a, g, err) : 0;
	}
	struct workload *w;
	int r = find_workload(a, e, g->severity, &w, err);
	a->count.over_budget++;
	if (!r)
		w->over++;
	return r;
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct hf_alerts *a = ctx;
	struct group *g;
	enum hf_alert_severity severity = HF_ALERT_MEDIUM;

	if (e->kind != HF_EVENT_ALERT)
		return tell(a, e, err);
	if (hf_event_has(e, HF_FIELD_MONOTONIC_NS))
		a->now_ns = hf_event_uint(e, HF_FIELD_MONOTONIC_NS);
	hf_alert_severity_of(hf_event_string(e, HF_FIELD_ALERT_SEVERITY), &severity);
	uint64_t key = mix(mix(HASH_BEGIN, family_of(a, e)), hf_event_string(e, HF_FIELD_CONTAINER_ID));
	uint64_t executable = mix(HASH_BEGIN, hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH));
	a->count.taken++;
	int r = find_group(a, e, key, executable, &g, err);
	if (r)
		return r;
	/* A family's worst is not lost behind its mildest. */
	if (g->used && !(severity == HF_ALERT_CRITICAL && g->severity != HF_ALERT_CRITICAL))
		return repeat_group(a, e, g, err);
	r = g->used ? end_group(a, g, err) : 0;
	if (r)
		return r;
	*g = (struct group){ .texts = g->texts,
			     .key = key,
			     .executable = executable,
			     .severity = severity,
			     .used = true,
			     .count = 1,
			     .began_ns = a->now_ns,
			     .execution = hf_event_uint(e, HF_FIELD_PROCESS_EXECUTION),
			     .parent_execution = hf_event_uint(e, HF_FIELD_PROCESS_PARENT_EXECUTION) };
	g->name = mix((key ^ executable) + a->now_ns, hf_event_string(e, HF_FIELD_ALERT_EVENT));
	keep(g->texts, e);
	return begin_group(a, e, g, err);
}

struct hf_event_sink hf_alerts_sink(struct hf_alerts *a)
{
	return (struct hf_event_sink){ take, a };
}

static int end_all(struct hf_alerts *a, bool only_over, struct hf_err *err)
{
	int r = 0;

	for (size_t i = 0; i < a->options.groups_max && !r; i++)
		if (a->groups[i].used && (!only_over || is_over(a->groups[i].began_ns, a->now_ns)))
			r = end_group(a, &a->groups[i], err);
	for (size_t i = 0; i < a->options.groups_max && !r; i++)
		if (a->workloads[i].used && (!only_over || is_over(a->workloads[i].began_ns, a->now_ns)))
			r = end_workload(a, &a->workloads[i], err);
	return r;
}

int hf_alerts_tick(struct hf_alerts *a, uint64_t now_ns, struct hf_err *err)
{
	if (now_ns > a->now_ns)
		a->now_ns = now_ns;
	return end_all(a, true, err);
}

int hf_alerts_flush(struct hf_alerts *a, struct hf_err *err)
{
	return end_all(a, false, err);
}
