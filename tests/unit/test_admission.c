#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "admission/certificate.h"
#include "admission/namespaces.h"
#include "admission/pool.h"
#include "base/limits.h"
#include "format/value.h"

/* What a test judges with: settings and policies as text, reviews one after the other. */
struct bench {
	struct hf_arena arena, scratch;
	struct hf_admission_settings settings;
	struct hf_policies policies;
	struct hf_admission *admission;
	struct hf_admission_decision d;
	struct hf_buf answer, record;
};

static void no_note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	(void)ctx, (void)file;
	fail_msg("policies: line %u: %.*s", line, HF_SV_FMT(what));
}

static void read_rules(struct bench *b, const char *settings, const char *policies)
{
	struct hf_err err = { 0 };

	*b = (struct bench){ .arena = HF_ARENA(HF_MIB(16)),
			     .scratch = HF_ARENA(HF_ADMISSION_ARENA_MAX),
			     .answer = HF_BUF(HF_ADMISSION_ANSWER_MAX),
			     .record = HF_BUF(HF_ADMISSION_ANSWER_MAX) };
	if (settings && hf_admission_settings_read(hf_sv_of(settings), &b->arena, &b->settings, &err) < 0)
		fail_msg("settings: %s", err.msg);
	if (policies && hf_policies_read(&b->policies, HF_SV("p"), hf_sv_of(policies), &b->arena, no_note, NULL, &err))
		fail_msg("policies: %s", err.msg);
}

static void set_up(struct bench *b, const char *settings, const char *policies)
{
	struct hf_err err = { 0 };

	read_rules(b, settings, policies);
	if (hf_admission_new(&b->settings, &b->policies, (struct hf_admission_images){ 0 }, &b->admission, &err) < 0)
		fail_msg("%s", err.msg);
}

static void tear_down(struct bench *b)
{
	hf_admission_free(b->admission);
	hf_buf_done(&b->answer);
	hf_buf_done(&b->record);
	hf_arena_done(&b->scratch);
	hf_arena_done(&b->arena);
}

/* True where it is let in. */
static bool let_in(struct bench *b, const char *text)
{
	struct hf_err err = { 0 };

	hf_arena_reset(&b->scratch);
	b->answer.len = b->record.len = 0;
	if (hf_admission_review(b->admission, hf_sv_of(text), &b->scratch, &b->d, &err) < 0)
		fail_msg("review: %s", err.msg);
	hf_admission_answer(&b->d, &b->answer);
	hf_admission_record(&b->d, &b->record);
	assert_false(b->answer.over || b->record.over);
	return b->d.allowed;
}

static bool answers(const struct bench *b, const char *part)
{
	return hf_sv_find(hf_buf_view(&b->answer), hf_sv_of(part)) != SIZE_MAX;
}

#define REVIEW_OF(version, operation, more, namespace, user, object, old)                                             \
	"{\"apiVersion\":\"admission.k8s.io/" version "\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u-1\"," \
	"\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"}," more "\"operation\":\"" operation            \
	"\",\"namespace\":\"" namespace "\",\"userInfo\":{\"username\":\"" user "\"},\"object\":" object              \
					",\"oldObject\":" old "}}"
#define REVIEW(object) REVIEW_OF("v1", "CREATE", "", "web", "ada", object, "null")
#define POD_OF(metadata, image, spec)                                                                           \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"front\"" metadata "},\"spec\":{" spec \
	"\"containers\":[{\"name\":\"c\",\"image\":\"" image "\"}]}}"
#define GOOD   POD_OF("", "registry.test/app:1", "")
#define BAD    POD_OF("", "registry.test/app:1", "\"hostNetwork\":true,")
#define DIGEST "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

HF_TEST(settings_are_read_strictly)
{
	static const struct {
		const char *text, *why; /* NULL: it is fine */
	} cases[] = {
		{ "", NULL },
		{ "pod_security: {enforce: 'restricted:v1.29', warn: baseline}\nfail: open\n", NULL },
		{ "images: {registries: [a/, b/], deny: ['*:latest'], require_digest: true, action: warn}\n", NULL },
		{ "pod_security: {exempt: {namespaces: [a], users: [b], runtime_classes: [c]}}\n", NULL },
		{ "[]", "wants keys" },
		{ "pod_security: {enforce: strict}\n", "line 1: wants privileged, baseline or restricted" },
		{ "\nimages: {registry: a}\n", "line 2: an unknown key 'registry'" },
		{ "images: {require_digest: 'yes'}\n", "wants true or false" },
		{ "images: {registries: a}\n", "wants a list of words" },
		{ "images: {registries: ['']}\n", "words that are not empty" },
		{ "images: {action: refuse}\n", "is no word for this" },
		{ "fail: perhaps\n", "is no word for this" },
		{ "fail: [\n", "line" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_admission_settings s = { 0 };
		struct hf_err err = { 0 };
		int r = hf_admission_settings_read(hf_sv_of(cases[i].text), &a, &s, &err);
		if (!cases[i].why ? r < 0 : r != HF_E_FORMAT || !strstr(err.msg, cases[i].why))
			fail_msg("%s: %d %s", cases[i].text, r, err.msg);
	}
}

HF_TEST(both_versions_are_answered_in_their_own)
{
	struct bench b;

	set_up(&b, "pod_security: {enforce: baseline}\n", NULL);
	assert_true(let_in(&b, REVIEW(GOOD)));
	assert_string_equal(b.d.version.ptr ? "is there" : "", "is there");
	assert_true(answers(&b, "\"apiVersion\":\"admission.k8s.io/v1\"") && answers(&b, "\"uid\":\"u-1\""));
	assert_false(let_in(&b, REVIEW(BAD)));
	assert_true(answers(&b, "\"code\":403") && answers(&b, "hostNamespaces (spec.hostNetwork)"));
	assert_false(let_in(&b, REVIEW_OF("v1beta1", "CREATE", "", "web", "ada", BAD, "null")));
	assert_true(answers(&b, "\"apiVersion\":\"admission.k8s.io/v1beta1\""));
	assert_true(hf_sv_eq(b.d.name, HF_SV("front")) && hf_sv_eq(b.d.user, HF_SV("ada")));
	tear_down(&b);
}

HF_TEST(what_is_no_review_has_no_answer)
{
	static const char *const cases[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":null}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"\"}}",
		"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":7}}",
		"{\"apiVersion\":\"admission.k8s.io/v2\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\"}}",
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"request\":{\"uid\":\"u\"}}",
	};
	struct bench b;

	set_up(&b, NULL, NULL);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_err err = { 0 };
		if (hf_admission_review(b.admission, hf_sv_of(cases[i]), &b.scratch, &b.d, &err) != HF_E_FORMAT)
			fail_msg("%s is answered", cases[i]);
	}
	tear_down(&b);
}

HF_TEST(objects_that_cannot_be_read_are_denied)
{
	static const char *const objects[] = {
		"null", "7", "[]", "{}", "{\"kind\":\"Pod\"}", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}"
	};
	struct bench b;

	set_up(&b, NULL, NULL);
	for (size_t i = 0; i < HF_ARRAY_SIZE(objects); i++) {
		char text[1024];
		snprintf(text, sizeof text, REVIEW("%s"), objects[i]);
		if (let_in(&b, text) || !b.d.reasons[0].unknown)
			fail_msg("%s is let in", objects[i]);
	}
	tear_down(&b);
}

HF_TEST(updates_are_judged_where_they_change_something)
{
	static const struct {
		const char *old, *new;
		bool in;
	} cases[] = {
		{ BAD, BAD, true },
		{ GOOD, BAD, false },
		{ BAD,
		  POD_OF(",\"resourceVersion\":\"2\",\"finalizers\":[]", "registry.test/app:1",
			 "\"hostNetwork\":true,"),
		  true },
		{ BAD, POD_OF(",\"labels\":{\"a\":\"b\"}", "registry.test/app:1", "\"hostNetwork\":true,"), false },
		{ BAD, POD_OF("", "registry.test/app:2", "\"hostNetwork\":true,"), false },
		{ "null", BAD, false },
		{ "{}", BAD, false },
		{ BAD, GOOD, true },
	};
	struct bench b;

	set_up(&b, "pod_security: {enforce: baseline}\n", NULL);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		char text[4096];
		snprintf(text, sizeof text, REVIEW_OF("v1", "UPDATE", "", "web", "ada", "%s", "%s"), cases[i].new,
			 cases[i].old);
		if (let_in(&b, text) != cases[i].in)
			fail_msg("%zu", i);
	}
	tear_down(&b);
	/* A member that only a policy knows of counts too. */
	set_up(&b, NULL,
	       "policies: [{id: a, title: t, match: {kinds: [ServiceAccount]}, deny: "
	       ".automountServiceAccountToken}]\n");
#define ACCOUNT(value)                                                                                            \
	"{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"x\",\"namespace\":\"web\"}," \
	"\"automountServiceAccountToken\":" value "}"
	assert_false(let_in(&b, REVIEW_OF("v1", "UPDATE", "", "web", "ada", ACCOUNT("true"), ACCOUNT("false"))));
	assert_true(let_in(&b, REVIEW_OF("v1", "UPDATE", "", "web", "ada", ACCOUNT("true"), ACCOUNT("true"))));
	tear_down(&b);
}

HF_TEST(other_operations_subresources_and_namespaces_are_passed_over)
{
	static const struct {
		const char *review;
		bool judged;
	} cases[] = {
		{ REVIEW(BAD), true },
		{ REVIEW_OF("v1", "DELETE", "", "web", "ada", "null", BAD), false },
		{ REVIEW_OF("v1", "CONNECT", "\"subResource\":\"exec\",", "web", "ada", "{}", "null"), false },
		{ REVIEW_OF("v1", "UPDATE", "\"subResource\":\"status\",", "web", "ada", BAD, GOOD), false },
		{ REVIEW_OF("v1", "UPDATE", "\"subResource\":\"ephemeralcontainers\",", "web", "ada", BAD, GOOD),
		  true },
		{ REVIEW_OF("v1", "UPDATE", "\"subResource\":\"resize\",", "web", "ada", BAD, GOOD), true },
		{ REVIEW_OF("v1", "CREATE", "", "kube-system", "ada", BAD, "null"), false },
		{ REVIEW_OF("v1", "CREATE", "", "kube-systems", "ada", BAD, "null"), true },
		{ REVIEW_OF("v1", "CREATE", "\"dryRun\":true,", "web", "ada", BAD, "null"), true },
	};
	struct bench b;

	set_up(&b, "pod_security: {enforce: baseline}\nignore_namespaces: [kube-system]\n", NULL);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		if (let_in(&b, cases[i].review) == cases[i].judged || b.d.judged != cases[i].judged)
			fail_msg("%zu", i);
	assert_true(b.d.dry_run);
	tear_down(&b);
}

HF_TEST(exemptions_of_pod_security)
{
	struct bench b;

	set_up(&b,
	       "pod_security: {enforce: baseline, exempt: {namespaces: [infra-*], users: ['system:*'], "
	       "runtime_classes: [sandbox]}}\nimages: {registries: [registry.test]}\n",
	       NULL);
	assert_false(let_in(&b, REVIEW(BAD)));
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "infra-1", "ada", BAD, "null")));
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "web", "system:admin", BAD, "null")));
	assert_true(let_in(
		&b, REVIEW(POD_OF("", "registry.test/a", "\"runtimeClassName\":\"sandbox\",\"hostNetwork\":true,"))));
	/* They are exempt from that alone. */
	assert_false(
		let_in(&b, REVIEW_OF("v1", "CREATE", "", "infra-1", "ada", POD_OF("", "other.test/a", ""), "null")));
	tear_down(&b);
}

HF_TEST(images_are_judged_by_their_whole_names)
{
	static const struct {
		const char *image;
		bool in;
	} cases[] = {
		{ "registry.test/app:1" DIGEST, true },
		{ "registry.test/app:1", false },                /* no digest */
		{ "registry.test/app@sha256:0123", false },      /* no whole digest */
		{ "registry.test.evil.test/app" DIGEST, false }, /* another host */
		{ "registry.test:5000/app" DIGEST, false },      /* another port */
		{ "docker.io/library/nginx" DIGEST, true },
		{ "nginx" DIGEST, true },
		{ "docker.io/nginx" DIGEST, true },
		{ "index.docker.io/library/nginx:1" DIGEST, true },
		{ "someone/nginx" DIGEST, false },
		{ "DOCKER/nginx" DIGEST, false },
		{ "quay.test/team/app" DIGEST, true },
		{ "quay.test/teams/app" DIGEST, false },
		{ "registry.test/miner" DIGEST, false }, /* denied */
		{ "", false },
	};
	struct bench b;

	set_up(&b,
	       "images: {registries: [registry.test, docker.io/library/, quay.test/team], deny: ['*/miner*'], "
	       "require_digest: true}\n",
	       NULL);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		char text[2048];
		snprintf(text, sizeof text, REVIEW(POD_OF("", "%s", "")), cases[i].image);
		if (let_in(&b, text) != cases[i].in)
			fail_msg("%s", cases[i].image);
	}
	tear_down(&b);
}

HF_TEST(templates_are_judged_as_the_pods_they_make)
{
#define DEPLOYMENT                                                                                                   \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"template\":{" \
	"\"spec\":{\"hostPID\":true,\"initContainers\":[{\"name\":\"i\",\"image\":\"other.test/x\"}],"               \
	"\"containers\":[{\"name\":\"c\",\"image\":\"registry.test/x\"}]}}}}"
	struct bench b;

	set_up(&b, "pod_security: {warn: baseline}\nimages: {registries: [registry.test], action: audit}\n", NULL);
	assert_true(let_in(&b, REVIEW(DEPLOYMENT)));
	assert_int_equal(b.d.reasons_n, 2);
	assert_true(answers(&b, "spec.template.spec.hostPID") && answers(&b, "\"auditAnnotations\""));
	assert_true(answers(&b, "container i: other.test/x"));
	tear_down(&b);
}

HF_TEST(warnings_are_cut_between_characters)
{
	struct bench b;
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_value root;
	size_t used;

	/* Characters of two bytes and of three, so that a cut by bytes falls into one of them at least once. */
	set_up(&b, NULL,
	       "policies:\n- {id: w1, title: t, action: warn, deny: '[range(200) | \"\xc3\xa9\"] | join(\"\")'}\n"
	       "- {id: w22, title: t, action: warn, deny: '[range(200) | \"\xe2\x82\xac\"] | join(\"\")'}\n"
	       "- {id: w333, title: t, action: warn, deny: '[range(200) | \"\xe2\x82\xac\"] | join(\"\")'}\n"
	       "- {id: lines, title: t, action: warn, deny: '\"one\\ntwo\\ttab\"'}\n"
	       "- {id: many, title: t, action: warn, deny: 'range(100) | tostring'}\n");
	assert_true(let_in(&b, REVIEW(GOOD)));
	assert_true(hf_sv_is_utf8(hf_buf_view(&b.answer)));
	assert_int_equal(
		hf_value_of_json(hf_buf_view(&b.answer), 0, &a, (struct hf_value_notes){ 0 }, &root, &used, NULL), 0);
	const struct hf_value *warnings = hf_value_at(&root, "response.warnings");
	assert_int_equal(hf_value_count(warnings, HF_VALUE_ARRAY), 31);
	hf_value_elements(warnings, w)
	{
		hf_sv text = hf_value_text(w);
		assert_true(text.len && text.len <= 120 && hf_sv_starts(text, HF_SV("holdfast: ")));
		assert_int_equal(hf_sv_index(text, '\n'), SIZE_MAX);
		/* Nothing stands for a half of a character. */
		assert_int_equal(hf_sv_find(text, HF_SV("\xef\xbf\xbd")), SIZE_MAX);
	}
	tear_down(&b);
}

HF_TEST(the_same_object_is_asked_about_once)
{
#define GENERATED(name, uid)                                                                             \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"generateName\":\"r-\",\"name\":\"" name \
	"\",\"uid\":\"" uid "\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"x\"}]}}"
	struct bench b;

	set_up(&b, "pod_security: {enforce: baseline}\n",
	       "policies: [{id: w, title: t, action: warn, match: {namespaces: [noisy]}, deny: 'true'}]\n");
	assert_true(let_in(&b, REVIEW(GENERATED("r-1", "1"))) && !b.d.cached);
	assert_true(let_in(&b, REVIEW(GENERATED("r-2", "2"))) && b.d.cached);
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "web", "bob", GENERATED("r-2", "2"), "null")) &&
		    !b.d.cached);
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "data", "ada", GENERATED("r-2", "2"), "null")) &&
		    !b.d.cached);
	/* A name that was written is another object. */
	assert_true(let_in(&b, REVIEW(GOOD)) && !b.d.cached);
	assert_true(let_in(&b, REVIEW(POD_OF(",\"labels\":{\"a\":\"b\"}", "registry.test/app:1", ""))) && !b.d.cached);
	/* What has something said about it is said again, as is what is denied. */
	for (int i = 0; i < 2; i++) {
		assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "noisy", "ada", GOOD, "null")) && !b.d.cached);
		assert_int_equal(b.d.reasons_n, 1);
		assert_true(!let_in(&b, REVIEW(BAD)) && !b.d.cached);
	}
	tear_down(&b);
}

HF_TEST(policies_without_a_verdict_are_closed_or_open_by_their_own_word)
{
	struct bench b;

	set_up(&b, NULL, "policies:\n- {id: open, title: t, on_error: allow, deny: '1 | error'}\n");
	assert_true(let_in(&b, REVIEW(GOOD)));
	assert_true(b.d.reasons_n == 1 && b.d.reasons[0].unknown && answers(&b, "\"warnings\""));
	/* Twice: what was let in with a word is not remembered as good. */
	assert_true(let_in(&b, REVIEW(GOOD)) && b.d.reasons_n == 1);
	tear_down(&b);
	set_up(&b, NULL, "policies:\n- {id: closed, title: t, deny: '1 | error'}\n- {id: odd, title: t, deny: '7'}\n");
	assert_false(let_in(&b, REVIEW(GOOD)));
	assert_int_equal(b.d.reasons_n, 2);
	assert_true(answers(&b, "[closed] gives no verdict") && answers(&b, "[odd] gives no verdict"));
	tear_down(&b);
}

HF_TEST(programs_are_asked_together_and_stay_apart)
{
	static const char *const wild[] = { "1) | env | (2", "\"a\\(1\"", "1 | (", "]", "\"a" };
	struct hf_err err = { 0 };
	struct bench b;

	set_up(&b, NULL,
	       "policies:\n- {id: text, title: t, deny: 'def f: \"a)\\(1 + (2))]\"; f # )'}\n"
	       "- {id: word, title: t, parameters: {word: mine}, deny: '$parameters.word'}\n"
	       "- {id: none, title: t, deny: '$parameters, $container, $namespace, (.kind | select(. != \"Pod\"))'}\n"
	       "- {id: each, title: t, subject: container, deny: '.name, $container.image, $pod.metadata.name'}\n"
	       "- {id: talker, title: t, deny: 'repeat(\"x\")'}\n"
	       "- {id: break, title: t, deny: 'label $out | 1, break $out | error'}\n"
	       "- {id: else, title: t, match: {kinds: [Secret]}, deny: error}\n"
	       "- {id: last, title: the title, deny: 'true'}\n");
	assert_false(let_in(&b, REVIEW(GOOD)));
	static const char *const expected[][2] = {
		{ "text", "a)3]" },  { "word", "mine" }, { "each", "c" },   { "each", "registry.test/app:1" },
		{ "each", "front" }, { "talker", NULL }, { "break", NULL }, { "last", "the title" },
	};
	assert_int_equal(b.d.reasons_n, HF_ARRAY_SIZE(expected));
	for (size_t i = 0; i < b.d.reasons_n; i++) {
		const struct hf_admission_reason *r = &b.d.reasons[i];
		if (!hf_sv_eq(r->rule, hf_sv_of(expected[i][0])) || r->unknown != !expected[i][1] ||
		    (expected[i][1] && !hf_sv_eq(r->message, hf_sv_of(expected[i][1]))))
			fail_msg("%zu: %.*s: %.*s", i, HF_SV_FMT(r->rule), HF_SV_FMT(r->message));
	}
	tear_down(&b);
	for (size_t i = 0; i < HF_ARRAY_SIZE(wild); i++) {
		char text[256];
		snprintf(text, sizeof text,
			 "policies:\n- {id: good, title: t, deny: 'null'}\n- id: wild\n  title: t\n  deny: '%s'\n",
			 wild[i]);
		read_rules(&b, NULL, text);
		if (hf_admission_new(&b.settings, &b.policies, (struct hf_admission_images){ 0 }, &b.admission, &err) !=
			    HF_E_FORMAT ||
		    !strstr(err.msg, "policy wild"))
			fail_msg("%s: %s", wild[i], err.msg);
		tear_down(&b);
	}
}

HF_TEST(checks_of_holdfasts_own_may_be_policies)
{
	struct hf_err err = { 0 };
	struct bench b;

	set_up(&b, NULL, "policies:\n- {id: mine, check: KSV-017, match: {namespaces: [web]}}\n");
#define PRIVILEGED                                                                                              \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"front\"},\"spec\":{\"containers\":[{" \
	"\"name\":"                                                                                             \
	"\"c\",\"image\":\"x\",\"securityContext\":{\"privileged\":true}}]}}"
	assert_false(let_in(&b, REVIEW(PRIVILEGED)));
	assert_true(hf_sv_eq(b.d.reasons[0].rule, HF_SV("mine")));
	assert_true(let_in(&b, REVIEW(GOOD)));
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "data", "ada", PRIVILEGED, "null")));
	tear_down(&b);
	read_rules(&b, NULL, "policies: [{id: mine, check: NONE-1}]\n");
	assert_int_equal(
		hf_admission_new(&b.settings, &b.policies, (struct hf_admission_images){ 0 }, &b.admission, &err),
		HF_E_FORMAT);
	tear_down(&b);
}

HF_TEST(namespaces_are_known_or_give_no_verdict)
{
	static const char policy[] =
		"policies:\n"
		"- {id: gold, title: t, deny: 'select($namespace.metadata.labels.tier == \"gold\") | \"gold\"'}\n"
		"- {id: lax, title: t, action: warn, on_error: allow, deny: '$namespace | select(.x) | \"x\"'}\n";
	static const char spaces[] = "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"web\","
				     "\"labels\":{\"tier\":\"gold\","
				     "\"pod-security.kubernetes.io/enforce\":\"baseline\"}}}\n"
				     "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"other\"}}";
	struct bench b;

	set_up(&b, "pod_security: {from_labels: true}\n", policy);
	assert_true(hf_admission_wants_namespaces(&b.settings, &b.policies));
	/* Nobody tells of them: as before. */
	assert_true(let_in(&b, REVIEW(BAD)));
	assert_false(b.d.namespace_unknown);
	assert_int_equal(hf_admission_set_namespaces(b.admission, hf_sv_of(spaces), NULL), HF_OK);
	assert_false(let_in(&b, REVIEW(BAD)));
	assert_true(answers(&b, "violates baseline:latest") && answers(&b, "gold"));
	assert_true(let_in(&b, REVIEW_OF("v1", "CREATE", "", "other", "ada", BAD, "null")));
	assert_false(b.d.namespace_unknown);
	/* Let in before, and no longer: nothing of the old state is remembered. */
	assert_int_equal(hf_admission_set_namespaces(b.admission, HF_SV(""), NULL), HF_OK);
	assert_false(let_in(&b, REVIEW_OF("v1", "CREATE", "", "other", "ada", BAD, "null")));
	assert_true(b.d.namespace_unknown);
	assert_true(answers(&b, "the namespace other is not known"));
	assert_int_equal(b.d.reasons_n, 3);
	assert_int_equal(b.d.reasons[2].action, HF_POLICY_WARN); /* on_error: allow */
	for (size_t i = 0; i < b.d.reasons_n; i++)
		assert_true(b.d.reasons[i].unknown);
	assert_int_equal(hf_admission_set_namespaces(b.admission, HF_SV("{\"metadata\":"), NULL), HF_E_FORMAT);
	assert_false(let_in(&b, REVIEW(GOOD)));
	tear_down(&b);
	set_up(&b, "pod_security: {from_labels: true}\nfail: open\n", NULL);
	assert_int_equal(hf_admission_set_namespaces(b.admission, HF_SV(""), NULL), HF_OK);
	assert_true(let_in(&b, REVIEW(BAD)));
	assert_true(answers(&b, "warnings"));
	tear_down(&b);
	set_up(&b, "pod_security: {enforce: baseline}\n", NULL);
	assert_false(hf_admission_wants_namespaces(&b.settings, &b.policies));
	tear_down(&b);
}

HF_TEST(large_namespaces_hide_no_small_ones)
{
	hf_sv objects[] = { HF_SV("{\"large\":1}"), HF_SV("{\"a\":1}"), HF_SV("{\"larger\":1}"), HF_SV("{\"b\":1}") };
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(20);

	hf_admission_namespaces_join(objects, HF_ARRAY_SIZE(objects), &out);
	assert_true(out.over);
	assert_int_equal(out.len, 14);
	assert_true(hf_sv_find(hf_buf_view(&out), HF_SV("{\"a\":1}")) != SIZE_MAX);
	assert_true(hf_sv_find(hf_buf_view(&out), HF_SV("{\"b\":1}")) != SIZE_MAX);
}

HF_TEST(an_answer_has_room_for_the_worst_object)
{
	struct bench b;
	struct hf_buf pod = HF_BUF(HF_MIB(4));

	set_up(&b,
	       "pod_security: {enforce: restricted, warn: restricted, audit: restricted}\nimages: {registries: [a/]}\n",
	       "policies:\n- {id: p, title: t, subject: container, deny: '[range(300)|\"\\u0001\"]|join(\"\")'}\n");
	hf_buf_add(&pod, HF_SV("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"f\"},\"spec\":{"
			       "\"containers\":["));
	for (int i = 0; i < 3000; i++)
		hf_buf_addf(&pod,
			    "%s{\"name\":\"\\u0001\\u0002%d\",\"image\":\"\\u0001\\u0001\\u0001\\u0001\\u0001b\"}",
			    i ? "," : "", i);
	hf_buf_add(&pod, HF_SV("]}}"));
	struct hf_buf text = HF_BUF(HF_MIB(4));
	hf_buf_addf(&text, REVIEW("%.*s"), HF_SV_FMT(hf_buf_view(&pod)));
	hf_buf_add_char(&text, 0);
	assert_false(let_in(&b, text.ptr));
	assert_true(answers(&b, "\"allowed\":false"));
	hf_buf_done(&pod);
	hf_buf_done(&text);
	tear_down(&b);
}

static int ask(struct hf_admission_pool *p, const char *review, unsigned deadline_ms, char answer[512])
{
	struct hf_buf text = HF_BUF(HF_ADMISSION_ANSWER_MAX + 1), record = HF_BUF(HF_ADMISSION_ANSWER_MAX + 1);
	struct hf_err err = { 0 };
	int r = hf_admission_pool_judge(p, hf_sv_of(review), deadline_ms, &text, &record, &err);

	snprintf(answer, 512, "%.*s", HF_SV_FMT(hf_buf_view(&text)));
	hf_buf_done(&text);
	hf_buf_done(&record);
	return r;
}

/* A pool of one worker with a policy that never ends and one that asks for more memory than a worker may have. */
static struct hf_admission_pool *start_pool(struct bench *b)
{
	const struct hf_admission_pool_options o = { .workers = 1 };
	struct hf_admission_pool *pool;
	struct hf_err err = { 0 };
	static const int deadly[] = { SIGSEGV, SIGABRT, SIGBUS };

	read_rules(
		b, "pod_security: {enforce: baseline}\n",
		"policies:\n- {id: endless, title: t, match: {namespaces: [endless]}, deny: 'def f: f; f'}\n"
		"- {id: lenient, title: t, match: {namespaces: [lenient]}, on_error: allow, deny: 'def f: f; f'}\n"
		"- {id: many-1, title: t, match: {namespaces: [many]}, deny: 'def f: f; f'}\n"
		"- {id: many-2, title: t, match: {namespaces: [many]}, deny: 'def f: f; f'}\n"
		"- {id: many-3, title: t, match: {namespaces: [many]}, deny: 'def f: f; f'}\n"
		"- {id: many-4, title: t, match: {namespaces: [many]}, deny: 'def f: f; f'}\n"
		"- {id: other, title: t, action: audit, match: {namespaces: [lenient]}, deny: '\"was asked\"'}\n"
		"- {id: huge, title: t, match: {namespaces: [huge]}, deny: 'reduce range(40) as $n (\"x\"; . + .)'}\n");
	/* cmocka catches these; a worker is to die of them, as it does outside of tests. */
	void (*before[HF_ARRAY_SIZE(deadly)])(int);
	for (size_t i = 0; i < HF_ARRAY_SIZE(deadly); i++)
		before[i] = signal(deadly[i], SIG_DFL);
	if (hf_admission_pool_start(&b->settings, &b->policies, &o, &pool, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < HF_ARRAY_SIZE(deadly); i++)
		signal(deadly[i], before[i]);
	return pool;
}

#define IN(namespace) REVIEW_OF("v1", "CREATE", "", namespace, "ada", GOOD, "null")

HF_TEST(a_policy_without_an_end_is_decided_by_its_own_on_error)
{
	struct bench b;
	char answer[512];
	struct hf_admission_pool *pool = start_pool(&b);

	assert_int_equal(ask(pool, IN("endless"), 120000, answer), HF_OK);
	assert_non_null(strstr(answer, "\"allowed\":false"));
	assert_non_null(strstr(answer, "[endless] gives no verdict: it was stopped"));
	assert_int_equal(hf_admission_pool_replaced(pool), 1);
	assert_int_equal(ask(pool, IN("lenient"), 120000, answer), HF_OK);
	assert_non_null(strstr(answer, "\"allowed\":true"));
	assert_non_null(strstr(answer, "holdfast: lenient: gives no verdict"));
	assert_non_null(strstr(answer, "[other] was asked"));
	assert_int_equal(hf_admission_pool_replaced(pool), 2);
	/* More than a few are an end of the whole review. */
	assert_int_equal(ask(pool, IN("many"), 120000, answer), HF_E_TIMEOUT);
	assert_int_equal(hf_admission_pool_replaced(pool), 6);
	assert_int_equal(ask(pool, REVIEW(BAD), 120000, answer), HF_OK);
	assert_non_null(strstr(answer, "\"allowed\":false"));
	assert_int_equal(ask(pool, "{", 120000, answer), HF_E_FORMAT);
	assert_int_equal(hf_admission_pool_replaced(pool), 6);
	hf_admission_pool_stop(pool);
	tear_down(&b);
}

HF_TEST(a_worker_that_dies_of_its_limit_of_memory_is_replaced)
{
#if defined(__SANITIZE_ADDRESS__) || defined(HF_SANITIZED)
	print_message("# a sanitized worker has no limit of memory: its shadow is larger than any\n");
	skip();
#endif
	struct bench b;
	char answer[512];
	struct hf_admission_pool *pool = start_pool(&b);

	assert_int_equal(ask(pool, IN("huge"), 120000, answer), HF_OK);
	assert_non_null(strstr(answer, "[huge] gives no verdict: it was stopped"));
	assert_int_equal(hf_admission_pool_replaced(pool), 1);
	assert_int_equal(ask(pool, REVIEW(GOOD), 120000, answer), HF_OK);
	hf_admission_pool_stop(pool);
	tear_down(&b);
}

HF_TEST(certificates_are_for_their_names_and_time)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	const hf_sv names[] = { HF_SV("web.hook.svc"), HF_SV("127.0.0.1"), HF_SV("::1") },
		    other[] = { HF_SV("else.test") }, odd[] = { HF_SV("a,DNS:b") };
	struct hf_certificate authority, server;
	struct hf_err err = { 0 };
	int64_t left, now = time(NULL);
	bool match;

	assert_int_equal(hf_certificate_authority(365, &a, &authority, &err), HF_OK);
	assert_int_equal(hf_certificate_server(&authority, names, 3, 90, &a, &server, &err), HF_OK);
	assert_int_equal(hf_certificate_look(server.certificate_pem, now, names, 3, &left, &match, &err), HF_OK);
	assert_true(match && left > 89 * 86400 && left <= 90 * 86400);
	assert_int_equal(hf_certificate_look(server.certificate_pem, now + 91 * 86400, other, 1, &left, &match, &err),
			 HF_OK);
	assert_true(!match && left < 0);
	assert_int_equal(hf_certificate_server(&authority, odd, 1, 90, &a, &server, &err), HF_E_USAGE);
	assert_int_equal(hf_certificate_server(&authority, NULL, 0, 90, &a, &server, &err), HF_E_SYSTEM);
	authority.certificate_pem = HF_SV("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(hf_certificate_server(&authority, names, 1, 90, &a, &server, &err), HF_E_FORMAT);
	assert_int_equal(hf_certificate_look(HF_SV("none"), now, NULL, 0, &left, &match, &err), HF_E_FORMAT);
}

HF_TEST_MAIN(cmocka_unit_test(settings_are_read_strictly), cmocka_unit_test(both_versions_are_answered_in_their_own),
	     cmocka_unit_test(what_is_no_review_has_no_answer),
	     cmocka_unit_test(objects_that_cannot_be_read_are_denied),
	     cmocka_unit_test(updates_are_judged_where_they_change_something),
	     cmocka_unit_test(other_operations_subresources_and_namespaces_are_passed_over),
	     cmocka_unit_test(exemptions_of_pod_security), cmocka_unit_test(images_are_judged_by_their_whole_names),
	     cmocka_unit_test(templates_are_judged_as_the_pods_they_make),
	     cmocka_unit_test(warnings_are_cut_between_characters),
	     cmocka_unit_test(the_same_object_is_asked_about_once),
	     cmocka_unit_test(policies_without_a_verdict_are_closed_or_open_by_their_own_word),
	     cmocka_unit_test(programs_are_asked_together_and_stay_apart),
	     cmocka_unit_test(checks_of_holdfasts_own_may_be_policies),
	     cmocka_unit_test(namespaces_are_known_or_give_no_verdict),
	     cmocka_unit_test(large_namespaces_hide_no_small_ones),
	     cmocka_unit_test(an_answer_has_room_for_the_worst_object),
	     cmocka_unit_test(a_policy_without_an_end_is_decided_by_its_own_on_error),
	     cmocka_unit_test(a_worker_that_dies_of_its_limit_of_memory_is_replaced),
	     cmocka_unit_test(certificates_are_for_their_names_and_time))
