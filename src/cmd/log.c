#include "cmd/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/terminal.h"
#include "cmd/command.h"
#include "format/json.h"
#include "format/json_writer.h"

enum { LINE_MAX_BYTES = 16 << 10, PROGRESS_MAX = 200 };

static struct {
	bool quiet, verbose, json, chosen, progress;
	const char *family, *command;
} logging;

struct place {
	hf_sv source;
	unsigned line, column;
};

/* Nobody could be told that standard error takes nothing. */
static void tell(hf_sv text)
{
	if (!hf_fd_write_all(STDERR_FILENO, text))
		return;
}

bool log_is_json(void)
{
	return logging.json;
}

bool log_shows(enum log_level level)
{
	return level == LOG_ERROR || (level == LOG_DEBUG ? logging.verbose : !logging.quiet);
}

static hf_sv escaped(hf_sv s, struct hf_buf *room)
{
	char *out = hf_buf_room(room, s.len * 4 + 1);

	return out ? (hf_sv){ out, hf_escape_controls(out, s.len * 4 + 1, s) } : (hf_sv){ 0 };
}

static void add_json(struct hf_buf *line, enum log_level level, hf_sv source, const struct place *at, hf_sv message,
		     const char *see)
{
	static const char *const names[] = { "debug", "note", "warning", "error" };
	struct hf_json_writer w = { .out = line, .compact = true };
	char command[64];

	hf_jw_object(&w);
	hf_jw_kv(&w, "level", hf_sv_of(names[level]));
	if (logging.command) {
		snprintf(command, sizeof command, "%s%s%s", logging.family ? logging.family : "",
			 logging.family ? " " : "", logging.command);
		hf_jw_kv(&w, "command", hf_sv_of(command));
	}
	hf_jw_kv_if(&w, "source", source);
	if (at && at->line)
		hf_jw_kv_uint(&w, "line", at->line);
	if (at && at->column)
		hf_jw_kv_uint(&w, "column", at->column);
	hf_jw_kv(&w, "message", message);
	if (see)
		hf_jw_kv(&w, "see", hf_sv_of(see));
	hf_jw_object_end(&w);
	(void)!hf_jw_finish(&w, NULL);
}

static void add_text(struct hf_buf *line, hf_sv source, const struct place *at, hf_sv message, const char *see)
{
	hf_buf_add(line, HF_SV("holdfast: "));
	if (source.len)
		hf_buf_add(line, source);
	if (at && at->line)
		hf_buf_addf(line, ":%u", at->line);
	if (at && at->line && at->column)
		hf_buf_addf(line, ":%u", at->column);
	if (source.len)
		hf_buf_add(line, HF_SV(": "));
	hf_buf_add(line, message);
	if (see)
		hf_buf_addf(line, "\nSee '%s'.", see);
	hf_buf_add_char(line, '\n');
}

static void put(enum log_level level, const struct place *at, hf_sv message, const char *see)
{
	hf_cleanup(hf_buf_done) struct hf_buf line = HF_BUF(HF_KIB(256)), source_room = HF_BUF(HF_KIB(64)),
					      message_room = HF_BUF(HF_KIB(128));
	hf_sv source = at ? escaped(hf_sv_first(at->source, LINE_MAX_BYTES), &source_room) : HF_SV("");

	message = escaped(message, &message_room);
	if (logging.json)
		add_json(&line, level, source, at, message, see);
	else
		add_text(&line, source, at, message, see);
	log_progress_end();
	tell(hf_buf_view(&line));
}

static hf_printf(3, 0) void say(enum log_level level, const struct place *at, const char *fmt, va_list ap,
				const char *see)
{
	char message[LINE_MAX_BYTES];

	if (!log_shows(level))
		return;
	int n = vsnprintf(message, sizeof message, fmt, ap);
	if (n >= 0)
		put(level, at, (hf_sv){ message, (size_t)n < sizeof message ? (size_t)n : sizeof message - 1 }, see);
}

#define SAY(level, at, see)                         \
	do {                                        \
		va_list ap;                         \
		va_start(ap, fmt);                  \
		say((level), (at), fmt, ap, (see)); \
		va_end(ap);                         \
	} while (0)

void log_error(const char *fmt, ...)
{
	SAY(LOG_ERROR, NULL, NULL);
}

void log_error_see(const char *see, const char *fmt, ...)
{
	SAY(LOG_ERROR, NULL, see);
}

void log_warning(const char *fmt, ...)
{
	SAY(LOG_WARNING, NULL, NULL);
}

void log_note(const char *fmt, ...)
{
	SAY(LOG_NOTE, NULL, NULL);
}

void log_debug(const char *fmt, ...)
{
	SAY(LOG_DEBUG, NULL, NULL);
}

void log_at(enum log_level level, hf_sv source, unsigned line, unsigned column, const char *fmt, ...)
{
	const struct place at = { source, line, column };

	SAY(level, &at, NULL);
}

void log_more(size_t n, size_t max)
{
	if (n > max && !logging.verbose)
		log_note("… and %zu more such notes (--verbose shows them)", n - max);
}

static bool is_object(hf_sv line)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_json j = hf_json_of(line, &a);
	bool object = hf_json_peek(&j) == HF_JSON_OBJECT;

	hf_json_skip(&j);
	return hf_json_end(&j) && object;
}

void log_relay(void *ctx, hf_sv text)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(STDERR_FILENO);
	hf_sv line;

	(void)ctx;
	if (text.len)
		log_progress_end();
	if (!logging.json) {
		hf_terminal_add(&out, text, false);
		(void)!hf_out_flush(&out, NULL);
		return;
	}
	while (text.len && hf_sv_next(&text, '\n', &line)) {
		hf_cleanup(hf_buf_done) struct hf_buf room = HF_BUF(HF_MIB(1));
		hf_sv clean = escaped(line, &room);
		if (!clean.len)
			continue;
		if (!is_object(clean)) {
			put(LOG_ERROR, NULL, hf_sv_first(line, LINE_MAX_BYTES), NULL);
			continue;
		}
		hf_out_add(&out, clean);
		hf_out_add(&out, HF_SV("\n"));
		(void)!hf_out_flush(&out, NULL);
	}
}

bool log_shows_progress(void)
{
	return !logging.quiet && !logging.json && isatty(STDERR_FILENO);
}

void log_progress(const char *fmt, ...)
{
	char text[PROGRESS_MAX], clean[4 * PROGRESS_MAX];
	va_list ap;

	if (!log_shows_progress())
		return;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	hf_escape_controls(clean, sizeof clean, hf_sv_of(text));
	tell(HF_SV("\r\033[K"));
	tell(hf_sv_of(clean));
	logging.progress = true;
}

void log_progress_end(void)
{
	if (logging.progress && isatty(STDERR_FILENO)) /* a worker's is none */
		tell(HF_SV("\r\033[K"));
	logging.progress = false;
}

void log_set_command(const char *family, const char *command)
{
	logging.family = family;
	logging.command = command;
}

static int set_format(const char *format, bool *ret_given)
{
	if (!format)
		return hf_command_usage(NULL, "--log-format needs a value: text or json");
	if (strcmp(format, "text") && strcmp(format, "json"))
		return hf_command_usage(NULL, "--log-format is text or json, not '%s'", format);
	if (!logging.chosen)
		logging.json = format[0] == 'j';
	hf_out_of_memory_says(logging.json ? "{\"level\":\"error\",\"message\":\"out of memory\"}\n"
					   : "holdfast: out of memory\n");
	*ret_given = true;
	return 0;
}

int log_take_options(int *argc, char **argv)
{
	static const char name[] = "--log-format";
	int kept = 1, i = 1, status = 0;
	bool given = false;

	for (; i < *argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--quiet") || !strcmp(argv[i], "-q"))
			logging.quiet = true;
		else if (!strcmp(argv[i], "--verbose"))
			logging.verbose = true;
		else if (!strcmp(argv[i], name))
			status = set_format(argv[++i], &given) ? 2 : status;
		else if (!strncmp(argv[i], name, sizeof name - 1) && argv[i][sizeof name - 1] == '=')
			status = set_format(argv[i] + sizeof name, &given) ? 2 : status;
		else
			argv[kept++] = argv[i];
	}
	while (i < *argc)
		argv[kept++] = argv[i++];
	argv[kept] = NULL;
	logging.chosen |= given;
	*argc = kept;
	return status;
}
