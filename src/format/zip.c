#include "format/zip.h"

#include "base/limits.h"
#include "codec/deflate.h"

/* Sizes of the fixed parts, signatures included (APPNOTE 4.3.7, 4.3.12, 4.3.14 to 4.3.16). */
enum { LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END64_SIZE = 56, LOCATOR_SIZE = 20, COMMENT_MAX = 65535 };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, HOST_UNIX = 3, EXTRA_ZIP64 = 1 };
enum { FLAG_ENCRYPTED = 1 << 0, FLAG_MASKED = 1 << 13 };

#define SIGNATURE_LOCAL   HF_SV("PK\3\4")
#define SIGNATURE_CENTRAL HF_SV("PK\1\2")
#define SIGNATURE_SIGNED  HF_SV("PK\5\5")
#define SIGNATURE_END     HF_SV("PK\5\6")
#define SIGNATURE_END64   HF_SV("PK\6\6")
#define SIGNATURE_LOCATOR HF_SV("PK\6\7")
#define SIGNATURE_EXTRA   HF_SV("PK\6\x08")

struct end_record {
	uint64_t at; /* where the directory must end at the latest */
	uint64_t disk, directory_disk, members_n, size, offset;
};

static bool has_signature(hf_sv bytes, uint64_t at, hf_sv signature)
{
	return at <= bytes.len && hf_sv_starts(hf_sv_skip(bytes, (size_t)at), signature);
}

/* The 64-bit end record counts only where the old one is full: so do the JDK and Info-ZIP. */
static int read_end64(hf_sv bytes, struct end_record *e, struct hf_err *err)
{
	if (e->at < LOCATOR_SIZE || !has_signature(bytes, e->at - LOCATOR_SIZE, SIGNATURE_LOCATOR))
		return HF_OK;
	uint64_t locator = e->at - LOCATOR_SIZE;
	struct hf_cur c = hf_cur_of(bytes);
	hf_cur_seek(&c, locator + 8);
	uint64_t at = hf_cur_u64le(&c);
	if (!has_signature(bytes, at, SIGNATURE_END64) || at >= locator) {
		/* Bytes in front of the archive shift it; then it ends where the locator begins. */
		if (locator < END64_SIZE || !has_signature(bytes, locator - END64_SIZE, SIGNATURE_END64))
			return hf_fail(err, HF_E_FORMAT, "the zip64 end record is not where its locator says");
		at = locator - END64_SIZE;
	}
	hf_cur_seek(&c, at + 16);
	e->at = at;
	e->disk = hf_cur_u32le(&c);
	e->directory_disk = hf_cur_u32le(&c);
	(void)hf_cur_u64le(&c); /* members on this disk */
	e->members_n = hf_cur_u64le(&c);
	e->size = hf_cur_u64le(&c);
	e->offset = hf_cur_u64le(&c);
	return c.failed ? hf_fail(err, HF_E_FORMAT, "the zip64 end record is cut off") : HF_OK;
}

/* Sets the directory and what lies in front of the archive. */
static bool place_directory(struct hf_zip *z, const struct end_record *e)
{
	uint64_t start;

	if (e->size > e->at)
		return false;
	start = e->at - e->size;
	if (e->size && !has_signature(z->bytes, start, SIGNATURE_CENTRAL)) {
		/* Something stands between the directory and its end record. */
		if (e->offset > e->at - e->size || !has_signature(z->bytes, e->offset, SIGNATURE_CENTRAL))
			return false;
		start = e->offset;
	}
	if (e->offset > start)
		return false;
	z->base = start - e->offset;
	z->directory = hf_cur_of(hf_sv_slice(z->bytes, (size_t)start, (size_t)e->size));
	z->members_n = e->members_n;
	return true;
}

static int try_end(struct hf_zip *z, size_t at, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(z->bytes);
	struct end_record e = { .at = at };

	hf_cur_seek(&c, at + 4);
	e.disk = hf_cur_u16le(&c);
	e.directory_disk = hf_cur_u16le(&c);
	(void)hf_cur_u16le(&c); /* members on this disk */
	e.members_n = hf_cur_u16le(&c);
	e.size = hf_cur_u32le(&c);
	e.offset = hf_cur_u32le(&c);
	z->comment = hf_cur_take(&c, hf_cur_u16le(&c));
	if (c.failed)
		return hf_fail(err, HF_E_FORMAT, "the end record is cut off");
	if (e.members_n == UINT16_MAX || e.size == UINT32_MAX || e.offset == UINT32_MAX) {
		int r = read_end64(z->bytes, &e, err);
		if (r < 0)
			return r;
	}
	if (e.disk || e.directory_disk)
		return hf_fail(err, HF_E_UNSUPPORTED, "a zip archive split over several files");
	if (!place_directory(z, &e))
		return hf_fail(err, HF_E_FORMAT, "the central directory is not where the end record says");
	return HF_OK;
}

int hf_zip_open(struct hf_zip *z, hf_sv bytes, struct hf_err *err)
{
	struct hf_err first = { 0 };

	*z = (struct hf_zip){ .bytes = bytes };
	if (bytes.len < END_SIZE)
		return hf_fail(err, HF_E_FORMAT, "too short for a zip archive");
	size_t lowest = bytes.len - END_SIZE > COMMENT_MAX ? bytes.len - END_SIZE - COMMENT_MAX : 0;
	hf_sv tail = hf_sv_skip(bytes, lowest);
	/* A comment may hold the signature too: the last one that makes sense is taken. */
	for (size_t at = tail.len - END_SIZE + 1; at-- > 0;) {
		if (memcmp(bytes.ptr + lowest + at, SIGNATURE_END.ptr, SIGNATURE_END.len))
			continue;
		if (try_end(z, lowest + at, first.code ? NULL : &first) == HF_OK) {
			z->why = NULL;
			return HF_OK;
		}
	}
	if (!first.code)
		return hf_fail(err, HF_E_FORMAT, "not a zip archive: it has no end record");
	return hf_fail(err, first.code, "%s", first.msg);
}

void hf_zip_rewind(struct hf_zip *z)
{
	z->directory = hf_cur_of(z->directory.all);
	z->seen_n = 0;
	z->why = NULL;
}

/* APPNOTE 4.5.3: only the fields that are full in the record stand here, in this order. */
static bool read_extra64(hf_sv extra, struct hf_zip_member *m, bool size, bool packed, bool header)
{
	struct hf_cur c = hf_cur_of(extra);

	while (hf_cur_left(&c) >= 4) {
		uint16_t id = hf_cur_u16le(&c);
		hf_sv field = hf_cur_take(&c, hf_cur_u16le(&c));
		if (c.failed)
			return false;
		if (id != EXTRA_ZIP64)
			continue;
		struct hf_cur f = hf_cur_of(field);
		if (size)
			m->size = hf_cur_u64le(&f);
		if (packed)
			m->packed = hf_cur_u64le(&f);
		if (header)
			m->header = hf_cur_u64le(&f);
		return !f.failed;
	}
	/* Without the field the full value is the value. */
	return true;
}

static bool stop(struct hf_zip *z, const char *why)
{
	z->why = why;
	return false;
}

bool hf_zip_next(struct hf_zip *z, struct hf_zip_member *m)
{
	struct hf_cur *c = &z->directory;

	if (z->why)
		return false;
	hf_sv rest = hf_sv_skip(c->all, c->at);
	if (!rest.len || hf_sv_starts(rest, SIGNATURE_SIGNED)) {
		/* Old archives with more than 65535 members keep the low bits of their number. */
		if ((z->seen_n ^ z->members_n) & UINT16_MAX)
			z->why = "the end record counts other members than the central directory holds";
		return false;
	}
	if (!hf_sv_starts(rest, SIGNATURE_CENTRAL))
		return stop(z, hf_sv_starts(rest, SIGNATURE_EXTRA) ? "the central directory is encrypted"
								   : "a record of the central directory is broken");
	if (z->seen_n >= HF_ZIP_MEMBERS_MAX)
		return stop(z, "too many members");
	struct hf_cur f = hf_cur_of(hf_cur_take(c, CENTRAL_SIZE));
	hf_cur_seek(&f, 5);
	uint8_t host = hf_cur_u8(&f);
	hf_cur_seek(&f, 8);
	*m = (struct hf_zip_member){ 0 };
	m->flags = hf_cur_u16le(&f);
	m->method = hf_cur_u16le(&f);
	hf_cur_seek(&f, 16);
	m->crc32 = hf_cur_u32le(&f);
	m->packed = hf_cur_u32le(&f);
	m->size = hf_cur_u32le(&f);
	uint16_t name_len = hf_cur_u16le(&f), extra_len = hf_cur_u16le(&f), comment_len = hf_cur_u16le(&f);
	hf_cur_seek(&f, 38);
	m->mode = host == HOST_UNIX ? hf_cur_u32le(&f) >> 16 : 0;
	hf_cur_seek(&f, 42);
	m->header = hf_cur_u32le(&f);
	m->encrypted = m->flags & (FLAG_ENCRYPTED | FLAG_MASKED);
	m->name = hf_cur_take(c, name_len);
	hf_sv extra = hf_cur_take(c, extra_len);
	(void)hf_cur_take(c, comment_len);
	if (f.failed || c->failed)
		return stop(z, "the central directory is cut off");
	bool size = m->size == UINT32_MAX, packed = m->packed == UINT32_MAX, header = m->header == UINT32_MAX;
	if ((size || packed || header) && !read_extra64(extra, m, size, packed, header))
		return stop(z, "a zip64 field of the central directory is broken");
	z->seen_n++;
	return true;
}

/* The member's bytes as they lie in the archive, compressed or not. @return HF_OK; HF_E_FORMAT its local header is not
 * there; HF_E_TRUNCATED it reaches past the end. */
static int packed_bytes(const struct hf_zip *z, const struct hf_zip_member *m, hf_sv *ret, struct hf_err *err)
{
	hf_sv archive = hf_sv_skip(z->bytes, (size_t)z->base);
	struct hf_cur c = hf_cur_of(archive);

	if (!has_signature(archive, m->header, SIGNATURE_LOCAL))
		return hf_fail(err, HF_E_FORMAT, "no local header where the directory says");
	hf_cur_seek(&c, m->header);
	struct hf_cur f = hf_cur_of(hf_cur_take(&c, LOCAL_SIZE));
	hf_cur_seek(&f, 26);
	/* The name and extra field here may differ from the directory's: only their lengths count. */
	uint16_t name_len = hf_cur_u16le(&f), extra_len = hf_cur_u16le(&f);
	(void)hf_cur_take(&c, (uint64_t)name_len + extra_len);
	hf_sv packed = hf_cur_take(&c, m->packed);
	if (f.failed || c.failed)
		return hf_fail(err, HF_E_TRUNCATED, "the member reaches past the end of the archive");
	*ret = packed;
	return HF_OK;
}

int hf_zip_read(const struct hf_zip *z, const struct hf_zip_member *m, uint64_t size_max, struct hf_buf *scratch,
		hf_sv *ret, struct hf_err *err)
{
	hf_sv packed = { 0 };

	if (m->encrypted)
		return hf_fail(err, HF_E_UNSUPPORTED, "the member is encrypted");
	if (m->method != METHOD_STORED && m->method != METHOD_DEFLATED)
		return hf_fail(err, HF_E_UNSUPPORTED, "compression method %u is not read", m->method);
	if (m->size > size_max)
		return hf_fail(err, HF_E_LIMIT, "larger than %llu bytes", (unsigned long long)size_max);
	int r = packed_bytes(z, m, &packed, err);
	if (r < 0)
		return r;
	if (m->method == METHOD_STORED) {
		if (m->size != m->packed)
			return hf_fail(err, HF_E_FORMAT, "a stored member has two sizes");
		*ret = packed;
		return HF_OK;
	}
	scratch->len = 0;
	scratch->over = false;
	scratch->max = (size_t)m->size;
	r = hf_inflate(HF_DEFLATE_RAW, packed, m->size, scratch, err);
	if (r == HF_E_LIMIT)
		return hf_fail(err, HF_E_FORMAT, "inflates to more than the promised %zu bytes", scratch->max);
	if (r < 0)
		return r;
	if (scratch->len != m->size)
		return hf_fail(err, HF_E_FORMAT, "inflates to %zu of the promised %zu bytes", scratch->len,
			       scratch->max);
	if (hf_crc32(hf_buf_view(scratch)) != m->crc32)
		return hf_fail(err, HF_E_FORMAT, "the CRC-32 is wrong");
	*ret = hf_buf_view(scratch);
	return HF_OK;
}

const char *hf_zip_name_flaw(hf_sv name)
{
	hf_sv rest = name, part;

	if (!name.len)
		return "an empty name";
	if (name.len > HF_PATH_MAX)
		return "a name that is too long";
	if (memchr(name.ptr, 0, name.len))
		return "a name with a NUL byte";
	if (name.ptr[0] == '/')
		return "an absolute name";
	while (hf_sv_next(&rest, '/', &part))
		if (hf_sv_eq(part, HF_SV("..")))
			return "a name that leaves the archive";
	return NULL;
}
