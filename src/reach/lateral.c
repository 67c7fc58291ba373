#include "format/json_writer.h"
#include "reach/report.h"

struct step {
	uint32_t workload, before; /* before: index of a step; its own: the start */
	unsigned hop;
	hf_conns conns; /* of the last step */
};

struct walk {
	struct hf_reach *r;
	HF_VEC(struct step) steps; /* in the order of their hops */
	bool *seen;
};

static void visit(struct walk *k, uint32_t at)
{
	const struct step from = k->steps.at[at];

	for (size_t i = 0; i < k->r->workloads.n; i++) {
		if (k->seen[i])
			continue;
		hf_conns c = hf_reach_between(k->r, (struct hf_reach_end){ HF_REACH_WORKLOAD, from.workload },
					      (struct hf_reach_end){ HF_REACH_WORKLOAD, (uint32_t)i });
		struct step *s = c == HF_CONNS_NONE ? NULL : hf_vec_push(k->r->arena, &k->steps);
		if (!s)
			continue;
		*s = (struct step){ (uint32_t)i, at, from.hop + 1, c };
		k->seen[i] = true;
	}
}

static void path_json(struct walk *k, struct hf_json_writer *w, const struct step *s)
{
	const struct step *path[64];
	size_t n = 0;

	for (; s->hop && n < HF_ARRAY_SIZE(path); s = &k->steps.at[s->before])
		path[n++] = s;
	hf_jw_key(w, "path");
	hf_jw_array(w);
	while (n--) {
		hf_jw_object(w);
		hf_jw_kv(w, "to", k->r->workloads.at[path[n]->workload].name);
		hf_jw_kv(w, "connections", hf_conns_text(&k->r->pool, path[n]->conns, k->r->arena));
		hf_jw_object_end(w);
	}
	hf_jw_array_end(w);
}

static void write_json(struct walk *k, struct hf_out *out)
{
	struct hf_json_writer w = { .out = &out->buf, .flush = hf_out_sink(out), .flush_ctx = out };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/reach-lateral/1"));
	hf_jw_kv(&w, "from", k->r->workloads.at[k->steps.at[0].workload].name);
	hf_jw_key(&w, "reached");
	hf_jw_array(&w);
	for (size_t i = 1; i < k->steps.n; i++) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "workload", k->r->workloads.at[k->steps.at[i].workload].name);
		hf_jw_kv_uint(&w, "hops", k->steps.at[i].hop);
		path_json(k, &w, &k->steps.at[i]);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_kv_uint(&w, "workloads", k->r->workloads.n);
	hf_jw_object_end(&w);
	hf_out_add(out, HF_SV("\n"));
}

static void write_table(struct walk *k, struct hf_out *out)
{
	char name[1024];

	for (size_t i = 1; i < k->steps.n; i++) {
		const struct step *path[64], *s = &k->steps.at[i];
		size_t n = 0;
		for (; s->hop && n < HF_ARRAY_SIZE(path); s = &k->steps.at[s->before])
			path[n++] = s;
		hf_out_addf(out, "%u ", k->steps.at[i].hop);
		while (n--) {
			hf_escape_controls(name, sizeof name, k->r->workloads.at[path[n]->workload].name);
			hf_out_addf(out, " -> %s (%.*s)", name,
				    HF_SV_FMT(hf_conns_text(&k->r->pool, path[n]->conns, k->r->arena)));
		}
		hf_out_add(out, HF_SV("\n"));
	}
	hf_escape_controls(name, sizeof name, k->r->workloads.at[k->steps.at[0].workload].name);
	hf_out_addf(out, "%s reaches %zu of %zu other workloads\n", name, k->steps.n - 1, k->r->workloads.n - 1);
}

void hf_reach_lateral(struct hf_reach *r, struct hf_reach_end from, unsigned hops, bool json, struct hf_out *out)
{
	struct walk k = { .r = r, .seen = hf_arena_array(r->arena, bool, r->workloads.n) };
	struct step *first = hf_vec_push(r->arena, &k.steps);

	if (!k.seen || !first || from.kind != HF_REACH_WORKLOAD)
		return;
	*first = (struct step){ .workload = from.index };
	k.seen[from.index] = true;
	for (uint32_t i = 0; i < k.steps.n && (!hops || k.steps.at[i].hop < hops); i++)
		visit(&k, i);
	if (json)
		write_json(&k, out);
	else
		write_table(&k, out);
}
