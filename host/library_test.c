// SPDX-License-Identifier: BSD-2-Clause
/* A library that is there, one that is not, and one without what is wanted of it. */
#include "host/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"cos", "no_such_function"};

static void is_there(void **state)
{
	const struct library lib = {"libm.so.6", "libc6", names, 1};
	double (*cosine)(double);
	void *function;
	struct problem p;

	(void)state;
	assert_int_equal(library_load(&lib, &function, &p), 0);
	memcpy(&cosine, &function, sizeof(cosine));
	assert_true(cosine(0) == 1);
}

static void is_not_there(void **state)
{
	const struct library lib = {"libnosuch.so.1", "libnosuch1", names, 1};
	void *function;
	struct problem p;

	(void)state;
	assert_int_equal(library_load(&lib, &function, &p), -1);
	assert_non_null(
		strstr(p.text, "cannot load libnosuch.so.1, of Debian's package libnosuch1"));
}

static void lacks_a_function(void **state)
{
	const struct library lib = {"libm.so.6", "libc6", names, 2};
	void *functions[2];
	struct problem p;

	(void)state;
	assert_int_equal(library_load(&lib, functions, &p), -1);
	assert_non_null(strstr(p.text, "no_such_function"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_there),
		cmocka_unit_test(is_not_there),
		cmocka_unit_test(lacks_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
