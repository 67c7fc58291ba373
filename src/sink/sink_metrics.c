/* Counters for Prometheus (text exposition format 0.0.4) at http://127.0.0.1:9464/metrics. A thread of the HTTP library answers from
 * a copy of what the last tick left, so that the loop never waits for a page. Labels come from workloads, so their number is bounded: what is over
 * it is counted as "(others)". */
#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "sink/cost.h"
#include "sink/render.h"
#include "sink/sink.h"

enum {
	PORT = 9464,
	CONTAINERS_MAX = 128,
	RULES_MAX = 256,
	HOOKS_MAX = 64,
	OUTPUTS_MAX = 16,
	LABEL_BYTES_MAX = 128,
	CONNECTIONS_MAX = 8,
	CONNECTION_MEMORY_BYTES = 32 << 10,
	CONNECTION_TIMEOUT_S = 5,
	STACK_BYTES = 256 << 10,
};

#define PAGE_BYTES_MAX HF_MIB(8)

struct account {
	uint64_t seen, known, delivered, dropped;
};

struct container {
	char name[LABEL_BYTES_MAX];
	struct account kinds[HF_EVENT_KINDS];
};

struct rule {
	char name[LABEL_BYTES_MAX];
	uint64_t severities[5];
};

struct hook {
	char sees[LABEL_BYTES_MAX], by[LABEL_BYTES_MAX];
	bool works;
};

/* What is shown: copied whole. */
struct numbers {
	struct container containers[CONTAINERS_MAX]; /* the first is of those that found no place */
	size_t containers_n;
	struct rule rules[RULES_MAX]; /* so is this */
	size_t rules_n;
	struct hook hooks[HOOKS_MAX];
	size_t hooks_n;
	struct hf_sink_state outputs[OUTPUTS_MAX];
	size_t outputs_n;
	uint64_t taken[HF_EVENT_KINDS], states[3];
};

struct metrics {
	struct hf_sink_context context;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock; /* over the numbers */
	struct numbers numbers;
};

static void copy_label(char *to, hf_sv from)
{
	hf_escape_controls(to, LABEL_BYTES_MAX, from);
}

static void count(void *self, const struct hf_event *e)
{
	struct metrics *metrics = self;
	struct numbers *m = &metrics->numbers;
	char name[LABEL_BYTES_MAX];

	pthread_mutex_lock(&metrics->lock);
	m->taken[e->kind]++;
	if (e->kind == HF_EVENT_ALERT) {
		size_t i = 1;
		copy_label(name, hf_event_string(e, HF_FIELD_ALERT_RULE));
		while (i < m->rules_n && strcmp(m->rules[i].name, name) != 0)
			i++;
		if (i == m->rules_n && i < RULES_MAX)
			memcpy(m->rules[m->rules_n++].name, name, sizeof name);
		else if (i == m->rules_n)
			i = 0;
		m->rules[i].severities[hf_render_severity(hf_event_string(e, HF_FIELD_ALERT_SEVERITY))]++;
	}
	pthread_mutex_unlock(&metrics->lock);
}

static struct container *container_of(struct numbers *m, hf_sv name)
{
	char label[LABEL_BYTES_MAX];
	size_t i = 1;

	copy_label(label, name.len ? name : HF_SV("(host)"));
	while (i < m->containers_n && strcmp(m->containers[i].name, label) != 0)
		i++;
	if (i == m->containers_n && i < CONTAINERS_MAX)
		memcpy(m->containers[m->containers_n++].name, label, sizeof label);
	return &m->containers[i < m->containers_n ? i : 0];
}

/* A counter never goes back, so a container keeps its place as long as the agent runs: the sums are what is compared over time. */
static void keep_counts(struct numbers *m, const struct hf_sink_numbers *n)
{
	for (size_t i = 0; i < m->containers_n; i++)
		memset(m->containers[i].kinds, 0, sizeof m->containers[i].kinds);
	for (size_t i = 0; i < n->counts_n; i++) {
		const struct hf_sink_count *c = &n->counts[i];
		struct account *a = &container_of(m, c->container)->kinds[c->kind];
		a->seen += c->seen;
		a->known += c->known;
		a->delivered += c->delivered;
		a->dropped += c->dropped;
	}
	m->hooks_n = n->hooks_n < HOOKS_MAX ? n->hooks_n : HOOKS_MAX;
	for (size_t i = 0; i < m->hooks_n; i++) {
		copy_label(m->hooks[i].sees, n->hooks[i].sees);
		copy_label(m->hooks[i].by, n->hooks[i].by);
		m->hooks[i].works = n->hooks[i].works;
	}
	m->states[0] = n->containers;
	m->states[1] = n->containers_pending;
	m->states[2] = n->containers_unresolved;
}

static void tick(void *self, const struct hf_sink_numbers *numbers)
{
	struct metrics *metrics = self;
	struct numbers *m = &metrics->numbers;

	pthread_mutex_lock(&metrics->lock);
	if (numbers)
		keep_counts(m, numbers);
	m->outputs_n = 0;
	while (m->outputs_n < OUTPUTS_MAX &&
	       hf_sinks_state(metrics->context.all, m->outputs_n, &m->outputs[m->outputs_n]))
		m->outputs_n++;
	pthread_mutex_unlock(&metrics->lock);
}

static void head(struct hf_buf *out, const char *name, const char *type, const char *help)
{
	hf_buf_addf(out, "# HELP holdfast_%s %s\n# TYPE holdfast_%s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed are escaped in a value; other control bytes were made visible before. */
static void label(struct hf_buf *out, const char *before, const char *name, const char *value)
{
	hf_buf_addf(out, "%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			hf_buf_add_char(out, '\\');
		hf_buf_add_char(out, *value);
	}
	hf_buf_add_char(out, '"');
}

static void value(struct hf_buf *out, uint64_t n)
{
	hf_buf_addf(out, "} %llu\n", (unsigned long long)n);
}

static void show_accounts(const struct numbers *m, struct hf_buf *out)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} sums[] = {
		{ "events_seen_total", "Events that the kernel's hooks ran for: known + delivered + dropped.",
		  offsetof(struct account, seen) },
		{ "events_known_total", "Events counted in the kernel, since they say nothing new.",
		  offsetof(struct account, known) },
		{ "events_delivered_total", "Events handed to the agent.", offsetof(struct account, delivered) },
		{ "events_dropped_total", "Events that were lost.", offsetof(struct account, dropped) },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(sums); i++) {
		head(out, sums[i].name, "counter", sums[i].help);
		for (size_t c = 0; c < m->containers_n; c++)
			for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
				const struct account *a = &m->containers[c].kinds[kind];
				uint64_t n;
				if (!a->seen)
					continue;
				memcpy(&n, (const char *)a + sums[i].offset, sizeof n);
				hf_buf_addf(out, "holdfast_%s{kind=\"%s\"", sums[i].name,
					    hf_event_kind_name((enum hf_event_kind)kind));
				label(out, ",", "container", m->containers[c].name);
				value(out, n);
			}
	}
}

static void show_judged(const struct numbers *m, struct hf_buf *out)
{
	static const char *const severities[] = { "unknown", "low", "medium", "high", "critical" };

	head(out, "events_out_total", "counter", "Events handed to the outputs.");
	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++) {
		hf_buf_addf(out, "holdfast_events_out_total{kind=\"%s\"", hf_event_kind_name((enum hf_event_kind)kind));
		value(out, m->taken[kind]);
	}
	head(out, "alerts_total", "counter", "Alerts by rule and severity.");
	for (size_t i = 0; i < m->rules_n; i++)
		for (size_t k = 0; k < HF_ARRAY_SIZE(severities); k++) {
			if (!m->rules[i].severities[k])
				continue;
			hf_buf_addf(out, "holdfast_alerts_total{severity=\"%s\"", severities[k]);
			label(out, ",", "rule", m->rules[i].name);
			value(out, m->rules[i].severities[k]);
		}
}

static uint64_t sum(const uint64_t *kinds)
{
	uint64_t n = 0;

	for (unsigned kind = 0; kind < HF_EVENT_KINDS; kind++)
		n += kinds[kind];
	return n;
}

static void show_outputs(const struct numbers *m, struct hf_buf *out)
{
	static const struct {
		const char *name, *type, *help, *labels;
	} rows[] = {
		{ "output_delivered_total", "counter", "Events that an output delivered.", "" },
		{ "output_dropped_total", "counter", "Events that an output lost.", ",reason=\"queue_full\"" },
		{ "output_dropped_total", NULL, NULL, ",reason=\"undeliverable\"" },
		{ "output_queue_events", "gauge", "Events that wait for an output.", "" },
		{ "output_queue_bytes", "gauge", "Memory of an output's queue.", "" },
		{ "output_up", "gauge", "1 while an output works.", "" },
	};

	for (size_t r = 0; r < HF_ARRAY_SIZE(rows); r++) {
		if (rows[r].type)
			head(out, rows[r].name, rows[r].type, rows[r].help);
		for (size_t i = 0; i < m->outputs_n; i++) {
			const struct hf_queue_counts *c = &m->outputs[i].counts;
			uint64_t full = sum(c->lost[HF_QUEUE_FULL]), failed = sum(c->lost[HF_QUEUE_UNDELIVERABLE]);
			const uint64_t values[] = { sum(c->put) - full - failed - c->waiting,
						    full,
						    failed,
						    c->waiting,
						    c->waiting_bytes,
						    m->outputs[i].ok };
			hf_buf_addf(out, "holdfast_%s{output=\"%.*s\",number=\"%zu\"%s", rows[r].name,
				    HF_SV_FMT(m->outputs[i].name), i, rows[r].labels);
			value(out, values[r]);
		}
	}
}

static void show_agent(const struct numbers *m, struct hf_buf *out)
{
	static const char *const states[] = { "known", "pending", "unresolved" };
	struct hf_cost cost = hf_cost_now();

	head(out, "hook_up", "gauge", "1 while a hook of the sensor works.");
	for (size_t i = 0; i < m->hooks_n; i++) {
		hf_buf_add(out, HF_SV("holdfast_hook_up{"));
		label(out, "", "sees", m->hooks[i].sees);
		label(out, ",", "by", m->hooks[i].by);
		value(out, m->hooks[i].works);
	}
	head(out, "containers", "gauge", "Containers by what is known of them.");
	for (size_t i = 0; i < HF_ARRAY_SIZE(states); i++) {
		hf_buf_addf(out, "holdfast_containers{state=\"%s\"", states[i]);
		value(out, m->states[i]);
	}
	head(out, "agent_cpu_seconds_total", "counter", "Processor time of the agent.");
	hf_buf_addf(out, "holdfast_agent_cpu_seconds_total %llu.%06llu\n", (unsigned long long)cost.cpu_us / 1000000,
		    (unsigned long long)cost.cpu_us % 1000000);
	head(out, "agent_resident_bytes", "gauge", "Memory of the agent that is in use.");
	hf_buf_addf(out, "holdfast_agent_resident_bytes %llu\n", (unsigned long long)cost.resident_bytes);
	head(out, "build_info", "gauge", "The version.");
	hf_buf_addf(out, "holdfast_build_info{version=\"%s\"} 1\n", HF_VERSION);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, hf_sv text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(text.len, (void *)text.ptr, MHD_RESPMEM_MUST_COPY);

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct metrics *m = self;
	hf_cleanup(hf_buf_done) struct hf_buf page = HF_BUF(PAGE_BYTES_MAX);

	(void)version;
	(void)upload;
	(void)request;
	if (*upload_size)
		return MHD_NO;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, HF_SV("GET /metrics\n"));
	if (strcmp(url, "/metrics") != 0)
		return answer(connection, MHD_HTTP_NOT_FOUND, HF_SV("/metrics\n"));
	struct numbers *copy = hf_malloc(sizeof *copy);
	pthread_mutex_lock(&m->lock);
	*copy = m->numbers;
	pthread_mutex_unlock(&m->lock);
	show_accounts(copy, &page);
	show_judged(copy, &page);
	show_outputs(copy, &page);
	show_agent(copy, &page);
	free(copy);
	return answer(connection, page.over ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_OK,
		      page.over ? HF_SV("the page is too large\n") : hf_buf_view(&page));
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
}

/* PORT, ADDRESS:PORT, [ADDRESS]:PORT, with addresses in digits: names would be looked up by the loop. */
static int read_address(hf_sv text, struct sockaddr_storage *ret, struct hf_err *err)
{
	hf_sv host = HF_SV("127.0.0.1"), port = text;
	char name[INET6_ADDRSTRLEN];
	uint64_t n = PORT;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){ 0 };
	if (hf_sv_cut_last(text, ':', &host, &port) && hf_sv_starts(host, HF_SV("[")) && hf_sv_ends(host, HF_SV("]")))
		host = hf_sv_slice(host, 1, host.len - 2);
	snprintf(name, sizeof name, "%.*s", HF_SV_FMT(hf_sv_first(host, sizeof name - 1)));
	if (text.len && (!hf_sv_to_u64(port, &n) || n > 65535))
		return hf_fail(err, HF_E_USAGE, "'%.*s' is none of PORT, ADDRESS:PORT, [ADDRESS]:PORT",
			       HF_SV_FMT(text));
	if (inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)n);
	} else if (inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)n);
	} else {
		return hf_fail(err, HF_E_USAGE, "'%s' is no address", name);
	}
	return 0;
}

static int start(struct metrics *m, const struct sockaddr_storage *address, struct hf_err *err)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
	sigset_t all, before;

	if (address->ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = 0;
	m->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, m, MHD_OPTION_SOCK_ADDR, address,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
				     MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_END);
	int kept = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (m->daemon)
		return 0;
	errno = kept ? kept : EADDRINUSE;
	return hf_fail_errno(err, "the port cannot be opened");
}

static void close_metrics(void *self)
{
	struct metrics *m = self;

	if (m->daemon)
		MHD_stop_daemon(m->daemon);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static int open_metrics(const struct hf_sink_context *context, void **ret_self, struct hf_err *err)
{
	struct sockaddr_storage address;
	int code = read_address(context->argument, &address, err);
	hf_sv remote = hf_sink_option(context, "remote");

	if (code < 0)
		return code;
	if (remote.ptr && !hf_sv_eq(remote, HF_SV("yes")))
		return hf_fail(err, HF_E_USAGE, "remote= is yes or not given");
	if (!is_loopback(&address) && !remote.ptr)
		return hf_fail(err, HF_E_USAGE,
			       "%.*s is no loopback address, and anybody who reaches it may read: say remote=yes",
			       HF_SV_FMT(context->argument));
	struct metrics *m = hf_calloc(1, sizeof *m);
	m->context = *context;
	pthread_mutex_init(&m->lock, NULL);
	m->numbers.containers_n = m->numbers.rules_n = 1;
	copy_label(m->numbers.containers[0].name, HF_SV("(others)"));
	copy_label(m->numbers.rules[0].name, HF_SV("(others)"));
	code = start(m, &address, err);
	if (code < 0) {
		close_metrics(m);
		return code;
	}
	*ret_self = m;
	return 0;
}

static const char *const options[] = { "remote", NULL };

const struct hf_sink_ops hf_sink_metrics = {
	.name = "metrics",
	.summary = "counters for Prometheus on a loopback port",
	.arguments = "[[ADDRESS:]PORT][,remote=yes]",
	.options = options,
	.open = open_metrics,
	.count = count,
	.tick = tick,
	.close = close_metrics,
};
