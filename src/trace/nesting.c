#include "trace/nesting.h"

#include <pthread.h>
#include <stdlib.h>

static struct hf_nesting nesting;
static char texts[HF_EVENT_FIELDS * 64];
static size_t texts_n;

static void text(const char *bytes, size_t n)
{
	if (n > sizeof texts - texts_n)
		abort();
	memcpy(texts + texts_n, bytes, n);
	texts_n += n;
}

static int16_t node_of(int16_t parent, hf_sv name, int16_t field)
{
	int16_t *link = &nesting.nodes[parent].first;

	while (*link && !hf_sv_eq(nesting.nodes[*link].name, name))
		link = &nesting.nodes[*link].next;
	/* A name is an object or a field, and the rows of one object stand together: else JSON would have it twice. */
	bool last = *link && !nesting.nodes[*link].next;
	if (*link && (field >= 0 || nesting.nodes[*link].field >= 0 || !last))
		abort();
	if (!*link) {
		if (nesting.nodes_n == HF_NESTING_NODES_MAX)
			abort();
		*link = (int16_t)nesting.nodes_n++;
		nesting.nodes[*link] = (struct hf_nesting_node){ .name = name, .field = field };
	}
	return *link;
}

static void make(void)
{
	int16_t path[HF_NESTING_DEPTH_MAX] = { 0 }, before[HF_NESTING_DEPTH_MAX] = { 0 };

	nesting.nodes_n = 1;
	nesting.nodes[0].field = -1;
	for (int f = 0; f < HF_EVENT_FIELDS; f++) {
		hf_sv rest = hf_sv_of(hf_event_fields[f].name), part;
		size_t depth = 0, starts[HF_NESTING_DEPTH_MAX];

		while (hf_sv_next(&rest, '.', &part)) {
			if (depth == HF_NESTING_DEPTH_MAX)
				abort();
			path[depth] = node_of(depth ? path[depth - 1] : 0, part, rest.ptr ? -1 : (int16_t)f);
			starts[depth++] = texts_n;
			text("\"", 1);
			text(part.ptr, part.len);
			text("\":{", rest.ptr ? 3 : 2);
		}
		nesting.fields[f].depth = (uint8_t)(depth - 1);
		for (size_t i = 0; i < depth; i++)
			nesting.fields[f].open[i] = (hf_sv){ texts + starts[i], texts_n - starts[i] };
		while (nesting.fields[f].shared < depth - 1 &&
		       path[nesting.fields[f].shared] == before[nesting.fields[f].shared])
			nesting.fields[f].shared++;
		memcpy(before, path, sizeof before);
		memset(before + depth, 0, (HF_NESTING_DEPTH_MAX - depth) * sizeof *before);
	}
}

const struct hf_nesting *hf_nesting_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
	return &nesting;
}
