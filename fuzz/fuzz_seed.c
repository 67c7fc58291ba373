/* The input is an image of one text (tests/lib/text_root.h). Its seed is made: what it names must be there. */
#include <stdlib.h>

#include "baseline/seed.h"
#include "baseline/seed_profile.h"
#include "lib/text_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_arena nodes = HF_ARENA(HF_MIB(4)), a = HF_ARENA(HF_MIB(64));
	struct hf_map m = HF_MAP(&nodes);
	struct hf_root root = test_text_root(&m, (hf_sv){ (const char *)data, size });
	const hf_sv entrypoint[] = { HF_SV("init"), HF_SV("word") };
	struct hf_image_config config = { .entrypoint = entrypoint, .entrypoint_n = 2, .user = HF_SV("user") };
	struct hf_err err = { 0 };
	struct hf_seed seed;

	int r = hf_seed_make(&root, &config, &a, &seed, &err);
	if (r >= 0 && (r == HF_PARTIAL) != (seed.unparsed_n != 0))
		abort();
	for (size_t i = 0; r >= 0 && i < seed.files_n; i++) {
		const struct hf_seed_file *f = &seed.files[i];
		if (!test_text_root_holds(&m, hf_sv_skip(f->path, 1)) ||
		    (f->because != HF_SEED_NOBODY && f->because >= seed.files_n))
			abort();
	}
	if (r >= 0) {
		struct hf_profile profile;
		hf_profile_init(&profile, &a, (hf_sv){ 0 }, (hf_sv){ 0 }, (hf_sv){ 0 });
		(void)!hf_seed_profile(&seed, &root, &profile, &err);
	}
	hf_arena_done(&a);
	hf_arena_done(&nodes);
	return 0;
}
