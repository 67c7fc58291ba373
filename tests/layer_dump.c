/* layer_dump [--verify] [--platform P] [--jobs N] [--want SUFFIX] [--fetch PATH] [--count] TARGET
 * Prints what source/ and layers/ make of a target: one JSON document a line (artifact, then each layer's entries in
 * order). Files whose path ends in SUFFIX are wanted and their SHA-256 printed. --count prints totals alone, for
 * measuring. Exit status: 0, 2 with a message. Used by tests/sources.py and the benchmarks. */
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/json_writer.h"
#include "layers/layers.h"

struct dump {
	struct hf_layer_visitor v;
	struct hf_source *source;
	struct hf_buf out;
	hf_sv want, fetch;
	bool has_want, has_fetch, count;
	uint64_t files, entries, bytes, elf;
	uint32_t layer;
};

static struct hf_json_writer line_of(struct dump *d)
{
	return (struct hf_json_writer){ .out = &d->out, .compact = true };
}

static void finish(struct hf_json_writer *w)
{
	struct hf_err err = { 0 };

	hf_jw_object_end(w);
	(void)hf_jw_finish(w, &err);
}

static int on_entry(struct hf_layer_visitor *v, const struct hf_entry *e, bool *ret_wants, struct hf_err *err)
{
	static const char *const types[] = { "file", "dir", "symlink", "hardlink", "device", "whiteout", "opaque" };
	struct dump *d = (struct dump *)v;

	(void)err;
	d->entries++;
	d->files += e->type == HF_ENTRY_FILE;
	*ret_wants = d->has_want && hf_sv_ends(e->path, d->want);
	if (d->count) {
		d->elf += e->type == HF_ENTRY_FILE && (e->mode & 0111) &&
			  hf_sv_starts(e->head, HF_SV("\x7f"
						      "ELF"));
		return HF_OK;
	}
	struct hf_json_writer w = line_of(d);
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "layer", d->layer);
	hf_jw_kv(&w, "type", hf_sv_of(types[e->type]));
	hf_jw_kv(&w, "path", e->path);
	if (e->type == HF_ENTRY_FILE) {
		hf_jw_kv_uint(&w, "size", e->size);
		hf_jw_kv(&w, "head", hf_sv_first(e->head, 8));
	}
	hf_jw_kv_uint(&w, "mode", e->mode);
	hf_jw_kv_uint(&w, "mtime", (uint64_t)e->mtime);
	hf_jw_kv_if(&w, "link", e->link);
	finish(&w);
	return HF_OK;
}

static int on_content(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv bytes, struct hf_err *err)
{
	struct dump *d = (struct dump *)v;
	char text[HF_DIGEST_TEXT_MAX];

	(void)err;
	d->bytes += bytes.len;
	if (d->count)
		return HF_OK;
	struct hf_json_writer w = line_of(d);
	hf_jw_object(&w);
	hf_jw_kv(&w, "content", e->path);
	hf_jw_kv_uint(&w, "size", bytes.len);
	hf_jw_kv(&w, "digest", hf_digest_sha256(bytes, text));
	finish(&w);
	return HF_OK;
}

static int on_unparsed(struct hf_layer_visitor *v, hf_sv path, hf_sv reason, struct hf_err *err)
{
	struct dump *d = (struct dump *)v;
	struct hf_json_writer w = line_of(d);

	(void)err;
	hf_jw_object(&w);
	hf_jw_kv_uint(&w, "layer", d->layer);
	hf_jw_kv(&w, "unparsed", path);
	hf_jw_kv(&w, "reason", reason);
	finish(&w);
	return HF_OK;
}

static void dump_config(struct hf_json_writer *w, const struct hf_image_config *c)
{
	hf_jw_key(w, "config");
	hf_jw_object(w);
	hf_jw_kv_if(w, "user", c->user);
	hf_jw_kv_if(w, "working_dir", c->working_dir);
	hf_jw_strings(w, "entrypoint", c->entrypoint, c->entrypoint_n);
	hf_jw_strings(w, "cmd", c->cmd, c->cmd_n);
	hf_jw_strings(w, "env", c->env, c->env_n);
	hf_jw_strings(w, "exposed_ports", c->exposed_ports, c->exposed_ports_n);
	hf_jw_strings(w, "labels", c->labels, c->labels_n);
	hf_jw_strings(w, "volumes", c->volumes, c->volumes_n);
	hf_jw_kv_if(w, "healthcheck", c->healthcheck);
	hf_jw_object_end(w);
}

static void dump_artifact(struct dump *d, const struct hf_artifact *a)
{
	struct hf_json_writer w = line_of(d);

	hf_jw_object(&w);
	hf_jw_kv(&w, "kind", a->kind);
	hf_jw_kv_if(&w, "digest", a->digest);
	hf_jw_kv_if(&w, "image_id", a->image_id);
	hf_jw_kv_if(&w, "platform", a->platform);
	hf_jw_kv_if(&w, "created", a->created);
	if (a->is_image)
		dump_config(&w, &a->config);
	hf_jw_key(&w, "layers");
	hf_jw_array(&w);
	for (size_t i = 0; i < a->layers_n; i++) {
		hf_jw_object(&w);
		hf_jw_kv_if(&w, "digest", a->layers[i].digest);
		hf_jw_kv_if(&w, "diff_id", a->layers[i].diff_id);
		hf_jw_kv_uint(&w, "size", a->layers[i].size);
		hf_jw_kv_if(&w, "created_by", a->layers[i].created_by);
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_kv_uint(&w, "history", a->history_n);
	hf_jw_strings(&w, "notes", a->notes, a->notes_n);
	finish(&w);
}

static int dump_layer(void *ctx, size_t i, struct hf_err *err)
{
	struct dump *d = (struct dump *)ctx + i;

	d->layer = (uint32_t)i;
	return d->has_fetch ? hf_layer_fetch(d->source, d->layer, &d->fetch, 1, &d->v, err)
			    : hf_layer_walk(d->source, d->layer, &d->v, err);
}

static void dump_done(struct dump *d)
{
	if (d->count)
		printf("layer %u: %llu entries, %llu files, %llu ELF, %llu bytes wanted\n", d->layer,
		       (unsigned long long)d->entries, (unsigned long long)d->files, (unsigned long long)d->elf,
		       (unsigned long long)d->bytes);
	fwrite(d->out.ptr, 1, d->out.len, stdout);
	hf_buf_done(&d->out);
}

static int run(hf_sv target, const struct hf_source_options *options, const struct dump *proto, struct hf_err *err)
{
	struct hf_source *s = NULL;
	struct dump head = { .out = HF_BUF(HF_MIB(64)) };
	int r = hf_source_open(target, options, &s, err);

	if (!r)
		r = hf_source_read(s, err);
	if (r < 0) {
		hf_source_close(s);
		return r;
	}
	const struct hf_artifact *a = hf_source_artifact(s);
	struct dump *dumps = hf_calloc(a->layers_n + 1, sizeof *dumps);
	for (size_t i = 0; i < a->layers_n; i++) {
		dumps[i] = *proto;
		dumps[i].source = s;
		dumps[i].out = HF_BUF(HF_GIB(1));
	}
	dump_artifact(&head, a);
	dump_done(&head);
	r = hf_layers_run(s, options->jobs, dump_layer, dumps, err);
	for (size_t i = 0; i < a->layers_n; i++)
		dump_done(&dumps[i]);
	free(dumps);
	hf_source_close(s);
	return r;
}

int main(int argc, char **argv)
{
	struct hf_source_options options = { .jobs = 1 };
	struct dump proto = { .v = { on_entry, on_content, on_unparsed } };
	struct hf_err err = { 0 };
	hf_sv target = { 0 };

	for (int i = 1; i < argc; i++) {
		hf_sv arg = hf_sv_of(argv[i]);
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (hf_sv_eq(arg, HF_SV("--verify"))) {
			options.verify = true;
		} else if (hf_sv_eq(arg, HF_SV("--count"))) {
			proto.count = true;
		} else if (hf_sv_eq(arg, HF_SV("--platform"))) {
			options.platform = hf_sv_of(value), i++;
		} else if (hf_sv_eq(arg, HF_SV("--jobs"))) {
			options.jobs = (unsigned)atoi(value), i++;
		} else if (hf_sv_eq(arg, HF_SV("--want"))) {
			proto.want = hf_sv_of(value), proto.has_want = true, i++;
		} else if (hf_sv_eq(arg, HF_SV("--fetch"))) {
			proto.fetch = hf_sv_of(value), proto.has_fetch = true, i++;
		} else {
			target = arg;
		}
	}
	if (run(target, &options, &proto, &err) >= 0)
		return 0;
	fprintf(stderr, "layer_dump: %s\n", err.msg);
	return 2;
}
