/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The results of a test. Several may be reported, the worst counts:
 *
 *   SUCCESS  what was asked for was seen
 *   SKIP     this machine cannot show it; the reason says why
 *   ERROR    the test itself is broken or found itself in a place it did not expect
 *   FAILURE  the subject is broken
 *
 * The last line of a run is exactly "Test result: SUCCESS" (or the other word). A run without that
 * line crashed.
 */
#ifndef GUEST_TESTS_REPORT_H
#define GUEST_TESTS_REPORT_H

#include <stdbool.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Each of these prints its line and returns: the test goes on, or returns by itself. */
void test_success(void);
void test_skip(const char *fmt, ...) PRINTF_LIKE(1, 2);
void test_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void test_failure(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Has anything worse than a skip been reported? */
bool test_is_bad(void);

/* Print the result line and power off. */
void test_finish(void) __attribute__((noreturn));

/* Part of CHECK: counts, and reports a failure with its place when not ok. */
bool test_check(bool ok, const char *file, int line, const char *fmt, ...) PRINTF_LIKE(4, 5);

/*
 * A statement about the subject. When it is false the test fails, with file, line and the message
 * (which should name the value seen), and goes on. The value is the condition's.
 */
#define CHECK(cond, ...) test_check((cond), __FILE__, __LINE__, __VA_ARGS__)

/* The commonest statement: this expression has this value. */
#define CHECK_EQ(expr, value)                                                    \
	({                                                                       \
		long long seen_ = (long long)(expr), want_ = (long long)(value); \
		test_check(seen_ == want_, __FILE__, __LINE__,                   \
			   "%s is %lld (%#llx), expected %lld", #expr, seen_,    \
			   (unsigned long long)seen_, want_);                    \
	})

#endif
