#include "base/cursor.h"

static uint64_t take_le(struct hf_cur *c, size_t n)
{
	hf_sv s = hf_cur_take(c, n);
	uint64_t v = 0;

	for (size_t i = s.len; i-- > 0;)
		v = v << 8 | (unsigned char)s.ptr[i];
	return v;
}

static uint64_t take_be(struct hf_cur *c, size_t n)
{
	hf_sv s = hf_cur_take(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | (unsigned char)s.ptr[i];
	return v;
}

uint8_t hf_cur_u8(struct hf_cur *c)
{
	return (uint8_t)take_le(c, 1);
}

uint16_t hf_cur_u16le(struct hf_cur *c)
{
	return (uint16_t)take_le(c, 2);
}

uint16_t hf_cur_u16be(struct hf_cur *c)
{
	return (uint16_t)take_be(c, 2);
}

uint32_t hf_cur_u32le(struct hf_cur *c)
{
	return (uint32_t)take_le(c, 4);
}

uint32_t hf_cur_u32be(struct hf_cur *c)
{
	return (uint32_t)take_be(c, 4);
}

uint64_t hf_cur_u64le(struct hf_cur *c)
{
	return take_le(c, 8);
}

uint64_t hf_cur_u64be(struct hf_cur *c)
{
	return take_be(c, 8);
}

bool hf_cur_line(struct hf_cur *c, hf_sv *ret_line)
{
	hf_sv rest = hf_sv_skip(c->all, c->at);

	if (c->failed || !rest.len)
		return false;
	size_t n = hf_sv_index(rest, '\n');
	hf_sv line = hf_sv_first(rest, n);
	c->at += n == SIZE_MAX ? rest.len : n + 1;
	c->line++;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	*ret_line = line;
	return true;
}

hf_sv hf_cur_cstr(struct hf_cur *c)
{
	size_t n = hf_sv_index(hf_sv_skip(c->all, c->at), 0);

	if (n == SIZE_MAX) {
		c->failed = true;
		return (hf_sv){ 0 };
	}
	hf_sv s = hf_cur_take(c, n);
	c->at++;
	return s;
}

uint64_t hf_cur_uvarint(struct hf_cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = hf_cur_u8(c);
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return c->failed ? 0 : v;
	}
	c->failed = true;
	return 0;
}
