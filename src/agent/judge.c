#include "agent/judge.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "baseline/alerts.h"
#include "baseline/exceptions.h"

#define EXCEPTIONS_BYTES_MAX HF_MIB(4)

struct hf_judge {
	struct hf_event_sink to, alerts_to;
	struct hf_rules *rules;
	struct hf_buf exceptions_text;
	struct hf_exceptions *exceptions;
	struct hf_alerts *alerts;
	struct hf_profiles *profiles;
};

/* The text lives as long as what was read from it. */
static int load_exceptions(struct hf_judge *j, const struct hf_judge_options *options, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = open(options->exceptions, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return hf_fail_errno(err, "%s", options->exceptions);
	if (hf_fd_read_all(fd, 0, &j->exceptions_text, err) < 0)
		return hf_wrap(err, "%s", options->exceptions);
	const struct hf_rules_source source = { .name = hf_sv_of(options->exceptions),
						.text = hf_buf_view(&j->exceptions_text) };
	return hf_exceptions_load(&source, 1, j->rules, options->notes, &j->exceptions, err);
}

/* From the end of the chain to its begin: groups, then exceptions. */
static void connect_chain(struct hf_judge *j, const struct hf_judge_options *options)
{
	j->alerts_to = options->to;
	if (!options->all) {
		const struct hf_alerts_options alerts = { .to = options->to,
							  .rules = j->rules,
							  .shown_per_day = options->shown_per_day };
		j->alerts = hf_alerts_new(&alerts);
		j->alerts_to = hf_alerts_sink(j->alerts);
	}
	if (j->exceptions)
		j->alerts_to = hf_exceptions_sink(j->exceptions, j->alerts_to, (struct hf_event_sink){ 0 });
	if (options->profiles || options->other_profile) {
		const struct hf_profiles_options profiles = { .folder = options->profiles,
							      .alerts = j->alerts_to,
							      .note = options->broken_profile,
							      .note_ctx = options->notes.ctx,
							      .other = options->other_profile,
							      .other_ctx = options->other_ctx };
		j->profiles = hf_profiles_new(&profiles);
	}
}

int hf_judge_open(const struct hf_judge_options *options, struct hf_judge **ret, struct hf_err *err)
{
	struct hf_judge *j = hf_calloc(1, sizeof *j);
	int code, exceptions = 0;

	j->to = options->to;
	j->exceptions_text = HF_BUF(EXCEPTIONS_BYTES_MAX);
	code = hf_rules_load_folder(options->rules_folder, options->notes, &j->rules, err);
	if (code >= 0 && options->exceptions)
		exceptions = load_exceptions(j, options, err);
	if (code < 0 || exceptions < 0) {
		hf_judge_close(j);
		return code < 0 ? code : exceptions;
	}
	connect_chain(j, options);
	*ret = j;
	return code == HF_PARTIAL || exceptions == HF_PARTIAL ? HF_PARTIAL : HF_OK;
}

static int take(void *ctx, const struct hf_event *e, struct hf_err *err)
{
	struct hf_judge *j = ctx;
	int code = j->to.take(j->to.ctx, e, err);

	if (code >= 0)
		code = hf_rules_evaluate(j->rules, e, &j->alerts_to, err);
	return code < 0 || !j->profiles ? code : hf_profiles_take(j->profiles, e, err);
}

struct hf_event_sink hf_judge_sink(struct hf_judge *j)
{
	return (struct hf_event_sink){ take, j };
}

int hf_judge_again(struct hf_judge *j, const struct hf_event *e, struct hf_err *err)
{
	return j->profiles ? hf_profiles_take(j->profiles, e, err) : 0;
}

int hf_judge_tick(struct hf_judge *j, uint64_t monotonic_ns, hf_sv today, struct hf_err *err)
{
	if (j->exceptions)
		hf_exceptions_today(j->exceptions, today);
	return j->alerts ? hf_alerts_tick(j->alerts, monotonic_ns, err) : 0;
}

int hf_judge_flush(struct hf_judge *j, struct hf_err *err)
{
	return j->alerts ? hf_alerts_flush(j->alerts, err) : 0;
}

void hf_judge_close(struct hf_judge *j)
{
	if (!j)
		return;
	hf_profiles_free(j->profiles);
	hf_alerts_free(j->alerts);
	hf_exceptions_free(j->exceptions);
	hf_rules_free(j->rules);
	hf_buf_done(&j->exceptions_text);
	free(j);
}

const struct hf_rules *hf_judge_rules(const struct hf_judge *j)
{
	return j->rules;
}

const struct hf_profile *hf_judge_profile(struct hf_judge *j, const struct hf_event *e)
{
	return j->profiles ? hf_profiles_find(j->profiles, e) : NULL;
}
