/* hf_cur: reads bytes from the front of a view. A read past the end gives zero (or an empty view) and sets `failed`,
 * which stays set: check once a record. Integers of input are read through it and nowhere else. */
#pragma once
#include <endian.h>

#include "base/view.h"

struct hf_cur {
	hf_sv all;
	size_t at;     /* offset of the next byte, at most all.len */
	uint32_t line; /* lines taken so far by hf_cur_line: the number of the line that it gave last, from 1 */
	bool failed;
};

static inline struct hf_cur hf_cur_of(hf_sv bytes)
{
	return (struct hf_cur){ .all = bytes };
}
static inline size_t hf_cur_left(const struct hf_cur *c)
{
	return c->all.len - c->at;
}
/* The next @n bytes. */
static inline hf_sv hf_cur_take(struct hf_cur *c, uint64_t n)
{
	if (c->failed || n > hf_cur_left(c)) {
		c->failed = true;
		return (hf_sv){ 0 };
	}
	hf_sv s = { c->all.ptr + c->at, (size_t)n };
	c->at += (size_t)n;
	return s;
}
/* Moves to an absolute offset. */
static inline void hf_cur_seek(struct hf_cur *c, uint64_t at)
{
	if (at > c->all.len)
		c->failed = true;
	else
		c->at = (size_t)at;
}
#define HF_CUR_INTEGER(name, type, to_host)             \
	static inline type name(struct hf_cur *c)       \
	{                                               \
		hf_sv s = hf_cur_take(c, sizeof(type)); \
		type v = 0;                             \
		if (s.ptr)                              \
			memcpy(&v, s.ptr, sizeof v);    \
		return to_host(v);                      \
	}
HF_CUR_INTEGER(hf_cur_u8, uint8_t, )
HF_CUR_INTEGER(hf_cur_u16le, uint16_t, le16toh)
HF_CUR_INTEGER(hf_cur_u16be, uint16_t, be16toh)
HF_CUR_INTEGER(hf_cur_u32le, uint32_t, le32toh)
HF_CUR_INTEGER(hf_cur_u32be, uint32_t, be32toh)
HF_CUR_INTEGER(hf_cur_u64le, uint64_t, le64toh)
HF_CUR_INTEGER(hf_cur_u64be, uint64_t, be64toh)
#undef HF_CUR_INTEGER
/* The next line without its LF (a CR before it is taken off too); false at the end, which is no failure. */
bool hf_cur_line(struct hf_cur *c, hf_sv *ret_line);
/* Up to and without the next NUL, which is passed over; fails where there is none. */
hf_sv hf_cur_cstr(struct hf_cur *c);
/* Unsigned LEB128 as Go's and DWARF's varints; fails past 64 bits. */
uint64_t hf_cur_uvarint(struct hf_cur *c);
