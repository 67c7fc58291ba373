#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/input.h"
#include "base/threads.h"

enum { MANY = 3 * 65536 };

/* What hf_mapping_open installed; cmocka puts its own handler over it in each test. */
static struct sigaction on_sigbus;

static int file_of(size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char *bytes = hf_malloc(n);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i / 7);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	free(bytes);
	return fd;
}

HF_TEST(a_file_in_windows_gives_each_byte_once)
{
	hf_cleanup(hf_fd_close) int fd = file_of(MANY);
	hf_cleanup(hf_in_closep) struct hf_in *in = hf_in_of_file(fd, 5, MANY - 10, 4096);
	size_t at = 5;

	for (size_t step = 1; hf_in_need(in, step) >= step; step = step * 5 % 9973 + 1) {
		for (size_t i = 0; i < step; i++)
			assert_int_equal(in->ptr[i], (char)((at + i) / 7));
		hf_in_take(in, step);
		at += step;
	}
	assert_int_equal(at + in->len, MANY - 5);
	assert_true(hf_in_skip(in, in->len));
	assert_false(hf_in_skip(in, 1));
	assert_int_equal(hf_in_failed(in), 0);
}

HF_TEST(a_hashed_stream_counts_each_byte_once)
{
	hf_cleanup(hf_fd_close) int fd = file_of(MANY);
	struct hf_in *file = hf_in_of_file(fd, 0, MANY, 4096);
	struct hf_digest *d = hf_digest_new(HF_SV("sha256:"
						  "0000000000000000000000000000000000000000000000000000000000000000"));
	struct hf_in *in = hf_in_hashed(file, d);
	char *bytes = hf_malloc(MANY), is[HF_DIGEST_TEXT_MAX], promised[HF_DIGEST_TEXT_MAX];

	assert_int_equal(pread(fd, bytes, MANY, 0), MANY);
	assert_true(hf_in_need(in, 100) >= 100);
	hf_in_take(in, 50);
	assert_true(hf_in_skip(in, 70000));
	assert_true(hf_in_need(in, 10000) >= 10000);
	assert_memory_equal(in->ptr, bytes + 70050, 10000);
	hf_in_take(in, 1);
	hf_in_drain(in);
	assert_int_equal(in->at, MANY);
	assert_int_equal(hf_in_failed(in), 0);
	assert_false(hf_in_skip(in, 1));
	hf_in_close(in);
	assert_string_equal(hf_digest_text(d, is).ptr, hf_digest_sha256((hf_sv){ bytes, MANY }, promised).ptr);
	hf_digest_free(d);
	hf_in_close(file);
	free(bytes);
}

HF_TEST(a_file_that_shrinks_reads_as_zeros_and_says_so)
{
	hf_cleanup(hf_fd_close) int fd = file_of(MANY);
	hf_cleanup(hf_in_closep) struct hf_in *in = hf_in_of_file(fd, 0, MANY, MANY);

	assert_int_equal(hf_in_need(in, MANY), MANY);
	assert_int_equal(hf_in_failed(in), 0);
	assert_int_equal(sigaction(SIGBUS, &on_sigbus, NULL), 0);
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(in->ptr[65535], (char)(65535 / 7));
	assert_int_equal(in->ptr[2 * 65536], 0);
	assert_int_equal(in->ptr[MANY - 1], 0);
	assert_int_equal(hf_in_failed(in), HF_E_TRUNCATED);
}

HF_TEST(a_part_ends_where_it_should_or_says_that_it_does_not)
{
	hf_cleanup(hf_in_closep) struct hf_in *in = hf_in_of_bytes(HF_SV("abcdefgh"));
	struct hf_in *part = hf_in_part(in, 3);

	assert_int_equal(hf_in_need(part, 8), 3);
	hf_in_take(part, 2);
	assert_int_equal(hf_in_failed(part), 0);
	hf_in_close(part);
	assert_int_equal(in->ptr[0], 'c');
	part = hf_in_part(in, 7);
	assert_int_equal(hf_in_need(part, 7), 6);
	assert_int_equal(hf_in_failed(part), HF_E_TRUNCATED);
	hf_in_close(part);
}

HF_TEST(digests_of_known_texts)
{
	/* FIPS 180-4's example "abc" */
	const hf_sv abc = HF_SV("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct hf_err err = { 0 };
	char text[HF_DIGEST_TEXT_MAX];

	assert_true(hf_sv_eq(hf_digest_sha256(HF_SV("abc"), text), abc));
	assert_int_equal(hf_digest_check(abc, HF_SV("abc"), &err), HF_OK);
	assert_int_equal(hf_digest_check(abc, HF_SV("abd"), &err), HF_E_DIGEST);
	assert_int_equal(hf_digest_check(HF_SV("sha256:ba78"), HF_SV("abc"), &err), HF_E_FORMAT);
	assert_false(hf_digest_valid(HF_SV("md5:900150983cd24fb0d6963f7d28e17f72")));
	assert_false(hf_digest_valid(HF_SV("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")));
}

struct count {
	atomic_uint ran;
	struct hf_budget *budget;
	atomic_uint held, most;
};

static int task(void *ctx, size_t i, struct hf_err *err)
{
	struct count *c = ctx;

	atomic_fetch_add(&c->ran, 1);
	if (!hf_budget_take(c->budget, 40))
		return HF_E_LIMIT;
	unsigned held = atomic_fetch_add(&c->held, 40) + 40, most = atomic_load(&c->most);
	while (held > most && !atomic_compare_exchange_weak(&c->most, &most, held))
		;
	atomic_fetch_sub(&c->held, 40);
	hf_budget_give(c->budget, 40);
	return i == 90 || i == 95 ? hf_fail(err, HF_E_FORMAT, "task %zu", i) : i == 3 ? HF_PARTIAL : HF_OK;
}

HF_TEST(tasks_run_once_each_and_the_first_failure_is_told)
{
	struct count c = { .budget = hf_budget_new(100) };
	struct hf_err err = { 0 };

	assert_int_equal(hf_threads_run(8, 90, task, &c, &err), HF_PARTIAL);
	assert_int_equal(c.ran, 90);
	assert_true(c.most <= 100 && c.most >= 40);
	assert_int_equal(hf_threads_run(8, 100, task, &c, &err), HF_E_FORMAT);
	assert_string_equal(err.msg, "task 90");
	assert_int_equal(hf_threads_run(0, 0, task, &c, &err), HF_OK);
	assert_false(hf_budget_take(c.budget, 101));
	hf_budget_free(c.budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_in_windows_gives_each_byte_once),
		cmocka_unit_test(a_file_that_shrinks_reads_as_zeros_and_says_so),
		cmocka_unit_test(a_part_ends_where_it_should_or_says_that_it_does_not),
		cmocka_unit_test(a_hashed_stream_counts_each_byte_once),
		cmocka_unit_test(digests_of_known_texts),
		cmocka_unit_test(tasks_run_once_each_and_the_first_failure_is_told),
	};
	struct hf_mapping m;
	struct hf_err err = { 0 };
	hf_cleanup(hf_fd_close) int fd = file_of(1);

	if (hf_mapping_open(&m, fd, 0, 1, &err) || sigaction(SIGBUS, NULL, &on_sigbus))
		return 1;
	hf_mapping_close(&m);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
