// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/hypercall.h"

#include <stdarg.h>

enum result { NONE, SUCCESS, SKIP, ERROR, FAILURE };

static const char *const words[] = {"ERROR", "SUCCESS", "SKIP", "ERROR", "FAILURE"};

static enum result worst;
static unsigned int checks;

static void report(enum result r, const char *fmt, va_list args)
{
	console_lock();
	printf("%s: ", words[r]);
	vprintf(fmt, args);
	printf("\n");
	if (r > worst)
		worst = r;
	console_unlock();
}

void test_success(void)
{
	if (worst < SUCCESS)
		worst = SUCCESS;
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(SKIP, fmt, args);
	va_end(args);
}

void test_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(ERROR, fmt, args);
	va_end(args);
}

void test_failure(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(FAILURE, fmt, args);
	va_end(args);
}

bool test_check(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	__atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);
	if (ok)
		return true;
	console_lock();
	printf("%s:%d: ", file, line);
	va_start(args, fmt);
	report(FAILURE, fmt, args);
	va_end(args);
	console_unlock();
	return false;
}

bool test_is_bad(void)
{
	return worst > SKIP;
}

void test_finish(void)
{
	if (worst == NONE)
		test_error("the test ended without reporting a result");
	if (worst == SUCCESS && !checks)
		test_error("the test reports success but has checked nothing");
	printf("%u checks\n", checks);
	printf("Test result: %s\n", words[worst]);
	shutdown(SHUTDOWN_poweroff);
}
