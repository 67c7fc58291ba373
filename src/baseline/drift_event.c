#include "baseline/drift_event.h"

#include "baseline/package_managers.h"

static void set_process(const struct hf_event *e, struct hf_drift_question *q)
{
	const struct hf_value *tree = &e->values[HF_FIELD_PROCESS_ANCESTORS];

	q->container = hf_event_uint(e, HF_FIELD_CONTAINER_CGROUP_ID);
	q->pid = hf_event_uint(e, HF_FIELD_PROCESS_PID);
	q->start_ns = hf_event_uint(e, HF_FIELD_PROCESS_START_NS);
	if (tree->type == HF_VALUE_TREE) {
		q->ancestors = tree->tree;
		q->ancestors_n = tree->n;
	}
}

static bool may_be_written(const struct hf_event *e, uint64_t root)
{
	uint64_t device = hf_event_uint(e, HF_FIELD_PROCESS_EXE_DEVICE);

	if (root && device && device != root)
		return true;
	return !hf_event_has(e, HF_FIELD_PROCESS_EXE_UPPER) || hf_event_bool(e, HF_FIELD_PROCESS_EXE_UPPER) ||
	       hf_event_bool(e, HF_FIELD_PROCESS_EXE_MEMORY) || hf_event_bool(e, HF_FIELD_PROCESS_EXE_DELETED);
}

static enum hf_drift_subject of_program(const struct hf_event *e, struct hf_drift_question *q)
{
	if (hf_event_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED))
		return HF_DRIFT_NOTHING;
	q->path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);
	q->memory = hf_event_bool(e, HF_FIELD_PROCESS_EXE_MEMORY);
	q->deleted = hf_event_bool(e, HF_FIELD_PROCESS_EXE_DELETED);
	q->upper = hf_event_bool(e, HF_FIELD_PROCESS_EXE_UPPER);
	q->inode = hf_event_uint(e, HF_FIELD_PROCESS_EXE_INODE);
	q->device = hf_event_uint(e, HF_FIELD_PROCESS_EXE_DEVICE);
	q->size = hf_event_uint(e, HF_FIELD_PROCESS_EXE_SIZE);
	q->modified_ns = hf_event_int(e, HF_FIELD_PROCESS_EXE_MODIFIED_NS);
	return q->path.len || q->memory ? HF_DRIFT_PROGRAM : HF_DRIFT_NOTHING;
}

static enum hf_drift_subject of_script(const struct hf_event *e, struct hf_arena *a, struct hf_drift_question *q)
{
	hf_sv script = hf_event_string(e, HF_FIELD_PROCESS_SCRIPT), folder = hf_event_string(e, HF_FIELD_PROCESS_CWD);

	const struct hf_value *arguments = &e->values[HF_FIELD_PROCESS_ARGUMENTS];

	if (!script.len && arguments->type == HF_VALUE_LIST)
		script = interpreter_script(hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH), arguments->list,
					    arguments->n);
	if (!script.len || (script.ptr[0] != '/' && !folder.len))
		return HF_DRIFT_NOTHING;
	q->is_map = true;
	q->path = script.ptr[0] == '/' ? script : hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(folder), HF_SV_FMT(script));
	return q->path.len ? HF_DRIFT_SCRIPT : HF_DRIFT_NOTHING;
}

enum hf_drift_subject hf_drift_question_of(const struct hf_event *e, uint64_t root, struct hf_arena *a,
					   struct hf_drift_question *ret)
{
	*ret = (struct hf_drift_question){ 0 };
	if (!hf_event_has(e, HF_FIELD_CONTAINER_ID) || hf_event_bool(e, HF_FIELD_PROCESS_SETUP))
		return HF_DRIFT_NOTHING;
	set_process(e, ret);
	if (e->kind == HF_EVENT_EXEC)
		return may_be_written(e, root) ? of_program(e, ret) : of_script(e, a, ret);
	if (e->kind == HF_EVENT_CONNECT || e->kind == HF_EVENT_LISTEN) /* who calls, and who may be called */
		return hf_event_has(e, HF_FIELD_PROCESS_EXE_UPPER) && may_be_written(e, root) ? of_program(e, ret)
											      : HF_DRIFT_NOTHING;
	if (e->kind != HF_EVENT_MAP)
		return HF_DRIFT_NOTHING;
	ret->is_map = true;
	ret->path = hf_event_string(e, HF_FIELD_MAP_PATH);
	if (hf_sv_eq(ret->path, hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH)) &&
	    !hf_event_bool(e, HF_FIELD_MAP_DELETED))
		return HF_DRIFT_NOTHING; /* the program itself, which was judged as it was run */
	ret->inode = hf_event_uint(e, HF_FIELD_MAP_INODE);
	return ret->path.len ? HF_DRIFT_MAP : HF_DRIFT_NOTHING;
}

void hf_drift_describe(const struct hf_drift_answer *answer, enum hf_drift_subject subject, struct hf_event *e)
{
	hf_sv state = hf_sv_of(hf_drift_name(answer->state)), digest = hf_sv_of(answer->digest);

	switch (subject) {
	case HF_DRIFT_PROGRAM:
		hf_event_set_string(e, HF_FIELD_PROCESS_EXE_DRIFT, state);
		if (digest.len)
			hf_event_set_string(e, HF_FIELD_PROCESS_EXE_DIGEST, digest);
		break;
	case HF_DRIFT_SCRIPT:
		hf_event_set_string(e, HF_FIELD_PROCESS_SCRIPT_DRIFT, state);
		break;
	case HF_DRIFT_MAP:
		hf_event_set_string(e, HF_FIELD_MAP_DRIFT, state);
		if (digest.len)
			hf_event_set_string(e, HF_FIELD_MAP_DIGEST, digest);
		break;
	case HF_DRIFT_NOTHING:
		break;
	}
}
