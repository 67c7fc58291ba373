/* Any bytes as an AdmissionReview: a decision, its answer and its record; what denies has said why, and twice the same is decided the same. */
#include <stdlib.h>

#include "admission/review.h"
#include "base/limits.h"
#include "format/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* jq 1.6 loses words of programs that it refuses. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libjq";
}

static const char settings_text[] =
	"pod_security: {enforce: baseline, warn: restricted, audit: 'restricted:v1.22', exempt: {users: ['sys*']}}\n"
	"images: {registries: [registry.test, docker.io/library/], deny: ['*:latest'], require_digest: true}\n"
	"ignore_namespaces: [kube-*]\n";
static const char policies_text[] =
	"policies:\n"
	"- {id: a, title: t, subject: container, action: warn, deny: 'select(.image|test(\"x\"))|.image'}\n"
	"- {id: b, title: t, action: audit, deny: '.metadata.labels[]?'}\n";

static struct hf_arena arena = HF_ARENA(64 << 20);
static struct hf_admission_settings settings;
static struct hf_policies policies;
static struct hf_admission *admission;

static void no_note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	(void)ctx, (void)file, (void)line, (void)what;
	abort();
}

static void begin(void)
{
	if (hf_admission_settings_read(hf_sv_of(settings_text), &arena, &settings, NULL) < 0 ||
	    hf_policies_read(&policies, HF_SV("p"), hf_sv_of(policies_text), &arena, no_note, NULL, NULL) < 0 ||
	    hf_admission_new(&settings, &policies, (struct hf_admission_images){ 0 }, &admission, NULL) < 0)
		abort();
}

static void check_json(hf_sv text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct hf_value v;
	size_t used;

	if (hf_value_of_json(text, 0, &a, (struct hf_value_notes){ 0 }, &v, &used, NULL) < 0 || used != text.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_ADMISSION_ARENA_MAX);
	struct hf_arena again = HF_ARENA(HF_ADMISSION_ARENA_MAX);
	struct hf_buf answer = HF_BUF(HF_ADMISSION_ANSWER_MAX), record = HF_BUF(HF_ADMISSION_ANSWER_MAX);
	struct hf_admission_decision d, second;
	hf_sv text = { (const char *)data, size };
	struct hf_err err = { 0 };

	if (!admission)
		begin();
	if (hf_admission_review(admission, text, &a, &d, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else {
		if (!d.allowed && !d.reasons_n)
			abort();
		hf_admission_answer(&d, &answer);
		hf_admission_record(&d, &record);
		if (!answer.over)
			check_json(hf_buf_view(&answer));
		if (!record.over)
			check_json(hf_buf_view(&record));
		if (hf_admission_review(admission, text, &again, &second, NULL) < 0 || second.allowed != d.allowed)
			abort();
	}
	hf_buf_done(&answer);
	hf_buf_done(&record);
	hf_arena_done(&again);
	return 0;
}
