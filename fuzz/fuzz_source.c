/* Archives of images, whole: the outer tar (plain or wrapped), its documents, its layers. The input is the archive; or,
 * where it begins with '!', documents one a line with their name in front ("index.json {…}"), put into an archive here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "layers/layers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_entry(struct hf_layer_visitor *v, const struct hf_entry *e, bool *ret_wants, struct hf_err *err)
{
	(void)v;
	(void)err;
	*ret_wants = e->size < 65536;
	return HF_OK;
}

static int on_content(struct hf_layer_visitor *v, const struct hf_entry *e, hf_sv bytes, struct hf_err *err)
{
	(void)v;
	(void)err;
	if (bytes.len != e->size)
		__builtin_trap();
	return HF_OK;
}

static int on_unparsed(struct hf_layer_visitor *v, hf_sv path, hf_sv reason, struct hf_err *err)
{
	(void)v;
	(void)path;
	(void)err;
	if (!reason.len)
		__builtin_trap();
	return HF_OK;
}

static void add_member(struct hf_buf *out, hf_sv name, hf_sv text)
{
	char h[512] = { 0 };
	unsigned sum = 0;

	memcpy(h, name.ptr, name.len < 99 ? name.len : 99);
	snprintf(h + 100, 8, "0000644");
	snprintf(h + 124, 12, "%011zo", text.len);
	memcpy(h + 148, "        ", 8);
	h[156] = '0';
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 7, "%06o", sum);
	hf_buf_add(out, (hf_sv){ h, sizeof h });
	hf_buf_add(out, text);
	while (out->len % 512 && !out->over)
		hf_buf_add_char(out, 0);
}

static void make_archive(struct hf_buf *out, hf_sv input)
{
	hf_sv line, name, text;

	if (!hf_sv_starts(input, HF_SV("!"))) {
		hf_buf_add(out, input);
		return;
	}
	input = hf_sv_skip(input, 2);
	while (input.ptr && hf_sv_next(&input, '\n', &line))
		if (hf_sv_cut(line, ' ', &name, &text))
			add_member(out, name, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_layer_visitor v = { on_entry, on_content, on_unparsed };
	const struct hf_source_options options = { .jobs = 1 };
	hf_cleanup(hf_buf_done) struct hf_buf archive = HF_BUF(8 << 20);
	struct hf_source *s = NULL;
	struct hf_err err = { 0 };
	char target[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	make_archive(&archive, (hf_sv){ (const char *)data, size });
	if (fd < 0 || write(fd, archive.ptr, archive.len) != (ssize_t)archive.len)
		abort();
	snprintf(target, sizeof target, "archive:/proc/self/fd/%d", fd);
	if (hf_source_open(hf_sv_of(target), &options, &s, &err) == HF_OK && hf_source_read(s, &err) >= 0)
		for (uint32_t i = 0; i < hf_source_artifact(s)->layers_n && i < 8; i++)
			if (hf_layer_walk(s, i, &v, &err) < 0)
				break;
	hf_source_close(s);
	close(fd);
	return 0;
}
