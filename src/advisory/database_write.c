#include "advisory/database_write.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

void hf_database_items_done(struct hf_database_items *t)
{
	free(t->items);
	free(t->places);
	free(t->epss);
	*t = (struct hf_database_items){ 0 };
}

static void *slot(void *at, size_t n, size_t *slots, size_t size)
{
	if (n < *slots)
		return at;
	*slots = *slots ? *slots * 2 : 1024;
	return hf_realloc(at, *slots * size);
}

void hf_database_item(struct hf_database_items *t, hf_sv key, hf_sv value)
{
	t->items = slot(t->items, t->items_n, &t->items_slots, sizeof *t->items);
	t->items[t->items_n] = (struct hf_database_item){ key, value, t->items_n };
	t->items_n++;
}

void hf_database_place(struct hf_database_items *t, uint32_t record, hf_sv key)
{
	t->places = slot(t->places, t->places_n, &t->places_slots, sizeof *t->places);
	t->places[t->places_n] = (struct hf_database_place){ key, record, (uint32_t)t->places_n };
	t->places_n++;
}

void hf_database_epss_add(struct hf_database_items *t, uint32_t cve, uint32_t score, uint32_t percentile)
{
	t->epss = slot(t->epss, t->epss_n, &t->epss_slots, sizeof *t->epss);
	t->epss[t->epss_n++] = (struct hf_database_epss){ cve, score, percentile };
}

static int by_key(const void *a, const void *b)
{
	const struct hf_database_item *x = a, *y = b;
	int r = hf_sv_cmp(x->key, y->key);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

void hf_database_items_sort(struct hf_database_items *t)
{
	if (t->items_n)
		qsort(t->items, t->items_n, sizeof *t->items, by_key);
}

static int by_cve(const void *a, const void *b)
{
	const struct hf_database_epss *x = a, *y = b;

	return (x->cve > y->cve) - (x->cve < y->cve);
}

static void put_u32(struct hf_buf *b, uint64_t v)
{
	for (unsigned i = 0; i < 4; i++)
		hf_buf_add_char(b, (char)(v >> 8 * i));
}

void hf_database_epss_pack(struct hf_database_items *t, struct hf_buf *out)
{
	if (t->epss_n)
		qsort(t->epss, t->epss_n, sizeof *t->epss, by_cve);
	for (size_t i = 0; i < t->epss_n; i++) {
		if (i + 1 < t->epss_n && t->epss[i + 1].cve == t->epss[i].cve)
			continue;
		put_u32(out, t->epss[i].cve);
		put_u32(out, t->epss[i].score);
		put_u32(out, t->epss[i].percentile);
	}
}

static int by_record(const void *a, const void *b)
{
	const struct hf_database_place *x = a, *y = b;

	if (x->record != y->record)
		return x->record < y->record ? -1 : 1;
	int r = hf_sv_cmp(x->key, y->key);
	return r ? r : (x->order > y->order) - (x->order < y->order);
}

void hf_database_places_pack(struct hf_database_items *t, size_t records, struct hf_buf *places, struct hf_buf *offsets)
{
	size_t k = 0;

	if (t->places_n)
		qsort(t->places, t->places_n, sizeof *t->places, by_record);
	for (size_t i = 0; i < records; i++) {
		put_u32(offsets, places->len);
		for (; k < t->places_n && t->places[k].record == i; k++) {
			hf_sv key = t->places[k].key;
			if (k && t->places[k - 1].record == i && hf_sv_eq(t->places[k - 1].key, key))
				continue;
			size_t n = key.len;
			for (; n >= 0x80; n >>= 7)
				hf_buf_add_char(places, (char)(n | 0x80));
			hf_buf_add_char(places, (char)n);
			hf_buf_add(places, key);
		}
	}
	put_u32(offsets, places->len);
}

static int put_all(struct hf_database_items *t, MDB_txn *txn, MDB_dbi dbi, struct hf_buf *joined)
{
	for (size_t i = 0; i < t->items_n;) {
		size_t end = i + 1;
		while (end < t->items_n && hf_sv_eq(t->items[end].key, t->items[i].key))
			end++;
		hf_sv value = t->items[i].value;
		if (end > i + 1) {
			joined->len = 0;
			for (size_t k = i; k < end; k++)
				hf_buf_add(joined, t->items[k].value);
			value = hf_buf_view(joined);
		}
		MDB_val key = { t->items[i].key.len, (void *)t->items[i].key.ptr };
		MDB_val data = { value.len, (void *)value.ptr };
		int r = mdb_put(txn, dbi, &key, &data, MDB_APPEND);
		if (r || joined->over)
			return r ? r : ENOMEM;
		i = end;
	}
	return 0;
}

static int fill(struct hf_database_items *t, const char *file, const char **ret_step)
{
	hf_cleanup(hf_buf_done) struct hf_buf joined = HF_BUF(HF_DATABASE_BUILD_MAX);
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	uint64_t size = HF_MIB(1);

	/* A page for each pair would be the worst; three times the bytes and 64 a pair leaves room for half-full pages.
	 */
	for (size_t i = 0; i < t->items_n; i++)
		size += 3 * (t->items[i].key.len + t->items[i].value.len) + 64;
	*ret_step = "mdb_env_open";
	int r = mdb_env_create(&env);
	if (!r)
		r = mdb_env_set_mapsize(env, (size_t)((size + 0xfffff) & ~UINT64_C(0xfffff)));
	if (!r)
		r = mdb_env_open(env, file, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644);
	if (!r) {
		*ret_step = "mdb_put";
		r = mdb_txn_begin(env, NULL, 0, &txn);
	}
	if (!r)
		r = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (!r)
		r = put_all(t, txn, dbi, &joined);
	if (!r) {
		*ret_step = "mdb_txn_commit";
		r = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (!r)
		r = mdb_env_sync(env, 1);
	if (txn)
		mdb_txn_abort(txn);
	if (env)
		mdb_env_close(env);
	return r;
}

int hf_database_items_write(struct hf_database_items *t, const char *file, struct hf_err *err)
{
	char beside[HF_PATH_MAX];
	const char *step;

	if (snprintf(beside, sizeof beside, "%s.%ld.tmp", file, (long)getpid()) >= (int)sizeof beside)
		return hf_fail(err, HF_E_LIMIT, "%s: the path is too long", file);
	int fd = open(beside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return hf_fail_errno(err, "%s", beside);
	close(fd);
	int r = fill(t, beside, &step);
	if (r) {
		unlink(beside);
		return hf_fail(err, HF_E_IO, "%s: %s: %s", beside, step, mdb_strerror(r));
	}
	if (rename(beside, file)) {
		unlink(beside);
		return hf_fail_errno(err, "%s", file);
	}
	return HF_OK;
}
