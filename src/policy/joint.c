/* Many programs in one. */
#include <stdlib.h>

#include "base/limits.h"
#include "policy/expression.h"
#include "policy/program_internal.h"

enum {
	NESTING_MAX = 256,
	/* jq's jumps reach as far as 16 bits say, within one function: so many policies, or so much text, are one. */
	CHUNK_POLICIES = 24,
	CHUNK_BYTES = 8 << 10,
};

struct hf_policy_joint {
	const struct hf_policies *policies;
	jq_state *jq;
	struct hf_expressions **expressions; /* of policies that can do without jq mostly; else NULL */
	jv parameters;                       /* of all policies */
	uint32_t *chunk_of;
	size_t chunks_n;
	struct hf_buf messages;
	struct hf_policy_board *board; /* NULL: nobody looks */
};

bool hf_policy_is_balanced(hf_sv s)
{
	char open[NESTING_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (n && open[n - 1] == '"') { /* in a text; \\( begins a program within */
			if (c == '\\' && i + 1 < s.len) {
				if (s.ptr[++i] != '(')
					continue;
				c = '(';
			} else if (c == '"') {
				n--;
				continue;
			} else {
				continue;
			}
		}
		if (c == '#') {
			while (i + 1 < s.len && s.ptr[i + 1] != '\n')
				i++;
		} else if (strchr("([{\"", c) && c) {
			if (n == NESTING_MAX)
				return false;
			open[n++] = c;
		} else if (c == ')' || c == ']' || c == '}') {
			if (!n || open[--n] != (c == ')' ? '(' : c == ']' ? '[' : '{'))
				return false;
		}
	}
	return !n;
}

static const char *const subjects[] = { "$object", "$pod", "$container" };

/* Each tells its number before it runs. "def c0: (policy), (policy); def c1: …; (if $chunks[0] then c0 else empty end), …": a policy gives [its number, what it says], or [its number,
 * "error", why]. */
static void write_program(struct hf_policy_joint *j, struct hf_buf *out)
{
	size_t in_chunk = 0, bytes = 0;

	hf_buf_add(out, HF_SV("def __mark(n): n | debug | empty;")); /* jq's own debug, which nobody has behind it */
	hf_buf_add(out, hf_sv_of(hf_policy_prelude));
	hf_buf_add(out,
		   HF_SV(". as {$object, $pod, $container, $namespace, $__want, $__chunks, $__parameters} | null as "
			 "$parameters | (\n"));
	for (enum hf_policy_subject subject = HF_POLICY_OBJECT; subject <= HF_POLICY_CONTAINER; subject++) {
		for (size_t i = 0; i < j->policies->n; i++) {
			const struct hf_policy *p = &j->policies->at[i];
			if (p->check.len || p->subject != subject)
				continue;
			if (!in_chunk)
				hf_buf_addf(out, "def c%zu: ", j->chunks_n++);
			hf_buf_addf(out, "%s(if $__want[%zu] then __mark(%zu), (try (", in_chunk ? ",\n" : "", i, i);
			if (p->parameters)
				hf_buf_addf(out, "$__parameters[%zu] as $parameters | ", i);
			hf_buf_addf(out, "%s | (\n", subjects[subject]);
			hf_buf_add(out, p->program);
			hf_buf_addf(out, "\n) | [%zu, .]) catch [%zu, \"error\", .]) else empty end)", i, i);
			j->chunk_of[i] = (uint32_t)(j->chunks_n - 1);
			bytes += p->program.len;
			if (++in_chunk < CHUNK_POLICIES && bytes < CHUNK_BYTES)
				continue;
			hf_buf_add(out, HF_SV(";\n"));
			in_chunk = bytes = 0;
		}
		hf_buf_add(out, in_chunk ? HF_SV(";\n") : HF_SV(""));
		in_chunk = bytes = 0;
	}
	hf_buf_add(out, HF_SV("empty"));
	for (size_t i = 0; i < j->chunks_n; i++)
		hf_buf_addf(out, ",\n(if $__chunks[%zu] then c%zu else empty end)", i, i);
	hf_buf_add(out, HF_SV(")"));
	hf_buf_add_char(out, 0);
}

static void show(const struct hf_policy_joint *j, uint32_t running)
{
	if (!j->board)
		return;
	__atomic_store_n(&j->board->running, running, __ATOMIC_RELAXED);
	__atomic_add_fetch(&j->board->turn, 1, __ATOMIC_RELEASE);
}

static void take_mark(void *ctx, jv number)
{
	if (jv_get_kind(number) == JV_KIND_NUMBER)
		show(ctx, (uint32_t)jv_number_value(number) + 1);
	jv_free(number);
}

void hf_policy_joint_watch(struct hf_policy_joint *j, struct hf_policy_board *board)
{
	j->board = board;
}

/* Whose fault it is that they do not compile together. */
static int blame(const struct hf_policies *policies, struct hf_err *err)
{
	for (size_t i = 0; i < policies->n; i++) {
		struct hf_policy_program *p;
		int r = policies->at[i].check.len ? HF_OK : hf_policy_compile(&policies->at[i], &p, err);
		if (r < 0)
			return r;
		if (!policies->at[i].check.len)
			hf_policy_program_free(p);
	}
	return hf_fail(err, HF_E_LIMIT, "the policies together are too large for jq");
}

int hf_policy_joint_compile(const struct hf_policies *policies, struct hf_policy_joint **ret, struct hf_err *err)
{
	struct hf_policy_joint *j = hf_calloc(1, sizeof *j);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_POLICY_JOINT_MAX);
	bool good = true;

	*ret = NULL;
	*j = (struct hf_policy_joint){ .policies = policies, .parameters = jv_array(), .messages = HF_BUF(HF_KIB(4)) };
	j->chunk_of = hf_calloc(policies->n + 1, sizeof *j->chunk_of);
	j->expressions = hf_calloc(policies->n + 1, sizeof(struct hf_expressions *));
	for (size_t i = 0; i < policies->n; i++) {
		hf_sv program = policies->at[i].program;
		good &= program.len <= HF_POLICY_PROGRAM_MAX && hf_policy_is_balanced(program) &&
			!hf_policy_reaches_out(program) && (!program.len || !memchr(program.ptr, 0, program.len));
		j->parameters = jv_array_append(j->parameters, hf_policy_jv_of(policies->at[i].parameters));
	}
	write_program(j, &text);
	j->jq = good && !text.over ? jq_init() : NULL;
	if (j->jq) {
		jq_set_error_cb(j->jq, hf_policy_keep_message, &j->messages);
		jq_set_debug_cb(j->jq, take_mark, j);
		jq_set_attr(j->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
		unsetenv("HOME"); /* libjq puts ~/.jq before every program, which could make each of them pass */
	}
	if (!j->jq || !jq_compile(j->jq, text.ptr)) {
		hf_policy_joint_free(j);
		return blame(policies, err);
	}
	for (size_t i = 0; i < policies->n; i++)
		if (!policies->at[i].check.len)
			j->expressions[i] = hf_expression_read(policies->at[i].program);
	*ret = j;
	return HF_OK;
}

void hf_policy_joint_free(struct hf_policy_joint *j)
{
	if (!j)
		return;
	if (j->jq)
		jq_teardown(&j->jq);
	jv_free(j->parameters);
	for (size_t i = 0; i < j->policies->n; i++)
		hf_expression_free(j->expressions[i]);
	free(j->expressions);
	free(j->chunk_of);
	hf_buf_done(&j->messages);
	free(j);
}

struct round {
	struct hf_policy_joint *joint;
	struct hf_policy_input *input;
	struct hf_policy_asking *asking; /* of each policy */
	size_t *answers;
	bool *now; /* asked in this round */
};

static jv flags(const bool *of, size_t n)
{
	jv out = jv_array_sized((int)n + 1);

	for (size_t i = 0; i < n; i++)
		out = jv_array_append(out, of[i] ? jv_true() : jv_false());
	return out;
}

static jv input_of(const struct round *r, jv container, struct hf_arena *arena)
{
	const struct hf_policy_joint *j = r->joint;
	bool *chunks = hf_arena_array(arena, bool, j->chunks_n + 1);
	jv in = jv_object();

	for (size_t i = 0; chunks && i < j->policies->n; i++)
		if (r->now[i])
			chunks[j->chunk_of[i]] = true;
	in = jv_object_set(in, jv_string("object"), jv_copy(r->input->root));
	in = jv_object_set(in, jv_string("pod"), jv_copy(r->input->template));
	in = jv_object_set(in, jv_string("container"), container);
	in = jv_object_set(in, jv_string("namespace"), jv_copy(r->input->namespace));
	in = jv_object_set(in, jv_string("__parameters"), jv_copy(j->parameters));
	in = jv_object_set(in, jv_string("__want"), flags(r->now, j->policies->n));
	return jv_object_set(in, jv_string("__chunks"), flags(chunks, chunks ? j->chunks_n : 0));
}

/* Takes [number, answer] or [number, "error", why]. False: too much of one policy, which is named by *ret_policy. */
static bool take(struct round *r, jv v, size_t *ret_policy)
{
	jv number = jv_array_get(jv_copy(v), 0);
	size_t i = (size_t)jv_number_value(number);
	struct hf_policy_asking *a = &r->asking[i];
	bool failed = jv_array_length(jv_copy(v)) == 3;

	jv_free(number);
	if (!a->error.len && failed) {
		jv why = jv_array_get(jv_copy(v), 2);
		if (jv_get_kind(why) != JV_KIND_STRING)
			why = jv_dump_string(why, 0);
		a->error = hf_policy_text_of(a, why);
		a->error = a->error.len ? a->error : HF_SV("an error without a message");
	} else if (!a->error.len &&
		   (++r->answers[i] > HF_POLICY_FINDINGS_MAX || !hf_policy_take(a, jv_array_get(jv_copy(v), 1)))) {
		a->error = HF_SV("gives out what is neither text, nor true, nor an object with a message, or too much");
	}
	jv_free(v);
	*ret_policy = i;
	return r->answers[i] <= HF_POLICY_FINDINGS_MAX;
}

/* What a policy says, until it says too much or what is no answer: then jq is asked. */
struct said {
	struct hf_policy_asking *asking;
	size_t answers;
};

static bool hear(void *ctx, jv v)
{
	struct said *s = ctx;

	if (++s->answers > HF_POLICY_FINDINGS_MAX) {
		jv_free(v);
		return false;
	}
	return hf_policy_take(s->asking, v);
}

/* Asks what can be asked without jq. True where somebody is left who cannot. */
static bool ask_expressions(struct round *r, jv container)
{
	const struct hf_policy_joint *j = r->joint;
	jv variables[HF_EXPRESSION_OWN_SLOTS] = { [HF_EXPRESSION_OBJECT_SLOT] = r->input->root,
						  [HF_EXPRESSION_POD_SLOT] = r->input->template,
						  [HF_EXPRESSION_CONTAINER_SLOT] = container,
						  [HF_EXPRESSION_NAMESPACE_SLOT] = r->input->namespace };
	bool left = false;

	for (size_t i = 0; i < j->policies->n; i++) {
		struct hf_policy_asking before = r->asking[i];
		struct said said = { .asking = &r->asking[i] };
		if (!r->now[i])
			continue;
		show(j, (uint32_t)i + 1);
		variables[HF_EXPRESSION_PARAMETERS_SLOT] = jv_array_get(jv_copy(j->parameters), (int)i);
		if (j->expressions[i] &&
		    hf_expression_run(j->expressions[i],
				      variables[HF_EXPRESSION_OBJECT_SLOT + j->policies->at[i].subject], variables,
				      &said, hear)) {
			r->now[i] = false;
		} else {
			r->asking[i] = before;
			left = true;
		}
		jv_free(variables[HF_EXPRESSION_PARAMETERS_SLOT]);
	}
	return left;
}

/* Asks those of the round; again without one that does not stop talking. */
static void ask(struct round *r, jv container, struct hf_arena *arena)
{
	size_t n = r->joint->policies->n, talker = 0;

	if (!ask_expressions(r, container)) {
		jv_free(container);
		return;
	}
	struct hf_policy_asking *before = hf_arena_array(arena, struct hf_policy_asking, n);
	bool done = false;
	jv v;

	if (before)
		memcpy(before, r->asking, n * sizeof *before);
	while (!done && before) {
		done = true;
		jq_start(r->joint->jq, input_of(r, jv_copy(container), arena), 0);
		while (jv_is_valid(v = jq_next(r->joint->jq)))
			if (!take(r, v, &talker)) {
				hf_sv why = r->asking[talker].error;
				memcpy(r->asking, before, n * sizeof *before);
				memset(r->answers, 0, n * sizeof *r->answers);
				before[talker].error = r->asking[talker].error = why;
				r->now[talker] = false;
				done = false;
				break;
			}
		if (!done)
			continue;
		for (size_t i = 0; jv_invalid_has_msg(jv_copy(v)) && i < n; i++)
			if (r->now[i] && !r->asking[i].error.len)
				r->asking[i].error = HF_SV("the policies could not be asked together");
		jv_free(v);
	}
	for (size_t i = 0; !before && i < n; i++)
		r->asking[i].error = HF_SV("no memory is left");
	jv_free(container);
}

/* True where one of that subject is wanted and has no error yet. */
static bool select_now(struct round *r, const bool *wanted, bool of_containers)
{
	bool any = false;

	for (size_t i = 0; i < r->joint->policies->n; i++) {
		const struct hf_policy *p = &r->joint->policies->at[i];
		r->now[i] = wanted[i] && !p->check.len && (p->subject == HF_POLICY_CONTAINER) == of_containers &&
			    !r->asking[i].error.len;
		any |= r->now[i];
	}
	return any;
}

void hf_policy_joint_ask(struct hf_policy_joint *j, const bool *wanted, struct hf_policy_input *input,
			 struct hf_arena *arena, struct hf_policy_answer *answers)
{
	size_t n = j->policies->n;
	struct round r = { .joint = j,
			   .input = input,
			   .asking = hf_arena_array(arena, struct hf_policy_asking, n),
			   .answers = hf_arena_array(arena, size_t, n),
			   .now = hf_arena_array(arena, bool, n) };

	if (!r.asking || !r.answers || !r.now) {
		for (size_t i = 0; i < n; i++)
			answers[i] = (struct hf_policy_answer){ .verdict = HF_POLICY_UNKNOWN,
								.error = HF_SV("no memory is left") };
		return;
	}
	for (size_t i = 0; i < n; i++)
		r.asking[i] = (struct hf_policy_asking){ .policy = &j->policies->at[i], .arena = arena };
	if (select_now(&r, wanted, false))
		ask(&r, jv_null(), arena);
	if (input->pod && select_now(&r, wanted, true)) {
		hf_policy_make_containers(input);
		for (size_t k = 0; k < input->pod->containers_n && select_now(&r, wanted, true); k++) {
			memset(r.answers, 0, n * sizeof *r.answers);
			ask(&r, jv_copy(input->containers[k]), arena);
		}
	}
	show(j, 0);
	for (size_t i = 0; i < n; i++)
		if (wanted[i])
			answers[i] = hf_policy_answer_of(&r.asking[i]);
}
