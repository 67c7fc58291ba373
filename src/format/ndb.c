#include "format/ndb.h"

#include <isa-l/igzip_lib.h>

#include "base/cursor.h"

enum { HEADER_SLOTS = 2, SLOT_SIZE = 16, PAGE_SLOTS = 4096 / SLOT_SIZE, BLOCK = 16, HEAD = 16, TAIL = 12 };

bool hf_ndb_is(hf_sv file)
{
	return hf_sv_starts(file, HF_SV("RpmP"));
}

int hf_ndb_open(struct hf_ndb *db, hf_sv file, struct hf_err *err)
{
	struct hf_cur c = hf_cur_of(file);

	*db = (struct hf_ndb){ .file = file, .slot = HEADER_SLOTS };
	if (!hf_ndb_is(file) || file.len < HEADER_SLOTS * SLOT_SIZE)
		return hf_fail(err, HF_E_FORMAT, "not an rpm ndb database");
	hf_cur_seek(&c, 4);
	uint32_t version = hf_cur_u32le(&c);
	if (version)
		return hf_fail(err, HF_E_FORMAT, "rpm ndb database of version %u", version);
	hf_cur_seek(&c, 12);
	uint64_t slots = (uint64_t)hf_cur_u32le(&c) * PAGE_SLOTS;
	db->cut = slots > file.len / SLOT_SIZE;
	db->slots_n = db->cut ? file.len / SLOT_SIZE : slots;
	return HF_OK;
}

static const char *read_blob(struct hf_ndb *db, uint32_t package, uint32_t block, uint32_t blocks, hf_sv *ret)
{
	uint64_t at = (uint64_t)block * BLOCK, n = (uint64_t)blocks * BLOCK;

	if (block < db->slots_n || at > db->file.len || n > db->file.len - at || n < HEAD + TAIL)
		return "a slot that points outside of the blobs";
	hf_sv all = hf_sv_slice(db->file, at, n);
	struct hf_cur head = hf_cur_of(all), tail = hf_cur_of(hf_sv_skip(all, n - TAIL));
	if (!hf_sv_eq(hf_cur_take(&head, 4), HF_SV("BlbS")) || hf_cur_u32le(&head) != package)
		return "a blob that is not the one of its slot";
	hf_cur_seek(&head, 12);
	uint64_t size = hf_cur_u32le(&head);
	if ((size + HEAD + TAIL + BLOCK - 1) / BLOCK != blocks)
		return "a blob whose size is not that of its slot";
	uint32_t checksum = hf_cur_u32le(&tail);
	if (hf_cur_u32le(&tail) != size || !hf_sv_eq(hf_cur_take(&tail, 4), HF_SV("BlbE")))
		return "a blob without its end";
	db->blocks += blocks;
	if (db->blocks > db->file.len / BLOCK)
		return "slots whose blobs overlap";
	*ret = hf_sv_slice(all, HEAD, size);
	if (isal_adler32(1, (const unsigned char *)all.ptr, n - TAIL) != checksum)
		return "a blob with a wrong checksum";
	return NULL;
}

bool hf_ndb_next(struct hf_ndb *db, struct hf_record *ret)
{
	while (db->slot < db->slots_n) {
		*ret = (struct hf_record){ .at = db->slot };
		struct hf_cur c = hf_cur_of(hf_sv_slice(db->file, db->slot++ * SLOT_SIZE, SLOT_SIZE));
		if (!hf_sv_eq(hf_cur_take(&c, 4), HF_SV("Slot"))) {
			ret->why = "a slot without its magic";
			return true;
		}
		uint32_t package = hf_cur_u32le(&c), block = hf_cur_u32le(&c), blocks = hf_cur_u32le(&c);
		if (!block)
			continue;
		ret->why = read_blob(db, package, block, blocks, &ret->bytes);
		return true;
	}
	*ret = (struct hf_record){ .at = db->slot, .why = db->cut ? "fewer slots than its header says" : NULL };
	db->cut = false;
	return ret->why;
}
