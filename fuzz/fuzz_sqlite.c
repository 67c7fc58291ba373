/* The tables of an SQLite database: all rows of "Packages", with their first columns. */
#include "format/sqlite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	hf_sv file = { (const char *)data, size };
	struct hf_sqlite_value value;
	struct hf_record row;
	struct hf_sqlite db;
	uint32_t root = 0;

	(void)hf_sqlite_wal_has_frames(file);
	if (hf_sqlite_open(&db, file, &a, NULL) < 0 || hf_sqlite_table(&db, HF_SV("Packages"), &root, NULL) < 0)
		return 0;
	struct hf_sqlite_rows rows = hf_sqlite_rows_of(&db, root);
	while (hf_sqlite_next(&rows, &row))
		for (uint32_t i = 0; i < 4 && hf_sqlite_column(row.bytes, i, &value); i++)
			(void)hf_sv_is_utf8(value.bytes); /* touches each byte */
	return 0;
}
