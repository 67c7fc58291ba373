/* What a jailed worker wrote to memory, on its way out. */
#pragma once
#include "base/error.h"

/* Empties the memory before another worker writes to it. */
void hf_worker_output_reset(int memory_fd);
/* The worker is gone: nobody writes to its report any more. Copies it to @to; control bytes are made harmless where that is a terminal,
 * and colours stay only with @colour. */
int hf_worker_output_hand_over(int memory_fd, int to, bool colour, struct hf_err *err);
