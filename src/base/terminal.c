#include "base/terminal.h"

#include "base/error.h"

enum { PIECE = 1024, SGR_MAX = 24 };

/* Length of the sequence that @s begins with, 0 where it is none that sets colours. */
static size_t colour_sequence(hf_sv s)
{
	if (!hf_sv_starts(s, HF_SV("\033[")))
		return 0;
	for (size_t i = 2; i < s.len && i < SGR_MAX; i++) {
		if (s.ptr[i] == 'm')
			return i + 1;
		if (s.ptr[i] != ';' && (s.ptr[i] < '0' || s.ptr[i] > '9'))
			return 0;
	}
	return 0;
}

/* How much of @s goes out at once: up to the next byte that is looked at by itself, no character cut in two. */
static size_t piece_of(hf_sv s)
{
	size_t n = 1;

	while (n < s.len && n < PIECE && s.ptr[n] != '\n' && s.ptr[n] != '\t' && s.ptr[n] != '\033')
		n++;
	for (size_t back = 0; n == PIECE && n < s.len && back < 3 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80; back++)
		n--;
	return n;
}

void hf_terminal_add(struct hf_out *out, hf_sv text, bool colour)
{
	char clean[4 * PIECE + 4];

	while (text.len) {
		size_t n = colour ? colour_sequence(text) : 0;
		bool is_fine = n || text.ptr[0] == '\n' || text.ptr[0] == '\t';
		if (!n)
			n = is_fine ? 1 : piece_of(text);
		hf_sv piece = hf_sv_first(text, n);
		hf_out_add(out, is_fine ? piece : (hf_sv){ clean, hf_escape_controls(clean, sizeof clean, piece) });
		text = hf_sv_skip(text, n);
	}
}
