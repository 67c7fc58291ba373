#include "flow/nftables.h"

/* Text of others, fit for a comment in either form: one line, no quote, no backslash (which may join lines). */
static hf_sv plain(char *line, size_t size, hf_sv text)
{
	size_t n = hf_escape_controls(line, size, text);

	for (size_t i = 0; i < n; i++)
		if (line[i] == '"' || line[i] == '\\')
			line[i] = '\'';
	return (hf_sv){ line, n };
}

/* nftables keeps 128 bytes. */
static void comment(struct hf_buf *out, hf_sv text)
{
	char line[122];

	if (!text.len)
		return;
	hf_buf_add(out, HF_SV(" comment \""));
	hf_buf_add(out, plain(line, sizeof line, text));
	hf_buf_add_char(out, '"');
}

static void write_set(struct hf_buf *out, const struct hf_nft_set *s)
{
	char line[200], block[HF_CIDR_TEXT_MAX];
	hf_sv text = plain(line, sizeof line, s->comment);

	hf_buf_addf(out, "\t# %.*s\n\tset %.*s {\n\t\ttype ipv%u_addr\n\t\telements = { ", HF_SV_FMT(text),
		    HF_SV_FMT(s->name), s->family);
	for (size_t i = 0; i < s->n; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= !hf_address_cmp(&s->elements[k].address, &s->elements[i].address);
		if (again)
			continue;
		hf_address_text(&s->elements[i].address, block);
		hf_buf_addf(out, "%s%s", i ? ", " : "", block);
	}
	hf_buf_add(out, HF_SV(" }\n\t}\n"));
}

static void write_end(struct hf_buf *out, const struct hf_nft_rule *r, const char *side, const struct hf_nft_set *s,
		      bool not )
{
	if (s)
		hf_buf_addf(out, "%s %s %s@%.*s ", r->family == 4 ? "ip" : "ip6", side, not ? "!= " : "",
			    HF_SV_FMT(s->name));
}

static void write_port(struct hf_buf *out, const struct hf_nft_rule *r, const char *side, uint16_t first, uint16_t last)
{
	char protocol[8];

	if (!first)
		return;
	hf_flow_protocol_text(r->protocol, protocol);
	hf_buf_addf(out, "%s %s %u", protocol, side, first);
	if (last != first)
		hf_buf_addf(out, "-%u", last);
	hf_buf_add_char(out, ' ');
}

static void write_rule(struct hf_buf *out, const struct hf_nft_rule *r)
{
	hf_buf_add(out, HF_SV("\t\t"));
	if (r->established)
		hf_buf_add(out, HF_SV("ct state established,related "));
	write_end(out, r, "saddr", r->source, r->not_source);
	write_end(out, r, "daddr", r->destination, r->not_destination);
	write_port(out, r, "sport", r->source_first, r->source_last);
	write_port(out, r, "dport", r->port_first, r->port_last);
	if (r->not_opening)
		hf_buf_add(out, HF_SV("tcp flags & (syn | ack) != syn "));
	hf_buf_add(out, r->drop ? HF_SV("counter drop") : HF_SV("accept"));
	comment(out, r->comment);
	hf_buf_add_char(out, '\n');
}

static void write_chain(struct hf_buf *out, const struct hf_nft_rule *rules, size_t n, bool bridge)
{
	hf_buf_add(out, HF_SV("\tchain used {\n"));
	/* Errors about packets, and what IPv6 needs to find its neighbours: never a connection. */
	if (bridge)
		hf_buf_add(
			out,
			HF_SV("\t\ticmp type { destination-unreachable, time-exceeded, parameter-problem } accept\n"));
	hf_buf_add(out,
		   HF_SV("\t\ticmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, "
			 "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept\n"));
	for (size_t i = 0; i < n; i++)
		write_rule(out, &rules[i]);
	hf_buf_add(out, HF_SV("\t}\n"));
}

static void write_header(struct hf_buf *out, const struct hf_flow_graph *g, const struct hf_nft_rules *r)
{
	char line[400];

	hf_buf_add(out, HF_SV("#!/usr/sbin/nft -f\n# Made by `holdfast runtime flows --nftables` from what was seen"));
	if (g->first.len)
		hf_buf_addf(out, " from %.*s to %.*s", HF_SV_FMT(g->first), HF_SV_FMT(g->last));
	hf_buf_add(out, HF_SV(".\n# Load: nft -f FILE (replaces an older one in one step). Undo: holdfast runtime "
			      "flows --nftables-undo | nft -f -\n"
			      "# Used flows stay open; everything else from and to these containers is dropped and "
			      "counted. It holds their addresses:\n"
			      "# make it anew when containers are made anew. Not filtered: what the host itself sends "
			      "to them. The table `bridge` is\n"
			      "# for two containers on one bridge, which the table `inet` sees only with br_netfilter; "
			      "it lets answers through by\n"
			      "# their source port.\n"));
	if (g->lost)
		hf_buf_addf(out, "# The sensor lost %llu events: flows may be missing.\n", (unsigned long long)g->lost);
	for (size_t i = 0; i < r->notes_n; i++) {
		hf_sv what = plain(line, sizeof line, r->notes[i].what);

		hf_buf_addf(out, "# Left out: %.*s: %.*s\n", HF_SV_FMT(what), HF_SV_FMT(r->notes[i].why));
	}
	hf_buf_add_char(out, '\n');
}

void hf_nft_write_undo(struct hf_buf *out)
{
	/* `table` makes one where there is none, so that `delete` always finds it. */
	hf_buf_add(out, HF_SV("table inet holdfast_flows\ndelete table inet holdfast_flows\n"
			      "table bridge holdfast_flows\ndelete table bridge holdfast_flows\n"));
}

void hf_nft_write(struct hf_buf *out, const struct hf_flow_graph *g, const struct hf_nft_rules *r)
{
	write_header(out, g, r);
	hf_nft_write_undo(out);
	for (int bridge = 0; bridge < 2; bridge++) {
		hf_buf_addf(out, "\ntable %s holdfast_flows {\n", bridge ? "bridge" : "inet");
		for (size_t i = 0; i < r->sets_n; i++)
			write_set(out, r->sets[i]);
		write_chain(out, bridge ? r->bridge : r->inet, bridge ? r->bridge_n : r->inet_n, bridge);
		hf_buf_add(out, bridge ? HF_SV("\tchain forward {\n\t\ttype filter hook forward priority filter - 5; "
					       "policy accept;\n"
					       "\t\tjump used\n\t}\n}\n")
				       : HF_SV("\tchain forward {\n\t\ttype filter hook forward priority filter - 5; "
					       "policy accept;\n"
					       "\t\tjump used\n\t}\n"
					       "\tchain input {\n\t\ttype filter hook input priority filter - 5; "
					       "policy accept;\n"
					       "\t\tjump used\n\t}\n}\n"));
	}
}
