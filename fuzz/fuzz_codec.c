/* One harness for the table of codecs, compiled once a row with -DROW=<row>. Reads the first 16 MiB in uneven pieces.
 */
#include "codec/codec.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_cleanup(hf_in_closep) struct hf_in *inner = hf_in_of_bytes((hf_sv){ (const char *)data, size });
	hf_cleanup(hf_in_closep) struct hf_in *in = JOIN(hf_codec_, ROW).open(inner, NULL);
	size_t step = 1;

	while (in->at < 16 << 20 && hf_in_need(in, step)) {
		hf_in_take(in, in->len < step ? in->len : step);
		step = step * 7 % 40961;
		if (!hf_in_skip(in, step / 3))
			break;
	}
	return 0;
}
