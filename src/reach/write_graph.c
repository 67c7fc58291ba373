#include "reach/write.h"

enum {
	BOX_WIDTH = 230,
	BOX_HEIGHT = 34,
	COLUMN_GAP = 130,
	ROW_GAP = 14,
	MARGIN = 24,
	NAME_SHOWN_MAX = 30,
	NODES_MAX = 400
};

/* Text within quotes of DOT: control bytes become \xNN, then quotes and backslashes are escaped. */
static void dot_text(struct hf_out *out, hf_sv s)
{
	char text[2048];
	size_t n = hf_escape_controls(text, sizeof text, s), from = 0;

	hf_out_add(out, HF_SV("\""));
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '"' && text[i] != '\\')
			continue;
		hf_out_add(out, (hf_sv){ text + from, i - from });
		hf_out_add(out, HF_SV("\\"));
		from = i;
	}
	hf_out_add(out, (hf_sv){ text + from, n - from });
	hf_out_add(out, HF_SV("\""));
}

struct drawing {
	struct hf_reach *r;
	struct hf_out *out;
	struct hf_arena scratch;
};

static bool dot_pair(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns c)
{
	struct drawing *d = ctx;

	hf_out_add(d->out, HF_SV("  "));
	dot_text(d->out, hf_reach_end_name(d->r, from, true, &d->scratch));
	hf_out_add(d->out, HF_SV(" -> "));
	dot_text(d->out, hf_reach_end_name(d->r, to, false, &d->scratch));
	hf_out_add(d->out, HF_SV(" [label="));
	dot_text(d->out, hf_conns_text(&d->r->pool, c, &d->scratch));
	hf_out_add(d->out, HF_SV("];\n"));
	hf_arena_reset(&d->scratch);
	return !hf_reach_too_long(d->out);
}

void hf_reach_write_dot(struct hf_reach *r, struct hf_out *out)
{
	struct drawing d = { .r = r, .out = out, .scratch = HF_ARENA((size_t)8 << 20) };

	hf_out_add(out, HF_SV("digraph reach {\n  rankdir=LR;\n  node [shape=box];\n"));
	for (size_t i = 0; i < r->namespaces.n; i++) {
		const struct hf_reach_namespace *n = &r->namespaces.at[i];
		if (!n->workloads.n)
			continue;
		hf_out_addf(out, "  subgraph cluster_%zu {\n    label=", i);
		dot_text(out, n->name);
		hf_out_add(out, HF_SV(";\n"));
		for (size_t k = 0; k < n->workloads.n; k++) {
			const struct hf_reach_workload *w = &r->workloads.at[n->workloads.at[k]];
			hf_out_add(out, HF_SV("    "));
			dot_text(out, w->name);
			hf_out_add(out, HF_SV(" [label="));
			dot_text(out, hf_sv_skip(w->name, w->namespace.len + 1));
			hf_out_add(out, HF_SV("];\n"));
		}
		hf_out_add(out, HF_SV("  }\n"));
	}
	hf_reach_each(r, dot_pair, &d);
	hf_out_add(out, HF_SV("}\n"));
	hf_arena_done(&d.scratch);
}

/* A picture. Nodes are workloads, or namespaces where there are too many of them. */
enum { INTERNET, CONTROLLER, FIRST };

struct node {
	hf_sv name, below; /* below: of the namespace */
	unsigned column, row;
	bool hidden; /* a namespace without workloads */
};

struct picture {
	struct hf_reach *r;
	struct hf_out *out;
	struct node *nodes;
	size_t n;
	hf_conns *edges; /* n * n; the internet stands for all addresses */
	bool by_namespace, drawing;
	unsigned rows, columns;
	size_t last_column;
};

static size_t node_of(const struct picture *p, struct hf_reach_end e)
{
	if (e.kind != HF_REACH_WORKLOAD)
		return e.kind == HF_REACH_SPAN ? INTERNET : CONTROLLER;
	return FIRST + (p->by_namespace ? p->r->workloads.at[e.index].namespace_index : e.index);
}

static bool add_edge(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns c)
{
	struct picture *p = ctx;
	size_t a = node_of(p, from), b = node_of(p, to);

	if (a != b)
		p->edges[a * p->n + b] = hf_conns_union(&p->r->pool, p->edges[a * p->n + b], c);
	return true;
}

/* Columns by how many steps it takes to get there from outside. */
static void lay_out(struct picture *p)
{
	unsigned rows[NODES_MAX + FIRST + 1] = { 0 };
	bool changed = true;

	for (size_t i = FIRST; i < p->n; i++)
		p->nodes[i].column = UINT16_MAX;
	for (unsigned column = 0; changed; column++) {
		changed = false;
		for (size_t i = 0; i < p->n; i++)
			for (size_t k = FIRST; k < p->n && p->nodes[i].column == column; k++)
				if (p->edges[i * p->n + k] != HF_CONNS_NONE && p->nodes[k].column == UINT16_MAX) {
					p->nodes[k].column = column + 1;
					p->columns = column + 2;
					changed = true;
				}
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->nodes[i].hidden)
			continue;
		if (p->nodes[i].column == UINT16_MAX) /* nothing leads there */
			p->nodes[i].column = p->columns;
		p->nodes[i].row = rows[p->nodes[i].column]++;
		p->rows = p->rows > p->nodes[i].row ? p->rows : p->nodes[i].row + 1;
		p->last_column = p->last_column > p->nodes[i].column ? p->last_column : p->nodes[i].column;
	}
}

static void xml_text(struct hf_out *out, hf_sv s, size_t shown)
{
	char text[2048];
	size_t n = hf_escape_controls(text, sizeof text, s);

	for (size_t i = 0, chars = 0; i < n; i++) {
		chars += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (chars > shown) {
			hf_out_add(out, HF_SV("…"));
			return;
		}
		hf_out_add(out, text[i] == '<'    ? HF_SV("&lt;")
				: text[i] == '>'  ? HF_SV("&gt;")
				: text[i] == '&'  ? HF_SV("&amp;")
				: text[i] == '"'  ? HF_SV("&quot;")
				: text[i] == '\'' ? HF_SV("&#39;")
						  : (hf_sv){ &text[i], 1 });
	}
}

static unsigned x_of(const struct node *n)
{
	return MARGIN + n->column * (BOX_WIDTH + COLUMN_GAP);
}

static unsigned y_of(const struct node *n)
{
	return MARGIN + n->row * (BOX_HEIGHT + ROW_GAP);
}

static void draw_edge(struct picture *p, size_t a, size_t b)
{
	const struct node *from = &p->nodes[a], *to = &p->nodes[b];
	bool forward = from->column < to->column;
	unsigned x1 = x_of(from) + (forward ? BOX_WIDTH : 0), y1 = y_of(from) + BOX_HEIGHT / 2;
	unsigned x2 = x_of(to) + (from->column > to->column ? BOX_WIDTH : 0), y2 = y_of(to) + BOX_HEIGHT / 2;
	unsigned bend = COLUMN_GAP / 2;

	hf_out_addf(p->out, "<path d=\"M%u %u C%d %u %d %u %u %u\" class=\"%s\" marker-end=\"url(#a)\"><title>", x1, y1,
		    (int)x1 + (forward ? 1 : -1) * (int)bend, y1,
		    (int)x2 + (from->column > to->column ? 1 : -1) * (int)bend, y2, x2, y2,
		    a == INTERNET || a == CONTROLLER ? "i" : "e");
	xml_text(p->out, from->name, 200);
	hf_out_add(p->out, HF_SV(" -&gt; "));
	xml_text(p->out, to->name, 200);
	hf_out_add(p->out, HF_SV(": "));
	xml_text(p->out, hf_conns_text(&p->r->pool, p->edges[a * p->n + b], p->r->arena), 400);
	hf_out_add(p->out, HF_SV("</title></path>\n"));
}

static void draw_node(struct picture *p, size_t i)
{
	const struct node *n = &p->nodes[i];

	hf_out_addf(p->out, "<g><title>");
	xml_text(p->out, n->name, 400);
	hf_out_addf(p->out,
		    "</title><rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"5\" class=\"%s\"/><text x=\"%u\" "
		    "y=\"%u\">",
		    x_of(n), y_of(n), BOX_WIDTH, BOX_HEIGHT, i < FIRST ? "o" : "w", x_of(n) + 8,
		    y_of(n) + (n->below.len ? 15 : 21));
	xml_text(p->out, n->below.len ? hf_sv_skip(n->name, n->below.len + 1) : n->name, NAME_SHOWN_MAX);
	hf_out_add(p->out, HF_SV("</text>"));
	if (n->below.len) {
		hf_out_addf(p->out, "<text class=\"s\" x=\"%u\" y=\"%u\">", x_of(n) + 8, y_of(n) + 28);
		xml_text(p->out, n->below, NAME_SHOWN_MAX);
		hf_out_add(p->out, HF_SV("</text>"));
	}
	hf_out_add(p->out, HF_SV("</g>\n"));
}

static void draw(struct picture *p)
{
	unsigned width = 2 * MARGIN + (unsigned)(p->last_column + 1) * (BOX_WIDTH + COLUMN_GAP);
	unsigned height = 2 * MARGIN + p->rows * (BOX_HEIGHT + ROW_GAP);

	hf_out_addf(p->out,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" "
		    "font-family=\"sans-serif\" "
		    "font-size=\"13\">\n<style>rect{stroke:#445;fill:#eef3fb}rect.o{fill:#fbeee0}path{fill:none;stroke:"
		    "#667;stroke-opacity:.55}"
		    "path.i{stroke:#c50}text.s{font-size:10px;fill:#667}</style>\n"
		    "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" "
		    "markerHeight=\"7\" orient=\"auto\">"
		    "<path d=\"M0 0 L8 4 L0 8 z\" style=\"fill:#667;stroke:none\"/></marker></defs>\n"
		    "<rect x=\"0\" y=\"0\" width=\"%u\" height=\"%u\" style=\"fill:#fff;stroke:none\"/>\n",
		    width, height, width, height, width, height);
	for (size_t a = 0; a < p->n; a++)
		for (size_t b = 0; b < p->n; b++)
			if (p->edges[a * p->n + b] != HF_CONNS_NONE)
				draw_edge(p, a, b);
	for (size_t i = 0; i < p->n; i++)
		if (!p->nodes[i].hidden)
			draw_node(p, i);
	hf_out_add(p->out, HF_SV("</svg>\n"));
}

bool hf_reach_write_svg(struct hf_reach *r, struct hf_out *out)
{
	struct picture p = { .r = r, .out = out, .by_namespace = r->workloads.n > NODES_MAX };

	p.n = FIRST + (p.by_namespace ? r->namespaces.n : r->workloads.n);
	if (p.n > NODES_MAX + FIRST)
		return false;
	p.nodes = hf_arena_array(r->arena, struct node, p.n);
	p.edges = hf_arena_array(r->arena, hf_conns, p.n * p.n);
	if (!p.nodes || !p.edges)
		return false;
	p.nodes[INTERNET] = (struct node){ .name = HF_SV("addresses outside") };
	p.nodes[CONTROLLER] = (struct node){ .name = HF_SV("{ingress-controller}") };
	for (size_t i = FIRST; i < p.n; i++) {
		if (p.by_namespace)
			p.nodes[i] = (struct node){ .name = r->namespaces.at[i - FIRST].name,
						    .hidden = !r->namespaces.at[i - FIRST].workloads.n };
		else
			p.nodes[i] = (struct node){ .name = r->workloads.at[i - FIRST].name,
						    .below = r->workloads.at[i - FIRST].namespace };
	}
	hf_reach_each(r, add_edge, &p);
	lay_out(&p);
	draw(&p);
	return true;
}
