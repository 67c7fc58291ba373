/* All blobs of an ndb database; never more bytes than the file has. */
#include <stdlib.h>

#include "format/ndb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_record record;
	struct hf_ndb db;
	size_t total = 0;

	if (hf_ndb_open(&db, (hf_sv){ (const char *)data, size }, NULL) < 0)
		return 0;
	while (hf_ndb_next(&db, &record)) {
		(void)hf_sv_is_utf8(record.bytes); /* touches each byte */
		total += record.bytes.len;
	}
	if (total > size)
		abort();
	return 0;
}
