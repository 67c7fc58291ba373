/* Runs a fuzz target over folders of inputs, in every test run. Fails where there are none. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		struct test_files files = test_files_below(argv[i]);
		for (size_t k = 0; k < files.n; k++, n++) {
			struct hf_buf bytes = test_read(argv[i], files.paths[k], NULL);
			char *exact = test_exact_copy(hf_buf_view(&bytes));
			LLVMFuzzerTestOneInput((const uint8_t *)exact, bytes.len);
			free(exact);
			hf_buf_done(&bytes);
		}
		test_files_done(&files);
	}
	printf("%zu inputs replayed\n", n);
	return n ? 0 : 1;
}
