#include "cluster/status.h"

#include <stdio.h>

#include "format/json.h"

static void copy(char *to, size_t size, hf_sv s)
{
	hf_escape_controls(to, size, s);
}

/* pods is forbidden: User "NAME" cannot list resource "pods" … */
static hf_sv user_in(hf_sv message)
{
	hf_sv mark = HF_SV("User \""), user = { 0 }, rest;
	size_t at = hf_sv_find(message, mark);

	if (at != SIZE_MAX)
		hf_sv_cut(hf_sv_skip(message, at + mark.len), '"', &user, &rest);
	return user;
}

void hf_cluster_status_parse(hf_sv body, unsigned http, struct hf_cluster_status *ret)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(1 << 20);
	struct hf_json j = hf_json_of(body, &a);
	hf_sv key, kind = { 0 }, reason = { 0 }, message = { 0 };
	uint64_t code = 0;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind")))
			kind = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("reason")))
			reason = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("message")))
			message = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("code")))
			hf_sv_to_u64(hf_json_text(&j), &code);
		else
			hf_json_skip(&j);
	}
	*ret = (struct hf_cluster_status){ .code = http };
	if (!hf_json_end(&j) || !hf_sv_eq(kind, HF_SV("Status")))
		return;
	ret->code = code >= 100 && code <= 999 ? (unsigned)code : http;
	copy(ret->reason, sizeof ret->reason, reason);
	copy(ret->message, sizeof ret->message, message);
	copy(ret->user, sizeof ret->user, user_in(message));
}

static int code_of(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return HF_E_DENIED;
	case 404:
		return HF_E_MISSING;
	case 405:
	case 406:
	case 415:
		return HF_E_UNSUPPORTED;
	case 409:
	case 410:
		return HF_E_CONFLICT;
	case 429:
		return HF_E_LIMIT;
	default:
		return status >= 500 ? HF_E_IO : status >= 400 ? HF_E_USAGE : HF_E_FORMAT;
	}
}

int hf_cluster_status_fail(const struct hf_cluster_status *s, const char *verb, hf_sv what, struct hf_err *err)
{
	int code = code_of(s->code);

	what = hf_sv_first(what, 200);
	if (s->code == 401)
		return hf_fail(err, code,
			       "unauthorized: the server does not know this user, or no longer: cannot %s %.*s", verb,
			       HF_SV_FMT(what));
	if (s->code == 403)
		return hf_fail(err, code, "forbidden: %s cannot %s %.*s", s->user[0] ? s->user : "this user", verb,
			       HF_SV_FMT(what));
	if (s->code >= 300 && s->code <= 399)
		return hf_fail(err, code, "%s %.*s: the server sends one elsewhere (%u), where holdfast does not go",
			       verb, HF_SV_FMT(what), s->code);
	return hf_fail(err, code, "%s %.*s: %u%s%s%s%s", verb, HF_SV_FMT(what), s->code, s->reason[0] ? " " : "",
		       s->reason, s->message[0] ? ": " : "", s->message);
}
