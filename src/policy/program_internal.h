/* What one program and many in one share. */
#pragma once
#include <jq.h>

#include "base/buffer.h"
#include "policy/policy.h"

/* What is gathered of one policy's answers. */
struct hf_policy_asking {
	const struct hf_policy *policy;
	struct hf_arena *arena;
	HF_VEC(struct hf_policy_finding) findings;
	hf_sv error;
};

struct hf_policy_input {
	const struct hf_kube_object *object;
	const struct hf_kube_pod *pod;
	jv root, template, namespace;
	jv *containers; /* of the pod; made when the first program wants them */
};

/* Takes the functions away that see more than their input. */
extern const char hf_policy_prelude[];

/* jq's error callback: adds the message to the struct hf_buf @buf, "; " between several; takes @message. */
void hf_policy_keep_message(void *buf, jv message);
/* The value as jq has it, the caller's to free; null for NULL. Numbers are doubles, of their first 60 bytes. */
jv hf_policy_jv_of(const struct hf_value *);
/* True where a word of the program, even in a text, could read files, modules, environment or arguments: such a program is refused. */
bool hf_policy_reaches_out(hf_sv program);
/* Whether brackets and texts end where they began: what stands in brackets itself cannot leave them then. */
bool hf_policy_is_balanced(hf_sv program);
/* A text in the arena; takes @v. */
hf_sv hf_policy_text_of(struct hf_policy_asking *, jv v);
/* Takes @v. False: no answer that a policy may give. */
bool hf_policy_take(struct hf_policy_asking *, jv v);
void hf_policy_make_containers(struct hf_policy_input *);
struct hf_policy_answer hf_policy_answer_of(const struct hf_policy_asking *);
