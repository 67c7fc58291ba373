/* Any bytes as a profile: a reason, or a profile that is written, read and written to the same bytes. The bytes also as arguments
 * and paths, whose shapes are valid patterns. */
#include <stdlib.h>

#include "base/limits.h"
#include "baseline/profile.h"
#include "baseline/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void shapes(hf_sv text)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
	hf_sv back;

	if (!hf_shape_valid(hf_shape_argument(text, &a)) || !hf_shape_valid(hf_shape_path(text, &a)))
		abort();
	if (text.len <= HF_PATH_MAX && (!hf_shape_text(hf_shape_literal(text, &a), &a, &back) || !hf_sv_eq(back, text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf once = HF_BUF(HF_PROFILE_SIZE_MAX), twice = HF_BUF(HF_PROFILE_SIZE_MAX);
	hf_sv text = { (const char *)data, size };
	struct hf_profile p, again;
	struct hf_err err = { 0 };

	shapes(text);
	if (hf_profile_read(text, &a, &p, &err)) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	hf_profile_write(&p, &once);
	if (hf_profile_read(hf_buf_view(&once), &a, &again, &err))
		abort();
	hf_profile_write(&again, &twice);
	if (!hf_sv_eq(hf_buf_view(&once), hf_buf_view(&twice)))
		abort();
	return 0;
}
