/* Changes of a manifest's text at the place of a value: comments, order and style of all else stay as they are.
 *
 * Comments right above an element of a list, at its column, are of it, and go with it.
 *
 * Nothing is believed of the text edit itself: the changed text is read again, and is kept only where it reads as exactly the tree that
 * the change makes of the old one. What cannot be edited so is refused, and the text stays. Pure. */
#pragma once
#include "base/arena.h"
#include "format/value.h"

struct hf_edit {
	hf_sv pointer; /* RFC 6901, from the document's root; missing objects on the way are made; "-": behind a list's last element */
	hf_sv json;          /* the value; empty: the member, or the list's element, is removed */
	bool loses_comments; /* comments within the old value may go with it; else that is refused */
};

/* The documents of a text, views into it: of YAML, or (*ret_json) JSON values one behind the other, of a List each item.
 * HF_E_FORMAT, HF_E_LIMIT. */
int hf_edit_documents(hf_sv text, struct hf_arena *, const hf_sv **ret, size_t *ret_n, bool *ret_json, struct hf_err *);
/* One document with all of @edits, one after the other. HF_E_UNSUPPORTED: refused, and why; HF_E_FORMAT: it cannot be read. */
int hf_edit(hf_sv document, bool json, const struct hf_edit *edits, size_t n, struct hf_arena *, hf_sv *ret,
	    struct hf_err *);
/* The text with some of its documents replaced (@after[i].ptr NULL: it stays). Read again it has as many documents, each byte for byte
 * the wanted one; else HF_E_UNSUPPORTED. */
int hf_edit_join(hf_sv text, const hf_sv *before, const hf_sv *after, size_t n, struct hf_arena *, hf_sv *ret,
		 struct hf_err *);
