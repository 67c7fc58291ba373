/* Any bytes as a file of policies, and behind the first NUL, if there is one, as manifests. Policies are read, or refused with a reason, and
 * compiled, alone and together; what runs are programs of our own, since libjq cannot be stopped in the midst of one that has no end. */
#include <stdlib.h>

#include "base/limits.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* jq 1.6 loses words of programs that it refuses. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libjq";
}

static struct hf_policy_program *compile(const struct hf_policy *p)
{
	struct hf_policy_program *program = NULL;
	struct hf_err err = { 0 };

	return hf_policy_compile(p, &program, &err) < 0 ? NULL : program;
}

static void compile_all(const struct hf_policies *all)
{
	struct hf_policy_joint *joint;
	struct hf_err err = { 0 };

	int r = hf_policy_joint_compile(all, &joint, &err);
	if (r < 0 && !err.msg[0])
		abort();
	if (r >= 0)
		hf_policy_joint_free(joint);
	if (all->at[0].program.len)
		hf_policy_program_free(compile(&all->at[0]));
}

static void note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	(void)file;
	if (!line || !what.len)
		abort();
	++*(size_t *)ctx;
}

static const struct hf_kube_objects *manifests(hf_sv text, struct hf_arena *a)
{
	struct hf_kube_source *source = hf_arena_new(a, struct hf_kube_source);
	struct hf_kube_loader *l = hf_kube_loader_new(a);
	struct hf_err err = { 0 };

	if (source)
		*source = (struct hf_kube_source){ .name = HF_SV("fuzz"), .text = text };
	const struct hf_kube_objects *set = source && hf_kube_load(l, source, &err) >= 0 ? hf_kube_loaded(l) : NULL;
	hf_kube_loader_free(l);
	return set;
}

/* A verdict of failure has findings, one that is not known has a reason, and the others have neither. */
static void ask(const struct hf_policy *p, struct hf_policy_program *program, struct hf_policy_input *in,
		struct hf_arena *a)
{
	struct hf_policy_answer answer = hf_policy_ask(p, program, in, a);

	if ((answer.verdict == HF_POLICY_FAIL) != (answer.findings_n > 0) && !a->over)
		abort();
	if ((answer.verdict == HF_POLICY_UNKNOWN) != (answer.error.len > 0) && !a->over)
		abort();
}

static const struct hf_kube_pod *pod_of(const struct hf_kube_pod *pods, size_t n, const struct hf_kube_object *o)
{
	for (size_t i = 0; i < n; i++)
		if (pods[i].object == o)
			return &pods[i];
	return NULL;
}

static const char *const texts[] = { ".",
				     ".metadata.name",
				     "..|strings",
				     "$pod.spec.containers[]?.image",
				     "{message: .kind, path: .metadata?}",
				     "error(.)" };
/* Compiled once: libjq takes 20 ms for its builtins alone. */
static struct hf_policy_program *programs[HF_ARRAY_SIZE(texts)];

static void free_programs(void)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++)
		hf_policy_program_free(programs[i]);
}

static void run(const struct hf_kube_objects *set, struct hf_arena *a)
{
	size_t pods_n;
	const struct hf_kube_pod *pods = hf_kube_pods(set, a, &pods_n);

	for (size_t k = 0; k < set->n && k < 16; k++) {
		struct hf_policy_input *in =
			hf_policy_input_new(set->objects[k], pod_of(pods, pods_n, set->objects[k]), NULL);
		for (size_t i = 0; in && i < HF_ARRAY_SIZE(texts); i++) {
			const struct hf_policy p = { .id = HF_SV("OWN"),
						     .title = HF_SV("own"),
						     .subject = (enum hf_policy_subject)(i % 3),
						     .program = hf_sv_of(texts[i]) };
			if (!programs[0])
				atexit(free_programs);
			if (!programs[i] && !(programs[i] = compile(&p)))
				abort();
			ask(&p, programs[i], in, a);
		}
		hf_policy_input_free(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	hf_sv file = { (const char *)data, size }, objects = HF_SV("");
	struct hf_policies all = { 0 };
	struct hf_err err = { 0 };
	size_t notes = 0;

	hf_sv_cut(file, '\0', &file, &objects);
	int r = hf_policies_read(&all, HF_SV("fuzz"), file, &a, note, &notes, &err);
	if ((r < 0 && !err.msg[0]) || (r == HF_PARTIAL) != (notes && r >= 0))
		abort();
	if (r >= 0 && all.n)
		compile_all(&all);
	const struct hf_kube_objects *set = objects.len ? manifests(objects, &a) : NULL;
	if (set)
		run(set, &a);
	return 0;
}
