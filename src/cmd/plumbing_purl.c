#include "cmd/plumbing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/command.h"
#include "format/json_writer.h"
#include "model/purl.h"

static void write_purl(struct hf_json_writer *w, const struct hf_purl *p, hf_sv canonical)
{
	hf_jw_object(w);
	hf_jw_kv(w, "purl", canonical);
	hf_jw_kv(w, "type", p->type);
	hf_jw_kv_if(w, "namespace", p->namespace);
	hf_jw_kv(w, "name", p->name);
	hf_jw_kv_if(w, "version", p->version);
	if (p->qualifiers_n) {
		hf_jw_key(w, "qualifiers");
		hf_jw_object(w);
		for (size_t i = 0; i < p->qualifiers_n; i++) {
			hf_jw_key_sv(w, p->qualifiers[i].key);
			hf_jw_string(w, p->qualifiers[i].value);
		}
		hf_jw_object_end(w);
	}
	hf_jw_kv_if(w, "subpath", p->subpath);
	hf_jw_object_end(w);
}

/* Prints one line for one purl. A failure is printed too where @lines says so, else left in *err. */
static int answer(hf_sv text, bool lines, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_PARSE_ARENA_MAX);
	struct hf_json_writer w = { .out = &out, .compact = true };
	struct hf_purl p;
	int r = hf_purl_parse(text, &a, &p, err);

	if (r < 0 && !lines)
		return r;
	if (r < 0) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "error", hf_sv_of(err->msg));
		hf_jw_object_end(&w);
	} else {
		write_purl(&w, &p, hf_purl_format(&p, &a));
	}
	if ((r = hf_jw_finish(&w, err)) < 0)
		return r;
	if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
		return hf_fail_errno(err, "standard output");
	return HF_OK;
}

static int answer_lines(struct hf_err *err)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int r = HF_OK;

	while (r >= 0 && (n = getline(&line, &size, stdin)) >= 0) {
		hf_sv s = { line, (size_t)n };
		if (hf_sv_ends(s, HF_SV("\n")))
			s.len--;
		r = answer(s, true, err);
	}
	free(line);
	return r;
}

int hf_plumbing_purl(int argc, char **argv)
{
	struct hf_err err = { 0 };

	if (argc != 2)
		return hf_command_usage("plumbing", "purl needs one PURL, or '-'");
	bool lines = !strcmp(argv[1], "-");
	int r = lines ? answer_lines(&err) : answer(hf_sv_of(argv[1]), false, &err);
	if (r >= 0)
		return 0;
	hf_wrap(&err, "%s", argv[1]);
	return hf_command_fail(&err);
}
