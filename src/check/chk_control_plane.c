/* Flags of the control plane, from its static pods or kubeadm's configuration: a row of control_plane.def each. */
#include "check/component.h"
#include "check/row.h"

enum test {
	ABSENT,     /* nothing may set it */
	PRESENT,    /* all of the flags are set; or that of the argument */
	OFF_ASKED,  /* true unless it says false, which it has to */
	OFF,        /* false unless it says true, which it may not */
	ON_ASKED,   /* false unless it says true, which it has to */
	ON,         /* true unless it says false, which it may not */
	HAS,        /* a list that has to hold the word; "a|b": one of them */
	LACKS,      /* a list that may not; its default is what stands behind '=' */
	AT_LEAST,   /* a number; "30", or "1=12500" with the default */
	NOT_ZERO,   /* a number that is something else by default */
	LOOPBACK,   /* an address, all of them by default */
	AT_MOST,    /* seconds; "300=60" */
	STRONG,     /* cipher suites */
	TLS12,      /* a version of TLS, 1.2 by default */
	GATE,       /* a feature gate that may not be switched off */
	ENCRYPTED,  /* URLs of https alone */
	OTHER_THAN, /* its file is not that of the API server's flag */
};

struct rule {
	enum hf_check_program program;
	enum test test;
	const char *flags, *argument;
};

static const struct rule rules[] = {
#define HF_CONTROL_PLANE(id, name, title, severity, program, test, flags, argument, why, fix, references) \
	{ HF_CHECK_##program, test, flags, argument },
#include "check/control_plane.def"
#undef HF_CONTROL_PLANE
};

struct question {
	struct hf_check_run *r;
	const struct hf_check_component *c;
	const struct rule *rule;
	hf_sv value; /* empty pointer: not set */
	const struct hf_value *at;
};

static void fail_value(const struct question *q, const char *absent)
{
	hf_sv what = q->value.ptr ? hf_arena_fmt(q->r->arena, "--%s is %.*s", q->rule->flags, HF_SV_FMT(q->value))
				  : hf_arena_fmt(q->r->arena, "--%s is not set%s", q->rule->flags, absent);

	hf_check_fail(q->r, q->at, "%s", what.len ? what.ptr : "");
}

static bool is_true(hf_sv s)
{
	return hf_sv_eq_ascii(s, HF_SV("true")) || hf_sv_eq(s, HF_SV("1")) || hf_sv_eq_ascii(s, HF_SV("t"));
}

static void ask_switch(const struct question *q)
{
	bool set = q->value.ptr != NULL, on = set && is_true(q->value);

	switch ((int)q->rule->test) {
	case OFF_ASKED:
		if (!set || on)
			fail_value(q, ", and it is on by default");
		break;
	case OFF:
		if (on)
			fail_value(q, "");
		break;
	case ON_ASKED:
		if (!on)
			fail_value(q, ", and it is off by default");
		break;
	default:
		if (set && !on)
			fail_value(q, "");
		break;
	}
}

static void ask_present(const struct question *q)
{
	hf_sv rest = hf_sv_of(q->rule->flags), flag;

	if (q->rule->argument[0] && hf_check_component_flag(q->r, q->c, q->rule->argument, NULL).len)
		return;
	while (hf_sv_next(&rest, ' ', &flag)) {
		hf_sv name = hf_arena_dup(q->r->arena, flag);
		if (name.len && !hf_check_component_flag(q->r, q->c, name.ptr, NULL).len) {
			hf_check_fail(q->r, NULL, "--%s is not set", name.ptr);
			return;
		}
	}
}

static void ask_list(const struct question *q)
{
	hf_sv words = hf_sv_of(q->rule->argument), initial = HF_SV(""), word;
	bool held = false, lacks = q->rule->test == LACKS;

	hf_sv_cut(words, '=', &words, &initial);
	while (hf_sv_next(&words, '|', &word))
		held |= hf_check_list_has(q->value.ptr ? q->value : initial, word);
	if (lacks && held)
		fail_value(q, hf_arena_fmt(q->r->arena, ", and is %.*s then", HF_SV_FMT(initial)).ptr);
	else if (!lacks && !held)
		fail_value(q, "");
}

static void ask_number(const struct question *q)
{
	hf_sv bound = hf_sv_of(q->rule->argument), initial = HF_SV("0");
	uint64_t limit = 0, n = 0;
	int64_t seconds;

	hf_sv_cut(bound, '=', &bound, &initial);
	hf_sv value = q->value.ptr ? q->value : initial;
	hf_sv_to_u64(bound, &limit);
	if (q->rule->test == AT_MOST) {
		hf_sv with_unit = q->value.ptr ? value : hf_arena_concat(q->r->arena, initial, HF_SV("s"));
		if (!hf_check_duration(with_unit, &seconds))
			hf_check_not_assessable(q->r, "--%s is no duration", q->rule->flags);
		else if (seconds <= 0 || (uint64_t)seconds > limit)
			fail_value(q, "");
	} else if (q->rule->test == NOT_ZERO) {
		if (q->value.ptr && hf_sv_to_u64(value, &n) && !n)
			fail_value(q, "");
	} else if (!hf_sv_to_u64(value, &n) || n < limit) {
		fail_value(q, "");
	}
}

static bool is_loopback(hf_sv s)
{
	return hf_sv_starts(s, HF_SV("127.")) || hf_sv_eq(s, HF_SV("::1")) || hf_sv_eq(s, HF_SV("localhost"));
}

static void ask_urls(const struct question *q)
{
	hf_sv rest = q->value, url;

	if (!q->value.ptr) {
		hf_check_not_assessable(q->r, "--%s is not set: its default depends on the version", q->rule->flags);
		return;
	}
	while (hf_sv_next(&rest, ',', &url)) {
		hf_sv address = hf_sv_trim(url);
		if (hf_sv_starts(address, HF_SV("http://"))) {
			hf_sv what = hf_arena_fmt(q->r->arena, "--%s names %.*s: not encrypted", q->rule->flags,
						  HF_SV_FMT(address));
			hf_check_fail(q->r, q->at, "%s", what.len ? what.ptr : "");
			return;
		}
	}
}

static void ask_ciphers(const struct question *q)
{
	hf_sv weak = hf_check_weak_cipher(q->value);

	if (!q->value.len)
		fail_value(q, ", and suites with CBC are taken then");
	else if (weak.len)
		hf_check_fail(q->r, q->at, "--%s names %.*s", q->rule->flags, HF_SV_FMT(weak));
}

static void ask_other_than(const struct question *q)
{
	size_t n;
	const struct hf_check_component *servers = hf_check_components(q->r, HF_CHECK_API_SERVER, &n);

	if (!q->value.ptr) {
		hf_check_not_applicable(q->r);
		return;
	}
	if (!n)
		hf_check_not_assessable(q->r, "no kube-apiserver is in the input");
	for (size_t i = 0; i < n; i++) {
		hf_sv other = hf_check_component_flag(q->r, &servers[i], q->rule->argument, NULL);
		if (hf_sv_eq(other, q->value)) {
			hf_sv what = hf_arena_fmt(q->r->arena, "--%s is the API server's --%s: %.*s", q->rule->flags,
						  q->rule->argument, HF_SV_FMT(other));
			hf_check_fail(q->r, q->at, "%s", what.len ? what.ptr : "");
			return;
		}
	}
}

static void ask_value(const struct question *q)
{
	switch ((int)q->rule->test) {
	case ABSENT:
		if (q->value.len && !hf_sv_eq(q->value, HF_SV("0")))
			fail_value(q, "");
		break;
	case LOOPBACK:
		if (!is_loopback(q->value))
			fail_value(q, ", and all addresses are listened on then");
		break;
	case TLS12:
		if (hf_sv_eq(q->value, HF_SV("VersionTLS10")) || hf_sv_eq(q->value, HF_SV("VersionTLS11")))
			fail_value(q, "");
		break;
	default:
		if (hf_check_list_has(q->value, hf_arena_fmt(q->r->arena, "%s=false", q->rule->argument)))
			fail_value(q, "");
		break;
	}
}

/* Where the file says nothing of it, the flag's default holds; with conditions, only the paths that they name are open. */
static void ask_authentication(const struct question *q, const struct hf_kube_object *o)
{
	const struct hf_value *v = hf_value_get(o->root, HF_SV("anonymous"));

	if (!v) {
		fail_value(q, ", and it is on by default");
	} else if (hf_value_true(hf_value_get(v, HF_SV("enabled"))) &&
		   !hf_value_count(hf_value_get(v, HF_SV("conditions")), HF_VALUE_ARRAY)) {
		hf_check_about(q->r, o);
		hf_check_fail(q->r, v, "anonymous is enabled for all paths");
	}
}

/* A file decides in the flag's place: what it says where it is in the input too, else nobody can tell. True where that is so. */
static bool file_decides(struct question *q)
{
	static const struct {
		enum hf_check_program program;
		const char *flag, *file;
	} files[] = {
		{ HF_CHECK_API_SERVER, "anonymous-auth", "authentication-config" },
		{ HF_CHECK_API_SERVER, "authorization-mode", "authorization-config" },
		{ HF_CHECK_SCHEDULER, "profiling", "config" },
		{ HF_CHECK_ETCD, "", "config-file" },
	};
	const struct hf_kube_objects *set = q->r->set;

	for (size_t i = 0; i < HF_ARRAY_SIZE(files); i++) {
		if (files[i].program != q->rule->program ||
		    (files[i].flag[0] && strcmp(files[i].flag, q->rule->flags)) ||
		    !hf_check_component_flag(q->r, q->c, files[i].file, NULL).len)
			continue;
		if (files[i].program == HF_CHECK_SCHEDULER && set->of_kind_n[HF_KUBE_SCHEDULER_CONFIGURATION]) {
			const struct hf_kube_object *o = set->of_kind[HF_KUBE_SCHEDULER_CONFIGURATION][0];
			q->at = hf_value_get(o->root, HF_SV("enableProfiling"));
			hf_check_about(q->r, o);
			if (!hf_value_is(q->at, HF_VALUE_BOOL) || q->at->boolean)
				hf_check_fail(q->r, q->at, "enableProfiling is %s",
					      q->at ? "true" : "not set, and true by default");
			return true;
		}
		if (i == 1 && set->of_kind_n[HF_KUBE_AUTHORIZATION_CONFIGURATION]) {
			hf_sv modes = HF_SV("");
			hf_value_elements(hf_value_get(set->of_kind[HF_KUBE_AUTHORIZATION_CONFIGURATION][0]->root,
						       HF_SV("authorizers")),
					  e) modes = hf_arena_fmt(q->r->arena, "%.*s%.*s,", HF_SV_FMT(modes),
								  HF_SV_FMT(hf_value_get_text(e, HF_SV("type"))));
			q->value = modes;
			return false;
		}
		if (i == 0 && q->value.ptr)
			return false;
		if (i == 0 && set->of_kind_n[HF_KUBE_AUTHENTICATION_CONFIGURATION]) {
			ask_authentication(q, set->of_kind[HF_KUBE_AUTHENTICATION_CONFIGURATION][0]);
			return true;
		}
		hf_check_not_assessable(q->r, "--%s names a file that decides, which is not in the input",
					files[i].file);
		return true;
	}
	return false;
}

static void ask(struct question *q)
{
	if (file_decides(q))
		return;
	switch (q->rule->test) {
	case PRESENT:
		ask_present(q);
		break;
	case OFF_ASKED:
	case OFF:
	case ON_ASKED:
	case ON:
		ask_switch(q);
		break;
	case HAS:
	case LACKS:
		ask_list(q);
		break;
	case AT_LEAST:
	case AT_MOST:
	case NOT_ZERO:
		ask_number(q);
		break;
	case STRONG:
		ask_ciphers(q);
		break;
	case ENCRYPTED:
		ask_urls(q);
		break;
	case OTHER_THAN:
		ask_other_than(q);
		break;
	case ABSENT:
	case LOOPBACK:
	case TLS12:
	case GATE:
		ask_value(q);
		break;
	}
}

static void ask_all(struct hf_check_run *r)
{
	const struct rule *rule = &rules[r->check - hf_check_group_control_plane.checks];
	const char *program = hf_check_program_names[rule->program];
	size_t n;
	const struct hf_check_component *all = hf_check_components(r, rule->program, &n);

	if (!n)
		hf_check_not_assessable(r, "no pod of %s and no ClusterConfiguration is in the input%s", program,
					r->live ? ": whoever manages the control plane does not show it" : "");
	for (size_t i = 0; i < n; i++) {
		struct question q = { .r = r, .c = &all[i], .rule = rule };
		hf_sv first, rest;
		hf_check_about(r, all[i].object);
		if (!hf_sv_cut(hf_sv_of(rule->flags), ' ', &first, &rest))
			q.value = hf_check_component_flag(r, &all[i], rule->flags, &q.at);
		ask(&q);
	}
	hf_check_about(r, NULL);
}

static const struct hf_check checks[] = {
#define HF_CONTROL_PLANE(id, name, title, severity, program, test, flags, argument, why, fix, references) \
	CHECK(id, name, title, severity, HF_CHECK_CLUSTER, why, fix, references, ask_all)
#include "check/control_plane.def"
#undef HF_CONTROL_PLANE
};

const struct hf_check_group hf_check_group_control_plane = { "control-plane", checks, HF_ARRAY_SIZE(checks) };
