#include "cmd/worker_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "base/terminal.h"

void hf_worker_output_reset(int memory_fd)
{
	if (ftruncate(memory_fd, 0) || lseek(memory_fd, 0, SEEK_SET) < 0)
		return;
}

int hf_worker_output_hand_over(int memory_fd, int to, bool colour, struct hf_err *err)
{
	hf_cleanup(hf_out_done) struct hf_out out = hf_out_fd(to);
	struct hf_mapping report;
	struct stat st;

	if (fstat(memory_fd, &st))
		return hf_fail_errno(err, "the report");
	int r = hf_mapping_open(&report, memory_fd, 0, (size_t)st.st_size, err);
	if (r < 0)
		return hf_wrap(err, "the report");
	if (isatty(to))
		hf_terminal_add(&out, (hf_sv){ report.ptr, report.len }, colour);
	for (hf_sv rest = { report.ptr, isatty(to) ? 0 : report.len }; rest.len; rest = hf_sv_skip(rest, HF_KIB(64)))
		hf_out_add(&out, hf_sv_first(rest, HF_KIB(64)));
	r = hf_out_flush(&out, err);
	hf_mapping_close(&report);
	return r;
}
