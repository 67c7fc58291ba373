#include "check/text_diff.h"

enum { CONTEXT = 3, LOOKAHEAD = 256 };

struct lines {
	hf_sv *at;
	size_t n;
};

/* A run of lines that differ: [a, a_end) of the one text became [b, b_end) of the other. */
struct change {
	size_t a, a_end, b, b_end;
};

static struct lines lines_of(hf_sv text, struct hf_arena *a)
{
	struct lines l = { 0 };
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	l.at = hf_arena_array(a, hf_sv, n);
	while (l.at && text.len) {
		size_t end = hf_sv_index(text, '\n');
		l.at[l.n] = hf_sv_first(text, end == SIZE_MAX ? text.len : end + 1);
		text = hf_sv_skip(text, l.at[l.n++].len);
	}
	return l;
}

/* Where both go on alike, nearest first. */
static void resync(const struct lines *a, const struct lines *b, struct change *c)
{
	for (size_t both = 1; both < 2 * LOOKAHEAD; both++)
		for (size_t i = both > LOOKAHEAD ? both - LOOKAHEAD : 0; i <= both && i <= LOOKAHEAD; i++) {
			size_t x = c->a + i, y = c->b + both - i;
			bool ends = x == a->n && y == b->n;
			if (ends || (x < a->n && y < b->n && hf_sv_eq(a->at[x], b->at[y]) && a->at[x].len > 1)) {
				c->a_end = x;
				c->b_end = y;
				return;
			}
		}
	c->a_end = a->n;
	c->b_end = b->n;
}

static void add_lines(struct hf_buf *out, char mark, const struct lines *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		hf_buf_add_char(out, mark);
		hf_buf_add(out, l->at[i]);
		if (!hf_sv_ends(l->at[i], HF_SV("\n")))
			hf_buf_add(out, HF_SV("\n\\ No newline at end of file\n"));
	}
}

static void hunk(struct hf_buf *out, const struct lines *a, const struct lines *b, const struct change *c, size_t n)
{
	size_t before = c[0].a < CONTEXT ? c[0].a : CONTEXT;
	size_t after = a->n - c[n - 1].a_end < CONTEXT ? a->n - c[n - 1].a_end : CONTEXT;
	size_t a_from = c[0].a - before, b_from = c[0].b - before;
	size_t a_n = c[n - 1].a_end + after - a_from, b_n = c[n - 1].b_end + after - b_from;

	hf_buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", a_from + (a_n > 0), a_n, b_from + (b_n > 0), b_n);
	for (size_t i = 0, at = a_from; i < n; at = c[i++].a_end) {
		add_lines(out, ' ', a, at, c[i].a);
		add_lines(out, '-', a, c[i].a, c[i].a_end);
		add_lines(out, '+', b, c[i].b, c[i].b_end);
	}
	add_lines(out, ' ', a, c[n - 1].a_end, c[n - 1].a_end + after);
}

void hf_text_diff(struct hf_buf *out, hf_sv name, hf_sv before, hf_sv after, struct hf_arena *arena)
{
	struct lines a = lines_of(before, arena), b = lines_of(after, arena);
	HF_VEC(struct change) changes = { 0 };
	size_t x = 0, y = 0;

	while (x < a.n || y < b.n) {
		if (x < a.n && y < b.n && hf_sv_eq(a.at[x], b.at[y])) {
			x++;
			y++;
			continue;
		}
		struct change *c = hf_vec_push(arena, &changes);
		if (!c)
			return;
		*c = (struct change){ .a = x, .b = y };
		resync(&a, &b, c);
		while (c->a_end > c->a && c->b_end > c->b && hf_sv_eq(a.at[c->a_end - 1], b.at[c->b_end - 1])) {
			c->a_end--;
			c->b_end--;
		}
		x = c->a_end;
		y = c->b_end;
	}
	if (changes.n)
		hf_buf_addf(out, "--- %.*s\n+++ %.*s\n", HF_SV_FMT(name), HF_SV_FMT(name));
	for (size_t i = 0, n; i < changes.n; i += n) {
		for (n = 1;
		     i + n < changes.n && changes.at[i + n].a - changes.at[i + n - 1].a_end <= 2 * (size_t)CONTEXT;)
			n++;
		hunk(out, &a, &b, &changes.at[i], n);
	}
}
