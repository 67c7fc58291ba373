#include "cmd/runtime/runtime_answer.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/state.h"
#include "base/limits.h"
#include "format/json.h"

enum { COLUMNS_MAX = 12, ROWS_MAX = 256, CELL_MAX = 120 };

int runtime_ask_parse(struct runtime_ask *ret, const char *command, bool with_operand, int argc, char **argv)
{
	*ret = (struct runtime_ask){ .command = command };
	for (int i = 1; i < argc && argv[i]; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL, *option = argv[i];
		bool takes = !strcmp(option, "--format") || !strcmp(option, "--state") ||
			     (with_operand && !strcmp(option, "--trace"));
		if (takes && !value) /* the last word */
			return hf_command_usage(command, "%s wants a value", option);
		i += takes;
		if (!strcmp(option, "--format")) {
			ret->json = value && !strcmp(value, "json");
			if (!ret->json && value && strcmp(value, "table") != 0)
				return hf_command_usage(command, "--format is table or json, not '%s'", value);
		} else if (!strcmp(option, "--state"))
			ret->state_folder = value;
		else if (takes)
			ret->trace = value;
		else if (option[0] == '-' && option[1])
			return hf_command_no_option(command, option);
		else if (!with_operand || ret->operand)
			return hf_command_usage(command, "'%s' is one operand too many", option);
		else
			ret->operand = option;
	}
	return -1;
}

static void add_escaped(struct hf_out *out, hf_sv text)
{
	char escaped[CELL_MAX * 4 + 4];
	size_t n = hf_escape_controls(escaped, sizeof escaped, text);

	hf_out_add(out, (hf_sv){ escaped, n });
}

/* A long text is shown whole, piece by piece. */
static void add_long(struct hf_out *out, hf_sv text)
{
	for (; text.len; text = hf_sv_skip(text, CELL_MAX))
		add_escaped(out, hf_sv_first(text, CELL_MAX));
}

static void add_key(struct hf_out *out, hf_sv key)
{
	char escaped[CELL_MAX * 4 + 4];
	size_t n = hf_escape_controls(escaped, sizeof escaped, hf_sv_first(key, CELL_MAX));

	for (size_t i = 0; i < n; i++)
		escaped[i] = escaped[i] == '_' ? ' ' : escaped[i];
	hf_out_add(out, (hf_sv){ escaped, n });
}

static void show_object(struct hf_out *out, struct hf_json *j)
{
	hf_sv key;
	bool first = true;

	hf_json_members(j, &key) {
		hf_sv value = hf_json_text(j);
		hf_out_add(out, first ? HF_SV("") : HF_SV(", "));
		add_long(out, value);
		hf_out_add(out, HF_SV(" "));
		add_key(out, key);
		first = false;
	}
	hf_out_add(out, HF_SV("\n"));
}

struct grid {
	hf_sv columns[COLUMNS_MAX], cells[ROWS_MAX][COLUMNS_MAX];
	size_t columns_n, rows_n, left_out;
};

static size_t column_of(struct grid *g, hf_sv key)
{
	size_t i = 0;

	while (i < g->columns_n && !hf_sv_eq(g->columns[i], key))
		i++;
	if (i == g->columns_n && i < COLUMNS_MAX)
		g->columns[g->columns_n++] = hf_sv_first(key, CELL_MAX);
	return i;
}

static void read_grid(struct grid *g, struct hf_json *j)
{
	hf_sv key;

	hf_json_elements(j) {
		if (g->rows_n == ROWS_MAX) {
			g->left_out++;
			hf_json_skip(j);
			continue;
		}
		size_t row = g->rows_n++;
		hf_json_members(j, &key) {
			size_t column = column_of(g, key);
			hf_sv value = hf_json_text(j);
			if (column < COLUMNS_MAX)
				g->cells[row][column] = hf_sv_first(value, CELL_MAX);
		}
	}
}

static void show_grid(struct hf_out *out, struct hf_json *j, struct hf_arena *a)
{
	struct grid *g = hf_arena_new(a, struct grid);
	size_t widths[COLUMNS_MAX] = { 0 };

	if (!g)
		return;
	read_grid(g, j);
	for (size_t c = 0; c < g->columns_n; c++) {
		widths[c] = g->columns[c].len;
		for (size_t r = 0; r < g->rows_n; r++)
			widths[c] = g->cells[r][c].len > widths[c] ? g->cells[r][c].len : widths[c];
	}
	for (size_t r = 0; r <= g->rows_n; r++) {
		hf_out_add(out, HF_SV("  "));
		for (size_t c = 0; c < g->columns_n; c++) {
			hf_sv cell = r ? g->cells[r - 1][c] : g->columns[c];
			if (r)
				add_escaped(out, cell);
			else
				add_key(out, cell);
			if (c + 1 < g->columns_n)
				hf_out_addf(out, "%*s", (int)(widths[c] - cell.len + 2), "");
		}
		hf_out_add(out, HF_SV("\n"));
	}
	if (g->left_out)
		hf_out_addf(out, "  … and %zu more\n", g->left_out);
}

void runtime_answer_show(struct hf_out *out, hf_sv json)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(16));
	struct hf_json j = hf_json_of(json, &a);
	hf_sv key;

	hf_json_members(&j, &key) {
		enum hf_json_type type = hf_json_peek(&j);
		if (hf_sv_eq(key, HF_SV("schema")) || type == HF_JSON_NULL) {
			hf_json_skip(&j);
			continue;
		}
		if (type == HF_JSON_ARRAY && hf_sv_starts(hf_sv_trim(hf_sv_skip(j.text, j.at + 1)), HF_SV("]"))) {
			hf_json_skip(&j);
			continue;
		}
		add_key(out, key);
		hf_out_add(out, type == HF_JSON_ARRAY ? HF_SV(":\n") : HF_SV(": "));
		if (type == HF_JSON_ARRAY) {
			show_grid(out, &j, &a);
		} else if (type == HF_JSON_OBJECT) {
			show_object(out, &j);
		} else {
			add_long(out, hf_json_text(&j));
			hf_out_add(out, HF_SV("\n"));
		}
	}
}

int runtime_answer_end(struct hf_out *out, int status)
{
	struct hf_err err = { 0 };
	int code = hf_out_flush(out, &err);

	hf_out_done(out);
	return code < 0 ? hf_command_fail(&err) : status;
}

int runtime_answer_run(const char *command, const char *question, int argc, char **argv)
{
	hf_cleanup(hf_buf_done) struct hf_buf answer = HF_BUF(HF_MIB(9));
	struct hf_out out = hf_out_fd(STDOUT_FILENO);
	struct hf_err err = { 0 };
	struct runtime_ask ask;
	int status = runtime_ask_parse(&ask, command, false, argc, argv);

	if (status >= 0)
		return status;
	if (hf_state_ask(ask.state_folder, question, &answer, &err) < 0)
		return hf_command_fail(&err);
	if (ask.json)
		hf_out_add(&out, hf_buf_view(&answer));
	else
		runtime_answer_show(&out, hf_buf_view(&answer));
	return runtime_answer_end(&out, 0);
}
