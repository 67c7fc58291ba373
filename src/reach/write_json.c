#include "format/json_writer.h"
#include "reach/write.h"

enum { FRAGMENT_MAX = 4 << 20 };

struct writer {
	struct hf_reach *r;
	struct hf_out *out;
	hf_sv *names[HF_REACH_SIDES]; /* of addresses, quoted: sources, destinations */
	hf_sv *workloads;
	HF_VEC(hf_sv)
	fragments[HF_CONN_PROTOCOLS]; /* what follows the names, by the number of the set; made when asked for */
	bool more;
};

static hf_sv quoted(struct hf_arena *a, hf_sv s)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(FRAGMENT_MAX);
	struct hf_json_writer w = { .out = &text, .compact = true };

	hf_jw_string(&w, s);
	return hf_arena_dup(a, hf_buf_view(&text));
}

static hf_sv fragment(struct writer *w, hf_conns c, unsigned protocol)
{
	const struct hf_conn_set *s = hf_conns_get(&w->r->pool, c);
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(FRAGMENT_MAX);

	while (w->fragments[protocol].n <= c)
		if (!hf_vec_push(w->r->arena, &w->fragments[protocol]))
			return (hf_sv){ 0 };
	hf_sv *slot = &w->fragments[protocol].at[c];
	if (slot->len)
		return *slot;
	if (c == HF_CONNS_ALL) {
		hf_buf_add(&text, HF_SV("\"protocol\": \"ALL\" }"));
	} else {
		hf_buf_addf(&text, "\"protocol\": \"%s\", \"ports\": [", hf_conn_protocol_names[protocol]);
		for (uint32_t i = 0; i < s->n[protocol]; i++)
			hf_buf_addf(&text, "%s[%u, %u]", i ? ", " : "", s->ranges[protocol][i].first,
				    s->ranges[protocol][i].last);
		hf_buf_add(&text, HF_SV("] }"));
	}
	*slot = hf_arena_dup(w->r->arena, hf_buf_view(&text));
	return *slot;
}

static hf_sv name_of(const struct writer *w, struct hf_reach_end e, bool source)
{
	return e.kind == HF_REACH_CONTROLLER ? HF_SV("\"{ingress-controller}\"")
	       : e.kind == HF_REACH_WORKLOAD ? w->workloads[e.index]
					     : w->names[source ? HF_REACH_INGRESS : HF_REACH_EGRESS][e.index];
}

static bool write_pair(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns c)
{
	struct writer *w = ctx;
	const struct hf_conn_set *s = hf_conns_get(&w->r->pool, c);

	for (unsigned p = 0; p < HF_CONN_PROTOCOLS; p++) {
		if (!s->n[p] || (c == HF_CONNS_ALL && p))
			continue;
		hf_out_add(w->out, w->more ? HF_SV(",\n    { \"src\": ") : HF_SV("\n    { \"src\": "));
		hf_out_add(w->out, name_of(w, from, true));
		hf_out_add(w->out, HF_SV(", \"dst\": "));
		hf_out_add(w->out, name_of(w, to, false));
		hf_out_add(w->out, HF_SV(", "));
		hf_out_add(w->out, fragment(w, c, p));
		w->more = true;
	}
	return !hf_reach_too_long(w->out);
}

void hf_reach_write_json(struct hf_reach *r, struct hf_out *out)
{
	struct writer w = { .r = r, .out = out, .workloads = hf_arena_array(r->arena, hf_sv, r->workloads.n) };

	for (unsigned side = 0; side < HF_REACH_SIDES; side++) {
		w.names[side] = hf_arena_array(r->arena, hf_sv, r->spans_n[side]);
		for (size_t i = 0; w.names[side] && i < r->spans_n[side]; i++)
			w.names[side][i] = quoted(r->arena, hf_reach_span_text(r->spans[side][i], r->arena));
	}
	for (size_t i = 0; w.workloads && i < r->workloads.n; i++)
		w.workloads[i] = quoted(r->arena, r->workloads.at[i].name);
	hf_out_add(out, HF_SV("{\n  \"schema\": \"holdfast/reach/1\",\n  \"connections\": ["));
	if (!r->arena->over)
		hf_reach_each(r, write_pair, &w);
	hf_out_add(out, w.more ? HF_SV("\n  ]\n}\n") : HF_SV("]\n}\n"));
}
