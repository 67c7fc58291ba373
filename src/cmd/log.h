/* What goes to standard error: errors, warnings and notes, each a line of text or, with --log-format json, an object of JSON a line. Nothing
 * else writes there, but progress on a terminal, which a line wipes away.
 *
 *     holdfast: SOURCE:LINE:COLUMN: MESSAGE
 *     {"level": "note", "command": "kube pss", "source": "a.yaml", "line": 3, "column": 1, "message": "…"}
 *
 * Control bytes, what turns the direction of text and invalid UTF-8 are written as \xNN in both. Callers hand over bytes as they are.
 * In a jailed worker the lines go to memory; log_relay() is how they come out. */
#pragma once
#include "base/error.h"

enum log_level {
	LOG_DEBUG,   /* with --verbose alone */
	LOG_NOTE,    /* not with --quiet, */
	LOG_WARNING, /* nor this: something is missing or was not understood */
	LOG_ERROR,
};

/* Takes --quiet (-q), --verbose and --log-format text|json out of the words behind argv[0], up to "--"; argv is then shorter. Returns 0, or 2
 * where a value is wrong, and that was printed. Called again for words of the configuration: a --log-format of the first time stays. */
int log_take_options(int *argc, char **argv);
/* What the lines' "command" says: "kube", "pss"; NULL: nothing. */
void log_set_command(const char *family, const char *command);
bool log_is_json(void);
bool log_shows(enum log_level level);

/* One line each; a '\n' in it is a control byte like others. */
void log_error(const char *fmt, ...) hf_printf(1, 2);
void log_warning(const char *fmt, ...) hf_printf(1, 2);
void log_note(const char *fmt, ...) hf_printf(1, 2);
void log_debug(const char *fmt, ...) hf_printf(1, 2);
/* The same of a place in a file: @line and @column 0 where they are not known. */
void log_at(enum log_level level, hf_sv source, unsigned line, unsigned column, const char *fmt, ...) hf_printf(5, 6);
/* "… and N more such notes" where more than @max of @n were to be shown, and --verbose did not show them. */
void log_more(size_t n, size_t max);
/* An error, and the command that tells more of it. */
void log_error_see(const char *see, const char *fmt, ...) hf_printf(2, 3);
/* Lines that another process wrote: those of a worker's log go on, whatever else it says becomes an error. Any bytes; for
 * hf_worker_options.messages, @ctx is not looked at. */
void log_relay(void *ctx, hf_sv text);

/* A line that is written over and over: nothing where standard error is no terminal, with --quiet and in JSON. */
bool log_shows_progress(void);
void log_progress(const char *fmt, ...) hf_printf(1, 2);
/* Wipes it away. */
void log_progress_end(void);

/* The options' part of each command's --help. */
#define LOG_USAGE                                                             \
	"Every command:\n"                                                    \
	"  -q, --quiet          errors alone on standard error\n"             \
	"  --verbose            more on standard error, and more in tables\n" \
	"  --log-format text|json  lines of text there (the default), or an object of JSON a line\n"
