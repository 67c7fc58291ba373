#include "baseline/file_digest.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 4096, CHUNK = 256 << 10, PAUSE_MS = 50 };

/* What changes whenever the bytes of a file do. ctime cannot be set by a program. */
struct state {
	uint64_t device, inode, size;
	int64_t modified_ns, changed_ns;
};

struct slot {
	struct state state;
	bool used;
	char digest[HF_DIGEST_TEXT_MAX];
};

struct file_digests {
	struct slot slots[SLOTS];
	char chunk[CHUNK];
	uint64_t rate, file_max;
	int64_t free_at_ns; /* when what was read so far is paid for */
	atomic_bool stop;
	atomic_uint_least64_t bytes, cached;
};

struct file_digests *file_digests_new(uint64_t bytes_per_second, uint64_t file_max)
{
	struct file_digests *f = hf_calloc(1, sizeof *f);

	f->rate = bytes_per_second ? bytes_per_second : 1;
	f->file_max = file_max;
	return f;
}

void file_digests_free(struct file_digests *f)
{
	free(f);
}

void file_digests_stop(struct file_digests *f)
{
	atomic_store(&f->stop, true);
}

void file_digests_count(const struct file_digests *f, uint64_t *ret_bytes, uint64_t *ret_cached)
{
	*ret_bytes = atomic_load(&f->bytes);
	*ret_cached = atomic_load(&f->cached);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A second's worth may be read at once. */
static void pay(struct file_digests *f, uint64_t n)
{
	int64_t now = now_ns(), second = 1000000000;

	if (f->free_at_ns < now - second)
		f->free_at_ns = now - second;
	f->free_at_ns += (int64_t)((double)n * 1e9 / (double)f->rate);
	while (!atomic_load(&f->stop) && f->free_at_ns > now_ns())
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000 }, NULL);
}

static bool state_of(int fd, struct state *s)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	memset(s, 0, sizeof *s);
	s->device = st.st_dev;
	s->inode = st.st_ino;
	s->size = (uint64_t)st.st_size;
	s->modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	s->changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	return true;
}

static bool same(const struct state *a, const struct state *b)
{
	return !memcmp(a, b, sizeof *a);
}

static int read_digest(struct file_digests *f, int fd, uint64_t size, char out[HF_DIGEST_TEXT_MAX], struct hf_err *err)
{
	char none[HF_DIGEST_TEXT_MAX];
	struct hf_digest *d = hf_digest_new(hf_digest_sha256((hf_sv){ 0 }, none));
	uint64_t at = 0;
	int r = HF_OK;

	while (r == HF_OK && at < size) {
		ssize_t n = pread(fd, f->chunk, CHUNK, (off_t)at);
		if (n < 0)
			r = hf_fail_errno(err, "read");
		else if (!n)
			r = hf_fail(err, HF_E_IO, "changed while it was read");
		else if (atomic_load(&f->stop))
			r = hf_fail(err, HF_E_IO, "was not read to its end");
		if (r < 0)
			break;
		hf_digest_add(d, (hf_sv){ f->chunk, (size_t)n });
		at += (uint64_t)n;
		atomic_fetch_add(&f->bytes, (uint64_t)n);
		pay(f, (uint64_t)n);
	}
	if (r == HF_OK)
		(void)hf_digest_text(d, out);
	hf_digest_free(d);
	return r;
}

static size_t slot_of(const struct state *s)
{
	return (s->inode * 0x9e3779b97f4a7c15u + s->device) >> 52;
}

bool file_digests_known(const struct file_digests *f, int fd)
{
	struct state s;

	if (!state_of(fd, &s))
		return false;
	const struct slot *slot = &f->slots[slot_of(&s)];
	return slot->used && same(&slot->state, &s);
}

int file_digests_get(struct file_digests *f, int fd, char out[HF_DIGEST_TEXT_MAX], struct hf_err *err)
{
	struct state before, after;

	out[0] = 0;
	if (!state_of(fd, &before))
		return hf_fail(err, HF_E_IO, "is not a regular file");
	struct slot *slot = &f->slots[slot_of(&before)];
	if (slot->used && same(&slot->state, &before)) {
		memcpy(out, slot->digest, sizeof slot->digest);
		atomic_fetch_add(&f->cached, 1);
		return HF_OK;
	}
	if (before.size > f->file_max)
		return hf_fail(err, HF_E_LIMIT, "is larger than %llu bytes", (unsigned long long)f->file_max);
	for (int tries = 0; tries < 2; tries++) {
		int r = read_digest(f, fd, before.size, out, err);
		if (r < 0)
			return r;
		if (state_of(fd, &after) && same(&before, &after)) {
			*slot = (struct slot){ .state = before, .used = true };
			memcpy(slot->digest, out, sizeof slot->digest);
			return HF_OK;
		}
		before = after;
		if (before.size > f->file_max)
			break;
	}
	out[0] = 0;
	return hf_fail(err, HF_E_IO, "changed while it was read");
}
