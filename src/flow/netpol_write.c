#include "flow/netpol_generate.h"

#include "format/yaml.h"

static void scalar(struct hf_buf *out, hf_sv text)
{
	hf_yaml_write_scalar(out, text);
}

static void indent(struct hf_buf *out, int n)
{
	hf_buf_addf(out, "%*s", n, "");
}

/* Text of others in a comment: one line, without control bytes. */
static void comment(struct hf_buf *out, int n, hf_sv text)
{
	char line[400];

	if (!text.len)
		return;
	indent(out, n);
	hf_buf_add(out, HF_SV("# "));
	hf_buf_add(out, (hf_sv){ line, hf_escape_controls(line, sizeof line, text) });
	hf_buf_add_char(out, '\n');
}

static void selector(struct hf_buf *out, int n, const char *key, const struct hf_label_selector *s)
{
	indent(out, n);
	if (!s->labels_n) {
		hf_buf_addf(out, "%s: {}\n", key);
		return;
	}
	hf_buf_addf(out, "%s:\n", key);
	indent(out, n + 2);
	hf_buf_add(out, HF_SV("matchLabels:\n"));
	for (size_t i = 0; i < s->labels_n; i++) {
		indent(out, n + 4);
		scalar(out, s->labels[2 * i]);
		hf_buf_add(out, HF_SV(": "));
		scalar(out, s->labels[2 * i + 1]);
		hf_buf_add_char(out, '\n');
	}
}

static void peer(struct hf_buf *out, const struct hf_netpol_peer *p)
{
	char block[HF_CIDR_TEXT_MAX];

	if (!p->pods && !p->namespaces) {
		hf_cidr_text(&p->block, block);
		hf_buf_add(out, HF_SV("        - ipBlock:\n            cidr: "));
		scalar(out, hf_sv_of(block));
		hf_buf_add_char(out, '\n');
		for (size_t i = 0; i < p->except_n; i++) {
			hf_cidr_text(&p->except[i], block);
			hf_buf_add(out, i ? HF_SV("              - ") : HF_SV("            except:\n              - "));
			scalar(out, hf_sv_of(block));
			hf_buf_add_char(out, '\n');
		}
		return;
	}
	hf_buf_add(out, HF_SV("        -\n"));
	if (p->namespaces)
		selector(out, 10, "namespaceSelector", p->namespaces);
	if (p->pods)
		selector(out, 10, "podSelector", p->pods);
}

static void port(struct hf_buf *out, const struct hf_netpol_port *p)
{
	hf_buf_addf(out, "        - protocol: %s\n          port: %u\n",
		    p->protocol == HF_FLOW_TCP   ? "TCP"
		    : p->protocol == HF_FLOW_UDP ? "UDP"
						 : "SCTP",
		    p->first);
	if (p->last != p->first)
		hf_buf_addf(out, "          endPort: %u\n", p->last);
}

static void rules(struct hf_buf *out, const char *side, const char *peers, const struct hf_netpol_rule *list, size_t n)
{
	if (!n) {
		hf_buf_addf(out, "  %s: []\n", side);
		return;
	}
	hf_buf_addf(out, "  %s:\n", side);
	for (size_t i = 0; i < n; i++) {
		comment(out, 4, list[i].comment);
		hf_buf_addf(out, "    - %s:\n", peers);
		for (size_t k = 0; k < list[i].peers_n; k++)
			peer(out, &list[i].peers[k]);
		hf_buf_add(out, HF_SV("      ports:\n"));
		for (size_t k = 0; k < list[i].ports_n; k++)
			port(out, &list[i].ports[k]);
	}
}

void hf_netpol_write(struct hf_buf *out, const struct hf_flow_graph *g, const struct hf_netpol_set *set)
{
	hf_buf_add(out, HF_SV("# Made by `holdfast runtime flows --netpol` from what was seen"));
	if (g->first.len)
		hf_buf_addf(out, " from %.*s to %.*s", HF_SV_FMT(g->first), HF_SV_FMT(g->last));
	hf_buf_add(out, HF_SV(".\n# Used flows stay open, everything else of these pods is closed. What did not happen "
			      "in that time is closed too.\n"
			      "# An ipBlock is about addresses outside of the cluster; some network plugins let it "
			      "match pods.\n"));
	if (g->lost)
		hf_buf_addf(out, "# The sensor lost %llu events: flows may be missing.\n", (unsigned long long)g->lost);
	hf_netpol_write_policies(out, set->policies, set->n);
}

void hf_netpol_write_policies(struct hf_buf *out, const struct hf_netpol *policies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct hf_netpol *p = &policies[i];

		hf_buf_add(out,
			   HF_SV("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: "));
		scalar(out, p->name);
		hf_buf_add(out, HF_SV("\n  namespace: "));
		scalar(out, p->namespace);
		hf_buf_add(out, HF_SV("\nspec:\n"));
		selector(out, 2, "podSelector", &p->pods);
		hf_buf_add(out, HF_SV("  policyTypes: [Ingress, Egress]\n"));
		rules(out, "ingress", "from", p->ingress, p->ingress_n);
		rules(out, "egress", "to", p->egress, p->egress_n);
	}
}
