/* A streaming writer of JSON: commas, indents and escapes are its job, order is the caller's. Output is UTF-8; bytes that are
 * not valid UTF-8 become U+FFFD, and control bytes (C1 and DEL too) are written as \u escapes, so it is safe on a terminal. */
#pragma once
#include "base/buffer.h"

struct hf_json_writer {
	struct hf_buf *out; /* grows; or is emptied through flush whenever it holds more than 64 KiB */
	int (*flush)(void *ctx, hf_sv bytes); /* NULL: all stays in out. Non-zero makes the writer fail. */
	void *flush_ctx;
	bool compact; /* one line, for JSON lines */
	bool failed;
	bool after_key, first;
	uint32_t depth;
};

void hf_jw_object(struct hf_json_writer *w);
void hf_jw_object_end(struct hf_json_writer *w);
void hf_jw_array(struct hf_json_writer *w);
void hf_jw_array_end(struct hf_json_writer *w);
void hf_jw_key(struct hf_json_writer *w, const char *key);
void hf_jw_key_sv(struct hf_json_writer *w, hf_sv key);
void hf_jw_string(struct hf_json_writer *w, hf_sv s);
void hf_jw_uint(struct hf_json_writer *w, uint64_t v);
/* Shortest form with at most @decimals digits behind the point; no exponent. */
void hf_jw_fixed(struct hf_json_writer *w, double v, int decimals);
void hf_jw_bool(struct hf_json_writer *w, bool v);
/* A value that is JSON already: a number, null. */
void hf_jw_literal(struct hf_json_writer *w, hf_sv json);
/* key: value in one call; the _if forms write nothing for an empty view. */
void hf_jw_kv(struct hf_json_writer *w, const char *key, hf_sv value);
void hf_jw_kv_if(struct hf_json_writer *w, const char *key, hf_sv value);
void hf_jw_kv_uint(struct hf_json_writer *w, const char *key, uint64_t value);
void hf_jw_kv_bool(struct hf_json_writer *w, const char *key, bool value);
void hf_jw_strings(struct hf_json_writer *w, const char *key, const hf_sv *list, size_t n);
/* Ends the text with a newline and flushes; HF_OK, or HF_E_LIMIT / HF_E_IO with *err set where something was lost. */
int hf_jw_finish(struct hf_json_writer *w, struct hf_err *err);
