#include "cmd/runtime/runtime_agent.h"

#include <malloc.h>
#include <stdlib.h>

#include "cmd/log.h"

enum { HEAP_BLOCK_MAX = 96 << 10, HEAP_TRIM = 1 << 20 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static int seconds_of(struct hf_agent_options *o, const char *command, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || !n || n > 366UL * 86400)
		return hf_command_usage(command, "--for wants seconds, not '%s'", text);
	o->seconds = (uint32_t)n;
	return 1;
}

/* A power of two for the rings, anything for the rest. */
static int number_of(uint32_t *to, const char *command, const char *option, const char *text, uint32_t least,
		     bool power)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < least || n > 1UL << 30 || (power && (n & (n - 1))))
		return hf_command_usage(command, "%s wants %s of at least %u, not '%s'", option,
					power ? "a power of two" : "a number", least, text);
	*to = (uint32_t)n;
	return 1;
}

int runtime_agent_option(struct hf_agent_options *o, const char *command, int argc, char **argv, int *i)
{
	const char *option = argv[*i];
	bool *flag = !strcmp(option, "--host")       ? &o->host
		     : !strcmp(option, "--deep")     ? &o->deep
		     : !strcmp(option, "--no-rules") ? &o->rules_off
						     : NULL;
	const char **slot = !strcmp(option, "--docker-socket") ? &o->containers.docker_socket : NULL;
	bool ring = !strcmp(option, "--ring-bytes"), cgroups = !strcmp(option, "--cgroups");

	if (flag) {
		*flag = true;
		return 1;
	}
	if (!slot && !ring && !cgroups && strcmp(option, "--for") != 0)
		return 0;
	if (*i + 1 == argc)
		return hf_command_usage(command, "%s wants a value", option);
	++*i;
	if (ring || cgroups)
		return number_of(ring ? &o->ring_bytes : &o->cgroups_max, command, option, argv[*i], ring ? 4096 : 1,
				 ring);
	if (!slot)
		return seconds_of(o, command, argv[*i]);
	*slot = argv[*i];
	return 1;
}

void runtime_agent_prepare(struct hf_agent_options *o)
{
	struct sigaction action = { .sa_handler = on_signal };

	/* Threads pass events on: with heaps of their own each would keep what another one gave back. */
	mallopt(M_ARENA_MAX, 1);
	/* Else glibc raises these to the largest block that was given back, and tables come from memory that has to be cleared. */
	mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAX);
	mallopt(M_TRIM_THRESHOLD, HEAP_TRIM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	o->stop = &stopped;
}

static void say_ready(void *ctx)
{
	log_note("%s; Ctrl-C ends it", (const char *)ctx);
}

static void note(void *ctx, enum hf_rules_note_kind kind, hf_sv file, uint32_t line, hf_sv text)
{
	(void)ctx;
	if (kind == HF_NOTE_ERROR)
		log_at(LOG_ERROR, file, line, 0, "%.*s", HF_SV_FMT(text));
}

int runtime_agent_observe(struct hf_agent_options *o, struct hf_event_sink sink, const char *doing, struct hf_err *err)
{
	struct hf_outputs *outputs;

	runtime_agent_prepare(o);
	o->observe = sink;
	o->ready = say_ready;
	o->ready_ctx = (void *)(uintptr_t)doing;
	o->judge.all = true;
	o->judge.notes = (struct hf_rules_notes){ note, NULL };
	int code = hf_outputs_open(&(struct hf_sinks_options){ 0 }, NULL, &outputs, err);
	if (code < 0)
		return code;
	code = hf_agent_run(o, outputs, err);
	int closed = hf_outputs_close(outputs, 0, code < 0 ? NULL : err);
	return code < 0 ? code : closed < 0 ? closed : 0;
}
