/* Policies of an organisation: YAML whose questions are jq programs over the typed JSON (docs/policies.md). Pure, but for libjq's heap.
 *
 * A program sees the subject as `.`, and as variables $object (the whole object), $pod (metadata and spec of the template, null for kinds
 * that make no pods), $container, $namespace (its Namespace object, null where it is not known), $parameters. What it gives out is what
 * is wrong: a string is a message, an object has `message` and perhaps `path`, true stands for the policy's own message; nothing, null and
 * false mean that all is well. An error is no verdict: the answer is unknown, and said. Programs cannot open files, see the
 * environment or the clock: those functions are taken away.
 * Source of the language: jq 1.6, manual. */
#pragma once
#include "kube/pods.h"
#include "kube/selector.h"
#include "model/advisory.h"

enum hf_policy_subject { HF_POLICY_OBJECT, HF_POLICY_POD, HF_POLICY_CONTAINER };
enum hf_policy_action { HF_POLICY_DENY, HF_POLICY_WARN, HF_POLICY_AUDIT };
enum hf_policy_verdict { HF_POLICY_PASS, HF_POLICY_FAIL, HF_POLICY_NOT_APPLICABLE, HF_POLICY_UNKNOWN };

struct hf_policy {
	hf_sv id, title, message, fix, file;
	uint32_t line;
	enum hf_severity severity;
	const hf_sv *references;
	size_t references_n;
	enum hf_policy_subject subject;
	enum hf_policy_action action;
	bool allow_on_error; /* for admission: fail open */
	/* What it is asked about; empty lists: everything. */
	const hf_sv *kinds;
	size_t kinds_n;
	const hf_sv *namespaces, *not_namespaces; /* names, '*' for any run of characters */
	size_t namespaces_n, not_namespaces_n;
	const struct hf_label_selector *labels; /* of the object; NULL: any */
	/* One of these: */
	hf_sv program;                     /* jq, as written */
	hf_sv check;                       /* `check: KSV-0017`: a check of holdfast's own, for whoever resolves it */
	const struct hf_value *parameters; /* NULL: none */
};

struct hf_policy_test {
	hf_sv name, policy, file;
	uint32_t line;
	const struct hf_value *objects; /* an array */
	enum hf_policy_verdict expected;
	const hf_sv *messages; /* parts of messages that must come, in any order */
	size_t messages_n;
};

struct hf_policies {
	const struct hf_policy *at;
	size_t n;
	const struct hf_policy_test *tests;
	size_t tests_n;
};

/* Tells of what is wrong with a file of policies: the policy is left out. */
typedef void hf_policy_note(void *ctx, hf_sv file, uint32_t line, hf_sv what);
/* One file (`policies:` and `tests:`, either may be missing) is added to @into. Texts live in @text and the arena. HF_PARTIAL where something
 * was left out; HF_E_FORMAT. */
int hf_policies_read(struct hf_policies *into, hf_sv file, hf_sv text, struct hf_arena *, hf_policy_note *,
		     void *note_ctx, struct hf_err *);

/* A compiled program; one thread at a time. */
struct hf_policy_program;
/* HF_E_FORMAT with jq's message. */
int hf_policy_compile(const struct hf_policy *, struct hf_policy_program **ret, struct hf_err *);
void hf_policy_program_free(struct hf_policy_program *);

struct hf_policy_finding {
	hf_sv message;
	hf_sv path; /* as the program gave it: ".spec.containers[0].image"; may be empty */
};

struct hf_policy_answer {
	enum hf_policy_verdict verdict;
	const struct hf_policy_finding *findings;
	size_t findings_n;
	hf_sv error; /* of an unknown verdict */
};

/* True where the policy is to be asked about this object. */
bool hf_policy_applies(const struct hf_policy *, const struct hf_kube_object *);

/* An object as programs see it: made once, asked about many times; one thread at a time. @pod is NULL for kinds that make none, @namespace
 * where its object is not known. All of them must live as long. */
struct hf_policy_input;
struct hf_policy_input *hf_policy_input_new(const struct hf_kube_object *, const struct hf_kube_pod *,
					    const struct hf_kube_object *namespace);
void hf_policy_input_free(struct hf_policy_input *);
/* Asks about an object (about each of its containers where that is the subject). */
struct hf_policy_answer hf_policy_ask(const struct hf_policy *, struct hf_policy_program *, struct hf_policy_input *,
				      struct hf_arena *);

/* All programs of some policies in one, which is compiled once and asked once about an object: where there are hundreds, compiling each costs
 * seconds and starting each microseconds. Answers are those of hf_policy_ask. One thread at a time. */
struct hf_policy_joint;
/* Policies that name a check are passed over. They must live as long. HF_E_FORMAT with the policy and jq's message; HF_E_LIMIT. */
int hf_policy_joint_compile(const struct hf_policies *, struct hf_policy_joint **ret, struct hf_err *);
void hf_policy_joint_free(struct hf_policy_joint *);
/* Where it can be seen from another process which policy is asked at the moment: one that does not end is found by it. */
struct hf_policy_board {
	uint32_t running; /* its number, counted from 1; 0: none */
	uint32_t turn;    /* another one whenever `running` is written */
};
/* From now on writes there; it must live as long. */
void hf_policy_joint_watch(struct hf_policy_joint *, struct hf_policy_board *);
/* Asks those policies whose @wanted is true; their @answers are written. Whoever asks has seen to it that they apply. */
void hf_policy_joint_ask(struct hf_policy_joint *, const bool *wanted, struct hf_policy_input *, struct hf_arena *,
			 struct hf_policy_answer *answers);
