/* Pax records and sparse maps: POSIX.1-2001 pax(1) "pax Extended Header"; GNU tar manual, "Sparse Formats". */
#include <stdlib.h>

#include "format/tar_internal.h"

enum { BLOCK = 512 };

int tar_add_piece(struct hf_tar *t, uint64_t at, uint64_t len, struct hf_err *err)
{
	if (t->pieces_n == HF_TAR_SPARSE_MAX)
		return hf_fail(err, HF_E_LIMIT, "a sparse file of more than %d pieces", HF_TAR_SPARSE_MAX);
	if (t->pieces_n == t->pieces_slots) {
		t->pieces_slots = t->pieces_slots ? 2 * t->pieces_slots : 16;
		t->pieces = hf_realloc(t->pieces, t->pieces_slots * sizeof *t->pieces);
	}
	t->pieces[t->pieces_n++] = (struct tar_piece){ at, len };
	return HF_OK;
}

/* GNU.sparse.map: "offset,length,offset,length…" */
static int read_map(struct hf_tar *t, hf_sv value, struct hf_err *err)
{
	hf_sv from, len;
	uint64_t a, b;

	t->pieces_n = 0;
	while (hf_sv_next(&value, ',', &from)) {
		if (!hf_sv_next(&value, ',', &len) || !hf_sv_to_u64(from, &a) || !hf_sv_to_u64(len, &b))
			return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
		int r = tar_add_piece(t, a, b, err);
		if (r)
			return r;
	}
	return HF_OK;
}

static void set_text(struct hf_buf *b, bool *has, hf_sv value)
{
	b->len = 0;
	hf_buf_add(b, value);
	*has = value.len > 0; /* an empty value takes an earlier one back */
}

/* Whole seconds of "[-]digits[.digits]"; towards the past where there is a fraction before 1970 is of no matter here.
 */
static void set_mtime(struct tar_ext *e, hf_sv value)
{
	bool negative = hf_sv_starts(value, HF_SV("-"));
	hf_sv whole = hf_sv_skip(value, negative), fraction;
	uint64_t v;

	if (hf_sv_cut(whole, '.', &whole, &fraction) || whole.len)
		e->has_mtime = hf_sv_to_u64(whole, &v) && v <= INT64_MAX;
	if (e->has_mtime)
		e->mtime = negative ? -(int64_t)v : (int64_t)v;
}

static int read_sparse_record(struct hf_tar *t, hf_sv key, hf_sv value, struct hf_err *err)
{
	struct tar_ext *e = &t->ext;
	uint64_t n = 0;
	bool is_number = hf_sv_to_u64(value, &n), unused;

	if (hf_sv_eq(key, HF_SV("name"))) {
		set_text(&e->sparse_name, &unused, value);
	} else if (hf_sv_eq(key, HF_SV("map"))) {
		e->is_sparse = true;
		return read_map(t, value, err);
	} else if (!is_number) {
		return hf_fail(err, HF_E_FORMAT, "a sparse record that is no number");
	} else if (hf_sv_eq(key, HF_SV("major"))) {
		e->sparse_major = n;
		e->is_sparse = true;
	} else if (hf_sv_eq(key, HF_SV("size")) || hf_sv_eq(key, HF_SV("realsize"))) {
		e->real_size = n;
		e->has_real_size = e->is_sparse = true;
	} else if (hf_sv_eq(key, HF_SV("offset"))) {
		if (e->pieces_due)
			return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
		e->pieces_due = true;
		return tar_add_piece(t, n, 0, err);
	} else if (hf_sv_eq(key, HF_SV("numbytes"))) {
		if (!e->pieces_due || !t->pieces_n)
			return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
		e->pieces_due = false;
		t->pieces[t->pieces_n - 1].len = n;
	}
	return HF_OK; /* minor and numblocks say nothing that the pieces do not */
}

static int read_record(struct hf_tar *t, hf_sv key, hf_sv value, struct hf_err *err)
{
	struct tar_ext *e = &t->ext;

	if (hf_sv_eq(key, HF_SV("path")) || hf_sv_eq(key, HF_SV("linkpath"))) {
		if (value.len && memchr(value.ptr, 0, value.len))
			return hf_fail(err, HF_E_FORMAT, "a name with a NUL in it");
		if (key.len == 4)
			set_text(&e->name, &e->has_name, value);
		else
			set_text(&e->link, &e->has_link, value);
	} else if (hf_sv_eq(key, HF_SV("size"))) {
		e->has_size = value.len > 0;
		if (e->has_size && (!hf_sv_to_u64(value, &e->size) || e->size > INT64_MAX))
			return hf_fail(err, HF_E_FORMAT, "a size out of range");
	} else if (hf_sv_eq(key, HF_SV("mtime"))) {
		set_mtime(e, value);
	} else if (hf_sv_starts(key, HF_SV("GNU.sparse."))) {
		return read_sparse_record(t, hf_sv_skip(key, sizeof "GNU.sparse." - 1), value, err);
	}
	return HF_OK;
}

int tar_read_pax(struct hf_tar *t, hf_sv records, struct hf_err *err)
{
	while (records.len) {
		hf_sv length, rest, key, value;
		uint64_t n;
		if (!hf_sv_cut(hf_sv_first(records, 21), ' ', &length, &rest) || !hf_sv_to_u64(length, &n) ||
		    n > records.len || n <= length.len + 2 || records.ptr[n - 1] != '\n')
			return hf_fail(err, HF_E_FORMAT, "a pax record that is none");
		rest = hf_sv_slice(records, length.len + 1, (size_t)n - length.len - 2);
		if (!hf_sv_cut(rest, '=', &key, &value) || !key.len)
			return hf_fail(err, HF_E_FORMAT, "a pax record that is none");
		int r = read_record(t, key, value, err);
		if (r)
			return r;
		records = hf_sv_skip(records, (size_t)n);
	}
	return HF_OK;
}

/* The next decimal line of the map; *@used counts the bytes taken. */
static bool next_line(struct hf_tar *t, uint64_t *used, uint64_t *ret)
{
	char digits[24];

	for (size_t n = 0; n < sizeof digits; n++) {
		if (*used >= t->now.stored || !hf_in_need(t->in, 1))
			return false;
		digits[n] = *t->in->ptr;
		hf_in_take(t->in, 1);
		(*used)++;
		if (digits[n] == '\n')
			return hf_sv_to_u64((hf_sv){ digits, n }, ret);
	}
	return false;
}

int tar_read_sparse_1_0(struct hf_tar *t, struct hf_err *err)
{
	uint64_t used = 0, n, at, len;

	t->pieces_n = 0;
	if (!next_line(t, &used, &n))
		return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
	for (uint64_t i = 0; i < n; i++) {
		if (!next_line(t, &used, &at) || !next_line(t, &used, &len))
			return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
		int r = tar_add_piece(t, at, len, err);
		if (r)
			return r;
	}
	uint64_t padding = (BLOCK - used % BLOCK) % BLOCK;
	if (padding > t->now.stored - used || !hf_in_skip(t->in, padding))
		return hf_fail(err, HF_E_FORMAT, "a sparse map that is none");
	t->now.stored -= used + padding;
	t->left -= used + padding;
	return HF_OK;
}

int tar_check_pieces(struct hf_tar *t, struct hf_err *err)
{
	uint64_t end = 0, sum = 0;

	for (size_t i = 0; i < t->pieces_n; i++) {
		const struct tar_piece *p = &t->pieces[i];
		uint64_t piece_end;
		if (p->at < end || __builtin_add_overflow(p->at, p->len, &piece_end) || piece_end > t->now.size)
			return hf_fail(err, HF_E_FORMAT, "a sparse map out of range");
		end = piece_end;
		sum += p->len; /* at most `end`: the pieces lie apart */
	}
	if (t->ext.pieces_due || sum != t->now.stored)
		return hf_fail(err, HF_E_FORMAT, "a sparse map that does not fit what is stored");
	return HF_OK;
}

void tar_place_pieces(const struct hf_tar *t, const char *stored, size_t stored_n, char *out, size_t n)
{
	for (size_t i = 0; i < t->pieces_n; i++) {
		const struct tar_piece *p = &t->pieces[i];
		if (p->at >= n || !stored_n)
			return;
		size_t len = p->len < stored_n ? (size_t)p->len : stored_n;
		if (len > n - p->at)
			len = n - (size_t)p->at;
		memcpy(out + p->at, stored, len);
		size_t used = p->len < stored_n ? (size_t)p->len : stored_n;
		stored += used;
		stored_n -= used;
	}
}
