#include "base/cursor.h"

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
