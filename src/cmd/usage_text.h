/* What the usage text of a command says, so that completion needs no list of its own.
 *
 * The shape of the text:
 *   synopsis      the first line, and each line "       holdfast COMMAND …": what stands behind the command's name. A word of small letters
 *                 right behind it is a word of the command's own (`rbac can`); a word in brackets may be left out.
 *   its words     what a word does stands behind two blanks in its synopsis, sixteen blanks deep below it, or in a line "  WORD  text".
 *   option        "  -x, --name VALUE  text": two blanks, names with a comma between, two blanks, text; further lines stand ten blanks deep or
 *                 more. "[=VALUE]" may be left out. An option that a synopsis names is of those words alone.
 *   fixed values  a|b|c in place of VALUE, or behind ": " in the text; a,b,c behind ": " where several may be given at once.
 *   operand       "NAME is a|b|c" at the beginning of a line.
 *   targets       "Targets: " and the lines nine blanks deep below it: a prefix as "archive:FILE" or "host:", with ',' or two blanks behind. */
#pragma once
#include "base/arena.h"

enum usage_kind {
	USAGE_NONE,   /* an option without a value */
	USAGE_ANY,    /* a value that nothing is known of */
	USAGE_FILE,   /* a file or a folder */
	USAGE_FOLDER, /* a folder */
	USAGE_CHOICE, /* one of the choices */
	USAGE_LIST,   /* some of the choices, with commas between */
};

struct usage_option {
	hf_sv name; /* "-o", "--output": each name of a line is one of its own */
	enum usage_kind kind;
	bool optional;  /* the value, which then stands behind '=' */
	hf_sv choices;  /* with blanks between; what ends in '=' goes on */
	hf_sv text;     /* what it does, its first sentence, up to a ';' */
	size_t line;    /* the same for the names of one line */
	uint32_t words; /* bit i: it is one of words.at[i]; none: of the command itself */
};

/* A synopsis or more of the same word; words.at[0] is the command itself, without a word. */
struct usage_word {
	hf_sv name, text;
	hf_sv choices;       /* of operands, with blanks between */
	bool exists;         /* of words.at[0]: the word may be left out, or there is none */
	bool files, targets; /* operands are files or folders; may have a target's prefix */
};

struct usage_prefix {
	hf_sv name; /* "archive:" */
	enum usage_kind kind;
};

struct usage_text {
	HF_VEC(struct usage_option) options;
	HF_VEC(struct usage_word) words;
	HF_VEC(struct usage_prefix) prefixes;
};

/* @command: "kube rbac". Views lie in @text and @arena. HF_E_FORMAT names the line that has not that shape. */
hf_nodiscard int usage_text_read(hf_sv command, hf_sv text, struct hf_arena *arena, struct usage_text *ret,
				 struct hf_err *err);
