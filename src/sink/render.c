#include "sink/render.h"

#include "trace/trace.h"

/* A list is not shown longer than anybody reads: JSON has it whole. */
enum { SHOWN_MAX = 8 * HF_RENDER_LINE_MAX };

int hf_render_severity(hf_sv name)
{
	static const char *const names[] = { "low", "medium", "high", "critical" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(name, hf_sv_of(names[i])))
			return (int)i + 1;
	return 0;
}

void hf_render_json(void *self, const struct hf_event *e, struct hf_buf *out)
{
	(void)self;
	hf_trace_write(out, e);
}

void hf_render_text(struct hf_buf *out, hf_sv s)
{
	char piece[512];

	while (s.len) {
		size_t n = s.len < 96 ? s.len : 96;
		/* Not through the middle of a character, which would be escaped. */
		while (n < s.len && n > 90 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
			n--;
		size_t written = hf_escape_controls(piece, sizeof piece, hf_sv_first(s, n));
		hf_buf_add(out, (hf_sv){ piece, written });
		s = hf_sv_skip(s, n);
	}
}

static void word(struct hf_buf *out, hf_sv s)
{
	if (!s.len)
		return;
	if (out->len && out->ptr[out->len - 1] != ' ')
		hf_buf_add_char(out, ' ');
	hf_render_text(out, s);
}

/* An argument with blanks or nothing in it is put in quotes, so that one can see where it ends. */
static void words(struct hf_buf *out, const struct hf_value *v)
{
	for (uint32_t i = 0; v->type == HF_VALUE_LIST && i < v->n && out->len < SHOWN_MAX; i++) {
		bool quoted = !v->list[i].len || hf_sv_index(v->list[i], ' ') != SIZE_MAX;
		if (i)
			hf_buf_add_char(out, ' ');
		if (quoted)
			hf_buf_add_char(out, '\'');
		hf_render_text(out, v->list[i]);
		if (quoted)
			hf_buf_add_char(out, '\'');
	}
}

static void exec(const struct hf_event *e, struct hf_buf *out)
{
	const struct hf_value *arguments = &e->values[HF_FIELD_PROCESS_ARGUMENTS];
	hf_sv path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);

	if (arguments->type == HF_VALUE_LIST && arguments->n)
		words(out, arguments);
	else
		hf_render_text(out, path);
	if (arguments->type == HF_VALUE_LIST && arguments->n &&
	    !hf_sv_eq(hf_sv_basename(arguments->list[0]), hf_sv_basename(path)) && path.len) {
		hf_buf_add(out, HF_SV(" ["));
		hf_render_text(out, path);
		hf_buf_add_char(out, ']');
	}
	if (hf_event_bool(e, HF_FIELD_PROCESS_EXE_UPPER))
		hf_buf_add(out, HF_SV(" (not in the image)"));
	if (hf_event_bool(e, HF_FIELD_PROCESS_EXE_MEMORY))
		hf_buf_add(out, HF_SV(" (in memory)"));
	if (hf_event_bool(e, HF_FIELD_PROCESS_EXE_DELETED))
		hf_buf_add(out, HF_SV(" (deleted)"));
}

static void address(const struct hf_event *e, enum hf_event_field ip, enum hf_event_field port, struct hf_buf *out)
{
	hf_sv text = hf_event_string(e, ip);
	bool v6 = hf_sv_index(text, ':') != SIZE_MAX;

	if (v6)
		hf_buf_add_char(out, '[');
	hf_render_text(out, text);
	if (v6)
		hf_buf_add_char(out, ']');
	if (hf_event_has(e, port))
		hf_buf_addf(out, ":%llu", (unsigned long long)hf_event_uint(e, port));
}

static void network(const struct hf_event *e, struct hf_buf *out)
{
	bool local = e->kind == HF_EVENT_LISTEN;
	hf_sv name = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_NAME);

	address(e, local ? HF_FIELD_NETWORK_LOCAL_ADDRESS : HF_FIELD_NETWORK_REMOTE_ADDRESS,
		local ? HF_FIELD_NETWORK_LOCAL_PORT : HF_FIELD_NETWORK_REMOTE_PORT, out);
	word(out, hf_event_string(e, HF_FIELD_NETWORK_PROTOCOL));
	if (!name.len)
		name = hf_event_string(e, HF_FIELD_NETWORK_REMOTE_CONTAINER);
	if (name.len && !local) {
		hf_buf_add(out, HF_SV(" ("));
		hf_render_text(out, name);
		hf_buf_add_char(out, ')');
	}
	hf_sv who = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);
	if (!who.len)
		who = hf_event_string(e, HF_FIELD_PROCESS_NAME);
	if (who.len)
		word(out, HF_SV("by"));
	word(out, who);
}

static void exit_of(const struct hf_event *e, struct hf_buf *out)
{
	word(out, hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH));
	if (hf_event_has(e, HF_FIELD_EXIT_SIGNAL))
		hf_buf_addf(out, " by signal %llu", (unsigned long long)hf_event_uint(e, HF_FIELD_EXIT_SIGNAL));
	else if (hf_event_has(e, HF_FIELD_EXIT_CODE))
		hf_buf_addf(out, " with status %llu", (unsigned long long)hf_event_uint(e, HF_FIELD_EXIT_CODE));
}

static void loss(const struct hf_event *e, struct hf_buf *out)
{
	hf_buf_addf(out, "%llu of %llu ", (unsigned long long)hf_event_uint(e, HF_FIELD_LOSS_DROPPED),
		    (unsigned long long)hf_event_uint(e, HF_FIELD_LOSS_SEEN));
	hf_render_text(out, hf_event_string(e, HF_FIELD_LOSS_KIND));
	hf_buf_add(out, HF_SV(" lost "));
	words(out, &e->values[HF_FIELD_LOSS_REASONS]);
	word(out, hf_event_string(e, HF_FIELD_LOSS_OUTPUT));
}

static void alert(const struct hf_event *e, struct hf_buf *out)
{
	hf_render_text(out, hf_event_string(e, HF_FIELD_ALERT_SEVERITY));
	word(out, hf_event_string(e, HF_FIELD_ALERT_RULE));
	hf_buf_add(out, HF_SV(": "));
	hf_render_text(out, hf_event_string(e, HF_FIELD_ALERT_TITLE));
	if (hf_event_uint(e, HF_FIELD_ALERT_COUNT) > 1)
		hf_buf_addf(out, " (%llu times)", (unsigned long long)hf_event_uint(e, HF_FIELD_ALERT_COUNT));
}

static void denial(const struct hf_event *e, struct hf_buf *out)
{
	hf_sv object = hf_event_string(e, HF_FIELD_DENIAL_OBJECT), rung = hf_event_string(e, HF_FIELD_DENIAL_RUNG);
	hf_sv who = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);

	/* What was denied may be the program itself: then its caller is known by name alone. */
	if (!who.len || hf_sv_eq(who, object))
		who = hf_event_string(e, HF_FIELD_PROCESS_NAME);
	if (hf_event_bool(e, HF_FIELD_DENIAL_DRY_RUN))
		hf_buf_add(out, HF_SV("would stop"));
	word(out, object);
	if (who.len)
		word(out, HF_SV("for"));
	word(out, who);
	if (rung.len)
		word(out, HF_SV("by"));
	word(out, rung);
	word(out, hf_event_string(e, HF_FIELD_DENIAL_RULE));
}

/* The fields that say it for the kinds whose line is a few words one after the other. */
static const struct {
	enum hf_event_kind kind;
	enum hf_event_field fields[5];
} plain[] = {
	{ HF_EVENT_FORK, { HF_FIELD_PROCESS_EXE_PATH, HF_FIELD_CHILD_PID } },
	{ HF_EVENT_CONTAINER_START, { HF_FIELD_CONTAINER_IMAGE_NAME, HF_FIELD_CONTAINER_UNRESOLVED } },
	{ HF_EVENT_CONTAINER_STOP, { HF_FIELD_CONTAINER_IMAGE_NAME } },
	{ HF_EVENT_CAPABILITY, { HF_FIELD_CAPABILITY_NAME, HF_FIELD_CAPABILITY_SYSCALL, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_DNS, { HF_FIELD_DNS_TYPE, HF_FIELD_DNS_NAME, HF_FIELD_DNS_RESPONSE, HF_FIELD_DNS_ADDRESSES } },
	{ HF_EVENT_MAP, { HF_FIELD_MAP_PATH, HF_FIELD_MAP_DRIFT, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_NAMESPACE, { HF_FIELD_NAMESPACE_TYPES, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_IO_URING, { HF_FIELD_IO_URING_OPERATION, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_BPF,
	  { HF_FIELD_BPF_OPERATION, HF_FIELD_BPF_PROGRAM_TYPE, HF_FIELD_BPF_PROGRAM_NAME, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_MODULE, { HF_FIELD_MODULE_NAME, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_PTRACE, { HF_FIELD_PROCESS_EXE_PATH, HF_FIELD_TARGET_PID, HF_FIELD_TARGET_PATH } },
	{ HF_EVENT_SIGNAL, { HF_FIELD_SIGNAL_NUMBER, HF_FIELD_PROCESS_NAME, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_FILE,
	  { HF_FIELD_FILE_OPERATION, HF_FIELD_FILE_PATH_OLD, HF_FIELD_FILE_PATH, HF_FIELD_PROCESS_EXE_PATH } },
	{ HF_EVENT_SYSCALLS, { HF_FIELD_SYSCALLS_NAMES } },
	{ HF_EVENT_HEALTH, { HF_FIELD_HEALTH_PART, HF_FIELD_HEALTH_STATE, HF_FIELD_HEALTH_MESSAGE } },
};

static void fields(const struct hf_event *e, const enum hf_event_field *list, size_t n, struct hf_buf *out)
{
	for (size_t i = 0; i < n && list[i]; i++) {
		const struct hf_value *v = &e->values[list[i]];
		if (v->type == HF_VALUE_NONE)
			continue;
		if (out->len && out->ptr[out->len - 1] != ' ')
			hf_buf_add_char(out, ' ');
		if (v->type == HF_VALUE_UINT)
			hf_buf_addf(out, "%llu", (unsigned long long)v->uint);
		else if (v->type == HF_VALUE_LIST)
			words(out, v);
		else
			hf_render_text(out, hf_event_string(e, list[i]));
	}
}

void hf_render_what(const struct hf_event *e, struct hf_buf *out)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(plain); i++)
		if (plain[i].kind == e->kind) {
			fields(e, plain[i].fields, HF_ARRAY_SIZE(plain[i].fields), out);
			return;
		}
	if (e->kind == HF_EVENT_EXEC)
		exec(e, out);
	else if (e->kind == HF_EVENT_EXIT)
		exit_of(e, out);
	else if (e->kind == HF_EVENT_LOSS)
		loss(e, out);
	else if (e->kind == HF_EVENT_ALERT)
		alert(e, out);
	else if (e->kind == HF_EVENT_DENIAL)
		denial(e, out);
	else
		network(e, out);
}

void hf_render_container(const struct hf_event *e, struct hf_buf *out)
{
	hf_sv name = hf_event_string(e, HF_FIELD_CONTAINER_NAME);

	if (!name.len)
		name = hf_sv_first(hf_event_string(e, HF_FIELD_CONTAINER_ID), 12);
	hf_render_text(out, name.len ? name : HF_SV("host"));
}

void hf_render_cut(struct hf_buf *out, size_t end)
{
	if (out->len <= end)
		return;
	while (end && ((unsigned char)out->ptr[end] & 0xc0) == 0x80)
		end--;
	out->len = end;
	hf_buf_add(out, HF_SV("…"));
}

static void add_process(struct hf_buf *out, size_t depth, hf_sv path, const hf_sv *arguments, size_t n)
{
	size_t start = out->len;

	hf_buf_addf(out, "%*s", (int)(5 + 2 * depth), "");
	hf_buf_add(out, depth ? HF_SV("└ ") : HF_SV(""));
	hf_render_text(out, path.len ? path : HF_SV("?"));
	for (size_t i = 1; i < n && out->len - start < HF_RENDER_LINE_MAX; i++) {
		hf_buf_add_char(out, ' ');
		hf_render_text(out, hf_sv_first(arguments[i], HF_RENDER_LINE_MAX));
	}
	hf_render_cut(out, start + HF_RENDER_LINE_MAX);
	hf_buf_add_char(out, '\n');
}

void hf_render_tree(const struct hf_event *e, struct hf_buf *out)
{
	const struct hf_value *v = &e->values[HF_FIELD_PROCESS_ANCESTORS];
	const struct hf_value *arguments = &e->values[HF_FIELD_PROCESS_ARGUMENTS];
	size_t n = v->type == HF_VALUE_TREE ? v->n : 0, depth = 0;
	hf_sv path = hf_event_string(e, HF_FIELD_PROCESS_EXE_PATH);

	for (size_t i = n < HF_RENDER_TREE_MAX ? n : HF_RENDER_TREE_MAX; i-- > 0;)
		add_process(out, depth++, v->tree[i].path, v->tree[i].arguments, v->tree[i].arguments_n);
	if (path.len)
		add_process(out, depth, path, arguments->type == HF_VALUE_LIST ? arguments->list : NULL,
			    arguments->type == HF_VALUE_LIST ? arguments->n : 0);
}
