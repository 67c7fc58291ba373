#include "sensor/record.h"

#include <stdio.h>

#include "base/cursor.h"

bool hf_record_head(hf_sv record, struct hf_record *ret)
{
	if (record.len < sizeof *ret)
		return false;
	memcpy(ret, record.ptr, sizeof *ret);
	return ret->size <= record.len && ret->size >= sizeof *ret && ret->kind < HF_EVENT_KINDS;
}

static hf_sv fixed_text(hf_sv record, size_t at, size_t size)
{
	hf_sv s = hf_sv_slice(record, at, size);
	size_t end = hf_sv_index(s, '\0');

	return end == SIZE_MAX ? s : hf_sv_first(s, end);
}

static void front(hf_sv record, const struct hf_record *h, struct hf_event *e)
{
	e->kind = h->kind;
	hf_event_set_uint(e, HF_FIELD_MONOTONIC_NS, h->ns);
	hf_event_set_uint(e, HF_FIELD_CONTAINER_CGROUP_ID, h->cgroup_id);
	if (h->kind == HF_EVENT_CONTAINER_START || h->kind == HF_EVENT_CONTAINER_STOP || !h->pid)
		return; /* who makes and removes cgroups is the engine */
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID, h->pid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_TID, h->tid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PID_IN_CONTAINER, h->pid_in_container);
	hf_event_set_uint(e, HF_FIELD_PROCESS_START_NS, h->start_ns);
	hf_event_set_string(e, HF_FIELD_PROCESS_NAME,
			    fixed_text(record, offsetof(struct hf_record, name), sizeof h->name));
	hf_event_set_uint(e, HF_FIELD_PROCESS_UID, h->uid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_GID, h->gid);
	hf_event_set_uint(e, HF_FIELD_PROCESS_CAPABILITIES, h->capabilities);
	hf_event_set_bool(e, HF_FIELD_PROCESS_SETUP, h->process_flags & HF_PROCESS_SETUP);
	hf_event_set_bool(e, HF_FIELD_PROCESS_ENTERED, h->process_flags & HF_PROCESS_ENTERED);
	hf_event_set_uint(e, HF_FIELD_PROCESS_PARENT_PID, h->parent_pid);
	hf_event_set_string(e, HF_FIELD_PROCESS_PARENT_NAME,
			    fixed_text(record, offsetof(struct hf_record, parent_name), sizeof h->parent_name));
	if (h->execution)
		hf_event_set_uint(e, HF_FIELD_PROCESS_EXECUTION, h->execution);
	if (h->parent_execution)
		hf_event_set_uint(e, HF_FIELD_PROCESS_PARENT_EXECUTION, h->parent_execution);
}

static hf_sv descriptor_name(uint32_t is)
{
	static const char *const names[] = { "closed", "terminal", "socket", "pipe", "file", "null", "other" };

	return is < HF_ARRAY_SIZE(names) ? hf_sv_of(names[is]) : (hf_sv){ 0 };
}

static int arguments(hf_sv bytes, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	HF_VEC(hf_sv) list = { 0 };

	while (bytes.len) {
		size_t end = hf_sv_index(bytes, '\0');
		hf_sv *slot = hf_vec_push(a, &list);

		if (!slot)
			return hf_fail(err, HF_E_LIMIT, "the arguments take too much memory");
		*slot = hf_sv_first(bytes, end == SIZE_MAX ? bytes.len : end);
		bytes = hf_sv_skip(bytes, end == SIZE_MAX ? bytes.len : end + 1);
	}
	hf_event_set_list(e, HF_FIELD_PROCESS_ARGUMENTS, list.n ? list.at : &(hf_sv){ 0 }, list.n);
	if (!list.n)
		e->values[HF_FIELD_PROCESS_ARGUMENTS].list = NULL;
	return 0;
}

static void exec_file(const struct hf_record_exec *x, struct hf_event *e)
{
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_INODE, x->inode);
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_DEVICE, x->device);
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_SIZE, x->size_bytes);
	if (x->modified_ns)
		hf_event_set_int(e, HF_FIELD_PROCESS_EXE_MODIFIED_NS, x->modified_ns);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_TRUNCATED, x->flags & HF_EXEC_PATH_TRUNCATED);
	if (x->flags & HF_EXEC_OVERLAY)
		hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_UPPER, x->flags & HF_EXEC_UPPER);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_DELETED, x->flags & HF_EXEC_DELETED);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_MEMORY, x->flags & HF_EXEC_MEMORY);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_SETUID, x->flags & HF_EXEC_SETUID);
	hf_event_set_bool(e, HF_FIELD_PROCESS_TERMINAL, x->flags & HF_EXEC_TERMINAL);
	hf_event_set_string(e, HF_FIELD_PROCESS_STDIN, descriptor_name(x->stdin_is));
	hf_event_set_string(e, HF_FIELD_PROCESS_STDOUT, descriptor_name(x->stdout_is));
}

static int exec_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_exec x;

	if (record.len < sizeof x)
		return hf_fail(err, HF_E_FORMAT, "a record of an execution is %zu bytes short", sizeof x - record.len);
	memcpy(&x, record.ptr, sizeof x);
	struct hf_cur c = hf_cur_of(hf_sv_skip(record, sizeof x));
	hf_sv path = hf_cur_take(&c, x.path_length), script = hf_cur_take(&c, x.script_length);
	hf_sv cwd = hf_cur_take(&c, x.cwd_length), argv = hf_cur_take(&c, x.arguments_length);
	if (c.failed)
		return hf_fail(err, HF_E_FORMAT, "the texts of an execution's record are longer than it is");
	exec_file(&x, e);
	if (path.len)
		hf_event_set_string(e, HF_FIELD_PROCESS_EXE_PATH, path);
	if (script.len)
		hf_event_set_string(e, HF_FIELD_PROCESS_SCRIPT, script);
	if (cwd.len && !(x.flags & HF_EXEC_CWD_TRUNCATED))
		hf_event_set_string(e, HF_FIELD_PROCESS_CWD, cwd);
	if (x.flags & (HF_EXEC_ARGUMENTS_TRUNCATED | HF_EXEC_ARGUMENTS_UNREADABLE))
		hf_event_set_bool(e, HF_FIELD_PROCESS_ARGUMENTS_TRUNCATED, true);
	if (x.flags & HF_EXEC_ARGUMENTS_UNREADABLE)
		return 0;
	return arguments(argv, a, e, err);
}

static int exit_event(hf_sv record, const struct hf_record *h, struct hf_event *e, struct hf_err *err)
{
	struct hf_record_exit x;

	if (record.len < sizeof x)
		return hf_fail(err, HF_E_FORMAT, "a record of an end is %zu bytes short", sizeof x - record.len);
	memcpy(&x, record.ptr, sizeof x);
	if (x.status & 0x7f)
		hf_event_set_uint(e, HF_FIELD_EXIT_SIGNAL, x.status & 0x7f);
	else
		hf_event_set_uint(e, HF_FIELD_EXIT_CODE, x.status >> 8 & 0xff);
	if (h->ns >= h->start_ns)
		hf_event_set_uint(e, HF_FIELD_EXIT_DURATION_NS, h->ns - h->start_ns);
	return 0;
}

hf_sv hf_record_cgroup_path(hf_sv record)
{
	struct hf_record_cgroup x;

	if (record.len < sizeof x)
		return (hf_sv){ 0 };
	memcpy(&x, record.ptr, sizeof x);
	return hf_sv_slice(record, sizeof x, x.path_length);
}

uint64_t hf_record_old_execution(hf_sv record)
{
	struct hf_record_exec x;

	if (record.len < sizeof x)
		return 0;
	memcpy(&x, record.ptr, sizeof x);
	return x.head.kind == HF_EVENT_EXEC ? x.old_execution : 0;
}

int hf_record_event(hf_sv record, struct hf_arena *a, struct hf_event *e, struct hf_err *err)
{
	struct hf_record h;

	if (!hf_record_head(record, &h))
		return hf_fail(err, HF_E_FORMAT, "a record of %zu bytes is cut or of no known kind", record.len);
	record = hf_sv_first(record, h.size);
	front(record, &h, e);
	if (h.kind == HF_EVENT_EXEC)
		return exec_event(record, a, e, err);
	if (h.kind == HF_EVENT_EXIT)
		return exit_event(record, &h, e, err);
	if (h.kind == HF_EVENT_CONTAINER_START || h.kind == HF_EVENT_CONTAINER_STOP)
		hf_event_set_string(e, HF_FIELD_CONTAINER_CGROUP, hf_record_cgroup_path(record));
	return 0;
}
