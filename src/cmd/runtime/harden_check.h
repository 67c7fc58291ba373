/* What a format's own parser says of a file that was written. */
#pragma once
#include "base/error.h"

struct harden_check {
	enum { HARDEN_CHECK_NO_TOOL, HARDEN_CHECK_TOOK_IT, HARDEN_CHECK_REFUSED_IT } state;
	char message[400]; /* of the parser, where it refused */
};

/* Runs @tool (apparmor_parser without loading, systemd-analyze verify on a unit with @path as its drop-in) on the file @path. */
struct harden_check harden_check(const char *tool, const char *path);
