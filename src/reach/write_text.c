#include "reach/write.h"

enum { WIDTH_MAX = 80 };

struct writer {
	struct hf_reach *r;
	struct hf_out *out;
	struct hf_arena scratch;
	HF_VEC(hf_sv) texts; /* of connections, by their number */
	int width;
};

static hf_sv text_of(struct writer *w, hf_conns c)
{
	while (w->texts.n <= c)
		if (!hf_vec_push(w->r->arena, &w->texts))
			return (hf_sv){ 0 };
	if (!w->texts.at[c].len)
		w->texts.at[c] = hf_conns_text(&w->r->pool, c, w->r->arena);
	return w->texts.at[c];
}

static bool write_pair(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns c)
{
	struct writer *w = ctx;
	char source[1024], target[1024];

	hf_escape_controls(source, sizeof source, hf_reach_end_name(w->r, from, true, &w->scratch));
	hf_escape_controls(target, sizeof target, hf_reach_end_name(w->r, to, false, &w->scratch));
	hf_out_addf(w->out, "%-*s  %-*s  ", w->width, source, w->width, target);
	hf_out_add(w->out, text_of(w, c));
	hf_out_add(w->out, HF_SV("\n"));
	hf_arena_reset(&w->scratch);
	return !hf_reach_too_long(w->out);
}

void hf_reach_write_table(struct hf_reach *r, int width, struct hf_out *out)
{
	struct writer w = { .r = r, .out = out, .scratch = HF_ARENA((size_t)1 << 20), .width = width ? width : 31 };

	for (size_t i = 0; i < r->workloads.n && !width; i++)
		if (r->workloads.at[i].name.len > (size_t)w.width)
			w.width =
				r->workloads.at[i].name.len < WIDTH_MAX ? (int)r->workloads.at[i].name.len : WIDTH_MAX;
	hf_out_addf(out, "%-*s  %-*s  %s\n", w.width, "FROM", w.width, "TO", "CONNECTIONS");
	hf_reach_each(r, write_pair, &w);
	hf_arena_done(&w.scratch);
}
