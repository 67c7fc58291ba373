#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "sensor/patience.h"

struct job {
	int fd; /* is read: what nobody writes to holds it up */
	char byte;
};

static void wait_for_a_byte(void *arg)
{
	struct job *j = arg;

	if (j->fd >= 0)
		(void)!read(j->fd, &j->byte, 1);
	else
		j->byte = 'x';
}

static struct job *job(int fd)
{
	struct job *j = hf_calloc(1, sizeof *j);

	j->fd = fd;
	return j;
}

HF_TEST(what_ends_in_time_is_given_back)
{
	struct hf_patience *p = hf_patience_new(120000, 1);
	struct job *j = job(-1);

	for (int i = 0; i < 100; i++)
		assert_true(hf_patience_run(p, wait_for_a_byte, j));
	assert_int_equal(j->byte, 'x');
	assert_int_equal(hf_patience_stuck(p), 0);
	free(j);
	hf_patience_free(p);
}

HF_TEST(what_is_stuck_is_left_behind_and_no_more_than_some_are)
{
	struct hf_patience *p = hf_patience_new(10, 2);
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 5; i++)
		assert_false(hf_patience_run(p, wait_for_a_byte, job(fds[0])));
	assert_int_equal(hf_patience_stuck(p), 2);
	assert_false(hf_patience_run(p, wait_for_a_byte, job(-1)));
	assert_int_equal(write(fds[1], "ab", 2), 2);
	while (hf_patience_stuck(p))
		usleep(1000);
	struct job *j = job(-1);
	bool ended = false; /* on a machine that is busy a turn may take longer than ten milliseconds */
	for (int i = 0; i < 100000 && !ended; i++)
		if (!(ended = hf_patience_run(p, wait_for_a_byte, j))) {
			j = job(-1);
			usleep(1000);
		}
	assert_true(ended);
	free(j);
	hf_patience_free(p);
	close(fds[0]);
	close(fds[1]);
}

HF_TEST(it_may_be_freed_while_threads_are_stuck)
{
	struct hf_patience *p = hf_patience_new(10, 2);
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_false(hf_patience_run(p, wait_for_a_byte, job(fds[0])));
	hf_patience_free(p);
	assert_int_equal(write(fds[1], "a", 1), 1);
	usleep(50000);
	close(fds[0]);
	close(fds[1]);
}

HF_TEST_MAIN(cmocka_unit_test(what_ends_in_time_is_given_back),
	     cmocka_unit_test(what_is_stuck_is_left_behind_and_no_more_than_some_are),
	     cmocka_unit_test(it_may_be_freed_while_threads_are_stuck))
