/* Lines to a file or to standard output, on an output's thread. A file is bounded: once it is full it becomes FILE.1, what was
 * FILE.1 becomes FILE.2 …, and a new one is begun, always between two records. */
#pragma once
#include "sink/sink.h"

struct hf_stream {
	int fd;
	struct hf_sink_context context;
	char *path;         /* NULL: standard output, or no regular file: never rotated */
	uint64_t size, max; /* bytes of the file */
	unsigned files;     /* that are kept, the current one too */
	bool standard, polled;
};

/* The option names size and files, for struct hf_sink_ops.options. */
extern const char *const hf_stream_options[];
/* context->argument names the file; empty and "-" are standard output. A new file is made with mode 0600, an old one is continued.
 * A symbolic link is not followed: what runs as root writes where it was told to and nowhere else. */
int hf_stream_open(const struct hf_sink_context *context, struct hf_stream **ret, struct hf_err *err);
/* For struct hf_sink_ops.run. */
void hf_stream_run(void *stream);
void hf_stream_close(void *stream);
