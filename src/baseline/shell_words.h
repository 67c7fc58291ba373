/* The simple commands that a shell script names: words at command position. Pure, linear, no evaluation: what is only known when
 * the script runs is told as such. Branches are not judged: each command of the script counts, whether it will run or not.
 * Source: POSIX.1-2017 XCU chapter 2 (tokens, quoting, here-documents, reserved words, compound commands), and of bash what is
 * common: `function`, [[ ]], $'…', <(…), <<<. */
#pragma once
#include "base/arena.h"

enum { HF_SHELL_DEPTH_MAX = 32, HF_SHELL_WORDS_MAX = 256 };

struct hf_shell_word {
	hf_sv text;        /* after quotes are taken off; what is expanded is left out */
	bool is_static;    /* `text` is all of it */
	bool is_arguments; /* it is $@ or "$@": the arguments that the script got */
};

/* Each returns 0 or a negative code, which ends the scan and is passed on. Views live in the arena or the script. */
struct hf_shell_sink {
	/* One simple command without its assignments and redirections; the first word is the command. A function's name that the
	 * script defines comes as a command too. */
	int (*command)(void *ctx, const struct hf_shell_word *words, size_t n, struct hf_err *err);
	int (*function)(void *ctx, hf_sv name, struct hf_err *err);
	int (*unparsed)(void *ctx, hf_sv reason, struct hf_err *err);
	void *ctx;
};

/* @return HF_OK; HF_PARTIAL something was handed to unparsed; HF_E_LIMIT the arena's cap; what the sink returned. */
hf_nodiscard int hf_shell_scan(hf_sv script, struct hf_arena *a, const struct hf_shell_sink *sink, struct hf_err *err);
/* A command that the shell runs itself (of dash, bash and busybox together), or a reserved word. */
bool hf_shell_is_builtin(hf_sv name);
