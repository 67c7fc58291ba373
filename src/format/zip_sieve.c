#include "format/zip_sieve.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/limits.h"

enum { LOCAL_SIZE = 30, HEADER_MAX = LOCAL_SIZE + 2 * 65535, DESCRIPTOR_MAX = 24, SIGNATURE = 4 };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, EXTRA_ZIP64 = 1, FLAG_ENCRYPTED = 1 << 0, FLAG_DESCRIPTOR = 1 << 3 };
enum { SCRATCH = 64 << 10, BEHIND = 8 };

enum state {
	IN_HEADER,
	IN_PAYLOAD,
	IN_DEFLATED,   /* a payload of unknown size */
	IN_DESCRIPTOR, /* what follows such a payload, and the next signature */
	IN_REST,
};

struct hf_zip_sieve {
	enum hf_zip_want (*want)(hf_sv name);
	bool (*keep)(void *ctx, uint64_t offset, hf_sv bytes);
	void *ctx;
	bool refused;
	uint64_t at;                             /* offset of the next byte */
	uint64_t ends[HF_ARCHIVE_DEPTH_MAX + 2]; /* of the archives that are open, the outermost first */
	size_t depth;
	enum state state;
	bool kept; /* the member at hand */
	bool has_descriptor;
	struct hf_buf header; /* or descriptor, as far as it came */
	uint64_t header_at;
	uint64_t payload_end;
	struct inflate_state *inflate;
	uint64_t inflated;   /* all payloads */
	char behind[BEHIND]; /* the last bytes of a deflated payload that were seen */
	uint8_t *scratch;
};

struct hf_zip_sieve *hf_zip_sieve_new(enum hf_zip_want (*want)(hf_sv name),
				      bool (*keep)(void *ctx, uint64_t offset, hf_sv bytes), void *ctx)
{
	struct hf_zip_sieve *s = hf_calloc(1, sizeof *s);

	*s = (struct hf_zip_sieve){ .want = want, .keep = keep, .ctx = ctx, .header = HF_BUF(HEADER_MAX) };
	s->ends[0] = UINT64_MAX;
	return s;
}

void hf_zip_sieve_free(struct hf_zip_sieve *s)
{
	if (!s)
		return;
	hf_buf_done(&s->header);
	free(s->inflate);
	free(s->scratch);
	free(s);
}

static void keep(struct hf_zip_sieve *s, uint64_t at, hf_sv bytes)
{
	if (bytes.len && !s->refused)
		s->refused = !s->keep(s->ctx, at, bytes);
}

static void keep_rest(struct hf_zip_sieve *s)
{
	keep(s, s->header_at, hf_buf_view(&s->header));
	s->header.len = 0;
	s->state = IN_REST;
}

static void start_header(struct hf_zip_sieve *s)
{
	s->state = IN_HEADER;
	s->header.len = 0;
}

static void start_deflated(struct hf_zip_sieve *s)
{
	if (!s->inflate)
		s->inflate = hf_malloc(sizeof *s->inflate);
	if (!s->scratch)
		s->scratch = hf_malloc(SCRATCH);
	isal_inflate_init(s->inflate);
	s->inflate->crc_flag = ISAL_DEFLATE;
	s->header.len = 0;
	s->state = IN_DEFLATED;
}

static uint64_t packed_size(uint32_t packed, uint32_t size, hf_sv extra)
{
	struct hf_cur c = hf_cur_of(extra);

	while (packed == UINT32_MAX && !c.failed && hf_cur_left(&c) >= 4) {
		uint16_t id = hf_cur_u16le(&c);
		struct hf_cur f = hf_cur_of(hf_cur_take(&c, hf_cur_u16le(&c)));
		if (c.failed || id != EXTRA_ZIP64)
			continue;
		if (size == UINT32_MAX)
			(void)hf_cur_u64le(&f);
		uint64_t wide = hf_cur_u64le(&f);
		return f.failed ? packed : wide;
	}
	return packed;
}

/* A local header is there, whole; its payload begins at s->at. */
static void read_header(struct hf_zip_sieve *s)
{
	struct hf_cur c = hf_cur_of(hf_buf_view(&s->header));

	hf_cur_seek(&c, 6);
	uint16_t flags = hf_cur_u16le(&c), method = hf_cur_u16le(&c);
	hf_cur_seek(&c, 18);
	uint32_t packed32 = hf_cur_u32le(&c), size32 = hf_cur_u32le(&c);
	uint16_t name_len = hf_cur_u16le(&c), extra_len = hf_cur_u16le(&c);
	hf_sv name = hf_cur_take(&c, name_len);
	uint64_t packed = packed_size(packed32, size32, hf_cur_take(&c, extra_len));
	enum hf_zip_want want = s->want(name);
	bool open_end = (flags & FLAG_DESCRIPTOR) && !packed;

	if (open_end && (method != METHOD_DEFLATED || (flags & FLAG_ENCRYPTED))) {
		keep_rest(s);
		return;
	}
	s->kept = want != HF_ZIP_PASS;
	s->has_descriptor = flags & FLAG_DESCRIPTOR;
	if (s->kept)
		keep(s, s->header_at, hf_buf_view(&s->header));
	if (open_end) {
		start_deflated(s);
		return;
	}
	uint64_t end = s->ends[s->depth];
	s->payload_end = packed < end - s->at ? s->at + packed : end;
	if (want == HF_ZIP_KEEP_ARCHIVE && method == METHOD_STORED && !s->has_descriptor &&
	    s->depth + 1 < HF_ARRAY_SIZE(s->ends)) {
		s->ends[++s->depth] = s->payload_end;
		start_header(s);
		return;
	}
	s->header.len = 0;
	s->state = IN_PAYLOAD;
}

static bool has_signature(const struct hf_buf *b, size_t at, const char *signature)
{
	return b->len >= at + SIGNATURE && memcmp(b->ptr + at, signature, SIGNATURE) == 0;
}

static void end_payload(struct hf_zip_sieve *s)
{
	start_header(s);
	if (s->has_descriptor)
		s->state = IN_DESCRIPTOR;
}

/* Up to @want bytes in all. Returns how many were taken of @bytes. */
static size_t collect(struct hf_zip_sieve *s, hf_sv bytes, size_t want)
{
	hf_sv part = hf_sv_first(bytes, want - s->header.len);

	if (!s->header.len)
		s->header_at = s->at;
	hf_buf_add(&s->header, part);
	s->at += part.len;
	return part.len;
}

static size_t feed_header(struct hf_zip_sieve *s, hf_sv bytes)
{
	size_t want = LOCAL_SIZE;

	if (s->header.len >= LOCAL_SIZE) {
		struct hf_cur c = hf_cur_of(hf_buf_view(&s->header));
		hf_cur_seek(&c, 26);
		uint16_t name_len = hf_cur_u16le(&c), extra_len = hf_cur_u16le(&c);
		want += (size_t)name_len + extra_len;
	}
	size_t n = collect(s, bytes, want);
	if (s->header.len >= SIGNATURE && !has_signature(&s->header, 0, "PK\3\4"))
		keep_rest(s);
	else if (s->header.len == want && want > LOCAL_SIZE)
		read_header(s);
	else if (s->header.len == want && !s->header.ptr[26] && !s->header.ptr[27] && !s->header.ptr[28] &&
		 !s->header.ptr[29])
		keep_rest(s); /* a member without a name */
	return n;
}

static size_t feed_payload(struct hf_zip_sieve *s, hf_sv bytes)
{
	uint64_t left = s->payload_end - s->at;
	hf_sv part = hf_sv_first(bytes, left < bytes.len ? (size_t)left : bytes.len);

	if (s->kept)
		keep(s, s->at, part);
	s->at += part.len;
	if (s->at == s->payload_end)
		end_payload(s);
	return part.len;
}

static void remember(struct hf_zip_sieve *s, hf_sv bytes)
{
	if (bytes.len >= BEHIND) {
		memcpy(s->behind, bytes.ptr + bytes.len - BEHIND, BEHIND);
	} else {
		memmove(s->behind, s->behind + bytes.len, BEHIND - bytes.len);
		memcpy(s->behind + BEHIND - bytes.len, bytes.ptr, bytes.len);
	}
}

/* The decoder reads up to 8 bytes ahead, which may lie in the piece before this one. */
static size_t feed_deflated(struct hf_zip_sieve *s, hf_sv bytes)
{
	struct inflate_state *i = s->inflate;
	hf_sv part = hf_sv_first(bytes, 1 << 30);
	int r = 0;

	i->next_in = (uint8_t *)(uintptr_t)part.ptr;
	i->avail_in = (uint32_t)part.len;
	do {
		i->next_out = s->scratch;
		i->avail_out = SCRATCH;
		uint32_t had = i->avail_in;
		r = isal_inflate(i);
		s->inflated += SCRATCH - i->avail_out;
		if (r == 0 && i->block_state != ISAL_BLOCK_FINISH &&
		    ((had && had == i->avail_in && i->avail_out == SCRATCH) || s->inflated > HF_ARCHIVE_INFLATED_MAX))
			r = -1;
	} while (r == 0 && i->block_state != ISAL_BLOCK_FINISH && (i->avail_in || !i->avail_out));
	bool finished = r == 0 && i->block_state == ISAL_BLOCK_FINISH;
	size_t ahead = finished ? i->avail_in + (size_t)(i->read_in_length > 0 ? i->read_in_length / 8 : 0) : 0;
	size_t own = ahead < part.len ? part.len - ahead : 0;
	if (s->kept)
		keep(s, s->at, hf_sv_first(part, own));
	s->at += own;
	if (finished) {
		size_t back = ahead - (part.len - own);
		end_payload(s);
		if (back && back <= BEHIND) {
			s->header_at = s->at - back;
			hf_buf_add(&s->header, (hf_sv){ s->behind + BEHIND - back, back });
		}
		return own;
	}
	remember(s, part);
	if (r) {
		s->header.len = 0;
		s->state = IN_REST;
	}
	return own;
}

/* With a signature of its own or without, with sizes of 4 or of 8 bytes: what fits is in front of the next record. */
static size_t feed_descriptor(struct hf_zip_sieve *s, hf_sv bytes)
{
	size_t n = collect(s, bytes, DESCRIPTOR_MAX + SIGNATURE);
	size_t size = has_signature(&s->header, 0, "PK\7\x08") ? 16 : 12, end = 0;

	for (size_t i = 0; i < 2 && !end; i++, size += 8)
		if (has_signature(&s->header, size, "PK\3\4") || has_signature(&s->header, size, "PK\1\2"))
			end = size;
	if (!end) {
		if (s->header.len == DESCRIPTOR_MAX + SIGNATURE)
			keep_rest(s);
		return n;
	}
	if (s->kept)
		keep(s, s->header_at, hf_sv_first(hf_buf_view(&s->header), end));
	memmove(s->header.ptr, s->header.ptr + end, s->header.len - end);
	s->header.len -= end;
	s->header_at += end;
	s->state = IN_HEADER;
	return n;
}

static size_t feed_some(struct hf_zip_sieve *s, hf_sv bytes)
{
	switch (s->state) {
	case IN_HEADER:
		return feed_header(s, bytes);
	case IN_PAYLOAD:
		return feed_payload(s, bytes);
	case IN_DEFLATED:
		return feed_deflated(s, bytes);
	case IN_DESCRIPTOR:
		return feed_descriptor(s, bytes);
	case IN_REST:
		break;
	}
	keep(s, s->at, bytes);
	s->at += bytes.len;
	return bytes.len;
}

bool hf_zip_sieve_feed(struct hf_zip_sieve *s, hf_sv bytes)
{
	while (!s->refused) {
		/* A payload of no bytes has come to its end before anything else is read. */
		if (s->state == IN_PAYLOAD && s->at == s->payload_end)
			end_payload(s);
		if (s->depth && s->at == s->ends[s->depth]) {
			keep(s, s->header_at, hf_buf_view(&s->header));
			s->depth--;
			start_header(s);
			continue;
		}
		if (!bytes.len)
			break;
		uint64_t left = s->ends[s->depth] - s->at;
		hf_sv part = hf_sv_first(bytes, left < bytes.len ? (size_t)left : bytes.len);
		bytes = hf_sv_skip(bytes, feed_some(s, part));
	}
	return !s->refused;
}
