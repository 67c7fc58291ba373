/* A program is killed after it began to run, through a pidfd: a response, no prevention. */
#include "enforce/programs.h"

static const char *const programs[] = { "hf_report_exec", NULL };

static bool probe(char *why, size_t size)
{
	return hf_programs_probe(programs, why, size);
}

const struct hf_rung hf_rung_response = {
	.name = "response",
	.by = HF_BY_RESPONSE,
	.stops = 1u << HF_DENY_FILELESS | 1u << HF_DENY_DRIFT | 1u << HF_DENY_EXECUTABLES,
	.residual = "response, not prevention: the program runs for some milliseconds and may have done its work or "
		    "started others",
	.programs = programs,
	.probe = probe,
};
