#include "sensor/executions.h"

#include <stdlib.h>

#include "base/limits.h"

enum { HF_EXECUTIONS_BUCKETS = 16384 };

static size_t bucket(uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 50) & (HF_EXECUTIONS_BUCKETS - 1);
}

void hf_executions_init(struct hf_executions *t, size_t n_max, size_t bytes_max)
{
	*t = (struct hf_executions){ .n_max = n_max ? n_max : 16384, .bytes_max = bytes_max ? bytes_max : HF_MIB(8) };
	t->by_id = hf_calloc(HF_EXECUTIONS_BUCKETS, sizeof *t->by_id);
	t->by_pid = hf_calloc(HF_EXECUTIONS_BUCKETS, sizeof *t->by_pid);
}

void hf_executions_done(struct hf_executions *t)
{
	for (size_t i = 0; t->by_id && i < HF_EXECUTIONS_BUCKETS; i++)
		for (struct hf_execution *e = t->by_id[i], *next; e; e = next) {
			next = e->next_of_id;
			free(e);
		}
	free(t->by_id);
	free(t->by_pid);
	*t = (struct hf_executions){ 0 };
}

struct hf_execution *hf_executions_find(const struct hf_executions *t, uint64_t id)
{
	struct hf_execution *e = id ? t->by_id[bucket(id)] : NULL;

	while (e && e->id != id)
		e = e->next_of_id;
	return e;
}

struct hf_execution *hf_executions_of_pid(const struct hf_executions *t, uint32_t pid, uint64_t time_ns)
{
	/* The newest stands first in its bucket. */
	for (struct hf_execution *e = t->by_pid[bucket(pid)]; e; e = e->next_of_pid) {
		if (e->pid != pid || (time_ns && e->since_ns > time_ns))
			continue;
		if (!e->ended_ns || (time_ns && time_ns <= e->ended_ns))
			return e;
	}
	return NULL;
}

static bool idle(const struct hf_execution *e)
{
	return e->ended_ns && !e->children;
}

static void queue_idle(struct hf_executions *t, struct hf_execution *e)
{
	e->older = t->newest;
	e->newer = NULL;
	if (t->newest)
		t->newest->newer = e;
	else
		t->oldest = e;
	t->newest = e;
	t->ended++;
}

static void unqueue(struct hf_executions *t, struct hf_execution *e)
{
	if (e->older)
		e->older->newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else
		t->newest = e->older;
	e->older = e->newer = NULL;
	t->ended--;
}

static void drop(struct hf_executions *t, struct hf_execution *e)
{
	struct hf_execution **at = &t->by_id[bucket(e->id)], *parent = hf_executions_find(t, e->parent);

	unqueue(t, e);
	while (*at != e)
		at = &(*at)->next_of_id;
	*at = e->next_of_id;
	for (at = &t->by_pid[bucket(e->pid)]; *at != e;)
		at = &(*at)->next_of_pid;
	*at = e->next_of_pid;
	t->n--;
	t->bytes -= e->bytes;
	bool counted = e->counted;
	free(e);
	if (parent && counted && !--parent->children && idle(parent))
		queue_idle(t, parent);
}

static bool make_room(struct hf_executions *t, size_t bytes)
{
	while (t->n >= t->n_max || t->bytes + bytes > t->bytes_max) {
		if (!t->oldest)
			return false;
		drop(t, t->oldest);
		t->made_room++;
	}
	return true;
}

struct hf_execution *hf_executions_add(struct hf_executions *t, const struct hf_execution *what)
{
	struct hf_execution *e = hf_executions_find(t, what->id);
	hf_sv path = hf_sv_first(what->path, HF_EXECUTION_TEXT_MAX);
	size_t text = path.len, n = 0;

	if (e)
		return e;
	while (n < what->arguments_n && n < HF_EXECUTION_ARGUMENTS_MAX &&
	       text + what->arguments[n].len <= HF_EXECUTION_TEXT_MAX)
		text += what->arguments[n++].len;
	size_t bytes = sizeof *e + n * sizeof(hf_sv) + text;
	if (!make_room(t, bytes)) {
		t->refused++;
		return NULL;
	}
	e = hf_malloc(bytes);
	*e = *what;
	hf_sv *list = (hf_sv *)(e + 1);
	char *to = (char *)(list + n);
	e->path = (hf_sv){ to, path.len };
	to = (char *)memcpy(to, path.ptr ? path.ptr : "", path.len) + path.len;
	for (size_t i = 0; i < n; i++) {
		list[i] = (hf_sv){ to, what->arguments[i].len };
		memcpy(to, what->arguments[i].ptr ? what->arguments[i].ptr : "", list[i].len);
		to += list[i].len;
	}
	e->arguments = list;
	e->arguments_n = n;
	e->children = 0;
	e->older = e->newer = NULL;
	e->bytes = bytes;
	size_t i = bucket(e->id), p = bucket(e->pid);
	e->next_of_id = t->by_id[i];
	t->by_id[i] = e;
	e->next_of_pid = t->by_pid[p];
	t->by_pid[p] = e;
	t->n++;
	t->bytes += bytes;
	struct hf_execution *parent = hf_executions_find(t, e->parent);
	e->counted = parent && parent != e;
	if (e->counted && !parent->children++ && parent->ended_ns)
		unqueue(t, parent);
	if (e->ended_ns)
		queue_idle(t, e);
	return e;
}

void hf_executions_end(struct hf_executions *t, struct hf_execution *e, uint64_t now_ns)
{
	if (e->ended_ns)
		return;
	e->ended_ns = now_ns ? now_ns : 1;
	if (idle(e))
		queue_idle(t, e);
	if (t->ended > HF_EXECUTIONS_ENDED_MAX)
		drop(t, t->oldest);
}

void hf_executions_each(struct hf_executions *t, void (*visit)(void *ctx, struct hf_execution *e), void *ctx)
{
	for (size_t i = 0; i < HF_EXECUTIONS_BUCKETS; i++)
		for (struct hf_execution *e = t->by_id[i]; e; e = e->next_of_id)
			if (!e->ended_ns)
				visit(ctx, e);
}

/* Where the image's own file runs, its place says all; of another one drift wants to know more. */
static void describe_file(const struct hf_execution *x, struct hf_event *e)
{
	if (!x->exe_known || hf_event_has(e, HF_FIELD_PROCESS_EXE_UPPER))
		return;
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_UPPER, x->upper);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_DELETED, x->deleted);
	hf_event_set_bool(e, HF_FIELD_PROCESS_EXE_MEMORY, x->memory);
	if (!x->upper && !x->deleted && !x->memory)
		return;
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_INODE, x->inode);
	hf_event_set_uint(e, HF_FIELD_PROCESS_EXE_SIZE, x->size_bytes);
	hf_event_set_int(e, HF_FIELD_PROCESS_EXE_MODIFIED_NS, x->modified_ns);
}

void hf_execution_describe(const struct hf_executions *t, const struct hf_execution *x, struct hf_arena *a,
			   struct hf_event *e)
{
	struct hf_ancestor *list;
	size_t n = 0;

	hf_event_set_uint(e, HF_FIELD_PROCESS_EXECUTION, x->id);
	if (!hf_event_has(e, HF_FIELD_PROCESS_EXE_PATH))
		hf_event_set_string(e, HF_FIELD_PROCESS_EXE_PATH, x->path);
	if (!hf_event_has(e, HF_FIELD_PROCESS_ARGUMENTS) && x->arguments_n)
		hf_event_set_list(e, HF_FIELD_PROCESS_ARGUMENTS, x->arguments, x->arguments_n);
	describe_file(x, e);
	if (!hf_event_has(e, HF_FIELD_PROCESS_NAME) && x->name[0])
		hf_event_set_string(e, HF_FIELD_PROCESS_NAME, hf_sv_of(x->name));
	if (!hf_event_has(e, HF_FIELD_PROCESS_UID) && x->pid_in_container &&
	    hf_event_uint(e, HF_FIELD_PROCESS_PID) == x->pid) {
		hf_event_set_uint(e, HF_FIELD_PROCESS_PID_IN_CONTAINER, x->pid_in_container);
		hf_event_set_uint(e, HF_FIELD_PROCESS_UID, x->uid);
		hf_event_set_uint(e, HF_FIELD_PROCESS_GID, x->gid);
	}
	const struct hf_execution *up = hf_executions_find(t, x->parent);
	if (!up)
		return;
	hf_event_set_uint(e, HF_FIELD_PROCESS_PARENT_EXECUTION, up->id);
	hf_event_set_string(e, HF_FIELD_PROCESS_PARENT_EXE, up->path);
	list = hf_arena_array(a, struct hf_ancestor, HF_ANCESTORS_MAX);
	for (; list && up && n < HF_ANCESTORS_MAX; up = hf_executions_find(t, up->parent))
		list[n++] = (struct hf_ancestor){ .pid = up->pid,
						  .execution = up->id,
						  .path = up->path,
						  .arguments = up->arguments,
						  .arguments_n = up->arguments_n };
	hf_event_set_tree(e, HF_FIELD_PROCESS_ANCESTORS, list, n);
}
