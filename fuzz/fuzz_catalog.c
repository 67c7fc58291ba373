/* One harness for the table of catalogers, compiled once a row with -DROW=<row>. The first line of the input is the
 * path (several rows read files of several kinds), the rest is the file. */
#include "catalog/cataloger.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_package(struct hf_emit *e, const struct hf_package *p, struct hf_err *err)
{
	(void)e;
	(void)p;
	(void)err;
	return HF_OK;
}

static int on_owns(struct hf_emit *e, enum hf_package_type type, hf_sv name, hf_sv path, struct hf_err *err)
{
	(void)e;
	(void)type;
	(void)name;
	(void)path;
	(void)err;
	return HF_OK;
}

static int on_os(struct hf_emit *e, const struct hf_os *os, struct hf_err *err)
{
	(void)e;
	(void)os;
	(void)err;
	return HF_OK;
}

static int on_unparsed(struct hf_emit *e, hf_sv path, hf_sv reason, struct hf_err *err)
{
	(void)e;
	(void)path;
	(void)reason;
	(void)err;
	return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(16 << 20);
	struct hf_emit out = { on_package, on_owns, on_os, on_unparsed };
	struct hf_err err = { 0 };
	hf_sv path, bytes;

	if (!hf_sv_cut((hf_sv){ (const char *)data, size }, '\n', &path, &bytes))
		return 0;
	struct hf_file file = { .path = path, .bytes = bytes, .mode = 0755 };
	(void)JOIN(hf_cataloger_, ROW).parse(&file, &a, &out, &err);
	return 0;
}
