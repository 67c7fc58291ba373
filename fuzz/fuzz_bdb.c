/* All values of a Berkeley DB hash database. */
#include "format/bdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	struct hf_record record;
	struct hf_bdb db;

	if (hf_bdb_open(&db, (hf_sv){ (const char *)data, size }, &a, NULL) < 0)
		return 0;
	while (hf_bdb_next(&db, &record))
		(void)hf_sv_is_utf8(record.bytes); /* touches each byte */
	return 0;
}
