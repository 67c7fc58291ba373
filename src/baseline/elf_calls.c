#include "baseline/elf_calls.h"

#include <stdlib.h>

enum { MACHINE_X86_64 = 62, CODE_MAX = 64 << 20, STARTS_MAX = 1 << 20, DATA_SEGMENTS_MAX = 8, ROUNDS_MAX = 64 };

struct graph {
	const struct hf_elf *e;
	struct hf_arena *a;
	hf_sv code;
	uint64_t address;        /* of the code */
	HF_VEC(uint32_t) starts; /* offsets in the code, sorted and once each after sort_starts */
	HF_VEC(uint32_t) queue;  /* indexes of starts */
	size_t done;             /* of the queue */
	bool *reached;
	bool over;
};

/* The first executable segment; libraries have one. */
static bool find_code(struct graph *g)
{
	struct hf_elf_segment s;

	for (uint64_t i = 0; hf_elf_segment_at(g->e, i, &s); i++)
		if (s.type == HF_ELF_SEGMENT_LOAD && (s.flags & HF_ELF_SEGMENT_EXECUTABLE)) {
			g->code = s.content;
			g->address = s.address;
			return s.content.len && s.content.len <= CODE_MAX;
		}
	return false;
}

static bool offset_of(const struct graph *g, uint64_t address, uint32_t *ret)
{
	if (address < g->address || address - g->address >= g->code.len)
		return false;
	*ret = (uint32_t)(address - g->address);
	return true;
}

static void add_start(struct graph *g, uint32_t offset)
{
	uint32_t *slot = g->starts.n < STARTS_MAX ? hf_vec_push(g->a, &g->starts) : NULL;

	if (slot)
		*slot = offset;
	else
		g->over = true;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_starts(struct graph *g)
{
	size_t n = 0;

	if (g->starts.n)
		qsort(g->starts.at, g->starts.n, sizeof *g->starts.at, by_number);
	for (size_t i = 0; i < g->starts.n; i++)
		if (!n || g->starts.at[n - 1] != g->starts.at[i])
			g->starts.at[n++] = g->starts.at[i];
	g->starts.n = n;
}

enum reference { NO_REFERENCE, CALL, JUMP, ADDRESS };

/* Whether the bytes at @at refer to code by a displacement, and to where. */
static enum reference reference_at(const struct graph *g, size_t at, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)g->code.ptr + at;
	size_t left = g->code.len - at, size;
	enum reference r;

	if (left >= 5 && (p[0] == 0xe8 || p[0] == 0xe9)) {
		r = p[0] == 0xe8 ? CALL : JUMP;
		size = 5;
	} else if (left >= 6 && p[0] == 0x0f && (p[1] & 0xf0) == 0x80) {
		r = JUMP;
		size = 6;
	} else if (left >= 7 && (p[0] & 0xfb) == 0x48 && p[1] == 0x8d && (p[2] & 0xc7) == 0x05) {
		r = ADDRESS;
		size = 7;
	} else {
		return NO_REFERENCE;
	}
	struct hf_cur c = hf_cur_of(hf_sv_slice(g->code, at + size - 4, 4));
	int64_t to = (int64_t)(at + size) + (int32_t)hf_cur_u32le(&c);
	if (to < 0 || (uint64_t)to >= g->code.len)
		return NO_REFERENCE;
	*ret = (uint32_t)to;
	return r;
}

/* Index of the function that holds an offset. Offsets before the first start belong to it. */
static size_t function_of(const struct graph *g, uint32_t offset)
{
	size_t low = 0, high = g->starts.n;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;
		if (g->starts.at[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void reach(struct graph *g, uint32_t offset)
{
	size_t i = function_of(g, offset);

	if (g->reached[i])
		return;
	uint32_t *slot = hf_vec_push(g->a, &g->queue);
	if (!slot) {
		g->over = true;
		return;
	}
	g->reached[i] = true;
	*slot = (uint32_t)i;
}

/* Words of the data that are addresses in the code; the table of symbols is no use of them. */
static void each_pointer(struct graph *g, const struct hf_elf_dynamic *d,
			 void (*take)(struct graph *g, uint32_t offset))
{
	struct hf_elf_segment s;
	uint32_t offset;

	for (uint64_t i = 0; i < DATA_SEGMENTS_MAX && hf_elf_segment_at(g->e, i, &s); i++) {
		if (s.type != HF_ELF_SEGMENT_LOAD || (s.flags & HF_ELF_SEGMENT_EXECUTABLE) || s.content.len > CODE_MAX)
			continue;
		struct hf_cur c = hf_cur_of(s.content);
		while (hf_cur_left(&c) >= 8) {
			const char *here = s.content.ptr + c.at;
			uint64_t word = hf_cur_u64le(&c);
			if (here >= d->symbols.ptr && here < d->symbols.ptr + d->symbols.len)
				continue;
			if (offset_of(g, word, &offset))
				take(g, offset);
		}
	}
}

static void each_symbol(struct graph *g, const struct hf_elf_dynamic *d, const struct hf_map *names,
			void (*take)(struct graph *g, uint32_t offset))
{
	struct hf_elf_symbol sym;
	uint32_t offset;

	for (uint64_t i = 1; hf_elf_dynamic_symbol(g->e, d, i, &sym); i++)
		if (sym.section && (sym.type == HF_ELF_SYMBOL_FUNCTION || sym.type == HF_ELF_SYMBOL_CHOSEN) &&
		    offset_of(g, sym.value, &offset) && (!names || hf_map_find(names, sym.name)))
			take(g, offset);
}

static void find_starts(struct graph *g, const struct hf_elf_dynamic *d)
{
	uint32_t to;

	add_start(g, 0);
	each_symbol(g, d, NULL, add_start);
	each_pointer(g, d, add_start);
	for (size_t at = 0; at < g->code.len && !g->over; at++) {
		enum reference r = reference_at(g, at, &to);
		if (r == CALL || r == ADDRESS)
			add_start(g, to);
	}
	sort_starts(g);
}

static void follow(struct graph *g, struct hf_syscalls *s)
{
	uint32_t to;

	for (; g->done < g->queue.n && !g->over; g->done++) {
		size_t i = g->queue.at[g->done];
		size_t from = g->starts.at[i], end = i + 1 < g->starts.n ? g->starts.at[i + 1] : g->code.len;
		hf_elf_syscalls_in(g->code, from, end, s);
		for (size_t at = from; at < end; at++)
			if (reference_at(g, at, &to) != NO_REFERENCE)
				reach(g, to);
	}
}

/* A function that a label within it has cut: all its pieces are reached with it. */
static void join_pieces(struct graph *g, const struct hf_elf_dynamic *d)
{
	struct hf_elf_symbol sym;
	uint32_t offset;

	for (uint64_t i = 1; hf_elf_dynamic_symbol(g->e, d, i, &sym); i++) {
		if (!sym.section || sym.type != HF_ELF_SYMBOL_FUNCTION || !offset_of(g, sym.value, &offset))
			continue;
		size_t at = function_of(g, offset);
		if (!g->reached[at])
			continue;
		for (at++; at < g->starts.n && g->starts.at[at] - offset < sym.size; at++)
			reach(g, g->starts.at[at]);
	}
}

int hf_elf_calls_reach(const struct hf_elf *e, const struct hf_elf_dynamic *d, const struct hf_map *names,
		       struct hf_arena *scratch, struct hf_syscalls *s, struct hf_err *err)
{
	struct graph g = { .e = e, .a = scratch };

	if (e->machine != MACHINE_X86_64 || !e->is_64 || !d->symbols_n || !find_code(&g))
		return hf_fail(err, HF_E_UNSUPPORTED, "its functions cannot be told");
	find_starts(&g, d);
	g.reached = g.over ? NULL : hf_arena_array(scratch, bool, g.starts.n);
	if (!g.reached)
		return hf_fail(err, HF_E_LIMIT, "it has more functions than are looked at");
	each_symbol(&g, d, names, reach);
	each_pointer(&g, d, reach);
	for (size_t rounds = 0; rounds < ROUNDS_MAX && g.done != g.queue.n && !g.over; rounds++) {
		follow(&g, s);
		join_pieces(&g, d);
	}
	g.over |= g.done != g.queue.n;
	return g.over ? hf_fail(err, HF_E_LIMIT, "it has more functions than are looked at") : HF_OK;
}
