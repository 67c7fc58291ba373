/* What each unit test begins with: cmocka, and two macros over it. */
#pragma once
#include <setjmp.h> /* cmocka.h wants these before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HF_TEST(name) static void name(void **state_ __attribute__((unused)))
#define HF_TEST_MAIN(...)                                          \
	int main(void)                                             \
	{                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
		return cmocka_run_group_tests(tests, NULL, NULL);  \
	}
