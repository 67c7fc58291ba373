/* Text for people: escaped, styled, wrapped. All of it ends in an hf_out. */
#pragma once
#include "report/report.h"

enum hf_text_style {
	HF_STYLE_PLAIN = 0,
	HF_STYLE_BOLD,
	HF_STYLE_DIM,
	HF_STYLE_RED,
	HF_STYLE_YELLOW,
	HF_STYLE_GREEN,
	HF_STYLE_CYAN,
	HF_STYLE_ALARM
};

struct hf_text {
	struct hf_out *out;
	bool colour;
	uint32_t width;  /* columns of a line */
	uint32_t column; /* where the next character goes */
	uint32_t indent; /* of lines that hf_text_word begins */
};

struct hf_text hf_text_of(const struct hf_report_options *o, struct hf_out *out);
/* Columns that @s takes once it is escaped; every character counts as one. */
size_t hf_text_columns(hf_sv s);
/* @s with control bytes, invalid UTF-8 and the characters that turn the direction of writing as escapes. */
void hf_text_put(struct hf_text *t, hf_sv s);
/* The same, cut to @columns with "..." at its end. */
void hf_text_put_cut(struct hf_text *t, hf_sv s, size_t columns);
void hf_text_putf(struct hf_text *t, const char *fmt, ...) hf_printf(2, 3);
void hf_text_styled(struct hf_text *t, enum hf_text_style style, hf_sv s);
/* Blanks up to @column; one blank where the line is already there. */
void hf_text_to(struct hf_text *t, uint32_t column);
void hf_text_newline(struct hf_text *t);
/* A word with a blank before it, on a new line at t->indent where it does not fit. */
void hf_text_word(struct hf_text *t, enum hf_text_style style, hf_sv s);
/* A whole sentence, word by word; the first line begins where the text stands, others at @indent. Ends the line. */
void hf_text_sentence(struct hf_text *t, uint32_t indent, hf_sv s);
enum hf_text_style hf_text_severity_style(enum hf_severity s);
/* "1,234,567" */
hf_sv hf_text_count(struct hf_arena *a, uint64_t n);
/* "12.3 MB": powers of 1000. */
hf_sv hf_text_size(struct hf_arena *a, uint64_t n);
