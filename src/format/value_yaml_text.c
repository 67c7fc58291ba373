/* Block scalars: | and >; see value_yaml_block.c. Source: YAML 1.2.2, 8.1. */
#include "base/limits.h"
#include "format/value_yaml_internal.h"

struct header {
	bool folded, strip, keep;
	uint32_t more; /* columns; 0: as its first line says */
};

static bool header(struct hf_yaml_block *y, struct header *h)
{
	*h = (struct header){ .folded = *y->p++ == '>' };
	for (; y->p < y->end && *y->p != ' ' && *y->p != '\n'; y->p++) {
		char c = *y->p;
		if ((c == '-' || c == '+') && !h->strip && !h->keep) {
			h->strip = c == '-';
			h->keep = c == '+';
		} else if (c >= '1' && c <= '9' && !h->more) {
			h->more = (uint32_t)(c - '0');
		} else {
			return hf_yaml_block_odd(y);
		}
	}
	/* Without a line behind it, readers differ. */
	return y->p < y->end && hf_yaml_block_end_line(y) && y->p < y->end ? true : hf_yaml_block_odd(y);
}

static uint32_t spaces(const struct hf_yaml_block *y, const char *p)
{
	const char *q = p;

	while (q < y->end && *q == ' ')
		q++;
	return (uint32_t)(q - p);
}

/* The column of the text: that of its first line with something on it. 0: there is no text. */
static bool column_of(struct hf_yaml_block *y, uint32_t indent, uint32_t *ret)
{
	uint32_t widest = 0;

	*ret = 0;
	for (const char *p = y->p; p < y->end;) {
		uint32_t n = spaces(y, p);
		p += n;
		if (p < y->end && *p == '\n') {
			widest = n > widest ? n : widest;
			p++;
			continue;
		}
		if (p == y->end || *p == '\t')
			return hf_yaml_block_odd(y);
		if (n > indent)
			*ret = n;
		return widest <= (n > indent ? n : indent) || hf_yaml_block_odd(y);
	}
	return !widest || hf_yaml_block_odd(y);
}

/* The begin of the first line that is not the scalar's; its empty lines at the end are. */
static const char *end_of(struct hf_yaml_block *y, uint32_t column)
{
	const char *p = y->p;

	while (p < y->end) {
		uint32_t n = spaces(y, p);
		if (p + n == y->end || (p[n] == '\t' && n < column)) {
			hf_yaml_block_odd(y);
			return p;
		}
		if (n < column && p[n] != '\n')
			break;
		const char *end = memchr(p + n, '\n', (size_t)(y->end - p - n));
		if (!end) {
			hf_yaml_block_odd(y); /* whether a line break belongs to it is another question */
			return p;
		}
		p = end + 1;
	}
	return p;
}

struct text {
	char *out;
	size_t n;
	size_t breaks; /* since the last line with something on it */
	bool any,
		deeper; /* whether that line began with a blank: breaks beside it are not folded (YAML 1.2.2, 8.1.3) */
};

static bool add_line(struct hf_yaml_block *y, struct text *t, hf_sv line, bool folded)
{
	if (!line.len) {
		t->breaks++;
		return true;
	}
	bool deeper = line.ptr[0] == ' ' || line.ptr[0] == '\t', fold = folded && t->any && !deeper && !t->deeper;
	/* libfyaml 0.7.12 misreads these. */
	y->better |= folded && (deeper || (!t->any && t->breaks));
	t->deeper = deeper;
	if (fold && t->breaks == 1) {
		t->out[t->n++] = ' ';
		t->breaks = 0;
	}
	for (t->breaks -= fold && t->breaks > 1; t->breaks; t->breaks--)
		t->out[t->n++] = '\n';
	memcpy(t->out + t->n, line.ptr, line.len);
	t->n += line.len;
	t->any = true;
	t->breaks = 1;
	return true;
}

bool hf_yaml_block_text(struct hf_yaml_block *y, uint32_t indent, struct hf_value *v)
{
	struct header h;
	uint32_t column;

	if (!header(y, &h) || !column_of(y, indent, &column))
		return false;
	if (h.more && column)
		column = indent + h.more;
	if (!column) {
		v->type = HF_VALUE_STRING;
		v->text = "";
		y->better = true;
		return !h.more && !h.keep ? true : hf_yaml_block_odd(y);
	}
	const char *end = end_of(y, column);
	if (y->odd)
		return false;
	struct text t = { .out = hf_arena_alloc(y->b.arena, (size_t)(end - y->p) + 1, 1) };
	if (!t.out)
		return hf_yaml_block_odd(y);
	for (const char *p = y->p; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		hf_sv line = { p, (size_t)(stop - p) };
		if (!add_line(y, &t, hf_sv_skip(line, column), h.folded))
			return false;
		p = stop + 1;
	}
	if (!t.any)
		return hf_yaml_block_odd(y);
	for (size_t breaks = h.strip ? 0 : h.keep ? t.breaks : 1; breaks; breaks--)
		t.out[t.n++] = '\n';
	hf_value_set_text(v, HF_VALUE_STRING, (hf_sv){ t.out, t.n }, y->b.arena);
	y->p = end;
	return true;
}
