/* Bytes of unknown make on their way to a terminal. The reports escape what they print; this stands where the report itself
 * comes from a process that may have been taken over. */
#pragma once
#include "base/output.h"

/* Adds @text with every byte escaped that is neither printable UTF-8, newline nor tab. Sequences that set colours and weight
 * ("ESC [ digits and ; m", ECMA-48 section 8.3.117) pass with @colour. */
void hf_terminal_add(struct hf_out *out, hf_sv text, bool colour);
