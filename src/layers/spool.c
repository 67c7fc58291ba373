/* A file is read into a mapping of its size. Where it is too large, only what is needed is written there: the pages of
 * the rest are never touched and take no memory. What is taken from the budget bounds the touched pages. */
#include "layers/spool.h"

#include <stdio.h>
#include <sys/mman.h>

#include "base/limits.h"

enum { PAGE = 4096, SLACK = 2 * HF_ELF_PARTS_MAX * PAGE };

struct spool {
	char *at;
	uint64_t size;
	uint64_t budget, touched; /* bytes */
	uint64_t next_page;       /* pages below are counted */
};

static bool put(void *ctx, uint64_t offset, hf_sv bytes)
{
	struct spool *s = ctx;

	if (offset > s->size || bytes.len > s->size - offset)
		return false;
	uint64_t first = offset / PAGE, end = (offset + bytes.len + PAGE - 1) / PAGE;
	if (first < s->next_page)
		first = s->next_page;
	if (end > first) {
		s->touched += (end - first) * PAGE;
		s->next_page = end;
	}
	if (s->touched > s->budget + SLACK)
		return false;
	memcpy(s->at + offset, bytes.ptr, bytes.len);
	return true;
}

static bool put_ranges(struct spool *s, const struct hf_parts *parts, uint64_t offset, hf_sv bytes)
{
	for (size_t i = 0; i < parts->held_n; i++) {
		uint64_t from = parts->held[i].from, to = parts->held[i].to;
		if (from < offset)
			from = offset;
		if (to > offset + bytes.len)
			to = offset + bytes.len;
		if (from < to && !put(s, from, hf_sv_slice(bytes, (size_t)(from - offset), (size_t)(to - from))))
			return false;
	}
	return true;
}

/* *@ret_full: what is needed goes over the budget. */
static int read_content(struct spool *s, struct hf_tar *tar, const struct hf_parts *parts, bool *ret_full,
			struct hf_err *err)
{
	struct hf_zip_sieve *sieve = parts->member ? hf_zip_sieve_new(parts->member, put, s) : NULL;
	uint64_t offset = 0;
	hf_sv piece;
	int r;

	while (!(r = hf_tar_content_piece(tar, &piece, err)) && piece.len && !*ret_full) {
		*ret_full = sieve ? !hf_zip_sieve_feed(sieve, piece) : !put_ranges(s, parts, offset, piece);
		offset += piece.len;
	}
	hf_zip_sieve_free(sieve);
	return r;
}

static uint64_t sum_of(const struct hf_parts *parts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < parts->held_n; i++)
		sum += parts->held[i].to - parts->held[i].from;
	return sum;
}

/* All of it where that is bearable; false where nothing that is bearable would do. */
static bool choose_parts(struct walk *w, struct hf_in *in, const struct hf_entry *e, struct hf_parts *ret,
			 uint64_t *ret_budget)
{
	if (e->size > HF_FILE_SPOOL_MAX && e->size <= HF_FILE_PARTS_MAX && w->v->parts) {
		hf_sv head = { 0 };
		head.len = hf_in_need(in, HF_ELF_HEAD);
		head.ptr = in->ptr;
		head = hf_sv_first(head, HF_ELF_HEAD);
		if (w->v->parts(w->v, e, head, ret)) {
			*ret_budget = ret->member ? HF_SPOOL_TOTAL_MAX : sum_of(ret);
			return *ret_budget <= HF_SPOOL_TOTAL_MAX;
		}
	}
	*ret = (struct hf_parts){ .held = { { 0, e->size } }, .held_n = 1 };
	*ret_budget = e->size;
	return e->size <= HF_SPOOL_TOTAL_MAX;
}

static int refuse(struct walk *w, const struct hf_entry *e, struct hf_err *err)
{
	char reason[160];

	snprintf(reason, sizeof reason,
		 "a file of %llu MiB, which would have to be held in memory: %llu MiB are the limit",
		 (unsigned long long)(e->size >> 20), (unsigned long long)(HF_SPOOL_TOTAL_MAX >> 20));
	return walk_unparsed(w, e->path, reason, err);
}

int spool_deliver(struct walk *w, struct hf_in *in, struct hf_tar *tar, const struct hf_tar_member *m,
		  const struct hf_entry *e, struct hf_err *err)
{
	struct spool s = { .size = m->size };
	struct hf_parts parts = { 0 };
	struct hf_err why = { 0 };
	bool full = false;

	if (!choose_parts(w, in, e, &parts, &s.budget) || !hf_budget_take(w->source->spool, s.budget))
		return refuse(w, e, err);
	s.at = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.at == MAP_FAILED) {
		hf_budget_give(w->source->spool, s.budget);
		return refuse(w, e, err);
	}
	if (parts.member || parts.held_n > 1)
		(void)madvise(s.at, s.size, MADV_NOHUGEPAGE); /* a huge page would bring back what is left out */
	int r = read_content(&s, tar, &parts, &full, &why);
	uint64_t rest = s.touched < s.budget ? s.budget - s.touched : 0;
	if (parts.member && rest) {
		hf_budget_give(w->source->spool, rest);
		s.budget -= rest;
	}
	if (full)
		r = refuse(w, e, err);
	else if (r)
		r = walk_unparsed(w, e->path, why.msg, err);
	else
		r = w->v->content(w->v, e, (hf_sv){ s.at, (size_t)s.size }, err);
	munmap(s.at, s.size);
	hf_budget_give(w->source->spool, s.budget);
	return r;
}
