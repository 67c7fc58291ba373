#include "sink/cost.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"

/* The second number of /proc/self/statm, proc(5): pages in memory. */
static uint64_t resident_pages(void)
{
	hf_cleanup(hf_fd_close) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	hf_sv rest = { text, n > 0 ? (size_t)n : 0 }, field = { 0 };
	uint64_t pages = 0;

	if (!rest.len || !hf_sv_next(&rest, ' ', &field) || !rest.ptr || !hf_sv_next(&rest, ' ', &field))
		return 0;
	return hf_sv_to_u64(field, &pages) ? pages : 0;
}

struct hf_cost hf_cost_now(void)
{
	struct rusage use = { 0 };

	getrusage(RUSAGE_SELF, &use);
	return (struct hf_cost){
		.cpu_us = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
			  (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec),
		.resident_bytes = resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE),
		.resident_max_bytes = (uint64_t)use.ru_maxrss << 10,
	};
}
