#include "cmd/plumbing_match.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/output.h"
#include "cmd/command.h"
#include "cmd/purl_operand.h"
#include "format/json_writer.h"
#include "match/match.h"

struct match {
	struct hf_database *db;
	struct hf_out out;
	struct hf_json_writer w;
	hf_sv purl;
	bool one_line; /* verdicts go into one array */
	size_t lines;
};

static hf_sv today(struct hf_arena *a)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;
	struct tm tm;

	time_t t = epoch && hf_sv_to_u64(hf_sv_of(epoch), &seconds) ? (time_t)seconds : time(NULL);
	gmtime_r(&t, &tm);
	return hf_arena_fmt(a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void begin(struct match *m, const char *verdict)
{
	m->lines++;
	hf_jw_object(&m->w);
	if (!m->one_line)
		hf_jw_kv(&m->w, "purl", m->purl);
	hf_jw_kv(&m->w, "verdict", hf_sv_of(verdict));
}

static void end(struct match *m)
{
	hf_jw_object_end(&m->w);
	if (!m->one_line)
		hf_buf_add_char(m->w.out, '\n');
}

static void advisory(struct hf_json_writer *w, hf_sv id, hf_sv source, hf_sv url, hf_sv modified)
{
	hf_jw_key(w, "advisory");
	hf_jw_object(w);
	hf_jw_kv(w, "id", id);
	hf_jw_kv(w, "source", source);
	hf_jw_kv_if(w, "url", url);
	hf_jw_kv_if(w, "modified", modified);
	hf_jw_object_end(w);
}

static void affected(struct match *m, const struct hf_vulnerability *v)
{
	struct hf_json_writer *w = &m->w;

	begin(m, "affected");
	hf_jw_kv(w, "id", v->id);
	hf_jw_strings(w, "aliases", v->aliases, v->aliases_n);
	hf_jw_kv(w, "status", hf_sv_of(hf_status_name(v->status)));
	hf_jw_kv(w, "installed", v->installed);
	hf_jw_kv_if(w, "fixed", v->fixed);
	hf_jw_kv(w, "severity", hf_sv_of(hf_severity_name(v->severity)));
	hf_jw_kv_if(w, "severity_source", v->severity_source);
	if (v->kev)
		hf_jw_kv_bool(w, "kev", true);
	if (v->epss >= 0) {
		hf_jw_key(w, "epss");
		hf_jw_fixed(w, (double)v->epss, 5);
	}
	hf_jw_kv_if(w, "channel", v->channel);
	if (v->unimportant)
		hf_jw_kv_bool(w, "unimportant", true);
	if (v->kernel_headers)
		hf_jw_kv_bool(w, "kernel_headers", true);
	advisory(w, v->advisory_id, v->advisory_source, v->advisory_url, v->advisory_modified);
	hf_jw_kv(w, "rule", v->rule);
	end(m);
}

static void cleared(struct match *m, const struct hf_cleared *c, hf_sv installed)
{
	struct hf_json_writer *w = &m->w;

	begin(m, "not_affected");
	hf_jw_kv(w, "id", c->id);
	hf_jw_strings(w, "aliases", c->aliases, c->aliases_n);
	hf_jw_kv(w, "status", HF_SV("not_affected"));
	hf_jw_kv(w, "installed", installed);
	hf_jw_kv_if(w, "fixed", c->fixed);
	advisory(w, c->advisory_id, c->advisory_source, c->advisory_url, c->advisory_modified);
	hf_jw_kv(w, "rule", c->rule);
	end(m);
}

static void cannot_tell(struct match *m, const struct hf_undecided *u)
{
	begin(m, "cannot_tell");
	hf_jw_kv(&m->w, "code", u->code);
	hf_jw_kv(&m->w, "reason", u->reason);
	hf_jw_kv_if(&m->w, "id", u->advisory_id);
	end(m);
}

static int verdicts(struct match *m, hf_sv purl, hf_sv distro, hf_sv source, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(64));
	struct hf_purl_operand operand;
	struct hf_match_result r;

	int status = hf_purl_operand(purl, distro, source, &a, &operand, err);
	if (status)
		return status;
	struct hf_match_input in = { &operand.os, &operand.package, 1, m->db, today(&a), true };
	status = hf_match(&in, &a, &r, err);
	if (status)
		return status;
	m->purl = purl;
	m->lines = 0;
	for (size_t i = 0; i < r.vulnerabilities_n; i++)
		affected(m, &r.vulnerabilities[i]);
	for (size_t i = 0; i < r.undecided_n; i++)
		if (r.undecided[i].package == 0 ||
		    (hf_package_type_is_distribution(operand.package.type) && !r.vulnerabilities_n))
			cannot_tell(m, &r.undecided[i]);
	for (size_t i = 0; i < r.cleared_n; i++)
		cleared(m, &r.cleared[i], operand.package.version);
	if (!m->lines && r.database.landmarks_only) {
		struct hf_undecided only = {
			.code = HF_SV("landmarks-only"),
			.reason = HF_SV(
				"there is no database: only some famous flaws are known, and none of this package")
		};
		cannot_tell(m, &only);
	} else if (!m->lines) {
		begin(m, "not_affected");
		hf_jw_kv(&m->w, "rule", HF_SV("no record of the database speaks of this package"));
		end(m);
	}
	return HF_OK;
}

static int one_case(struct match *m, char *line)
{
	hf_sv words[3] = { 0 };
	size_t n = 0;
	struct hf_err err = { 0 };
	char *save = NULL;
	bool distro = false, source = false;

	for (char *word = strtok_r(line, " \t\r\n", &save); word; word = strtok_r(NULL, " \t\r\n", &save))
		if (!strcmp(word, "--distro") || !strcmp(word, "--source")) {
			distro = word[2] == 'd';
			source = !distro;
		} else if (distro || source || !strncmp(word, "--distro=", 9) || !strncmp(word, "--source=", 9)) {
			bool inline_value = !distro && !source;
			words[distro || (inline_value && word[2] == 'd') ? 1 : 2] =
				hf_sv_of(inline_value ? word + 9 : word);
			distro = source = false;
		} else {
			words[0] = n++ ? (hf_sv){ 0 } : hf_sv_of(word);
		}
	hf_jw_object(&m->w);
	hf_jw_kv(&m->w, "purl", words[0]);
	hf_jw_key(&m->w, "verdicts");
	hf_jw_array(&m->w);
	int r = n == 1 ? verdicts(m, words[0], words[1], words[2], &err)
		       : hf_fail(&err, HF_E_USAGE, "a line is PURL [--distro ID:VERSION] [--source NAME@VERSION]");
	hf_jw_array_end(&m->w);
	if (r)
		hf_jw_kv(&m->w, "error", hf_sv_of(err.msg));
	hf_jw_object_end(&m->w);
	hf_buf_add_char(m->w.out, '\n');
	return r;
}

static int cases(struct match *m, struct hf_err *err)
{
	char *line = NULL;
	size_t size = 0;

	m->one_line = true;
	while (getline(&line, &size, stdin) >= 0) {
		one_case(m, line);
		if (hf_out_flush(&m->out, err) < 0) /* each answer at once: the asker may wait for it */
			break;
	}
	free(line);
	return err->code;
}

int hf_plumbing_match(int argc, char **argv)
{
	static const struct option known[] = {
		{ "distro", required_argument, NULL, 'd' },
		{ "source", required_argument, NULL, 's' },
		{ "db", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	hf_sv distro = { 0 }, source = { 0 };
	const char *dir = NULL;
	struct hf_err err = { 0 };
	int c, r;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", known, NULL)) != -1)
		if (c == 'd')
			distro = hf_sv_of(optarg);
		else if (c == 's')
			source = hf_sv_of(optarg);
		else if (c == 'b')
			dir = optarg;
		else
			return hf_command_usage("plumbing", "match: '%s' is not an option, or lacks its value",
						argv[optind - 1]);
	if (argc - optind != 1)
		return hf_command_usage("plumbing", "match needs one PURL, or '-'");
	if (hf_database_open_default(dir, &db, &err) < 0)
		return hf_command_fail(&err);
	struct match m = { .db = db, .out = hf_out_fd(STDOUT_FILENO) };
	m.w = (struct hf_json_writer){ .out = &m.out.buf, .compact = true };
	if (!strcmp(argv[optind], "-"))
		r = cases(&m, &err);
	else
		r = verdicts(&m, hf_sv_of(argv[optind]), distro, source, &err);
	if (r >= 0 && hf_out_flush(&m.out, &err) < 0)
		r = err.code;
	hf_out_done(&m.out);
	return r < 0 ? hf_command_fail(&err) : 0;
}
