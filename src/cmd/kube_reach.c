/* kube reach: who can talk to whom. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/kube.h"
#include "cmd/kube_run.h"
#include "reach/write.h"

enum { NOTES_SHOWN_MAX = 50 };

/* Policies that are broken, services that lead nowhere. Bits for kube_run. */
static int show_notes(const struct kube_run *k, const struct hf_reach *r)
{
	char source[400], text[900];
	int bits = 0;

	for (size_t i = 0; i < r->notes.list.n; i++) {
		const struct hf_reach_note *n = &r->notes.list.at[i];
		bits |= n->loss ? KUBE_PARTIAL : 0;
		if (k->quiet || i >= NOTES_SHOWN_MAX)
			continue;
		hf_escape_controls(source, sizeof source, n->object->source->name);
		hf_escape_controls(text, sizeof text, n->text);
		fprintf(stderr, "holdfast: %s:%u: %s\n", source, hf_kube_line(n->object, n->value), text);
	}
	if (r->notes.list.n > NOTES_SHOWN_MAX && !k->quiet)
		fprintf(stderr, "holdfast: … and %zu more such notes\n", r->notes.list.n - NOTES_SHOWN_MAX);
	return bits;
}

static const struct {
	const char *name;
	void (*write)(struct hf_reach *, struct hf_out *);
} formats[] = {
	{ "table", hf_reach_write_table },
	{ "text", hf_reach_write_table },
	{ "json", hf_reach_write_json },
};

static int evaluate(struct kube_run *k, void *ctx, const struct hf_kube_objects *const *sets, size_t n,
		    struct hf_arena *a, struct hf_out *out, struct hf_err *err)
{
	struct hf_reach *r = hf_reach_build(sets[0], a);
	int bits = 0;

	(void)ctx, (void)n;
	if (!r)
		return hf_fail(err, HF_E_LIMIT, "the model of the cluster needs more memory than is allowed");
	bits |= show_notes(k, r);
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		if (!strcmp(k->format ? k->format : "table", formats[i].name))
			formats[i].write(r, out);
	return bits;
}

static bool known_format(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(formats); i++)
		if (!name || !strcmp(name, formats[i].name))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	struct kube_run k = { .command = "kube reach" };

	for (int i = 1; i < argc; i++) {
		int taken = kube_run_option(&k, argc, argv, &i);
		if (taken < 0)
			return 2;
		if (!taken && argv[i][0] == '-' && argv[i][1])
			return hf_command_usage(k.command, "unknown option %s", argv[i]);
		if (!taken)
			kube_run_target(&k, argv[i]);
	}
	if (!known_format(k.format))
		return hf_command_usage(k.command, "no such format: %s (table, text, json)", k.format);
	return kube_run(&k, evaluate, NULL);
}

const struct hf_command hf_kube_reach = {
	.name = "reach",
	.summary = "who can talk to whom, by all policies of the cluster",
	.usage = "[OPTIONS] TARGET...\n\n" KUBE_RUN_USAGE,
	.run = run,
};
