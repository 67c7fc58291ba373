#include "sensor/dns.h"

#include "base/cursor.h"
#include "sensor/procfs.h"

enum {
	FLAG_RESPONSE = 1 << 15,
	FLAG_TRUNCATED = 1 << 9,
	POINTER = 0xc0,
	TYPE_A = 1,
	TYPE_AAAA = 28,
	CLASS_INTERNET = 1,
	HEADER = 12,
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*' || c == '/';
}

struct name {
	char text[4 * HF_DNS_NAME_MAX + 1];
	size_t n;
};

static void add_label(struct name *to, hf_sv label)
{
	if (to->n)
		to->text[to->n++] = '.';
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (is_plain(c)) {
			to->text[to->n++] = c;
			continue;
		}
		unsigned v = (unsigned char)c;
		to->text[to->n++] = '\\';
		to->text[to->n++] = (char)('0' + v / 100);
		to->text[to->n++] = (char)('0' + v / 10 % 10);
		to->text[to->n++] = (char)('0' + v % 10);
	}
}

/* Takes a name; @to may be NULL. A pointer only ever leads to before where it stands, and a name has at most 255 bytes: so it ends. */
static bool take_name(struct hf_cur *c, struct name *to)
{
	struct hf_cur at = *c;
	size_t bytes = 0, limit = c->at;
	bool jumped = false;

	if (to)
		to->n = 0;
	for (;;) {
		uint8_t n = hf_cur_u8(&at);
		if (at.failed)
			return false;
		if ((n & POINTER) == POINTER) {
			size_t target = (size_t)(n & ~POINTER) << 8 | hf_cur_u8(&at);
			if (at.failed || target >= limit)
				return false;
			if (!jumped)
				c->at = at.at;
			jumped = true;
			limit = target;
			hf_cur_seek(&at, target);
			continue;
		}
		if (n & POINTER)
			return false;
		bytes += n + 1u;
		hf_sv label = hf_cur_take(&at, n);
		if (at.failed || bytes > HF_DNS_NAME_MAX)
			return false;
		if (!n)
			break;
		if (to)
			add_label(to, label);
	}
	if (!jumped)
		c->at = at.at;
	return true;
}

struct number_name {
	uint16_t number;
	const char *name;
};

static hf_sv name_of(const struct number_name *names, size_t n, uint16_t number, const char *prefix, struct hf_arena *a)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == number)
			return hf_sv_of(names[i].name);
	return hf_arena_fmt(a, "%s%u", prefix, number);
}

static hf_sv type_name(uint16_t type, struct hf_arena *a)
{
	static const struct number_name names[] = {
		{ 1, "A" },     { 2, "NS" },     { 5, "CNAME" },  { 6, "SOA" },     { 12, "PTR" },
		{ 15, "MX" },   { 16, "TXT" },   { 28, "AAAA" },  { 33, "SRV" },    { 35, "NAPTR" },
		{ 43, "DS" },   { 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 52, "TLSA" },
		{ 64, "SVCB" }, { 65, "HTTPS" }, { 252, "AXFR" }, { 255, "ANY" },   { 257, "CAA" },
	};

	return name_of(names, HF_ARRAY_SIZE(names), type, "TYPE", a);
}

static hf_sv code_name(uint16_t code, struct hf_arena *a)
{
	static const struct number_name names[] = {
		{ 0, "NOERROR" },  { 1, "FORMERR" }, { 2, "SERVFAIL" },
		{ 3, "NXDOMAIN" }, { 4, "NOTIMP" },  { 5, "REFUSED" },
	};

	return name_of(names, HF_ARRAY_SIZE(names), code, "RCODE", a);
}

/* False where the message ends in the middle of it. */
static bool take_answer(struct hf_cur *c, struct hf_arena *a, struct hf_dns *d, bool *over)
{
	char text[46];

	if (!take_name(c, NULL))
		return false;
	uint16_t type = hf_cur_u16be(c), class = hf_cur_u16be(c);
	hf_cur_u32be(c); /* for how long */
	hf_sv data = hf_cur_take(c, hf_cur_u16be(c));
	if (c->failed)
		return false;
	size_t wanted = type == TYPE_A ? 4 : type == TYPE_AAAA ? 16 : 0;
	if (!wanted || class != CLASS_INTERNET || data.len != wanted)
		return true;
	if (d->addresses_n == HF_DNS_ADDRESSES_MAX)
		*over = true;
	else
		d->addresses[d->addresses_n++] =
			hf_arena_dup(a, hf_socket_address_text((const uint8_t *)data.ptr, data.len, text));
	return true;
}

int hf_dns_parse(hf_sv message, struct hf_arena *a, struct hf_dns *ret, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(message);
	struct hf_dns d = { 0 };
	struct name name;
	bool cut;

	hf_cur_u16be(&c); /* id */
	uint16_t flags = hf_cur_u16be(&c), questions = hf_cur_u16be(&c), answers = hf_cur_u16be(&c);
	hf_cur_take(&c, 4); /* authority and additional records */
	if (c.failed || !questions || !take_name(&c, &name))
		return hf_fail(err, HF_E_FORMAT, "DNS message of %zu bytes without a question", message.len);
	uint16_t type = hf_cur_u16be(&c);
	hf_cur_u16be(&c); /* class */
	if (c.failed)
		return hf_fail(err, HF_E_FORMAT, "DNS message whose question ends too early");
	d.response = flags & FLAG_RESPONSE;
	d.name = name.n ? hf_arena_dup(a, (hf_sv){ name.text, name.n }) : HF_SV(".");
	d.type = type_name(type, a);
	d.code = code_name(flags & 15, a);
	cut = flags & FLAG_TRUNCATED || questions > 1;
	for (uint16_t i = 0; questions == 1 && i < answers && !a->over; i++) {
		if (take_answer(&c, a, &d, &cut))
			continue;
		cut = true;
		break;
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "DNS message does not fit into its memory");
	*ret = d;
	return cut ? HF_PARTIAL : 0;
}
