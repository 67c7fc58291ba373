/* SPDX licence expressions: SPDX 2.3, annex D (spdx-license-expression), and the identifiers of list 3.28. */
#pragma once
#include "base/arena.h"

/* The list's own spelling of a licence identifier, found without regard to case; empty where there is none. */
hf_sv hf_licence_id(hf_sv id);
/* The same for an exception. */
hf_sv hf_licence_exception(hf_sv id);
/* The expression with every identifier and operator in the list's spelling and single blanks, in @a; the empty view
 * where @text is no valid expression, names an unknown identifier, refers to a LicenseRef (which would have to be
 * defined elsewhere), or is over 4 KiB or 64 parentheses deep. */
hf_sv hf_licence_expression(struct hf_arena *a, hf_sv text);
/* True where a valid expression is more than one identifier. */
bool hf_licence_is_compound(hf_sv expression);
