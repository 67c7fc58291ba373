#include "check/edit.h"

#include "base/limits.h"
#include "check/edit_text.h"

enum { TOKENS_MAX = 24, WORK_MAX = 256 << 20 };

struct editor {
	hf_sv text;
	bool json;
	struct hf_arena *arena; /* of one edit */
	struct hf_buf *out;
	bool loses_comments;
};

static int read_tree(hf_sv text, bool json, struct hf_arena *a, struct hf_value *ret, struct hf_err *err)
{
	size_t used;

	return json ? hf_value_of_json(text, 0, a, (struct hf_value_notes){ 0 }, ret, &used, err)
		    : hf_value_of_yaml(text, 0, 1, a, (struct hf_value_notes){ 0 }, ret, err);
}

static bool is_json(hf_sv text)
{
	text = hf_sv_trim(text);
	return text.len && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

struct splitter {
	HF_VEC(hf_sv) list;
	struct hf_arena *arena;
	hf_sv text;
};

/* A List's items are edited one by one: what an API server hands out holds thousands of them. False: the memory's limit. */
static bool add_json(struct splitter *s, const struct hf_value *v, size_t base, size_t used)
{
	const struct hf_value *items = hf_value_get(v, HF_SV("items"));
	bool is_list = hf_sv_ends(hf_value_get_text(v, HF_SV("kind")), HF_SV("List"));
	hf_sv *slot;

	if (!is_list || !hf_value_count(items, HF_VALUE_ARRAY)) {
		slot = hf_vec_push(s->arena, &s->list);
		if (slot)
			*slot = hf_sv_slice(s->text, base, used);
		return slot != NULL;
	}
	hf_value_elements(items, e)
	{
		size_t at = base + e->offset,
		       end = e->type == HF_VALUE_OBJECT ? hf_text_closing(s->text, at) : SIZE_MAX;
		if (end == SIZE_MAX)
			continue;
		slot = hf_vec_push(s->arena, &s->list);
		if (!slot)
			return false;
		*slot = hf_sv_slice(s->text, at, end + 1 - at);
	}
	return true;
}

static int json_documents(hf_sv text, struct hf_arena *a, const hf_sv **ret, size_t *ret_n, struct hf_err *err)
{
	struct splitter s = { .arena = a, .text = text };

	for (hf_sv rest = text; hf_sv_trim(rest).len;) {
		hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KUBE_ARENA_MAX);
		struct hf_value v;
		size_t used = 0;
		int r = hf_value_of_json(rest, 0, &scratch, (struct hf_value_notes){ 0 }, &v, &used, err);
		if (r < 0)
			return r;
		if (!used || !add_json(&s, &v, text.len - rest.len, used))
			return hf_fail(err, HF_E_LIMIT, "too many documents");
		rest = hf_sv_skip(rest, used);
	}
	*ret = s.list.at;
	*ret_n = s.list.n;
	return HF_OK;
}

int hf_edit_documents(hf_sv text, struct hf_arena *a, const hf_sv **ret, size_t *ret_n, bool *ret_json,
		      struct hf_err *err)
{
	HF_VEC(hf_sv) list = { 0 };
	hf_sv rest = text, document;

	*ret_json = is_json(text);
	if (*ret_json && json_documents(text, a, ret, ret_n, err) >= 0)
		return HF_OK;
	*ret_json = false;
	while (hf_yaml_next_document(&rest, &document)) {
		hf_sv *slot = hf_vec_push(a, &list);
		if (!slot)
			return hf_fail(err, HF_E_LIMIT, "too many documents");
		*slot = document;
	}
	*ret = list.at;
	*ret_n = list.n;
	return HF_OK;
}

static size_t split(hf_sv pointer, hf_sv *tokens, struct hf_arena *a)
{
	hf_sv rest = pointer, token;
	size_t n = 0;

	if (!hf_sv_starts(pointer, HF_SV("/")))
		return 0;
	rest = hf_sv_skip(rest, 1);
	while (hf_sv_next(&rest, '/', &token)) {
		char *to = hf_arena_alloc(a, token.len + 1, 1);
		size_t len = 0;
		if (n == TOKENS_MAX || !to)
			return 0;
		for (size_t i = 0; i < token.len; i++) {
			bool escape = token.ptr[i] == '~' && i + 1 < token.len;
			to[len++] = !escape ? token.ptr[i] : token.ptr[++i] == '1' ? '/' : '~';
		}
		tokens[n++] = (hf_sv){ to, len };
	}
	return n;
}

/* The member as it is written, null too. */
static const struct hf_member *member_of(const struct hf_value *object, hf_sv key)
{
	hf_value_members(object, m) if (hf_sv_eq(hf_member_key(m), key)) return m;
	return NULL;
}

/* Where a pointer leads: the deepest object or list that there is, and what is to be written into it. */
struct place {
	const struct hf_value *parent;
	const struct hf_member *
		member; /* of an object; NULL: not there. Of a list: the member whose value it is; NULL: of another list */
	size_t index; /* of a list: the element; as many as it has: behind the last */
	hf_sv key;
	size_t tokens_used; /* the key's place among them, plus one */
};

static bool in_list(const struct place *p)
{
	return p->parent->type == HF_VALUE_ARRAY;
}

static const char *find(const struct hf_value *root, const hf_sv *tokens, size_t n, bool adds, struct place *ret)
{
	const struct hf_value *at = root;
	const struct hf_member *m = NULL;

	for (size_t i = 0; i < n; i++) {
		if (at->type == HF_VALUE_ARRAY) {
			bool last = i + 1 == n, behind = last && hf_sv_eq(tokens[i], HF_SV("-"));
			uint64_t index = at->n;
			if (!behind && (!hf_sv_to_u64(tokens[i], &index) || index >= at->n))
				return "the list has no such element";
			if (last && behind != adds)
				return "elements of lists are put behind the others or taken out, not replaced";
			*ret = (struct place){ at, m, index, tokens[i], i + 1 };
			if (last)
				return NULL;
			at = &at->elements[index];
			m = NULL;
			continue;
		}
		if (at->type != HF_VALUE_OBJECT)
			return "something else than an object is on the way";
		m = member_of(at, tokens[i]);
		*ret = (struct place){ at, m, 0, tokens[i], i + 1 };
		if (!m || m->value.type == HF_VALUE_NULL || i + 1 == n)
			return NULL;
		at = &m->value;
	}
	return "the pointer is empty";
}

/* The value with the objects around it that are missing. */
static int wrapped(struct editor *e, const hf_sv *tokens, size_t n, hf_sv json, struct hf_value *ret,
		   struct hf_err *err)
{
	size_t used;
	int r = hf_value_of_json(json, 0, e->arena, (struct hf_value_notes){ 0 }, ret, &used, err);

	for (size_t i = n; r >= 0 && i > 0; i--) {
		struct hf_member *m = hf_arena_new(e->arena, struct hf_member);
		if (!m)
			return hf_fail(err, HF_E_LIMIT, "the document needs more memory than is allowed");
		*m = hf_member_of(tokens[i - 1], *ret, 0);
		*ret = (struct hf_value){ .type = HF_VALUE_OBJECT, .n = 1, .members = m };
	}
	return r;
}

static bool changed(struct hf_arena *a, const struct hf_value *from, const hf_sv *tokens, size_t n,
		    const struct hf_value *value, struct hf_value *ret);

static bool changed_list(struct hf_arena *a, const struct hf_value *from, const hf_sv *tokens, size_t n,
			 const struct hf_value *value, struct hf_value *ret)
{
	struct hf_value *list = hf_arena_array(a, struct hf_value, from->n + 1);
	uint64_t index = from->n;

	if (!list || (!(n == 1 && value) && (!hf_sv_to_u64(tokens[0], &index) || index >= from->n)))
		return false;
	memcpy(list, from->elements, from->n * sizeof *list);
	ret->elements = list;
	if (n > 1)
		return changed(a, &from->elements[index], tokens + 1, n - 1, value, &list[index]);
	if (value)
		list[ret->n++] = *value;
	else
		memmove(&list[index], &list[index + 1], (--ret->n - index) * sizeof *list);
	return true;
}

/* The tree with the member set to @value, or without it where that is NULL. As deep as there are tokens. */
static bool changed(struct hf_arena *a, const struct hf_value *from, const hf_sv *tokens, size_t n,
		    const struct hf_value *value, struct hf_value *ret)
{
	*ret = *from;
	if (from->type == HF_VALUE_ARRAY)
		return changed_list(a, from, tokens, n, value, ret);
	struct hf_member *list = hf_arena_array(a, struct hf_member, from->n + 1);
	if (!list)
		return false;
	size_t at = from->n, kept = 0;
	for (size_t i = 0; i < from->n; i++) {
		bool hit = hf_sv_eq(hf_member_key(&from->members[i]), tokens[0]);
		if (hit)
			at = kept;
		if (!hit || n > 1 || value)
			list[kept++] = from->members[i];
	}
	ret->members = list;
	ret->n = kept;
	if (n > 1)
		return changed(a, &from->members[at].value, tokens + 1, n - 1, value, &list[at].value);
	if (value && at == from->n)
		list[ret->n++] = hf_member_of(tokens[0], *value, 0);
	else if (value)
		list[at].value = *value;
	return true;
}

static void splice(struct editor *e, size_t from, size_t to, hf_sv put)
{
	e->out->len = 0;
	hf_buf_add(e->out, hf_sv_first(e->text, from));
	hf_buf_add(e->out, put);
	hf_buf_add(e->out, hf_sv_skip(e->text, to));
}

static bool is_flow(const struct editor *e, const struct hf_value *collection)
{
	return collection->offset < e->text.len && strchr("{[", e->text.ptr[collection->offset]);
}

static size_t offset_of(const struct hf_value *collection, size_t i)
{
	return collection->type == HF_VALUE_ARRAY ? collection->elements[i].offset : collection->members[i].offset;
}

static const char *insert_flow(struct editor *e, const struct place *p, const struct hf_value *value,
			       struct hf_buf *put)
{
	size_t closing = hf_text_closing(e->text, p->parent->offset), from = closing;

	if (closing == SIZE_MAX)
		return "its end was not found";
	while (from > p->parent->offset + 1 && strchr(" \t\r\n", e->text.ptr[from - 1]))
		from--;
	if (p->parent->n) {
		size_t last = offset_of(p->parent, p->parent->n - 1);
		if (last >= e->text.len)
			return "its last member was not found";
		hf_buf_add(put, e->text.ptr[from - 1] == ',' ? HF_SV("") : HF_SV(","));
		size_t line = hf_text_line_start(e->text, last);
		hf_buf_add(put, hf_text_begins_line(e->text, last) && line
					? hf_sv_slice(e->text, line - 1, last - line + 1)
					: HF_SV(" "));
	}
	if (!in_list(p)) {
		hf_text_key(put, p->key, e->json);
		hf_buf_add(put, HF_SV(": "));
	}
	hf_text_flow(put, value, e->json);
	splice(e, from, p->parent->n ? from : closing, hf_buf_view(put));
	return NULL;
}

static const char *insert(struct editor *e, const struct place *p, const struct hf_value *value, struct hf_buf *put)
{
	if (is_flow(e, p->parent))
		return insert_flow(e, p, value, put);
	if (!p->parent->n || p->parent->offset >= e->text.len)
		return "the object's place was not found";
	size_t column = p->parent->offset - hf_text_line_start(e->text, p->parent->offset);
	size_t end = hf_text_block_end(e->text, p->parent->offset);
	bool open = end && e->text.ptr[end - 1] != '\n';
	hf_buf_add(put, open ? HF_SV("\n") : HF_SV(""));
	if (in_list(p)) {
		hf_buf_addf(put, "%*s- ", (int)column, "");
		hf_text_flow(put, value, e->json);
	} else {
		hf_text_block(put, p->key, value, column);
	}
	hf_buf_add(put, open ? HF_SV("") : HF_SV("\n"));
	splice(e, end, end, hf_buf_view(put));
	return NULL;
}

/* Behind the colon of a member's key; SIZE_MAX. */
static size_t behind_colon(const struct editor *e, const struct hf_member *m)
{
	hf_sv text = e->text;
	size_t at = m->offset;

	if (at >= text.len)
		return SIZE_MAX;
	at = text.ptr[at] == '"' || text.ptr[at] == '\'' ? hf_text_value_end(text, at, true) : at + m->key_n;
	while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
		at++;
	return at < text.len && text.ptr[at] == ':' ? at + 1 : SIZE_MAX;
}

/* A list of objects in the place of a block collection: block style too. */
static const char *replace_block(struct editor *e, const struct place *p, const struct hf_value *value, size_t to,
				 struct hf_buf *put)
{
	size_t from = hf_text_line_start(e->text, p->member->offset);

	hf_text_block(put, p->key, value, p->member->offset - from);
	splice(e, from, to, hf_buf_view(put));
	return NULL;
}

static const char *replace(struct editor *e, const struct place *p, const struct hf_value *value, struct hf_buf *put)
{
	const struct hf_value *old = &p->member->value;
	size_t from = old->offset, colon = behind_colon(e, p->member), to;
	bool flow = is_flow(e, p->parent);

	if (colon == SIZE_MAX || (old->type != HF_VALUE_NULL && from < colon))
		return "the value's place was not found";
	if (old->type == HF_VALUE_NULL) {
		for (from = colon; from < e->text.len && e->text.ptr[from] == ' ';)
			from++;
		to = from < e->text.len ? hf_text_value_end(e->text, from, flow) : from;
		if (to == from || e->text.ptr[from] == '#')
			from = to = colon;
		hf_buf_add(put, from == colon ? HF_SV(" ") : HF_SV(""));
	} else if (old->n && (old->type == HF_VALUE_OBJECT || old->type == HF_VALUE_ARRAY) &&
		   !strchr("{[", e->text.ptr[from])) {
		to = hf_text_block_end(e->text, from);
		hf_sv gone = hf_sv_slice(e->text, colon, to - colon);
		if (!e->loses_comments && hf_sv_index(gone, '#') != SIZE_MAX)
			return "comments would be lost";
		from = colon;
		to -= gone.len && gone.ptr[gone.len - 1] == '\n';
		if (value->type == HF_VALUE_ARRAY && value->n && value->elements[0].type == HF_VALUE_OBJECT &&
		    hf_text_begins_line(e->text, p->member->offset))
			return replace_block(e, p, value, to, put);
		hf_buf_add(put, HF_SV(" "));
	} else {
		to = hf_text_value_end(e->text, from, flow);
	}
	if (to == SIZE_MAX || to < from)
		return "the value's end was not found";
	hf_text_flow(put, value, e->json);
	splice(e, from, to, hf_buf_view(put));
	return NULL;
}

static const char *remove_flow(struct editor *e, const struct place *p, size_t index)
{
	size_t from = offset_of(p->parent, index), to;
	size_t value = in_list(p) ? from : p->member->value.offset, end = hf_text_value_end(e->text, value, true);

	if (index + 1 < p->parent->n) {
		to = offset_of(p->parent, index + 1);
		if (end < to && hf_sv_index(hf_sv_slice(e->text, end, to - end), '#') != SIZE_MAX)
			return "comments would be lost";
	} else {
		to = end;
		while (index && from && e->text.ptr[from - 1] != ',')
			from--;
		from -= index && from;
	}
	if (to == SIZE_MAX || to < from)
		return "the member's end was not found";
	splice(e, from, to, HF_SV(""));
	return NULL;
}

/* Where the lines of what begins in the line at @line and at @column begin: comments right above it, as far to the right, are of it. */
static size_t with_comments(hf_sv text, size_t line, size_t column)
{
	while (line) {
		size_t above = hf_text_line_start(text, line - 1), at = above;
		while (at < line && text.ptr[at] == ' ')
			at++;
		if (at - above != column || text.ptr[at] != '#')
			break;
		line = above;
	}
	return line;
}

/* The element with its lines. */
static const char *take_out_element(struct editor *e, const struct place *p)
{
	const struct hf_value *list = p->parent;
	size_t element = list->elements[p->index].offset, column, from;

	if (element >= e->text.len || list->offset >= e->text.len)
		return "the element's place was not found";
	if (is_flow(e, list))
		return remove_flow(e, p, p->index);
	column = list->offset - hf_text_line_start(e->text, list->offset);
	from = hf_text_line_start(e->text, element) + column;
	if (from >= element || e->text.ptr[from] != '-' || !hf_text_begins_line(e->text, from))
		return "the element's place was not found";
	size_t to = hf_text_member_end(e->text, from, false), line = with_comments(e->text, from - column, column),
	       colon = SIZE_MAX;
	if (list->n > 1) {
		splice(e, line, to, HF_SV(""));
		return NULL;
	}
	if (p->member)
		colon = behind_colon(e, p->member);
	if (colon >= line)
		return "it is the only element of its list";
	splice(e, line, to, HF_SV(""));
	hf_sv without = hf_arena_dup(e->arena, hf_buf_view(e->out));
	e->out->len = 0;
	hf_buf_add(e->out, hf_sv_first(without, colon));
	hf_buf_add(e->out, HF_SV(" []"));
	hf_buf_add(e->out, hf_sv_skip(without, colon));
	return NULL;
}

static const char *take_out(struct editor *e, const struct place *p)
{
	if (in_list(p))
		return take_out_element(e, p);
	size_t index = (size_t)(p->member - p->parent->members), from = p->member->offset;

	if (from >= e->text.len)
		return "the member's place was not found";
	if (is_flow(e, p->parent))
		return remove_flow(e, p, index);
	if (p->parent->n == 1)
		return "it is the only member of its object";
	if (hf_text_begins_line(e->text, from)) {
		size_t to = hf_text_member_end(e->text, from, p->member->value.type == HF_VALUE_ARRAY);
		splice(e, hf_text_line_start(e->text, from), to, HF_SV(""));
		return NULL;
	}
	/* The first one behind a dash: the next takes its place. */
	size_t to = index + 1 < p->parent->n ? p->parent->members[index + 1].offset : 0;
	if (to <= from || to >= e->text.len)
		return "the member's place was not found";
	splice(e, from, to, HF_SV(""));
	return NULL;
}

static const char *write_edit(struct editor *e, const struct place *p, const struct hf_value *value)
{
	struct hf_buf put = HF_BUF(HF_KIB(64));
	const char *why = !value                     ? take_out(e, p)
			  : in_list(p) || !p->member ? insert(e, p, value, &put)
						     : replace(e, p, value, &put);

	if (put.over || e->out->over)
		why = "the text gets too large";
	hf_buf_done(&put);
	return why;
}

static int edit_once(struct editor *e, const struct hf_edit *edit, bool *ret_changed, struct hf_err *err)
{
	hf_sv tokens[TOKENS_MAX];
	struct hf_value tree, wanted, got, value;
	struct place p;
	size_t n = split(edit->pointer, tokens, e->arena);
	int r = read_tree(e->text, e->json, e->arena, &tree, err);

	*ret_changed = false;
	if (r < 0)
		return r;
	const char *why = n ? find(&tree, tokens, n, edit->json.len, &p) : "the pointer is none";
	if (why)
		return hf_fail(err, HF_E_UNSUPPORTED, "%s", why);
	if (!edit->json.len && !in_list(&p) && (!p.member || p.tokens_used < n))
		return HF_OK;
	if (edit->json.len) {
		r = wrapped(e, tokens + p.tokens_used, n - p.tokens_used, edit->json, &value, err);
		if (r < 0)
			return r;
	}
	const struct hf_value *put = edit->json.len ? &value : NULL;
	if (!changed(e->arena, &tree, tokens, p.tokens_used, put, &wanted))
		return hf_fail(err, HF_E_LIMIT, "the document needs more memory than is allowed");
	why = write_edit(e, &p, put);
	if (why)
		return hf_fail(err, HF_E_UNSUPPORTED, "%s", why);
	if (read_tree(hf_buf_view(e->out), e->json, e->arena, &got, err) < 0 || !hf_value_eq(&got, &wanted))
		return hf_fail(err, HF_E_UNSUPPORTED, "the edited text does not read as what is wanted");
	*ret_changed = true;
	return HF_OK;
}

int hf_edit(hf_sv document, bool json, const struct hf_edit *edits, size_t n, struct hf_arena *a, hf_sv *ret,
	    struct hf_err *err)
{
	struct hf_buf texts[2] = { HF_BUF(document.len + HF_MIB(1)), HF_BUF(document.len + HF_MIB(1)) };
	hf_sv text = document;
	int r = HF_OK;

	if (document.len && n > WORK_MAX / document.len)
		return hf_fail(err, HF_E_UNSUPPORTED, "too many changes of too large a document");
	for (size_t i = 0, which = 0; i < n && r >= 0; i++) {
		hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(HF_KUBE_ARENA_MAX);
		struct editor e = { text, json, &scratch, &texts[which], edits[i].loses_comments };
		bool changes;
		r = edit_once(&e, &edits[i], &changes, err);
		if (r >= 0 && changes) {
			text = hf_buf_view(&texts[which]);
			which ^= 1;
		}
	}
	if (r >= 0)
		*ret = hf_arena_dup(a, text);
	if (r >= 0 && a->over)
		r = hf_fail(err, HF_E_LIMIT, "the document needs more memory than is allowed");
	hf_buf_done(&texts[0]);
	hf_buf_done(&texts[1]);
	return r;
}

int hf_edit_join(hf_sv text, const hf_sv *before, const hf_sv *after, size_t n, struct hf_arena *a, hf_sv *ret,
		 struct hf_err *err)
{
	struct hf_buf whole = HF_BUF(HF_KUBE_INPUT_MAX);
	size_t at = 0, again_n = 0;
	const hf_sv *again = NULL;
	bool json;

	for (size_t i = 0; i < n; i++) {
		size_t from = before[i].ptr ? (size_t)(before[i].ptr - text.ptr) : at;
		hf_buf_add(&whole, hf_sv_slice(text, at, from - at));
		hf_buf_add(&whole, after[i].ptr ? after[i] : before[i]);
		at = from + before[i].len;
	}
	hf_buf_add(&whole, hf_sv_skip(text, at));
	*ret = whole.over ? (hf_sv){ 0 } : hf_arena_dup(a, hf_buf_view(&whole));
	hf_buf_done(&whole);
	if (!ret->ptr)
		return hf_fail(err, HF_E_LIMIT, "the text gets too large");
	int r = hf_edit_documents(*ret, a, &again, &again_n, &json, err);
	bool same = r >= 0 && again_n == n;
	for (size_t i = 0; same && i < n; i++)
		same = hf_sv_eq(again[i], after[i].ptr ? after[i] : before[i]);
	return same ? HF_OK : hf_fail(err, HF_E_UNSUPPORTED, "the edited text does not split into the same documents");
}
