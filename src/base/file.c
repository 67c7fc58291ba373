#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"

void hf_fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

bool hf_fd_write_all(int fd, hf_sv bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno != EINTR)
			return false;
		bytes = hf_sv_skip(bytes, n > 0 ? (size_t)n : 0);
	}
	return true;
}

static struct hf_file_stamp stamp_of(const struct stat *st)
{
	return (struct hf_file_stamp){ st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_mtim.tv_sec,
				       st->st_mtim.tv_nsec };
}

void hf_file_stamp_of(int fd, struct hf_file_stamp *out)
{
	struct stat st;

	*out = fstat(fd, &st) ? (struct hf_file_stamp){ 0 } : stamp_of(&st);
}

bool hf_file_stamp_holds(const char *path, const struct hf_file_stamp *stamp)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	struct hf_file_stamp now = stamp_of(&st);
	return now.device == stamp->device && now.inode == stamp->inode && now.size == stamp->size &&
	       now.changed_s == stamp->changed_s && now.changed_ns == stamp->changed_ns;
}

/* Without openat2: a component at a time, none of which may be a link or "..". */
static int open_by_components(int dir, const char *path, int flags)
{
	hf_cleanup(hf_fd_close) int at = -1;
	hf_sv rest = hf_sv_of(path), part;
	char name[HF_PATH_MAX];

	while (hf_sv_next(&rest, '/', &part)) {
		bool is_last = !rest.ptr;
		if (!part.len && !is_last)
			continue;
		if (!part.len || part.len >= sizeof name || hf_sv_eq(part, HF_SV(".."))) {
			errno = part.len ? EXDEV : ENOENT;
			return -1;
		}
		memcpy(name, part.ptr, part.len);
		name[part.len] = 0;
		int how = is_last ? flags : O_PATH | O_DIRECTORY;
		int next = openat(at < 0 ? dir : at, name, how | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 || is_last)
			return next;
		hf_fd_close(&at);
		at = next;
	}
	errno = ENOENT;
	return -1;
}

int hf_open_beneath(int dir, const char *path, int flags, bool follow)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve =
					RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (follow ? 0 : RESOLVE_NO_SYMLINKS) };

	if (path[0] == '/') {
		errno = EXDEV;
		return -1;
	}
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	return fd < 0 && errno == ENOSYS ? open_by_components(dir, path, flags) : fd;
}

int hf_fd_read_all(int fd, uint64_t offset, struct hf_buf *out, struct hf_err *err)
{
	for (;;) {
		size_t left = out->max - out->len, step = left < 65536 ? left : 65536;
		char past;
		char *p = step ? hf_buf_room(out, step) : &past;
		ssize_t n = pread(fd, p, step ? step : 1, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(err, "reading");
		if (n == 0)
			return HF_OK;
		if (!step)
			return hf_fail(err, HF_E_LIMIT, "more than %zu bytes", out->max);
		out->len += (size_t)n;
		offset += (uint64_t)n;
	}
}

enum { SLOTS = 512 };

/* The handler finds the mapping by its address: a slot is published by `start` last and withdrawn first. */
static struct {
	atomic_bool used, torn;
	_Atomic uintptr_t start, end;
} slots[SLOTS];
static atomic_uint next_slot;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uintptr_t page;

static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	for (int i = 0; i < SLOTS; i++) {
		uintptr_t start = atomic_load(&slots[i].start), end = atomic_load(&slots[i].end);
		if (!start || at < start || at >= end)
			continue;
		uintptr_t from = at & ~(page - 1);
		if (mmap((void *)from, end - from, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		    MAP_FAILED)
			break;
		atomic_store(&slots[i].torn, true);
		return;
	}
	signal(signal_number, SIG_DFL); /* not ours: it happens again on return and ends the process */
}

static void set_up(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };

	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

static int take_slot(void)
{
	unsigned from = atomic_fetch_add(&next_slot, 1);

	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned at = (from + i) % SLOTS;
		bool free_slot = false;
		if (atomic_compare_exchange_strong(&slots[at].used, &free_slot, true))
			return (int)at;
	}
	return -1;
}

int hf_mapping_open(struct hf_mapping *m, int fd, uint64_t offset, size_t len, struct hf_err *err)
{
	*m = (struct hf_mapping){ .slot = -1 };
	if (!len)
		return HF_OK;
	pthread_once(&once, set_up);
	int slot = take_slot();
	if (slot < 0)
		return hf_fail(err, HF_E_LIMIT, "more than %d files mapped at once", SLOTS);
	uint64_t base = offset & ~(uint64_t)(page - 1);
	size_t lead = (size_t)(offset - base);
	char *p = mmap(NULL, lead + len, PROT_READ, MAP_PRIVATE, fd, (off_t)base);
	if (p == MAP_FAILED) {
		atomic_store(&slots[slot].used, false);
		return hf_fail_errno(err, "mapping %zu bytes", len);
	}
	atomic_store(&slots[slot].torn, false);
	atomic_store(&slots[slot].end, ((uintptr_t)p + lead + len + page - 1) & ~(page - 1));
	atomic_store(&slots[slot].start, (uintptr_t)p);
	*m = (struct hf_mapping){ .ptr = p + lead, .len = len, .slot = slot };
	return HF_OK;
}

bool hf_mapping_torn(const struct hf_mapping *m)
{
	return m->ptr && atomic_load_explicit(&slots[m->slot].torn, memory_order_relaxed);
}

void hf_mapping_release(hf_sv part)
{
	uintptr_t first = ((uintptr_t)part.ptr + page - 1) & ~(page - 1),
		  end = ((uintptr_t)part.ptr + part.len) & ~(page - 1);

	if (part.ptr && first < end)
		madvise((void *)first, end - first, MADV_DONTNEED);
}

void hf_mapping_close(struct hf_mapping *m)
{
	if (!m->ptr)
		return;
	uintptr_t start = atomic_load(&slots[m->slot].start), end = atomic_load(&slots[m->slot].end);
	atomic_store(&slots[m->slot].start, 0);
	munmap((void *)start, end - start);
	atomic_store(&slots[m->slot].used, false);
	*m = (struct hf_mapping){ .slot = -1 };
}
